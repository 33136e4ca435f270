"""The trigger lab: turn every knob that might help the article's net to learn its trigger, and see the locks."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from lesson_lib.labs.shared.parts import WRAP, button, choice
from lesson_lib.labs.shared.words import KEYS, RESET, TIPS
from lesson_lib.labs.training import words
from lesson_lib.labs.training.draws import trigger_diagram
from lesson_lib.labs.training.lab import TrainingLab


class TriggerLab(TrainingLab):
    """Every knob that might make the article's net learn its trigger at x = 0; only the weights are trained."""

    def more_controls(self) -> dict[str, Any]:
        """Return the activation and the convention at its corner."""
        return {
            "activation": choice(words.ACTIVATION, words.ACTIVATION_CHOICES, "relu", "280px", "96px"),
            "at_zero": choice(words.AT_ZERO, (("0", 0), ("1", 1)), 0, "186px", "96px"),
        }

    def own_settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the activation and its convention; the net is the article's, and only its weights are trained."""
        return {"activation": values["activation"], "relu_prime_at_zero": values["at_zero"]}

    def draw(self) -> None:
        """Show plots, verdict and the diagram."""
        self.diagram.value = trigger_diagram(self.state)
        super().draw()

    def layout(self) -> widgets.Box:
        """Return dials beside the diagram, then the verdict with the locks, then the plots."""
        dials = widgets.VBox([*self.controls.values(), button(RESET, TIPS["Reset"], self.reset)])
        right = widgets.Box([self.diagram], layout=widgets.Layout(flex="1 1 460px", max_width="600px"))
        top = widgets.HBox([dials, right], layout=WRAP)
        return widgets.VBox([top, self.messages[""], self.facts, self.pictures, widgets.HTML(KEYS)])
