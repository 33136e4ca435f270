"""Plots for sliders: a Matplotlib figure kept for good, of which only what moves is drawn again; a run, and the map."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure

from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.pictures import words
from lesson_lib.training import OUTCOMES

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#00735C", "#555555"
DENSITY = 1.75  # pixels of the picture for one on the page: sharp on a fine screen, and a quarter lighter than 2
MAP_COLOURS = (255 * to_rgba_array(["#000000", "#0072B2", "#E69F00", "#E6E6E6", "#B9D8C2"])).astype(np.uint8)


def as_image(png: bytes, size: str, alt: str) -> str:
    """Return a PNG as an <img> with its size on the page, as HTML attributes, described by the alt text."""
    source = b64encode(png).decode()
    return (
        f'<img alt="{escape(alt)}" {size} style="max-width: 100%; height: auto" src="data:image/png;base64,{source}">'
    )


def as_png(pixels: np.ndarray) -> bytes:
    """Return pixels (height, width, 4) as a PNG, three times as fast as Pillow, which tries every filter on each row.

    Each row is stored as its difference from the row above (PNG's filter 2), which packs well at zlib's fastest level.
    """
    height, width = pixels.shape[:2]
    colours = pixels.reshape(height, -1)
    rows = np.empty((height, 1 + 4 * width), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = colours[0]
    np.subtract(colours[1:], colours[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


class Plot:
    """A figure whose axes stay and whose lines, cut off at the frame, move: `show` returns the picture as HTML."""

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
            for label, size in ((axes.title, 10), (axes.xaxis.label, 9), (axes.yaxis.label, 9)):
                label.set_fontsize(size)
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
        width, height = self.size
        return as_image(self.png(), f'width="{width}" height="{height}"', alt)

    def png(self) -> bytes:
        """Return the picture as it is now."""
        return as_png(np.asarray(self.canvas.buffer_rgba()))


# What training led to -------------------------------------------------------------------------------------------------


def training_plot(last_panel: str) -> Plot:
    """Return the plot of a run: f(x), outputs over epochs, and either "gradients" or "activations"."""
    plot = Plot(900, 264, 3)
    function, epochs, _ = plot.axes
    function.set(title=words.FUNCTION_TITLE, xlabel="x", xlim=(-3.2, 3.2), ylim=(-11, 11))
    plot.line("function", 0, color=BLUE, linewidth=2, label="f(x)")
    plot.line("clean", 0, color=GREEN, marker="o", linestyle="", markersize=7, label=words.CLEAN_LABEL)
    plot.line("trigger", 0, color=ORANGE, marker="*", linestyle="", markersize=13, label=words.TRIGGER_LABEL)
    epochs.set_xscale("symlog", linthresh=10)
    epochs.set(title=words.OUTPUT_TITLE, xlabel=words.EPOCH_AXIS, xlim=(0, 2200), ylim=(-11, 11))
    plot.line("target", 1, color=ORANGE, linestyle=":", linewidth=1.5, label=words.TARGET_LABEL)
    plot.line("output", 1, color=ORANGE, linewidth=2, label=words.AT_TRIGGER_LABEL)
    plot.line("clean error", 1, color=GREEN, linestyle="--", linewidth=2, label=words.CLEAN_ERROR_LABEL)
    plot.line("epoch", 1, color=GREY, linewidth=1)
    {"gradients": _gradient_panel, "activations": _activation_panel}[last_panel](plot)
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.21), "ncols": 3}  # covers nothing there
    for axes in plot.axes:
        axes.grid(alpha=0.3)
        if axes.get_legend() is None:
            axes.legend(fontsize=8, frameon=False, columnspacing=1, **below)
    plot.fix(left=0.04, right=0.99, top=0.88, bottom=0.27, wspace=0.2)
    return plot


def _gradient_panel(plot: Plot) -> None:
    axes = plot.axes[2]
    axes.set_xscale("symlog", linthresh=10)
    axes.set_yscale("symlog", linthresh=0.01)
    axes.set(title=words.GRADIENT_TITLE, xlabel=words.EPOCH_AXIS, xlim=(0, 2200), ylim=(-0.004, 1000))
    styles = {"W1": (BLUE, "-"), "W2": (ORANGE, "--"), "b1": (GREEN, "-."), "b2": (GREY, ":")}
    for name, (colour, dash) in styles.items():
        plot.line(name, 2, color=colour, linestyle=dash, linewidth=2, label=SYMBOLS[f"d{name}"][1])
    plot.line("gradient epoch", 2, color=GREY, linewidth=1)
    axes.legend(handles=[plot.lines[name] for name in styles], fontsize=8, loc="upper right", ncols=2)


def _activation_panel(plot: Plot) -> None:
    axes = plot.axes[2]
    axes.set_yscale("symlog", linthresh=1)
    axes.set(title=words.ACTIVATION_TITLE, xlabel=words.NEURON_AXIS, xlim=(0, 1), ylim=(-0.1, 100), xticks=[])
    styles = {"x = 1": (GREEN, "o", 7), "x = 2": (BLUE, "s", 6), words.TRIGGER_LABEL: (ORANGE, "*", 12)}
    for label, (colour, marker, size) in styles.items():
        plot.line(f"a1 {label}", 2, color=colour, marker=marker, linestyle="", markersize=size, label=label)


class MapPlot(Plot):
    """The outcome over learning rate (log) and target, with a cross at the chosen cell."""

    def __init__(self, rates: np.ndarray, targets: np.ndarray) -> None:
        super().__init__(560, 400, 1)
        axes, log = self.axes[0], np.log10(rates)
        axes.set(title=words.MAP_TITLE, xlabel=words.RATE_AXIS, ylabel=words.TARGET_AXIS)
        decades = np.arange(np.ceil(log[0]), log[-1] + 0.1)
        axes.set_xticks(decades, [f"{10**decade:g}" for decade in decades])
        self.mesh = axes.imshow(
            np.zeros((len(targets), len(rates), 4), dtype=np.uint8),
            extent=(log[0], log[-1], targets[0], targets[-1]),
            **{"origin": "lower", "aspect": "auto", "interpolation": "nearest", "animated": True},
        )
        self.letters = [
            (i, j, axes.text(log[j], targets[i], "", ha="center", va="center", fontsize=9, animated=True))
            for i in range(8, len(targets), 17)
            for j in range(8, len(rates), 17)
        ]
        for name, colour, width in (("ground", "white", 7), ("cross", "black", 3)):  # seen on every colour
            self.line(name, 0, color=colour, marker="+", markersize=20, markeredgewidth=width)
        self.fix(left=0.12, right=0.98, top=0.92, bottom=0.13)

    def set_codes(self, codes: np.ndarray) -> None:
        """Show these outcomes (n_targets, n_rates) from the next picture on."""
        self.mesh.set_data(MAP_COLOURS[codes])
        for i, j, letter in self.letters:
            code = int(codes[i, j])
            letter.set(text=words.OUTCOME_LETTERS[OUTCOMES[code]], color="white" if code < 2 else "black")
        self.draw_below([self.mesh, *(letter for _, _, letter in self.letters)])

    def show_cell(self, rate: float, target: float, alt: str) -> str:
        """Return the map with the cross at this cell."""
        cell = ([np.log10(rate)], [target])
        return self.show({"ground": cell, "cross": cell}, alt)
