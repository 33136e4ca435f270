"""The labs' pictures as others would draw them: by `interact` without a thought for speed, or kept alive by ipympl.

They show the plot alone, from the same looked-up numbers as the lab; the lab's verdicts, tables and texts are left out.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Math, display
from matplotlib.figure import Figure

from lesson_lib.labs.hand_calculation.widget import HandCalculationLab, formula
from lesson_lib.labs.naa.compute import RISES, TENTHS, Settings, find
from lesson_lib.labs.pruning.compute import pruning
from lesson_lib.labs.shared.values import RATES
from lesson_lib.labs.training.runs import Moment, curves, moment
from lesson_lib.network import forward
from lesson_lib.sweeps.experiment import Experiment
from lesson_lib.training import POISONED

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


# The five pictures --------------------------------------------------------------------------------------------------


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

    return Scene((9.0, 2.4), panels, artists, at, len(RATES), RATES.index(0.1))


def trigger() -> Scene:
    panel = {"title": "gradients", "xlabel": "epoch", "xlim": (0, 2200), "ylim": (-0.004, 1000)}
    lines = {name: Artist(2, LINE, {"label": name}) for name in ("W1", "W2", "b1", "b2")}
    data = lambda seen: {name: (seen.epochs, norms) for name, norms in seen.gradient_norms.items()}  # noqa: E731
    return training({**panel, "xscale": 10, "yscale": 0.01}, lines, data, 100)


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
    positions = {"threshold": TENTHS, "rise": RISES}[along]
    panel = {"title": "difference of means", "xlabel": "neuron", "xlim": (-3, 514), "ylim": (-3, 16), "yscale": 0.2}
    artists = {
        "bars": Artist(0, BARS, {"width": 1.0}),
        "threshold": Artist(0, LINE, {"color": "black", "linestyle": "--", "label": "threshold"}),
        "flagged": Artist(0, LINE, {"linestyle": "", "marker": "d", "label": "flagged"}),
    }

    def at(position: int) -> dict[str, Any]:
        found = find(Settings(**{along: positions[position]}))
        flagged = found.signature.flagged
        line = ((-3, 514), (found.lines[0], found.lines[0]))
        return {
            "bars": (np.arange(512), found.bars),
            "threshold": line,
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
        "weights": Artist(1, BARS, {"width": 0.7}),
    }
    x = np.arange(len(seen.neurons) + 1)
    fixed = {"accuracy": (x, seen.curve.accuracy), "attack": (x, seen.curve.attack)}
    fixed["control"] = (x[[0, -1]], [seen.control, seen.control])

    def at(k: int) -> dict[str, Any]:
        return {**fixed, "cursor": ([k, k], [-0.04, 1.04]), "weights": (np.arange(10), seen.weights[k])}

    return Scene((8.04, 2.4), panels, artists, at, len(x), 32)


def calculation() -> Scene:
    """Return the formula of a line of the step, and all values known there as a table of texts."""
    steps = HandCalculationLab().state.derivation.steps
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
    "HandCalculationLab, Next": calculation,
    "TriggerLab, rate": trigger,
    "BiasLab, rate": bias,
    "NAALab, threshold": lambda: signature("threshold"),
    "NAALab, rise": lambda: signature("rise"),
    "PruningLab, pruned": pruned,
}


# Two ways to show them ----------------------------------------------------------------------------------------------


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
            made[name] = axes[panel].bar(*data[name], **style, **more)
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
        elif hasattr(artist, "patches"):
            for bar, height in zip(artist, data[name][1], strict=True):
                bar.set_height(height)
        else:
            artist.set_data(*data[name])


def slider(scene: Scene) -> widgets.IntSlider:
    return widgets.IntSlider(value=scene.start, max=scene.positions - 1)


def interact(name: str) -> None:
    """Show a slider that makes a new figure at every move."""
    scene = SCENES[name]()

    def show(position: int) -> None:
        if scene.formula is not None:
            display(Math(scene.formula(position)))
        _, axes = plt.subplots(1, len(scene.panels), figsize=scene.inches, dpi=100, squeeze=False)
        dress(axes[0], scene)
        draw(axes[0], scene, scene.data(position))
        plt.show()

    widgets.interact(show, position=slider(scene))


def ipympl(name: str, blitting: bool = False) -> None:
    """Show a slider that moves what is in a figure kept by ipympl, and has it all, or only that, drawn again."""
    scene = SCENES[name]()
    canvas, axes = kept(scene)
    made = draw(axes, scene, scene.data(scene.start), **({"animated": True} if blitting else {}))
    refresh = blitted(canvas, made) if blitting else canvas.draw_idle
    chosen, text = slider(scene), widgets.HTMLMath()

    def write(position: int) -> None:
        if scene.formula is not None:
            text.value = rf"\[{scene.formula(position)}\]"

    def show(position: int) -> None:
        write(position)
        move(made, scene.data(position))
        refresh()

    write(scene.start)
    chosen.observe(lambda change: show(change["new"]), names="value")
    display(widgets.VBox([chosen, text, canvas]))


def kept(scene: Scene) -> tuple[Any, list[Any]]:
    """Return ipympl's canvas without its tools, and the panels on it."""
    before = plt.get_backend()
    from ipympl.backend_nbagg import Canvas, FigureManager

    plt.switch_backend(before)  # the import makes ipympl pyplot's own
    figure = Figure(figsize=scene.inches, dpi=100)
    canvas = Canvas(figure)
    FigureManager(canvas, 0)
    canvas.header_visible = canvas.footer_visible = canvas.toolbar_visible = False
    axes = list(figure.subplots(1, len(scene.panels), squeeze=False)[0])
    dress(axes, scene)
    return canvas, axes


def blitted(canvas: Any, made: dict[str, Any]) -> Callable[[], None]:
    """Return what draws the moving artists on the remembered background and sends the picture."""
    background: list[Any] = []

    def draw_moving() -> None:
        for artist in made.values():
            for part in getattr(artist, "patches", [artist]):
                canvas.figure.draw_artist(part)

    def remember(_event: Any) -> None:
        background[:] = [canvas.copy_from_bbox(canvas.figure.bbox)]
        draw_moving()

    def refresh() -> None:
        canvas.restore_region(background[0])
        draw_moving()
        canvas.blit(canvas.figure.bbox)

    canvas.mpl_connect("draw_event", remember)
    return refresh
