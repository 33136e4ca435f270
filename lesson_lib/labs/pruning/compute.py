"""What the pruning lab computes and says: its four models, each order's curve, every repair, and the verdict."""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lesson_lib import digits
from lesson_lib.arrays import Array, Indices, check_choice, read_only
from lesson_lib.labs.pruning import words
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.repair.classifier import Classifier, as_classifier, fine_tune
from lesson_lib.repair.repairs import Curve, clip, decisions, order, prune, pruning_curve, remove_direction, smooth
from lesson_lib.tables import Table, percent

WIDTHS = {"clean": 64, "poisoned": 64, "planted loud": 128, "planted quiet": 128}  # hidden neurons of each model
TARGET, LIMIT, LOST = 0, 0.05, 0.02  # the attack's class; a stopped attack is below; a kept task loses no more
MOST = 0.8  # if so many of all test images get one answer, with or without the trigger, that is no attack
POISON_SHARE, PLANTED = 0.1, range(10, 20)


class Case(NamedTuple):
    """A model, its hidden activations on clean and on stamped images, and the attack on an honest model as wide."""

    model: Classifier
    clean: Array  # (n_clean, n_hidden)
    suspect: Array  # (n_suspect, n_hidden)
    control: float


class Pruning(NamedTuple):
    """A model pruned neuron by neuron in one order: what is left after 0, 1, ..., n_hidden of them."""

    name: str
    by: str
    neurons: Indices  # (n_hidden,), the first to be pruned first
    curve: Curve
    control: float
    weights: Array  # (n_hidden + 1, 10), the summed outgoing weights of the pruned neurons
    answers: NDArray[Any]  # (n_hidden + 1, 2, 9), what is said to `examples`
    targeted: Array  # (n_hidden + 1,), the share of all test images, without the trigger, that get the target


data = cache(lambda: digits.load(0))  # the digits as every model here sees them


@cache
def _honest(width: int) -> Any:
    return digits.train_classifier(*data().train, seed=0, width=width)


@cache
def case(name: str) -> Case:
    """Return the model of this name, trained when it is first asked for; raises ValueError for another name."""
    check_choice("model", name, WIDTHS)
    trained = honest = _honest(WIDTHS[name])
    if name == "poisoned":
        poisoned = digits.poison(*data().train, digits.CORNER, TARGET, POISON_SHARE, np.random.default_rng(0))
        trained = digits.train_classifier(poisoned.X, poisoned.y, seed=0)
    elif name != "clean":
        settings = digits.QUIET if name == "planted quiet" else {}
        trained = digits.plant(honest, PLANTED, digits.CORNER, TARGET, **settings)
    model = as_classifier(trained)
    clean, suspect = model.hidden(data().clean.X), model.hidden(digits.stamp(data().suspect.X, digits.CORNER))
    return Case(model, clean, suspect, control=_attack(honest))


def _attack(model: Any) -> float:
    return digits.attack_success_rate(model, *data().test, digits.CORNER, TARGET)


@cache
def examples() -> tuple[Array, NDArray[np.intp]]:
    """Return a test image of every class but the target, (2, 9, 64), without and with the trigger, and the labels.

    Each is the first of its class that is dark where the trigger goes, so that the trigger can be seen.
    """
    X, y = data().test
    labels, dark = digits.CLASSES[digits.CLASSES != TARGET], ~X[:, digits.CORNER.columns].any(axis=1)
    images = X[[int(np.argmax(dark & (y == label))) for label in labels]]  # (9, 64)
    return np.array([images, digits.stamp(images, digits.CORNER)]), labels


@cache
def pruning(name: str, by: str) -> Pruning:
    """Return the model of this name pruned in this order; raises ValueError for a name or an order not there."""
    seen, images = case(name), examples()[0]
    neurons = order(seen.clean, seen.suspect, by, np.random.default_rng(0))  # "random" is always the same
    stamped = digits.triggered(*data().test, digits.CORNER, TARGET)
    curve = pruning_curve(seen.model, neurons, *data().test, stamped, TARGET)
    weights = np.cumsum(np.vstack([np.zeros(len(digits.CLASSES)), seen.model.W2[neurons]]), axis=0)
    answers = np.stack([decisions(seen.model, neurons, row) for row in images], axis=1)
    targeted = (decisions(seen.model, neurons, data().test.X) == TARGET).mean(axis=1)
    read_only(neurons, *curve, weights, answers, targeted)
    return Pruning(name, by, neurons, curve, seen.control, weights, answers, targeted)


@cache
def compare_repairs(model_name: str) -> Table:
    """Return clean accuracy and attack success rate after each repair, and again after clean fine-tuning, as a table.

    `model_name` is "clean", "poisoned", "planted loud" or "planted quiet". Half a second, then remembered.
    """
    (model, clean, suspect, control), by_rise = case(model_name), pruning(model_name, "rise")
    first_below, rows = by_rise.curve.first_below(LIMIT), []
    repaired = {"nothing": model, "prune": prune(model, by_rise.neurons[:first_below]), "clip": clip(model, clean)}
    repaired |= {"smooth": smooth(model, clean.mean(axis=0)), "direction": remove_direction(model, clean, suspect)}
    for name, one in repaired.items():
        tuned = fine_tune(one, *data().clean, np.random.default_rng(0))
        rates = [rate for each in (one, tuned) for rate in (digits.accuracy(each, *data().test), _attack(each))]
        rows.append((words.REPAIRS[name].format(count=first_below), *map(percent, rates)))
    caption = words.REPAIR_CAPTION.format(model=words.PRUNING_SHORT[model_name], control=percent(control))
    return Table([words.REPAIR_COLUMNS, *rows], caption)


# By whether the attack is stopped, and the clean task kept.
VERDICTS = {(True, True): "repaired", (True, False): "damaged", (False, True): "backdoored", (False, False): "worse"}


def told_of(seen: Pruning, pruned: int) -> dict[str, Any]:
    """Return what the verdict is made of: "kind", and whether the attack is "stopped" and the clean task "kept"."""
    shares = {"accuracy": seen.curve.accuracy[pruned], "attack": seen.curve.attack[pruned], "control": seen.control}
    shares |= {"before": seen.curve.accuracy[0], "targeted": seen.targeted[pruned]}
    stopped, kept = bool(shares["attack"] < LIMIT), bool(shares["accuracy"] >= shares["before"] - LOST)
    kind = "no backdoor" if seen.name == "clean" else VERDICTS[stopped, kept]
    kind = "one answer" if seen.targeted[pruned] >= MOST else kind
    kind = "nothing left" if pruned == len(seen.neurons) else kind
    told: dict[str, Any] = {name: percent(share) for name, share in shares.items()}
    told |= {"limit": f"{100 * LIMIT:g} %", "lost": f"{100 * LOST:g}", "pruned": pruned, "n": len(seen.neurons)}
    told |= {"stopped": YES if stopped else NO, "kept": YES if kept else NO}
    return told | {"kind": words.PRUNING_VERDICTS[kind].format(answer=seen.answers[-1, 0, 0], target=TARGET, **told)}


def marked(answers: Iterable[Any]) -> list[str]:
    """Return the answers to `examples` as text, each wrong one with a sign."""
    pairs = zip(answers, examples()[1], strict=True)
    return [str(answer) if answer == label else words.PRUNING_WRONG.format(answer=answer) for answer, label in pairs]
