"""The net as an SVG diagram that takes its colours from the page around it."""

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

import numpy as np

from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.symbols import exactly
from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.pictures import words

WIDTH, ROW, TOP = 748, 176, 8  # drawing units: width, height a hidden neuron takes, where the first one's box starts
X_LEFT, X_WIDTH, HIDDEN_LEFT, HIDDEN_WIDTH, OUT_LEFT, OUT_WIDTH = 12, 92, 232, 144, 556, 172
LONGEST = 9  # characters a number may take in the diagram
# How far below the middle of a box its values stand.
AT_NEURON = {"b1": -40, "z1": -15, "phi_prime": 5, "a1": 25, "da1": 48, "dz1": 68, "db1": 88}
AT_OUTPUT = {"b2": -40, "y_hat": -8, "Y": 18, "dy_hat": 52, "db2": 72, "L": 92}
ASKED = ("X", "Y", "W1", "b1", "W2", "b2", "z1", "a1", "y_hat")  # where a question stands for what is not known
GROUND = "var(--jp-layout-color0, transparent)"  # behind every text, so that no line runs through it
Mark = tuple[str, int]  # a quantity and the neuron it belongs to, counted from 0
# how a value is marked: (fill, frame, dash, weight, text colour, sign before the text)
STYLES = {
    "now": ("#0072B2", "#0072B2", "", "bold", "#ffffff", "▶ "),
    "used": (GROUND, "currentColor", "", "normal", "currentColor", ""),
    "zero": (GROUND, "#D55E00", "5 3", "bold", "currentColor", "✕ "),
    "plain": (GROUND, "none", "", "normal", "currentColor", ""),
}


def network_diagram(
    known: Mapping[str, Any],
    now: Collection[str] = (),
    used: Collection[str] = (),
    zero: Collection[Mark] = (),
    *,
    decimals: bool = False,
    description: str = "",
    on_paper: bool = False,
    ask: bool = True,
) -> str:
    """Return an SVG of a 1-n-1 net with every value in `known` (matrices by quantity) at its place.

    Quantities in `now` are filled, those in `used` framed, and the (quantity, neuron) pairs in `zero` crossed out:
    they are the factors that make a gradient 0. `ask` puts a question mark where a value of the forward pass is not
    known. `on_paper` draws black on an opaque white ground, for pages without a theme. Raises ValueError for a net
    with several inputs or outputs.
    """
    n_in, n_hidden = known["W1"].shape
    if n_in != 1 or known["W2"].shape != (n_hidden, 1):
        raise ValueError(f"known must describe a net with one input and one output; got W1 {known['W1'].shape}")
    height = TOP + n_hidden * ROW + 40
    asked = [(name, neuron) for name in ASKED if ask for neuron in range(n_hidden)]
    texts = {(name, neuron): (f"{SYMBOLS[name][1]} = ?", "plain") for name, neuron in asked}
    texts |= _texts(known, now, used, zero, decimals)
    parts = [*_parts(texts, n_hidden, now), *_legend(height, bool(now))]
    ground = f'<rect width="{WIDTH}" height="{height}" fill="{GROUND}"/>' if on_paper else ""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'style="width: 100%; max-width: {WIDTH}px; height: auto; display: block; '
        'font: 14px ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">'
        f"<title>{escape(words.DIAGRAM_TITLE.format(n_hidden=n_hidden))}</title><desc>{escape(description)}</desc>"
        f"{ground}{''.join(parts)}</svg>"
    )
    return svg.replace(GROUND, "#ffffff").replace("currentColor", "#000000") if on_paper else svg


def zero_marks(zero_by: Mapping[tuple[int, int], Collection[str]]) -> set[Mark]:
    """Return which factor to cross out at which neuron, from the zero factors of each entry of a gradient."""
    shared = ("X", "dy_hat")  # one value for all neurons
    return {(name, 0 if name in shared else max(entry)) for entry, names in zero_by.items() for name in names}


def _texts(
    known: Mapping[str, Any], now: Collection[str], used: Collection[str], zero: Collection[Mark], decimals: bool
) -> dict[Mark, tuple[str, str]]:
    """Return "name = number", and how it is marked, of every known quantity at every neuron."""
    texts = {}
    for quantity, values in known.items():
        style = "now" if quantity in now else "used" if quantity in used else "plain"
        for neuron, entry in enumerate(np.array(values, dtype=object).ravel()):
            mark = (quantity, neuron)
            text = f"{SYMBOLS[quantity][1]} = {_number(entry, decimals)}"
            texts[mark] = (text, "zero" if mark in zero else style)
    return texts


def _number(entry: Any, decimals: bool) -> str:
    text = Printer("text", decimals).number(exactly(entry))
    text = text if len(text) <= LONGEST else Printer("text", decimals=True).number(exactly(entry))
    return text.replace("-", "−")


def _parts(texts: Mapping[Mark, tuple[str, str]], n_hidden: int, now: Collection[str]) -> list[str]:
    """Return the lines, the boxes and the values of the net as SVG elements, those above others last."""
    middle = TOP + n_hidden * ROW / 2 - 8  # of input and output
    lines, weights, neurons = [], [], []
    for neuron in range(n_hidden):
        y = TOP + neuron * ROW + ROW / 2 - 8
        lines.append(_line("W1", now, X_LEFT + X_WIDTH, middle, HIDDEN_LEFT, y))
        lines.append(_line("W2", now, HIDDEN_LEFT + HIDDEN_WIDTH, y, OUT_LEFT, middle))
        beside = (y + middle) / 2 + (-48 if neuron < n_hidden / 2 else 40)
        weights += _values(texts, HIDDEN_LEFT - 88, beside, {"W1": 0, "dW1": 20}, neuron)
        weights += _values(texts, OUT_LEFT - 92, beside, {"W2": 0, "dW2": 20}, neuron)
        x, name = HIDDEN_LEFT + HIDDEN_WIDTH / 2, words.NEURON_LABEL.format(number=neuron + 1)
        neurons += [_body(HIDDEN_LEFT, y, HIDDEN_WIDTH), _boxed(x, y - 60, name, "plain")]
        neurons += _values(texts, x, y, AT_NEURON, neuron)
    place = f'x="{X_LEFT}" y="{middle - 22}" width="{X_WIDTH}" height="44"'
    ends = [f'<rect {place} rx="22" fill="{GROUND}" stroke="currentColor"/>']
    ends += _values(texts, X_LEFT + X_WIDTH / 2, middle, {"X": 5})
    ends.append(_body(OUT_LEFT, middle, OUT_WIDTH))
    ends += _values(texts, OUT_LEFT + OUT_WIDTH / 2, middle, AT_OUTPUT)
    return [*reversed(lines), *weights, *ends, *neurons]


def _values(texts: Mapping[Mark, Any], x: float, y: float, places: Mapping[str, int], neuron: int = 0) -> list[str]:
    shown = [(texts[name, neuron], below) for name, below in places.items() if (name, neuron) in texts]
    return [_boxed(x, y + below, *text) for text, below in shown]


def _line(weight: str, now: Collection[str], x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a line from box to box, thick where the weight or its gradient is computed."""
    stroke, width = ("#0072B2", 4) if {weight, f"d{weight}"} & set(now) else ("currentColor", 1.5)
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="{width}"/>'


def _body(left: float, middle: float, width: int) -> str:
    """Return the box of a neuron or of the output."""
    return (
        f'<rect x="{left}" y="{middle - 32}" width="{width}" height="64" rx="12" fill="{GROUND}" '
        'stroke="currentColor" stroke-width="1.5"/>'
    )


def _boxed(x: float, y: float, text: str, style: str) -> str:
    """Return a text with its sign, in a box around (x, y)."""
    fill, frame, dash, weight, colour, sign = STYLES[style]
    width = _width(text, style)
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - 13.5:.1f}" width="{width:.1f}" height="18" rx="4" fill="{fill}" '
        f'stroke="{frame}" stroke-width="2" stroke-dasharray="{dash}"/>'
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{colour}" '
        f'font-weight="{weight}">{escape(sign + text)}</text>'
    )


def _width(text: str, style: str) -> float:
    return 8.45 * len(STYLES[style][-1] + text) + 8


def _legend(height: int, stepping: bool) -> list[str]:
    """Explain the marks below the net; without a current line only the one that can occur."""
    x, parts = 4.0, []
    entries = list(zip(("now", "used", "zero"), words.DIAGRAM_LEGEND, strict=True))
    for style, text in entries if stepping else entries[-1:]:
        width = _width(text, style)
        parts.append(_boxed(x + width / 2, height - 8, text, style))
        x += width + 16
    return parts
