"""Train a repaired classifier on with clean data: the backdoor may come back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lesson_lib.network import PARAMETERS, Gradients
from lesson_lib.repair.classifier import Classifier, Indices, as_classifier, check_inputs, gradients, one_hot


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
    for step, rows in enumerate(_batches(len(X), batch_size, epochs, rng), start=1):
        slopes = gradients(new, X[rows], targets[rows])
        new = _adam(new, slopes._replace(W2=slopes.W2 * alive), moments, rate, step)
    return new


def _batches(n_samples: int, size: int, epochs: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Yield the rows of each mini-batch, in a new order every epoch."""
    for _ in range(epochs):
        shuffled = rng.permutation(n_samples)
        for start in range(0, n_samples, size):
            yield shuffled[start : start + size]


def _adam(model: Classifier, slopes: Gradients, moments: dict[str, Any], rate: float, step: int) -> Classifier:
    """Move every parameter; `moments` remembers the running means of its slope and of the square of that."""
    pace = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    moved = {}
    for name, slope in slopes._asdict().items():
        first, second = moments[name]
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        moments[name] = first, second
        moved[name] = getattr(model, name) - pace * first / (np.sqrt(second) + 1e-8)
    return model.with_arrays(**moved)
