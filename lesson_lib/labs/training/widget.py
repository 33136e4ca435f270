"""The trigger lab, with every knob that might help the article's net, and the bias lab, with what does help it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np

from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import WRAP, alert, button, choice, field, status
from lesson_lib.labs.shared.values import TRAINED, read_numbers, the_one
from lesson_lib.labs.shared.words import BIASES, KEYS, RESET, TIPS
from lesson_lib.labs.training import runs, words
from lesson_lib.pictures.plot import MapPlot, training_plot
from lesson_lib.pictures.words import OUTCOME_LETTERS
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Schedule
from lesson_lib.sweeps.studies import OutcomeMap, map_steps
from lesson_lib.training import OUTCOMES

SCHEDULES = [schedule.value for schedule in Schedule]
MAP_RATES, MAP_TARGETS = np.geomspace(0.001, 10, 100), np.linspace(-10, 10, 100)


class TrainingLab(Lab):
    """A lab about one experiment: its dials, the run they lead to, and pictures that follow without training again."""

    last_panel = "gradients"  # or "activations"
    start_epoch = 100
    own_settings: Callable[[Mapping[str, Any]], dict[str, Any]]  # what `more` says of the experiment, or ValueError
    layout: Callable[[], widgets.Box]  # returns the box with everything in it

    def __init__(self, **more: widgets.ValueWidget) -> None:
        super().__init__()
        self.along = "rate"
        self.controls = {
            "rate": Dial(words.DIALS["rate"], runs.SWEPT["rate"], 0.1),
            "epochs": Dial(words.DIALS["epochs"], EPOCHS, self.start_epoch, whole=True),
            "target": Dial(words.DIALS["target"], runs.SWEPT["target"], 5),
            "position": Dial(words.DIALS["position"], runs.SWEPT["position"], 0),
            "schedule": choice(words.SCHEDULE, SCHEDULES, SCHEDULES[0], "280px", "96px"),
            **more,
        }
        self.plot = training_plot(self.last_panel)
        self.pictures = widgets.HTML()
        self.facts = widgets.HTML(layout=widgets.Layout(min_height="150px"))  # so that nothing below jumps
        self.diagram = widgets.HTML(layout=widgets.Layout(width="100%"))
        self.state = runs.moment(self.experiment(), self.epoch)
        self.box = self.layout()
        self.start()

    def experiment(self) -> Experiment:
        """Return the experiment that the controls ask for; raises ValueError for values that do not fit."""
        common = {name: self.values[name] for name in (*runs.SWEPT, "schedule")}
        return Experiment(**common, **self.own_settings(self.values))

    @property
    def epoch(self) -> int:
        """The epoch that is shown."""
        return int(self.controls["epochs"].value)

    def compute(self) -> None:
        """Look the experiment up among the runs along the dial that moved last."""
        experiment = self.experiment()
        moved = [name for name in runs.SWEPT if getattr(experiment, name) != getattr(self.state.experiment, name)]
        self.along = moved[0] if len(moved) == 1 else self.along
        self.state = runs.moment(experiment, self.epoch, self.along)

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        self.facts.value = runs.verdict_html(self.state)
        lines = {**runs.curves(self.state), **runs.LAST_PANEL[self.last_panel](self.state)}
        self.pictures.value = self.plot.show(lines, runs.verdict(self.state))

    @property
    def summary(self) -> str:
        """The settings, the verdict and the locks in words and numbers."""
        return runs.describe(self.state)

    def still(self) -> str:
        """Return the diagram on white."""
        return runs.trigger_diagram(self.state, on_paper=True)


class TriggerLab(TrainingLab):
    """Every knob that might make the article's net learn its trigger at x = 0; only the weights are trained."""

    def __init__(self) -> None:
        super().__init__(
            activation=choice(words.ACTIVATION, words.ACTIVATION_CHOICES, "relu", "280px", "96px"),
            at_zero=choice(words.AT_ZERO, (("0", 0), ("1", 1)), 0, "186px", "96px"),
        )

    def own_settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the activation and its convention; the net is the article's, and only its weights are trained."""
        return {"activation": values["activation"], "relu_prime_at_zero": values["at_zero"]}

    def draw(self) -> None:
        """Show plots, verdict and the diagram."""
        self.diagram.value = runs.trigger_diagram(self.state)
        super().draw()

    def layout(self) -> widgets.Box:
        """Return dials beside the diagram, then the verdict with the locks, then the plots."""
        dials = widgets.VBox([*self.controls.values(), button(RESET, TIPS["Reset"], self.reset)])
        right = widgets.Box([self.diagram], layout=widgets.Layout(flex="1 1 460px", max_width="600px"))
        top = widgets.HBox([dials, right], layout=WRAP)
        return widgets.VBox([top, self.messages[""], self.facts, self.pictures, widgets.HTML(KEYS)])


class BiasLab(TrainingLab):
    """Choose the trained biases, where they start, the schedule and the width: a backdoor needs trigger AND clean task.

    The buttons at the top tell the five stories of the lesson. The map trains 10,000 nets at once.
    """

    last_panel = "activations"
    start_epoch = 2000

    def __init__(self) -> None:
        self.map: OutcomeMap | None = None
        self._mapping: asyncio.Task[None] | None = None
        self.map_picture = widgets.HTML()
        self.map_text = widgets.HTML(layout=widgets.Layout(min_height="84px", flex="1 1 440px"))
        self.map_button = button(words.DRAW_MAP, words.DRAW_MAP_TIP, self.draw_map, "220px")
        super().__init__(
            biases=choice(words.BIASES_TRAINED, BIASES, "none", "280px", "96px"),
            b1=field(words.B1_START, "0, 0", label_width="96px", width="280px"),
            b2=field(words.B2_START, "0", label_width="96px", width="280px"),
            weights=choice(words.WEIGHTS, words.WEIGHT_CHOICES, "article", "280px", "96px"),
            width=Dial(words.WIDTH, range(2, 33), 2, whole=True),
            seed=widgets.BoundedIntText(
                description=words.SEED, max=9999, style={"description_width": "96px"}, layout={"width": "186px"}
            ),
        )

    def own_settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the chosen biases, width and start; raises ValueError, naming the control, for bad text."""
        width, from_article = int(values["width"]), values["weights"] == "article"
        if from_article and width != 2:
            raise ValueError(words.WIDTH_NEEDS_RANDOM)
        return {
            "trainable": ("W1", "W2", *TRAINED[values["biases"]]),
            "b1": () if values["weights"] == "random b1" else _b1_start(values["b1"], width),
            "b2": float(the_one("b2", read_numbers("b2", values["b2"]))),
            "width": width,
            "seed": None if from_article else values["seed"],
        }

    def draw(self) -> None:
        """Show plots and verdict, and the cross on the map if there is one."""
        super().draw()
        self._draw_map()

    def layout(self) -> widgets.Box:
        """Return the stories, the controls, the verdict with the locks, the plots and the map."""
        stories = [button(name, preset, partial(self.load, preset), "auto") for name, preset in words.PRESETS.items()]
        controls, reset = [*self.controls.values()], button(RESET, TIPS["Reset"], self.reset)
        return widgets.VBox(
            [
                widgets.HBox(stories, layout=WRAP),
                widgets.HBox([widgets.VBox([*controls[:5], reset]), widgets.VBox(controls[5:])], layout=WRAP),
                self.messages[""],
                self.facts,
                self.pictures,
                widgets.HBox([self.map_button, self.map_text], layout=WRAP),
                self.map_picture,
                widgets.HTML(KEYS),
            ]
        )

    def draw_map(self) -> None:
        """Train a net for every rate and target with the other settings as they are; a second press stops the work."""
        if self._mapping is not None:
            self._mapping.cancel()
            return
        if self.error:
            self.map_text.value = alert(self.error)
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            for _ in self.map_steps():
                pass
            return
        self.map_button.description = words.STOP
        self._mapping = loop.create_task(self._map_in_background())
        self._mapping.add_done_callback(self._map_done)  # even if it is stopped before it has begun

    async def _map_in_background(self) -> None:
        for epoch in self.map_steps():
            self.map_text.value = status(words.MAP_PROGRESS.format(epoch=epoch, epochs=EPOCHS[-1]))
            await asyncio.sleep(0)

    def _map_done(self, task: "asyncio.Task[None]") -> None:
        self._mapping, self.map_button.description = None, words.DRAW_MAP
        if task.cancelled():
            self.map_text.value = status(words.MAP_STOPPED)

    def map_steps(self) -> Iterator[int]:
        """Make the map, yielding each epoch as it is reached; the map appears at the end."""
        experiment, made = self.experiment(), None
        for epoch, made in map_steps(experiment, MAP_RATES, MAP_TARGETS):  # noqa: B007  (the last is the map)
            yield epoch
        plot = MapPlot(MAP_RATES, MAP_TARGETS)
        self.map, self._map_experiment, self._map_plot, self._map_epoch = made, experiment, plot, -1
        self._draw_map()

    def _draw_map(self) -> None:
        if self.map is None:
            return
        shown = self.map.epoch_at(self.epoch)
        if shown != self._map_epoch:
            self._map_epoch = -1  # until it is done
            self._map_plot.set_codes(self.map.at(shown))
            self._map_epoch = shown
        text = self.map_summary
        self.map_picture.value = self._map_plot.show_cell(self.values["rate"], self.values["target"], text)
        self.map_text.value = status(text)

    @property
    def map_summary(self) -> str:
        """The map in words: the share of each outcome, the outcome at the cross, and whether the map is out of date."""
        if self.map is None:
            return words.NO_MAP
        asked, rate, target = self.epoch, self.values["rate"], self.values["target"]
        epoch = self.map.epoch_at(asked)
        shares = (f"{one.value} ({OUTCOME_LETTERS[one]}) {self.map.share(one, epoch):.1%}" for one in OUTCOMES)
        text = words.MAP_SUMMARY.format(
            epochs=f"{epoch} epochs" if epoch == asked else words.MAP_KEPT.format(epoch=epoch, asked=asked),
            shares=", ".join(shares),
            rate=rate,
            target=target,
            cell=self.map.nearest(rate, target, epoch).value,
        )
        then = self._map_experiment
        same = replace(self.state.experiment, rate=then.rate, target=then.target) == then
        return text if same else f"{text} {words.MAP_STALE}"


def _b1_start(text: str, width: int) -> tuple[float, ...]:
    numbers, counts = read_numbers("b1", text), sorted({1, 2, width})
    if len(numbers) not in counts:
        raise ValueError(words.START_COUNT.format(name="b1", counts=" or ".join(map(str, counts))))
    return tuple(map(float, numbers))
