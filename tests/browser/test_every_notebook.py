"""Every notebook in JupyterLab: what is alive runs, fits the page in both themes, answers, and asks nothing outside.

Only labs and exercises, and what they need, run here: nbval has run every cell, and what the others show is what the
committed file holds, to the byte (see sealed_notebooks). So the page with those outputs is the page after a run of all.
"""

import ast

import nbformat
import pytest
from helpers import Shown
from refresh_notebooks import NOTEBOOKS

from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.parts import STILL

PATHS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))  # the glossary has nothing to run
NEEDS_KERAS = "07_capture_from_pytorch_and_keras"
WIDER_THAN_PAGE = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
    .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.textContent.slice(0, 80))"""
# JupyterLab makes the cells of a long notebook one after another.
IS_WHOLE = """() => document.querySelectorAll('.jp-Notebook .jp-Cell').length
    === window.jupyterapp.shell.currentWidget.content.model.cells.length
    && [...document.images].every(image => image.complete)"""
OUTPUTS = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell => ({
    text: cell.querySelector('.jp-OutputArea')?.textContent ?? '',
    live: cell.querySelectorAll('.jp-OutputArea .jupyter-widgets').length > 0,
    stills: [...cell.querySelectorAll('.jp-OutputArea .lesson-still img')].map(i => [i.alt, i.naturalWidth]),
}))"""
# Cells above may still grow while they are drawn, so scroll until the wanted one has stayed in view.
SHOW = """async (index) => {
    const content = window.jupyterapp.shell.currentWidget.content, node = content.widgets[index].node;
    for (let calm = 0, tries = 0; calm < 3 && tries < 50; tries++) {
        await content.scrollToItem(index, 'start');
        await new Promise(resolve => setTimeout(resolve, 100));
        const { top, bottom } = node.getBoundingClientRect();
        calm = node.isConnected && bottom > 100 && top < window.innerHeight - 100 ? calm + 1 : 0;
    }
}"""
SHOW_ALL = """async () => {
    const content = window.jupyterapp.shell.currentWidget.content;
    for (let i = 0; i < content.widgets.length; i += 3) await content.scrollToItem(i, 'start');
}"""


RUN = """async (indices) => {
    const { content } = window.jupyterapp.shell.currentWidget;
    for (const index of indices) {
        content.activeCellIndex = index;
        await window.jupyterapp.commands.execute('notebook:run-cell');
    }
}"""


def cells_of(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells


def asked(name):
    """Return the cells of a notebook that hold an exercise."""
    return [i for i, cell in enumerate(cells_of(name)) if "exercises.ask(" in cell.source]


def names(source):
    """Return the names that a cell uses, and those that it makes."""
    nodes = list(ast.walk(ast.parse(source)))
    variables = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in variables if isinstance(node.ctx, ast.Store)}
    return {node.id for node in variables}, made | {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def alive(cells):
    """Return the code cells that show a lab or an exercise, those that make a name which these need, and the opening.

    The opening ends with the cell that makes `exercises`.
    """
    found, needed, is_opening = [], set(), False
    for i, cell in reversed(list(enumerate(cells))):
        if cell.cell_type == "code":
            used, made = names(cell.source)
            is_opening = is_opening or "exercises" in made
            shows = STILL in str(cell.outputs) or "exercises." in cell.source
            if shows or is_opening or needed & made:
                found.append(i)
                needed |= used
    return found[::-1]


def test_what_is_alive_needs_the_opening_and_the_cells_that_make_its_names():
    sources = [
        "import numpy as np",
        "exercises = np",
        "x = np.eye(2)",
        "print(2)",
        "def f():\n    return x",
        "y = 1",
        "f()",
    ]
    cells = [nbformat.v4.new_markdown_cell("f"), *map(nbformat.v4.new_code_cell, [*sources, "f()"])]
    cells[7].outputs = [nbformat.v4.new_output("display_data", {"text/html": STILL})]
    assert alive(cells) == [1, 2, 3, 5, 7]


def check_stills(before, after, texts):
    """Check that each lab and exercise was a text before it ran, each lab with a described picture."""
    assert not any(cell["live"] for cell in before)
    live = [i for i, cell in enumerate(after) if cell["live"]]
    assert live == [i for i, cell in enumerate(before) if words.NEEDS_KERNEL in cell["text"]]
    assert [i for i, cell in enumerate(before) if cell["stills"]] == [i for i in live if i not in texts]
    assert all(alt and width > 100 for cell in before for alt, width in cell["stills"])


@pytest.mark.parametrize(
    "name", [pytest.param(p.stem, marks=pytest.mark.keras if p.stem == NEEDS_KERAS else ()) for p in PATHS]
)
def test_a_notebook_comes_alive_fits_a_projector_and_gives_the_solutions(lab_page, name):
    lab_page.page.set_viewport_size({"width": 1024, "height": 900})
    lab_page.open_next(f"{name}.ipynb")
    lab_page.page.wait_for_function(IS_WHOLE)
    before = lab_page.page.evaluate(OUTPUTS)
    lab_page.page.evaluate(RUN, alive(cells_of(name)))
    texts = [i for i, cell in enumerate(cells_of(name)) if "exercises." in cell.source]  # alive, and without a picture
    check_stills(before, lab_page.page.evaluate(OUTPUTS), texts)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab_page.theme(theme)
        lab_page.page.evaluate(SHOW_ALL)
        assert lab_page.math_errors() == []
        assert lab_page.page.evaluate(WIDER_THAN_PAGE) == []
    questions = asked(name)
    assert questions
    for index in questions:
        lab_page.page.evaluate(SHOW, index)
        box = lab_page.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea .jupyter-widgets')
        shown = Shown(lab_page.page, box.first)
        shown.button("Check").click()
        shown.wait_for_text("first.")
        shown.button("Solution").click()
        shown.wait_for_text("Solution: ")
    lab_page.check()
