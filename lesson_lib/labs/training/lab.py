"""What the trigger lab and the bias lab share: the dials of one experiment, and pictures that only look its run up."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import choice
from lesson_lib.labs.training import words
from lesson_lib.labs.training.compute import SWEPT, Moment, moment
from lesson_lib.labs.training.draws import LAST_PANEL, curves, trigger_diagram
from lesson_lib.labs.training.says import describe, verdict, verdict_html
from lesson_lib.pictures.plot import training_plot
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Schedule

SCHEDULES = [schedule.value for schedule in Schedule]


class TrainingLab(Lab):
    """A lab about one experiment: its dials, the run they lead to, and pictures that follow without training again."""

    last_panel = "gradients"  # one of LAST_PANEL
    start_epoch = 100

    def __init__(self) -> None:
        super().__init__()
        self.along = "rate"
        self.controls = {
            "rate": Dial(words.DIALS["rate"], SWEPT["rate"], 0.1),
            "epochs": Dial(words.DIALS["epochs"], EPOCHS, self.start_epoch, whole=True),
            "target": Dial(words.DIALS["target"], SWEPT["target"], 5),
            "position": Dial(words.DIALS["position"], SWEPT["position"], 0),
            "schedule": choice(words.SCHEDULE, SCHEDULES, SCHEDULES[0], "280px", "96px"),
            **self.more_controls(),
        }
        self.plot = training_plot(self.last_panel)
        self.pictures = widgets.HTML()
        self.facts = widgets.HTML(layout=widgets.Layout(min_height="150px"))  # so that nothing below jumps
        self.diagram = widgets.HTML(layout=widgets.Layout(width="100%"))
        self.state: Moment = moment(self.experiment(), self.epoch)
        self.box = self.layout()
        self.start()

    def more_controls(self) -> dict[str, Any]:
        """Return the controls that this lab adds."""
        raise NotImplementedError

    def layout(self) -> widgets.Box:
        """Return the box with everything in it."""
        raise NotImplementedError

    def own_settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the added controls say of the experiment; raises ValueError for values that do not fit."""
        raise NotImplementedError

    def experiment(self) -> Experiment:
        """Return the experiment that the controls ask for; raises ValueError for values that do not fit."""
        values = self.values
        common = {name: values[name] for name in ("rate", "target", "position", "schedule")}
        return Experiment(**common, **self.own_settings(values))

    @property
    def epoch(self) -> int:
        """The epoch that is shown."""
        return int(self.controls["epochs"].value)

    def compute(self) -> None:
        """Look the experiment up among the runs along the dial that moved last."""
        experiment = self.experiment()
        moved = [name for name in SWEPT if getattr(experiment, name) != getattr(self.state.experiment, name)]
        self.along = moved[0] if len(moved) == 1 else self.along
        self.state = moment(experiment, self.epoch, self.along)

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        self.facts.value = verdict_html(self.state)
        lines = {**curves(self.state), **LAST_PANEL[self.last_panel](self.state)}
        self.pictures.value = self.plot.show(lines, verdict(self.state))

    @property
    def summary(self) -> str:
        """The settings, the verdict and the locks in words and numbers."""
        return describe(self.state)

    def still(self) -> str:
        """Return the diagram on white."""
        return trigger_diagram(self.state, on_paper=True)
