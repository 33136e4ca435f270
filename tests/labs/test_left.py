"""A lab comes back as it was left, in another kernel, from the learner's own file."""

import json
import os

import pytest
from jupyter_client.manager import start_new_kernel
from test_cells import Notebook

from lesson_lib.labs.shared import words

START = "import os, asyncio\nfrom lesson_lib.labs import BiasLab, HandCalculationLab, NAALab, PruningLab, TriggerLab"
REST = "await asyncio.sleep(0.8)"


@pytest.fixture
def kernel(tmp_path):
    """Return a function that starts a kernel of a notebook, after ending the one before."""
    running = []

    def stop():
        for manager, client in running:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
        running.clear()

    def start(notebook="03_a.ipynb"):
        stop()
        own = {"LESSON_ANSWERS": str(tmp_path / "mine.json"), "JPY_SESSION_NAME": f"folder/{notebook}"}
        running.append(start_new_kernel(kernel_name="python3", env={**os.environ, **own}))
        made = Notebook(running[0][1])
        made.run(START)
        return made

    yield start
    stop()


MOVES = [
    ("TriggerLab", "rate=0.5, target=-3"),
    ("BiasLab", "biases='b1', b1='0, 3/2', schedule='joint'"),
    ("HandCalculationLab", "W1='1/3, 2', phase='trigger'"),
    ("NAALab", "rule='bh', threshold=0.2"),
    ("PruningLab", "model='planted loud', pruned=90"),
]


def show(notebook, again=""):
    """Show each lab in a cell of its own; return what its controls hold."""
    for kind, _ in MOVES:
        notebook.run(f"{kind.lower()} = {kind}()\n{kind.lower()}", f"{kind}{again}")
    return values(notebook)


def values(notebook):
    return [notebook.run("", then=f"{kind.lower()}.values") for kind, _ in MOVES]


def test_labs_come_back_in_a_new_kernel_and_begin_anew_when_their_cells_are_run_again(kernel):
    first = kernel()
    start = show(first)
    for kind, moved in MOVES:
        first.run(f"{kind.lower()}.set({moved})")
    first.run(REST)
    left = values(first)
    assert all(one != other for one, other in zip(left, start, strict=True))
    again = kernel()
    assert show(again) == left
    assert words.AS_LEFT in again.run("", then="naalab.messages[''].value")
    assert show(again) == start
    assert show(again, "of another name") == start
    assert show(kernel("04_b.ipynb")) == start


def test_a_reset_is_kept_too_a_page_without_cells_keeps_nothing_and_a_line_of_another_lab_does_no_harm(
    kernel, tmp_path
):
    notebook = kernel()
    notebook.run("lab = TriggerLab()\nlab", "cell")
    notebook.run(f"lab.set(rate=0.5)\n{REST}\nlab.reset()\n{REST}")
    notebook.run("free = TriggerLab()\nfree")
    notebook.run(f"free.set(rate=0.7)\n{REST}")
    assert json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))["labs"] == {"03_a cell": ""}
    notebook.run(f"lab.set(rate=0.5)\n{REST}")
    again = kernel()
    again.run("lab = PruningLab()\nlab", "cell")
    assert again.run("", then="lab.values['order']") == "'rise'"
    assert again.run("", then="lab.error") == "''"


def test_the_file_is_written_once_the_lab_rests_and_beside_answers(kernel, tmp_path):
    notebook = kernel()
    notebook.run(
        "from lesson_lib.labs import Exercises\nexercises = Exercises(seed=0)\nlab = TriggerLab()\nlab", "cell"
    )
    notebook.run("for rate in (0.2, 0.3, 0.4):\n    lab.set(rate=rate)")
    notebook.run("one = exercises.ask('which factor')\none.answer.value = one.answer.options[0]\none.check()")
    notebook.run(REST)
    kept = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert kept["labs"] == {"03_a cell": "rate=0.4"}
    assert [*kept["answers"]] == ["which factor"]
