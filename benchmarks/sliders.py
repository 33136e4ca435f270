"""From a slider's key to the picture on the screen: the labs in Chromium, beside `interact`, ipympl and bare SVG."""

import importlib.util
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import hand
import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from rows import NOT_INSTALLED, Row

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "browser")]

TITLE = "From a slider to the screen"
ABOUT = (
    "JupyterLab in Chromium: from a key on the slider to the new picture, decoded and painted. `interact` and ipympl "
    "draw the lab's panels alone, with Matplotlib, from the same looked-up numbers. The swapped SVG is the framework's "
    "floor: a bare anywidget with the lab's own frame, as large as the lab's, which puts in marks prepared for every "
    "position and computes nothing. All leave out the verdict, the number boxes and the tables. The device scale is 1 "
    "where nothing is said. A drag goes from end to end of the slider, or once round the middle of its panel with the "
    "trigger's star, in 60 moves and 2 seconds. The numbers of this table are means: whatever is shown, times fall "
    "into two groups some 35 ms apart, and a median jumps from one to the other. Jupyter's server holds a small "
    "message back until the page has sent something since the last one, or for 40 ms (Nagle's algorithm): with "
    "TCP_NODELAY set in the server there is one group, the faster."
)
INTERACT, IDLE, BLITTING, SWAPPED = "interact", "ipympl, draw_idle", "ipympl, blitting", "anywidget, SVG swapped"
PEERS = (INTERACT, IDLE, BLITTING, SWAPPED)
WHY = {
    INTERACT: "A new figure and a new output are made at every move. That ours needs longer is a fault of ours or of a "
    "busy machine.",
    IDLE: "ipympl draws the panels alone. Ours shows the whole picture, the verdict, the number box and the tables.",
    BLITTING: "ipympl draws only what moves in the panels, and sends only the pixels that differ. Ours shows the "
    "whole picture, the verdict, the number box and the tables.",
    SWAPPED: "Nothing is computed there, and nothing but the marks changes. Ours looks the run up, draws the marks, "
    "and changes the verdict, the number box and the text for screen readers with them.",
}


Times = dict[str, list[float]]  # milliseconds by variant; ours has no name


class Lab(NamedTuple):
    """How to show a lab, and which of its sliders to move."""

    source: str
    slider: int = 0


LABS = {
    "HandCalculationLab, line": Lab("lab = HandCalculationLab(); lab.go(12)"),
    "FirstLook, target": Lab("lab = FirstLook()", 1),
    "TriggerLab, rate": Lab("lab = TriggerLab()"),
    "BiasLab, rate": Lab("lab = BiasLab()"),
    "NAALab, threshold": Lab("lab = NAALab()"),
    "NAALab, rise": Lab("lab = NAALab(); lab.set(rise=3)", 1),
    "PruningLab, pruned": Lab("lab = PruningLab(); lab.set(pruned=32)"),
}
WITH_FORMULA, DRAGGED = "HandCalculationLab, line", "TriggerLab, rate"
FINE, BUSY = "{}, device scale 2", "{}, one core kept busy"
SETTLED, BETWEEN = "release to last picture", "between two pictures"
STAR, SLIDER = "TriggerLab's star dragged", "TriggerLab dragged"
DRAGS = {STAR: (BLITTING,), SLIDER: PEERS}  # the star first, because the slider is left at its end
ONE_STEP, ONE_DRAG = "one step", "60 moves in 2 s"
CELLS = {
    "": "from lesson_lib.labs import {class_name}\n{source}\nlab",
    INTERACT: "import sys\nsys.path.insert(0, {here!r})\nimport shown\nshown.interact({name!r})",
    IDLE: "shown.ipympl({name!r})",
    BLITTING: "shown.ipympl({name!r}, blitting=True)",
    SWAPPED: "shown.swapped({name!r})",
}


class Size(NamedTuple):
    """The labs, rounds of all and of ours with the floor alone, steps each way in a round, and rounds of drags."""

    labs: tuple[str, ...] = tuple(LABS)
    rounds: int = 3
    floor_rounds: int = 10
    steps: int = 2
    drags: int = 8


TINY = Size(labs=("TriggerLab, rate",), rounds=1, floor_rounds=1, steps=1, drags=1)


def measured(size: Size) -> dict[str, tuple[str, ...]]:
    """Return beside which peers each thing is measured, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for name in size.labs:
        found |= {name: PEERS, FINE.format(name): (SWAPPED,)}
        if name == DRAGGED:
            found[BUSY.format(name)] = (SWAPPED,)
            found |= {f"{what}, {part}": peers for what, peers in DRAGS.items() for part in (SETTLED, BETWEEN)}
    return found


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    return [f"{what} / {peer}" for what, peers in measured(size).items() for peer in peers]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield the rows of each lab, each beside its peers in a notebook and a kernel of its own."""
    from tests.conftest import has_tool

    peers = measured(size)
    for what, times, text in times_of_labs(size) if has_tool("browser") else [(what, {}, "") for what in peers]:
        yield from as_rows(what, times, text, peers[what])


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
    """Walk all variants in turns; ours and the floor on a fine screen too; and drag them if this is the lab to drag."""
    here = variants()
    for index in range(len(here)):
        page.evaluate(hand.RECORD, [index, name == WITH_FORMULA])
    page.wait_for_timeout(1000)
    near_floor = partial(walks, page, name, ["", SWAPPED], size.floor_rounds, size.steps)
    yield name, walks(page, name, here, size.rounds, size.steps) | near_floor(), ONE_STEP
    with hand.device_scale(page, 2):
        yield FINE.format(name), near_floor(), ONE_STEP
    if name == DRAGGED:
        with hand.busy_core():
            yield BUSY.format(name), near_floor(), ONE_STEP
        for what, peers in DRAGS.items():
            pairs = times_of_drags(page, [one for one in here if one in ("", *peers)], size.drags, what)
            for part, times in zip((SETTLED, BETWEEN), pairs, strict=True):
                yield f"{what}, {part}", times, ONE_DRAG


def as_rows(what: str, times: Times, text: str, peers: Sequence[str] = PEERS) -> Iterator[Row]:
    """Yield a row for each peer from milliseconds by variant; none at all means that there is no browser."""
    mean = {variant: statistics.fmean(found) / 1000 for variant, found in times.items()}
    for peer in peers:
        note = "" if peer in mean else NOT_INSTALLED if mean else "no browser"
        repeats = len(times.get(peer, []))
        yield Row(what, peer, text, mean.get("", math.nan), mean.get(peer), "s", repeats, WHY[peer], note)


def walks(page: Any, name: str, chosen: Sequence[str], rounds: int, steps: int) -> Times:
    """Walk some variants in turns."""
    times: Times = {variant: [] for variant in chosen}
    for _ in range(rounds):
        for variant in chosen:
            choose(page, variant, 0 if variant else LABS[name].slider)  # a peer has one slider
            times[variant] += hand.walk(page, steps, name == WITH_FORMULA)
    return times


def choose(page: Any, variant: str, slider: int = 0) -> None:
    """Bring a variant to the top of the page, and its slider into focus."""
    page.evaluate(hand.CHOOSE, [variants().index(variant), slider])


def times_of_drags(page: Any, chosen: Sequence[str], drags: int, what: str) -> tuple[Times, Times]:
    """Drag variants in turns; return ms from release to the last picture, and between two. The first only warms up."""
    settled: Times = {variant: [] for variant in chosen}
    between: Times = {variant: [] for variant in chosen}
    for turn in range(drags + 1):
        for variant in chosen:
            choose(page, variant)
            path = hand.slider_path(page) if what == SLIDER else hand.star_path(page, is_ours=not variant)
            pictures, last = hand.drag(page, *path)
            if turn:
                settled[variant].append(last)
                between[variant].append(2000 / pictures)
    return settled, between
