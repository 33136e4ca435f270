"""Take a backdoor out of a trained classifier: prune, clip, smooth, or remove one direction.

Every repair returns a new `Classifier` and leaves the old model as it was. X is (n_samples, n_in) throughout, and
activations are the hidden layer's a1, (n_samples, n_hidden).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lesson_lib.repair.classifier import Classifier, Edit, Indices, as_classifier, check_activations, check_neurons


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
    clean = check_activations(clean_activations, "clean_activations", old)
    if not 0 <= percentile <= 100:
        raise ValueError(f"percentile must be from 0 to 100; got {percentile!r}")
    return _edited(old, ceiling=np.percentile(clean, percentile, axis=0))


def smooth(model: Any, mean: Any, amount: float = 0.5) -> Classifier:
    """Pull each hidden activation toward the clean mean (n_hidden,): a1 becomes (1 - amount) a1 + amount mean.

    Amount 0 changes nothing, 1 leaves a constant output. Shrinkage toward a mean, here as a repair that sounds
    plausible and fails: it weakens the clean task and the backdoor alike.
    """
    old = as_classifier(model)
    mean = check_activations(np.atleast_2d(mean), "mean", old)
    if len(mean) != 1:
        raise ValueError(f"mean must hold one value per neuron; got shape {mean.shape}")
    if not 0 <= amount <= 1:
        raise ValueError(f"amount must be from 0 to 1; got {amount!r}")
    return _edited(old, matrix=(1 - amount) * np.eye(mean.shape[1]), offset=amount * mean)


def remove_direction(model: Any, clean_activations: Any, suspect_activations: Any) -> Classifier:
    """Take out the one direction in which suspect activations differ from clean ones, measured in whitened space.

    Both sets are (n_rows, n_hidden). With delta the difference of their means and S the covariance of all rows, a1
    loses delta times its coordinate (a1 - clean mean) S^-1 delta / (delta' S^-1 delta), so that the means coincide.
    Source: LEACE (Belrose et al. 2023) for two groups, but centred on the clean mean, so that clean rows stay where
    they are on average. Without a difference nothing changes.
    """
    old = as_classifier(model)
    clean = check_activations(clean_activations, "clean_activations", old)
    suspect = check_activations(suspect_activations, "suspect_activations", old)
    delta = suspect.mean(axis=0) - clean.mean(axis=0)  # (n_hidden,)
    if not np.any(delta):
        return old
    rows = np.concatenate([clean, suspect])
    whitened = (
        np.linalg.pinv(np.atleast_2d(np.cov(rows, rowvar=False)), rcond=1e-10, hermitian=True) @ delta
    )  # (n_hidden,)
    projection = np.outer(whitened, delta) / (whitened @ delta)  # (n_hidden, n_hidden), rank 1
    return _edited(old, matrix=np.eye(len(delta)) - projection, offset=clean.mean(axis=0) @ projection)


def _edited(model: Classifier, ceiling: Any = np.inf, matrix: Any = None, offset: Any = 0.0) -> Classifier:
    n_hidden = model.W1.shape[1]
    ceiling, offset = (np.broadcast_to(np.asarray(value, dtype=float), (1, n_hidden)) for value in (ceiling, offset))
    return replace(model, edits=(*model.edits, Edit(ceiling, np.eye(n_hidden) if matrix is None else matrix, offset)))
