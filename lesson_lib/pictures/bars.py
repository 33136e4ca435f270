"""A plot with bars for sliders: the signature of NAA over the neurons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from lesson_lib.arrays import Array
from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, ORANGE, Plot
from lesson_lib.tables import signed

FAR = 1e4  # an infinite bar goes this far, beyond every frame
CORNERS = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
LEGEND: dict[str, Any] = {"fontsize": 8, "ncols": 3, "frameon": False, "borderpad": 0}

# The signature
LINEAR = {"shift": 0.2, "effect_size": 0.5, "p": 2.0}  # where the axis of many neurons turns from linear to log
LIMITS = {"shift": (-3, 16), "effect_size": (-6, 40), "p": (-30, 400)}
TOY_LIMITS = {"shift": (-2.6, 2.6), "effect_size": (-4.6, 4.6), "contribution": (-6.8, 6.8)}
TICKS = {
    "shift": (-2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 5, 10),
    "effect_size": (-5, -2, -0.8, 0, 0.8, 2, 5, 10, 20),
    "p": (-20, -5, -1.3, 0, 1.3, 5, 20, 100, 300),
}
PANELS = ("", " contribution")  # what the names of a panel's bars end in
ROWS = {"truth": (-0.05, "o", "black"), "marks": (-0.125, "d", ORANGE)}  # below the frame, in its heights


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


def _write_at_end(text: Any, value: float, shown: str, gap: float) -> None:
    """Write a bar's number at its end, inside the frame; the gap between them is a share of the frame's height."""
    low, high = text.axes.get_ylim()
    gap *= high - low
    inside = min(max(value, low + 5 * gap), high - 5 * gap)
    text.set(text=shown, y=inside + (gap if value >= 0 else -gap))
    text.set_verticalalignment("bottom" if value >= 0 else "top")


class SignaturePlot(Plot):
    """Bars of "shift", "effect_size" or "p" for many neurons, or for the toy's two with shift x outgoing weight too."""

    def __init__(self, n_neurons: int, quantity: str) -> None:
        self.is_toy = n_neurons == 2
        super().__init__(900, 264, 2 if self.is_toy else 1)
        self.neurons = np.arange(n_neurons)
        for panel in range(len(self.axes)):
            self._panel(panel, (quantity, "contribution")[panel])
        self.line("threshold", 0, color="black", linestyle="--", linewidth=1.2, label=words.NAA_LEGEND["threshold"])
        self._rows()
        self.line_text = self._text("line", 0, x=1.006, fontsize=8, va="center")
        self.line_text.set_transform(self.axes[0].get_yaxis_transform())
        style = {"fontsize": 9, "ha": "center", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
        self.numbers = [
            [self._text(f"{panel} {i}", panel, x=int(i), **style) for i in self.neurons if self.is_toy]
            for panel in range(len(self.axes))
        ]
        loc, corner = ("upper right", (1, -0.14)) if self.is_toy else ("lower right", (1, 1))  # never over the bars
        handles = [self.lines[name] for name in words.NAA_LEGEND]
        self.axes[-1].legend(handles=handles, loc=loc, bbox_to_anchor=corner, **LEGEND)
        self.fix(left=0.09, right=0.985 if self.is_toy else 0.94, top=0.88, bottom=0.24, wspace=0.28)

    def _panel(self, panel: int, quantity: str) -> None:
        axes, axis, title = self.axes[panel], words.NAA_AXES[quantity], words.NAA_TITLES[quantity]
        axes.set_title(title.partition(":")[0] if self.is_toy else title, loc="left", fontsize=10)
        if self.is_toy:
            axes.set(xlim=(-0.6, 1.6), ylim=TOY_LIMITS[quantity], ylabel=axis)
            axes.set_xticks(self.neurons, [words.NAA_TOY_NEURON.format(number=i + 1) for i in self.neurons])
        else:
            linear = LINEAR[quantity]
            axes.set_yscale("symlog", linthresh=linear, linscale=0.7)
            axes.set_yticks(TICKS[quantity], [f"{tick:g}" for tick in TICKS[quantity]])
            axes.minorticks_off()
            axes.set(xlim=(-3, len(self.neurons) + 2), ylim=LIMITS[quantity], xlabel=words.NAA_NEURON)
            axes.set_ylabel(words.NAA_LOG.format(axis=axis, linear=linear))
        axes.tick_params(axis="x", pad=4 if panel else 20, length=0)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.grid(axis="y", alpha=0.3)
        for name, style in (("bars", {"facecolor": BLUE}), ("flagged", {"facecolor": ORANGE, "hatch": "/////"})):
            bars = Bars(0.5 if self.is_toy else 1.0, label=words.NAA_LEGEND[name], **style)
            self.lines[name + PANELS[panel]] = axes.add_patch(bars)

    def _rows(self) -> None:
        """Add the rows of marks below the frame, each with its name before it."""
        axes, where = self.axes[0], {"transform": self.axes[0].transAxes, "ha": "right", "va": "center"}
        style = {"markeredgewidth": 0, "markersize": 7 if self.is_toy else 4, "clip_on": False, "linestyle": ""}
        for name, (height, marker, colour) in ROWS.items():
            self.line(name, 0, color=colour, marker=marker, transform=axes.get_xaxis_transform(), **style)
            axes.text(-0.006, height, words.NAA_ROWS[name], fontsize=8, **where)

    def _text(self, name: str, panel: int, x: float, **style: Any) -> Any:
        """Add a text that will move."""
        self.lines[f"text {name}"] = text = self.axes[panel].text(x, 0, "", animated=True, **style)
        return text

    def show_signature(
        self, bars: Array, flagged: Array, truth: Sequence[int], lines: Sequence[float], alt: str, moved: Array | None
    ) -> str:
        """Return the picture, as HTML, of these bars (n_neurons,) with the rule's lines, the highest first.

        `moved` holds the toy's bars of shift x outgoing weight.
        """
        across = [*self.axes[0].get_xlim(), np.nan] * len(lines)  # one broken line
        data: dict[str, Any] = {"threshold": (across, [y for line in lines for y in (line, line, np.nan)])}
        for name, neurons in (("truth", truth), ("marks", flagged)):
            data[name] = (neurons, [ROWS[name][0]] * len(neurons))
        for panel, heights in enumerate([bars] if moved is None else [bars, moved]):
            data["bars" + PANELS[panel]] = (self.neurons, heights)
            data["flagged" + PANELS[panel]] = (flagged, heights[flagged])
            for text, value in zip(self.numbers[panel], heights, strict=False):  # many neurons have no numbers
                _write_at_end(text, value, signed(value, 3), gap=1 / 40)
        low, high = self.axes[0].get_ylim()
        text = f"{lines[0]:.3g}" if lines else ""
        if lines and lines[0] > high:
            text = words.NAA_OFF_TOP.format(text=text)
        self.line_text.set(text=text, y=min(max(lines[0], low), high) if lines else 0)  # at the highest line's end
        return self.show(data, alt)
