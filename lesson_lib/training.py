"""Gradient descent with a memory: the lesson's data sets, a run's whole history, and its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from lesson_lib import network
from lesson_lib.arrays import Array, Matrix, as_array, bare, read_only
from lesson_lib.network import PARAMETERS, Params, descend, errors_and_gradients, half_squares, propagate

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
        X, Y = as_array(self.X, "X", symbols=True), as_array(self.Y, "Y", symbols=True)
        n, given = len(X), self.is_trigger
        marked = np.zeros(n, dtype=bool) if given is None else np.array(bare(given, "is_trigger"))
        if len(Y) != n:
            raise ValueError(f"Y must have {n} rows to match X {X.shape}; got shape {Y.shape}")
        if marked.shape != (n,) or marked.dtype != bool:
            raise ValueError(f"is_trigger must be {n} times True or False, one a row of X; got {given!r}")
        read_only(marked)
        vars(self).update(X=X, Y=Y, is_trigger=marked)


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


class Run(NamedTuple):
    """A training run: params[k], loss[k] and outputs[k] hold the state after k epochs, k = 0 being the start.

    outputs[k] is y_hat on the rows that the outcome is judged on. diverged_at is the epoch at which a parameter
    passed the bound (the history ends before it), or None.
    """

    params: tuple[Params, ...]
    loss: tuple[float, ...]
    outputs: tuple[Array, ...]
    outcome: Outcome
    diverged_at: int | None = None


def train(
    params: Params,
    data: Dataset,
    rate: Any,
    epochs: int,
    trainable: Sequence[str] = ("W1", "W2"),
    *,
    reduction: str = "sum",
    evaluate_on: Dataset = POISONED,
    tolerance: float = TOLERANCE,
    bound: float = BOUND,
) -> Run:
    """Run full-batch gradient descent for `epochs` steps and keep every state on the way.

    The run stops early, with outcome "diverged", before the first epoch that would take a parameter beyond `bound`.
    Raises ValueError for a rate <= 0, a negative or fractional number of epochs, or data that do not fit the net.

    >>> from lesson_lib.network import ARTICLE
    >>> train(ARTICLE, TRIGGER, rate=0.1, epochs=50).outcome.value
    'frozen'
    """
    X, Y = network.check_samples(params, data.X, data.Y, reduction)
    rate = _check_run(params, rate, epochs, trainable, evaluate_on, bound)
    asked = network.check_inputs(params, evaluate_on.X)
    share = len(Y) if reduction == "mean" else 1
    net, history, diverged_at = params, [], None
    for epoch in range(epochs + 1):
        errors, slopes = errors_and_gradients(net, X, Y, share)
        total = half_squares(errors) / share
        history.append((net, total if params.is_exact else float(total), propagate(net, asked).y_hat))
        if epoch < epochs:
            net = descend(net, slopes, rate, trainable)
            if largest(net, trainable) > bound:
                diverged_at = epoch + 1
                break
    states, losses, outputs = zip(*history, strict=True)
    diverged = np.full(len(states), diverged_at is not None)
    targets, is_trigger = evaluate_on.Y[:, :, None], evaluate_on.is_trigger
    verdicts = judge_outcomes(np.stack(outputs, axis=2), targets, is_trigger, diverged, tolerance)
    return Run(states, losses, outputs, OUTCOMES[verdicts[-1]], diverged_at)


def largest(params: Params, names: Sequence[str]) -> float:
    """Return the largest absolute value among the named parameters."""
    return max((float(abs(getattr(params, name)).max()) for name in names), default=0.0)


def judge_outcomes(
    outputs: Array, targets: Array, is_trigger: Array, diverged: Any, tolerance: float = TOLERANCE
) -> Array:
    """Return the outcome after each epoch, as an index into OUTCOMES.

    outputs and targets are (n_samples, n_out, n_epochs, ...), is_trigger is (n_samples,), and diverged (n_epochs, ...)
    says where a parameter has passed the bound. A frozen output has not moved in any epoch so far.
    """
    close = abs(outputs - targets) <= tolerance
    trigger_learnt = close[is_trigger].all(axis=(0, 1))
    clean_kept = close[~is_trigger].all(axis=(0, 1))
    at_trigger = outputs[is_trigger]
    moved = np.logical_or.accumulate((at_trigger != at_trigger[:, :, :1]).any(axis=(0, 1)))
    cases = [diverged, trigger_learnt & clean_kept, trigger_learnt, ~moved]
    return np.select(cases, range(len(cases)), len(cases)).astype(np.int8)


def _check_run(
    params: Params, rate: Any, epochs: int, trainable: Sequence[str], evaluate_on: Dataset, bound: float
) -> Any:
    """Return the rate in the net's kind of number; raises ValueError for what no run can start from."""
    rate = network.check_rate(rate, params.is_exact)
    network.check_trainable(trainable)
    if rate > BOUND:
        raise ValueError(f"rate must be at most {BOUND:g}; got {rate}")
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 0:
        raise ValueError(f"epochs must be a whole number, 0 or more; got {epochs!r}")
    if evaluate_on.is_trigger.all() or not evaluate_on.is_trigger.any():
        raise ValueError("evaluate_on must hold trigger rows and clean rows, to judge both")
    if params.is_symbolic or largest(params, PARAMETERS) > bound:
        raise ValueError(f"params must hold floats or Fractions of at most {bound:g}; got {params}")
    if as_array(evaluate_on.Y, "evaluate_on.Y").shape[1] != params.W2.shape[1]:
        raise ValueError(f"evaluate_on.Y must have {params.W2.shape[1]} columns; got shape {evaluate_on.Y.shape}")
    return rate
