"""Questions with many right answers: an answer is tried out, and the learner is told what it does."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from lesson_lib.exercises.computed import Computed, Facts
from lesson_lib.exercises.typed_numbers import Numbers
from lesson_lib.network import Params, forward
from lesson_lib.training import POISONED, TOLERANCE

RAISED, RISE = tuple(range(7, 512, 46)), 0.45  # which neurons of the unknown set were raised, and by how much


def _own_backdoor(given: Numbers) -> tuple[bool, Facts]:
    bias, weight = given
    net = Params(W1=[[1, -1]], b1=[[0, bias]], W2=[[1], [weight]], b2=[[0]])
    answers = forward(net, POISONED.X).y_hat[:, 0].astype(float)
    right = bool((abs(answers - POISONED.Y[:, 0]) <= TOLERANCE).all())
    return right, dict(zip(("f1", "f2", "f0"), answers, strict=True))


def unknown_set() -> tuple[Any, Any]:
    """Return clean (500, 512) and suspect (100, 512) activations of which the learner does not know the truth."""
    from lesson_lib.naa.article import simulate_activations  # SciPy, which the other notebooks need not load

    rng = np.random.default_rng(4)
    return simulate_activations(500, rng), simulate_activations(100, rng, RAISED, RISE)


@cache
def _unknown_signature() -> Any:
    from lesson_lib.naa.article import detect_backdoor_via_naa

    return detect_backdoor_via_naa(*unknown_set())[0]


def _a_threshold() -> Computed:
    signature = _unknown_signature()
    low, high = np.delete(signature, RAISED).max(), signature[list(RAISED)].min()
    middle = Fraction(round(50 * (low + high)), 100)
    facts = {"guilty": len(RAISED), "rise": RISE, "low": low, "high": high}
    return Computed([middle], facts=facts, try_out=_own_threshold)


def _own_threshold(given: Numbers) -> tuple[bool, Facts]:
    threshold = float(given[0])
    flagged = set(np.flatnonzero(_unknown_signature() > threshold))
    hits = len(flagged & set(RAISED))
    facts = {"flagged": len(flagged), "hits": hits, "guilty": len(RAISED), "wrong": len(flagged) - hits}
    return flagged == set(RAISED), {"threshold": threshold, **facts}


OPEN: dict[str, Callable[[], Computed]] = {
    "build a backdoor": lambda: Computed([Fraction(1), Fraction(5)], try_out=_own_backdoor),
    "pick a threshold": _a_threshold,
}
