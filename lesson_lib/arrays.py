"""The few matrix operations in which NumPy and SymPy differ; `symbolic` adds SymPy's side of each."""

from fractions import Fraction
from functools import singledispatch
from numbers import Rational, Real
from typing import Any

import numpy as np

# The one place that says how steep relu is at its corner. Any value from 0 to 1 is a defensible choice
# (a subgradient); 0 is what the article, PyTorch and most code use.
RELU_PRIME_AT_ZERO = 0

Matrix = Any  # a two-dimensional NumPy array (float64, or Fractions) or a SymPy matrix


@singledispatch
def as_matrix(value: Any, name: str, exact: bool = False) -> Matrix:
    """Return a read-only two-dimensional copy of `value`: float64, or Fractions if any entry is one or `exact` is set.

    Exact reading takes a decimal as it is written: 0.1 is 1/10. Raises ValueError, naming the argument, unless
    `value` is a non-empty rectangle of finite numbers.
    """
    array = value if isinstance(value, np.ndarray) and value.dtype == np.float64 else _numbers(value, name)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} must have two dimensions, rows and columns, none empty; got shape {array.shape}")
    try:
        floats = array.astype(float)
    except OverflowError:
        raise ValueError(f"{name} must hold finite numbers; got one that is too large") from None
    if not np.isfinite(floats).all():
        raise ValueError(f"{name} must hold finite numbers; got {floats[~np.isfinite(floats)][0]}")
    if exact or holds_fractions(array):
        floats = np.array([[as_fraction(entry) for entry in row] for row in array], dtype=object)
    read_only(floats)
    return floats


def read_only(*arrays: np.ndarray) -> None:
    """Protect arrays that are remembered: a change in place would show up wherever they are used again."""
    for array in arrays:
        array.flags.writeable = False


def _numbers(value: Any, name: str) -> np.ndarray:
    try:
        np.array(value)  # refuses rows of different lengths
        array = np.array(value, dtype=object)
    except ValueError:
        raise ValueError(f"{name} must have rows of equal length; got {value!r}") from None
    for entry in array.flat:
        if not isinstance(entry, Real) or isinstance(entry, bool | np.bool_):
            raise ValueError(f"{name} must hold numbers; got {entry!r}")
    return array


@singledispatch
def as_matrix_like(pattern: Matrix, value: Any, name: str) -> Matrix:
    """Return `value` as a matrix of the same kind as `pattern`: float64, Fractions or SymPy."""
    return as_matrix(value, name, exact=pattern.dtype == object)


def as_fraction(number: Any) -> Fraction:
    """Return the number as the fraction it was written as: 0.1 is 1/10, not its nearest binary neighbour."""
    return Fraction(number) if isinstance(number, Rational) else Fraction(str(float(number)))


def holds_fractions(value: Any) -> bool:
    """Tell whether any entry is exact but not an integer type: a Fraction or a SymPy Rational."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return False
    try:
        entries = np.array(value, dtype=object).flat
    except ValueError:
        return False
    return any(isinstance(entry, Rational) and not isinstance(entry, int | np.integer) for entry in entries)


@singledispatch
def ones_column(X: Matrix) -> Matrix:
    """Return the column of ones (n_samples, 1) that repeats a bias row for every sample."""
    return np.ones((X.shape[0], 1), dtype=int)


@singledispatch
def activate(z1: Matrix, activation: str = "relu") -> Matrix:
    """Return a1 = phi(z1), entry by entry; same shape as z1."""
    if activation == "relu":
        return np.maximum(z1, 0)
    if activation == "leaky_relu":
        return np.where(z1 > 0, z1, z1 / 100)
    if activation == "tanh":
        return np.tanh(z1.astype(float))
    if activation == "sigmoid":
        return (1 + np.tanh(z1.astype(float) / 2)) / 2  # 1 / (1 + exp(-z)), without overflow
    return z1


@singledispatch
def activate_prime(z1: Matrix, activation: str = "relu", relu_prime_at_zero: float = RELU_PRIME_AT_ZERO) -> Matrix:
    """Return phi'(z1), entry by entry: for relu 1 where z1 > 0, 0 where z1 < 0, and the convention at 0.

    leaky_relu has a corner too; there 0 stands for its slope from the left and 1 for its slope from the right.
    """
    if activation == "relu":
        return np.where(z1 > 0, 1, np.where(z1 == 0, relu_prime_at_zero, 0))
    one = z1 * 0 + 1
    if activation == "leaky_relu":
        below = one / 100
        return np.where(z1 > 0, one, np.where(z1 == 0, below + (one - below) * relu_prime_at_zero, below))
    if activation == "identity":
        return one
    a1 = activate(z1, activation)
    return 1 - a1 * a1 if activation == "tanh" else a1 * (1 - a1)


@singledispatch
def multiply(left: Matrix, right: Matrix) -> Matrix:
    """Return the product entry by entry (not the matrix product); both have the same shape."""
    return left * right


@singledispatch
def sum_of_squares(errors: Matrix) -> Any:
    """Return the sum of all squared entries, a single number."""
    return (errors * errors).sum()
