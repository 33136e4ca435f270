"""Rules: each agrees with its textbook, keeps its promise when there is no backdoor, and says when it cannot judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lesson_lib.naa import RULES, analyse, compare, judge, match_classes, permutation, simulate_activations, words
from lesson_lib.naa.comparison import Comparison, welch
from lesson_lib.naa.judgement import CHANCES, OVER, check_rule, mad_index
from lesson_lib.naa.moments import Moments, measure
from lesson_lib.naa.permutation import permutation_maxima

FINITE = st.floats(-1e6, 1e6)


def ruled(rule, values=(), threshold=None, effect_size=None, p=None, null_maxima=()):
    """Return the flagged neurons, and the reason why a rule cannot judge."""
    effect_size = np.asarray(values if effect_size is None else effect_size, dtype=float)
    values = np.asarray(values, dtype=float) if len(values) else effect_size
    p = np.ones(len(effect_size)) if p is None else np.asarray(p, dtype=float)
    seen = Comparison(values, effect_size, p, p, 9, 9, None, np.asarray(null_maxima, dtype=float))
    found = judge(seen, rule, threshold, over="shift")
    assert found.flagged.dtype == np.intp
    return found.flagged.tolist(), found.reason


def test_two_sets_are_analysed_by_permutation_unless_asked_otherwise():
    rng = np.random.default_rng(0)
    sets = rng.normal(size=(40, 9)), rng.normal(size=(20, 9)) + 3 * np.eye(1, 9)
    asked = analyse(*sets, "permutation", 0.01, rng=np.random.default_rng(0), n_permutations=1000)
    for found in (analyse(*sets), analyse(*sets)):  # the same splits every time
        assert (found.rule, found.threshold, found.flagged.tolist()) == ("permutation", 0.01, [0])
        assert (found.null_maxima == asked.null_maxima).all()


def test_an_index_without_spread_is_infinite_for_any_gap():
    assert mad_index(np.array([1, 1, 1, 1.5, 0.9])).tolist() == [0, 0, 0, np.inf, np.inf]


# The catalogue -----------------------------------------------------------------------------------------------------


def test_each_rule_says_what_its_threshold_is_and_where_it_comes_from():
    assert list(RULES) == ["raw", "sd", "mad", "effect", "bh", "permutation"] == list(words.THRESHOLD_IS)
    assert [rule.default for rule in RULES.values()] == [3.0, 3.0, 3.5, 0.8, 0.05, 0.01]
    for name, rule in RULES.items():
        assert rule.threshold_is == words.THRESHOLD_IS[name]
        assert rule.source


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("threshold", [-1, -1e-9, float("nan"), "3", "many", True, [1], (), 1j, np.ones(2), object()])
def test_a_threshold_must_be_a_number_from_0(rule, threshold):
    with pytest.raises(ValueError, match=f"threshold must be a number from 0 to .* for the rule {rule}; got"):
        check_rule(rule, threshold)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("threshold", [0, 0.5, 1, np.float32(0.5), np.int8(1)])
def test_any_kind_of_number_is_a_threshold(rule, threshold):
    assert check_rule(rule, threshold) == float(threshold)
    assert check_rule(rule, None) == RULES[rule].default


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("threshold", [1.0001, float("inf")])
def test_only_a_chance_ends_at_1(rule, threshold):
    if rule in CHANCES:
        with pytest.raises(ValueError, match=f"threshold must be a number from 0 to 1 for the rule {rule}"):
            check_rule(rule, threshold)
    else:
        assert check_rule(rule, threshold) == threshold


@pytest.mark.parametrize("rule", ["z", "", "MAD", None, 3, ["mad"], {}])
def test_an_unknown_rule_is_refused_with_the_known_ones(rule):
    with pytest.raises(ValueError, match="rule must be one of raw, sd, mad, effect, bh, permutation; got"):
        check_rule(rule, None)


# Against the textbook ----------------------------------------------------------------------------------------------


@given(st.lists(FINITE, min_size=3, max_size=30), st.floats(0, 5))
def test_the_raw_and_sd_rules_are_their_one_line(values, threshold):
    assert ruled("raw", values, threshold) == ([i for i, value in enumerate(values) if value > threshold], "")
    flagged, reason = ruled("sd", values, threshold)
    assert reason == ("" if np.ptp(values) and np.std(values, ddof=1) else words.NO_SPREAD)
    n = len(values)
    mean = sum(values) / n
    limit = mean + threshold * (sum((value - mean) ** 2 for value in values) / (n - 1)) ** 0.5
    close = 1e-9 * max(1, max(map(abs, values)))
    if not reason:
        assert {i for i in range(n) if values[i] > limit + close} <= set(flagged)
        assert set(flagged) <= {i for i in range(n) if values[i] > limit - close}


@given(st.lists(FINITE, min_size=3, max_size=30))
def test_the_mad_index_is_the_distance_from_the_median_in_scaled_mads(values):
    values = np.array(values)
    mad = stats.median_abs_deviation(values)
    index = mad_index(values)
    if mad == 0:
        assert (index == np.where(values == np.median(values), 0, np.inf)).all()
    elif mad > 1e-290:
        np.testing.assert_allclose(index, abs(values - np.median(values)) / (1.4826 * mad), rtol=1e-12)


def test_a_gap_too_large_for_a_float_is_infinite_without_a_warning():
    assert mad_index(np.array([-1.7e308, 1e308, 1.7e308])).tolist() == pytest.approx([np.inf, 0, 1 / 1.4826])


def test_the_factor_makes_the_mad_a_standard_deviation():
    assert 1 / stats.norm.ppf(0.75) == pytest.approx(1.4826, abs=1e-4)


@given(st.lists(st.integers(-100, 100), min_size=3, max_size=20), st.integers(1, 4), st.integers(-9, 9), st.data())
def test_the_mad_index_knows_no_unit_no_zero_and_no_order(values, scale, offset, data):
    values = np.array(values)
    order = data.draw(st.permutations(range(len(values))))
    index = mad_index(values)
    np.testing.assert_allclose(mad_index(values * scale + offset), index, rtol=1e-9)
    np.testing.assert_array_equal(mad_index(values[order]), index[order])


def test_mad_looks_at_both_sides_and_sd_and_raw_above_only():
    values = [-100, *range(10), 100]
    assert ruled("mad", values) == ([0, 11], "")
    assert ruled("sd", values, 2) == ([11], "")
    assert ruled("raw", values, 50) == ([11], "")


def test_a_value_at_the_limit_is_not_above_it():
    assert ruled("raw", [1, 2, 3], 2) == ([2], "")
    assert ruled("sd", [0, 1, 2], 0) == ([2], "")
    assert ruled("effect", effect_size=[0.8, 0.9]) == ([1], "")
    assert ruled("mad", [0, 1, 2, 3, 9], mad_index(np.array([0.0, 1, 2, 3, 9]))[0]) == ([4], "")


def test_a_chance_at_the_limit_is_small_enough():
    assert ruled("bh", threshold=0.05, effect_size=[9], p=[0.05]) == ([0], "")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 1))
def test_benjamini_hochberg_is_the_step_up_rule(p, rate):
    n, best = len(p), 0
    for rank, value in enumerate(sorted(p), start=1):
        if value * n / rank <= rate:
            best = value
    clear = all(abs(value * n / rank - rate) > 1e-12 for rank, value in enumerate(sorted(p), start=1))
    expected = [i for i in range(n) if p[i] <= best and any(v * n / r <= rate for r, v in enumerate(sorted(p), 1))]
    flagged, reason = ruled("bh", threshold=rate, effect_size=np.full(n, 9), p=p)
    assert reason == ""
    if clear:
        assert flagged == expected


def test_benjamini_hochberg_flags_no_small_effect_however_certain():
    assert ruled("bh", effect_size=[0.49, -0.51, 0.5, 9], p=[0, 0, 0, 0.9]) == ([1], "")


def test_the_effect_rule_looks_at_the_size_and_not_at_the_sign():
    assert ruled("effect", effect_size=[0.7, -0.9, np.inf, -np.inf, 0.8]) == ([1, 2, 3], "")


def test_the_permutation_rule_counts_the_splits_that_look_as_bad():
    maxima = [1, 2, 3, 4] * 5  # 20 of them, so a chance is a count of 21
    effect = [4.5, -4.5, 4, 3.5, 2.5, 0]  # with 1, 1, 6, 6, 11 and 21 in 21 at least as large
    cases = (
        (0.05, [0, 1]),
        (0.28, [0, 1]),
        (6 / 21, [0, 1, 2, 3]),
        (11 / 21, [0, 1, 2, 3, 4]),
        (1, [0, 1, 2, 3, 4, 5]),
    )
    for threshold, flagged in cases:
        assert ruled("permutation", threshold=threshold, effect_size=effect, null_maxima=maxima) == (flagged, "")


def test_a_split_ties_with_itself_in_spite_of_rounding():
    assert ruled("permutation", effect_size=[3 + 1e-12], null_maxima=[3.0] * 99)[0] == []


# Permutations ------------------------------------------------------------------------------------------------------


def brute_force(clean, suspect, classes, rng, times):
    """Return the set of maxima over random splits that keep the classes, each by the long way round."""
    rows, codes, found = np.concatenate([clean, suspect]), np.concatenate(classes), set()
    for _ in range(times):
        chosen = np.zeros(len(rows), dtype=bool)
        for code in set(codes):
            chosen[rng.permutation(np.flatnonzero(codes == code))[: (classes[1] == code).sum()]] = True
        matched = match_classes(rows[~chosen], rows[chosen], codes[~chosen], codes[chosen])
        d = welch(*map(measure, matched))[1]
        found.add(round(float(abs(d).max()), 9))
    return found


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ([0] * 2, [0]),
        ([0] * 4, [0] * 3),
        ([0, 0, 0, 1, 1], [0, 1]),
        ([1, 0, 1, 0, 1], [1, 1]),
        ([0, 1, 2, 0, 1, 2], [2]),
        ([0, 1, 2, 0, 1, 2], [1, 2]),
    ],
)
def test_permutations_give_what_the_long_way_round_gives(known, asked):
    rng = np.random.default_rng(3)
    clean, suspect = rng.normal(size=(len(known), 3)), rng.normal(size=(len(asked), 3))
    classes = np.array(known), np.array(asked)
    expected = brute_force(clean, suspect, classes, rng, 600)
    maxima = permutation_maxima(*match_classes(clean, suspect, *classes), rng, 600, classes)
    assert maxima.shape == (600,)
    assert {round(value, 9) for value in maxima} == expected  # few rows have few splits, so both saw them all
    assert len(expected) > 2


@pytest.mark.parametrize(("sums", "keys"), [(7 * 6, 10**6), (1, 1), (10**6, 800), (10**6, 2400)])
def test_neither_how_many_splits_nor_how_many_rows_go_together_changes_what_can_come_out(monkeypatch, sums, keys):
    rng = np.random.default_rng(3)
    clean, suspect, classes = rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), (np.arange(5) % 2, np.array([0, 1]))
    expected = brute_force(clean, suspect, classes, rng, 600)
    monkeypatch.setattr(permutation, "SUMS", sums)
    monkeypatch.setattr(permutation, "KEYS", keys)
    maxima = permutation_maxima(clean, suspect, rng, 800, classes)
    assert maxima.shape == (800,)
    found, counts = np.unique(maxima.round(9), return_counts=True)
    assert set(found.tolist()) == expected
    assert stats.chisquare(counts).pvalue > 1e-4  # each of the splits is as likely as the others


@pytest.mark.parametrize(
    ("sums", "keys", "times", "expected"),
    [
        (4 * 3, 10**6, 10, [24, 32, 56, 64, 76, 80]),
        (1, 10**6, 2, [6, 8, 14, 16]),  # one split at a time
        (1, 1, 1, [1, 2, 3, 4, 5, 6, 7, 8]),  # and one row
    ],
)
def test_progress_hears_how_far_the_splits_are(monkeypatch, sums, keys, times, expected):
    monkeypatch.setattr(permutation, "SUMS", sums)
    monkeypatch.setattr(permutation, "KEYS", keys)
    heard, rows = [], np.random.default_rng(0).normal(size=(8, 3))
    permutation_maxima(rows[:6], rows[6:], np.random.default_rng(0), times, progress=lambda *told: heard.append(told))
    assert heard == [(done, 8 * times) for done in expected]


def test_streams_are_permuted_as_arrays_are():
    clean, suspect = np.random.default_rng(0).normal(size=(2, 30, 4))
    for labels in (None, (np.arange(30) % 3,) * 2):
        whole, stream = (
            compare(*sets, labels=labels, rng=np.random.default_rng(1), n_permutations=50)
            for sets in ((clean, suspect), (iter([clean[:7], clean[7:]]), iter([suspect])))
        )
        np.testing.assert_allclose(stream.shift, whole.shift, rtol=1e-12)
        np.testing.assert_array_equal(stream.null_maxima, whole.null_maxima)


def test_one_class_for_all_is_the_same_as_no_classes():
    clean, suspect = np.random.default_rng(0).normal(size=(2, 6, 3))
    zeros = np.zeros(6, dtype=int)
    first, second = (
        permutation_maxima(clean, suspect, np.random.default_rng(1), 50, c) for c in (None, (zeros, zeros))
    )
    assert (first == second).all()


def test_a_split_that_sets_two_constants_apart_has_an_infinite_effect():
    maxima = permutation_maxima(np.zeros((2, 1)), np.ones((2, 1)), np.random.default_rng(0), 60)
    assert set(maxima) == {0, np.inf}  # as in `welch`; the other splits take one of each


def test_constant_neurons_have_no_say_in_a_permutation():
    rng = np.random.default_rng(0)
    clean, suspect = rng.normal(size=(60, 4)), rng.normal(size=(20, 4))
    alone = permutation_maxima(clean, suspect, np.random.default_rng(1), 50)
    padded = [np.c_[rows, np.full((len(rows), 2), [0.1, 1e6 / 3])] for rows in (clean, suspect)]
    np.testing.assert_allclose(permutation_maxima(*padded, np.random.default_rng(1), 50), alone, rtol=1e-9)


def test_permutations_are_reproducible_and_need_a_generator():
    clean, suspect = np.random.default_rng(0).normal(size=(2, 30, 4))
    once, again = (permutation_maxima(clean, suspect, np.random.default_rng(7), 20) for _ in range(2))
    assert (once == again).all()
    for rng in (None, 7, np.random.RandomState(7)):
        with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator for the rule permutation; got"):
            permutation_maxima(clean, suspect, rng, 20)


def test_one_permutation_can_be_made():
    assert permutation_maxima(np.eye(3), np.eye(3), np.random.default_rng(0), 1).shape == (1,)


@pytest.mark.parametrize("n_permutations", [0, -1, 1.5, "many", None])
def test_permutations_are_at_least_one(n_permutations):
    with pytest.raises(ValueError, match="n_permutations must be a whole number, at least 1; got"):
        permutation_maxima(np.ones((3, 1)), np.ones((3, 1)), np.random.default_rng(0), n_permutations)


# One comparison, many judgements ------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [None, ([0, 1] * 30, [0, 1] * 15)])
def test_one_comparison_judged_by_each_rule_is_what_analyse_finds(labels):
    rng = np.random.default_rng(0)
    clean = simulate_activations(60, rng, n_neurons=9)
    suspect = simulate_activations(30, rng, [3], rise=0.6, n_neurons=9)
    given = {"labels": labels, "outgoing": np.ones((9, 2)), "n_permutations": 99}
    seen = compare(clean, suspect, **given, rng=np.random.default_rng(1))
    again = judge(seen, "raw", 0, "shift")  # what was judged once can be judged again
    for rule in RULES:
        for over in OVER:
            expected = vars(analyse(clean, suspect, rule, 0.2, over=over, rng=np.random.default_rng(1), **given))
            for found in (judge(seen, rule, 0.2, over), judge(again, rule, 0.2, over)):
                assert vars(found).keys() == expected.keys()
                for name, value in vars(found).items():
                    if name != "null_maxima" or rule == "permutation":
                        np.testing.assert_array_equal(value, expected[name])


def test_permutations_are_made_only_when_they_are_asked_for():
    clean, suspect = np.random.default_rng(0).normal(size=(2, 6, 3))
    seen = compare(clean, suspect)
    assert seen.null_maxima.shape == (0,)
    assert judge(seen, "permutation").reason == words.TOO_FEW_PERMUTATIONS
    assert len(compare(clean, suspect, rng=np.random.default_rng(0), n_permutations=7).null_maxima) == 7


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("z",), "rule must be one of"),
        (("mad", -1), "threshold must be a number from 0 to inf for the rule mad; got -1"),
        (("mad", None, "t"), "over must be one of signature, shift, effect_size; got 't'"),
    ],
)
def test_a_judgement_that_cannot_be_asked_for_is_refused(asked, says):
    seen = compare(*np.random.default_rng(0).normal(size=(2, 6, 3)))
    with pytest.raises(ValueError, match=says):
        judge(seen, *asked)


@pytest.mark.parametrize("asked", [{"threshold": -1}, {"over": "t"}])
def test_what_cannot_be_asked_for_is_refused_before_the_sets_are_read(asked):
    stream = iter([np.eye(3)])
    with pytest.raises(ValueError, match=r"^(threshold|over) must be"):
        analyse(stream, np.eye(3), "mad", **asked)
    assert len([*stream]) == 1


# Without a backdoor ------------------------------------------------------------------------------------------------


def most_by_chance(chance, runs):
    """Return how many of the runs may raise a false alarm before the claimed chance is refuted (1 in 1000)."""
    return stats.binom.ppf(0.999, runs, chance)


def false_alarms(rule, runs, n_clean=80, n_suspect=40, n_neurons=20, labels=None, **options):
    alarms = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        clean, suspect = rng.normal(2, 0.5, (n_clean, n_neurons)), rng.normal(2, 0.5, (n_suspect, n_neurons))
        if labels is not None:
            clean, suspect = (rows + 5 * part[:, None] for rows, part in zip((clean, suspect), labels, strict=True))
        alarms += len(analyse(clean, suspect, rule, rng=rng, labels=labels, **options).flagged) > 0
    return alarms


def test_the_permutation_rule_keeps_its_chance_of_a_false_alarm():
    alarms = false_alarms("permutation", 300, threshold=0.05, n_permutations=99)
    assert stats.binom.ppf(0.001, 300, 0.05) <= alarms <= most_by_chance(0.05, 300)  # neither too many nor too few


@pytest.mark.parametrize("seen", ["all alike", "one only"])
def test_it_keeps_it_with_matched_classes_whatever_their_mix(seen):
    labels = np.arange(80) % 4, np.arange(40) % 4 if seen == "all alike" else np.zeros(40, dtype=int)
    assert false_alarms("permutation", 200, threshold=0.05, n_permutations=99, labels=labels) <= most_by_chance(
        0.05, 200
    )


def test_it_keeps_it_with_hardly_any_rows():
    # 3 + 3 rows have 20 splits, in mirrored pairs. The worst pair is drawn 1 time in 10, by the data and by each
    # permutation. An alarm needs it in the data and at most 9 times in 199 permutations.
    chance = 0.1 * stats.binom.cdf(9, 199, 0.1)
    alarms = false_alarms("permutation", 200, n_clean=3, n_suspect=3, n_neurons=1, threshold=0.05, n_permutations=199)
    assert alarms <= most_by_chance(chance, 200) < 5


def test_rows_that_have_too_few_splits_cannot_be_judged():
    rng = np.random.default_rng(0)
    for n_clean, can in ((98, False), (99, True)):  # with one more row, 99 or 100 splits
        found = analyse(rng.normal(size=(n_clean, 3)), [[9.0, 9, 9]], n_permutations=10_000)
        assert found.reason == ("" if can else words.TOO_FEW_SPLITS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("relu", [False, True])
def test_the_same_rows_in_another_order_or_moved_by_a_rounding_error_raise_no_alarm(dtype, relu):
    rng = np.random.default_rng(0)
    for n_rows, n_neurons in ((600, 512), (20_000, 16), (40, 64), (70_000, 4)):
        clean = rng.normal(0, 1, (n_rows, n_neurons)) + rng.normal(0, 2, n_neurons)
        clean = (np.maximum(clean, 0) if relu else clean).astype(dtype)
        for suspect in (rng.permutation(clean), np.nextafter(clean, dtype(np.inf))):
            seen = compare(clean, suspect, rng=rng, n_permutations=100 if n_neurons == 64 else None)
            assert not seen.shift.any()
            for rule in RULES:
                assert judge(seen, rule).flagged.tolist() == []


@pytest.mark.parametrize(("n_rows", "mean", "shift"), [(600, 2, 1e-3), (4000, 0, 1e-4)])
def test_what_is_more_than_rounding_is_still_a_shift(n_rows, mean, shift):
    clean = np.random.default_rng(0).normal(mean, 0.5, (n_rows, 64)).astype(np.float32)
    suspect = clean.copy()
    suspect[:, 3] += shift
    assert np.flatnonzero(compare(clean, suspect).shift).tolist() == [3]


def test_a_shift_as_large_as_the_rounding_of_both_sets_is_none():
    clean = Moments(3, np.zeros(2), np.ones(2), 0.25)
    suspect = Moments(3, np.array([0.5, np.nextafter(0.5, 1)]), np.ones(2), 0.25)
    assert np.flatnonzero(welch(clean, suspect)[0]).tolist() == [1]


def test_benjamini_hochberg_keeps_its_rate_even_without_its_floor(monkeypatch):
    assert false_alarms("bh", 400) <= most_by_chance(0.05, 400)
    monkeypatch.setattr("lesson_lib.naa.judgement.EFFECT_FLOOR", 0.0)
    alarms = false_alarms("bh", 400)
    assert stats.binom.ppf(0.001, 400, 0.05) <= alarms <= most_by_chance(0.05, 400)
    one_class = np.arange(80) % 4, np.zeros(40, dtype=int)
    assert false_alarms("bh", 400, labels=one_class) <= most_by_chance(0.05, 400)


def test_both_find_a_true_shift():
    rng = np.random.default_rng(0)
    clean = simulate_activations(80, rng, n_neurons=20)
    suspect = simulate_activations(40, rng, [3, 4], rise=1.0, n_neurons=20)
    for rule in CHANCES:
        assert analyse(clean, suspect, rule, rng=rng, n_permutations=199).flagged.tolist() == [3, 4]


# When a rule cannot judge ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "values", "reason"),
    [
        ("sd", [1, 2], words.TOO_FEW_FOR_SPREAD),
        ("sd", [1, 1, 1, 1], words.NO_SPREAD),
        ("sd", [0.1, 0.1, 0.1], words.NO_SPREAD),
        ("sd", [0, 1e-200, 0], words.NO_SPREAD),
        ("mad", [1], words.TOO_FEW_FOR_MAD),
        ("mad", [1, 2], words.TOO_FEW_FOR_MAD),
        ("mad", [0, 0, 0, 1, 2], words.NO_MAD),
        ("mad", [0, 0, 0, np.inf], words.NO_MAD),
        ("mad", [0, 0, 0, 0], words.NO_MAD),
        ("raw", [1, np.nan], words.TOO_FEW_FOR_EFFECT),
        ("sd", [1, np.nan, 2], words.TOO_FEW_FOR_EFFECT),
        ("mad", [1, np.nan, 2], words.TOO_FEW_FOR_EFFECT),
        ("effect", [1, np.nan], words.TOO_FEW_FOR_EFFECT),
        ("permutation", [1, np.nan], words.TOO_FEW_FOR_EFFECT),
        ("sd", [1, 2, np.inf], words.INFINITE_SPREAD),
        ("mad", [1, np.inf, np.inf], words.INFINITE_SPREAD),
        ("mad", [1, 2, np.inf, -np.inf, np.inf, -np.inf], words.INFINITE_SPREAD),
        ("permutation", [1, 2], words.TOO_FEW_PERMUTATIONS),
    ],
)
def test_a_rule_that_cannot_judge_flags_nothing_and_says_why(rule, values, reason):
    assert ruled(rule, values, null_maxima=[1] * 10) == ([], reason)


def test_a_few_infinite_effects_are_judged_by_the_others():
    assert ruled("mad", [1, 2, 3, 4, np.inf, -np.inf]) == ([4, 5], "")
    assert ruled("raw", [1, 4, np.inf, -np.inf]) == ([1, 2], "")


def test_benjamini_hochberg_without_p_says_why():
    assert ruled("bh", effect_size=[1, 1], p=[0.1, np.nan]) == ([], words.TOO_FEW_FOR_WELCH)


@pytest.mark.parametrize(("n", "threshold", "can"), [(19, 0.05, True), (18, 0.05, False), (1000, 0.0, False)])
def test_a_chance_needs_enough_permutations(n, threshold, can):
    flagged, reason = ruled("permutation", threshold=threshold, effect_size=[9, 0], null_maxima=[1] * n)
    assert (flagged, reason) == (([0], "") if can else ([], words.TOO_FEW_PERMUTATIONS))
