"""Mean and variance of each neuron in one pass, over arrays, memory maps, batches or Dask arrays of any length."""

import mmap
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from lesson_lib.arrays import Array, Indices, as_rows, bare

BLOCK = 2**18  # numbers worked on at a time: a megabyte of float32, which stays in a processor's cache
MOST_ROWS = 2**12  # rows worked on at a time: a sum of more would lose digits
FORGET = 2**26  # bytes of a memory map that are read before their memory is given back
LARGEST = 1e150  # the squares of larger numbers, summed over many rows, may not fit into float64
SMALLEST = 1e-30  # a smaller sum of squares may have lost digits, or everything, in float32
SAFE = 4  # so many times further off than usual may the rounding of a sum take it


@dataclass(frozen=True, eq=False)
class Moments:
    """The number of rows, and per neuron the mean and the sum of squared distances from it; `a + b` merges two sets.

    Merging is exact algebra and numerically stable (Chan, Golub & LeVeque 1983), so neither the order of the rows nor
    how they were cut into batches matters beyond rounding.
    """

    n: int
    mean: Array  # (n_neurons,)
    m2: Array  # (n_neurons,)
    rounding: Any = 0.0  # (n_neurons,), how far off the mean may be because numbers are rounded

    def __add__(self, other: "Moments") -> "Moments":
        if not (self.n or other.n):
            return self
        n = self.n + other.n
        gap = other.mean - self.mean
        m2 = self.m2 + other.m2 + gap * gap * (self.n * other.n / n)
        return Moments(n, self.mean + gap * (other.n / n), m2, np.maximum(self.rounding, other.rounding))

    @property
    def variance(self) -> Array:
        """The variance per neuron, with n - 1 in the denominator; NaN for a single row."""
        return self.m2 / (self.n - 1) if self.n > 1 else np.full_like(self.m2, np.nan)


NO_ROWS = Moments(0, np.zeros(1), np.zeros(1))


def measure(activations: Any, name: str = "activations") -> Moments:
    """Return the moments of activations (n_rows, n_neurons) in one pass, in float64, without holding them in memory.

    `activations` is an array or memory map of any real type, a Dask array, or an iterable of such batches, of which
    some may be empty. Raises ValueError, naming the argument, for no rows, what is no table or has tables of unequal
    width, and values that are not finite or too large to be squared.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        seen = reduce(Moments.__add__, map(_measure_block, blocks(activations, name)))
    _refuse(~(np.isfinite(seen.m2) & (abs(seen.mean) < LARGEST)), name)
    return seen


def measure_classes(activations: Any, codes: Indices, n_classes: int) -> list[Moments]:
    """Return the moments of the rows of each class 0, 1, ..., summed up in float64; `codes` (n_rows,) has the classes.

    A class without rows has n = 0. The rows must have been measured once, so that they are known to be fit.
    """
    found, start = [NO_ROWS] * n_classes, 0
    for rows in blocks(activations):
        seen = codes[start : start + len(rows)]
        for code in np.unique(seen):
            found[code] += _measure_block(rows[seen == code], double=True)
        start += len(rows)
    return found


def blocks(activations: Any, name: str = "activations") -> Iterator[Array]:
    """Yield a few rows at a time of anything that `measure` takes, in the precision they came in.

    What a memory map has read is given back, for it stays in the file.
    """
    for table in _tables(activations, name):
        base: Any = table
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        pages: Any = getattr(base, "_mmap", None)
        gives_back = hasattr(pages, "madvise") and base.mode != "c"  # whose changes would be lost
        step = min(MOST_ROWS, max(1, BLOCK // table.shape[1]))
        every = max(1, FORGET // (step * table.shape[1] * table.itemsize))
        for count, start in enumerate(range(0, len(table), step), start=1):
            yield table[start : start + step]
            if gives_back and count % every == 0:
                pages.madvise(mmap.MADV_DONTNEED)


def in_memory(activations: Any, name: str, shape: str = "(n_rows, n_neurons)") -> Array:
    """Return all rows as one float64 array (n_rows, n_neurons); raises ValueError as `measure` does."""
    with np.errstate(over="ignore"):
        array = np.concatenate([*_tables(activations, name, shape)], dtype=np.float64)
    _refuse(np.any(~(abs(array) < LARGEST), axis=0), name)
    return array


def check_columns(values: Any, name: str, n_columns: int, why: str) -> Array:
    """Return values as an array (n_rows, n_columns); raises ValueError, with the name and why, unless they fit."""
    found = in_memory(values, name)
    if found.shape[1] != n_columns:
        raise ValueError(f"{name} must have {n_columns} columns{why}; got shape {found.shape}")
    return found


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
    if bad.any():
        raise ValueError(f"{name} must hold finite numbers, small enough to be squared; neuron {bad.argmax()} does not")


def _tables(values: Any, name: str, shape: str = "(n_rows, n_neurons)") -> Iterator[Array]:
    """Yield the one table of rows, or each of the batches; raises ValueError for no rows, and for unequal widths."""
    if type(values).__module__.startswith("dask.array"):
        whole_rows = values.rechunk(dict.fromkeys(range(1, values.ndim), -1))
        values = (block.compute() for block in whole_rows.to_delayed().ravel())
    values = bare(values, name)
    batches, least = (values, 0) if _is_batches(values) else ([values], 1)
    has_rows, width = False, None
    for table in (as_rows(batch, name, shape, least) for batch in batches):
        has_rows, width = has_rows or len(table) > 0, width or table.shape[1]
        if table.shape[1] != width:
            raise ValueError(f"{name} must be batches of equal width, {width}; got one with {table.shape[1]}")
        yield table
    if not has_rows:
        raise ValueError(f"{name} must have at least one row; got none")


def _is_batches(values: Any) -> bool:
    """Tell batches from one table: a list of numbers' rows is a table, anything else that yields 2-D arrays is not."""
    if isinstance(values, list | tuple):
        with suppress(ValueError):  # of rows of different lengths, which are no batch
            return len(values) > 0 and np.ndim(values[0]) == 2
        return False
    return isinstance(values, Iterable) and not hasattr(values, "__array__")


def _measure_block(rows: Array, double: bool = False) -> Moments:
    """Measure a few rows: float32 in float32, which is faster, or in float64 where that is too small, or asked for."""
    stored = np.finfo(rows.dtype if rows.dtype.kind == "f" and rows.dtype.itemsize <= 4 else np.float64)
    kind: type[Any] = np.float64 if double or stored.bits == 64 else np.float32
    start, S, Q = _sums(rows, kind)
    if kind is np.float32 and not (np.isfinite(Q) & ((Q > SMALLEST) | (S == 0))).all():
        start, S, Q = _sums(rows, kind := np.float64)
    mean, m2 = start + S / len(rows), np.maximum(Q - S * S / len(rows), 0)
    rounding = float(stored.eps) * np.sqrt(mean**2 + m2 / len(rows)) + float(stored.tiny)  # of the numbers
    return Moments(len(rows), mean, m2, rounding + SAFE * np.finfo(kind).eps * np.sqrt(Q))  # and of their sum


def _sums(rows: Array, kind: type[Any]) -> Array:
    """Return the first row, and the sums of the gaps from it and of their squares: (3, n_neurons), in float64."""
    start = rows[0].astype(kind)
    gaps = np.subtract(rows, start, order="C")  # small ones, so that no digits are lost
    ones = np.ones_like(gaps[:, 0])
    S = ones @ gaps
    gaps *= gaps
    return np.array([start, S, ones @ gaps], dtype=np.float64)
