"""Pictures that move: a frame that Matplotlib draws once, as SVG in the page's colours, and marks on it.

A mark is a piece of SVG that the axes' own transforms have placed; what it looks like is said by the classes of
`picture.css`: "line blue dashed", "fill orange", "text".
"""

import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from lesson_lib.arrays import Array

CSS = files(__package__).joinpath("picture.css").read_text("utf-8")
# Colours that stand for the page's, until a figure is written.
INK, GRID, GROUND, BLUE, ORANGE, GREEN = (f"#01020{i}" for i in range(1, 7))
NAMED = {INK: "ink", GRID: "grid", GROUND: "ground", BLUE: "blue", ORANGE: "orange", GREEN: "green"}
STYLE: Any = {"text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "grid.color": GRID, "grid.linewidth": 1}
STYLE |= {"xtick.color": INK, "ytick.color": INK, "font.size": 11, "axes.titlesize": 12, "axes.titleweight": "bold"}
STYLE |= {"axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}
FAR = 1e4  # pixels, beyond every picture
LINE_GAP = 13  # between two texts at the ends of lines, in pixels
Place = tuple[float, float, float, float]  # left, top, width, height
SHAPES = {
    "disc": "M-5,0a5,5 0 1 0 10,0a5,5 0 1 0 -10,0z",
    "star": "M0,-10L2.6,-3.2 9.5,-3.1 4.1,1.2 5.9,8.1 0,4.2 -5.9,8.1 -4.1,1.2 -9.5,-3.1 -2.6,-3.2z",
    "square": "M-4.5,-4.5h9v9h-9z",
    "diamond": "M0,-6L4.5,0 0,6 -4.5,0z",
}


class Frame:
    """Axes by name in a picture of width x height pixels, each at its place (left, top, width, height).

    Set up `axes`, then ask for `svg`, which is drawn once. The other methods return marks.
    """

    def __init__(self, width: int, height: int, **places: Place) -> None:
        self.size, self.places = (width, height), places
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)  # a unit of SVG is a pixel
        self.axes: dict[str, Any] = {}
        with rc_context(STYLE):
            for name, (left, top, across, down) in places.items():
                place = (left / width, 1 - (top + down) / height, across / width, down / height)
                self.axes[name] = self.figure.add_axes(place, facecolor="none")
                self.axes[name].grid()

    def title(self, panel: str, title: str, x_axis: str = "", y_axis: str = "", gap: float = 6) -> None:
        """Write a title over a panel, with a gap between, and the names of its axes."""
        axes = self.axes[panel]
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=gap)
        axes.set_xlabel(x_axis, labelpad=1)
        axes.set_ylabel(y_axis, labelpad=1)

    def squeeze(
        self, panel: str, axis: str, linear: float, limits: Sequence[float], ticks: Sequence[float], linscale: float = 1
    ) -> None:
        """Make a panel's axis, "x" or "y", logarithmic beyond `linear`, with these limits and ticks."""
        axes = self.axes[panel]
        getattr(axes, f"set_{axis}scale")("symlog", linthresh=linear, linscale=linscale)
        getattr(axes, f"set_{axis}lim")(*limits)
        getattr(axes, f"set_{axis}ticks")(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])

    @cached_property
    def svg(self) -> str:
        """The frame as SVG elements whose colours are the page's."""
        return svg_of(self.figure)

    @cached_property
    def _transforms(self) -> dict[str, Any]:
        return {name: axes.transData.frozen() for name, axes in self.axes.items()}

    def pixels(self, panel: str, x: Any, y: Any) -> Array:
        """Return where points (x, y) of a panel are in the picture, (n_points, 2), from its upper left corner."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        points = np.empty((y.size if x.size == 1 else x.size, 2))
        points[:, 0], points[:, 1] = x, y
        with np.errstate(all="ignore"):
            found = self._transforms[panel].transform(points)
        found[:, 1] = self.size[1] - found[:, 1]
        return np.asarray(np.fmin(np.fmax(found, -FAR), FAR).round(1))  # what is no number is far away too

    def data_at(self, panel: str, x: float, y: float) -> tuple[float, float]:
        """Return which point (x, y) of a panel a pixel of the picture is; outside the panel, the nearest inside."""
        left, top, width, height = self.places[panel]
        inside = (min(max(x, left), left + width), self.size[1] - min(max(y, top), top + height))
        across, up = self.axes[panel].transData.inverted().transform(inside).tolist()
        return across, up

    def line(self, panel: str, x: Any, y: Any, look: str) -> str:
        """Return a line through these points."""
        points = self.pixels(panel, x, y)
        d = " ".join(["%g,%g"] * len(points)) % tuple(points.ravel().tolist())
        return f'<path class="line {look}" d="M{d}"/>'

    def dots(self, panel: str, x: Any, y: Any, look: str, shape: str = "disc") -> str:
        """Return a dot of this shape at each point."""
        places, d = self.pixels(panel, x, y).tolist(), SHAPES[shape]
        return "".join(f'<path class="fill {look}" transform="translate({x:g},{y:g})" d="{d}"/>' for x, y in places)

    def bars(self, panel: str, x: Any, heights: Any, width: float, look: str) -> str:
        """Return a bar of this width, in pixels, from 0 to each height, as one element."""
        tops, feet = self.pixels(panel, x, heights).tolist(), self.pixels(panel, 0, 0)[0, 1]
        d = "".join(f"M{across - width / 2:g},{feet:g}V{top:g}h{width:g}V{feet:g}z" for across, top in tops)
        return f'<path class="fill {look}" d="{d}"/>'

    def text(self, panel: str, x: float, y: float, text: str, look: str, shift: tuple[float, float] = (0, 0)) -> str:
        """Return a text at a point, moved by a shift in pixels."""
        [[across, down]] = self.pixels(panel, x, y).tolist()
        return write(across + shift[0], down + shift[1], text, look)

    def labels(self, panel: str, ends: Mapping[str, tuple[float, str]], gap: float = 4) -> str:
        """Return texts right of a panel, each at the height of its line's end and with its look, none on another."""
        axes, (left, top, width, height) = self.axes[panel], self.places[panel]
        low, high = axes.get_ylim()
        down = self.pixels(panel, 0, [min(max(float(y), low), high) for y, _ in ends.values()])[:, 1] + 4
        order, steps = np.argsort(down, kind="stable"), LINE_GAP * np.arange(len(down))
        lowest = top + height + 4 - steps[-1]  # where the first stands if the last is at the foot
        down[order] = np.minimum(np.maximum.accumulate(down[order] - steps), lowest) + steps
        texts = zip(down.round(1).tolist(), ends.items(), strict=True)
        return "".join(write(left + width + gap, y, name, f"small {look.split()[0]}") for y, (name, (_, look)) in texts)

    def inside(self, panel: str, marks: Iterable[str]) -> str:
        """Return marks cut off at the panel's edges."""
        left, top, width, height = self.places[panel]
        place = f'x="{left}" y="{top}" width="{width}" height="{height}" viewBox="{left} {top} {width} {height}"'
        return f"<svg {place}>{''.join(marks)}</svg>"

    def reach(self, panel: str, longer: float = 0) -> str:
        """Return what makes a panel follow the pointer, and so many pixels more below it."""
        left, top, width, height = self.places[panel]
        return f'<rect class="reach" x="{left}" y="{top}" width="{width}" height="{height + longer}"/>'


def svg_of(figure: Figure) -> str:
    """Return a figure of 72 dots per inch as SVG elements, with text as text, in the page's colours and font."""
    file = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "frame"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has it
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = re.sub(r"^.*?</style>\s*</defs>|</svg>\s*$|<!--.*?-->", "", file.getvalue(), flags=re.DOTALL)
    drawn = re.sub(r"\s+", " ", drawn)
    drawn = re.sub(r"font: (bold|\d+) ([\d.]+px)[^;\"]*", r"font-size: \2; font-weight: 600", drawn)
    drawn = re.sub(r"font(-size)?: ([\d.]+px)[^;\"]*", r"font-size: \2", drawn)
    drawn = re.sub(r"; font-family: [^;\"]*", "", drawn)
    return re.sub("#01020[1-6]", lambda found: f"var(--{NAMED[found[0]]})", drawn)


def whole_svg(size: tuple[int, int], inside: str, alt: str) -> str:
    """Return elements as a picture of this width and height, with its style, on the page's ground or on white."""
    width, height = size
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="by-hand-picture" '
        f'role="img" aria-label="{escape(alt)}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'style="max-width: 100%; height: auto"><style>{CSS}</style>'
        f'<rect class="fill ground" width="{width}" height="{height}"/>{inside}</svg>'
    )


def write(x: float, y: float, text: str, look: str = "") -> str:
    """Return a text at a place in the picture."""
    return f'<text class="{look}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def handle(name: str, marks: str, label: str, value: Sequence[float], told: str, *, has_tip: bool = True) -> str:
    """Return marks that can be dragged, clicked and moved by the arrow keys under a name; its label is the tip.

    `value` is (now, least, most) for those who listen; `told` says it in words.
    """
    now, low, high = value
    marks += f"<title>{escape(label)}</title>" if has_tip else ""
    spoken = f'aria-label="{escape(label)}" aria-valuetext="{escape(told)}" aria-valuenow="{now:g}"'
    return (
        f'<g data-touch="{name}" data-lm-suppress-shortcuts="true" tabindex="0" role="slider" {spoken} '
        f'aria-valuemin="{low:g}" aria-valuemax="{high:g}">{marks}</g>'
    )
