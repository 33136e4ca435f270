"""Finished pictures for the notebooks, each with its numbers as a table, which is its text for those who listen."""

from collections.abc import Mapping, Sequence
from itertools import cycle, groupby
from math import isqrt
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lesson_lib.network import Params, forward
from lesson_lib.pictures import words
from lesson_lib.pictures.frame import BLUE, GREEN, GROUND, INK, ORANGE, STYLE, Frame, svg_of, whole_svg
from lesson_lib.pictures.outcomes import map_axes, outcome_marks
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, run_many
from lesson_lib.sweeps.studies import OutcomeMap, Success
from lesson_lib.sweeps.words import OUTCOMES as NAMES
from lesson_lib.tables import Table
from lesson_lib.training import OUTCOMES, POISONED, Dataset

LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (INK, ":"))
WIDTHS = (5, 3, 1.5)  # of answers that may lie on one another


class Picture:
    """A figure, and marks on it, in the page's colours for a notebook; `table` says the same in words, as alt text."""

    def __init__(self, figure: Any, table: Table, marks: str = "") -> None:
        width, height = figure.get_size_inches() * 72
        self.size, self.inside, self.table = (round(width), round(height)), svg_of(figure) + marks, table

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        text = str(self.table)
        alt = "; ".join(" ".join(line.split()) for line in text.splitlines())
        return {"text/html": whole_svg(self.size, self.inside, alt), "text/plain": text}


def figure_of(width: int, height: int) -> Figure:
    """Return a Matplotlib figure of this size in pixels."""
    return Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")


@rc_context(STYLE)
def article_figure(signature: Any, threshold: float) -> Picture:
    """Return the article's figure of the signature (n_neurons,): bars over the neurons, those above the threshold red.

    The article's red bars are hatched here, so that colour is not the only sign. The table lists the tallest bars.
    """
    signature, shown = np.asarray(signature, dtype=np.float64), f"{threshold:g}"
    flagged = np.flatnonzero(signature > threshold)
    axes = figure_of(900, 320).subplots()
    axes.bar(range(len(signature)), signature, color=BLUE, width=1.0)
    if len(flagged):
        label = words.ABNORMAL.format(threshold=shown)
        axes.bar(flagged, signature[flagged], color=GROUND, edgecolor=ORANGE, hatch="////", width=1.0, label=label)
    axes.axhline(threshold, color=INK, linestyle="--", linewidth=1, label=words.THRESHOLD_LINE)
    axes.set(title=words.SIGNATURE_TITLE, xlabel=words.SIGNATURE_X_AXIS, ylabel=words.SIGNATURE_AXIS)
    axes.set_xlim(-1, len(signature))
    axes.grid(axis="y", linestyle="--", alpha=0.5)
    axes.legend()
    tallest = np.argsort(-signature, kind="stable")[:12]
    rows = [(str(i), f"{signature[i]:.2f}", words.FLAGGED if signature[i] > threshold else "") for i in tallest]
    caption = words.SIGNATURE_CAPTION.format(n=len(signature), flagged=len(flagged), threshold=shown)
    return Picture(axes.figure, Table([words.SIGNATURE_COLUMNS, *rows], caption))


@rc_context(STYLE)
def image_strip(rows: dict[str, Any], titles: Sequence[Sequence[Any]], n_shown: int = 8) -> Picture:
    """Return images as a picture, a row for each name, and a table of what is written over them.

    `rows` maps a name to images (n_samples, 64); `titles` holds one list of n_samples texts for each row. The first
    `n_shown` of each are shown.
    """
    figure = figure_of(900, 135 * len(rows) + 10)
    grid = figure.subplots(len(rows), n_shown, squeeze=False)
    for axes_row, (name, images), texts in zip(grid, rows.items(), titles, strict=True):
        for axes, image, text in zip(axes_row, images, texts, strict=False):
            side = isqrt(np.size(image))
            axes.imshow(np.reshape(image, (side, side)), cmap="gray", vmin=0, vmax=1)
            axes.set_title(str(text), fontsize=10)
            axes.set(xticks=[], yticks=[])
        axes_row[0].set_ylabel(name, fontsize=10)
    lines = [(name, *map(str, texts[:n_shown])) for name, texts in zip(rows, titles, strict=True)]
    heading = (words.STRIP_COLUMN, *(str(i) for i in range(1, n_shown + 1)))
    return Picture(figure, Table([heading, *lines], words.STRIP_CAPTION))


@rc_context(STYLE)
def success_curve(with_biases: Sequence[Success], without_biases: Sequence[Success]) -> Picture:
    """Return the share of successful random starts over the width, with its interval, and the same as a table."""
    axes, cells = figure_of(700, 340).subplots(), []
    kinds = ((words.WITH_BIASES, with_biases, BLUE, "o-"), (words.WITHOUT_BIASES, without_biases, ORANGE, "s--"))
    for label, study, colour, style in kinds:
        shares, intervals = [success.share for success in study], [success.interval for success in study]
        reach = np.array(intervals).T - shares
        axes.errorbar([s.width for s in study], shares, abs(reach), fmt=style, color=colour, capsize=4, label=label)
        told = (words.INTERVAL.format(low=low, high=high) for low, high in intervals)
        cells.append(zip((f"{share:.1%}" for share in shares), told, strict=True))
    axes.set_xscale("log", base=2)
    axes.set_xticks([success.width for success in with_biases], [str(success.width) for success in with_biases])
    axes.set(title=words.SUCCESS_TITLE, xlabel=words.SUCCESS_AXIS, ylim=(-0.05, 1.05))
    axes.grid(alpha=0.3)
    axes.legend()
    lines = zip(with_biases, *cells, strict=False)  # one of the studies may have been stopped
    rows = [(str(success.width), *one, *other) for success, one, other in lines]
    caption = words.SUCCESS_CAPTION.format(starts=with_biases[0].starts)
    return Picture(axes.figure, Table([words.SUCCESS_COLUMNS, *rows], caption))


def map_picture(trained: OutcomeMap, epoch: int) -> Picture:
    """Return the map of outcomes after this epoch, and each outcome's share as a table."""
    frame = Frame(560, 400, map=(64, 28, 480, 330))
    map_axes(frame, trained.rates, trained.targets)
    rows = [(words.OUTCOME_LETTERS[one], NAMES[one], f"{trained.share(one, epoch):.1%}") for one in OUTCOMES]
    table = Table([words.SHARE_COLUMNS, *rows], words.SHARE_CAPTION.format(epoch=epoch))
    return Picture(frame.figure, table, outcome_marks(trained.at(epoch), frame.places["map"]))


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
        ends = [tuple(f"{answer + 0.0:.2f}" for answer in each.round(2)) for each in answers.T]  # no minus before 0
        for shown, group in groupby(range(len(rates)), ends.__getitem__):
            alike = [*group]
            span = words.RANGE.format(first=rates[alike[0]], last=rates[alike[-1]])
            rows.append((name, span, *shown, NAMES[OUTCOMES[runs.outcomes[-1, alike[0]]]]))
    panels[0].legend()
    caption = words.ENDINGS_CAPTION.format(n=len(rates) * len(experiments), epochs=epochs)
    return Picture(figure, Table([words.ENDINGS_COLUMNS, *rows], caption))


@rc_context(STYLE)
def function_picture(nets: Mapping[str, Params], asked: Sequence[float], data: Dataset = POISONED) -> Picture:
    """Return f(x) of each 1-n-1 net over x, with the samples; the table has the answers at the inputs `asked`."""
    axes, grid, rows = figure_of(700, 360).subplots(), np.linspace(min(asked), max(asked), 241), []
    for (name, net), (colour, style) in zip(nets.items(), cycle(LOOKS), strict=False):
        answers = forward(net, np.reshape([*grid, *asked], (-1, 1))).y_hat[:, 0].astype(float)
        axes.plot(grid, answers[: len(grid)], style, color=colour, label=name, linewidth=2)
        rows.append((name, *(f"{answer + 0.0:.4g}" for answer in answers[len(grid) :].round(3))))
    kinds = ((~data.is_trigger, "o", words.CLEAN_LABEL), (data.is_trigger, "*", words.TRIGGER_LABEL))
    for kind, marker, label in kinds:
        axes.plot(data.X[kind, 0], data.Y[kind, 0], marker, color=INK, markersize=10, label=label)
    axes.set(title=words.FUNCTION_TITLE, xlabel=words.INPUT_AXIS, xlim=grid[[0, -1]])
    axes.grid(alpha=0.3)
    axes.legend()
    heading = (words.NET_COLUMN, *(f"f({x:g})" for x in asked))
    return Picture(axes.figure, Table([heading, *rows], words.FUNCTION_CAPTION))
