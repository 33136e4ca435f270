"""Plots for sliders: one Matplotlib figure kept for good, of which only the moving lines are drawn again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from lesson_lib.pictures.image import as_image

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#00735C", "#555555"
DENSITY = 1.75  # pixels of the picture for one on the page: sharp on a fine screen, and a quarter lighter than 2
FAR = 1e4  # an infinite bar goes this far, beyond every frame
CORNERS = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]


class Plot:
    """A figure whose axes stay and whose lines move: `show` sets the lines' data and returns the picture as HTML.

    Lines outside the fixed limits are cut off at the frame, so nothing needs to be laid out again.
    """

    def __init__(self, width: int, height: int, n_panels: int) -> None:
        self.size = (width, height)
        self.figure = Figure(figsize=(width / 100, height / 100), dpi=100 * DENSITY, facecolor="white")
        self.canvas: Any = FigureCanvasAgg(self.figure)
        self.axes: list[Any] = list(self.figure.subplots(1, n_panels, squeeze=False)[0])
        for axes in self.axes:
            axes.tick_params(labelsize=8)
        self.lines: dict[str, Any] = {}
        self._empty: Any = None
        self._background: Any = None

    def line(self, name: str, panel: int, **style: Any) -> None:
        """Add a line that will move."""
        (self.lines[name],) = self.axes[panel].plot([], [], animated=True, **style)

    def fix(self, **margins: float) -> None:
        """Draw what stays (axes, labels, legends) and remember it as the background."""
        self.figure.subplots_adjust(**margins)
        for axes in self.axes:
            axes.title.set_fontsize(10)
            axes.xaxis.label.set_fontsize(9)
            axes.yaxis.label.set_fontsize(9)
        self.canvas.draw()
        self._empty = self._background = self.canvas.copy_from_bbox(self.figure.bbox)

    def draw_below(self, artists: Iterable[Any]) -> None:
        """Draw these on what stays, below the lines, from the next picture on."""
        self.canvas.restore_region(self._empty)
        for artist in artists:
            artist.axes.draw_artist(artist)
        self._background = self.canvas.copy_from_bbox(self.figure.bbox)

    def show(self, data: Mapping[str, tuple[Sequence[float], Sequence[float]]], alt: str) -> str:
        """Move the named lines to their (x, y), draw them on the background, and return an <img> with alt text."""
        self.canvas.restore_region(self._background)
        for name, (x, y) in data.items():
            self.lines[name].set_data(x, y)
        for line in self.lines.values():
            line.axes.draw_artist(line)
        return as_image(self.pixels(), self.size, alt)

    def pixels(self) -> np.ndarray:
        """Return the picture as it is now: (height, width, 4) bytes."""
        return np.asarray(self.canvas.buffer_rgba())


class Bars(PathPatch):
    """Bars from 0 as one artist, so that 512 of them are drawn at once; `set_data` takes places and heights."""

    def __init__(self, width: float, **style: Any) -> None:
        super().__init__(Path(np.empty((0, 2))), linewidth=0, edgecolor="black", animated=True, **style)
        self.width = width
        self.set_data([], [])

    def set_data(self, x: Sequence[float], heights: Sequence[float]) -> None:
        """Put a bar of each height at each x."""
        self.places, self.heights = np.asarray(x, dtype=float), np.asarray(heights, dtype=float)
        left, tops = self.places - self.width / 2, np.clip(self.heights, -FAR, FAR)
        right, feet = left + self.width, np.zeros_like(tops)
        corners = [(left, feet), (left, tops), (right, tops), (right, feet), (left, feet)]
        vertices = np.array(corners).transpose(2, 0, 1).reshape(-1, 2)  # (5 n_bars, 2)
        self.set_path(Path(vertices, CORNERS * len(tops)))


def write_at_end(text: Any, value: float, shown: str, gap: float) -> None:
    """Write a bar's number at its end, inside the frame; the gap between them is a share of the frame's height."""
    low, high = text.axes.get_ylim()
    gap *= high - low
    inside = min(max(value, low + 5 * gap), high - 5 * gap)
    text.set(text=shown, y=inside + (gap if value >= 0 else -gap))
    text.set_verticalalignment("bottom" if value >= 0 else "top")
