"""What controls of several labs hold: the positions of a slider, the biases of a choice, and numbers as text."""

from fractions import Fraction

from lesson_lib.exercises.reading import parse_numbers
from lesson_lib.labs.shared import words

STEPS = (1, 1.1, 1.25, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.8, 3.2, 3.6, 4, 4.5, 5, 5.6, 6.3, 7, 8, 9)  # in a power of ten
RATES = (*(round(step * 10.0**power, 6) for power in (-3, -2, -1, 0) for step in STEPS), 10.0)
TRAINED = {"none": (), "b1": ("b1",), "b2": ("b2",), "both": ("b1", "b2")}  # by the choice of biases


def read_numbers(name: str, text: str) -> tuple[Fraction, ...]:
    """Return the numbers typed into the control of this name; raises ValueError, naming it, for any other text."""
    try:
        return parse_numbers(text)
    except ValueError as error:
        raise ValueError(words.FIELD_ERROR.format(name=name, problem=error)) from None


def read_number(name: str, text: str) -> Fraction:
    """Return the only number typed into the control; raises ValueError, naming it, for several too."""
    number, *others = read_numbers(name, text)
    if others:
        raise ValueError(words.FIELD_ONE.format(name=name, given=1 + len(others)))
    return number
