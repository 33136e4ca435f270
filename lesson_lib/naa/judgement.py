"""Judge a comparison: the rules that flag neurons, each with its source, and a vote over the classes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array, Indices, check_choice
from lesson_lib.naa import words
from lesson_lib.naa.comparison import Comparison, compare, contribution, match_classes

Answer = Array | str  # what each neuron reaches, (n_neurons,), to be compared with the threshold; or why none can be

NORMAL_MAD = 1.4826  # the standard deviation of a normal distribution, in its median absolute deviations
EFFECT_FLOOR = 0.5  # the smallest effect size that Benjamini-Hochberg may flag: "medium" (Cohen 1988)
OVER = ("signature", "shift", "effect_size")


class Rule(NamedTuple):
    """What a rule's threshold means and is by default, its source, what it looks at, and what that reaches."""

    threshold_is: str
    default: float
    source: str
    looks_at: str  # "effect_size" or "p"; "" for one of OVER, as the caller chooses
    reached: Callable[[Comparison, Array, float], Answer]  # in a comparison, by what it looks at, none of it NaN


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


def _deviations(_: Comparison, values: Array, __: float) -> Answer:
    if len(values) < 3:
        return words.TOO_FEW_FOR_SPREAD
    if np.isinf(values).any():
        return words.INFINITE_SPREAD
    spread = values.std(ddof=1)
    if np.ptp(values) == 0 or spread == 0:  # one may be 0 by rounding, and not the other
        return words.NO_SPREAD
    return np.asarray((values - values.mean()) / spread)


def _mad(_: Comparison, values: Array, __: float) -> Answer:
    if len(values) < 3:
        return words.TOO_FEW_FOR_MAD
    index = mad_index(values)
    if np.isnan(index).any():
        return words.INFINITE_SPREAD
    if not ((index > 0) & (index < np.inf)).any():
        return words.NO_MAD
    return index


def _benjamini_hochberg(seen: Comparison, _: Array, __: float) -> Answer:
    return np.where(abs(seen.effect_size) > EFFECT_FLOOR, seen.adjusted_p, np.inf)


def _permutation(seen: Comparison, values: Array, threshold: float) -> Answer:
    n = len(seen.null_maxima)
    if 1 / (n + 1) > threshold:
        return words.TOO_FEW_PERMUTATIONS
    if 1 / comb(seen.n_clean + seen.n_suspect, seen.n_suspect) > threshold:
        return words.TOO_FEW_SPLITS
    nearly = abs(values) * (1 - 1e-9)  # so that the real split ties with itself in spite of rounding
    as_large = n - np.searchsorted(np.sort(seen.null_maxima), nearly)  # (n_neurons,)
    return np.asarray((as_large + 1) / (n + 1))


RULES = {
    "raw": Rule(words.THRESHOLD_IS["raw"], 3.0, "the article's own rule", "", lambda _, values, __: values),
    "sd": Rule(words.THRESHOLD_IS["sd"], 3.0, "the three-sigma rule, Shewhart 1931", "", _deviations),
    "mad": Rule(words.THRESHOLD_IS["mad"], 3.5, "Iglewicz & Hoaglin 1993; for backdoors, Wang et al. 2019", "", _mad),
    "effect": Rule(words.THRESHOLD_IS["effect"], 0.8, "Cohen 1988", "effect_size", lambda _, d, __: abs(d)),
    "bh": Rule(words.THRESHOLD_IS["bh"], 0.05, "Benjamini & Hochberg 1995, on Welch 1947", "p", _benjamini_hochberg),
    "permutation": Rule(words.THRESHOLD_IS["permutation"], 0.01, "Westfall & Young 1993", "effect_size", _permutation),
}
DEFAULT = "permutation"  # the one that clean data of any distribution seldom alarm: benchmarks/ALARMS.md
TAKES_OVER = tuple(name for name, rule in RULES.items() if not rule.looks_at)
CHANCES = ("bh", "permutation")  # the rules whose threshold is a probability


def check_rule(rule: str, threshold: float | None, over: str = "signature") -> float:
    """Return the threshold, the rule's own default for None; raises ValueError for what the rule cannot take."""
    check_choice("rule", rule, RULES)
    check_choice("over", over, OVER)
    if threshold is None:
        return RULES[rule].default
    highest = 1.0 if rule in CHANCES else np.inf
    if not isinstance(threshold, Real) or isinstance(threshold, bool) or not 0 <= float(threshold) <= highest:
        raise ValueError(f"threshold must be a number from 0 to {highest:g} for the rule {rule}; got {threshold!r}")
    return float(threshold)


@dataclass(frozen=True, eq=False)
class Signature(Comparison):
    """A comparison and what a rule flagged in it.

    A flagged neuron answers differently. That is a shift of distribution; whether it is a backdoor is another question.
    """

    anomaly_index: Array  # (n_neurons,), the MAD index of |shift|, or of what `over` names
    reached: Array  # (n_neurons,), what the rule compares with the threshold; NaN where it cannot judge
    flagged: Indices  # (n_flagged,), in increasing order
    rule: str
    threshold: float
    reason: str  # why the rule cannot judge, "" when it can

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.reason:
            return words.CANNOT_JUDGE.format(rule=self.rule, reason=self.reason)
        return words.FLAGS.format(rule=self.rule, flagged=len(self.flagged), n=len(self.shift))


def judge(comparison: Comparison, rule: str, threshold: float | None = None, over: str = "signature") -> Signature:
    """Flag neurons of a comparison by one of RULES; `threshold` None means the rule's default.

    `over` names what the rules raw, sd and mad look at: "signature" (|shift|), "shift" or "effect_size"; raw and sd
    flag what lies far above, mad what lies far off on either side. Raises ValueError for what the rule cannot take.
    """
    threshold = check_rule(rule, threshold, over)
    looked_at: Array = getattr(comparison, RULES[rule].looks_at or over)
    if np.isnan(looked_at).any():
        answer: Answer = words.TOO_FEW_FOR_WELCH if rule == "bh" else words.TOO_FEW_FOR_EFFECT
    else:
        answer = RULES[rule].reached(comparison, looked_at, threshold)
    reason, reached = (answer, np.full_like(looked_at, np.nan)) if isinstance(answer, str) else ("", answer)
    flagged = np.flatnonzero(reached <= threshold if rule in CHANCES else reached > threshold)
    own = {"anomaly_index": mad_index(getattr(comparison, over)), "reached": reached, "flagged": flagged}
    return Signature(**vars(comparison) | own | {"rule": rule, "threshold": threshold, "reason": reason})


def analyse(
    clean: Any,
    suspect: Any,
    rule: str = DEFAULT,
    threshold: float | None = None,
    *,
    over: str = "signature",
    n_permutations: int = 1000,
    rng: np.random.Generator | None = None,
    **options: Any,
) -> Signature:
    """Compare suspect with clean activations, both (n_rows, n_neurons), and flag neurons by one of RULES.

    `rule`, `threshold` and `over` are for `judge`, the options outgoing, labels and progress for `compare`. Only the
    rule "permutation" draws from `rng`; without one it draws the same splits every time. Its promise is that clean rows
    raise a false alarm with the chance `threshold` at most, whatever their distribution. Raises ValueError for what
    does not fit.
    """
    check_rule(rule, threshold, over)  # before a long comparison
    if rule == "permutation":
        options |= {"n_permutations": n_permutations, "rng": np.random.default_rng(0) if rng is None else rng}
    return judge(compare(clean, suspect, **options), rule, threshold, over)


class Vote(NamedTuple):
    """How far a suspect set pushes each class, (n_out,), and the MAD index of each push over the classes."""

    votes: Array
    mad_index: Array  # negative for a push below the median


def class_vote(
    clean_activations: Any, suspect_activations: Any, outgoing: Any, clean_labels: Any, suspect_labels: Any
) -> Vote:
    """Add up what the class-matched shift changes at each output: a trigger pushes one class, a benign shift many.

    Activations are (n_rows, n_hidden), outgoing is W2 (n_hidden, n_out). Each row is compared with the clean mean of
    its own class, by its true label; predictions may stand in for it, but under attack they name the target. Source of
    the index over classes: Neural Cleanse (Wang et al. 2019), who take it over the sizes of reconstructed triggers.
    """
    _, suspect = match_classes(clean_activations, suspect_activations, clean_labels, suspect_labels)
    votes: Array = contribution(suspect.mean(axis=0), outgoing).sum(axis=0)  # (n_out,)
    return Vote(votes, np.copysign(mad_index(votes), votes - np.median(votes)))
