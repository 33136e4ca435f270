"""The curves of the notebooks: each has the numbers of what was trained, in its lines and in its table."""

import re
from itertools import pairwise

import numpy as np
import pytest

from lesson_lib.network import ARTICLE, Params
from lesson_lib.pictures import words
from lesson_lib.pictures.finished import endings_picture, function_picture
from lesson_lib.sweeps.experiment import Experiment
from lesson_lib.sweeps.studies import endings
from lesson_lib.training import POISONED, Dataset

BY_HAND = Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
JOINT = Experiment(schedule="joint", trainable=("W1", "W2", "b1"))


def test_every_rate_stands_in_the_range_of_its_ending():
    rates = np.geomspace(0.01, 0.3, 25)
    picture = endings_picture({"b1": JOINT, "none": Experiment(schedule="joint")}, rates, epochs=1000)
    header, *rows = picture.table.rows
    assert header == words.ENDINGS_COLUMNS
    assert {row[0] for row in rows} == {"b1", "none"}
    assert len(rows) < 25
    for rate, *answers, outcome in endings(JOINT, rates, epochs=1000).rows[1:]:
        [row] = [row for row in rows if row[0] == "b1" and _holds(row[1], float(rate))]
        assert [float(answer) for answer in row[2:5]] == pytest.approx([*map(float, answers)], abs=0.006)
        assert row[5] == outcome


def _holds(told, rate):
    first, last = map(float, told.split(" to "))
    return first * 0.994 <= rate <= last * 1.006


def test_the_ranges_of_one_experiment_follow_each_other_without_a_gap():
    rates = np.geomspace(0.01, 0.3, 25)
    told = [row[1].split(" to ") for row in endings_picture({"b1": JOINT}, rates, epochs=500).table.rows[1:]]
    ends = [f"{rate:.3g}" for rate in rates]
    assert (told[0][0], told[-1][1]) == (ends[0], ends[-1])
    for (_, last), (first, _) in pairwise(told):
        assert ends.index(first) == ends.index(last) + 1


def test_a_function_is_told_at_the_inputs_that_were_asked_for():
    picture = function_picture({"by hand": BY_HAND, "article": ARTICLE}, [-1, 0, 0.5, 1, 2])
    assert picture.table.rows[0] == ("network", "f(-1)", "f(0)", "f(0.5)", "f(1)", "f(2)")
    assert picture.table.rows[1:] == [
        ("by hand", "10", "5", "3", "1", "2"),
        ("article", "-0.5", "0", "0.25", "0.5", "1"),
    ]


@pytest.mark.parametrize("data", [POISONED, Dataset([[1], [0.5], [0]], [[1], [0.5], [5]], [False, False, True])])
def test_pictures_are_the_same_each_time_and_carry_their_table(data):
    makers = (
        lambda: endings_picture({"b1": JOINT}, [0.01, 0.1], epochs=50),
        lambda: function_picture({"by hand": BY_HAND}, [-1, 2], data),
    )
    for make in makers:
        bundle, again = make()._repr_mimebundle_(), make()._repr_mimebundle_()
        assert bundle == again
        alt = re.search(r'aria-label="([^"]*)"', bundle["text/html"])[1]
        assert alt.replace(";", "").split() == bundle["text/plain"].split()
