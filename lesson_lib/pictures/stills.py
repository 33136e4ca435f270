"""The signature for pages without a kernel: a small SVG on white, with coordinates rounded to a tenth."""

from collections.abc import Iterable
from html import escape

import numpy as np

from lesson_lib.pictures import words
from lesson_lib.pictures.bars import FAR, PANELS, ROWS, Bars, SignaturePlot
from lesson_lib.pictures.plot import BLUE, ORANGE

HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="5" height="5" fill="{ORANGE}"/><path d="M0 0V5" stroke="black" stroke-width="2"/></pattern></defs>'
)


def signature_svg(plot: SignaturePlot, description: str) -> str:
    """Return the plot as it stands, with this description for those who listen."""
    panels = [_Panel(plot, panel) for panel in range(len(plot.axes))]
    parts = [*panels[0].frame(), *panels[0].marks(), *(part for panel in panels[1:] for part in panel.frame())]
    return _picture(plot.size, description, parts, HATCH)


def _picture(size: tuple[int, int], description: str, parts: Iterable[str], definitions: str = "") -> str:
    """Return an SVG of this width and height with these elements on white; the description is for those who listen."""
    area = f'width="{size[0]}" height="{size[1]}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {area} viewBox="0 0 {size[0]} {size[1]}" '
        f'style="font: 12px sans-serif"><desc>{escape(description)}</desc>{definitions}'
        f'<rect {area} fill="white"/>{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, content: str, anchor: str = "start") -> str:
    """Return a text that starts at (x, y), or has its "middle" or its "end" there."""
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{escape(content)}</text>'


class _Panel:
    """One panel of a signature's plot as SVG; what is above or below the frame is put on it."""

    def __init__(self, plot: SignaturePlot, panel: int) -> None:
        self.plot, self.panel, self.axes = plot, panel, plot.axes[panel]
        self.to_page = self.axes.transData - plot.figure.transFigure
        (width, height), box = plot.size, self.axes.get_position()
        self.left, self.right = (round(float(x) * width, 1) for x in (box.x0, box.x1))
        self.top, self.bottom = (round(float(1 - y) * height, 1) for y in (box.y1, box.y0))

    def x(self, x: float) -> float:
        across, _ = self.to_page.transform((x, 0))
        return round(float(across) * self.plot.size[0], 1)

    def y(self, y: float) -> float:
        _, up = self.to_page.transform((0, y))
        return round(min(max(float(1 - up) * self.plot.size[1], self.top), self.bottom), 1)

    def frame(self) -> list[str]:
        """Draw the frame, the title, the ticks, the bars and their numbers."""
        left, axes, plot = self.left, self.axes, self.plot
        parts = [
            f'<path d="M{left} {self.top}V{self.bottom}M{left} {self.y(0)}H{self.right}" stroke="black" fill="none"/>',
            _text(left, self.top - 10, f"{axes.get_title(loc='left')} ({axes.get_ylabel()})"),
        ]
        low, high = axes.get_ylim()
        parts += [_text(left - 6, self.y(y) + 4, f"{y:g}", "end") for y in axes.get_yticks() if low <= y <= high]
        low, high = axes.get_xlim()
        ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        parts += [
            _text(self.x(x), self.bottom + 38, tick.get_text(), "middle") for x, tick in ticks if low <= x <= high
        ]
        parts.append(_text((left + self.right) / 2, self.bottom + 56, axes.get_xlabel(), "middle"))
        for name, paint in (("bars", BLUE), ("flagged", "url(#hatch)")):
            parts.append(self.bars(plot.lines[name + PANELS[self.panel]], paint))
        for i, label in enumerate(plot.numbers[self.panel]):
            parts.append(_text(self.x(i), self.y(label.get_position()[1]) + 4, label.get_text(), "middle"))
        return parts

    def bars(self, bars: Bars, paint: str) -> str:
        zero, (low, high) = self.y(0), self.axes.get_xlim()
        places = zip(bars.places, np.clip(bars.heights, -FAR, FAR), strict=True)
        width = max(round(bars.width * (self.right - self.left) / (high - low), 1), 1)
        strokes = "".join(f"M{self.x(x)} {zero}V{self.y(y)}" for x, y in places)
        return f'<path d="{strokes}" stroke="{paint}" stroke-width="{width}"/>'

    def marks(self) -> list[str]:
        """Draw the rule's lines with the number of the highest, and the rows of marks below the frame."""
        plot, label = self.plot, self.plot.line_text
        lines = [self.y(y) for y in plot.lines["threshold"].get_ydata()[::3]]
        parts = [f'<path d="M{self.left} {y}H{self.right}" stroke="black" stroke-dasharray="6 3"/>' for y in lines]
        parts.append(_text(self.right + 4, self.y(label.get_position()[1]) + 4, label.get_text()))
        for name, (height, _, colour) in ROWS.items():
            y = round(self.bottom - height * (self.bottom - self.top), 1)
            marks = "".join(f"M{round(self.x(x) - 1, 1)} {y}h2" for x in plot.lines[name].get_xdata())
            parts.append(_text(self.left - 6, y + 4, words.NAA_ROWS[name], "end"))
            parts.append(f'<path d="{marks}" stroke="{colour}" stroke-width="6"/>')
        return parts
