"""A missing optional tool is told at the end, and is a failure in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
INI = "[pytest]\nmarkers =\n    browser\n    firefox\n    webkit\n    torch\n    keras\n    dask\n"
TESTS = """\
import pytest

@pytest.mark.browser
def test_one_page(): pass

@pytest.mark.browser
def test_another_page(): pass

@pytest.mark.torch
def test_a_model(): pass

@pytest.mark.skip(reason="another reason")
def test_left_out(): pass
"""
# None in sys.modules makes a package look as if it were not installed.
RUN_WITHOUT = """\
import sys, pytest
sys.modules.update(dict.fromkeys({without}))
sys.exit(pytest.main({options}))"""


@pytest.fixture
def run_pytest(tmp_path):
    """Run TESTS in a fresh pytest that sees a Chromium, PyTorch and Playwright only when told."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")
    (tmp_path / "test_tools.py").write_text(TESTS, encoding="utf-8")
    for package in ("torch", "playwright"):
        (tmp_path / f"{package}.py").touch()

    def run(without=(), options=(), **variables):
        chromium = tmp_path / ("chromium.exe" if os.name == "nt" else "chromium")
        chromium.touch(mode=0o755)
        env = {name: value for name, value in os.environ.items() if name not in ("CI", "CHROMIUM", "PYTEST_ADDOPTS")}
        env |= {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | variables
        command = [sys.executable, "-c", RUN_WITHOUT.format(without=list(without), options=["-q", *options])]
        result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr

    return run


def test_with_every_tool_all_tests_run_and_nothing_is_reported_missing(run_pytest):
    status, output = run_pytest()
    assert status == 0, output
    assert "3 passed, 1 skipped" in output
    assert "Not run" not in output


def test_without_tools_the_summary_says_what_was_not_run_and_how_to_get_it(run_pytest):
    status, output = run_pytest(without=["torch"], PATH="")
    assert status == 0, output
    assert "4 skipped" in output
    assert "Not run: 2 browser tests. Needed: Chromium and Playwright: apt install chromium" in output
    assert "Not run: 1 torch test. Needed: PyTorch: .venv/bin/pip install" in output


def test_several_workers_tell_together_what_they_did_not_run(run_pytest):
    status, output = run_pytest(options=["-p", "xdist", "-n", "2"], PATH="")
    assert status == 0, output
    assert "1 passed, 3 skipped" in output
    assert output.count("Not run: ") == output.count("Not run: 2 browser tests. Needed: ") == 1
    status, output = run_pytest(options=["-p", "xdist", "-n", "2"], PATH="", CI="true")
    assert status == 1, output
    assert "1 passed, 1 skipped, 2 errors" in output


def test_browser_tests_need_playwright_too(run_pytest):
    status, output = run_pytest(without=["playwright"])
    assert status == 0, output
    assert "1 passed, 3 skipped" in output


@pytest.mark.parametrize(("missing", "errors"), [({"PATH": ""}, 2), ({"without": ["torch"]}, 1)])
def test_in_ci_a_missing_tool_is_a_failure(run_pytest, missing, errors):
    status, output = run_pytest(CI="true", **missing)
    assert status == 1, output
    assert f"{3 - errors} passed, 1 skipped, {errors} error" in output
    assert "needs " in output


def test_other_browsers_are_missed_by_the_names_of_their_packages(run_pytest, tmp_path):
    marks = "".join(f"@pytest.mark.{name}\ndef test_in_{name}(): pass\n" for name in ("firefox", "webkit"))
    (tmp_path / "test_tools.py").write_text(f"import pytest\n{marks}", encoding="utf-8")
    (tmp_path / "selenium.py").touch()
    status, output = run_pytest()
    assert status == 0, output
    assert "Not run: 1 firefox test. Needed: Firefox: apt install firefox-esr" in output
    assert "Not run: 1 webkit test. Needed: WebKitGTK: apt install webkit2gtk-driver xvfb" in output
    assert "2 errors" in run_pytest(CI="true")[1]
    for program in ("firefox", "geckodriver", "WebKitWebDriver", "Xvfb"):
        (tmp_path / (f"{program}.exe" if os.name == "nt" else program)).touch(mode=0o755)
    assert "2 passed" in run_pytest(CI="true")[1]
    assert "2 errors" in run_pytest(CI="true", without=["selenium"])[1]


def test_the_variable_chromium_names_the_program(run_pytest, tmp_path):
    program = tmp_path / ("my-browser.exe" if os.name == "nt" else "my-browser")
    program.touch(mode=0o755)
    assert "3 passed" in run_pytest(PATH="", CHROMIUM=str(program))[1]
    assert "Not run: 2 browser tests" in run_pytest(CHROMIUM=str(tmp_path / "nothing-here"))[1]
