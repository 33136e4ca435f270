"""The net as a picture: its weights as lines, its neurons as tiles with their curve, and the way back as arrows."""

from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.symbols import exactly
from lesson_lib.derivation.trace import Place
from lesson_lib.network import PARAMETERS, Params
from lesson_lib.pictures import words
from lesson_lib.pictures.frame import SHAPES, write

WIDTH, TOP, TILE, PITCH = 540, 30, (160, 94), 120  # of the picture; above the first tile; a tile; from tile to tile
LEFT, RIGHT = 174, 334  # of the tiles
INPUT, ANSWER = 36, (434, 104, 104)  # middle of the input; left, width and height of the answer's box
MOST_TILES, SHORT = 3, 5  # neurons that are drawn as tiles; characters a number may take
OF_ALL = ("X", "Y", "y_hat", "dy_hat", "L", "b2", "db2")  # what all neurons share
DONE = 1e-6  # a gradient that is smaller than this, and not 0, has come to its end
HEAD, DISC = "M-2,0l9,-4.5v9z", SHAPES["disc"]  # of an arrow; of a neuron on its curve
LOCK = "M-4,-1h8v7h-8zM-2.5,-1v-2.5a2.5,2.5 0 0 1 5,0v2.5"
OPEN_LOCK = "M-4,-1h8v7h-8zM-2.5,-1v-3a2.5,2.5 0 0 1 4.6,-1.4"


class Shown(NamedTuple):
    """What the picture shows: a net, its values by quantity, and which of them a line computes, uses, or leaves."""

    params: Params
    known: Mapping[str, Any]  # "z1", "a1", "y_hat", "dW1", ...: (1, n) arrays; "W1" if it has changed
    past: Mapping[str, Any] = {}  # the same of other lines, shown in grey
    zero_by: Mapping[str, Mapping[Place, Collection[str]]] = {}  # by gradient: which factors make each entry 0
    now: Collection[str] = ()
    used: Collection[str] = ()
    decimals: bool = True


def height_of(n_hidden: int) -> int:
    """Return how tall the picture of a net with so many hidden neurons is."""
    return TOP + PITCH * min(max(n_hidden, 2), MOST_TILES)


def network_diagram(shown: Shown) -> str:
    """Return the marks of a 1-n-1 net, 540 pixels wide; raises ValueError for a net with more inputs or outputs."""
    n_in, n_hidden = shown.params.W1.shape
    if n_in != 1 or shown.params.W2.shape != (n_hidden, 1):
        raise ValueError(f"params must be a net with one input and one output; got W1 {shown.params.W1.shape}")
    return "".join((_tiles if n_hidden <= MOST_TILES else _column)(shown))


def with_description(marks: str, n_hidden: int, description: str, height: float | None = None) -> str:
    """Return marks of the net in one group with a title and a description for those who listen, `height` tall."""
    title = escape(words.DIAGRAM_TITLE.format(n_hidden=n_hidden))
    scale = 1 if height is None else min(1, height / height_of(n_hidden))
    return (
        f'<g transform="scale({scale:.3g})" role="img" aria-label="{title}"><title>{title}</title>'
        f"<desc>{escape(description)}</desc>{marks}</g>"
    )


# A few neurons: tiles -------------------------------------------------------------------------------------------------


def _tiles(shown: Shown) -> Iterator[str]:
    n = shown.params.W1.shape[1]
    middle = TOP + (PITCH * max(n, 2) - PITCH + TILE[1]) / 2
    tops = [middle - (PITCH * n - PITCH + TILE[1]) / 2 + PITCH * i for i in range(n)]
    for i, top in enumerate(tops):
        centre = top + TILE[1] / 2
        yield _edge(shown, "W1", i, (INPUT + 30, middle), (LEFT, centre))
        yield _edge(shown, "W2", i, (RIGHT, centre), (ANSWER[0], middle))
        yield from _way_back(shown, i, top, middle)
    yield from _input(shown, middle)
    yield from _answer(shown, middle)
    for i, top in enumerate(tops):
        yield from _tile(shown, i, top)
        for name, x in (("dW1", 90), ("db1", 254), ("dW2", 398)):
            yield _gradient(shown, name, i, x, _beside(top, middle))


def _beside(top: float, middle: float) -> float:
    """Return at which height a neuron's gradients stand: above it in the upper half, below it in the lower."""
    return top + TILE[1] + 14 if top > middle - 70 else top - 14


def _edge(shown: Shown, name: str, i: int, start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a weight as a line, as wide as it is large, with its name and number on it."""
    value = float(_entry(shown, name, i) or 0)
    (x1, y1), (x2, y2) = start, end
    width = 1.2 + 2.2 * min(abs(value), 2.5)
    line = f'<path class="line {_sign(value)}" style="stroke-width: {width:.1f}" d="M{x1},{y1}L{x2},{y2}"/>'
    y, look = y1 + (y2 - y1) * (0.66 if name == "W1" else 0.34) + 4, f"strong {_sign(value).split()[0]}"
    if name == "W1":
        return line + _value(shown, name, i, LEFT - 5, y, f"end {look}", on_line=True)
    return line + _value(shown, name, i, RIGHT + 5, y, look, on_line=True)


def _sign(value: float) -> str:
    return "blue" if value > 0 else "orange dashed" if value < 0 else "grey dotted"


def _way_back(shown: Shown, i: int, top: float, middle: float) -> Iterator[str]:
    """Yield the arrows from the error to W2 and from the neuron to W1, outside the lines."""
    bend = _beside(top, middle)
    side = 1 if bend > top else -1
    edge, start = top + TILE[1] / 2 + side * (TILE[1] / 2 - 12), f"{ANSWER[0] + 30},{middle + side * ANSWER[2] / 2}"
    yield _arrow(shown, "dW2", i, f"M{start}Q{ANSWER[0] - 10},{bend}", (RIGHT + 2, edge), 0)
    yield _arrow(shown, "dW1", i, f"M{LEFT},{edge}Q{INPUT + 60},{bend}", (INPUT + 10, middle + side * 31), side * 62)


def _arrow(shown: Shown, name: str, i: int, path: str, end: tuple[float, float], turn: float) -> str:
    """Return an arrow back that arrives at `end`, as wide as the gradient is large; dotted where nothing passes."""
    if name not in shown.known:
        return ""
    value, (x, y) = abs(float(_entry(shown, name, i))), end
    look, width = ("purple", 1.2 + 1.2 * min(value, 2.5)) if value > DONE else ("grey", 1.5)
    d = f"{path} {x},{y}"
    moving = f'<path class="line purple pulse" d="{d}"/>' if value > DONE else ""
    return (
        f'<path class="line {look}{"" if moving else " dotted"}" style="stroke-width: {width:.1f}" d="{d}"/>{moving}'
        f'<path class="fill {look}" transform="translate({x},{y}) rotate({turn})" d="{HEAD}"/>'
    )


def _gradient(shown: Shown, name: str, i: int, x: float, y: float) -> str:
    """Return a gradient in a pill: its number if it is open, else a padlock with the factor that is 0."""
    if name not in shown.known:
        return ""
    value = _entry(shown, name, i)
    factors = _zero_factors(shown, name, i)
    label = _name(shown, name, i)
    if value == 0 and factors:
        icon, look, text = (
            f'<path class="fill red" d="{LOCK}"/><path class="line red thin" d="{LOCK}"/>',
            "red",
            (words.LOCKED.format(name=label, factors=", ".join(factors))),
        )
    elif abs(float(value)) <= DONE:
        icon, look, text = '<path class="line thin" d="M-4,1l3,4 5,-8"/>', "", words.DONE.format(name=label)
    else:
        icon, look, text = (
            f'<path class="line green thin" d="{OPEN_LOCK}"/>',
            "purple",
            f"{label} {_number(value, shown)}",
        )
    width, is_now = 5.9 * len(text) + 25, name in shown.now
    box, letters = ("now", "on-now") if is_now else (f"pill {look}", look)
    return (
        f'<g transform="translate({x - width / 2:.1f},{y - 9:.1f})">'
        f'<rect class="{box}" width="{width:.1f}" height="18" rx="9"/><g transform="translate(11,8)">{icon}</g>'
        f"{write(19, 13, text, f'tiny strong {letters}')}</g>"
    )


def _input(shown: Shown, middle: float) -> Iterator[str]:
    yield f'<circle class="tile" cx="{INPUT}" cy="{middle}" r="30"/>'
    yield write(INPUT, middle - 8, words.INPUT, "small faint middle")
    yield _value(shown, "X", 0, INPUT, middle + 14, "large middle", bare=True)


def _tile(shown: Shown, i: int, top: float) -> Iterator[str]:
    """Yield a neuron: its activation as a curve with a dot at (z1, a1), and its values, those of the way back below."""
    bottom = top + TILE[1]
    yield f'<rect class="tile" x="{LEFT}" y="{top}" width="{TILE[0]}" height="{TILE[1]}" rx="9"/>'
    yield write(LEFT + 8, top + 14, words.NEURON_LABEL.format(number=i + 1), "small faint")
    yield _value(shown, "b1", i, RIGHT - 8, top + 14, "small end", index=False)
    yield from _curve(shown, i, top + 20)
    yield _value(shown, "z1", i, LEFT + 8, bottom - 22, "small", index=False)
    yield _value(shown, "a1", i, RIGHT - 8, bottom - 22, "small strong end", index=False)
    yield _value(shown, "dz1", i, LEFT + 8, bottom - 7, "tiny purple", index=False)
    yield _value(shown, "da1", i, RIGHT - 8, bottom - 7, "tiny purple end", index=False)


def _curve(shown: Shown, i: int, top: float) -> Iterator[str]:
    """Yield the activation over z1, and where the neuron is on it; the slope there stands beside it."""
    reach = max(2.0, *(abs(float(z1)) for z1 in np.ravel(shown.known.get("z1", [0]))))
    z1 = (
        (-1.0, 0.0, 1.0)
        if shown.params.activation in ("relu", "leaky_relu", "identity")
        else np.linspace(-1, 1, 25).tolist()
    )
    net, left, width, floor, rise = shown.params, LEFT + 40, 70, top + 38, 32

    def place(z: float) -> tuple[float, float]:
        a = float(net.phi(np.array([[z]]))[0, 0])
        return left + width * (z / reach + 1) / 2, floor - rise * a / reach

    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(z * reach) for z in z1))
    yield f'<path class="line grey thin" d="M{left + width / 2},{top}V{floor + 6}"/>'
    yield f'<path class="line grey" d="M{points}"/>'
    if "z1" in shown.known and "a1" in shown.known:
        x, y = place(float(_entry(shown, "z1", i)))
        look = "blue" if float(_entry(shown, "a1", i)) else ""
        yield f'<path class="fill {look}" transform="translate({x:.1f},{y:.1f})" d="{DISC}"/>'
    yield _value(shown, "phi_prime", i, RIGHT - 8, top + 34, "tiny purple end", index=False)


def _answer(shown: Shown, middle: float) -> Iterator[str]:
    """Yield the answer with the target, the error and the loss, and the gradient of its bias below."""
    left, width, height = ANSWER
    top, centre = middle - height / 2, left + width / 2
    yield _gradient(shown, "db2", 0, centre - 2, top - 14)
    yield f'<rect class="tile" x="{left}" y="{top}" width="{width}" height="{height}" rx="9"/>'
    yield write(left + 8, top + 15, words.ANSWER, "small faint")
    yield _value(shown, "b2", 0, left + width - 8, top + 15, "small end")
    yield _value(shown, "y_hat", 0, centre, top + 42, "large middle", bare=True)
    yield _value(shown, "Y", 0, centre, top + 62, "small middle")
    yield _value(shown, "dy_hat", 0, centre, top + 79, "small strong purple middle")
    yield _value(shown, "L", 0, centre, top + 95, "small middle")


# Many neurons: a column -----------------------------------------------------------------------------------------------


def _column(shown: Shown) -> Iterator[str]:
    """Yield a dot for each neuron, filled where it speaks, between lines without numbers."""
    n, height = shown.params.W1.shape[1], height_of(MOST_TILES)
    pitch = (height - 2 * TOP) / n
    middle, x = height / 2, (LEFT + RIGHT) / 2
    heights = [TOP + pitch * (i + 0.5) for i in range(n)]
    for name, start, end in (("W1", INPUT + 30, x), ("W2", x, ANSWER[0])):
        for i, y in enumerate(heights):
            value = float(_entry(shown, name, i))
            ends = (middle, y) if name == "W1" else (y, middle)
            style = f"stroke-width: {0.5 + min(abs(value), 2.5):.1f}"
            yield f'<path class="line {_sign(value)}" style="{style}" d="M{start},{ends[0]:.1f}L{end},{ends[1]:.1f}"/>'
    radius = min(9.0, 0.45 * pitch)
    for i, y in enumerate(heights):
        speaks = "fill blue" if float(_entry(shown, "a1", i) or 0) else "tile"
        yield f'<circle class="{speaks}" cx="{x}" cy="{y:.1f}" r="{radius:.1f}"/>'
    yield write(x, 14, words.COLUMN.format(n=n), "small faint middle")
    for name, at in (("dW1", (INPUT + LEFT) / 2 + 20), ("dW2", (RIGHT + ANSWER[0]) / 2 - 20)):
        yield write(at, height - 8, _counted(shown, name), "small purple middle")
    yield from _input(shown, middle)
    yield from _answer(shown, middle)


def _counted(shown: Shown, name: str) -> str:
    """Return for how many neurons a gradient is 0."""
    values = np.ravel(shown.known[name])
    return words.COUNTED.format(
        name=words.NAMES[name], shut=int((abs(values.astype(float)) <= DONE).sum()), n=len(values)
    )


# Values ---------------------------------------------------------------------------------------------------------------


def _entry(shown: Shown, name: str, i: int) -> Any:
    """Return a neuron's entry of a quantity, or None while it is not known."""
    values = shown.known.get(name, getattr(shown.params, name) if name in PARAMETERS else shown.past.get(name))
    return None if values is None else np.array(values, dtype=object).ravel()[i]


def _value(
    shown: Shown,
    name: str,
    i: int,
    x: float,
    y: float,
    look: str,
    *,
    index: bool = True,
    bare: bool = False,
    on_line: bool = False,
) -> str:
    """Return "name number" at its place: filled if it is computed now, framed if it is used, grey if it is past."""
    entry = _entry(shown, name, i)
    if entry is None:
        return ""
    number = _number(entry, shown)
    text = number if bare else f"{_name(shown, name, i) if index else words.NAMES[name]} {number}"
    if name not in shown.known and name not in PARAMETERS:
        return write(x, y, text, f"{look} faint")
    kind = "now" if name in shown.now else "used" if name in shown.used else "fill ground" if on_line else ""
    if not kind:
        return write(x, y, text, look)
    width = (11 if bare else 6.6) * len(text) + 8
    left = x - (width / 2 if "middle" in look else width - 4 if "end" in look else 4)
    top, height = (y - 17, 23) if bare else (y - 13, 17)
    box = f'<rect class="{kind}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}" rx="4"/>'
    return box + write(x, y, text, f"{look} on-now" if kind == "now" else look)


def _name(shown: Shown, name: str, i: int) -> str:
    """Return "W1[2]": the entry of neuron 2, as Python would count from 0 and this course from 1."""
    several = shown.params.W1.shape[1] > 1 and name not in OF_ALL
    return f"{words.NAMES[name]}[{i + 1}]" if several else words.NAMES[name]


def _zero_factors(shown: Shown, name: str, i: int) -> list[str]:
    """Return the names of the factors that make a gradient's entry 0."""
    found = [names for place, names in shown.zero_by.get(name, {}).items() if max(place) == i]
    return [words.NAMES[factor] for factor in found[0]] if found else []


def _number(entry: Any, shown: Shown) -> str:
    if 0 < abs(float(entry)) <= DONE:
        return words.TINY
    text = Printer("text", shown.decimals).number(exactly(entry))
    return (text if len(text) <= SHORT else f"{float(entry):.3g}").replace("-", "−")
