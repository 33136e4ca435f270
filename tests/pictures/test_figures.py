"""The diagram: every value at its place, marked by more than colour, and nothing on top of anything else."""

import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import pytest

from lesson_lib.arrays import as_array
from lesson_lib.labs.hand_calculation.widget import START, State, compute, diagram
from lesson_lib.labs.shared.values import TRAINED
from lesson_lib.network import ARTICLE, PARAMETERS, Params
from lesson_lib.pictures import words
from lesson_lib.pictures.network import STYLES, network_diagram

SVG = "{http://www.w3.org/2000/svg}"
CHARACTER = 8.43  # width of one character of the 14 px monospaced font, in drawing units
ABOVE, BELOW = 11, 4  # how far letters reach above and below the baseline
PLACES = ("input", "incoming", "hidden", "outgoing", "output")
WHITE, DARK = "#ffffff", "#111111"  # what JupyterLab's light and dark themes put behind an output
WIDTHS = {
    1: {"W1": "1/2", "b1": "0", "W2": "1"},
    2: {},
    3: {"W1": "1/2, -1/2, 1/3", "b1": "0, 0, 1/7", "W2": "1, -1, 2"},
}


class Box(NamedTuple):
    """A rectangle of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        side_by_side = self.right <= other.left or other.right <= self.left
        return not side_by_side and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: "Box") -> bool:
        beside = other.left < self.left or self.right < other.right
        return not beside and self.top <= other.top and other.bottom <= self.bottom


class Label(NamedTuple):
    """A text of the drawing; fill and frame belong to the box drawn for it, "none" if there is none."""

    text: str
    x: float
    y: float
    colour: str
    fill: str
    frame: str
    dash: str
    box: Box
    order: int  # what comes later in the drawing covers it


class Picture:
    """A diagram, read back from its SVG."""

    def __init__(self, svg: str) -> None:
        self.root = ET.fromstring(svg)
        self.frame = Box(*map(float, self.root.get("viewBox").split()))
        self.bodies = [box for box in map(rectangle, self.root.iter(SVG + "rect")) if is_body(box)]
        labels = read_labels(self.root)
        legend = max(label.y for label in labels)  # the bottom row
        self.legend = [label for label in labels if label.y == legend]
        self.labels = [label for label in labels if label.y < legend]
        assert self.labels

    def column(self, place: str) -> list[str]:
        """Return the texts at one of PLACES, from the top."""
        edges = sorted({edge for body in self.bodies for edge in (body.left, body.right)})
        left, right = dict(zip(PLACES, pairwise(edges), strict=True))[place]
        return [label.text for label in sorted(self.labels, key=lambda label: label.y) if left < label.x < right]

    def marked(self, style: str) -> list[str]:
        """Return the texts whose box is drawn as "now", "used" or "zero"."""
        frame, dash = STYLES[style][1:3]
        return sorted(label.text for label in self.labels if (label.frame, label.dash) == (frame, dash))


def rectangle(rect: ET.Element) -> Box:
    left, top = float(rect.get("x", 0)), float(rect.get("y", 0))
    return Box(left, top, left + float(rect.get("width")), top + float(rect.get("height")))


def is_body(box: Box) -> bool:
    """Tell the input, the output and the neurons from the low boxes of texts and from the ground."""
    return 40 < box.bottom - box.top < 100


def read_labels(root: ET.Element) -> list[Label]:
    """Return every text, with the box drawn just before it if that is the text's own."""
    labels = []
    for order, (before, element) in enumerate(pairwise(root), start=1):
        if element.tag != SVG + "text":
            continue
        assert element.get("text-anchor") == "middle"
        x, y, half = float(element.get("x")), float(element.get("y")), CHARACTER * len(element.text) / 2
        box, own = Box(x - half, y - ABOVE, x + half, y + BELOW), {}
        if before.tag == SVG + "rect" and before.get("rx") and not is_body(rectangle(before)):
            box, own = rectangle(before), before
        look = own.get("fill", "none"), own.get("stroke", "none"), own.get("stroke-dasharray", "")
        labels.append(Label(element.text, x, y, element.get("fill"), *look, box, order))
    return labels


def state(phase: str = "clean", biases: str = "none", numbers: str = "fractions", **changes: str) -> State:
    return compute({**START, "phase": phase, "biases": biases, "numbers": numbers, **changes})


def picture(line: int, **choices: str) -> Picture:
    return Picture(diagram(state(**choices), line))


def start(params: Params = ARTICLE) -> dict[str, Any]:
    """Return what is known before the first line: the parameters."""
    return {name: as_array(getattr(params, name), name, exact=True) for name in PARAMETERS}


# what it says


def test_a_diagram_is_well_formed_and_named_for_those_who_do_not_see_it():
    root = picture(1).root
    assert root.get("role") == "img"
    assert root.findtext(SVG + "title") == "A network with one input, 2 hidden neurons and one output"
    assert root.findtext(SVG + "desc").startswith("Clean step, line 1 of 23. Sample 1 (x = 1): into the hidden layer.")


NEURON_1, NEURON_2 = ["neuron 1", "b1 = 0"], ["neuron 2", "b1 = 0"]


@pytest.mark.parametrize(
    ("phase", "line", "expected"),
    [
        (
            "clean",
            5,
            {
                "input": ["x = 2"],
                "incoming": ["W1 = 1/2", "W1 = −1/2"],
                "hidden": [*NEURON_1, "z1 = 1", "▶ a1 = 1", *NEURON_2, "z1 = −1", "▶ a1 = 0"],
                "outgoing": ["W2 = 1", "W2 = −1"],
                "output": ["b2 = 0", "y_hat = ?", "y = 2"],
            },
        ),
        (
            "clean",
            13,
            {
                "input": ["x = 1"],
                "incoming": ["W1 = 1/2", "▶ dL/dW1 = −1/2", "W1 = −1/2", "▶ dL/dW1 = 0"],
                "hidden": [
                    *(*NEURON_1, "z1 = 1/2", "da1/dz1 = 1", "a1 = 1/2", "dL/da1 = −1/2", "dL/dz1 = −1/2"),
                    *(*NEURON_2, "z1 = −1/2", "✕ da1/dz1 = 0", "a1 = 0", "dL/da1 = 1/2", "dL/dz1 = 0"),
                ],
                "outgoing": ["W2 = 1", "dL/dW2 = −1/4", "W2 = −1", "dL/dW2 = 0"],
                "output": ["b2 = 0", "y_hat = 1/2", "y = 1", "dL/dy_hat = −1/2", "L = 5/8"],
            },
        ),
        (
            "clean",
            23,
            {
                "incoming": ["W1 = 3/4", "dL/dW1 = −5/2", "W1 = −1/2", "dL/dW1 = 0"],
                "outgoing": ["▶ W2 = 9/8", "dL/dW2 = −5/4", "▶ W2 = −1", "dL/dW2 = 0"],
            },
        ),
        (
            "trigger",
            10,
            {
                "input": ["✕ x = 0"],
                "incoming": ["W1 = 3/4", "▶ dL/dW1 = 0", "W1 = −1/2", "▶ dL/dW1 = 0"],
                "hidden": [
                    *(*NEURON_1, "z1 = 0", "✕ da1/dz1 = 0", "a1 = 0", "dL/da1 = −45/8", "dL/dz1 = 0"),
                    *(*NEURON_2, "z1 = 0", "✕ da1/dz1 = 0", "a1 = 0", "dL/da1 = 5", "dL/dz1 = 0"),
                ],
                "outgoing": ["W2 = 9/8", "dL/dW2 = 0", "W2 = −1", "dL/dW2 = 0"],
                "output": ["b2 = 0", "y_hat = 0", "y = 5", "dL/dy_hat = −5", "L = 25/2"],
            },
        ),
    ],
)
def test_every_value_stands_at_its_place(phase, line, expected):
    shown = picture(line, phase=phase)
    assert {place: shown.column(place) for place in expected} == expected


def test_trained_biases_show_their_gradients():
    shown = picture(16, phase="trigger", biases="both")
    assert [text for text in shown.column("hidden") if "b1" in text] == [
        *("b1 = 0.67664", "dL/db1 = −5.2664"),
        *("b1 = 0", "dL/db1 = 0"),
    ]
    assert shown.column("output")[0] == "▶ b2 = 989/1600"
    assert "dL/db2 = −749/160" in shown.column("output")


def test_what_the_forward_pass_has_not_reached_is_a_question_mark_and_unknown_gradients_are_not_there():
    shown = Picture(network_diagram(start()))
    assert shown.column("input") == ["x = ?"]
    assert shown.column("hidden") == [*NEURON_1, "z1 = ?", "a1 = ?", *NEURON_2, "z1 = ?", "a1 = ?"]
    assert shown.column("output") == ["b2 = 0", "y_hat = ?", "y = ?"]
    assert not [label for label in shown.labels if "dL" in label.text]


def test_decimals_are_shown_when_asked_for():
    assert picture(23, numbers="decimals").column("outgoing")[0] == "▶ W2 = 1.125"


def test_long_numbers_are_shortened():
    shown = Picture(network_diagram(start(Params([[1 / 7, -123456789 / 1000]], [[0, 0]], [[123456789], [-1]], [[0]]))))
    assert shown.column("incoming") == ["W1 = 0.14286", "W1 = −1.2346e5"]
    assert shown.column("outgoing") == ["W2 = 1.2346e8", "W2 = −1"]


def test_hostile_text_is_shown_and_not_run():
    hostile = '</desc><script>alert("1")</script>&'
    root = Picture(network_diagram(start(), description=hostile)).root
    assert root.findtext(SVG + "desc") == hostile
    assert not list(root.iter(SVG + "script"))


@pytest.mark.parametrize("n_hidden", WIDTHS)
def test_any_number_of_hidden_neurons_is_drawn(n_hidden):
    shown = picture(3, **WIDTHS[n_hidden])
    assert [text for text in shown.column("hidden") if "neuron" in text] == [f"neuron {i + 1}" for i in range(n_hidden)]
    assert len(shown.column("incoming")) == len(shown.column("outgoing")) == n_hidden


@pytest.mark.parametrize(
    "params",
    [
        Params([[1, 1], [1, 1]], [[0, 0]], [[1], [1]], [[0]]),
        Params([[1, 1]], [[0, 0]], [[1, 1], [1, 1]], [[0, 0]]),
    ],
    ids=["two inputs", "two outputs"],
)
def test_a_net_that_it_cannot_draw_is_refused(params):
    with pytest.raises(ValueError, match="one input and one output"):
        network_diagram(start(params))


# how it is marked


@pytest.mark.parametrize(
    ("phase", "line", "now", "used", "zero"),
    [
        ("clean", 1, ["▶ z1 = 1/2", "▶ z1 = −1/2"], ["W1 = 1/2", "W1 = −1/2", "b1 = 0", "b1 = 0", "x = 1"], []),
        ("clean", 7, ["▶ L = 5/8"], [], []),
        ("clean", 9, ["▶ dL/dW2 = 0", "▶ dL/dW2 = −1/4"], ["a1 = 1/2", "dL/dy_hat = −1/2"], ["✕ a1 = 0"]),
        ("clean", 22, ["▶ W1 = 3/4", "▶ W1 = −1/2"], ["dL/dW1 = 0", "dL/dW1 = −5/2"], []),
        ("trigger", 6, ["▶ dL/dW2 = 0"] * 2, ["dL/dy_hat = −5"], ["✕ a1 = 0"] * 2),
        ("trigger", 10, ["▶ dL/dW1 = 0"] * 2, ["dL/dz1 = 0"] * 2, ["✕ da1/dz1 = 0", "✕ da1/dz1 = 0", "✕ x = 0"]),
    ],
)
def test_what_is_computed_is_filled_what_it_uses_framed_and_zero_factors_crossed_out(phase, line, now, used, zero):
    shown = picture(line, phase=phase)
    marks = {style: [text for text in shown.marked(style) if "?" not in text] for style in ("now", "used", "zero")}
    assert marks == {"now": sorted(now), "used": sorted(used), "zero": sorted(zero)}


def test_the_legend_shows_each_mark_as_the_diagram_draws_it():
    signs, frames = ("▶ ", "", "✕ "), [STYLES[style][1] for style in ("now", "used", "zero")]
    legend = picture(1).legend
    assert [label.text for label in legend] == [
        sign + text for sign, text in zip(signs, words.DIAGRAM_LEGEND, strict=True)
    ]
    assert [label.frame for label in legend] == frames
    assert len(set(frames)) == 3


def test_without_a_current_line_the_legend_keeps_to_the_mark_that_can_occur():
    known = {name: getattr(ARTICLE, name) for name in ("W1", "b1", "W2", "b2")}
    assert [label.text for label in Picture(network_diagram(known)).legend] == ["✕ " + words.DIAGRAM_LEGEND[2]]


def contrast(colour: str, ground: str) -> float:
    """Return WCAG's contrast ratio of two colours written as #rrggbb."""
    bright, dim = sorted(map(luminance, (colour, ground)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_contrast_formula_gives_the_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("ground", [WHITE, DARK])
def test_marks_are_easy_to_see_on_both_themes(ground):
    fill, _, _, _, text, _ = STYLES["now"]
    assert contrast(text, fill) >= 4.5
    frames = [style[1] for style in STYLES.values() if style[1].startswith("#")]
    assert len(frames) == 2
    assert all(contrast(frame, ground) >= 3 for frame in frames)


def test_on_paper_everything_is_black_on_an_opaque_white_ground():
    root = ET.fromstring(diagram(state(), 1, on_paper=True))
    ground = next(element for element in root if element.tag not in (SVG + "title", SVG + "desc"))
    assert rectangle(ground) == Box(*map(float, root.get("viewBox").split()))
    assert ground.get("fill") == WHITE
    assert {text.get("fill") for text in root.iter(SVG + "text")} == {"#000000", WHITE}
    svg = ET.tostring(root, encoding="unicode")
    assert [name for name in ("currentColor", "var(", "transparent") if name in svg] == []


def test_in_a_notebook_the_text_takes_the_colour_of_the_page():
    root = picture(1).root
    assert "color" not in root.get("style")
    assert {text.get("fill") for text in root.iter(SVG + "text")} == {"currentColor", WHITE}


# where it is


def every_picture(n_hidden: int, numbers: str) -> list[tuple[str, Picture]]:
    """Return every line of both steps, with all biases trained, which shows the most."""
    assert "both" in TRAINED
    states = [state(phase, "both", numbers, **WIDTHS[n_hidden]) for phase in ("clean", "trigger")]
    return [
        (f"{each.phase} line {line + 1}", Picture(diagram(each, line + 1)))
        for each in states
        for line in range(len(each.derivation.steps))
    ]


every_width = pytest.mark.parametrize("n_hidden", WIDTHS)
every_number_style = pytest.mark.parametrize("numbers", ["fractions", "decimals"])


def test_overlaps_would_be_seen():
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 20, 20))
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 20, 10))
    assert not Box(0, 0, 10, 10).meets(Box(0, 10, 10, 20))


@every_width
@every_number_style
def test_no_two_texts_overlap(n_hidden, numbers):
    for where, shown in every_picture(n_hidden, numbers):
        pairs = combinations([*shown.labels, *shown.legend], 2)
        assert [(where, a.text, b.text) for a, b in pairs if a.box.meets(b.box)] == []


@every_width
@every_number_style
def test_nothing_is_cut_off_at_the_edge_of_the_picture(n_hidden, numbers):
    for where, shown in every_picture(n_hidden, numbers):
        labels = [*shown.labels, *shown.legend]
        assert [(where, label.text, label.box) for label in labels if not shown.frame.holds(label.box)] == []


def crosses(line: ET.Element, box: Box, steps: int = 400) -> bool:
    (x1, y1), (x2, y2) = [(float(line.get(f"x{end}")), float(line.get(f"y{end}"))) for end in (1, 2)]
    points = [(x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps) for i in range(steps + 1)]
    return any(box.left < x < box.right and box.top < y < box.bottom for x, y in points)


@every_width
@every_number_style
def test_no_line_runs_through_a_text(n_hidden, numbers):
    for where, shown in every_picture(n_hidden, numbers):
        edges = [(order, element) for order, element in enumerate(shown.root) if element.tag == SVG + "line"]
        assert len(edges) == 2 * n_hidden
        for label in shown.labels:
            assert all(label.box.meets(body) <= body.holds(label.box) for body in shown.bodies), (where, label.text)
            above = [edge for order, edge in edges if order > label.order or label.fill == "none"]
            assert not any(crosses(edge, label.box) for edge in above), (where, label.text)
