"""Pictures: the net as an SVG diagram that takes its colours from the page around it."""

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

import numpy as np

from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.symbols import exactly
from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.pictures import words

WIDTH, ROW, TOP = 748, 176, 8  # drawing units: width, height a hidden neuron takes, where the first one's box starts
X_LEFT, HIDDEN_LEFT, HIDDEN_WIDTH, OUT_LEFT = 12, 232, 144, 556
LINE = 20  # distance from one line of text to the next
LONGEST = 9  # characters a number may take in the diagram

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
    pen = _Pen(known, now, used, zero, decimals, ask)
    height = TOP + n_hidden * ROW + 40
    parts = [*_edges(pen, n_hidden), *_input(pen, n_hidden), *_output(pen, n_hidden)]
    for neuron in range(n_hidden):
        parts += _neuron(pen, neuron)
    ground = f'<rect width="{WIDTH}" height="{height}" fill="{GROUND}"/>' if on_paper else ""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'style="width: 100%; max-width: {WIDTH}px; height: auto; display: block; '
        'font: 14px ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">'
        f"<title>{escape(words.DIAGRAM_TITLE.format(n_hidden=n_hidden))}</title><desc>{escape(description)}</desc>"
        f"{ground}{''.join(parts)}{_legend(height, bool(now))}</svg>"
    )
    return svg.replace(GROUND, "#ffffff").replace("currentColor", "#000000") if on_paper else svg


def zero_marks(zero_by: Mapping[tuple[int, int], Collection[str]]) -> set[Mark]:
    """Return which factor to cross out at which neuron, from the zero factors of each entry of a gradient."""
    shared = ("X", "dy_hat")  # one value for all neurons
    return {(name, 0 if name in shared else max(entry)) for entry, names in zero_by.items() for name in names}


class _Pen:
    """Knows every value and how each is marked, and writes one of them as a line of text in a box."""

    def __init__(
        self,
        known: Mapping[str, Any],
        now: Collection[str],
        used: Collection[str],
        zero: Collection[Mark],
        decimals: bool,
        ask: bool,
    ) -> None:
        self.known, self.now, self.used, self.zero, self.ask = known, now, used, zero, ask
        self.writer, self.short = Printer("text", decimals), Printer("text", decimals=True)

    def style(self, quantity: str, neuron: int) -> str:
        if (quantity, neuron) in self.zero:
            return "zero"
        return "now" if quantity in self.now else "used" if quantity in self.used else "plain"

    def number(self, quantity: str, neuron: int) -> str:
        entries = np.array(self.known[quantity], dtype=object).ravel()
        entry = exactly(entries[neuron if len(entries) > 1 else 0])
        text = self.writer.number(entry)
        text = text if len(text) <= LONGEST else self.short.number(entry)
        return text.replace("-", "−")

    def write(self, x: float, y: float, quantity: str, neuron: int = 0, anchor: str = "middle") -> str:
        """Return the line "name = number" at (x, y), or "name = ?" or nothing while it is not known."""
        if quantity not in self.known:
            if quantity.startswith("d") or quantity in ("phi_prime", "L") or not self.ask:
                return ""
            text = f"{SYMBOLS[quantity][1]} = ?"
        else:
            text = f"{SYMBOLS[quantity][1]} = {self.number(quantity, neuron)}"
        fill, frame, dash, weight, colour, sign = STYLES[self.style(quantity, neuron)]
        return _boxed(x, y, sign + text, anchor, fill, frame, dash, weight, colour)


def _boxed(
    x: float, y: float, text: str, anchor: str, fill: str, frame: str, dash: str, weight: str, colour: str
) -> str:
    width = 8.45 * len(text) + 8
    left = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
    return (
        f'<rect x="{left:.1f}" y="{y - 13.5:.1f}" width="{width:.1f}" height="18" rx="4" fill="{fill}" '
        f'stroke="{frame}" stroke-width="2" stroke-dasharray="{dash}"/>'
        f'<text x="{left + width / 2:.1f}" y="{y:.1f}" text-anchor="middle" fill="{colour}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _middle(n_hidden: int) -> float:
    return TOP + n_hidden * ROW / 2


def _centre(neuron: int) -> float:
    return TOP + neuron * ROW + ROW / 2 - 8


def _edges(pen: _Pen, n_hidden: int) -> list[str]:
    parts: list[str] = []
    middle = _middle(n_hidden) - 8
    for neuron in range(n_hidden):
        side = -1 if neuron < n_hidden / 2 else 1
        for quantity, start, end in (
            ("W1", (X_LEFT + 92, middle), (HIDDEN_LEFT, _centre(neuron))),
            ("W2", (HIDDEN_LEFT + HIDDEN_WIDTH, _centre(neuron)), (OUT_LEFT, middle)),
        ):
            busy = quantity in pen.now or f"d{quantity}" in pen.now
            parts.insert(
                0,
                f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" '
                f'stroke="{"#0072B2" if busy else "currentColor"}" stroke-width="{4 if busy else 1.5}"/>',
            )
            x = {"W1": HIDDEN_LEFT - 88, "W2": OUT_LEFT - 92}[quantity]
            y = (start[1] + end[1]) / 2 + (-48 if side < 0 else 40)
            lines = (quantity, f"d{quantity}")
            parts += [pen.write(x, y + i * LINE, name, neuron) for i, name in enumerate(lines)]
    return parts


def _input(pen: _Pen, n_hidden: int) -> list[str]:
    middle = _middle(n_hidden) - 8
    return [
        f'<rect x="{X_LEFT}" y="{middle - 22}" width="92" height="44" rx="22" fill="{GROUND}" stroke="currentColor"/>',
        pen.write(X_LEFT + 46, middle + 5, "X"),
    ]


def _neuron(pen: _Pen, neuron: int) -> list[str]:
    centre, middle = _centre(neuron), HIDDEN_LEFT + HIDDEN_WIDTH / 2
    return [
        f'<rect x="{HIDDEN_LEFT}" y="{centre - 32}" width="{HIDDEN_WIDTH}" height="64" rx="12" fill="{GROUND}" '
        'stroke="currentColor" stroke-width="1.5"/>',
        _boxed(middle, centre - 60, words.NEURON_LABEL.format(number=neuron + 1), "middle", *STYLES["plain"][:5]),
        pen.write(middle, centre - 40, "b1", neuron),
        pen.write(middle, centre - 15, "z1", neuron),
        pen.write(middle, centre + 5, "phi_prime", neuron),
        pen.write(middle, centre + 25, "a1", neuron),
        *(pen.write(middle, centre + 48 + i * LINE, name, neuron) for i, name in enumerate(("da1", "dz1", "db1"))),
    ]


def _output(pen: _Pen, n_hidden: int) -> list[str]:
    middle, x = _middle(n_hidden) - 8, OUT_LEFT + 86
    return [
        f'<rect x="{OUT_LEFT}" y="{middle - 32}" width="172" height="64" rx="12" fill="{GROUND}" stroke="currentColor" '
        'stroke-width="1.5"/>',
        pen.write(x, middle - 40, "b2"),
        pen.write(x, middle - 8, "y_hat"),
        pen.write(x, middle + 18, "Y"),
        *(pen.write(x, middle + 52 + i * LINE, name) for i, name in enumerate(("dy_hat", "db2", "L"))),
    ]


def _legend(height: int, stepping: bool) -> str:
    x, parts = 4.0, []
    entries = list(zip(("now", "used", "zero"), words.DIAGRAM_LEGEND, strict=True))
    for style, text in entries if stepping else entries[-1:]:
        fill, frame, dash, weight, colour, sign = STYLES[style]
        parts.append(_boxed(x, height - 8, sign + text, "start", fill, frame, dash, weight, colour))
        x += 8.45 * len(sign + text) + 24
    return "".join(parts)
