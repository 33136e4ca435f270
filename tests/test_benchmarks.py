"""The benchmarks load without running, and the comparison with other tools counts as a reader would."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lesson_lib import digits

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import poison_peers  # noqa: E402

LOAD_ALL = "import runpy, sys; [runpy.run_path(path, run_name='loaded') for path in sys.argv[1:]]; print(*sys.modules)"


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
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1, result.stdout  # they printed nothing
    assert "lesson_lib.naa" in result.stdout.split()
    assert not {"art", "torch"} & set(result.stdout.split())


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
