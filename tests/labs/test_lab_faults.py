"""The labs under stress: any order of moves, bad values, interrupts, haste, long use, and two labs side by side."""

import asyncio
import gc
import inspect
import mmap
import pkgutil
import re
import sys
from dataclasses import fields, is_dataclass
from html import unescape
from importlib import import_module
from itertools import count
from math import inf, nan
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labparts import dials, inside, no_error_in_a_callback, sent  # noqa: F401
from marks import check_marks
from sklearn.neural_network import MLPClassifier
from traitlets import TraitError

import lesson_lib
from lesson_lib import training as training_loop
from lesson_lib.digits import train_classifier
from lesson_lib.exercises.reading import parse_numbers
from lesson_lib.labs import BiasLab, HandCalculationLab, NAALab, PruningLab, TriggerLab
from lesson_lib.labs.hand_calculation import words as hand_words
from lesson_lib.labs.naa import compute as detection
from lesson_lib.labs.pruning import compute as repairs
from lesson_lib.labs.pruning import words as pruning_words
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.canvas import Canvas
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.training import bias
from lesson_lib.labs.training import picture as training_picture
from lesson_lib.labs.training import runs as training
from lesson_lib.labs.training import words as training_words
from lesson_lib.naa import moments
from lesson_lib.network import ARTICLE
from lesson_lib.pictures import outcomes
from lesson_lib.repair import classifier
from lesson_lib.repair import repairs as repair
from lesson_lib.sweeps import experiment as sweeps
from lesson_lib.sweeps import studies
from lesson_lib.sweeps.experiment import Experiment
from lesson_lib.training import POISONED, train

LABS = (HandCalculationLab, TriggerLab, BiasLab, NAALab, PruningLab)
LONG = {
    training_words.DRAW_MAP,
    pruning_words.COMPUTE,
}  # buttons that work for seconds; they have tests of their own

every_lab = pytest.mark.parametrize("kind", LABS)


def words_of(lab):
    """Return the summary without the message, which may repeat what was typed."""
    return lab.summary.partition(f" {shared_words.ERROR_SIGN}")[0]


def without_message(text):
    """Return a text of the lab without the message, which may repeat what was typed, or say that a line is the last."""
    ends = hand_words.START_REACHED, hand_words.END_REACHED
    return re.sub(rf' {shared_words.ERROR_SIGN} [^"<]*|({"|".join(map(re.escape, ends))}) ', "", text)


def messages_of(lab):
    return [*lab.messages.values(), *(dial.message for dial in dials(lab))]


def picture(lab):
    """Return all that the lab draws and says of its state."""
    shown = [*inside(lab.box)]
    canvases = [one for one in shown if isinstance(one, Canvas)]
    drawn = [(one.frame, without_message(one.marks), without_message(one.alt)) for one in canvases]
    assert drawn
    texts = [
        without_message(one.value) for one in shown if isinstance(one, widgets.HTML) and one not in messages_of(lab)
    ]
    return [without_message(lab.still()), words_of(lab), *drawn, *texts]


def number_in(text):
    """Return the number that a dial's box shows; a tiny one has an exponent that nobody may type."""
    try:
        return float(parse_numbers(text)[0])
    except ValueError:
        return float(text)


def hands(lab):
    """Return what each control holds, and what each dial shows and allows; how a number was typed is its own affair."""
    shown = [f"{number_in(dial.number.value):.8g}" for dial in dials(lab)]
    ends = [(dial.value, dial.slider.value, dial.slider.max, dial.positions) for dial in dials(lab)]
    return lab.values, shown, ends


def everything(lab):
    """Return the picture, the controls and the messages."""
    return picture(lab), hands(lab), lab.error, [message.value for message in lab.messages.values()]


def check_valid(lab):
    """Check that there is a picture with words, and a message exactly where something is wrong."""
    shown = [message.value for message in lab.messages.values() if message.value]
    assert len(shown) == bool(lab.error)
    assert all('role="alert"' in one for one in shown)
    assert not re.search(r"\b(nan|inf)\b", unescape(words_of(lab)), re.IGNORECASE)
    for dial in dials(lab):
        assert number_in(dial.number.value) == pytest.approx(dial.value, rel=1e-7)
        assert dial.message.value == "" or 'role="alert"' in dial.message.value
    for one in inside(lab.box):
        if isinstance(one, Canvas):
            check_marks(without_message(one.marks))
            assert one.alt


def at(kind, values, line=1):
    """Return a fresh lab that was put into these settings at once."""
    fresh = kind()
    fresh.set(**values)
    if kind is HandCalculationLab:
        fresh.go(line)
    return fresh


def discard(*labs):
    """Let go of labs, which ipywidgets would keep for ever."""
    for lab in labs:
        for widget in [*inside(lab.box)]:
            widget.close()
    gc.collect()


# Any order of moves --------------------------------------------------------------------------------------------------


typed_numbers = st.one_of(
    st.integers(-40, 40).map(lambda n: f"{n / 4:g}"),
    st.fractions(-9, 9, max_denominator=9).map(str),
    st.sampled_from(["9e9", "-99999999e9", "999999999999", "1/99999999", "1e-9"]),
)
no_numbers = st.sampled_from(["", "one", "nan", "1e999999", "1/0", "٣", "1" * 5000])
typed_lists = st.lists(typed_numbers, min_size=1, max_size=4).map(", ".join)


def reachable(control):
    """Draw what can be put into a lab's control; into a text box also what is no number."""
    if isinstance(control, Dial):
        ends = control.positions[0], control.positions[-1]
        return st.sampled_from(control.positions) | (st.integers(*ends) if control.whole else st.floats(*ends))
    if isinstance(control, widgets.Dropdown):
        return st.sampled_from([value for _, value in control._options_full])
    if isinstance(control, widgets.BoundedIntText):
        return st.integers(control.min, control.max)
    return typed_lists | no_numbers


def type_into(dial, typed):
    """Type into a dial's box, and check that the text is taken as it is, or refused with what was there kept."""
    before = dial.value, dial.number.value
    dial.number.value = typed
    if typed == before[1]:
        return
    if dial.message.value:
        assert (dial.value, dial.number.value) == before
        assert shared_words.REFUSED.split("{")[-1].split("}")[1].strip() in dial.message.value
    else:
        assert dial.number.value == typed
        assert dial.value == float(parse_numbers(typed)[0])


pixels = st.floats(-100, 1000) | st.sampled_from([nan, inf, 1e300, None, "5"])
keys = st.sampled_from(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "x", 3])


def touches(lab):
    """Draw what a page, or something that is no page, may send of a picture."""
    names = st.sampled_from([*re.findall(r'data-touch="([^"]*)"', lab.canvas.marks), "", "no mark", None])
    by_key, by_hand = {"key": keys}, {"x": pixels, "y": pixels}
    return st.fixed_dictionaries({"touch": names, **by_key}) | st.fixed_dictionaries({"touch": names, **by_hand})


def move(lab, data):
    """Do one thing that a learner, or a cell, can do."""
    name = data.draw(st.sampled_from([*lab.controls]), "control")
    control = lab.controls[name]
    kinds = ["value", "set", "button", "reset", "preset", *["slider", "box"] * isinstance(control, Dial)]
    kind = data.draw(st.sampled_from([*kinds, "touch"]), "move")
    if kind == "value":
        control.value = data.draw(reachable(control), name)
    elif kind == "slider":
        control.slider.value = data.draw(st.integers(-1, control.slider.max + 1), name)
    elif kind == "box":
        type_into(control, data.draw(typed_numbers | st.integers(-5, 3000).map(str) | no_numbers, name))
    elif kind == "touch":
        sent(lab, **data.draw(touches(lab), "touch"))
    elif kind == "set":
        names = data.draw(st.lists(st.sampled_from([*lab.controls]), min_size=1, max_size=4, unique=True))
        values = {name: data.draw(reachable(lab.controls[name]), name) for name in names}
        before = everything(lab)
        try:
            lab.set(**values)
        except ValueError:
            assert everything(lab) == before
    elif kind == "button":
        buttons = [one for one in inside(lab.box) if isinstance(one, widgets.Button) and one.description not in LONG]
        data.draw(st.sampled_from(buttons), "button").click()
    elif kind == "reset":
        lab.reset()
    elif not lab.error:
        before = picture(lab)
        lab.load(lab.preset)
        assert picture(lab) == before


@pytest.fixture(scope="module")
def kept():
    """Return labs that are used again and again, so that their history grows.

    What was there before has nothing to do with theirs: the collector, which runs often here, leaves it alone.
    """
    gc.collect()
    gc.freeze()
    yield {kind: kind() for kind in LABS}
    gc.unfreeze()


@every_lab
@settings(max_examples=5)
@given(data=st.data())
def test_any_moves_in_any_order_lead_to_what_a_fresh_lab_shows(kept, kind, data):
    lab = kept[kind]
    lab.reset()
    good = lab.values
    for _ in range(data.draw(st.integers(1, 6), "moves")):
        move(lab, data)
        check_valid(lab)
        good = good if lab.error else lab.values
    fresh = at(kind, good, getattr(lab, "line", 1))
    assert picture(lab) == picture(fresh)
    if not lab.error:
        assert hands(lab) == hands(fresh)
    discard(fresh)


# Bad values ----------------------------------------------------------------------------------------------------------

BAD = [nan, inf, -inf, -1e308, 10**400, 1j, None, {}, [[]]]
BAD += ["", "text", "__import__('os')", "1e999999", "½", "x" * 10**5]
BETWEEN = {"epochs": 2.5, "rows": 2.5, "backdoored": 2.5, "width": 2.5, "pruned": 2.5, "seed": 2.5}
OUTSIDE = {"seed": -1, "rate": 0, "epochs": 2001, "target": 10.1, "position": -3.1, "width": 33, "rise": -0.1}


@every_lab
def test_a_bad_value_is_refused_by_name_and_changes_nothing(kept, kind):
    lab = kept[kind]
    lab.reset()
    before = everything(lab)
    tried = set()
    for name, control in lab.controls.items():
        values = [limits[name] for limits in (BETWEEN, OUTSIDE) if name in limits]
        for value in [*BAD[type(control) in tried :: 6 if type(control) in tried else 1], *values]:
            tried.add(type(control))
            for give in (lambda: lab.set(**{name: value}), lambda: lab.load(f"{name}={value}")):  # noqa: B023
                with pytest.raises(ValueError, match=rf"^{name}\b") as refused:
                    give()
                assert len(str(refused.value)) < 500
    assert everything(lab) == before


@every_lab
@pytest.mark.parametrize("name", ["", "x" * 10**5, "__class__", "self", "rate "])
def test_a_control_that_is_not_there_is_refused_by_name(kept, kind, name):
    lab = kept[kind]
    lab.reset()
    before = everything(lab)
    for give in (lambda: lab.set(**{name: 1}), lambda: lab.load(f"{name.strip() or '?'}s=1")):
        with pytest.raises(ValueError, match="is not a control of this lab") as refused:
            give()
        assert len(str(refused.value)) < 500
    assert everything(lab) == before


@pytest.mark.parametrize("line", [None, 5, nan, "=", ";=;", "rate", "\0"])
def test_a_preset_that_is_no_line_of_settings_is_refused(kept, line):
    lab = kept[TriggerLab]
    lab.reset()
    before = everything(lab)
    with pytest.raises(ValueError, match=r"is not a control|must be a number"):
        lab.load(line)
    assert everything(lab) == before


@every_lab
def test_a_control_cannot_be_emptied_by_hand(kept, kind):
    lab = kept[kind]
    lab.reset()
    before = everything(lab)
    for control in lab.controls.values():
        if isinstance(control, widgets.Dropdown):
            with pytest.raises(TraitError, match="must be one of the choices; got None"):
                control.value = None
        elif isinstance(control, Dial):
            for typed in ("", "nan", "1" * 5000):
                control.number.value = typed
                assert 'role="alert"' in control.message.value
            control.fit()
            assert control.message.value == ""
    assert everything(lab) == before


# Interrupts ----------------------------------------------------------------------------------------------------------

INSIDE = str(Path(lesson_lib.__file__).parent)
STEPPED = ("/labs/", "/pictures/")  # here at any line, elsewhere at any call
INNERMOST = ("/network.py", "/arrays.py", "/activations.py")  # called a hundred thousand times in a training


class Interrupt:
    """Press "stop" while `action` runs, at its `at`-th step in the package; without `at`, note where its steps are."""

    def __init__(self, action, at=None):
        self.at, self.steps, self.raised, self.places = at, 0, False, {}
        before = sys.gettrace()
        sys.settrace(self.enter)
        try:
            action()
        except KeyboardInterrupt:
            self.raised = True
        finally:
            sys.settrace(before)

    def enter(self, frame, _event, _argument):
        path = frame.f_code.co_filename
        if (
            not path.startswith(INSIDE)
            or path[len(INSIDE) :] in INNERMOST
            or frame.f_code.co_flags & inspect.CO_GENERATOR
        ):
            return None  # a generator may be on its way out, where Python would swallow the interrupt
        self.step(frame)
        return self.line if any(part in path[len(INSIDE) :] for part in STEPPED) else None

    def line(self, frame, event, _argument):
        if event == "line":
            self.step(frame)
        return self.line

    def step(self, frame):
        self.steps += 1
        self.places[frame.f_code] = self.steps  # the last one in each function
        if self.steps == self.at:
            raise KeyboardInterrupt


def forget():
    """Empty the memories in which a lab would find what it has computed before."""
    for memory in (training._table, detection._noise, detection._compared):
        memory.cache_clear()


def put(**values):
    return lambda lab: lab.set(**values)


def by_hand(name, value, part=None):
    def act(lab):
        control = lab.controls[name]
        (getattr(control, part) if part else control).value = value

    return act


MOVES = [
    (HandCalculationLab, by_hand("W1", "1/3, 1")),
    (HandCalculationLab, put(W1="1", b1="0", W2="1")),
    (TriggerLab, by_hand("position", "0.3", "number")),
    (TriggerLab, lambda lab: sent(lab, touch="star", key="ArrowRight")),
    (TriggerLab, put(schedule="joint", activation="tanh", rate=0.01)),
    (BiasLab, lambda lab: lab.load([*training_words.STORIES][-1])),
    (NAALab, by_hand("rule", "bh")),
    (NAALab, put(rule="permutation", threshold=0.3, rows=20, seed=3)),
    (PruningLab, by_hand("model", "planted loud")),
    (PruningLab, by_hand("order", "difference")),
    (PruningLab, put(model="planted quiet", order="random", pruned=100)),
]
NEXT = {HandCalculationLab: ("rate", "1/7"), TriggerLab: ("target", -3.0), BiasLab: ("target", -3.0)}
NEXT |= {NAALab: ("rise", 1.0), PruningLab: ("pruned", 5.0)}


@pytest.mark.parametrize(("kind", "act"), MOVES, ids=lambda part: getattr(part, "__name__", None))
def test_after_an_interrupt_anywhere_the_lab_goes_on_as_if_nothing_had_been(kind, act, monkeypatch):
    monkeypatch.setattr(training, "EPOCHS", (0, 1, 10, 100))
    monkeypatch.setattr(BiasLab, "start_epoch", 100)
    lab, other, raised = kind(), kind(), []
    for one in (lab, other):
        act(one)  # so that plots are made, and models trained
        one.reset()
    start = everything(lab)
    forget()
    places = sorted(Interrupt(lambda: act(lab)).places.values())
    for step in sorted({*places[:: max(1, len(places) // 3)], places[-1]}):
        lab.reset()
        forget()
        raised.append(Interrupt(lambda: act(lab), step).raised)
        by_hand(*NEXT[kind])(lab)
        assert everything(lab) == everything(at_once(other, lab.values))
        lab.reset()
        assert everything(lab) == start
    assert sum(raised) > len(raised) / 2
    discard(lab, other)


def at_once(lab, values):
    """Put a lab into these settings, from its start."""
    lab.reset()
    lab.set(**values)
    return lab


def stop(*_, **__):
    raise KeyboardInterrupt


@every_lab
@pytest.mark.parametrize("where", ["compute", "draw"])
def test_an_interrupted_move_says_so_and_the_next_one_clears_it(kept, kind, where, monkeypatch):
    lab = kept[kind]
    lab.reset()
    before = picture(lab)
    monkeypatch.setattr(lab, where, stop)
    with pytest.raises(KeyboardInterrupt):
        by_hand(*NEXT[kind])(lab)
    assert shared_words.INTERRUPTED in lab.messages[""].value
    assert picture(lab)[2:] == before[2:]
    monkeypatch.undo()
    lab.reset()
    assert (lab.error, picture(lab)) == ("", before)


@every_lab
def test_an_interrupted_setting_from_a_cell_changes_nothing(kept, kind, monkeypatch):
    lab = kept[kind]
    lab.reset()
    before = everything(lab)
    compute, presses = lab.compute, iter([stop])
    monkeypatch.setattr(lab, "compute", lambda: next(presses, compute)())
    with pytest.raises(KeyboardInterrupt):
        lab.set(**dict([NEXT[kind]]))
    assert everything(lab) == before


@pytest.fixture
def small_map(monkeypatch):
    """Return a bias lab whose map has 25 cells."""
    monkeypatch.setattr(bias, "MAP_RATES", np.geomspace(0.001, 10, 5))
    monkeypatch.setattr(bias, "MAP_TARGETS", np.linspace(-10, 10, 5))
    return BiasLab()


def map_shown(lab):
    return lab.map_summary, lab.canvas.marks, lab.map_text.value


def test_a_map_that_was_interrupted_leaves_the_last_one_and_can_be_drawn_again(small_map, monkeypatch):
    lab, made = small_map, bias.map_steps
    for values in ({}, {"biases": "b1"}):
        lab.set(**values)
        before = lab.map, lab.map_summary, lab.canvas.marks
        monkeypatch.setattr(bias, "map_steps", stop)
        with pytest.raises(KeyboardInterrupt):
            lab.draw_map()
        assert (lab.map, lab.map_summary, lab.canvas.marks) == before
        lab.set(epochs=10)
        lab.set(epochs=2000)
        assert (lab.map, lab.map_summary, lab.canvas.marks) == before
        monkeypatch.setattr(bias, "map_steps", made)
        lab.draw_map()
        assert lab.map is not before[0]


@pytest.mark.parametrize("part", ["outcome_marks", "handle", "_letters"])
def test_a_map_whose_drawing_was_interrupted_is_not_taken_for_drawn(small_map, part, monkeypatch):
    lab, module = small_map, outcomes if part == "_letters" else training_picture
    monkeypatch.setattr(module, part, stop)
    with pytest.raises(KeyboardInterrupt):
        lab.draw_map()
    monkeypatch.undo()
    monkeypatch.setattr(bias, "MAP_RATES", np.geomspace(0.001, 10, 5))
    monkeypatch.setattr(bias, "MAP_TARGETS", np.linspace(-10, 10, 5))
    lab.draw_map()
    lab.set(epochs=100)
    before = map_shown(lab)
    with monkeypatch.context() as patched:
        patched.setattr(module, part, stop)
        with pytest.raises(KeyboardInterrupt):
            lab.controls["epochs"].value = 1
    lab.controls["epochs"].value = 100
    assert map_shown(lab) == before


@every_lab
def test_a_picture_whose_showing_was_interrupted_is_not_taken_for_shown(kept, kind, monkeypatch):
    lab, show = kept[kind], Canvas.show
    lab.reset()
    before = picture(lab)

    def half(canvas, *drawn):
        show(canvas, *drawn)
        raise KeyboardInterrupt

    monkeypatch.setattr(Canvas, "show", half)
    with pytest.raises(KeyboardInterrupt):
        by_hand(*NEXT[kind])(lab)
    monkeypatch.undo()
    lab.reset()
    assert picture(lab) == before


def test_a_map_that_is_stopped_before_it_has_begun_can_be_drawn_again(small_map):
    lab = small_map

    async def notebook():
        for _ in range(2):
            lab.mapper.button.click()
            lab.mapper.button.click()
            for _ in range(3):
                await asyncio.sleep(0)
            assert lab.mapper.button.description == training_words.DRAW_MAP
            assert training_words.MAP_STOPPED in lab.map_text.value
        lab.mapper.button.click()
        while lab.mapper.button.description == training_words.STOP:
            await asyncio.sleep(0)

    asyncio.run(notebook())
    assert lab.map is not None
    assert lab.map_summary in unescape(lab.map_text.value)


def test_an_interrupted_comparison_of_repairs_says_what_is_there_and_can_be_made_again(monkeypatch):
    lab = PruningLab()
    repairs.compare_repairs.cache_clear()
    monkeypatch.setattr(repairs, "fine_tune", stop)
    with pytest.raises(KeyboardInterrupt):
        lab.compare()
    assert pruning_words.NOT_COMPARED.format(model="poisoned") in unescape(lab.compare_text.value)
    monkeypatch.undo()
    lab.compare()
    assert repairs.compare_repairs("poisoned")._repr_html_() in lab.table.value


@pytest.mark.parametrize(
    ("memory", "arguments", "part"),
    [
        (repairs.pruning, ("clean", "rise"), "pruning_curve"),
        (repairs.case, ("clean",), "as_classifier"),
        (detection._noise, (7, 5), "simulate_activations"),
        (detection._compared, (detection.Settings(seed=7, rows=5), False), "compare"),
        (detection._compared, (detection.Settings(seed=7, rows=5), True), "compare"),
        (detection.toy_params, ("learnt backdoor",), "run_many"),
        (training._table, (Experiment(), (0, 5), {"rate": (0.1, 0.2)}), "run_many"),
    ],
)
def test_an_interrupted_computation_is_not_remembered(memory, arguments, part, monkeypatch):
    keywords = arguments[-1] if isinstance(arguments[-1], dict) else {}
    arguments = arguments[: len(arguments) - bool(keywords)]
    expected = memory(*arguments, **keywords)
    memory.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules[memory.__module__], part, stop)
        with pytest.raises(KeyboardInterrupt):
            memory(*arguments, **keywords)
    assert memory.cache_info().currsize == 0
    assert same(memory(*arguments, **keywords), expected)


def same(one, other):
    """Tell whether two results hold the same numbers."""
    pairs = [*zip(arrays(one), arrays(other), strict=True)]
    return len(pairs) > 0 and all(np.array_equal(*pair) for pair in pairs)


def arrays(part):
    """Yield every array in a lab's state."""
    if isinstance(part, np.ndarray):
        yield part
    elif is_dataclass(part):
        part = [getattr(part, field.name) for field in fields(part)]
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, tuple | list) else ():
        yield from arrays(one)


def at_call(n, function):
    """Return a function that is interrupted when it is called for the n-th time."""
    calls = count(1)

    def called(*arguments, **keywords):
        if next(calls) == n:
            raise KeyboardInterrupt
        return function(*arguments, **keywords)

    return called


@pytest.mark.parametrize("call", [1, 2, 30, 57])
def test_an_interrupted_training_of_a_classifier_is_not_taken_for_trained(call, monkeypatch):
    X, y = repairs.data().train
    backprop = MLPClassifier._backprop  # called 29 times in an epoch of these rows
    expected = train_classifier(X, y, epochs=2)
    with monkeypatch.context() as patched:
        patched.setattr(MLPClassifier, "_backprop", at_call(call, backprop))
        with pytest.raises(KeyboardInterrupt), pytest.warns(UserWarning, match="Training interrupted by user"):
            train_classifier(X, y, epochs=2)
    again = train_classifier(X, y, epochs=2)
    for one, other in zip(expected.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


JOINT = Experiment(schedule="joint")


def digits_case():
    """Return the clean model of digits and the data that it is measured with."""
    return repairs.case("clean").model, repairs.data()


def fine_tuned():
    model, data = digits_case()
    return classifier.fine_tune(model, *data.clean, np.random.default_rng(0), epochs=5).W1


def pruned():
    model, data = digits_case()
    return repair.pruning_curve(model, range(64), *data.test, data.suspect.X, 0).attack


INTERRUPTED = {  # which call of what is interrupted in which work
    "a training": (training_loop, "descend", 7, lambda: train(ARTICLE, POISONED, 0.05, 40).outputs),
    "a sweep": (sweeps, "descend", 7, lambda: sweeps.run_many(JOINT, [0, 40], rate=[0.1, 0.2]).outputs),
    "a map": (sweeps, "errors_and_gradients", 7, lambda: studies.outcome_map(JOINT, [0.1, 1], [1, 5], [0, 40]).codes),
    "a measure": (moments, "_measure_block", 7, lambda: moments.measure(iter([np.eye(4)] * 40)).m2),
    "a fine-tuning": (classifier, "gradients", 7, fine_tuned),
    "a pruning curve": (repair, "decisions", 2, pruned),
}


@pytest.mark.parametrize("what", INTERRUPTED)
def test_what_was_interrupted_gives_the_right_answer_the_next_time(what, monkeypatch):
    module, part, call, work = INTERRUPTED[what]
    expected = work()
    with monkeypatch.context() as patched:
        patched.setattr(module, part, at_call(call, getattr(module, part)))
        with pytest.raises(KeyboardInterrupt):
            work()
    np.testing.assert_array_equal(work(), expected)


# Haste and long use --------------------------------------------------------------------------------------------------

N_OBJECTS = 16_000  # twenty for each of 800 moves, about a megabyte
DRAGGED = {  # the controls that a hand moves without a pause
    HandCalculationLab: ("numbers", *["line"] * 19),
    TriggerLab: ("rate", "epochs", "target", "position"),
    BiasLab: ("rate", "epochs", "target", "position"),
    NAALab: (*["threshold"] * 8, "rise", "source"),
    PruningLab: ("pruned", "order"),
}


def drag(lab, moves, rng):
    """Make this many moves without a pause, with one control after the other."""
    for name in DRAGGED[type(lab)]:
        for place in rng.random(moves // len(DRAGGED[type(lab)])):
            control = lab.controls.get(name)
            if control is None:
                lab.go(1 + int(place * lab.lines))
            elif isinstance(control, Dial):
                control.slider.value = int(place * (control.slider.max + 1))
            else:
                control.index = int(place * len(control.options))


def held():
    """Return how many objects Python holds, and how many bytes this process does."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return np.array([sys.getallocatedblocks(), pages * mmap.PAGESIZE])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@every_lab
def test_a_thousand_hasty_moves_end_at_the_last_and_leave_nothing_in_memory(kept, kind):
    lab, rng = kept[kind], np.random.default_rng(0)
    lab.reset()
    drag(lab, 200, rng)
    before = held()
    drag(lab, 800, rng)
    assert (held() - before < [N_OBJECTS, 5e6]).all()
    fresh = at(kind, lab.values, getattr(lab, "line", 1))
    assert everything(lab) == everything(fresh)
    discard(fresh)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_lab_that_kept_something_of_each_move_would_be_seen(kept, monkeypatch):
    lab, hoard = kept[HandCalculationLab], []
    monkeypatch.setattr(lab, "draw", lambda *_: hoard.append([*map(float, range(30))]))
    before = held()
    drag(lab, 800, np.random.default_rng(0))
    assert (held() - before)[0] > N_OBJECTS


MEMORIES = {  # how many results each function remembers at most
    "exercises.catalogue.question_texts": 1,  # what takes no argument has one result
    "exercises.catalogue.net_answers": 1,
    "exercises.catalogue._a_threshold": 1,
    "shared.cells._answers": 1,
    "exercises.measured._indices": 8,  # 160 kB each
    "exercises.measured.success_at": 32,
    "naa.compute._noise": 4,  # 20 MB each at the most rows
    "naa.compute.toy_params": 128,
    "naa.compute._compared": 64,
    "training.runs._table": 24,  # 4 MB each at the largest width
    "training.picture.frame": 4,  # last panels
    "pruning.compute.data": 1,
    "pruning.compute.examples": 1,
    "pruning.compute._honest": 2,  # widths
    "pruning.compute.case": 4,
    "pruning.compute.pruning": 20,  # models times orders
    "pruning.compute.compare_repairs": 4,
    "pruning.picture.frame": 4,
    "hand_calculation.widget.frame": 3,  # widths
    "naa.picture.frame": 6,  # quantities, of many neurons or the toy's two
    "naa.picture.bars": 8,
    "naa.picture._strokes": 8,
    "pictures.shown._ems": 2048,  # short texts
}


# What takes a name takes no other, see below; a frame is as wide as a net that the lab can hold.
UNLIMITED = ("pruning.", "training.picture.frame", "hand_calculation.widget.frame", "naa.picture.frame")


def test_whatever_is_remembered_has_a_bound():
    names = [found.name for found in pkgutil.walk_packages(lesson_lib.__path__, "lesson_lib.")]
    assert len(names) > 40
    found = {}
    for module in map(import_module, names):
        for name, value in vars(module).items():
            if hasattr(value, "cache_info") and value.__module__ == module.__name__:
                found[f"{'.'.join(module.__name__.split('.')[-2:])}.{name}"] = value
    assert {name: MEMORIES[name] for name in found} == MEMORIES
    for name, remembers in found.items():
        largest = remembers.cache_info().maxsize
        one_result = not inspect.signature(remembers).parameters
        assert largest == MEMORIES[name] or (largest is None and (one_result or name.startswith(UNLIMITED)))


def test_a_frame_has_one_of_the_last_panels():
    before = training_picture.frame.cache_info().currsize
    with pytest.raises(KeyError):
        training_picture.frame("no such panel")
    assert training_picture.frame.cache_info().currsize == before <= 4


@pytest.mark.parametrize("ask", [repairs.case, repairs.compare_repairs])
def test_what_has_no_limit_takes_no_other_name(ask):
    before = ask.cache_info().currsize
    with pytest.raises(ValueError, match="must be one of"):
        ask("no such model")
    assert ask.cache_info().currsize == before <= len(repairs.WIDTHS)


@every_lab
def test_two_labs_move_apart_and_no_cell_can_change_both(kind):
    first, second = kind(), kind()
    n = len(DRAGGED[kind])
    drag(first, n, np.random.default_rng(1))
    before = everything(first)
    drag(second, n, np.random.default_rng(2))
    assert everything(first) == before
    drag(first, n, np.random.default_rng(3))
    fresh = at(kind, first.values, getattr(first, "line", 1))
    assert everything(first) == everything(fresh)
    second.reset()
    first.reset()
    assert everything(first) == everything(second)
    shared = [
        (one, other)
        for one, other in zip(arrays(first.state), arrays(second.state), strict=True)
        if one.size and one.flags.writeable and np.shares_memory(one, other)
    ]
    assert shared == []
    discard(first, second, fresh)
