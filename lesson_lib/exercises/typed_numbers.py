"""Numbers that a learner typed, read exactly; nothing that is typed is evaluated."""

import re
from fractions import Fraction

from lesson_lib.exercises import words

MOST_NUMBERS, MOST_CHARACTERS = 12, 12
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d)?(/\d+)?", re.IGNORECASE)

Numbers = tuple[Fraction, ...]


def parse_numbers(text: str) -> Numbers:
    """Read numbers such as "1/2, -0.5" exactly, without evaluating anything; raises ValueError with advice.

    >>> parse_numbers("[0.5, -1/3]")
    (Fraction(1, 2), Fraction(-1, 3))
    """
    pieces = re.findall(r"[^\s,;\[\]]+", text.replace("−", "-").replace("–", "-"))
    if not pieces:
        raise ValueError(words.NO_NUMBERS)
    if len(pieces) > MOST_NUMBERS:
        raise ValueError(words.COUNT.format(expected=f"at most {MOST_NUMBERS} numbers", given=len(pieces)))
    return tuple(map(_parse_number, pieces))


def _parse_number(piece: str) -> Fraction:
    if len(piece) > MOST_CHARACTERS:
        raise ValueError(words.TOO_LONG.format(what=piece[:MOST_CHARACTERS] + "…"))
    above, _, below = piece.partition("/")
    if not NUMBER.fullmatch(piece) or (below and not int(below)):
        raise ValueError(words.NOT_A_NUMBER.format(what=piece))
    return Fraction(above) / int(below or 1)
