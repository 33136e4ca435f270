"""The trigger lab: turn every knob that might help the article's net to learn its trigger, and see the locks."""

from typing import Any

import ipywidgets as widgets

from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import button, choice
from lesson_lib.labs.shared.words import KEYS, RESET, TIPS
from lesson_lib.labs.training import words
from lesson_lib.labs.training.compute import (
    POSITIONS,
    RATES,
    SWEPT,
    TARGETS,
    View,
    curves,
    describe,
    trigger_diagram,
    verdict,
    verdict_html,
    view,
)
from lesson_lib.pictures.training import training_plot
from lesson_lib.sweeps.experiment import EPOCHS, Experiment, Schedule

WRAP = widgets.Layout(flex_flow="row wrap", align_items="flex-start")


class TrainingLab(Lab):
    """A lab about one experiment: its dials, the run they lead to, and pictures that follow without training again."""

    last_panel = "gradients"
    start_epoch = 100

    def __init__(self) -> None:
        super().__init__()
        self.along = "rate"
        self.controls = {
            "rate": Dial(words.DIALS["rate"], RATES, 0.1),
            "epochs": Dial(words.DIALS["epochs"], EPOCHS, self.start_epoch, whole=True),
            "target": Dial(words.DIALS["target"], TARGETS, 5),
            "position": Dial(words.DIALS["position"], POSITIONS, 0),
            "schedule": choice(
                words.SCHEDULE, [each.value for each in Schedule], Schedule.CLEAN_FIRST.value, "280px", "96px"
            ),
            **self.more_controls(),
        }
        self.messages = {"": widgets.HTML()}
        self.plot = training_plot(self.last_panel)
        self.pictures = widgets.HTML()
        self.facts = widgets.HTML(layout=widgets.Layout(min_height="150px"))  # so that nothing below jumps
        self.diagram = widgets.HTML(layout=widgets.Layout(width="100%"))
        self.state: View = view(self.experiment(), self.epoch)
        self.box = self.layout()
        self.start()

    def more_controls(self) -> dict[str, Any]:
        """Return the controls that this lab adds."""
        raise NotImplementedError

    def layout(self) -> widgets.Box:
        """Return the box with everything in it."""
        raise NotImplementedError

    def experiment(self) -> Experiment:
        """Return the experiment that the controls ask for; raises ValueError for values that do not fit."""
        raise NotImplementedError

    @property
    def epoch(self) -> int:
        """The epoch that is shown."""
        return int(self.controls["epochs"].value)

    def compute(self) -> None:
        """Look the experiment up among the runs along the dial that moved last."""
        experiment = self.experiment()
        moved = [name for name in SWEPT if getattr(experiment, name) != getattr(self.state.experiment, name)]
        self.along = moved[0] if len(moved) == 1 else self.along
        self.state = view(experiment, self.epoch, self.along)

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        self.facts.value = verdict_html(self.state)
        self.pictures.value = self.plot.show({**curves(self.state), **self.last_curves()}, verdict(self.state))

    def last_curves(self) -> dict[str, Any]:
        """Return the data of the last panel."""
        raise NotImplementedError

    @property
    def summary(self) -> str:
        """The settings, the verdict and the locks in words and numbers."""
        return describe(self.state)

    def still(self) -> str:
        """Return the diagram on white."""
        return trigger_diagram(self.state, on_paper=True)


class TriggerLab(TrainingLab):
    """Every knob that might make the article's net learn its trigger at x = 0; only the weights are trained."""

    def more_controls(self) -> dict[str, Any]:
        """Return the activation and the convention at its corner."""
        return {
            "activation": choice(words.ACTIVATION, words.ACTIVATION_CHOICES, "relu", "280px", "96px"),
            "at_zero": choice(words.AT_ZERO, (("0", 0), ("1", 1)), 0, "186px", "96px"),
        }

    def experiment(self) -> Experiment:
        """Return the article's net with these settings; only the weights are trained."""
        value = self.values
        return Experiment(
            rate=value["rate"],
            target=value["target"],
            position=value["position"],
            schedule=value["schedule"],
            activation=value["activation"],
            relu_prime_at_zero=value["at_zero"],
        )

    def draw(self) -> None:
        """Show plots, verdict and the diagram."""
        self.diagram.value = trigger_diagram(self.state)
        super().draw()

    def last_curves(self) -> dict[str, Any]:
        """Return the gradient lengths over the epochs."""
        seen = self.state
        return {
            **{name: (seen.epochs, norms) for name, norms in seen.gradient_norms.items()},
            "gradient epoch": ([seen.epoch, seen.epoch], [-0.004, 1000]),
        }

    def layout(self) -> widgets.Box:
        """Return dials beside the diagram, then the verdict with the locks, then the plots."""
        dials = widgets.VBox([*self.controls.values(), button(RESET, TIPS["Reset"], self.reset)])
        right = widgets.Box([self.diagram], layout=widgets.Layout(flex="1 1 460px", max_width="600px"))
        top = widgets.HBox([dials, right], layout=WRAP)
        return widgets.VBox([top, self.messages[""], self.facts, self.pictures, widgets.HTML(KEYS)])
