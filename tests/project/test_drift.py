"""The drift jobs loosen what they say, keep the rest of the lock, and leave out only tests that exist."""

import re
import tomllib
from pathlib import Path

import drift
import pytest

LOCK = """\
# a comment
numpy==2.4.6 ; python_full_version < '3.12'
    # via lesson
numpy==2.5.5 ; python_full_version >= '3.12'
    # via lesson
numpydoc==1.0
my-numpy==3.0
"""


def test_our_packages_lose_their_pins_and_all_others_keep_theirs():
    assert re.findall(r"^[\w-]+==.*", drift.without(LOCK, ["numpy", "sympy"]), re.MULTILINE) == [
        "numpydoc==1.0",
        "my-numpy==3.0",
    ]


def test_the_lesson_s_own_needs_are_those_of_pyproject_and_no_extra():
    pyproject = (drift.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = drift.own_needs(pyproject)
    assert {"jupyterlab", "numpy", "sympy", "ipywidgets", "matplotlib"} <= set(names)
    assert len(names) == len(tomllib.loads(pyproject)["project"]["dependencies"])
    assert "pytest" not in names


@pytest.mark.parametrize("job", drift.PYTHONS)
def test_each_job_chooses_versions_in_its_own_way(job, tmp_path):
    (tmp_path / "constraints.txt").write_text(LOCK, encoding="utf-8")
    options = drift.install_options(job, tmp_path, ["numpy"])
    files = [Path(option.removeprefix("--constraint=")) for option in options if option.startswith("--constraint=")]
    pinned = "".join((tmp_path / file).read_text(encoding="utf-8") for file in files)
    assert ("numpy==2.4.6" in pinned, "numpydoc==1.0" in pinned) == {
        "lowest": (False, True),
        "newest": (False, False),
        "locked": (True, True),
    }[job]
    assert ("--resolution=lowest-direct" in options) is (job == "lowest")


def test_every_marker_that_leaves_tests_out_exists(pytestconfig):
    named = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert set(re.findall(r"not (\w+)", drift.SAME_TEXT)) <= named


@pytest.mark.parametrize("test", drift.LEFT_OUT)
def test_what_is_left_out_exists(test):
    file, _, name = test.partition("::")
    assert f"def {name or 'test_'}" in (drift.ROOT / file).read_text(encoding="utf-8")
