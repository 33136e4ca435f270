"""One run of an experiment at one epoch: looked up among all runs of a slider, in words, and as lines and a diagram."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np

from lesson_lib.arrays import read_only
from lesson_lib.derivation.trace import trace_sample
from lesson_lib.derivation.words import AND, SYMBOLS
from lesson_lib.labs.shared.values import RATES
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.labs.training import words
from lesson_lib.network import PARAMETERS, Params, forward
from lesson_lib.pictures.network import network_diagram, zero_marks
from lesson_lib.pictures.words import TRIGGER_LABEL
from lesson_lib.proofs.lock import Lock, locks
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Trajectories, run_many
from lesson_lib.training import CLEAN, OUTCOMES, TOLERANCE, Outcome

TARGETS = tuple(np.arange(-10, 10.5, 0.5).tolist())
POSITIONS = tuple(np.arange(-3, 3.25, 0.25).tolist())
SWEPT = {"rate": RATES, "target": TARGETS, "position": POSITIONS}
GRID = np.linspace(-3.2, 3.2, 65)  # where f(x) is drawn; the net is piecewise linear
BESIDE = {"x = 1": 0.3, "x = 2": 0.5, TRIGGER_LABEL: 0.7}  # within a neuron's column, so that no marker covers another


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


# In words -------------------------------------------------------------------------------------------------------------


def verdict(seen: Moment) -> str:
    """Return the outcome in words: what became of the trigger, and of the clean task."""
    *clean, learnt = abs(seen.now - [*CLEAN.Y[:, 0], seen.experiment.target]) <= TOLERANCE
    return f"{words.VERDICTS[seen.outcome]} {words.VERDICT_FACTS}".format(
        epoch=seen.diverged_at,
        run=seen.experiment,
        trigger=YES if learnt else NO,
        clean=YES if all(clean) else NO,
        answers=[*map(_four_digits, seen.now)],
    )


def _four_digits(number: float) -> str:
    return f"{number + 0.0:.4g}" if abs(number) >= 5e-5 else "0"  # no minus before 0


def verdict_html(seen: Moment) -> str:
    """Return the verdict as a live region, with the four locks beneath as a table."""
    head = "".join(f'<th scope="col">{escape(SYMBOLS[f"d{lock.name}"][1])}</th>' for lock in seen.locks)
    cells = "".join(
        f'<td style="text-align: center; padding: 4px 14px">{words.OPEN_SIGN if lock.is_open else words.SHUT_SIGN} '
        f"{escape(lock.reason)}</td>"
        for lock in seen.locks
    )
    return (
        f'<div role="status" aria-live="polite" style="line-height: 1.5; min-height: 3em">{escape(verdict(seen))}</div>'
        f'<table style="border-collapse: collapse"><caption style="text-align: left">{words.LOCKS_CAPTION}</caption>'
        f"<tr>{head}</tr><tr>{cells}</tr></table>"
    )


def describe(seen: Moment) -> str:
    """Return the picture's text twin: the settings, the verdict and the locks."""
    *others, last = seen.experiment.trainable
    trained = AND.join([", ".join(others), last])
    settings = words.EXPERIMENT.format(run=seen.experiment, epoch=seen.epoch, trained=trained)
    state = "; ".join(f"{SYMBOLS[f'd{lock.name}'][1]}: {lock.reason}" for lock in seen.locks)
    return f"{settings} {verdict(seen)} {words.LOCKS_CAPTION} {state}."


# As lines and a diagram -----------------------------------------------------------------------------------------------


def curves(seen: Moment) -> dict[str, Any]:
    """Return the lines (x, y) of the two panels that both labs have: the function, and the outputs over the epochs."""
    experiment, trained = seen.experiment, seen.epochs
    values = forward(seen.params, GRID[:, None]).y_hat[:, 0]
    return {
        "function": (GRID, values),
        "clean": (CLEAN.X[:, 0], CLEAN.Y[:, 0]),
        "trigger": ([experiment.position], [experiment.target]),
        "target": ([0, 2200], [experiment.target, experiment.target]),
        "output": (trained, seen.outputs[2]),
        "clean error": (trained, abs(seen.outputs[:2] - CLEAN.Y).max(axis=0)),
        "epoch": ([seen.epoch, seen.epoch], [-11, 11]),
    }


def gradient_curves(seen: Moment) -> dict[str, Any]:
    """Return the lengths of the four gradients over the epochs."""
    lengths = {name: (seen.epochs, norms) for name, norms in seen.gradient_norms.items()}
    return {**lengths, "gradient epoch": ([seen.epoch, seen.epoch], [-0.004, 1000])}


def activation_curves(seen: Moment) -> dict[str, Any]:
    """Return each neuron's activation for x = 1, x = 2 and the trigger, in a column for each neuron."""
    X = [*CLEAN.X.tolist(), [seen.experiment.position]]
    a1 = forward(seen.params, X).a1
    width = seen.experiment.width
    rows = zip(BESIDE.items(), a1, strict=True)
    return {f"a1 {name}": ((np.arange(width) + place) / width, row) for (name, place), row in rows}


LAST_PANEL = {"gradients": gradient_curves, "activations": activation_curves}


def trigger_diagram(seen: Moment, on_paper: bool = False) -> str:
    """Return the net at this epoch with the trigger in it; the factors that lock a gradient are crossed out."""
    x, y = np.array([[seen.experiment.position]]), np.array([[seen.experiment.target]])
    known = {name: term.value for name, term in trace_sample(seen.params, x, y).items()}
    known |= {name: getattr(seen.params, name) for name in PARAMETERS}
    zero = set().union(*(zero_marks(lock.zero_by) for lock in seen.locks if not lock.is_open))
    return network_diagram(known, zero=zero, decimals=True, description=verdict(seen), on_paper=on_paper)
