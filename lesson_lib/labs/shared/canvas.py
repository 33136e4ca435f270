"""The widget that shows a picture that moves, and says what was dragged, clicked or keyed on it."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from lesson_lib.labs.shared import words
from lesson_lib.pictures.frame import CSS, Frame

FAR = 1e5  # beyond every screen, in pixels


class Canvas(anywidget.AnyWidget):
    """A frame with marks on it. `on_touch` says what to do with a mark's name and a pixel (x, y), or a key.

    `controls` are those that the picture follows.
    """

    _esm = files(__package__).joinpath("canvas.js").read_text("utf-8")
    _css = CSS
    shown: Frame  # the one that `show` was last called with
    size = traitlets.List(traitlets.Int()).tag(sync=True)
    frame = traitlets.Unicode().tag(sync=True)
    marks = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    is_narrow = traitlets.Bool(False).tag(sync=True)  # whether the page has little room for it, as the page says
    gone = traitlets.Unicode(words.GONE).tag(sync=True)
    controls: Any = traitlets.List().tag(sync=True, **widgets.widget_serialization)

    def __init__(self, on_touch: Callable[..., None], **traits: Any) -> None:
        super().__init__(**traits)
        self._on_touch = on_touch
        self.on_msg(self._received)

    def show(self, frame: Frame, marks: str, alt: str) -> None:
        """Show marks on a frame, with what they say for those who listen."""
        self.shown = frame
        with self.hold_sync():
            self.size, self.frame, self.marks, self.alt = list(frame.size), frame.svg, marks, alt

    def _received(self, _: Any, content: Any, __: Any) -> None:
        """Follow a message that names a mark of the picture, and a key or a pixel near it."""
        try:
            match content:
                case {"touch": mark} if f'data-touch="{mark}"' not in self.marks:
                    pass
                case {"touch": mark, "key": str(key)} if key:
                    self._on_touch(touch=mark, key=key)
                case {"touch": mark, "x": int() | float() as x, "y": int() | float() as y}:
                    if abs(x) < FAR and abs(y) < FAR:
                        self._on_touch(touch=mark, x=x, y=y)
        finally:
            self.send({"answered": True})
