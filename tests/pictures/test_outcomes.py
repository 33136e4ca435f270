"""The map of outcomes: its pixels are the outcomes, and letters say so too."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from marks import check_marks, contrast, parsed
from PIL import Image

from lesson_lib.pictures import words
from lesson_lib.pictures.frame import Frame
from lesson_lib.pictures.outcomes import COLOURS, LETTERS, map_axes, outcome_marks
from lesson_lib.training import OUTCOMES

PLACE = (460, 290, 328, 108)


def pixels(root):
    """Return the colours (height, width) of the map, as #rrggbb."""
    [image] = root.iter("image")
    assert "pixelated" in image.get("style")
    assert image.get("preserveAspectRatio") == "none"
    assert [float(image.get(name)) for name in ("x", "y", "width", "height")] == [*PLACE]
    data = b64decode(image.get("href").removeprefix("data:image/png;base64,"), validate=True)
    colours = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return np.array([["#{:02x}{:02x}{:02x}".format(*one) for one in row] for row in colours])


@pytest.mark.parametrize("shape", [(100, 100), (5, 5), (60, 7)])
def test_each_pixel_is_the_outcome_of_its_rate_and_target(shape):
    codes = np.random.default_rng(0).integers(len(OUTCOMES), size=shape)
    root = check_marks(outcome_marks(codes, PLACE))
    assert (pixels(root) == np.array(COLOURS)[codes][::-1]).all(), "targets grow upwards"


@pytest.mark.parametrize("shape", [(100, 100), (5, 5), (60, 7)])
def test_the_letters_are_those_of_the_outcomes_below_them(shape):
    codes = np.random.default_rng(1).integers(len(OUTCOMES), size=shape)
    shown = [*check_marks(outcome_marks(codes, PLACE)).iter("text")]
    assert len(shown) >= 4
    left, top, width, height = PLACE
    for one in shown:
        column = int((float(one.get("x")) - left) / width * shape[1])
        row = int((1 - (float(one.get("y")) - 4 - top) / height) * shape[0])
        code = codes[row, column]
        assert one.text == words.OUTCOME_LETTERS[OUTCOMES[code]]
        assert one.get("style") == f"fill: {LETTERS[code]}"


def test_letters_stand_out_from_their_outcome_and_all_differ():
    assert len(COLOURS) == len(LETTERS) == len(OUTCOMES) == len(set(COLOURS))
    assert len(set(words.OUTCOME_LETTERS.values())) == len(OUTCOMES) == len(words.OUTCOME_LETTERS)
    assert [pair for pair in zip(COLOURS, LETTERS, strict=True) if contrast(*pair) < 4.5] == []


def test_the_axes_are_those_of_the_rates_and_targets():
    rates, targets = np.geomspace(0.001, 10, 100), np.linspace(-10, 10, 100)
    frame = Frame(800, 430, map=PLACE)
    map_axes(frame, rates, targets)
    left, top, width, height = PLACE
    assert frame.pixels("map", rates[[0, -1]], targets[[0, -1]]).tolist() == [
        [left, top + height],
        [left + width, top],
    ]
    assert frame.pixels("map", 0.1, 0).tolist() == [[left + width / 2, top + height / 2]]
    written = ["".join(one.itertext()).strip() for one in parsed(frame.svg).iter() if one.tag.endswith("text")]
    assert {"0.001", "0.01", "0.1", "1", "10", "−10", "5", words.MAP_TITLE, words.RATE_AXIS} <= set(written)
    assert not re.search(r"10\^|mathdefault", frame.svg)
