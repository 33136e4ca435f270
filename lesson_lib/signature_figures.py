"""Finished figures of neuron activation analysis: the article's own bar chart, each with its numbers as a table."""

import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lesson_lib import words
from lesson_lib.plotting import BLUE, ORANGE, Picture
from lesson_lib.tables import Table


def article_figure(signature: Any, threshold: float) -> Picture:
    """Return the article's figure of the signature (n_neurons,): bars over the neurons, those above the threshold red.

    The article's red bars are hatched here, so that colour is not the only sign. The table lists the tallest bars.
    """
    signature = np.asarray(signature, dtype=np.float64)
    flagged = np.flatnonzero(signature > threshold)
    figure = Figure(figsize=(9, 3.2), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.bar(range(len(signature)), signature, color=BLUE, width=1.0)
    label = words.ABNORMAL.format(threshold=f"{threshold:g}")
    if len(flagged):
        axes.bar(flagged, signature[flagged], color="white", edgecolor=ORANGE, hatch="////", width=1.0, label=label)
    axes.axhline(threshold, color="black", linestyle="--", linewidth=1, label=words.THRESHOLD_LINE)
    axes.set(title=words.SIGNATURE_TITLE, xlabel=words.NEURON_AXIS, ylabel=words.SIGNATURE_AXIS)
    axes.set_xlim(-1, len(signature))
    axes.grid(axis="y", linestyle="--", alpha=0.5)
    axes.legend()
    return as_picture(figure, 900, signature_table(signature, threshold))


def signature_table(signature: Any, threshold: float, n_shown: int = 12) -> Table:
    """Return the tallest bars of a signature (n_neurons,) as a table, with a mark at those above the threshold."""
    tallest = np.argsort(-np.asarray(signature), kind="stable")[:n_shown]
    rows = [(str(i), f"{signature[i]:.2f}", words.FLAGGED if signature[i] > threshold else "") for i in tallest]
    count = int((np.asarray(signature) > threshold).sum())
    caption = words.SIGNATURE_CAPTION.format(n=len(signature), flagged=count, threshold=f"{threshold:g}")
    return Table([words.SIGNATURE_COLUMNS, *rows], caption)


def as_picture(figure: Figure, width: int, table: Table) -> Picture:
    """Return a finished figure with its table."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return Picture(buffer.getvalue(), width, table)
