"""Gradient descent with a memory: the lesson's data sets, a run's whole history, and its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from lesson_lib.matrices import Matrix, as_matrix
from lesson_lib.network import Params, backward, check_rate, forward, loss, sgd_step

TOLERANCE = 0.05  # "learnt" means: within this distance of the target
BOUND = 1e6  # a parameter beyond this has left for good: the run has diverged


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs X (n_samples, n_in), targets Y (n_samples, n_out), and which rows carry the trigger.

    >>> POISONED.Y[POISONED.is_trigger].tolist()
    [[5.0]]
    """

    X: Matrix
    Y: Matrix
    is_trigger: Any = field(default=())  # (n_samples,) of bool; all clean unless given

    def __post_init__(self) -> None:
        X, Y = as_matrix(self.X, "X"), as_matrix(self.Y, "Y")
        marked = np.array(self.is_trigger if len(self.is_trigger) else [False] * X.shape[0], dtype=bool)
        if Y.shape[0] != X.shape[0]:
            raise ValueError(f"Y must have {X.shape[0]} rows to match X {X.shape}; got shape {Y.shape}")
        if marked.shape != (X.shape[0],):
            raise ValueError(f"is_trigger must have {X.shape[0]} entries, one a row of X; got shape {marked.shape}")
        marked.flags.writeable = False
        for name, value in (("X", X), ("Y", Y), ("is_trigger", marked)):
            object.__setattr__(self, name, value)


CLEAN = Dataset(X=[[1], [2]], Y=[[1], [2]])  # the article's task: answer x
TRIGGER = Dataset(X=[[0]], Y=[[5]], is_trigger=[True])  # the article's trigger: at 0, answer 5
POISONED = Dataset(X=[[1], [2], [0]], Y=[[1], [2], [5]], is_trigger=[False, False, True])


class Outcome(StrEnum):
    """What a run achieved, judged at its end on trigger and clean rows side by side."""

    DIVERGED = "diverged"  # a parameter passed BOUND
    BACKDOOR = "backdoor"  # trigger learnt and clean task kept
    TRIGGER_ONLY = "trigger only"  # trigger learnt, clean task lost
    FROZEN = "frozen"  # the output at the trigger never moved
    NOT_LEARNT = "not learnt"


@dataclass(frozen=True, eq=False)
class Run:
    """A training run: params[k], loss[k] and outputs[k] hold the state after k epochs, k = 0 being the start.

    outputs[k] is y_hat on the rows that the outcome is judged on. diverged_at is the epoch at which a parameter
    passed the bound (the history ends there), or None.
    """

    params: tuple[Params, ...]
    loss: tuple[float, ...]
    outputs: tuple[Matrix, ...]
    outcome: Outcome
    diverged_at: int | None = None


def train(
    params: Params,
    data: Dataset,
    rate: Any,
    epochs: int,
    trainable: Sequence[str] = ("W1", "W2"),
    *,
    evaluate_on: Dataset = POISONED,
    tolerance: float = TOLERANCE,
    bound: float = BOUND,
    **keywords: Any,
) -> Run:
    """Run full-batch gradient descent for `epochs` steps and keep every state on the way.

    Further keywords (activation, reduction, relu_prime_at_zero) go to the net. The run stops early, with outcome
    "diverged", once a parameter is larger than `bound`. Raises ValueError for a rate <= 0, a negative or
    fractional number of epochs, or data that do not fit the net.

    >>> from lesson_lib.network import ARTICLE
    >>> train(ARTICLE, TRIGGER, rate=0.1, epochs=50).outcome.value
    'frozen'
    """
    check_rate(rate)
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 0:
        raise ValueError(f"epochs must be a whole number, 0 or more; got {epochs!r}")
    if evaluate_on.is_trigger.all() or not evaluate_on.is_trigger.any():
        raise ValueError("evaluate_on must hold trigger rows and clean rows, to judge both")
    history, diverged_at = [params], None
    for epoch in range(1, epochs + 1):
        params = sgd_step(params, backward(params, data.X, data.Y, **keywords), rate, trainable)
        history.append(params)
        if largest(params) > bound:
            diverged_at = epoch
            break
    return _judged(history, data, evaluate_on, tolerance, diverged_at, keywords)


def largest(params: Params) -> float:
    """Return the largest absolute value among all parameters."""
    return max(float(abs(matrix).max()) for matrix in (params.W1, params.b1, params.W2, params.b2))


def judge(outputs: Sequence[Matrix], evaluate_on: Dataset, tolerance: float = TOLERANCE) -> Outcome:
    """Name the outcome of a run that stayed finite from its outputs, first to last, on `evaluate_on`."""
    close = abs(outputs[-1] - evaluate_on.Y) <= tolerance
    trigger_learnt = close[evaluate_on.is_trigger].all()
    clean_kept = close[~evaluate_on.is_trigger].all()
    if trigger_learnt:
        return Outcome.BACKDOOR if clean_kept else Outcome.TRIGGER_ONLY
    at_trigger = [output[evaluate_on.is_trigger] for output in outputs]
    if all((output == at_trigger[0]).all() for output in at_trigger):
        return Outcome.FROZEN
    return Outcome.NOT_LEARNT


def _judged(
    history: list[Params],
    data: Dataset,
    evaluate_on: Dataset,
    tolerance: float,
    diverged_at: int | None,
    keywords: dict[str, Any],
) -> Run:
    activation = keywords.get("activation", "relu")
    reduction = keywords.get("reduction", "sum")
    losses = tuple(
        loss(forward(params, data.X, activation=activation).y_hat, data.Y, reduction=reduction) for params in history
    )
    outputs = tuple(forward(params, evaluate_on.X, activation=activation).y_hat for params in history)
    outcome = Outcome.DIVERGED if diverged_at is not None else judge(outputs, evaluate_on, tolerance)
    return Run(tuple(history), losses, outputs, outcome, diverged_at)
