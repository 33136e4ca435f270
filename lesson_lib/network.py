"""The two-layer net, written once: the same lines run on NumPy arrays and on SymPy matrices.

Rows are samples and columns are neurons, and everything is two-dimensional::

    z1 = X W1 + 1 b1      X (n_samples, n_in), W1 (n_in, n_hidden), b1 (1, n_hidden)
    a1 = phi(z1)          (n_samples, n_hidden)
    y_hat = a1 W2 + 1 b2  W2 (n_hidden, n_out), b2 (1, n_out)

Here 1 is a column of ones with a row per sample, and phi is relu unless you say otherwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import (
    RELU_PRIME_AT_ZERO,
    Matrix,
    activate,
    activate_prime,
    as_fraction,
    as_matrix,
    as_matrix_like,
    holds_fractions,
    multiply,
    ones_column,
    sum_of_squares,
)

PARAMETERS = ("W1", "b1", "W2", "b2")
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "identity")


@dataclass(frozen=True, eq=False)
class Params:
    """The net's weights and biases: W1 (n_in, n_hidden), b1 (1, n_hidden), W2 (n_hidden, n_out), b2 (1, n_out).

    Give nested lists or arrays. Floats stay float64, Fractions and SymPy matrices stay exact. Frozen:
    an update returns new Params. Raises ValueError, naming the argument, for text, NaN or shapes that do not fit.

    >>> Params(W1=[[0.5, -0.5]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]]).W2.shape
    (2, 1)
    """

    W1: Matrix
    b1: Matrix
    W2: Matrix
    b2: Matrix

    @property
    def is_exact(self) -> bool:
        """Whether the entries are exact (Fractions or SymPy) rather than floats."""
        return getattr(self.W1, "dtype", np.dtype(object)).kind == "O"

    def __post_init__(self) -> None:
        exact = any(holds_fractions(getattr(self, name)) for name in PARAMETERS)
        object.__setattr__(self, "W1", as_matrix(self.W1, "W1", exact))
        for name in ("b1", "W2", "b2"):
            object.__setattr__(self, name, as_matrix_like(self.W1, getattr(self, name), name))
        n_hidden, n_out = self.W1.shape[1], self.W2.shape[1]
        _expect("b1", self.b1, (1, n_hidden), f"W1 {self.W1.shape}")
        _expect("W2", self.W2, (n_hidden, n_out), f"W1 {self.W1.shape}")
        _expect("b2", self.b2, (1, n_out), f"W2 {self.W2.shape}")


class Forward(NamedTuple):
    """What the forward pass computes, a row per sample: z1 and a1 (n_samples, n_hidden), y_hat (n_samples, n_out)."""

    z1: Matrix
    a1: Matrix
    y_hat: Matrix


class Factors(NamedTuple):
    """The links of the chain rule, a row per sample: dL/dy_hat, dL/da1, the gate phi'(z1), and dL/dz1."""

    dy_hat: Matrix
    da1: Matrix
    gate: Matrix
    dz1: Matrix


class Gradients(NamedTuple):
    """The derivative of the loss by each parameter, in that parameter's shape, summed over the samples."""

    W1: Matrix
    b1: Matrix
    W2: Matrix
    b2: Matrix


def forward(params: Params, X: Matrix, *, activation: str = "relu") -> Forward:
    """Compute z1, a1 and y_hat for every row of X (n_samples, n_in).

    >>> forward(ARTICLE, [[1], [2]]).y_hat.tolist()
    [[0.5], [1.0]]
    """
    _choose("activation", activation, ACTIVATIONS)
    X = as_matrix_like(params.W1, X, "X")
    _expect("X", X, (X.shape[0], params.W1.shape[0]), f"W1 {params.W1.shape}")
    ones = ones_column(X)
    z1 = X @ params.W1 + ones @ params.b1  # (n_samples, n_hidden)
    a1 = activate(z1, activation)  # (n_samples, n_hidden)
    y_hat = a1 @ params.W2 + ones @ params.b2  # (n_samples, n_out)
    return Forward(z1, a1, y_hat)


def loss(y_hat: Matrix, Y: Matrix, *, reduction: str = "sum") -> Any:
    """Return half the sum of squared errors; with reduction="mean", that sum divided by n_samples.

    The article calls its half sum "MSE", the mean squared error. It is not a mean: it grows with every sample.

    >>> loss([[0.5], [1.0]], [[1], [2]])
    0.625
    """
    _choose("reduction", reduction, ("sum", "mean"))
    y_hat = as_matrix(y_hat, "y_hat")
    Y = as_matrix_like(y_hat, Y, "Y")
    _expect("Y", Y, y_hat.shape, f"y_hat {y_hat.shape}")
    half = sum_of_squares(y_hat - Y) / 2
    total = half / y_hat.shape[0] if reduction == "mean" else half
    return float(total) if isinstance(total, np.floating) else total


def chain_rule(
    params: Params,
    passed: Forward,
    Y: Matrix,
    *,
    activation: str = "relu",
    reduction: str = "sum",
    relu_prime_at_zero: Any = RELU_PRIME_AT_ZERO,
) -> Factors:
    """Walk back from the loss to z1 and return every link on the way, a row per sample."""
    check_convention(relu_prime_at_zero)
    z1, _, y_hat = passed
    dy_hat = y_hat - Y  # (n_samples, n_out): the derivative of half a square
    if reduction == "mean":
        dy_hat = dy_hat / Y.shape[0]
    da1 = dy_hat @ params.W2.T  # (n_samples, n_hidden)
    gate = activate_prime(z1, activation, relu_prime_at_zero)  # (n_samples, n_hidden)
    dz1 = multiply(da1, gate)  # (n_samples, n_hidden)
    return Factors(dy_hat, da1, gate, dz1)


def collect(X: Matrix, passed: Forward, factors: Factors) -> Gradients:
    """Multiply each link by what its parameter was multiplied with, which also sums over the samples."""
    ones = ones_column(X)
    return Gradients(
        W1=X.T @ factors.dz1,  # (n_in, n_hidden)
        b1=ones.T @ factors.dz1,  # (1, n_hidden)
        W2=passed.a1.T @ factors.dy_hat,  # (n_hidden, n_out)
        b2=ones.T @ factors.dy_hat,  # (1, n_out)
    )


def backward(
    params: Params,
    X: Matrix,
    Y: Matrix,
    *,
    activation: str = "relu",
    reduction: str = "sum",
    relu_prime_at_zero: Any = RELU_PRIME_AT_ZERO,
) -> Gradients:
    """Compute dL/dW1, dL/db1, dL/dW2 and dL/db2 on the samples X (n_samples, n_in), Y (n_samples, n_out).

    >>> backward(ARTICLE, [[1], [2]], [[1], [2]]).W1.tolist()
    [[-2.5, 0.0]]
    """
    _choose("reduction", reduction, ("sum", "mean"))
    X, Y = as_matrix_like(params.W1, X, "X"), as_matrix_like(params.W1, Y, "Y")
    passed = forward(params, X, activation=activation)
    _expect("Y", Y, passed.y_hat.shape, f"X {X.shape} and W2 {params.W2.shape}")
    factors = chain_rule(
        params, passed, Y, activation=activation, reduction=reduction, relu_prime_at_zero=relu_prime_at_zero
    )
    return collect(X, passed, factors)


def sgd_step(params: Params, gradients: Gradients, rate: Any, trainable: Sequence[str] = ("W1", "W2")) -> Params:
    """Move each trainable parameter one step of gradient descent downhill and return new Params.

    The default trains the weights and leaves the biases alone, as the article does. Raises ValueError
    unless rate is a finite number above 0 and trainable names parameters.
    """
    check_rate(rate)
    check_trainable(trainable)
    if isinstance(rate, float) and params.is_exact:
        rate = as_fraction(rate)
    for name in trainable:
        _expect(f"gradients.{name}", getattr(gradients, name), getattr(params, name).shape, f"params.{name}")
    moved = {name: getattr(params, name) - rate * getattr(gradients, name) for name in trainable}
    return replace(params, **moved)


def check_rate(rate: Any) -> None:
    """Raise ValueError unless rate is a finite number above 0."""
    try:
        usable = not isinstance(rate, bool | Decimal) and bool(rate > 0) and bool(rate < math.inf)
    except (TypeError, ValueError):
        usable = False
    if not usable:
        raise ValueError(f"rate must be a finite number above 0; got {rate}")


def check_trainable(trainable: Sequence[str]) -> None:
    """Raise ValueError unless trainable is a list or tuple of parameter names."""
    if not isinstance(trainable, list | tuple) or sorted(trainable) != sorted(set(trainable) & set(PARAMETERS)):
        raise ValueError(
            f"trainable must be a list or tuple of different names out of {', '.join(PARAMETERS)}; got {trainable!r}"
        )


def check_convention(relu_prime_at_zero: Any) -> None:
    """Raise ValueError unless relu_prime_at_zero is a number from 0 to 1."""
    if not isinstance(relu_prime_at_zero, Real) or not 0 <= float(relu_prime_at_zero) <= 1:
        raise ValueError(f"relu_prime_at_zero must be a number from 0 to 1; got {relu_prime_at_zero!r}")


def _choose(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}; got {value!r}")


def _expect(argument: str, matrix: Matrix, shape: tuple[int, int], partner: str) -> None:
    if matrix.shape != shape:
        raise ValueError(f"{argument} must have shape {shape} to match {partner}; got shape {matrix.shape}")


# The article's net: two hidden neurons, no bias in use.
ARTICLE = Params(W1=[[0.5, -0.5]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])
