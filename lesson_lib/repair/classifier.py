"""A trained classifier is the lesson's net with softmax behind it; here it is read, run and trained on."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from lesson_lib.arrays import Array, as_labels, read_only
from lesson_lib.naa.moments import check_columns
from lesson_lib.network import PARAMETERS, Forward, Gradients, Params, chain_rule, parameter_gradients, propagate


class Edit(NamedTuple):
    """What a repair does to the hidden activations: a1 becomes min(a1 @ matrix + offset, ceiling)."""

    matrix: Array  # (n_hidden, n_hidden)
    offset: Array  # (n_hidden,)
    ceiling: Any = np.inf  # (n_hidden,)

    def __call__(self, a1: Array) -> Array:
        """Return the changed activations, (n_samples, n_hidden)."""
        return np.asarray(np.minimum(a1 @ self.matrix + self.offset, self.ceiling))

    def back(self, a1: Array, slope: Array) -> Array:
        """Return the slope by a1, from the slope by what this makes of it."""
        return np.asarray(slope * (a1 @ self.matrix + self.offset < self.ceiling) @ self.matrix.T)


@dataclass(frozen=True, eq=False, kw_only=True)
class Classifier(Params):
    """The net with relu, whose outputs are one score a class, and the edits that repairs made to its activations.

    classes (n_out,) are the labels. The arrays are read-only: a repair makes a new Classifier.
    """

    classes: NDArray[Any]
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "classes", np.array(self.classes))
        read_only(self.classes)

    def stages(self, z1: Array) -> list[Array]:
        """Return the activations before the first edit, and after each, (n_samples, n_hidden)."""
        return [*accumulate(self.edits, lambda a1, edit: edit(a1), initial=super().phi(z1))]

    def phi(self, z1: Array) -> Array:
        """Return the activations a1 after every edit, (n_samples, n_hidden)."""
        return self.stages(z1)[-1]

    def run(self, X: Any) -> Forward:
        """Pass X (n_samples, n_in) forward; raises ValueError unless it fits."""
        return propagate(self, check_inputs(X, self))

    def hidden(self, X: Any) -> Array:
        """Return the hidden activations a1 after every edit, (n_samples, n_hidden)."""
        return np.asarray(self.run(X).a1)

    def predict_proba(self, X: Any) -> Array:
        """Return the softmax probability of every class, (n_samples, n_out)."""
        return np.asarray(softmax(self.run(X).y_hat, axis=1))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of every row, (n_samples,)."""
        return np.asarray(self.classes[self.run(X).y_hat.argmax(axis=1)])


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
    W1, W2, b1, b2 = (np.atleast_2d(array).astype(np.float64) for array in (*model.coefs_, *model.intercepts_))
    return Classifier(W1, b1, W2, b2, classes=model.classes_)


def gradients(model: Classifier, X: Array, targets: Array) -> Gradients:
    """Return the gradients of the mean cross-entropy, through every edit; targets (n_samples, n_out) are one-hot."""
    passed = propagate(model, X)
    dy_hat = (softmax(passed.y_hat, axis=1) - targets) / len(X)  # (n_samples, n_out)
    factors = chain_rule(model, passed, dy_hat)
    da1, stages = factors.da1, model.stages(passed.z1)
    for i in reversed(range(len(model.edits))):
        da1 = model.edits[i].back(stages[i], da1)
    return parameter_gradients(X, passed, factors._replace(dz1=da1 * factors.phi_prime))


def fine_tune(
    model: Any, X: Any, y: Any, rng: np.random.Generator, *, epochs: int = 30, rate: float = 1e-3, batch_size: int = 32
) -> Classifier:
    """Train all weights on, with Adam on mini-batches of clean X and labels y (n_samples,); pruned neurons stay pruned.

    Source: the second half of Fine-Pruning (Liu, Dolan-Gavitt & Garg 2018); Adam, Kingma & Ba 2015. Raises ValueError
    for labels that the model does not know, a negative number of epochs, or a rate that is not above 0.
    """
    new = as_classifier(model)
    X = check_inputs(X, new)
    targets = one_hot(y, new.classes, len(X))
    if epochs < 0 or batch_size < 1 or not 0 < rate < np.inf:
        raise ValueError(f"epochs, batch_size and rate must be positive; got {epochs}, {batch_size} and {rate}")
    alive = (new.W2 != 0).any(axis=1, keepdims=True)  # (n_hidden, 1)
    moments = dict.fromkeys(PARAMETERS, (0.0, 0.0))
    cuts = range(batch_size, len(X), batch_size)
    batches = (rows for _ in range(epochs) for rows in np.split(rng.permutation(len(X)), cuts))
    for step, rows in enumerate(batches, start=1):
        slopes = gradients(new, X[rows], targets[rows])
        slopes = slopes._replace(W2=slopes.W2 * alive)
        moves = {name: adam(name, slope, moments, rate, step) for name, slope in slopes._asdict().items()}
        new = new.with_arrays(**{name: getattr(new, name) - move for name, move in moves.items()})
    return new


def adam(name: str, slope: Array, moments: dict[str, Any], rate: float, step: int) -> Array:
    """Return how far Adam moves; `moments` remembers the running means of the slope and of its square, by name."""
    first, second = moments[name]
    first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
    moments[name] = first, second
    pace = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return np.asarray(pace * first / (np.sqrt(second) + 1e-8))


def check_inputs(X: Any, model: Classifier) -> Array:
    """Return X as an array (n_samples, n_in); raises ValueError unless it fits the model."""
    return check_columns(X, "X", len(model.W1), f" to match W1 {model.W1.shape}")


def one_hot(y: Any, classes: NDArray[Any], n_samples: int) -> Array:
    """Return labels as rows with one 1 each, (n_samples, n_out); raises ValueError for an unknown label, or too few."""
    labels = as_labels(y, "y", like=classes)
    if labels.ndim != 1 or not len(labels) or not np.isin(labels, classes).all():
        raise ValueError(f"y must be labels out of {classes.tolist()}, one a row; got {y!r}")
    if len(labels) != n_samples:
        raise ValueError(f"y must have one label per row of X, {n_samples}; got {len(labels)}")
    return np.asarray(labels[:, None] == classes, dtype=np.float64)
