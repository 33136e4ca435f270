"""The tests themselves are tested: a fault planted in a copy of the package must make several of them fail."""

import multiprocessing
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import mutation

ROOT = Path(__file__).parents[2]
# The tests that have to notice a fault.
NET = ("network/test_network.py", "derivation/test_derivation.py", "proofs/test_certificate.py")
TRAINING, REPAIR = ("network/test_training.py",), ("repair/test_repair.py",)
NAA, RULES, MOMENTS = ("naa/test_naa.py",), ("naa/test_rules.py",), ("naa/test_moments.py",)
# The same random examples in every run, and no search for the smallest one that fails.
CONFTEST = """\
from hypothesis import Phase, settings

settings.register_profile("quick", max_examples=20, derandomize=True, deadline=None, phases=[Phase.generate])
settings.load_profile("quick")
"""
# Each of these runs without an error; only its numbers are wrong: (tests, file or room, what it says, what is planted).
FAULTS = {
    "sign of the error": (NET, "network.py", "errors = passed.y_hat - Y", "errors = Y - passed.y_hat"),
    "error sent back through W1": (NET, "network.py", "da1 = dy_hat @ net.W2.T", "da1 = dy_hat @ net.W1"),
    "gate left out": (NET, "network.py", "dz1 = da1 * phi_prime", "dz1 = da1"),
    "samples averaged": (NET, "network.py", "W1=X.T @ factors.dz1", "W1=X.T @ factors.dz1 / X.shape[0]"),
    "bias gradient halved": (NET, "network.py", "b2=factors.dy_hat.sum(", "b2=0.5 * factors.dy_hat.sum("),
    "relu' at 0 is 1": (NET, "activations.py", "np.where(z1 == 0, at_zero, 0)", "np.where(z1 == 0, 1, 0)"),
    "one epoch too few": (TRAINING, "training.py", "in range(epochs + 1)", "in range(epochs)"),
    "clean and suspect swapped": (NAA, "naa", "shift = suspect.mean - clean.mean", "shift = clean.mean - suspect.mean"),
    "threshold counts as above": (NAA, "naa", "np.where(signature > threshold)", "np.where(signature >= threshold)"),
    "variance divided by n": (MOMENTS, "naa", "self.m2 / (self.n - 1)", "self.m2 / self.n"),
    "MAD without its scale": (RULES, "naa", "NORMAL_MAD = 1.4826", "NORMAL_MAD = 1.0"),
    "the wrong neurons pruned": (REPAIR, "repair", "kept[neurons] = 0", "kept[neurons - 1] = 0"),
    "clipped at the other end": (REPAIR, "repair", "(clean, percentile,", "(clean, 100 - percentile,"),
    "pruned neurons trained again": (REPAIR, "repair", "slopes._replace(W2=slopes.W2 * alive)", "slopes"),
    "gradient not averaged": (REPAIR, "repair", "targets) / len(X)", "targets)"),
    "Adam always at its first step": (REPAIR, "repair", "(1 - 0.9**step)", "(1 - 0.9)"),
    "a step uphill": (NET, "network.py", "getattr(net, name) - rate *", "getattr(net, name) + rate *"),
}
# Each run is a process of its own. Where there is `fork`, they start from one that has imported what takes long.
STARTER = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
LIBRARIES = ["pytest", "hypothesis.strategies", "scipy.stats", "sympy", "sklearn.neural_network", "sklearn.metrics"]


def copy(folder, files):
    """Put the package, these files of tests and the settings into a folder."""
    shutil.copytree(ROOT / "lesson_lib", folder / "lesson_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in (*files, "strategies.py"):
        (folder / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    (folder / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")


def plant(folder, place, old, new):
    """Replace one piece of source in a copy."""
    path = folder / "lesson_lib" / place
    sources = {file: file.read_text(encoding="utf-8") for file in ([path] if path.is_file() else path.glob("*.py"))}
    [found] = [file for file, source in sources.items() if source.count(old) == 1]
    found.write_text(sources[found].replace(old, new), encoding="utf-8")


def run_tests(folder, *choice):
    """Run tests of a copy; return how many passed, the ids of those that failed, and all that was printed."""
    process = STARTER.Process(target=run_pytest, args=(folder, choice))
    process.start()
    process.join()
    printed = (folder / "printed").read_text(encoding="utf-8")
    passed = re.search(r"(\d+) passed", printed.splitlines()[-1])
    failed = re.findall(r"^FAILED (.+?)(?: - .*)?$", printed, re.MULTILINE)
    return int(passed[1]) if passed else 0, failed, printed


def run_pytest(folder, choice):
    """Run pytest on a copy, in a process that is there for nothing else; all that it prints goes into a file."""
    output = os.open(folder / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    assert not any(name.startswith("lesson_lib") for name in sys.modules)
    sys.path.insert(0, str(folder))
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "1000"}
    os.environ.pop("PYTEST_ADDOPTS", None)
    options = [
        "-q",
        "-rf",
        "-p",
        "no:cacheprovider",
        "--tb=line",
        "--assert=plain",
        "--color=no",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    pytest.main([*options, *choice])


def run_on_a_fault(folder, tests, *fault):
    """Run the tests that have to notice a fault on a copy that has it; they stop at the third that fails."""
    copy(folder, tests)
    plant(folder, *fault)
    files = [f"tests/{name}" for name in tests]
    return run_tests(folder, "--maxfail=3", "-m", "not torch and not dask", "-k", "not refused", *files)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Start the tests on all copies, two at a time; each test waits for its own."""
    if STARTER.get_start_method() == "forkserver":
        STARTER.set_forkserver_preload(LIBRARIES)
    pool = ThreadPoolExecutor(2)
    yield {fault: pool.submit(run_on_a_fault, tmp_path_factory.mktemp("copy"), *fault) for fault in FAULTS.values()}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_makes_tests_fail(runs, fault):
    _, failed, output = runs[fault].result()
    least = 3 if fault[0] is NET else 1
    assert least <= len(failed) <= 3, output  # it stops at the third


def test_what_the_faults_made_fail_passes_on_an_untouched_copy(runs, tmp_path):
    failed = sorted({test for run in runs.values() for test in run.result()[1]})
    copy(tmp_path, sorted({name for tests, *_ in FAULTS.values() for name in tests}))
    passed, still_failed, output = run_tests(tmp_path, *failed)
    assert (passed, still_failed) == (len(failed), []), output
    assert passed > len(FAULTS)


def test_few_of_all_small_changes_were_missed_and_each_of_those_has_a_reason():
    report = mutation.REPORT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/]+)` \|.*\| (\d+) \| (\d+) \| (\d+) \|", report, re.M)
    assert [module for module, *_ in rows] == list(mutation.TESTS)
    for module, *counts in rows:
        changes, noticed, missed = map(int, counts)
        assert changes == noticed + missed
        assert noticed >= 0.96 * changes, module
        assert report.partition(f"## {module}\n")[2].partition("\n## ")[0].count("```diff") == missed
    assert mutation.UNEXPLAINED not in report
    changes, noticed = (sum(int(row[i]) for row in rows) for i in (1, 2))
    assert noticed >= 0.985 * changes
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Of {changes:,} small changes of the code" in readme
    assert f"they notice {noticed / changes:.1%}." in readme
