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
NET = ["network/test_network.py", "derivation/test_derivation.py", "derivation/test_certificate.py"]
FILES = {  # the tests that have to notice a fault in a module
    **dict.fromkeys(["network", "arrays"], NET),
    "training": ["network/test_training.py"],
    "naa/comparison": ["naa/test_naa.py"],
    "naa/rules": ["naa/test_rules.py"],
    "naa/moments": ["naa/test_moments.py"],
    "repair/repairs": ["repair/test_repair.py"],
    "repair/classifier": ["repair/test_repair.py"],
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
    "relu' at 0 is 1": ("arrays", "np.where(z1 == 0, relu_prime_at_zero, 0)", "np.where(z1 == 0, 1, 0)"),
    "one epoch too few": ("training", "for epoch in range(1, epochs + 1)", "for epoch in range(1, epochs)"),
    "clean and suspect swapped": (
        "naa/comparison",
        "shift = suspect.mean - clean.mean",
        "shift = clean.mean - suspect.mean",
    ),
    "threshold counts as above": (
        "naa/comparison",
        "np.where(signature > threshold)",
        "np.where(signature >= threshold)",
    ),
    "variance divided by n": ("naa/moments", "self.m2 / (self.n - 1)", "self.m2 / self.n"),
    "MAD without its scale": ("naa/rules", "NORMAL_MAD = 1.4826", "NORMAL_MAD = 1.0"),
    "the wrong neurons pruned": ("repair/repairs", "kept[neurons] = 0", "kept[neurons - 1] = 0"),
    "clipped at the other end": (
        "repair/repairs",
        "np.percentile(clean, percentile,",
        "np.percentile(clean, 100 - percentile,",
    ),
    "pruned neurons trained again": ("repair/repairs", 'slopes["W2"] * alive[:, None]', 'slopes["W2"]'),
    "bias gradient summed over the classes": ("repair/classifier", "d_logits.sum(axis=0,", "d_logits.sum(axis=None,"),
    "Adam always at its first step": ("repair/repairs", "step += 1", "step = 1"),
    "a step uphill": ("network", "getattr(params, name) - rate *", "getattr(params, name) + rate *"),
}


def copy(folder, files):
    """Put the package, these files of tests and the settings into a folder."""
    shutil.copytree(ROOT / "lesson_lib", folder / "lesson_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in (*files, "strategies.py"):
        (folder / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    (folder / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")


def plant(folder, module, old, new):
    """Replace one piece of source in a copy."""
    path = folder / "lesson_lib" / f"{module}.py"
    source = path.read_text(encoding="utf-8")
    assert source.count(old) == 1, f"{module}.py no longer says {old!r}: plant the fault anew"
    path.write_text(source.replace(old, new), encoding="utf-8")


def run_tests(folder, *choice):
    """Run tests of a copy; return how many passed, the ids of those that failed, and all that was printed."""
    options = [
        "-q",
        "-rf",
        "-p",
        "no:cacheprovider",
        "--tb=line",
        "--assert=plain",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    command = [sys.executable, "-m", "pytest", "--color=no", *options, *choice]
    env = os.environ | {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "1000"}
    env.pop("PYTEST_ADDOPTS", None)
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", result.stdout.splitlines()[-1])
    failed = re.findall(r"^FAILED (.+?)(?: - .*)?$", result.stdout, re.MULTILINE)
    return int(passed[1]) if passed else 0, failed, result.stdout + result.stderr


def run_on_a_fault(folder, module, old, new):
    """Run the tests that have to notice a fault on a copy that has it; they stop at the third that fails."""
    copy(folder, FILES[module])
    plant(folder, module, old, new)
    files = [f"tests/{name}" for name in FILES[module]]
    return run_tests(folder, "--maxfail=3", "-m", "not torch and not dask", "-k", "not refused", *files)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Start the tests on all copies, two at a time; each test waits for its own."""
    pool = ThreadPoolExecutor(2)
    yield {fault: pool.submit(run_on_a_fault, tmp_path_factory.mktemp("copy"), *fault) for fault in FAULTS.values()}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_makes_tests_fail(runs, fault):
    _, failed, output = runs[fault].result()
    least = 3 if FILES[fault[0]] is NET else 1
    assert least <= len(failed) <= 3, output  # it stops at the third


def test_what_the_faults_made_fail_passes_on_an_untouched_copy(runs, tmp_path):
    failed = sorted({test for run in runs.values() for test in run.result()[1]})
    copy(tmp_path, sorted({name for files in FILES.values() for name in files}))
    passed, still_failed, output = run_tests(tmp_path, *failed)
    assert (passed, still_failed) == (len(failed), []), output
    assert passed > len(FAULTS)


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
