"""The rules that turn a shift per neuron into flagged neurons: each with its default threshold and its source."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lesson_lib import words

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

NORMAL_MAD = 1.4826  # the standard deviation of a normal distribution, in its median absolute deviations
EFFECT_FLOOR = 0.5  # the smallest effect size that Benjamini-Hochberg may flag: "medium" (Cohen 1988)


class Evidence(NamedTuple):
    """What a rule may look at; all arrays have shape (n_neurons,)."""

    values: Array  # the statistic to judge, |shift| unless asked otherwise
    effect_size: Array
    p: Array
    null_maxima: Array  # (n_permutations,), the largest |effect size| of each permutation; empty if not asked for


class Ruling(NamedTuple):
    """Which neurons are flagged, and why the rule cannot judge ("" when it can)."""

    flagged: Mask  # (n_neurons,)
    reason: str = ""


class Rule(NamedTuple):
    """A rule: what its threshold means and is by default, where it comes from, and the function that applies it."""

    threshold_is: str
    default: float
    source: str
    judge: Callable[[Evidence, float], Ruling]


def mad_index(values: Array) -> Array:
    """Return each value's distance from the median in robust standard deviations; 0 or infinity when the MAD is 0."""
    gap = abs(values - np.median(values))
    mad = stats.median_abs_deviation(values)
    return gap / (NORMAL_MAD * mad) if mad > 0 else np.where(gap > 0, np.inf, 0.0)


def _raw(seen: Evidence, threshold: float) -> Ruling:
    return Ruling(seen.values > threshold)


def _mean_plus_sd(seen: Evidence, threshold: float) -> Ruling:
    if len(seen.values) < 3:
        return _cannot(seen, words.TOO_FEW_FOR_SPREAD)
    if np.ptp(seen.values) == 0:
        return _cannot(seen, words.NO_SPREAD)
    return Ruling(seen.values > seen.values.mean() + threshold * seen.values.std(ddof=1))


def _mad(seen: Evidence, threshold: float) -> Ruling:
    if len(seen.values) < 3:
        return _cannot(seen, words.TOO_FEW_FOR_MAD)
    if stats.median_abs_deviation(seen.values) == 0:
        return _cannot(seen, words.NO_MAD)
    return Ruling(mad_index(seen.values) > threshold)


def _effect(seen: Evidence, threshold: float) -> Ruling:
    if np.isnan(seen.effect_size).any():
        return _cannot(seen, words.TOO_FEW_FOR_EFFECT)
    return Ruling(abs(seen.effect_size) > threshold)


def _benjamini_hochberg(seen: Evidence, threshold: float) -> Ruling:
    if np.isnan(seen.p).any():
        return _cannot(seen, words.TOO_FEW_FOR_WELCH)
    adjusted = stats.false_discovery_control(seen.p, method="bh")
    return Ruling((adjusted <= threshold) & (abs(seen.effect_size) > EFFECT_FLOOR))


def _permutation(seen: Evidence, threshold: float) -> Ruling:
    if np.isnan(seen.effect_size).any():
        return _cannot(seen, words.TOO_FEW_FOR_EFFECT)
    as_large = (seen.null_maxima[:, None] >= abs(seen.effect_size)).sum(axis=0)  # (n_neurons,)
    return Ruling((as_large + 1) / (len(seen.null_maxima) + 1) <= threshold)


def _cannot(seen: Evidence, reason: str) -> Ruling:
    return Ruling(np.zeros(len(seen.values), dtype=bool), reason)


RULES = {
    "raw": Rule(words.THRESHOLD_IS["raw"], 3.0, "the article's own rule", _raw),
    "sd": Rule(words.THRESHOLD_IS["sd"], 3.0, "the three-sigma rule, Shewhart 1931", _mean_plus_sd),
    "mad": Rule(words.THRESHOLD_IS["mad"], 3.5, "Iglewicz & Hoaglin 1993; for backdoors, Wang et al. 2019", _mad),
    "effect": Rule(words.THRESHOLD_IS["effect"], 0.8, "Cohen 1988", _effect),
    "bh": Rule(words.THRESHOLD_IS["bh"], 0.05, "Benjamini & Hochberg 1995, on Welch 1947", _benjamini_hochberg),
    "permutation": Rule(words.THRESHOLD_IS["permutation"], 0.05, "Westfall & Young 1993", _permutation),
}
CHANCES = ("bh", "permutation")  # the rules whose threshold is a probability


def check_rule(rule: str, threshold: float | None) -> float:
    """Return the threshold, the rule's own default for None; raises ValueError for what the rule cannot take."""
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}; got {rule!r}")
    if threshold is None:
        return RULES[rule].default
    highest = 1.0 if rule in CHANCES else np.inf
    if not 0 <= threshold <= highest:
        raise ValueError(f"threshold must be from 0 to {highest:g} for the rule {rule}; got {threshold!r}")
    return float(threshold)
