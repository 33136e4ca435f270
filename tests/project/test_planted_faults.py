"""The tests themselves are tested: a fault planted in a copy of the package must make several of them fail."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import mutation

ROOT = Path(__file__).parents[2]
NET = ["test_network.py", "test_derivation.py", "test_certificate.py"]
NAA = ["test_naa.py", "test_rules.py", "test_moments.py"]
REPAIR = ["test_repair.py"]
FILES = {  # the tests that have to notice a fault in a module
    **dict.fromkeys(["network", "matrices"], NET),
    **dict.fromkeys(["naa", "rules", "moments"], NAA),
    "training": ["test_training.py"],
    **dict.fromkeys(["repair", "classifier"], REPAIR),
}
# The same random examples in every run, and no search for the smallest one that fails.
CONFTEST = """\
from hypothesis import Phase, settings

settings.register_profile("quick", max_examples=20, derandomize=True, deadline=None, phases=[Phase.generate])
settings.load_profile("quick")
"""
# Each of these runs without an error; only its numbers are wrong.
FAULTS = {
    "sign of the error": ("network", "dy_hat = y_hat - Y ", "dy_hat = Y - y_hat "),
    "error sent back through W1": ("network", "da1 = dy_hat @ params.W2.T", "da1 = dy_hat @ params.W1"),
    "gate left out": ("network", "dz1 = multiply(da1, gate)", "dz1 = da1"),
    "samples averaged": ("network", "W1=X.T @ factors.dz1", "W1=X.T @ factors.dz1 / X.shape[0]"),
    "bias gradient halved": ("network", "b2=ones.T @ factors.dy_hat", "b2=ones.T @ factors.dy_hat / 2"),
    "relu' at 0 is 1": ("matrices", "np.where(z1 == 0, relu_prime_at_zero, 0)", "np.where(z1 == 0, 1, 0)"),
    "one epoch too few": ("training", "for epoch in range(1, epochs + 1)", "for epoch in range(1, epochs)"),
    "clean and suspect swapped": ("naa", "shift = suspect.mean - clean.mean", "shift = clean.mean - suspect.mean"),
    "threshold counts as above": ("naa", "np.where(signature > threshold)", "np.where(signature >= threshold)"),
    "variance divided by n": ("moments", "self.m2 / (self.n - 1)", "self.m2 / self.n"),
    "MAD without its scale": ("rules", "NORMAL_MAD = 1.4826", "NORMAL_MAD = 1.0"),
    "the wrong neurons pruned": ("repair", "kept[neurons] = 0", "kept[neurons - 1] = 0"),
    "clipped at the other end": (
        "repair",
        "np.percentile(clean, percentile,",
        "np.percentile(clean, 100 - percentile,",
    ),
    "pruned neurons trained again": ("repair", 'slopes["W2"] * alive[:, None]', 'slopes["W2"]'),
    "bias gradient summed over the classes": ("classifier", "d_logits.sum(axis=0,", "d_logits.sum(axis=None,"),
    "Adam always at its first step": ("repair", "step += 1", "step = 1"),
    "a step uphill": ("network", "getattr(params, name) - rate *", "getattr(params, name) + rate *"),
}


UNTOUCHED = [(module, "", "") for module in ("network", "naa", "training", "repair")]


def run_tests_on_a_copy(folder, module, old, new):
    """Copy package and tests, replace one piece of source, and return (passed, failed, output) of the tests."""
    shutil.copytree(ROOT / "lesson_lib", folder / "lesson_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    tests = folder / "tests"
    tests.mkdir()
    files = FILES[module]
    for name in (*files, "strategies.py"):
        shutil.copy(ROOT / "tests" / name, tests)
    (tests / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    if old:
        path = folder / "lesson_lib" / f"{module}.py"
        source = path.read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{module}.py no longer says {old!r}: plant the fault anew"
        path.write_text(source.replace(old, new), encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "--maxfail=3", "--tb=line", "-o", "addopts=--import-mode=importlib"]
    choice = ["-m", "not torch and not dask", "-k", "not refused", *(f"tests/{name}" for name in files)]
    command = [sys.executable, "-m", "pytest", *options, *choice]
    env = os.environ | {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    found = {kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed)", result.stdout.splitlines()[-1])}
    return found.get("passed", 0), found.get("failed", 0), result.stdout + result.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Start the tests on all copies, two at a time; each test waits for its own."""
    pool = ThreadPoolExecutor(2)
    copies = [*UNTOUCHED, *FAULTS.values()]
    yield {copy: pool.submit(run_tests_on_a_copy, tmp_path_factory.mktemp("copy"), *copy) for copy in copies}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("copy", UNTOUCHED, ids=lambda copy: copy[0])
def test_an_untouched_copy_passes(runs, copy):
    passed, failed, output = runs[copy].result()
    assert passed > (100 if copy[0] == "network" else 20), output
    assert failed == 0, output


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_makes_tests_fail(runs, fault):
    _, failed, output = runs[fault].result()
    least = 3 if FILES[fault[0]] is NET else 1
    assert least <= failed <= 3, output  # it stops at the third


def test_few_of_all_small_changes_were_missed_and_each_of_those_has_a_reason():
    report = mutation.REPORT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\d+) \| (\d+) \| (\d+) \|", report, re.M)
    assert [module for module, *_ in rows] == list(mutation.TESTS)
    for module, *counts in rows:
        changes, noticed, missed = map(int, counts)
        assert changes == noticed + missed
        assert noticed >= 0.95 * changes, module
        assert report.partition(f"## {module}\n")[2].partition("\n## ")[0].count("```diff") == missed
    assert mutation.UNEXPLAINED not in report
    changes, noticed = (sum(int(row[i]) for row in rows) for i in (1, 2))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Of {changes:,} small changes of the code" in readme
    assert f"they notice {noticed / changes:.1%}." in readme
