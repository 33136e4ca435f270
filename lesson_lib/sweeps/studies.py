"""What many runs show: where an experiment ends, the map of outcomes, and how often a random start succeeds."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.network import PARAMETERS, propagate
from lesson_lib.sweeps import words
from lesson_lib.sweeps.experiment import (
    EPOCHS,
    Experiment,
    outcomes_of,
    random_start,
    run_many,
    run_steps,
    side_by_side,
    train_many,
    trajectories,
)
from lesson_lib.tables import Table
from lesson_lib.training import OUTCOMES, Outcome


def endings(experiment: Experiment, rates: Sequence[float], epochs: int = 3000) -> Table:
    """Return where the experiment ends for each learning rate: the answers at 1, 2 and the trigger, and the outcome."""
    runs = run_many(experiment, [*(epoch for epoch in EPOCHS if epoch < epochs), epochs], rate=rates)
    rows = []
    for run, rate in enumerate(rates):
        answers = (f"{value + 0.0:.4f}" for value in runs.outputs[:, -1, run])
        rows.append((f"{rate:g}", *answers, words.OUTCOMES[OUTCOMES[runs.outcomes[-1, run]]]))
    caption = words.ENDING_CAPTION.format(epochs=epochs, schedule=words.SCHEDULES[experiment.schedule])
    return Table([(*words.ENDING_COLUMNS,), *rows], caption)


class OutcomeMap(NamedTuple):
    """The outcome for every learning rate and target: codes (n_epochs, n_targets, n_rates) index into OUTCOMES."""

    rates: Array
    targets: Array
    epochs: Array
    codes: Array

    def epoch_at(self, epoch: int) -> int:
        """Return the last kept epoch up to `epoch`; raises ValueError before the first."""
        if epoch < self.epochs[0]:
            raise ValueError(f"epoch must be {self.epochs[0]} or more; got {epoch}")
        return int(self.epochs[self.epochs <= epoch][-1])

    def at(self, epoch: int) -> Array:
        """Return the codes (n_targets, n_rates) after the last kept epoch up to `epoch`; nothing is trained again."""
        return np.asarray(self.codes[np.searchsorted(self.epochs, self.epoch_at(epoch))])

    def nearest(self, rate: float, target: float, epoch: int) -> Outcome:
        """Return the outcome in the cell nearest to this rate and target."""
        row, column = abs(self.targets - target).argmin(), abs(np.log(self.rates / rate)).argmin()
        return OUTCOMES[int(self.at(epoch)[row, column])]

    def share(self, outcome: Outcome, epoch: int) -> float:
        """Return which share of the map has this outcome, from 0 to 1."""
        return float((self.at(epoch) == OUTCOMES.index(outcome)).mean())


def outcome_map(experiment: Experiment, rates: Any, targets: Any, keep: Sequence[int] = EPOCHS) -> OutcomeMap:
    """Train a net for every rate and target, all at once, and return the outcome of each after each kept epoch."""
    *_, (_, last) = map_steps(experiment, rates, targets, keep)
    return last  # type: ignore[return-value]


def map_steps(
    experiment: Experiment, rates: Any, targets: Any, keep: Sequence[int] = EPOCHS
) -> Iterator[tuple[int, OutcomeMap | None]]:
    """Like `outcome_map`, in steps: yield (epoch, None) every so often, to show progress or to stop, then the map.

    Only the answers of the nets are kept, so that ten thousand wide nets fit into memory.
    """
    rates, targets = np.asarray(rates, dtype=float), np.asarray(targets, dtype=float)
    rate, target = (grid.ravel() for grid in np.meshgrid(rates, targets))
    net, X, Y, rate = side_by_side(experiment, rate=rate, target=target)
    steps, outputs = {*keep, *range(0, max(keep), 20)}, []
    for epoch, net, diverged_at in run_steps(experiment, net, X, Y, rate, steps):  # noqa: B007, B020
        if epoch in keep:
            outputs.append(np.asarray(propagate(net, X).y_hat[:, 0]))
        yield epoch, None
    epochs = np.unique(keep)
    codes = outcomes_of(np.stack(outputs, axis=1), Y[:, :, None], epochs, diverged_at)
    yield int(epochs[-1]), OutcomeMap(rates, targets, epochs, codes.reshape(-1, len(targets), len(rates)))


class Success(NamedTuple):
    """How many of the random starts of one width became a backdoor."""

    width: int
    learnt: int
    starts: int

    @property
    def share(self) -> float:
        """The share that succeeded, from 0 to 1."""
        return self.learnt / self.starts

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval for the share (E. B. Wilson, 1927)."""
        z, n = 1.96, self.starts
        centre = (self.share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(self.share * (1 - self.share) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)


def width_study(
    rng: np.random.Generator, widths: Sequence[int] = (2, 3, 4, 8, 16), starts: int = 400, biases: bool = True
) -> Iterator[Success]:
    """Train `starts` random nets of each width jointly for 4000 epochs; yield each width's success as it is done.

    The rate is 0.05 / max(1, width / 4). Without biases, b1 and b2 are 0 and stay 0.
    """
    for width in widths:
        _, X, Y, rate = side_by_side(Experiment(), rate=np.full(starts, 0.05 / max(1, width / 4)))
        net = random_start(rng, width, starts)
        if not biases:
            net = net.with_arrays(b1=0 * net.b1)
        states = train_many(net, X, Y, rate, [0, 4000], PARAMETERS if biases else ("W1", "W2"))
        learnt = trajectories(X, Y, states).outcomes[-1] == OUTCOMES.index(Outcome.BACKDOOR)
        yield Success(width, int(learnt.sum()), starts)


def report(study: Iterator[Success]) -> list[Success]:
    """Print each width's success as soon as it is known; an interrupt keeps what is done."""
    done = []
    try:
        for success in study:
            done.append(success)
            print(words.SUCCESS_LINE.format(width=success.width, learnt=success.learnt, starts=success.starts))
    except KeyboardInterrupt:
        print(words.STUDY_STOPPED)
    return done
