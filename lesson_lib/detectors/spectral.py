"""Spectral signatures: score each training row by how far it lies along the direction in which its class varies most.

It needs the training data with their labels, and how many rows may be poisoned. Source: Tran, Li & Madry 2018.
"""

from typing import Any

import numpy as np

from lesson_lib.arrays import Array, Indices
from lesson_lib.detectors.naming import by_class

REMOVED = 1.5  # how many rows of every class are removed, in multiples of those that may be poisoned


def spectral_scores(activations: Any, labels: Any) -> Array:
    """Return the squared distance of each row of activations (n_rows, n_neurons) from its class, along one line."""
    activations, classes = by_class(activations, labels)
    scores = np.zeros(len(activations))
    for rows in classes:
        scores[rows] = ((activations[rows] - activations[rows].mean(axis=0)) @ widest(activations[rows])) ** 2
    return scores


def widest(rows: Array) -> Array:
    """Return the direction in which the rows (n_rows, n_neurons) vary most, (n_neurons,), of length 1."""
    return np.asarray(np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][0])


def spectral_signatures(activations: Any, labels: Any, n_poisoned: int) -> Indices:
    """Return the rows to remove: of every class, the REMOVED times `n_poisoned` with the largest scores."""
    scores, n = spectral_scores(activations, labels), round(REMOVED * n_poisoned)
    worst = [rows[np.argsort(-scores[rows], kind="stable")[:n]] for rows in by_class(activations, labels)[1]]
    return np.sort(np.concatenate(worst))
