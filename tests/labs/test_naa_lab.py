"""The NAA lab without a browser: every control, every rule on every source, what is drawn, said and remembered."""

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from html import escape
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
from lesson_lib.labs.naa import picture
from lesson_lib.labs.naa import words as naa_lab_words
from lesson_lib.labs.naa.compute import (
    N_PERMUTATIONS,
    SIMULATED,
    STARTS,
    THRESHOLDS,
    Settings,
    case,
    find,
)
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.naa import RULES, analyse, simulate_activations
from lesson_lib.naa import words as naa_words
from lesson_lib.naa.judgement import EFFECT_FLOOR, OVER, TAKES_OVER
from lesson_lib.tables import signed

WIDTH, HEIGHT = picture.SIZE
SOURCES = [*naa_lab_words.NAA_SOURCES]
TOYS = SOURCES[1:]
KINDS = {"CANNOT JUDGE": "cannot", "ALARM": "alarm", "NO ALARM": "silent"}


NUMBER = r"(-?[\d.]+(?:e[-+]\d+)?)"


@pytest.fixture(scope="module")
def kept():
    """Return one lab for most tests, because a lab takes a tenth of a second to make."""
    return NAALab()


@pytest.fixture
def lab(kept):
    """Return a lab as it starts."""
    kept.reset()
    return kept


def shown(lab):
    """Return all that the lab shows, and the values of its controls."""
    texts = lab.facts.value, lab.numbers.value, lab.note.value, lab.summary
    return lab.canvas.marks, lab.canvas.frame, lab.canvas.alt, *texts, lab.still(), lab.values


def frame_of(lab):
    return lab.picture()[0]


def marks_of(lab):
    """Return the marks as XML."""
    return ET.fromstring(f"<svg>{lab.canvas.marks}</svg>")


def numbers_in(path, form):
    """Return the numbers of a path that stand in this form, n of them a row."""
    rows = re.findall(form.replace("#", NUMBER), path.get("d"))
    assert "".join(form.replace("#", "{}").format(*row) for row in rows) == path.get("d")
    return np.array([[float(number) for number in row] for row in rows]).reshape(-1, form.count("#"))


def check_bars(lab, panel, heights):
    """Check that each bar of a panel stands at its neuron, from 0 to its height, in the colour of its kind."""
    axes, flagged = frame_of(lab).axes[panel], lab.state.signature.flagged
    drawn = marks_of(lab).findall("svg")[[*frame_of(lab).axes].index(panel)]
    left, top, width, height = frame_of(lab).places[panel]
    assert drawn.get("viewBox") == f"{left} {top} {width} {height}", "cut off at the panel's edges"
    paths = {path.get("class"): numbers_in(path, "M#,#V#") for path in drawn}
    assert set(paths) == {"line blue", "line orange"}
    numbers, kinds = np.array(lab.state.settings.numbers), np.isin(np.arange(len(heights)), flagged)
    for look, kind in (("line blue", ~kinds), ("line orange", kinds)):
        ends = np.clip(heights[kind], -1e3, 1e3)
        places = axes.transData.transform(np.column_stack([numbers[kind], ends]))
        zero = axes.transData.transform((0, 0))[1]
        wanted = np.column_stack([places[:, 0], np.full(len(ends), HEIGHT - zero), HEIGHT - places[:, 1]])
        np.testing.assert_allclose(paths[look], wanted.clip(-1e4, 1e4), atol=0.051 + 1e-3)


def row(lab, name):
    """Return the neurons that have a mark in a row below the bars; None without that row."""
    elements = [*marks_of(lab)]
    found = [i for i, element in enumerate(elements) if element.text == naa_lab_words.NAA_ROWS[name]]
    if not found:
        return None
    label, marks = elements[found[0]], elements[found[0] + 1]
    x = numbers_in(marks, "M#,#v#")
    assert (x[:, 1] == float(label.get("y")) - x[:, 2]).all(), "beside its name"
    to_data = frame_of(lab).axes["neurons"].transData.inverted()
    at = np.array([to_data.transform((across, 0))[0] for across in x[:, 0]])
    assert (abs(at - at.round()) < 0.1).all()
    return [lab.state.settings.numbers.index(number) for number in at.round().astype(int).tolist()]


def handle_of(lab, name):
    found = [group for group in marks_of(lab).findall("g") if group.get("data-touch") == name]
    assert len(found) <= 1
    return found[0] if found else None


def lines_drawn(lab):
    """Return the heights, in pixels, of the dashed lines, which reach from edge to edge."""
    group, (left, _, width, _) = handle_of(lab, "threshold"), frame_of(lab).places["neurons"]
    if group is None:
        return []
    ends = np.concatenate([numbers_in(path, "M#,# #,#") for path in group.find("svg")])
    assert (ends[:, 1] == ends[:, 3]).all()
    assert (ends[:, [0, 2]] == [left, left + width]).all()
    return ends[:, 1].tolist()


def said(lab, touch="threshold"):
    """Return the texts of a mark that can be touched."""
    group = handle_of(lab, touch)
    return [] if group is None else [text.text for text in group.findall("text")]


def expected(values):
    """Return what `analyse` finds with these settings, computed anew from the simulation or the toy's nets."""
    chosen = {"rule": values["rule"], "threshold": values["threshold"], "over": values["over"]}
    rng = np.random.default_rng(0)
    if values["source"] == "simulation":
        drawn = np.random.default_rng(int(values["seed"]))
        clean = simulate_activations(500, drawn)
        raised = range(10, 10 + int(values["backdoored"]))
        suspect = simulate_activations(int(values["rows"]), drawn, raised, values["rise"], values["triggered"])
        rng = np.random.default_rng(int(values["seed"]))
    else:
        clean, suspect, chosen["outgoing"] = case(Settings(values["source"]))
    return analyse(clean, suspect, **chosen, rng=rng, n_permutations=N_PERMUTATIONS)


def check_shown(lab):
    """Check what must hold for every state, and return the verdict."""
    assert lab.error == ""
    assert not any(message.value for message in lab.messages.values())
    state, found = lab.state, lab.state.signature
    check_bars(lab, "neurons", state.bars)
    if found.contribution is not None:
        check_bars(lab, "contribution", found.contribution[:, 0])
    assert row(lab, "truth") == list(state.settings.truth)
    assert row(lab, "flagged") == found.flagged.tolist()
    assert row(lab, "small") == (state.small.tolist() if state.quantity == "p" else None)
    places = frame_of(lab).axes["neurons"].transData.transform([(0, line) for line in state.lines] or np.empty((0, 2)))
    assert lines_drawn(lab) == pytest.approx((HEIGHT - places[:, 1]).tolist(), abs=0.051)
    assert len(lab.canvas.marks) < 30_000
    assert lab.canvas.size == [WIDTH, HEIGHT]
    assert lab.canvas.frame == frame_of(lab).svg
    alt = lab.canvas.alt
    assert alt in lab.summary
    texts = ET.fromstring(lab.facts.value)
    assert "".join(texts.itertext()) == alt
    assert texts.get("role") == "status"
    right = set(found.flagged.tolist()) == set(state.settings.truth)
    assert [badge.get("class") for badge in texts.findall("b")] == ["said", "yes" if right else "no"]
    kind = next(kind for start, kind in KINDS.items() if alt.startswith(start))
    assert naa_lab_words.NAA_CAVEATS[kind] in alt
    assert (kind == "cannot") == bool(found.reason)
    assert (kind == "alarm") == bool(len(found.flagged))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", lab.numbers.value)
    assert len(cells) == len(naa_lab_words.NAA_COLUMNS)
    assert cells[0] == str(len(found.flagged))
    assert not re.search(r"\b(nan|inf)\b", lab.summary + lab.facts.value + lab.numbers.value)
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
    assert [*naa_lab_words.NAA_RULES] == list(RULES)
    assert [*naa_lab_words.NAA_OVER] == list(OVER)


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
        "seed": (0, 9999),
        "neuron": (0, 511),
    }


def dials(lab):
    return {name: control for name, control in lab.controls.items() if isinstance(control, Dial)}


def edges(lab):
    for name, control in lab.controls.items():
        if isinstance(control, Dial):
            yield from ((name, end) for end in (control.positions[0], control.positions[-1]))
        else:
            yield from ((name, value) for _, value in control._options_full)


@pytest.mark.parametrize("source", SOURCES)
def test_every_control_at_its_ends_gives_a_picture_and_a_verdict(lab, source):
    lab.set(source=source)
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
    assert not lab.controls["neuron"].slider.disabled
    assert (naa_lab_words.NAA_IDLE["simulated"] in lab.note.value) == (source != "simulation")


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_looks_at_can_be_chosen_where_the_rule_allows_it(lab, rule):
    lab.set(rule=rule)
    assert lab.controls["over"].disabled == (rule not in TAKES_OVER)
    told = naa_lab_words.NAA_IDLE["over"].format(rule=rule, what=naa_lab_words.NAA_LOOKS_AT.get(rule))
    assert (told in lab.note.value) == (rule not in TAKES_OVER)
    lab.reset()
    assert not lab.controls["over"].disabled
    assert not re.sub(r"<[^>]*>", "", lab.note.value)


@pytest.mark.parametrize(("source", "name"), [*product(TOYS, SIMULATED)])
def test_a_disabled_control_changes_nothing(lab, source, name):
    lab.set(source=source)
    before = shown(lab)[:-1]
    lab.set(**{name: 1})
    assert shown(lab)[:-1] == before


# The threshold and its rule ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_brings_its_own_threshold_and_range(lab, rule):
    lab.set(threshold=11.5)
    lab.controls["rule"].value = rule
    dial = lab.threshold
    if rule != "raw":
        assert dial.value == STARTS[rule] == RULES[rule].default
    assert dial.positions == THRESHOLDS[rule]
    assert handle_of(lab, "threshold").get("aria-valuemax") == f"{THRESHOLDS[rule][-1]:g}"
    assert dial.slider.max == len(THRESHOLDS[rule]) - 1
    assert float(dial.number.value) == dial.value == THRESHOLDS[rule][dial.slider.value]
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
    assert dial.value == float(dial.number.value) == THRESHOLDS[after][0]
    assert (dial.slider.value, dial.slider.max) == (0, len(THRESHOLDS[after]) - 1)
    dial.slider.value = dial.slider.max
    assert dial.value == float(dial.number.value) == THRESHOLDS[after][-1]


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
        pictures.add(lab.canvas.marks)
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
    kept.set(source=values["source"])  # which decides which neurons can be read
    for name, control in dials(kept).items():
        if name == "threshold":
            ends = THRESHOLDS[values["rule"]][0], THRESHOLDS[values["rule"]][-1]
            values[name] = data.draw(st.sampled_from(THRESHOLDS[values["rule"]]) | st.floats(*ends), name)
        else:
            ends = control.positions[0], control.positions[-1]
            between = st.floats(*ends) if name in ("rise", "triggered") else st.integers(*ends)
            values[name] = data.draw(st.sampled_from(control.positions) | between, name)
    if values["rule"] == "permutation":
        values["rows"] = min(values["rows"], 100)
    kept.set(**values)
    check_shown(kept)
    check_found(kept)


def test_two_labs_do_not_disturb_each_other():
    first, second = NAALab(), NAALab()
    first.set(rule="mad", rows=200, neuron=3)
    before = shown(first)
    second.set(source="learnt backdoor", rule="effect", threshold=3)
    assert shown(first) == before
    first.set(threshold=2)
    second.reset()
    assert shown(second) == shown(NAALab())


# The article's facts -------------------------------------------------------------------------------------------------


def test_the_default_is_the_articles_experiment(lab):
    assert lab.state.settings == Settings()
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
    assert naa_lab_words.NAA_NONE in lab.numbers.value


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
    significant = np.flatnonzero(stats.false_discovery_control(state.signature.p) <= 0.05)
    assert row(lab, "small") == [i for i in significant.tolist() if i not in state.signature.flagged]


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


@pytest.mark.parametrize("source", SOURCES)
def test_a_bar_is_as_wide_as_its_neuron_has_room(lab, source):
    lab.set(source=source)
    to_page = frame_of(lab).axes["neurons"].transData
    room = to_page.transform((2, 0))[0] - to_page.transform((1, 0))[0]
    for path in marks_of(lab).find("svg"):
        assert room / 2 < float(path.get("style").removeprefix("stroke-width: ")) < 1.1 * room


@pytest.mark.parametrize("source", SOURCES)
def test_flagged_bars_differ_in_colour_and_in_a_mark_and_the_truth_in_its_own(lab, source):
    lab.set(source=source, threshold=1)
    assert row(lab, "flagged"), "the colour is not the only sign"
    marks = lab.canvas.marks
    assert marks.index(naa_lab_words.NAA_ROWS["truth"]) < marks.index(naa_lab_words.NAA_ROWS["flagged"])
    looks = [look for look, _ in picture.ROWS.values()]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize(("source", "rule"), [*product(("simulation", "learnt backdoor"), RULES)])
def test_titles_labels_and_texts_are_inside_the_picture_and_none_is_over_another(lab, source, rule):
    boxes = []
    lab.set(source=source, rule=rule)
    figure = frame_of(lab).figure
    figure.canvas.draw()
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticklabels() if low <= tick.get_position()[0] <= high]
        texts = axes._left_title, axes.yaxis.label, axes.xaxis.label, *ticks
        found = [text.get_window_extent() for text in texts if text.get_text()]
        boxes += [(box.x0, HEIGHT - box.y1, box.x1, HEIGHT - box.y0) for box in found]
    for text in marks_of(lab).iter("text"):
        letter = 5.5 if "small" in text.get("class") else 6
        x, y, width = float(text.get("x")), float(text.get("y")), letter * len(text.text)
        x -= {"end": 1, "middle": 0.5}.get((text.get("class").split() or [""])[-1], 0) * width
        if "strong" not in text.get("class"):  # a bar's number stands on its own ground
            boxes.append((x, y - 9, x + width, y + 1))
    assert len(boxes) > 7
    assert all(
        left >= 0 and top >= 0 and right <= WIDTH + 1 and bottom <= HEIGHT + 1 for left, top, right, bottom in boxes
    )
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:i]:
            apart = left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]
            assert apart, (boxes[i], other)


def test_axis_title_and_caption_name_what_is_plotted(lab):
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
        axes = frame_of(lab).axes["neurons"]
        assert axes.get_ylabel() == naa_lab_words.NAA_AXES[quantity]
        assert axes.get_title(loc="left") == naa_lab_words.NAA_TITLES[quantity]
        assert escape(naa_lab_words.NAA_TITLES[quantity], quote=False) in lab.canvas.frame
        texts = [text.text for text in marks_of(lab).findall("text")]
        squeezed = naa_lab_words.NAA_SQUEEZED.format(linear=axes.yaxis.get_transform().linthresh)
        assert texts[-2:] == [naa_lab_words.NAA_CAPTIONS[quantity], squeezed]
    lab.set(source="frozen attack")
    assert marks_of(lab).findall("text")[-1].text == naa_lab_words.NAA_TOY_CAPTION
    assert frame_of(lab).axes["neurons"].get_yscale() == "linear"


def test_a_line_says_where_it_is_and_one_above_the_panel_waits_at_its_top(lab):
    lab.set(rule="effect", threshold=0.8)
    assert said(lab) == ["flagged", "beyond 0.8"]
    lab.set(rule="bh", threshold=1)
    assert said(lab) == ["flagged", "beyond 0"]
    lab.set(rule="sd", threshold=10, backdoored=60, rise=12)
    assert said(lab) == ["beyond", f"↑ {lab.state.lines[0]:.3g}"]
    reach = [path for path in handle_of(lab, "threshold").findall("path") if path.get("class") == "reach"]
    top, height = frame_of(lab).places["neurons"][1::2]
    assert [numbers_in(path, "M#,# #,#")[0, 1] for path in reach] == [top, top + height], "still to be dragged"
    lab.set(source="frozen attack")
    assert said(lab) == []


def test_the_toy_shows_each_shift_times_its_weight_with_the_numbers(lab):
    lab.set(source="learnt backdoor", rule="effect")
    numbers = [text for text in marks_of(lab).findall("text") if "strong" in text.get("class")]
    assert [text.text for text in numbers] == ["−2.121", "+∞", "−1.500", "+5.000"]
    check_bars(lab, "contribution", lab.state.signature.contribution[:, 0])
    _, top, _, height = frame_of(lab).places["neurons"]
    assert all(top < float(text.get("y")) < top + height for text in numbers)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5, "+1.500"), (-0.0001, "0"), (0.0, "0"), (-np.inf, "−∞"), (np.inf, "+∞"), (0.0005, "+0.001"), (-2, "−2.000")],
)
def test_numbers_are_short_and_signed(value, text):
    assert signed(value, 3) == text


def test_the_picture_and_its_panels_keep_their_places(lab):
    places = {"simulation": set(), "toy": set()}
    for source, rule in product(SOURCES, RULES):
        lab.set(source=source, rule=rule)
        assert lab.canvas.size == [WIDTH, HEIGHT]
        places["simulation" if source == "simulation" else "toy"].add(str(frame_of(lab).places))
    assert {kind: len(found) for kind, found in places.items()} == {"simulation": 1, "toy": 1}
    assert lab.facts.layout.min_height.endswith("px")


# What is touched -----------------------------------------------------------------------------------------------------


def at(lab, number, height):
    """Return the pixel of the picture at a neuron's number and a height."""
    [[x, y]] = frame_of(lab).pixels("neurons", number, height).tolist()
    return {"x": x, "y": y}


@pytest.mark.parametrize(("rule", "over"), [("raw", "signature"), ("raw", "shift"), ("effect", "signature")])
def test_a_line_at_the_threshold_itself_goes_where_it_is_dragged(lab, rule, over):
    lab.set(rule=rule, over=over)
    for height in (0.5, 2, 7):
        lab.touch("threshold", **at(lab, 100, height))
        assert lab.values["threshold"] == lab.state.settings.threshold == pytest.approx(height)
        assert lab.state.lines[0] == lab.values["threshold"]
    assert f"threshold={lab.values['threshold']:g}" in lab.preset
    lab.touch("threshold", **at(lab, 100, -1))
    assert lab.values["threshold"] == pytest.approx(1 if over == "signature" else 0)


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("source", ["simulation", "learnt backdoor"])
def test_each_line_of_each_rule_is_where_it_was_dragged_to(lab, source, rule, over):
    lab.set(source=source, rule=rule, over=over, rise=0.4)
    if lab.state.signature.reason:
        before = shown(lab)
        lab.touch("threshold", x=300, y=100)
        assert shown(lab) == before
        return
    low, high = frame_of(lab).axes["neurons"].get_ylim()
    for position in range(1, len(THRESHOLDS[rule]), 20):
        asked = replace(lab.state.settings, threshold=THRESHOLDS[rule][position])
        state = find(asked)
        for line in state.lines:
            back = find(replace(asked, threshold=state.threshold_at(line)))
            assert np.isclose(back.lines, line).any(), "the threshold whose line is there"
        if rule != "permutation" and state.lines and low < state.lines[-1] < high:
            lab.touch("threshold", **at(lab, 1, state.lines[-1]))
            y = at(lab, 1, state.lines[-1])["y"]
            assert min(abs(y - line) for line in lines_drawn(lab)) < 4, "pixels, for the dial's positions are apart"


def test_a_line_above_or_below_the_panel_or_out_of_the_dial_s_range_stops_at_its_end(lab):
    for rule in RULES:
        lab.set(rule=rule, source="simulation")
        for y in (-5000, 5000, 175):
            lab.touch("threshold", x=10_000, y=y)
            assert lab.values["threshold"] in THRESHOLDS[rule]
            check_shown(lab)


@pytest.mark.parametrize("rule", RULES)
def test_the_arrow_up_lifts_the_line_and_left_and_right_turn_the_dial(lab, rule):
    lab.set(rule=rule)
    before = lab.values["threshold"]
    for key, sign in (("ArrowUp", 1), ("ArrowDown", -1)):
        was, line = lab.values["threshold"], lab.state.lines[0]
        for _ in range(2):
            lab.touch("threshold", key=key)
        assert lab.values["threshold"] != was
        assert (lab.state.lines[0] - line) * sign > 0 or rule == "permutation"
        assert (lab.state.lines[0] - line) * sign >= 0
    assert lab.values["threshold"] == before
    lab.touch("threshold", key="ArrowRight")
    assert lab.values["threshold"] == THRESHOLDS[rule][THRESHOLDS[rule].index(before) + 1]
    lab.touch("threshold", key="Home")
    assert lab.values["threshold"] == THRESHOLDS[rule][0]


def test_a_neuron_is_read_where_the_pointer_is_without_judging_anew(lab, monkeypatch):
    state, marks = lab.state, lab.canvas.marks
    monkeypatch.setattr(detection, "judge", None)
    monkeypatch.setattr(picture, "_strokes", None)
    for number in (0, 14, 300, 511):
        lab.touch("neuron", **at(lab, number, 5))
        assert lab.values["neuron"] == number
        assert lab.preset == f"neuron={number}"
        check_read(lab, number)
    assert lab.state is state
    lab.touch("neuron", **at(lab, 10, 0))
    assert lab.canvas.marks == marks


def check_read(lab, number):
    """Check what is said of a neuron, and that the marker is over it."""
    found, i = lab.state.signature, lab.state.settings.numbers.index(number)
    [text] = said(lab, "neuron")
    assert text == handle_of(lab, "neuron").get("aria-valuetext") == picture.reading(lab.state, i)
    assert text.startswith(
        f"neuron {number}: shift {signed(found.shift[i])}, effect size {signed(found.effect_size[i])};"
    )
    assert ("not flagged" in text or "small" in text) == (i not in found.flagged)
    assert ("significant but small" in text) == (i in lab.state.small)
    assert ("not backdoored" in text) == (i not in lab.state.settings.truth)
    x = frame_of(lab).axes["neurons"].transData.transform((number, 0))[0]
    diamond = next(path for path in handle_of(lab, "neuron") if path.get("class") == "fill rimmed")
    assert float(re.match(rf"translate\({NUMBER},", diamond.get("transform"))[1]) == pytest.approx(x, abs=0.051)
    line = numbers_in(handle_of(lab, "neuron").find("path"), "M#,# #,#")[0]
    assert line[[0, 2]] == pytest.approx([x, x], abs=0.051)
    box = next(part for part in handle_of(lab, "neuron").findall("rect") if part.get("class") == "pill")
    assert 0 <= float(box.get("x")) <= WIDTH - float(box.get("width"))


@pytest.mark.parametrize(("source", "rule"), [*product(SOURCES, RULES)])
def test_every_neuron_can_be_read_by_keys(lab, source, rule):
    lab.set(source=source, rule=rule, rise=0.25, rows=100)
    numbers = lab.state.settings.numbers
    group = handle_of(lab, "neuron")
    assert group.get("data-hover") is not None
    assert (group.get("aria-valuemin"), group.get("aria-valuemax")) == (str(numbers[0]), str(numbers[-1]))
    for key, i in (("Home", 0), ("ArrowRight", 1), ("ArrowDown", 0), ("End", -1)):
        lab.touch("neuron", key=key)
        check_read(lab, numbers[i])


def test_a_source_brings_its_own_neurons(lab):
    lab.set(neuron=300)
    lab.controls["source"].value = "learnt backdoor"
    assert (lab.values["neuron"], lab.controls["neuron"].positions) == (1, (1, 2))
    lab.touch("neuron", **at(lab, 2, 0))
    check_read(lab, 2)
    lab.controls["source"].value = "simulation"
    assert (lab.values["neuron"], lab.controls["neuron"].positions) == (10, tuple(range(512)))


@pytest.mark.parametrize("touch", ["", "contribution", "source", "rows"])
def test_what_cannot_be_touched_changes_nothing(lab, touch):
    lab.set(source="learnt backdoor", threshold=1)
    before = shown(lab)
    lab.touch(touch, x=300, y=100)
    lab.touch(touch, key="End")
    assert shown(lab) == before


def test_a_move_is_fast(lab):
    moves = {"threshold": at(lab, 1, 1), "neuron": at(lab, 300, 1)}
    for name, place in moves.items():
        best = np.inf
        for step in range(20):
            place = place | {"x": place["x"] + step, "y": place["y"] + step}
            start = time.process_time()
            lab.touch(name, **place)
            best = min(best, time.process_time() - start)
        assert best < 0.02, f"{name}: {best} seconds"


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
        {"rule": "effect", "threshold": 0.8, "neuron": 300},
        {"source": "hand-made backdoor", "neuron": 2},
        {"source": "hand-made backdoor", "neuron": 1, "rule": "mad", "threshold": 2},
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


@pytest.mark.parametrize(
    ("preset", "values"),
    [
        ("triggered=0.5", {"triggered": 0.5}),
        ("rule=sd; backdoored=60", {"rule": "sd", "backdoored": 60, "threshold": 3}),
        ("source=frozen attack; threshold=1", {"source": "frozen attack", "threshold": 1, "neuron": 1}),
        ("rule=effect; threshold=2.0; seed=7", {"rule": "effect", "threshold": 2, "seed": 7}),
        ("seed=42; rows=500.0", {"seed": 42, "rows": 500}),
    ],
)
def test_a_preset_from_before_still_loads(lab, preset, values):
    start = lab.values
    lab.set(rule="bh", threshold=0.5, neuron=200, seed=3)
    lab.load(preset)
    assert lab.values == start | values


@pytest.mark.parametrize("preset", ["rule=bh; threshold=2", "source=frozen attack; neuron=300", "rule=bh; seed=x"])
def test_a_preset_that_does_not_fit_changes_nothing(lab, preset):
    lab.set(rule="mad", threshold=2.5, neuron=200)
    before = shown(lab)
    with pytest.raises(ValueError, match=preset.split("; ")[1].partition("=")[0]):
        lab.load(preset)
    assert shown(lab) == before


@pytest.mark.parametrize("rule", RULES)
def test_a_preset_written_by_hand_may_leave_the_threshold_to_the_rule(lab, rule):
    lab.set(rule=rule, threshold=1)
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
        {"seed": 10000},
        {"neuron": 512},
        {"neuron": 1.5},
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
    assert (ground.get("class"), ground.get("width"), ground.get("height")) == ("fill ground", str(WIDTH), str(HEIGHT))
    panels = svg.findall("{*}svg")
    strokes = [path.get("d").count("M") for panel in panels for path in panel]
    assert sum(strokes) == (512 if source == "simulation" else 4)
    texts = "".join(svg.itertext())
    titles = {axes.get_title(loc="left") for axes in frame_of(lab).axes.values()}
    assert all(text in texts for text in {*titles, *[*naa_lab_words.NAA_ROWS.values()][:2]})
    assert svg.get("aria-label") == lab.canvas.alt
    assert len(lab.still()) < 40_000


def test_the_still_picture_is_the_same_on_every_run():
    assert NAALab().still() == NAALab().still()
    assert re.search(r"\d\.\d\d", re.sub(r"<text.*?</text>|style=.*?>|aria-.*?>", "", NAALab().canvas.marks)) is None


def test_the_case_of_the_simulation_is_the_articles():
    clean, suspect, outgoing = case(Settings(seed=3))
    assert (clean.shape, suspect.shape, outgoing) == ((500, 512), (100, 512), None)
    found = find(Settings(seed=3))
    assert found.settings.truth == range(10, 20)
    assert found.signature.flagged.tolist() == list(found.settings.truth)
