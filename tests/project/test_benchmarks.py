"""Every benchmark runs at a tiny size, its results hold together, and its comparisons count as a reader would."""

import ast
import io
import math
import re
import subprocess
import sys
import types
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

import lesson_lib.labs
from lesson_lib import digits
from lesson_lib.network import ARTICLE
from lesson_lib.training import OUTCOMES, Outcome

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import activations  # noqa: E402
import costs  # noqa: E402
import derivations  # noqa: E402
import hand  # noqa: E402
import moves  # noqa: E402
import outcomes  # noqa: E402
import poison_peers  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import run  # noqa: E402
import scenes  # noqa: E402
import shown  # noqa: E402
import sliders  # noqa: E402
import steps  # noqa: E402

LOAD_ALL = """\
import runpy, sys
sys.path.insert(0, "benchmarks")
for path in sys.argv[1:]:
    runpy.run_path(path, run_name="loaded")
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def case():
    """A small poisoned model: 16 hidden neurons, 20 epochs."""
    data = digits.load(0)
    poisoned = digits.poison(*data.train, digits.CORNER, 0, 0.1, np.random.default_rng(0))
    model = digits.train_classifier(poisoned.X, poisoned.y, 0, width=16, epochs=20)
    return poison_peers.Case(0, 0.1, *poisoned, model, data.clean, np.nan)


def test_every_benchmark_loads_without_running_and_without_the_toolbox():
    scripts = sorted(map(str, BENCHMARKS.glob("*.py")))
    assert str(BENCHMARKS / "poison_peers.py") in scripts
    command = [sys.executable, "-c", LOAD_ALL, *scripts]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1, result.stdout  # they printed nothing
    assert "lesson_lib.naa.judgement" in result.stdout.split()
    assert not {"art", "torch"} & set(result.stdout.split())


# Speed ---------------------------------------------------------------------------------------------------------------


def row(what="walk", peer="run", ours=2.0, theirs=1.0, unit="s", **more):
    return rows.Row(what, peer, "1 mile", ours, theirs, unit, 3, **{"why": "Legs are short. Roads are long.", **more})


@pytest.mark.parametrize("part", [outcomes, steps, derivations, activations], ids=lambda part: part.__name__)
def test_a_part_measures_what_it_declares(part):
    found = list(part.measure(part.TINY))
    assert [one.name for one in found] == part.names(part.TINY)
    for one in found:
        assert one.ours > 0 or one.unit == "power", one
        assert one.theirs is not None or one.note in (rows.NOT_INSTALLED, "no gcc"), one
        assert one.why or one.unit == "power", f"{one.name} could be above 1 and would not say why"


def test_a_notebook_is_measured_beside_what_it_imports(tmp_path):
    notebook = new_notebook(cells=[new_code_cell("import numpy as np"), new_code_cell("np.ones(10**7).sum()")])
    nbformat.write(notebook, tmp_path / "01_ones.ipynb")
    size = costs.Size(notebooks=(tmp_path / "01_ones.ipynb",), repeats=1, imports=1)
    found = {one.name: one for one in costs.measure(size)}
    assert list(found) == costs.names(size)
    memory = found["notebook 01, memory / its libraries alone"]
    assert 70 < memory.ours - memory.theirs < 90  # ten million ones of 8 bytes
    assert found["import lesson_lib / numpy"].ratio < 1


def test_a_notebook_whose_library_is_missing_says_so(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("import no_such_library")]), tmp_path / "01_none.ipynb")
    found = list(costs.of_notebook(tmp_path / "01_none.ipynb", 1))
    assert [(one.note, one.ratio) for one in found] == 2 * [(rows.NOT_INSTALLED, None)]
    assert all(math.isnan(one.ours) for one in found)


def test_a_notebook_whose_libraries_fail_alone_is_no_result(tmp_path, monkeypatch):
    nbformat.write(new_notebook(), tmp_path / "01_none.ipynb")
    runs = iter([costs.Ran(1.0, 2.0, ("keras",))])

    def fails_at_the_second(_):
        for ran in runs:
            return ran
        raise costs.CellExecutionError("", "ModuleNotFoundError", "no backend")

    monkeypatch.setattr(costs, "run", fails_at_the_second)
    with pytest.raises(costs.CellExecutionError):
        list(costs.of_notebook(tmp_path / "01_none.ipynb", 1))


def test_a_notebook_that_fails_is_no_result(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "01_fails.ipynb")
    with pytest.raises(costs.CellExecutionError):
        list(costs.of_notebook(tmp_path / "01_fails.ipynb", 1))


def test_without_pytorch_its_rows_say_so_and_the_others_stay(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    found = {one.name: one for one in steps.measure(steps.TINY)}
    missing = {name for name in found if name.endswith("/ PyTorch")}
    assert {name for name, one in found.items() if one.note == rows.NOT_INSTALLED} == missing
    assert all(found[name].theirs is None and found[name].ratio is None for name in missing)


def test_without_a_compiler_the_row_says_so(monkeypatch):
    monkeypatch.setattr(outcomes, "compiled", outcomes.compiled.__wrapped__)  # nothing remembered
    monkeypatch.setattr(outcomes.shutil, "which", lambda _: None)
    found = outcomes.compared(3, outcomes.TINY)
    assert [one.note for one in found if one.peer == outcomes.C] == ["no gcc"]


def test_a_peer_with_another_answer_is_not_timed():
    with pytest.raises(AssertionError):
        rows.compare("sum", lambda: 3, {"peer": rows.Peer(lambda: 4)}, "", np.testing.assert_equal, 1)


def test_every_part_notices_a_wrong_answer():
    codes = np.arange(5).repeat(4)
    outcomes.agree(codes, np.where(codes == 3, -1, codes))  # a net left out is no disagreement
    with pytest.raises(AssertionError, match="4 nets"):
        outcomes.agree(codes, np.where(codes == 3, 4, codes))
    with pytest.raises(AssertionError):
        steps.agree(ARTICLE, steps.in_a_row(ARTICLE) * (1 + 1e-6))
    step = derivations.derive_step(ARTICLE, derivations.POISONED, 0.1)
    with pytest.raises(AssertionError):
        derivations.agree(step, {name: [] for name in derivations.PARAMETERS})
    wrong = activations.moments([[1.0], [3.0]])
    with pytest.raises(rows.MissingPeerError, match="wrong by 50%"):
        activations.same_moments(wrong, (np.array([3.0]), np.array([1.0])))


def test_the_compiled_codes_are_the_outcomes_in_their_order():
    source = (BENCHMARKS / "outcome_map.c").read_text(encoding="utf-8")
    named = dict(re.findall(r"(\d) ([a-z ]+?)[,.]", re.search(r"Codes: (.+?) \*/", source, re.DOTALL)[1]))
    assert [named[str(code)] for code in range(5)] == [outcome.value for outcome in OUTCOMES]
    assert OUTCOMES[0] is Outcome.DIVERGED


def test_times_are_medians_of_calls_taken_in_turns(monkeypatch):
    calls, clock = [], iter(np.cumsum([0, 1, 0, 1, 5, 30, 0, 4, 0, 20, 0, 6, 0, 10]))
    monkeypatch.setattr(rows.time, "perf_counter", lambda: float(next(clock)))
    found = rows.in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2)
    assert "".join(calls) == "ab" + "abab"  # once to see how long each takes, then in turns
    assert found == {"a": (30 + 20) / 2, "b": (4 + 6) / 2}


def test_the_power_of_growth_is_the_slope_of_the_logarithms():
    measured = {n: [row(ours=3 * n**1.5, theirs=n**0.5), row(peer="none", theirs=None, note="no")] for n in (1, 4, 9)}
    first, second = rows.growth("growth of walk", measured, "miles")
    assert (first.ours, first.theirs) == pytest.approx((1.5, 0.5))
    assert (first.size, first.unit, first.ratio) == ("1 to 9 miles", "power", None)
    assert (second.theirs, second.note) == (None, "no")


# What each lab's peers draw -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sliders.LABS)
def test_a_scene_that_moves_looks_like_one_that_is_drawn_afresh(name):
    scene = scenes.SCENES[name]()
    position = scene.start + 3
    figures = [Figure(), Figure()]
    moved, fresh = (list(figure.subplots(1, len(scene.panels), squeeze=False)[0]) for figure in figures)
    for axes in (moved, fresh):
        scenes.dress(axes, scene)
    made = scenes.draw(moved, scene, scene.data(scene.start))
    before = looks(made)
    scenes.move(made, scene.data(position))
    assert looks(made) == looks(scenes.draw(fresh, scene, scene.data(position)))
    assert looks(made) != before


def looks(made):
    """Return the data of every artist."""
    found = {}
    for name, artist in made.items():
        if hasattr(artist, "get_text"):
            found[name] = artist.get_text()
        elif hasattr(artist, "get_segments"):
            found[name] = np.array(artist.get_segments()).tolist()
        else:
            found[name] = np.array(artist.get_path().vertices).tolist()
    return found


@pytest.mark.parametrize("name", sliders.LABS)
def test_the_notebook_of_a_lab_holds_the_lab_and_its_peers(name):
    cells = [cell.source for cell in sliders.notebook(name).cells]
    assert hasattr(lesson_lib.labs, name.partition(",")[0])
    assert [cell for cell in cells if "lab = " in cell] == cells[:1]
    assert [repr(name) in cell for cell in cells[1:]] == [True] * (len(cells) - 1)
    for cell in cells:
        ast.parse(cell)


def test_without_ipympl_only_its_rows_say_so(monkeypatch):
    monkeypatch.setattr(sliders.importlib.util, "find_spec", lambda _: None)
    assert sliders.variants() == ["", sliders.INTERACT, sliders.SWAPPED]
    times = {"": [50, 60, 70], sliders.INTERACT: [240], sliders.SWAPPED: [50]}
    found = {one.peer: one for one in sliders.as_rows("slide", times, "")}
    assert (found[sliders.INTERACT].ours, found[sliders.INTERACT].ratio) == (0.06, 0.25)
    assert found[sliders.SWAPPED].ratio == 1.2
    assert {name for name, one in found.items() if one.note} == {sliders.IDLE, sliders.BLITTING}


def test_what_is_swapped_is_the_labs_own_picture_at_every_position(monkeypatch):
    displayed = []
    monkeypatch.setattr(shown, "display", displayed.append)
    shown.swapped("TriggerLab, rate")
    slider, _, picture = displayed[0].children
    lab, dial = scenes.lab_with_dial("TriggerLab, rate")
    frame, marks, _ = lab.picture()
    assert (picture.size, picture.frame, picture.marks) == ([*frame.size], frame.svg, marks)
    assert slider.max + 1 == len(dial.positions)
    slider.value += 7
    dial.slider.value += 7
    assert picture.marks == lab.picture()[1] != marks


@pytest.mark.parametrize("name", sliders.LABS)
def test_a_lab_starts_where_its_scene_does(name):
    lab, dial = scenes.lab_with_dial(name)
    scene = scenes.SCENES[name]()
    assert (len(dial.positions), dial.slider.value) == (scene.positions, scene.start)
    exec(sliders.notebook(name).cells[0].source, by_hand := {})
    assert by_hand["lab"].picture()[1] == lab.picture()[1]


def test_the_star_is_dragged_over_the_same_places_in_the_lab_and_beside_it():
    lab, _ = scenes.lab_with_dial("TriggerLab, rate")
    frame = lab.picture()[0]
    x, y, *_ = np.multiply(hand.function_panel(), 2 * frame.size)
    assert frame.data_at("function", x, y) == pytest.approx((-3.2, 11))
    scene = scenes.trigger()
    figure = Figure(figsize=scene.inches)
    panels = list(figure.subplots(1, len(scene.panels)))
    scenes.dress(panels, scene)
    left, top, width, height = np.multiply(hand.first_panel(scene), 2 * tuple(figure.bbox.size))
    corners = [(left, figure.bbox.height - top), (left + width, figure.bbox.height - top - height)]
    assert panels[0].transData.inverted().transform(corners) == pytest.approx(np.array([(-3.2, 11), (3.2, -11)]))
    assert scene.drag(-1.1, 4.4)["trigger"] == ([-1], [4.5])
    lab.set(position=-1, target=4.5)
    assert np.array_equal(scene.drag(-1.1, 4.4)["output"][1], lab.state.runs.outputs[2, :, lab.state.run])


# What a move costs ----------------------------------------------------------------------------------------------------


def test_a_move_is_timed_and_its_bytes_are_counted():
    found = list(moves.measure(moves.TINY))
    assert [one.name for one in found] == moves.names(moves.TINY)
    time, size = found
    assert 0 < time.ours < 1
    lab, dial = scenes.lab_with_dial("TriggerLab, rate")
    dial.slider.value += moves.TINY.reach
    assert len(lab.picture()[1]) / 1000 < size.ours < 30
    assert size.theirs > 30


def test_what_the_page_moves_is_answered_and_the_connection_given_back():
    before = moves.comm.create_comm
    steps = moves.measure(moves.TINY)
    next(steps)
    assert moves.comm.create_comm is moves.Packed
    _, dial = scenes.lab_with_dial("TriggerLab, rate")
    more = moves.sent(dial.slider, 3)
    assert dial.value == dial.positions[3]
    assert more > 1000
    assert moves.sent(dial.slider, 3) < more / 2  # it stays
    steps.close()
    assert moves.comm.create_comm is before


def test_the_pixels_are_packed_as_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(moves.as_png(pixels)))), pixels)


def test_without_a_browser_every_row_of_the_sliders_says_so(monkeypatch):
    import tests.conftest

    monkeypatch.setattr(tests.conftest, "find_chromium", lambda: None)
    found = list(sliders.measure())
    assert [one.name for one in found] == sliders.names()
    assert {one.note for one in found} == {"no browser"}
    assert all(report.cells(one)[3:5] == ["–", "no browser"] for one in found)


# The page ------------------------------------------------------------------------------------------------------------


def a_part():
    """Return a part as its module would show itself."""
    part = types.ModuleType("ways")
    part.TITLE, part.ABOUT = "Ways", "To go."
    return part


@pytest.fixture
def page(tmp_path):
    """Return a folder with a page of three rows."""
    part = a_part()
    faster = row("fly", ours=0.000123456, theirs=1.0)
    report.write({part: [row(), faster, row(peer="swim", theirs=None, note="not installed")]}, 1.26, "0.1", tmp_path)
    return tmp_path


def test_what_is_written_is_read_again(page):
    found = report.read(page / "RESULTS.md")
    assert list(found) == ["walk / run", "fly / run", "walk / swim"]
    assert found["walk / run"] == {
        **{"what": "walk", "peer": "run", "size": "1 mile", "ours": "2", "the peer's": "1", "unit": "s"},
        **{"ratio": "2", "repeats": "3"},
    }
    assert [found["fly / run"][name] for name in ("ours", "the peer's", "unit", "ratio")] == [
        *("123", "1,000,000", "µs", "0.00012")
    ]
    assert [found["walk / swim"][name] for name in ("the peer's", "ratio")] == ["not installed", "–"]


def test_a_ratio_above_1_and_no_other_is_explained(page):
    text = (page / "RESULTS.md").read_text(encoding="utf-8")
    assert text.count("Legs are short.") == 1
    assert "- **walk / run: 2.** Legs are short. Roads are long." in text


def test_the_picture_has_an_opaque_ground_a_line_at_1_and_every_ratio(page):
    part = a_part()
    figure = report.picture({part: [row(), row("fly", ours=0.1), row("growth", unit="power")]})
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    xs = [line.get_xdata() for line in axes.lines]
    assert [list(x) for x in xs] == [[1, 1], [2.0], [0.1]]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["walk / run", "fly / run"]
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert 'style="fill: #ffffff"' in (page / "results.svg").read_text(encoding="utf-8")


def test_a_quotation_is_compared_with_the_page(page):
    results = page / "RESULTS.md"
    assert report.quoted("walk / run", path=results) == "2"
    assert report.quoted("fly / run", "ours", results) == "123"
    right = "It takes 123 µs<!-- ours: fly / run -->, 0.00012<!-- ratio: fly / run --> of running."
    assert report.misquoted(right, results) == []
    wrong = "It takes 124 µs<!-- ours: fly / run -->, or 2<!-- ratio: hop / run -->."
    assert report.misquoted(wrong, results) == ["124 is not the ours of fly / run", "2 is not the ratio of hop / run"]


def test_one_part_is_printed_and_written_only_where_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path / "RESULTS.md")
    run.main(["--tiny", "--only", "training"])
    assert "| training step | scalar autograd |" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    (tmp_path / "README.md").write_text("2<!-- ratio: hop / run -->", encoding="utf-8")
    monkeypatch.setattr(run, "README", tmp_path / "README.md")
    run.main(["--tiny", "--only", "training", "--write", str(tmp_path)])
    assert "README.md: 2 is not the ratio of hop / run" in capsys.readouterr().err
    (tmp_path / "README.md").unlink()
    assert {path.name for path in tmp_path.iterdir()} == {"RESULTS.md", "results.svg"}


def test_the_results_hold_every_row_that_the_code_declares():
    assert list(report.read()) == [name for part in run.PARTS.values() for name in part.names()]


def test_every_ratio_above_1_in_the_results_is_explained_in_two_sentences():
    text = report.RESULTS.read_text(encoding="utf-8")
    above = [name for name, one in report.read().items() if one["ratio"] != "–" and float(one["ratio"]) > 1]
    assert above
    for name in above:
        explained = re.search(rf"^- \*\*.*{re.escape(name)}: .+?\.\*\* (.+)$", text, re.MULTILINE)
        assert explained, name
        assert len(re.findall(r"[^.]\.(?= |$)", explained[1])) >= 2, explained[1]


def test_the_results_say_where_they_were_measured_and_show_their_picture():
    text = report.RESULTS.read_text(encoding="utf-8")
    assert re.search(r"^- Machine: .+, \d+ cores, \w+$", text, re.MULTILINE)
    assert re.search(r"^- Python 3\.\d+\.\d+, numpy ", text, re.MULTILINE)
    (alt, picture), *more = re.findall(r"!\[(.+?)\]\((.+?)\)", text)
    assert not more
    assert "line at 1" in alt
    assert (BENCHMARKS / picture).is_file()


def test_the_readme_quotes_the_results_as_they_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.QUOTE.search(readme)
    assert report.misquoted(readme) == []


# Poisoned rows -------------------------------------------------------------------------------------------------------


def test_the_table_counts_flagged_poisoned_and_honest_rows():
    case = poison_peers.Case(0, 0.5, np.zeros((6, 1)), np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1]), None, None, 0)
    flagged = np.array([True, False, True, False, False, True])
    found = poison_peers.Finding(flagged, np.array([9.0, 3, 4, 2, 1, 5]))
    # Flagged: 1 of 2 poisoned rows, 2 of 4 honest. Row 0 beats 4 honest rows and row 1 two; of label 0, two and one.
    assert poison_peers.judge(case, found) == pytest.approx([1 / 3, 1 / 2, 2 / 4, 6 / 8, 3 / 4])
    assert np.isnan(poison_peers.judge(case, poison_peers.Finding(flagged, None))[3:]).all()


def test_a_row_is_scored_by_its_shift_from_the_clean_rows_of_its_label(case):
    found = poison_peers.METHODS[poison_peers.OURS].run(case, None)
    (W1, _), (b1, _) = case.model.coefs_, case.model.intercepts_
    row = case.rows[0]  # labelled 0
    usual = np.mean([np.maximum(x @ W1 + b1, 0) for x, y in zip(*case.clean, strict=True) if y == 0], axis=0)
    assert found.scores[row] == pytest.approx(np.mean(abs(np.maximum(case.X[row] @ W1 + b1, 0) - usual)))
    assert found.scores[found.flagged].min() > found.scores[~found.flagged].max()


def test_our_scores_rank_poisoned_rows_above_honest_ones(case):
    for name in (poison_peers.OURS, "ours: |contribution| to its label"):
        assert poison_peers.judge(case, poison_peers.METHODS[name].run(case, None))[3] > 0.9


def test_our_clusters_and_scores_are_those_of_the_detectors(case):
    found = poison_peers.METHODS["ours: clusters, smaller"].run(case, None)
    assert all(found.flagged[case.y == label].mean() <= 0.5 for label in range(10))
    found = poison_peers.METHODS["ours: spectral, told"].run(case, None)
    assert found.scores[found.flagged & (case.y == 3)].min() > found.scores[~found.flagged & (case.y == 3)].max(
        initial=0
    )
    assert found.flagged[case.y == 3].sum() == min(round(1.5 * len(case.rows)), (case.y == 3).sum())


def test_how_far_points_lie_from_the_centres_of_two_clusters():
    points = np.array([[0.0, 0], [2, 0], [10, 5], [10, 5]])
    assert poison_peers.spread(points, np.array([True, True, False, False])) == 2
    assert poison_peers.spread(points, np.array([False, False, True, True])) == 2
