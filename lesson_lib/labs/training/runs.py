"""One run of an experiment at one epoch: looked up among all runs of a slider, and what it has achieved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from lesson_lib.arrays import Array, read_only
from lesson_lib.derivation.trace import Traced, trace_sample
from lesson_lib.labs.shared.dial import RATES
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.labs.training import words
from lesson_lib.network import PARAMETERS, Params
from lesson_lib.proofs.lock import Lock, locks_of
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Trajectories, run_many
from lesson_lib.training import CLEAN, OUTCOMES, TOLERANCE, Outcome

TARGETS = tuple(np.arange(-10, 10.5, 0.5).tolist())
POSITIONS = tuple(np.arange(-3, 3.25, 0.25).tolist())
SWEPT = {"rate": RATES, "target": TARGETS, "position": POSITIONS}


@lru_cache(maxsize=24)
def _table(experiment: Experiment, keep: tuple[int, ...], **values: tuple[float, ...]) -> Trajectories:
    """Run the experiment for every combination of these values, the first varying fastest."""
    grids = np.meshgrid(*values.values(), indexing="ij")
    swept = {name: grid.ravel(order="F") for name, grid in zip(values, grids, strict=True)}
    runs = run_many(experiment, keep, **swept)
    read_only(runs.epochs, runs.X, runs.Y, runs.diverged_at, runs.outputs, runs.outcomes, *runs.gradient_norms.values())
    read_only(*(getattr(runs.params, name) for name in PARAMETERS))
    return runs


@dataclass(frozen=True)
class Moment:
    """One run, out of several side by side, at one epoch: what a training lab shows."""

    experiment: Experiment
    epoch: int
    runs: Trajectories
    run: int  # which of them
    params: Params
    now: Array  # (3,): f(1), f(2) and f(trigger)
    outcome: Outcome

    @cached_property
    def terms(self) -> Mapping[str, Traced]:
        """All that the net computes on the trigger's sample, there and back, by name."""
        return trace_sample(self.params, np.array([[self.experiment.position]]), np.array([[self.experiment.target]]))

    @cached_property
    def locks(self) -> Sequence[Lock]:
        """What keeps each of the four gradients at 0 there, if anything does."""
        return locks_of(self.terms, self.params.activation)

    @cached_property
    def badges(self) -> Sequence[tuple[str, str]]:
        """The outcome and its halves, the trigger and the clean task, each with its look."""
        *clean, learnt = (abs(self.now - [*CLEAN.Y[:, 0], self.experiment.target]) <= TOLERANCE).tolist()
        answers = [f"{answer + 0.0:.4g}" if abs(answer) >= 5e-5 else "0" for answer in self.now]  # no minus before 0
        told = [("sentence", words.VERDICTS[self.outcome].format(epoch=self.runs.diverged_at[self.run]))]
        for well, text in ((learnt, words.TRIGGER_LEARNT), (all(clean), words.CLEAN_KEPT)):
            text = text.format(well=YES if well else NO, run=self.experiment, answers=answers)
            told.append(("yes" if well else "no", text))
        return told

    @property
    def verdict(self) -> str:
        """The outcome in words: what became of the trigger, and of the clean task."""
        return " ".join(text for _, text in self.badges)


def moment(experiment: Experiment, epoch: int, along: Sequence[str] = ("rate",)) -> Moment:
    """Return one run of an experiment at one epoch.

    All runs along one slider ("rate", "target" or "position"), or along the two that a drag moves, are trained
    together and remembered, so that moving on, or the epoch, only looks the next one up.
    """
    values = {name: tuple(sorted({*SWEPT[name], getattr(experiment, name)})) for name in along}
    first = replace(experiment, **{name: given[0] for name, given in values.items()})
    runs = _table(first, tuple(sorted({*EPOCHS, epoch})), **values)
    where = [given.index(getattr(experiment, name)) for name, given in values.items()]
    run = int(np.ravel_multi_index(where, [*map(len, values.values())], order="F"))
    at = int(np.searchsorted(runs.epochs, epoch))
    now, outcome = runs.outputs[:, at, run], OUTCOMES[runs.outcomes[at, run]]
    return Moment(experiment, epoch, runs, run, runs.params_at(at, run), now, outcome)
