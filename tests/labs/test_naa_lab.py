"""The NAA lab without a browser: every control, every rule on every source, what is drawn, said and remembered."""

import re
import xml.etree.ElementTree as ET
from html import unescape
from itertools import product

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_labs import inside, no_error_in_a_callback, press  # noqa: F401

from lesson_lib.labs import NAALab
from lesson_lib.labs.naa import compute as detection
from lesson_lib.labs.naa import words as naa_lab_words
from lesson_lib.labs.naa.compute import N_PERMUTATIONS, STARTS, THRESHOLDS, Settings, case, find
from lesson_lib.labs.naa.widget import SIMULATED
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.naa import RULES, analyse, simulate_activations
from lesson_lib.naa import words as naa_words
from lesson_lib.naa.judgement import EFFECT_FLOOR, OVER, TAKES_OVER
from lesson_lib.pictures import words as pictures_words
from lesson_lib.pictures.plot import BLUE, ORANGE
from lesson_lib.tables import signed

SOURCES = [value for _, value in naa_lab_words.NAA_SOURCES]
TOYS = SOURCES[1:]
KINDS = {"CANNOT JUDGE": "cannot", "ALARM": "alarm", "NO ALARM": "silent"}


@pytest.fixture(scope="module")
def kept():
    """Return one lab for most tests, because its plots take a tenth of a second each to make."""
    return NAALab()


@pytest.fixture
def lab(kept):
    """Return a lab as it starts."""
    kept.reset()
    return kept


def shown(lab):
    """Return all that the lab shows, and the values of its controls."""
    return lab.pictures.value, lab.facts.value, lab.summary, lab.still(), lab.values


def expected(values):
    """Return what `analyse` finds with these settings, computed anew from the simulation or the toy's nets."""
    chosen = {"rule": values["rule"], "threshold": values["threshold"], "over": values["over"]}
    rng = np.random.default_rng(0)
    if values["source"] == "simulation":
        drawn = np.random.default_rng(values["seed"])
        clean = simulate_activations(500, drawn)
        raised = range(10, 10 + int(values["backdoored"]))
        suspect = simulate_activations(int(values["rows"]), drawn, raised, values["rise"], values["triggered"])
        rng = np.random.default_rng(values["seed"])
    else:
        clean, suspect, chosen["outgoing"] = case(Settings(values["source"]))
    return analyse(clean, suspect, **chosen, rng=rng, n_permutations=N_PERMUTATIONS)


def check_shown(lab):
    """Check what must hold for every state, and return the verdict."""
    assert lab.error == ""
    assert not any(message.value for message in lab.messages.values())
    state, found, plot = lab.state, lab.state.signature, lab.plot
    n = len(found.shift)
    assert plot.lines["bars"].places.tolist() == list(range(n))
    np.testing.assert_array_equal(plot.lines["bars"].heights, state.bars)
    assert plot.lines["flagged"].places.tolist() == found.flagged.tolist()
    np.testing.assert_array_equal(plot.lines["flagged"].heights, state.bars[found.flagged])
    assert list(plot.lines["marks"].get_xdata()) == found.flagged.tolist()
    assert list(plot.lines["truth"].get_xdata()) == list(state.settings.truth)
    heights = plot.lines["threshold"].get_ydata()
    assert [y for y in heights if not np.isnan(y)] == [y for line in state.lines for y in (line, line)]
    alt = unescape(re.match(r'<img alt="([^"]*)"', lab.pictures.value)[1])
    assert alt in lab.summary
    assert alt in unescape(lab.facts.value)
    assert 'role="status"' in lab.facts.value
    kind = next(kind for start, kind in KINDS.items() if alt.startswith(start))
    assert naa_lab_words.NAA_CAVEATS[kind] in alt
    assert (kind == "cannot") == bool(found.reason)
    assert (kind == "alarm") == bool(len(found.flagged))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", lab.facts.value)
    assert len(cells) == len(naa_lab_words.NAA_COLUMNS)
    assert cells[0] == str(len(found.flagged))
    assert not re.search(r"\b(nan|inf)\b", lab.summary + lab.facts.value)
    assert ET.fromstring(lab.still()).tag.endswith("svg")
    return alt


# Controls ------------------------------------------------------------------------------------------------------------


def test_the_controls_have_these_names_and_words(lab):
    assert list(lab.controls) == list(naa_lab_words.NAA_LABELS)
    for name, control in lab.controls.items():
        assert (control.number if isinstance(control, Dial) else control).description == naa_lab_words.NAA_LABELS[name]
    for each in inside(lab.box):
        assert not isinstance(each, widgets.Button) or (each.description and each.tooltip is not None)
        assert not isinstance(each, widgets.Play | widgets.ToggleButtons | widgets.Output)
    assert [value for _, value in naa_lab_words.NAA_RULES] == list(RULES)
    assert [value for _, value in naa_lab_words.NAA_OVER] == list(OVER)


def test_the_lists_of_each_control_are_what_a_notebook_may_set(lab):
    assert SOURCES == ["simulation", "frozen attack", "spoiled attack", "learnt backdoor", "hand-made backdoor"]
    assert [value for _, value in lab.controls["source"]._options_full] == SOURCES
    ends = {name: (control.positions[0], control.positions[-1]) for name, control in dials(lab).items()}
    assert ends == {
        "threshold": (0, 12),
        "rise": (0, 12),
        "triggered": (0, 1),
        "rows": (1, 2000),
        "backdoored": (0, 300),
    }


def dials(lab):
    return {name: control for name, control in lab.controls.items() if isinstance(control, Dial)}


def edges(lab):
    for name, control in lab.controls.items():
        if isinstance(control, Dial):
            yield from ((name, end) for end in (control.positions[0], control.positions[-1]))
        elif isinstance(control, widgets.Dropdown):
            yield from ((name, value) for _, value in control._options_full)
        else:
            yield from ((name, end) for end in (control.min, control.max))


@pytest.mark.parametrize("source", SOURCES)
def test_every_control_at_its_ends_gives_a_picture_and_a_verdict(lab, source):
    for name, value in [*edges(lab)]:
        lab.reset()
        lab.set(**{"source": source, name: value})
        check_shown(lab)


@pytest.mark.parametrize("source", SOURCES)
def test_controls_that_the_toy_does_not_have_are_disabled(lab, source):
    lab.set(source=source)
    for name in SIMULATED:
        for part in inside(lab.controls[name]):
            assert getattr(part, "disabled", source != "simulation") == (source != "simulation"), name
    assert not any(lab.controls[name].disabled for name in ("source", "rule"))
    assert not lab.threshold.slider.disabled


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_looks_at_can_be_chosen_where_the_rule_allows_it(lab, rule):
    lab.set(rule=rule)
    assert lab.controls["over"].disabled == (rule not in TAKES_OVER)
    lab.reset()
    assert not lab.controls["over"].disabled


@pytest.mark.parametrize(("source", "name"), [*product(TOYS, SIMULATED)])
def test_a_disabled_control_changes_nothing(lab, source, name):
    lab.set(source=source)
    before = shown(lab)[:4]
    lab.set(**{name: 1})
    assert shown(lab)[:4] == before


# The threshold and its rule ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_brings_its_own_threshold_and_range(lab, rule):
    lab.set(threshold=11.5)
    lab.controls["rule"].value = rule
    dial = lab.threshold
    if rule != "raw":
        assert dial.value == STARTS[rule] == RULES[rule].default
    assert dial.positions == THRESHOLDS[rule]
    assert (dial.number.min, dial.number.max) == (THRESHOLDS[rule][0], THRESHOLDS[rule][-1])
    assert dial.slider.max == len(THRESHOLDS[rule]) - 1
    assert dial.number.value == dial.value == THRESHOLDS[rule][dial.slider.value]
    assert STARTS[rule] in THRESHOLDS[rule]
    assert lab.state.settings.threshold == dial.value
    check_shown(lab)


def test_a_rule_is_judged_once_with_its_own_threshold(lab, monkeypatch):
    judged = []
    monkeypatch.setattr(NAALab, "compute", lambda lab: judged.append((lab.values["rule"], lab.values["threshold"])))
    lab.controls["rule"].value = "bh"
    assert judged == [("bh", 0.05)]


@given(st.sampled_from(list(product(RULES, RULES))))
def test_a_dial_takes_other_positions_from_any_to_any(pair):
    before, after = pair
    dial = Dial("threshold", THRESHOLDS[before], THRESHOLDS[before][-1])
    dial.set_range(THRESHOLDS[after], THRESHOLDS[after][0])
    assert dial.value == dial.number.value == THRESHOLDS[after][0]
    assert (dial.slider.value, dial.slider.max) == (0, len(THRESHOLDS[after]) - 1)
    dial.slider.value = dial.slider.max
    assert dial.value == dial.number.value == THRESHOLDS[after][-1]


def test_the_first_move_of_the_thresholds_slider_counts():
    lab = NAALab()
    lab.threshold.slider.value = THRESHOLDS["raw"].index(2.5)
    assert lab.values["threshold"] == lab.state.settings.threshold == 2.5


def test_the_threshold_s_box_names_the_range_of_its_rule(lab):
    for rule in RULES:
        lab.set(rule=rule)
        low, high = THRESHOLDS[rule][0], THRESHOLDS[rule][-1]
        assert lab.controls["threshold"].number.tooltip == f"from {low:g} to {high:g}"


def test_rule_and_threshold_can_be_set_together_in_any_order(lab):
    lab.set(threshold=11, rule="raw")
    lab.set(threshold=0.2, rule="bh")
    assert (lab.values["rule"], lab.values["threshold"]) == ("bh", 0.2)
    lab.set(rule="effect", threshold=15)
    assert lab.state.settings.threshold == 15
    lab.reset()
    assert (lab.values["rule"], lab.values["threshold"]) == ("raw", 2)


@pytest.mark.parametrize("rule", RULES)
def test_each_slider_position_is_looked_up_and_compared_only_once(lab, rule, monkeypatch):
    lab.set(rule=rule)
    monkeypatch.setattr(detection, "compare", None)
    pictures = set()
    for position in range(0, lab.threshold.slider.max + 1, 3):
        lab.threshold.slider.value = position
        assert lab.state.settings.threshold == THRESHOLDS[rule][position]
        pictures.add(lab.pictures.value)
    assert len(pictures) > lab.threshold.slider.max / 12


def test_the_noise_is_drawn_once_for_a_seed_and_a_number_of_rows(lab, monkeypatch):
    drawn, simulate = [], detection.simulate_activations
    monkeypatch.setattr(detection, "simulate_activations", lambda *args: drawn.append(args[0]) or simulate(*args))
    detection._noise.cache_clear()
    for values in ({"rise": 3.3}, {"triggered": 0.35}, {"backdoored": 33}, {"rise": 1.2, "rule": "mad"}):
        lab.set(**values)
    assert drawn == [500, 100]
    lab.set(rows=200)
    lab.set(seed=7)
    assert drawn == [500, 100, 500, 200, 500, 200]


# What is found -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "rule", "over"), [*product(SOURCES, RULES, OVER)])
def test_every_rule_on_every_source_shows_what_analyse_finds(lab, source, rule, over):
    lab.set(source=source, rule=rule, over=over, rise=0.3)
    check_shown(lab)
    check_found(lab)


def check_found(lab):
    state, truth = lab.state, expected(lab.values)
    found = state.signature
    assert found.flagged.tolist() == truth.flagged.tolist()
    assert found.reason == truth.reason
    assert (found.rule, found.threshold) == (truth.rule, truth.threshold)
    for name in ("shift", "effect_size", "t", "p"):
        np.testing.assert_array_equal(getattr(found, name), getattr(truth, name))
    if found.rule in TAKES_OVER:
        np.testing.assert_array_equal(found.anomaly_index, truth.anomaly_index)
    if state.quantity == "p":
        adjusted = stats.false_discovery_control(found.p)
        np.testing.assert_allclose(10 ** -abs(state.bars), np.maximum(adjusted, np.finfo(float).tiny), rtol=1e-6)
        assert (np.sign(state.bars)[adjusted < 1] == np.sign(found.shift)[adjusted < 1]).all()
    else:
        np.testing.assert_array_equal(state.bars, getattr(found, state.quantity))
    check_lines(state)


def check_lines(state):
    """Check that the flagged bars, and no others, pass the lines."""
    bars, lines, rule = state.bars, state.lines, state.settings.rule
    if state.signature.reason or not lines:
        assert not lines
        return
    over = state.settings.over if rule in TAKES_OVER else "signature"
    two_sided = over == "signature"
    passed = (abs(bars) if two_sided else bars) > lines[0]
    if rule == "mad":
        inner = [line for line in lines if line >= 0][1:] if two_sided else lines[1:]
        inner = inner if state.settings.threshold > 1e-9 else lines[:1]  # at 0 both lines are the median
        passed |= np.any([(abs(bars) if two_sided else bars) < line for line in inner], axis=0)
    if rule == "bh":
        passed = (abs(bars) >= lines[0] - 1e-9) & (abs(state.signature.effect_size) > EFFECT_FLOOR)
    near = np.min([abs(abs(bars) - abs(line)) for line in lines], axis=0) < 1e-9
    flagged = np.isin(np.arange(len(bars)), state.signature.flagged)
    assert (passed == flagged)[~near].all()


@settings(max_examples=40)
@given(data=st.data())
def test_any_combination_shows_what_analyse_finds(kept, data):
    values = {
        name: data.draw(st.sampled_from([value for _, value in kept.controls[name]._options_full]), name)
        for name in ("source", "rule", "over")
    }
    for name, control in dials(kept).items():
        if name == "threshold":
            ends = THRESHOLDS[values["rule"]][0], THRESHOLDS[values["rule"]][-1]
            values[name] = data.draw(st.sampled_from(THRESHOLDS[values["rule"]]) | st.floats(*ends), name)
        else:
            ends = control.positions[0], control.positions[-1]
            between = st.floats(*ends) if name in ("rise", "triggered") else st.integers(*ends)
            values[name] = data.draw(st.sampled_from(control.positions) | between, name)
    values["seed"] = data.draw(st.integers(0, 9999), "seed")
    if values["rule"] == "permutation":
        values["rows"] = min(values["rows"], 100)
    kept.set(**values)
    check_shown(kept)
    check_found(kept)


def test_two_labs_do_not_disturb_each_other():
    first, second = NAALab(), NAALab()
    first.set(rule="mad", rows=200)
    before = shown(first)
    second.set(source="learnt backdoor", rule="effect", threshold=3)
    assert shown(first) == before
    first.set(threshold=2)
    second.reset()
    assert shown(second) == shown(NAALab())


# The article's facts -------------------------------------------------------------------------------------------------


def test_the_default_is_the_articles_experiment(lab):
    assert Settings(**{**lab.values, "rows": 100, "backdoored": 10}) == Settings()
    assert lab.preset == ""
    assert lab.state.signature.flagged.tolist() == list(range(10, 20)) == list(lab.state.settings.truth)
    assert lab.state.score == (1, 1, 1)
    assert abs(np.delete(lab.state.bars, range(10, 20))).max() < 0.25
    assert check_shown(lab).startswith("ALARM: the rule raw flags neurons 10 to 19 (10 of 512).")


def test_frozen_attack_raises_an_alarm_without_a_backdoor(lab):
    lab.set(source="frozen attack", threshold=1)
    assert lab.state.bars.tolist() == pytest.approx([-1.125, 0])
    assert check_shown(lab).startswith("ALARM: the rule raw flags neuron 1 (1 of 2).")
    assert "In truth there is no backdoor: 1 flagged wrongly." in lab.summary


def test_hand_made_backdoor_ranks_the_innocent_neuron_first_unless_the_sign_counts(lab):
    lab.set(source="hand-made backdoor")
    assert lab.state.bars.tolist() == [-1.5, 1]
    assert lab.state.signature.contribution[:, 0].tolist() == [-1.5, 5]
    assert check_shown(lab).startswith("NO ALARM"), "the article's threshold of 2 flags nothing"
    lab.set(threshold=1.2)
    assert lab.state.signature.flagged.tolist() == [0]
    assert lab.state.score == (0, 0, 0)
    lab.set(over="shift", threshold=0.9)
    assert lab.state.signature.flagged.tolist() == [1]
    assert lab.state.score == (1, 1, 1)


def test_learnt_backdoor_is_flagged_between_the_two_shifts(lab):
    lab.set(source="learnt backdoor")
    assert lab.state.bars == pytest.approx([-1.374, 1.967], abs=1e-3)
    assert not len(lab.state.signature.flagged), "the article's threshold of 2 just misses it"
    lab.set(threshold=1.5)
    assert lab.state.signature.flagged.tolist() == [1]
    check_shown(lab)


def test_spoiled_attack_has_learnt_the_trigger_and_no_backdoor_neuron(lab):
    lab.set(source="spoiled attack", threshold=1)
    assert lab.state.bars.tolist() == pytest.approx([-1.125, 0])
    assert lab.state.settings.truth == range(0)


@pytest.mark.parametrize("source", TOYS)
def test_two_neurons_are_too_few_for_mad_and_the_lab_says_so(lab, source):
    lab.set(source=source, rule="mad")
    assert check_shown(lab).startswith(f"CANNOT JUDGE: {naa_words.TOO_FEW_FOR_MAD}.")
    assert lab.state.lines == ()
    assert lab.state.signature.anomaly_index == pytest.approx([0.674, 0.674], abs=1e-3)
    assert naa_lab_words.NAA_NONE in lab.facts.value


@pytest.mark.parametrize(("backdoored", "found"), [(49, 49), (54, 0)])
def test_many_backdoored_neurons_mask_each_other_for_the_rule_sd(lab, backdoored, found):
    lab.set(rule="sd", backdoored=backdoored)
    assert len(lab.state.signature.flagged) == found
    lab.set(rule="mad")
    assert set(lab.state.settings.truth) <= set(lab.state.signature.flagged)


@pytest.mark.parametrize(("backdoored", "found"), [(255, 255), (256, 0)])
def test_mad_breaks_down_at_half_of_the_neurons(lab, backdoored, found):
    lab.set(rule="mad", backdoored=backdoored)
    assert len(set(lab.state.settings.truth) & set(lab.state.signature.flagged)) == found


@pytest.mark.parametrize(("share", "found"), [(0.6, 10), (0.5, 0)])
def test_a_raw_threshold_of_5_needs_five_ninths_of_the_rows_triggered(lab, share, found):
    lab.set(threshold=5, triggered=share)
    assert len(lab.state.signature.flagged) == found
    assert lab.state.score.auc == 1


def test_the_lines_are_the_textbooks(lab):
    lab.set(rise=0.4)
    size = lab.state.signature.signature
    for rule, threshold, line in (
        ("raw", 0.3, 0.3),
        ("sd", 2.5, size.mean() + 2.5 * np.std(size, ddof=1)),
        ("mad", 4, np.median(size) + 4 * 1.4826 * stats.median_abs_deviation(size)),
        ("effect", 0.6, 0.6),
        ("bh", 0.01, 2),
    ):
        lab.set(rule=rule, threshold=threshold)
        assert lab.state.lines == pytest.approx((line, -line)), rule


@pytest.mark.parametrize("rule", RULES)
def test_the_auc_is_the_share_of_pairs_that_the_rule_ranks_right(lab, rule):
    lab.set(rule=rule, rise=0.15)
    found = lab.state.signature
    rank = {"bh": 1 - found.p, "mad": found.anomaly_index, "raw": found.signature, "sd": found.signature}
    values = rank.get(rule, abs(found.effect_size))
    guilty = np.isin(np.arange(512), lab.state.settings.truth)
    pairs = np.sign(values[guilty][:, None] - values[~guilty][None])
    assert 0.5 < lab.state.score.auc < 1
    assert lab.state.score.auc == pytest.approx((pairs.mean() + 1) / 2)


def test_bh_says_how_many_passed_the_test_and_are_too_small(lab):
    lab.set(rule="bh", rise=0.25, rows=500)
    state = lab.state
    passed = (stats.false_discovery_control(state.signature.p) <= 0.05).sum() - len(state.signature.flagged)
    assert passed > 0
    assert naa_lab_words.NAA_TOO_SMALL.format(passed=passed, floor=0.5) in check_shown(lab)


def test_a_single_row_is_too_few_for_welch_and_no_row_can_be_missing(lab):
    lab.set(rule="bh", rows=1)
    assert check_shown(lab).startswith(f"CANNOT JUDGE: {naa_words.TOO_FEW_FOR_WELCH}.")
    assert lab.state.quantity == "shift"


@pytest.mark.parametrize("rule", RULES)
def test_extreme_corners_have_a_picture_and_a_verdict(lab, rule):
    for rows, rise, triggered, backdoored in product((1, 2000), (0, 12), (0, 1), (0, 300)):
        if rule == "permutation" and rows == 2000 and (rise, triggered) != (12, 1):
            continue  # a fifth of a second each
        lab.set(rule=rule, rows=rows, rise=rise, triggered=triggered, backdoored=backdoored)
        for threshold in (THRESHOLDS[rule][0], THRESHOLDS[rule][-1]):
            lab.set(threshold=threshold)
            check_shown(lab)


# What is drawn -------------------------------------------------------------------------------------------------------


def test_a_bar_is_a_rectangle_from_zero_to_its_height(lab):
    bars = lab.plot.lines["bars"]
    corners = bars.get_path().vertices.reshape(512, 5, 2)
    np.testing.assert_array_equal(corners[:, 1, 1], lab.state.bars)
    np.testing.assert_array_equal(corners[:, 0, 1], 0)
    np.testing.assert_allclose(corners[:, [0, 2], 0].mean(axis=1), range(512))
    np.testing.assert_allclose(corners[:, 2, 0] - corners[:, 0, 0], bars.width)


@pytest.mark.parametrize("source", SOURCES)
def test_flagged_bars_differ_in_colour_and_in_hatch_and_the_truth_in_its_mark(lab, source):
    lab.set(source=source)
    lines = lab.plot.lines
    assert lines["flagged"].get_hatch()
    assert not lines["bars"].get_hatch()
    assert ORANGE != BLUE
    assert lines["flagged"].get_facecolor() != lines["bars"].get_facecolor()
    assert lines["truth"].get_marker() != lines["marks"].get_marker()
    legend = lab.plot.axes[-1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(pictures_words.NAA_LEGEND.values())


@pytest.mark.parametrize(("source", "rule"), [*product(("simulation", "learnt backdoor"), RULES)])
def test_legend_titles_and_labels_are_inside_the_picture_and_not_over_the_bars(lab, source, rule):
    lab.set(source=source, rule=rule)
    plot = lab.plot
    plot.canvas.draw()
    width, height = plot.canvas.get_width_height()
    legend = plot.axes[-1].get_legend().get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in plot.axes)
    for axes in plot.axes:
        title = axes._left_title.get_window_extent()
        assert not legend.overlaps(title)
        for text in (axes._left_title, axes.yaxis.label, axes.xaxis.label, *axes.texts):
            box = text.get_window_extent()
            assert box.width == 0 or (box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height), text


def test_the_axis_names_what_is_plotted(lab):
    for rule, over, quantity in (
        ("raw", "signature", "shift"),
        ("sd", "shift", "shift"),
        ("mad", "effect_size", "effect_size"),
        ("effect", "signature", "effect_size"),
        ("permutation", "signature", "effect_size"),
        ("bh", "signature", "p"),
    ):
        lab.set(rule=rule, over=over)
        assert lab.state.quantity == quantity
        assert lab.plot.axes[0].get_ylabel().startswith(pictures_words.NAA_AXES[quantity])
        assert lab.plot.axes[0].get_title(loc="left") == pictures_words.NAA_TITLES[quantity]


def test_a_line_above_the_frame_is_named_at_its_top(lab):
    lab.set(rule="effect", threshold=0.8)
    assert lab.plot.line_text.get_text() == "0.8"
    lab.set(rule="bh", threshold=1)
    assert lab.plot.line_text.get_text() == "0"
    lab.set(rule="sd", threshold=10, backdoored=60, rise=12)
    assert lab.plot.line_text.get_text() == f"↑ {lab.state.lines[0]:.3g}"
    lab.set(source="frozen attack")
    assert lab.plot.line_text.get_text() == ""


def test_the_toy_shows_each_shift_times_its_weight_with_the_numbers(lab):
    lab.set(source="learnt backdoor", rule="effect")
    assert [text.get_text() for text in lab.plot.numbers[0]] == ["−2.121", "+∞"]
    assert [text.get_text() for text in lab.plot.numbers[1]] == ["−1.500", "+5.000"]
    np.testing.assert_array_equal(lab.plot.lines["bars contribution"].heights, lab.state.signature.contribution[:, 0])
    for text in (text for panel in lab.plot.numbers for text in panel):
        low, high = text.axes.get_ylim()
        assert low < text.get_position()[1] < high


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5, "+1.500"), (-0.0001, "0"), (0.0, "0"), (-np.inf, "−∞"), (np.inf, "+∞"), (0.0005, "+0.001"), (-2, "−2.000")],
)
def test_numbers_are_short_and_signed(value, text):
    assert signed(value, 3) == text


def test_the_picture_keeps_its_size(lab):
    sizes = set()
    for source, rule in product(SOURCES, RULES):
        lab.set(source=source, rule=rule)
        sizes.add(re.search(r'width="\d+" height="\d+"', lab.pictures.value)[0])
    assert len(sizes) == 1
    assert lab.facts.layout.min_height.endswith("px")


# Presets, bad values, no kernel --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"threshold": 1.23},
        {"rule": "mad"},
        {"rule": "effect", "threshold": 2},
        {"rule": "bh", "threshold": 0.2, "rise": 0.25, "rows": 500},
        {"source": "hand-made backdoor", "over": "shift", "threshold": 0.9},
        {"triggered": 0.55, "backdoored": 60, "seed": 42, "rule": "sd"},
    ],
)
def test_a_preset_brings_every_setting_back(values):
    first, second = NAALab(), NAALab()
    assert first.preset == ""
    first.set(**values)
    second.set(rule="permutation", threshold=0.5)
    second.load(first.preset)
    assert shown(second) == shown(first)
    second.reset()
    assert shown(second) == shown(NAALab())


@pytest.mark.parametrize("rule", RULES)
def test_a_preset_written_by_hand_may_leave_the_threshold_to_the_rule(lab, rule):
    lab.load(f"rule={rule}; rise=0.5")
    assert (lab.values["rule"], lab.values["threshold"]) == (rule, STARTS[rule])
    assert lab.values["rise"] == 0.5


@pytest.mark.parametrize(
    "bad",
    [
        {"threshold": -1},
        {"threshold": 13},
        {"threshold": "high"},
        {"rule": "magic"},
        {"source": "nowhere"},
        {"over": "all"},
        {"rise": 12.5},
        {"triggered": 1.1},
        {"rows": 0},
        {"rows": 2.5},
        {"backdoored": 301},
        {"seed": "x"},
        {"threshold": 2, "rule": "bh"},
        {"q": 1},
    ],
)
def test_set_with_a_bad_value_raises_and_changes_nothing(lab, bad):
    lab.set(rule="mad", threshold=2.5, rows=200)
    before = shown(lab)
    with pytest.raises(ValueError, match=next(iter(bad))):
        lab.set(rise=1, **{name: value for name, value in bad.items() if name != "rise"}) if "rise" not in bad else (
            lab.set(**bad)
        )
    assert shown(lab) == before


def test_reset_is_a_button(lab):
    start = shown(lab)
    lab.set(source="frozen attack", rule="effect", threshold=0)
    press(lab, shared_words.RESET)
    assert shown(lab) == start


def test_every_change_of_the_rule_brings_its_own_threshold(lab):
    for rule in [*STARTS, *reversed(STARTS), *sorted(STARTS)]:
        lab.controls["rule"].value = rule
        assert lab.threshold.value == STARTS[rule]


@pytest.mark.parametrize("source", SOURCES)
def test_without_a_kernel_there_is_a_still_picture_with_the_same_words(lab, displayed, source):
    lab.set(source=source)
    bundle, _ = displayed(lab)
    assert bundle["text/plain"] == lab.summary
    assert "data:image/svg+xml;base64," in bundle["text/html"]
    assert shared_words.NEEDS_KERNEL in bundle["text/html"]
    svg = ET.fromstring(lab.still())
    ground = svg.find("{*}rect")
    assert (ground.get("fill"), ground.get("width"), ground.get("height")) == ("white", "900", "264")
    strokes = [path.get("d") for path in svg.findall("{*}path") if path.get("stroke") == BLUE]
    assert sum(stroke.count("M") for stroke in strokes) == (512 if source == "simulation" else 4)
    texts = [text.text for text in svg.findall("{*}text")]
    titles = {f"{axes.get_title(loc='left')} ({axes.get_ylabel()})" for axes in lab.plot.axes}
    assert {*pictures_words.NAA_ROWS.values(), *titles} <= set(texts)
    assert svg.find("{*}desc").text in lab.summary
    assert len(lab.still()) < 20_000


def test_the_still_picture_is_the_same_on_every_run():
    assert NAALab().still() == NAALab().still()
    assert re.search(r"\d\.\d\d", re.sub(r"<text.*", "", NAALab().still())) is None


def test_the_case_of_the_simulation_is_the_articles():
    clean, suspect, outgoing = case(Settings(seed=3))
    assert (clean.shape, suspect.shape, outgoing) == ((500, 512), (100, 512), None)
    found = find(Settings(seed=3))
    assert found.settings.truth == range(10, 20)
    assert found.signature.flagged.tolist() == list(found.settings.truth)
