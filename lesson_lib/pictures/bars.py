"""A plot with bars for sliders: what pruning has left of a backdoor."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from lesson_lib.arrays import Array
from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, GREY, ORANGE, Plot
from lesson_lib.repair.repairs import Curve
from lesson_lib.tables import signed

FAR = 1e4  # an infinite bar goes this far, beyond every frame
CORNERS = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
LEGEND: dict[str, Any] = {"fontsize": 8, "ncols": 3, "frameon": False, "borderpad": 0}

# The pruning
CURVES: dict[str, dict[str, Any]] = {
    "control": {"color": GREY, "linestyle": ":", "linewidth": 1.3},
    "accuracy": {"color": BLUE, "linestyle": "-", "linewidth": 2, "marker": "o"},
    "attack": {"color": ORANGE, "linestyle": "--", "linewidth": 2, "marker": "s"},
}
PRUNED = ("accuracy", "attack")  # the curves that change with every neuron


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


class PruningPlot(Plot):
    """The curves with a cursor, and the summed outgoing weights of the pruned neurons; digit 0, the target, is hatched.

    `weight_limits` are the ends of the weights' axis. `set_curve` comes first, and again for another curve.
    """

    def __init__(self, n_neurons: int, weight_limits: tuple[float, float]) -> None:
        super().__init__(804, 240, 2)  # as wide as a tab on a page of 1024 pixels
        self.curve: Curve | None = None  # the one that is shown
        self.curves: dict[str, Any] = {}
        self._curve_panel(n_neurons)
        self._weight_panel(*weight_limits)
        self.axes[0].get_gridspec().set_width_ratios([2, 1])
        self.fix(left=0.083, right=0.99, top=0.89, bottom=0.18, wspace=0.17)

    def _curve_panel(self, n: int) -> None:
        axes = self.axes[0]
        axes.set(xlabel=words.PRUNING_AXIS, xlim=(-0.01 * n, 1.01 * n), ylabel=words.PRUNING_SHARE, ylim=(-0.04, 1.04))
        axes.set_yticks(np.linspace(0, 1, 6), [f"{share} %" for share in range(0, 101, 20)])
        axes.set_xticks(range(0, n + 1, n // 8))
        axes.grid(alpha=0.3)
        for name, label in words.PRUNING_LEGEND.items():
            style = {"label": label, "markersize": 4, "markevery": n // 16, **CURVES[name]}
            (self.curves[name],) = axes.plot([], [], animated=True, **style)
        self.line("cursor", 0, color="black", linewidth=1)
        for name in PRUNED:
            self.line(name, 0, markersize=9, markeredgecolor="black", **{**CURVES[name], "linestyle": ""})
        handles = list(self.curves.values())
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.4, **LEGEND)

    def _weight_panel(self, low: float, high: float) -> None:
        axes, room = self.axes[1], 0.16 * (high - low)
        axes.set_title(words.PRUNING_WEIGHTS_TITLE, loc="left", fontsize=10)
        axes.set(xlabel=words.PRUNING_WEIGHTS_AXIS, xlim=(-0.9, 9.6), ylim=(low - room, high + room))
        axes.set_xticks(range(10))
        axes.axhline(0, color="black", linewidth=0.8)
        axes.grid(axis="y", alpha=0.3)
        for name, style in (("others", {"facecolor": BLUE}), ("target", {"facecolor": ORANGE, "hatch": "////"})):
            self.lines[name] = axes.add_patch(Bars(0.7, **style))
        self.lines["number"] = axes.text(0, 0, "", fontsize=8, ha="center", animated=True)

    def set_curve(self, curve: Curve, control: float) -> None:
        """Show this curve, and the attack on a clean model, from the next picture on."""
        self.curve, x = None, np.arange(len(curve.accuracy))
        self.curves["control"].set_data(x[[0, -1]], [control, control])
        for name in PRUNED:
            self.curves[name].set_data(x, getattr(curve, name))
        self.draw_below(self.curves[name] for name in CURVES)
        self.curve = curve  # now that it is drawn

    def show_pruned(self, pruned: int, weights: Array, alt: str) -> str:
        """Return the picture, as HTML, at this number of pruned neurons, whose outgoing weights have these sums."""
        data: dict[str, Any] = {name: ([pruned], self.curves[name].get_ydata()[[pruned]]) for name in PRUNED}
        data["cursor"] = ([pruned, pruned], self.axes[0].get_ylim())
        data |= {"target": ([0], weights[:1]), "others": (np.arange(1, len(weights)), weights[1:])}
        _write_at_end(self.lines["number"], weights[0], signed(weights[0], 1), gap=1 / 50)
        return self.show(data, alt)
