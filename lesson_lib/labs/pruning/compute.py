"""What the pruning lab computes: its four models, each order's curve, and every repair side by side."""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lesson_lib.arrays import Array, Indices, read_only
from lesson_lib.digits import (
    CLASSES,
    CORNER,
    QUIET,
    Digits,
    accuracy,
    attack_success_rate,
    load,
    plant,
    poison,
    stamp,
    train_classifier,
    triggered,
)
from lesson_lib.labs.pruning import words
from lesson_lib.repair.classifier import Classifier, as_classifier, fine_tune
from lesson_lib.repair.repairs import ORDERS, Curve, clip, order, prune, pruning_curve, remove_direction, smooth
from lesson_lib.tables import Table, percent

WIDTHS = {"clean": 64, "poisoned": 64, "planted loud": 128, "planted quiet": 128}  # hidden neurons of each model
TARGET, LIMIT, LOST = 0, 0.05, 0.02  # the attack's class; a stopped attack is below; a kept task loses no more
POISON_SHARE, PLANTED = 0.1, range(10, 20)


class Case(NamedTuple):
    """A model, its hidden activations on clean and on stamped images, and the attack on an honest model as wide."""

    model: Classifier
    clean: Array  # (n_clean, n_hidden)
    suspect: Array  # (n_suspect, n_hidden)
    control: float


@dataclass(frozen=True, eq=False)
class Pruning:
    """A model pruned neuron by neuron in one order: what is left after 0, 1, ..., n_hidden of them."""

    name: str
    by: str
    neurons: Indices  # (n_hidden,), the first to be pruned first
    curve: Curve
    control: float
    weights: Array  # (n_hidden + 1, 10), the summed outgoing weights of the pruned neurons
    answers: NDArray[Any]  # (n_hidden + 1, 2, 9), what is said to `examples`

    @property
    def first_below(self) -> int | None:
        """The smallest number of pruned neurons that stops the attack."""
        return self.curve.first_below(LIMIT)

    def stopped(self, pruned: int) -> bool:
        """Tell whether the attack is below the limit once this many neurons are pruned."""
        return bool(self.curve.attack[pruned] < LIMIT)

    def kept(self, pruned: int) -> bool:
        """Tell whether the clean task has lost next to nothing once this many neurons are pruned."""
        return bool(self.curve.accuracy[pruned] >= self.curve.accuracy[0] - LOST)


@cache
def data() -> Digits:
    """Return the digits as every model here sees them."""
    return load(0)


@cache
def _honest(width: int) -> Any:
    return train_classifier(*data().train, seed=0, width=width)


def _trained(name: str) -> Any:
    if name == "poisoned":
        poisoned = poison(*data().train, CORNER, TARGET, POISON_SHARE, np.random.default_rng(0))
        return train_classifier(poisoned.X, poisoned.y, seed=0)
    honest = _honest(WIDTHS[name])
    settings = QUIET if name == "planted quiet" else {}
    return honest if name == "clean" else plant(honest, PLANTED, CORNER, TARGET, **settings)


@cache
def case(name: str) -> Case:
    """Return the model of this name, trained when it is first asked for; raises ValueError for another name."""
    if name not in WIDTHS:
        raise ValueError(f"model must be one of {', '.join(WIDTHS)}; got {name!r}")
    model = as_classifier(_trained(name))
    clean, suspect = model.hidden(data().clean.X), model.hidden(stamp(data().suspect.X, CORNER))
    control = attack_success_rate(_honest(WIDTHS[name]), *data().test, CORNER, TARGET)
    return Case(model, clean, suspect, control)


@cache
def examples() -> tuple[Array, NDArray[np.intp]]:
    """Return a test image of every class but the target, (2, 9, 64), without and with the trigger, and the labels.

    Each is the first of its class that is dark where the trigger goes, so that the trigger can be seen.
    """
    X, y = data().test
    labels, dark = CLASSES[CLASSES != TARGET], ~X[:, CORNER.columns].any(axis=1)
    images = X[[int(np.argmax(dark & (y == label))) for label in labels]]  # (9, 64)
    return np.array([images, stamp(images, CORNER)]), labels


@cache
def pruning(name: str, by: str) -> Pruning:
    """Return the model of this name pruned in this order; raises ValueError for a name or an order not there."""
    model, control, images = case(name).model, case(name).control, examples()[0]
    neurons = neurons_by(name, by)
    curve = pruning_curve(model, neurons, *data().test, triggered(*data().test, CORNER, TARGET), TARGET)
    weights = np.cumsum(np.vstack([np.zeros(len(CLASSES)), model.W2[neurons]]), axis=0)
    rows = images.reshape(-1, images.shape[-1])  # (18, 64)
    left = [prune(model, neurons[:k]) for k in range(len(neurons) + 1)]
    answers = np.array([one.predict(rows).reshape(images.shape[:2]) for one in left])
    read_only(neurons, *curve, weights, answers)
    return Pruning(name, by, neurons, curve, control, weights, answers)


def neurons_by(name: str, by: str) -> Indices:
    """Return the neurons of the model of this name in the order in which to prune them; "random" is always the same."""
    seen = case(name)
    return order(seen.clean, seen.suspect, by, np.random.default_rng(0))


@cache
def weight_limits(name: str) -> tuple[float, float]:
    """Return the smallest and the largest sum of outgoing weights that pruning this model can show."""
    sums = [np.cumsum(case(name).model.W2[neurons_by(name, by)], axis=0) for by in ORDERS]
    return min(0.0, float(np.min(sums))), max(0.0, float(np.max(sums)))


@cache
def compare_repairs(model_name: str) -> Table:
    """Return clean accuracy and attack success rate after each repair, and again after clean fine-tuning, as a table.

    `model_name` is "clean", "poisoned", "planted loud" or "planted quiet". Half a second, then remembered.
    """
    rows = []
    for name, model in repaired(model_name).items():
        tuned = fine_tune(model, *data().clean, np.random.default_rng(0))
        rows.append((name, *map(percent, (*rates(model), *rates(tuned)))))
    caption = words.REPAIR_CAPTION.format(model=model_name, control=percent(case(model_name).control))
    return Table([words.REPAIR_COLUMNS, *rows], caption)


def repaired(name: str) -> dict[str, Classifier]:
    """Return the model of this name after each repair, by what was done."""
    model, clean, suspect, _ = case(name)
    by_rise, label = pruning(name, "rise"), words.REPAIRS
    return {
        label["nothing"]: model,
        label["prune"].format(count=by_rise.first_below): prune(model, by_rise.neurons[: by_rise.first_below]),
        label["clip"]: clip(model, clean),
        label["smooth"]: smooth(model, clean.mean(axis=0)),
        label["direction"]: remove_direction(model, clean, suspect),
    }


def rates(model: Classifier) -> tuple[float, float]:
    """Return clean accuracy and attack success rate on the test images."""
    return accuracy(model, *data().test), attack_success_rate(model, *data().test, CORNER, TARGET)
