"""What chance alone can do: the largest effect size over the neurons when all rows are split at random."""

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.naa.classes import Codes

AT_ONCE = 50  # splits that are worked on together


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
    codes = np.concatenate(classes) if classes else np.zeros(len(clean) + len(suspect), dtype=int)  # (n,)
    taken = np.bincount(codes[len(clean) :], minlength=codes.max() + 1)  # (n_classes,), suspect rows of each
    left = np.bincount(codes) - taken
    rows = np.concatenate([clean, suspect]) - clean[0]  # now a constant neuron is exactly 0
    for code in range(len(taken)):
        rows[codes == code] -= rows[codes == code].mean(axis=0)
    squares = (rows**2).sum(axis=0)
    maxima = []
    for done in range(0, n_permutations, AT_ONCE):
        splits = _random_splits(min(AT_ONCE, n_permutations - done), codes, taken, rng)
        sums = (splits.reshape(-1, len(rows)) @ rows).reshape(*splits.shape[:2], -1)
        maxima.append(_largest_effects(sums, squares, taken[taken > 0, None], left[taken > 0, None], len(rows)))
    return np.concatenate(maxima)


def _random_splits(n_splits: int, codes: Codes, taken: Codes, rng: np.random.Generator) -> Array:
    """Return 1 for each row that a split takes out of a class, and else 0: (n_splits, n_suspect_classes, n)."""
    sizes, many = np.bincount(codes), taken[taken > 0]
    place = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # in its class, of rows sorted by class
    chosen = place < np.repeat(taken, sizes)
    group = np.repeat(np.arange(len(many)), many)
    splits = np.zeros((n_splits, len(many), len(codes)))
    for split in splits:
        shuffled = np.lexsort((rng.random(len(codes)), codes))  # within each class
        split[group, shuffled[chosen]] = 1
    return splits


def _largest_effects(sums: Array, squares: Array, taken: Codes, left: Codes, n: int) -> Array:
    """Return the largest |d| of each split, from its sums (n_splits, n_suspect_classes, n_neurons) of the rows taken.

    As the rows are centred, a class's other rows sum up to minus that; `squares` is the sum of squares of all rows.
    """
    shift = (sums * (1 + taken / left)).sum(axis=1) / taken.sum()  # (n_splits, n_neurons)
    within = squares + (sums**2 * (1 / left + taken / left**2)).sum(axis=1) - taken.sum() * shift**2
    within = np.where(within > 1e-12 * squares, within, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.where(shift == 0, 0.0, abs(shift) / np.sqrt(within / max(n - 2, 1)))
    largest: Array = d.max(axis=1)
    return largest
