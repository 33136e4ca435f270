"""The bias lab: which bias makes the trigger learnable, started where, and what it does to the clean task."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np

from lesson_lib.exercises.typed_numbers import parse_numbers
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.parts import alert, button, choice, field, status
from lesson_lib.labs.shared.words import BIASES, FIELD_ERROR, FIELD_ONE, KEYS, RESET, TIPS
from lesson_lib.labs.training import words
from lesson_lib.labs.training.trigger import WRAP, TrainingLab
from lesson_lib.network import forward
from lesson_lib.pictures.maps import MapPlot
from lesson_lib.pictures.words import OUTCOME_LETTERS, TRIGGER_LABEL
from lesson_lib.sweeps.experiment import EPOCHS, Experiment
from lesson_lib.sweeps.studies import OutcomeMap, map_steps
from lesson_lib.training import OUTCOMES, POISONED

TRAINED = {"none": (), "b2": ("b2",), "b1": ("b1",), "both": ("b1", "b2")}
MAP_RATES, MAP_TARGETS = np.geomspace(0.001, 10, 100), np.linspace(-10, 10, 100)


class BiasLab(TrainingLab):
    """Choose the trained biases, where they start, the schedule and the width: a backdoor needs trigger AND clean task.

    The buttons at the top tell the five stories of the lesson. The map trains 10,000 nets at once.
    """

    last_panel = "activations"
    start_epoch = 2000

    def more_controls(self) -> dict[str, Any]:
        """Return the biases, the starting weights and the width."""
        return {
            "biases": choice(words.BIASES_TRAINED, BIASES, "none", "280px", "96px"),
            "b1": field(words.B1_START, "0, 0", label_width="96px", width="280px"),
            "b2": field(words.B2_START, "0", label_width="96px", width="280px"),
            "weights": choice(words.WEIGHTS, words.WEIGHT_CHOICES, "article", "280px", "96px"),
            "width": Dial(words.WIDTH, range(2, 33), 2, whole=True),
            "seed": widgets.BoundedIntText(
                description=words.SEED, max=9999, style={"description_width": "96px"}, layout={"width": "186px"}
            ),
        }

    def experiment(self) -> Experiment:
        """Return the experiment with the chosen biases; raises ValueError, naming the control, for bad text."""
        value = self.values
        width = int(value["width"])
        if value["weights"] == "article" and width != 2:
            raise ValueError(words.WIDTH_NEEDS_RANDOM)
        return Experiment(
            rate=value["rate"],
            target=value["target"],
            position=value["position"],
            schedule=value["schedule"],
            trainable=("W1", "W2", *TRAINED[value["biases"]]),
            b1=() if value["weights"] == "random b1" else _numbers("b1", value["b1"], (1, 2, width)),
            b2=_numbers("b2", value["b2"], (1,))[0],
            width=width,
            seed=None if value["weights"] == "article" else value["seed"],
        )

    def last_curves(self) -> dict[str, Any]:
        """Return each neuron's activation for x = 1, x = 2 and the trigger."""
        seen = self.state
        X = np.array([*POISONED.X[:2], [seen.experiment.position]])
        a1 = forward(seen.params, X).a1
        beside = {"x = 1": 0.3, "x = 2": 0.5, TRIGGER_LABEL: 0.7}  # so that no marker covers another
        columns = np.arange(seen.experiment.width)
        return {
            f"a1 {name}": ((columns + place) / seen.experiment.width, row)
            for (name, place), row in zip(beside.items(), a1, strict=True)
        }

    def draw(self) -> None:
        """Show plots and verdict, and the cross on the map if there is one."""
        super().draw()
        if self.map is not None:
            self._draw_map()

    def layout(self) -> widgets.Box:
        """Return the stories, the controls, the verdict with the locks, the plots and the map."""
        self.map: OutcomeMap | None = None
        self._mapping: asyncio.Task[None] | None = None
        self.map_picture = widgets.HTML()
        self.map_text = widgets.HTML(layout=widgets.Layout(min_height="84px", flex="1 1 440px"))
        self.map_button = button(words.DRAW_MAP, words.DRAW_MAP_TIP, self.draw_map, "220px")
        stories = [button(name, preset, partial(self.load, preset), "auto") for name, preset in words.PRESETS.items()]
        control = self.controls
        left = [control[name] for name in ("rate", "epochs", "target", "position", "schedule")]
        right = [control[name] for name in ("biases", "b1", "b2", "weights", "width", "seed")]
        reset = button(RESET, TIPS["Reset"], self.reset)
        return widgets.VBox(
            [
                widgets.HBox(stories, layout=WRAP),
                widgets.HBox([widgets.VBox([*left, reset]), widgets.VBox(right)], layout=WRAP),
                self.messages[""],
                self.facts,
                self.pictures,
                widgets.HBox([self.map_button, self.map_text], layout=WRAP),
                self.map_picture,
                widgets.HTML(KEYS),
            ]
        )

    # The map ------------------------------------------------------------------------------------------------------

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
        experiment = self.experiment()
        made = None
        for epoch, made in map_steps(experiment, MAP_RATES, MAP_TARGETS):  # noqa: B007
            yield epoch
        assert made is not None
        plot = MapPlot(MAP_RATES, MAP_TARGETS)
        self.map, self._map_experiment, self._map_plot, self._map_epoch = made, experiment, plot, -1
        self._draw_map()

    def _draw_map(self) -> None:
        assert self.map is not None
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
        epoch = self.map.epoch_at(self.epoch)
        shares = ", ".join(
            f"{outcome.value} ({OUTCOME_LETTERS[outcome]}) {self.map.share(outcome, epoch):.1%}" for outcome in OUTCOMES
        )
        rate, target = self.values["rate"], self.values["target"]
        cell = self.map.nearest(rate, target, epoch).value
        now = replace(self.state.experiment, rate=self._map_experiment.rate, target=self._map_experiment.target)
        stale = "" if now == self._map_experiment else f" {words.MAP_STALE}"
        epochs = f"{epoch} epochs" if epoch == self.epoch else words.MAP_KEPT.format(epoch=epoch, asked=self.epoch)
        text = words.MAP_SUMMARY.format(epochs=epochs, shares=shares, rate=f"{rate:g}", target=f"{target:g}", cell=cell)
        return text + stale


def _numbers(name: str, text: str, counts: tuple[int, ...]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(number) for number in parse_numbers(text))
    except ValueError as error:
        raise ValueError(FIELD_ERROR.format(name=name, problem=error)) from None
    if counts == (1,) and len(numbers) != 1:
        raise ValueError(FIELD_ONE.format(name=name, given=len(numbers)))
    if len(numbers) not in counts:
        raise ValueError(words.START_COUNT.format(name=name, counts=" or ".join(map(str, sorted({*counts})))))
    return numbers
