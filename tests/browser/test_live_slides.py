"""The live slides: one slide at a time in JupyterLab, a lab that answers to keys, and the mode that is remembered."""

import nbformat
import pytest
from labpage import LabPage
from labserver import jupyter_server
from presented import PATHS, present

[PATH] = [path for path in PATHS if path.stem.startswith("02")]
LAB = "cell-10"
# The cells on the slide, whether letters of the text are large, and whether anything is cut off at the right.
SLIDE = """() => {
    const { widgets } = window.jupyterapp.shell.currentWidget.content;
    const shown = widgets.filter(({ node }) => node.matches('.jp-deck-mod-visible'));
    const texts = shown.flatMap(({ node }) => [...node.querySelectorAll('.jp-RenderedMarkdown :is(h1, h2, p, li)')]);
    return {
        cells: shown.map(({ model }) => model.id),
        sizes: texts.map(node => parseFloat(getComputedStyle(node).fontSize) * node.currentCSSZoom),
        wide: shown.filter(({ node }) => node.scrollWidth > node.clientWidth + 1).map(({ model }) => model.id),
    };
}"""
START = """() => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0;
    return window.jupyterapp.commands.execute('deck:start');
}"""
IS_PRESENTING = "() => document.body.dataset.jpDeckMode === 'presenting'"
IS_REMEMBERED = """async () => {
    const { raw } = await window.jupyterapp.serviceManager.settings.fetch('jupyterlab-slideshow:plugin');
    return /"active": *true/.test(raw);
}"""
MARKS = ".jp-deck-mod-visible svg.by-hand-picture > g:nth-child(2)"


@pytest.fixture(scope="module")
def slides(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    present.build_live([PATH], folder)
    with jupyter_server(folder, live_slides=True) as server:
        page = LabPage(browser, server)
        page.page.set_viewport_size({"width": 1280, "height": 720})
        page.open(PATH.name)
        page.run_all()
        yield page
        page.close()


@pytest.fixture(scope="module")
def stacks():
    """Return the names of the cells of each slide."""
    found = []
    for cell in present.live(nbformat.read(PATH, as_version=4)).cells:
        kind = cell.metadata.slideshow.get("slide_type")
        if kind == "slide":
            found.append([])
        if kind != "skip":
            found[-1].append(cell.id)
    return found


def test_the_keys_show_slide_after_slide_in_large_letters(slides, stacks):
    slides.page.evaluate(START)
    slides.page.wait_for_function(IS_PRESENTING)
    for stack in stacks:
        for _ in stack:  # a key for each cell
            slides.page.wait_for_function(f"stack => ({SLIDE})().cells.join() === stack.join()", arg=stack)
            seen = slides.page.evaluate(SLIDE)
            assert min(seen["sizes"], default=99) >= 20
            assert seen["wide"] == []
            slides.page.keyboard.press("ArrowRight")
    slides.check()


def test_three_keys_on_a_slider_inside_a_slide_change_the_picture_and_not_the_slide(slides, stacks):
    page = slides.page
    [stack] = [stack for stack in stacks if LAB in stack]
    go = "id => { const { content } = window.jupyterapp.shell.currentWidget;"
    go += " content.activeCellIndex = content.widgets.findIndex(({ model }) => model.id === id); }"
    page.evaluate(go, LAB)
    page.locator(".jp-deck-mod-visible .noUi-handle").first.focus()
    for _ in range(3):
        before = page.locator(MARKS).inner_html()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"before => document.querySelector('{MARKS}').innerHTML !== before", arg=before)
    assert page.evaluate(SLIDE)["cells"] == stack
    page.locator(".jp-deck-mod-visible .jp-RenderedMarkdown").first.click()
    for _ in stack:
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"stack => ({SLIDE})().cells.join() !== stack.join()", arg=stack)
    slides.check()


def test_the_mode_is_remembered_until_it_is_stopped(slides):
    slides.page.wait_for_function(f"async () => ({IS_PRESENTING})() && await ({IS_REMEMBERED})()")
    slides.page.evaluate("() => window.jupyterapp.commands.execute('deck:stop')")
    slides.page.wait_for_function(f"async () => !({IS_PRESENTING})() && !await ({IS_REMEMBERED})()")
