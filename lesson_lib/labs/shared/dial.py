"""A slider with a number box beside it: the box has the name and takes any number, the slider the handy positions."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from lesson_lib.labs.shared import words


class Dial(widgets.HBox):
    """A number with a slider over `positions`; `value` can be any number between the first and the last of them.

    The positions can change: `set_range` gives others, `follow` makes another control, the leader, decide.
    """

    value = traitlets.Float()

    def __init__(self, description: str, positions: Sequence[float], value: float, whole: bool = False) -> None:
        self.positions, self.whole = tuple(positions), whole
        self.leader: widgets.ValueWidget | None = None
        kind = widgets.BoundedIntText if whole else widgets.BoundedFloatText
        self.number = kind(
            value=value,
            min=positions[0],
            max=positions[-1],
            description=description,
            tooltip=words.SPAN.format(low=positions[0], high=positions[-1]),
            continuous_update=False,
            style={"description_width": "96px"},
            layout=widgets.Layout(width="186px"),
        )
        self.slider = widgets.IntSlider(
            value=self._nearest(value),
            max=len(positions) - 1,
            readout=False,
            layout=widgets.Layout(width="216px", margin="2px 4px 2px 14px"),
        )
        super().__init__([self.number, self.slider])
        self.value = value
        self.slider.observe(self._slid, names="value")
        self.number.observe(self._typed, names="value")

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
        self._restrict(sorted({*self.positions, *positions}))  # so that the old and the new value are inside
        self.value = value
        self._restrict(positions)

    @traitlets.observe("value")
    def show(self, _: Any = None) -> None:
        """Show the value in the box and on the slider."""
        self.number.value = self.value
        self.slider.value = self._nearest(self.value)

    @traitlets.validate("value")
    def _within(self, proposal: dict[str, Any]) -> float:
        value = float(proposal["value"])
        if not self.positions[0] <= value <= self.positions[-1]:
            raise traitlets.TraitError(f"must be from {self.positions[0]:g} to {self.positions[-1]:g}; got {value:g}")
        if self.whole and not value.is_integer():
            raise traitlets.TraitError(f"must be a whole number; got {value:g}")
        return value

    def _slid(self, change: dict[str, Any]) -> None:
        if change["new"] != self._nearest(self.value):
            self.value = self.positions[change["new"]]

    def _typed(self, change: dict[str, Any]) -> None:
        try:
            self.value = change["new"]
        except traitlets.TraitError:  # a box lets NaN through
            self.show()
            raise

    def _nearest(self, value: float) -> int:
        return min(range(len(self.positions)), key=lambda i: abs(self.positions[i] - value))

    def _restrict(self, positions: Sequence[float]) -> None:
        self.positions = tuple(positions)
        self.slider.max = max(self.slider.max, len(positions) - 1)
        self.slider.value = self._nearest(self.value)
        self.slider.max = len(positions) - 1
        with self.number.hold_trait_notifications():
            self.number.min, self.number.max = positions[0], positions[-1]
        self.number.tooltip = words.SPAN.format(low=positions[0], high=positions[-1])
