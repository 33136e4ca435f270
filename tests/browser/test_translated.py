"""The notebooks in another language: they come alive, say which it is, and serve those who use keys, or listen."""

import re

import nbformat
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from helpers import Shown, focused
from presented import SLIDES, TEXTS, present
from refresh_notebooks import NOTEBOOKS
from test_accessibility import AXE, FOCUS, FOCUS_FIRST, MISFITS, THEIRS, is_seen
from test_every_notebook import IS_WHOLE, RUN, SHOW, alive

from lesson_lib.labs.shared.parts import STILL

TEXTS_AROUND = present.in_language("en")

NAMES = ["01_backdoor_by_hand", "03_which_bias_fixes_it"]
LANGUAGE = "zh_CN"
CHINESE = re.compile("[\u4e00-\u9fff]")
NO_WORDS = re.compile(r"[Wb][12]|relu'\(0\)")  # a control's name that is the same in every language
SAYS = "box => [...box.querySelectorAll('[role=status], svg[aria-label]')].map(n => n.ariaLabel + n.textContent).join()"


def cells_of(name):
    return nbformat.read(NOTEBOOKS / LANGUAGE / f"{name}.ipynb", as_version=4).cells


@pytest.fixture(scope="module", params=NAMES)
def translated(jupyterlab, request):
    """Open a notebook in another language and run what is alive in it; return it with the indices of its boxes."""
    jupyterlab.page.set_viewport_size({"width": 1280, "height": 900})
    cells = cells_of(request.param)
    jupyterlab.open_next(f"{LANGUAGE}/{request.param}.ipynb")
    jupyterlab.page.wait_for_function(IS_WHOLE)
    jupyterlab.page.evaluate(RUN, alive(cells))
    jupyterlab.page.evaluate(AXE_SCRIPT)
    yield jupyterlab, [i for i, cell in enumerate(cells) if STILL in str(cell.get("outputs", ""))]
    jupyterlab.leave()


def boxes(translated):
    page, live = translated[0].page, translated[1]
    for index in live:
        page.evaluate(SHOW, index)
        box = page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea .by-hand')
        yield Shown(page, box.first)


def test_all_of_it_comes_alive_in_its_language_and_axe_finds_nothing(translated):
    lab_page, live = translated
    assert len(live) > 10
    for shown in boxes(translated):
        found = map(tuple, shown.box.evaluate(AXE, list(THEIRS)))
        assert [one for one in found if one not in THEIRS] == []
        assert CHINESE.search(shown.box.text_content())
    assert lab_page.page.evaluate("() => document.querySelector('.jp-Notebook').lang") == "zh-CN"
    lab_page.check()


def test_every_control_is_reached_by_keys_has_a_name_in_the_language_and_moves_the_lab(translated):
    moved = []
    for shown in boxes(translated):
        shown.box.evaluate(FOCUS_FIRST)
        for _ in range(60):
            focus = shown.box.evaluate(FOCUS)
            if not focus["inside"]:
                break
            name = focused(shown.page)
            assert is_seen(focus), (name, focus)
            assert CHINESE.search(name) or NO_WORDS.match(name) or name.endswith("in the picture"), name
            if name.endswith("slider") and shown not in moved:
                before = shown.box.evaluate(SAYS)
                shown.page.keyboard.press("ArrowRight")
                shown.page.wait_for_function(
                    f"([box, before]) => ({SAYS})(box) !== before", arg=[shown.box.element_handle(), before]
                )
                moved.append(shown)
            shown.page.keyboard.press("Tab")
        else:
            raise AssertionError("the keys do not leave it")
    assert len(moved) > 1


@pytest.mark.parametrize("width", [1280, 640])  # of a projector, and of a page magnified to 200 %
def test_nothing_is_cut_off(translated, width):
    translated[0].resize(width)
    for shown in boxes(translated):
        assert shown.box.evaluate(MISFITS) == []


@pytest.fixture(scope="module")
def presented_folder(tmp_path_factory):
    """Build the pages and the slides of the language."""
    folder = tmp_path_factory.mktemp(LANGUAGE)
    present.build([NOTEBOOKS / LANGUAGE / f"{name}.ipynb" for name in NAMES], folder)
    return folder


@pytest.mark.parametrize(
    "file", ["index.html", *(f"{name}{end}" for name in NAMES for end in (".html", ".slides.html"))]
)
def test_pages_and_slides_speak_it_too_and_every_slide_fits(browser, presented_folder, file):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((presented_folder / file).as_uri())
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    texts = page.evaluate(TEXTS)
    assert {*TEXTS_AROUND.values()} & {text.strip() for text in texts} == set()
    assert [text for text in texts if "[en]" in text] == []
    for slide in page.evaluate(SLIDES):
        assert slide["wide"] == [], slide
        assert slide["height"] == 720, slide
    page.close()
