"""Take the README's picture of the lesson: `python docs/make_picture.py` (needs Chromium)."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

from labpage import LabPage  # noqa: E402
from labserver import jupyter_server  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from conftest import find_chromium  # noqa: E402


def main() -> None:
    with jupyter_server(ROOT / "notebooks") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = LabPage(browser, server)
        page.page.set_viewport_size({"width": 1180, "height": 900})
        page.open("01_backdoor_by_hand.ipynb")
        page.run_all()
        page.page.wait_for_timeout(1000)
        lab = page.page.locator(".jp-OutputArea-output:has(svg[role=img])").last
        lab.scroll_into_view_if_needed()
        page.screenshot(ROOT / "docs" / "lesson.png", lab)
        page.close()
        browser.close()


if __name__ == "__main__":
    main()
