"""Pruning as a plot for sliders: accuracy and attack over the pruned neurons, and what those neurons said."""

from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, GREY, ORANGE, Bars, Plot, write_at_end
from lesson_lib.repair.repairs import Curve
from lesson_lib.tables import signed

SIZE = (804, 240)  # as wide as a tab on a page of 1024 pixels
STYLES = {
    "accuracy": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "attack": {"color": ORANGE, "linestyle": "--", "marker": "s"},
}


class PruningPlot(Plot):
    """The curves with a cursor, and the summed outgoing weights of the pruned neurons; the target's bar is hatched.

    `weight_limits` are the ends of the weights' axis. `set_curve` comes first, and again for another curve.
    """

    def __init__(self, n_neurons: int, weight_limits: tuple[float, float], target: int) -> None:
        super().__init__(*SIZE, 2)
        self.target = target
        self.curve: Curve | None = None  # the one that is shown
        self.curves: dict[str, Any] = {}
        self._curve_panel(n_neurons)
        self._weight_panel(*weight_limits)
        self.axes[0].get_gridspec().set_width_ratios([2, 1])
        self.fix(left=0.083, right=0.99, top=0.89, bottom=0.18, wspace=0.17)

    def _curve_panel(self, n_neurons: int) -> None:
        axes = self.axes[0]
        axes.set(xlabel=words.PRUNING_AXIS, xlim=(-0.01 * n_neurons, 1.01 * n_neurons))
        axes.set(ylabel=words.PRUNING_SHARE, ylim=(-0.04, 1.04))
        axes.set_yticks(np.linspace(0, 1, 6), [f"{share} %" for share in range(0, 101, 20)])
        axes.set_xticks(range(0, n_neurons + 1, n_neurons // 8))
        axes.grid(alpha=0.3)
        self._curve("control", color=GREY, linestyle=":", linewidth=1.3)
        self.line("cursor", 0, color="black", linewidth=1)
        for name, style in STYLES.items():
            self._curve(name, linewidth=2, markersize=4, markevery=n_neurons // 16, **style)
            self.line(name, 0, markersize=9, markeredgecolor="black", **{**style, "linestyle": ""})
        legend = {"fontsize": 8, "ncols": 3, "loc": "lower left", "bbox_to_anchor": (0, 1), "frameon": False}
        handles = [self.curves[name] for name in words.PRUNING_LEGEND]
        axes.legend(handles=handles, borderpad=0, borderaxespad=0.4, **legend)

    def _curve(self, name: str, **style: Any) -> None:
        label = words.PRUNING_LEGEND[name]
        (self.curves[name],) = self.axes[0].plot([], [], animated=True, label=label, **style)

    def _weight_panel(self, low: float, high: float) -> None:
        axes, room = self.axes[1], 0.16 * (high - low)
        axes.set_title(words.PRUNING_WEIGHTS_TITLE, loc="left", fontsize=10)
        axes.set(xlabel=words.PRUNING_WEIGHTS_AXIS, xlim=(-0.9, 9.6), ylim=(low - room, high + room))
        axes.set_xticks(range(10))
        axes.axhline(0, color="black", linewidth=0.8)
        axes.grid(axis="y", alpha=0.3)
        for name, style in (("others", {"facecolor": BLUE}), ("target", {"facecolor": ORANGE, "hatch": "////"})):
            self.lines[name] = axes.add_patch(Bars(0.7, **style))
        self.lines["number"] = axes.text(self.target, 0, "", fontsize=8, ha="center", animated=True)

    def set_curve(self, curve: Curve, control: float) -> None:
        """Show this curve, and the attack on a clean model, from the next picture on."""
        self.curve, x = None, np.arange(len(curve.accuracy))
        self.curves["control"].set_data(x[[0, -1]], [control, control])
        for name in STYLES:
            self.curves[name].set_data(x, getattr(curve, name))
        self.draw_below(self.curves.values())
        self.curve = curve  # now that it is drawn

    def show_pruned(self, pruned: int, weights: Array, alt: str) -> str:
        """Return the picture, as HTML, at this number of pruned neurons, whose outgoing weights have these sums."""
        others, sum_at_target = np.delete(np.arange(len(weights)), self.target), weights[self.target]
        data: dict[str, Any] = {
            "cursor": ([pruned, pruned], self.axes[0].get_ylim()),
            **{name: ([pruned], self.curves[name].get_ydata()[[pruned]]) for name in STYLES},
            "others": (others, weights[others]),
            "target": ([self.target], [sum_at_target]),
        }
        write_at_end(self.lines["number"], sum_at_target, signed(sum_at_target, 1), gap=1 / 50)
        return self.show(data, alt)
