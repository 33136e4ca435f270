"""A trained classifier as plain arrays: read from scikit-learn, run forward, and differentiated, with its edits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesson_lib.naa.moments import in_memory

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
WEIGHTS = ("W1", "b1", "W2", "b2")


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of the hidden activations that weights alone cannot express: min(a1, ceiling) @ matrix + offset."""

    ceiling: Array  # (1, n_hidden)
    matrix: Array  # (n_hidden, n_hidden)
    offset: Array  # (1, n_hidden)

    def __call__(self, a1: Array) -> Array:
        """Return the changed activations, (n_samples, n_hidden)."""
        return np.asarray(np.minimum(a1, self.ceiling) @ self.matrix + self.offset, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier with one relu layer, as plain arrays, and the edits that repairs made to its activations.

    W1 (n_in, n_hidden), b1 (1, n_hidden), W2 (n_hidden, n_out), b2 (1, n_out), classes (n_out,). The arrays are
    read-only: a repair makes a new Classifier.
    """

    W1: Array
    b1: Array
    W2: Array
    b2: Array
    classes: NDArray[Any]
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        for name in (*WEIGHTS, "classes"):
            value = np.array(getattr(self, name))
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def hidden(self, X: Any) -> Array:
        """Return the hidden activations a1 after every edit, (n_samples, n_hidden)."""
        a1: Array = np.maximum(check_inputs(X, self) @ self.W1 + self.b1, 0)  # (n_samples, n_hidden)
        for edit in self.edits:
            a1 = edit(a1)
        return a1

    def predict_proba(self, X: Any) -> Array:
        """Return the softmax probability of every class, (n_samples, n_out)."""
        return _softmax(self.hidden(X) @ self.W2 + self.b2)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of every row, (n_samples,)."""
        return np.asarray(self.classes[(self.hidden(X) @ self.W2 + self.b2).argmax(axis=1)])


def as_classifier(model: Any) -> Classifier:
    """Read a scikit-learn MLPClassifier with one relu layer and three classes or more; a Classifier stays itself.

    Raises ValueError for a model that is not trained, or has another shape.
    """
    if isinstance(model, Classifier):
        return model
    if not hasattr(model, "coefs_") or not hasattr(model, "classes_"):
        raise ValueError(f"model must be a trained MLPClassifier or a Classifier; got {type(model).__name__}")
    if len(model.coefs_) != 2 or model.activation != "relu" or model.out_activation_ != "softmax":
        raise ValueError("model must have one hidden layer with relu, and softmax over three classes or more")
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    return Classifier(W1, b1[None, :], W2, b2[None, :], model.classes_)


def gradients(model: Classifier, X: Array, targets: Array) -> dict[str, Array]:
    """Return the gradient of the mean cross-entropy by W1, b1, W2 and b2, through every edit; targets are one-hot."""
    z1 = X @ model.W1 + model.b1  # (n_samples, n_hidden)
    states = [np.maximum(z1, 0)]
    for edit in model.edits:
        states.append(edit(states[-1]))
    d_logits = (_softmax(states[-1] @ model.W2 + model.b2) - targets) / len(X)  # (n_samples, n_out)
    d_a1 = d_logits @ model.W2.T  # (n_samples, n_hidden)
    for edit, before in zip(reversed(model.edits), reversed(states[:-1]), strict=True):
        d_a1 = (d_a1 @ edit.matrix.T) * (before < edit.ceiling)  # chain rule
    d_z1 = d_a1 * (z1 > 0)
    return {
        "W1": X.T @ d_z1,
        "b1": d_z1.sum(axis=0, keepdims=True),
        "W2": states[-1].T @ d_logits,
        "b2": d_logits.sum(axis=0, keepdims=True),
    }


def check_inputs(X: Any, model: Classifier) -> Array:
    """Return X as an array (n_samples, n_in); raises ValueError unless it fits the model."""
    found = in_memory(X, "X")
    if found.shape[1] != len(model.W1):
        raise ValueError(f"X must have {len(model.W1)} columns to match W1 {model.W1.shape}; got shape {found.shape}")
    return found


def check_activations(values: Any, name: str, model: Classifier) -> Array:
    """Return activations as an array (n_rows, n_hidden); raises ValueError, with the name, unless they fit."""
    found = in_memory(values, name)
    if found.shape[1] != model.W1.shape[1]:
        raise ValueError(f"{name} must have {model.W1.shape[1]} columns, one per neuron; got shape {found.shape}")
    return found


def check_neurons(neurons: Any, n_hidden: int) -> Indices:
    """Return neuron numbers as an array; raises ValueError unless they are different whole numbers in the layer."""
    found = np.array([*neurons])
    if found.ndim != 1 or not np.isin(found, np.arange(n_hidden)).all() or len(np.unique(found)) != len(found):
        raise ValueError(f"neurons must be different numbers from 0 to {n_hidden - 1}; got {found.tolist()}")
    return found.astype(np.intp)


def one_hot(y: Any, classes: NDArray[Any]) -> Array:
    """Return labels as rows with one 1 each, (n_samples, n_out); raises ValueError for an unknown label."""
    labels = np.asarray(y)
    if labels.ndim != 1 or not len(labels) or not np.isin(labels, classes).all():
        raise ValueError(f"y must be labels out of {classes.tolist()}, one a row; got {y!r}")
    return np.asarray(labels[:, None] == classes, dtype=np.float64)


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)
