"""The bias lab: which bias makes the trigger learnable, started where, and what it does to the clean task."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np

from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.parts import WRAP, alert, button, choice, field, status
from lesson_lib.labs.shared.typed import TRAINED, read_numbers, the_one
from lesson_lib.labs.shared.words import BIASES, KEYS, RESET, TIPS
from lesson_lib.labs.training import words
from lesson_lib.labs.training.lab import TrainingLab
from lesson_lib.labs.training.says import describe_map
from lesson_lib.pictures.plot import MapPlot
from lesson_lib.sweeps.experiment import EPOCHS
from lesson_lib.sweeps.studies import OutcomeMap, map_steps

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
        for epoch, made in map_steps(experiment, MAP_RATES, MAP_TARGETS):  # noqa: B007  (the last is the map)
            yield epoch
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
        now = replace(self.state.experiment, rate=self._map_experiment.rate, target=self._map_experiment.target)
        stale = "" if now == self._map_experiment else f" {words.MAP_STALE}"
        return describe_map(self.map, self.epoch, self.values["rate"], self.values["target"]) + stale


def _b1_start(text: str, width: int) -> tuple[float, ...]:
    numbers, counts = read_numbers("b1", text), sorted({1, 2, width})
    if len(numbers) not in counts:
        raise ValueError(words.START_COUNT.format(name="b1", counts=" or ".join(map(str, counts))))
    return tuple(map(float, numbers))
