"""Labs in JupyterLab under strain: two of a kind, two notebooks, a restarted kernel, a key held down for long."""

import pytest
from helpers import TwinLab, cell_with, write_notebook

from lesson_lib.labs import BiasLab, NAALab, PruningLab, TriggerLab
from lesson_lib.labs.shared import words

KINDS = [TriggerLab, BiasLab, NAALab, PruningLab]
CELLS = [cell_with(kind) for kind in KINDS for _ in range(2)]
RUN_FIRST = """async () => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0;
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
WIDGETS = "len(__import__('ipywidgets').widgets.widget._instances)"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
MEMORY = "__import__('psutil').Process().memory_info().rss / 2**20"  # of the kernel, in MB


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (TriggerLab, {"rate": 0.5, "position": -1}, {"target": -3}),
        (BiasLab, {"biases": "both", "rate": 0.2}, {"b1": "0, 1.5"}),
        (NAALab, {"threshold": 0, "rule": "mad"}, {"source": "learnt backdoor"}),
        (PruningLab, {"order": "random", "pruned": 30}, {"model": "planted loud", "pruned": 100}),
    ],
)
def test_two_labs_of_a_kind_leave_each_other_alone(opened, kind, one, other):
    first, second = (TwinLab(opened, 2 * KINDS.index(kind) + i, kind()) for i in range(2))
    first.put(**one)
    second.agrees()
    second.put(**other)
    first.agrees()
    first.restart()
    second.restart()


def hold_keys(lab, name, events):
    """Hold the right arrow on a slider for 40 events, then the left one for 30, and so on; wait for the last value."""
    dial, keyboard = lab.twin.controls[name], lab.page.keyboard
    lab.slider(dial.number.description).focus()
    at = dial.slider.value
    for i in range(events):
        step = 1 if i % 70 < 40 else -1
        keyboard.down("ArrowRight" if step > 0 else "ArrowLeft")
        if i % 70 in (39, 69):
            keyboard.up("ArrowRight" if step > 0 else "ArrowLeft")
        at = min(max(at + step, 0), len(dial.positions) - 1)
    lab.agrees(**{name: dial.positions[at]})


@pytest.mark.parametrize(("kind", "name"), [(TriggerLab, "rate"), (NAALab, "threshold")])
def test_a_key_held_for_500_events_ends_on_the_last_picture_and_hoards_nothing(opened, kind, name):
    lab = TwinLab(opened, 2 * KINDS.index(kind), kind())
    lab.restart()
    sizes = []
    for _ in range(2):
        hold_keys(lab, name, 250)
        sizes.append((float(opened.compute(MEMORY)), opened.live_nodes()))
    (memory, nodes), (memory_after, nodes_after) = sizes
    assert memory_after - memory < 10
    assert nodes_after - nodes < 250


def test_a_cell_that_is_run_again_shows_a_new_lab_and_leaves_nothing_of_the_old_one(opened):
    counts = []
    for rate in (0.3, 0.5, 2):
        opened.page.evaluate(RUN_FIRST)
        opened.wait_until_run()
        TwinLab(opened, 0, KINDS[0]()).put(rate=rate)
        counts.append(int(opened.compute(WIDGETS)))
    assert counts == counts[:1] * 3
    TwinLab(opened, 1, KINDS[0]()).agrees()


def test_two_notebooks_side_by_side_and_a_restarted_kernel_leave_each_other_alone(opened, server):
    here = f"{__name__}.ipynb"
    first = TwinLab(opened, 0, TriggerLab())
    first.put(rate=0.3)
    opened.bring(write_notebook(server.folder, "beside", [cell_with(TriggerLab)]))
    opened.run_all()
    second = TwinLab(opened, 0, TriggerLab())
    second.put(target=-3)
    opened.bring(here)
    first.agrees()
    opened.bring("beside.ipynb")
    second.agrees()
    opened.restart_and_run_all()
    again = TwinLab(opened, 0, TriggerLab())
    again.agrees()
    again.put(rate=2)
    assert opened.cell(0).locator(".by-hand").count() == 1
    opened.bring(here)
    first.put(position=1)


def test_a_picture_that_has_lost_its_kernel_says_so_until_its_cell_is_run_again(opened, server):
    here = f"{__name__}.ipynb"
    opened.bring(write_notebook(server.folder, "lost", [cell_with(TriggerLab)]))
    opened.run_all()
    lab = TwinLab(opened, 0, TriggerLab())
    assert lab.alert.count() == 0
    opened.page.evaluate(RESTART)
    lab.alert.filter(has_text=words.GONE).wait_for()
    assert lab.canvas.evaluate("svg => Number(getComputedStyle(svg).opacity)") < 0.5
    opened.run_all()
    again = TwinLab(opened, 0, TriggerLab())
    again.agrees()
    assert again.alert.count() == 0
    again.put(rate=2)
    opened.bring(here)
