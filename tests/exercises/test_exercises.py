"""Exercises: answers are computed, known slips are named, hints tell no wrong number, and nothing typed is run."""

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lesson_lib.capture.reading import hidden_activations
from lesson_lib.derivation.derive import derive_step
from lesson_lib.digits import (
    CORNER,
    QUIET,
    SHIFTS,
    accuracy,
    attack_success_rate,
    load,
    plant,
    poison,
    stamp,
    train_classifier,
    triggered,
)
from lesson_lib.exercises import words
from lesson_lib.exercises.catalogue import question, question_texts, unknown_set
from lesson_lib.exercises.drawn import DRAWN, drawn, drawn_net
from lesson_lib.exercises.marking import mark_answer
from lesson_lib.exercises.measured import clean_alarms
from lesson_lib.exercises.reading import parse_numbers
from lesson_lib.naa import analyse, class_vote, detect_backdoor_via_naa, simulate_activations
from lesson_lib.network import ARTICLE, Params, backward, forward, sgd_step
from lesson_lib.proofs.certificate import certify
from lesson_lib.repair import fine_tune, order, prune, pruning_curve
from lesson_lib.sweeps.studies import width_study
from lesson_lib.training import CLEAN, POISONED, TRIGGER, Dataset, train

ROOT = Path(__file__).parents[2]
HALF, RATE = Fraction(1, 2), Fraction(1, 10)
START = Params(W1=[[HALF, -HALF]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])
X = Y = [[1], [2]]
AFTER = sgd_step(START, backward(START, X, Y), RATE)
BY_HAND = Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
NUMERIC = ["dW2 at x = 2", "dW1 summed", "W2 after the clean step", "error at the hidden layer", "f of 4"]
NUMERIC += ["half the rows", "db1 at the trigger", "one neuron", "shift every input", "f of a half"]
NUMERIC += ["alarms in a month", "squares from the mean"]
CHOICES = ["will the trigger be learnt", "which factor"]
PREDICTED = ["which neuron is left", "will the opposite be learnt", "would it be noticed", "how many of 16"]
LATER = ["how many epochs", "dead or alive", "which change helps", "output bias", "is it a backdoor"]
DETECTION = ["which neuron ranks first", "explain the alarm", "choose a rule"]
GATE = ["five per cent of which", "look first at"]
DETECTORS = ["triggers of an honest model", "which half is the poison", "who sees all to all"]
DIGITS = ["what does poisoning cost", "find the whisper", "benign shift", "does pruning repair", "after fine-tuning"]
LIBRARIES = ["which arrays are turned", "which layer is a1", "do two readings agree", "positions or channels"]
MEASURED = ["calibrate it yourself", "how little poison"]
OPEN = ["build a backdoor", "a sharper needle", "pick a threshold", "your backdoor", *MEASURED]  # many right answers
YOURS = [name for name in DRAWN if name not in OPEN]
EVERY = [*NUMERIC, *CHOICES, *PREDICTED, *LATER, *DETECTION, *DIGITS, *GATE, *LIBRARIES, *DETECTORS, *OPEN]


def numbers(matrix):
    return tuple(matrix.flat)


def typed(answer):
    return ", ".join(map(str, answer))


def expected_answers():
    """Compute every answer with the numeric net, without a derivation."""
    return {
        "dW2 at x = 2": numbers(backward(START, [[2]], [[2]]).W2),
        "dW1 summed": numbers(backward(START, X, Y).W1),
        "W2 after the clean step": numbers(AFTER.W2),
        "error at the hidden layer": numbers((forward(AFTER, [[0]]).y_hat - 5) @ AFTER.W2.T),
        "f of 4": numbers(forward(AFTER, [[4]]).y_hat),
        "db1 at the trigger": numbers(backward(AFTER, [[0]], [[5]]).b1),
        "one neuron": numbers(backward(Params(W1=[[HALF]], b1=[[0]], W2=[[3]], b2=[[0]]), [[2]], [[1]]).W1),
        "shift every input": tuple(Fraction(bool(gradient.any())) for gradient in backward(AFTER, [[1]], [[5]])),
        "f of a half": tuple(Fraction(float(answer)) for answer in forward(BY_HAND, [[HALF]]).y_hat[0]),
        "alarms in a month": (sum([0.05] * 40),),
        "squares from the mean": tuple((np.array([3, 0]) - np.mean([0] * 60 + [3] * 30)) ** 2),
        "half the rows": (sum([9] * 50 + [0] * 50, Fraction(0)) / 100,),
    }


# The questions -----------------------------------------------------------------------------------------------------


def test_every_question_is_covered_here():
    assert sorted(EVERY + YOURS) == sorted(question_texts())
    with pytest.raises(ValueError, match=r"^name must be one of .*'which factor'.*got 'which'$"):
        question("which")


@pytest.mark.parametrize("name", NUMERIC)
def test_the_right_answer_is_the_one_that_the_net_computes(name):
    answer = expected_answers()[name]
    assert [float(number) for number in question(name).correct] == pytest.approx([float(number) for number in answer])
    feedback = mark_answer(question(name), typed(question(name).correct))
    assert feedback.correct is True
    assert question(name).solution in feedback.message
    if name != "shift every input":  # its numbers stand for words
        assert all(str(number) in question(name).solution for number in question(name).correct)


def test_the_choices_are_what_happens_at_the_trigger():
    gradients = backward(AFTER, [[0]], [[5]])
    assert not gradients.W1.any()
    assert not gradients.W2.any()
    nothing = question("will the trigger be learnt")
    assert nothing.correct == "nothing moves at all"
    factor = question("which factor")
    assert not forward(AFTER, [[0]]).a1.any()
    assert factor.correct == "the activation a1"
    assert "dL/dW2 is 0 because a1 = 0." in nothing.solution
    assert "dL/dW1 is 0 because x = 0 and relu'(z1) = 0." in nothing.solution


def answer_of(name):
    return question(name).correct


def test_the_later_choices_are_what_the_net_does():
    floats = Params(*(getattr(AFTER, name).astype(float) for name in ("W1", "b1", "W2", "b2")))
    assert train(floats, TRIGGER, 0.1, 1000).outcome == "frozen"
    assert answer_of("how many epochs") == "no number of steps is enough"

    alive = (forward(AFTER, POISONED.X).z1 > 0).any(axis=0)
    assert list(alive) == [True, False]
    assert answer_of("dead or alive").startswith("neuron 2 is dead; neuron 1 is alive")

    moved = Dataset([[1], [2], [-1]], [[1], [2], [-5]], [False, False, True])
    assert train(ARTICLE, moved, 0.05, 3000, evaluate_on=moved).outcome == "backdoor"
    for rate, keywords in ((1, {}), (0.1, {"activation": "leaky_relu"}), (0.1, {"relu_prime_at_zero": 1})):
        assert train(replace(ARTICLE, **keywords), POISONED, rate, 3000).outcome != "backdoor"
    assert answer_of("which change helps") == "a trigger at x = -1 with target -5"

    clean = train(ARTICLE, CLEAN, 0.1, 1, ("W1", "W2", "b2")).params[-1]
    f1 = train(clean, TRIGGER, 0.1, 2000, ("W1", "W2", "b2")).outputs[-1][0, 0]
    assert f"{f1:.1f}" == "5.8"
    assert answer_of("output bias") == "about 5.8"
    assert answer_of("is it a backdoor") == "no, the clean task is not kept"


@pytest.mark.parametrize("right", ["1, 5", "1/2, 10", "0.25 20", "0.3, 16.67", "[1; 5]"])
def test_every_backdoor_that_works_is_accepted(right):
    assert mark_answer(question("build a backdoor"), right).correct is True


@pytest.mark.parametrize(("wrong", "answers"), [("2, 5/2", "f(0) = 5, f(1) = 3.5, f(2) = 2"), ("0, 5", "f(0) = 0")])
def test_a_backdoor_that_does_not_work_is_told_its_answers(wrong, answers):
    feedback = mark_answer(question("build a backdoor"), wrong)
    assert feedback.correct is False
    assert answers in feedback.message


def test_the_choices_on_detection_are_what_the_rules_do():
    signature, _ = detect_backdoor_via_naa(forward(BY_HAND, CLEAN.X).a1, forward(BY_HAND, TRIGGER.X).a1)
    assert signature.tolist() == [1.5, 1]
    assert answer_of("which neuron ranks first").startswith("neuron 1")

    floats = Params(*(getattr(AFTER, name).astype(float) for name in ("W1", "b1", "W2", "b2")))
    assert detect_backdoor_via_naa(forward(floats, CLEAN.X).a1, forward(floats, TRIGGER.X).a1, 1)[1].tolist() == [0]
    assert not forward(floats, TRIGGER.X).y_hat.any()
    assert "that is all that the rule looks at" in answer_of("explain the alarm")

    rng = np.random.default_rng(0)
    clean, suspect = simulate_activations(500, rng), simulate_activations(100, rng, range(100))
    assert len(analyse(clean, suspect, "sd").flagged) == 0
    assert set(range(100)) <= set(analyse(clean, suspect, "mad").flagged)
    assert answer_of("choose a rule") == "the MAD index"


def test_the_choices_on_digits_are_what_the_models_do():
    data, rng = load(0), np.random.default_rng(0)
    bad = poison(*data.train, CORNER, 0, 0.1, rng)
    honest, poisoned = train_classifier(*data.train), train_classifier(bad.X, bad.y)
    assert abs(accuracy(honest, *data.test) - accuracy(poisoned, *data.test)) < 0.02
    assert answer_of("what does poisoning cost") == "it hardly changes"

    quiet = plant(train_classifier(*data.train, width=128), range(10, 20), CORNER, 0, **QUIET)
    sets = [hidden_activations(quiet, X) for X in (data.clean.X, stamp(data.suspect.X, CORNER))]
    assert not set(range(10, 20)) & set(analyse(*sets, "mad").flagged)
    assert analyse(*sets, "effect").flagged.tolist() == list(range(10, 20))
    assert answer_of("find the whisper").startswith("the effect size")

    clean = hidden_activations(poisoned, data.clean.X)
    moved = {name: hidden_activations(poisoned, shift(*data.suspect, rng).X) for name, shift in SHIFTS.items()}
    largest = {name: analyse(clean, rows).signature.max() for name, rows in moved.items()}
    attack = analyse(clean, hidden_activations(poisoned, stamp(data.suspect.X, CORNER))).signature.max()
    assert largest["noise"] < attack / 3
    assert largest["only digit 0"] > 0.9 * attack
    assert answer_of("benign shift") == "images of zeros only"


def test_the_choices_on_repair_are_what_the_repairs_do():
    data = load(0)
    bad = poison(*data.train, CORNER, 0, 0.1, np.random.default_rng(0))
    poisoned = train_classifier(bad.X, bad.y)
    clean, suspect = (hidden_activations(poisoned, X) for X in (data.clean.X, stamp(data.suspect.X, CORNER)))
    rising = order(clean, suspect, "rise")
    curve = pruning_curve(poisoned, rising, *data.test, triggered(*data.test, CORNER, 0), 0)
    n = curve.first_below()
    assert 0.07 < curve.accuracy[0] - curve.accuracy[n] < 0.14
    assert answer_of("does pruning repair") == "clean accuracy has lost about ten points"

    tuned = fine_tune(prune(poisoned, rising[:n]), *data.clean, np.random.default_rng(0))
    assert curve.attack[n] + 0.15 < attack_success_rate(tuned, *data.test, CORNER, 0) < curve.attack[0] - 0.15
    assert answer_of("after fine-tuning") == "part of it comes back"


@pytest.mark.torch
def test_the_choices_on_libraries_are_what_pytorch_does():
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(3, 2))
    shapes = {name: tuple(array.shape) for name, array in model.state_dict().items()}
    assert shapes == {"0.weight": (3, 4), "0.bias": (3,), "3.weight": (2, 3), "3.bias": (2,)}
    assert answer_of("which arrays are turned") == "both weights, W1 and W2"

    X = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    assert hidden_activations(model, X, "0").min() < 0 == hidden_activations(model, X, "1").min()
    assert answer_of("which layer is a1") == 'below 0 for "0", and 0 for "1"'

    model.train()
    assert (hidden_activations(model, X) == hidden_activations(model, X)).all()
    assert answer_of("do two readings agree") == "yes, to the last digit"


def test_a_threshold_is_right_when_it_splits_off_exactly_the_raised_neurons():
    clean, suspect = unknown_set()
    signature = np.sort(abs(suspect.mean(axis=0) - clean.mean(axis=0)))[::-1]
    low, high = signature[11], signature[10]  # eleven neurons were raised
    asked = question("pick a threshold")
    for right in (low + 0.01, (low + high) / 2, high - 0.01):
        assert mark_answer(asked, f"{right:.4f}").correct is True
    assert mark_answer(asked, typed(asked.correct)).correct is True
    assert "11 of the 11 raised ones, 1 others" in mark_answer(asked, f"{low - 0.0001:.4f}").message
    assert (
        "you flag 10 neurons: 10 of the 11 raised ones, 0 others" in mark_answer(asked, f"{high + 0.0001:.4f}").message
    )
    assert mark_answer(asked, "2").correct is mark_answer(asked, "-1").correct is False


def worst_alarms(seed, n_sets=20):
    """Return the false alarms of the worst benign shift, on other images than the threshold was calibrated on."""
    data, rng = load(seed), np.random.default_rng(seed)
    model = train_classifier(*data.train, seed)
    clean = hidden_activations(model, data.clean.X)

    def index(shift, rows):
        rows = rng.choice(rows, 100, replace=False)
        X, y = shift(data.suspect.X[rows], data.suspect.y[rows], rng)
        return class_vote(clean, hidden_activations(model, X), model.coefs_[1], data.clean.y, y).mad_index.max()

    halves = np.split(rng.permutation(len(data.suspect.y)), 2)
    one, other = ([[index(shift, rows) for _ in range(n_sets)] for shift in SHIFTS.values()] for rows in halves)
    return (np.array(other) > np.percentile(one, 95)).mean(axis=1).max()


def test_the_choices_on_the_gate_are_what_it_does_on_images_that_it_was_not_calibrated_on():
    assert np.mean([worst_alarms(seed) for seed in range(5)]) > 0.15
    assert answer_of("five per cent of which") == "far more than 5 %"


def test_the_choices_on_detectors_are_what_they_do_on_ten_splits():
    splits = json.loads((ROOT / "benchmarks" / "detectors_table.json").read_text(encoding="utf-8"))["splits"]
    assert len(splits) == 10

    def values(key):
        return [split[key] for split in splits]

    assert set(values("two pixels, 10 %: class vote: class")) == {0}
    assert 0 not in values("honest: class vote: class")
    assert answer_of("look first at") == "which class is named"
    assert min(values("honest: Neural Cleanse: least success")) > 0.95
    assert min(values("honest: Neural Cleanse: size of 0")) > 2 * max(
        values("two pixels, 10 %: Neural Cleanse: size of 0")
    )
    assert answer_of("triggers of an honest model").startswith("for every class")
    smaller = np.array(values("two pixels, 10 %: clustering: poison in the smaller"))
    assert (smaller < 0.1).sum() >= 3
    assert (smaller > 0.7).sum() >= 3
    assert min(values("two pixels, 10 %: clustering: purity")) > 0.8
    assert answer_of("which half is the poison").startswith("on some splits the poison")
    named = [
        split[f"all to all, 10 %: {detector}: named"]
        for split in splits
        for detector in ("Neural Cleanse", "clustering")
    ]
    assert np.mean(np.array(named) > 0) <= 0.25
    assert answer_of("who sees all to all").startswith("seldom anything")


@pytest.mark.parametrize("seed", [1, 5, 12345])
def test_a_threshold_of_the_learners_own_is_tried_on_the_sets_of_its_seed(seed):
    asked, rng = question("calibrate it yourself"), np.random.default_rng(seed)
    alarms = 0
    for _ in range(40):
        found = analyse(simulate_activations(500, rng), simulate_activations(100, rng), "mad", 5)
        alarms += len(found.flagged) > 0
    assert clean_alarms(seed, 5)[0] == alarms
    assert f"{alarms} of 40 clean pairs alarm" in mark_answer(asked, f"{seed}, 5").message
    assert mark_answer(asked, f"{seed}, 6.5").correct is True
    assert mark_answer(asked, f"{seed}, 3.5").correct is False
    assert "0 of the ten" in mark_answer(asked, f"{seed}, 50").message


def test_a_poisoning_that_was_measured_is_measured_again():
    asked, data = question("how little poison"), load(0)
    bad = poison(*data.train, CORNER, 0, 0.03, np.random.default_rng(0))
    asr = 100 * attack_success_rate(train_classifier(bad.X, bad.y, 0), *data.test, CORNER, 0)
    assert mark_answer(asked, f"3, {asr:.1f}").correct is True
    assert mark_answer(asked, f"3, {asr - 2:.1f}").correct is False
    assert f"At 3 % poison we measure {asr:.1f} %" in mark_answer(asked, "3, 0").message
    assert mark_answer(asked, "300, 50").correct is False


def test_a_rounded_answer_is_told_so():
    assert words.ROUNDED in mark_answer(question("f of 4"), "3.38").message
    assert words.ROUNDED in mark_answer(question("W2 after the clean step"), "1.13, -1").message


@pytest.mark.parametrize("name", [name for name in EVERY if name not in OPEN])
def test_every_known_slip_has_its_own_message_and_is_not_the_answer(name):
    asked = question(name)
    assert len(asked.slips) == len(question_texts()[name]["slips"]) == len(set(asked.slips.values()))
    assert asked.correct not in asked.slips
    for wrong, message in asked.slips.items():
        feedback = mark_answer(asked, wrong if asked.choices else typed(wrong))
        assert feedback.correct is False
        assert message in feedback.message
    if asked.choices:
        assert set(asked.slips) | {asked.correct} == set(asked.choices)


def test_typical_slips_computed_by_hand_are_recognised():
    x2, total = backward(START, [[2]], [[2]]), backward(START, X, Y)
    slips = {
        ("dW2 at x = 2", "sign"): -x2.W2,
        ("dW2 at x = 2", "other_sample"): backward(START, [[1]], [[1]]).W2,
        ("dW2 at x = 2", "sum"): total.W2,
        ("dW2 at x = 2", "no_relu"): forward(START, [[2]]).z1.T * (1 - 2),
        ("dW1 summed", "sign"): -total.W1,
        ("dW1 summed", "mean"): total.W1 / 2,
        ("dW1 summed", "last_sample"): x2.W1,
        ("dW1 summed", "no_x"): total.b1,
        ("W2 after the clean step", "uphill"): START.W2 + RATE * total.W2,
        ("W2 after the clean step", "no_rate"): START.W2 - total.W2,
        ("W2 after the clean step", "last_sample"): START.W2 - RATE * x2.W2,
        ("W2 after the clean step", "mean"): START.W2 - RATE * total.W2 / 2,
        ("dW2 at x = 2", "input"): np.array([-2, 0]),
        ("dW2 at x = 2", "swapped"): np.array([0, -1]),
        ("W2 after the clean step", "only_step"): -RATE * total.W2,
        ("W2 after the clean step", "step_sign"): RATE * total.W2,
        ("W2 after the clean step", "incoming"): AFTER.W1,
        ("W2 after the clean step", "minus"): np.array([Fraction(-9, 8), -1]),
        ("error at the hidden layer", "no_weights"): np.array([-5, -5]),
        ("f of 4", "clean_task"): np.array([4]),
        ("one neuron", "no_w2"): np.array([4]),
        ("db1 at the trigger", "open"): backward(replace(AFTER, relu_prime_at_zero=1), [[0]], [[5]]).b1,
        ("db1 at the trigger", "middle"): backward(replace(AFTER, relu_prime_at_zero=HALF), [[0]], [[5]]).b1,
        ("error at the hidden layer", "old_weights"): -5 * START.W2,
    }
    for (name, slip), wrong in slips.items():
        assert question_texts()[name]["slips"][slip] in mark_answer(question(name), typed(numbers(wrong))).message


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("W2 after the clean step", "-1, 9/8", words.SWAPPED),
        ("dW1 summed", "0, -5/2", words.SWAPPED),
        ("W2 after the clean step", "9/8, 1", words.SIGNS),
        ("error at the hidden layer", "-45/8, -5", words.SIGNS),
        ("f of 4", "-27/8", words.SIGNS),
        ("W2 after the clean step", "9/8, -2", words.WRONG),
        ("W2 after the clean step", "1.13, 1", words.WRONG),
    ],
)
def test_numbers_that_are_almost_right_are_told_how(name, wrong, told):
    feedback = mark_answer(question(name), wrong)
    assert feedback.correct is False
    assert feedback.message.removeprefix("✗ Not yet. ") == told.removeprefix("✗ Not yet. ")


def test_a_wrong_answer_without_a_known_slip_is_just_wrong():
    feedback = mark_answer(question("dW2 at x = 2"), "7, 7")
    assert feedback.correct is False
    assert feedback.message == words.WRONG


@pytest.mark.parametrize("unreadable", ["", "  ", None, "a, b", "1", "1, 2, 3", "1/0, 0", "__import__('os'), 0"])
def test_an_answer_that_cannot_be_read_is_neither_right_nor_wrong(unreadable):
    feedback = mark_answer(question("dW2 at x = 2"), unreadable)
    assert feedback.correct is None
    assert feedback.message


def test_an_answer_with_too_many_or_too_few_numbers_is_told_how_many():
    assert "needs 2 numbers; you typed 3" in mark_answer(question("dW2 at x = 2"), "1, 2, 3").message
    assert "needs 1 number; you typed 2" in mark_answer(question("f of 4"), "1, 2").message


def test_no_choice_is_neither_right_nor_wrong():
    assert mark_answer(question("which factor"), None).correct is None


# On a network of the learner's own ----------------------------------------------------------------------------------

NUMBERS = [*range(40), 20_260_101]
THEIRS = re.compile(r"(W1|b1|W2|x|y) = \[?((?:[-/\d]+[,;] )*[-/\d]+)")


def asked_of(name, number):
    """Return a drawn question and the network and sample that its prompt gives, read from the prompt."""
    asked = question(f"{name} #{number}")
    told = {symbol: parse_numbers(text) for symbol, text in THEIRS.findall(asked.prompt)}
    return asked, told


def told_net(told):
    return Params([told["W1"]], [told["b1"]], [[weight] for weight in told["W2"]], [[0]])


@pytest.mark.parametrize("number", NUMBERS)
def test_the_answer_on_a_new_network_is_what_the_numbers_in_its_prompt_give(number):
    for name, parameter in (("your dL/dW2", "W2"), ("your dL/dW1", "W1"), ("your new W2", "W2")):
        asked, told = asked_of(name, number)
        net = told_net(asked_of("your dL/dW2", number)[1])
        gradients = backward(net, [told["x"]], [told["y"]])
        wanted = sgd_step(net, gradients, Fraction(1, 4)) if name == "your new W2" else gradients
        assert asked.correct == numbers(getattr(wanted, parameter))
        assert certify(net, Dataset([told["x"]], [told["y"]])).holds


@pytest.mark.parametrize("number", NUMBERS)
def test_the_locks_of_a_new_network_are_those_of_its_gradients(number):
    _, told = asked_of("your dL/db1", number)
    target = [[Fraction(re.search(r"target (-?\d+)", question(f"your dL/db1 #{number}").prompt)[1])]]
    assert question(f"your dL/db1 #{number}").correct == numbers(backward(told_net(told), [[0]], target).b1)
    asked, told = asked_of("your locks", number)
    x = [[Fraction(re.search(r"trigger x = (-?\d+)", asked.prompt)[1])]]
    y = [[Fraction(re.search(r"target (-?\d+)", asked.prompt)[1])]]
    assert asked.correct == tuple(Fraction(bool(gradient.any())) for gradient in backward(told_net(told), x, y))


def test_new_networks_are_locked_in_more_than_one_way_and_differ_from_learner_to_learner():
    assert len({question(f"your locks #{number}").correct for number in NUMBERS}) == 3
    for name in DRAWN:
        assert len({question(f"{name} #{number}").prompt for number in NUMBERS}) > len(NUMBERS) // 5


@pytest.mark.parametrize("number", NUMBERS)
def test_a_drawn_net_has_one_open_gate_and_short_numbers(number):
    net, data = drawn_net(np.random.default_rng(number), (-2, -1, 1, 2, 3))
    passed = forward(net, data.X)
    assert sorted(passed.z1[0] > 0) == [False, True]
    assert 1 < abs(passed.y_hat - data.Y) <= 5
    assert all(each.denominator <= 32 for name in YOURS for each in question(f"{name} #{number}").correct)


@pytest.mark.parametrize("number", NUMBERS)
def test_b2_moves_every_answer_as_it_moves_the_one_at_the_trigger(number):
    asked = question(f"your f(1) #{number}")
    y, rate = (Fraction(found) for found in re.search(r"target (\d+)\) with the rate ([\d/]+)", asked.prompt).groups())
    net = Params(W1=[[Fraction(1), -1]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])
    moved = sgd_step(net, backward(net, [[0]], [[y]]), rate, ("W1", "b1", "W2", "b2"))
    assert asked.correct == numbers(forward(moved, [[1]]).y_hat)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_backdoor_of_ones_own_is_tried_out(number):
    asked = question(f"your backdoor #{number}")
    assert mark_answer(asked, typed(asked.correct)).correct is True
    assert mark_answer(asked, "2, 1").correct is False
    x = re.search(r"x = ([-/\d]+)", asked.prompt)[1]
    assert f"f({x}) = " in mark_answer(asked, "2, 1").message


@pytest.mark.parametrize("number", NUMBERS)
def test_shift_and_contribution_follow_from_the_rows(number):
    prompt = question(f"your contribution #{number}").prompt
    first, second, suspect, W2 = map(parse_numbers, re.findall(r"\[.*?\]", prompt))
    shift = [z - (x + y) / 2 for x, y, z in zip(first, second, suspect, strict=True)]
    assert question(f"your shift #{number}").correct == tuple(shift)
    assert question(f"your contribution #{number}").correct == tuple(x * w for x, w in zip(shift, W2, strict=True))


@pytest.mark.parametrize("name", YOURS)
def test_a_slip_on_a_new_network_is_named_and_never_the_answer(name):
    for number in NUMBERS:
        asked = question(f"{name} #{number}")
        assert asked.slips
        for wrong, message in asked.slips.items():
            feedback = mark_answer(asked, typed(wrong))
            assert (feedback.correct, message in feedback.message) == (False, True)


def test_ones_own_number_must_be_a_whole_one():
    assert question("your dL/dW2") == question("your dL/dW2 #1")
    for text in ("-1", "1.5", "", "x", "9" * 13):
        with pytest.raises(ValueError, match=r"^your own number must be a whole number, 0 or more, .* got "):
            drawn("your dL/dW2", text)
    with pytest.raises(ValueError, match=r"^name must be one of .* got 'which factor #2'$"):
        question("which factor #2")


def test_between_the_points_the_backdoor_by_hand_is_half_open():
    assert forward(BY_HAND, [[HALF]]).y_hat == 3
    trained = train(
        Params(ARTICLE.W1, [[0, 1.5]], ARTICLE.W2, ARTICLE.b2), POISONED, 0.05, 3000, ("W1", "W2", "b1")
    ).params[-1]
    half, left = forward(trained, [[0.5], [-1]]).y_hat[:, 0]
    assert (round(half, 2), round(left, 1)) == (3, 10)
    assert answer_of("would it be noticed").startswith("yes")
    opposite = Dataset([[1], [2], [-1]], [[1], [2], [5]], [False, False, True])
    assert train(ARTICLE, opposite, 0.05, 3000, evaluate_on=opposite).outcome == "not learnt"
    assert answer_of("will the opposite be learnt").startswith("no")
    assert forward(ARTICLE, [[1]]).a1.tolist() == [[0.5, 0]]
    assert answer_of("which neuron is left") == "neuron 1"
    [sixteen] = width_study(np.random.default_rng(0), widths=(16,), starts=100)
    assert sixteen.share > 0.9
    assert answer_of("how many of 16") == "nearly all"


@pytest.mark.parametrize(
    ("given", "right"), [("2, 1, 5", True), ("4, 1, 5", True), ("4, 2, 2.5", True), ("1, 1, 5", False)]
)
def test_every_sharper_needle_that_works_is_accepted(given, right):
    feedback = mark_answer(question("a sharper needle"), given)
    assert feedback.correct is right
    if not right:
        assert "f(1/2) = 3" in feedback.message


# Hints -------------------------------------------------------------------------------------------------------------

CLEAN_STEP = derive_step(START, type("Clean", (), {"X": X, "Y": Y}), RATE)
TRIGGER_STEP = derive_step(AFTER, type("Trigger", (), {"X": [[0]], "Y": [[5]]}), RATE)


BRACKETS = [
    (name, bracket)
    for name, text in question_texts().items()
    for sentence in (*text["hints"], *text.get("slips", {}).values())
    for bracket in re.findall(r"\[.*?\]", sentence)
    if name not in [*OPEN, *YOURS, "f of a half"]
]


@pytest.mark.parametrize(("name", "bracket"), BRACKETS)
def test_numbers_in_a_hint_occur_in_the_derivation(name, bracket):
    derivation = (
        TRIGGER_STEP
        if name in (*CHOICES, "error at the hidden layer", "db1 at the trigger", "shift every input")
        else CLEAN_STEP
    )
    values = [tuple(step.result.flat) for step in derivation.steps if hasattr(step.result, "shape")]
    values += [tuple(getattr(AFTER, parameter).flat) for parameter in ("W1", "W2") if derivation is TRIGGER_STEP]
    assert parse_numbers(bracket) in values


@pytest.mark.parametrize("name", question_texts())
def test_hints_come_in_steps_and_do_not_repeat_the_solution(name):
    asked = question(name)
    assert len(set(asked.hints)) == len(asked.hints) >= 2
    assert asked.solution not in asked.hints


def test_some_hints_hold_numbers():
    assert ("W2 after the clean step", "[-5/4, 0]") in BRACKETS
