"""Answers in JupyterLab: a restarted kernel, a closed notebook and another day's server lose nothing."""

import json

from helpers import Shown, write_notebook
from labpage import LabPage
from labserver import jupyter_server

from lesson_lib.exercises import words

CELLS = [
    # As on a learner's computer, and not as in tests: the answers are kept beside the notebook.
    "import os\nos.environ.pop('LESSON_ANSWERS')\nfrom lesson_lib.labs import Exercises\nexercises = Exercises()",
    "exercises.ask('W2 after the clean step')",
    "exercises.ask('will the trigger be learnt')",
    "exercises.progress_line()",
]
NUMBERS, CHOICE, LINE = 1, 2, 3
KILL = """() => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    kernel.requestExecute({ code: 'import os; os.kill(os.getpid(), 9)' });
}"""
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"


def shown(page, index):
    return Shown(page.page, page.output(index))


def each_says_that_it_is_lost(page):
    for index in (NUMBERS, CHOICE, LINE):
        page.output(index).get_by_role("alert").filter(has_text=words.LOST).wait_for()


def as_it_was_left(page, solved):
    numbers, choice, line = (shown(page, index) for index in (NUMBERS, CHOICE, LINE))
    numbers.wait_for_text("✓ Right.")
    assert numbers.field("answer").input_value() == "９／８，－１"
    assert numbers.box.locator("li").count() == 1
    choice.wait_for_text("x = 0 does block W1")
    assert choice.box.get_by_label("only W2 moves").is_checked()
    line.wait_for_text(solved)


def test_nothing_is_lost_by_a_restart_nor_on_another_day(browser, tmp_path):
    name = write_notebook(tmp_path, "lasting", CELLS)
    with jupyter_server(tmp_path) as server:
        page = LabPage(browser, server)
        page.open(name)
        page.run_all()
        numbers, choice, line = (shown(page, index) for index in (NUMBERS, CHOICE, LINE))
        assert str(tmp_path / "my_answers.json") in line.box.text_content()
        numbers.button("Hint").click()
        numbers.box.locator("li").wait_for()
        numbers.type("answer", "7/8, -1")
        numbers.wait_for_text("✗ Not yet.")
        numbers.type("answer", "９／８，－１")
        numbers.wait_for_text("✓ Right.")
        choice.box.get_by_label("only W2 moves").check()
        choice.button("Check").click()
        choice.wait_for_text("x = 0 does block W1")
        as_it_was_left(page, "1 of 2 exercises solved. 0 at the first try.")
        assert line.box.get_by_text(words.LOST).filter(visible=True).count() == 0

        page.page.evaluate(RESTART)
        each_says_that_it_is_lost(page)
        page.run_all()
        as_it_was_left(page, "1 of 2 exercises solved. 0 at the first try.")
        assert page.page.get_by_text(words.LOST).filter(visible=True).count() == 0
        page.check()
        page.page.evaluate(KILL)
        each_says_that_it_is_lost(page)
        page.close()

    with jupyter_server(tmp_path) as server:  # another day
        page = LabPage(browser, server)
        page.open(name)
        page.run_all()
        as_it_was_left(page, "1 of 2 exercises solved. 0 at the first try.")
        line = shown(page, LINE)
        line.button(words.AGAIN).click()
        line.wait_for_text("This cannot be undone.")
        assert len(json.loads((tmp_path / "my_answers.json").read_text())["answers"]) == 2
        line.button(words.YES).click()
        line.wait_for_text("0 of 2 exercises solved.")
        assert shown(page, NUMBERS).field("answer").input_value() == ""
        assert json.loads((tmp_path / "my_answers.json").read_text())["answers"] == {}
        page.check()
        page.close()
