"""What the training labs draw of a run at one epoch: the lines of the plot, by name, and the net's diagram."""

from typing import Any

import numpy as np

from lesson_lib.derivation.trace import trace_sample
from lesson_lib.labs.training.compute import Moment
from lesson_lib.labs.training.says import verdict
from lesson_lib.network import PARAMETERS, forward
from lesson_lib.pictures.network import network_diagram, zero_marks
from lesson_lib.pictures.words import TRIGGER_LABEL
from lesson_lib.training import CLEAN

GRID = np.linspace(-3.2, 3.2, 65)  # where f(x) is drawn; the net is piecewise linear
BESIDE = {"x = 1": 0.3, "x = 2": 0.5, TRIGGER_LABEL: 0.7}  # within a neuron's column, so that no marker covers another

Curves = dict[str, tuple[Any, Any]]  # x and y of each line, by name


def curves(seen: Moment) -> Curves:
    """Return the lines of the two panels that both labs have: the function, and the outputs over the epochs."""
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


def gradient_curves(seen: Moment) -> Curves:
    """Return the lengths of the four gradients over the epochs."""
    lengths = {name: (seen.epochs, norms) for name, norms in seen.gradient_norms.items()}
    return {**lengths, "gradient epoch": ([seen.epoch, seen.epoch], [-0.004, 1000])}


def activation_curves(seen: Moment) -> Curves:
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
