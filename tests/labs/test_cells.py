"""What a cell shows makes way when the cell is run again, in a kernel that is asked as JupyterLab asks."""

from itertools import pairwise

import pytest
from jupyter_client.manager import start_new_kernel

OPEN = "len(__import__('ipywidgets').widgets.widget._instances)"
START = """%reset -f
from lesson_lib.labs import BiasLab, Exercises, FirstLook, HandCalculationLab, NAALab, PruningLab, TriggerLab
from lesson_lib.labs.shared.cells import _parts
exercises = Exercises(seed=0)
is_open = lambda lab: {part.comm is not None for part in _parts(lab.box, *getattr(lab, "beside", ()))}"""
KINDS = ["FirstLook", "HandCalculationLab", "TriggerLab", "BiasLab", "NAALab", "PruningLab"]


class Notebook:
    """A page that sends cells to a kernel."""

    def __init__(self, client, session=None):
        self.client, self.session = client, session or client.session.session

    def run(self, source, cell=None, then="None"):
        """Run a cell of this name; return what an expression gives after it, as text."""
        content = {"code": source, "store_history": True, "user_expressions": {"then": then}}
        sent = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        sent["header"]["session"] = self.session
        self.client.shell_channel.send(sent)
        while (reply := self.client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != sent["msg_id"]:
            pass
        assert reply["content"]["status"] == "ok", reply
        return reply["content"]["user_expressions"]["then"]["data"]["text/plain"]

    def count(self, source, cell=None):
        """Run a cell, and return how many widgets are open after it."""
        return int(self.run(source, cell, OPEN))


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(kernel):
    made = Notebook(kernel)
    made.run(START)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_lab_that_is_shown_again_and_again_leaves_no_widget_and_nothing_in_the_history(notebook, kind):
    source = f"lab = {kind}()\nlab"
    first = notebook.count(source, "cell")
    assert [notebook.count(source, "cell") for _ in range(3)] == [first] * 3
    kept = f"[sum(isinstance(value, {kind}) for value in names.values()) for names in (Out, globals())]"
    assert notebook.run("del lab; _ = __ = ___ = None", "other", kept) == "[1, 1]"


@pytest.mark.parametrize("source", ["exercises.progress_line()", "Exercises(seed=0).ask('which factor')"])
def test_so_does_an_exercise_and_the_line_of_progress(notebook, source):
    first = notebook.count(source, "cell")
    assert [notebook.count(source, "cell") for _ in range(3)] == [first] * 3
    assert notebook.run("exercises.follow()", then="exercises.box and is_open(exercises)") in ("None", "{True}")


def test_what_the_cell_shows_again_stays_open(notebook):
    source = "lab = globals().get('lab') or BiasLab()\ndisplay(exercises.ask('which factor'), lab)"
    first = notebook.count(source, "cell")
    assert notebook.count(source, "cell") == first
    assert notebook.run("", then="[is_open(lab), is_open(exercises.ask('which factor'))]") == "[{True}, {True}]"


def test_what_another_cell_shows_too_stays_open_until_that_one_is_run_again(notebook):
    notebook.run("first = lab = BiasLab()\nlab", "made")
    notebook.run("lab", "shown again")
    notebook.run("lab = BiasLab()\nlab", "made")
    assert notebook.run("", then="is_open(first)") == "{True}"
    notebook.run("lab", "shown again")
    assert notebook.run("", then="[is_open(first), is_open(lab)]") == "[{False}, {True}]"


@pytest.mark.parametrize("kind", KINDS)
def test_a_lab_that_was_closed_can_be_set_and_is_whole_when_a_variable_shows_it_again(notebook, kind):
    notebook.run(f"kept = {kind}()\nkept", "made")
    notebook.run("TriggerLab()", "made")
    assert notebook.run("kept.reset()", then="is_open(kept)") == "{False}"
    assert notebook.run("kept", "shown again", then="is_open(kept)") == "{True}"
    assert notebook.run("kept", "shown again", then="is_open(kept)") == "{True}"


def test_closing_stops_what_plays(notebook):
    notebook.run("lab = TriggerLab()\nlab.player.press()\nlab", "cell")
    assert notebook.run("", then="lab.player._task is not None") == "True"
    notebook.run("TriggerLab()", "cell")
    assert notebook.run("", then="lab.player._task is None") == "True"


def test_cells_without_a_name_and_those_of_another_notebook_close_nothing(notebook, kernel):
    counts = [notebook.count("TriggerLab()") for _ in range(3)]
    counts += [Notebook(kernel, session).count("TriggerLab()", "cell") for session in "ab"]
    assert len({after - before for before, after in pairwise(counts)}) == 1
    assert counts[0] < counts[1]
