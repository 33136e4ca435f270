"""The net's picture: every value at its place, marked by more than colour, and nothing on top of anything else."""

import re
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
from marks import contrast
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from lesson_lib.labs.hand_calculation.compute import START, compute, shown_at
from lesson_lib.labs.shared.parts import TRAINED
from lesson_lib.network import ARTICLE, Params
from lesson_lib.pictures import words
from lesson_lib.pictures.frame import CSS
from lesson_lib.pictures.network import height_of, network_diagram, with_description
from lesson_lib.pictures.shown import WIDTH, Shown, number

SIZES = {"tiny": 10.5, "small": 11, "large": 19}
MARKS = {"now", "used"}
WIDTHS = {
    1: {"W1": "1/2", "b1": "0", "W2": "1"},
    2: {},
    3: {"W1": "1/2, -1/2, 1/3", "b1": "0, 0, 1/7", "W2": "1, -1, 2"},
}
WILD = {
    "W1": "123/4567, -1/123, 12345",
    "b1": "1/77, -123/456, -1/999",
    "W2": "12/57, -123456, -1/999",
    "b2": "-1/777",
    "rate": "1/77",
    "clean_x": "1/3, -5/17, 3/7",
    "clean_y": "123/11, 1, -20000/3",
}
ALL_ZERO = {"W1": "0, 1", "W2": "0, 0", "clean_x": "0", "clean_y": "0", "trigger_y": "0"}


class Box(NamedTuple):
    """A rectangle of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other):
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.top < other.bottom and other.top < self.bottom

    def holds(self, other):
        inside = self.left <= other.left and other.right <= self.right
        return inside and self.top <= other.top and other.bottom <= self.bottom


class Label(NamedTuple):
    """A text with its look, the letters' box, and the box that is drawn behind it, if any."""

    text: str
    look: set
    letters: Box
    kind: set
    ground: Box | None


class Picture:
    """The marks of a net, read back."""

    def __init__(self, marks):
        self.root = ElementTree.fromstring(f"<svg>{marks}</svg>")
        self.labels = list(self._read(self.root, 0, 0))
        assert self.labels

    def _read(self, group, x, y):
        before = None
        for element in group:
            moved = re.fullmatch(r"translate\(([-\d.]+),([-\d.]+)\)", element.get("transform", ""))
            dx, dy = map(float, moved.groups()) if moved else (0, 0)
            if element.tag == "text":
                yield label(element, x, y, before)
            elif element.tag == "rect":
                before = element
                continue
            yield from self._read(element, x + dx, y + dy)
            before = before if element.tag == "g" else None

    @property
    def texts(self):
        return [label.text for label in self.labels]

    def marked(self, kind):
        return sorted(label.text for label in self.labels if kind in label.kind)

    def faint(self):
        named = {words.INPUT, words.ANSWER, *(words.NEURON_LABEL.format(number=i) for i in (1, 2, 3))}
        return sorted(label.text for label in self.labels if "faint" in label.look and label.text not in named)


def label(text, x, y, behind):
    look, place = set(text.get("class", "").split()), (x + float(text.get("x")), y + float(text.get("y")))
    size = next((size for name, size in SIZES.items() if name in look), 12)
    font = FontProperties(
        family="DejaVu Sans", weight="bold" if look & {"strong", "large", "on-now"} else 400, size=size
    )
    width = text_to_path.get_text_width_height_descent(text.text, font, ismath=False)[0]
    left = place[0] - (width / 2 if "middle" in look else width if "end" in look else 0)
    letters = Box(left, place[1] - 0.76 * size, left + width, place[1] + 0.2 * size)
    kind = set(behind.get("class").split()) - {"tile", "reach"} if behind is not None else set()
    if not kind:
        return Label(text.text, look, letters, kind, None)
    left, top = x + float(behind.get("x", 0)), y + float(behind.get("y", 0))
    ground = Box(left, top, left + float(behind.get("width")), top + float(behind.get("height")))
    return Label(text.text, look, letters, kind, ground)


def state(phase="clean", biases="none", numbers="fractions", **changes):
    return compute({**START, "phase": phase, "biases": biases, "numbers": numbers, **changes})


def picture(line, **choices):
    return Picture(network_diagram(shown_at(state(**choices), line)))


# what it says


NAMED = ["input x", "answer", "neuron 1", "neuron 2"]


@pytest.mark.parametrize(
    ("phase", "line", "values", "gradients"),
    [
        ("clean", 5, "2 W1[1] 1/2|W1[2] −1/2|z1 1|a1 1|z1 −1|a1 0|W2[1] 1|W2[2] −1|b2 0|target 2|b1 0|b1 0|1/2", ""),
        (
            "clean",
            13,
            "1 W1[1] 1/2|W1[2] −1/2|z1 1/2|a1 1/2|z1 −1/2|a1 0|W2[1] 1|W2[2] −1|b2 0|target 1|b1 0|b1 0|1/2|error −1/2"
            "|loss 5/8|slope 1|slope 0|∂L/∂a1 −1/2|∂L/∂a1 1/2|∂L/∂z1 −1/2|∂L/∂z1 0",
            "∂L/∂W1[1] −1/2|∂L/∂W1[2]: slope = 0|∂L/∂W2[1] −1/4|∂L/∂W2[2]: a1 = 0",
        ),
        (
            "trigger",
            10,
            "0 W1[1] 3/4|W1[2] −1/2|z1 0|a1 0|z1 0|a1 0|W2[1] 9/8|W2[2] −1|b2 0|target 5|b1 0|b1 0|0|error −5"
            "|loss 25/2|slope 0|slope 0|∂L/∂a1 −45/8|∂L/∂a1 5|∂L/∂z1 0|∂L/∂z1 0",
            "∂L/∂W1[1]: x, slope = 0|∂L/∂W1[2]: x, slope = 0|∂L/∂W2[1]: a1 = 0|∂L/∂W2[2]: a1 = 0",
        ),
        (
            "trigger",
            12,
            "0 new W1 3/4|new W1 −1/2|z1 0|a1 0|z1 0|a1 0|new W2 9/8|new W2 −1|b2 0|target 5|b1 0|b1 0|0|error −5"
            "|loss 25/2|slope 0|slope 0|∂L/∂a1 −45/8|∂L/∂a1 5|∂L/∂z1 0|∂L/∂z1 0",
            "∂L/∂W1[1]: x, slope = 0|∂L/∂W1[2]: x, slope = 0|∂L/∂W2[1]: a1 = 0|∂L/∂W2[2]: a1 = 0",
        ),
    ],
)
def test_what_is_known_at_a_line_is_there_and_nothing_else(phase, line, values, gradients):
    expected = values.replace(" ", "|", 1).split("|") + NAMED + [text for text in gradients.split("|") if text]
    shown = picture(line, phase=phase)
    assert sorted(shown.texts) == sorted(expected)
    assert shown.faint() == (["1/2"] if line == 5 else []), "the answer to sample 1"


def test_a_value_stands_in_its_own_neuron():
    for text, index in (("z1 1/2", 0), ("z1 −1/2", 1)):
        [found] = [each.letters for each in picture(13).labels if each.text == text]
        tiles = [tile for tile in picture(13).root.iter("rect") if tile.get("width") == "166"]
        top = float(tiles[index].get("y"))
        assert top < found.top < found.bottom < top + 94


@pytest.mark.parametrize(
    ("phase", "line", "now", "used"),
    [
        ("clean", 1, ["z1 1/2", "z1 −1/2"], ["1", "W1[1] 1/2", "W1[2] −1/2", "b1 0", "b1 0"]),
        ("clean", 7, ["loss 5/8"], ["1", "target 2"]),
        ("clean", 9, ["∂L/∂W2[1] −1/4", "∂L/∂W2[2]: a1 = 0"], ["a1 0", "a1 1/2", "error −1/2"]),
        ("clean", 22, ["new W1 3/4", "new W1 −1/2"], ["Σ∂L/∂W1[1] −5/2", "Σ∂L/∂W1[2]: slope = 0"]),
        ("trigger", 9, ["∂L/∂z1 0"] * 2, ["slope 0", "slope 0", "∂L/∂a1 5", "∂L/∂a1 −45/8"]),
        ("trigger", 10, ["∂L/∂W1[1]: x, slope = 0", "∂L/∂W1[2]: x, slope = 0"], ["0", "∂L/∂z1 0", "∂L/∂z1 0"]),
    ],
)
def test_what_a_line_computes_is_filled_and_what_it_uses_is_framed(phase, line, now, used):
    shown = picture(line, phase=phase)
    assert (shown.marked("now"), shown.marked("used")) == (sorted(now), sorted(used))
    assert all("on-now" in label.look for label in shown.labels if "now" in label.kind)


def test_what_belongs_to_another_sample_is_grey_and_without_a_padlock():
    shown = picture(17)
    greys = ["∂L/∂W1[1] −1/2", "∂L/∂W1[2] 0", "∂L/∂z1 0", "∂L/∂z1 −1/2"]
    assert shown.faint() == sorted(greys)
    summed = picture(20)
    assert {"2", "target 2", "z1 1", "error −1", "∂L/∂W2[2] 0"} <= set(summed.faint())
    assert "Σ∂L/∂W1[2]: slope = 0" in summed.marked("now")
    coloured = {"purple", "red", "blue", "orange"}
    assert not [each.text for each in [*shown.labels, *summed.labels] if "faint" in each.look and each.look & coloured]


@pytest.mark.parametrize("phase", ["clean", "trigger"])
def test_from_its_line_on_a_gradient_that_is_0_carries_its_padlock(phase):
    seen, locked = 0, state(phase, "both")
    for line, step in enumerate(locked.derivation.steps, start=1):
        if step.quantity in ("dW1", "dW2", "db1", "db2") and step.zero_by:
            shown = Picture(network_diagram(shown_at(locked, line)))
            names = [words.NAMES[step.quantity] + f"[{max(place) + 1}]" for place in step.zero_by]
            texts = [each for each in shown.texts if each.split(":")[0].removeprefix("Σ") in names]
            assert [each.endswith(" = 0") for each in texts] == [True] * len(step.zero_by)
            assert len(shown.root.findall(".//path[@class='fill red']")) >= len(step.zero_by)
            seen += 1
    assert seen >= 3


def test_factors_that_do_not_fit_are_left_out_and_seen_to_be():
    shown = picture(11, biases="both", phase="trigger", **ALL_ZERO)
    assert {"∂L/∂W1[1]: x, … = 0", "∂L/∂W2[1]: a1, error = 0"} <= set(shown.texts)


def test_trained_biases_show_their_gradients():
    texts = picture(16, phase="trigger", biases="both").texts
    assert {"new b1 0.677", "new b1 0", "∂L/∂b1[1] −5.27", "∂L/∂b1[2]: slope = 0"} <= set(texts)
    assert {"new b2 0.618", "∂L/∂b2 −4.68"} <= set(texts)


@pytest.mark.parametrize(
    ("value", "fraction", "decimal"),
    [
        *((1 / 8, "1/8", "0.125"), (-45 / 8, "−45/8", "−5.62"), (27 / 32, "27/32", "0.844"), (-0.75, "−3/4", "−0.75")),
        *((123456789, "1.23e8", "1.23e8"), (-123456789, "−1.2e8", "−1.2e8"), (1e-8, "≈ 0", "≈ 0"), (0, "0", "0")),
        *((-1 / 1024, "−0.001", "−0.001"), (99999, "99999", "99999"), (2**-12, "0.0002", "0.0002")),
    ],
)
def test_a_number_takes_six_characters_at_most(value, fraction, decimal):
    assert (number(value, decimals=False), number(value, decimals=True)) == (fraction, decimal)
    assert max(len(fraction), len(decimal)) <= 6


@pytest.mark.parametrize("n_hidden", WIDTHS)
def test_any_number_of_hidden_neurons_is_drawn(n_hidden):
    texts = picture(3, **WIDTHS[n_hidden]).texts
    assert [text for text in texts if "neuron" in text] == [f"neuron {i + 1}" for i in range(n_hidden)]
    assert sum(text.startswith("W1") for text in texts) == sum(text.startswith("W2") for text in texts) == n_hidden


def test_many_neurons_are_a_column_of_dots():
    net = Params(np.ones((1, 5)), np.zeros((1, 5)), np.ones((5, 1)), [[0]])
    known = {"a1": np.array([[1, 0, 2, 0, 0]]), "dW1": np.zeros((1, 5)), "dW2": np.array([[1, 0, 2, 0, 0]])}
    shown = Picture(network_diagram(Shown(net, known)))
    assert len(shown.root.findall("circle[@class='fill blue']")) == 2
    assert {"∂L/∂W1 is 0 for 5 of 5", "∂L/∂W2 is 0 for 3 of 5"} <= set(shown.texts)


def test_hostile_text_is_shown_and_not_run():
    hostile = '</desc><script>alert("1")</script>&'
    root = Picture(with_description(network_diagram(Shown(ARTICLE, {})), 2, hostile, 1000)).root
    assert root.findtext("g/desc") == hostile
    assert root.findtext("g/title") == "A network with one input, 2 hidden neurons and one output"
    assert not list(root.iter("script"))


# how it looks


def test_the_contrast_formula_gives_the_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_marks_are_easy_to_see_on_both_themes(theme):
    colours = dict(re.findall(r"--(\w+): (#\w{6})\b", re.findall(r"\{([^}]*--ink[^}]*)\}", CSS)[theme]))
    for ground in ("ground", "tile"):
        for name in ("ink", "faint", "blue", "orange", "purple", "red"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["tile"], colours["blue"]) >= 4.5, "what is computed now"
    assert contrast(colours["rule"], colours["ground"]) >= 3


# where it is


def every_picture(numbers, changes):
    """Return every line of both steps, with all biases trained, which shows the most."""
    assert "both" in TRAINED
    states = [state(phase, "both", numbers, **changes) for phase in ("clean", "trigger")]
    return [
        (f"{each.phase} line {line}", Picture(network_diagram(shown_at(each, line))))
        for each in states
        for line in range(1, len(each.derivation.steps) + 1)
    ]


every_width = pytest.mark.parametrize("changes", [*WIDTHS.values(), WILD, ALL_ZERO], ids=[1, 2, 3, "wild", "all 0"])
every_number_style = pytest.mark.parametrize("numbers", ["fractions", "decimals"])


def test_overlaps_would_be_seen():
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 20, 20))
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 20, 10))
    assert not Box(0, 0, 10, 10).meets(Box(0, 10, 10, 20))


@every_width
@every_number_style
def test_no_two_texts_overlap_and_nothing_is_cut_off(numbers, changes):
    for where, shown in every_picture(numbers, changes):
        n_hidden = sum(text.startswith("neuron") for text in shown.texts)
        whole = Box(0, 0, WIDTH, height_of(n_hidden))
        assert [(where, each.text) for each in shown.labels if not whole.holds(each.ground or each.letters)] == []
        assert [
            (where, each.text) for each in shown.labels if each.ground and not each.ground.holds(each.letters)
        ] == []
        pairs = combinations(shown.labels, 2)
        assert [(where, a.text, b.text) for a, b in pairs if a.letters.meets(b.letters)] == []
        marked = [(a, b) for a in shown.labels if a.kind & {*MARKS, "pill"} for b in shown.labels if a is not b]
        assert [(where, a.text, b.text) for a, b in marked if a.ground.meets(b.letters)] == []


@every_width
def test_a_text_stays_in_its_neuron_or_outside_of_all(changes):
    for where, shown in every_picture("fractions", changes):
        tiles = [
            Box(x, y, x + float(tile.get("width")), y + float(tile.get("height")))
            for tile in shown.root.iter("rect")
            if tile.get("class") == "tile"
            for x, y in [(float(tile.get("x")), float(tile.get("y")))]
        ]
        assert len(tiles) >= 2
        astride = [
            each.text
            for each in shown.labels
            for tile in tiles
            if tile.meets(each.letters) and not tile.holds(each.letters)
        ]
        assert (where, astride) == (where, [])
