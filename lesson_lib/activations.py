"""The activations phi and their slopes phi', entry by entry."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array


class Activation(NamedTuple):
    """An activation, phi(z1), and its slope, prime(z1, at_zero), where at_zero says how steep a corner is."""

    phi: Callable[[Array], Any]
    prime: Callable[[Array, Any], Any]


def _relu_prime(z1: Array, at_zero: Any) -> Array:
    if at_zero == 0:
        return (z1 > 0).view(np.int8)
    return np.where(z1 > 0, 1, np.where(z1 == 0, at_zero, 0))


def _leaky_relu_prime(z1: Array, at_zero: Any) -> Array:
    one = z1 * 0 + 1
    below = one / 100
    return np.where(z1 > 0, one, np.where(z1 == 0, below + (one - below) * at_zero, below))


def _tanh(z1: Array) -> Any:
    return np.tanh(z1.astype(float))


def _sigmoid(z1: Array) -> Any:
    return (1 + _tanh(z1 / 2)) / 2  # 1 / (1 + exp(-z1)), without overflow


ACTIVATIONS = {
    "relu": Activation(lambda z1: np.maximum(z1, 0), _relu_prime),
    "leaky_relu": Activation(lambda z1: np.maximum(z1, z1 / 100), _leaky_relu_prime),
    "tanh": Activation(_tanh, lambda z1, _: 1 - _tanh(z1) * _tanh(z1)),
    "sigmoid": Activation(_sigmoid, lambda z1, _: _sigmoid(z1) * (1 - _sigmoid(z1))),
    "identity": Activation(lambda z1: z1, lambda z1, _: z1 * 0 + 1),
}
SYMBOLIC_ACTIVATIONS: dict[str, Activation] = {}  # the same for SymPy's expressions: `derivation.symbols` adds them
