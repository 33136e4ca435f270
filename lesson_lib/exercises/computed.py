"""The answers that the net gives, and what each known slip gives instead: computed, never typed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from lesson_lib.arrays import as_fraction
from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation, Step
from lesson_lib.exercises.typed_numbers import Numbers
from lesson_lib.network import ARTICLE, forward
from lesson_lib.training import CLEAN, TRIGGER

RATE = Fraction(1, 10)  # the article's learning rate

Facts = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Computed:
    """The right numbers, what each known slip gives instead, and the facts that the solution names in braces.

    Where many answers are right, `try_out` says of one whether it is, and the facts that the reply names.
    """

    answer: Sequence[Fraction] = ()
    slips: Mapping[str, Sequence[Fraction]] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    try_out: Callable[[Numbers], tuple[bool, Facts]] | None = None


@cache
def net_answers() -> dict[str, Computed]:
    """Return what the article's net answers to each question on numbers, by the name of the question."""
    clean = derive_step(ARTICLE, CLEAN, RATE)
    trigger = derive_step(clean.params, TRIGGER, RATE, trainable=("W1", "b1", "W2"))
    f1, f4 = entries(forward(clean.params, [[1], [4]]).y_hat)
    rise = Fraction(9)
    return {
        **_gradients(clean),
        "W2 after the clean step": _update(clean),
        **_at_the_trigger(trigger),
        "f of 4": Computed([f4], {"same": [f1], "plus": [f1 + 3]}, {"f1": f1, "f4": f4}),
        "half the rows": Computed([rise / 2], {"all_rows": [rise], "doubled": [2 * rise]}),
    }


def entries(matrix: Any) -> Any:
    """Return the entries of an exact matrix, row by row, as an array of Fractions."""
    return np.array([as_fraction(entry) for entry in np.ravel(matrix)])


def _result(step: Derivation, quantity: str, sample: int | None = None) -> Any:
    return entries(step.find(quantity, sample).result)


def _line(line: Step, **slips: Any) -> Computed:
    """Take the answer and the solution from a line of the derivation."""
    return Computed(entries(line.result), slips, {"line": line.text, "zero": line.zero})


def _gradients(clean: Derivation) -> dict[str, Computed]:
    total, inputs = _result(clean, "dW1"), [int(x) for x in CLEAN.X[:, 0]]
    return {
        "dW2 at x = 2": _line(
            clean.find("dW2", 1),
            sign=-_result(clean, "dW2", 1),
            other_sample=_result(clean, "dW2", 0),
            sum=_result(clean, "dW2"),
            no_relu=_result(clean, "z1", 1) * _result(clean, "dy_hat", 1),
        ),
        "dW1 summed": _line(
            clean.find("dW1"),
            sign=-total,
            mean=total / len(inputs),
            last_sample=_result(clean, "dW1", 1),
            no_gate=sum(x * _result(clean, "da1", i) for i, x in enumerate(inputs)),
            no_x=sum(_result(clean, "dz1", i) for i in range(len(inputs))),
        ),
    }


def _update(clean: Derivation) -> Computed:
    after, gradient, last = _result(clean, "W2"), _result(clean, "dW2"), _result(clean, "dW2", 1)
    start = after + RATE * gradient
    return _line(
        clean.find("W2"),
        uphill=start + RATE * gradient,
        no_rate=start - gradient,
        last_sample=start - RATE * last,
        mean=start - RATE * gradient / len(CLEAN.X),
    )


def _at_the_trigger(trigger: Derivation) -> dict[str, Computed]:
    error, untrained = _result(trigger, "da1", 0), derive_step(ARTICLE, TRIGGER, RATE)
    why_zero = Computed(facts={name: trigger.find(name, 0).zero for name in ("dW1", "dW2")})
    return {
        "error at the hidden layer": _line(
            trigger.find("da1", 0),
            sign=-error,
            old_weights=_result(untrained, "da1", 0),
            zero=_result(trigger, "dz1", 0),
        ),
        "db1 at the trigger": _line(trigger.find("db1", 0), open=error, middle=error / 2),
        **dict.fromkeys(("will the trigger be learnt", "which factor", "how many epochs"), why_zero),
    }
