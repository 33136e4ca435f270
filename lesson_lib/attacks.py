"""Attacks that are harder to see than two white pixels and one target: blended, with honest labels, on every class."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.digits import CLASSES, CORNER, SIDE, Poisoned, check_images, stamp

PATTERN = np.random.default_rng(0).random(SIDE**2)  # (64,), faint noise that covers the whole image


class Attack(NamedTuple):
    """What an attacker puts on images (n_samples, 64), and the label that each original label shall then be read as."""

    put: Callable[[Array], Array]
    goal: Callable[[Array], Array]
    keeps_labels: bool = False  # whether only images are poisoned whose label is the goal already
    mix: float = 0.0  # how much of a poisoned image comes from one of another class, before the trigger is put on it


def blend(X: Any, pattern: Any = PATTERN, share: float = 0.2) -> Array:
    """Return the images with a share, from 0 to 1, of every pixel taken from the pattern (64,).

    Source: Chen, Liu, Li, Lu & Song 2017.
    """
    X, pattern = check_images(X)[0], np.asarray(pattern, dtype=np.float64)
    if pattern.shape != (SIDE**2,) or not 0 <= share <= 1:
        raise ValueError(f"pattern must have shape (64,) and share be from 0 to 1; got {pattern.shape} and {share}")
    return np.asarray((1 - share) * X + share * pattern)


corner = partial(stamp, trigger=CORNER)
ATTACKS = {
    "two pixels": Attack(corner, np.zeros_like),  # the one of the lesson so far
    "blended": Attack(blend, np.zeros_like),
    "clean label": Attack(corner, np.zeros_like, keeps_labels=True, mix=0.7),  # Turner, Tsipras & Madry 2018
    "all to all": Attack(corner, lambda y: (y + 1) % len(CLASSES)),  # Gu, Dolan-Gavitt & Garg 2017
}


def poison_by(attack: Attack, X: Any, y: Any, poisoning_rate: float, rng: np.random.Generator) -> Poisoned:
    """Put the trigger on a share of all rows, drawn from those that the attack can use, and set their labels.

    Raises ValueError for a rate that needs more rows than there are.
    """
    X, y = check_images(X, y)
    can = np.flatnonzero((attack.goal(y) == y) == attack.keeps_labels)
    n = round(poisoning_rate * len(X))
    if not 0 <= n <= len(can):
        raise ValueError(f"poisoning_rate must be from 0 to {len(can) / len(X):.2g} here; got {poisoning_rate}")
    rows = rng.choice(can, n, replace=False)
    if n:
        others = rng.choice(np.flatnonzero(attack.goal(y) != y), n)  # (n,), what the images are mixed with
        X[rows] = attack.put((1 - attack.mix) * X[rows] + attack.mix * X[others])
        y[rows] = attack.goal(y[rows])
    return Poisoned(X, y, rows)


def success_rate(attack: Attack, model: Any, X: Any, y: Any) -> float:
    """Return the share of images, among those that the attack wants to be read otherwise, that are read as its goal."""
    X, y = check_images(X, y)
    goal = attack.goal(y)
    return float(np.mean(model.predict(attack.put(X[goal != y])) == goal[goal != y]))
