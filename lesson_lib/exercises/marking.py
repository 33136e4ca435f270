"""Marking an answer: right, a slip we know, wrong, or not readable."""

from dataclasses import dataclass
from typing import Any

from lesson_lib.exercises import words
from lesson_lib.exercises.catalogue import Question
from lesson_lib.exercises.typed_numbers import parse_numbers


@dataclass(frozen=True)
class Feedback:
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
