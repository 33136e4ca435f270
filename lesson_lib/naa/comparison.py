"""Compare two sets of activations: how far each neuron shifted, how large that is, and how likely by chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from lesson_lib.arrays import Array, Indices
from lesson_lib.naa.moments import Moments, both_in_memory, check_widths, in_memory, measure

AT_ONCE = 50  # splits that are worked on together


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
) -> Comparison:
    """Compare suspect with clean activations, both (n_rows, n_neurons), for `judge` to flag neurons by any rule.

    `outgoing` (n_neurons, n_out) weighs each shift by what it can change. `labels` (clean, suspect) compares each row
    with the clean mean of its own class. `n_permutations`, which needs a Generator, is for the rule "permutation". The
    sets may be anything that `measure` takes; labels and permutations need them in memory. Raises ValueError for what
    does not fit.
    """
    classes, null_maxima = None, np.array([])
    if labels is not None or n_permutations is not None:
        clean, suspect = both_in_memory(clean, suspect)
    if labels is not None:
        classes = _read_labels(clean, suspect, labels)
        clean, suspect = _subtract_class_means(clean, suspect, *classes)
    before, after = measure(clean, "clean"), measure(suspect, "suspect")
    found = welch(before, after, None if classes is None else _effective_sample_size(*classes))
    if n_permutations is not None:
        null_maxima = permutation_maxima(clean, suspect, rng, n_permutations, classes)
    moved = None if outgoing is None else contribution(found[0], outgoing)
    return Comparison(*found, before.n, after.n, moved, null_maxima)


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
    return shift[:, None] * weights


# Like with like ------------------------------------------------------------------------------------------------------


def match_classes(clean: Any, suspect: Any, clean_labels: Any, suspect_labels: Any) -> tuple[Array, Array]:
    """Return both sets with the clean mean of each row's class taken off, so that a mix of classes shifts nothing.

    Raises ValueError for labels of the wrong number, and for a suspect class that the clean set does not have.
    """
    clean, suspect = both_in_memory(clean, suspect)
    return _subtract_class_means(clean, suspect, *_read_labels(clean, suspect, (clean_labels, suspect_labels)))


def _read_labels(clean: Array, suspect: Array, labels: tuple[Any, Any]) -> tuple[Indices, Indices]:
    """Return the class of each clean and each suspect row as a number 0, 1, ..."""
    if not isinstance(labels, list | tuple) or len(labels) != 2:
        raise ValueError("labels must be a pair: the clean rows' labels and the suspect rows' labels")
    both = [np.asarray(part) for part in labels]
    for name, rows, part in zip(("clean", "suspect"), (clean, suspect), both, strict=True):
        if part.shape != (len(rows),):
            raise ValueError(f"labels of {name} must have shape ({len(rows)},); got {part.shape}")
    try:
        names, codes = np.unique(np.concatenate(both), return_inverse=True)
    except TypeError:
        raise ValueError("labels must be of one kind, all numbers or all text") from None
    known, asked = codes[: len(clean)], codes[len(clean) :]
    unknown = np.setdiff1d(asked, known)
    if len(unknown):
        raise ValueError(f"labels of suspect must be classes of the clean set; {names[unknown].tolist()} are not")
    return known, asked


def _subtract_class_means(clean: Array, suspect: Array, known: Indices, asked: Indices) -> tuple[Array, Array]:
    """Take off the clean mean of each row's class; what is constant within a class becomes exactly 0."""
    first = clean[np.unique(known, return_index=True)[1]]  # (n_classes, n_neurons), one clean row of each class
    clean, suspect = clean - first[known], suspect - first[asked]
    means = np.array([clean[known == code].mean(axis=0) for code in range(len(first))])  # (n_classes, n_neurons)
    return clean - means[known], suspect - means[asked]


def _effective_sample_size(known: Indices, asked: Indices) -> float:
    """Return how many clean rows the clean mean is worth when each class counts as often as the suspect set has it.

    Source: Kish 1965, for weighted rows, less the degrees of freedom that the class means took.
    """
    n = np.bincount(known)  # (n_classes,)
    share = np.bincount(asked, minlength=len(n)) / len(asked)
    lost = (len(known) - len(n)) / max(len(known) - 1, 1)
    return float(lost / (share**2 / n).sum())


# What chance alone can do --------------------------------------------------------------------------------------------


def permutation_maxima(
    clean: Array, suspect: Array, rng: Any, n_permutations: int, classes: tuple[Indices, Indices] | None = None
) -> Array:
    """Return the largest |Cohen's d| over the neurons for each of many random splits of all rows into two such sets.

    If nothing sets the suspect rows apart, the real split is one of these. `classes` (clean, suspect) are kept: each
    split takes as many rows of a class as the real one, and compares with the others of that class, as `match_classes`
    does. Source: Westfall & Young 1993.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator for the rule permutation; got {rng!r}")
    if not isinstance(n_permutations, int | np.integer) or n_permutations < 1:
        raise ValueError(f"n_permutations must be a whole number, at least 1; got {n_permutations!r}")
    known, asked = classes or (np.zeros(len(part), dtype=int) for part in (clean, suspect))
    codes, taken = np.concatenate([known, asked]), np.bincount(asked, minlength=known.max() + 1)
    rows = np.concatenate([clean, suspect]) - clean[0]  # now a constant neuron is exactly 0
    groups = [rows[codes == code] - rows[codes == code].mean(axis=0) for code in range(len(taken))]
    maxima = []
    for done in range(0, n_permutations, AT_ONCE):
        keys = rng.random((min(AT_ONCE, n_permutations - done), len(rows)))
        maxima.append(_largest_effects(groups, taken, [keys[:, codes == code] for code in range(len(taken))]))
    return np.concatenate(maxima)


def _largest_effects(groups: list[Array], taken: Indices, keys: list[Array]) -> Array:
    """Return the largest |d| of each split, which takes from each class so many rows, those with the smallest keys.

    As the rows of a class are centred, those that are left sum up to minus what those taken do.
    """
    shift: Any = 0.0
    within: Any = sum((rows**2).sum(axis=0) for rows in groups)  # what all rows vary by, then without the shifts
    floor = 1e-12 * within  # less than that is rounding
    for rows, n_taken, key in zip(groups, taken, keys, strict=True):
        split, n_left = np.zeros(key.shape), len(rows) - n_taken
        np.put_along_axis(split, key.argsort(axis=1)[:, :n_taken], 1.0, axis=1)
        sums = split @ rows  # (n_splits, n_neurons), of the rows taken
        shift = shift + sums * (1 + n_taken / n_left) / taken.sum()
        within = within + sums**2 * (1 / n_left + n_taken / n_left**2)
    within = within - taken.sum() * shift**2
    freedom = max(sum(map(len, groups)) - 2, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.where(shift == 0, 0.0, abs(shift) / np.sqrt(np.where(within > floor, within, 0.0) / freedom))
    largest: Array = d.max(axis=1)
    return largest
