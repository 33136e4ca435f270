"""Neural Cleanse: search the smallest trigger of every class; one that gives in to a tiny trigger is suspect.

It needs the model and clean images: no suspect set, no training data. Source: Wang et al. 2019.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from lesson_lib.activations import ACTIVATIONS
from lesson_lib.arrays import Array
from lesson_lib.detectors.naming import Naming, name_class
from lesson_lib.network import chain_rule, propagate
from lesson_lib.repair.classifier import Classifier, adam, as_classifier, check_inputs, one_hot

sigmoid = ACTIVATIONS["sigmoid"].phi


class Found(NamedTuple):
    """A trigger: how much of each pixel it replaces, by what, and the share of images that it turns to its class."""

    mask: Array  # (n_in,), from 0 to 1
    pattern: Array  # (n_in,), from 0 to 1
    success: float = np.nan

    def put(self, X: Array) -> Array:
        """Return the images X (n_samples, n_in) with the trigger on every one."""
        return np.asarray((1 - self.mask) * X + self.mask * self.pattern)


def find_trigger(model: Any, X: Any, target: Any, *, steps: int = 300, rate: float = 0.1, price: float = 0.01) -> Found:
    """Search by gradient descent what turns the images X (n_samples, n_in) to a class, at a price for every pixel.

    The loss is the mean cross-entropy of the target plus `price` times the sum of the mask. Mask and pattern are
    sigmoids of what Adam moves, which keeps them between 0 and 1. Raises ValueError for X or a target that do not fit.
    """
    net = as_classifier(model)
    if net.edits:
        raise ValueError("model must be one that no repair has edited: the way back to the pixels ignores edits")
    X = check_inputs(X, net)
    wanted = one_hot(np.full(len(X), target), net.classes, len(X))
    free, moments = np.zeros((2, X.shape[1])), {"free": (0.0, 0.0)}  # of the mask and of the pattern
    for step in range(1, steps + 1):
        free = free - adam("free", _slopes(net, X, wanted, price, Found(*sigmoid(free))), moments, rate, step)
    found = Found(*sigmoid(free))
    return found._replace(success=float(np.mean(net.predict(found.put(X)) == target)))


def _slopes(net: Classifier, X: Array, wanted: Array, price: float, found: Found) -> Array:
    (mask, pattern, _), passed = found, propagate(net, found.put(X))
    dy_hat = (softmax(passed.y_hat, axis=1) - wanted) / len(X)  # (n_samples, n_out)
    slope_X = chain_rule(net, passed, dy_hat).dz1 @ net.W1.T  # (n_samples, n_in), one link further back
    dmask, dpattern = (slope_X * (pattern - X)).sum(axis=0) + price, (slope_X * mask).sum(axis=0)
    return np.array([dmask * mask * (1 - mask), dpattern * pattern * (1 - pattern)])  # (2, n_in)


def neural_cleanse(model: Any, X: Any, **options: Any) -> tuple[Naming, list[Found]]:
    """Return which class has a trigger far smaller than the others, and the trigger of each class that was found."""
    classes = as_classifier(model).classes
    found = [find_trigger(model, X, target, **options) for target in classes]
    return name_class([each.mask.sum() for each in found], classes, suspect=-1), found
