"""Every question: its texts from the file of its notebook, its numbers computed."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lesson_lib.exercises.computed import Computed, Facts, net_answers
from lesson_lib.exercises.open_questions import OPEN
from lesson_lib.exercises.typed_numbers import Numbers


@dataclass(frozen=True)
class Question:
    """A question as its file holds it, and what is computed for it.

    `slips` says what a wrong answer is told. A file gives a slip for each wrong choice, or for each name in
    `Computed.slips`; where many numbers are right, it gives a `reply` instead, and `try_out` says what to fill in.
    """

    prompt: str
    hints: Sequence[str]
    solution: str
    slips: Mapping[Any, str] = field(default_factory=dict)
    choices: Sequence[str] = ()
    correct: Any = ()  # numbers, or one of the choices
    reply: str = ""
    try_out: Callable[[Numbers], tuple[bool, Facts]] | None = None


@cache
def question_texts() -> dict[str, dict[str, Any]]:
    """Return the fields of every question by its name, in the order in which the notebooks ask."""
    texts: dict[str, dict[str, Any]] = {}
    for file in sorted((files(__package__) / "questions").iterdir(), key=lambda file: file.name):
        texts |= tomllib.loads(file.read_text(encoding="utf-8"))
    return texts


def question(name: str) -> Question:
    """Return one of the lesson's questions, its answer computed from the net; raises ValueError for no such name.

    >>> question("W2 after the clean step").correct
    (Fraction(9, 8), Fraction(-1, 1))
    """
    texts = question_texts()
    if name not in texts:
        raise ValueError(f"name must be one of {', '.join(map(repr, texts))}; got {name!r}")
    computed = OPEN[name]() if name in OPEN else net_answers().get(name, Computed())
    return complete(name, texts[name], computed)


def complete(name: str, text: Mapping[str, Any], computed: Computed) -> Question:
    """Return a question with its numbers; raises ValueError where its file says too much or too little."""
    try:
        asked = Question(**text)
    except TypeError as error:
        raise ValueError(f"question {name!r}: {error}") from error
    asked = replace(asked, solution=asked.solution.format(**computed.facts), try_out=computed.try_out)
    wanted = set(asked.choices) - {asked.correct} if asked.choices else set(computed.slips)
    if wanted != set(asked.slips):
        raise ValueError(f"question {name!r} must have the slips {sorted(wanted)}; got {sorted(asked.slips)}")
    if asked.choices:
        return asked
    slips = {tuple(wrong): asked.slips[slip] for slip, wrong in computed.slips.items()}
    return replace(asked, correct=tuple(computed.answer), slips=slips)
