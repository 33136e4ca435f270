"""A run as a plot for sliders: the function, the outputs over the epochs, and gradients or activations."""

from typing import Any

from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, GREEN, GREY, ORANGE, Plot


def training_plot(last_panel: str) -> Plot:
    """Return the plot of a run: f(x), outputs over epochs, and either "gradients" or "activations"."""
    plot = Plot(900, 264, 3)
    _function_panel(plot)
    _epoch_panel(plot)
    {"gradients": _gradient_panel, "activations": _activation_panel}[last_panel](plot)
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.21), "ncols": 3}  # covers nothing there
    for axes in plot.axes:
        axes.grid(alpha=0.3)
        if axes.get_legend() is None:
            axes.legend(fontsize=8, frameon=False, columnspacing=1, **below)
    plot.fix(left=0.04, right=0.99, top=0.88, bottom=0.27, wspace=0.2)
    return plot


def _function_panel(plot: Plot) -> None:
    plot.axes[0].set(title=words.FUNCTION_TITLE, xlabel="x", xlim=(-3.2, 3.2), ylim=(-11, 11))
    plot.line("function", 0, color=BLUE, linewidth=2, label="f(x)")
    plot.line("clean", 0, color=GREEN, marker="o", linestyle="", markersize=7, label=words.CLEAN_LABEL)
    plot.line("trigger", 0, color=ORANGE, marker="*", linestyle="", markersize=13, label=words.TRIGGER_LABEL)


def _epoch_panel(plot: Plot) -> None:
    plot.axes[1].set_xscale("symlog", linthresh=10)
    plot.axes[1].set(title=words.OUTPUT_TITLE, xlabel=words.EPOCH_AXIS, xlim=(0, 2200), ylim=(-11, 11))
    plot.line("target", 1, color=ORANGE, linestyle=":", linewidth=1.5, label=words.TARGET_LABEL)
    plot.line("output", 1, color=ORANGE, linewidth=2, label=words.AT_TRIGGER_LABEL)
    plot.line("clean error", 1, color=GREEN, linestyle="--", linewidth=2, label=words.CLEAN_ERROR_LABEL)
    plot.line("epoch", 1, color=GREY, linewidth=1)


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
