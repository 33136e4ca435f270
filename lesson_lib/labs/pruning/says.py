"""What pruning has done, in words: the verdict, and the text twin of the picture."""

from typing import NamedTuple

from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.compute import LIMIT, LOST, TARGET, Pruning, examples
from lesson_lib.labs.pruning.digit_row import marked
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.pictures.pruning import signed


class View(NamedTuple):
    """What the lab shows: one pruning, and how many neurons of it are pruned."""

    pruning: Pruning
    pruned: int

    @property
    def accuracy(self) -> float:
        """The clean accuracy of what is left."""
        return float(self.pruning.curve.accuracy[self.pruned])

    @property
    def attack(self) -> float:
        """The attack success rate of what is left."""
        return float(self.pruning.curve.attack[self.pruned])

    @property
    def stopped(self) -> bool:
        """Whether the attack is below the limit."""
        return self.attack < LIMIT

    @property
    def kept(self) -> bool:
        """Whether the clean task has lost next to nothing."""
        return self.accuracy >= float(self.pruning.curve.accuracy[0]) - LOST


def percent(share: float) -> str:
    """Return a share as 86.9 %."""
    return f"{100 * share:.1f} %"


def verdict(view: View) -> str:
    """Return what has become of the attack and of the clean task, side by side."""
    seen = view.pruning
    counts = words.PRUNING_COUNTS.format(
        pruned=view.pruned,
        n=len(seen.neurons),
        accuracy=percent(view.accuracy),
        attack=percent(view.attack),
        control=percent(seen.control),
    )
    facts = words.PRUNING_FACTS.format(
        limit=f"{100 * LIMIT:g} %",
        stopped=YES if view.stopped else NO,
        lost=f"{100 * LOST:g}",
        before=percent(seen.curve.accuracy[0]),
        kept=YES if view.kept else NO,
    )
    return f"{words.PRUNING_VERDICTS[kind(view)].format(answer=seen.answers[-1, 0, 0])} {counts} {facts}"


def kind(view: View) -> str:
    """Return which verdict it is."""
    if view.pruned == len(view.pruning.neurons):
        return "nothing left"
    if view.pruning.name == "clean":
        return "no backdoor"
    if view.stopped:
        return "repaired" if view.kept else "damaged"
    return "backdoored" if view.kept else "worse"


def describe(view: View) -> str:
    """Return the picture's text twin: the model, the verdict, where the attack stops, the weights and the answers."""
    seen = view.pruning
    lines = [
        words.PRUNING_SETTING.format(model=words.PRUNING_WHAT[seen.name], n=len(seen.neurons), order=seen.by),
        verdict(view),
        stops(seen),
        weights(view),
        answers(view),
    ]
    return "\n".join(lines)


def stops(seen: Pruning) -> str:
    """Return at how many neurons the attack first falls below the limit, and what that costs."""
    k, limit = seen.first_below, f"{100 * LIMIT:g} %"
    if k is None:
        return words.PRUNING_NEVER.format(limit=limit)
    return words.PRUNING_STOPS.format(limit=limit, k=k, accuracy=percent(seen.curve.accuracy[k]))


def weights(view: View) -> str:
    """Return the summed outgoing weights of the pruned neurons, class by class."""
    row = view.pruning.weights[view.pruned]
    sums = ", ".join(f"{digit}: {signed(value)}" for digit, value in enumerate(row))
    return words.PRUNING_WEIGHTS.format(sums=sums, target=TARGET)


def answers(view: View) -> str:
    """Return what is said to each image, without and with the trigger."""
    labels = examples()[1]
    rows = view.pruning.answers[view.pruned]
    said = [", ".join(marked(one, label) for one, label in zip(row, labels, strict=True)) for row in rows]
    return words.PRUNING_ANSWERS.format(labels=", ".join(map(str, labels)), clean=said[0], triggered=said[1])
