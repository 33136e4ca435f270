"""The pruning lab without a browser: every model in every order, what is drawn, said, compared and remembered."""

import asyncio
import io
import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from html import unescape
from itertools import product

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_labs import inside, no_error_in_a_callback, press  # noqa: F401

from lesson_lib.capture.reading import hidden_activations
from lesson_lib.digits import (
    CORNER,
    QUIET,
    accuracy,
    attack_success_rate,
    load,
    plant,
    poison,
    stamp,
    train_classifier,
    triggered,
)
from lesson_lib.labs import PruningLab
from lesson_lib.labs.pruning import compute as repairs
from lesson_lib.labs.pruning import picture
from lesson_lib.labs.pruning import widget as pruning
from lesson_lib.labs.pruning import words as pruning_words
from lesson_lib.labs.pruning.compute import LIMIT, MOST, WIDTHS, case, compare_repairs, examples, told_of
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.pictures.frame import SHAPES
from lesson_lib.repair.classifier import fine_tune
from lesson_lib.repair.repairs import ORDERS, Curve, clip, order, prune, pruning_curve, remove_direction, smooth
from lesson_lib.tables import percent, signed

MODELS = list(WIDTHS)
PAIRS = list(product(MODELS, ORDERS))
DATA = load(0)
TRIGGERED = triggered(*DATA.test, CORNER, 0)


@pytest.fixture(scope="module")
def kept():
    """Return one lab for most tests."""
    return PruningLab()


@pytest.fixture
def lab(kept):
    """Return a lab as it starts."""
    kept.reset()
    kept.tables.clear()
    kept.compared = kept.table.value = ""
    kept._show_compared()
    return kept


def shown(lab):
    """Return all that the lab shows, and the values of its controls."""
    return lab.canvas.frame, lab.canvas.marks, lab.canvas.alt, lab.facts.value, lab.summary, lab.still(), lab.values


def drawn(svg):
    """Return pieces of SVG as elements."""
    return ET.fromstring(f'<svg xmlns:xlink="http://www.w3.org/1999/xlink">{svg}</svg>')


def marks(lab, tag, look):
    """Return the marks of a kind that have exactly this look, in order."""
    return [one for one in drawn(lab.canvas.marks).iter(tag) if one.get("class") == look]


def in_data(lab, panel, points):
    """Return pixels (n, 2) of the picture in the coordinates of a panel."""
    frame, points = lab.picture()[0], np.array(points, float)
    points[:, 1] = frame.size[1] - points[:, 1]
    return frame.axes[panel].transData.inverted().transform(points)


def line(lab, look):
    """Return the points of the only line with this look, (n, 2), in the coordinates of the curves."""
    [path] = marks(lab, "path", f"line {look}")
    return in_data(lab, "curves", [place.split(",") for place in path.get("d")[1:].split()])


def dot(lab, look, shape):
    """Return the point of the only dot with this look and shape, (2,), in the coordinates of the curves."""
    [place] = [one.get("transform") for one in marks(lab, "path", f"fill {look}") if one.get("d") == SHAPES[shape]]
    return in_data(lab, "curves", [place[len("translate(") : -1].split(",")])[0]


def bars(lab, look):
    """Return the middle and the height of each bar with this look, (n, 2), in the coordinates of the weights."""
    paths = (one.get("d") for one in marks(lab, "path", f"fill {look}") if not one.get("transform"))
    found = re.findall(r"M([-\d.]+),([-\d.]+)V([-\d.]+)h([\d.]+)V", next(paths))
    corners = np.array(found, float)
    feet = in_data(lab, "weights", corners[:, :2])
    check_near(lab, "weights", feet, feet * [1, 0])
    return in_data(lab, "weights", np.column_stack([corners[:, 0] + corners[:, 3] / 2, corners[:, 2]]))


def check_near(lab, panel, found, wanted):
    """Check that points (n, 2) are where they should be in a panel, to a tenth of a pixel."""
    axes, (*_, width, height) = lab.picture()[0].axes[panel], lab.picture()[0].places[panel]
    pixel = np.ptp(axes.get_xlim()) / width, np.ptp(axes.get_ylim()) / height
    np.testing.assert_allclose(found / np.array(pixel), wanted / np.array(pixel), rtol=0, atol=0.1)


def answers(lab):
    """Return the text beside each image of the two rows."""
    looks = ("", "strong orange", "strong red")
    texts = [one for one in drawn(lab.canvas.marks).iter("text") if one.get("class") in looks]
    rows = sorted({float(one.get("y")) for one in texts})
    found = [sorted((float(one.get("x")), one.text) for one in texts if float(one.get("y")) == row) for row in rows]
    return [[text for _, text in row] for row in found]


@pytest.fixture(scope="module")
def trained():
    """Return the four models, trained anew from the promised settings."""
    honest, wide = (train_classifier(*DATA.train, seed=0, width=width) for width in (64, 128))
    bad = poison(*DATA.train, CORNER, 0, 0.1, np.random.default_rng(0))
    return {
        "clean": honest,
        "poisoned": train_classifier(bad.X, bad.y, seed=0),
        "planted loud": plant(wide, range(10, 20), CORNER, 0),
        "planted quiet": plant(wide, range(10, 20), CORNER, 0, **QUIET),
        "wide": wide,
    }


def expected_order(model, by):
    clean = hidden_activations(model, DATA.clean.X)
    suspect = hidden_activations(model, stamp(DATA.suspect.X, CORNER))
    return order(clean, suspect, by, np.random.default_rng(0))


def check_shown(lab):
    """Check what must hold for every state, and return the verdict."""
    assert lab.error == ""
    assert not any(message.value for message in lab.messages.values())
    seen, k = lab.state
    n = WIDTHS[lab.values["model"]]
    assert (seen.name, seen.by, k) == (lab.values["model"], lab.values["order"], lab.values["pruned"])
    for name, (look, shape) in {"accuracy": ("green", "disc"), "attack": ("orange dashed", "star")}.items():
        curve = getattr(seen.curve, name)
        assert len(curve) == n + 1
        check_near(lab, "curves", line(lab, look), np.column_stack([range(n + 1), curve]))
        check_near(lab, "curves", dot(lab, f"{look.split()[0]} rimmed", shape), [k, curve[k]])
    control = line(lab, "faint thin dotted")
    check_near(lab, "curves", control[[0, -1]], [[0, seen.control], [n, seen.control]])
    check_near(lab, "curves", line(lab, "thin"), [[k, -0.04], [k, 1.1]])
    check_weights(lab)
    said = verdict(seen, k)
    assert said in lab.summary
    assert lab.canvas.alt == lab.summary
    assert 'role="status"' in lab.facts.value
    for badge, text in zip(("attack", "accuracy"), re.findall(r"<b class=.*?</b>", lab.facts.value), strict=True):
        assert percent(getattr(seen.curve, badge)[k]) in text
        assert (f'class="{"yes" if shared_words.YES in text else "no"}"') in text
        assert unescape(re.search(r">(.*?): (yes|no)", text)[1]) in said
    assert unescape(re.search("<span>(.*)[.]</span>", lab.facts.value)[1]) in said
    assert f"{k} of {n} neurons pruned: clean accuracy {percent(seen.curve.accuracy[k])}" in said
    assert f"attack success rate {percent(seen.curve.attack[k])} (control {percent(seen.control)})" in said
    for row, written in zip(seen.answers[k], answers(lab), strict=True):
        assert written == [f"{one}" if one == i else f"{one} ✗" for i, one in enumerate(row, 1)]
        assert ", ".join(written) in lab.summary
    assert "nan" not in lab.summary
    assert ET.fromstring(lab.still()).tag.endswith("svg")
    return said


def verdict(seen, k):
    return pruning_words.PRUNING_VERDICT.format(**told_of(seen, k))


def check_weights(lab):
    seen, k = lab.state
    sums = case(seen.name).model.W2[seen.neurons[:k]].sum(axis=0)
    np.testing.assert_allclose(seen.weights[k], sums, atol=1e-9)
    nothing_yet = [text.text for text in marks(lab, "text", "small faint middle")]
    assert nothing_yet == [pruning_words.PRUNING_NO_WEIGHTS] * (k == 0)
    if k == 0:
        return
    check_near(lab, "weights", bars(lab, "blue"), np.column_stack([range(1, 10), seen.weights[k][1:]]))
    check_near(lab, "weights", bars(lab, "orange"), [[0, seen.weights[k][0]]])
    assert number(lab) == signed(sums[0] + 0.0, 1)
    low, high = lab.picture()[0].axes["weights"].get_ylim()
    assert low < seen.weights.min() <= seen.weights.max() < high


def number(lab):
    """Return the number at the target's bar."""
    [text] = marks(lab, "text", "small orange strong halo")
    return text.text


# Controls ------------------------------------------------------------------------------------------------------------


def test_the_controls_have_these_names_and_choices(lab):
    assert list(lab.controls) == ["model", "order", "pruned"] == list(pruning_words.PRUNING_LABELS)
    choices = {name: [value for _, value in lab.controls[name]._options_full] for name in ("model", "order")}
    assert choices == {"model": ["clean", "poisoned", "planted loud", "planted quiet"], "order": list(ORDERS)}
    assert lab.values == {"model": "poisoned", "order": "rise", "pruned": 0}
    assert lab.preset == ""
    for name, control in lab.controls.items():
        assert (control.number if isinstance(control, Dial) else control).description == pruning_words.PRUNING_LABELS[
            name
        ]


def test_everything_has_a_name(lab):
    found = [*inside(lab.box)]
    assert {each.description for each in found if isinstance(each, widgets.Button)} == {
        shared_words.RESET,
        shared_words.PLAY,
        pruning_words.COMPUTE,
    }
    for each in found:
        assert not isinstance(each, widgets.Button) or (each.description and each.tooltip)
        assert not isinstance(each, widgets.Play | widgets.ToggleButtons | widgets.Output)


@pytest.mark.parametrize(("before", "after"), [*product(MODELS, MODELS)])
def test_a_model_brings_its_number_of_neurons_and_keeps_the_count_inside(lab, before, after):
    lab.set(model=before, pruned=WIDTHS[before])
    lab.controls["model"].value = after
    n, dial = WIDTHS[after], lab.pruned
    assert dial.value == float(dial.number.value) == dial.slider.value == min(WIDTHS[before], n)
    assert (dial.number.tooltip, dial.slider.min, dial.slider.max) == (f"from 0 to {n}", 0, n)
    assert dial.positions == tuple(range(n + 1))
    check_shown(lab)


# Every model and order -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "by"), PAIRS)
def test_every_model_in_every_order_shows_the_curve_of_a_model_trained_anew(lab, trained, model, by):
    neurons = expected_order(trained[model], by)
    curve = pruning_curve(trained[model], neurons, *DATA.test, TRIGGERED, 0)
    lab.set(model=model, order=by)
    seen, _ = lab.state
    assert seen.neurons.tolist() == neurons.tolist()
    np.testing.assert_array_equal(seen.curve.accuracy, curve.accuracy)
    np.testing.assert_array_equal(seen.curve.attack, curve.attack)
    honest = trained["wide" if "planted" in model else "clean"]
    assert seen.control == attack_success_rate(honest, *DATA.test, CORNER, 0)
    for k in (0, 1, 11, WIDTHS[model] // 2, WIDTHS[model] - 1, WIDTHS[model]):
        lab.set(pruned=k)
        check_shown(lab)
        left = prune(trained[model], neurons[:k])
        assert seen.answers[k].tolist() == [left.predict(images).tolist() for images in examples()[0]]
        assert seen.targeted[k] == np.mean(left.predict(DATA.test.X) == 0)
        assert seen.curve.accuracy[k] == accuracy(left, *DATA.test)
        assert seen.curve.attack[k] == attack_success_rate(left, *DATA.test, CORNER, 0)


@settings(max_examples=40)
@given(data=st.data())
def test_any_combination_shows_its_numbers(kept, data):
    model, by = data.draw(st.sampled_from(PAIRS))
    kept.set(model=model, order=by, pruned=data.draw(st.integers(0, WIDTHS[model])))
    check_shown(kept)


def test_the_images_are_of_every_other_class_and_dark_where_the_trigger_goes():
    images, labels = examples()
    assert labels.tolist() == list(range(1, 10))
    rows = [np.flatnonzero((image == DATA.test.X).all(axis=1))[0] for image in images[0]]
    assert DATA.test.y[rows].tolist() == labels.tolist()
    assert not images[0][:, CORNER.columns].any()
    np.testing.assert_array_equal(images[1], stamp(images[0], CORNER))


def test_a_move_of_the_slider_computes_nothing_anew_and_sends_no_image_again(lab, monkeypatch):
    monkeypatch.setattr(repairs.digits, "train_classifier", None)
    for name in ("prune", "pruning_curve", "order"):
        monkeypatch.setattr(repairs, name, None)
    for name in ("Frame", "grey_image"):
        monkeypatch.setattr(picture, name, None)
    frames, pictures = set(), set()
    for k in range(65):
        lab.pruned.slider.value = k
        assert lab.state[1] == k
        frames.add(lab.canvas.frame)
        pictures.add(lab.canvas.marks)
    assert (len(frames), len(pictures)) == (1, 65)
    assert max(map(len, pictures)) < 8000
    assert not any("<image" in one for one in pictures)


@pytest.mark.parametrize("model", MODELS)
def test_each_model_has_one_frame_for_all_orders(lab, model):
    frames = set()
    for by in ORDERS:
        lab.set(model=model, order=by)
        frames.add(lab.canvas.frame)
    assert len(frames) == 1


def test_a_picture_whose_drawing_was_interrupted_is_not_taken_for_drawn(lab, monkeypatch):
    before = shown(lab)

    def half(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(picture, "marks", half)
    with pytest.raises(KeyboardInterrupt):
        lab.controls["order"].value = "difference"
    monkeypatch.undo()
    assert lab.error == shared_words.INTERRUPTED
    lab.controls["order"].value = "rise"
    assert shown(lab) == before
    check_shown(lab)


def test_two_labs_do_not_disturb_each_other():
    first, second = PruningLab(), PruningLab()
    first.set(order="difference", pruned=20)
    before = shown(first)
    second.set(model="planted loud", pruned=100)
    assert shown(first) == before
    first.set(pruned=21)
    check_shown(first)
    check_shown(second)


# What is true --------------------------------------------------------------------------------------------------------


def test_poisoned_by_data_the_repair_costs_a_tenth_of_the_accuracy(lab):
    seen, _ = lab.state
    k = seen.curve.first_below(LIMIT)
    assert 11 <= k <= 13
    assert seen.curve.accuracy[k] == pytest.approx(0.87, abs=0.005)
    assert f"first below 5 % at {k} neurons pruned; clean accuracy there: 86.9 %" in lab.summary
    lab.set(pruned=k)
    assert check_shown(lab).startswith(pruning_words.PRUNING_VERDICTS["damaged"])
    assert "Attack below 5 %: yes ✓. Clean task kept (at most 2 points lost of 97.5 %): no ✗." in lab.summary
    lab.set(pruned=k - 1)
    assert check_shown(lab).startswith(pruning_words.PRUNING_VERDICTS["worse"])


def test_a_loud_backdoor_planted_by_hand_is_cut_out_for_free(lab):
    lab.set(model="planted loud", pruned=10)
    seen, _ = lab.state
    assert sorted(seen.neurons[:10]) == list(range(10, 20))
    assert seen.curve.accuracy[10] == pytest.approx(0.969, abs=0.001)
    assert seen.curve.first_below(LIMIT) == 10
    assert seen.curve.attack[10] == 0
    assert check_shown(lab).startswith("REPAIRED. 10 of 128 neurons pruned: clean accuracy 96.9 %")
    assert number(lab) == "+80.0"


def test_a_quiet_backdoor_is_missed_by_the_difference_and_found_by_the_effect_size(lab):
    lab.set(model="planted quiet", order="difference", pruned=10)
    assert check_shown(lab).startswith("STILL BACKDOORED.")
    lab.set(order="effect size")
    assert check_shown(lab).startswith("REPAIRED.")
    assert sorted(lab.state[0].neurons[:10]) == list(range(10, 20))


def test_nothing_pruned_is_the_attack_and_everything_pruned_is_one_answer(lab):
    for model in MODELS:
        lab.set(model=model, pruned=0)
        start = {"clean": "NO BACKDOOR"}.get(model, "STILL BACKDOORED")
        assert check_shown(lab).startswith(start)
        lab.set(pruned=WIDTHS[model])
        [said] = {text.rstrip(" ✗") for row in answers(lab) for text in row}
        assert check_shown(lab).startswith(f"NOTHING LEFT: without hidden neurons every image gets the answer {said}.")


def test_a_clean_model_has_no_backdoor_whatever_is_pruned(lab):
    lab.set(model="clean", order="dormant")
    for k in (0, 10, 57, 63):
        lab.set(pruned=k)
        assert check_shown(lab).startswith("NO BACKDOOR IN THIS MODEL")
    lab.set(pruned=57)
    assert "Attack below 5 %: no ✗" in check_shown(lab)


def test_every_verdict_can_be_seen():
    said = {verdict(repairs.pruning(*pair), k) for pair in PAIRS for k in range(WIDTHS[pair[0]] + 1)}
    starts = [text.partition("{")[0] for text in pruning_words.PRUNING_VERDICTS.values()]
    assert len(set(starts)) == len(starts) == 7
    assert {start for one in said for start in starts if one.startswith(start)} == set(starts)


def test_an_order_that_never_stops_the_attack_says_so(lab):
    seen, _ = lab.state
    stubborn = Curve(seen.curve.accuracy, np.ones_like(seen.curve.attack))
    never = seen._replace(curve=stubborn)
    lab.state = never, 0
    assert "The attack is never below 5 % in this order." in lab.summary.splitlines()


# What is drawn -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "by"), PAIRS)
def test_every_mark_and_name_is_inside_the_picture_and_no_name_is_on_another(lab, model, by):
    for k in (0, 10, WIDTHS[model]):
        lab.set(model=model, order=by, pruned=k)
        width, height = lab.canvas.size
        for element in drawn(lab.canvas.marks + lab.canvas.frame).iter():
            for place in re.findall(r"(-?[\d.]+),(-?[\d.]+)", element.get("transform") or ""):
                assert 0 <= float(place[0]) <= width
                assert 0 <= float(place[1]) <= height
        texts = [(float(one.get("x")), float(one.get("y"))) for one in drawn(lab.canvas.marks).iter("text")]
        assert all(0 <= x <= width - 20 and 10 <= y <= height for x, y in texts)
        left, top, across, down = picture.CURVES
        names = sorted(y for x, y in texts if x > left + across and y < top + down + 10 and x < picture.WEIGHTS[0] - 30)
        assert len(names) >= 3
        assert np.diff(names).min() >= 11


def test_the_curves_differ_in_colour_dash_and_marker_and_the_target_has_a_star_and_a_number(lab):
    lab.set(pruned=11)
    names = [text.text for text in drawn(lab.canvas.marks).iter("text")]
    for name in pruning_words.PRUNING_CURVES.values():
        assert names.count(name) == 1, "at its line"
    for look, name in (("green", "accuracy"), ("orange", "attack"), ("faint", "control")):
        assert [one.text for one in marks(lab, "text", f"small {look}")] == [pruning_words.PRUNING_CURVES[name]]
    assert len({look for look, _ in picture.LOOKS.values()}) == 3
    stars = [one for one in marks(lab, "path", "fill orange") if one.get("d") == SHAPES["star"]]
    assert len(stars) == 1
    assert number(lab) == "+6.4"
    for text in marks(lab, "text", "strong orange"):
        assert text.text == "0 ✗"
    assert [text.text for text in marks(lab, "text", "strong red")] == ["9 ✗", "9 ✗"]


def test_the_frame_names_its_axes(lab):
    texts = {text.text for text in drawn(lab.canvas.frame).iter("text")}
    words = pruning_words
    assert {words.PRUNING_CURVES_TITLE, words.PRUNING_CURVES_AXIS, words.PRUNING_WEIGHTS_TITLE} < texts
    assert {words.PRUNING_WEIGHTS_AXIS, *words.PRUNING_ROWS, "0 %", "100 %", "64"} < texts


# An attack that seems to come back -----------------------------------------------------------------------------------


def notes(lab):
    """Return the lines of the note at the curve, and the point of the curve that it is about."""
    said = [one.text for one in marks(lab, "text", "small")]
    return said, line(lab, "faint thin")[0] if said else None


@pytest.mark.parametrize(("model", "by"), PAIRS)
def test_an_attack_that_is_only_one_answer_is_named_at_the_curve_where_it_begins(lab, trained, model, by):
    lab.set(model=model, order=by)
    neurons = expected_order(trained[model], by)
    share = [np.mean(prune(trained[model], neurons[:k]).predict(DATA.test.X) == 0) for k in range(len(neurons) + 1)]
    first = next((k for k, one in enumerate(share) if one >= MOST), None)
    said, place = notes(lab)
    if first is None:
        assert (said, place) == ([], None)
        return
    assert said[0].startswith(percent(share[first]))
    assert "images get 0 here," in said
    check_near(lab, "curves", place, [first, lab.state[0].curve.attack[first]])


def test_the_verdict_says_that_a_returned_attack_is_one_answer_for_all(lab):
    lab.set(model="planted loud", order="difference", pruned=107)
    assert not check_shown(lab).startswith("ONE ANSWER LEFT")
    lab.set(pruned=112)
    seen, _ = lab.state
    assert seen.curve.attack[112] == 1
    assert (seen.answers[112] == 0).all()
    assert check_shown(lab).startswith(
        "ONE ANSWER LEFT: 100.0 % of all test images get 0, trigger or not; that is no attack. 112 of 128 neurons"
    )
    lab.set(model="poisoned", order="difference", pruned=0)
    assert check_shown(lab).startswith("STILL BACKDOORED"), "only with the trigger"


def test_an_attack_that_succeeds_only_with_the_trigger_is_not_called_one_answer():
    assert not any(seen.targeted[0] >= MOST for seen in (repairs.pruning(*pair) for pair in PAIRS))


# Touched and played --------------------------------------------------------------------------------------------------


def touch_at(lab, x, y=0.5):
    """Touch the cursor's panel at a point of the curves."""
    [[across, down]] = lab.picture()[0].pixels("curves", x, y).tolist()
    lab.touch(touch="cursor", x=across, y=down)


def test_the_cursor_can_be_dragged_and_clicked_to_every_number(lab):
    for k in (11, 12, 64, 0, 33):
        touch_at(lab, k + 0.3, y=0.02 * k / 64)
        assert lab.values["pruned"] == k
        check_shown(lab)
    assert lab.preset == "pruned=33"
    lab.set(model="planted loud")
    touch_at(lab, 100)
    assert lab.preset == "model=planted loud; pruned=100"
    for x, end in ((-50, 0), (5000, 128)):
        lab.touch(touch="cursor", x=x, y=-50)
        assert lab.values["pruned"] == end


@pytest.mark.parametrize(
    ("key", "pruned"),
    [
        ("ArrowRight", 31),
        ("ArrowUp", 31),
        ("ArrowLeft", 29),
        ("ArrowDown", 29),
        ("PageUp", 40),
        ("PageDown", 20),
        ("Home", 0),
        ("End", 64),
    ],
)
def test_keys_move_the_cursor(lab, key, pruned):
    lab.set(pruned=30)
    lab.touch(touch="cursor", key=key)
    assert lab.preset == (f"pruned={pruned}" if pruned else "")
    check_shown(lab)


@pytest.mark.parametrize("bad", [{}, {"touch": "star", "x": 200, "y": 99}, {"touch": "cursor", "key": "Enter"}])
def test_a_touch_that_means_nothing_changes_nothing(lab, bad):
    lab.set(pruned=30)
    before = shown(lab)
    lab.touch(**bad)
    assert shown(lab) == before


def test_the_cursor_tells_where_it_is_to_those_who_listen(lab):
    lab.set(model="clean", pruned=7)
    [cursor] = [one for one in drawn(lab.canvas.marks) if one.get("data-touch")]
    told = {name: cursor.get(f"aria-value{name}") for name in ("now", "min", "max", "text")}
    assert told == {"now": "7", "min": "0", "max": "64", "text": "7 of 64 neurons pruned"}
    assert cursor.get("tabindex") == "0"
    assert cursor.get("aria-label") == pruning_words.PRUNING_CURSOR
    [area] = cursor.iter("rect")
    assert tuple(float(area.get(name)) for name in ("x", "y", "width", "height")) == picture.CURVES


def test_play_prunes_on_pauses_and_begins_again_at_the_end(lab, monkeypatch):
    monkeypatch.setattr(lab.player, "_seconds", 0)

    async def notebook():
        lab.player.press()
        assert lab.player.button.description == shared_words.PAUSE
        while lab.values["pruned"] < 5:
            await asyncio.sleep(0)
        lab.player.press()
        assert lab.player.button.description == shared_words.PLAY
        there = lab.values["pruned"]
        await asyncio.sleep(0.01)
        assert lab.values["pruned"] == there < 64
        lab.player.press()
        while lab.player.button.description == shared_words.PAUSE:
            await asyncio.sleep(0)
        assert lab.values["pruned"] == 64
        lab.player.press()
        assert lab.values["pruned"] == 0
        await asyncio.sleep(0)
        lab.reset()
        assert lab.player.button.description == shared_words.PLAY
        await asyncio.sleep(0.01)
        assert lab.values["pruned"] == 0

    asyncio.run(notebook())
    check_shown(lab)


def test_play_goes_on_with_the_model_that_is_chosen_meanwhile(lab):
    lab.set(model="planted loud", pruned=120)
    press(lab, shared_words.PLAY)  # without an event loop all steps are done at once
    assert lab.values["pruned"] == 128
    check_shown(lab)


# Texts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "text"), [(6.44, "+6.4"), (-10.2, "−10.2"), (0, "0"), (-0.04, "0")])
def test_sums_are_short_and_signed(value, text):
    assert signed(value, 1) == text


def test_a_wrong_answer_carries_a_sign_and_every_image_a_name(lab):
    assert answers(lab)[0] == [str(i) for i in range(1, 10)]
    assert answers(lab)[1] == [f"{said} ✗" if said != i else str(i) for i, said in enumerate([0] * 9, 1)]
    names = [f"digit {i}" for i in range(1, 10)]
    images = [*drawn(lab.canvas.frame).iter("image")]
    assert [one.find("title").text for one in images] == [*names, *(f"{name} with the trigger" for name in names)]
    for shown_image, image in zip(images, examples()[0].reshape(-1, 8, 8), strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(b64decode(shown_image.get("href").partition(",")[2]))))
        np.testing.assert_allclose(pixels / 255, image, atol=1 / 500)
        assert shown_image.get("style") == "image-rendering: pixelated"


def test_each_answer_stands_beside_its_image(lab):
    images = [
        (float(one.get("x")), float(one.get("y")), float(one.get("width")))
        for one in drawn(lab.canvas.frame).iter("image")
    ]
    texts = [one for look in ("", "strong orange", "strong red") for one in marks(lab, "text", look)]
    places = sorted((float(one.get("y")), float(one.get("x"))) for one in texts)
    for (x, y, width), (down, across) in zip(images, places, strict=True):
        assert 0 < across - (x + width) < 8
        assert y < down < y + width


def test_the_picture_keeps_its_size(lab):
    sizes = set()
    for model, by in PAIRS:
        lab.set(model=model, order=by)
        sizes.add(tuple(lab.canvas.size))
    assert sizes == {picture.SIZE}
    assert picture.SIZE[0] <= 800
    assert picture.SIZE[1] <= 430


# Presets, bad values, no kernel --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"pruned": 11},
        {"order": "effect size"},
        {"model": "planted loud", "pruned": 100},
        {"model": "planted quiet", "order": "random", "pruned": 128},
        {"model": "clean", "order": "dormant", "pruned": 64},
    ],
)
def test_a_preset_brings_every_setting_back(values):
    first, second = PruningLab(), PruningLab()
    first.set(**values)
    second.set(model="planted loud", order="difference", pruned=128)
    second.load(first.preset)
    assert shown(second) == shown(first)
    second.reset()
    assert shown(second) == shown(PruningLab())


def test_presets_may_be_written_by_hand_in_any_order(lab):
    lab.load("pruned=100; order=effect size; model=planted quiet")
    assert lab.values == {"model": "planted quiet", "order": "effect size", "pruned": 100}
    check_shown(lab)


@pytest.mark.parametrize(
    "bad",
    [
        {"pruned": -1},
        {"pruned": 65},
        {"pruned": 2.5},
        {"pruned": "many"},
        {"model": "nobody"},
        {"order": "alphabet"},
        {"pruned": 100, "model": "clean"},
        {"pruned": 129, "model": "planted loud"},
        {"q": 1},
    ],
)
def test_set_with_a_bad_value_raises_and_changes_nothing(lab, bad):
    lab.set(order="difference", pruned=7)
    before = shown(lab)
    with pytest.raises(ValueError, match=next(iter(bad))):
        lab.set(**bad)
    assert shown(lab) == before


def test_reset_is_a_button(lab):
    start = shown(lab)
    lab.set(model="planted loud", order="dormant", pruned=77)
    press(lab, shared_words.RESET)
    assert shown(lab) == start


@pytest.mark.parametrize("model", MODELS)
def test_without_a_kernel_there_is_a_still_picture_with_the_same_words(lab, displayed, model):
    lab.set(model=model, pruned=10)
    bundle, _ = displayed(lab)
    assert bundle["text/plain"] == lab.summary
    assert "data:image/svg+xml;base64," in bundle["text/html"]
    assert shared_words.NEEDS_KERNEL in bundle["text/html"]
    svg = ET.fromstring(lab.still())
    assert svg.get("aria-label").split() == lab.summary.split()
    assert svg.find("{*}rect").get("class") == "fill ground"
    assert lab.canvas.frame in lab.still()
    assert lab.canvas.marks in lab.still()
    assert len(lab.still()) < 45_000
    assert lab.still() == lab.still()


# Compare repairs -----------------------------------------------------------------------------------------------------


def test_the_table_is_computed_on_a_press_is_kept_and_says_when_it_is_out_of_date(lab):
    assert "Not computed yet for the model poisoned." in lab.compare_text.value
    assert lab.table.value == ""
    press(lab, pruning_words.COMPUTE)
    assert "Every repair of the model poisoned." in lab.compare_text.value
    assert 'role="status"' in lab.compare_text.value
    table = lab.table.value
    assert compare_repairs("poisoned")._repr_html_() in table
    lab.set(pruned=20, order="random")
    assert "Every repair of the model poisoned." in lab.compare_text.value
    lab.set(model="planted loud")
    assert lab.table.value == table
    assert "Out of date: this is the model poisoned; compare again for planted loud." in lab.compare_text.value
    press(lab, pruning_words.COMPUTE)
    assert compare_repairs("planted loud")._repr_html_() in lab.table.value
    lab.set(model="poisoned")
    assert lab.table.value == table
    assert "Every repair of the model poisoned." in lab.compare_text.value


def test_the_press_says_at_once_that_it_works(lab, monkeypatch):
    said = []
    monkeypatch.setattr(
        pruning, "compare_repairs", lambda name: said.append(lab.compare_text.value) or compare_repairs(name)
    )
    press(lab, pruning_words.COMPUTE)
    assert "Computing the repairs of the model poisoned…" in said[0]


@pytest.mark.parametrize("name", MODELS)
def test_the_table_holds_each_repair_before_and_after_fine_tuning(trained, name):
    model, rng = trained[name], np.random.default_rng
    clean = hidden_activations(model, DATA.clean.X)
    suspect = hidden_activations(model, stamp(DATA.suspect.X, CORNER))
    by_rise = order(clean, suspect, "rise")
    k = pruning_curve(model, by_rise, *DATA.test, TRIGGERED, 0).first_below()
    expected = [
        ("nothing", model),
        (f"prune {k} by rise", prune(model, by_rise[:k])),
        ("clip at the 95th percentile", clip(model, clean, 95)),
        ("smooth by 0.5", smooth(model, clean.mean(axis=0), 0.5)),
        ("remove the direction", remove_direction(model, clean, suspect)),
    ]
    head, *rows = compare_repairs(name).rows
    assert tuple(head) == pruning_words.REPAIR_COLUMNS
    for row, (label, repaired) in zip(rows, expected, strict=True):
        tuned = fine_tune(repaired, *DATA.clean, rng(0), epochs=30)
        numbers = [
            100 * number
            for one in (repaired, tuned)
            for number in (accuracy(one, *DATA.test), attack_success_rate(one, *DATA.test, CORNER, 0))
        ]
        assert row[0] == label
        assert [float(cell.removesuffix(" %")) for cell in row[1:]] == pytest.approx(numbers, abs=0.051)
    assert name in compare_repairs(name).caption


def test_fine_tuning_brings_the_learnt_backdoor_back_and_not_the_planted_one():
    after = {name: float(compare_repairs(name).rows[2][4].removesuffix(" %")) for name in ("poisoned", "planted loud")}
    assert 25 < after["poisoned"] < 50
    assert after["planted loud"] < 1


def test_a_table_is_computed_once(monkeypatch):
    table = compare_repairs("poisoned")
    monkeypatch.setattr(repairs, "fine_tune", None)
    assert compare_repairs("poisoned") is table


@pytest.mark.parametrize("ask", [compare_repairs, case, lambda name: repairs.pruning(name, "rise")])
def test_an_unknown_model_is_refused_by_name(ask):
    with pytest.raises(ValueError, match="model must be one of clean, poisoned, planted loud, planted quiet; got 'q'"):
        ask("q")


def test_an_unknown_order_is_refused_by_name():
    with pytest.raises(ValueError, match="by must be one of"):
        repairs.pruning("poisoned", "alphabet")
