"""How often random starts become a backdoor: the share over the hidden width, with and without biases."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lesson_lib.pictures import words
from lesson_lib.pictures.image import Picture, as_picture
from lesson_lib.pictures.plot import BLUE, ORANGE
from lesson_lib.sweeps.studies import Success
from lesson_lib.tables import Table


def success_curve(with_biases: Sequence[Success], without_biases: Sequence[Success]) -> Picture:
    """Return the share of successful random starts over the width, with its interval, and the same as a table."""
    figure = Figure(figsize=(7, 3.4), layout="constrained", facecolor="white")
    axes = figure.subplots()
    kinds = ((words.WITH_BIASES, with_biases, BLUE, "o-"), (words.WITHOUT_BIASES, without_biases, ORANGE, "s--"))
    for label, study, colour, style in kinds:
        shares = [success.share for success in study]
        reach = np.array([success.interval for success in study]).T - shares
        axes.errorbar([s.width for s in study], shares, abs(reach), fmt=style, color=colour, capsize=4, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks([success.width for success in with_biases], [str(success.width) for success in with_biases])
    axes.set(title=words.SUCCESS_TITLE, xlabel=words.SUCCESS_AXIS, ylim=(-0.05, 1.05))
    axes.grid(alpha=0.3)
    axes.legend()
    pairs = zip(with_biases, without_biases, strict=False)  # one of them may have been stopped
    rows = [(str(one.width), *_cells(one), *_cells(other)) for one, other in pairs]
    caption = words.SUCCESS_CAPTION.format(starts=with_biases[0].starts)
    return as_picture(figure, Table([words.SUCCESS_COLUMNS, *rows], caption))


def _cells(success: Success) -> tuple[str, str]:
    low, high = success.interval
    return f"{success.share:.1%}", f"{low:.1%} to {high:.1%}"
