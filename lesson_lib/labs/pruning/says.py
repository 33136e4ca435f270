"""What pruning has done, in words: the verdict, and the text twin of the picture."""

from collections.abc import Iterable
from typing import Any

from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.compute import LIMIT, LOST, TARGET, Pruning, examples
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.tables import percent, signed

LIMIT_SHOWN = f"{100 * LIMIT:g} %"


def verdict(seen: Pruning, pruned: int) -> str:
    """Return what has become of the attack and of the clean task, side by side."""
    counts = words.PRUNING_COUNTS.format(
        pruned=pruned,
        n=len(seen.neurons),
        accuracy=percent(seen.curve.accuracy[pruned]),
        attack=percent(seen.curve.attack[pruned]),
        control=percent(seen.control),
    )
    facts = words.PRUNING_FACTS.format(
        limit=LIMIT_SHOWN,
        stopped=YES if seen.stopped(pruned) else NO,
        lost=f"{100 * LOST:g}",
        before=percent(seen.curve.accuracy[0]),
        kept=YES if seen.kept(pruned) else NO,
    )
    said = words.PRUNING_VERDICTS[kind(seen, pruned)].format(answer=seen.answers[-1, 0, 0])
    return f"{said} {counts} {facts}"


def kind(seen: Pruning, pruned: int) -> str:
    """Return which verdict it is."""
    if pruned == len(seen.neurons):
        return "nothing left"
    if seen.name == "clean":
        return "no backdoor"
    if seen.stopped(pruned):
        return "repaired" if seen.kept(pruned) else "damaged"
    return "backdoored" if seen.kept(pruned) else "worse"


def describe(seen: Pruning, pruned: int) -> str:
    """Return the picture's text twin: the model, the verdict, where the attack stops, the weights and the answers."""
    what = words.PRUNING_WHAT[seen.name]
    sums = ", ".join(f"{digit}: {signed(value, 1)}" for digit, value in enumerate(seen.weights[pruned]))
    labels = examples()[1]
    clean, triggered = (", ".join(marked(row, labels)) for row in seen.answers[pruned])
    lines = [
        words.PRUNING_SETTING.format(model=what, n=len(seen.neurons), order=seen.by),
        verdict(seen, pruned),
        stops(seen),
        words.PRUNING_WEIGHTS.format(sums=sums, target=TARGET),
        words.PRUNING_ANSWERS.format(labels=", ".join(map(str, labels)), clean=clean, triggered=triggered),
    ]
    return "\n".join(lines)


def stops(seen: Pruning) -> str:
    """Return at how many neurons the attack first falls below the limit, and what that costs."""
    k = seen.first_below
    if k is None:
        return words.PRUNING_NEVER.format(limit=LIMIT_SHOWN)
    return words.PRUNING_STOPS.format(limit=LIMIT_SHOWN, k=k, accuracy=percent(seen.curve.accuracy[k]))


def marked(answers: Iterable[Any], labels: Iterable[Any]) -> list[str]:
    """Return the answers as text, each wrong one with a sign."""
    pairs = zip(answers, labels, strict=True)
    return [str(answer) if answer == label else words.PRUNING_WRONG.format(answer=answer) for answer, label in pairs]
