"""From an experiment to one of a whole slider's runs, at one epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lesson_lib.arrays import read_only
from lesson_lib.labs.shared.positions import RATES
from lesson_lib.network import Params
from lesson_lib.proofs.lock import Lock, locks
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Trajectories, run_many
from lesson_lib.training import CLEAN, OUTCOMES, TOLERANCE, Outcome

TARGETS = tuple(np.arange(-10, 10.5, 0.5).tolist())
POSITIONS = tuple(np.arange(-3, 3.25, 0.25).tolist())
SWEPT = {"rate": RATES, "target": TARGETS, "position": POSITIONS}


@lru_cache(maxsize=24)
def _table(experiment: Experiment, along: str, values: tuple[float, ...], keep: tuple[int, ...]) -> Trajectories:
    trajectories = run_many(experiment, keep, **{along: values})
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
    locks: Sequence[Lock]

    @property
    def now(self) -> np.ndarray:
        """The outputs (f(1), f(2), f(trigger)) at the chosen epoch."""
        return np.asarray(self.outputs[:, np.searchsorted(self.epochs, self.epoch)])

    @property
    def trigger_learnt(self) -> bool:
        """Whether the answer at the trigger is within the tolerance of the target."""
        return bool(abs(self.now[2] - self.experiment.target) <= TOLERANCE)

    @property
    def clean_kept(self) -> bool:
        """Whether both clean answers are within the tolerance of their targets."""
        return bool((abs(self.now[:2] - CLEAN.Y[:, 0]) <= TOLERANCE).all())


def moment(experiment: Experiment, epoch: int, along: str = "rate") -> Moment:
    """Return one run of an experiment at one epoch.

    All runs along one slider ("rate", "target" or "position") are trained together and remembered, so that moving
    that slider, or the epoch, only looks the next one up.
    """
    value = getattr(experiment, along)
    values = tuple(sorted({*SWEPT[along], value}))
    trajectories = _table(replace(experiment, **{along: values[0]}), along, values, tuple(sorted({*EPOCHS, epoch})))
    run, at = values.index(value), int(np.searchsorted(trajectories.epochs, epoch))
    params = trajectories.params_at(at, run)
    stopped = int(trajectories.diverged_at[run])
    return Moment(
        experiment=experiment,
        epoch=epoch,
        epochs=trajectories.epochs,
        outputs=trajectories.outputs[:, :, run],
        gradient_norms={name: norms[:, run] for name, norms in trajectories.gradient_norms.items()},
        params=params,
        outcome=OUTCOMES[trajectories.outcomes[at, run]],
        diverged_at=stopped if 0 <= stopped <= epoch else None,
        locks=locks(params, [[experiment.position]], [[experiment.target]]),
    )
