"""Read a scikit-learn model: its forward pass is two lines, so they are repeated here."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lesson_lib.capture.layers import Call, check_rows

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: (1 + np.tanh(z / 2)) / 2,  # the sigmoid, in a form that cannot overflow
    "exp": np.exp,
    "softmax": lambda z: np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True)),
}


def names(model: Any) -> list[str]:
    """Return the names of the layers; raises ValueError for a model that is not fitted."""
    if not hasattr(model, "coefs_"):
        raise ValueError(f"model must be fitted; this {type(model).__name__} has no weights yet")
    return [*(f"hidden {k}" for k in range(1, len(model.coefs_))), "output"]


def calls(model: Any, _batch: Any) -> list[Call]:
    """Return the layers in the order in which they are called."""
    return [Call(name, has_matrix=True) for name in names(model)]


def values(model: Any, batches: list[Any], name: str, before: bool) -> list[list[Any]]:
    """Return for each batch what the layer puts out, or what it reads."""
    check_rows(batches[0], (model.coefs_[0].shape[0],))
    n_layers = names(model).index(name) + (not before)
    return [[_forward(model, batch.astype(model.coefs_[0].dtype), n_layers)] for batch in batches]


def _forward(model: Any, a: Any, n_layers: int) -> Any:
    functions = [*[model.activation] * (len(model.coefs_) - 1), model.out_activation_]
    for k in range(n_layers):
        z = a @ model.coefs_[k] + model.intercepts_[k]  # (n_samples, n_neurons)
        a = ACTIVATIONS[functions[k]](z)
    return a
