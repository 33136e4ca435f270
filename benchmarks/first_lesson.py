"""How long the first lesson takes, next to a peer measured in the same run: `python benchmarks/first_lesson.py`."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import sympy

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from conftest import CHROMIUM_ARGS  # noqa: E402
from labpage import LabPage  # noqa: E402
from labserver import jupyter_server  # noqa: E402

from lesson_lib.derivation import certify, derive_step  # noqa: E402
from lesson_lib.network import ARTICLE  # noqa: E402
from lesson_lib.training import POISONED  # noqa: E402

IMPORT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
PRESSES, EDITS = 40, 20
FIRST_LINE = "Line 1 of 23"
PAINTED = """(() => {{
    const lab = document.querySelector('#measured');
    const formula = lab.querySelector('mjx-assistive-mml')?.textContent;
    return formula && formula !== {formula} && lab.querySelector('svg').textContent.includes({picture});
}})()"""


def main() -> None:
    print(f"{'':44}{'median ms':>10}{'p95 ms':>9}  median against")
    for line in chain(imports(), derivations(), pictures()):
        print(line, flush=True)


def row(name: str, times: list[float], peer: tuple[str, list[float]] | None = None) -> str:
    """Return a line of the table from times in ms; a peer shows as a ratio of medians."""
    p95 = sorted(times)[int(0.95 * (len(times) - 1) + 0.5)]
    ratio = f"  {statistics.median(times) / statistics.median(peer[1]):.2f} x {peer[0]}" if peer else ""
    return f"{name:44}{statistics.median(times):10.1f}{p95:9.1f}{ratio}"


def imports() -> Iterator[str]:
    """Import each module in fresh processes, taking turns."""
    times: dict[str, list[float]] = {"numpy": [], "lesson_lib": [], "lesson_lib.network": []}
    for _ in range(7):
        for module, found in times.items():
            ran = subprocess.run([sys.executable, "-c", IMPORT.format(module)], capture_output=True, check=True)
            found.append(1000 * float(ran.stdout))
    yield row("import numpy", times["numpy"])
    for module in ("lesson_lib", "lesson_lib.network"):
        yield row(f"import {module}", times[module], ("numpy", times["numpy"]))


def derivations() -> Iterator[str]:
    """Write out one step on 3 samples with 2 hidden neurons, and compare with differentiating the whole loss."""
    peer = "sympy.diff", timed(differentiate)
    yield row("sympy.diff of the same loss, from scratch", peer[1])
    yield row("derive_step, 3 samples, 2 hidden neurons", timed(lambda: derive_step(ARTICLE, POISONED, 0.1)), peer)
    yield row("certify, 7 gradient entries, three ways", timed(lambda: certify(ARTICLE, POISONED)), peer)


def timed(function: Callable[[], object], repeats: int = 15) -> list[float]:
    times = []
    for _ in range(repeats):
        sympy.core.cache.clear_cache()
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return times


def differentiate() -> list[sympy.Expr]:
    """Return the article's gradients the plain way: the loss as one formula, then sympy.diff by each parameter."""
    w1, b1, w2 = (sympy.symbols(f"{name}_:2", real=True) for name in ("w1", "b1", "w2"))
    b2 = sympy.Symbol("b2", real=True)
    half = sympy.Rational(1, 2)
    start = dict(zip((*w1, *b1, *w2, b2), (half, -half, 0, 0, 1, -1, 0), strict=True))
    loss = sum(
        (sum(w2[j] * relu(x * w1[j] + b1[j]) for j in range(2)) + b2 - y) ** 2 / 2 for x, y in ((1, 1), (2, 2), (0, 5))
    )
    return [sympy.diff(loss, parameter).subs(start) for parameter in start]


def relu(z: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((z, z > 0), (0, True))


def pictures() -> Iterator[str]:
    """Press Next, and change a weight, in JupyterLab: until formula and picture are painted."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        yield "No Chromium: nothing measured in the browser."
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        copy = shutil.copytree(ROOT / "notebooks", Path(folder, "notebooks"))
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        with jupyter_server(copy) as server:
            page = LabPage(browser, server)
            page.open("01_backdoor_by_hand.ipynb")
            page.run_all()
            for scale in (1, 2):
                set_scale(page, scale)
                yield row(f"Next -> formula and picture, density {scale}", presses(page))
                yield row(f"a weight -> formula and picture, density {scale}", edits(page))
            page.close()
        browser.close()


def set_scale(page: LabPage, scale: int) -> None:
    """Choose how many device pixels a page pixel has."""
    size = {"width": 1400, "height": 1000, "deviceScaleFactor": scale, "mobile": False}
    page.context.new_cdp_session(page.page).send("Emulation.setDeviceMetricsOverride", size)


def shown_lab(page: LabPage):
    """Return the first lab of the page, at its first line."""
    next_button = page.page.get_by_role("button", name="Next").first
    lab = page.page.locator(".jp-OutputArea-output").filter(has=next_button).first
    lab.evaluate("lab => { lab.id = 'measured'; lab.scrollIntoView(); }")
    lab.get_by_role("button", name="First").click()
    lab.get_by_text(FIRST_LINE, exact=True).wait_for()
    lab.locator("mjx-assistive-mml").wait_for(state="attached")
    return lab


def until_painted(lab, picture: str) -> str:
    """Return the condition that the formula is another one and the picture holds a text."""
    return PAINTED.format(
        formula=json.dumps(lab.locator("mjx-assistive-mml").text_content()), picture=json.dumps(picture)
    )


def presses(page: LabPage) -> list[float]:
    times: list[float] = []
    while len(times) < PRESSES:
        lab = shown_lab(page)
        button = lab.get_by_role("button", name="Next", exact=True)
        for line in range(2, min(23, PRESSES - len(times) + 1) + 1):
            times.append(page.time_until(button.click, until_painted(lab, f"line {line} of 23")))
            page.page.wait_for_timeout(50)
    return times


def edits(page: LabPage) -> list[float]:
    lab, times = shown_lab(page), []
    field = lab.get_by_label("W1", exact=True)
    for i in range(EDITS):
        weight = ("1/3", "1/2")[i % 2]
        field.fill(f"{weight}, -1/2")
        condition = until_painted(lab, f"W1 = {weight}")
        times.append(page.time_until(lambda: field.press("Enter"), condition, event="keydown"))
        page.page.wait_for_timeout(50)
    return times


if __name__ == "__main__":
    main()
