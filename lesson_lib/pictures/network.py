"""The net as a picture: its weights as lines, its neurons as tiles with their curve, and the way back as arrows."""

import re
from collections.abc import Iterator
from html import escape

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.pictures import words
from lesson_lib.pictures.frame import SHAPES, write
from lesson_lib.pictures.shown import DONE, Shown, entry, gradient, value

TOP, TILE, PITCH = 30, (166, 94), 120  # above the first tile; a tile; from tile to tile
LEFT, RIGHT = 171, 337  # of the tiles
INPUT, ANSWER = 36, (434, 104, 100)  # middle of the input; left, width and height of the answer's box
NEURONS = ("pink", "olive dashed", "sky dashdot")  # the look of each neuron's name, and of its part of f(x)
MOST_TILES = len(NEURONS)  # neurons that are drawn as tiles
NARROW = len("b2 1/2")  # characters of a bias that leave room for a word beside it
Point = tuple[float, float]
HEAD, DISC = "M-2,0l9,-4.5v9z", SHAPES["disc"]  # of an arrow; of a neuron on its curve


def height_of(n_hidden: int) -> int:
    """Return how tall the picture of a net with so many hidden neurons is."""
    return TOP + PITCH * (n_hidden if 2 <= n_hidden <= MOST_TILES else 2)


def network_diagram(shown: Shown) -> str:
    """Return the marks of a net with one input and one output, 540 pixels wide."""
    return "".join((_tiles if shown.params.W1.shape[1] <= MOST_TILES else _column)(shown))


def with_description(marks: str, n_hidden: int, description: str, height: float) -> str:
    """Return the net in a group with a title and a description for those who listen, no taller than `height`."""
    title, scale = escape(words.DIAGRAM_TITLE.format(n_hidden=n_hidden)), min(1, height / height_of(n_hidden))
    return (
        f'<g transform="scale({scale:.3g})" role="img" aria-label="{title}"><title>{title}</title>'
        f"<desc>{escape(description)}</desc>{marks}</g>"
    )


def _tiles(shown: Shown) -> Iterator[str]:
    n = shown.params.W1.shape[1]
    middle = TOP + (PITCH * max(n, 2) - PITCH + TILE[1]) / 2
    tops = [middle - (PITCH * n - PITCH + TILE[1]) / 2 + PITCH * i for i in range(n)]
    # Where a neuron's gradients stand: above it in the upper half, below it in the lower.
    bends = [top + TILE[1] + 14 if top > middle - 70 else top - 14 for top in tops]
    for i, top in enumerate(tops):
        centre = top + TILE[1] / 2
        y = middle + 0.66 * (centre - middle) + 4  # of a weight's name, nearer to the neuron
        yield _edge(shown, "W1", i, (INPUT + 30, middle), (LEFT, centre))
        yield value(shown, "W1", i, LEFT - 3, y, f"end strong {_sign(shown, 'W1', i).split()[0]}", "name[i]")
        yield _edge(shown, "W2", i, (RIGHT, centre), (ANSWER[0], middle))
        yield value(shown, "W2", i, RIGHT + 3, y, f"strong {_sign(shown, 'W2', i).split()[0]}", "name[i]")
        yield from _way_back(shown, i, top, bends[i], middle)
    yield from _ends(shown, middle)
    for i, top in enumerate(tops):
        yield from _tile(shown, i, top)
        for name in ("dW1", "db1", "dW2"):
            yield gradient(shown, name, i, bends[i])


def _edge(shown: Shown, name: str, i: int, start: Point, end: Point, least: float = 1.2, more: float = 2.2) -> str:
    """Return a weight as a line, as wide as it is large."""
    (x1, y1), (x2, y2), width = start, end, least + more * min(abs(float(entry(shown, name, i))), 2.5)
    style = f'class="line {_sign(shown, name, i)}" style="stroke-width: {width:.1f}"'
    return f'<path {style} d="M{x1},{y1:.1f}L{x2},{y2:.1f}"/>'


def _sign(shown: Shown, name: str, i: int) -> str:
    size = entry(shown, name, i)
    return "blue" if size > 0 else "orange dashed" if size < 0 else "grey dotted"


def _way_back(shown: Shown, i: int, top: float, bend: float, middle: float) -> Iterator[str]:
    """Yield the arrows from the error to W2 and from the neuron to W1: as wide as the gradient is large, or dotted."""
    side = 1 if bend > top else -1
    edge, start = top + TILE[1] / 2 + side * (TILE[1] / 2 - 12), f"{ANSWER[0] + 30},{middle + side * ANSWER[2] / 2}"
    arrows = {
        "dW2": (f"M{start}Q{ANSWER[0] - 10},{bend}", f"{RIGHT + 2},{edge}", 0),
        "dW1": (f"M{LEFT},{edge}Q{INPUT + 60},{bend}", f"{INPUT + 10},{middle + side * 31}", side * 62),
    }
    for name, (path, end, turn) in arrows.items():
        if name not in shown.known:
            continue
        size = abs(float(entry(shown, name, i)))
        look, width = ("purple", 1.2 + 1.2 * min(size, 2.5)) if size > DONE else ("grey dotted", 1.5)
        yield f'<path class="line {look}" style="stroke-width: {width:.1f}" d="{path} {end}"/>'
        if size > DONE:
            yield f'<path class="line purple pulse" d="{path} {end}"/>'
        yield f'<path class="fill {look.split()[0]}" transform="translate({end}) rotate({turn})" d="{HEAD}"/>'


def _tile(shown: Shown, i: int, top: float) -> Iterator[str]:
    """Yield a neuron: its activation as a curve with a dot at (z1, a1), and its values, those of the way back below."""
    bottom = top + TILE[1]
    yield f'<rect class="tile" x="{LEFT}" y="{top}" width="{TILE[0]}" height="{TILE[1]}" rx="9"/>'
    yield write(LEFT + 8, top + 14, words.NEURON_LABEL.format(number=i + 1), f"small {NEURONS[i].split()[0]}")
    yield value(shown, "b1", i, RIGHT - 8, top + 14, "small end")
    yield from _curve(shown, i, top + 17)
    yield value(shown, "z1", i, LEFT + 8, bottom - 24, "small")
    yield value(shown, "a1", i, RIGHT - 8, bottom - 41, "small strong end")
    yield value(shown, "dz1", i, LEFT + 8, bottom - 7, "tiny purple")
    yield value(shown, "da1", i, RIGHT - 8, bottom - 24, "tiny purple end")


def _curve(shown: Shown, i: int, top: float) -> Iterator[str]:
    """Yield the activation over z1, and where the neuron is on it; the slope there stands beside it."""
    reach = max(2.0, *(abs(float(z1)) for z1 in np.ravel(shown.known.get("z1", [0]))))
    n_points = 3 if shown.params.activation in ("relu", "leaky_relu", "identity") else 25
    left, width, floor, rise = LEFT + 12, 70, top + 38, 32

    def places(z1: Array) -> list[str]:
        x, y = left + width * (z1 / reach + 1) / 2, floor - rise * shown.params.phi(z1).astype(float) / reach
        return [f"{across:.1f},{down:.1f}" for across, down in zip(x.tolist(), y.tolist(), strict=True)]

    points = " ".join(places(reach * np.linspace(-1, 1, n_points)))
    yield f'<path class="line grey thin" d="M{left + width / 2},{top}V{floor + 6}"/>'
    yield f'<path class="line grey" d="M{points}"/>'
    if "z1" in shown.known and "a1" in shown.known:
        [dot], look = places(np.array([float(entry(shown, "z1", i))])), "blue" if float(entry(shown, "a1", i)) else ""
        yield f'<path class="fill {look}" transform="translate({dot})" d="{DISC}"/>'
    yield value(shown, "phi_prime", i, RIGHT - 8, top + 19, "tiny purple end")


def _ends(shown: Shown, middle: float) -> Iterator[str]:
    """Yield the input; the answer with the target, the error and the loss, and the gradient of its bias above."""
    yield f'<circle class="tile" cx="{INPUT}" cy="{middle}" r="30"/>'
    yield write(INPUT, middle - 8, words.INPUT, "small faint middle")
    yield value(shown, "X", 0, INPUT, middle + 14, "large middle", "")
    left, width, height = ANSWER
    top, centre = middle - height / 2, left + width / 2
    yield gradient(shown, "db2", 0, top - 14)
    yield f'<rect class="tile" x="{left}" y="{top}" width="{width}" height="{height}" rx="9"/>'
    bias = value(shown, "b2", 0, left + width - 8, top + 15, "small end")
    if len(re.sub("<.*?>", "", bias)) <= NARROW:
        yield write(left + 8, top + 15, words.ANSWER, "small faint")
    yield bias
    yield value(shown, "y_hat", 0, centre, top + 40, "large middle", "")
    yield value(shown, "Y", 0, centre, top + 60, "small middle")
    yield value(shown, "dy_hat", 0, centre, top + 77, "small strong purple middle")
    yield value(shown, "L", 0, centre, top + 94, "small middle")


def _column(shown: Shown) -> Iterator[str]:
    """Yield a dot for each neuron, filled where it speaks, between lines without numbers."""
    n = shown.params.W1.shape[1]
    height = height_of(n)
    pitch = (height - 2 * TOP) / n
    middle, x = height / 2, (LEFT + RIGHT) / 2
    heights = [TOP + pitch * (i + 0.5) for i in range(n)]
    yield from (_edge(shown, "W1", i, (INPUT + 30, middle), (x, y), 0.5, 1) for i, y in enumerate(heights))
    yield from (_edge(shown, "W2", i, (x, y), (ANSWER[0], middle), 0.5, 1) for i, y in enumerate(heights))
    radius = min(9.0, 0.45 * pitch)
    for i, y in enumerate(heights):
        speaks = "fill blue" if float(entry(shown, "a1", i) or 0) else "tile"
        yield f'<circle class="{speaks}" cx="{x}" cy="{y:.1f}" r="{radius:.1f}"/>'
    yield write(x, 14, words.COLUMN.format(n=n), "small faint middle")
    for name, at in (("dW1", (INPUT + LEFT) / 2 + 20), ("dW2", (RIGHT + ANSWER[0]) / 2 - 20)):
        shut = int((abs(np.array(shown.known[name], dtype=float)) <= DONE).sum())
        yield write(at, height - 8, words.COUNTED.format(name=words.NAMES[name], shut=shut, n=n), "small purple middle")
    yield from _ends(shown, middle)
