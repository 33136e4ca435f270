"""A calculation as a list of lines: each says what is computed, how, with which numbers, and why it is 0 if it is."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lesson_lib.arrays import Array, check_choice
from lesson_lib.derivation import words
from lesson_lib.derivation.printer import Printer, reason
from lesson_lib.derivation.trace import Place, Traced, zeros
from lesson_lib.network import Gradients, Params


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One line of the calculation, lhs = formula = substituted = value, written down when it is asked for.

    `quantity` names what was computed ("z1", "dW2", ...), `stage` is "forward", "loss", "backward", "sum" or
    "update", `sample` counts from 0 (None where the line is about all samples), and `term` is the traced value.
    """

    quantity: str
    stage: str
    sample: int | None
    x: Array | None  # of that sample
    term: Traced
    activation: str
    decimals: bool

    @property
    def title(self) -> str:
        """What the line is about."""
        title = words.STEP_TITLES.get(self.stage) or words.STEP_TITLES[self.quantity]
        what = title.format(name=words.SYMBOLS[self.quantity][1], activation=words.FUNCTIONS[self.activation][1])
        if self.sample is None:
            return what
        return words.SAMPLE.format(number=self.sample + 1, x=self._printer("text").value(self.x), what=what)

    @property
    def result(self) -> Any:
        """The exact value: an array of SymPy's numbers, or one number."""
        return self.term.value

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names that the formula uses."""
        return tuple(dict.fromkeys(part.name for part in self.term.made_of()))

    @property
    def lhs(self) -> str:
        """The left-hand side as LaTeX."""
        return self._printer("latex").name(self.quantity, self.stage == "update")

    @property
    def formula(self) -> str:
        """How it is computed, in symbols, as LaTeX."""
        return self._printer("latex").formula(self.term)

    @property
    def substituted(self) -> str:
        """How it is computed, in numbers, as LaTeX."""
        return self._printer("latex").formula(self.term, in_numbers=True)

    @property
    def value(self) -> str:
        """What comes out, as LaTeX."""
        return self._printer("latex").value(self.term.value)

    @property
    def sides(self) -> tuple[tuple[str, str], ...]:
        """The right-hand sides as (relation, LaTeX); one that repeats its neighbour is left out."""
        return self._printer("latex").sides(self.term)

    @cached_property
    def latex(self) -> str:
        """The whole line as LaTeX."""
        return self._line("latex")

    @cached_property
    def text(self) -> str:
        """The whole line in plain words and signs."""
        return self._line("text")

    @cached_property
    def zero_by(self) -> dict[Place, tuple[str, ...]]:
        """The factors that make an entry of a gradient 0, by its row and column; nothing is a factor of itself."""
        if not self.quantity.startswith("d"):
            return {}
        return {place: names for place, names in zeros(self.term).items() if names not in ((), (self.quantity,))}

    @property
    def zero(self) -> str:
        """Which factor makes a gradient 0, in words; empty if none does."""
        name, value = words.SYMBOLS[self.quantity][1], self.term.value
        if self.stage == "update" and (value == self.term.operands[0].value).all():
            return words.UNMOVED.format(name=name)
        sentences = []
        for factors in dict.fromkeys(self.zero_by.values()):
            places = [_place(place, value.shape) for place, found in self.zero_by.items() if found == factors]
            sentence = words.ZERO_ALL if len(places) == value.size else words.ZERO_SOME
            why = reason(factors, self.activation)
            sentences.append(sentence.format(where=words.AND.join(places), name=name, factors=why))
        return " ".join(sentences)

    def _printer(self, dialect: str) -> Printer:
        return Printer(dialect, self.decimals)

    def _line(self, dialect: str) -> str:
        printer = self._printer(dialect)
        name = printer.name(self.quantity, self.stage == "update")
        return " ".join([name, *(part for side in printer.sides(self.term) for part in side)])

    def __repr__(self) -> str:
        return " ".join(filter(None, (words.SAID.format(title=self.title, text=self.text), self.zero)))

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


def _place(place: Place, shape: tuple[int, ...]) -> str:
    if 1 in shape:
        return words.NEURON.format(number=max(place) + 1)
    return words.ENTRY.format(row=place[0] + 1, column=place[1] + 1)


@dataclass(frozen=True, repr=False)
class Lines:
    """Some lines of a calculation: a notebook shows them as one aligned block, a terminal as text with titles."""

    steps: tuple[Step, ...]

    @property
    def latex(self) -> str:
        """The lines as one aligned block of LaTeX."""
        lines = [f"{step.lhs} &" + step.latex[len(step.lhs) :] for step in self.steps]
        return r"\begin{aligned} " + r" \\[4pt] ".join(lines) + r" \end{aligned}"

    @property
    def text(self) -> str:
        """The lines as plain text, with titles."""
        return "\n".join(map(repr, self.steps))

    def __repr__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


@dataclass(frozen=True, repr=False)
class Derivation(Lines):
    """Every line of one training step, the exact loss and gradients, and the exact new Params."""

    loss: Any
    gradients: Gradients
    params: Params

    def lines(self, stage: str, sample: int | None = None) -> Lines:
        """Return the lines of one stage ("forward", "loss", "backward", "sum", "update"), of one sample or of all."""
        check_choice("stage", stage, {step.stage: None for step in self.steps})
        return Lines(tuple(step for step in self.steps if step.stage == stage and sample in (None, step.sample)))

    def find(self, quantity: str, sample: int | None = None) -> Step:
        """Return the first step that computes `quantity` ("dW2"), for sample 0, 1, ... or (None) for all of them."""
        for step in self.steps:
            if step.quantity == quantity and step.sample == sample:
                return step
        raise ValueError(f"quantity and sample must name a step of this derivation; got {quantity!r}, {sample!r}")

    def sample_at(self, line: int) -> int | None:
        """Return the sample that `line` (1 is the first) is about; with one sample every line is about it."""
        if not 1 <= line <= len(self.steps):
            raise ValueError(f"line must be from 1 to {len(self.steps)}; got {line}")
        only_one = not any(step.sample for step in self.steps)
        return 0 if only_one else self.steps[line - 1].sample
