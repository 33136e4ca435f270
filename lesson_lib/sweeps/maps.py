"""The map of outcomes: ten thousand nets, one for every learning rate and target, trained at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.network import propagate
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, outcomes_of, run_steps, samples, swept_values
from lesson_lib.training import OUTCOMES, Outcome


@dataclass(frozen=True, eq=False)
class OutcomeMap:
    """The outcome for every learning rate and target: codes (n_epochs, n_targets, n_rates) index into OUTCOMES."""

    rates: Array
    targets: Array
    epochs: Array
    codes: Array

    def at(self, epoch: int) -> Array:
        """Return the codes (n_targets, n_rates) after the last kept epoch up to `epoch`; nothing is trained again."""
        if epoch < self.epochs[0]:
            raise ValueError(f"epoch must be {self.epochs[0]} or more; got {epoch}")
        return np.asarray(self.codes[np.searchsorted(self.epochs, epoch, side="right") - 1])

    def epoch_at(self, epoch: int) -> int:
        """Return the last kept epoch up to `epoch`."""
        return int(self.epochs[np.searchsorted(self.epochs, epoch, side="right") - 1])

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
    assert last is not None
    return last


def map_steps(
    experiment: Experiment, rates: Any, targets: Any, keep: Sequence[int] = EPOCHS
) -> Iterator[tuple[int, OutcomeMap | None]]:
    """Like `outcome_map`, in steps: yield (epoch, None) every so often, to show progress or to stop, then the map.

    Only the answers of the nets are kept, so that ten thousand wide nets fit into memory.
    """
    rates, targets = np.asarray(rates, dtype=float), np.asarray(targets, dtype=float)
    rate, target = (grid.ravel() for grid in np.meshgrid(rates, targets))
    X, Y = samples(swept_values(experiment, rate=rate, target=target))
    outputs, diverged_at = [], np.full(rate.shape, -1)
    for epoch, net, diverged_so_far in run_steps(
        experiment, {*keep, *range(0, max(keep), 20)}, rate=rate, target=target
    ):
        if epoch in keep:
            diverged_at = diverged_so_far
            outputs.append(np.asarray(propagate(net, X).y_hat[:, 0]))
        yield epoch, None
    epochs = np.array(sorted(keep))
    codes = outcomes_of(np.stack(outputs, axis=1), Y[:, :, None], epochs, diverged_at)
    yield int(epochs[-1]), OutcomeMap(rates, targets, epochs, codes.reshape(-1, len(targets), len(rates)))
