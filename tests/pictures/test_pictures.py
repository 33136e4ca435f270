"""Finished pictures: what they draw, and the table that says the same."""

import numpy as np
import pytest

from lesson_lib.pictures import finished as pictures
from lesson_lib.pictures.finished import article_figure, image_strip


@pytest.fixture
def drawn(monkeypatch):
    """Collect the figures that are made."""
    made = []

    class Kept(pictures.Figure):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr(pictures, "Figure", Kept)
    return made


def test_the_articles_figure_has_a_bar_for_each_neuron_and_marks_those_above_the_threshold(drawn):
    picture = article_figure([0.5, 3.0, 2.0, 2.5], threshold=2.0)
    [axes] = drawn[0].axes
    everything, abnormal = axes.containers
    assert [bar.get_height() for bar in everything] == [0.5, 3.0, 2.0, 2.5]
    assert [bar.get_height() for bar in abnormal] == [3.0, 2.5]
    assert [round(bar.get_center()[0]) for bar in abnormal] == [1, 3]
    assert all(bar.get_hatch() for bar in abnormal), "colour must not be the only sign"
    assert not any(bar.get_hatch() for bar in everything)
    assert axes.get_xlabel() == "neuron"
    assert "difference of mean activations" in axes.get_ylabel()
    assert "difference > 2" in abnormal.get_label()
    assert picture.table.rows[1:3] == [("1", "3.00", "yes"), ("3", "2.50", "yes")]
    assert picture.table.rows[3] == ("2", "2.00", ""), "the article's rule is strict"
    assert "4 neurons, of which 2 are above 2" in picture.table.caption
    assert picture.png.startswith(b"\x89PNG")


def test_a_signature_without_abnormal_neurons_is_drawn_too(drawn):
    picture = article_figure(np.full(3, 0.1), threshold=2.0)
    assert len(drawn[0].axes[0].containers) == 1
    assert "of which 0 are above 2" in picture.table.caption


def test_a_strip_shows_each_image_under_its_text(drawn):
    images = np.linspace(0, 1, 3 * 64).reshape(3, 64)
    picture = image_strip({"clean": images, "trigger": images[::-1]}, [[7, 8, 9], ["a", "b", "c"]], n_shown=2)
    shown = drawn[0].axes
    assert [axes.get_title() for axes in shown] == ["7", "8", "a", "b"]
    assert np.array_equal(shown[1].images[0].get_array(), images[1].reshape(8, 8))
    assert np.array_equal(shown[2].images[0].get_array(), images[2].reshape(8, 8))
    assert [axes.get_ylabel() for axes in shown[::2]] == ["clean", "trigger"]
    assert picture.table.rows == [("image", "1", "2"), ("clean", "7", "8"), ("trigger", "a", "b")]
