"""Finished pictures: what they draw, and the table that says the same."""

from xml.etree import ElementTree

import numpy as np
import pytest

from lesson_lib.pictures import finished as pictures
from lesson_lib.pictures.finished import article_figure, image_strip, map_picture, success_curve
from lesson_lib.sweeps.experiment import Experiment
from lesson_lib.sweeps.studies import Success, outcome_map

SVG = "{http://www.w3.org/2000/svg}"


def check_told(picture):
    """Check that a picture is a whole SVG in the page's colours whose description is its table, and return it."""
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == str(picture.table)
    root = ElementTree.fromstring(bundle["text/html"])
    assert root.tag == f"{SVG}svg"
    assert root.get("class") == "by-hand-picture"
    assert root.get("role") == "img"
    assert root.get("aria-label").replace(";", "").split() == bundle["text/plain"].replace(";", "").split()
    width, height = picture.size
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    assert any("".join(one.itertext()).strip() for one in root.iter(f"{SVG}text")), "text is text"
    assert "#01020" not in bundle["text/html"]
    assert picture._repr_mimebundle_() == bundle
    return root


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
    check_told(picture)


def test_a_signature_without_abnormal_neurons_is_drawn_too(drawn):
    picture = article_figure(np.full(3, 0.1), threshold=2.0)
    assert len(drawn[0].axes[0].containers) == 1
    assert "of which 0 are above 2" in picture.table.caption


def test_a_strip_shows_each_image_under_its_text(drawn):
    images = np.linspace(0, 1, 3 * 64).reshape(3, 64)
    picture = image_strip({"clean": images, "trigger": images[::-1]}, [[7, 8, 9], ["a", "b", "c"]], n_shown=2)
    shown = drawn[0].axes
    assert [axes.get_title(loc="left") for axes in shown] == ["7", "8", "a", "b"]
    assert np.array_equal(shown[1].images[0].get_array(), images[1].reshape(8, 8))
    assert np.array_equal(shown[2].images[0].get_array(), images[2].reshape(8, 8))
    assert [axes.get_ylabel() for axes in shown[::2]] == ["clean", "trigger"]
    assert picture.table.rows == [("image", "1", "2"), ("clean", "7", "8"), ("trigger", "a", "b")]
    assert len(list(check_told(picture).iter(f"{SVG}image"))) == 4


def test_the_success_curve_has_a_picture_and_the_same_in_words(drawn):
    with_biases, without = [Success(2, 3, 20), Success(4, 11, 20)], [Success(2, 0, 20), Success(4, 0, 20)]
    picture = success_curve(with_biases, without)
    check_told(picture)
    lines = str(picture.table).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["2", "15.0%"], ["4", "55.0%"]]
    assert "20 random starts" in lines[-1]
    [axes] = drawn[0].axes
    shares = [container.lines[0].get_ydata().tolist() for container in axes.containers]
    assert shares == [[0.15, 0.55], [0, 0]]
    looks = {(container.lines[0].get_linestyle(), container.lines[0].get_marker()) for container in axes.containers}
    assert len(looks) == 2, "colour must not be the only sign"


def test_a_map_has_its_shares_in_words():
    trained = outcome_map(Experiment(), np.geomspace(0.001, 10, 5), np.linspace(-10, 10, 5), [0, 10, 100])
    picture = map_picture(trained, 100)
    assert len(list(check_told(picture).iter(f"{SVG}image"))) == 1
    shares = [float(row[2].rstrip("%")) for row in picture.table.rows[1:]]
    assert sum(shares) == pytest.approx(100, abs=0.3)
    assert "after 100 epochs" in picture.table.caption


def test_the_same_picture_is_the_same_svg():
    one, other = (article_figure([0.5, 3.0], threshold=2.0)._repr_mimebundle_() for _ in range(2))
    assert one == other
