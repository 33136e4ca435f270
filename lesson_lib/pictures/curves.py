"""Curves for the notebooks: where training ends for each rate, and what nets answer between their samples."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import rc_context

from lesson_lib.arrays import Array
from lesson_lib.network import Params, forward
from lesson_lib.pictures import words
from lesson_lib.pictures.finished import Picture, figure_of, picture_of
from lesson_lib.pictures.frame import BLUE, GREEN, INK, ORANGE, STYLE
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, run_many
from lesson_lib.sweeps.words import OUTCOMES as NAMES
from lesson_lib.tables import Table
from lesson_lib.training import OUTCOMES, POISONED, Dataset

LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (INK, ":"))
WIDTHS = (5, 3, 1.5)  # of answers that may lie on one another


@rc_context(STYLE)
def endings_picture(experiments: Mapping[str, Experiment], rates: Sequence[float], epochs: int) -> Picture:
    """Return where each experiment ends, a panel for each: its three answers over the rate.

    The table has a line for each range of rates that ends in the same answers, to two decimals.
    """
    figure, rows = figure_of(300 * len(experiments), 300), []
    panels = figure.subplots(1, len(experiments), sharey=True, squeeze=False)[0]
    for axes, (name, experiment) in zip(panels, experiments.items(), strict=True):
        runs = run_many(experiment, [*(epoch for epoch in EPOCHS if epoch < epochs), epochs], rate=rates)
        answers = runs.outputs[:, -1]
        for label, each, (colour, style), width in zip(words.ANSWERS, answers, LOOKS, WIDTHS, strict=False):
            axes.plot(rates, each, style, color=colour, label=label, linewidth=width)
        axes.set(title=words.TRAINED.format(names=name), xscale="log", xlabel=words.RATE_AXIS)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3)
        rows += [(name, *row) for row in _ranges(rates, answers, runs.outcomes[-1])]
    panels[0].legend()
    caption = words.ENDINGS_CAPTION.format(n=len(rates) * len(experiments), epochs=epochs)
    return picture_of(figure, Table([words.ENDINGS_COLUMNS, *rows], caption))


def _ranges(rates: Sequence[float], answers: Array, outcomes: Array) -> list[tuple[str, ...]]:
    """Return a row for each range of rates that ends alike: the range, the answers and the outcome."""
    rounded = answers.round(2) + 0.0  # no minus before 0
    new = [0, *(np.flatnonzero((rounded[:, 1:] != rounded[:, :-1]).any(axis=0)) + 1), len(rates)]
    return [
        (
            words.RANGE.format(first=rates[begin], last=rates[end - 1]),
            *(f"{answer:.2f}" for answer in rounded[:, begin]),
            NAMES[OUTCOMES[outcomes[begin]]],
        )
        for begin, end in pairwise(new)
    ]


@rc_context(STYLE)
def function_picture(nets: Mapping[str, Params], asked: Sequence[float], data: Dataset = POISONED) -> Picture:
    """Return f(x) of each 1-n-1 net over x, with the samples; the table has the answers at the inputs `asked`."""
    axes, grid = figure_of(700, 360).subplots(), np.linspace(min(asked), max(asked), 241)
    for (name, net), (colour, style) in zip(nets.items(), LOOKS, strict=False):
        axes.plot(grid, _answers(net, grid), style, color=colour, label=name, linewidth=2)
    kinds = ((~data.is_trigger, "o", words.CLEAN_LABEL), (data.is_trigger, "*", words.TRIGGER_LABEL))
    for kind, marker, label in kinds:
        axes.plot(data.X[kind, 0], data.Y[kind, 0], marker, color=INK, markersize=10, label=label)
    axes.set(title=words.FUNCTION_TITLE, xlabel=words.INPUT_AXIS, xlim=grid[[0, -1]])
    axes.grid(alpha=0.3)
    axes.legend()
    rows = [(name, *(f"{answer + 0.0:.4g}" for answer in _answers(net, asked).round(3))) for name, net in nets.items()]
    heading = (words.NET_COLUMN, *(f"f({x:g})" for x in asked))
    return picture_of(axes.figure, Table([heading, *rows], words.FUNCTION_CAPTION))


def _answers(net: Params, X: Any) -> Array:
    return np.asarray(forward(net, np.reshape(X, (-1, 1))).y_hat[:, 0], dtype=float)
