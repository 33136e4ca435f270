"""A lesson in JupyterLab: its links lead to the word and to the section, and its last line counts what is solved."""

import nbformat
from refresh_notebooks import NOTEBOOKS

LESSON = "01_backdoor_by_hand.ipynb"
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
# Where a heading stands in the page that is shown, likewise.
HEADING = """([path, id]) => {
    const shown = window.jupyterapp.shell.currentWidget, { top: upper } = shown.node.getBoundingClientRect();
    if (shown.context.path !== path) return null;
    const heading = [...shown.node.querySelectorAll(`h2:has(a[id="${id}"], a[data-jupyter-id="${id}"])`)][0];
    if (!heading) return null;
    const { top, bottom } = heading.getBoundingClientRect();
    return { top: top - upper, bottom: bottom - upper, height: shown.node.clientHeight };
}"""
SLOWER = 6  # times
RUN = """async (ids) => {
    const { content } = window.jupyterapp.shell.currentWidget;
    for (const id of ids) {
        content.activeCellIndex = content.widgets.findIndex(({ model }) => model.id === id);
        await window.jupyterapp.commands.execute('notebook:run-cell');
    }
}"""
SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def cell_of(text):
    """Return the id of the lesson's cell that begins with a text."""
    return next(cell.id for cell in nbformat.read(NOTEBOOKS / LESSON, 4).cells if cell.source.startswith(text))


def follow(page, name, path, target, place=PLACE):
    """Click the lesson's first link of this name, and wait until what it leads to is wholly in view."""
    page.evaluate(SHOW_LESSON)
    page.locator(f"{SHOWN} .jp-RenderedMarkdown").get_by_role("link", name=name, exact=True).first.click()
    inside = f"place => {{ const at = ({place})(place); return at && at.top > -20 && at.bottom < at.height; }}"
    page.wait_for_function(inside, arg=[path, target])


def test_links_lead_to_words_and_sections_and_the_last_line_counts_what_is_solved(lab_page):
    page = lab_page.page
    lab_page.open(LESSON)
    devtools = lab_page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    follow(page, "trigger", "glossary.md", "trigger", HEADING)  # the glossary was not open yet
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    assert lab_page.math_errors() == []
    follow(page, "backdoor", "glossary.md", "backdoor", HEADING)
    assert page.locator(".jp-MarkdownViewer mjx-container").count() > 3
    follow(page, "The task, and the plan of the attacker", LESSON, cell_of("## The task"))

    exercise, line = cell_of('exercises.ask("dW2 at x = 2")'), cell_of("exercises.progress_line()")
    page.evaluate(RUN, [cell_of("import sympy"), line, exercise])
    page.get_by_label("answer", exact=True).fill("-1, 0")
    page.keyboard.press("Enter")
    page.get_by_text("✓ Right.").wait_for()
    page.evaluate("id => window.jupyterapp.shell.currentWidget.setFragment(`#cell-id=${id}`)", line)
    page.get_by_text("1 of 1 exercises solved.").wait_for()
    assert lab_page.errors() == []
    assert lab_page.console_errors == []
    assert lab_page.outside_requests == []
