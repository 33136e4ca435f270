"""Any public call of a lab or of the exercises: it works, or raises ValueError and changes nothing."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from lesson_lib.labs import BiasLab, Exercises, FirstLook, HandCalculationLab, NAALab, PruningLab, TriggerLab

KINDS = [HandCalculationLab, FirstLook, TriggerLab, BiasLab, NAALab, PruningLab]
NUMBERS = [1, -3, 10**400, 1.5, nan, inf, True, 1j, Fraction(1, 3), np.int64(2), np.float32(0.1), np.array([1.0, 2.0])]
OTHERS = [None, "", "x", "1/0", "1e999999", "9" * 10_000, "\u0663", b"1", [], {}, {"a": 1}, (1, 2), object(), print]
ODD = pytest.mark.parametrize("odd", NUMBERS + OTHERS, ids=lambda odd: repr(odd)[:20].split(" at ")[0])


@pytest.fixture(scope="module", params=KINDS)
def lab(request):
    return request.param()


def state(lab):
    return lab.values, lab.summary, lab.error, lab.canvas.marks, getattr(lab, "line", 0)


def check(lab, call):
    """Call; whatever happens, the lab can show itself, and what was refused has changed nothing."""
    lab.reset()
    before = state(lab)
    try:
        call()
    except ValueError:
        assert state(lab) == before
    else:
        assert lab.error == ""
    lab.canvas.show(*lab.picture())
    assert lab.still().startswith("<svg")
    lab.load(lab.preset)


@ODD
def test_any_value_of_any_control(lab, odd):
    for name in lab.controls:
        check(lab, lambda name=name: lab.set(**{name: odd}))


@ODD
def test_any_preset(lab, odd):
    check(lab, lambda: lab.load(odd))
    for name in lab.controls:
        check(lab, lambda name=name: lab.load(f"{name}={odd}"))


@ODD
def test_any_touch(lab, odd):
    for mark in (*lab.touchable, "line", odd):
        for sent in ({"key": odd}, {"x": odd, "y": 5}):
            check(lab, lambda mark=mark, sent=sent: lab.canvas._received(None, {"touch": mark, **sent}, []))


@ODD
def test_any_line(odd):
    lab = HandCalculationLab()
    check(lab, lambda: lab.go(odd))
    assert type(lab.line) is int
    lab.set(W1="1/3, 1")


@ODD
def test_any_name_of_an_exercise(odd):
    exercises = Exercises()
    with pytest.raises(ValueError, match="name must be one of"):
        exercises.ask(odd)
    assert exercises.progress == Exercises().progress
