"""Activation clustering: split the training rows of each class in two, and look how well they fall apart.

It needs the training data with their labels, as the attacker left them. Source: Chen et al. 2018.
"""

import warnings
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2
from sklearn.metrics import silhouette_score

from lesson_lib.arrays import Array
from lesson_lib.detectors.naming import Naming, by_class, name_class

STARTS, MOST_ROUNDS = 10, 100


def principal_components(rows: Any, n_dims: int = 10) -> Array:
    """Return the rows (n_rows, n_neurons) along the directions in which they vary most, (n_rows, n_dims)."""
    centred = rows - rows.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2]  # (n_directions, n_neurons), the widest first
    return np.asarray(centred @ directions[:n_dims].T)


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
