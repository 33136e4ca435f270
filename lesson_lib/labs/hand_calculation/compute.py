"""From what the hand calculation's controls say to every line of the step, and to what is known at a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.labs.hand_calculation import words
from lesson_lib.labs.shared.typed import TRAINED, read_numbers, the_one
from lesson_lib.network import PARAMETERS, Params, backward, check_rate, sgd_step
from lesson_lib.training import Dataset

MOST_NEURONS, MOST_SAMPLES = 3, 4
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
    rate = numbers["rate"][0]
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
    if count["W1"] > MOST_NEURONS:
        raise ValueError(words.WIDTH_LIMIT.format(most=MOST_NEURONS, given=count["W1"]))
    if count["clean_x"] > MOST_SAMPLES:
        raise ValueError(words.SAMPLE_LIMIT.format(name="clean_x", most=MOST_SAMPLES, given=count["clean_x"]))
    for name in ONE:
        the_one(name, numbers[name])
    for name, other in AS_MANY.items():
        if count[name] != count[other]:
            partner, expected = words.FIELDS[other], count[other]
            raise ValueError(words.FIELD_COUNT.format(name=name, partner=partner, expected=expected, given=count[name]))


def known_at(state: State, line: int) -> dict[str, Any]:
    """Return the net, what `Derivation.known_at` knows after this line, and x and y of the sample that it is about."""
    sample = state.derivation.sample_at(line)
    about = {} if sample is None else {"X": state.data.X[[sample]], "Y": state.data.Y[[sample]]}
    net = {name: getattr(state.start, name) for name in PARAMETERS}
    return {**net, **about, **state.derivation.known_at(line)}
