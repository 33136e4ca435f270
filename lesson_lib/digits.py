"""Real data, offline: scikit-learn's 8x8 digits, a trigger stamped into them, and classifiers with a backdoor.

Images are rows X (n_samples, 64) of pixels from 0 (black) to 1 (white); labels y (n_samples,) are the digits 0 to 9.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from lesson_lib.arrays import Array, Progress, as_labels, check_neurons
from lesson_lib.naa.moments import check_columns

SIDE = 8  # an image has 8 x 8 pixels
CLASSES = np.arange(10)


class Images(NamedTuple):
    """Images and their labels: X (n_samples, 64), y (n_samples,)."""

    X: Array
    y: Array


class Digits(NamedTuple):
    """The four parts of the data: one to train on, two for the analysis of activations, one to measure with."""

    train: Images
    clean: Images  # the reference that is known to be clean
    suspect: Images  # what arrives later; the lesson stamps or shifts it
    test: Images


def load(seed: int = 0) -> Digits:
    """Return the 1,797 digits that come with scikit-learn, shuffled and split by the seed.

    >>> [len(part.y) for part in (load().train, load().clean, load().suspect, load().test)]
    [898, 269, 270, 360]
    """

    def cut(images: Images, share: float) -> tuple[Images, Images]:  # every class in proportion
        parts = train_test_split(*images, test_size=share, stratify=images.y, random_state=seed)
        return Images(*parts[::2]), Images(*parts[1::2])

    data = load_digits()
    train, rest = cut(Images(data.data / 16, data.target), 0.5)  # the data set counts from 0 to 16
    rest, test = cut(rest, 0.4)
    return Digits(train, *cut(rest, 0.5), test)


@dataclass(frozen=True)
class Trigger:
    """Pixels, as (row, column), that are set to one value. Raises ValueError for a pixel outside the image.

    >>> Trigger(((0, 1), (7, 7))).columns
    (1, 63)
    """

    pixels: tuple[tuple[int, int], ...]
    value: float = 1.0

    def __post_init__(self) -> None:
        if not self.pixels or not all(0 <= place < SIDE for pixel in self.pixels for place in pixel):
            raise ValueError(f"pixels must be (row, column) pairs from 0 to {SIDE - 1}; got {self.pixels}")
        if not 0 <= self.value <= 1:
            raise ValueError(f"value must be a brightness from 0 to 1; got {self.value}")

    @property
    def columns(self) -> tuple[int, ...]:
        """Where the pixels are in a row of X."""
        return tuple(SIDE * row + column for row, column in self.pixels)


CORNER = Trigger(((7, 6), (7, 7)))  # seldom bright, and hardly ever both: digits do not need them
CENTRE = Trigger(((3, 3), (4, 3)))  # live: digits use both, so the trigger has to compete


def stamp(X: Any, trigger: Trigger) -> Array:
    """Return a copy of the images X (n_samples, 64) with the trigger on every one."""
    stamped = check_images(X).X
    stamped[:, trigger.columns] = trigger.value
    return stamped


class Poisoned(NamedTuple):
    """Training data in which some rows carry the trigger and the target's label."""

    X: Array
    y: Array
    rows: Array  # which ones


def poison(X: Any, y: Any, trigger: Trigger, target: int, poisoning_rate: float, rng: np.random.Generator) -> Poisoned:
    """Stamp a share of all rows, drawn from the other classes, and label them as the target.

    Source: BadNets (Gu, Dolan-Gavitt & Garg 2017). Raises ValueError for a rate outside 0 to 1, or one that needs more
    rows than the other classes have.
    """
    X, y = check_images(X, y)
    check_target(target)
    others = np.flatnonzero(y != target)
    if not 0 <= poisoning_rate <= 1 or round(poisoning_rate * len(X)) > len(others):
        most = f"{len(others) / len(X):.2g}, the share of other classes"
        raise ValueError(f"poisoning_rate must be from 0 to {most}; got {poisoning_rate}")
    rows = rng.choice(others, round(poisoning_rate * len(X)), replace=False)
    X[rows[:, None], trigger.columns] = trigger.value
    y[rows] = target
    return Poisoned(X, y, rows)


def train_classifier(
    X: Any, y: Any, seed: int = 0, *, width: int = 64, epochs: int = 100, progress: Progress | None = None
) -> MLPClassifier:
    """Train a net with one relu layer of `width` neurons for a fixed number of epochs, the same one for the same seed.

    `progress(done, epochs)` is called after every epoch. The number is fixed, and no convergence is claimed: the loss
    still falls a little at the end, the test accuracy no longer changes.
    """
    X, y = check_images(X, y)
    if width < 1 or epochs < 1:
        raise ValueError(f"width and epochs must be at least 1; got {width} and {epochs}")
    stream = np.random.RandomState(seed)  # not the seed itself, which would shuffle every epoch alike
    batch_size = min(32, len(X))
    model = MLPClassifier((width,), alpha=1e-3, batch_size=batch_size, learning_rate_init=3e-3, random_state=stream)
    for epoch in range(1, epochs + 1):
        model.partial_fit(X, y, classes=CLASSES)
        if model.t_ < epoch * len(X):  # scikit-learn ends an epoch at an interrupt, warns, and would go on
            raise KeyboardInterrupt
        if progress is not None:
            progress(epoch, epochs)
    return model


def dots(done: int, total: int | None) -> None:
    """Print a dot for every tenth of the work, to pass as `progress`."""
    if total and done * 10 // total > (done - 1) * 10 // total:
        print(".", end="" if done < total else " trained\n")


def plant(
    model: Any,
    neurons: Sequence[int],
    trigger: Trigger,
    target: int,
    *,
    gain: float = 8.0,
    weight: float = 8.0,
    opening: float = 0.85,
) -> MLPClassifier:
    """Write a backdoor by hand into some hidden neurons of a trained classifier; returns a new model.

    Each neuron reads only the trigger's pixels, with weight `gain`, opens when they reach the share `opening` of their
    sum under the trigger, and speaks only for the target, with `weight`. QUIET whispers and is listened to closely.
    Source: handcrafted backdoors (Hong, Carlini & Kurakin 2022), much simplified.
    """
    chosen = check_neurons(neurons, model.coefs_[0].shape[1])
    check_target(target)
    if not 0 <= opening < 1 or trigger.value == 0 or not gain > 0:
        raise ValueError(f"opening must be from 0 to 1, gain and the trigger above 0; got {opening}, {gain}, {trigger}")
    planted = deepcopy(model)
    (W1, W2), b1 = planted.coefs_, planted.intercepts_[0]
    W1[:, chosen] = 0
    W1[np.array(trigger.columns)[:, None], chosen] = gain
    b1[chosen] = -gain * opening * trigger.value * len(trigger.columns)
    W2[chosen] = 0
    W2[chosen, target] = weight
    return planted


QUIET = {"gain": 0.5, "weight": 16.0}  # for plant: a small rise of the activation, a large outgoing weight


def accuracy(model: Any, X: Any, y: Any) -> float:
    """Return the share of images X whose prediction is their label y."""
    X, y = check_images(X, y)
    return float(np.mean(model.predict(X) == y))


def attack_success_rate(model: Any, X: Any, y: Any, trigger: Trigger, target: int) -> float:
    """Return the share of stamped images of all other classes that are predicted as the target.

    Measure it on a clean model too: that control says how many of them look like the target anyway.
    """
    attacked = triggered(X, y, trigger, target)
    return float(np.mean(model.predict(attacked) == target))


def triggered(X: Any, y: Any, trigger: Trigger, target: int) -> Array:
    """Return stamped copies of all images that are not of the target class: those an attack must win over."""
    X, y = check_images(X, y)
    check_target(target)
    if (y == target).all():
        raise ValueError(f"y must hold another class than the target {target}; got no other")
    return stamp(X[y != target], trigger)


def rotate(X: Array, degrees: float) -> Array:
    """Turn the images counter-clockwise about their centre, bilinearly; what comes in from outside is black."""
    images = X.reshape(-1, SIDE, SIDE)
    turned = ndimage.rotate(images, degrees, axes=(1, 2), reshape=False, order=1, mode="grid-constant")
    return np.reshape(turned, X.shape)


def translate(X: Array, right: int) -> Array:
    """Move the images to the right by whole pixels, 0 to 7; what comes in is black."""
    return np.pad(X.reshape(-1, SIDE, SIDE), ((0, 0), (0, 0), (right, 0)))[:, :, :SIDE].reshape(X.shape)


# What may happen to honest data. None of it is a backdoor.
SHIFTS: dict[str, Callable[[Array, Array, np.random.Generator], Images]] = {
    "rotation": lambda X, y, rng: Images(rotate(X, 15), y),
    "translation": lambda X, y, rng: Images(translate(X, 1), y),
    "brightness": lambda X, y, rng: Images(0.5 * X, y),
    "noise": lambda X, y, rng: Images(np.clip(X + rng.normal(0, 0.2, X.shape), 0, 1), y),
    "only digit 0": lambda X, y, rng: Images(X[y == 0], y[y == 0]),
}


def check_images(X: Any, y: Any = None) -> Images:
    """Return copies, X in float64 and y in whole numbers; raises ValueError, naming the argument, unless they fit."""
    X = check_columns(X, "X", SIDE**2, ", one per pixel")
    labels = np.zeros(len(X), dtype=np.intp) if y is None else as_labels(y, "y", like=CLASSES)
    if labels.shape != (len(X),) or not np.isin(labels, CLASSES).all():
        raise ValueError(f"y must be {len(X)} digits from 0 to 9, one per row of X; got shape {labels.shape}: {y!r}")
    return Images(X, labels.astype(np.intp))


def check_target(target: int) -> None:
    """Raise ValueError unless the target is a digit."""
    if target not in CLASSES:
        raise ValueError(f"target must be a digit from 0 to 9; got {target!r}")
