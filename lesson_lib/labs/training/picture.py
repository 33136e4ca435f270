"""What the training labs draw: the network, its function, the epochs, and gradients, activations or the map."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.labs.training import words
from lesson_lib.labs.training.runs import Moment
from lesson_lib.network import forward, propagate
from lesson_lib.pictures.frame import Frame, handle, write
from lesson_lib.pictures.network import NEURONS, network_diagram, with_description
from lesson_lib.pictures.outcomes import map_axes, outcome_marks
from lesson_lib.pictures.shown import Shown
from lesson_lib.training import CLEAN

NETWORK_HEIGHT, SQUARE = 272, (590, 24, 180, 212)  # of the network; the place of the function beside it
# The width and height of the picture, and the places of the function, the epochs, and the last panel or the map; on a
# narrow page all stand below the network.
LAYOUTS: dict[tuple[bool, bool], Any] = {
    (False, False): (800, 430, SQUARE, (38, 302, 420, 96), (590, 302, 150, 96)),
    (False, True): (800, 430, SQUARE, (38, 302, 280, 96), (460, 290, 328, 108)),
    (True, False): (560, 490, (30, 296, 188, 160), (304, 296, 170, 58), (304, 404, 170, 52)),
    (True, True): (560, 490, (30, 296, 150, 160), (264, 294, 206, 34), (264, 384, 288, 72)),
}
GRID = np.linspace(-3.2, 3.2, 65)  # where f(x) is drawn; the net is piecewise linear
GRADIENTS = {"W1": "blue", "W2": "orange dashed", "b1": "green dashdot", "b2": "grey dotted"}
MAP_RATES, MAP_TARGETS = np.geomspace(0.001, 10, 100), np.linspace(-10, 10, 100)


@lru_cache(maxsize=4)
def frame(last: str, is_narrow: bool = False) -> Frame:
    """Return the frame whose last panel is "gradients", "activations" or "map"; without a last one, half of it."""
    width, height, *places = LAYOUTS[is_narrow, last == "map"]
    named = dict(zip(("function", "epochs", last), places, strict=True))
    made = Frame(width, height, **named) if last else Frame(800, NETWORK_HEIGHT, function=SQUARE)
    made.title("function", words.FUNCTION_TITLE, "x")
    made.axes["function"].set(xlim=(-3.2, 3.2), ylim=(-11, 11), xticks=range(-3, 4), yticks=(-10, -5, 0, 5, 10))
    if not last:
        return made
    made.title("epochs", words.OUTPUT_TITLE, words.EPOCH_AXIS)
    made.axes["epochs"].set(ylim=(-11, 11), yticks=(-10, 0, 10))
    made.squeeze("epochs", "x", 10, (0, 2200), (0, 10, 100, 1000))
    if last == "gradients":
        made.title("gradients", words.GRADIENT_TITLE, words.EPOCH_AXIS)
        made.squeeze("gradients", "x", 10, (0, 2200), (0, 10, 100, 1000))
        made.squeeze("gradients", "y", 0.01, (-0.004, 1000), (0, 0.1, 10, 1000))
    elif last == "activations":
        made.title("activations", words.ACTIVATION_TITLE, words.NEURON_AXIS)
        made.axes["activations"].xaxis.labelpad = 4
        made.axes["activations"].set(xlim=(0, 1), xticks=[])
        made.squeeze("activations", "y", 1, (-0.4, 100), (0, 1, 10, 100))
    else:
        map_axes(made, MAP_RATES, MAP_TARGETS)
    return made


def network(seen: Moment, *, there_and_back: bool = True) -> str:
    """Return the net at this epoch with the trigger in it, and the way back unless it is left out."""
    known = {name: term.value for name, term in seen.terms.items()}
    zero_by = {f"d{lock.name}": lock.zero_by for lock in seen.locks}
    if not there_and_back:
        known = {name: known[name] for name in ("X", "z1", "a1", "y_hat", "Y", "dy_hat")}
    drawn = network_diagram(Shown(seen.params, known, zero_by=zero_by, trainable=seen.experiment.trainable))
    return with_description(drawn, seen.experiment.width, seen.verdict, NETWORK_HEIGHT)


def function(seen: Moment, on: Frame) -> Iterator[str]:
    """Yield f(x) as the sum of its neurons' parts, the samples, the error, and the trigger's star."""
    passed, x, target = propagate(seen.params, GRID[:, None]), seen.experiment.position, seen.experiment.target
    looks = NEURONS if seen.experiment.width <= len(NEURONS) else ()
    parts = [*zip((passed.a1 * seen.params.W2[:, 0]).T, looks, strict=False)]
    lines = [on.line("function", GRID, passed.y_hat[:, 0], "blue wide")]
    lines += [on.line("function", GRID, part, f"thin {look}") for part, look in parts]
    answer = min(max(float(seen.now[2]), -11), 11)
    yield on.inside("function", [*lines, on.line("function", [x, x], [answer, target], "purple thin")])
    if abs(target - answer) > 2:
        side, end = (-5, " end") if x > 1.5 else (5, "")
        yield on.text("function", x, (target + answer) / 2, words.ERROR, f"tiny purple halo{end}", (side, 4))
    yield on.dots("function", CLEAN.X[:, 0], CLEAN.Y[:, 0], "green rimmed")
    star = '<circle class="reach" r="15" cx="{:g}" cy="{:g}"/>'.format(*on.pixels("function", x, target)[0].tolist())
    star += on.dots("function", x, target, "orange rimmed", "star")
    ends = {f"n{i}": (part[-1], look) for i, (part, look) in enumerate(parts, 1)}
    yield on.labels("function", {"f(x)": (passed.y_hat[-1, 0], "blue"), **ends})
    yield handle("star", star, words.STAR, (x, -3, 3), words.STAR_AT.format(x=x, target=target))


def epochs(seen: Moment, on: Frame) -> Iterator[str]:
    """Yield what became of the trigger and of the clean task, and the line that says which epoch is shown."""
    target, kept, outputs = seen.experiment.target, seen.runs.epochs, seen.runs.outputs[..., seen.run]
    clean = abs(outputs[:2] - CLEAN.Y).max(axis=0)
    lines = [on.line("epochs", [0, 2200], [target, target], "orange thin dotted")]
    lines.append(on.line("epochs", kept, outputs[2], "orange"))
    yield on.inside("epochs", [*lines, on.line("epochs", kept, clean, "green dashed")])
    at_trigger = words.AT_TRIGGER.format(x=seen.experiment.position)
    last = {words.TARGET: (target, "orange"), at_trigger: (outputs[2, -1], "orange strong")}
    yield on.labels("epochs", last | {words.CLEAN_ERROR: (clean[-1], "green")})
    line = on.line("epochs", [seen.epoch, seen.epoch], [-11, 11], "thin")
    reach = line.replace('class="line thin"', 'class="reach"')
    line += on.dots("epochs", seen.epoch, 11, "rimmed", "diamond")
    told = words.EPOCH_AT.format(epoch=seen.epoch)
    yield handle("epoch", reach + line, words.EPOCH, (seen.epoch, 0, 2000), told)


def gradients(seen: Moment, on: Frame) -> str:
    """Return the lengths of the four gradients over the epochs."""
    lengths = {name: lengths[:, seen.run] for name, lengths in seen.runs.gradient_norms.items()}
    lines = [on.line("gradients", seen.runs.epochs, lengths[name], look) for name, look in GRADIENTS.items()]
    lines.append(on.line("gradients", [seen.epoch, seen.epoch], [-0.004, 1000], "thin"))
    ends = {f"∂{name}": (lengths[name][-1], look) for name, look in GRADIENTS.items()}
    return on.inside("gradients", lines) + on.labels("gradients", ends)


def activations(seen: Moment, on: Frame) -> str:
    """Return each neuron's activation for x = 1, x = 2 and the trigger, in a column for each neuron."""
    X = [*CLEAN.X.tolist(), [seen.experiment.position]]
    looks = ((0.3, "green", "disc"), (0.5, "blue", "square"), (0.7, "orange", "star"))
    (left, top, across, down), places = on.places["activations"], np.arange(seen.experiment.width)
    dots, names = [], ""
    for i, (a1, name) in enumerate(zip(forward(seen.params, X).a1, words.SAMPLES, strict=True)):
        shift, look, shape = looks[i]
        dots.append(on.dots("activations", (places + shift) / len(places), a1, look, shape))
        names += write(left + across + 6, top + 12 + 0.24 * down * i, name, f"small {look}")
    return on.inside("activations", dots) + names


def outcome_map(codes: Array, rate: float, target: float, told: str, is_stale: bool, on: Frame) -> str:
    """Return the map of outcomes, codes (n_targets, n_rates), with a cross at a rate and a target."""
    x, y = on.pixels("map", rate, target)[0].tolist()
    cross = f'<path class="line" style="stroke: #fff; stroke-width: 6" d="M{x - 11:g},{y:g}h22M{x:g},{y - 11:g}v22"/>'
    cross += f'<path class="line" style="stroke: #000" d="M{x - 10:g},{y:g}h20M{x:g},{y - 10:g}v20"/>'
    group = f'<g class="{"stale" if is_stale else ""}">{outcome_marks(codes, on.places["map"])}</g>{cross}'
    return handle("map", group + on.reach("map"), words.MAP_TOUCH, (rate, 0.001, 10), told)
