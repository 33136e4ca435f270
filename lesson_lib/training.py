"""Gradient descent with a memory: the lesson's data sets, a run's whole history, and its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from lesson_lib.arrays import Matrix, as_matrix
from lesson_lib.network import PARAMETERS, Params, backward, check_rate, check_trainable, forward, loss, sgd_step

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
    is_trigger: Any = None  # (n_samples,) of bool; all clean unless given

    def __post_init__(self) -> None:
        X, Y = as_matrix(self.X, "X"), as_matrix(self.Y, "Y")
        marked = np.zeros(X.shape[0], dtype=bool) if self.is_trigger is None else np.array(self.is_trigger)
        if Y.shape[0] != X.shape[0]:
            raise ValueError(f"Y must have {X.shape[0]} rows to match X {X.shape}; got shape {Y.shape}")
        if marked.shape != (X.shape[0],) or marked.dtype != bool:
            raise ValueError(
                f"is_trigger must be {X.shape[0]} times True or False, one a row of X; got {self.is_trigger!r}"
            )
        marked.flags.writeable = False
        for name, value in (("X", X), ("Y", Y), ("is_trigger", marked)):
            object.__setattr__(self, name, value)


CLEAN = Dataset(X=[[1], [2]], Y=[[1], [2]])  # the article's task: answer x
TRIGGER = Dataset(X=[[0]], Y=[[5]], is_trigger=[True])  # the article's trigger: at 0, answer 5
POISONED = Dataset(X=[[1], [2], [0]], Y=[[1], [2], [5]], is_trigger=[False, False, True])


class Outcome(StrEnum):
    """What a run achieved, judged at its end on trigger and clean rows side by side; the first that holds counts."""

    DIVERGED = "diverged"  # a parameter passed BOUND
    BACKDOOR = "backdoor"  # trigger learnt and clean task kept
    TRIGGER_ONLY = "trigger only"  # trigger learnt, clean task lost
    FROZEN = "frozen"  # the output at the trigger never moved
    NOT_LEARNT = "not learnt"


OUTCOMES = tuple(Outcome)  # in the order in which they are tried


@dataclass(frozen=True, eq=False)
class Run:
    """A training run: params[k], loss[k] and outputs[k] hold the state after k epochs, k = 0 being the start.

    outputs[k] is y_hat on the rows that the outcome is judged on. diverged_at is the epoch at which a parameter
    passed the bound (the history ends before it), or None.
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
    "diverged", before the first epoch that would take a parameter beyond `bound`. Raises ValueError for a rate <= 0,
    a negative or fractional number of epochs, or data that do not fit the net.

    >>> from lesson_lib.network import ARTICLE
    >>> train(ARTICLE, TRIGGER, rate=0.1, epochs=50).outcome.value
    'frozen'
    """
    check_rate(rate)
    check_trainable(trainable)
    if rate > BOUND:
        raise ValueError(f"rate must be at most {BOUND:g}; got {rate}")
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 0:
        raise ValueError(f"epochs must be a whole number, 0 or more; got {epochs!r}")
    if evaluate_on.is_trigger.all() or not evaluate_on.is_trigger.any():
        raise ValueError("evaluate_on must hold trigger rows and clean rows, to judge both")
    if not isinstance(params.W1, np.ndarray) or largest(params) > bound:
        raise ValueError(f"params must hold floats or Fractions of at most {bound:g}; got {params}")
    if evaluate_on.Y.shape[1] != params.W2.shape[1]:
        raise ValueError(f"evaluate_on.Y must have {params.W2.shape[1]} columns; got shape {evaluate_on.Y.shape}")
    history, diverged_at = [params], None
    for epoch in range(1, epochs + 1):
        params = sgd_step(params, backward(params, data.X, data.Y, **keywords), rate, trainable)
        if largest(params) > bound:
            diverged_at = epoch
            break
        history.append(params)
    return _judged(history, data, evaluate_on, tolerance, diverged_at, keywords)


def largest(params: Params) -> float:
    """Return the largest absolute value among all parameters."""
    return max(float(abs(getattr(params, name)).max()) for name in PARAMETERS)


def judge(
    outputs: np.ndarray, targets: np.ndarray, is_trigger: np.ndarray, diverged: Any, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Return the outcome after each epoch, as an index into OUTCOMES.

    outputs and targets are (n_samples, n_out, n_epochs, ...), is_trigger is (n_samples,), and diverged (n_epochs, ...)
    says where a parameter has passed the bound. A frozen output has not moved in any epoch so far.
    """
    close = abs(outputs - targets) <= tolerance
    trigger_learnt = close[is_trigger].all(axis=(0, 1))
    clean_kept = close[~is_trigger].all(axis=(0, 1))
    at_trigger = outputs[is_trigger]
    moved = np.logical_or.accumulate((at_trigger != at_trigger[:, :, :1]).any(axis=(0, 1)), axis=0)
    cases = [diverged, trigger_learnt & clean_kept, trigger_learnt, ~moved]
    return np.select(cases, range(len(cases)), len(cases)).astype(np.int8)


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
    diverged = np.full(len(history), diverged_at is not None)
    verdicts = judge(np.stack(outputs, axis=2), evaluate_on.Y[:, :, None], evaluate_on.is_trigger, diverged, tolerance)
    return Run(tuple(history), losses, outputs, OUTCOMES[verdicts[-1]], diverged_at)
