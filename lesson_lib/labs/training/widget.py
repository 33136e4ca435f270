"""The trigger lab, with every knob that might help the article's net, and what it shares with the bias lab."""

from collections.abc import Callable
from typing import Any, ClassVar

import ipywidgets as widgets

from lesson_lib.derivation.words import AND, SYMBOLS
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import LABEL, WRAP, button, choice, screen, verdict
from lesson_lib.labs.shared.play import along
from lesson_lib.labs.shared.words import RESET, TIPS
from lesson_lib.labs.training import picture, runs, words
from lesson_lib.pictures.frame import Frame
from lesson_lib.pictures.shown import DONE
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Schedule
from lesson_lib.sweeps.words import SCHEDULES

SECONDS_AN_EPOCH = 0.12
MOST_DRAGGED = 4  # neurons of a net that is trained for every place of a drag at once


class TrainingLab(Lab):
    """A lab about one experiment: its dials, the run they lead to, and a picture that follows without training again.

    Drag the trigger's star or the line of the epoch in the picture; each has its dial.
    """

    last_panel = "gradients"  # or "activations"
    start_epoch = 100
    own_settings: Callable[[], dict[str, Any]]  # what `more` says of the experiment, or ValueError
    touchable: ClassVar = {"star": ("function", "position", "target"), "epoch": ("epochs", "epochs", "")}

    def __init__(self, **more: widgets.ValueWidget) -> None:
        super().__init__()
        self.along: tuple[str, ...] = ("rate",)
        self.controls = {
            "rate": Dial(words.DIALS["rate"], runs.SWEPT["rate"], 0.1),
            "epochs": Dial(words.DIALS["epochs"], EPOCHS, self.start_epoch, whole=True),
            "target": Dial(words.DIALS["target"], runs.SWEPT["target"], 5),
            "position": Dial(words.DIALS["position"], runs.SWEPT["position"], 0),
            "schedule": choice(words.SCHEDULE, SCHEDULES, Schedule.CLEAN_FIRST.value, "280px", LABEL),
            **more,
        }
        self.player = along(self.controls["epochs"], SECONDS_AN_EPOCH)
        self.players = [self.player]
        self.canvas.observe(lambda _: self.draw(), "is_narrow")
        self.facts = widgets.HTML()
        self.state = runs.moment(self.experiment(), self.start_epoch)
        self.box = self.layout()
        self.start()

    def experiment(self) -> Experiment:
        """Return the experiment that the controls ask for; raises ValueError for values that do not fit."""
        return Experiment(**{name: self.values[name] for name in (*runs.SWEPT, "schedule")}, **self.own_settings())

    def compute(self) -> None:
        """Look the experiment up among the runs along the dial that moved last, or the two of a drag."""
        experiment = self.experiment()
        moved = [name for name in runs.SWEPT if getattr(experiment, name) != getattr(self.state.experiment, name)]
        is_drag = len(moved) == 2 and experiment.width <= MOST_DRAGGED
        if not {*moved} <= {*self.along} and (len(moved) == 1 or is_drag):
            self.along = tuple(moved)
        self.state = runs.moment(experiment, int(self.controls["epochs"].value), self.along)

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        self.facts.value = verdict(*self.state.badges)
        self.canvas.show(*self.picture())

    def picture(self) -> tuple[Frame, str, str]:
        """Return the frame, the network and the lines on it, and the verdict."""
        frame = picture.frame(self.last_panel, self.canvas.is_narrow)
        drawn = picture.network(self.state), *picture.function(self.state, frame), *picture.epochs(self.state, frame)
        return frame, "".join(drawn) + self.last_marks(frame), self.summary

    def last_marks(self, frame: Frame) -> str:
        """Return what stands in the last panel."""
        return {"gradients": picture.gradients, "activations": picture.activations}[self.last_panel](self.state, frame)

    @property
    def summary(self) -> str:
        """The settings, the verdict and the locks in words and numbers."""
        seen = self.state
        *others, last = seen.experiment.trainable
        trained, schedule = AND.join([words.COMMA.join(others), last]), SCHEDULES[seen.experiment.schedule]
        settings = words.EXPERIMENT.format(run=seen.experiment, epoch=seen.epoch, schedule=schedule, trained=trained)
        told = []
        for lock in seen.locks:
            is_done = lock.is_open and abs(lock.gradient).max() <= DONE  # as in the picture
            reason = words.DONE if is_done else lock.reason
            told.append(words.LOCK.format(name=SYMBOLS[f"d{lock.name}"][1], reason=reason))
        return f"{settings} {seen.verdict} {words.LOCKS_CAPTION} {words.NEXT_LOCK.join(told)}."

    def layout(self) -> widgets.Box:
        """Return the verdict over the controls on the left and the picture on the right."""
        buttons = widgets.HBox([button(RESET, TIPS["Reset"], self.reset), self.player.button])
        return screen([self.facts], [*self.controls.values(), buttons, self.messages[""]], [self.canvas])


class TriggerLab(TrainingLab):
    """Every knob that might make the article's net learn its trigger at x = 0; only the weights are trained."""

    def __init__(self) -> None:
        super().__init__(
            activation=choice(words.ACTIVATION, words.ACTIVATION_CHOICES, "relu", "280px", LABEL),
            at_zero=choice(words.AT_ZERO, {0: "0", 1: "1"}, 0, "186px", LABEL),
        )

    def own_settings(self) -> dict[str, Any]:
        """Return the activation and its convention; the net is the article's, and only its weights are trained."""
        return {"activation": self.controls["activation"].value, "relu_prime_at_zero": self.controls["at_zero"].value}


class FirstLook(TriggerLab):
    """Nothing but the network, its function, and the trigger's star to drag: the question of the course."""

    def picture(self) -> tuple[Frame, str, str]:
        """Return the way there, without the gradients, and what the star says until it is touched."""
        frame, run = picture.frame(""), self.state.experiment
        marks = "".join((picture.network(self.state, there_and_back=False), *picture.function(self.state, frame)))
        if not self.preset:
            marks += frame.text("function", run.position, run.target, words.DRAG, "orange strong", (14, 4))
        return frame, marks, self.summary

    def layout(self) -> widgets.Box:
        """Return the two dials of the star in a row under the picture."""
        dials = [self.controls["position"], self.controls["target"], button(RESET, TIPS["Reset"], self.reset)]
        return widgets.VBox([self.facts, self.canvas, widgets.HBox(dials, layout=WRAP), self.messages[""]])
