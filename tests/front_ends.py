"""Notebook 01 in other front ends than JupyterLab: the labs appear, the stills give way, a slider's key is followed.

`.ci/front-ends` runs this with the front ends installed. It needs Chromium, and prints a line for each of them.
"""

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from browser.labserver import jupyter_server
from playwright.sync_api import Page, sync_playwright

LESSON = Path(__file__).parents[1] / "notebooks" / "01_backdoor_by_hand.ipynb"
CLASSIC_IS_READY = "() => window.Jupyter?.notebook?.kernel?.is_connected()"
STILLS = "() => [...document.querySelectorAll('.lesson-still')].filter(still => still.checkVisibility()).length"
HAS_ALL = "(count) => document.querySelectorAll('.by-hand').length === count"


def run_in_notebook(page: Page) -> None:
    page.locator(".jp-Cell").first.wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def run_in_classic(page: Page) -> None:
    page.wait_for_function(CLASSIC_IS_READY)
    page.evaluate("() => window.Jupyter.notebook.execute_all_cells()")


# By package: the address, and how all cells are run.
FRONT_ENDS = {
    "notebook": ("notebooks/", run_in_notebook),
    "nbclassic": ("nbclassic/notebooks/", run_in_classic),
    "voila": ("voila/render/", lambda page: None),
}


def check(page: Page, labs: int) -> None:
    """Check that all labs and exercises are alive, no still is seen, and a key on a slider makes another picture."""
    page.wait_for_function(HAS_ALL, arg=labs)
    page.wait_for_function(f"() => ({STILLS})() === 0")
    lab = page.locator(".by-hand").first
    handle, picture = lab.locator(".noUi-handle").first, lab.locator("svg.by-hand-picture")
    before = picture.get_attribute("aria-label")
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("([svg, before]) => svg.ariaLabel !== before", arg=[picture.element_handle(), before])


def main() -> None:
    from conftest import find_chromium  # of this folder, which comes first when this is run

    with tempfile.TemporaryDirectory() as folder, jupyter_server(Path(folder)) as server, sync_playwright() as player:
        Path(folder, LESSON.name).write_bytes(LESSON.read_bytes())
        labs = LESSON.read_text("utf-8").count('<div class=\\"lesson-still')
        browser = player.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        for name, (address, run) in FRONT_ENDS.items():
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{server.url}{address}{LESSON.name}?token={server.token}")
            run(page)
            check(page, labs)
            print(f"{name} {version(name)}: {labs} labs and exercises, no still is seen, a key moves the picture")


if __name__ == "__main__":
    sys.exit(main())
