"""Plots for sliders: what the artists hold, what the picture is, and that drawing again costs no memory."""

import gc
import io
import re
import tracemalloc
from base64 import b64decode
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lesson_lib.pictures.plot import DENSITY, MAP_COLOURS, MapPlot, as_image, as_png, training_plot
from matplotlib.image import imread

from lesson_lib.pictures import words
from lesson_lib.pictures.finished import success_curve
from lesson_lib.sweeps.studies import Success
from lesson_lib.training import OUTCOMES

KINDS = ["gradients", "activations"]
FIXED = {"function", "clean", "trigger", "target", "output", "clean error", "epoch"}


def pixels(picture):
    """Return the pixels (height, width, channels), 0 to 1, of an <img>."""
    source = re.search(r'src="data:image/png;base64,([^"]+)"', picture)[1]
    return imread(io.BytesIO(b64decode(source, validate=True)))


def some_data(plot, seed=0):
    rng = np.random.default_rng(seed)
    return {name: (rng.uniform(0, 2000, 5), rng.uniform(-20, 20, 5)) for name in plot.lines}


@pytest.mark.parametrize("kind", KINDS)
def test_the_lines_hold_what_was_given_and_the_limits_stay(kind):
    plot = training_plot(kind)
    assert set(plot.lines) > FIXED
    limits = [(axes.get_xlim(), axes.get_ylim()) for axes in plot.axes]
    for seed in range(3):
        data = some_data(plot, seed)
        plot.show(data, "")
        for name, (x, y) in data.items():
            assert plot.lines[name].get_xydata().tolist() == np.column_stack([x, y]).tolist()
    assert [(axes.get_xlim(), axes.get_ylim()) for axes in plot.axes] == limits


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_has_its_own_look_and_a_name_in_a_legend(kind):
    plot = training_plot(kind)
    for axes in plot.axes:
        moving = [line for line in plot.lines.values() if line.axes is axes and not line.get_label().startswith("_")]
        looks = {(line.get_linestyle(), line.get_marker()) for line in moving}
        assert len(looks) == len(moving), "colour alone tells them apart"
        assert {text.get_text() for text in axes.get_legend().get_texts()} == {line.get_label() for line in moving}
        assert axes.get_title()


def test_the_picture_follows_the_data_and_only_the_data():
    plot = training_plot("gradients")
    first, second = some_data(plot, 1), some_data(plot, 2)
    picture = plot.show(first, "")
    assert plot.show(second, "") != picture
    assert plot.show(first, "") == picture, "nothing of the other picture is left"


def test_the_picture_has_escaped_words_and_its_pixels():
    plot = training_plot("gradients")
    picture = plot.show(some_data(plot), 'f(0) < "5" & <b>')
    assert re.fullmatch(r"<img [^<>]*>", picture)
    assert unescape(re.search(r'alt="([^"]*)"', picture)[1]) == 'f(0) < "5" & <b>'
    width, height = plot.size
    assert f'width="{width}" height="{height}"' in picture
    assert pixels(picture).shape[:2] == (DENSITY * height, DENSITY * width)


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))))
def test_no_pixel_changes_on_the_way(colours):
    shown = pixels(as_image(as_png(colours), 'width="1"', ""))
    assert (shown[..., :3] * 255).round().astype(int).tolist() == colours[..., :3].tolist()


def test_drawing_again_keeps_no_memory():
    plot = training_plot("gradients")
    data = some_data(plot)

    def draw(times):
        for _ in range(times):
            plot.show(data, "")
        gc.collect()
        return len(gc.get_objects())

    draw(5)
    tracemalloc.start()
    try:
        objects, before = draw(1), tracemalloc.get_traced_memory()[0]
        more = draw(300) - objects
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert more < 100
    assert grown < 100_000, f"{grown} bytes more after 300 pictures"


# The map -----------------------------------------------------------------------------------------------------------


def test_the_map_shows_each_outcome_by_its_colour_and_its_letter():
    plot = MapPlot(np.geomspace(0.001, 1, 60), np.linspace(-10, 10, 60))
    codes = np.random.default_rng(0).integers(len(OUTCOMES), size=(60, 60))
    plot.set_codes(codes)
    assert (np.asarray(plot.mesh.get_array()) == MAP_COLOURS[codes]).all()
    assert len(plot.letters) > 4
    for i, j, letter in plot.letters:
        assert letter.get_text() == words.OUTCOME_LETTERS[OUTCOMES[codes[i, j]]]
        x, y = letter.get_position()
        assert (10**x, y) == pytest.approx((np.geomspace(0.001, 1, 60)[j], np.linspace(-10, 10, 60)[i]))
    assert len({tuple(colour) for colour in MAP_COLOURS}) == len(OUTCOMES) == len(set(words.OUTCOME_LETTERS.values()))


def test_the_cross_marks_the_cell_and_moves_without_a_trace():
    plot = MapPlot(np.geomspace(0.001, 1, 60), np.linspace(-10, 10, 60))
    plot.set_codes(np.full((60, 60), 3))
    first = plot.show_cell(0.1, 5, "here")
    assert plot.lines["cross"].get_xydata().tolist() == [[-1, 5]]
    assert plot.show_cell(0.01, -5, "here") != first
    assert plot.show_cell(0.1, 5, "here") == first
    plot.set_codes(np.full((60, 60), 1))
    assert plot.show_cell(0.1, 5, "here") != first


def test_the_success_curve_has_a_picture_and_the_same_in_words():
    with_biases, without = [Success(2, 3, 20), Success(4, 11, 20)], [Success(2, 0, 20), Success(4, 0, 20)]
    bundle = success_curve(with_biases, without)._repr_mimebundle_()
    alt, source = re.search(
        r'<img alt="([^"]*)" width="700" .*src="data:image/png;base64,([^"]+)">', bundle["text/html"]
    ).groups()
    assert imread(io.BytesIO(b64decode(source))).shape[:2] == (340, 700)
    assert alt.replace(";", "").split() == bundle["text/plain"].split()
    lines = bundle["text/plain"].splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["2", "15.0%"], ["4", "55.0%"]]
    assert "20 random starts" in lines[-1]
