"""One kind of array: NumPy's, with floats, Fractions or SymPy expressions as entries; and what may come into a room."""

from collections.abc import Callable, Collection
from fractions import Fraction
from numbers import Rational, Real
from reprlib import repr as short
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Indices = NDArray[np.intp]  # which rows, or which neurons
Progress = Callable[[int, int], None]  # hears of long work: how much is done, of how much
Matrix = Any  # what becomes a two-dimensional Array: nested lists, an array, a tensor; or a traced value


class Stacked(np.ndarray):
    """Many matrices in one array (rows, columns, ...): the axes behind count nets or epochs; @ and T act on each."""

    def __matmul__(self, other: Any) -> Any:
        left, right = np.asarray(self), np.asarray(other)
        total = left[:, 0, None] * right[None, 0]
        for k in range(1, left.shape[1]):
            total += left[:, k, None] * right[None, k]
        return total.view(Stacked)

    @property
    def T(self) -> "Stacked":
        """The transpose, matrix by matrix."""
        return self.swapaxes(0, 1)


def stack(matrix: Any, *counts: int) -> Any:
    """Return one matrix repeated along axes of these lengths: (rows, columns, *counts)."""
    values = np.asarray(matrix)
    return np.broadcast_to(values[(..., *[None] * len(counts))], (*values.shape, *counts)).view(Stacked)


def as_array(value: Any, name: str, *, exact: bool | None = None, symbols: bool = False) -> Array:
    """Return a read-only two-dimensional copy (rows, columns): float64, or exact if any entry is or `exact` says so.

    Exact entries are Fractions, and a decimal is taken as it is written: 0.1 is 1/10, in float32 too. With `symbols`,
    SymPy expressions may stand among them. Raises ValueError, naming the argument, unless `value` (nested lists, an
    array, a torch tensor, a SymPy matrix) is a rectangle, none empty, of finite real numbers.
    """
    array = _plain(value, name, object)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} must have two dimensions, rows and columns, none empty; got shape {array.shape}")
    if array.dtype == np.float64 and not exact:
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must hold finite numbers; got {array[~np.isfinite(array)][0]}")
        found = array.copy()
    else:
        entries = [_number(entry, name, symbols and exact is not False) for entry in array.flat]
        if exact is None:
            exact = any(isinstance(entry, Fraction) or is_symbolic(entry) for entry in entries)
        if exact:
            entries = [entry if is_symbolic(entry) else as_fraction(entry) for entry in entries]
        found = np.array(entries, dtype=object if exact else np.float64).reshape(array.shape)
    read_only(found)
    return found


def as_rows(values: Any, name: str, shape: str = "(n_rows, n_neurons)", least: int = 1) -> Array:
    """Return a table of real numbers (rows, columns) in the precision it came in, without a copy where possible.

    It takes what `as_array` takes, but leaves it to the caller to look for numbers that are not finite, as it reads
    them. Raises ValueError, naming the argument and its `shape`, for anything else, or fewer rows than `least`.
    """
    array = _plain(values, name, None)
    if array.ndim != 2 or array.shape[0] < least or array.shape[1] < 1:
        raise ValueError(f"{name} must have shape {shape}, at least ({least}, 1); got {array.shape}")
    if array.dtype.kind not in "fiub":
        entries = [float(_number(entry, name)) for entry in _plain(values, name, object).flat]
        array = np.reshape(entries, array.shape)
    return array


def bare(value: Any, name: str) -> Any:
    """Return a value with NumPy's arrays for torch tensors, in lists too; raises ValueError for a mask anywhere."""
    if np.ma.isMaskedArray(value):
        raise ValueError(f"{name} must be a plain array; got a masked one")
    if hasattr(value, "detach"):  # a torch tensor; NumPy has no bfloat16
        try:
            tensor = value.detach().cpu()
            return (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy()[()]
        except (TypeError, RuntimeError) as error:  # a sparse one, or one without numbers
            raise ValueError(f"{name} must be a plain tensor: {error}") from error
    if isinstance(value, list | tuple):
        return [bare(part, name) for part in value]
    return value


def as_labels(values: Any, name: str, like: Array | None = None) -> Array:
    """Return labels as an array: all numbers or all text, as the labels `like` are, and none missing.

    Raises ValueError, naming the argument, for a mask, NaN, or a mix: 1 and "1" are never the same class.
    """
    values = bare(values, name)
    labels, entries = np.asarray(values), np.array(values, dtype=object)
    every = [*entries.ravel().tolist(), *([] if like is None else like.ravel().tolist())]
    types = set(map(type, every))
    are_numbers, are_text = (all(issubclass(one, kind) for one in types) for kind in (Real | np.bool_, str | bytes))
    if not are_text and not (are_numbers and all(one == one for one in every)):  # NaN is not itself
        must = "must be all numbers or all text, like the labels that they meet, and none NaN"
        raise ValueError(f"{name} {must}; got {short(values)}")
    return labels


def check_neurons(neurons: Any, n_hidden: int) -> Indices:
    """Return neuron numbers as an array; raises ValueError unless they are different whole numbers in the layer."""
    found = np.array([*bare(neurons, "neurons")])
    if found.ndim != 1 or not np.isin(found, np.arange(n_hidden)).all() or len(np.unique(found)) != len(found):
        raise ValueError(f"neurons must be different numbers from 0 to {n_hidden - 1}; got {found.tolist()}")
    return found.astype(np.intp)


def check_choice(argument: str, value: str, allowed: Collection[str]) -> None:
    """Raise ValueError, naming the argument, unless its value is one of those allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}; got {value!r}")


def as_fraction(number: Any) -> Fraction:
    """Return the number as the fraction it was written as: 0.1 is 1/10, not its nearest binary neighbour."""
    if isinstance(number, Rational):
        return Fraction(int(number.numerator), int(number.denominator))
    return Fraction(str(number if isinstance(number, np.floating) else float(number)))


def is_symbolic(entry: Any) -> bool:
    """Tell whether an entry is an expression of SymPy's, which need not be loaded for this."""
    return hasattr(entry, "as_numer_denom")


def read_only(*arrays: Array) -> None:
    """Protect arrays that are remembered: a change in place would show up wherever they are used again."""
    for array in arrays:
        array.setflags(write=False)


def _plain(value: Any, name: str, kind: Any) -> Array:
    """Return an array, of lists in entries of this kind; raises ValueError for a mask and for ragged rows."""
    value = bare(value, name)
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    try:
        np.array(value)  # refuses rows of different lengths
        return np.array(value, dtype=kind)
    except ValueError:
        raise ValueError(f"{name} must have rows of equal length; got {short(value)}") from None


def _number(entry: Any, name: str, symbols: bool = False) -> Any:
    """Return an entry as an int, a float, a Fraction or, with `symbols`, an expression; short floats as written."""
    if symbols and is_symbolic(entry) and not isinstance(entry, Real):
        if entry.is_finite is False or entry.is_real is False or str(entry) == "nan":
            raise ValueError(f"{name} must hold finite real numbers; got {short(entry)}")
        return entry
    if not isinstance(entry, Real) or isinstance(entry, bool | np.bool_):
        raise ValueError(f"{name} must hold numbers; got {short(entry)}")
    try:
        number = float(entry)
    except OverflowError:
        raise ValueError(f"{name} must hold finite numbers; got one that is too large") from None
    if not np.isfinite(number):
        raise ValueError(f"{name} must hold finite numbers; got {number}")
    if isinstance(entry, Rational):
        return int(entry) if isinstance(entry, int | np.integer) else as_fraction(entry)
    return float(str(entry)) if isinstance(entry, np.floating) else number
