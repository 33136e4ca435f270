"""Mean and variance of each neuron in one pass, over arrays, memory maps, batches or Dask arrays of any length."""

import mmap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np

from lesson_lib.arrays import Array, as_rows

Progress = Callable[[int, int | None], None]

BLOCK = 2**20  # numbers between two merges
TILE = 2**17  # numbers worked on at a time: half a megabyte of float32, which stays in a processor's cache
FORGET = 2**26  # bytes of a memory map that are read before their memory is given back
LARGEST = 1e150  # the squares of larger numbers, summed over many rows, may not fit into float64
SMALLEST = 1e-30  # a smaller sum of squares may have lost digits, or everything, in float32


@dataclass(frozen=True, eq=False)
class Moments:
    """The number of rows, and per neuron the mean and the sum of squared distances from it; `a + b` merges two sets.

    Merging is exact algebra and numerically stable (Chan, Golub & LeVeque 1983), so neither the order of the rows nor
    how they were cut into batches matters beyond rounding.
    """

    n: int
    mean: Array  # (n_neurons,)
    m2: Array  # (n_neurons,)

    def __add__(self, other: "Moments") -> "Moments":
        if self.mean.shape != other.mean.shape:
            raise ValueError(f"all batches must have {len(self.mean)} neurons; got one with {len(other.mean)}")
        n = self.n + other.n
        gap = other.mean - self.mean
        return Moments(n, self.mean + gap * (other.n / n), self.m2 + other.m2 + gap * gap * (self.n * other.n / n))

    @property
    def variance(self) -> Array:
        """The variance per neuron, with n - 1 in the denominator; NaN for a single row."""
        return self.m2 / (self.n - 1) if self.n > 1 else np.full_like(self.m2, np.nan)


def measure(activations: Any, name: str = "activations", progress: Progress | None = None) -> Moments:
    """Return the moments of activations (n_rows, n_neurons) in one pass, in float64, without holding them in memory.

    `activations` is an array or memory map of any real type, a Dask array, or an iterable of such batches, of which
    some may be empty. `progress`, not used for Dask, is called with the rows done and the rows in all (None if
    unknown). Raises ValueError, naming the argument, for no rows, what is no table or has tables of unequal width, and
    values that are not finite or too large to be squared.
    """
    if _is_dask(activations):
        return _measure_with_dask(activations, name)
    batches = activations if _is_batches(activations) else [as_rows(activations, name)]
    total = None if batches is activations else len(batches[0])
    seen: Moments | None = None
    for block, room in chain.from_iterable(_rows(as_rows(batch, name, least=0)) for batch in batches):
        seen = _add_block(seen, block, room, name)
        if progress is not None:
            progress(seen.n, total)
    if seen is None:
        raise ValueError(f"{name} must have at least one row; got none")
    return seen


def in_memory(activations: Any, name: str, shape: str = "(n_rows, n_neurons)") -> Array:
    """Return all rows as one float64 array (n_rows, n_neurons); raises ValueError as `measure` does."""
    if _is_dask(activations):
        activations = activations.compute()
    if _is_batches(activations):
        blocks = [as_rows(batch, name, least=0) for batch in activations]
        if len({block.shape[1] for block in blocks}) != 1:
            raise ValueError(f"{name} must be batches of equal width, at least one")
        activations = np.concatenate(blocks)
    with np.errstate(over="ignore"):
        array = as_rows(activations, name, shape).astype(np.float64)
    _refuse(np.logical_or.reduce(~(abs(array) < LARGEST), axis=0), name)
    return array


def both_in_memory(clean: Any, suspect: Any, names: tuple[str, str] = ("clean", "suspect")) -> tuple[Array, Array]:
    """Return both sets as arrays of equal width; raises ValueError, with the name of the set that does not fit."""
    first, second = in_memory(clean, names[0]), in_memory(suspect, names[1])
    check_widths(first.shape[1], second.shape[1], names[1])
    return first, second


def check_widths(clean: int, suspect: int, name: str) -> None:
    """Raise ValueError, with the suspect set's name, unless both sets have equally many neurons."""
    if clean != suspect:
        raise ValueError(f"{name} must have as many neurons as the clean set, {clean}; got {suspect}")


def _refuse(bad: Array, name: str) -> None:
    """Raise ValueError, naming the first neuron, if any neuron is bad."""
    if bad.any():
        raise ValueError(
            f"{name} must hold finite numbers, small enough to be squared; neuron {int(bad.argmax())} does not"
        )


def _is_dask(values: Any) -> bool:
    return type(values).__module__.startswith("dask.array")


def _is_batches(values: Any) -> bool:
    """Tell batches from one table: a list of numbers' rows is a table, anything else that yields 2-D arrays is not."""
    if isinstance(values, list | tuple):
        return len(values) > 0 and _depth(values[0]) == 2
    return isinstance(values, Iterable) and not hasattr(values, "__array__")


def _depth(values: Any) -> int:
    """Return the number of dimensions; of nested lists, which may be ragged, by looking at the first of each."""
    if isinstance(values, list | tuple):
        return 1 + _depth(values[0]) if values else 1
    return np.ndim(values)


def _rows(array: Array) -> Iterator[tuple[Array, Array]]:
    """Yield a few rows at a time, and room to work on them, which saves asking for new memory each time."""
    width, pages = array.shape[1], _memory_map(array)
    step = max(1, min(BLOCK // width, len(array)))
    every = max(1, FORGET // (step * width * array.itemsize))
    room = np.empty(max(1, min(TILE // width, len(array))) * width)
    for count, start in enumerate(range(0, len(array), step), start=1):
        yield array[start : start + step], room
        if pages is not None and count % every == 0:
            pages.madvise(mmap.MADV_DONTNEED)  # gives back the memory of what was read; it stays in the file


def _memory_map(array: Any) -> Any:
    """Return the pages below an array, if it shows a file whose pages can be given back without losing changes."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    pages = getattr(array, "_mmap", None)
    return pages if hasattr(pages, "madvise") and array.mode in ("r", "r+", "w+") else None


def _add_block(seen: Moments | None, block: Array, room: Array, name: str) -> Moments:
    """Measure a few rows and merge them: float32 in float32, which is faster, or in float64 where that is too small."""
    pivot = None if seen is None else seen.mean
    if pivot is not None and len(pivot) != block.shape[1]:
        raise ValueError(f"{name} must be batches of equal width, {len(pivot)}; got one with {block.shape[1]}")
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        kind = np.float32 if block.dtype.kind == "f" and block.dtype.itemsize <= 4 else np.float64
        start, S, Q = _sums(block, pivot, room, kind)
        if kind is np.float32 and not (np.isfinite(Q) & ((Q > SMALLEST) | (S == 0))).all():
            start, S, Q = _sums(block, pivot, room, np.float64)
        found = Moments(len(block), start + S / len(block), np.maximum(Q - S * S / len(block), 0))
        seen = found if seen is None else seen + found
    _refuse(~(np.isfinite(seen.m2) & (abs(seen.mean) < LARGEST)), name)
    return seen


def _sums(block: Array, pivot: Array | None, room: Array, kind: type[Any]) -> tuple[Array, Array, Array]:
    """Sum the gaps and their squares from a point near the mean, so that no digits are lost: S, Q (n_neurons,)."""
    start = (block[0] if pivot is None else pivot).astype(kind)
    S, Q, step = np.zeros(len(start)), np.zeros(len(start)), len(room) // len(start)
    for rows in (block[first : first + step] for first in range(0, len(block), step)):
        ones, gaps = np.ones(len(rows), kind), room.view(kind)[: rows.size].reshape(rows.shape)  # (n, n_neurons)
        np.subtract(rows, start, out=gaps, dtype=kind)
        S += ones @ gaps
        np.square(gaps, out=gaps)
        Q += ones @ gaps
    return start.astype(np.float64), S, Q


def _measure_with_dask(activations: Any, name: str) -> Moments:
    """Let the workers measure their own blocks, and merge what they found."""
    import dask

    def measure_if_any(block: Any) -> Moments | None:
        return measure(block, name) if len(block) else None  # a filter can leave a block empty

    if activations.ndim != 2 or activations.shape[1] == 0:
        raise ValueError(f"{name} must have shape (n_rows, n_neurons), at least (1, 1); got {activations.shape}")
    blocks = activations.rechunk({1: -1}).to_delayed().ravel()
    found = dask.compute(*map(dask.delayed(measure_if_any), blocks))
    parts: list[Moments] = [part for part in found if part is not None]
    if not parts:
        raise ValueError(f"{name} must have at least one row; got none")
    return reduce(Moments.__add__, parts)
