"""The pruning lab in JupyterLab: drag and key the slider, change the model, open the second tab, in both themes."""

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
from lesson_lib.labs import PruningLab
from lesson_lib.labs.dial import Dial
from lesson_lib.labs.pruning_findings import verdict
from lesson_lib.labs.repairs import WIDTHS, compare_repairs

READ = """(lab) => {
    const seen = (node) => node.checkVisibility(), all = (what) => [...lab.querySelectorAll(what)].filter(seen);
    const picture = all('img').find(image => image.width > 400);
    return {
        controls: Object.fromEntries(
            all('input, select').map(control => [control.labels[0].textContent, control.value])),
        sliders: all('.noUi-handle').map(handle => [Number(handle.ariaValueNow), Number(handle.ariaValueMax)]),
        statuses: all('[role=status]').map(node => node.textContent),
        answers: all('span:not(:has(img))').filter(node => node.parentElement.style.display === 'grid')
            .map(node => node.textContent).filter(Boolean),
        digits: all('img').filter(image => image.width < 60 && image.complete).length,
        picture: picture ? [picture.alt, picture.src] : [],
    };
}"""
SAMPLE_FRAMES = """(lab) => {
    const frames = window.frames = [];
    const sample = () => {
        const images = [...lab.querySelectorAll('img')], picture = images.find(image => image.width > 400);
        frames.push([lab.getBoundingClientRect().height, picture?.src, images.length === 19
            && images.every(image => image.complete && image.naturalWidth)
            && Boolean(lab.querySelector('[role=status]')?.textContent)]);
        if (window.frames === frames) requestAnimationFrame(sample);
    };
    sample();
}"""
LABELS = {value: label for label, value in (*words.PRUNING_MODELS, *words.PRUNING_ORDERS)}


class Lab(Shown):
    """The lab on the page, and its twin: the same lab in this process, which says what the page must show."""

    slider, choose = TrainingLab.slider, TrainingLab.choose

    def __init__(self, lab_page):
        page = lab_page.page
        outputs = page.locator(".jp-OutputArea-output").filter(has=page.get_by_label("pruned", exact=True))
        super().__init__(page, outputs.first)
        self.twin = PruningLab()

    def tab(self, name):
        return self.box.get_by_role("tab", name=name)

    def restart(self):
        self.tab(words.PRUNING_TABS[0]).click()
        self.button(words.RESET).click()
        self.twin.reset()
        self.agrees()

    def agrees(self, **values):
        """Set the twin's controls, and wait until the page shows what the twin shows."""
        self.twin.set(**values)
        expected, deadline = shown_by(self.twin), time.monotonic() + 20
        while (seen := self.read()) != expected and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert seen == expected

    def read(self):
        seen = self.box.evaluate(READ)
        seen["controls"] = {name: plain(value) for name, value in seen["controls"].items()}
        return seen


def shown_by(twin):
    """Return what the first tab must show for a lab with these settings, in the form of Lab.read."""
    boxes = [control.number if isinstance(control, Dial) else control for control in twin.controls.values()]
    alt, source = re.match(r'<img alt="([^"]*)".* src="([^"]*)"', twin.pictures.value).groups()
    texts = [re.findall(r"<span>(?:<b>)?([^<]+)(?:</b>)?</span>", row.answers.value) for row in twin.rows]
    return {
        "controls": {
            box.description: plain(box.label if isinstance(box, widgets.Dropdown) else str(box.value)) for box in boxes
        },
        "sliders": [[twin.pruned.slider.value, twin.pruned.slider.max]],
        "statuses": [verdict(twin.state)],
        "answers": [text for row in texts for text in row],
        "digits": 18,
        "picture": [unescape(alt), source],
    }


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """Open a notebook with the lab alone, in its own JupyterLab, and run it."""
    folder = tmp_path_factory.mktemp("pruning")
    notebook = new_notebook(cells=[new_code_cell("from lesson_lib.labs import PruningLab\nlab = PruningLab()\nlab")])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "pruning.ipynb")
    with jupyter_server(folder) as server:
        page = LabPage(browser, server)
        try:
            page.open("pruning.ipynb")
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


def test_the_attack_is_there_before_anything_is_pruned(lab):
    assert lab.status.startswith("STILL BACKDOORED. 0 of 64 neurons pruned: clean accuracy 97.5 %")
    assert lab.read()["answers"].count("0 ✗") >= 7


def test_verdict_answers_and_picture_follow_the_keys(lab):
    lab.slider("pruned").focus()
    cells = lab.page.evaluate(CELL_COUNT)
    for key, value in (("ArrowRight", 1), ("End", 64), ("ArrowLeft", 63), ("Home", 0), ("ArrowUp", 1), ("ArrowUp", 2)):
        lab.page.keyboard.press(key)
        lab.agrees(pruned=value)
    lab.type("pruned", "11")
    lab.agrees(pruned=11)
    assert "attack success rate 2.2 %" in lab.status
    lab.type("pruned", "99")
    lab.agrees(pruned=64)
    assert lab.page.evaluate(CELL_COUNT) == cells


@pytest.mark.parametrize("model", ["poisoned", "planted loud"])
def test_a_drag_shows_every_picture_in_every_frame_and_ends_on_the_last_value(opened, lab, model):
    lab.field("model").select_option(LABELS[model])
    lab.agrees(model=model)
    page, handle = lab.page, lab.slider("pruned").bounding_box()
    track = lab.box.locator(".noUi-base").first.bounding_box()
    y = handle["y"] + handle["height"] / 2
    lab.box.evaluate(SAMPLE_FRAMES)
    page.mouse.move(handle["x"] + handle["width"] / 2, y)
    page.mouse.down()
    for step in [*range(0, 41, 2), *range(40, -1, -2)]:
        page.mouse.move(track["x"] + track["width"] * step / 40, y)
        page.wait_for_timeout(20)
    page.mouse.move(track["x"] + track["width"] + 60, y)
    page.mouse.up()
    lab.agrees(pruned=WIDTHS[model])
    heights, sources, whole = zip(*page.evaluate(END_SAMPLING), strict=True)
    assert len(set(heights)) == 1
    assert len(set(sources)) > 5
    assert all(whole)
    assert opened.errors() == []


def test_each_model_and_order_is_chosen_on_the_keyboard_without_a_jump(lab):
    height = lab.box.bounding_box()["height"]
    lab.box.evaluate(SAMPLE_FRAMES)
    for label, model in words.PRUNING_MODELS:
        lab.choose("model", label)
        lab.agrees(model=model)
        assert focused(lab.page) == "model"
    for label, order in words.PRUNING_ORDERS:
        lab.choose("prune by", label)
        lab.agrees(order=order)
    heights, _, whole = zip(*lab.page.evaluate(END_SAMPLING), strict=True)
    assert set(heights) == {height}
    assert all(whole)


def test_a_smaller_model_takes_the_slider_along(lab):
    lab.choose("model", LABELS["planted loud"])
    lab.agrees(model="planted loud")
    lab.type("pruned", "100")
    lab.agrees(pruned=100)
    lab.choose("model", LABELS["clean"])
    lab.agrees(model="clean", pruned=64)


def test_the_second_tab_opens_by_mouse_and_keyboard_and_the_height_stays(lab):
    first, second = (lab.tab(name) for name in words.PRUNING_TABS)
    height = lab.box.bounding_box()["height"]
    second.click()
    lab.button(words.COMPUTE).wait_for()
    assert lab.box.bounding_box()["height"] == height
    second.focus()
    lab.page.keyboard.press("ArrowLeft")
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function("tab => tab.ariaSelected === 'true'", arg=first.element_handle())
    lab.slider("pruned").wait_for()
    assert lab.box.bounding_box()["height"] == height


def test_the_table_appears_is_kept_and_says_when_it_is_out_of_date(lab):
    height = lab.box.bounding_box()["height"]
    lab.tab(words.PRUNING_TABS[1]).click()
    for model in ("poisoned", "planted loud"):
        lab.field("model").select_option(LABELS[model])
        if model != "poisoned":
            lab.wait_for_text("Out of date: this is the model poisoned")
        lab.button(words.COMPUTE).focus()
        lab.page.keyboard.press("Enter")
        lab.wait_for_text(words.COMPARED.format(shown=model))
        table = compare_repairs(model)
        cells = [cell for row in table.rows for cell in row]
        assert lab.box.locator("th, td").all_text_contents() == cells
        assert lab.box.locator("caption").text_content() == table.caption
        assert lab.box.bounding_box()["height"] == height
    lab.field("model").select_option(LABELS["poisoned"])
    lab.wait_for_text(words.COMPARED.format(shown="poisoned"))
    assert lab.box.locator("caption").text_content() == compare_repairs("poisoned").caption


def test_tab_reaches_every_control(lab):
    names = ["model", "prune by", words.RESET, words.PRUNING_TABS[0], "pruned", "pruned slider"]
    lab.field(names[0]).focus()
    walk = [focused(lab.page)]
    while walk[-1] != names[-1] and len(walk) < 20:
        lab.page.keyboard.press("Tab")
        walk.append(focused(lab.page))
    assert [name for name in walk if name in names] == names


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_stands_out_from_its_ground(opened, lab, theme):
    opened.theme(theme)
    try:
        assert faint(lab) == []
        lab.tab(words.PRUNING_TABS[1]).click()
        lab.button(words.COMPUTE).click()
        lab.wait_for_text(words.COMPARED.format(shown="poisoned"))
        assert faint(lab) == []
    finally:
        opened.theme("JupyterLab Light")


def test_on_a_narrow_page_the_lab_fits_and_keeps_its_height(lab):
    usual, heights = lab.page.viewport_size, {1280: set(), 1024: set()}
    try:
        for model, pruned in (("poisoned", 11), ("clean", 0), ("planted loud", 128)):
            lab.field("model").select_option(LABELS[model])
            lab.agrees(model=model)
            lab.type("pruned", str(pruned))
            lab.agrees(pruned=pruned)
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
