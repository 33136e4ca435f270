"""The hand calculation and the exercises in JupyterLab: pressed, typed into, every line at three widths."""

from itertools import pairwise

import pytest
from helpers import CELL_COUNT, Shown, TwinLab, cell_with, focused

from lesson_lib.exercises import words
from lesson_lib.labs import HandCalculationLab

CELLS = [
    cell_with(HandCalculationLab),
    "lab = HandCalculationLab()\nlab.set(phase='trigger')\nlab.go(10)\nlab",
    "from lesson_lib.labs import Exercises\nexercises = Exercises()\nexercises.ask('dW2 at x = 2')",
    "exercises.ask('which factor')",
]
# Walk to the last line with the button Next and measure the lab at every line: its height, whether the formula is
# clipped, what is wider than its place, and which texts of the picture are wider than their boxes.
WALK = """async (lab) => {
    const button = (name) => [...lab.querySelectorAll('button')].find(b => b.textContent.trim() === name);
    const status = () => lab.querySelector('[role=status]').textContent;
    const formula = lab.querySelector('.widget-htmlmath'), seen = [];
    const settled = async (before) => {
        for (let i = 0; i < 600; i++) {
            await new Promise(requestAnimationFrame);
            if (status() !== before && lab.querySelector('.widget-htmlmath mjx-container')) return;
        }
        throw new Error(`the lab stays at: ${before}`);
    };
    const wide = () => [lab, ...lab.querySelectorAll(':not(mjx-container *, input)')]
        .filter(node => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX !== 'visible')
        .map(node => node.className);
    const own = (text) => text.parentElement.querySelector('rect.now, rect.used, rect.pill, rect.ground');
    const loose = () => [...lab.querySelectorAll('svg text')]
        .filter(text => text.parentElement.matches('[data-touch]:not([tabindex])') || text.closest('.pill'))
        .filter(text => own(text) && text.getComputedTextLength() > own(text).width.baseVal.value)
        .map(text => text.textContent);
    for (;;) {
        const inner = lab.querySelector('.widget-htmlmath mjx-container').getBoundingClientRect();
        const box = formula.getBoundingClientRect();
        seen.push({
            line: status(), height: lab.getBoundingClientRect().height, wide: wide(), loose: loose(),
            place: lab.querySelector('svg.by-hand-picture').getBoundingClientRect().top
                - lab.getBoundingClientRect().top,
            clipped: formula.scrollHeight > formula.clientHeight || formula.scrollWidth > formula.clientWidth
                || inner.bottom > box.bottom || inner.right > box.right,
        });
        const before = status();
        const [, line, lines] = before.match(/line (\\d+) of (\\d+)/);
        if (line === lines) return seen;
        button('Next').click();
        await settled(before);
    }
}"""


class HandLab(TwinLab):
    """A hand calculation on the page."""

    @property
    def formula(self):
        return self.box.locator("mjx-assistive-mml").text_content()

    @property
    def picture(self):
        return self.box.locator("svg text").all_text_contents()

    @property
    def shown(self):
        return self.formula, self.picture, self.status

    def wait_for(self, status):
        self.box.locator("[role=status]", has_text=status).first.wait_for()
        self.box.locator("mjx-assistive-mml").wait_for(state="attached")

    def press(self, name, status):
        self.button(name).click()
        self.wait_for(status)


@pytest.fixture(scope="module")
def kept_lab(opened):
    return HandLab(opened, 0, HandCalculationLab())


@pytest.fixture
def lab(kept_lab):
    """Return the first lab, put back to its start."""
    kept_lab.restart()
    kept_lab.wait_for("Clean step, line 1 of 23")
    return kept_lab


def test_next_changes_formula_picture_and_status_together(opened, lab):
    before = lab.shown
    parts = {"[role=status]": "line 2 of 23", "svg": "a1 1/2", "mjx-assistive-mml": "relu"}
    shows = [
        f"document.querySelector('.jp-OutputArea-output {part}')?.textContent.includes('{text}')"
        for part, text in parts.items()
    ]
    assert opened.time_until(lab.button("Next").click, " && ".join(shows)) > 0
    assert all(new != old for new, old in zip(lab.shown, before, strict=True))
    assert lab.formula.startswith("a1=relu")
    assert "z1 1/2" in before[1]
    assert "a1 1/2" not in before[1]
    assert {"z1 1/2", "a1 1/2"} <= set(lab.picture)


def test_a_weight_typed_on_the_keyboard_changes_formula_and_picture(lab):
    before = lab.formula
    lab.type("W1", "1/2, 1/3")
    lab.wait_for("[1/2, 1/3]")
    assert lab.formula != before
    assert "W1[2] 1/3" in lab.picture
    assert "W1[2] −1/2" not in lab.picture


def test_text_that_is_no_number_shows_an_alert_and_keeps_the_picture(lab):
    before = lab.shown
    lab.type("W1", "1/2, half")
    alert = lab.alert
    alert.wait_for()
    assert "half is not a number" in alert.inner_text()
    assert lab.shown == before
    assert lab.field("W1").input_value() == "1/2, half"
    lab.type("W1", "1/2, -1/2")
    alert.wait_for(state="detached")
    assert lab.shown == before


def test_the_alert_stands_beside_its_field(lab):
    lab.type("W2", "half")
    alert, field = lab.alert, lab.field("W2").bounding_box()
    alert.wait_for()
    shown = alert.bounding_box()
    assert 0 <= shown["y"] - (field["y"] + field["height"]) < 20
    assert shown["x"] < field["x"] + field["width"]


def test_the_keys_of_a_lab_work_and_do_nothing_else(opened, lab):
    cells, keyboard = lab.page.evaluate(CELL_COUNT), lab.page.keyboard
    lab.button("Next").focus()
    for key, line in (("Enter", 2), ("Space", 3), ("Enter", 4)):
        keyboard.press(key)
        lab.wait_for(f"line {line} of 23")
        assert focused(lab.page) == "Next"
    lab.button("Last").focus()
    keyboard.press("Enter")
    lab.wait_for("line 23 of 23")
    assert focused(lab.page) == "Last"
    lab.button("Next").focus()
    keyboard.press("Space")
    lab.wait_for("That was the last line.")
    assert focused(lab.page) == "Next"
    lab.field("Show the").focus()
    keyboard.press("End")
    lab.wait_for("Trigger step, line 1 of 12")
    lab.field("rate").focus()
    keyboard.type("abxzddm")
    assert lab.field("rate").input_value().endswith("abxzddm")
    assert lab.page.evaluate(CELL_COUNT) == cells
    assert opened.errors() == []


def test_a_click_on_a_number_leads_to_its_line_and_the_keys_walk_on_the_picture(lab):
    lab.press("Last", "line 23 of 23")
    lab.box.locator("[data-touch=dW1] text").first.click()
    lab.wait_for("line 20 of 23")
    picture = lab.box.locator("[data-touch=line]")
    picture.focus()
    for key, line in (("ArrowRight", 21), ("ArrowDown", 20), ("Home", 1), ("End", 23)):
        lab.page.keyboard.press(key)
        lab.wait_for(f"line {line} of 23")
        assert lab.field("Line").input_value() == str(line)
        assert picture.evaluate("node => node === document.activeElement")
    picture.click(position={"x": 5, "y": 5})  # where no number is
    lab.press("Back", "line 22 of 23")


def test_play_walks_and_reset_ends_it(lab):
    lab.button("Play").click()
    lab.wait_for("line 3 of 23")
    assert lab.button("Pause").is_visible()
    lab.button("Reset").click()
    lab.wait_for("line 1 of 23")
    assert lab.button("Play").is_visible()


SIZES = [(1280, 720), (1024, 768)]
SEEN = """(lab) => {
    lab.closest('.jp-OutputArea').scrollIntoView();
    const panel = lab.closest('.jp-WindowedPanel-outer') ?? lab.closest('.jp-Notebook');
    const { top, bottom } = panel.getBoundingClientRect();
    return [...lab.querySelectorAll('button, input, select, svg.by-hand-picture, mjx-container, [role=status]')]
        .filter(node => { const at = node.getBoundingClientRect(); return at.top < top - 1 || at.bottom > bottom + 1; })
        .map(node => node.outerHTML.slice(0, 80));
}"""


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_one_screen_holds_the_lab_with_any_number_of_neurons(opened, lab, size):
    usual = opened.page.viewport_size
    opened.resize(*size)
    for n in (1, 2, 3):
        numbers = {name: ", ".join([value] * n) for name, value in (("W1", "-1/2"), ("b1", "1/7"), ("W2", "1/3"))}
        lab.restart()
        for name, text in numbers.items():
            lab.type(name, text)
        lab.twin.set(**numbers, biases="both")
        lab.field("Biases trained").select_option("b1 and b2")
        lab.agrees()
        lab.button("Last").click()
        lab.wait_for("line 31 of 31")
        assert lab.box.locator("svg.by-hand-picture").count() == 1
        assert lab.box.evaluate(SEEN) == [], n
        lab.twin.go(31)
    opened.resize(**usual)


def test_an_exercise_is_answered_wrong_and_then_right_by_typing(opened):
    exercise = Shown(opened.page, opened.output(2))
    exercise.type("answer", "1, 0")
    exercise.wait_for_text("The size is right and the sign is not")
    exercise.type("answer", "-1, 0")
    exercise.wait_for_text("✓ Right.")
    exercise.type("answer", "minus one")
    exercise.wait_for_text("is not a number")


def test_a_choice_is_answered_on_the_keyboard_and_takes_the_last_verdict_back(opened):
    exercise = Shown(opened.page, opened.output(3))
    for choice, verdict in (("the slope relu'(z1)", "✗ Not yet."), ("the activation a1", "✓ Right.")):
        exercise.field(choice).press("Space")
        exercise.wait_for_text(words.UNCHECKED)  # the last verdict was on another answer
        exercise.button("Check").press("Enter")
        exercise.wait_for_text(verdict)


def test_two_labs_on_one_page_leave_each_other_alone(opened, lab):
    other = HandLab(opened, 1, HandCalculationLab())
    kept = other.shown
    assert "Trigger step, line 10 of 12" in other.status
    lab.press("Next", "line 2 of 23")
    lab.type("W1", "1, 1")
    lab.wait_for("[1, 1]")
    assert other.shown == kept
    kept = lab.shown
    other.press("Back", "line 9 of 12")
    assert lab.shown == kept


@pytest.fixture(scope="module")
def walks(opened, kept_lab, request):
    """Return what every line of both steps measures, in both number styles, on a page of this width."""
    usual, lab, walks = opened.page.viewport_size, kept_lab, {}
    opened.resize(request.param)
    lab.restart()
    for phase, lines in (("clean", 23), ("trigger", 12)):
        for numbers in ("fractions", "decimals"):
            lab.put(phase=phase, numbers=numbers)
            lab.button("First").click()
            lab.twin.go(1)
            lab.agrees()
            lab.wait_for(f"line 1 of {lines}")
            walks[phase, numbers] = lab.box.evaluate(WALK)
            assert len(walks[phase, numbers]) == lines
            lab.twin.go(lines)
    opened.resize(**usual)
    return walks


def on_pages(*widths):
    return pytest.mark.parametrize("walks", widths, indirect=True, ids="{}px".format, scope="module")


@on_pages(1280, 1024, 640)
@pytest.mark.parametrize("flaw", ["clipped", "wide", "loose"])
def test_at_every_line_formula_and_picture_fit(walks, flaw):
    for step, walk in walks.items():
        assert [(step, at["line"], at[flaw]) for at in walk if at[flaw]] == []


@on_pages(1280, 1024)
def test_the_lab_keeps_its_height_at_every_line(walks):
    for walk in walks.values():
        jumps = [
            (a["line"], b["line"]) for a, b in pairwise(walk) if (a["height"], a["place"]) != (b["height"], b["place"])
        ]
        assert jumps == []
