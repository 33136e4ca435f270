"""Take a backdoor out of a trained classifier: prune, clip, smooth, or remove one direction; and what pruning costs.

Every repair returns a new `Classifier` and leaves the old model as it was. X is (n_samples, n_in) throughout, and
activations are the hidden layer's a1, (n_samples, n_hidden).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lesson_lib.arrays import Array, Indices, bare, check_choice, check_neurons
from lesson_lib.naa.comparison import compare
from lesson_lib.naa.moments import check_columns, in_memory
from lesson_lib.repair.classifier import Classifier, Edit, as_classifier, one_hot

ORDERS = ("difference", "rise", "effect size", "dormant", "random")

# Repairs of the weights, and edits of the activations ---------------------------------------------------------------


def prune(model: Any, neurons: Sequence[int] | Indices) -> Classifier:
    """Silence hidden neurons: their incoming weights, bias and outgoing weights become 0.

    Source: the first half of Fine-Pruning (Liu, Dolan-Gavitt & Garg 2018). Raises ValueError for a neuron that is not
    there.
    """
    old = as_classifier(model)
    neurons = check_neurons(neurons, old.W1.shape[1])
    kept = np.ones(old.W1.shape[1])
    kept[neurons] = 0
    return replace(old, W1=old.W1 * kept, b1=old.b1 * kept, W2=old.W2 * kept[:, None])


def clip(model: Any, clean_activations: Any, percentile: float = 95.0) -> Classifier:
    """Cap each hidden neuron at a percentile of its own clean activations (n_rows, n_hidden).

    Source: bounds on activations learnt from clean samples, as in Wang, Xiang, Miller & Kesidis (MM-BD, 2022; improved
    activation clipping, 2023), who choose them by optimisation; a percentile is the simplest choice.
    """
    old = as_classifier(model)
    clean = _check_activations(clean_activations, "clean_activations", old)
    if not 0 <= percentile <= 100:
        raise ValueError(f"percentile must be from 0 to 100; got {percentile!r}")
    return _edited(old, np.eye(clean.shape[1]), np.zeros(clean.shape[1]), np.percentile(clean, percentile, axis=0))


def smooth(model: Any, mean: Any, amount: float = 0.5) -> Classifier:
    """Pull each hidden activation toward the clean mean (n_hidden,): a1 becomes (1 - amount) a1 + amount mean.

    Amount 0 changes nothing, 1 leaves a constant output. Shrinkage toward a mean, here as a repair that sounds
    plausible and fails: it weakens the clean task and the backdoor alike.
    """
    old = as_classifier(model)
    mean = _check_activations(np.atleast_2d(bare(mean, "mean")), "mean", old)
    if len(mean) != 1:
        raise ValueError(f"mean must hold one value per neuron; got shape {mean.shape}")
    if not 0 <= amount <= 1:
        raise ValueError(f"amount must be from 0 to 1; got {amount!r}")
    return _edited(old, (1 - amount) * np.eye(mean.shape[1]), amount * mean[0])


def remove_direction(model: Any, clean_activations: Any, suspect_activations: Any) -> Classifier:
    """Take out the one direction in which suspect activations differ from clean ones, measured in whitened space.

    Both sets are (n_rows, n_hidden). With delta the difference of their means and S the covariance of all rows, a1
    loses delta times its coordinate (a1 - clean mean) S^-1 delta / (delta' S^-1 delta), so that the means coincide.
    Source: LEACE (Belrose et al. 2023) for two groups, but centred on the clean mean, so that clean rows stay where
    they are on average. Without a difference nothing changes.
    """
    old = as_classifier(model)
    clean = _check_activations(clean_activations, "clean_activations", old)
    suspect = _check_activations(suspect_activations, "suspect_activations", old)
    delta = suspect.mean(axis=0) - clean.mean(axis=0)  # (n_hidden,)
    if not np.any(delta):
        return old
    rows = np.concatenate([clean, suspect])
    covariance = np.atleast_2d(np.cov(rows.T))  # (n_hidden, n_hidden)
    whitened = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ delta  # (n_hidden,)
    projection = np.outer(whitened, delta) / (whitened @ delta)  # (n_hidden, n_hidden), rank 1
    return _edited(old, np.eye(len(delta)) - projection, clean.mean(axis=0) @ projection)


def _edited(model: Classifier, *edit: Array) -> Classifier:
    return replace(model, edits=(*model.edits, Edit(*edit)))


def _check_activations(values: Any, name: str, model: Classifier) -> Array:
    return check_columns(values, name, model.W1.shape[1], ", one per neuron")


# Pruning neuron by neuron -------------------------------------------------------------------------------------------


def order(
    clean_activations: Any, suspect_activations: Any, by: str = "difference", rng: np.random.Generator | None = None
) -> Indices:
    """Return the hidden neurons, (n_hidden,), in the order in which to prune them.

    By "difference" (largest |shift| first, as NAA ranks), "rise" (largest signed shift), "effect size" (largest |d|),
    "dormant" (least active on clean rows, as in Fine-Pruning, Liu, Dolan-Gavitt & Garg 2018) or "random" (needs rng).
    """
    check_choice("by", by, ORDERS)
    clean = in_memory(clean_activations, "clean_activations")
    seen = compare(clean, in_memory(suspect_activations, "suspect_activations"))
    if by == "random":
        if rng is None:
            raise ValueError("rng must be a numpy.random.Generator for the order random; got None")
        return rng.permutation(len(seen.shift)).astype(np.intp)
    first_is_least = {"difference": -seen.signature, "rise": -seen.shift, "effect size": -abs(seen.effect_size)}
    first_is_least["dormant"] = clean.mean(axis=0)
    return np.argsort(first_is_least[by], kind="stable")


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

    X_triggered (n_triggered, n_in) holds stamped images of the other classes. Raises ValueError as the model and
    `prune` do.
    """
    old = as_classifier(model)
    neurons = check_neurons(neurons, old.W1.shape[1])
    if old.edits:
        raise ValueError("model must have no edits: prune before clipping, smoothing or removing a direction")
    if target not in old.classes:
        raise ValueError(f"target must be one of {old.classes.tolist()}; got {target!r}")
    said, attacked = decisions(old, neurons, X), decisions(old, neurons, X_triggered)
    labels = old.classes[one_hot(y, old.classes, said.shape[1]).argmax(axis=1)]
    return Curve((said == labels).mean(axis=1), (attacked == target).mean(axis=1))


def decisions(model: Classifier, neurons: Indices, X: Any) -> NDArray[Any]:
    """Return the class that each row of X gets with the first 0, 1, ..., n neurons pruned, (n + 1, n_samples).

    The hidden layer is computed once: each step only takes one neuron's share, a1 W2, off the outputs.
    """
    passed = model.run(X)
    y_hat = passed.y_hat  # (n_samples, n_out)
    chosen = [y_hat.argmax(axis=1)]
    for neuron in neurons:
        y_hat = y_hat - passed.a1[:, [neuron]] * model.W2[neuron]
        chosen.append(y_hat.argmax(axis=1))
    return np.asarray(model.classes[np.array(chosen)])
