"""A question and the marking of an answer: right, a known slip, wrong, or not readable. Nothing typed is evaluated."""

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from lesson_lib.exercises import words

MOST_NUMBERS, MOST_CHARACTERS = 12, 12
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?0?\d)?(/\d+)?", re.IGNORECASE)

Numbers = tuple[Fraction, ...]
TryOut = Callable[[Numbers], tuple[bool, Mapping[str, Any]]]  # says whether numbers are right, and what the reply names


class Question(NamedTuple):
    """A question as its file holds it, and what is computed for it.

    `slips` says what a wrong answer is told. A file gives a slip for each wrong choice, or for each name in
    `Computed.slips`; where many numbers are right, it gives a `reply` instead, and `try_out` says what to fill in.
    """

    prompt: str
    hints: Sequence[str]
    solution: str
    slips: Mapping[Any, str] = {}
    choices: Sequence[str] = ()
    correct: Any = ()  # numbers, or one of the choices
    reply: str = ""
    try_out: TryOut | None = None


class Feedback(NamedTuple):
    """Whether an answer is right (None: it could not be read) and what to tell the learner."""

    correct: bool | None
    message: str


def mark_answer(question: Question, typed: str | None) -> Feedback:
    """Mark what the learner typed (or the choice made) and name the slip where it is a known one."""
    try:
        given = _read(question, typed or "")
    except ValueError as error:
        return Feedback(None, str(error))
    right, slip = _compare(question, given)
    if right:
        return Feedback(True, words.RIGHT.format(solution=question.solution))
    return Feedback(False, words.SLIP.format(slip=slip) if slip else words.WRONG)


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


def _read(question: Question, typed: str) -> Any:
    if question.choices:
        if typed not in question.choices:
            raise ValueError(words.CHOOSE)
        return typed
    if not typed.strip():
        raise ValueError(words.EMPTY)
    given, expected = parse_numbers(typed), len(question.correct)
    if len(given) != expected:
        needed = f"{expected} numbers" if expected > 1 else "1 number"
        raise ValueError(words.COUNT.format(expected=needed, given=len(given)))
    return given


def _compare(question: Question, given: Any) -> tuple[bool, str]:
    """Return whether the answer is right, and otherwise what is said of the slip, if it is known."""
    if question.choices or given == question.correct:
        return given == question.correct, question.slips.get(given, "")
    if question.try_out:
        right, facts = question.try_out(given)
        return right, question.reply.format(**facts)
    near = all(abs(one - other) <= abs(other) / 100 for one, other in zip(given, question.correct, strict=True))
    return False, question.slips.get(given, words.ROUNDED if near else "")
