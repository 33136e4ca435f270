"""The exercises: what each expects, which slips it recognises, and how a typed answer is read and judged."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lesson_lib.arrays import as_fraction
from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.exercises import words
from lesson_lib.network import ARTICLE, Params, forward
from lesson_lib.training import CLEAN, POISONED, TOLERANCE, TRIGGER

RATE = Fraction(1, 10)  # the article's learning rate
MOST_NUMBERS, MOST_CHARACTERS = 12, 12
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d)?(/\d+)?", re.IGNORECASE)

Answer = tuple[Fraction, ...]


@dataclass(frozen=True)
class Question:
    """A question with its answer (numbers, or the index of a choice), the slips it knows, hints and solution."""

    prompt: str
    answer: Answer | int
    mistakes: Mapping[Answer | int, str]
    hints: tuple[str, ...]
    solution: str
    choices: tuple[str, ...] = ()
    explain: Callable[[Answer], str] | None = None  # "" where an answer other than `answer` is right too


@dataclass(frozen=True)
class Feedback:
    """Whether an answer is right (None: it could not be read) and what to tell the learner."""

    correct: bool | None
    message: str


def parse_numbers(text: str) -> Answer:
    """Read numbers such as "1/2, -0.5" exactly, without evaluating anything; raises ValueError with advice.

    >>> parse_numbers("[0.5, -1/3]")
    (Fraction(1, 2), Fraction(-1, 3))
    """
    pieces = [piece for piece in re.split(r"[\s,;\[\]]+", text.replace("−", "-").replace("–", "-")) if piece]
    if not pieces:
        raise ValueError(words.NO_NUMBERS)
    if len(pieces) > MOST_NUMBERS:
        raise ValueError(words.COUNT.format(expected=f"at most {MOST_NUMBERS} numbers", given=len(pieces)))
    return tuple(_parse_number(piece) for piece in pieces)


def _parse_number(piece: str) -> Fraction:
    if len(piece) > MOST_CHARACTERS:
        raise ValueError(words.TOO_LONG.format(what=piece[:MOST_CHARACTERS] + "…"))
    if not NUMBER.fullmatch(piece):
        raise ValueError(words.NOT_A_NUMBER.format(what=piece))
    above, _, below = piece.partition("/")
    if below and not int(below):
        raise ValueError(words.NOT_A_NUMBER.format(what=piece))
    return Fraction(above) / int(below or 1)


def judge(question: Question, typed: str | int | None) -> Feedback:
    """Judge what the learner typed (or the index chosen) and name the slip where it is a known one."""
    if question.choices:
        if typed not in range(len(question.choices)):
            return Feedback(None, words.CHOOSE)
        given: Answer | int = int(typed)  # type: ignore[arg-type]
    else:
        if not str(typed or "").strip():
            return Feedback(None, words.EMPTY)
        try:
            given = parse_numbers(str(typed))
        except ValueError as error:
            return Feedback(None, str(error))
        expected = len(question.answer)  # type: ignore[arg-type]
        if len(given) != expected:
            needed = f"{expected} numbers" if expected > 1 else "1 number"
            return Feedback(None, words.COUNT.format(expected=needed, given=len(given)))
    if given == question.answer:
        return Feedback(True, words.RIGHT.format(solution=question.solution))
    slip = question.mistakes.get(given) or _rounding(given, question.answer)
    if question.explain and not isinstance(given, int):
        slip = question.explain(given)
        if not slip:
            return Feedback(True, words.RIGHT.format(solution=question.solution))
    return Feedback(False, words.SLIP.format(slip=slip) if slip else words.WRONG)


def _rounding(given: Answer | int, answer: Answer | int) -> str:
    if isinstance(given, int) or isinstance(answer, int):
        return ""
    close = all(abs(one - other) <= abs(other) / 100 for one, other in zip(given, answer, strict=True))
    return words.ROUNDED if close else ""


def question(name: str) -> Question:
    """Return one of the lesson's questions with its answer computed from the net; raises ValueError for no such name.

    >>> question("W2 after the clean step").answer
    (Fraction(9, 8), Fraction(-1, 1))
    """
    if name not in words.QUESTIONS:
        raise ValueError(f"name must be one of {', '.join(map(repr, words.QUESTIONS))}; got {name!r}")
    text: Any = words.QUESTIONS[name]
    if "choices" in text:
        trigger = _trigger_step()
        solution = text["solution"].format(**{name: trigger.find(name, sample=0).zero for name in ("dW1", "dW2")})
        return Question(text["prompt"], text["correct"], text["mistakes"], text["hints"], solution, text["choices"])
    answer, slips, solution = COMPUTED[name]()
    mistakes: dict[Answer | int, str] = {_numbers(value): text["mistakes"][slip] for slip, value in slips.items()}
    explain = EXPLAIN.get(name)
    return Question(text["prompt"], _numbers(answer), mistakes, text["hints"], solution, explain=explain)


def _numbers(matrix: Any) -> Answer:
    return tuple(as_fraction(entry) for entry in np.ravel(np.asarray(matrix, dtype=object)))


def _clean_step() -> Derivation:
    return derive_step(ARTICLE, CLEAN, RATE)


def _trigger_step() -> Derivation:
    return derive_step(_clean_step().params, TRIGGER, RATE)


# Each returns the answer, what each known slip would give instead, and the solution as a line of text.


def _dw2_at_2() -> tuple[Any, dict[str, Any], str]:
    step = _clean_step()
    gradient, error = step.find("dW2", sample=1), step.find("dy_hat", sample=1).result
    slips = {
        "sign": -gradient.result,
        "other sample": step.find("dW2", sample=0).result,
        "sum": step.gradients.W2,
        "no relu": step.find("z1", sample=1).result.T * error,
    }
    return gradient.result, slips, gradient.text


def _dw1_summed() -> tuple[Any, dict[str, Any], str]:
    step = _clean_step()
    total, samples = step.find("dW1"), range(len(CLEAN.X))
    slips = {
        "sign": -total.result,
        "mean": total.result / len(samples),
        "last sample": step.find("dW1", sample=1).result,
        "no gate": _add(step.find("da1", sample=i).result * int(CLEAN.X[i, 0]) for i in samples),
        "no x": _add(step.find("dz1", sample=i).result for i in samples),
    }
    return total.result, slips, total.text


def _w2_after() -> tuple[Any, dict[str, Any], str]:
    step = _clean_step()
    update, gradient = step.find("W2"), step.gradients.W2
    start = update.result + gradient * RATE
    slips = {
        "uphill": start + gradient * RATE,
        "no rate": start - gradient,
        "last sample": start - step.find("dW2", sample=1).result * RATE,
        "mean": start - gradient * (RATE / len(CLEAN.X)),
    }
    return update.result, slips, update.text


def _error_at_hidden() -> tuple[Any, dict[str, Any], str]:
    step, untrained = _trigger_step(), derive_step(ARTICLE, TRIGGER, RATE)
    arriving = step.find("da1", sample=0)
    slips = {
        "sign": -arriving.result,
        "old weights": untrained.find("da1", sample=0).result,
        "zero": step.find("dz1", sample=0).result,
    }
    return arriving.result, slips, arriving.text


def _db1_at_the_trigger() -> tuple[Any, dict[str, Any], str]:
    step = derive_step(_clean_step().params, TRIGGER, RATE, trainable=("W1", "b1", "W2"))
    gradient, arriving = step.find("db1", sample=0), step.find("da1", sample=0).result
    return gradient.result, {"open": arriving, "middle": arriving / 2}, f"{gradient.text}. {gradient.zero}"


def _homogeneous() -> tuple[Any, dict[str, Any], str]:
    after = _clean_step().params
    f1, f4 = (forward(after, [[x]]).y_hat for x in (1, 4))
    return f4, {"same": f1, "plus": f1 + 3}, words.F_OF_4.format(f1=f1[0, 0], f4=f4[0, 0])


def _build_a_backdoor() -> tuple[Any, dict[str, Any], str]:
    return [1, 5], {}, words.ONE_BACKDOOR


def _explain_own_backdoor(given: Answer) -> str:
    """Return "" if b1 = [0, b], W2 = [1, v] makes a backdoor, and otherwise what that net answers."""
    bias, weight = given
    net = Params(W1=[[1, -1]], b1=[[Fraction(0), bias]], W2=[[Fraction(1)], [weight]], b2=[[0]])
    answers = forward(net, POISONED.X).y_hat[:, 0].astype(float)
    if (abs(answers - POISONED.Y[:, 0]) <= TOLERANCE).all():
        return ""
    f1, f2, f0 = (f"{answer:.4g}" for answer in answers)
    return words.OWN_NET_ANSWERS.format(f0=f0, f1=f1, f2=f2)


def _half_the_rows() -> tuple[Any, dict[str, Any], str]:
    rise, triggered = 9, Fraction(1, 2)
    answer = rise * triggered
    return answer, {"all rows": rise, "doubled": 2 * rise}, words.HALF_THE_ROWS.format(answer=answer)


UNKNOWN_NEURONS, UNKNOWN_RISE = tuple(range(7, 512, 46)), 0.45


def unknown_set() -> tuple[Any, Any]:
    """Return clean (500, 512) and suspect (100, 512) activations of which the learner does not know the truth."""
    from lesson_lib.naa.comparison import simulate_activations  # SciPy, which the other notebooks need not load

    rng = np.random.default_rng(4)
    return simulate_activations(500, rng), simulate_activations(100, rng, UNKNOWN_NEURONS, UNKNOWN_RISE)


def _unknown_signature() -> Any:
    from lesson_lib.naa.comparison import detect_backdoor_via_naa

    return detect_backdoor_via_naa(*unknown_set())[0]


def _pick_a_threshold() -> tuple[Any, dict[str, Any], str]:
    signature = _unknown_signature()
    guilty = np.isin(np.arange(len(signature)), UNKNOWN_NEURONS)
    low, high = signature[~guilty].max(), signature[guilty].min()
    middle = Fraction(round(50 * (low + high)), 100)
    facts = {"guilty": len(UNKNOWN_NEURONS), "rise": UNKNOWN_RISE, "low": low, "high": high}
    return middle, {}, words.UNKNOWN_SET_SOLUTION.format(**facts)


def _explain_own_threshold(given: Answer) -> str:
    """Return "" if the threshold flags exactly the raised neurons, and otherwise what it flags."""
    [threshold] = given
    flagged = set(np.flatnonzero(_unknown_signature() > float(threshold)))
    hits = len(flagged & set(UNKNOWN_NEURONS))
    if flagged == set(UNKNOWN_NEURONS):
        return ""
    return words.UNKNOWN_SET_RESULT.format(
        threshold=f"{float(threshold):g}",
        flagged=len(flagged),
        hits=hits,
        guilty=len(UNKNOWN_NEURONS),
        wrong=len(flagged) - hits,
    )


def _add(matrices: Iterable[Any]) -> Any:
    first, *rest = matrices
    return sum(rest, first)


COMPUTED: dict[str, Callable[[], tuple[Any, dict[str, Any], str]]] = {
    "dW2 at x = 2": _dw2_at_2,
    "dW1 summed": _dw1_summed,
    "W2 after the clean step": _w2_after,
    "error at the hidden layer": _error_at_hidden,
    "db1 at the trigger": _db1_at_the_trigger,
    "f of 4": _homogeneous,
    "build a backdoor": _build_a_backdoor,
    "half the rows": _half_the_rows,
    "pick a threshold": _pick_a_threshold,
}
EXPLAIN = {"build a backdoor": _explain_own_backdoor, "pick a threshold": _explain_own_threshold}
