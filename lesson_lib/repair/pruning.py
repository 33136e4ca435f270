"""In which order to prune hidden neurons, and what accuracy and attack become on the way."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.naa.judgement import analyse
from lesson_lib.naa.moments import in_memory
from lesson_lib.network import Forward
from lesson_lib.repair.classifier import Classifier, Indices, as_classifier, check_neurons, one_hot

ORDERS = ("difference", "rise", "effect size", "dormant", "random")


def order(
    clean_activations: Any, suspect_activations: Any, by: str = "difference", rng: np.random.Generator | None = None
) -> Indices:
    """Return the hidden neurons, (n_hidden,), in the order in which to prune them.

    By "difference" (largest |shift| first, as NAA ranks), "rise" (largest signed shift), "effect size" (largest |d|),
    "dormant" (least active on clean rows, as in Fine-Pruning, Liu, Dolan-Gavitt & Garg 2018) or "random" (needs rng).
    """
    if by not in ORDERS:
        raise ValueError(f"by must be one of {', '.join(ORDERS)}; got {by!r}")
    clean = in_memory(clean_activations, "clean_activations")
    suspect = in_memory(suspect_activations, "suspect_activations")
    seen = analyse(clean, suspect)
    if by == "random":
        if rng is None:
            raise ValueError("rng must be a numpy.random.Generator for the order random; got None")
        return rng.permutation(len(seen.shift)).astype(np.intp)
    if by == "dormant":
        return np.argsort(clean.mean(axis=0), kind="stable")
    values = {"difference": seen.signature, "rise": seen.shift, "effect size": abs(seen.effect_size)}[by]
    return np.argsort(-values, kind="stable")


class Curve(NamedTuple):
    """Accuracy and attack success rate after pruning the first 0, 1, ..., n neurons of an order: (n + 1,) each."""

    accuracy: Array
    attack: Array

    def first_below(self, limit: float = 0.05) -> int | None:
        """Return the smallest number of pruned neurons with an attack success rate below the limit, None if none."""
        below = np.flatnonzero(self.attack < limit)
        return int(below[0]) if len(below) else None


def pruning_curve(model: Any, neurons: Sequence[int] | Indices, X: Any, y: Any, X_triggered: Any, target: Any) -> Curve:
    """Prune the neurons one by one in the order given and measure accuracy on X, y and attack on X_triggered.

    X_triggered (n_triggered, n_in) holds stamped images of the other classes. The hidden layer is computed once: each
    step only takes one neuron's share, a1 W2, off the outputs. Raises ValueError as the model and `prune` do.
    """
    old = as_classifier(model)
    neurons = check_neurons(neurons, old.W1.shape[1])
    if old.edits:
        raise ValueError("model must have no edits: prune before clipping, smoothing or removing a direction")
    if target not in old.classes:
        raise ValueError(f"target must be one of {old.classes.tolist()}; got {target!r}")
    passed, triggered = old.run(X), old.run(X_triggered)
    labels = one_hot(y, old.classes, len(passed.a1)).argmax(axis=1)
    hits = [_decisions(passed, old, neurons) == labels, old.classes[_decisions(triggered, old, neurons)] == target]
    return Curve(*(hit.mean(axis=1) for hit in hits))


def _decisions(passed: Forward, model: Classifier, neurons: Indices) -> Indices:
    y_hat = passed.y_hat  # (n_samples, n_out)
    chosen = [y_hat.argmax(axis=1)]
    for neuron in neurons:
        y_hat = y_hat - passed.a1[:, [neuron]] * model.W2[neuron]
        chosen.append(y_hat.argmax(axis=1))
    return np.array(chosen)  # (n_neurons + 1, n_samples)
