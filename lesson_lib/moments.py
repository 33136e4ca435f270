"""Mean and variance of each neuron in one pass, over arrays, memory maps, batches or Dask arrays of any length."""

import mmap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Progress = Callable[[int, int | None], None]

BLOCK = 2**17  # numbers worked on at a time: half a megabyte of float32, which stays in a processor's cache
FORGET = 128  # blocks of a memory map that are read before their memory is given back


@dataclass(frozen=True)
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

    `activations` is an array or memory map of any real type, a Dask array, or an iterable of such batches.
    `progress`, if given, is called with the rows done and the rows in all (None if unknown).
    Raises ValueError, naming the argument, for no rows, other than two dimensions, batches of unequal width, and
    values that are not finite or too large to be squared.
    """
    if _is_dask(activations):
        return _measure_with_dask(activations, name)
    total = None if _is_batches(activations) else len(as_activations(activations, name))
    seen: Moments | None = None
    for block in _blocks(activations, name):
        found = _measure_block(block, None if seen is None else seen.mean, name)
        seen = found if seen is None else seen + found
        if progress is not None:
            progress(seen.n, total)
    if seen is None:
        raise ValueError(f"{name} must have at least one row; got none")
    return seen


def as_activations(values: Any, name: str) -> NDArray[Any]:
    """Return the values as an array (n_rows, n_neurons) of real numbers, without a copy where that is possible."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must have rows of equal length") from None
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers; got {array.dtype}")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (n_rows, n_neurons), at least (1, 1); got {array.shape}")
    return array


def in_memory(activations: Any, name: str) -> Array:
    """Return all rows as one float64 array (n_rows, n_neurons); raises ValueError as `measure` does."""
    if _is_dask(activations):
        activations = activations.compute()
    if _is_batches(activations):
        blocks = [as_activations(batch, name) for batch in activations]
        if len({block.shape[1] for block in blocks}) != 1:
            raise ValueError(f"{name} must be batches of equal width, at least one")
        activations = np.concatenate(blocks)
    array = as_activations(activations, name).astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers; got NaN or infinity")
    return array


def _is_dask(values: Any) -> bool:
    return type(values).__module__.startswith("dask.")


def _is_batches(values: Any) -> bool:
    """Tell batches from one table: a list of numbers' rows is a table, anything else that yields 2-D arrays is not."""
    if isinstance(values, list | tuple):
        return len(values) > 0 and np.ndim(values[0]) == 2
    return isinstance(values, Iterable) and not hasattr(values, "__array__")


def _blocks(activations: Any, name: str) -> Iterator[NDArray[Any]]:
    """Yield a few rows at a time."""
    batches = activations if _is_batches(activations) else [activations]
    yield from chain.from_iterable(_rows(as_activations(batch, name)) for batch in batches)


def _rows(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, BLOCK // array.shape[1])
    for count, start in enumerate(range(0, len(array), step)):
        yield array[start : start + step]
        if count % FORGET == FORGET - 1:
            _forget(array)


def _forget(array: NDArray[Any]) -> None:
    """Give back the memory of the pages that were read; they stay in the file."""
    pages: Any = getattr(array, "_mmap", None)
    if isinstance(array, np.memmap) and array.mode in ("r", "r+") and hasattr(pages, "madvise"):
        pages.madvise(mmap.MADV_DONTNEED)


def _measure_block(block: NDArray[Any], pivot: Array | None, name: str) -> Moments:
    """Return the moments of a few rows: of float32 in float32, which is faster, and again in float64 if too small."""
    narrow = block.dtype.kind == "f" and block.dtype.itemsize <= 4
    found = _sums(block, pivot, np.float32) if narrow else None
    if found is None or not np.isfinite(found.m2).all():
        found = _sums(block, pivot, np.float64)
    if not np.isfinite(found.m2).all():
        neuron = int(np.flatnonzero(~np.isfinite(found.m2))[0])
        raise ValueError(f"{name} must hold finite numbers, small enough to be squared; neuron {neuron} does not")
    return found


def _sums(block: NDArray[Any], pivot: Array | None, kind: type[np.floating[Any]]) -> Moments:
    """Measure the rows from a point near their mean, so that no digits are lost: S = sum gap, Q = sum gap^2."""
    n, ones = len(block), np.ones(len(block), kind)
    with np.errstate(over="ignore", invalid="ignore"):
        start = (block[0] if pivot is None else pivot).astype(kind)
        gaps = np.subtract(block, start, dtype=kind)  # (n, n_neurons)
        S = (ones @ gaps).astype(np.float64)
        np.square(gaps, out=gaps)
        Q = (ones @ gaps).astype(np.float64)
        return Moments(n, start + S / n, np.maximum(Q - S * S / n, 0))


def _measure_with_dask(activations: Any, name: str) -> Moments:
    """Let the workers measure their own blocks, and merge what they found."""
    import dask

    if activations.ndim != 2 or 0 in activations.shape:
        raise ValueError(f"{name} must have shape (n_rows, n_neurons), at least (1, 1); got {activations.shape}")
    blocks = activations.rechunk({1: -1}).to_delayed().ravel()
    parts: tuple[Moments, ...] = dask.compute(*(dask.delayed(measure)(block, name) for block in blocks))
    return reduce(Moments.__add__, parts)
