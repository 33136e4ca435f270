"""What every lab shares: named controls, set and reset, and a preset to paste."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, ClassVar

import ipywidgets as widgets

from lesson_lib.exercises.reading import plain
from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.canvas import Canvas
from lesson_lib.labs.shared.cells import Place, running_cell
from lesson_lib.labs.shared.dial import Dial, read_number
from lesson_lib.labs.shared.parts import alert, show, status, style, without_kernel
from lesson_lib.labs.shared.play import Player
from lesson_lib.pictures.frame import Frame, whole_svg

MOST_CHARACTERS = 200  # of what is repeated in an error
KEYS = {"ArrowLeft": -1, "ArrowRight": 1, "PageDown": -10, "PageUp": 10, "Home": -1000, "End": 1000}
KEYS |= {"ArrowDown": -1, "ArrowUp": 1}  # how many steps a key moves what is touched


class Lab:
    """Controls by name, the state they lead to, and a box that shows it.

    A subclass builds `self.controls` (widgets by name), a first state and `self.box`, then calls `self.start()`.
    While a control holds a bad value, its message says so and the last good state stays. So it does when the work is
    interrupted; the next move begins anew.
    """

    controls: dict[str, widgets.ValueWidget]
    box: widgets.Box
    compute: Callable[[], None]  # turns the controls' values into a new state, all or nothing, or raises ValueError
    draw: Callable[[], None]  # shows the state
    picture: Callable[[], tuple[Frame, str, str]]  # returns frame, marks, and what they say for those who listen
    # What can be touched in the picture, by the mark's name: its panel, the Dials for across and up ("" for none).
    touchable: ClassVar[Mapping[str, tuple[str, str, str]]] = {}
    players: Sequence[Player] = ()  # what goes on by itself, until it is stopped or reset

    def __init__(self) -> None:
        self.messages = {"": widgets.HTML()}  # by the control that a message stands beside; "" is under all
        self.canvas = Canvas(self.touch)
        self.error = ""
        self._follows, self._place = True, Place()

    def start(self) -> None:
        """Remember the controls' values as the defaults, connect them, and show the first state."""
        self._defaults = self.values
        style(self.box)
        for control in self.controls.values():
            control.observe(lambda _: self._follow() if self._follows else None, names="value")
        self.canvas.controls = [getattr(control, "slider", control) for control in self.controls.values()]
        self.draw()

    @property
    def summary(self) -> str:
        """What the picture says, in words and numbers."""
        raise NotImplementedError

    @property
    def beside(self) -> list[widgets.Widget]:
        """The controls, whether they are on show or not."""
        return [*self.controls.values(), *(player.button for player in self.players)]

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, /, **values: Any) -> None:
        """Set controls by name, as if by hand: lab.set(rate="1/5"); a bad value raises ValueError, changing nothing."""
        self._set(values)

    def _set(self, *steps: Mapping[str, Any]) -> None:
        before = self.values
        for name in chain(*steps):
            if name not in self.controls:
                raise ValueError(f"{short(name)} is not a control of this lab; there are {', '.join(self.controls)}")
        try:
            self._follow(*steps)
            if self.error:
                raise ValueError(self.error)
        except BaseException:  # an interrupt too
            self._follow(before)
            raise

    def reset(self) -> None:
        """Put every control back to where it started, and stop playing."""
        for player in self.players:
            player.stop()
        self._follow(self._defaults)

    def touch(self, touch: str = "", key: str = "", x: float = 0, y: float = 0) -> None:
        """Follow a mark that was dragged or clicked to a pixel (x, y) of the picture, or moved by a key."""
        if touch not in self.touchable or (key and key not in KEYS):
            return
        panel, across, up = self.touchable[touch]
        if key:
            ways = (up, across) if key in ("ArrowDown", "ArrowUp") else (across, up)
            name = ways[0] or ways[1]  # a mark that moves one way takes the arrows of both
            moved = {name: self.controls[name].beside(KEYS[key])}
        else:
            found = zip((across, up), self.canvas.shown.data_at(panel, x, y), strict=True)
            moved = {name: self.controls[name].nearest(value) for name, value in found if name}
        self._follow(moved)

    def still(self) -> str:
        """Return the picture as an SVG on white, for pages without a kernel."""
        frame, marks, alt = self.picture()
        return whole_svg(frame.size, frame.svg + marks, alt)

    @property
    def preset(self) -> str:
        """The settings that differ from the start, as a short line to paste into `load`."""
        changed = {control for name, control in self.controls.items() if control.value != self._defaults[name]}
        told = {name: one.value for name, one in self.controls.items() if {one, getattr(one, "leader", None)} & changed}
        return "; ".join(f"{name}={_written(value).replace(';', ',')}" for name, value in told.items())

    def load(self, preset: str) -> None:
        """Reset, then apply a preset line; raises ValueError for a line that this lab cannot have made.

        A dial that follows another control may be left out: then that control decides.
        """
        parts = [part.partition("=") for part in plain(str(preset)).split(";") if part.strip()]
        texts = {name.strip(): text.strip() for name, _, text in parts}
        read = {name: _read(name, text, type(self._defaults.get(name, ""))) for name, text in texts.items()}
        self._set(self._defaults, read)

    def show_error(self, error: object) -> None:
        """Show the message beside the control that it names first, or under the controls; "" takes it away."""
        self.error = str(error)
        name = self.error.partition(" ")[0].rstrip(":")
        place = name if name in self.messages else ""
        text = self.error.replace(name, getattr(self.controls.get(name), "description", "") or name, 1)
        for key, message in self.messages.items():
            message.value = alert(text) if text and key == place else ""

    def _follow(self, *steps: Mapping[str, Any]) -> None:
        """Put values into their controls, all or those before one that is refused; then compute and draw."""
        try:
            self._follows = False  # each change, but all of them, whatever happens
            for values in steps:
                for name in sorted(values, key=lambda name: bool(getattr(self.controls[name], "leader", None))):
                    self._fit_dials()  # to the range that the next value must be in
                    _put(name, values[name], self.controls[name])
            self._fit_dials()
            self._show()
        except KeyboardInterrupt:
            self.show_error(words.INTERRUPTED)
            raise
        finally:
            self._follows = True
            self.canvas.send({"done": True})  # the picture fits the controls again

    def _show(self) -> None:
        try:
            self.compute()
        except ValueError as error:
            self.show_error(error)
        else:
            self.show_error("")
            self.draw()
            self._place.keep(self.preset)

    def _fit_dials(self) -> None:
        for control in self.controls.values():
            if isinstance(control, Dial):
                control.fit()

    def _ipython_display_(self) -> None:
        self._place = Place(running_cell())
        if (left := self._place.left()) is not None:
            with suppress(ValueError):  # of a lab that has changed since
                self.load(left)
                self.messages[""].value = status(words.AS_LEFT)
        show(self, without_kernel(self.summary, self.still()))


def short(text: object) -> str:
    """Return a text that is not too long to be repeated in an error."""
    text = str(text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def _put(name: str, value: Any, control: widgets.ValueWidget) -> None:
    """Put a value into a control; raises ValueError, naming it, unless the control takes the value as it is."""
    try:
        if isinstance(control, widgets.Text):  # it takes numbers and lists of numbers as text
            value = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        control.value = value
        if control.value != value:
            raise ValueError(f"it would become {control.value}; got {value!r}")
    except Exception as error:  # each kind of widget has its own
        raise ValueError(f"{name} must hold a value that the control can take: {short(error)}") from None


def _written(value: Any) -> str:
    """Return a control's value as text that `_read` turns back into it; a whole number without a point."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _read(name: str, text: str, kind: type) -> Any:
    """Return what a preset says of a control, as the kind of value that the control holds."""
    if kind not in (int, float):
        return kind(text)
    with suppress(ValueError):
        if kind is float and _written(float(text)) == text:  # also what nobody types, such as 4e-104
            return float(text)
    try:
        number = read_number(name, text)
    except ValueError:
        raise ValueError(f"{name} must be a number in a preset; got {short(text)}") from None
    if kind is int and number.denominator > 1:
        raise ValueError(f"{name} must be a whole number in a preset; got {short(text)}")
    return kind(number)
