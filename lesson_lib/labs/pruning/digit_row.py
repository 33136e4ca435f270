"""A row of digits under what a model answers: the digits are sent once, a move of a slider sends only the answers."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.digits import SIDE
from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.says import marked
from lesson_lib.pictures.image import as_image

ON_PAGE, FRAME = 48, 128  # an image's size on the page, and the grey of its frame
COLUMNS = "display: grid; grid-template-columns: 112px repeat({n}, minmax(0, 1fr)); max-width: 840px; line-height: 1.3"


class DigitRow(widgets.VBox):
    """Images (n_images, 64) in a row, with a name and, above each, an answer; a wrong one carries a sign."""

    def __init__(self, name: str, images: Array, labels: Sequence[int]) -> None:
        self.name, self.labels = name, tuple(labels)
        self.answers = widgets.HTML()
        pictures = [_as_picture(one, label) for one, label in zip(images, labels, strict=True)]
        super().__init__([self.answers, widgets.HTML(_grid("", pictures))])

    def show(self, answers: Iterable[Any]) -> None:
        """Write what is answered to each image."""
        marks = [escape(mark) for mark in marked(answers, self.labels)]
        pairs = zip(marks, self.labels, strict=True)
        self.answers.value = _grid(escape(self.name), [m if m == str(label) else f"<b>{m}</b>" for m, label in pairs])


def _grid(name: str, cells: Sequence[str]) -> str:
    spans = "".join(f"<span>{cell}</span>" for cell in (name, *cells))
    return f'<div style="{COLUMNS.format(n=len(cells))}">{spans}</div>'


def _as_picture(image: Array, label: int) -> str:
    """Return an image as six times larger pixels in a grey frame, so that a white corner shows on any ground."""
    grey = np.full((ON_PAGE + 2, ON_PAGE + 2), FRAME, dtype=np.uint8)
    grey[1:-1, 1:-1] = np.kron(255 * image.reshape(SIDE, SIDE), np.ones((ON_PAGE // SIDE,) * 2)).round()
    pixels = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    return as_image(pixels, (ON_PAGE + 2, ON_PAGE + 2), words.PRUNING_IMAGE.format(label=label))
