"""The signature as a plot for sliders: a bar per neuron, the rule's lines, what is flagged and what is backdoored."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, ORANGE, Plot

Array = NDArray[np.float64]

FAR = 1e4  # an infinite bar goes this far, beyond every frame
SIZE = (900, 264)
LINEAR = {"shift": 0.2, "effect_size": 0.5, "p": 2.0}  # where the axis of many neurons turns from linear to log
LIMITS = {"shift": (-3, 16), "effect_size": (-6, 40), "p": (-30, 400)}
TOY_LIMITS = {"shift": (-2.6, 2.6), "effect_size": (-4.6, 4.6), "contribution": (-6.8, 6.8)}
TICKS = {
    "shift": (-2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 5, 10),
    "effect_size": (-5, -2, -0.8, 0, 0.8, 2, 5, 10, 20),
    "p": (-20, -5, -1.3, 0, 1.3, 5, 20, 100, 300),
}
ROWS = {"truth": -0.05, "marks": -0.125}  # below the frame, in its heights
CODES = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]


class Bars(PathPatch):
    """Bars from 0 as one artist, so that 512 of them are drawn at once; `set_data` takes places and heights."""

    def __init__(self, width: float, **style: Any) -> None:
        super().__init__(Path(np.empty((0, 2))), linewidth=0, animated=True, **style)
        self.width = width
        self.places: Array = np.array([])
        self.heights: Array = np.array([])

    def set_data(self, x: Sequence[float], heights: Sequence[float]) -> None:
        """Put a bar of each height at each x."""
        self.places, self.heights = np.asarray(x, dtype=float), np.asarray(heights, dtype=float)
        left, tops = self.places - self.width / 2, np.clip(self.heights, -FAR, FAR)
        right, feet = left + self.width, np.zeros_like(tops)
        corners = [(left, feet), (left, tops), (right, tops), (right, feet), (left, feet)]
        vertices = np.array(corners).transpose(2, 0, 1).reshape(-1, 2)  # (5 n_bars, 2)
        self.set_path(Path(vertices, CODES * len(tops)))


class SignaturePlot(Plot):
    """The bars of one quantity, "shift", "effect_size" or "p", for many neurons or for the toy's two.

    The toy has a second panel: each neuron's shift x outgoing weight.
    """

    def __init__(self, n_neurons: int, quantity: str) -> None:
        self.is_toy = n_neurons == 2
        super().__init__(*SIZE, 2 if self.is_toy else 1)
        self.neurons = np.arange(n_neurons)
        self.quantities = (quantity, "contribution") if self.is_toy else (quantity,)
        for panel, shown in enumerate(self.quantities):
            self._panel(panel, shown)
        self.line("threshold", 0, color="black", linestyle="--", linewidth=1.2, label=words.NAA_LEGEND["threshold"])
        for name, marker in (("truth", "o"), ("marks", "d")):
            self._row(name, marker)
        self.line_text = self._text("line", 0, x=1.006, fontsize=8, va="center")
        self.line_text.set_transform(self.axes[0].get_yaxis_transform())
        style = {"fontsize": 9, "ha": "center", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
        self.numbers = [
            [self._text(f"{shown} {i}", panel, x=int(i), **style) for i in self.neurons if self.is_toy]
            for panel, shown in enumerate(self.quantities)
        ]
        loc, corner = ("upper right", (1, -0.14)) if self.is_toy else ("lower right", (1, 1))  # never over the bars
        legend = {"fontsize": 8, "ncols": 3, "loc": loc, "bbox_to_anchor": corner, "frameon": False, "borderpad": 0}
        self.axes[-1].legend(handles=[self.lines[name] for name in words.NAA_LEGEND], **legend)
        self.fix(left=0.09, right=0.985 if self.is_toy else 0.94, top=0.88, bottom=0.24, wspace=0.28)

    def _panel(self, panel: int, quantity: str) -> None:
        axes, axis, title = self.axes[panel], words.NAA_AXES[quantity], words.NAA_TITLES[quantity]
        axes.set_title(title.partition(":")[0] if self.is_toy else title, loc="left", fontsize=10)
        if self.is_toy:
            names = [words.NAA_TOY_NEURON.format(number=i + 1) for i in self.neurons]
            axes.set(xlim=(-0.6, 1.6), ylim=TOY_LIMITS[quantity], ylabel=axis)
            axes.set_xticks(self.neurons, names)
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
        width = 0.5 if self.is_toy else 1.0
        for name, style in (("bars", {"facecolor": BLUE}), ("flagged", {"facecolor": ORANGE, "hatch": "/////"})):
            bars = Bars(width, edgecolor="black", label=words.NAA_LEGEND[name], **style)
            self.lines[name if panel == 0 else f"{name} {quantity}"] = axes.add_patch(bars)

    def _row(self, name: str, marker: str) -> None:
        """Add a row of marks below the frame, with its name before it."""
        axes, height = self.axes[0], ROWS[name]
        size = 7 if self.is_toy else 4
        style = {"color": "black" if name == "truth" else ORANGE, "markeredgewidth": 0, "markersize": size}
        line = self.line(name, 0, linestyle="", marker=marker, clip_on=False, **style)
        line.set_transform(axes.get_xaxis_transform())
        axes.text(-0.006, height, words.NAA_ROWS[name], transform=axes.transAxes, fontsize=8, ha="right", va="center")

    def _text(self, name: str, panel: int, x: float, **style: Any) -> Any:
        """Add a text that will move."""
        self.lines[f"text {name}"] = text = self.axes[panel].text(x, 0, "", animated=True, **style)
        return text

    def show_signature(
        self,
        bars: Array,
        flagged: Sequence[int] | NDArray[np.intp],
        truth: Sequence[int],
        lines: Sequence[float],
        alt: str,
        contribution: Array | None = None,
    ) -> str:
        """Return the picture, as HTML, of these bars (n_neurons,) with the rule's lines, the highest first."""
        heights = [bars] if contribution is None else [bars, contribution]
        data: dict[str, Any] = {}
        for panel, values in enumerate(heights):
            end = f" {self.quantities[-1]}" if panel else ""
            data |= {f"bars{end}": (self.neurons, values), f"flagged{end}": (flagged, values[flagged])}
        data["threshold"] = _across(self.axes[0].get_xlim(), lines)
        data |= {"truth": _row_of(truth, "truth"), "marks": _row_of(flagged, "marks")}
        self._label_line(lines)
        for texts, values in zip(self.numbers, heights, strict=True):
            for text, value in zip(texts, values, strict=False):  # many neurons have no numbers
                _write(text, value)
        return self.show(data, alt)

    def _label_line(self, lines: Sequence[float]) -> None:
        """Put its number at the end of the highest line, or at the frame's top with an arrow."""
        low, high = self.axes[0].get_ylim()
        text = f"{lines[0]:.3g}" if lines else ""
        off = bool(lines) and lines[0] > high
        self.line_text.set(text=words.NAA_OFF_TOP.format(text=text) if off else text)
        self.line_text.set_y(min(max(lines[0], low), high) if lines else 0)


def number(value: float) -> str:
    """Return a signed number with three decimals, or a sign with the word for infinity."""
    if np.isinf(value):
        return f"{'+' if value > 0 else '−'}{words.NAA_INFINITE}"
    return f"{value + 0.0:+.3f}".replace("-", "−") if round(value, 3) else "0"


def _write(text: Any, value: float) -> None:
    """Write a bar's number at its end, inside the frame."""
    low, high = text.axes.get_ylim()
    gap = (high - low) / 40
    inside = min(max(value, low + 5 * gap), high - 5 * gap)
    text.set(text=number(value), y=inside + (gap if value >= 0 else -gap))
    text.set_verticalalignment("bottom" if value >= 0 else "top")


def _across(limits: tuple[float, float], lines: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return one broken line that crosses the frame at each height."""
    x = [one for _ in lines for one in (*limits, np.nan)]
    return x, [height for line in lines for height in (line, line, np.nan)]


def _row_of(neurons: Sequence[int] | NDArray[np.intp], name: str) -> tuple[Any, list[float]]:
    return neurons, [ROWS[name]] * len(neurons)
