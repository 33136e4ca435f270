"""Calibration: the threshold keeps its rate for any distribution, and its interval holds what it is of."""

import numpy as np
import pytest
from scipy import stats

from lesson_lib.naa import RULES, analyse, calibrate, compare, judge
from lesson_lib.naa.judgement import TAKES_OVER

DRAWS = {"normal": "standard_normal", "exponential": "standard_exponential", "heavy": "standard_cauchy"}


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize(("n", "rate"), [(19, 0.05), (60, 0.05), (200, 0.05), (30, 0.2)])
def test_the_next_clean_set_exceeds_the_threshold_at_the_rate_at_most(kind, n, rate):
    rng, above = np.random.default_rng(0), 0
    for _ in range(2000):
        *values, following = getattr(rng, DRAWS[kind])(n + 1)
        above += following > calibrate(values, rate).threshold
    assert above <= stats.binom.ppf(0.999, 2000, rate)
    assert above >= stats.binom.ppf(0.001, 2000, rate - 1 / (n + 1))


def test_the_interval_holds_the_true_quantile_as_often_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        found = calibrate(rng.standard_normal(200))
        held += found.low <= stats.norm.ppf(0.95) <= found.high
        assert found.low <= found.threshold <= found.high
    assert held >= stats.binom.ppf(0.001, 1000, 0.95)


def test_the_threshold_is_one_of_the_values_in_whatever_order():
    values = np.arange(1.0, 100.0)
    expected = (95.0, 89.0, 99.0, 0.05)  # 99 x 0.95 is 94, give or take twice 2.2
    assert calibrate(values) == calibrate(values[::-1].tolist()) == expected
    assert calibrate(values[:19]).threshold == 19
    assert calibrate([3, 1, 2], 0.9) == (1, -np.inf, 3, 0.9)
    assert calibrate(values[:19]).high == np.inf  # 19 sets cannot tell how far it goes


@pytest.mark.parametrize(
    ("values", "rate", "says"),
    [
        (np.ones(18), 0.05, "reached must have at least 19 sets for a rate of 0.05; got 18"),
        (np.ones(98), 0.01, "reached must have at least 99 sets for a rate of 0.01; got 98"),
        ([], 0.05, "reached must have"),
        ([1, np.nan] * 20, 0.05, "reached must hold finite numbers"),
        (np.ones(99), 0, "rate must be a share between 0 and 1; got 0"),
        (np.ones(99), 1, "rate must be a share between 0 and 1; got 1"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(values, rate, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        calibrate(values, rate)


@pytest.mark.parametrize(("rule", "over"), [*((r, o) for r in TAKES_OVER for o in ("signature", "effect_size")),
                                            ("effect", "signature")])  # fmt: skip
def test_just_above_what_was_reached_nothing_is_flagged_and_just_below_something(rule, over):
    rng = np.random.default_rng(0)
    seen = compare(rng.normal(size=(40, 12)), rng.normal(size=(20, 12)))
    most = judge(seen, rule, over=over).reached.max()
    assert judge(seen, rule, most * (1 + 1e-9), over).flagged.tolist() == []
    assert len(judge(seen, rule, most * (1 - 1e-9), over).flagged) == 1


@pytest.mark.parametrize("rule", sorted(set(RULES) - {*TAKES_OVER, "effect"}))
def test_where_the_threshold_is_a_chance_just_below_the_least_that_was_reached_nothing_is_flagged(rule):
    clean, suspect = np.random.default_rng(0).normal(size=(2, 30, 5))
    suspect[:, 2] += 3
    found = analyse(clean, suspect, rule)
    least = found.reached.min()
    assert found.reached.argmin() == 2
    assert judge(found, rule, least).flagged.tolist() == [2]
    assert judge(found, rule, least * (1 - 1e-9)).flagged.tolist() == []


def test_a_rule_that_cannot_judge_reaches_nothing():
    found = analyse(*np.random.default_rng(0).normal(size=(2, 30, 2)), "mad")
    assert np.isnan(found.reached).tolist() == [True, True]
