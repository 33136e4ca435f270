"""What every box brings along: its style, a still picture that gives way, its own keys, and its language."""

from importlib.resources import files

import anywidget
import ipywidgets as widgets
import traitlets

from lesson_lib.language import now

HERE = files(__package__)


class Look(anywidget.AnyWidget):
    """The last, invisible part of a box."""

    _esm = HERE.joinpath("look.js").read_text("utf-8")
    _css = HERE.joinpath("look.css").read_text("utf-8")
    language = traitlets.Unicode().tag(sync=True)


def style(box: widgets.Box) -> None:
    """Give a lab or an exercise its look."""
    box.add_class("by-hand")
    box.children = (*box.children, Look(language=now.tag, layout=widgets.Layout(display="none")))
