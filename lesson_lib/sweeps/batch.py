"""Many nets at once: a matrix whose every entry is a whole array of numbers, one a net, for the net's own lines.

A Batch of shape (rows, columns) holds an array (rows, columns, ...); the axes behind count nets, epochs or both.
Importing this module teaches `matrices` the few operations it needs, so `network` trains ten thousand nets unchanged.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesson_lib import arrays as matrices


class Batch:
    """A matrix of arrays; the axes behind the first two broadcast against those of other Batches."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, as of a single net."""
        rows, columns = self.values.shape[:2]
        return rows, columns

    @property
    def T(self) -> "Batch":
        """The transpose, net by net."""
        return Batch(self.values.swapaxes(0, 1))

    def __matmul__(self, other: "Batch") -> "Batch":
        products = (self.values[:, k, None] * other.values[None, k] for k in range(self.shape[1]))
        total = next(products)
        for product in products:
            total += product
        return Batch(total)

    def __add__(self, other: "Batch") -> "Batch":
        return Batch(self.values + other.values)

    def __sub__(self, other: "Batch") -> "Batch":
        return Batch(self.values - other.values)

    def __mul__(self, other: "Batch") -> "Batch":
        return Batch(self.values * other.values)

    def __truediv__(self, number: float) -> "Batch":
        return Batch(self.values / number)

    def __gt__(self, number: float) -> bool:
        return bool((self.values > number).all())

    def __lt__(self, number: float) -> bool:
        return bool((self.values < number).all())


class Ones(Batch):
    """A column of ones, or its transpose, that saves the multiplications: 1 b repeats a row, 1ᵀ a sums a column."""

    @property
    def T(self) -> "Ones":
        """The transpose."""
        return Ones(self.values.swapaxes(0, 1))

    def __matmul__(self, other: Batch) -> Batch:
        rows, columns = self.shape
        if columns > 1:
            return Batch(other.values.sum(axis=0, keepdims=True))
        return Batch(np.broadcast_to(other.values, (rows, *other.values.shape[1:])))


def stack(matrix_of_one: Any, shape: Sequence[int]) -> Batch:
    """Return the same matrix for every net of a batch of this shape."""
    values = np.asarray(matrix_of_one, dtype=float)
    return Batch(np.broadcast_to(values[(..., *[None] * len(shape))], (*values.shape, *shape)))


@matrices.as_matrix.register(Batch)
def _(value: Batch, name: str, exact: bool = False) -> Batch:
    return value


@matrices.as_matrix_like.register(Batch)
def _(pattern: Batch, value: Any, name: str) -> Batch:
    if isinstance(value, Batch):
        return value
    one = matrices.as_matrix(value, name)
    return Batch(one.reshape(*one.shape, *[1] * (pattern.values.ndim - 2)))


@matrices.ones_column.register(Batch)
def _(X: Batch) -> Batch:
    return Ones(np.ones((X.shape[0], 1, *[1] * (X.values.ndim - 2))))


@matrices.activate.register(Batch)
def _(z1: Batch, activation: str = "relu") -> Batch:
    return Batch(matrices.activate(z1.values, activation))


@matrices.activate_prime.register(Batch)
def _(z1: Batch, activation: str = "relu", relu_prime_at_zero: float = matrices.RELU_PRIME_AT_ZERO) -> Batch:
    if activation == "relu" and relu_prime_at_zero == 0:
        return Batch(z1.values > 0)  # True counts as 1; choosing numbers takes ten times as long
    return Batch(matrices.activate_prime(z1.values, activation, relu_prime_at_zero))


@matrices.multiply.register(Batch)
def _(left: Batch, right: Batch) -> Batch:
    return left * right


@matrices.sum_of_squares.register(Batch)
def _(errors: Batch) -> np.ndarray:
    squares: np.ndarray = (errors.values**2).sum(axis=(0, 1))
    return squares
