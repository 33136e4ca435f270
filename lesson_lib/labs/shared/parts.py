"""What labs and exercises are made of: labelled controls, messages, their look, and the still picture of a lab."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from IPython.display import display

from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.cells import take_place
from lesson_lib.language import now

WRAP = {"flex_flow": "row wrap", "align_items": "flex-start"}  # the layout of a row that goes on below on a narrow page

TRAINED = {"none": (), "b1": ("b1",), "b2": ("b2",), "both": ("b1", "b2")}  # by the choice of biases
HELP = f"<details><summary>{words.HELP}</summary>{words.KEYS}</details>"
LABEL = "92px"  # how wide the names of a lab's controls are
LIVE = "application/vnd.jupyter.widget-view+json"
STILL = "lesson-still"
# JupyterLab: a widget that is alive hides the still; while there is none, its message is hidden and the still stays.
STILL_STYLE = (
    f"<style>.jp-OutputArea:has(.jupyter-widgets *) .{STILL}, "
    f".jp-OutputArea:has(.{STILL}) .jp-OutputArea-output:not(:has(*)) {{ display: none }}</style>"
)


class Look(anywidget.AnyWidget):
    """The last, invisible part of a box: its style, a still picture that gives way, its own keys, and its language."""

    _esm = files(__package__).joinpath("look.js").read_text("utf-8")
    _css = files(__package__).joinpath("look.css").read_text("utf-8")
    language = traitlets.Unicode().tag(sync=True)


def style(box: widgets.Box) -> widgets.Box:
    """Give a lab or an exercise its look."""
    box.children = (*box.children, Look(language=now.tag, layout={"display": "none"}))
    return box.add_class("by-hand")


def show(shown: Any, still: dict[str, str]) -> None:
    """Display a still picture, then the live widget, which hides it: a page that cannot revive the widget keeps it."""
    take_place(shown)
    display(still, raw=True)  # type: ignore[no-untyped-call]
    display({LIVE: shown.box._repr_mimebundle_()[LIVE]}, raw=True)  # type: ignore[no-untyped-call]


def without_kernel(summary: str, svg: str = "") -> dict[str, str]:
    """Return what a page shows while the widget is not alive: the still picture, and its text twin."""
    source = b64encode(svg.encode()).decode()
    picture = f'<img alt="{escape(summary)}" width="680" src="data:image/svg+xml;base64,{source}">' if svg else ""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in summary.splitlines())
    begin = f'<div class="{STILL}">' if now.tag == "en" else f'<div class="{STILL}" lang="{now.tag}">'
    html = f"{begin}{STILL_STYLE}{picture}{paragraphs}<p><em>{words.NEEDS_KERNEL}</em></p></div>"
    return {"text/html": html, "text/plain": summary}


class Choice(widgets.Dropdown):
    """A list of choices, one of which is always chosen."""

    value: Any = traitlets.TraitType(None)  # which nobody can set it to

    @traitlets.validate("value")
    def _validate_value(self, proposal: Any) -> Any:
        if proposal.value is None:
            raise traitlets.TraitError("must be one of the choices; got None")
        return super()._validate_value(proposal)


def named(description: str, label: str, width: str) -> dict[str, Any]:
    """Return how a control is made that has its name on the left: the name, the room for it, and the width of both."""
    return {"description": description, "style": {"description_width": label}, "layout": {"width": width}}


def choice(description: str, options: Mapping[Any, str], value: Any, width: str, label: str = "initial") -> Choice:
    """Return a labelled list of choices, each with the text that it is shown as."""
    pairs = [(text, option) for option, text in options.items()]
    return Choice(options=pairs, value=value, **named(description, label, width))


def field(description: str, value: str, label: str, width: str) -> widgets.Text:
    """Return a labelled text box that reports a change on Enter or when the focus leaves it."""
    return widgets.Text(value=value, continuous_update=False, **named(description, label, width))


def button(description: str, tooltip: str, action: Callable[[], None], width: str = "84px") -> widgets.Button:
    """Return a button that calls `action`."""
    made = widgets.Button(description=description, tooltip=tooltip, layout={"width": width})
    made.on_click(lambda _: action())
    return made


def screen(top: Sequence[Any], left: Sequence[Any], right: Sequence[Any]) -> widgets.Box:
    """Return a lab that fits one screen: the verdict on top, the controls on the left, the picture on the right."""
    controls = widgets.VBox(left, layout={"flex": "0 0 auto", "width": "min-content", "min_width": "308px"})
    picture = widgets.VBox(right, layout={"flex": "1 1 460px", "min_width": "0"})
    return widgets.VBox(
        [*top, widgets.HBox([controls, picture], layout=WRAP | {"grid_gap": "0 12px"}), widgets.HTML(HELP)]
    )


def status(text: str) -> str:
    """Return HTML that shows the text and lets a screen reader announce it."""
    return f'<div role="status" aria-live="polite" style="line-height: 1.5">{escape(text)}</div>'


def note(text: str) -> str:
    """Return HTML that shows a remark in small letters."""
    style = "font-size: 12px; line-height: 1.2; margin: 0; max-width: 300px"
    return f'<p style="{style}">{escape(text)}</p>' if text else ""


def verdict(*parts: tuple[str, str]) -> str:
    """Return HTML of a live region: texts, each with its look: badges, "yes", "no" or "said", or a "sentence"."""
    tags = (("span", "span") if look == "sentence" else (f'b class="{look}"', "b") for look, _ in parts)
    shown = " ".join(f"<{tag}>{escape(text)}</{end}>" for (tag, end), (_, text) in zip(tags, parts, strict=True))
    return f'<div class="by-hand-verdict" role="status" aria-live="polite">{shown}</div>'


def alert(text: str) -> str:
    """Return HTML that shows an error message: a sign, words and a frame, not colour alone."""
    style = "border-left: 4px solid #D55E00; padding: 0 8px; line-height: 1.5"
    return f'<div role="alert" style="{style}">{escape(words.ERROR_SIGN)} {escape(text)}</div>'
