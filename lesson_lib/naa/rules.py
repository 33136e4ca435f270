"""The rules that turn a comparison into flagged neurons: each with its default threshold and its source."""

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lesson_lib.arrays import Array
from lesson_lib.naa import words
from lesson_lib.naa.comparison import Comparison

Answer = NDArray[np.bool_] | str  # which neurons are flagged, (n_neurons,), or why the rule cannot judge

NORMAL_MAD = 1.4826  # the standard deviation of a normal distribution, in its median absolute deviations
EFFECT_FLOOR = 0.5  # the smallest effect size that Benjamini-Hochberg may flag: "medium" (Cohen 1988)
OVER = ("signature", "shift", "effect_size")


class Rule(NamedTuple):
    """A rule: what its threshold means and is by default, where it comes from, and the function that applies it."""

    threshold_is: str
    default: float
    source: str
    apply: Callable[[Comparison, Array, float], Answer]  # to a comparison, and to what `over` names of it


def mad_index(values: Array) -> Array:
    """Return each value's distance from the median in robust standard deviations; 0 or infinity when the MAD is 0.

    All are NaN when at least half of the values are infinite, or any is NaN: then there is no MAD.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        gap = abs(values - np.median(values))
        mad = np.median(gap)
        if not np.isfinite(mad):
            return np.full_like(gap, np.nan)
        return gap / (NORMAL_MAD * mad) if mad > 0 else np.where(gap > 0, np.inf, 0.0)


def _raw(_: Comparison, values: Array, threshold: float) -> Answer:
    if np.isnan(values).any():
        return words.TOO_FEW_FOR_EFFECT
    return values > threshold


def _mean_plus_sd(_: Comparison, values: Array, threshold: float) -> Answer:
    if len(values) < 3:
        return words.TOO_FEW_FOR_SPREAD
    if np.isnan(values).any():
        return words.TOO_FEW_FOR_EFFECT
    if np.isinf(values).any():
        return words.INFINITE_SPREAD
    if np.ptp(values) == 0:
        return words.NO_SPREAD
    limit: float = values.mean() + threshold * values.std(ddof=1)
    return values > limit


def _mad(_: Comparison, values: Array, threshold: float) -> Answer:
    if len(values) < 3:
        return words.TOO_FEW_FOR_MAD
    if np.isnan(values).any():
        return words.TOO_FEW_FOR_EFFECT
    index = mad_index(values)
    if np.isnan(index).any():
        return words.INFINITE_SPREAD
    if not ((index > 0) & (index < np.inf)).any():
        return words.NO_MAD
    return index > threshold


def _effect(seen: Comparison, _: Array, threshold: float) -> Answer:
    if np.isnan(seen.effect_size).any():
        return words.TOO_FEW_FOR_EFFECT
    return abs(seen.effect_size) > threshold


def _benjamini_hochberg(seen: Comparison, _: Array, threshold: float) -> Answer:
    if np.isnan(seen.p).any():
        return words.TOO_FEW_FOR_WELCH
    return (seen.adjusted_p <= threshold) & (abs(seen.effect_size) > EFFECT_FLOOR)


def _permutation(seen: Comparison, _: Array, threshold: float) -> Answer:
    if np.isnan(seen.effect_size).any():
        return words.TOO_FEW_FOR_EFFECT
    n = len(seen.null_maxima)
    if 1 / (n + 1) > threshold:
        return words.TOO_FEW_PERMUTATIONS
    nearly = abs(seen.effect_size) * (1 - 1e-9)  # so that the real split ties with itself in spite of rounding
    as_large = n - np.searchsorted(np.sort(seen.null_maxima), nearly)  # (n_neurons,)
    return (as_large + 1) / (n + 1) <= threshold


RULES = {
    "raw": Rule(words.THRESHOLD_IS["raw"], 3.0, "the article's own rule", _raw),
    "sd": Rule(words.THRESHOLD_IS["sd"], 3.0, "the three-sigma rule, Shewhart 1931", _mean_plus_sd),
    "mad": Rule(words.THRESHOLD_IS["mad"], 3.5, "Iglewicz & Hoaglin 1993; for backdoors, Wang et al. 2019", _mad),
    "effect": Rule(words.THRESHOLD_IS["effect"], 0.8, "Cohen 1988", _effect),
    "bh": Rule(words.THRESHOLD_IS["bh"], 0.05, "Benjamini & Hochberg 1995, on Welch 1947", _benjamini_hochberg),
    "permutation": Rule(words.THRESHOLD_IS["permutation"], 0.05, "Westfall & Young 1993", _permutation),
}
TAKES_OVER = ("raw", "sd", "mad")  # the rules that look at one of OVER
CHANCES = ("bh", "permutation")  # the rules whose threshold is a probability


def check_rule(rule: str, threshold: float | None, over: str = "signature") -> float:
    """Return the threshold, the rule's own default for None; raises ValueError for what the rule cannot take."""
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}; got {rule!r}")
    if over not in OVER:
        raise ValueError(f"over must be one of {', '.join(OVER)}; got {over!r}")
    if threshold is None:
        return RULES[rule].default
    highest = 1.0 if rule in CHANCES else np.inf
    if not isinstance(threshold, Real) or isinstance(threshold, bool) or not 0 <= float(threshold) <= highest:
        raise ValueError(f"threshold must be a number from 0 to {highest:g} for the rule {rule}; got {threshold!r}")
    return float(threshold)
