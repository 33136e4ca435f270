"""The rules that turn a shift per neuron into flagged neurons: each with its default threshold and its source."""

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lesson_lib.naa import words
from lesson_lib.naa.moments import Array

Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

NORMAL_MAD = 1.4826  # the standard deviation of a normal distribution, in its median absolute deviations
AT_ONCE = 50  # splits that the permutation rule works on together
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
    """Return each value's distance from the median in robust standard deviations; 0 or infinity when the MAD is 0.

    All are NaN when at least half of the values are infinite, or any is NaN: then there is no MAD.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        gap = abs(values - np.median(values))
        mad = np.median(gap)
        if not np.isfinite(mad):
            return np.full_like(gap, np.nan)
        return gap / (NORMAL_MAD * mad) if mad > 0 else np.where(gap > 0, np.inf, 0.0)


def _raw(seen: Evidence, threshold: float) -> Ruling:
    if np.isnan(seen.values).any():
        return _cannot(seen, words.TOO_FEW_FOR_EFFECT)
    return Ruling(seen.values > threshold)


def _mean_plus_sd(seen: Evidence, threshold: float) -> Ruling:
    if len(seen.values) < 3:
        return _cannot(seen, words.TOO_FEW_FOR_SPREAD)
    if np.isnan(seen.values).any():
        return _cannot(seen, words.TOO_FEW_FOR_EFFECT)
    if np.isinf(seen.values).any():
        return _cannot(seen, words.INFINITE_SPREAD)
    if np.ptp(seen.values) == 0:
        return _cannot(seen, words.NO_SPREAD)
    return Ruling(seen.values > seen.values.mean() + threshold * seen.values.std(ddof=1))


def _mad(seen: Evidence, threshold: float) -> Ruling:
    if len(seen.values) < 3:
        return _cannot(seen, words.TOO_FEW_FOR_MAD)
    if np.isnan(seen.values).any():
        return _cannot(seen, words.TOO_FEW_FOR_EFFECT)
    index = mad_index(seen.values)
    if np.isnan(index).any():
        return _cannot(seen, words.INFINITE_SPREAD)
    if not ((index > 0) & (index < np.inf)).any():
        return _cannot(seen, words.NO_MAD)
    return Ruling(index > threshold)


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
    n = len(seen.null_maxima)
    if 1 / (n + 1) > threshold:
        return _cannot(seen, words.TOO_FEW_PERMUTATIONS)
    nearly = abs(seen.effect_size) * (1 - 1e-9)  # so that the real split ties with itself in spite of rounding
    as_large = n - np.searchsorted(np.sort(seen.null_maxima), nearly)  # (n_neurons,)
    return Ruling((as_large + 1) / (n + 1) <= threshold)


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
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}; got {rule!r}")
    if threshold is None:
        return RULES[rule].default
    highest = 1.0 if rule in CHANCES else np.inf
    if not isinstance(threshold, Real) or isinstance(threshold, bool) or not 0 <= float(threshold) <= highest:
        raise ValueError(f"threshold must be a number from 0 to {highest:g} for the rule {rule}; got {threshold!r}")
    return float(threshold)


def permutation_maxima(
    clean: Array,
    suspect: Array,
    rng: np.random.Generator | None,
    n_permutations: int,
    classes: tuple[Codes, Codes] | None = None,
) -> Array:
    """Return the largest |Cohen's d| over the neurons for each of many random splits of all rows into two such sets.

    If nothing sets the suspect rows apart, the real split is one of these. `classes` (clean, suspect), 0, 1, ... a row,
    are kept: each split takes as many rows of a class as the real one, and compares with the others of that class, as
    `naa.match_classes` does. Source: Westfall & Young 1993.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator for the rule permutation; got {rng!r}")
    if not isinstance(n_permutations, int | np.integer) or n_permutations < 1:
        raise ValueError(f"n_permutations must be a whole number, at least 1; got {n_permutations!r}")
    rows = np.concatenate([clean, suspect])  # (n, n_neurons)
    n, codes = len(rows), np.concatenate(classes) if classes else np.zeros(len(rows), dtype=int)
    sizes = np.bincount(codes)  # (n_classes,)
    m = np.bincount(codes[len(clean) :], minlength=len(sizes))
    first = np.cumsum(sizes) - sizes
    take = np.arange(n) - np.repeat(first, sizes) < np.repeat(m, sizes)  # of rows sorted by class, the first m of each
    rows = rows - rows[0]  # now a constant neuron is exactly 0
    rows -= (np.add.reduceat(rows[np.argsort(codes)], first) / sizes[:, None])[codes]
    total = (rows**2).sum(axis=0)
    m, k = m[m > 0, None], (sizes - m)[m > 0, None]  # suspect and other rows of each class that suspect rows have
    group = np.repeat(np.arange(len(m)), m[:, 0])
    maxima = []
    for done in range(0, n_permutations, AT_ONCE):
        splits = np.zeros((min(AT_ONCE, n_permutations - done), len(m), n))  # 1 where a row is taken
        for split in splits:
            split[group, np.lexsort((rng.random(n), codes))[take]] = 1
        T = (splits.reshape(-1, n) @ rows).reshape(len(splits), len(m), -1)  # a class's other rows sum up to -T
        shift = (T * (1 + m / k)).sum(axis=1) / m.sum()  # (n_splits, n_neurons)
        within = total + (T**2 * (1 / k + m / k**2)).sum(axis=1) - m.sum() * shift**2
        within = np.where(within > 1e-12 * total, within, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            d = np.where(shift == 0, 0.0, abs(shift) / np.sqrt(within / max(n - 2, 1)))
        maxima.append(d.max(axis=1))
    return np.concatenate(maxima)
