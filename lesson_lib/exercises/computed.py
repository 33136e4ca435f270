"""What is computed for a question: the right numbers, what known slips give, and the facts that its texts name."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import as_fraction
from lesson_lib.derivation.step import Derivation, Step
from lesson_lib.exercises.marking import TryOut
from lesson_lib.network import Params, forward
from lesson_lib.proofs.lock import locks
from lesson_lib.training import TOLERANCE


class Computed(NamedTuple):
    """The right numbers, what each known slip gives instead, and the facts that the question's texts name in braces.

    Where many answers are right, `try_out` says of one whether it is, and the facts that the reply names.
    """

    answer: Sequence[Fraction] = ()
    slips: Mapping[str, Sequence[Fraction]] = {}
    facts: Mapping[str, Any] = {}
    try_out: TryOut | None = None


def from_line(step: Step, facts: Mapping[str, Any] | None = None, **slips: Any) -> Computed:
    """Take the answer and the solution from a line of the derivation."""
    return Computed(entries(step), slips, {"line": step.text, "zero": step.zero} if facts is None else facts)


def which_are_open(net: Params, x: Any, y: Any, facts: Mapping[str, Any], **slips: Any) -> Computed:
    """Ask which of dL/dW1, dL/db1, dL/dW2, dL/db2 are open on one sample: 1 for open, 0 for locked."""
    found = locks(net, x, y)
    why = " · ".join(f"dL/d{lock.name}: {lock.reason}" for lock in found)
    answer = [Fraction(lock.is_open) for lock in found]
    return Computed(answer, {name: [*map(Fraction, flags)] for name, flags in slips.items()}, {**facts, "why": why})


def own_neuron(
    given: Sequence[Fraction], X: Sequence[Any], Y: Sequence[float], names: str, **facts: Any
) -> tuple[bool, Mapping[str, Any]]:
    """Try out a neuron, [w,] b and v, beside one that answers x above 0: the first answers on X must be Y."""
    w, bias, weight = (Fraction(1), *given)[-3:]
    net = Params(W1=[[1, -w]], b1=[[0, bias]], W2=[[1], [weight]], b2=[[0]])
    answers = forward(net, [[x] for x in X]).y_hat[:, 0].astype(float)
    right = bool((abs(answers[: len(Y)] - Y) <= TOLERANCE).all())
    return right, facts | dict(zip(names.split(), answers, strict=True))


def results(derivation: Derivation, sample: int | None) -> Any:
    """Return what a step computes on one sample, or on all: each quantity's entries, row by row, as Fractions."""
    steps = [step for step in derivation.steps if step.sample == sample]
    return SimpleNamespace(**{step.quantity: entries(step) for step in steps})


def entries(step: Step) -> Any:
    """Return what a line computes, row by row, as Fractions."""
    return np.array([as_fraction(entry) for entry in np.ravel(step.result)])
