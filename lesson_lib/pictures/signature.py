"""The signature as a plot for sliders: a bar per neuron, the rule's lines, what is flagged and what is backdoored."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesson_lib.arrays import Array
from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, ORANGE, Bars, Plot, write_at_end
from lesson_lib.tables import signed

LINEAR = {"shift": 0.2, "effect_size": 0.5, "p": 2.0}  # where the axis of many neurons turns from linear to log
LIMITS = {"shift": (-3, 16), "effect_size": (-6, 40), "p": (-30, 400)}
TOY_LIMITS = {"shift": (-2.6, 2.6), "effect_size": (-4.6, 4.6), "contribution": (-6.8, 6.8)}
TICKS = {
    "shift": (-2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 5, 10),
    "effect_size": (-5, -2, -0.8, 0, 0.8, 2, 5, 10, 20),
    "p": (-20, -5, -1.3, 0, 1.3, 5, 20, 100, 300),
}
ROWS = {"truth": -0.05, "marks": -0.125}  # below the frame, in its heights


class SignaturePlot(Plot):
    """The bars of one quantity, "shift", "effect_size" or "p", for many neurons or for the toy's two.

    The toy has a second panel: each neuron's shift x outgoing weight.
    """

    def __init__(self, n_neurons: int, quantity: str) -> None:
        self.is_toy = n_neurons == 2
        super().__init__(900, 264, 2 if self.is_toy else 1)
        self.neurons = np.arange(n_neurons)
        self.quantities = (quantity, "contribution") if self.is_toy else (quantity,)
        for panel, shown in enumerate(self.quantities):
            self._panel(panel, shown)
        self.line("threshold", 0, color="black", linestyle="--", linewidth=1.2, label=words.NAA_LEGEND["threshold"])
        self._row("truth", "o", "black")
        self._row("marks", "d", ORANGE)
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
        width = 0.5 if self.is_toy else 1.0
        for name, style in (("bars", {"facecolor": BLUE}), ("flagged", {"facecolor": ORANGE, "hatch": "/////"})):
            self.lines[self.bars_name(name, panel)] = axes.add_patch(Bars(width, label=words.NAA_LEGEND[name], **style))

    def bars_name(self, name: str, panel: int) -> str:
        """Return what the "bars" or the "flagged" ones of a panel are called among the lines."""
        return f"{name} {self.quantities[panel]}" if panel else name

    def _row(self, name: str, marker: str, colour: str) -> None:
        """Add a row of marks below the frame, with its name before it."""
        axes, size = self.axes[0], 7 if self.is_toy else 4
        style = {"color": colour, "marker": marker, "markeredgewidth": 0, "markersize": size, "clip_on": False}
        self.line(name, 0, linestyle="", transform=axes.get_xaxis_transform(), **style)
        where = {"transform": axes.transAxes, "ha": "right", "va": "center"}
        axes.text(-0.006, ROWS[name], words.NAA_ROWS[name], fontsize=8, **where)

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
        data: dict[str, Any] = {"threshold": _across(self.axes[0].get_xlim(), lines)}
        for name, neurons in (("truth", truth), ("marks", flagged)):
            data[name] = (neurons, [ROWS[name]] * len(neurons))
        for panel, heights in enumerate([bars] if contribution is None else [bars, contribution]):
            data[self.bars_name("bars", panel)] = (self.neurons, heights)
            data[self.bars_name("flagged", panel)] = (flagged, heights[flagged])
            for text, value in zip(self.numbers[panel], heights, strict=False):  # many neurons have no numbers
                write_at_end(text, value, signed(value, 3), gap=1 / 40)
        self._label_line(lines)
        return self.show(data, alt)

    def _label_line(self, lines: Sequence[float]) -> None:
        """Put its number at the end of the highest line, or at the frame's top with an arrow."""
        low, high = self.axes[0].get_ylim()
        text = f"{lines[0]:.3g}" if lines else ""
        off = bool(lines) and lines[0] > high
        self.line_text.set(text=words.NAA_OFF_TOP.format(text=text) if off else text)
        self.line_text.set_y(min(max(lines[0], low), high) if lines else 0)


def _across(limits: tuple[float, float], lines: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return one broken line that crosses the frame at each height."""
    x = [one for _ in lines for one in (*limits, np.nan)]
    return x, [height for line in lines for height in (line, line, np.nan)]
