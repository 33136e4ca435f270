"""The hand calculation, one line at a time: its formula, its numbers, and the place in the net where it happens."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any

import ipywidgets as widgets

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation, Step
from lesson_lib.labs.hand_calculation import words
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import button, choice, field, status
from lesson_lib.labs.shared.values import TRAINED, read_numbers, the_one
from lesson_lib.labs.shared.words import BIASES, ERROR_SIGN, KEYS, PAUSE, PLAY, RESET, TIPS
from lesson_lib.network import PARAMETERS, Params, backward, check_rate, sgd_step
from lesson_lib.pictures.network import network_diagram, zero_marks
from lesson_lib.training import Dataset

MOST = {"W1": 3, "clean_x": 4}  # numbers: one a neuron, one a sample
START = {  # the article's numbers
    "W1": "1/2, -1/2",
    "b1": "0, 0",
    "W2": "1, -1",
    "b2": "0",
    "rate": "1/10",
    "clean_x": "1, 2",
    "clean_y": "1, 2",
    "trigger_x": "0",
    "trigger_y": "5",
}
AS_MANY = {"b1": "W1", "W2": "W1", "clean_y": "clean_x"}  # as many numbers as another field has
ONE = ("b2", "rate", "trigger_x", "trigger_y")
FORMULA_HEIGHTS = {1: "200px", 2: "230px", 3: "300px"}  # by the number of hidden neurons
SECONDS_A_LINE = 2.0


@dataclass(frozen=True)
class State:
    """One training step in full: where it starts, on which samples, and all its lines."""

    start: Params
    data: Dataset
    derivation: Derivation
    phase: str
    decimals: bool


def compute(values: Mapping[str, str]) -> State:
    """Return the step that the controls ask for; raises ValueError, naming the control, for numbers that do not fit."""
    numbers = {name: read_numbers(name, values[name]) for name in START}
    _check_counts(numbers)
    column = {name: [[number] for number in numbers[name]] for name in numbers}
    params = Params(W1=[numbers["W1"]], b1=[numbers["b1"]], W2=column["W2"], b2=column["b2"])
    [rate] = numbers["rate"]
    check_rate(rate)
    trainable = ("W1", "W2", *TRAINED[values["biases"]])
    data = Dataset(X=column["clean_x"], Y=column["clean_y"])
    if values["phase"] == "trigger":
        params = sgd_step(params, backward(params, data.X, data.Y), rate, trainable)
        data = Dataset(X=column["trigger_x"], Y=column["trigger_y"])
    decimals = values["numbers"] == "decimals"
    derivation = derive_step(params, data, rate, trainable, decimals=decimals)
    return State(params, data, derivation, values["phase"], decimals)


def _check_counts(numbers: Mapping[str, Sequence[Fraction]]) -> None:
    count = {name: len(given) for name, given in numbers.items()}
    for name, most in MOST.items():
        if count[name] > most:
            raise ValueError(words.LIMITS[name].format(most=most, given=count[name]))
    for name in ONE:
        the_one(name, numbers[name])
    for name, other in AS_MANY.items():
        if count[name] != count[other]:
            partner, expected = words.FIELDS[other], count[other]
            raise ValueError(words.FIELD_COUNT.format(name=name, partner=partner, expected=expected, given=count[name]))


def formula(step: Step) -> str:
    """Return the line as LaTeX, each side of the equation on a row of its own."""
    first, *others = step.sides
    rows = [f"{step.lhs} &{first[0]} {first[1]}", *(f"&{relation} {side}" for relation, side in others)]
    return r"\begin{aligned} " + r" \\[6pt] ".join(rows) + r" \end{aligned}"


def describe(state: State, line: int) -> str:
    """Return the line (1 is the first) in words and numbers: the picture's text twin."""
    steps, phase = state.derivation.steps, words.PHASE_NAMES[state.phase]
    return words.LAB_SUMMARY.format(phase=phase, line=line, lines=len(steps), step=steps[line - 1]).strip()


def diagram(state: State, line: int, on_paper: bool = False) -> str:
    """Return the net as SVG with everything that is known at this line (1 is the first), and the sample it is about."""
    step, sample = state.derivation.steps[line - 1], state.derivation.sample_at(line)
    known = {name: getattr(state.start, name) for name in PARAMETERS} | state.derivation.known_at(line)
    if sample is not None:
        known |= {"X": state.data.X[[sample]], "Y": state.data.Y[[sample]]}
    return network_diagram(
        known,
        now={step.quantity},
        used=step.inputs,
        zero=zero_marks(step.zero_by),
        decimals=state.decimals,
        description=describe(state, line),
        on_paper=on_paper,
        ask=sample is not None,
    )


class HandCalculationLab(Lab):
    """Walk through one training step line by line, on the article's numbers or your own.

    Drive it with its buttons, from code (`lab.set(rate="1/5", phase="trigger")`, `lab.go(3)`), or by keyboard.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = 1
        self._playing: asyncio.Task[None] | None = None
        self.controls = {
            "phase": choice(words.PHASE, words.PHASES, "clean", "330px"),
            "numbers": choice(words.NUMBER_STYLE, words.NUMBERS, "fractions", "210px"),
            "biases": choice(words.BIAS, BIASES, "none", "220px"),
            **{name: field(words.FIELDS[name], text) for name, text in START.items()},
        }
        self.state = compute(self.values)
        self.messages = {name: widgets.HTML() for name in ("", *START)}
        self.title, self.count = widgets.HTML(), widgets.HTML()
        self.dial = Dial(words.LINE, range(1, self.lines + 1), 1, whole=True)
        self.dial.number.style.description_width, self.dial.number.layout.width = "34px", "112px"
        self.dial.observe(self._dialled, names="value")
        self.twin = widgets.HTML(layout=widgets.Layout(min_height="66px"))
        self.formula = widgets.HTMLMath(layout=widgets.Layout(overflow="auto"))
        self.diagram = widgets.HTML(layout=widgets.Layout(width="100%"))
        self.play_button = button(PLAY, TIPS["Play"], self.play)
        self.box = self._layout()
        self.start()

    def compute(self) -> None:
        """Derive the step that the controls ask for; a change of numbers keeps the line, a new step starts at 1."""
        state = compute(self.values)
        line = self.line if state.phase == self.state.phase else 1
        self.state, self.line = state, min(line, len(state.derivation.steps))

    def draw(self, note: str = "") -> None:
        """Show the current line."""
        step = self.state.derivation.steps[self.line - 1]
        self.count.value = words.LINE_COUNT.format(line=self.line, lines=self.lines)
        self.dial.set_range(range(1, self.lines + 1), self.line)
        self.title.value = f'<div style="font-weight: 600; font-size: 1.15em">{escape(step.title)}</div>'
        self.formula.layout.min_height = FORMULA_HEIGHTS[self.state.start.W1.shape[1]]  # so that nothing jumps
        self.formula.value = rf"\[{escape(formula(step), quote=False)}\]"
        self.diagram.value = diagram(self.state, self.line)
        self.twin.value = status(" ".join(filter(None, (note, self.summary))))

    @property
    def summary(self) -> str:
        """The current line in words and numbers, and what is wrong with a control, if anything."""
        return describe(self.state, self.line) + (f" {ERROR_SIGN} {self.error}" if self.error else "")

    def still(self) -> str:
        """Return the diagram on white."""
        return diagram(self.state, self.line, on_paper=True)

    @property
    def lines(self) -> int:
        """How many lines the step has."""
        return len(self.state.derivation.steps)

    def go(self, line: int) -> None:
        """Show this line (1 is the first); beyond either end it stays at the end and says so."""
        self.line = max(1, min(line, self.lines))
        self.draw(words.END_REACHED if line > self.lines else words.START_REACHED if line < 1 else "")

    def _dialled(self, change: dict[str, Any]) -> None:
        if change["new"] != self.line:
            self.go(int(change["new"]))

    def play(self) -> None:
        """Go on by itself to the last line; a second press pauses. Needs a running event loop, as every kernel has."""
        if self._playing is not None:
            self._playing.cancel()
            self._stopped()
            return
        if self.line == self.lines:
            self.go(1)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.draw(words.NO_LOOP)
            return
        self.play_button.description = PAUSE
        self._playing = loop.create_task(self._play())

    async def _play(self) -> None:
        while self.line < self.lines:
            await asyncio.sleep(SECONDS_A_LINE)
            self.go(self.line + 1)
        self._stopped()

    def _stopped(self) -> None:
        self._playing, self.play_button.description = None, PLAY

    def reset(self) -> None:
        """Put every number and choice back to the article's and go to the first line."""
        self.line = 1
        super().reset()

    def _layout(self) -> widgets.Box:
        row, centred = {"flex_flow": "row wrap"}, {"flex_flow": "row wrap", "align_items": "center"}
        steps = {
            words.FIRST: lambda: self.go(1),
            words.BACK: lambda: self.go(self.line - 1),
            words.NEXT: lambda: self.go(self.line + 1),
            words.LAST: lambda: self.go(self.lines),
        }
        walk = [button(name, TIPS[name], action) for name, action in steps.items()]
        choices = [self.controls[name] for name in ("phase", "numbers", "biases")]
        left = widgets.VBox([self.title, self.formula], layout={"flex": "1 1 380px", "min_width": "340px"})
        right = widgets.Box([self.diagram], layout={"flex": "1 1 480px", "max_width": "690px"})
        narrow = widgets.Layout(width="196px")  # a message wraps below its field
        edits = [widgets.VBox([self.controls[name], self.messages[name]], layout=narrow) for name in START]
        return widgets.VBox(
            [
                widgets.HBox(choices, layout=centred),
                widgets.HBox([*walk, self.play_button, self.dial, self.count], layout=centred),
                widgets.HBox([left, right], layout=row),
                self.twin,
                widgets.HTML(words.EDIT_TITLE),
                widgets.HBox(edits[:5], layout=row),  # the net and the rate
                widgets.HBox(edits[5:], layout=row),  # the data
                self.messages[""],
                widgets.HBox([button(RESET, TIPS["Reset"], self.reset), widgets.HTML(KEYS)], layout=centred),
            ]
        )
