"""Compare two sets of activations: how far each neuron shifted, how large that is, and how likely by chance."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from scipy import stats

from lesson_lib.arrays import Array, Indices, Progress, as_labels
from lesson_lib.naa.moments import Moments, both_in_memory, check_widths, in_memory, measure, measure_classes
from lesson_lib.naa.permutation import permutation_maxima


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
    sets may be anything that `measure` takes; labels and permutations read them several times, a stream into memory
    first. `progress(done, all)` is called as permutations go on. Raises ValueError for what does not fit.
    """
    null_maxima, effective_n, several_times = np.array([]), None, labels is not None or n_permutations is not None
    if several_times:
        sets = (clean, "clean"), (suspect, "suspect")
        clean, suspect = (in_memory(*rows) if isinstance(rows[0], Iterator) else rows[0] for rows in sets)
    before, after = measure(clean, "clean"), measure(suspect, "suspect")
    check_widths(len(before.mean), len(after.mean), "suspect")
    if several_times:
        classes = tuple(np.zeros(part.n, dtype=int) for part in (before, after))
        if labels is not None:
            classes = _read_labels((before.n, after.n), labels)
            effective_n = _effective_sample_size(*classes)
        before, after = _match(clean, suspect, *classes)
    if n_permutations is not None:
        null_maxima = permutation_maxima(clean, suspect, rng, n_permutations, classes, progress)
    found = welch(before, after, effective_n)
    moved = None if outgoing is None else contribution(found[0], outgoing)
    return Comparison(*found, before.n, after.n, moved, null_maxima)


def welch(clean: Moments, suspect: Moments, effective_n: float | None = None) -> tuple[Array, Array, Array, Array]:
    """Return shift, Cohen's d, Welch's t and p per neuron; 0, 0 and 1 where nothing varies and nothing shifted.

    A constant neuron that did shift has an infinite d and t. Too few rows give NaN: 3 in all for d, 2 each for t.
    A shift that the rounding of numbers explains is none. `effective_n` is how many clean rows the clean mean is
    worth, if not all count alike, as with matched classes.
    """
    shift = suspect.mean - clean.mean
    shift[abs(shift) <= clean.rounding + suspect.rounding] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(np.divide(clean.m2 + suspect.m2, clean.n + suspect.n - 2))
        errors = clean.variance / (clean.n if effective_n is None else effective_n), suspect.variance / suspect.n
        error = np.sqrt(errors[0] + errors[1])
        share = errors[0] / (errors[0] + errors[1])  # of the error, the clean set's
        freedom = 1 / (share**2 / (clean.n - 1) + (1 - share) ** 2 / (suspect.n - 1))  # Welch & Satterthwaite
        d, t = (np.where((shift == 0) & (spread == 0), 0.0, shift / spread) for spread in (pooled, error))
    p = 2 * stats.t.sf(abs(t), np.where(np.isnan(freedom), 1.0, freedom))
    return shift, d, t, p


def contribution(shift: Array, outgoing: Any) -> Array:
    """Return shift x outgoing weight (n_neurons, n_out): how far each neuron's shift moves each output."""
    weights = in_memory(outgoing, "outgoing", "(n_neurons, n_out)")
    if len(weights) != len(shift):
        raise ValueError(f"outgoing must have one row per neuron, {len(shift)}; got shape {weights.shape}")
    return shift[:, None] * weights


# Like with like ------------------------------------------------------------------------------------------------------


def match_classes(clean: Any, suspect: Any, clean_labels: Any, suspect_labels: Any) -> tuple[Array, Array]:
    """Return both sets with the clean mean of each row's class taken off, so that a mix of classes shifts nothing.

    Raises ValueError for labels of the wrong number, and for a suspect class that the clean set does not have.
    """
    clean, suspect = both_in_memory(clean, suspect)
    known, asked = _read_labels((len(clean), len(suspect)), (clean_labels, suspect_labels))
    first = clean[np.unique(known, return_index=True)[1]]  # (n_classes, n_neurons), one clean row of each class
    clean, suspect = clean - first[known], suspect - first[asked]  # what is constant within a class becomes exactly 0
    means = np.array([clean[known == code].mean(axis=0) for code in range(len(first))])  # (n_classes, n_neurons)
    return clean - means[known], suspect - means[asked]


def _match(clean: Any, suspect: Any, known: Indices, asked: Indices) -> tuple[Moments, Moments]:
    """Return the moments of what `match_classes` returns, without holding it in memory."""
    n_classes = known.max() + 1
    own, other = measure_classes(clean, known, n_classes), measure_classes(suspect, asked, n_classes)
    gaps = [[replace(part, mean=part.mean - own[code].mean) for code, part in enumerate(each)] for each in (own, other)]
    return reduce(Moments.__add__, gaps[0]), reduce(Moments.__add__, gaps[1])


def _read_labels(n_rows: tuple[int, int], labels: tuple[Any, Any]) -> tuple[Indices, Indices]:
    """Return the class of each clean and each suspect row as a number 0, 1, ..."""
    if not isinstance(labels, list | tuple) or len(labels) != 2:
        raise ValueError("labels must be a pair: the clean rows' labels and the suspect rows' labels")
    known = as_labels(labels[0], "labels of clean")
    asked = as_labels(labels[1], "labels of suspect", like=known)
    for name, n, part in (("clean", n_rows[0], known), ("suspect", n_rows[1], asked)):
        if part.shape != (n,):
            raise ValueError(f"labels of {name} must have shape ({n},); got {part.shape}")
    names, codes = np.unique(np.concatenate([known, asked]), return_inverse=True)
    known, asked = codes[: n_rows[0]], codes[n_rows[0] :]
    unknown = np.setdiff1d(asked, known)
    if len(unknown):
        raise ValueError(f"labels of suspect must be classes of the clean set; {names[unknown].tolist()} are not")
    return known, asked


def _effective_sample_size(known: Indices, asked: Indices) -> float:
    """Return how many clean rows the clean mean is worth when each class counts as often as the suspect set has it.

    Source: Kish 1965, for weighted rows, less the degrees of freedom that the class means took.
    """
    n = np.bincount(known)  # (n_classes,)
    share = np.bincount(asked, minlength=len(n)) / len(asked)
    lost = (len(known) - len(n)) / max(len(known) - 1, 1)
    return float(lost / (share**2 / n).sum())
