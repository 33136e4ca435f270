"""The labs without a browser: every button, every field, every line, every message."""

import asyncio
import re
from base64 import b64decode
from types import SimpleNamespace
from xml.etree import ElementTree

import ipywidgets as widgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.display import display
from labparts import inside, no_error_in_a_callback, press, words_of  # noqa: F401

from lesson_lib.exercises import words as exercises_words
from lesson_lib.exercises.catalogue import question_texts
from lesson_lib.labs import Exercises, HandCalculationLab
from lesson_lib.labs.hand_calculation import widget as hand_calculation
from lesson_lib.labs.hand_calculation import words as hand_words
from lesson_lib.labs.hand_calculation.compute import START
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.parts import TRAINED

LAST_CLEAN, LAST_TRIGGER = 23, 12  # lines of the article's two steps


@pytest.fixture
def lab():
    return HandCalculationLab()


def shown(lab):
    """Return all that the lab draws for the current line."""
    return lab.title.value, lab.formula.value, lab.canvas.marks, lab.twin.value, lab.count.value


def balance(latex):
    """Return how many opening signs are missing their partner."""
    pairs = [(r"\{", r"\}"), (r"\\left\W", r"\\right\W"), (r"\\begin\{", r"\\end\{")]
    return [len(re.findall(left, latex)) - len(re.findall(right, latex)) for left, right in pairs]


# walking through the lines


def test_making_a_lab_shows_nothing_yet(capsys):
    made = HandCalculationLab(), Exercises().ask("which factor")
    assert capsys.readouterr() == ("", "")
    display(*made)
    assert "HandCalculationLab" in capsys.readouterr().out, "without a notebook, display prints"


def test_a_lab_starts_at_the_first_line_of_the_clean_step(lab):
    assert lab.line == 1
    assert lab.lines == LAST_CLEAN
    assert lab.count.value == "Line 1 of 23"
    assert words_of(lab.title.value) == "Sample 1 (x = 1): into the hidden layer"
    assert lab.summary.endswith("z1 = x W1 + b1 = 1 · [1/2, -1/2] + [0, 0] = [1/2, -1/2].")


def test_the_buttons_walk_through_the_lines(lab):
    walk = [("Next", 2), ("Next", 3), ("Back", 2), ("Last", LAST_CLEAN), ("Back", LAST_CLEAN - 1), ("First", 1)]
    for button, line in walk:
        press(lab, button)
        assert lab.count.value == f"Line {line} of {LAST_CLEAN}"
        assert f"line {line} of {LAST_CLEAN}" in lab.canvas.alt


@pytest.mark.parametrize(
    ("button", "line", "note"),
    [("Next", 23, hand_words.END_REACHED), ("Back", 1, hand_words.START_REACHED)],
)
def test_an_end_is_said_and_kept(lab, button, line, note):
    lab.go(line)
    assert note not in lab.twin.value
    press(lab, button)
    assert lab.line == line
    assert note in lab.twin.value


@pytest.mark.parametrize("biases", TRAINED)
@pytest.mark.parametrize("numbers", ["fractions", "decimals"])
@pytest.mark.parametrize("phase", ["clean", "trigger"])
def test_every_line_draws_formula_diagram_and_words(lab, phase, numbers, biases):
    lab.set(phase=phase, numbers=numbers, biases=biases)
    drawings = set()
    for line in range(1, lab.lines + 1):
        lab.go(line)
        formula = lab.formula.value
        assert formula.startswith(r"\[")
        assert formula.endswith(r"\]")
        assert balance(formula) == [0, 0, 0], formula
        ElementTree.fromstring(f"<svg>{lab.canvas.marks}</svg>")
        assert lab.summary in words_of(lab.twin.value)
        assert "nan" not in "".join(shown(lab)).lower()
        drawings.add(shown(lab))
    assert len(drawings) == lab.lines


def test_unbalanced_latex_would_be_seen():
    assert balance(r"\left(\frac{1}{2}\right)") == [0, 0, 0]
    assert balance(r"\left(\frac{1}{2") == [1, 1, 0]


def test_the_slider_goes_to_a_line_and_follows_the_buttons(lab):
    lab.dial.slider.value = 6
    assert lab.line == 7
    assert "line 7 of 23" in lab.summary
    press(lab, "Next")
    assert (lab.dial.value, lab.dial.slider.value) == (8, 7)
    lab.dial.number.value = str(LAST_CLEAN)
    assert lab.line == LAST_CLEAN
    lab.set(phase="trigger")
    assert (lab.dial.value, lab.dial.slider.value, lab.dial.slider.max) == (1, 0, LAST_TRIGGER - 1)


def test_a_line_is_drawn_once_however_it_is_reached(lab, monkeypatch):
    drawn = []
    monkeypatch.setattr(lab, "draw", lambda note="": (drawn.append(lab.line), HandCalculationLab.draw(lab, note)))
    lab.dial.slider.value = 6
    press(lab, "Next")
    lab.dial.number.value = "3"
    lab.set(phase="trigger")
    assert drawn == [7, 8, 3, 1]


def test_the_other_step_starts_at_its_first_line(lab):
    lab.go(9)
    lab.set(phase="trigger")
    assert lab.count.value == f"Line 1 of {LAST_TRIGGER}"
    assert "Sample 1 (x = 0)" in lab.title.value
    lab.go(9)
    lab.set(phase="clean")
    assert lab.line == 1


def test_other_numbers_keep_the_line_as_far_as_there_is_one(lab):
    lab.go(5)
    lab.set(rate="1/5")
    assert lab.line == 5
    lab.set(biases="both")
    press(lab, "Last")
    assert lab.line > LAST_CLEAN
    lab.set(biases="none")
    assert lab.line == LAST_CLEAN


def test_the_trigger_step_starts_from_the_weights_after_the_clean_step(lab):
    lab.set(phase="trigger")
    assert "[3/4, -1/2]" in lab.summary


# changing numbers


def test_a_new_weight_changes_formula_diagram_and_words(lab):
    before = shown(lab)
    lab.controls["W1"].value = "1/2, 1/3"
    formula, picture, text = shown(lab)[1:4]
    assert r"\frac{1}{3}" in formula
    assert r"\frac{1}{3}" not in before[1]
    assert "W1[2] 1/3" in picture
    assert "W1[2] 1/3" not in before[2]
    assert "[1/2, 1/3]" in text


def test_typed_decimals_are_exact(lab):
    lab.controls["W1"].value = "0.1, -1e-1"
    assert "z1 = x W1 + b1 = 1 · [1/10, -1/10] + [0, 0] = [1/10, -1/10]" in lab.summary


BAD = ["", "nan", "inf", "1/0", "1e999", "1,,x", "0x10", "1" * 40, "½"]


@pytest.mark.parametrize(("name", "text"), [*((name, "one") for name in START), *(("W1", text) for text in BAD)])
def test_bad_text_is_told_beside_its_field_and_the_last_good_picture_stays(lab, name, text):
    before = shown(lab)
    lab.controls[name].value = text
    assert shown(lab) == before
    assert lab.controls[name].value == text, "the learner's text stays"
    told = [where for where, message in lab.messages.items() if message.value]
    assert told == [name]
    assert 'role="alert"' in lab.messages[name].value
    assert shared_words.ERROR_SIGN in lab.summary


@pytest.mark.parametrize("name", START)
def test_a_corrected_field_clears_the_message(lab, name):
    before = shown(lab)
    lab.controls[name].value = "one"
    assert any(message.value for message in lab.messages.values())
    lab.controls[name].value = START[name]
    assert not any(message.value for message in lab.messages.values())
    assert lab.error == ""
    assert shown(lab) == before


@pytest.mark.parametrize("rate", ["0", "-1/10", "0.0"])
def test_a_rate_that_does_not_go_downhill_is_refused(lab, rate):
    lab.controls["rate"].value = rate
    assert "rate must be a finite number above 0" in words_of(lab.messages["rate"].value)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("b1", "0", "2"),
        ("W2", "1, 2, 3", "2"),
        ("b2", "0, 0", "one"),
        ("rate", "1, 2", "one"),
        ("clean_y", "1", "2"),
        ("trigger_x", "1, 2", "one"),
        ("trigger_y", "1, 2", "one"),
        ("W1", "1, 2, 3, 4", "1 to 3"),
        ("clean_x", "1, 2, 3, 4, 5", "1 to 4"),
    ],
)
def test_a_wrong_count_is_told_at_the_field_with_the_count_expected(lab, name, text, expected):
    lab.controls[name].value = text
    message = words_of(lab.messages[name].value)
    given = len(text.split(","))
    assert message.startswith(f"{shared_words.ERROR_SIGN} {hand_words.FIELDS[name]} must")
    assert expected in message
    assert message.endswith(f"got {given}.")


@pytest.mark.parametrize(
    "text", ["__import__('pathlib').Path('run').touch()", "<img src=x onerror=run>", "{rate}", "1;run"]
)
def test_hostile_text_is_shown_and_never_run(lab, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab.controls["W1"].value = text
    exercise = Exercises().ask("dW2 at x = 2")
    exercise.answer.value = text
    assert not list(tmp_path.iterdir())
    for message in [exercise.feedback, *lab.messages.values()]:
        assert "<img" not in message.value
    assert "not a number" in exercise.feedback.value or "too many digits" in exercise.feedback.value
    assert lab.error


# set, reset, preset


def test_set_refuses_a_control_that_does_not_exist(lab):
    before = shown(lab)
    with pytest.raises(ValueError, match="speed is not a control of this lab; there are phase, numbers, biases, W1"):
        lab.set(speed=3)
    assert shown(lab) == before


@pytest.mark.parametrize("bad", [{"phase": "noon"}, {"rate": "0"}, {"rate": "fast"}, {"W1": "1, 2, 3"}, {"rate": None}])
def test_set_with_a_bad_value_raises_and_changes_nothing(lab, bad):
    lab.go(4)
    before, values = shown(lab), lab.values
    name = next(iter(bad)) if bad != {"W1": "1, 2, 3"} else "b1"
    with pytest.raises(ValueError, match=name):
        lab.set(numbers="decimals", **bad)
    assert shown(lab) == before
    assert lab.values == values
    assert not any(message.value for message in lab.messages.values())


def test_set_changes_the_width_in_one_call(lab):
    lab.set(W1="1", b1="0", W2="1")
    assert "neuron 2" not in lab.canvas.marks
    lab.set(W1="1, 2, 3", b1="0, 0, 0", W2="1, 1, 1")
    assert "neuron 3" in lab.canvas.marks


def test_reset_brings_everything_back(lab):
    before, values = shown(lab), lab.values
    lab.set(phase="trigger", biases="both", rate="1/3")
    lab.go(5)
    lab.controls["W1"].value = "one"
    press(lab, "Reset")
    assert lab.values == values
    assert shown(lab) == before
    assert not any(message.value for message in lab.messages.values())


def numbers(count):
    return st.lists(st.fractions(-9, 9, max_denominator=9).map(str), min_size=count, max_size=count)


@st.composite
def settings_of_a_lab(draw):
    """Draw values that fit together, with the separators that a learner may type."""
    n_hidden, n_samples = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    counts = {"W1": n_hidden, "b1": n_hidden, "W2": n_hidden, "clean_x": n_samples, "clean_y": n_samples}
    counts |= dict.fromkeys(("b2", "trigger_x", "trigger_y"), 1)
    separator = draw(st.sampled_from([", ", " ", "; ", ","]))
    return {
        "phase": draw(st.sampled_from(["clean", "trigger"])),
        "numbers": draw(st.sampled_from(["fractions", "decimals"])),
        "biases": draw(st.sampled_from(list(TRAINED))),
        **{name: separator.join(draw(numbers(count))) for name, count in counts.items()},
    }


@settings(max_examples=25)
@given(settings_of_a_lab())
def test_a_preset_brings_the_same_picture_to_another_lab(values):
    lab, other = HandCalculationLab(), HandCalculationLab()
    lab.set(**values)
    other.load(lab.preset)
    assert shown(other) == shown(lab)


def test_a_preset_is_short(lab):
    assert lab.preset == ""
    lab.set(rate="1/5", phase="trigger")
    assert lab.preset == "phase=trigger; rate=1/5"
    lab.load("")
    assert lab.preset == ""


@pytest.mark.parametrize("garbage", ["x", "rate", "rate=fast", "phase=noon", "self=1", "W1=1, 2, 3", "=", "rate=1=2"])
def test_a_preset_that_no_lab_made_is_refused_and_changes_nothing(lab, garbage):
    lab.set(W2="2, 2")
    before = shown(lab)
    with pytest.raises(ValueError, match=r"\w"):
        lab.load(garbage)
    assert shown(lab) == before


# playing


@pytest.fixture
def quick_lab(monkeypatch):
    monkeypatch.setattr(hand_calculation, "SECONDS_A_LINE", 0.001)
    return HandCalculationLab()


def play(lab, stop=lambda: False):
    """Press Play, and return the lines that were shown until it stopped or was stopped."""

    async def watch():
        press(lab, "Play")
        assert lab.player.button.description == "Pause"
        lines = [lab.line]
        async with asyncio.timeout(20):
            while lab.player.button.description == "Pause":
                await asyncio.sleep(0)
                lines += [lab.line] if lab.line != lines[-1] else []
                stop()
        line = lab.line
        await asyncio.sleep(0.05)
        assert lab.line == line, "it has stopped"
        return lines

    lines = asyncio.run(watch())
    assert lab.player.button.description == "Play"
    return lines


def test_play_goes_on_to_the_last_line_and_stops(quick_lab):
    quick_lab.set(phase="trigger")
    assert play(quick_lab) == list(range(1, LAST_TRIGGER + 1))
    assert play(quick_lab) == [LAST_TRIGGER, *range(1, LAST_TRIGGER + 1)], "at the end, it begins again"


def test_a_line_is_played_every_two_seconds(lab, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("lesson_lib.labs.shared.play.asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    assert play(lab)[-1] == LAST_CLEAN
    assert waits == [2] * (LAST_CLEAN - 2), "none before the first and none after the last"


@pytest.mark.parametrize("button", ["Pause", "Reset", "Last"])
def test_playing_is_paused_by_its_button_and_ends_at_reset_and_at_the_last_line(quick_lab, button):
    lines = play(quick_lab, stop=lambda: press(quick_lab, button) if quick_lab.line == 3 else None)
    assert quick_lab.line == {"Pause": 3, "Reset": 1, "Last": LAST_CLEAN}[button]
    assert lines[:3] == [1, 2, 3]


def test_without_a_running_loop_play_goes_to_the_last_line_at_once(lab):
    press(lab, "Play")
    assert lab.line == LAST_CLEAN
    assert lab.player.button.description == "Play"


# the picture under the hand


@pytest.mark.parametrize(
    ("line", "quantity", "found"),
    [(5, "a1", 5), (5, "z1", 4), (10, "z1", 1), (17, "z1", 4), (17, "dW1", 13), (20, "dW1", 20), (23, "W1", 22)],
)
def test_a_click_on_a_number_leads_to_the_line_that_computed_it(lab, line, quantity, found):
    lab.go(line)
    assert f'data-touch="{quantity}"' in lab.canvas.marks
    lab.canvas._on_touch(touch=quantity, x=200, y=100)
    assert lab.line == lab.dial.value == found
    step = lab.state.derivation.steps[found - 1]
    assert step.quantity == quantity
    assert lab.preset == "", "the line is no setting"


def test_every_number_that_can_be_clicked_leads_to_its_line(lab):
    lab.set(biases="both")
    for line in range(1, lab.lines + 1):
        lab.go(line)
        named = set(re.findall(r'data-touch="(\w+)"', lab.canvas.marks)) - {"line"}
        assert named == {step.quantity for step in lab.state.derivation.steps[:line]}
        for name in named:
            lab.touch(name, x=0, y=0)
            assert lab.line <= line
            assert lab.state.derivation.steps[lab.line - 1].quantity == name
            lab.go(line)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        *(("ArrowRight", 13), ("ArrowUp", 13), ("ArrowLeft", 11), ("ArrowDown", 11)),
        *(("PageUp", 22), ("PageDown", 2), ("Home", 1), ("End", LAST_CLEAN), ("Tab", 12)),
    ],
)
def test_the_keys_walk_on_the_picture(lab, key, line):
    lab.go(12)
    lab.canvas._on_touch(touch="line", key=key)
    assert lab.line == lab.dial.value == line
    slider = ElementTree.fromstring(f"<svg>{lab.canvas.marks}</svg>").find(".//g[@data-touch='line']")
    told = {"role": "slider", "tabindex": "0", "aria-valuenow": str(line), "aria-valuemin": "1", "aria-valuemax": "23"}
    assert slider.attrib.items() >= told.items()
    assert slider.get("aria-valuetext") == lab.summary


@pytest.mark.parametrize(
    "bad",
    [
        *({}, {"touch": "W1"}, {"touch": "dW2"}, {"touch": "X"}, {"touch": "line", "x": 9, "y": 9}),
        *({"touch": "z1x", "key": "ArrowRight"}, {"key": "ArrowRight"}, {"touch": "<b>"}),
    ],
)
def test_a_touch_that_leads_nowhere_changes_nothing(lab, bad):
    lab.go(3)
    before = shown(lab)
    lab.canvas._on_touch(**bad)
    assert shown(lab) == before


# what a page without a kernel shows, and what a screen reader finds


def test_without_a_kernel_a_lab_is_a_picture_with_its_text(lab, displayed):
    lab.set(phase="trigger")
    lab.go(10)
    bundle, live = displayed(lab)
    assert live["model_id"] == lab.box.model_id
    assert bundle["text/plain"] == lab.summary
    [image] = re.findall(r"<img [^>]*>", bundle["text/html"])
    alt, source = re.search(r'alt="([^"]*)"', image)[1], re.search(r"base64,([^\"]*)", image)[1]
    assert alt.replace("&#x27;", "'") == lab.summary
    picture = ElementTree.fromstring(b64decode(source))
    assert picture.get("aria-label") == lab.summary
    assert (picture.get("width"), picture.get("height")) == ("540", "270")
    assert shared_words.NEEDS_KERNEL in bundle["text/html"]


def test_without_a_kernel_an_exercise_is_its_question(displayed):
    exercise = Exercises().ask("which factor")
    bundle, live = displayed(exercise)
    assert live["model_id"] == exercise.box.model_id
    assert bundle["text/plain"] == exercise.summary
    assert all(choice in bundle["text/plain"] for choice in exercise.question.choices)


def boxes():
    return [HandCalculationLab().box, *(Exercises().ask(name).box for name in ANSWERS)]


def test_every_control_and_button_has_a_name():
    for box in boxes():
        named = [each for each in inside(box) if isinstance(each, widgets.Button | widgets.ValueWidget)]
        texts_and_sliders = widgets.HTML | widgets.HTMLMath | widgets.IntSlider  # a slider's number box has the name
        named = [each for each in named if not isinstance(each, texts_and_sliders)]
        assert len(named) >= 4
        assert [each for each in named if not each.description.strip()] == []


def test_changes_are_announced(lab):
    for twin in (lab.twin, Exercises().ask("which factor").feedback):
        assert ElementTree.fromstring(twin.value).attrib.items() >= {("role", "status"), ("aria-live", "polite")}


# exercises

ANSWERS = {  # worked out on paper: the right answer, a known slip, and what the slip is told
    "dW2 at x = 2": ("-1, 0", "1, 0", "The size is right and the sign is not"),
    "dW1 summed": ("[-2.5 0]", "-5/4, 0", "you divided by the number of samples"),
    "W2 after the clean step": ("9/8; -1", "7/8, -1", "You added the gradient"),
    "will the trigger be learnt": (
        "nothing moves at all",
        "only W2 moves, because x = 0 blocks W1",
        "x = 0 does block W1",
    ),
    "error at the hidden layer": ("-45/8, 5", "-5, 5", "before the clean step"),
    "which factor": ("the activation a1", "the slope relu'(z1)", "it is no factor of dL/dW2"),
}


@pytest.fixture(params=ANSWERS)
def exercise(request):
    return Exercises().ask(request.param)


def answer(exercise, given):
    exercise.answer.value = given
    press(exercise, "Check")


def of(exercise):
    return next(ANSWERS[name] for name in ANSWERS if question_texts()[name]["prompt"] == exercise.question.prompt)


def test_a_right_answer_is_praised_with_its_working(exercise):
    answer(exercise, of(exercise)[0])
    assert exercise.solved
    assert words_of(exercise.feedback.value).startswith("✓ Right.")
    assert words_of(exercise.feedback.value).endswith(exercise.question.solution)


def test_a_known_slip_is_named_and_gives_no_answer_away(exercise):
    _, slip, told = of(exercise)
    answer(exercise, slip)
    assert not exercise.solved
    assert words_of(exercise.feedback.value).startswith("✗ Not yet.")
    assert told in words_of(exercise.feedback.value)
    assert exercise.question.solution not in words_of(exercise.feedback.value)


def test_any_other_answer_is_wrong_without_a_guess_at_the_slip():
    exercise = Exercises().ask("dW2 at x = 2")
    answer(exercise, "17, 4")
    assert words_of(exercise.feedback.value) == exercises_words.WRONG


def test_no_answer_is_asked_for(exercise):
    press(exercise, "Check")
    assert words_of(exercise.feedback.value) == (
        exercises_words.CHOOSE if exercise.question.choices else exercises_words.EMPTY
    )
    assert not exercise.solved


@pytest.mark.parametrize("given", ["-1", "-1, 0, 0", "minus one, 0", "-1, nan"])
def test_an_answer_that_cannot_be_read_gets_advice(given):
    exercise = Exercises().ask("dW2 at x = 2")
    answer(exercise, given)
    assert not words_of(exercise.feedback.value).startswith(("✓", "✗"))
    assert "number" in exercise.feedback.value


def test_hints_come_one_at_a_time(exercise):
    hints = exercise.question.hints
    assert len(hints) >= 1
    for count in range(1, len(hints) + 1):
        press(exercise, "Hint")
        assert exercise.hints.value.count("<li>") == count
        assert (exercises_words.NO_MORE_HINTS in exercise.hints.value) == (count == len(hints))
    press(exercise, "Hint")
    assert exercise.hints.value.count("<li>") == len(hints)


def test_looking_at_the_solution_does_not_solve_it(exercise):
    press(exercise, "Solution")
    assert exercise.question.solution in words_of(exercise.feedback.value)
    assert not exercise.solved


def test_a_cell_run_again_keeps_the_answer():
    exercises = Exercises()
    exercises.ask("dW2 at x = 2").answer.value = "-1, 0"
    again = exercises.ask("dW2 at x = 2")
    assert again.answer.value == "-1, 0"
    assert again.solved


def test_progress_counts_what_was_asked_and_what_is_solved():
    exercises = Exercises()
    assert exercises.progress == "0 of 0 exercises solved."
    exercises.ask("dW2 at x = 2").answer.value = "-1, 0"
    exercises.ask("which factor")
    exercises.ask("which factor")
    assert exercises.progress == "1 of 2 exercises solved. 1 at the first try."


def test_a_later_wrong_answer_does_not_take_a_solved_exercise_back():
    exercises = Exercises()
    exercise = exercises.ask("dW2 at x = 2")
    answer(exercise, "-1, 0")
    answer(exercise, "1, 0")
    assert exercises.progress == "1 of 1 exercises solved. 1 at the first try."


def test_a_question_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of '.*'dW2 at x = 2'"):
        Exercises().ask("dW3")
