"""What differs from machine to machine fails no test: folders that cannot be written, warnings, letters, time zones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """\
import warnings

import matplotlib.pyplot as plt
import pytest
from hypothesis import given, strategies as st


@given(st.integers())
def test_a_property(number):
    assert number == number


def test_a_picture():
    plt.figure()
    plt.close("all")


def test_our_warnings_stay_errors():
    with pytest.raises(UserWarning, match="ours"):
        warnings.warn("ours")
"""
MACHINES = {  # {} stands for a place in which nothing can be written
    "read-only checkout": {"HYPOTHESIS_STORAGE_DIRECTORY": "{}"},
    "no folder for Matplotlib": {"MPLCONFIGDIR": "{}"},
    "all warnings": {"PYTHONWARNINGS": "default"},
    "other letters": {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
    "another time and language": {"TZ": "Pacific/Chatham", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "an old processor": {"OPENBLAS_CORETYPE": "NEHALEM", "ATEN_CPU_CAPABILITY": "default"},
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_settings_of_our_tests_hold_on_another_machine(machine, tmp_path):
    folder = tmp_path / "回 声"
    folder.mkdir()
    (folder / "test_it.py").write_text(TESTS, encoding="utf-8")
    blocked = tmp_path / "a file"
    blocked.touch()
    variables = {name: value.format(blocked / "x") for name, value in MACHINES[machine].items()}
    cache = blocked if machine == "read-only checkout" else tmp_path
    options = [
        "-q",
        f"--config-file={ROOT / 'pyproject.toml'}",
        f"--rootdir={folder}",
        f"--override-ini=cache_dir={cache}/x",
    ]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, folder],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, (result.stdout + result.stderr).decode(errors="replace")
    assert b"3 passed" in result.stdout
