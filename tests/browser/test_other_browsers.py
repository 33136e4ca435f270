"""Firefox and WebKitGTK: the labs of notebooks 01 and 02 in JupyterLab by key and by drag, the pages and the slides."""

import json
import secrets

import pytest
from helpers import ON_PAGE, READ, WAIT_FOR, shown_by
from labpage import IS_IDLE, MATH_ERRORS, OPEN
from presented import DECKS, FORMULAS, PAGES, PATHS, PICTURES, ROWS, SHOWN, SLIDES, overlaps, present, uneven

from lesson_lib.labs import FirstLook, HandCalculationLab, TriggerLab

# Selenium's own class for WebKitGTK calls what Selenium has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning")

BROWSERS = ("firefox", "webkit")
RUN = """async (id) => {
    const { content } = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.findIndex(({ model }) => model.id === id);
    await window.jupyterapp.commands.execute('notebook:run-cell');
    await content.scrollToItem(content.activeCellIndex, 'start');
}"""
LAB = """window.jupyterapp.shell.currentWidget.content.activeCell.node
    .querySelector('.jp-OutputArea-output:has(.jupyter-widgets)')"""
IS_DRAWN = "(lab) => lab?.querySelector('svg.by-hand-picture')?.children[1].childElementCount"
FORMULA = "(lab) => lab.querySelector('mjx-container mjx-assistive-mml')?.textContent"
MATH_WIDTHS = """() => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) mjx-container')]
   .map(node => node.offsetWidth)"""
# Focus the handle of a slider, found by the name of the box beside it, and say where it is and the shares of its track.
SLIDE = """(lab, [name, shares]) => {
    const box = [...lab.querySelectorAll('input')].find(input => input.labels[0]?.textContent.trim() === name);
    const slider = box.closest('.widget-box'), handle = slider.querySelector('.noUi-handle');
    handle.focus();
    const held = handle.getBoundingClientRect(), y = held.y + held.height / 2;
    const { x, width } = slider.querySelector('.noUi-base').getBoundingClientRect();
    return [[held.x + held.width / 2, y], ...shares.map(share => [x + share * width, y])];
}"""


class OtherLab:
    """The lab of a notebook's cell, and its twin, which says what the page must show."""

    def __init__(self, page, cell, twin):
        self.page, self.twin = page, twin
        page.evaluate(RUN, cell)
        page.wait_for(self.on_lab(IS_DRAWN))
        self.agrees()

    @staticmethod
    def on_lab(function):
        return f"argument => ({function})({LAB}, argument)"

    def evaluate(self, function, argument=None):
        return self.page.evaluate(self.on_lab(function), argument)

    def agrees(self, **values):
        """Set the twin's controls, and wait until the page shows what the twin shows."""
        self.twin.set(**values)
        expected = shown_by(self.twin.box)
        assert self.evaluate(WAIT_FOR, [json.dumps(expected), 30_000]) == expected

    def press_right(self, name):
        self.evaluate(SLIDE, [name, []])
        self.page.press("ARROW_RIGHT")

    def drag(self, name, shares):
        self.page.drag(self.evaluate(SLIDE, [name, shares]))

    def drag_star(self, points):
        frame = self.twin.picture()[0]
        places = [frame.pixels("function", *point)[0].tolist() for point in points]
        on_page = f"(lab, places) => places.map(place => ({ON_PAGE})(lab.querySelector('svg.by-hand-picture'), place))"
        self.page.drag(self.evaluate(on_page, places))


@pytest.fixture(scope="module", params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in BROWSERS])
def page(request, drivers):
    """Start the browser, once for all tests of the module."""
    import otherpage  # which needs Selenium

    with getattr(otherpage, request.param)(*drivers[request.param]) as started:
        yield started


@pytest.fixture
def opened(page, server):
    """Return a function that opens a notebook and checks its formulas; afterwards no kernel has failed."""

    def open_notebook(name):
        page.resize(1400, 1000)
        page.open(f"{server.url}lab/workspaces/other-{secrets.token_hex(4)}/tree/{name}?reset&token={server.token}")
        page.wait_for("() => window.jupyterapp?.shell.currentWidget?.sessionContext")
        page.evaluate(OPEN)
        page.wait_for(IS_IDLE)
        page.wait_for(f"() => ({MATH_WIDTHS})().filter(width => width > 0).length > 5")
        assert page.evaluate(MATH_ERRORS) == []
        return page

    yield open_notebook
    assert page.evaluate("() => window.kernelErrors") == []


def test_in_notebook_01_keys_and_drags_move_the_first_picture_and_the_lines_of_the_hand_calculation(opened):
    page = opened("01_backdoor_by_hand.ipynb")
    look = OtherLab(page, "first-look", FirstLook())
    look.drag_star([(0, 5), (-1, 3), (-2, -2), (-3, -7)])
    look.agrees(position=-3, target=-7)

    page.evaluate(RUN, "cell-02")
    lab = OtherLab(page, "cell-31", HandCalculationLab())
    seen = [lab.evaluate(READ)["pictures"], lab.evaluate(FORMULA)]
    for move, line in ((lambda: lab.press_right("Line"), 2), (lambda: lab.drag("Line", [0.3, 0.7, 1]), 23)):
        move()
        lab.twin.go(line)
        lab.agrees()
        page.wait_for(lab.on_lab(f"(lab, before) => ({FORMULA})(lab) && ({FORMULA})(lab) !== before"), seen[-1])
        seen += [lab.evaluate(READ)["pictures"], lab.evaluate(FORMULA)]
    assert all(before != after for before, after in zip(seen, seen[2:], strict=False))


def test_in_notebook_02_a_key_and_a_drag_of_a_slider_and_of_the_star_move_the_picture(opened):
    page = opened("02_a_trigger_that_never_learns.ipynb")
    page.evaluate(RUN, "cell-02")
    lab = OtherLab(page, "cell-10", TriggerLab())
    rate = lab.twin.controls["rate"]
    lab.press_right("rate")
    lab.agrees(rate=rate.beside(1))
    lab.drag("rate", [0.6, 0.8, 1])
    lab.agrees(rate=rate.positions[-1])
    lab.drag_star([(0, 5), (-1, 3), (-2, -2), (-3, -7)])
    lab.agrees(position=-3, target=-7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("presented")
    present.build(PATHS, made)
    return made


def test_pages_and_slides_are_whole_and_no_formula_overlaps(page, folder):
    page.resize(1280, 720)
    for name in ("index.html", *PAGES, *DECKS):
        page.open((folder / name).as_uri())
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
        assert [alt for alt, is_drawn in page.evaluate(PICTURES) if not is_drawn] == []
        assert all(page.evaluate(FORMULAS)), name
        rows = page.evaluate(ROWS)
        assert (name, overlaps(rows), uneven(rows)) == (name, [], [])


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768)])
def test_every_slide_fits_the_screen_and_keys_move(page, folder, size):
    page.resize(*size)
    for name in DECKS:
        page.open((folder / name).as_uri())
        slides = page.evaluate(SLIDES)
        assert len(slides) > 10
        wrong = [each for each in slides if each["height"] > size[1] + 1 or each["width"] > size[0] or each["wide"]]
        assert (name, wrong) == (name, [])
        page.press("ARROW_RIGHT", "ARROW_RIGHT")
        page.wait_for(f"() => ({SHOWN})()[1] === '#slide-3'")
