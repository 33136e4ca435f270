"""Finished pictures for the notebooks, each with its numbers as a table: the article's bar chart, and digits."""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lesson_lib.pictures import words
from lesson_lib.pictures.image import Picture, as_picture
from lesson_lib.pictures.plot import BLUE, ORANGE
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
    axes.set(title=words.SIGNATURE_TITLE, xlabel=words.SIGNATURE_X_AXIS, ylabel=words.SIGNATURE_AXIS)
    axes.set_xlim(-1, len(signature))
    axes.grid(axis="y", linestyle="--", alpha=0.5)
    axes.legend()
    return as_picture(figure, signature_table(signature, threshold))


def signature_table(signature: Any, threshold: float, n_shown: int = 12) -> Table:
    """Return the tallest bars of a signature (n_neurons,) as a table, with a mark at those above the threshold."""
    tallest = np.argsort(-np.asarray(signature), kind="stable")[:n_shown]
    rows = [(str(i), f"{signature[i]:.2f}", words.FLAGGED if signature[i] > threshold else "") for i in tallest]
    count = int((np.asarray(signature) > threshold).sum())
    caption = words.SIGNATURE_CAPTION.format(n=len(signature), flagged=count, threshold=f"{threshold:g}")
    return Table([words.SIGNATURE_COLUMNS, *rows], caption)


def image_strip(rows: dict[str, Any], titles: Sequence[Sequence[Any]], n_shown: int = 8) -> Picture:
    """Return images as a picture, a row for each name, and a table of what is written over them.

    `rows` maps a name to images (n_samples, 64); `titles` holds one list of n_samples texts for each row. The first
    `n_shown` of each are shown.
    """
    figure = Figure(figsize=(9, 1.35 * len(rows) + 0.1), layout="constrained", facecolor="white")
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
    return as_picture(figure, Table([heading, *lines], words.STRIP_CAPTION))
