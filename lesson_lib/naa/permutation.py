"""What chance alone can do: the largest effect size in each of many random divisions of the rows."""

from operator import add
from typing import Any

import numpy as np

from lesson_lib.arrays import Array, Indices, Progress
from lesson_lib.naa.moments import Moments, blocks, measure, measure_classes

SUMS = 2**23  # numbers in the sums that are worked on together, 64 MB
KEYS = 2**20  # random numbers that are drawn together


def permutation_maxima(
    clean: Any,
    suspect: Any,
    rng: Any,
    n_permutations: int,
    classes: tuple[Indices, ...] | None = None,
    progress: Progress | None = None,
) -> Array:
    """Return the largest |Cohen's d| over the neurons for each of many random splits of all rows into two such sets.

    If nothing sets the suspect rows apart, the real split is one of these. `classes` (clean, suspect) are kept: each
    split takes as many rows of a class as the real one, and compares with the others of that class, as `match_classes`
    does. The sets are read several times, and never held in memory; `progress(done, all)` hears how far that is.
    Source: Westfall & Young 1993.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator for the rule permutation; got {rng!r}")
    if not isinstance(n_permutations, int | np.integer) or n_permutations < 1:
        raise ValueError(f"n_permutations must be a whole number, at least 1; got {n_permutations!r}")
    known, asked = classes or (np.zeros(measure(rows).n, dtype=int) for rows in (clean, suspect))
    n_classes, codes = known.max() + 1, np.concatenate([known, asked])
    parts = measure_classes(clean, known, n_classes), measure_classes(suspect, asked, n_classes)
    every = [*map(add, *parts)]
    taken = np.bincount(asked, minlength=n_classes)
    at_once = max(1, SUMS // (n_classes * len(every[0].mean)))
    maxima = []
    for done in range(0, n_permutations, at_once):
        n_splits, seen = min(at_once, n_permutations - done), 0
        sums, to_take = np.zeros((n_classes, n_splits, len(every[0].mean))), np.repeat(taken[:, None], n_splits, axis=1)
        left = [part.n for part in every]
        most = max(1, KEYS // n_splits)  # rows at a time
        all_rows = (block for each in (clean, suspect) for block in blocks(each))
        for rows in (block[start : start + most] for block in all_rows for start in range(0, len(block), most)):
            of = codes[seen : seen + len(rows)]
            for code in np.unique(of):
                some = rows[of == code] - every[code].mean  # (n, n_neurons)
                sums[code] += _take(rng, to_take[code], left[code], len(some)) @ some
                left[code] -= len(some)
            seen += len(rows)
            if progress is not None:
                progress(done * len(codes) + n_splits * seen, n_permutations * len(codes))
        maxima.append(_largest_effects(every, sums, taken))
    return np.concatenate(maxima)


def _take(rng: np.random.Generator, to_take: Indices, n_left: int, n: int) -> Array:
    """Return which of the next n rows of a class each split takes, (n_splits, n), as the rows go by.

    `to_take` (n_splits,) is how many are to be taken yet of those that are left, and goes down.
    """
    now = rng.hypergeometric(to_take, n_left - to_take, n)  # (n_splits,)
    to_take -= now
    keys = rng.random((len(now), n))
    ends = np.column_stack([np.sort(keys), np.ones(len(now))])
    return np.asarray(keys < ends[range(len(now)), now, None])  # the smallest keys


def _largest_effects(every: list[Moments], sums: Array, taken: Indices) -> Array:
    """Return the largest |d| of each split, from the sums over the rows that it takes of each class.

    The rows of a class are centred, so those that are left sum up to minus what those taken do.
    """
    shift: Any = 0.0
    within: Any = sum(part.m2 for part in every)  # what all rows vary by, then without the shifts
    floor = 1e-12 * within  # less than that is rounding
    for code, part in enumerate(every):
        n_left = part.n - taken[code]
        shift = shift + sums[code] * (1 + taken[code] / n_left) / taken.sum()
        within = within + sums[code] ** 2 * (1 / n_left + taken[code] / n_left**2)
    within = within - taken.sum() * shift**2
    freedom = max(sum(part.n for part in every) - 2, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.where(shift == 0, 0.0, abs(shift) / np.sqrt(np.where(within > floor, within, 0.0) / freedom))
    return np.asarray(d.max(axis=1))
