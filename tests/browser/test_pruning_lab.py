"""The pruning lab in JupyterLab: drag and key the slider and the cursor, play, change the model, compare repairs."""

from contextlib import contextmanager

import pytest
from helpers import CELL_COUNT, TwinLab, cell_with, focused

from lesson_lib.labs import PruningLab
from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.compute import WIDTHS, compare_repairs
from lesson_lib.labs.shared.words import PAUSE, PLAY, RESET

CELLS = [cell_with(PruningLab)]
LABELS = words.PRUNING_MODELS | words.PRUNING_ORDERS
MARKS = "svg.by-hand-picture > g:nth-of-type(2)"
CURSOR = "[data-touch=cursor]"
# Each frame: the lab's height, whether its picture is whole, and where the cursor is.
SAMPLE = """(lab) => {
    const frames = window.frames = [];
    const sample = () => {
        const svg = lab.querySelector('svg.by-hand-picture'), cursor = svg.querySelector('[data-touch=cursor]');
        const images = [...svg.querySelectorAll('image')];
        frames.push([lab.getBoundingClientRect().height, images.length, svg.querySelectorAll('text').length > 40,
            cursor?.getAttribute('aria-valuenow')]);
        if (window.frames === frames) requestAnimationFrame(sample);
    };
    sample();
}"""
END = "() => { const frames = window.frames; window.frames = null; return frames; }"


class PruningPage(TwinLab):
    """The lab and its twin, whose pictures must say the same too."""

    def agrees(self, **values):
        super().agrees(**values)
        expected = [self.twin.canvas.alt, answers(self.twin.canvas.marks)]
        self.page.wait_for_function(
            "([lab, [alt, texts]]) => lab.querySelector('svg.by-hand-picture').ariaLabel === alt"
            f" && [...lab.querySelectorAll('{MARKS} text')].map(one => one.textContent).join() === texts.join()",
            arg=[self.box.element_handle(), expected],
        )

    @property
    def cursor(self):
        return self.box.locator(CURSOR)

    def places(self, *pruned):
        """Return where on the page each of these numbers of pruned neurons is."""
        area, n = self.cursor.locator("rect").bounding_box(), WIDTHS[self.twin.values["model"]]
        y = area["y"] + area["height"] / 2
        return [(area["x"] + area["width"] * (one / n + 0.01) / 1.02, y) for one in pruned]

    @contextmanager
    def whole_in_every_frame(self, pictures=1):
        """Check that meanwhile every frame shows a whole picture, `pictures` different ones at least, at one height."""
        self.box.evaluate(SAMPLE)
        yield
        heights, images, whole, cursors = zip(*self.page.evaluate(END), strict=True)
        assert set(images) == {18}
        assert len(set(heights)) == 1
        assert len(set(cursors)) >= pictures
        assert all(whole)


def answers(marks):
    """Return the texts of marks, in order."""
    return [part.partition("<")[0].partition(">")[2] for part in marks.split("<text ")[1:]]


@pytest.fixture(scope="module")
def kept_lab(opened):
    return PruningPage(opened, 0, PruningLab())


@pytest.fixture
def lab(kept_lab):
    """Return the lab, put back to its start."""
    kept_lab.restart()
    return kept_lab


def test_the_attack_is_there_before_anything_is_pruned(lab):
    assert lab.status.startswith("STILL BACKDOORED. 0 of 64 neurons pruned.")
    assert "Attack below 5 %: no ✗ (97.2 %" in lab.status
    assert "Clean task kept: yes ✓ (accuracy 97.5 %" in lab.status
    assert lab.box.locator(f"{MARKS} text").all_text_contents().count("0 ✗") >= 7


def test_verdict_answers_and_picture_follow_the_keys_of_the_slider(lab):
    lab.slider("pruned").focus()
    cells = lab.page.evaluate(CELL_COUNT)
    for key, value in (("ArrowRight", 1), ("End", 64), ("ArrowLeft", 63), ("Home", 0), ("ArrowUp", 1), ("ArrowUp", 2)):
        lab.page.keyboard.press(key)
        lab.agrees(pruned=value)
    lab.put(pruned=11)
    assert "2.2 %" in lab.status
    lab.type("pruned", "99")
    lab.alert.filter(has_text="must be from 0 to 64; got 99").wait_for()
    assert lab.field("pruned").input_value() == "11"
    lab.put(pruned=12)
    assert lab.alert.count() == 0
    assert lab.page.evaluate(CELL_COUNT) == cells


def test_the_cursor_follows_its_keys_and_keeps_the_focus(lab):
    lab.cursor.focus()
    walk = {"ArrowRight": 1, "PageUp": 11, "ArrowUp": 12, "PageDown": 2, "ArrowDown": 1, "End": 64, "ArrowLeft": 63}
    for key, value in {**walk, "Home": 0}.items():
        lab.page.keyboard.press(key)
        lab.agrees(pruned=value)
        assert lab.page.evaluate("() => document.activeElement.dataset.touch") == "cursor"


@pytest.mark.parametrize("model", ["poisoned", "planted loud"])
def test_the_cursor_is_dragged_over_the_curves_and_goes_where_they_are_clicked(lab, model):
    lab.put(model=model)
    n = WIDTHS[model]
    *way, before, click = lab.places(*range(0, n, 2), *range(n, n // 2, -1), 3, 11)
    lab.page.mouse.move(*way[0])
    with lab.whole_in_every_frame(pictures=6):
        lab.page.mouse.down()
        for place in way:
            lab.page.mouse.move(*place)
            lab.page.wait_for_timeout(20)
        lab.agrees(pruned=n // 2 + 1)
        lab.page.mouse.up()
    lab.page.mouse.move(*before)
    lab.agrees(pruned=n // 2 + 1)
    lab.page.mouse.click(*click)
    lab.agrees(pruned=11)


@pytest.mark.parametrize("model", ["poisoned", "planted loud"])
def test_a_drag_of_the_slider_shows_every_picture_in_every_frame_and_ends_on_the_last_value(lab, model):
    lab.put(model=model)
    with lab.whole_in_every_frame(pictures=6):
        lab.drag("pruned", [step / 40 for step in (*range(0, 41, 2), *range(40, -1, -2), 50)])
        lab.agrees(pruned=WIDTHS[model])


def test_play_prunes_on_pauses_and_is_stopped_by_reset(lab):
    lab.button(PLAY).click()
    lab.page.wait_for_function("cursor => document.querySelector(cursor).ariaValueNow > 3", arg=CURSOR)
    lab.button(PAUSE).click()
    lab.button(PLAY).wait_for()
    stopped = int(lab.field("pruned").input_value())
    lab.agrees(pruned=stopped)
    lab.button(PLAY).click()
    lab.page.wait_for_function(
        "([cursor, at]) => document.querySelector(cursor).ariaValueNow > at", arg=[CURSOR, stopped]
    )
    lab.button(RESET).click()
    lab.button(PLAY).wait_for()
    lab.agrees(pruned=0)
    lab.page.wait_for_timeout(400)
    lab.agrees(pruned=0)


def test_each_model_and_order_is_chosen_on_the_keyboard_without_a_jump(lab):
    with lab.whole_in_every_frame():
        for model, label in words.PRUNING_MODELS.items():
            lab.choose("model", label)
            lab.agrees(model=model)
            assert focused(lab.page) == "model"
        for order, label in words.PRUNING_ORDERS.items():
            lab.choose("prune by", label)
            lab.agrees(order=order)


def test_a_smaller_model_takes_the_slider_along(lab):
    lab.put(model="planted loud", pruned=100)
    lab.choose("model", LABELS["clean"])
    lab.agrees(model="clean", pruned=64)


def test_the_table_appears_is_kept_and_says_when_it_is_out_of_date(lab):
    height = lab.box.bounding_box()["height"]
    for model in ("poisoned", "planted loud"):
        lab.put(model=model)
        if model != "poisoned":
            lab.wait_for_text("Out of date: this is the model poisoned")
            assert lab.box.bounding_box()["height"] == height
        lab.button(words.COMPUTE).focus()
        lab.page.keyboard.press("Enter")
        lab.wait_for_text(words.COMPARED.format(shown=model))
        lab.twin.compare()
        lab.agrees()
        table = compare_repairs(model)
        cells = [cell for row in table.rows for cell in row]
        assert lab.box.locator("th, td").all_text_contents() == cells
        assert lab.box.locator("caption").text_content() == table.caption
        assert lab.box.bounding_box()["height"] == height
    lab.put(model="poisoned")
    lab.wait_for_text(words.COMPARED.format(shown="poisoned"))
    assert lab.box.locator("caption").text_content() == compare_repairs("poisoned").caption


@pytest.mark.parametrize(("width", "height", "room"), [(1280, 720, 590), (1024, 768, 640)])
def test_controls_verdict_picture_and_table_fit_one_screen(opened, lab, width, height, room):
    usual = opened.page.viewport_size
    try:
        opened.resize(width, height)
        lab.button(words.COMPUTE).click()
        lab.twin.compare()
        for state in ({}, {"model": "planted loud", "order": "difference"}, {"pruned": 112}):
            lab.put(**state)
            lab.agrees()
            whole, picture = lab.box.bounding_box(), lab.box.locator("svg.by-hand-picture").bounding_box()
            assert whole["height"] <= room
            assert whole["x"] < picture["x"]
            assert picture["x"] + picture["width"] <= whole["x"] + whole["width"]
            for control in lab.box.locator("select, input, button, table").all():
                place = control.bounding_box()
                assert whole["x"] <= place["x"]
                assert place["x"] + place["width"] <= picture["x"]
                assert whole["y"] <= place["y"]
                assert place["y"] + place["height"] <= whole["y"] + whole["height"]
    finally:
        opened.resize(**usual)
