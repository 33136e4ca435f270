"""One rule for what comes in, the same in every room: no mask, no missing label, and 1 is not "1"."""

import re
from reprlib import repr as short

import numpy as np
import pytest

from lesson_lib.arrays import as_labels
from lesson_lib.digits import CORNER, accuracy, attack_success_rate, load, poison, stamp, train_classifier, triggered
from lesson_lib.labs.exercises import Exercises
from lesson_lib.naa.article import detect_backdoor_via_naa
from lesson_lib.naa.comparison import compare, match_classes
from lesson_lib.naa.judgement import analyse, class_vote
from lesson_lib.network import ARTICLE, Params, backward, forward, loss
from lesson_lib.repair.classifier import fine_tune
from lesson_lib.repair.repairs import clip, order, prune, pruning_curve, remove_direction, smooth
from lesson_lib.training import Dataset

DIGITS = load().test
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(8, 4))
CODES = np.arange(8) % 2


@pytest.fixture(scope="module")
def model():
    return train_classifier(*DIGITS, width=4, epochs=1)


def masked(values):
    return np.ma.array(values, mask=np.arange(np.size(values)).reshape(np.shape(values)) == 1)


MASKS = {  # how a mask may come in
    "array": masked,
    "rows": lambda values: list(masked(values)),
    "entries": lambda values: [[*row] if np.ndim(row) else row for row in masked(values)],
}
TABLES = {  # every room that takes a table
    "Params": lambda bad, model: Params([[1, 2]], [[0, 0]], bad([[1.0], [2]]), [[0]]),
    "forward": lambda bad, model: forward(ARTICLE, bad([[1.0], [2]])),
    "backward": lambda bad, model: backward(ARTICLE, [[1], [2]], bad([[1.0], [2]])),
    "loss": lambda bad, model: loss(bad([[1.0], [2]]), [[1], [2]]),
    "Dataset": lambda bad, model: Dataset(bad([[1.0], [2]]), [[1], [2]]),
    "compare": lambda bad, model: compare(ROWS, bad(ROWS)),
    "analyse": lambda bad, model: analyse(bad(ROWS), ROWS),
    "outgoing": lambda bad, model: compare(ROWS, ROWS, outgoing=bad(ROWS[:4])),
    "article": lambda bad, model: detect_backdoor_via_naa(bad(ROWS), ROWS),
    "stamp": lambda bad, model: stamp(bad(DIGITS.X[:3]), CORNER),
    "fine_tune": lambda bad, model: fine_tune(model, bad(DIGITS.X), DIGITS.y, RNG, epochs=0),
    "clip": lambda bad, model: clip(model, bad(ROWS)),
    "smooth": lambda bad, model: smooth(model, bad(ROWS[:1])),
    "remove": lambda bad, model: remove_direction(model, ROWS, bad(ROWS)),
    "order": lambda bad, model: order(ROWS, bad(ROWS)),
}
LABELS = {  # every room that takes labels
    "compare": lambda bad, model: compare(ROWS, ROWS, labels=(CODES, bad(CODES))),
    "compare, clean": lambda bad, model: compare(ROWS, ROWS, labels=(bad(CODES), CODES)),
    "match_classes": lambda bad, model: match_classes(ROWS, ROWS, CODES, bad(CODES)),
    "class_vote": lambda bad, model: class_vote(ROWS, ROWS, ROWS[:4], bad(CODES), CODES),
    "poison": lambda bad, model: poison(DIGITS.X, bad(DIGITS.y), CORNER, 0, 0.1, RNG),
    "accuracy": lambda bad, model: accuracy(model, DIGITS.X, bad(DIGITS.y)),
    "attack": lambda bad, model: attack_success_rate(model, DIGITS.X, bad(DIGITS.y), CORNER, 0),
    "triggered": lambda bad, model: triggered(DIGITS.X, bad(DIGITS.y), CORNER, 0),
    "fine_tune": lambda bad, model: fine_tune(model, DIGITS.X, bad(DIGITS.y), RNG, epochs=0),
    "curve": lambda bad, model: pruning_curve(model, [0], DIGITS.X, bad(DIGITS.y), DIGITS.X[:3], 0),
}
BAD_LABELS = {
    "text": lambda y: y.astype(str),
    "text in a list": lambda y: y.astype(str).tolist(),
    "mixed": lambda y: [str(y[0]), *y[1:].tolist()],
    "NaN": lambda y: np.where(np.arange(len(y)) == 1, np.nan, y),
    "NaN in a list": lambda y: [float("nan"), *y[1:].tolist()],
    "NaN among objects": lambda y: np.array([float("nan"), *y[1:]], dtype=object),
    "None": lambda y: [None, *y[1:].tolist()],
}


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("room", TABLES)
def test_a_masked_table_is_refused_in_every_room(room, kind, model):
    with pytest.raises(ValueError, match="must be a plain array; got a masked one"):
        TABLES[room](MASKS[kind], model)


@pytest.mark.parametrize("kind", ["array", "rows"])
@pytest.mark.parametrize("room", LABELS)
def test_masked_labels_are_refused_in_every_room(room, kind, model):
    with pytest.raises(ValueError, match="must be a plain array; got a masked one"):
        LABELS[room](MASKS[kind], model)


@pytest.mark.parametrize("kind", BAD_LABELS)
@pytest.mark.parametrize("room", LABELS)
def test_labels_of_another_kind_or_missing_are_refused_in_every_room(room, kind, model):
    with pytest.raises(
        ValueError, match="must be all numbers or all text, like the labels that they meet, and none NaN"
    ):
        LABELS[room](BAD_LABELS[kind], model)


@pytest.mark.parametrize("whole", [float, np.uint8, object, "list"])
@pytest.mark.parametrize("room", LABELS)
def test_labels_in_any_form_of_numbers_are_read_in_every_room(room, whole, model):
    LABELS[room](lambda y: y.tolist() if whole == "list" else y.astype(whole), model)


def test_masked_triggers_and_neurons_are_refused(model):
    with pytest.raises(ValueError, match="is_trigger must be a plain array; got a masked one"):
        Dataset([[1], [2]], [[1], [2]], masked([True, False]))
    with pytest.raises(ValueError, match="neurons must be a plain array; got a masked one"):
        prune(model, masked([0, 1]))
    with pytest.raises(ValueError, match=r"^mean must be a plain array; got a masked one"):
        smooth(model, masked(np.zeros(model.coefs_[0].shape[1])))
    with pytest.raises(ValueError, match=r"^y must be all numbers or all text"):
        fine_tune(model, DIGITS.X, DIGITS.y.astype(str), RNG, epochs=0)


MISSING = [[None, None], [float("nan")] * 2, np.array([np.nan, np.nan]), np.array([None, 1], dtype=object), ["a", None]]


@pytest.mark.parametrize("labels", MISSING, ids=repr)
def test_labels_that_are_missing_are_refused_with_their_name_and_what_came(labels):
    with pytest.raises(ValueError, match=rf"^mine must be all numbers .* none NaN; got {re.escape(short(labels))}$"):
        as_labels(labels, "mine")


def test_a_mask_deep_inside_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^mine must be a plain array"):
        as_labels([[masked([1, 2])]], "mine")


def test_bytes_are_text():
    for labels in ([b"a", b"b"], np.array([b"a", b"b"])):
        assert as_labels(labels, "y", like=np.array(["c"])).tolist() == [b"a", b"b"]
        with pytest.raises(ValueError, match="must be all numbers or all text"):
            as_labels(labels, "y", like=np.array([1]))
    with pytest.raises(ValueError, match="must be all numbers or all text"):
        as_labels(np.array(["a", "b", None, 3], dtype=object), "y")


def test_labels_keep_their_kind():
    assert as_labels([1, 2.5, True], "y").tolist() == [1, 2.5, 1]
    assert as_labels(["a", "b"], "y", like=np.array(["c"])).tolist() == ["a", "b"]
    assert as_labels([], "y", like=np.array(["c"])).shape == (0,)
    with pytest.raises(ValueError, match=r"^y must be all numbers or all text, .*; got \[1, '1'\]$"):
        as_labels([1, "1"], "y")  # NumPy alone would make one class of both


@pytest.mark.parametrize("name", [[], {}, None, 3, np.array(["x"]), "no such question"], ids=repr)
def test_an_exercise_that_is_not_there_is_answered_with_those_that_are(name):
    exercises = Exercises()
    with pytest.raises(ValueError, match=r"^name must be one of '.*'dW2 at x = 2'"):
        exercises.ask(name)
    assert exercises.progress.startswith("0 of 0")


@pytest.mark.torch
@pytest.mark.parametrize(
    "make", [lambda t: t, lambda t: [t[0]], lambda t: [[t[0, 0], t[0, 1]]], lambda t: t.bfloat16()]
)
def test_a_tensor_that_requires_a_gradient_is_an_array(make):
    import torch

    weights = make(torch.tensor([[0.5, -0.5]], requires_grad=True))
    assert Params(weights, [[0, 0]], [[1], [-1]], [[0]]).W1.tolist() == ARTICLE.W1.tolist()
    assert torch.nn.Parameter(torch.ones(1)).requires_grad


@pytest.mark.torch
def test_a_tensor_without_numbers_is_refused():
    import torch

    for tensor in (torch.ones(1, 2, device="meta"), torch.eye(2).to_sparse()):
        with pytest.raises(ValueError, match="W1 must be a plain tensor: "):
            Params(tensor, [[0, 0]], [[1], [-1]], [[0]])
