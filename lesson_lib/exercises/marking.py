"""A question and the marking of an answer: right, a known slip, wrong, or not readable. Nothing typed is evaluated."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.exercises import words
from lesson_lib.exercises.reading import Numbers, parse_numbers

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


def shuffled(question: Question, seed: int = 0) -> Sequence[str]:
    """Return a question's choices in an order that depends on the question and on the seed; 0 is that of pages."""
    order = np.random.default_rng([seed, *question.prompt.encode()]).permutation(len(question.choices))
    return [question.choices[i] for i in order]


def mark_answer(question: Question, typed: str | None) -> Feedback:
    """Mark what the learner typed (or the choice made) and name the slip where it is a known one."""
    typed = typed or ""
    if question.choices and typed not in question.choices:
        return Feedback(None, words.CHOOSE)
    if not typed.strip():
        return Feedback(None, words.EMPTY)
    try:
        given: Any = typed if question.choices else parse_numbers(typed, len(question.correct))
    except ValueError as error:
        return Feedback(None, str(error))
    right, slip = given == question.correct, question.slips.get(given, "")
    if not right and question.try_out:
        right, facts = question.try_out(given)
        slip = question.reply.format(**facts)
    if right:
        return Feedback(True, words.RIGHT.format(solution=question.solution))
    slip = slip or ("" if question.choices else _likeness(given, question.correct))
    return Feedback(False, words.SLIP.format(slip=slip) if slip else words.WRONG)


def _likeness(given: Numbers, correct: Numbers) -> str:
    """Return what is said of numbers that are almost right: in the other order, of another sign, or rounded."""
    if len(given) == 2 and given[::-1] == correct:
        return words.SWAPPED
    if all(abs(one) == abs(other) for one, other in zip(given, correct, strict=True)):
        return words.SIGNS
    near = all(abs(one - other) <= abs(other) / 100 for one, other in zip(given, correct, strict=True))
    return words.ROUNDED if near else ""
