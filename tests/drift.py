"""Run the tests on other versions of what the lesson needs, or of Python: `python tests/drift.py lowest|newest|locked`.

The last commit's tests run in an environment of their own. Left out are those that need a browser, PyTorch, Keras or
Dask, and those that mean one list of versions only.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYTHONS = {"lowest": "3.11", "newest": "3.13", "locked": "3.12"}  # unless a second argument names another
LEFT_OUT = {
    "tests/project/test_binder.py": "Binder has one Python and one list of versions",
    "tests/project/test_code_quality.py::test_the_code_passes": "style and types are judged by the lock's tools",
    "tests/project/test_planted_faults.py": "it tests the tests",
}
PYTEST = ["-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
PYTEST += [f"--deselect={test}" for test in LEFT_OUT]
NO_TOOLS = "not browser and not firefox and not webkit and not torch and not keras and not dask"
# The bytes of pictures are those of one Matplotlib. nbval compares all text, which has to be the same on all versions,
# also the text twin of each picture.
SAME_TEXT = f"{NO_TOOLS} and not same_bytes"
JOB_OPTIONS = {
    # Warnings are errors, but for one that Matplotlib 3.8 causes: it calls pyparsing by names that are now deprecated.
    "lowest": ["-m", SAME_TEXT, "-W", "ignore::pyparsing.warnings.PyparsingDeprecationWarning"],
    "newest": ["-m", SAME_TEXT],
    "locked": ["-m", NO_TOOLS],
}


def own_needs(pyproject: str) -> list[str]:
    """Return the names of the packages that the lesson itself asks for."""
    return [Requirement(text).name for text in tomllib.loads(pyproject)["project"]["dependencies"]]


def without(lock: str, names: list[str]) -> str:
    """Return a lock without the pins of some packages."""
    return re.sub(rf"^({'|'.join(map(re.escape, names))})==.*\n", "", lock, flags=re.MULTILINE)


def install_options(job: str, source: Path, names: list[str]) -> list[str]:
    """Return how uv chooses versions; for the lowest, all but the lesson's own needs stays as in the lock."""
    if job == "newest":
        return ["--resolution=highest", "--upgrade"]
    if job == "locked":
        return ["--constraint=constraints.txt"]
    rest = without((source / "constraints.txt").read_text(encoding="utf-8"), names)
    (source / "rest.txt").write_text(rest, encoding="utf-8")
    return ["--resolution=lowest-direct", "--constraint=rest.txt"]


def prepare(job: str, python: str, source: Path, environment: Path) -> Path:
    """Install the last commit and its test tools, print the versions that make the job, and return the Python."""
    program = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
    names = own_needs((source / "pyproject.toml").read_text(encoding="utf-8"))
    subprocess.run([*uv, "venv", "--quiet", f"--python={python}", environment], check=True)
    install = [*uv, "pip", "install", "--quiet", f"--python={program}", "--editable=.[test]"]
    subprocess.run([*install, *install_options(job, source, names)], cwd=source, check=True)
    subprocess.run([program, "--version"], check=True)
    frozen = subprocess.check_output([*uv, "pip", "freeze", "--quiet", f"--python={program}"], text=True)
    print(*(line for line in frozen.splitlines() if line.partition("==")[0] in names), flush=True)
    return program


def run_tests(job: str, program: Path, source: Path, options: list[str]) -> int:
    """Run the tests that hold for a job; return their status."""
    # With CI=true a missing tool would be a failure, and notebook 07 needs one that is left out here.
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [program, *PYTEST, *JOB_OPTIONS[job], *options]
    return subprocess.run(command, cwd=source, env=variables, check=False).returncode


def main() -> int:
    """Read the command line, run one job, and return its status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], epilog="Other options go to pytest.")
    parser.add_argument("job", choices=PYTHONS)
    parser.add_argument("python", nargs="?", help="a version, as 3.13, or a program")
    chosen, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        source = Path(scratch, "source")
        program = prepare(chosen.job, chosen.python or PYTHONS[chosen.job], source, Path(scratch, "environment"))
        return run_tests(chosen.job, program, source, options)


if __name__ == "__main__":
    sys.exit(main())
