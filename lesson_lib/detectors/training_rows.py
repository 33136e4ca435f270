"""Activation clustering and spectral signatures: look, class by class, for the training rows that are not like others.

Both need the training data with their labels, as the attacker left them. Clustering splits each class in two, and looks
how well it falls apart: Chen et al. 2018. Signatures score each row by how far it lies along the direction in which its
class varies most, and must be told how many rows may be poisoned: Tran, Li & Madry 2018.
"""

import warnings
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2
from sklearn.metrics import silhouette_score

from lesson_lib.arrays import Array, Indices, as_rows
from lesson_lib.detectors.naming import Naming, name_class

STARTS, MOST_ROUNDS = 10, 100
REMOVED = 1.5  # how many rows of every class are removed, in multiples of those that may be poisoned


def by_class(activations: Any, labels: Any) -> tuple[Array, list[Indices]]:
    """Return the activations as an array, and the numbers of the rows of each class, in the order of the labels.

    Raises ValueError unless each row has a label, and each class two rows.
    """
    activations, labels = as_rows(activations, "activations"), np.asarray(labels)
    if labels.shape != (len(activations),):
        raise ValueError(f"labels must have one label per row of activations, {len(activations)}; got {labels.shape}")
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if min(map(len, rows)) < 2:
        raise ValueError("labels must have at least two rows of each class")
    return activations, rows


def directions(rows: Any) -> Array:
    """Return the directions, of length 1, in which rows (n_rows, n_neurons) vary, (n_directions, n_neurons).

    The one in which they vary most comes first.
    """
    return np.asarray(np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2])


def principal_components(rows: Any, n_dims: int = 10) -> Array:
    """Return the rows (n_rows, n_neurons) along the directions in which they vary most, (n_rows, n_dims)."""
    return np.asarray((rows - rows.mean(axis=0)) @ directions(rows)[:n_dims].T)


def two_means(points: Array, rng: np.random.Generator) -> Array:
    """Return which points (n_points, n_dims) are in the smaller of two clusters, the tightest of several tries."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One of the clusters is empty")  # of one try: another is tighter
        tries = [kmeans2(points, 2, MOST_ROUNDS, minit="points", seed=rng) for _ in range(STARTS)]
    second = min(tries, key=lambda found: ((points - found[0][found[1]]) ** 2).sum())[1] == 1
    return np.asarray(second if second.sum() * 2 <= len(second) else ~second)


def activation_clustering(activations: Any, labels: Any, rng: np.random.Generator) -> tuple[Naming, Array]:
    """Return which class falls apart most, and which rows are in the smaller cluster of their class, (n_rows,).

    A class of two rows, or of equal ones, does not fall apart: its score is 0.
    """
    activations, classes = by_class(activations, labels)
    smaller, scores = np.zeros(len(activations), dtype=bool), np.zeros(len(classes))
    for i, rows in enumerate(classes):
        points = principal_components(activations[rows])
        if len(rows) > 2 and np.ptp(activations[rows], axis=0).any():
            smaller[rows] = second = two_means(points, rng)
            scores[i] = silhouette_score(points, second)
    return name_class(scores, np.unique(labels), suspect=1), smaller


def spectral_scores(activations: Any, labels: Any) -> Array:
    """Return the squared distance of each row of activations (n_rows, n_neurons) from its class, along one line."""
    activations, classes = by_class(activations, labels)
    scores = np.zeros(len(activations))
    for rows in classes:
        scores[rows] = principal_components(activations[rows], 1)[:, 0] ** 2
    return scores


def spectral_signatures(activations: Any, labels: Any, n_poisoned: int) -> Indices:
    """Return the rows to remove: of every class, the REMOVED times `n_poisoned` with the largest scores."""
    scores, n = spectral_scores(activations, labels), round(REMOVED * n_poisoned)
    worst = [rows[np.argsort(-scores[rows], kind="stable")[:n]] for rows in by_class(activations, labels)[1]]
    return np.sort(np.concatenate(worst))
