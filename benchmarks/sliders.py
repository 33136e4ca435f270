"""From a slider's key to the picture on the screen: the labs in Chromium, beside a naive `interact` and ipympl."""

import importlib.util
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from rows import NOT_INSTALLED, Row

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "browser")]

TITLE = "From a slider to the screen"
ABOUT = (
    "JupyterLab in Chromium at device scale 1: from a key on the slider, or a click on Next, to the new picture, "
    "decoded and painted. The peers draw the lab's plot equally large, from the same looked-up numbers, and leave out "
    "its verdict, its tables and its text for screen readers. The labs' pictures have 1.75 times as many pixels each "
    "way. A drag goes from end to end in 60 moves and 2 seconds."
)
INTERACT, IDLE, BLITTING = "interact", "ipympl, draw_idle", "ipympl, blitting"
WHY = {
    INTERACT: "A new figure and a new output are made at every move. That our kept figure needs longer is a fault of "
    "ours or of a busy machine.",
    IDLE: "ipympl sends only the pixels that differ, as bytes, onto a canvas. Ours sends the whole picture with its "
    "text for screen readers, and the verdict and the tables beside it.",
    BLITTING: "ipympl draws only what moves, and sends only the pixels that differ, as bytes, onto a canvas. Ours "
    "draws only what moves too, but sends the whole picture with its text for screen readers, and the verdict and the "
    "tables beside it.",
}


Times = dict[str, list[float]]  # milliseconds by variant; ours has no name


class Lab(NamedTuple):
    """How to show a lab, and which of its sliders to move; None stands for the buttons Back and Next."""

    source: str
    slider: int | None


LABS = {
    "HandCalculationLab, Next": Lab("lab = HandCalculationLab(); lab.go(12)", None),
    "TriggerLab, rate": Lab("lab = TriggerLab()", 0),
    "BiasLab, rate": Lab("lab = BiasLab()", 0),
    "NAALab, threshold": Lab("lab = NAALab()", 0),
    "NAALab, rise": Lab("lab = NAALab(); lab.set(rise=3)", 1),
    "PruningLab, pruned": Lab("lab = PruningLab(); lab.set(pruned=32)", 0),
}
DRAGGED = "TriggerLab, rate"
SETTLED, BETWEEN = "TriggerLab dragged, release to last picture", "TriggerLab dragged, between two pictures"
CELLS = {
    "": "from lesson_lib.labs import {class_name}\n{source}\nlab",
    INTERACT: "import sys\nsys.path.insert(0, {here!r})\nimport scenes\nscenes.interact({name!r})",
    IDLE: "scenes.ipympl({name!r})",
    BLITTING: "scenes.ipympl({name!r}, blitting=True)",
}
# Note when a key or a click came, and each new picture or formula when it is decoded and painted.
RECORD = """async (index) => {
    const content = window.jupyterapp.shell.currentWidget.content;
    await content.scrollToItem(index, 'start');
    const cell = content.widgets[index].node.querySelector('.jp-Cell-outputWrapper');
    const note = { cell, pictures: [], formulas: [], pressed: 0, released: 0 };
    const large = (selector) => [...cell.querySelectorAll(selector)].find(one => one.clientWidth > 400);
    const formula = () => cell.querySelector('mjx-assistive-mml')?.textContent ?? '';
    const shown = () => large('img')?.src ?? large('svg')?.textContent ?? '';
    const ready = () => (shown() || large('canvas')) && cell.querySelector('.noUi-handle, button');
    while (!ready()) await new Promise(requestAnimationFrame);
    let picture = shown(), math = formula(), bytes = null;
    const painted = (then) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => then(performance.now());
        channel.port2.postMessage(null);
    });
    const look = () => {
        const next = formula(), seen = shown();
        if (next && next !== math) {
            math = next;
            painted(now => note.formulas.push([now, next]));
        }
        if (!seen || seen === picture) return;
        picture = seen;
        const decoded = large('img')?.decode() ?? Promise.resolve();
        const again = () => { picture = ''; look(); };  // replaced before it was decoded
        decoded.then(() => painted(now => note.pictures.push([now, seen])), again);
    };
    cell.addEventListener('load', look, { capture: true });  // a new image has no size before
    new MutationObserver(look).observe(cell, { subtree: true, childList: true, attributes: true, characterData: true });
    const canvas = large('canvas'), context = canvas?.getContext('2d');
    if (context) {
        const draw = context.drawImage;
        context.drawImage = (...all) => {
            draw.apply(context, all);
            painted(now => {
                const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
                const seen = new Uint32Array(pixels.buffer).reduce((sum, one) => (31 * sum + one) | 0, 7);
                if (seen !== bytes) note.pictures.push([now, bytes = seen]);
            });
        };
    }
    const start = (event) => { note.pressed = event.timeStamp; };
    for (const kind of ['keydown', 'click']) document.addEventListener(kind, start, { capture: true });
    document.addEventListener('pointerup', (event) => { note.released = event.timeStamp; }, { capture: true });
    window.notes = { ...window.notes, [index]: note };
}"""
CHOOSE = """async ([index, slider]) => {
    await window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start');
    window.note = window.notes[index];
    window.handle = note.cell.querySelectorAll('.noUi-handle')[slider];
    window.handle?.focus();
}"""
IS_IDLE = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
DONE = "([pictures, formulas]) => note.pictures.length > pictures && note.formulas.length >= formulas"
TOOK = """([pictures, formulas]) =>
    Math.max(note.pictures[pictures][0], note.formulas[formulas - 1]?.[0] ?? 0) - note.pressed"""
TRACK = """() => { const box = (node) => { const { x, y, width, height } = node.getBoundingClientRect();
    return [x + width / 2, y + height / 2, x, x + width]; };
    return [box(window.handle), box(window.handle.closest('.noUi-target'))]; }"""


class Size(NamedTuple):
    """The labs, rounds of all in turns, steps down and up again in each round, and rounds of drags."""

    labs: tuple[str, ...] = tuple(LABS)
    rounds: int = 3
    steps: int = 4
    drags: int = 3


TINY = Size(labs=("TriggerLab, rate",), rounds=1, steps=1, drags=1)


def whats(size: Size) -> list[str]:
    """Return what is measured, in order."""
    return [what for lab in size.labs for what in (lab, *((SETTLED, BETWEEN) if lab == DRAGGED else ()))]


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    return [f"{what} / {peer}" for what in whats(size) for peer in (INTERACT, IDLE, BLITTING)]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield the rows of each lab, each beside its peers in a notebook and a kernel of its own."""
    from tests.conftest import has_tool

    if not has_tool("browser"):
        for what in whats(size):
            yield from as_rows(what, {}, "")
        return
    for what, times, text in times_of_labs(size):
        yield from as_rows(what, times, text)


def times_of_labs(size: Size) -> Iterator[tuple[str, Times, str]]:
    """Yield what was measured, the milliseconds of every variant, and what each of them is the time of."""
    from labpage import LabPage
    from labserver import jupyter_server
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM_ARGS
    from tests.conftest import find_chromium

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number, name in enumerate(size.labs):
            nbformat.write(notebook(name), folder / f"{number}.ipynb")
        server = stack.enter_context(jupyter_server(folder))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        stack.callback(browser.close)
        for number, name in enumerate(size.labs):
            shown = LabPage(browser, server)
            try:
                shown.open(f"{number}.ipynb")
                shown.run_all()
                yield from times_of_lab(shown.page, name, size)
                assert shown.errors() == [], shown.errors()
            finally:
                shown.close()


def variants() -> list[str]:
    """Return what is shown, cell by cell: ours, which has no name, and the peers that are installed."""
    return [name for name in CELLS if "ipympl" not in name or importlib.util.find_spec("ipympl")]


def notebook(name: str) -> Any:
    """Return a notebook with the lab and its peers, a cell each."""
    known = {"class_name": name.partition(",")[0], "source": LABS[name].source, "here": str(HERE), "name": name}
    made = new_notebook(cells=[new_code_cell(CELLS[variant].format(**known)) for variant in variants()])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def times_of_lab(page: Any, name: str, size: Size) -> Iterator[tuple[str, Times, str]]:
    """Walk all variants in turns, and drag them if this is the lab to drag."""
    shown = variants()
    for index in range(len(shown)):
        page.evaluate(RECORD, index)
    page.wait_for_timeout(1000)
    times: Times = {variant: [] for variant in shown}
    for _ in range(size.rounds):
        for index, variant in enumerate(shown):
            times[variant] += walk(page, name, index, size.steps)
    yield name, times, "one step"
    if name == DRAGGED:
        yield from times_of_drags(page, shown, size.drags)


def as_rows(what: str, times: Times, text: str) -> Iterator[Row]:
    """Yield a row for each peer from milliseconds by variant; none at all means that there is no browser."""
    median = {variant: statistics.median(found) / 1000 for variant, found in times.items()}
    for peer in (INTERACT, IDLE, BLITTING):
        note = "" if peer in median else NOT_INSTALLED if median else "no browser"
        repeats = len(times.get("", []))
        yield Row(what, peer, text, median.get("", math.nan), median.get(peer), "s", repeats, WHY[peer], note)


def walk(page: Any, name: str, index: int, steps: int) -> list[float]:
    """Step down and up again and return the milliseconds of each step; the first two only warm up."""
    slider, is_ours = LABS[name].slider, index == 0
    page.evaluate(CHOOSE, [index, (slider or 0) if is_ours else 0])  # a peer has one slider
    by_button, with_formula = is_ours and slider is None, slider is None
    down, up = ("Back", "Next") if by_button else ("ArrowLeft", "ArrowRight")
    return [press(page, key, by_button, with_formula) for key in [down, up, *[down] * steps, *[up] * steps]][2:]


def press(page: Any, key: str, by_button: bool = False, with_formula: bool = False) -> float:
    """Press a key or a button; return the milliseconds until the new picture, and the new formula, are painted."""
    pictures, formulas = page.evaluate("[note.pictures.length, note.formulas.length]")
    wanted = [pictures, formulas + 1 if with_formula else 0]
    if by_button:
        page.get_by_role("button", name=key, exact=True).click()
    else:
        page.keyboard.press(key)
    page.wait_for_function(DONE, arg=wanted, polling=10)
    page.wait_for_function(IS_IDLE)
    page.wait_for_timeout(60)
    return page.evaluate(TOOK, wanted)


def times_of_drags(page: Any, shown: list[str], drags: int) -> Iterator[tuple[str, Times, str]]:
    settled: Times = {variant: [] for variant in shown}
    between: Times = {variant: [] for variant in shown}
    for _ in range(drags):
        for index, variant in enumerate(shown):
            pictures, last = drag(page, index)
            settled[variant].append(last)
            between[variant].append(2000 / pictures)
    yield SETTLED, settled, "60 moves in 2 s"
    yield BETWEEN, between, "60 moves in 2 s"


def drag(page: Any, index: int) -> tuple[int, float]:
    """Drag the first slider from end to end; return the number of pictures and the ms from release to the last one."""
    page.evaluate(CHOOSE, [index, 0])
    (x, y, _, _), (_, _, left, right) = page.evaluate(TRACK)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(left, y)
    page.wait_for_timeout(1000)
    page.evaluate("note.pictures.length = 0")
    start = time.perf_counter()
    for move in range(1, 61):
        time.sleep(max(0, start + move / 30 - time.perf_counter()))
        page.mouse.move(left + (right - left) * move / 60, y)
    page.mouse.up()
    page.wait_for_timeout(1500)
    pictures, released = page.evaluate("[note.pictures, note.released]")
    return len(pictures), max(1.0, pictures[-1][0] - released)
