"""A hand on JupyterLab's page: it keys and drags a slider, or the trigger's star, and waits for the picture."""

import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import scenes
from matplotlib.figure import Figure

from lesson_lib.labs.training import picture

RECORD = Path(__file__).with_name("record.js").read_text(encoding="utf-8")
CHOOSE = """async ([index, slider]) => {
    await window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start');
    window.note = window.notes[index];
    window.handle = note.cell.querySelectorAll('.noUi-handle')[slider];
    window.handle.focus();
}"""
IS_IDLE = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
DONE = "([pictures, formulas]) => note.pictures.length > pictures && note.formulas.length >= formulas"
TOOK = """([pictures, formulas]) =>
    Math.max(note.pictures[pictures], note.formulas[formulas - 1] ?? 0) - note.pressed"""
# Where the handle, its track and the picture begin, and how large they are.
BOXES = """() => [handle, handle.closest('.noUi-target'), note.picture].map(node => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return [x, y, width, height];
})"""
MOVES, SECONDS = 60, 2  # of a drag
FRAME = 1000 / 60  # milliseconds from one picture of the screen to the next
Points = list[tuple[float, float]]


@contextmanager
def device_scale(page: Any, scale: float) -> Iterator[None]:
    """Give the page's screen so many pixels for one of the page's, each way."""
    devtools = page.context.new_cdp_session(page)
    for factor in (scale, 1):
        screen = {**page.viewport_size, "deviceScaleFactor": factor, "mobile": False}
        devtools.send("Emulation.setDeviceMetricsOverride", screen)
        page.wait_for_timeout(1000)
        assert page.evaluate("devicePixelRatio") == factor
        if factor == scale:
            yield
    devtools.detach()


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one of the machine's cores busy."""
    spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def walk(page: Any, steps: int, with_formula: bool) -> list[float]:
    """Step down and up again and return the milliseconds of each step; the first two only warm up."""
    keys = ["ArrowLeft", "ArrowRight", *["ArrowLeft"] * steps, *["ArrowRight"] * steps]
    return [press(page, key, with_formula) for key in keys][2:]


def press(page: Any, key: str, with_formula: bool = False) -> float:
    """Press a key; return the milliseconds until the new picture, and the new formula, are painted."""
    pictures, formulas = page.evaluate("[note.pictures.length, note.formulas.length]")
    wanted = [pictures, formulas + 1 if with_formula else 0]
    page.keyboard.press(key)
    page.wait_for_function(DONE, arg=wanted, polling=10)
    page.wait_for_function(IS_IDLE)
    page.wait_for_timeout(60 + random.uniform(0, FRAME))  # so that keys come at any time between two frames
    return float(page.evaluate(TOOK, wanted))


def slider_path(page: Any) -> tuple[tuple[float, float], Points]:
    """Return where the slider's handle is, and a path from end to end of its track."""
    (x, y, width, height), (left, _, length, _), _ = page.evaluate(BOXES)
    middle = y + height / 2
    return (x + width / 2, middle), [(left + length * move / MOVES, middle) for move in range(MOVES + 1)]


def star_path(page: Any, is_ours: bool) -> tuple[tuple[float, float], Points]:
    """Return where the trigger's star is, at x = 0 and the target 5, and a path once round the middle of its panel."""
    *_, (left, top, width, height) = page.evaluate(BOXES)
    share = function_panel() if is_ours else first_panel(scenes.trigger())
    x0, y0, across, down = (part * size for part, size in zip(share, 2 * (width, height), strict=True))
    turns = [math.tau * move / MOVES for move in range(MOVES + 1)]
    points = [(2 * math.sin(turn), 5 * math.cos(turn)) for turn in turns]  # in a panel from -3.2 to 3.2, -11 to 11
    path = [(left + x0 + across * (x + 3.2) / 6.4, top + y0 + down * (11 - y) / 22) for x, y in points]
    return path[0], path


def first_panel(scene: scenes.Scene) -> tuple[float, float, float, float]:
    """Return left, top, width and height of the first panel, as shares of the picture."""
    panel = Figure(figsize=scene.inches).subplots(1, len(scene.panels), squeeze=False)[0, 0].get_position()
    return panel.x0, 1 - panel.y1, panel.width, panel.height


def function_panel() -> tuple[float, ...]:
    """Return left, top, width and height of the panel of f(x) in the lab's picture, as shares of the whole."""
    frame = picture.frame("gradients")
    return tuple(part / size for part, size in zip(frame.places["function"], 2 * frame.size, strict=True))


def drag(page: Any, start: tuple[float, float], path: Points) -> tuple[int, float]:
    """Drag from a start along a path; return the number of pictures and the ms from release to the last one."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*path[0])
    page.wait_for_timeout(1000)
    page.evaluate("note.pictures.length = 0")
    begun = time.perf_counter()
    for move, point in enumerate(path[1:], 1):
        time.sleep(max(0, begun + move * SECONDS / MOVES - time.perf_counter()))
        page.mouse.move(*point)
    page.mouse.up()
    page.wait_for_timeout(1500)
    pictures, released = page.evaluate("[note.pictures, note.released]")
    return len(pictures), max(1.0, pictures[-1] - released)
