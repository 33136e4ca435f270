"""The bias lab: which bias makes the trigger learnable, started where, and at what price; and the map of outcomes."""

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import ipywidgets as widgets

from lesson_lib.labs.shared.dial import Dial, read_number, read_numbers
from lesson_lib.labs.shared.parts import LABEL, TRAINED, WRAP, alert, button, choice, field, note, screen, status
from lesson_lib.labs.shared.play import Player, Work
from lesson_lib.labs.shared.words import BIASES, RESET, TIPS
from lesson_lib.labs.training import picture, words
from lesson_lib.labs.training.picture import MAP_RATES, MAP_TARGETS
from lesson_lib.labs.training.widget import TrainingLab
from lesson_lib.pictures.frame import Frame
from lesson_lib.pictures.words import OUTCOME_LETTERS
from lesson_lib.sweeps.experiment import EPOCHS
from lesson_lib.sweeps.studies import OutcomeMap, map_steps
from lesson_lib.sweeps.words import OUTCOMES as NAMES
from lesson_lib.tables import percent
from lesson_lib.training import OUTCOMES


class BiasLab(TrainingLab):
    """Choose the trained biases, where they start, the schedule and the width: a backdoor needs trigger AND clean task.

    The buttons at the top tell the five stories of the lesson. The map trains 10,000 nets at once; click one of them.
    """

    last_panel = "activations"
    start_epoch = 2000
    touchable: ClassVar = {**TrainingLab.touchable, "map": ("map", "rate", "target")}

    def __init__(self) -> None:
        self.map: OutcomeMap | None = None
        self.map_text, self.note = widgets.HTML(), widgets.HTML()
        texts = words.DRAW_MAP, words.STOP, words.DRAW_MAP_TIP
        self.mapper = Player(self._map_all, 0, texts, "124px")
        self.stories = {
            preset: button(name, preset, partial(self.load, preset), "auto") for preset, name in words.STORIES.items()
        }
        super().__init__(
            biases=choice(words.BIASES_TRAINED, BIASES, "none", "280px", LABEL),
            b1=field(words.B1_START, "0, 0", LABEL, "280px"),
            b2=field(words.B2_START, "0", LABEL, "280px"),
            weights=choice(words.WEIGHTS, words.WEIGHT_CHOICES, "article", "280px", LABEL),
            width=Dial(words.WIDTH, range(2, 33), 2, whole=True),
            seed=Dial(words.SEED, (*range(100), 9999), 0, whole=True),
        )
        self.players = [self.player, self.mapper]

    def own_settings(self) -> dict[str, Any]:
        """Return the chosen biases, width and start; raises ValueError, naming the control, for bad text."""
        values = self.values
        width, from_article = int(values["width"]), values["weights"] == "article"
        if from_article and width != 2:
            raise ValueError(words.WIDTH_NEEDS_RANDOM)
        b1 = () if values["weights"] == "random b1" else read_numbers("b1", values["b1"])
        counts = sorted({1, 2, width})
        if b1 and len(b1) not in counts:
            raise ValueError(words.START_COUNT.format(name="b1", counts=words.OR.join(map(str, counts))))
        return {
            "trainable": ("W1", "W2", *TRAINED[values["biases"]]),
            "b1": tuple(map(float, b1)),
            "b2": float(read_number("b2", values["b2"])),
            "width": width,
            "seed": None if from_article else int(values["seed"]),
        }

    def draw(self) -> None:
        """Show the state, which story it tells, and which controls have no effect."""
        settings = {*self.preset.split("; ")}
        for preset, told in self.stories.items():
            told.icon = "check" if {*preset.split("; ")} == settings else ""
        idle = {"b1": self.values["weights"] == "random b1", "seed": self.values["weights"] == "article"}
        for name, has_no_effect in idle.items():
            self.controls[name].disabled = has_no_effect
        self.note.value = note(" ".join(words.IDLE[name] for name in idle if idle[name]))
        if self.map is not None:
            self.map_text.value = status(self.map_summary)
        super().draw()

    def last_marks(self, frame: Frame) -> str:
        """Return the activations, or the map once there is one."""
        if self.map is None:
            return super().last_marks(frame)
        codes, run = self.map.at(self.state.epoch), self.state.experiment
        return picture.outcome_map(codes, run.rate, run.target, self.map_summary, self.map_is_stale, frame)

    def layout(self) -> widgets.Box:
        """Return the stories and the verdict over the controls and the picture."""
        buttons = widgets.HBox([button(RESET, TIPS["Reset"], self.reset), self.player.button])
        left = [*self.controls.values(), widgets.HBox([self.mapper.button, buttons], layout=WRAP), self.note]
        stories = widgets.HBox([*self.stories.values()], layout=WRAP)
        return screen([stories, self.facts], [*left, self.messages[""]], [self.canvas, self.map_text])

    def draw_map(self) -> None:
        """Train a net for every rate and target with the other settings as they are; a second press stops the work."""
        self.mapper.press()

    def reset(self) -> None:
        """Put every control back to where it started, and take the map away."""
        self.map, self.last_panel, self.map_text.value = None, "activations", ""
        super().reset()

    def _map_all(self) -> Work:
        """Train on to the last epoch, where the map appears in the place of the activations."""
        if self.error:
            self.map_text.value = alert(self.error)
            return
        experiment = self.state.experiment
        try:
            yield
            for epoch, made in map_steps(experiment, MAP_RATES, MAP_TARGETS):
                self.map_text.value = status(words.MAP_PROGRESS.format(epoch=epoch, epochs=EPOCHS[-1]))
                if made is None:
                    yield
            self.map, self._map_experiment, self.last_panel = made, experiment, "map"
            self.draw()
        except BaseException:  # also GeneratorExit, when it is stopped
            self.map_text.value = status(words.MAP_STOPPED)
            raise

    @property
    def map_is_stale(self) -> bool:
        """Whether the settings, other than rate and target, have changed since the map was made."""
        then = self._map_experiment
        return replace(self.state.experiment, rate=then.rate, target=then.target) != then

    @property
    def map_summary(self) -> str:
        """The map in words: the share of each outcome, the outcome at the cross, and whether the map is out of date."""
        if self.map is None:
            return words.NO_MAP
        asked, run = self.state.epoch, self.state.experiment
        epoch = self.map.epoch_at(asked)
        shares = (f"{NAMES[one]} ({OUTCOME_LETTERS[one]}) {_share(self.map.share(one, epoch))}" for one in OUTCOMES)
        epochs = (words.MAP_EPOCHS if epoch == asked else words.MAP_KEPT).format(epoch=epoch, asked=asked)
        told = {"rate": run.rate, "target": run.target, "cell": NAMES[self.map.nearest(run.rate, run.target, epoch)]}
        text = words.MAP_SUMMARY.format(epochs=epochs, shares=", ".join(shares), **told)
        return f"{text} {words.MAP_STALE}" if self.map_is_stale else text


def _share(share: float) -> str:
    """Return a share of ten thousand networks; one of them is 0.01 %."""
    return f"{100 * share:.2f} %" if 0 < share < 0.001 else percent(share)
