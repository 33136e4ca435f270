"""The hand calculation, one line at a time: its formula, its numbers, and the place in the net where it happens."""

from functools import cache
from html import escape
from numbers import Integral
from typing import Any

import ipywidgets as widgets

from lesson_lib.labs.hand_calculation import words
from lesson_lib.labs.hand_calculation.compute import START, compute, formula, shown_at, steps_at
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import KEYS, Lab, short
from lesson_lib.labs.shared.parts import HELP, WRAP, button, choice, field, status
from lesson_lib.labs.shared.play import Player, Work
from lesson_lib.labs.shared.words import BIASES, ERROR_SIGN, RESET, TIPS
from lesson_lib.pictures.frame import Frame, handle
from lesson_lib.pictures.network import height_of, network_diagram
from lesson_lib.pictures.shown import WIDTH
from lesson_lib.pictures.words import DIAGRAM_TITLE

FORMULA_HEIGHTS = {1: "200px", 2: "230px", 3: "300px"}  # by the number of hidden neurons
FIELD_WIDTHS = {"W1": 120, "b1": 104, "W2": 98, "b2": 70, "rate": 100} | dict.fromkeys([*START][5:], 112)
SECONDS_A_LINE = 2.0
frame = cache(lambda n_hidden: Frame(WIDTH, height_of(n_hidden)))


class HandCalculationLab(Lab):
    """Walk through one training step line by line, on the article's numbers or your own.

    Drive it with its buttons, from code (`lab.set(rate="1/5", phase="trigger")`, `lab.go(3)`), by keyboard, or by a
    click on a number in the picture, which leads to its line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = 1
        self.controls = {
            "phase": choice(words.PHASE, words.PHASES, "clean", "310px"),
            "numbers": choice(words.NUMBER_STYLE, words.NUMBERS, "fractions", "210px"),
            "biases": choice(words.BIAS, BIASES, "none", "220px"),
            **{name: field(words.FIELDS[name], text, "initial", "auto") for name, text in START.items()},
        }
        self.state = compute(self.values)
        self.messages |= {name: widgets.HTML() for name in START}
        self.title, self.count = widgets.HTML(), widgets.HTML()
        self.twin = widgets.HTML(layout={"min_height": "46px"})  # for two lines, so that nothing jumps
        self.dial = Dial(words.LINE, range(1, self.lines + 1), 1, whole=True)
        self.dial.number.style.description_width, self.dial.number.layout.width = "34px", "84px"
        self.dial.observe(self._dialled, names="value")
        self.formula = widgets.HTMLMath(layout={"overflow": "auto"})
        self.player = Player(self._walk, SECONDS_A_LINE, width="64px")
        self.players = [self.player]
        self.box = self._layout()
        self.start()

    def compute(self) -> None:
        """Derive the step that the controls ask for; a change of numbers keeps the line, a new step starts at 1."""
        state = compute(self.values)
        line = self.line if state.phase == self.state.phase else 1
        self.state, self.line = state, min(line, len(state.derivation.steps))

    def draw(self, note: str = "") -> None:
        """Show the current line; the last one ends playing."""
        step = self.state.derivation.steps[self.line - 1]
        self.count.value = words.LINE_COUNT.format(line=self.line, lines=self.lines)
        self.dial.set_range(range(1, self.lines + 1), self.line)
        self.title.value = f'<div style="font-weight: 600; font-size: 1.15em">{escape(step.title)}</div>'
        self.formula.layout.height = FORMULA_HEIGHTS[self.state.start.W1.shape[1]]  # so that nothing jumps
        self.formula.value = rf"\[{escape(formula(step), quote=False)}\]"
        self.twin.value = status(" ".join(filter(None, (note, self.summary))))
        self.canvas.show(*self.picture())
        if self.line == self.lines:
            self.player.stop()

    def picture(self) -> tuple[Frame, str, str]:
        """Return the net with everything that is known at this line, and the line in words."""
        n, told = self.state.start.W1.shape[1], self.summary
        marks = f'<rect class="reach" x="1" y="1" width="{WIDTH - 2}" height="{height_of(n) - 2}" rx="6"/>'
        marks += network_diagram(shown_at(self.state, self.line))
        title, value = DIAGRAM_TITLE.format(n_hidden=n), (self.line, 1, self.lines)
        return frame(n), handle("line", marks, title, value, told, has_tip=False), told

    def touch(self, touch: str = "", key: str = "", x: float = 0, y: float = 0) -> None:
        """Follow an arrow key on the picture, or a click on one of its numbers to the line that computed it."""
        known, past = steps_at(self.state, self.line)
        if key and touch == "line":
            self.go(int(self.dial.beside(KEYS.get(key, 0))))
        elif touch in past:
            self.go(self.state.derivation.steps.index(known.get(touch, past[touch])) + 1)

    @property
    def summary(self) -> str:
        """The current line in words and numbers, and what is wrong with a control, if anything."""
        phase, step = words.PHASE_NAMES[self.state.phase], self.state.derivation.steps[self.line - 1]
        told = words.LAB_SUMMARY.format(phase=phase, line=self.line, lines=self.lines, step=step).strip()
        return f"{told} {ERROR_SIGN} {self.error}" if self.error else told

    @property
    def lines(self) -> int:
        """How many lines the step has."""
        return len(self.state.derivation.steps)

    def go(self, line: int) -> None:
        """Show this line (1 is the first); beyond either end it stays at the end and says so."""
        if not isinstance(line, Integral) or isinstance(line, bool):
            raise ValueError(f"line must be a whole number; got {short(repr(line))}")
        self.line = max(1, min(int(line), self.lines))
        self.draw(words.END_REACHED if line > self.lines else words.START_REACHED if line < 1 else "")

    def _dialled(self, change: dict[str, Any]) -> None:
        if change["new"] != self.line:
            self.go(int(change["new"]))

    def _walk(self) -> Work:
        """Go on to the last line, from there to the first."""
        yield
        self.go(self.line % self.lines + 1)
        while self.line < self.lines:
            yield
            self.go(self.line + 1)

    def reset(self) -> None:
        """Put every number and choice back to the article's and go to the first line."""
        self.line = 1
        super().reset()

    def _layout(self) -> widgets.Box:
        to = {"First": lambda: self.go(1), "Back": lambda: self.go(self.line - 1)}
        to |= {"Next": lambda: self.go(self.line + 1), "Last": lambda: self.go(self.lines)}
        walk = [button(words.WALK[name], TIPS[name], action, "64px") for name, action in to.items()]
        walk += [self.player.button, self.dial, self.count, button(RESET, TIPS["Reset"], self.reset, "64px")]
        edits = [
            widgets.VBox([self.controls[name], self.messages[name]], layout={"flex": f"1 0 {width}px"})
            for name, width in FIELD_WIDTHS.items()
        ]
        numbers = [self.formula, widgets.HTML(words.EDIT_TITLE), widgets.HBox(edits, layout=WRAP)]
        left = widgets.VBox(numbers, layout={"flex": "1 1 340px", "min_width": "0"})
        right = widgets.VBox([self.canvas], layout={"flex": "1 1 440px", "min_width": "0"})
        choices = [self.controls[name] for name in ("phase", "numbers", "biases")]
        centred = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 10px"}
        top = [widgets.HBox(row, layout=centred) for row in (choices, walk)]
        below = [self.twin, self.messages[""], widgets.HTML(HELP)]
        return widgets.VBox([*top, self.title, widgets.HBox([left, right], layout=WRAP), *below])
