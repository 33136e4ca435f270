"""The NAA lab's picture for pages without a kernel: the plot as it stands, as a small SVG."""

from typing import Any

import numpy as np

from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, FAR, ORANGE, Bars
from lesson_lib.pictures.signature import ROWS, SignaturePlot
from lesson_lib.pictures.svg import still_picture, text

HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="5" height="5" fill="{ORANGE}"/><path d="M0 0V5" stroke="black" stroke-width="2"/></pattern></defs>'
)


def signature_svg(plot: SignaturePlot, description: str) -> str:
    """Return the plot as it stands as a small SVG on white, its coordinates rounded to a tenth."""
    parts = [part for panel in range(len(plot.axes)) for part in _panel_svg(plot, panel)]
    return still_picture(plot.size, description, parts, HATCH)


def _panel_svg(plot: SignaturePlot, panel: int) -> list[str]:
    """Draw one panel: title, ticks, bars, the rule's lines, the rows of marks and the numbers."""
    axes, place = plot.axes[panel], _Placer(plot.axes[panel], plot.size)
    left, top, bottom = place.left, place.top, place.bottom
    parts = [
        f'<path d="M{left} {top}V{bottom}M{left} {place.y(0)}H{place.right}" stroke="black" fill="none"/>',
        text(left, top - 10, f"{axes.get_title(loc='left')} ({axes.get_ylabel()})"),
        *_ticks_svg(axes, place),
    ]
    for name, paint in (("bars", BLUE), ("flagged", "url(#hatch)")):
        parts.append(place.bars(plot.lines[plot.bars_name(name, panel)], paint))
    for i, label in enumerate(plot.numbers[panel]):
        parts.append(text(place.x(i), place.y(label.get_position()[1]) + 4, label.get_text(), "middle"))
    return parts + (_marks_svg(plot, place) if panel == 0 else [])


def _ticks_svg(axes: Any, place: "_Placer") -> list[str]:
    """Write the labels of the ticks inside the frame, and the name of the neurons' axis."""
    low, high = axes.get_ylim()
    parts = [text(place.left - 6, place.y(y) + 4, f"{y:g}", "end") for y in axes.get_yticks() if low <= y <= high]
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    parts += [text(place.x(x), place.bottom + 38, tick.get_text(), "middle") for x, tick in ticks if low <= x <= high]
    return [*parts, text((place.left + place.right) / 2, place.bottom + 56, axes.get_xlabel(), "middle")]


def _marks_svg(plot: SignaturePlot, place: "_Placer") -> list[str]:
    """Draw the rule's lines with the number of the highest, and the rows of marks below the frame."""
    lines = [place.y(y) for y in plot.lines["threshold"].get_ydata()[::3]]
    parts = [f'<path d="M{place.left} {y}H{place.right}" stroke="black" stroke-dasharray="6 3"/>' for y in lines]
    parts.append(text(place.right + 4, place.y(plot.line_text.get_position()[1]) + 4, plot.line_text.get_text()))
    for name, height in ROWS.items():
        y = round(place.bottom - height * (place.bottom - place.top), 1)
        marks = "".join(f"M{round(place.x(x) - 1, 1)} {y}h2" for x in plot.lines[name].get_xdata())
        parts.append(text(place.left - 6, y + 4, words.NAA_ROWS[name], "end"))
        parts.append(f'<path d="{marks}" stroke="{"black" if name == "truth" else ORANGE}" stroke-width="6"/>')
    return parts


class _Placer:
    """Knows where in the picture a place of one panel is; what is above or below the frame is put on it."""

    def __init__(self, axes: Any, size: tuple[int, int]) -> None:
        self.axes, self.size = axes, size
        box = axes.get_position()
        self.left, self.right = (round(float(x) * size[0], 1) for x in (box.x0, box.x1))
        self.top, self.bottom = (round(float(1 - y) * size[1], 1) for y in (box.y1, box.y0))

    def at(self, x: float, y: float) -> tuple[float, float]:
        across, up = (self.axes.transData - self.axes.figure.transFigure).transform((x, y))
        down = min(max(float(1 - up) * self.size[1], self.top), self.bottom)
        return round(float(across) * self.size[0], 1), round(down, 1)

    def x(self, x: float) -> float:
        return self.at(x, 0)[0]

    def y(self, y: float) -> float:
        return self.at(0, y)[1]

    def bars(self, bars: Bars, paint: str) -> str:
        zero, (low, high) = self.y(0), self.axes.get_xlim()
        places = (self.at(*place) for place in zip(bars.places, np.clip(bars.heights, -FAR, FAR), strict=True))
        width = max(round(bars.width * (self.right - self.left) / (high - low), 1), 1)
        strokes = "".join(f"M{x} {zero}V{y}" for x, y in places)
        return f'<path d="{strokes}" stroke="{paint}" stroke-width="{width}"/>'
