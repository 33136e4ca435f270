"""A notebook that a reader ran, saved and closed, and opens again the next day: no box is broken."""

from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.parts import STILL

NOTEBOOK = "reopened.ipynb"  # a copy, because it is saved
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
SAVED = "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"
SHUT_DOWN = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"
# For each output area with a still: whether it is seen, and the text of every other output that is seen.
AREAS = """async (name) => {
    const content = window.jupyterapp.shell.currentWidget.content, found = [];
    for (let i = 0; i < content.widgets.length; i++) {
        const shown = content.widgets[i].model.outputs, node = content.widgets[i].node;
        const holds = (k) => String(shown.get(k).data['text/html'] ?? '').includes(name);
        if (![...Array(shown?.length ?? 0).keys()].some(holds)) continue;
        for (let tries = 0; tries < 100 && !(tries && node.querySelector(`.${name}`)); tries++) {
            await content.scrollToItem(i, 'start');  // what is far away is not drawn yet
            await new Promise(resolve => setTimeout(resolve, 100));
        }
        const still = node.querySelector(`.${name}`);
        const outputs = [...still.closest('.jp-OutputArea').querySelectorAll('.jp-OutputArea-output')];
        const live = outputs.filter(node => !node.contains(still) && node.checkVisibility());
        found.push([still.checkVisibility(), live.map(node => node.textContent)]);
    }
    return found;
}"""


def test_a_saved_notebook_opened_again_shows_stills_and_no_broken_box(lab_page):
    lab_page.console_noise += ("widget model not found",)  # what ipywidgets reports of every widget it cannot revive
    lab_page.open(NOTEBOOK)
    lab_page.run_all()
    running = lab_page.page.evaluate(AREAS, STILL)
    assert len(running) > 3
    assert [(seen, len(live)) for seen, live in running] == [(False, 1)] * len(running)
    lab_page.page.evaluate(SAVE)
    lab_page.page.wait_for_function(SAVED)
    lab_page.page.evaluate(SHUT_DOWN)

    lab_page.open(NOTEBOOK)
    assert lab_page.page.evaluate(AREAS, STILL) == [[True, []]] * len(running)
    assert lab_page.page.locator(".jp-mod-trusted", has_text=words.NEEDS_KERNEL).count()
    assert lab_page.errors() == []
    assert lab_page.console_errors == []
