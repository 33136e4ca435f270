"""The notebooks in JupyterLab and Chromium, for the tests of this folder."""

import shutil
from pathlib import Path

import pytest

pytest.register_assert_rewrite("colours", "helpers", "labpage")  # so that a failure there shows both sides

from helpers import write_notebook  # noqa: E402
from labpage import LabPage  # noqa: E402
from labserver import jupyter_server  # noqa: E402

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FAILED = pytest.StashKey[bool]()
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_itemcollected(item):
    if not (item.get_closest_marker("firefox") or item.get_closest_marker("webkit")):
        item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Serve a copy of the notebooks, so that no test changes them."""
    copy = tmp_path_factory.mktemp("served") / "notebooks"
    shutil.copytree(NOTEBOOKS, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    assert list(copy.rglob("*.ipynb")), f"no notebook in {NOTEBOOKS}"
    shutil.copy(copy / "01_backdoor_by_hand.ipynb", copy / "reopened.ipynb")  # for the test that saves
    with jupyter_server(copy) as running:
        yield running


@pytest.fixture(scope="package")
def browser(chromium):
    """Start Chromium once for this folder's tests; elsewhere they need the asyncio loop, which Playwright holds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def opened(browser, server, request):
    """Open a notebook of the module's CELLS and run it, once for all tests of the module."""
    page = LabPage(browser, server)
    try:
        page.open(write_notebook(server.folder, request.module.__name__, request.module.CELLS))
        page.run_all()
        page.check()
        yield page
        page.check()
    finally:
        page.close()


@pytest.fixture(scope="module")
def jupyterlab(browser, server):
    """Return a page for the notebooks that the module's tests open in turn."""
    page = LabPage(browser, server)
    yield page
    page.close()


@pytest.fixture
def lab_page(jupyterlab, request, tmp_path):
    """Return a page on which no notebook is open yet; after a failure, print the path of a picture of it."""
    yield jupyterlab
    if request.node.stash[FAILED]:
        jupyterlab.screenshot(tmp_path / "failure.png")
        print(f"JupyterLab at the failure: {tmp_path / 'failure.png'}")
    jupyterlab.leave()
