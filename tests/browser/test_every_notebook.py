"""Every notebook in JupyterLab, in both themes: it runs, fits the page, and asks for nothing outside."""

import nbformat
import pytest
from helpers import Shown
from refresh_notebooks import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
NEEDS_KERAS = "07_capture_from_pytorch_and_keras"
WIDER_THAN_PAGE = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
    .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.textContent.slice(0, 80))"""
SHOW_ALL = """async () => {
    const content = window.jupyterapp.shell.currentWidget.content;
    for (let i = 0; i < content.widgets.length; i += 3) await content.scrollToItem(i, 'start');
}"""


@pytest.mark.parametrize(
    "name", [pytest.param(p.stem, marks=pytest.mark.keras if p.stem == NEEDS_KERAS else ()) for p in PATHS]
)
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_notebook_runs_and_fits_a_projector(lab_page, name, theme):
    lab_page.page.set_viewport_size({"width": 1024, "height": 900})
    lab_page.open(f"{name}.ipynb")
    lab_page.theme(theme)
    lab_page.run_all()
    lab_page.page.evaluate(SHOW_ALL)
    assert lab_page.errors() == []
    assert lab_page.math_errors() == []
    assert lab_page.console_errors == []
    assert lab_page.outside_requests == []
    assert lab_page.page.evaluate(WIDER_THAN_PAGE) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_question_can_be_answered_from_its_solution(lab_page, path):
    """Press Check and Solution of each exercise: it says that nothing was answered, and then the solution."""
    if path.stem == NEEDS_KERAS:
        asked = []
    else:
        cells = nbformat.read(path, as_version=4).cells
        asked = [i for i, cell in enumerate(cells) if "exercises.ask(" in cell.source]
        assert asked, f"{path} asks nothing"
    if not asked:
        return
    lab_page.open(path.name)
    lab_page.run_all()
    for index in asked:
        lab_page.page.evaluate(
            "async index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')", index
        )
        box = lab_page.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea .jupyter-widgets')
        shown = Shown(lab_page.page, box.first)
        shown.button("Check").click()
        shown.wait_for_text("first.")
        shown.button("Solution").click()
        shown.wait_for_text("Solution: ")
    assert lab_page.errors() == []
