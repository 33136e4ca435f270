"""Notebook 01 as a learner meets it: read, run, pressed, typed into, in both themes and at two widths."""

import re
from itertools import pairwise

import pytest
from helpers import CELL_COUNT, WIDE, Shown, faint, focused
from labpage import LabPage

NOTEBOOK = "01_backdoor_by_hand.ipynb"
SCROLL_TO = """async (text) => {
    const content = window.jupyterapp.shell.currentWidget.content;
    const index = content.widgets.findIndex(cell => cell.model.sharedModel.getSource().startsWith(text));
    if (index < 0) throw new Error(`no cell starts with ${text}`);
    content.activeCellIndex = index;
    await content.scrollToItem(index, 'start');
    content.widgets[index].node.dataset.position = index;
    return `[data-position="${index}"] .jp-OutputArea-output`;
}"""
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
    const wide = WIDE;
    const loose = () => [...lab.querySelectorAll('svg text')]
        .filter(text => text.getComputedTextLength() > text.previousElementSibling.width.baseVal.value)
        .map(text => text.textContent);
    for (;;) {
        const inner = lab.querySelector('.widget-htmlmath mjx-container').getBoundingClientRect();
        const box = formula.getBoundingClientRect();
        seen.push({
            line: status(), height: lab.getBoundingClientRect().height, wide: wide(lab), loose: loose(),
            clipped: formula.scrollHeight > formula.clientHeight || formula.scrollWidth > formula.clientWidth
                || inner.bottom > box.bottom || inner.right > box.right,
        });
        const before = status();
        const [, line, lines] = before.match(/line (\\d+) of (\\d+)/);
        if (line === lines) return seen;
        button('Next').click();
        await settled(before);
    }
}""".replace("WIDE", WIDE)


class InCell(Shown):
    """One lab or exercise on the page, found by the start of the cell that shows it."""

    def __init__(self, lab_page, source):
        self.selector = lab_page.page.evaluate(SCROLL_TO, source)
        super().__init__(lab_page.page, lab_page.page.locator(self.selector))

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

    def choose(self, name, option, status):
        self.field(name).select_option(option)
        self.wait_for(status)


def look_before_running(lab_page):
    """Return what the saved notebook shows where labs and exercises will be."""
    page, found = lab_page.page, {}
    for source in ("lab = Hand", "trigger_lab = Hand", 'exercises.ask("which'):
        output = page.locator(page.evaluate(SCROLL_TO, source))
        output.wait_for()
        images = output.locator("img")
        if images.count():
            page.wait_for_function("image => image.complete", arg=images.first.element_handle())
        found[source] = {
            "text": output.inner_text(),
            "widgets": output.locator(".jupyter-widgets").count(),
            "pictures": images.evaluate_all("all => all.map(image => [image.alt, image.naturalWidth])"),
        }
    return found


@pytest.fixture(scope="module")
def opened(browser, server):
    """Open the notebook, look at it, and run it once for all tests of this file."""
    page = LabPage(browser, server)
    page.open(NOTEBOOK)
    page.before = look_before_running(page)
    page.run_all()
    yield page
    page.close()


@pytest.fixture
def lab(opened):
    """Return the first lab, put back to its start."""
    lab = InCell(opened, "lab = Hand")
    lab.button("Reset").click()
    lab.button("First").click()
    lab.wait_for("Clean step, line 1 of 23")
    return lab


def test_the_saved_notebook_shows_still_pictures_and_no_broken_box(opened):
    for source, phase in (("lab = Hand", "Clean step, line 1 of 23"), ("trigger_lab = Hand", "Trigger step, line 10")):
        found = opened.before[source]
        [(alt, width)] = found["pictures"]
        assert alt.startswith(phase)
        assert width > 0
        assert found["widgets"] == 0
        assert "This is a still picture." in found["text"]
    question = opened.before['exercises.ask("which']
    assert question["widgets"] == 0
    assert "( ) the activation a1" in question["text"]


def test_every_cell_runs_without_an_error_on_the_page_or_a_request_outside(opened):
    assert opened.errors() == []
    assert opened.math_errors() == []
    assert opened.console_errors == []
    assert opened.outside_requests == []


def test_next_changes_formula_picture_and_status_together(opened, lab):
    before = lab.shown
    parts = {"[role=status]": "line 2 of 23", "svg": "▶ a1 = 1/2", "mjx-assistive-mml": "relu"}
    shows = [
        f"document.querySelector('{lab.selector} {part}')?.textContent.includes('{text}')"
        for part, text in parts.items()
    ]
    assert opened.time_until(lab.button("Next").click, " && ".join(shows)) > 0
    assert all(new != old for new, old in zip(lab.shown, before, strict=True))
    assert lab.formula.startswith("a1=relu")
    assert "▶ z1 = 1/2" in before[1]
    assert "z1 = 1/2" in lab.picture


def test_a_weight_typed_on_the_keyboard_changes_formula_and_picture(lab):
    before = lab.formula
    lab.type("W1", "1/2, 1/3")
    lab.wait_for("[1/2, 1/3]")
    assert lab.formula != before
    assert "W1 = 1/3" in lab.picture
    assert "W1 = −1/2" not in lab.picture


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


def test_tab_reaches_every_control_in_reading_order(lab):
    lab.field("Show the").focus()
    names = [focused(lab.page)]
    while names[-1] != "Reset" and len(names) < 30:
        lab.page.keyboard.press("Tab")
        names.append(focused(lab.page))
    buttons = ["First", "Back", "Next", "Last", "Play"]
    fields = ["W1", "b1", "W2", "b2", "rate", "clean x", "clean y", "trigger x", "trigger y"]
    assert names == ["Show the", "Numbers as", "Biases trained", *buttons, *fields, "Reset"]


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


def test_an_exercise_is_answered_wrong_and_then_right_by_typing(opened):
    exercise = InCell(opened, 'exercises.ask("dW2 at x = 2")')
    exercise.type("answer", "1, 0")
    exercise.wait_for_text("The size is right and the sign is not")
    exercise.type("answer", "-1, 0")
    exercise.wait_for_text("✓ Right.")
    exercise.type("answer", "minus one")
    exercise.wait_for_text("is not a number")


def test_a_choice_is_answered_on_the_keyboard(opened):
    exercise = InCell(opened, 'exercises.ask("which factor")')
    for choice, verdict in (("the slope relu'(z1)", "✗ Not yet."), ("the activation a1", "✓ Right.")):
        exercise.field(choice).focus()
        exercise.page.keyboard.press("Space")
        exercise.button("Check").focus()
        exercise.page.keyboard.press("Enter")
        exercise.wait_for_text(verdict)


def test_two_labs_on_one_page_leave_each_other_alone(opened, lab):
    other = InCell(opened, "trigger_lab = Hand")
    kept = other.shown
    assert "Trigger step, line 10 of 12" in other.status
    lab.press("Next", "line 2 of 23")
    lab.type("W1", "1, 1")
    lab.wait_for("[1, 1]")
    assert other.shown == kept
    kept = lab.shown
    other.press("Back", "line 9 of 12")
    assert lab.shown == kept


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_stands_out_from_its_ground(opened, lab, theme):
    opened.theme(theme)
    try:
        for line in (1, 13):
            while f"line {line} of" not in lab.status:
                number = int(re.search(r"line (\d+)", lab.status)[1])
                lab.press("Next", f"line {number + 1} of 23")
            assert faint(lab) == []
    finally:
        opened.theme("JupyterLab Light")


@pytest.fixture(scope="module", params=[1280, 1024], ids="{}px".format)
def walks(opened, request):
    """Return what every line of both steps measures, in both number styles, on a page of this width."""
    usual, lab, walks = opened.page.viewport_size, InCell(opened, "lab = Hand"), {}
    opened.page.set_viewport_size({"width": request.param, "height": 900})
    lab.button("Reset").click()
    for step, lines in (("clean step", 23), ("trigger step, after the clean one", 12)):
        for numbers in ("fractions", "decimals"):
            lab.field("Numbers as").select_option(numbers)
            lab.choose("Show the", step, f"of {lines}")
            lab.press("First", f"line 1 of {lines}")
            walks[step, numbers] = lab.box.evaluate(WALK)
            assert len(walks[step, numbers]) == lines
    opened.page.set_viewport_size(usual)
    return walks


@pytest.mark.parametrize("flaw", ["clipped", "wide", "loose"])
def test_at_every_line_formula_and_picture_fit(walks, flaw):
    for step, walk in walks.items():
        assert [(step, at["line"], at[flaw]) for at in walk if at[flaw]] == []


def test_the_lab_keeps_its_height_at_every_line(walks):
    for walk in walks.values():
        jumps = [(a["line"], b["line"]) for a, b in pairwise(walk) if a["height"] != b["height"]]
        assert jumps == []
