"""The NAA lab in JupyterLab: drag and key the threshold, change rule and source, and read the verdict."""

import json
import re

import pytest
from helpers import CELL_COUNT, TwinLab, cell_with, focused

from lesson_lib.labs import NAALab
from lesson_lib.labs.naa import words
from lesson_lib.labs.naa.compute import SIMULATED, STARTS
from lesson_lib.labs.naa.picture import SIZE

CELLS = [cell_with(NAALab)]


@pytest.fixture(scope="module")
def kept_lab(opened):
    return TwinLab(opened, 0, NAALab())


@pytest.fixture
def lab(kept_lab):
    """Return the lab, put back to its start."""
    kept_lab.restart()
    return kept_lab


def test_the_article_s_experiment_is_there_at_once(lab):
    assert lab.status.startswith("ALARM: the rule raw flags neurons 10 to 19 (10 of 512).")
    assert lab.read()["disabled"] == []


def test_threshold_verdict_and_picture_follow_the_keys(lab):
    lab.slider("threshold").focus()
    seen = set()
    for key, value in (("ArrowRight", 2.1), ("End", 12), ("Home", 0), ("ArrowUp", 0.1), ("ArrowUp", 0.2)):
        lab.page.keyboard.press(key)
        lab.agrees(threshold=value)
        seen.add(lab.cells[0])
    assert {"10", "0", "512"} <= seen
    lab.put(threshold=8.95)


@pytest.mark.parametrize("rule", ["mad", "effect", "bh"])  # each looks at another quantity, on a frame of its own
def test_a_drag_of_the_slider_ends_on_the_last_value(lab, rule):
    lab.put(rule=rule)
    lab.drag("threshold", [step / 40 for step in (*range(0, 41, 2), *range(40, -1, -2), 50)])
    lab.agrees(threshold=lab.twin.threshold.positions[-1])
    marks_agree(lab)


# In the picture ------------------------------------------------------------------------------------------------------


def marks_agree(lab):
    """Wait until the picture shows the twin's marks."""
    told = lab.twin.canvas.marks.count("<path"), *(mark_of(lab, name) for name in lab.twin.touchable)
    lab.page.wait_for_function(
        """([svg, wanted]) => JSON.stringify([svg.children[1].querySelectorAll('path').length,
            ...[...svg.querySelectorAll('[data-touch]')].map(mark => mark.ariaValueText)].sort()) === wanted""",
        arg=[
            picture(lab).element_handle(),
            json.dumps(sorted(told, key=str), separators=(",", ":"), ensure_ascii=False),
        ],
    )


def mark_of(lab, name):
    """Return what the twin's mark says to those who listen."""
    return re.search(rf'data-touch="{name}".*?aria-valuetext="([^"]*)"', lab.twin.canvas.marks)[1]


def picture(lab):
    return lab.box.locator("svg.by-hand-picture")


def pixel(lab, number, height):
    """Return where a neuron's number and a height are on the page."""
    box, [[x, y]] = picture(lab).bounding_box(), lab.twin.picture()[0].pixels("neurons", number, height).tolist()
    return box["x"] + x * box["width"] / SIZE[0], box["y"] + y * box["height"] / SIZE[1]


def test_the_line_is_dragged_to_a_threshold_that_the_preset_names(lab):
    mouse = lab.page.mouse
    mouse.move(*pixel(lab, 300, 2))
    mouse.down()
    for height in (1, 0.5, 0.2, 3, 5):
        mouse.move(*pixel(lab, 300, height))
        lab.page.wait_for_timeout(20)
    mouse.up()
    lab.agrees(threshold=5)
    marks_agree(lab)
    assert lab.twin.preset == "threshold=5"


def test_the_arrow_keys_move_the_line_and_keep_the_focus(lab):
    lab.box.locator("[data-touch=threshold]").focus()
    for key, value in (("ArrowUp", 2.1), ("ArrowUp", 2.2), ("ArrowLeft", 2.1), ("End", 12), ("Home", 0)):
        lab.page.keyboard.press(key)
        lab.agrees(threshold=value)
        marks_agree(lab)
    assert lab.page.evaluate("() => document.activeElement.dataset.touch") == "threshold"


@pytest.mark.parametrize(("source", "numbers"), [("simulation", (300, 14, 511)), ("learnt backdoor", (2, 1))])
def test_a_neuron_is_read_under_the_pointer_and_by_keys(lab, source, numbers):
    lab.put(source=source)
    for number in numbers:
        lab.page.mouse.move(*pixel(lab, number, -1))
        lab.agrees(neuron=number)
        marks_agree(lab)
    lab.box.locator("[data-touch=neuron]").focus()
    lab.page.keyboard.press("Home")
    lab.agrees(neuron=lab.twin.state.settings.numbers[0])
    marks_agree(lab)


def test_each_rule_and_source_is_chosen_on_the_keyboard_and_gives_its_verdict(lab):
    cells, height = lab.page.evaluate(CELL_COUNT), lab.box.bounding_box()["height"]
    for source, source_label in words.NAA_SOURCES.items():
        lab.choose("source", source_label)
        for rule, label in words.NAA_RULES.items():
            lab.choose("rule", label)
            lab.agrees(source=source, rule=rule)
            assert lab.twin.threshold.value == STARTS[rule]
            assert focused(lab.page) == "rule"
            assert lab.box.bounding_box()["height"] == height
        lab.choose("rule", words.NAA_RULES["raw"])
        lab.agrees(rule="raw")
    assert lab.page.evaluate(CELL_COUNT) == cells


def test_the_toy_leaves_the_controls_of_the_simulation_disabled(lab):
    lab.put(source="hand-made backdoor")
    assert lab.read()["disabled"] == [words.NAA_LABELS[name] for name in SIMULATED]
    lab.put(over="shift", threshold=0.9)
    assert lab.status.startswith("ALARM: the rule raw flags neuron 2 (1 of 2).")


@pytest.mark.parametrize(
    ("name", "value"),
    [("rise", 0.25), ("triggered", 0.5), ("rows", 37), ("backdoored", 54), ("seed", 12)],
)
def test_each_number_of_the_simulation_can_be_typed(lab, name, value):
    lab.put(**{name: value})
    assert lab.field(words.NAA_LABELS[name]).input_value() == str(value)


def test_a_threshold_out_of_range_is_refused_and_the_last_is_kept(lab):
    for rule, typed, next_one in (("raw", "20", 0.5), ("bh", "0", 0.5), ("bh", "7", 0.4), ("effect", "x", 0.5)):
        lab.put(rule=rule)
        lab.type("threshold", typed)
        lab.alert.wait_for()
        assert "is kept." in lab.alert.text_content()
        assert float(lab.field("threshold").input_value()) == lab.twin.threshold.value
        lab.put(threshold=next_one)
        assert lab.alert.count() == 0
