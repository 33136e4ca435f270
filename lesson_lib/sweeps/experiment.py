"""One experiment, run many times at once: along a slider of rates, targets or positions, with all of their history."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from lesson_lib.arrays import Array, Indices, Stacked, as_array, stack
from lesson_lib.network import ARTICLE, PARAMETERS, Params, check_rate, descend, errors_and_gradients, propagate
from lesson_lib.training import BOUND, POISONED, judge_outcomes

EPOCHS = tuple(sorted({*range(11), *(round(10 * 200 ** (k / 36)) for k in range(37))}))  # 0 to 2000, evenly in log
SWEPT = ("rate", "target", "position")


class Schedule(StrEnum):
    """In which order the samples are shown."""

    CLEAN_FIRST = "clean, then trigger"  # one step on the clean samples, then all on the trigger: the article's
    JOINT = "joint"  # every step on all three samples
    TRIGGER_FIRST = "trigger first"  # every step on the trigger


def random_start(rng: np.random.Generator, width: int, *n_runs: int) -> Params:
    """Draw W1 ~ N(0, 1), W2 ~ N(0, 1/width), b1 ~ N(0, 1/4), b2 = 0: one net, or n_runs side by side."""
    drawn = {
        "W1": rng.normal(size=(1, width, *n_runs)),
        "W2": rng.normal(size=(width, 1, *n_runs)) / math.sqrt(width),
        "b1": rng.normal(scale=0.5, size=(1, width, *n_runs)),
        "b2": np.zeros((1, 1, *n_runs)),
    }
    return ARTICLE.with_arrays(**{name: a.view(Stacked if n_runs else np.ndarray) for name, a in drawn.items()})


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a training run of the attack on a 1-n-1 net; SWEPT can be many numbers (`run_many`).

    A seed of None starts from the article's weights, a number from `random_start` of that seed and width. b1 is
    repeated to fill the width; an empty b1 keeps the one that was drawn.
    """

    rate: float = 0.1
    target: float = 5.0
    position: float = 0.0
    schedule: str = Schedule.CLEAN_FIRST
    trainable: tuple[str, ...] = ("W1", "W2")
    activation: str = "relu"
    relu_prime_at_zero: float = 0
    b1: tuple[float, ...] = (0.0, 0.0)
    b2: float = 0.0
    width: int = 2
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.schedule not in tuple(Schedule):
            names = ", ".join(repr(schedule.value) for schedule in Schedule)
            raise ValueError(f"schedule must be one of {names}; got {self.schedule!r}")
        if any(abs(number) > BOUND for number in (*self.b1, self.b2)):
            raise ValueError(f"b1 and b2 must be at most {BOUND:g} in size; got {self.b1}, {self.b2}")

    @property
    def start(self) -> Params:
        """The net before any training."""
        start = ARTICLE if self.seed is None else random_start(np.random.default_rng(self.seed), self.width)
        b1 = np.resize(self.b1, (1, self.width)) if self.b1 else start.b1
        return Params(start.W1, b1, start.W2, [[self.b2]], self.activation, self.relu_prime_at_zero)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Many runs side by side: every array has the shape (rows, columns, n_epochs, n_runs).

    epochs (n_epochs,) says which epochs were kept, X and Y hold the three samples of each run (trigger last), and
    diverged_at (n_runs,) the epoch at which a parameter passed the bound, or -1.
    """

    epochs: Array
    params: Params
    X: Any
    Y: Any
    diverged_at: Array

    @cached_property
    def outputs(self) -> Array:
        """The answers to the three samples, trigger last: (3, n_epochs, n_runs)."""
        return np.asarray(propagate(self.params, self.X).y_hat[:, 0])

    @cached_property
    def outcomes(self) -> Array:
        """The outcome of each run after each kept epoch, as an index into OUTCOMES: (n_epochs, n_runs).

        Whether an answer has moved is judged on the kept epochs; EPOCHS keeps every one of the first ten.
        """
        return outcomes_of(self.outputs, self.Y, self.epochs, self.diverged_at)

    @cached_property
    def gradient_norms(self) -> dict[str, Array]:
        """The length of each parameter's gradient on the trigger alone: (n_epochs, n_runs) by name."""
        _, slopes = errors_and_gradients(self.params, self.X[2:], self.Y[2:])
        return {name: np.sqrt((np.asarray(slope) ** 2).sum(axis=(0, 1))) for name, slope in slopes._asdict().items()}

    def params_at(self, epoch_index: int, run: int) -> Params:
        """Return one run's ordinary Params after the epoch with this index."""
        return _each(lambda array: np.array(array[:, :, epoch_index, run]), self.params)


def run_many(experiment: Experiment, keep: Sequence[int] = EPOCHS, **swept: Any) -> Trajectories:
    """Run an experiment once for every value of the swept fields, arrays of one length, and keep its history.

    For instance run_many(experiment, rate=[0.1, 0.2]). Epoch 0 is the state before the schedule's last stage.
    """
    net, X, Y, rate = side_by_side(experiment, **swept)
    return trajectories(X, Y, run_steps(experiment, net, X, Y, rate, keep))


def side_by_side(experiment: Experiment, **swept: Any) -> tuple[Params, Any, Any, Array]:
    """Return the runs before they start: each one's net, its samples X and Y (3, 1, n_runs), trigger last, its rate."""
    if not set(swept) <= set(SWEPT):
        raise ValueError(f"only {', '.join(SWEPT)} can be swept; got {', '.join(swept)}")
    columns = (_column(name, swept.get(name, getattr(experiment, name))) for name in SWEPT)
    rate, target, position = np.broadcast_arrays(*columns)
    X, Y = (stack(matrix, len(rate)).copy() for matrix in (POISONED.X, POISONED.Y))
    X[2, 0], Y[2, 0] = position, target
    return _each(lambda matrix: stack(matrix, len(rate)), experiment.start), X, Y, rate


def _column(name: str, values: Any) -> Array:
    if np.ndim(values) > 1 or not np.size(values):
        raise ValueError(f"{name} must be a number or a list of numbers; got {values!r}")
    given = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    numbers: Array = as_array(np.atleast_2d(given), name, exact=False)[0]
    if (abs(numbers) > BOUND).any():
        raise ValueError(f"{name} must be at most {BOUND:g} in size; got {numbers[abs(numbers) > BOUND][0]:g}")
    return numbers


def run_steps(
    experiment: Experiment, net: Params, X: Any, Y: Any, rate: Array, keep: Collection[int]
) -> Iterator[tuple[int, Params, Array]]:
    """Run what stands side by side in the experiment's order; yield as `train_many` does in the last stage."""
    if experiment.schedule == Schedule.CLEAN_FIRST:
        *_, (_, net, _) = train_many(net, X[:2], Y[:2], rate, [1], experiment.trainable)
    if experiment.schedule != Schedule.JOINT:
        X, Y = X[2:], Y[2:]
    return train_many(net, X, Y, rate, keep, experiment.trainable)


def train_many(
    net: Params, X: Any, Y: Any, rate: Array, keep: Collection[int], trainable: Sequence[str]
) -> Iterator[tuple[int, Params, Array]]:
    """Train nets side by side, of a rate each (n_nets,); yield (epoch, net, diverged_at) at each epoch in `keep`.

    A net stops before the first epoch that would take a parameter beyond the bound, with that epoch in diverged_at
    (-1 for the others): its rate becomes 0. Stop iterating to stop the work.
    """
    check_rate(rate.min())
    if not keep or not all(isinstance(epoch, int | np.integer) and epoch >= 0 for epoch in keep):
        raise ValueError(f"keep must hold whole numbers, 0 or more; got {keep!r}")
    diverged_at, order = np.full(rate.shape, -1), np.arange(len(rate))  # order: the nets that move, then the rest
    rest, place = _pick(net, order[:0]), order  # place: where in that order to find each net
    for epoch in range(max(keep) + 1):
        if epoch and len(rate):
            _, slopes = errors_and_gradients(net, X, Y)
            moved = descend(net, slopes, rate, trainable)
            beyond = _beyond_bound(getattr(moved, name) for name in trainable)
            if beyond.any():
                diverged_at[order[np.flatnonzero(beyond)]] = epoch
                rate = np.where(beyond, 0.0, rate)
                moved = descend(net, slopes, rate, trainable)
            if epoch % 10 == 0:  # set aside the nets that no step will move again
                moving = np.any([(getattr(moved, p) != getattr(net, p)).any(axis=(0, 1)) for p in PARAMETERS], axis=0)
                still, settled = np.flatnonzero(moving), np.flatnonzero(~moving)
                rest, moved = _each(_beside, _pick(moved, settled), rest), _pick(moved, still)
                X, Y, rate = (each.take(still, axis=-1) for each in (X, Y, rate))
                order = np.concatenate([order[still], order[settled], order[len(moving) :]])
                place = np.argsort(order)
            net = moved
        if epoch in keep:
            yield epoch, _pick(_each(_beside, net, rest), place), diverged_at.copy()


def _beyond_bound(arrays: Iterable[Array]) -> Any:
    """Tell for each net (n_nets,) whether one of its numbers lies beyond the bound; one False if none does."""
    outside = [a for a in arrays if a.max() > BOUND or a.min() < -BOUND]
    return np.any([(abs(a) > BOUND).any(axis=(0, 1)) for a in outside], axis=0)


def _each(function: Callable[..., Array], *nets: Params) -> Params:
    """Return a net of what the function makes of the W1 of these nets, of their b1, W2 and b2."""
    return nets[0].with_arrays(**{name: function(*(getattr(net, name) for net in nets)) for name in PARAMETERS})


def _pick(nets: Params, places: Indices) -> Params:
    return _each(lambda array: array.take(places, axis=-1), nets)


def _beside(*arrays: Array) -> Array:
    return np.concatenate(arrays, axis=-1).view(Stacked)


def trajectories(X: Any, Y: Any, states: Iterator[tuple[int, Params, Array]]) -> Trajectories:
    """Put the yielded states together, with the samples X and Y of each run."""
    epochs, nets, diverged_at = zip(*states, strict=True)
    params = _each(lambda *arrays: np.stack(arrays, axis=2).view(Stacked), *nets)
    return Trajectories(np.array(epochs), params, X[:, :, None], Y[:, :, None], diverged_at[-1])


def outcomes_of(outputs: Array, Y: Array, epochs: Array, diverged_at: Array) -> Array:
    """Return the outcome of every run after each epoch from its answers, (3, n_epochs, n_runs)."""
    diverged = (diverged_at >= 0) & (epochs[:, None] >= diverged_at)
    return judge_outcomes(outputs[:, None], np.asarray(Y), POISONED.is_trigger, diverged)
