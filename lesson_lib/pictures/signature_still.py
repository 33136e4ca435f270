"""The NAA lab's picture for pages without a kernel: the plot as it stands, as a small SVG."""

from html import escape
from typing import Any

import numpy as np

from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, ORANGE
from lesson_lib.pictures.signature import FAR, ROWS, Bars, SignaturePlot


def signature_svg(plot: SignaturePlot, description: str) -> str:
    """Return the plot as it stands as a small SVG on white, its coordinates rounded to a tenth."""
    parts = [part for panel in range(len(plot.axes)) for part in _panel_svg(plot, panel)]
    size = 'width="{}" height="{}"'.format(*plot.size)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {plot.size[0]} {plot.size[1]}" '
        f'style="font: 12px sans-serif"><desc>{escape(description)}</desc><defs>'
        '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="5" height="5" fill="{ORANGE}"/><path d="M0 0V5" stroke="black" stroke-width="2"/></pattern>'
        f'</defs><rect {size} fill="white"/>{"".join(parts)}</svg>'
    )


def _panel_svg(plot: SignaturePlot, panel: int) -> list[str]:
    """Draw one panel: title, ticks, bars, the rule's lines, the rows of marks and the numbers."""
    axes, quantity, first = plot.axes[panel], plot.quantities[panel], panel == 0
    place = _Placer(axes, plot.size)
    (left, top), (right, bottom) = place.corners
    parts = [f'<path d="M{left} {top}V{bottom}M{left} {place.y(0)}H{right}" stroke="black" fill="none"/>']
    parts.append(_text(left, top - 10, f"{axes.get_title(loc='left')} ({axes.get_ylabel()})"))
    parts += _ticks_svg(axes, place)
    width = max(round(plot.lines["bars"].width * place.per_neuron, 1), 1)
    for name, paint in (("bars", BLUE), ("flagged", "url(#hatch)")):
        strokes = place.strokes(plot.lines[name if first else f"{name} {quantity}"])
        parts.append(f'<path d="{strokes}" stroke="{paint}" stroke-width="{width}"/>')
    for i, text in enumerate(plot.numbers[panel]):
        parts.append(_text(place.x(i), place.y(text.get_position()[1]) + 4, text.get_text(), "middle"))
    return parts + (_marks_svg(plot, place) if first else [])


def _ticks_svg(axes: Any, place: "_Placer") -> list[str]:
    """Write the labels of the ticks inside the frame, and the name of the neurons' axis."""
    (left, _), (right, bottom) = place.corners
    low, high = axes.get_ylim()
    parts = [_text(left - 6, place.y(y) + 4, f"{y:g}", "end") for y in axes.get_yticks() if low <= y <= high]
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    parts += [_text(place.x(x), bottom + 38, tick.get_text(), "middle") for x, tick in ticks if low <= x <= high]
    return [*parts, _text((left + right) / 2, bottom + 56, axes.get_xlabel(), "middle")]


def _marks_svg(plot: SignaturePlot, place: "_Placer") -> list[str]:
    (left, top), (right, bottom) = place.corners
    lines = [place.y(y) for y in plot.lines["threshold"].get_ydata()[::3]]
    parts = [f'<path d="M{left} {y}H{right}" stroke="black" stroke-dasharray="6 3"/>' for y in lines]
    parts.append(_text(right + 4, place.y(plot.line_text.get_position()[1]) + 4, plot.line_text.get_text()))
    for name, height in ROWS.items():
        y = round(bottom - height * (bottom - top), 1)
        marks = "".join(f"M{round(place.x(x) - 1, 1)} {y}h2" for x in plot.lines[name].get_xdata())
        paint = "black" if name == "truth" else ORANGE
        parts += [
            _text(left - 6, y + 4, words.NAA_ROWS[name], "end"),
            f'<path d="{marks}" stroke="{paint}" stroke-width="6"/>',
        ]
    return parts


class _Placer:
    """Knows where in the picture a place of one panel is."""

    def __init__(self, axes: Any, size: tuple[int, int]) -> None:
        self.axes, self.size = axes, size
        self.corners = [self._point(fx, fy) for fx, fy in ((0, 1), (1, 0))]
        low, high = axes.get_xlim()
        self.per_neuron = (self.corners[1][0] - self.corners[0][0]) / (high - low)

    def _point(self, fx: float, fy: float) -> tuple[float, float]:
        box = self.axes.get_position()
        x, y = box.x0 + fx * (box.x1 - box.x0), box.y0 + min(max(fy, 0), 1) * (box.y1 - box.y0)
        return round(float(x) * self.size[0], 1), round(float(1 - y) * self.size[1], 1)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._point(*(self.axes.transData - self.axes.transAxes).transform((x, y)))

    def x(self, x: float) -> float:
        return self._at(x, 0)[0]

    def y(self, y: float) -> float:
        return self._at(0, y)[1]

    def strokes(self, bars: Bars) -> str:
        zero, places = self.y(0), zip(bars.places, np.clip(bars.heights, -FAR, FAR), strict=True)
        return "".join(f"M{x} {zero}V{y}" for x, y in (self._at(*place) for place in places))


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{escape(text)}</text>'
