"""Firefox and WebKitGTK, driven by Selenium: functions of the page are called as Playwright calls them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

CALL = """const [argument, done] = arguments;
(async () => (FUNCTION)(argument))().then(value => done({ value }), error => done({ error: `${error}` }));"""
INSIDE = "() => [innerWidth, innerHeight]"
SCREEN = "1600x1200x24"


class OtherPage:
    """One page of a browser."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver
        driver.set_script_timeout(120)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def evaluate(self, function: str, argument: object = None) -> object:
        """Return what a function of the page gives; raises RuntimeError if it fails there."""
        answer = self.driver.execute_async_script(CALL.replace("FUNCTION", function), argument)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")

    def wait_for(self, function: str, argument: object = None, timeout: float = 60) -> None:
        """Wait until a function of the page gives what is true."""
        deadline = time.monotonic() + timeout
        while not self.evaluate(f"async (argument) => Boolean(await ({function})(argument))", argument):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {function}({argument})")
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        """Give the page this size, whatever the window needs around it."""
        deadline = time.monotonic() + 60
        while (inside := self.evaluate(INSIDE)) != [width, height]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the page stays at {inside}, not {[width, height]}")
            window = self.driver.get_window_size()
            self.driver.set_window_size(window["width"] + width - inside[0], window["height"] + height - inside[1])
            time.sleep(0.2)  # a page may follow its window late

    def press(self, *names: str) -> None:
        """Press keys, by Selenium's names of them, one after another, where the focus is."""
        for name in names:
            ActionChains(self.driver).send_keys(getattr(Keys, name)).perform()

    def drag(self, places: list[tuple[float, float]]) -> None:
        """Drag the mouse from the first place on the page to each of the others in turn."""
        actions = ActionBuilder(self.driver, duration=20)  # as fast as a hand
        mouse = actions.pointer_action
        mouse.move_to_location(*map(round, places[0])).pointer_down()
        for place in places[1:]:
            mouse.move_to_location(*map(round, place))
        mouse.pointer_up()
        actions.perform()


@contextmanager
def firefox(program: str, driver: str) -> Iterator[OtherPage]:
    """Start Firefox without a window."""
    options = webdriver.FirefoxOptions()
    options.binary_location = program
    options.add_argument("-headless")
    yield from _page(webdriver.Firefox(options, webdriver.FirefoxService(driver)))


@contextmanager
def webkit(driver: str) -> Iterator[OtherPage]:
    """Start WebKitGTK's small browser, on a screen of its own because it needs one."""
    with _screen() as number:
        service = webdriver.WebKitGTKService(driver, env={**os.environ, "DISPLAY": f":{number}", "GDK_BACKEND": "x11"})
        yield from _page(webdriver.WebKitGTK(webdriver.WebKitGTKOptions(), service))


def _page(driver: WebDriver) -> Iterator[OtherPage]:
    try:
        yield OtherPage(driver)
    finally:
        driver.quit()


@contextmanager
def _screen() -> Iterator[str]:
    """Start a screen that nobody sees, and yield its number."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
