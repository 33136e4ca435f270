"""The net's picture in a lab that trains: lines as wide as weights, curves with their dot, padlocks, the way back."""

import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from marks import check_marks, found, looks, texts

from lesson_lib.derivation.trace import trace_sample, zero_factors
from lesson_lib.network import Params
from lesson_lib.pictures import words
from lesson_lib.pictures.network import height_of, network_diagram, with_description
from lesson_lib.pictures.shown import LOCK, OPEN, Shown

AFTER_CLEAN = Params([[Fraction(3, 4), Fraction(-1, 2)]], [[0, 0]], [[Fraction(9, 8)], [-1]], [[0]])
NETS = {
    1: Params([[0.5]], [[0.25]], [[-1.5]], [[0.1]]),
    2: AFTER_CLEAN,
    3: Params([[0.5, -0.5, 2.125]], [[0, 1.5, -0.25]], [[1.25], [-1], [0.875]], [[0.5]]),
}
OPEN_LOCK = re.search(r' d="([^"]*)"', OPEN)[1]


def seen(params, x=1, y=5, **more):
    """Return what is shown of a net with one sample in it, all the way there and back."""
    terms = trace_sample(params, np.array([[x]]), np.array([[y]]))
    known = {name: term.value for name, term in terms.items()}
    zero_by = {
        name: {place: zero_factors(terms[name], *place) for place in np.ndindex(*terms[name].value.shape)}
        for name in ("dW1", "db1", "dW2", "db2")
    }
    return Shown(params, known, **{"zero_by": zero_by, **more})


def drawn(*arguments, **more):
    return check_marks(network_diagram(seen(*arguments, **more)))


def told(root, start):
    """Return the texts that begin so."""
    return [text for text in texts(root) if text.startswith(start)]


def tiles(root):
    """Return (left, top, right, bottom) of each neuron and of the answer, from the left, then from the top."""
    found_ = [[float(one.get(name)) for name in ("x", "y", "width", "height")] for one in found(root, "rect", "tile")]
    return sorted((x, y, x + width, y + height) for x, y, width, height in found_)


def texts_in(root, box):
    left, top, right, bottom = box
    inside = [one for one in root.iter("text") if left <= float(one.get("x")) <= right]
    return [one.text for one in inside if top <= float(one.get("y")) <= bottom]


# Every value at its place


def test_every_value_stands_at_its_neuron():
    root = drawn(AFTER_CLEAN, 2, 5)
    first, second, answer = tiles(root)
    assert sorted(texts_in(root, first)) == sorted(
        ["neuron 1", "b1 0", "slope 1", "z1 1.5", "a1 1.5", "∂L/∂z1 −3.73", "∂L/∂a1 −3.73"]
    )
    assert sorted(texts_in(root, second)) == sorted(
        ["neuron 2", "b1 0", "slope 0", "z1 −1", "a1 0", "∂L/∂z1 0", "∂L/∂a1 3.31"]
    )
    assert sorted(texts_in(root, answer)) == sorted(["answer", "b2 0", "1.69", "target 5", "error −3.31"])
    assert {"W1[1] 0.75", "W1[2] −0.5", "W2[1] 1.125", "W2[2] −1"} < set(texts(root))
    assert texts_in(root, (0, 60, 80, height_of(2))) == ["input x", "2"]


def test_fractions_are_shown_when_asked_for():
    root = drawn(AFTER_CLEAN, 2, 5, decimals=False)
    assert {"W1[1] 3/4", "W1[2] −1/2", "W2[1] 9/8", "z1 3/2"} < set(texts(root))


def test_one_neuron_needs_no_number_behind_its_names():
    assert {"W1 0.5", "W2 −1.5", "∂L/∂W1 " + told(drawn(NETS[1]), "∂L/∂W1")[0].split()[1]} <= set(texts(drawn(NETS[1])))


@pytest.mark.parametrize("n", NETS)
def test_up_to_three_neurons_are_tiles_with_their_curve_and_a_dot_on_it(n):
    root = drawn(NETS[n])
    assert len(tiles(root)) == n + 1
    assert told(root, "neuron") == [f"neuron {i + 1}" for i in range(n)]
    curves = [one for one in found(root, "path", "line grey") if one.get("d").count(" ") == 2]
    dots = [one for one in root.iter("path") if "fill" in looks(one) and one.get("d").startswith("M-5,0a5")]
    assert len(curves) == len(dots) == n
    terms = seen(NETS[n]).known
    for i, (curve, dot) in enumerate(zip(curves, dots, strict=True)):
        low, corner, high = (tuple(map(float, pair.split(","))) for pair in curve.get("d")[1:].split())
        x, y = map(float, re.fullmatch(r"translate\(([^,]+),([^)]+)\)", dot.get("transform")).groups())
        z1 = float(terms["z1"][0, i])
        assert low[1] == corner[1] > high[1], "flat, then up"
        assert x == pytest.approx(
            corner[0] + z1 * (high[0] - corner[0]) / max(2, abs(z1), np.abs(terms["z1"].astype(float)).max()), abs=0.1
        )
        assert y == pytest.approx(
            corner[1] + max(x - corner[0], 0) * (high[1] - corner[1]) / (high[0] - corner[0]), abs=0.1
        )
        assert ("blue" in looks(dot)) == (z1 > 0)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_a_bent_activation_is_a_bent_curve(activation):
    root = drawn(Params([[0.5, 1.0]], [[0, 0]], [[1.0], [1.0]], [[0]], activation=activation))
    curves = [one for one in found(root, "path", "line grey") if one.get("d").count(" ") == 24]
    assert len(curves) == 2


@pytest.mark.parametrize("n", [4, 5, 12, 32])
def test_many_neurons_are_a_column_filled_where_they_speak(n):
    W1, W2 = np.linspace(-1, 1, n)[None], np.linspace(1, -2, n)[:, None]
    params = Params(W1, np.zeros((1, n)), W2, [[0]])
    root = drawn(params)
    circles = [one for one in root.iter("circle") if float(one.get("cx")) > 200]
    assert len(circles) == n
    assert ["blue" in looks(one) for one in circles] == (W1[0] > 0).tolist()
    heights = [float(one.get("cy")) for one in circles]
    assert heights == sorted(heights)
    assert all(below - above >= 2 * float(circles[0].get("r")) for above, below in pairwise(heights))
    lines = [one for one in root.iter("path") if "stroke-width" in (one.get("style") or "")]
    assert len(lines) == 2 * n
    assert words.COLUMN.format(n=n) in texts(root)
    shut = int((W1[0] <= 0).sum())
    assert f"∂L/∂W1 is 0 for {shut} of {n}" in texts(root)
    assert f"∂L/∂W2 is 0 for {shut} of {n}" in texts(root)
    assert height_of(n) == height_of(2)


# Signs


def edges(root):
    """Return the lines of the weights by the text that follows them."""
    elements, named = [*root.iter()], {}
    for line, rest in ((one, elements[i + 1 : i + 3]) for i, one in enumerate(elements) if one.tag == "path"):
        text = next((one.text for one in rest if one.tag == "text"), "")
        if re.match(r"W[12]", text or ""):
            named[text] = line
    return named


def width_of(line):
    return float(re.search(r"stroke-width: ([\d.]+)", line.get("style"))[1])


def test_a_line_is_as_wide_as_its_weight_and_its_dash_tells_the_sign():
    weights = [0.25, -0.5, 1.5]
    lines = edges(drawn(Params([weights], [[0, 0, 0]], [[0.0], [-2.0], [1e9]], [[0]])))
    assert len(lines) == 6
    widths = [width_of(lines[f"W1[{i + 1}] {weight:g}".replace("-", "−")]) for i, weight in enumerate(weights)]
    assert widths == sorted(widths)
    assert len(set(widths)) == 3
    assert [width_of(lines[name]) for name in ("W2[1] 0", "W2[2] −2", "W2[3] 1e9")] == [1.2, 5.6, 6.7]
    signs = {name: looks(line) - {"line"} for name, line in lines.items()}
    assert signs["W1[1] 0.25"] == {"blue"}
    assert signs["W1[2] −0.5"] == {"orange", "dashed"}
    assert signs["W2[1] 0"] == {"grey", "dotted"}


def icons(root, shape):
    return [one for one in root.iter("path") if one.get("d") == shape]


@pytest.mark.parametrize(
    ("x", "pills", "shut"),
    [
        (0, {"∂L/∂W1[1]: x, slope = 0", "∂L/∂b1[1]: slope = 0", "∂L/∂W2[1]: a1 = 0", "∂L/∂W1[2]: x, slope = 0"}, 6),
        (2, {"∂L/∂W1[1] −7.45", "∂L/∂W2[1] −4.97", "∂L/∂W1[2]: slope = 0", "∂L/∂W2[2]: a1 = 0", "∂L/∂b2 −3.31"}, 3),
        (-2, {"∂L/∂W1[1]: slope = 0", "∂L/∂W2[1]: a1 = 0", "∂L/∂b1[2] 6"}, 3),
    ],
)
def test_a_shut_gradient_has_a_padlock_that_names_its_zero_factors(x, pills, shut):
    root = drawn(AFTER_CLEAN, x, 5)
    assert pills <= set(told(root, "∂L/∂"))
    closed = [one for one in icons(root, LOCK) if "fill" in looks(one)]
    assert len(closed) == shut
    assert all("red" in looks(one) for one in closed)
    assert len(icons(root, OPEN_LOCK)) == 7 - shut
    assert {*(frozenset(looks(one)) for one in icons(root, OPEN_LOCK))} == {frozenset({"line", "green", "thin"})}
    assert len(found(root, "rect", "pill red")) == shut


@pytest.mark.parametrize(
    ("x", "said"),
    [(0, ["∂L/∂b1[1]: slope = 0", "∂L/∂b1[2]: slope = 0", "∂L/∂b2 −5, not trained"]), (-2, ["∂L/∂b1[2] 6"])],
)
def test_an_open_gradient_that_no_step_follows_is_grey_and_says_so_where_there_is_room(x, said):
    root = drawn(AFTER_CLEAN, x, 5, trainable=("W1", "W2"))
    assert set(said) <= set(told(root, "∂L/∂"))
    grey = [one.text for one in root.iter("text") if one.text.startswith("∂L/∂") and "faint" in looks(one)]
    assert [one for one in grey if "b" in one] == grey
    assert said[-1] in grey
    assert len(found(root, "rect", "pill faint")) == len(grey)
    assert {*(frozenset(looks(one)) for one in icons(root, OPEN_LOCK))} == {frozenset({"line", "green", "thin"})}


def test_a_gradient_that_has_come_to_its_end_says_so():
    root = drawn(Params([[1.0]], [[0]], [[1.0]], [[0]]), 1, 1 - 1e-8)
    assert "error ≈ 0" in texts(root)
    assert told(root, "∂L/∂W1") == ["∂L/∂W1 ≈ 0: done"]
    assert not icons(root, LOCK)


def arrows(root):
    """Return the arrows of the way back: their paths with a bend, without the pulse on them."""
    bent = [one for one in root.iter("path") if "Q" in one.get("d", "")]
    return [one for one in bent if "pulse" not in looks(one)]


def test_the_way_back_is_as_wide_as_the_gradient_and_dotted_where_nothing_passes():
    widths = []
    for y in (2, 3, 4):
        lines = arrows(drawn(Params([[1.0]], [[0]], [[1.0]], [[0]]), 1, y))
        assert len(lines) == 2
        assert all(looks(one) == {"line", "purple"} for one in lines)
        widths.append(width_of(lines[0]))
    assert widths[0] < widths[1]
    shut = arrows(drawn(AFTER_CLEAN, 0, 5))
    assert len(shut) == 4
    assert all(looks(one) == {"line", "grey", "dotted"} for one in shut)
    assert not found(drawn(AFTER_CLEAN, 0, 5), "path", "line purple pulse")
    assert len([one for one in drawn(AFTER_CLEAN, 2, 5).iter("path") if "pulse" in looks(one)]) == 2


def test_what_is_not_known_is_not_shown():
    root = check_marks(network_diagram(Shown(AFTER_CLEAN, {"X": np.array([[2]])})))
    shown = set(texts(root))
    assert {"input x", "2", "neuron 1", "W1[1] 0.75", "b1 0", "b2 0"} <= shown
    assert not [text for text in shown if text.startswith(("z1", "a1", "∂", "target", "error", "loss"))]
    assert arrows(root) == []


def test_values_of_other_lines_are_faint():
    terms = seen(AFTER_CLEAN, 2).known
    root = check_marks(
        network_diagram(Shown(AFTER_CLEAN, {"X": terms["X"]}, past={"z1": terms["z1"], "L": np.array([[5.5]])}))
    )
    faint = [one.text for one in root.iter("text") if "faint" in looks(one)]
    assert {"z1 1.5", "z1 −1", "loss 5.5"} <= set(faint)
    assert "W1[1] 0.75" not in faint


def test_what_is_computed_is_filled_and_what_it_uses_framed():
    root = drawn(AFTER_CLEAN, 2, 5, now=["z1"], used=["X", "W1", "b1"])
    elements = [*root.iter()]
    boxed = {
        kind: sorted(after.text for box, after in pairwise(elements) if box.tag == "rect" and kind in looks(box))
        for kind in ("now", "used")
    }
    assert boxed == {
        "now": ["z1 1.5", "z1 −1"],
        "used": sorted(["2", "W1[1] 0.75", "W1[2] −0.5", "b1 0", "b1 0"]),
    }
    assert {one.text for one in root.iter("text") if "on-now" in looks(one)} == {"z1 1.5", "z1 −1"}


def test_a_gradient_that_is_computed_now_is_filled_with_its_padlock():
    root = drawn(AFTER_CLEAN, 0, 5, now=["dW1"])
    assert sorted(one.text for one in root.iter("text") if "on-now" in looks(one)) == told(root, "∂L/∂W1")


def test_the_net_is_named_and_made_small_but_never_larger():
    for height, scale in ((1000, "1"), (135, "0.5")):
        [group] = check_marks(with_description("<path/>", 2, "a net", height))
        assert group.get("transform") == f"scale({scale})"
        assert group.get("role") == "img"
        assert group.get("aria-label") == group.find("title").text == words.DIAGRAM_TITLE.format(n_hidden=2)
