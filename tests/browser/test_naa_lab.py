"""The NAA lab in JupyterLab: drag and key the threshold, change rule and source, and read the verdict."""

import pytest
from helpers import CELL_COUNT, TwinLab, cell_with, focused

from lesson_lib.labs import NAALab
from lesson_lib.labs.naa import words
from lesson_lib.labs.naa.compute import STARTS
from lesson_lib.labs.naa.widget import SIMULATED

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


@pytest.mark.parametrize("rule", ["mad", "effect", "bh"])  # each looks at another quantity, on a plot of its own
def test_a_drag_shows_a_picture_in_every_frame_and_ends_on_the_last_value(lab, rule):
    lab.put(rule=rule)
    with lab.whole_in_every_frame(pictures=6):
        lab.drag("threshold", [step / 40 for step in (*range(0, 41, 2), *range(40, -1, -2), 50)])
        lab.agrees(threshold=lab.twin.threshold.positions[-1])


def test_each_rule_and_source_is_chosen_on_the_keyboard_and_gives_its_verdict(lab):
    cells, height = lab.page.evaluate(CELL_COUNT), lab.box.bounding_box()["height"]
    for source_label, source in words.NAA_SOURCES:
        lab.choose("source", source_label)
        for label, rule in words.NAA_RULES:
            lab.choose("rule", label)
            lab.agrees(source=source, rule=rule)
            assert lab.twin.threshold.value == STARTS[rule]
            assert focused(lab.page) == "rule"
            assert lab.box.bounding_box()["height"] == height
        lab.choose("rule", words.NAA_RULES[0][0])
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


def test_a_threshold_out_of_range_becomes_the_nearest(lab):
    for rule, typed, kept in (("raw", "20", 12), ("bh", "0", 0.001), ("bh", "7", 1), ("effect", "7", 7)):
        lab.put(rule=rule)
        lab.type("threshold", typed)
        lab.agrees(threshold=kept)
