"""The map of outcomes: a colour and a letter for each, so that neither stands alone."""

import numpy as np
from matplotlib.colors import to_rgba_array

from lesson_lib.pictures import words
from lesson_lib.pictures.image import Picture, as_png
from lesson_lib.pictures.plot import Plot
from lesson_lib.sweeps.studies import OutcomeMap
from lesson_lib.tables import Table
from lesson_lib.training import OUTCOMES

MAP_COLOURS = (255 * to_rgba_array(["#000000", "#0072B2", "#E69F00", "#E6E6E6", "#B9D8C2"])).astype(np.uint8)


class MapPlot(Plot):
    """The outcome over learning rate (log) and target, with a cross at the chosen cell."""

    def __init__(self, rates: np.ndarray, targets: np.ndarray) -> None:
        super().__init__(560, 400, 1)
        axes, log = self.axes[0], np.log10(rates)
        axes.set(title=words.MAP_TITLE, xlabel=words.RATE_AXIS, ylabel=words.TARGET_AXIS)
        decades = np.arange(np.ceil(log[0]), log[-1] + 0.1)
        axes.set_xticks(decades, [f"{10**decade:g}" for decade in decades])
        self.mesh = axes.imshow(
            np.zeros((len(targets), len(rates), 4), dtype=np.uint8),
            extent=(log[0], log[-1], targets[0], targets[-1]),
            **{"origin": "lower", "aspect": "auto", "interpolation": "nearest", "animated": True},
        )
        self.letters = [
            (i, j, axes.text(log[j], targets[i], "", ha="center", va="center", fontsize=9, animated=True))
            for i in range(8, len(targets), 17)
            for j in range(8, len(rates), 17)
        ]
        for name, colour, width in (("ground", "white", 7), ("cross", "black", 3)):  # seen on every colour
            self.line(name, 0, color=colour, marker="+", markersize=20, markeredgewidth=width)
        self.fix(left=0.12, right=0.98, top=0.92, bottom=0.13)

    def set_codes(self, codes: np.ndarray) -> None:
        """Show these outcomes (n_targets, n_rates) from the next picture on."""
        self.mesh.set_data(MAP_COLOURS[codes])
        for i, j, letter in self.letters:
            code = int(codes[i, j])
            letter.set(text=words.OUTCOME_LETTERS[OUTCOMES[code]], color="white" if code < 2 else "black")
        self.draw_below([self.mesh, *(letter for _, _, letter in self.letters)])

    def show_cell(self, rate: float, target: float, alt: str) -> str:
        """Return the map with the cross at this cell."""
        cell = ([np.log10(rate)], [target])
        return self.show({"ground": cell, "cross": cell}, alt)


def map_picture(trained: OutcomeMap, epoch: int) -> Picture:
    """Return the map of outcomes after this epoch, and each outcome's share as a table."""
    plot = MapPlot(trained.rates, trained.targets)
    plot.set_codes(trained.at(epoch))
    rows = [(words.OUTCOME_LETTERS[one], one.value, f"{trained.share(one, epoch):.1%}") for one in OUTCOMES]
    table = Table([words.SHARE_COLUMNS, *rows], words.SHARE_CAPTION.format(epoch=epoch))
    return Picture(as_png(plot.pixels()), plot.size[0], table)
