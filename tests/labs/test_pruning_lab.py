"""The pruning lab without a browser: every model in every order, what is drawn, said, compared and remembered."""

import re
import xml.etree.ElementTree as ET
from html import unescape
from itertools import product

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
from lesson_lib.labs.pruning import widget as pruning
from lesson_lib.labs.pruning import words as pruning_words
from lesson_lib.labs.pruning.compute import LIMIT, WIDTHS, case, compare_repairs, describe, examples, verdict
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.pictures import words as pictures_words
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
    return lab.pictures.value, lab.facts.value, answers(lab), lab.summary, lab.still(), lab.values


def answers(lab):
    """Return the text above each image of the two rows."""
    return [re.findall(r"<span>(?:<b>)?([^<]*)(?:</b>)?</span>", row.children[0].value)[1:] for row in lab.rows]


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
    (seen, k), plot = lab.state, lab.plot
    n = WIDTHS[lab.values["model"]]
    assert (seen.name, seen.by, k) == (lab.values["model"], lab.values["order"], lab.values["pruned"])
    for name in ("accuracy", "attack"):
        curve = getattr(seen.curve, name)
        assert len(curve) == n + 1
        np.testing.assert_array_equal(plot.curves[name].get_xdata(), range(n + 1))
        np.testing.assert_array_equal(plot.curves[name].get_ydata(), curve)
        np.testing.assert_array_equal(np.transpose(plot.lines[name].get_data()), [[k, curve[k]]])
    assert plot.curves["control"].get_ydata() == [seen.control] * 2
    assert list(plot.lines["cursor"].get_xdata()) == [k, k]
    check_weights(lab)
    alt = unescape(re.match(r'<img alt="([^"]*)"', lab.pictures.value)[1])
    assert alt in lab.summary
    assert alt in unescape(lab.facts.value)
    assert 'role="status"' in lab.facts.value
    assert f"{k} of {n} neurons pruned: clean accuracy {percent(seen.curve.accuracy[k])}" in alt
    assert f"attack success rate {percent(seen.curve.attack[k])} (control {percent(seen.control)})" in alt
    for row, said in zip(seen.answers[k], answers(lab), strict=True):
        assert said == [f"{one}" if one == i else f"{one} ✗" for i, one in enumerate(row, 1)]
        assert ", ".join(said) in lab.summary
    assert "nan" not in lab.summary
    assert ET.fromstring(lab.still()).tag.endswith("svg")
    return alt


def check_weights(lab):
    (seen, k), lines = lab.state, lab.plot.lines
    sums = case(seen.name).model.W2[seen.neurons[:k]].sum(axis=0)
    np.testing.assert_allclose(seen.weights[k], sums, atol=1e-9)
    assert lines["others"].places.tolist() == list(range(1, 10))
    np.testing.assert_array_equal(lines["others"].heights, seen.weights[k][1:])
    assert (lines["target"].places.tolist(), lines["target"].heights.tolist()) == ([0], [seen.weights[k][0]])
    assert lines["number"].get_text() == signed(sums[0] + 0.0, 1)
    low, high = lab.plot.axes[1].get_ylim()
    assert low < seen.weights.min() <= seen.weights.max() < high


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


def test_everything_has_a_name_and_the_tabs_have_titles(lab):
    for each in inside(lab.box):
        assert not isinstance(each, widgets.Button) or (each.description and each.tooltip is not None)
        assert not isinstance(each, widgets.Play | widgets.ToggleButtons | widgets.Output)
    [tab] = [each for each in inside(lab.box) if isinstance(each, widgets.Tab)]
    assert tab.titles == ("Prune by hand", "Compare repairs")
    assert len({child.layout.min_height for child in tab.children}) == 1


@pytest.mark.parametrize(("before", "after"), [*product(MODELS, MODELS)])
def test_a_model_brings_its_number_of_neurons_and_keeps_the_count_inside(lab, before, after):
    lab.set(model=before, pruned=WIDTHS[before])
    lab.controls["model"].value = after
    n, dial = WIDTHS[after], lab.pruned
    assert dial.value == dial.number.value == dial.slider.value == min(WIDTHS[before], n)
    assert (dial.number.min, dial.number.max, dial.slider.min, dial.slider.max) == (0, n, 0, n)
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


def test_a_move_of_the_slider_computes_nothing_anew(lab, monkeypatch):
    monkeypatch.setattr(repairs.digits, "train_classifier", None)
    for name in ("prune", "pruning_curve", "order"):
        monkeypatch.setattr(repairs, name, None)
    digits = [row.children[1].value for row in lab.rows]
    pictures = set()
    for k in range(65):
        lab.pruned.slider.value = k
        assert lab.state[1] == k
        pictures.add(lab.pictures.value)
    assert len(pictures) == 65
    assert [row.children[1].value for row in lab.rows] == digits


def test_each_model_has_one_plot_and_each_order_is_drawn_once_in_a_row(lab, monkeypatch):
    drawn, set_curve = [], pruning.PruningPlot.set_curve
    monkeypatch.setattr(
        pruning.PruningPlot, "set_curve", lambda plot, *args: drawn.append(plot) or set_curve(plot, *args)
    )
    for values in ({"pruned": 3}, {"order": "difference"}, {"pruned": 9}, {"order": "rise"}):
        lab.set(**values)
    assert drawn == [lab.plot] * 2


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
    assert lab.plot.lines["number"].get_text() == "+80.0"


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
        assert lab.plot.lines["number"].get_text() == "0"
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
    assert {start for one in said for start in starts if one.startswith(start)} == set(starts)


def test_an_order_that_never_stops_the_attack_says_so(lab):
    seen, _ = lab.state
    stubborn = Curve(seen.curve.accuracy, np.ones_like(seen.curve.attack))
    never = repairs.Pruning("poisoned", "rise", seen.neurons, stubborn, 0.0, seen.weights, seen.answers)
    assert "The attack is never below 5 % in this order." in describe(never, 0).splitlines()


# What is drawn -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_legend_titles_and_labels_are_inside_the_picture(lab, model):
    lab.set(model=model, pruned=10)
    plot = lab.plot
    plot.canvas.draw()
    width, height = plot.canvas.get_width_height()
    legend = plot.axes[0].get_legend().get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in plot.axes)
    assert not legend.overlaps(plot.axes[1]._left_title.get_window_extent())
    for axes in plot.axes:
        for text in (axes._left_title, axes.yaxis.label, axes.xaxis.label, *axes.texts):
            box = text.get_window_extent()
            assert box.width == 0 or (box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height), text
    assert not plot.axes[0].yaxis.get_tightbbox().overlaps(plot.axes[1].yaxis.get_tightbbox())


def test_the_curves_differ_in_colour_dash_and_marker_and_the_target_in_its_hatch(lab):
    accuracy_line, attack_line = lab.plot.curves["accuracy"], lab.plot.curves["attack"]
    for get in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(accuracy_line, get)() != getattr(attack_line, get)()
    assert lab.plot.lines["target"].get_hatch()
    assert not lab.plot.lines["others"].get_hatch()
    legend = [text.get_text() for text in lab.plot.axes[0].get_legend().get_texts()]
    assert legend == list(pictures_words.PRUNING_LEGEND.values())


@pytest.mark.parametrize(("value", "text"), [(6.44, "+6.4"), (-10.2, "−10.2"), (0, "0"), (-0.04, "0")])
def test_sums_are_short_and_signed(value, text):
    assert signed(value, 1) == text


def test_a_wrong_answer_carries_a_sign_and_every_image_a_name(lab):
    assert answers(lab)[0] == [str(i) for i in range(1, 10)]
    assert answers(lab)[1] == [f"{said} ✗" if said != i else str(i) for i, said in enumerate([0] * 9, 1)]
    for row in lab.rows:
        assert re.findall(r'<img alt="([^"]*)"', row.children[1].value) == [f"digit {i}" for i in range(1, 10)]
        assert row.children[0].value.count("<span>") == row.children[1].value.count("<span>") == 10


def test_the_picture_keeps_its_size(lab):
    sizes = set()
    for model, by in PAIRS:
        lab.set(model=model, order=by)
        sizes.add(re.search(r'width="\d+" height="\d+"', lab.pictures.value)[0])
    assert len(sizes) == 1
    assert lab.facts.layout.min_height.endswith("px")


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
    assert svg.find("{*}rect").get("fill") == "white"
    paths = [path.get("d") for path in svg.findall("{*}path") if path.get("fill") == "none"]
    assert sum(len(path.split()) == 2 * WIDTHS[model] + 2 for path in paths) == 3
    texts = [text.text for text in svg.findall("{*}text")]
    assert {*pictures_words.PRUNING_LEGEND.values(), pictures_words.PRUNING_AXIS} <= set(texts)
    assert svg.find("{*}desc").text in lab.summary
    assert len(lab.still()) < 20_000
    assert lab.still() == lab.still()


# Compare repairs -----------------------------------------------------------------------------------------------------


def test_the_second_tab_computes_on_a_press_keeps_each_table_and_says_when_it_is_out_of_date(lab):
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
    assert "Out of date: this is the model poisoned; press Compute for the model planted loud." in unescape(
        lab.compare_text.value
    )
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
