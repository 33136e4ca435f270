"""The glossary in JupyterLab: a link from a lesson opens it at the word, and its mathematics is drawn."""

import nbformat
from refresh_notebooks import NOTEBOOKS

# Where a cell stands in the notebook that is shown, in pixels below its upper edge, and how high that notebook is.
PLACE = """([path, id]) => {
    const shown = window.jupyterapp.shell.currentWidget;
    if (shown.context.path !== path) return null;
    const cell = shown.content.widgets.find(({ model }) => model.id === id)?.node;
    const page = shown.node.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect();
    if (!cell?.isConnected || !cell.textContent) return null;
    const { top, bottom } = cell.getBoundingClientRect();
    return { top: top - page.top, bottom: bottom - page.top, height: page.height };
}"""
SHOW_LESSON = """() => [...window.jupyterapp.shell.widgets('main')]
    .forEach(({ id, context }) => context?.path.startsWith('0') && window.jupyterapp.shell.activateById(id))"""
LESSON = "01_backdoor_by_hand.ipynb"


def lands(page, path, cell):
    """Wait until a cell is wholly in view, but for a fraction of a pixel."""
    inside = f"place => {{ const at = ({PLACE})(place); return at && at.top > -2 && at.bottom < at.height; }}"
    page.wait_for_function(inside, arg=[path, cell])


def follow(page, name, path, cell):
    """Click the first link of this name in the lesson, and wait until it has led to a cell of a notebook."""
    page.evaluate(SHOW_LESSON)
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedMarkdown")
    shown.get_by_role("link", name=name, exact=True).first.click()
    lands(page, path, cell)


def test_links_of_a_lesson_lead_to_the_word_and_to_the_section(lab_page):
    page = lab_page.page
    page.set_viewport_size({"width": 1024, "height": 900})
    lab_page.open(LESSON)
    follow(page, "trigger", "glossary.ipynb", "trigger")  # the glossary was not open yet
    assert lab_page.math_errors() == []
    follow(page, "backdoor", "glossary.ipynb", "backdoor")
    assert page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) mjx-container").count() > 3
    [section] = [cell.id for cell in nbformat.read(NOTEBOOKS / LESSON, 4).cells if "## A convention" in cell.source]
    follow(page, "A convention hides here", LESSON, section)
    follow(page, "The task, and the plan of the attacker", LESSON, "cell-05")
    assert lab_page.console_errors == []
    assert lab_page.outside_requests == []
