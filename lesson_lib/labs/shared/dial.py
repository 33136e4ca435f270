"""A slider with a number box beside it: the box has the name and takes any number, the slider the handy positions."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets

from lesson_lib.exercises.reading import parse_numbers
from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.parts import LABEL, alert, field

STEPS = (1, 1.1, 1.25, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.8, 3.2, 3.6, 4, 4.5, 5, 5.6, 6.3, 7, 8, 9)  # in a power of ten
RATES = (*(round(step * 10.0**power, 6) for power in (-3, -2, -1, 0) for step in STEPS), 10.0)


def read_numbers(name: str, text: str) -> tuple[Fraction, ...]:
    """Return the numbers typed into the control of this name; raises ValueError, naming it, for any other text."""
    try:
        return parse_numbers(text)
    except ValueError as error:
        raise ValueError(words.FIELD_ERROR.format(name=name, problem=error)) from None


def read_number(name: str, text: str) -> Fraction:
    """Return the only number typed into the control; raises ValueError, naming it, for several too."""
    number, *others = read_numbers(name, text)
    if others:
        raise ValueError(words.FIELD_ONE.format(name=name, given=1 + len(others)))
    return number


class Dial(widgets.Box):
    """A number with a slider over `positions`; `value` can be any number between the first and the last of them.

    What is typed may be a fraction; what does not fit is refused below the box, and the last value stays. The
    positions can change: `set_range` gives others, `follow` makes another control, the leader, decide.
    """

    value = traitlets.Float()
    disabled = traitlets.Bool(False)
    leader: widgets.ValueWidget | None = None

    def __init__(self, description: str, positions: Sequence[float], value: float, whole: bool = False) -> None:
        self.positions, self.places, self.whole = tuple(positions), np.array(positions), whole
        self.number = field(description, "", LABEL, "158px")
        layout = {"width": "112px", "margin": "2px 4px 2px 12px"}
        nearest, last = self._nearest(value), len(positions) - 1
        self.slider = widgets.IntSlider(value=nearest, max=last, readout=False, layout=layout)
        self.message = widgets.HTML()
        layout = {"flex_flow": "row wrap", "max_width": "300px"}
        super().__init__([self.number, self.slider, self.message], layout=layout)
        self.value = value
        self.show()
        self.slider.observe(self._slid, names="value")
        self.number.observe(self._typed, names="value")
        for part in (self.number, self.slider):
            traitlets.dlink((self, "disabled"), (part, "disabled"))

    def follow(self, leader: widgets.ValueWidget, range_of: Callable[[Any, float], tuple[Any, float]]) -> None:
        """Let `fit` take range_of(the leader's value, the own value), positions and a value, when the leader moves."""
        self.leader, self._range_of, self._fits = leader, range_of, leader.value

    def fit(self) -> None:
        """Take the range that belongs to the leader's value, unless that is done, and show the value."""
        if self.leader is not None and self._fits != self.leader.value:
            self._fits = None  # until the range has been taken in full
            self.set_range(*self._range_of(self.leader.value, self.value))
            self._fits = self.leader.value
        self.show()

    def set_range(self, positions: Sequence[float], value: float) -> None:
        """Take other positions, and a value among them."""
        self.positions, self.places = tuple(positions), np.array(positions)
        self.slider.max = max(self.slider.max, len(positions) - 1)  # until the slider is where it belongs
        self.value = value
        self.show()
        self.slider.max = len(positions) - 1
        self.number.tooltip = words.SPAN.format(low=positions[0], high=positions[-1])

    def beside(self, steps: int) -> float:
        """Return the position so many steps above the value, or below it; at either end, the end."""
        where = self._nearest(self.value) + steps
        return self.positions[min(max(where, 0), len(self.positions) - 1)]

    def nearest(self, value: float) -> float:
        """Return the position that is nearest to a value."""
        return self.positions[self._nearest(value)]

    @traitlets.observe("value")
    def show(self, _: Any = None) -> None:
        """Show the value in the box, as it was typed if it was, and on the slider; what was refused is forgotten."""
        try:
            is_read = self.number.value == self._text or float(read_number("", self.number.value)) == self.value
        except ValueError:
            is_read = False
        if not is_read:
            self.number.value = self._text
        self.slider.value = self._nearest(self.value)
        self._refuse("")

    @traitlets.validate("value")
    def _within(self, proposal: dict[str, Any]) -> float:
        value, low, high = float(proposal["value"]), self.positions[0], self.positions[-1]
        if not low <= value <= high:
            raise traitlets.TraitError(words.OUTSIDE.format(low=low, high=high, given=value))
        if self.whole and not value.is_integer():
            raise traitlets.TraitError(words.NOT_WHOLE.format(given=value))
        return value

    @property
    def _text(self) -> str:
        return f"{self.value:.8g}"

    def _slid(self, change: dict[str, Any]) -> None:
        self._refuse("")
        if change["new"] != self._nearest(self.value):
            self.value = self.positions[change["new"]]

    def _typed(self, change: dict[str, Any]) -> None:
        name = self.number.description
        try:
            if change["new"] != self._text:  # which may be shorter than the value
                self.value = float(read_number(name, change["new"]))
            self._refuse("")
        except (ValueError, traitlets.TraitError) as error:
            told = str(error).removeprefix(f"{name}: ").removesuffix(".")
            self.number.value = change["old"]
            self._refuse(words.REFUSED.format(problem=told, kept=self.number.value))

    def _refuse(self, message: str) -> None:
        self.message.value = alert(message) if message else ""
        self.message.layout.display = "" if message else "none"  # an empty message takes no room

    def _nearest(self, value: float) -> int:
        return int(abs(self.places - value).argmin())
