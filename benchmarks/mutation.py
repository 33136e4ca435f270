"""How many small changes of the code the tests notice; the result and every change they miss go to MUTATION.md.

It needs `.venv/bin/pip install -c constraints.txt -e ".[test,mutation,dask]"`, and Linux or macOS. Name modules to run
only those. The reason below a missed change is written by hand, and stays as long as the change does.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORT = Path(__file__).with_name("MUTATION.md")
TESTS = {  # the tests that have to notice a change of a module
    "arrays": ["network/test_arrays", "project/test_one_rule"],
    "activations": ["network/test_network"],
    "network": ["network/test_network"],
    "training": ["network/test_training", "project/test_one_rule"],
    "derivation/trace": ["derivation/test_trace", "derivation/test_printer", "derivation/test_derivation"],
    "derivation/printer": ["derivation/test_printer", "derivation/test_derivation", "derivation/test_read_back"],
    "derivation/step": ["derivation/test_derivation"],
    "derivation/derive": ["derivation/test_derivation"],
    "proofs/certificate": ["proofs/test_certificate"],
    "naa/comparison": ["naa/test_naa", "naa/test_rules", "naa/test_moments", "project/test_one_rule"],
    "naa/permutation": ["naa/test_rules", "naa/test_naa"],
    "naa/judgement": ["naa/test_rules", "naa/test_naa"],
    "naa/calibration": ["naa/test_calibration"],
    "naa/moments": ["naa/test_moments", "naa/test_naa", "naa/test_rules"],
    "repair/classifier": ["repair/test_repair", "project/test_one_rule"],
    "repair/repairs": ["repair/test_repair", "project/test_one_rule"],
}
SETTINGS = """
[tool.mutmut]
source_paths = ["lesson_lib"]
only_mutate = ["lesson_lib/{module}.py"]
pytest_add_cli_args = [
    "-o", "addopts=--import-mode=importlib", "-p", "no:cacheprovider", "-m", "not torch", "-k", "not cluster",
]
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 10.0
"""
# The same random examples in every run, no search for the smallest one that fails, and quick tests first.
CONFTEST = """\
import json
from pathlib import Path

from hypothesis import Phase, settings

settings.register_profile("quick", max_examples=20, derandomize=True, deadline=None, phases=[Phase.generate])
settings.load_profile("quick")


def pytest_collection_modifyitems(items):
    measured = Path("mutmut-stats.json")
    seconds = json.loads(measured.read_text())["duration_by_test"] if measured.exists() else {}
    items.sort(key=lambda item: seconds.get(item.nodeid, 0))
"""
UNEXPLAINED = "Not explained yet."
INTRODUCTION = """\
# What the tests notice

`.venv/bin/python benchmarks/mutation.py` writes this page. mutmut changes one place of a module at a time: a sign, a
comparison, a number, an argument, a text. The module's own tests run against each change; one that fails, or never
ends, notices it. Left as they are: what stands outside functions, properties, and the words of an f-string. The tests
run without PyTorch, on few random examples, the same ones in every run. Below the table stands each
missed change, with the reason why no test can or need notice it.

| Module | Tests | Changes | Noticed | Missed | Share |
|---|---|---:|---:|---:|---:|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", choices=[*TESTS, []], help="default: all", metavar="module")
    parser.add_argument("--at-once", type=int, default=1, help="how many changes are tried at once (default: 1)")
    asked = parser.parse_args()
    for module in asked.modules or TESTS:
        with tempfile.TemporaryDirectory() as folder:
            copy(Path(folder), module)
            run(Path(folder), asked.at_once)
            write(module, *judge(Path(folder), module))


def copy(folder: Path, module: str) -> None:
    """Put the package, the tests of one module and the settings into a folder."""
    names = [f"tests/{name}.py" for name in TESTS[module]]
    shutil.copytree(ROOT / "lesson_lib", folder / "lesson_lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*names, "tests/strategies.py", "tests/reading.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    settings = SETTINGS.format(module=module, tests=json.dumps(names))
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8") + settings)


def run(folder: Path, at_once: int) -> None:
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OPENBLAS_NUM_THREADS": "1", "DASK_SCHEDULER": "synchronous"}
    command = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", str(at_once)]
    done = subprocess.run(command, cwd=folder, env=os.environ | env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def judge(folder: Path, module: str) -> tuple[int, list[str]]:
    """Return the number of changes, and what each that was missed looks like."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code

    path = f"lesson_lib/{module}.py"
    with contextlib.chdir(folder):
        found = json.loads(Path("mutants", f"{path}.meta").read_text())["exit_code_by_key"]
        missed = [name for name, code in found.items() if status_by_exit_code[code] not in ("killed", "timeout")]
        diffs = [(name, get_diff_for_mutant(name, path=path).splitlines()) for name in missed]
    return len(found), [f"{function(name)}\n" + changed(lines) for name, lines in diffs]


def function(mutant: str) -> str:
    """Return the function's name: lesson_lib.naa.judgement.x_analyse__mutmut_3 is a change of analyse."""
    return re.sub(r".*\.x_?|__mutmut_\d+$", "", mutant).strip("ǁ").replace("ǁ", ".")


def changed(diff: list[str]) -> str:
    return "\n".join(line[0] + " " + line[1:].strip() for line in diff[2:] if line[0] in "+-")


def write(module: str, n: int, missed: list[str]) -> None:
    """Replace one module's row and missed changes in the report; a reason stays as long as its change is missed."""
    old = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    rows = {name: row for row, name in re.findall(r"^(\| `([\w/]+)` \|.*)$", old, re.M)}
    lists = dict(re.findall(r"^## ([\w/]+)\n\n(.*?)(?=^## |\Z)", old, re.M | re.S))
    reasons = dict(re.findall(r"^```diff\n(.*?)\n```\n\n(.*?)\n$", lists.get(module, ""), re.M | re.S))
    tests = ", ".join(f"`{name}.py`" for name in TESTS[module])
    killed = n - len(missed)
    rows[module] = f"| `{module}` | {tests} | {n} | {killed} | {len(missed)} | {killed / n:.1%} |"
    lists[module] = "\n".join(f"```diff\n{change}\n```\n\n{reasons.get(change, UNEXPLAINED)}\n" for change in missed)
    table = "\n".join(rows[name] for name in TESTS if name in rows)
    details = "\n".join(f"## {name}\n\n{lists[name].strip()}\n" for name in TESTS if lists.get(name, "").strip())
    REPORT.write_text(f"{INTRODUCTION}{table}\n\n{details}", encoding="utf-8")
    print(rows[module])


if __name__ == "__main__":
    main()
