"""Train a repaired classifier on with clean data: the backdoor may come back."""

from dataclasses import replace
from typing import Any

import numpy as np

from lesson_lib.repair.classifier import WEIGHTS, Array, Classifier, as_classifier, check_inputs, gradients, one_hot


def fine_tune(
    model: Any,
    X: Any,
    y: Any,
    rng: np.random.Generator,
    *,
    epochs: int = 30,
    rate: float = 1e-3,
    batch_size: int = 32,
) -> Classifier:
    """Train all weights on, with Adam on mini-batches of clean X and labels y (n_samples,); pruned neurons stay pruned.

    Source: the second half of Fine-Pruning (Liu, Dolan-Gavitt & Garg 2018); Adam, Kingma & Ba 2015. Raises ValueError
    for labels that the model does not know, a negative number of epochs, or a rate that is not above 0.
    """
    old = as_classifier(model)
    X, targets = check_inputs(X, old), one_hot(y, old.classes)
    if len(X) != len(targets):
        raise ValueError(f"y must have one label per row of X, {len(X)}; got {len(targets)}")
    if epochs < 0 or batch_size < 1 or not 0 < rate < np.inf:
        raise ValueError(f"epochs, batch_size and rate must be positive; got {epochs}, {batch_size} and {rate}")
    alive = (old.W2 != 0).any(axis=1)  # (n_hidden,)
    moments = {name: (np.zeros_like(getattr(old, name)),) * 2 for name in WEIGHTS}
    new, step = old, 0
    for _ in range(epochs):
        shuffled = rng.permutation(len(X))
        for batch in (shuffled[start : start + batch_size] for start in range(0, len(X), batch_size)):
            step += 1
            slopes = gradients(new, X[batch], targets[batch])
            slopes["W2"] = slopes["W2"] * alive[:, None]
            new = _adam(new, slopes, moments, rate, step)
    return new


def _adam(
    model: Classifier, slopes: dict[str, Array], moments: dict[str, tuple[Array, Array]], rate: float, step: int
) -> Classifier:
    moved = {}
    for name, slope in slopes.items():
        first, second = moments[name]
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        moments[name] = first, second
        pace = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        moved[name] = getattr(model, name) - pace * first / (np.sqrt(second) + 1e-8)
    return replace(model, **moved)
