"""Small images that the browser enlarges: the map of outcomes, a pixel for each network, and grey ones."""

import io
from base64 import b64encode
from html import escape

import numpy as np
from PIL import Image

from lesson_lib.arrays import Array
from lesson_lib.pictures import words
from lesson_lib.pictures.frame import Frame, Place
from lesson_lib.training import OUTCOMES

COLOURS = ("#000000", "#0072b2", "#e69f00", "#e6e6e6", "#b9d8c2")  # in the order of OUTCOMES
LETTERS = ("#ffffff", "#ffffff", "#000000", "#000000", "#000000")
PALETTE = b"".join(bytes.fromhex(colour[1:]) for colour in COLOURS)


def map_axes(frame: Frame, rates: Array, targets: Array) -> None:
    """Set up the panel "map": rates, evenly in log, from left to right, and targets upwards."""
    frame.title("map", words.MAP_TITLE, words.RATE_AXIS, words.TARGET_AXIS)
    axes = frame.axes["map"]
    axes.set(xscale="log", xlim=rates[[0, -1]], ylim=targets[[0, -1]], yticks=(-10, -5, 0, 5, 10))
    decades = [10.0**power for power in range(-5, 3) if rates[0] <= 10.0**power <= 1.001 * rates[-1]]
    axes.set_xticks(decades, [f"{decade:g}" for decade in decades])
    axes.minorticks_off()


def outcome_marks(codes: Array, place: Place) -> str:
    """Return the outcomes, codes (n_targets, n_rates), as a picture at (left, top, width, height), with letters."""
    image = Image.fromarray(np.flipud(codes).astype(np.uint8), "P")
    image.putpalette(PALETTE)
    return _pixels(image, place) + _letters(codes, place)


def grey_image(pixels: Array, place: Place, title: str) -> str:
    """Return pixels from 0 (black) to 1 (white) as a picture at (left, top, width, height)."""
    return _pixels(Image.fromarray(np.rint(255 * pixels).astype(np.uint8)), place, f"<title>{escape(title)}</title>")


def _pixels(image: Image.Image, place: Place, title: str = "") -> str:
    """Return a small image, which the browser enlarges, its pixels as squares."""
    file, (left, top, width, height) = io.BytesIO(), place
    image.save(file, "PNG")
    return (
        f'<image x="{left}" y="{top}" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'style="image-rendering: pixelated" href="data:image/png;base64,{b64encode(file.getvalue()).decode()}">'
        f"{title}</image>"
    )


def _letters(codes: Array, place: Place) -> str:
    """Return the letter of the outcome here and there, so that colour is not the only sign."""
    (left, top, width, height), (n_rows, n_columns) = place, codes.shape
    texts = []
    for row in np.linspace(0, n_rows - 1, max(2, round(height / 40)) + 2, dtype=int)[1:-1]:
        for column in np.linspace(0, n_columns - 1, max(2, round(width / 45)) + 2, dtype=int)[1:-1]:
            code = int(codes[row, column])
            x, y = left + (column + 0.5) / n_columns * width, top + (1 - (row + 0.5) / n_rows) * height
            letter, look = words.OUTCOME_LETTERS[OUTCOMES[code]], f"fill: {LETTERS[code]}"
            texts.append(f'<text class="small middle" style="{look}" x="{x:.1f}" y="{y + 4:.1f}">{letter}</text>')
    return "".join(texts)
