"""What labs take from text boxes, and from the list of biases."""

from collections.abc import Sequence
from fractions import Fraction

from lesson_lib.exercises.marking import parse_numbers
from lesson_lib.labs.shared import words

TRAINED = {"none": (), "b1": ("b1",), "b2": ("b2",), "both": ("b1", "b2")}  # by the choice of biases


def read_numbers(name: str, text: str) -> tuple[Fraction, ...]:
    """Return the numbers typed into the control of this name; raises ValueError, naming it, for any other text."""
    try:
        return parse_numbers(text)
    except ValueError as error:
        raise ValueError(words.FIELD_ERROR.format(name=name, problem=error)) from None


def the_one(name: str, numbers: Sequence[Fraction]) -> Fraction:
    """Return the only number; raises ValueError, naming the control, for several."""
    if len(numbers) != 1:
        raise ValueError(words.FIELD_ONE.format(name=name, given=len(numbers)))
    return numbers[0]
