"""One run of an experiment at one epoch: looked up among all runs of a slider, and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from lesson_lib.arrays import read_only
from lesson_lib.derivation.trace import Traced, trace_sample
from lesson_lib.derivation.words import AND, SYMBOLS
from lesson_lib.labs.shared.dial import RATES
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.labs.training import words
from lesson_lib.network import Params
from lesson_lib.pictures.shown import DONE
from lesson_lib.proofs.lock import Lock, locks_of
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Trajectories, run_many
from lesson_lib.sweeps.words import SCHEDULES
from lesson_lib.training import CLEAN, OUTCOMES, TOLERANCE, Outcome

TARGETS = tuple(np.arange(-10, 10.5, 0.5).tolist())
POSITIONS = tuple(np.arange(-3, 3.25, 0.25).tolist())
SWEPT = {"rate": RATES, "target": TARGETS, "position": POSITIONS}


@lru_cache(maxsize=24)
def _table(experiment: Experiment, keep: tuple[int, ...], **values: tuple[float, ...]) -> Trajectories:
    """Run the experiment for every combination of these values, the first varying fastest."""
    grids = np.meshgrid(*values.values(), indexing="ij")
    swept = {name: grid.ravel(order="F") for name, grid in zip(values, grids, strict=True)}
    trajectories = run_many(experiment, keep, **swept)
    read_only(trajectories.epochs, trajectories.outputs, *trajectories.gradient_norms.values())
    return trajectories


@dataclass(frozen=True)
class Moment:
    """One run at one epoch: what a training lab shows. outputs is (f(1), f(2), f(trigger)) per kept epoch."""

    experiment: Experiment
    epoch: int
    epochs: np.ndarray
    outputs: np.ndarray
    gradient_norms: Mapping[str, np.ndarray]
    params: Params
    outcome: Outcome
    diverged_at: int | None

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
        told = [("sentence", words.VERDICTS[self.outcome].format(epoch=self.diverged_at))]
        for well, text in ((learnt, words.TRIGGER_LEARNT), (all(clean), words.CLEAN_KEPT)):
            text = text.format(well=YES if well else NO, run=self.experiment, answers=answers)
            told.append(("yes" if well else "no", text))
        return told

    @property
    def now(self) -> np.ndarray:
        """The outputs (f(1), f(2), f(trigger)) at the chosen epoch."""
        return np.asarray(self.outputs[:, np.searchsorted(self.epochs, self.epoch)])


def moment(experiment: Experiment, epoch: int, along: Sequence[str] = ("rate",)) -> Moment:
    """Return one run of an experiment at one epoch.

    All runs along one slider ("rate", "target" or "position"), or along the two that a drag moves, are trained
    together and remembered, so that moving on, or the epoch, only looks the next one up.
    """
    values = {name: tuple(sorted({*SWEPT[name], getattr(experiment, name)})) for name in along}
    first = replace(experiment, **{name: given[0] for name, given in values.items()})
    trajectories = _table(first, tuple(sorted({*EPOCHS, epoch})), **values)
    where = [given.index(getattr(experiment, name)) for name, given in values.items()]
    run = int(np.ravel_multi_index(where, [*map(len, values.values())], order="F"))
    at = int(np.searchsorted(trajectories.epochs, epoch))
    stopped = int(trajectories.diverged_at[run])
    return Moment(
        experiment=experiment,
        epoch=epoch,
        epochs=trajectories.epochs,
        outputs=trajectories.outputs[:, :, run],
        gradient_norms={name: norms[:, run] for name, norms in trajectories.gradient_norms.items()},
        params=trajectories.params_at(at, run),
        outcome=OUTCOMES[trajectories.outcomes[at, run]],
        diverged_at=stopped if 0 <= stopped <= epoch else None,
    )


def verdict(seen: Moment) -> str:
    """Return the outcome in words: what became of the trigger, and of the clean task."""
    return " ".join(text for _, text in seen.badges)


def _state(lock: Lock) -> str:
    """Return what keeps a gradient at 0, that it is open, or that it has come to its end, as the picture does."""
    is_done = lock.is_open and abs(lock.gradient).max() <= DONE
    return words.LOCK.format(name=SYMBOLS[f"d{lock.name}"][1], reason=words.DONE if is_done else lock.reason)


def describe(seen: Moment) -> str:
    """Return the picture's text twin: the settings, the verdict and the locks."""
    *others, last = seen.experiment.trainable
    trained, schedule = AND.join([words.COMMA.join(others), last]), SCHEDULES[seen.experiment.schedule]
    settings = words.EXPERIMENT.format(run=seen.experiment, epoch=seen.epoch, schedule=schedule, trained=trained)
    state = words.NEXT_LOCK.join(map(_state, seen.locks))
    return f"{settings} {verdict(seen)} {words.LOCKS_CAPTION} {state}."
