"""The NAA lab in JupyterLab: drag and key the threshold, change rule and source, read the verdict, in both themes."""

import re
import time
from html import unescape

import ipywidgets as widgets
import nbformat
import pytest
from helpers import CELL_COUNT, WIDE, Shown, faint, focused
from labpage import LabPage
from labserver import jupyter_server
from nbformat.v4 import new_code_cell, new_notebook
from test_notebook_02_and_03 import END_SAMPLING, OVERHANG, TrainingLab, plain

from lesson_lib import words
from lesson_lib.labs import NAALab
from lesson_lib.labs.detection import STARTS
from lesson_lib.labs.dial import Dial
from lesson_lib.labs.findings import facts, verdict
from lesson_lib.labs.naa import SIMULATED
from lesson_lib.rules import RULES

READ = """(lab) => {
    const controls = [...lab.querySelectorAll('input, select')];
    const label = (control) => control.labels[0].textContent;
    return {
        controls: Object.fromEntries(controls.map(control => [label(control), control.value])),
        disabled: controls.filter(control => control.disabled).map(label),
        sliders: [...lab.querySelectorAll('.noUi-handle')].map(handle => Number(handle.ariaValueNow)),
        status: lab.querySelector('[role=status]').textContent,
        cells: [...lab.querySelectorAll('td')].map(cell => cell.textContent),
        picture: [lab.querySelector('img').alt, lab.querySelector('img').src],
    };
}"""
SAMPLE_FRAMES = """(lab) => {
    const frames = window.frames = [];
    const sample = () => {
        const image = lab.querySelector('img');
        frames.push([lab.getBoundingClientRect().height, image?.src,
            Boolean(image?.complete && image.naturalWidth && lab.querySelector('[role=status]')?.textContent)]);
        if (window.frames === frames) requestAnimationFrame(sample);
    };
    sample();
}"""


class Lab(Shown):
    """The lab on the page, and its twin: the same lab in this process, which says what the page must show."""

    slider, choose = TrainingLab.slider, TrainingLab.choose

    def __init__(self, lab_page):
        page = lab_page.page
        outputs = page.locator(".jp-OutputArea-output").filter(has=page.get_by_label("threshold", exact=True))
        super().__init__(page, outputs.first)
        self.twin = NAALab()

    def restart(self):
        self.button(words.RESET).click()
        self.twin.reset()
        self.agrees()

    def agrees(self, **values):
        """Set the twin's controls, and wait until the page shows what the twin shows."""
        self.twin.set(**values)
        expected, deadline = shown_by(self.twin), time.monotonic() + 10
        while (seen := self.read()) != expected and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert seen == expected

    def read(self):
        seen = self.box.evaluate(READ)
        seen["controls"] = {name: plain(value) for name, value in seen["controls"].items()}
        return seen


def shown_by(twin):
    """Return what a page must show for a lab with these settings, in the form of Lab.read."""
    dials = [control for control in twin.controls.values() if isinstance(control, Dial)]
    boxes = [control.number if isinstance(control, Dial) else control for control in twin.controls.values()]
    alt, source = re.match(r'<img alt="([^"]*)".* src="([^"]*)"', twin.pictures.value).groups()
    return {
        "controls": {
            box.description: plain(box.label if isinstance(box, widgets.Dropdown) else str(box.value)) for box in boxes
        },
        "disabled": [box.description for box in boxes if box.disabled],
        "sliders": [dial.slider.value for dial in dials],
        "status": verdict(twin.state),
        "cells": list(facts(twin.state)),
        "picture": [unescape(alt), source],
    }


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """Open a notebook with the lab alone, in its own JupyterLab, and run it."""
    folder = tmp_path_factory.mktemp("naa")
    notebook = new_notebook(cells=[new_code_cell("from lesson_lib.labs import NAALab\nlab = NAALab()\nlab")])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "naa.ipynb")
    with jupyter_server(folder) as server:
        page = LabPage(browser, server)
        try:
            page.open("naa.ipynb")
            page.run_all()
            yield page
        finally:
            page.close()


@pytest.fixture(scope="module")
def kept_lab(opened):
    return Lab(opened)


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
        seen.add(lab.read()["cells"][0])
    assert {"10", "0", "512"} <= seen
    lab.type("threshold", "8.95")
    lab.agrees(threshold=8.95)


@pytest.mark.parametrize("rule", RULES)
def test_a_drag_shows_a_picture_in_every_frame_and_ends_on_the_last_value(opened, lab, rule):
    lab.field("rule").select_option({value: label for label, value in words.NAA_RULES}[rule])
    lab.agrees(rule=rule)
    page, handle, positions = lab.page, lab.slider("threshold").bounding_box(), lab.twin.threshold.positions
    track = lab.box.locator(".noUi-base").first.bounding_box()
    y, last = handle["y"] + handle["height"] / 2, len(positions) - 1
    lab.box.evaluate(SAMPLE_FRAMES)
    page.mouse.move(handle["x"] + handle["width"] / 2, y)
    page.mouse.down()
    for step in [*range(0, 41, 2), *range(40, -1, -2)]:
        page.mouse.move(track["x"] + track["width"] * step / 40, y)
        page.wait_for_timeout(20)
    page.mouse.move(track["x"] + track["width"] + 60, y)
    page.mouse.up()
    lab.agrees(threshold=positions[last])
    heights, sources, whole = zip(*page.evaluate(END_SAMPLING), strict=True)
    assert len(set(heights)) == 1
    assert len(set(sources)) > 5
    assert all(whole)
    assert opened.errors() == []


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
    lab.choose("source", "hand-made backdoor")
    lab.agrees(source="hand-made backdoor")
    assert lab.read()["disabled"] == [words.NAA_LABELS[name] for name in SIMULATED]
    lab.choose("rule looks at", "signed shift")
    lab.type("threshold", "0.9")
    lab.agrees(over="shift", threshold=0.9)
    assert lab.status.startswith("ALARM: the rule raw flags neuron 2 (1 of 2).")


@pytest.mark.parametrize(
    ("name", "value"),
    [("rise", 0.25), ("triggered", 0.5), ("rows", 37), ("backdoored", 54), ("seed", 12)],
)
def test_each_number_of_the_simulation_can_be_typed(lab, name, value):
    lab.type(words.NAA_LABELS[name], str(value))
    lab.agrees(**{name: value})
    assert lab.field(words.NAA_LABELS[name]).input_value() == str(value)


def test_a_threshold_out_of_range_becomes_the_nearest(lab):
    for rule, typed, kept in (("raw", "20", 12), ("bh", "0", 0.001), ("bh", "7", 1), ("effect", "7", 7)):
        lab.choose("rule", {value: label for label, value in words.NAA_RULES}[rule])
        lab.agrees(rule=rule)
        lab.type("threshold", typed)
        lab.agrees(threshold=kept)


def test_tab_reaches_every_control(lab):
    names = []
    for name in ("source", "rule", "threshold", "over"):
        label = words.NAA_LABELS[name]
        names += [label, f"{label} slider"] if name == "threshold" else [label]
    names.append(words.RESET)
    for name in SIMULATED:
        label = words.NAA_LABELS[name]
        names += [label] if name == "seed" else [label, f"{label} slider"]
    lab.field(names[0]).focus()
    walk = [focused(lab.page)]
    while walk[-1] != names[-1] and len(walk) < 30:
        lab.page.keyboard.press("Tab")
        walk.append(focused(lab.page))
    assert walk == names


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_stands_out_from_its_ground(opened, lab, theme):
    opened.theme(theme)
    try:
        assert faint(lab) == []
    finally:
        opened.theme("JupyterLab Light")


def test_on_a_narrow_page_the_lab_fits_and_keeps_its_height(lab):
    usual, heights = lab.page.viewport_size, {1280: set(), 1024: set()}
    try:
        for source, rule in (("simulation", "raw"), ("simulation", "bh"), ("learnt backdoor", "mad")):
            labels = {value: label for label, value in (*words.NAA_SOURCES, *words.NAA_RULES)}
            lab.field("source").select_option(labels[source])
            lab.field("rule").select_option(labels[rule])
            lab.agrees(source=source, rule=rule)
            for width in heights:
                lab.page.set_viewport_size({"width": width, "height": 900})
                lab.page.wait_for_timeout(400)  # JupyterLab lays itself out some frames later
                heights[width].add(lab.box.bounding_box()["height"])
                assert lab.box.evaluate(WIDE) == []
                assert lab.box.evaluate(OVERHANG) == []
    finally:
        lab.page.set_viewport_size(usual)
    assert [len(seen) for seen in heights.values()] == [1, 1]


def test_nothing_went_wrong_and_nothing_was_asked_from_outside(opened, kept_lab):
    assert opened.errors() == []
    assert opened.console_errors == []
    assert opened.outside_requests == []
