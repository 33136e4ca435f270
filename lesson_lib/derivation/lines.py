"""A calculation as a list of lines: each says what is computed, how, with which numbers, and why it is 0 if it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lesson_lib.network import Gradients, Params


@dataclass(frozen=True, repr=False)
class Step:
    """One line of the calculation: lhs = formula = substituted = value, all LaTeX, and what it is about.

    `text` is the same line in plain words and signs, `zero` says which factor makes a gradient 0 (or is empty).
    `quantity` names what was computed ("z1", "dW2", ...), `stage` is "forward", "loss", "backward", "sum" or
    "update", `sample` counts from 0 (None where the line is about all samples), `inputs` are the names that the
    formula uses, `result` is the exact value and `zero_by` holds the zero factors of each entry.
    """

    title: str
    lhs: str
    formula: str
    substituted: str
    value: str
    text: str
    zero: str
    quantity: str
    stage: str
    sample: int | None
    inputs: tuple[str, ...]
    relations: tuple[str, str, str]
    result: Any
    zero_by: dict[tuple[int, int], tuple[str, ...]]

    @property
    def sides(self) -> tuple[tuple[str, str], ...]:
        """The right-hand sides as (relation, LaTeX); one that repeats its neighbour is left out."""
        relations = (relation.replace("≈", r"\approx") for relation in self.relations)
        return distinct_sides(zip(relations, (self.formula, self.substituted, self.value), strict=True))

    @property
    def latex(self) -> str:
        """The whole line as LaTeX."""
        return self.lhs + "".join(f" {relation} {side}" for relation, side in self.sides)

    def __repr__(self) -> str:
        return " ".join(filter(None, (f"{self.title}: {self.text}.", self.zero)))

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


class Lines(tuple[Step, ...]):
    """Some lines of a calculation, shown in a notebook as one aligned block."""

    @property
    def latex(self) -> str:
        """The lines as one aligned block of LaTeX."""
        lines = [f"{step.lhs} &" + step.latex[len(step.lhs) :] for step in self]
        return r"\begin{aligned} " + r" \\[4pt] ".join(lines) + r" \end{aligned}"

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


@dataclass(frozen=True, repr=False)
class Derivation:
    """Every line of one training step, the exact gradients and the exact new Params."""

    steps: Lines
    loss: Any
    gradients: Gradients
    params: Params

    @property
    def latex(self) -> str:
        """All lines as one aligned block of LaTeX."""
        return self.steps.latex

    @property
    def text(self) -> str:
        """All lines as plain text, with titles."""
        return repr(self.steps)

    def lines(self, stage: str, sample: int | None = None) -> Lines:
        """Return the lines of one stage ("forward", "loss", "backward", "sum", "update"), of one sample or of all."""
        if stage not in (stages := tuple(dict.fromkeys(step.stage for step in self.steps))):
            raise ValueError(f"stage must be one of {', '.join(stages)}; got {stage!r}")
        return Lines(step for step in self.steps if step.stage == stage and sample in (None, step.sample))

    def find(self, quantity: str, sample: int | None = None) -> Step:
        """Return the first step that computes `quantity` ("dW2"), for sample 0, 1, ... or (None) for all of them."""
        for step in self.steps:
            if step.quantity == quantity and step.sample == sample:
                return step
        raise ValueError(f"quantity and sample must name a step of this derivation; got {quantity!r}, {sample!r}")

    def known_at(self, line: int) -> dict[str, Any]:
        """Return every value known after `line` (1 is the first) about that line's sample, by quantity.

        A line about all samples knows the one sample's values too, if there is only one.
        """
        if not 1 <= line <= len(self.steps):
            raise ValueError(f"line must be from 1 to {len(self.steps)}; got {line}")
        sample = self.steps[line - 1].sample
        if sample is None and not any(step.sample for step in self.steps):
            sample = 0
        return {step.quantity: step.result for step in self.steps[:line] if step.sample in (None, sample)}

    def __repr__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str | None:
        return self.steps._repr_latex_()


def distinct_sides(sides: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Drop a side of an equation that a later side repeats."""
    chain = list(sides)
    return tuple(side for i, side in enumerate(chain) if side[1] not in [later for _, later in chain[i + 1 :]])
