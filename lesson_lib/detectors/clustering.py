"""Activation clustering: split the training rows of each class in two, and look how well they fall apart.

It needs the training data with their labels, as the attacker left them. Source: Chen et al. 2018.
"""

from typing import Any

import numpy as np

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
    tries = (_settle(points, points[rng.choice(len(points), 2, replace=False)]) for _ in range(STARTS))
    second = min(tries, key=lambda found: found[0])[1]
    return second if second.sum() * 2 <= len(second) else ~second


def _settle(points: Array, centres: Array) -> tuple[float, Array]:
    """Assign the points and move the centres in turn, until nothing changes; the sum of squares, and the assignment."""
    second = np.zeros(len(points), dtype=bool)
    for _ in range(MOST_ROUNDS):
        distances = ((points[:, None] - centres) ** 2).sum(axis=2)  # (n_points, 2)
        before, second = second, distances[:, 1] < distances[:, 0]
        if (second == before).all() or second.all():
            break
        centres = np.array([points[~second].mean(axis=0), points[second].mean(axis=0)])
    return float(distances.min(axis=1).sum()), second


def silhouette(points: Array, second: Array) -> float:
    """Return how much farther the other cluster is than a point's own, on average: 0 not at all, 1 infinitely."""
    distances = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))  # (n_points, n_points)
    sizes = np.array([(~second).sum(), second.sum()])
    sums = np.stack([distances[:, ~second].sum(axis=1), distances[:, second].sum(axis=1)])  # (2, n_points)
    own, other = np.where(second, sums[::-1], sums)
    own, other = own / np.maximum(sizes[second * 1] - 1, 1), other / sizes[~second * 1]
    return float(np.mean((other - own) / np.maximum(other, own)))


def activation_clustering(activations: Any, labels: Any, rng: np.random.Generator) -> tuple[Naming, Array]:
    """Return which class falls apart most, and which rows are in the smaller cluster of their class, (n_rows,)."""
    activations, classes = by_class(activations, labels)
    smaller, scores = np.zeros(len(activations), dtype=bool), []
    for rows in classes:
        points = principal_components(activations[rows])
        smaller[rows] = second = two_means(points, rng)
        scores.append(silhouette(points, second))
    return name_class(scores, np.unique(labels), suspect=1), smaller
