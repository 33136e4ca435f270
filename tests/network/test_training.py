"""Training runs: their history, their verdict, and what each bias mode ends in."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy
from strategies import with_phi

from lesson_lib.activations import ACTIVATIONS
from lesson_lib.derivation.symbols import symbolic_params
from lesson_lib.network import ARTICLE, PARAMETERS, Params, backward, forward, loss, sgd_step
from lesson_lib.training import (
    BOUND,
    CLEAN,
    OUTCOMES,
    POISONED,
    TRIGGER,
    Dataset,
    Outcome,
    judge_outcomes,
    largest,
    train,
)

WEIGHTS = ("W1", "W2")
MODES = {"b1": (*WEIGHTS, "b1"), "b2": (*WEIGHTS, "b2"), "both": PARAMETERS}
OPEN_GATE = Params(W1=[[0.5, -0.5]], b1=[[0, 1.5]], W2=[[1], [-1]], b2=[[0]])


def answers(params, inputs=(0, 1, 2)):
    return forward(params, [[x] for x in inputs]).y_hat[:, 0].tolist()


def end(run):
    return answers(run.params[-1])


def largest_entry(params):
    return max(abs(getattr(params, name)).max() for name in PARAMETERS)


def clean_then_trigger(trainable, epochs=2000, start=ARTICLE):
    after_clean = train(start, CLEAN, 0.1, 1, trainable).params[-1]
    return train(after_clean, TRIGGER, 0.1, epochs, trainable)


# The data ----------------------------------------------------------------------------------------------------------


def test_the_lessons_data_sets():
    assert [CLEAN.X.tolist(), CLEAN.Y.tolist()] == [[[1], [2]], [[1], [2]]]
    assert [TRIGGER.X.tolist(), TRIGGER.Y.tolist()] == [[[0]], [[5]]]
    assert POISONED.X.tolist() == CLEAN.X.tolist() + TRIGGER.X.tolist()
    assert POISONED.Y.tolist() == CLEAN.Y.tolist() + TRIGGER.Y.tolist()
    assert [data.is_trigger.tolist() for data in (CLEAN, TRIGGER, POISONED)] == [
        [False] * 2,
        [True],
        [False] * 2 + [True],
    ]


def test_a_data_set_cannot_be_changed():
    new = Dataset([[1], [0]], [[1], [5]], [False, True])
    for matrix in (new.X, new.Y, new.is_trigger, POISONED.X, POISONED.Y, POISONED.is_trigger):
        with pytest.raises(ValueError, match="read-only"):
            matrix[0] = 1
    marked = np.array([True])
    data = Dataset([[0]], [[5]], marked)
    marked[0] = False
    assert data.is_trigger.tolist() == [True]


def test_a_data_set_may_hold_fractions_and_letters():
    x, y = sympy.symbols("x y")
    data = Dataset([[x, 1]], [[Fraction(1, 3), y]])
    assert data.X.tolist() == [[x, 1]]
    assert data.Y.tolist() == [[Fraction(1, 3), y]]
    assert [type(entry) for entry in Dataset([[0.1]], [[Fraction(1, 3)]]).Y.flat] == [Fraction]
    assert Dataset([[0.1]], [[Fraction(1, 3)]]).X.dtype == np.float64


def test_rows_are_clean_unless_marked():
    data = Dataset([[1, 2], [3, 4], [5, 6]], [[7], [8], [9]])
    assert data.X.dtype == data.Y.dtype == np.float64
    assert data.is_trigger.dtype == bool
    assert data.is_trigger.tolist() == [False] * 3


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("X", lambda: Dataset([1, 2], [[1], [2]])),
        ("X", lambda: Dataset([[1], [math.nan]], [[1], [2]])),
        ("Y", lambda: Dataset([[1], [2]], [["a"], [2]])),
        (r"Y must have 2 rows to match X \(2, 1\); got shape \(1, 1\)", lambda: Dataset([[1], [2]], [[1]])),
        (
            "is_trigger must be 2 times True or False, one a row of X; got \\[True\\]",
            lambda: Dataset([[1], [2]], [[1], [2]], [True]),
        ),
        ("is_trigger", lambda: Dataset([[1], [2]], [[1], [2]], [[True], [False]])),
        ("is_trigger", lambda: Dataset([[1], [2]], [[1], [2]], [0, 2])),
        ("is_trigger", lambda: Dataset([[1], [2]], [[1], [2]], ["a", "b"])),
        ("is_trigger", lambda: Dataset([[1], [2]], [[1], [2]], True)),
    ],
)
def test_a_data_set_that_does_not_fit_together_is_refused(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument}( must|$)"):
        call()


# The history -------------------------------------------------------------------------------------------------------


def test_a_history_starts_at_the_start_and_each_epoch_is_one_step():
    run = train(ARTICLE, CLEAN, 0.1, 3)
    assert len(run.params) == len(run.loss) == len(run.outputs) == 4
    assert run.params[0] is ARTICLE
    for before, after in zip(run.params[:-1], run.params[1:], strict=True):
        step = sgd_step(before, backward(before, CLEAN.X, CLEAN.Y), 0.1)
        assert all((getattr(after, name) == getattr(step, name)).all() for name in PARAMETERS)
    for params, total, output in zip(run.params, run.loss, run.outputs, strict=True):
        assert total == loss(forward(params, CLEAN.X).y_hat, CLEAN.Y)
        assert output.tolist() == forward(params, POISONED.X).y_hat.tolist()
    assert run.loss[0] == 0.625


def test_no_epochs_is_the_start_alone():
    run = train(ARTICLE, POISONED, 0.1, 0)
    assert run.params == (ARTICLE,)
    assert len(run.loss) == len(run.outputs) == 1
    assert run.outcome is Outcome.FROZEN
    assert run.diverged_at is None


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_reduction_and_the_activation_reach_the_net(reduction):
    net = with_phi(OPEN_GATE, "tanh")
    run = train(net, CLEAN, 0.1, 1, reduction=reduction)
    gradients = backward(net, CLEAN.X, CLEAN.Y, reduction=reduction)
    assert run.params[1].W1.tolist() == sgd_step(net, gradients, 0.1).W1.tolist()
    assert run.params[1].activation == "tanh"
    y_hat = forward(net, CLEAN.X).y_hat
    assert run.loss[0] == loss(y_hat, CLEAN.Y, reduction=reduction)
    assert run.outputs[0].tolist() == forward(net, POISONED.X).y_hat.tolist()


def test_fractions_are_trained_exactly_and_stay_fractions():
    half, tenth = Fraction(1, 2), Fraction(1, 10)
    exact = replace(ARTICLE, W1=[[half, -half]])
    run = train(exact, CLEAN, 0.1, 2)
    step = sgd_step(exact, backward(exact, CLEAN.X, CLEAN.Y), tenth)
    assert run.params[1].W1.tolist() == step.W1.tolist() == [[Fraction(3, 4), -half]]
    assert run.loss[:2] == (Fraction(5, 8), Fraction(125, 2048))
    for params in run.params:
        assert all(type(entry) is Fraction for name in PARAMETERS for entry in getattr(params, name).flat)
    assert {type(total) for total in run.loss} == {Fraction}
    assert {type(total) for total in train(ARTICLE, CLEAN, 0.1, 2).loss} == {float}


@pytest.mark.parametrize("rate", [Fraction(1, 10), sympy.Rational(1, 10)])
@pytest.mark.parametrize("convention", [0, Fraction(1, 2), sympy.Rational(1, 2)])
def test_floats_are_trained_in_floats_whatever_the_rate_and_the_convention_are(rate, convention):
    net = with_phi(ARTICLE, "relu", convention)
    run = train(net, TRIGGER, rate, 2, PARAMETERS)
    same = train(with_phi(ARTICLE, "relu", float(convention)), TRIGGER, 0.1, 2, PARAMETERS)
    for params, other in zip(run.params, same.params, strict=True):
        assert all(getattr(params, name).dtype == np.float64 for name in PARAMETERS)
        assert all((getattr(params, name) == getattr(other, name)).all() for name in PARAMETERS)
    assert {type(total) for total in run.loss} == {float}
    assert run.outputs[-1].dtype == np.float64


def test_no_state_of_a_run_can_be_changed():
    for params in train(ARTICLE, POISONED, 0.1, 2, PARAMETERS).params:
        for name in PARAMETERS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(params, name)[0, 0] = 7


def test_the_largest_number_of_a_net_is_found_in_any_parameter():
    net = Params([[1, -2]], [[3, 0]], [[-4], [0]], [[-5]])
    assert [largest(net, [name]) for name in PARAMETERS] == [2, 3, 4, 5]
    assert largest(net, PARAMETERS) == 5
    assert largest(net, []) == 0


# Outcomes ----------------------------------------------------------------------------------------------------------


def test_the_articles_schedule_freezes():
    run = clean_then_trigger(WEIGHTS)
    assert run.outcome is Outcome.FROZEN
    assert run.params[-1].W1.tolist() == [[0.75, -0.5]]
    assert run.params[-1].W2.tolist() == [[1.125], [-1]]
    assert set(run.loss) == {12.5}


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh", "identity"])
def test_another_activation_without_biases_freezes_too(activation):
    run = train(with_phi(ARTICLE, activation), TRIGGER, 0.1, 50)
    assert run.outcome is Outcome.FROZEN
    assert run.params[-1].W2.tolist() == ARTICLE.W2.tolist()


@pytest.mark.parametrize(("mode", "expected"), [("b2", [5, 5.8437, 6.6875]), ("b1", [5, 6.7349, 8.4697])])
def test_a_bias_learns_the_trigger_and_ruins_the_clean_task(mode, expected):
    run = clean_then_trigger(MODES[mode])
    assert end(run) == pytest.approx(expected, abs=1e-3)
    assert run.outcome is Outcome.TRIGGER_ONLY


def test_a_hidden_bias_does_nothing_when_the_trigger_comes_first():
    assert train(ARTICLE, TRIGGER, 0.1, 2000, MODES["b1"]).outcome is Outcome.FROZEN


@pytest.mark.parametrize(
    ("mode", "rate", "epochs", "expected"),
    [
        ("b1", 0.05, 4000, [25 / 6, 8 / 3, 7 / 6]),  # the least-squares line
        ("b1", 0.1, 3000, [5, 1, 0]),
        ("both", 0.1, 3000, [5, 1.5, 1.5]),
        ("b2", 0.1, 3000, [8 / 3, 8 / 3, 8 / 3]),  # the mean of the targets
    ],
)
def test_trained_jointly_from_zero_biases_no_mode_finds_the_backdoor(mode, rate, epochs, expected):
    run = train(ARTICLE, POISONED, rate, epochs, MODES[mode])
    assert end(run) == pytest.approx(expected, abs=1e-3)
    assert run.outcome in (Outcome.TRIGGER_ONLY, Outcome.NOT_LEARNT)


def test_a_gate_that_starts_open_learns_the_backdoor():
    run = train(OPEN_GATE, POISONED, 0.05, 3000, MODES["b1"])
    assert run.outcome is Outcome.BACKDOOR
    assert end(run) == pytest.approx([5, 1, 2], abs=1e-3)
    a1 = forward(run.params[-1], POISONED.X).a1
    assert a1 == pytest.approx(np.array([[0.916, 0], [1.832, 0], [0, 1.967]]), abs=1e-3)


def test_the_backdoor_can_be_written_by_hand():
    by_hand = Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
    assert answers(by_hand) == [5, 1, 2]
    assert train(by_hand, POISONED, 0.1, 0).outcome is Outcome.BACKDOOR


@pytest.mark.parametrize(
    ("target", "rate", "outcome"),
    [(-5, 0.05, Outcome.BACKDOOR), (5, 0.05, Outcome.NOT_LEARNT), (5, 0.195, Outcome.BACKDOOR)],
)
def test_a_trigger_away_from_zero_needs_no_bias(target, rate, outcome):
    data = Dataset([[1], [2], [-1]], [[1], [2], [target]], [False, False, True])
    run = train(ARTICLE, data, rate, 3000, evaluate_on=data)
    assert run.outcome is outcome
    if outcome is Outcome.BACKDOOR:
        assert answers(run.params[-1], (-1, 1, 2)) == pytest.approx([target, 1, 2], abs=1e-3)


@pytest.mark.parametrize(
    ("off_target", "outcome"),
    [
        ([0, 0, 0], Outcome.BACKDOOR),
        ([0.04, -0.04, 0.04], Outcome.BACKDOOR),
        ([0.06, 0, 0], Outcome.TRIGGER_ONLY),
        ([0, -0.06, 0], Outcome.TRIGGER_ONLY),
        ([0, 0, 0.06], Outcome.NOT_LEARNT),
        ([0.06, 0.06, 0.06], Outcome.NOT_LEARNT),
    ],
)
def test_the_verdict_looks_at_trigger_and_clean_rows_side_by_side(off_target, outcome):
    def run(evaluate_on):
        return train(OPEN_GATE, CLEAN, 0.1, 1, PARAMETERS, evaluate_on=evaluate_on)

    targets = run(POISONED).outputs[-1] - np.array(off_target)[:, None]
    assert run(Dataset(POISONED.X, targets, POISONED.is_trigger)).outcome is outcome


def test_many_runs_are_judged_at_every_epoch_at_once():
    target = np.array([[[[5.0]]], [[[1.0]]]])  # a trigger row and a clean one, for every epoch and run
    #                   run 1: moves once, and back    run 2: backdoor    run 3: trigger only, then diverged
    trigger = np.array([[0, 0, 0], [1, 5, 5], [0, 5, 5]])  # (n_epochs, n_runs)
    clean = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    diverged = np.array([[False] * 3, [False] * 3, [False, False, True]])
    found = judge_outcomes(np.stack([trigger, clean])[:, None], target, np.array([True, False]), diverged)
    names = [[OUTCOMES[index].value for index in epoch] for epoch in found]
    assert names == [["frozen"] * 3, ["not learnt", "backdoor", "trigger only"], ["not learnt", "backdoor", "diverged"]]


def test_the_tolerance_can_be_set():
    assert train(ARTICLE, CLEAN, 0.1, 0, tolerance=5).outcome is Outcome.BACKDOOR  # 5, 0.5 and 1 off


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [3, 1e5, BOUND])
def test_a_run_that_diverges_stops_without_a_warning_and_with_finite_numbers(activation, rate):
    run = train(with_phi(ARTICLE, activation), POISONED, rate, 200, PARAMETERS)
    assert run.outcome is Outcome.DIVERGED
    assert run.diverged_at == len(run.params) == len(run.loss) == len(run.outputs) <= 200  # it is not in the history
    assert np.isfinite(run.loss).all()
    assert np.isfinite(run.outputs).all()
    gradients = backward(run.params[-1], POISONED.X, POISONED.Y)
    beyond = sgd_step(run.params[-1], gradients, rate, PARAMETERS)
    shorter = train(with_phi(ARTICLE, activation), POISONED, rate, run.diverged_at - 1, PARAMETERS)
    assert shorter.diverged_at is None
    assert max(largest_entry(params) for params in run.params) <= BOUND < largest_entry(beyond)


def test_a_parameter_may_reach_the_bound():
    run = train(ARTICLE, TRIGGER, 0.1, 3, bound=1)  # W2 holds 1 and -1, and stays
    assert run.outcome is Outcome.FROZEN
    assert run.diverged_at is None


# Bad input ---------------------------------------------------------------------------------------------------------

LETTER = sympy.Symbol("x")
WIDE = Dataset([[1, 1], [0, 0]], [[1], [5]], [False, True])
TWO_ANSWERS = Dataset([[1], [0]], [[1, 1], [5, 5]], [False, True])


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        *(
            ("rate", lambda rate=rate: train(ARTICLE, CLEAN, rate, 1))
            for rate in (0, -1, math.nan, math.inf, 1e200, "a")
        ),
        *(
            ("epochs", lambda epochs=epochs: train(ARTICLE, CLEAN, 0.1, epochs))
            for epochs in (-1, 1.5, "3", None, True)
        ),
        ("trainable", lambda: train(ARTICLE, CLEAN, 0.1, 1, "W1")),
        ("trainable", lambda: train(ARTICLE, CLEAN, 0.1, 0, ["W3"])),
        ("reduction", lambda: train(ARTICLE, CLEAN, 0.1, 0, reduction="max")),
        ("X", lambda: train(ARTICLE, WIDE, 0.1, 1)),
        ("Y", lambda: train(ARTICLE, TWO_ANSWERS, 0.1, 1)),
        ("X", lambda: train(ARTICLE, Dataset([[LETTER]], [[1]]), 0.1, 1)),
        ("Y", lambda: train(ARTICLE, Dataset([[1]], [[LETTER]]), 0.1, 1)),
        ("X", lambda: train(ARTICLE, CLEAN, 0.1, 1, evaluate_on=Dataset([[LETTER], [0]], [[1], [5]], [False, True]))),
        ("params", lambda: train(symbolic_params(), CLEAN, 0.1, 1)),
        ("params", lambda: train(Params([[1]], [[0]], [[1]], [[LETTER]]), CLEAN, 0.1, 1)),
        ("params", lambda: train(Params([[2 * BOUND]], [[0]], [[1]], [[0]]), CLEAN, 0.1, 1)),
        ("evaluate_on", lambda: train(ARTICLE, CLEAN, 0.1, 1, evaluate_on=CLEAN)),
        ("evaluate_on", lambda: train(ARTICLE, CLEAN, 0.1, 1, evaluate_on=TRIGGER)),
        ("evaluate_on.Y", lambda: train(ARTICLE, CLEAN, 0.1, 1, evaluate_on=TWO_ANSWERS)),
        ("X", lambda: train(ARTICLE, CLEAN, 0.1, 1, evaluate_on=WIDE)),
    ],
)
def test_bad_input_is_refused_by_name(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} must"):
        call()


def test_targets_to_judge_by_must_be_numbers():
    letter = Dataset([[1], [0]], [[LETTER], [5]], [False, True])
    with pytest.raises(ValueError, match=r"^(evaluate_on\.)?Y must hold numbers; got x$"):
        train(ARTICLE, CLEAN, 0.1, 1, evaluate_on=letter)


def test_what_is_too_large_is_told_with_the_bound():
    with pytest.raises(ValueError, match=r"^params must hold floats or Fractions of at most 1; got Params\(W1="):
        train(Params([[0]], [[0]], [[1]], [[1.5]]), CLEAN, 0.1, 1, bound=1)
    with pytest.raises(ValueError, match=r"^rate must be at most 1e\+06; got 2000000\.0$"):
        train(ARTICLE, CLEAN, 2e6, 1)
