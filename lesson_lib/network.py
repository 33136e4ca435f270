"""The two-layer net, written once: the same lines run on floats, Fractions, SymPy's letters, and many nets at once.

Rows are samples and columns are neurons, and everything is two-dimensional::

    z1 = X W1 + b1      X (n_samples, n_in), W1 (n_in, n_hidden), b1 (1, n_hidden) added to every row
    a1 = phi(z1)        (n_samples, n_hidden)
    y_hat = a1 W2 + b2  W2 (n_hidden, n_out), b2 (1, n_out) added to every row
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np

from lesson_lib.activations import ACTIVATIONS, SYMBOLIC_ACTIVATIONS, Activation
from lesson_lib.arrays import Array, Matrix, as_array, as_fraction, check_choice, is_symbolic, read_only

PARAMETERS = ("W1", "b1", "W2", "b2")
REDUCTIONS = ("sum", "mean")  # of the loss over the samples


@dataclass(frozen=True, eq=False, repr=False)
class Params:
    """A net: W1 (n_in, n_hidden), b1 (1, n_hidden), W2 (n_hidden, n_out), b2 (1, n_out), and its activation.

    Floats stay float64; one Fraction makes all exact, and SymPy's letters may stand among them. Frozen: an update
    returns new Params. Raises ValueError, naming the argument, for text, NaN or shapes that do not fit.

    >>> Params(W1=[[0.5, -0.5]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]]).W2.shape
    (2, 1)
    """

    W1: Matrix
    b1: Matrix
    W2: Matrix
    b2: Matrix
    activation: str = "relu"
    # How steep relu is at its corner, and leaky relu: from 0, the slope from the left, to 1, the one from the right.
    # Any value is a defensible choice (a subgradient); 0 is what the article, PyTorch and most code use.
    relu_prime_at_zero: Any = 0

    def __post_init__(self) -> None:
        exact = any(as_array(getattr(self, name), name, symbols=True).dtype == object for name in PARAMETERS)
        for name in PARAMETERS:
            vars(self)[name] = as_array(getattr(self, name), name, exact=exact, symbols=True)
        n_hidden, n_out = self.W1.shape[1], self.W2.shape[1]
        _expect("b1", self.b1, (1, n_hidden), f"W1 {self.W1.shape}")
        _expect("W2", self.W2, (n_hidden, n_out), f"W1 {self.W1.shape}")
        _expect("b2", self.b2, (1, n_out), f"W2 {self.W2.shape}")
        check_choice("activation", self.activation, tuple(ACTIVATIONS))
        if not isinstance(self.relu_prime_at_zero, Real) or not 0 <= float(self.relu_prime_at_zero) <= 1:
            raise ValueError(f"relu_prime_at_zero must be a number from 0 to 1; got {self.relu_prime_at_zero!r}")

    def __repr__(self) -> str:
        told = [f.name for f in fields(self) if f.name in PARAMETERS or getattr(self, f.name) != f.default]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"

    @property
    def is_exact(self) -> bool:
        """Whether the entries are exact (Fractions or SymPy's) rather than floats."""
        return bool(self.W1.dtype == object)

    @property
    def is_symbolic(self) -> bool:
        """Whether SymPy's expressions are among the entries."""
        return self.is_exact and any(is_symbolic(entry) for name in PARAMETERS for entry in getattr(self, name).flat)

    def phi(self, z1: Array) -> Any:
        """Return the activations a1, entry by entry; same shape as z1."""
        return self._functions.phi(z1)

    def phi_prime(self, z1: Array) -> Any:
        """Return the slopes da1/dz1, entry by entry: of relu 1 where z1 > 0, 0 where z1 < 0, the convention at 0."""
        return self._functions.prime(z1, self.relu_prime_at_zero if self.is_exact else float(self.relu_prime_at_zero))

    @property
    def _functions(self) -> Activation:
        return (SYMBOLIC_ACTIVATIONS if self.is_symbolic else ACTIVATIONS)[self.activation]

    def with_arrays(self, **arrays: Any) -> Self:
        """Return the same net with other arrays, unchecked: for what was computed from checked ones."""
        moved = object.__new__(type(self))
        vars(moved).update(vars(self) | arrays)
        read_only(*arrays.values())
        return moved


class Forward(NamedTuple):
    """What the forward pass computes, a row per sample: z1 and a1 (n_samples, n_hidden), y_hat (n_samples, n_out)."""

    z1: Matrix
    a1: Matrix
    y_hat: Matrix


class Factors(NamedTuple):
    """The links of the chain rule, a row per sample: dL/dy_hat, dL/da1, phi'(z1), and dL/dz1."""

    dy_hat: Matrix
    da1: Matrix
    phi_prime: Matrix
    dz1: Matrix


class Gradients(NamedTuple):
    """The derivative of the loss by each parameter, in that parameter's shape, summed over the samples."""

    W1: Matrix
    b1: Matrix
    W2: Matrix
    b2: Matrix


# The lines: they check nothing, and run on whatever can be added and multiplied ------------------------------------


def propagate(net: Any, X: Any) -> Forward:
    """Pass X forward through the net."""
    z1 = X @ net.W1 + net.b1  # (n_samples, n_hidden)
    a1 = net.phi(z1)  # (n_samples, n_hidden)
    y_hat = a1 @ net.W2 + net.b2  # (n_samples, n_out)
    return Forward(z1, a1, y_hat)


def half_squares(errors: Any) -> Any:
    """Return half the sum of the squared errors, y_hat - Y."""
    return (errors**2).sum(axis=(0, 1)) / 2


def chain_rule(net: Any, passed: Forward, dy_hat: Any) -> Factors:
    """Walk back from dL/dy_hat to z1 and return every link on the way, a row per sample."""
    da1 = dy_hat @ net.W2.T  # (n_samples, n_hidden)
    phi_prime = net.phi_prime(passed.z1)  # (n_samples, n_hidden)
    dz1 = da1 * phi_prime  # (n_samples, n_hidden)
    return Factors(dy_hat, da1, phi_prime, dz1)


def parameter_gradients(X: Any, passed: Forward, factors: Factors) -> Gradients:
    """Multiply each link by what its parameter was multiplied with, which also sums over the samples."""
    return Gradients(
        W1=X.T @ factors.dz1,  # (n_in, n_hidden)
        b1=factors.dz1.sum(axis=0, keepdims=True),  # (1, n_hidden)
        W2=passed.a1.T @ factors.dy_hat,  # (n_hidden, n_out)
        b2=factors.dy_hat.sum(axis=0, keepdims=True),  # (1, n_out)
    )


def errors_and_gradients(net: Any, X: Any, Y: Any, share: int = 1) -> tuple[Any, Gradients]:
    """Pass X there and back; return the errors y_hat - Y, and the gradients of half their squares, divided by share."""
    passed = propagate(net, X)
    errors = passed.y_hat - Y  # (n_samples, n_out), the derivative of half a square
    return errors, parameter_gradients(X, passed, chain_rule(net, passed, errors / share))


def descend(net: Any, gradients: Gradients, rate: Any, trainable: Sequence[str]) -> Any:
    """Move each trainable parameter downhill, by the rate times its gradient."""
    return net.with_arrays(**{name: getattr(net, name) - rate * getattr(gradients, name) for name in trainable})


# What you call: it checks what it is given, then runs the lines ----------------------------------------------------


def forward(params: Params, X: Any) -> Forward:
    """Compute z1, a1 and y_hat for every row of X (n_samples, n_in).

    >>> forward(ARTICLE, [[1], [2]]).y_hat.tolist()
    [[0.5], [1.0]]
    """
    return propagate(params, check_inputs(params, X))


def loss(y_hat: Any, Y: Any, *, reduction: str = "sum") -> Any:
    """Return half the sum of squared errors; with reduction="mean", that sum divided by n_samples.

    The article calls its half sum "MSE", the mean squared error. It is not a mean: it grows with every sample.

    >>> loss([[0.5], [1.0]], [[1], [2]])
    0.625
    """
    check_choice("reduction", reduction, REDUCTIONS)
    y_hat = as_array(y_hat, "y_hat", symbols=True)
    Y = as_array(Y, "Y", exact=y_hat.dtype == object, symbols=True)
    _expect("Y", Y, y_hat.shape, f"y_hat {y_hat.shape}")
    total = half_squares(y_hat - Y) / (len(Y) if reduction == "mean" else 1)
    return float(total) if isinstance(total, np.floating) else total


def backward(params: Params, X: Any, Y: Any, *, reduction: str = "sum") -> Gradients:
    """Compute dL/dW1, dL/db1, dL/dW2 and dL/db2 on the samples X (n_samples, n_in), Y (n_samples, n_out).

    >>> backward(ARTICLE, [[1], [2]], [[1], [2]]).W1.tolist()
    [[-2.5, 0.0]]
    """
    X, Y = check_samples(params, X, Y, reduction)
    return errors_and_gradients(params, X, Y, len(Y) if reduction == "mean" else 1)[1]


def sgd_step(params: Params, gradients: Gradients, rate: Any, trainable: Sequence[str] = ("W1", "W2")) -> Params:
    """Move each trainable parameter one step of gradient descent downhill and return new Params.

    The default trains the weights and leaves the biases alone, as the article does. Raises ValueError
    unless rate is a finite number above 0 and trainable names parameters.
    """
    rate = check_rate(rate, params.is_exact)
    check_trainable(trainable)
    for name in trainable:
        _expect(f"gradients.{name}", getattr(gradients, name), getattr(params, name).shape, f"params.{name}")
    return descend(params, gradients, rate, trainable)  # type: ignore[no-any-return]


def check_inputs(params: Params, X: Any) -> Any:
    """Return X (n_samples, n_in) as an array of the net's kind; raises ValueError unless it fits."""
    X = as_array(X, "X", exact=params.is_exact, symbols=params.is_symbolic)
    _expect("X", X, (len(X), params.W1.shape[0]), f"W1 {params.W1.shape}")
    return X


def check_samples(params: Params, X: Any, Y: Any, reduction: str = "sum") -> tuple[Any, Any]:
    """Return X and Y (n_samples, n_out) as arrays of the net's kind; raises ValueError unless they fit."""
    check_choice("reduction", reduction, REDUCTIONS)
    X, Y = check_inputs(params, X), as_array(Y, "Y", exact=params.is_exact, symbols=params.is_symbolic)
    _expect("Y", Y, (len(X), params.W2.shape[1]), f"X {X.shape} and W2 {params.W2.shape}")
    return X, Y


def check_rate(rate: Any, exact: bool = False) -> Any:
    """Return the rate, a decimal as a fraction if `exact`; raises ValueError unless it is a finite number above 0."""
    is_number = isinstance(rate, Real) and not isinstance(rate, bool) and bool(0 < rate < np.inf)  # type: ignore[operator]
    if not is_number and not (exact and is_symbolic(rate) and rate.is_positive and rate.is_finite is not False):
        raise ValueError(f"rate must be a finite number above 0; got {rate}")
    return float(rate) if not exact else as_fraction(rate) if isinstance(rate, Real) else rate


def check_trainable(trainable: Sequence[str]) -> None:
    """Raise ValueError unless trainable is a list or tuple of parameter names."""
    known = isinstance(trainable, list | tuple) and all(name in PARAMETERS for name in trainable)
    if not known or len(set(trainable)) < len(trainable):
        names = ", ".join(PARAMETERS)
        raise ValueError(f"trainable must be a list or tuple of different names out of {names}; got {trainable!r}")


def _expect(argument: str, array: Array, shape: tuple[int, int], partner: str) -> None:
    if array.shape != shape:
        raise ValueError(f"{argument} must have shape {shape} to match {partner}; got shape {array.shape}")


# The article's net: two hidden neurons, no bias in use.
ARTICLE = Params(W1=[[0.5, -0.5]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])
