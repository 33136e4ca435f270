"""Compare two sets of activations once: how far each neuron shifted, how large that is, and how likely by chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from lesson_lib.arrays import Array
from lesson_lib.naa.classes import effective_sample_size, read_labels, subtract_class_means
from lesson_lib.naa.moments import Moments, Progress, both_in_memory, check_widths, in_memory, measure
from lesson_lib.naa.permutations import permutation_maxima


@dataclass(frozen=True, eq=False)
class Comparison:
    """What sets the suspect activations apart from the clean ones; arrays have shape (n_neurons,) unless it is said."""

    shift: Array  # mean over suspect rows - mean over clean rows
    effect_size: Array  # Cohen's d: the shift over the pooled standard deviation (ddof = 1)
    t: Array  # Welch's t
    p: Array  # Welch's two-sided p
    n_clean: int
    n_suspect: int
    contribution: Array | None  # (n_neurons, n_out), shift x outgoing weight, when weights were given
    null_maxima: Array  # (n_permutations,), the largest |effect size| of each; empty unless they were asked for

    @property
    def signature(self) -> Array:
        """The article's signature: |shift|."""
        return abs(self.shift)

    @property
    def adjusted_p(self) -> Array:
        """The p values as Benjamini & Hochberg (1995) adjust them: the false discovery rate from which each counts."""
        return np.asarray(stats.false_discovery_control(self.p, method="bh"))


def compare(
    clean: Any,
    suspect: Any,
    *,
    outgoing: Any = None,
    labels: tuple[Any, Any] | None = None,
    rng: np.random.Generator | None = None,
    n_permutations: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare suspect with clean activations, both (n_rows, n_neurons), for `judge` to flag neurons by any rule.

    `outgoing` (n_neurons, n_out) weighs each shift by what it can change. `labels` (clean, suspect) compares each row
    with the clean mean of its own class. `n_permutations`, which needs a Generator, is for the rule "permutation". The
    sets may be anything that `moments.measure` takes; labels and permutations need them in memory. Raises ValueError
    for what does not fit.
    """
    classes = None
    if labels is not None or n_permutations is not None:
        clean, suspect = both_in_memory(clean, suspect)
    if labels is not None:
        classes = read_labels(clean, suspect, labels)
        clean, suspect = subtract_class_means(clean, suspect, *classes)
    before, after = measure(clean, "clean", progress), measure(suspect, "suspect", progress)
    shift, effect_size, t, p = welch(before, after, None if classes is None else effective_sample_size(*classes))
    maxima = np.array([])
    if n_permutations is not None:
        maxima = permutation_maxima(clean, suspect, rng, n_permutations, classes)
    return Comparison(
        shift=shift,
        effect_size=effect_size,
        t=t,
        p=p,
        n_clean=before.n,
        n_suspect=after.n,
        contribution=None if outgoing is None else contribution(shift, outgoing),
        null_maxima=maxima,
    )


def welch(clean: Moments, suspect: Moments, effective_n: float | None = None) -> tuple[Array, Array, Array, Array]:
    """Return shift, Cohen's d, Welch's t and p per neuron; 0, 0 and 1 where nothing varies and nothing shifted.

    A constant neuron that did shift has an infinite d and t. Too few rows give NaN: 3 in all for d, 2 each for t.
    `effective_n` is how many clean rows the clean mean is worth, if not all count alike, as with matched classes.
    """
    check_widths(len(clean.mean), len(suspect.mean), "suspect")
    shift = suspect.mean - clean.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(np.divide(clean.m2 + suspect.m2, clean.n + suspect.n - 2))
        errors = clean.variance / (clean.n if effective_n is None else effective_n), suspect.variance / suspect.n
        error = np.sqrt(errors[0] + errors[1])
        share = errors[0] / (errors[0] + errors[1])  # of the error, the clean set's
        freedom = 1 / (share**2 / (clean.n - 1) + (1 - share) ** 2 / (suspect.n - 1))  # Welch & Satterthwaite
        d, t = (np.where((shift == 0) & (spread == 0), 0.0, shift / spread) for spread in (pooled, error))
    p = np.where(np.isnan(t), np.nan, 2 * stats.t.sf(abs(t), np.where(np.isnan(freedom), 1.0, freedom)))
    return shift, d, t, p


def contribution(shift: Array, outgoing: Any) -> Array:
    """Return shift x outgoing weight (n_neurons, n_out): how far each neuron's shift moves each output."""
    weights = in_memory(outgoing, "outgoing", "(n_neurons, n_out)")
    if len(weights) != len(shift):
        raise ValueError(f"outgoing must have one row per neuron, {len(shift)}; got shape {weights.shape}")
    return np.asarray(shift[:, None] * weights, dtype=np.float64)
