"""One training step in full: from the controls' values to its lines, and what the picture shows at each of them."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation, Step
from lesson_lib.labs.hand_calculation import words
from lesson_lib.labs.shared.dial import read_number, read_numbers
from lesson_lib.labs.shared.parts import TRAINED
from lesson_lib.network import Params, backward, sgd_step
from lesson_lib.pictures.shown import Shown
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


class State(NamedTuple):
    """One training step in full: where it starts, on which samples, and all its lines."""

    start: Params
    data: Dataset
    derivation: Derivation
    phase: str


def compute(values: Mapping[str, str]) -> State:
    """Return the step that the controls ask for; raises ValueError, naming the control, for numbers that do not fit."""
    numbers = _numbers(values)
    column = {name: [[number] for number in given] for name, given in numbers.items()}
    params = Params(W1=[numbers["W1"]], b1=[numbers["b1"]], W2=column["W2"], b2=column["b2"])
    [rate] = numbers["rate"]
    if rate <= 0:
        raise ValueError(words.RATE_ABOVE_0.format(given=rate))
    trainable = ("W1", "W2", *TRAINED[values["biases"]])
    data = Dataset(X=column["clean_x"], Y=column["clean_y"])
    if values["phase"] == "trigger":
        params = sgd_step(params, backward(params, data.X, data.Y), rate, trainable)
        data = Dataset(X=column["trigger_x"], Y=column["trigger_y"])
    derivation = derive_step(params, data, rate, trainable, decimals=values["numbers"] == "decimals")
    return State(params, data, derivation, values["phase"])


def _numbers(values: Mapping[str, str]) -> dict[str, tuple[Fraction, ...]]:
    """Return the numbers of each field, as many as belong there."""
    numbers = {name: read_numbers(name, values[name]) for name in START}
    count = {name: len(given) for name, given in numbers.items()}
    for name, most in MOST.items():
        if count[name] > most:
            raise ValueError(words.LIMITS[name].format(most=most, given=count[name]))
    for name in ONE:
        read_number(name, values[name])
    for name, other in AS_MANY.items():
        if count[name] != count[other]:
            partner, expected = words.FIELDS[other], count[other]
            raise ValueError(words.FIELD_COUNT.format(name=name, partner=partner, expected=expected, given=count[name]))
    return numbers


def formula(step: Step) -> str:
    """Return the line as LaTeX, each side of the equation on a row of its own."""
    first, *others = step.sides
    rows = [f"{step.lhs} &{first[0]} {first[1]}", *(f"&{relation} {side}" for relation, side in others)]
    return r"\begin{aligned} " + r" \\[6pt] ".join(rows) + r" \end{aligned}"


def steps_at(state: State, line: int) -> tuple[dict[str, Step], dict[str, Step]]:
    """Return which step computed each quantity known at this line about its sample, and about any, by quantity."""
    steps, sample = state.derivation.steps[:line], state.derivation.sample_at(line)
    fitting = [step for step in steps if step.sample in (None, sample)]
    return {step.quantity: step for step in fitting}, {step.quantity: step for step in steps}


def shown_at(state: State, line: int) -> Shown:
    """Return what the picture shows at this line (1 is the first)."""
    (known, past), step = steps_at(state, line), state.derivation.steps[line - 1]
    sample = state.derivation.sample_at(line)
    about = past["z1"].sample if sample is None else sample
    given = {"X": state.data.X[about], "Y": state.data.Y[about]}
    return Shown(
        state.start,
        known={name: found.result for name, found in known.items()} | ({} if sample is None else given),
        past=given | {name: found.result for name, found in past.items()},
        zero_by={name: found.zero_by for name, found in known.items()},
        now={step.quantity},
        used=step.inputs,
        decimals=step.decimals,
        links=past,
        sums=[name for name, found in past.items() if found.stage == "sum"],
    )
