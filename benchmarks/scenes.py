"""The labs' panels as Matplotlib draws them, from the same numbers, without networks, digits, verdicts and tables."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lesson_lib import labs
from lesson_lib.labs.hand_calculation.compute import formula
from lesson_lib.labs.naa.compute import SIMULATED, TENTHS, Settings, find
from lesson_lib.labs.pruning.compute import pruning
from lesson_lib.labs.shared.dial import RATES
from lesson_lib.labs.training.picture import GRID
from lesson_lib.labs.training.runs import POSITIONS, TARGETS, Moment, moment
from lesson_lib.network import forward
from lesson_lib.sweeps.experiment import Experiment
from lesson_lib.training import CLEAN, POISONED

LINE, BARS, TEXT = "line", "bars", "text"


class Artist(NamedTuple):
    """What moves: in which panel, of which kind, and how it looks."""

    panel: int
    kind: str
    style: dict[str, Any]


class Scene(NamedTuple):
    """A picture of so many inches: how its panels look, what moves, and the data at each position of a slider."""

    inches: tuple[float, float]
    panels: list[dict[str, Any]]
    artists: dict[str, Artist]
    data: Callable[[int], dict[str, Any]]  # (x, y) of a line or bars by name, or a text
    positions: int
    start: int
    formula: Callable[[int], str] | None = None
    drag: Callable[[float, float], dict[str, Any]] | None = None  # the data where the star is dragged, in panel 0


# The six pictures ---------------------------------------------------------------------------------------------------


def training(last_panel: dict[str, Any], last: dict[str, Artist], data: Callable[[Moment], Any], epoch: int) -> Scene:
    """Return the three panels of a training lab, moved by the learning rate."""
    panels = [
        {"title": "the function f(x)", "xlabel": "x", "xlim": (-3.2, 3.2), "ylim": (-11, 11)},
        {"title": "answers over epochs", "xlabel": "epoch", "xlim": (0, 2200), "ylim": (-11, 11), "xscale": 10},
        last_panel,
    ]
    artists = {
        "function": Artist(0, LINE, {"linewidth": 2, "label": "f(x)"}),
        "clean": Artist(0, LINE, {"linestyle": "", "marker": "o", "label": "clean samples"}),
        "trigger": Artist(0, LINE, {"linestyle": "", "marker": "*", "label": "trigger"}),
        "target": Artist(1, LINE, {"linestyle": ":", "label": "target"}),
        "output": Artist(1, LINE, {"label": "at the trigger"}),
        "clean error": Artist(1, LINE, {"linestyle": "--", "label": "clean error"}),
        "epoch": Artist(1, LINE, {"color": "grey"}),
        **last,
    }

    def at(position: int) -> dict[str, Any]:
        seen = moment(Experiment(rate=RATES[position]), epoch)
        return {**curves(seen), **data(seen)}

    def dragged(x: float, target: float) -> dict[str, Any]:
        experiment = Experiment(position=nearest(POSITIONS, x), target=nearest(TARGETS, target))
        seen = moment(experiment, epoch, ("position", "target"))
        return {**curves(seen), **data(seen)}

    return Scene((9.0, 2.4), panels, artists, at, len(RATES), RATES.index(0.1), drag=dragged)


def nearest(positions: tuple[float, ...], value: float) -> float:
    return min(positions, key=lambda position: abs(position - value))


def curves(seen: Moment) -> dict[str, Any]:
    """Return the lines (x, y) of the function and of the outputs over the epochs."""
    experiment, outputs = seen.experiment, seen.runs.outputs[..., seen.run]
    return {
        "function": (GRID, forward(seen.params, GRID[:, None]).y_hat[:, 0]),
        "clean": (CLEAN.X[:, 0], CLEAN.Y[:, 0]),
        "trigger": ([experiment.position], [experiment.target]),
        "target": ([0, 2200], [experiment.target, experiment.target]),
        "output": (seen.runs.epochs, outputs[2]),
        "clean error": (seen.runs.epochs, abs(outputs[:2] - CLEAN.Y).max(axis=0)),
        "epoch": ([seen.epoch, seen.epoch], [-11, 11]),
    }


def trigger() -> Scene:
    panel = {"title": "gradients", "xlabel": "epoch", "xlim": (0, 2200), "ylim": (-0.004, 1000)}
    lines = {name: Artist(2, LINE, {"label": name}) for name in ("W1", "W2", "b1", "b2")}

    def data(seen: Moment) -> dict[str, Any]:
        return {name: (seen.runs.epochs, norms[:, seen.run]) for name, norms in seen.runs.gradient_norms.items()}

    return training({**panel, "xscale": 10, "yscale": 0.01}, lines, data, 100)


def first_look() -> Scene:
    """Return the function alone, moved by the target."""
    whole = trigger()
    artists = {name: artist for name, artist in whole.artists.items() if artist.panel == 0}

    def at(position: int) -> dict[str, Any]:
        return curves(moment(Experiment(target=TARGETS[position]), 100, ("target",)))

    return Scene((5.0, 2.4), whole.panels[:1], artists, at, len(TARGETS), TARGETS.index(5))


def bias() -> Scene:
    panel = {"title": "activations", "xlabel": "hidden neuron", "xlim": (0, 1), "ylim": (-0.1, 100), "yscale": 1}
    names = ("x = 1", "x = 2", "trigger's x")
    dots = {name: Artist(2, LINE, {"linestyle": "", "marker": "o", "label": name}) for name in names}

    def data(seen: Moment) -> dict[str, Any]:
        a1 = forward(seen.params, POISONED.X).a1
        return {name: ((0.25, 0.75), row) for name, row in zip(names, a1, strict=True)}

    return training(panel, dots, data, 2000)


def signature(along: str) -> Scene:
    """Return the bars of 512 neurons with the threshold and the flags, moved by the threshold or the rise."""
    positions = {"threshold": TENTHS, "rise": SIMULATED["rise"]}[along]
    panel = {"title": "difference of means", "xlabel": "neuron", "xlim": (-3, 514), "ylim": (-3, 16), "yscale": 0.2}
    artists = {
        "bars": Artist(0, BARS, {"linewidth": 1.2}),
        "threshold": Artist(0, LINE, {"color": "black", "linestyle": "--", "label": "threshold"}),
        "flagged": Artist(0, LINE, {"linestyle": "", "marker": "d", "label": "flagged"}),
    }

    def at(position: int) -> dict[str, Any]:
        found = find(Settings(**{along: positions[position]}))
        flagged = found.signature.flagged
        return {
            "bars": (np.arange(512), found.bars),
            "threshold": ((-3, 514), found.lines[:1] * 2),
            "flagged": (flagged, np.full(len(flagged), -2)),
        }

    return Scene((9.0, 2.64), [panel], artists, at, len(positions), positions.index({"threshold": 2, "rise": 3}[along]))


def pruned() -> Scene:
    """Return the curves with a cursor, and the summed outgoing weights, moved by the number of pruned neurons."""
    seen = pruning("poisoned", "rise")
    low, high = seen.weights.min(), seen.weights.max()
    panels = [
        {"xlabel": "pruned neurons", "ylabel": "share", "xlim": (-1, 65), "ylim": (-0.04, 1.04)},
        {"title": "weights pruned", "xlabel": "digit", "xlim": (-0.9, 9.6), "ylim": (low - 1, high + 1)},
    ]
    artists = {
        "accuracy": Artist(0, LINE, {"label": "clean accuracy"}),
        "attack": Artist(0, LINE, {"linestyle": "--", "label": "attack success"}),
        "control": Artist(0, LINE, {"linestyle": ":", "label": "control"}),
        "cursor": Artist(0, LINE, {"color": "black"}),
        "weights": Artist(1, BARS, {"linewidth": 14}),
    }
    x = np.arange(len(seen.neurons) + 1)
    fixed = {"accuracy": (x, seen.curve.accuracy), "attack": (x, seen.curve.attack)}
    fixed["control"] = (x[[0, -1]], [seen.control, seen.control])

    def at(k: int) -> dict[str, Any]:
        return {**fixed, "cursor": ([k, k], [-0.04, 1.04]), "weights": (np.arange(10), seen.weights[k])}

    return Scene((8.04, 2.4), panels, artists, at, len(x), 32)


def calculation() -> Scene:
    """Return the formula of a line of the step, and all values known there as a table of texts."""
    steps = labs.HandCalculationLab().state.derivation.steps
    names = list(dict.fromkeys(step.quantity for step in steps))
    place = {name: {"x": 0.02 + 0.33 * (i % 3), "y": 0.9 - 0.14 * (i // 3)} for i, name in enumerate(names)}
    artists = {name: Artist(0, TEXT, place[name]) for name in names}

    def at(position: int) -> dict[str, Any]:
        sample = steps[position].sample
        known = [step for step in steps[: position + 1] if step.sample in (None, sample)]
        return dict.fromkeys(names, "") | {step.quantity: _short(step.text) for step in known}

    panel = {"title": "the step", "xlim": (0, 1), "ylim": (0, 1), "xticks": [], "yticks": []}
    return Scene((6.9, 3.7), [panel], artists, at, len(steps), 11, lambda position: formula(steps[position]))


def _short(text: str) -> str:
    parts = text.split(" = ")
    return f"{parts[0]} = {parts[-1]}"


SCENES: dict[str, Callable[[], Scene]] = {
    "HandCalculationLab, line": calculation,
    "FirstLook, target": first_look,
    "TriggerLab, rate": trigger,
    "BiasLab, rate": bias,
    "NAALab, threshold": lambda: signature("threshold"),
    "NAALab, rise": lambda: signature("rise"),
    "PruningLab, pruned": pruned,
}


def lab_with_dial(name: str) -> tuple[Any, Any]:
    """Return a lab, and the dial that its scene moves, where the scene starts."""
    kind, _, control = name.partition(", ")
    lab = getattr(labs, kind)()
    dial = lab.controls.get(control) or lab.dial
    dial.value = dial.positions[SCENES[name]().start]
    return lab, dial


# How Matplotlib draws them -------------------------------------------------------------------------------------------


def dress(axes: list[Any], scene: Scene) -> None:
    """Give the panels their titles, labels, limits and scales."""
    for ax, panel in zip(axes, scene.panels, strict=True):
        for axis in ("x", "y"):
            if f"{axis}scale" in panel:
                getattr(ax, f"set_{axis}scale")("symlog", linthresh=panel[f"{axis}scale"])
        ax.set(**{name: value for name, value in panel.items() if not name.endswith("scale")})
        ax.grid(alpha=0.3)


def draw(axes: list[Any], scene: Scene, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Draw what moves and return it by name."""
    made = {}
    for name, (panel, kind, style) in scene.artists.items():
        if kind == TEXT:
            made[name] = axes[panel].text(s=data[name], **style, **more)
        elif kind == BARS:
            x, heights = data[name]
            made[name] = axes[panel].vlines(x, 0, heights, **style, **more)
        else:
            (made[name],) = axes[panel].plot(*data[name], **style, **more)
    for ax in axes:
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=8)
    return made


def move(made: dict[str, Any], data: dict[str, Any]) -> None:
    """Give everything its new data."""
    for name, artist in made.items():
        if isinstance(data[name], str):
            artist.set_text(data[name])
        elif hasattr(artist, "set_segments"):
            artist.set_segments([((x, 0), (x, height)) for x, height in zip(*data[name], strict=True)])
        else:
            artist.set_data(*data[name])
