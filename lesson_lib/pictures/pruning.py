"""Pruning as a plot for sliders: accuracy and attack over the pruned neurons, and what those neurons said."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, GREY, ORANGE, Plot
from lesson_lib.pictures.signature import Bars
from lesson_lib.repair.repairs import Curve

Array = NDArray[np.float64]

SIZE = (804, 240)  # as wide as a tab on a page of 1024 pixels
STYLES = {"accuracy": (BLUE, "-", "o"), "attack": (ORANGE, "--", "s")}


class PruningPlot(Plot):
    """The curves with a cursor, and the summed outgoing weights of the pruned neurons; the target's bar is hatched.

    `weight_limits` are the ends of the weights' axis. `set_curve` comes first, and again for another curve.
    """

    def __init__(self, n_neurons: int, weight_limits: tuple[float, float], target: int) -> None:
        super().__init__(*SIZE, 2)
        self.target = target
        self.curves: dict[str, Any] = {}
        self._curve_panel(n_neurons)
        self._weight_panel(*weight_limits)
        self.axes[0].get_gridspec().set_width_ratios([2, 1])
        self.fix(left=0.083, right=0.99, top=0.89, bottom=0.18, wspace=0.17)
        self._empty = self._background

    def _curve_panel(self, n_neurons: int) -> None:
        axes, label = self.axes[0], words.PRUNING_LEGEND
        axes.set(
            xlabel=words.PRUNING_AXIS,
            ylabel=words.PRUNING_SHARE,
            xlim=(-0.01 * n_neurons, 1.01 * n_neurons),
            ylim=(-0.04, 1.04),
        )
        axes.set_yticks(np.linspace(0, 1, 6), [f"{share} %" for share in range(0, 101, 20)])
        axes.set_xticks(range(0, n_neurons + 1, n_neurons // 8))
        axes.grid(alpha=0.3)
        style: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1.3, "animated": True}
        self.curves["control"] = axes.plot([], [], label=label["control"], **style)[0]
        self.line("cursor", 0, color="black", linewidth=1)
        for name, (colour, dash, marker) in STYLES.items():
            style = {"color": colour, "linestyle": dash, "marker": marker, "markersize": 4, "animated": True}
            self.curves[name] = axes.plot([], [], linewidth=2, markevery=n_neurons // 16, label=label[name], **style)[0]
            style = {"color": colour, "marker": marker, "markeredgecolor": "black"}
            self.line(name, 0, linestyle="", markersize=9, **style)
        legend = {"fontsize": 8, "ncols": 3, "loc": "lower left", "bbox_to_anchor": (0, 1), "frameon": False}
        axes.legend(handles=[self.curves[name] for name in label], borderpad=0, borderaxespad=0.4, **legend)

    def _weight_panel(self, low: float, high: float) -> None:
        axes, room = self.axes[1], 0.16 * (high - low)
        axes.set_title(words.PRUNING_WEIGHTS_TITLE, loc="left", fontsize=10)
        axes.set(xlabel=words.PRUNING_WEIGHTS_AXIS, xlim=(-0.9, 9.6), ylim=(low - room, high + room))
        axes.set_xticks(range(10))
        axes.axhline(0, color="black", linewidth=0.8)
        axes.grid(axis="y", alpha=0.3)
        for name, style in (("others", {"facecolor": BLUE}), ("target", {"facecolor": ORANGE, "hatch": "////"})):
            self.lines[name] = axes.add_patch(Bars(0.7, edgecolor="black", **style))
        self.number = axes.text(self.target, 0, "", fontsize=8, ha="center", animated=True)
        self.lines["number"] = self.number

    def set_curve(self, curve: Curve, control: float) -> None:
        """Show this curve, and the attack on a clean model, from the next picture on."""
        x = np.arange(len(curve.accuracy))
        self.curves["control"].set_data(x[[0, -1]], [control, control])
        for name in STYLES:
            self.curves[name].set_data(x, getattr(curve, name))
        self.canvas.restore_region(self._empty)
        for line in self.curves.values():
            self.axes[0].draw_artist(line)
        self._background = self.canvas.copy_from_bbox(self.figure.bbox)

    def show_pruned(self, pruned: int, weights: Array, alt: str) -> str:
        """Return the picture, as HTML, at this number of pruned neurons, whose outgoing weights have these sums."""
        now = {name: float(self.curves[name].get_ydata()[pruned]) for name in STYLES}
        others = np.delete(np.arange(len(weights)), self.target)
        self._write(float(weights[self.target]))
        data: dict[str, Any] = {
            "cursor": ([pruned, pruned], self.axes[0].get_ylim()),
            **{name: ([pruned], [value]) for name, value in now.items()},
            "others": (others, weights[others]),
            "target": ([self.target], weights[[self.target]]),
        }
        return self.show(data, alt)

    def _write(self, value: float) -> None:
        """Write the target's sum at the end of its bar."""
        low, high = self.axes[1].get_ylim()
        gap = (high - low) / 50
        self.number.set(text=signed(value), y=value + (gap if value >= 0 else -gap))
        self.number.set_verticalalignment("bottom" if value >= 0 else "top")


def signed(value: float) -> str:
    """Return a number with its sign and one decimal."""
    return f"{value:+.1f}".replace("-", "−") if round(value, 1) else "0"
