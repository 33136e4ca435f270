"""What the picture of a net shows: its values as texts, marked as they are computed, and its gradients in pills."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from lesson_lib.derivation.printer import SIGNIFICANT_DIGITS, Printer
from lesson_lib.derivation.trace import Place
from lesson_lib.network import PARAMETERS, Params
from lesson_lib.pictures import words
from lesson_lib.pictures.frame import write

WIDTH = 540  # of the picture
OF_ALL = ("X", "Y", "y_hat", "dy_hat", "L", "b2", "db2")  # what all neurons share
DONE = 1e-6  # a gradient that is smaller than this, and not 0, has come to its end
SHORT, LARGE = 5, 4  # characters that a number takes as it is, and in large letters
# Where a gradient's pill has its middle, and between which ends it stays.
PILLS = {"dW1": (90, 1, 172), "db1": (254, 174, 334), "dW2": (398, 336, 539), "db2": (484, 336, 539)}
PILL, PADDING, ICON = "tiny strong", 14, 12  # the look of its text, the room around it, and that of a padlock
FRACTIONS = Printer("text")
SIZES = {"tiny": 10.5, "small": 11, "large": 19}  # of letters, in pixels, as in picture.css
LOCK = "M-4,-1h8v7h-8zM-2.5,-1v-2.5a2.5,2.5 0 0 1 5,0v2.5"
SHUT = f'<path class="fill red" d="{LOCK}"/><path class="line red thin" d="{LOCK}"/>'
OPEN = '<path class="line green thin" d="M-4,-1h8v7h-8zM-2.5,-1v-3a2.5,2.5 0 0 1 4.6,-1.4"/>'
CHECK = '<path class="line thin" d="M-4,1l3,4 5,-8"/>'


class Shown(NamedTuple):
    """What the picture shows: a net, its values by quantity, and which of them a line computes, uses, or leaves."""

    params: Params
    known: Mapping[str, Any]  # "z1", "a1", "y_hat", "dW1", ...: (1, n) arrays; "W1" if it has changed
    past: Mapping[str, Any] = {}  # the same of other lines, shown in grey
    zero_by: Mapping[str, Mapping[Place, Collection[str]]] = {}  # by gradient: which factors make each entry 0
    now: Collection[str] = ()
    used: Collection[str] = ()
    decimals: bool = True
    links: Collection[str] = ()  # quantities that can be clicked
    sums: Collection[str] = ()  # gradients that are added over the samples
    trainable: Collection[str] = PARAMETERS


def entry(shown: Shown, quantity: str, i: int) -> Any:
    """Return a neuron's entry of a quantity, or None while it is not known."""
    values = shown.known.get(quantity)
    if values is None:
        values = getattr(shown.params, quantity) if quantity in PARAMETERS else shown.past.get(quantity)
    return None if values is None else np.array(values, dtype=object).ravel()[i]


def value(shown: Shown, quantity: str, i: int, x: float, y: float, look: str, named: str = "name") -> str:
    """Return "name number" at its place: filled if it is computed now, framed if it is used, grey if it is past.

    It is `named` as "name", "name[i]", which stands on a line and so on a ground of its own, or not at all.
    """
    found = entry(shown, quantity, i)
    if found is None:
        return ""
    is_new = quantity in PARAMETERS and quantity in shown.known
    text = number(found, shown.decimals, SHORT if is_new else SHORT + 1)
    name = _name(shown, quantity, i if "[" in named else None)
    if is_new:
        name, look = words.NEW.format(name=words.NAMES[quantity]), f"tiny {look}"
    if "large" in look and len(text) > LARGE:
        look = look.replace("large", "strong")
    if quantity not in shown.known and quantity not in PARAMETERS:
        look = look.replace("purple", "") + " faint"
    ground = "fill ground" if "[" in named else ""
    kind = "now" if quantity in shown.now else "used" if quantity in shown.used else ground
    look = f"{look} on-now" if kind == "now" else look
    text = f"{name} {text}" if named else text
    box = _box(x, y, text, look, kind) if kind else ""
    return _link(shown, quantity, box + write(x, y, text, look))


def _box(x: float, y: float, text: str, look: str, kind: str) -> str:
    width = text_width(text, look) + 8
    left = x - (width / 2 if "middle" in look else width - 4 if "end" in look else 4)
    top, height = (y - 17, 23) if "large" in look else (y - 13, 17)
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:g}" width="{width:.1f}" height="{height}" rx="4"/>'


def text_width(text: str, look: str) -> float:
    """Return how many pixels a text takes in DejaVu Sans, the widest of the fonts that a page may have."""
    size = next((size for name, size in SIZES.items() if name in look.split()), 12)
    return size * _ems(text, bool({"strong", "large", "on-now"} & {*look.split()}))


@lru_cache(maxsize=2048)
def _ems(text: str, bold: bool) -> float:
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=100)
    narrow = "".join(letter for letter in text if east_asian_width(letter) not in "WF")  # the others measure 1
    width = float(text_to_path.get_text_width_height_descent(narrow, font, ismath=False)[0]) / 100
    return width + len(text) - len(narrow)


def gradient(shown: Shown, quantity: str, i: int, y: float) -> str:
    """Return a gradient in a pill: its number if it is open, else a padlock with the factors that are 0."""
    found, name, (middle, least, most) = entry(shown, quantity, i), _name(shown, quantity, i), PILLS[quantity]
    if found is None:
        return ""
    name = words.SUM.format(name=name) if quantity in shown.sums else name
    zeros = (names for place, names in shown.zero_by.get(quantity, {}).items() if max(place) == i)
    factors, icon, look = [words.NAMES[factor] for factor in next(zeros, ())], OPEN, "purple"
    text = f"{name} {number(found, shown.decimals)}"
    if quantity not in shown.known:
        icon, look = "", "faint"
    elif found == 0 and factors:
        icon, look, text = SHUT, "red", _locked(name, factors, most - least - PADDING - ICON)
    elif abs(float(found)) <= DONE:
        icon, look, text = CHECK, "", words.DONE.format(name=name)
    elif quantity[1:] not in shown.trainable:
        look, told = "faint", words.UNTRAINED.format(gradient=text)
        text = told if text_width(told, PILL) <= most - least - PADDING - ICON else text
    indent = PADDING / 2 + (ICON if icon else 0)
    width = text_width(text, PILL) + PADDING + (ICON if icon else 0)
    left = max(min(middle - width / 2, most - width), least)
    is_now, kind = quantity in shown.now, "used" if quantity in shown.used else look
    box, look = ("now", "on-now") if is_now else (f"pill {kind}", look)
    marks = f'<rect class="{box}" width="{width:.1f}" height="18" rx="9"/>'
    marks += f'<g class="{look}" transform="translate(11,8)">{icon}</g>{write(indent, 13, text, f"{PILL} {look}")}'
    return _link(shown, quantity, f'<g transform="translate({left:.1f},{y - 9:.1f})">{marks}</g>')


def _locked(name: str, factors: Sequence[str], room: float) -> str:
    """Return which factors lock a gradient; "…" stands for those that would make it wider than the room."""
    named = [", ".join([*factors[:count], "…"]) for count in range(len(factors) - 1, 0, -1)]
    texts = [words.LOCKED.format(name=name, factors=each) for each in (", ".join(factors), *named)]
    return next((text for text in texts if text_width(text, PILL) <= room), texts[-1])


def _name(shown: Shown, quantity: str, i: int | None) -> str:
    """Return "W1[2]": the entry of neuron 2, as Python would count from 0 and this course from 1."""
    several = shown.params.W1.shape[1] > 1 and quantity not in OF_ALL and i is not None
    return words.NAMES[quantity] + (f"[{i + 1}]" if several else "")  # type: ignore[operator]


def _link(shown: Shown, quantity: str, marks: str) -> str:
    return f'<g data-touch="{quantity}">{marks}</g>' if quantity in shown.links else marks


def number(found: Any, decimals: bool, most: int = SHORT + 1) -> str:
    """Return a number in `most` characters, where one digit is not too many."""
    if 0 < abs(float(found)) <= DONE:
        return words.TINY
    text = _rounded(found, SIGNIFICANT_DIGITS) if decimals else FRACTIONS.number(found)
    for digits in (3, 2, 1):
        if len(text) > (SHORT if digits == 3 else most):
            text = _rounded(found, digits)
    return text.replace("-", "−")


def _rounded(found: Any, digits: int) -> str:
    text = f"{float(found) + 0.0:.{digits}g}"  # no minus before 0
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
