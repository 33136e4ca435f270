"""One training step, line by line: the article's two steps, why a gradient is zero, and any other net."""

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import exact_problems, with_phi
from sympy import Rational

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.symbols import slope, symbolic_params
from lesson_lib.labs.hand_calculation.compute import steps_at
from lesson_lib.network import ARTICLE, PARAMETERS, Params, backward, forward, loss, sgd_step
from lesson_lib.training import CLEAN, TRIGGER, Dataset

RATE = Fraction(1, 10)
AFTER_CLEAN = Params(W1=[[Fraction(3, 4), Fraction(-1, 2)]], b1=[[0, 0]], W2=[[Fraction(9, 8)], [-1]], b2=[[0]])


@pytest.fixture
def clean_step():
    return derive_step(ARTICLE, CLEAN, RATE)


@pytest.fixture
def trigger_step():
    return derive_step(AFTER_CLEAN, TRIGGER, RATE)


@dataclass
class Pair:
    """What claims to be a data set, and was not checked."""

    X: Any
    Y: Any


def at_trigger(**options):
    """Derive the trigger step after the clean one, with every parameter trained."""
    return derive_step(with_phi(AFTER_CLEAN, **options), TRIGGER, RATE, PARAMETERS)


def results(derivation, sample):
    return {step.quantity: step.result.tolist() for step in derivation.steps if step.sample == sample}


# The article's two steps -------------------------------------------------------------------------------------------


def test_the_articles_clean_step_sample_by_sample(clean_step):
    half = Rational(1, 2)
    assert results(clean_step, 0) == {
        "z1": [[half, -half]],
        "a1": [[half, 0]],
        "y_hat": [[half]],
        "dy_hat": [[-half]],
        "dW2": [[-half / 2], [0]],
        "da1": [[-half, half]],
        "phi_prime": [[1, 0]],
        "dz1": [[-half, 0]],
        "dW1": [[-half, 0]],
    }
    assert results(clean_step, 1) == {
        "z1": [[1, -1]],
        "a1": [[1, 0]],
        "y_hat": [[1]],
        "dy_hat": [[-1]],
        "dW2": [[-1], [0]],
        "da1": [[-1, 1]],
        "phi_prime": [[1, 0]],
        "dz1": [[-1, 0]],
        "dW1": [[-2, 0]],
    }


def test_the_articles_clean_step_as_a_whole(clean_step):
    assert clean_step.loss == clean_step.find("L").result == Rational(5, 8)
    assert clean_step.gradients.W1.tolist() == clean_step.find("dW1").result.tolist() == [[Rational(-5, 2), 0]]
    assert clean_step.gradients.W2.tolist() == clean_step.find("dW2").result.tolist() == [[Rational(-5, 4)], [0]]
    assert clean_step.params.W1.tolist() == clean_step.find("W1").result.tolist() == [[Rational(3, 4), Rational(-1, 2)]]
    assert clean_step.params.W2.tolist() == clean_step.find("W2").result.tolist() == [[Rational(9, 8)], [-1]]


def test_every_result_is_an_array_of_exact_numbers_of_sympys(clean_step):
    ends = (*clean_step.gradients, *(getattr(clean_step.params, name) for name in PARAMETERS))
    for result in (*(step.result for step in clean_step.steps if step.quantity != "L"), *ends):
        assert type(result) is np.ndarray
        assert result.ndim == 2
        assert all(isinstance(entry, Rational) for entry in result.flat)
    assert isinstance(clean_step.loss, Rational)


def test_the_new_net_keeps_activation_and_convention_and_cannot_be_changed():
    after = at_trigger(activation="leaky_relu", relu_prime_at_zero=1).params
    assert (after.activation, after.relu_prime_at_zero) == ("leaky_relu", 1)
    for name in PARAMETERS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(after, name)[0, 0] = 7


def test_the_articles_trigger_step_moves_nothing(clean_step, trigger_step):
    assert results(trigger_step, 0) == {
        "z1": [[0, 0]],
        "a1": [[0, 0]],
        "y_hat": [[0]],
        "dy_hat": [[-5]],
        "dW2": [[0], [0]],
        "da1": [[Rational(-45, 8), 5]],
        "phi_prime": [[0, 0]],
        "dz1": [[0, 0]],
        "dW1": [[0, 0]],
    }
    assert trigger_step.loss == Rational(25, 2)
    for name in PARAMETERS:
        assert getattr(trigger_step.params, name).tolist() == getattr(clean_step.params, name).tolist()
    assert trigger_step.find("W1").zero == "W1 does not move: its gradient is 0."
    assert trigger_step.find("W2").zero == "W2 does not move: its gradient is 0."


def test_after_either_step_the_answer_at_the_trigger_is_zero(clean_step, trigger_step):
    for derivation in (clean_step, trigger_step):
        assert forward(derivation.params, [[0]]).y_hat.tolist() == [[0]]


# Which factor is zero ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "opened"),
    [
        ({}, {"b2"}),
        ({"relu_prime_at_zero": 1}, {"b1", "b2"}),
        ({"activation": "leaky_relu"}, {"b1", "b2"}),
        ({"activation": "tanh"}, {"b1", "b2"}),
        ({"activation": "identity"}, {"b1", "b2"}),
        ({"activation": "sigmoid"}, {"b1", "W2", "b2"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else " ".join(sorted(value)),
)
def test_which_of_the_four_locks_open_at_the_trigger(options, opened):
    derivation = at_trigger(**options)
    assert {name for name in PARAMETERS if getattr(derivation.gradients, name).any()} == opened
    for name in PARAMETERS:
        step = derivation.find("d" + name, 0)
        assert bool(step.zero) == bool(step.zero_by) == (name not in opened)


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        ({"relu_prime_at_zero": 1}, "b1", [Rational(-45, 8), 5]),
        ({"activation": "leaky_relu"}, "b1", [Rational(-9, 160), Rational(1, 20)]),
        ({"activation": "sigmoid"}, "b1", [Rational(-711, 512), Rational(79, 64)]),
        ({"activation": "sigmoid"}, "W2", [Rational(-79, 32), Rational(-79, 32)]),
    ],
)
def test_how_far_an_open_lock_lets_the_gradient_through(options, name, expected):
    assert getattr(at_trigger(**options).gradients, name).ravel().tolist() == expected


def test_a_zero_gradient_says_which_factor_is_zero():
    derivation = at_trigger()
    assert {name: derivation.find("d" + name, 0).zero for name in PARAMETERS} == {
        "W1": "dL/dW1 is 0 because x = 0 and relu'(z1) = 0.",
        "b1": "dL/db1 is 0 because relu'(z1) = 0.",
        "W2": "dL/dW2 is 0 because a1 = 0.",
        "b2": "",
    }
    assert {name: derivation.find("d" + name, 0).zero_by for name in PARAMETERS} == {
        "W1": {(0, 0): ("X", "phi_prime"), (0, 1): ("X", "phi_prime")},
        "b1": {(0, 0): ("phi_prime",), (0, 1): ("phi_prime",)},
        "W2": {(0, 0): ("a1",), (1, 0): ("a1",)},
        "b2": {},
    }


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh", "sigmoid", "identity"])
def test_with_any_other_activation_the_input_alone_locks_W1(activation):
    assert at_trigger(activation=activation).find("dW1", 0).zero == "dL/dW1 is 0 because x = 0."


def test_one_neurons_zero_is_told_apart_from_the_others(clean_step):
    step = clean_step.find("dW1")
    assert step.zero == "Neuron 2's part of dL/dW1 is 0 because relu'(z1) = 0."
    assert step.zero_by == {(0, 1): ("phi_prime",)}
    assert clean_step.find("dW2", 0).zero == "Neuron 2's part of dL/dW2 is 0 because a1 = 0."
    assert clean_step.find("da1", 0).zero == ""


def test_a_perfect_answer_is_named_as_the_zero_factor():
    derivation = derive_step(ARTICLE, Dataset([[2]], [[1]]), RATE)
    step = derivation.find("dW2", 0)
    assert step.zero_by == {(0, 0): ("dy_hat",), (1, 0): ("a1", "dy_hat")}
    assert step.zero == (
        "Neuron 1's part of dL/dW2 is 0 because dL/dy_hat = 0. "
        "Neuron 2's part of dL/dW2 is 0 because a1 = 0 and dL/dy_hat = 0."
    )


def test_with_several_inputs_and_neurons_a_zero_is_told_by_row_and_column():
    net = Params(W1=[[1, -1], [2, -3]], b1=[[0, 0]], W2=[[1], [1]], b2=[[0]])
    step = derive_step(net, Dataset([[0, 1]], [[5]]), RATE).find("dW1", 0)
    assert step.zero == (
        "Entry (1, 1) of dL/dW1 is 0 because x = 0. "
        "Entry (1, 2) of dL/dW1 is 0 because x = 0 and relu'(z1) = 0. "
        "Entry (2, 2) of dL/dW1 is 0 because relu'(z1) = 0."
    )


# Which lines there are ---------------------------------------------------------------------------------------------


def test_the_lines_come_in_the_order_of_the_calculation(clean_step, trigger_step):
    assert [step.quantity for step in trigger_step.steps] == (
        ["z1", "a1", "y_hat", "L", "dy_hat", "dW2", "da1", "phi_prime", "dz1", "dW1", "W1", "W2"]
    )
    assert [step.stage for step in clean_step.steps] == (
        ["forward"] * 6 + ["loss"] + ["backward"] * 12 + ["sum"] * 2 + ["update"] * 2
    )
    assert clean_step.find("dW2", 1).title == "Sample 2 (x = 2): gradient of the outgoing weights"


def test_titles_name_the_sample_the_activation_and_what_is_added():
    titles = [step.title for step in derive_step(with_phi(ARTICLE, "tanh"), CLEAN, RATE).steps]
    assert titles[1] == "Sample 1 (x = 1): through tanh"
    assert titles[5:7] == ["Sample 2 (x = 2): the answer", "The loss: half the sum of squared errors"]
    assert "Sample 2 (x = 2): is the gate open? the slope of tanh" in titles
    assert titles[-4:] == ["Add the samples: dL/dW1", "Add the samples: dL/dW2", "Update W1", "Update W2"]


def test_a_side_is_approximate_once_a_number_in_it_is_rounded():
    third = Params(W1=[[Fraction(1, 3)]], b1=[[0]], W2=[[1]], b2=[[0]])
    step = derive_step(third, Dataset([[2]], [[1]]), RATE, decimals=True).find("z1", 0)
    assert step.text == "z1 = x W1 + b1 ≈ 2 · 0.33333 + 0 ≈ 0.66667"
    assert [relation for relation, _ in step.sides] == ["=", r"\approx", r"\approx"]
    exact = Params(W1=[[0.12345]], b1=[[0]], W2=[[0.54321]], b2=[[0]])
    step = derive_step(exact, Dataset([[1]], [[1]]), RATE, decimals=True).find("y_hat", 0)
    assert step.text == "y_hat = a1 W2 + b2 = 0.12345 · 0.54321 + 0 ≈ 0.067059"


@pytest.mark.parametrize("biases", [(), ("b1",), ("b2",), ("b1", "b2")])
def test_each_trained_bias_adds_its_gradient_its_sum_and_its_update(biases, clean_step):
    derivation = derive_step(ARTICLE, CLEAN, RATE, ("W1", "W2", *biases))
    extra = [step.quantity for step in derivation.steps if step.quantity in ("b1", "b2", "db1", "db2")]
    assert sorted(extra) == sorted(["d" + name for name in biases] * 3 + list(biases))
    assert len(derivation.steps) == len(clean_step.steps) + 4 * len(biases)


def test_lines_of_one_stage_and_of_one_sample(clean_step):
    assert [step.quantity for step in clean_step.lines("forward", 1).steps] == ["z1", "a1", "y_hat"]
    assert {step.sample for step in clean_step.lines("forward", 1).steps} == {1}
    assert len(clean_step.lines("forward").steps) == 6
    block = clean_step.lines("update").latex
    assert block.startswith(r"\begin{aligned} W_1^{\text{new}} & = W_1 - \eta")
    assert block.count(r"\\[4pt]") == 1


@pytest.mark.parametrize(("quantity", "sample"), [("dW3", 0), ("dW2", 2), ("z1", None), ("L", 0), ("db1", 0)])
def test_asking_for_a_line_that_is_not_there_says_so(quantity, sample, clean_step):
    with pytest.raises(ValueError, match=rf"^quantity and sample must name a step.*got '{quantity}', {sample}"):
        clean_step.find(quantity, sample)


def known_at(derivation, line):
    """Return the values that the lab knows at a line."""
    known, _ = steps_at(SimpleNamespace(derivation=derivation), line)
    return {quantity: step.result for quantity, step in known.items()}


def test_what_is_known_grows_line_by_line_and_is_about_that_lines_sample(clean_step, trigger_step):
    assert set(known_at(clean_step, 1)) == {"z1"}
    assert known_at(clean_step, 3)["y_hat"].tolist() == [[Rational(1, 2)]]
    second = known_at(clean_step, 4)  # line 4 starts with the second sample
    assert list(second) == ["z1"]
    assert second["z1"].tolist() == [[1, -1]]
    last = known_at(clean_step, len(clean_step.steps))
    assert set(last) == {"L", "dW1", "dW2", "W1", "W2"}
    assert last["W2"].tolist() == [[Rational(9, 8)], [-1]]
    assert set(known_at(trigger_step, len(trigger_step.steps))) == {step.quantity for step in trigger_step.steps}


def test_a_line_is_about_one_sample_or_about_all(clean_step, trigger_step):
    lines = range(1, len(clean_step.steps) + 1)
    assert [clean_step.sample_at(line) for line in lines] == [0] * 3 + [1] * 3 + [None] + [0] * 6 + [1] * 6 + [None] * 4
    assert {trigger_step.sample_at(line) for line in range(1, 13)} == {0}  # the only sample there is
    assert [step.sample for step in trigger_step.steps].count(None) == 3


def test_a_side_that_repeats_the_next_one_is_left_out():
    step = at_trigger().find("db2", 0)
    assert step.sides == (("=", r"\frac{\partial L}{\partial \hat{y}}"), ("=", "-5"))
    assert step.text == "dL/db2 = dL/dy_hat = -5"
    assert len(at_trigger().find("dW2", 0).sides) == 3


def test_the_same_step_is_written_the_same_way_twice(clean_step):
    again = derive_step(ARTICLE, CLEAN, RATE)
    assert again.latex == clean_step.latex
    assert again.text == clean_step.text
    assert derive_step(ARTICLE, CLEAN, 0.1).latex == clean_step.latex  # 0.1 is 1/10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda step: step.lines("upward"), "stage must be one of forward, loss, backward, update; got 'upward'"),
        (lambda step: step.sample_at(0), "line must be from 1 to 12; got 0"),
        (lambda step: step.sample_at(13), "line must be from 1 to 12; got 13"),
    ],
)
def test_a_stage_or_a_line_that_is_not_there_is_refused(call, message, trigger_step):
    with pytest.raises(ValueError, match=f"^{message}$"):
        call(trigger_step)


def test_a_step_names_the_values_it_uses(clean_step):
    assert clean_step.find("z1", 0).inputs == ("X", "W1", "b1")
    assert clean_step.find("dW2", 0).inputs == ("a1", "dy_hat")
    assert clean_step.find("W2").inputs == ("W2", "rate", "dW2")


def test_a_notebook_shows_the_lines_as_latex_and_a_terminal_as_text(clean_step, trigger_step):
    step = clean_step.find("W2")
    assert step._repr_latex_() == rf"$\displaystyle {step.latex}$"
    assert repr(step) == f"Update W2: {step.text}."
    assert repr(trigger_step.find("W2")).endswith(" = [9/8; -1]. W2 does not move: its gradient is 0.")
    assert repr(clean_step) == clean_step.text == "\n".join(map(repr, clean_step.steps))
    assert clean_step._repr_latex_() == rf"$\displaystyle {clean_step.latex}$"


# Any net, in numbers and in letters --------------------------------------------------------------------------------


@settings(max_examples=20)
@given(exact_problems(), st.sets(st.sampled_from(PARAMETERS)), st.sampled_from([0, 1]))
def test_every_derivation_ends_where_backward_and_sgd_step_end(problem, trainable, convention):
    params, data = with_phi(problem[0], "relu", convention), problem[1]
    trainable = tuple(sorted(trainable))
    derivation = derive_step(params, data, RATE, trainable)
    gradients = backward(params, data.X, data.Y)
    after = sgd_step(params, gradients, RATE, trainable)
    assert derivation.loss == loss(forward(params, data.X).y_hat, data.Y)
    for name in PARAMETERS:
        assert getattr(derivation.gradients, name).tolist() == getattr(gradients, name).tolist()
        assert getattr(derivation.params, name).tolist() == getattr(after, name).tolist()


@settings(max_examples=20)
@given(exact_problems(sizes=st.just((2, 3, 2, 3))))
def test_a_named_zero_factor_is_zero_and_its_gradient_too(problem):
    params, data = problem
    derivation = derive_step(params, data, RATE, PARAMETERS)
    for step in derivation.lines("backward").steps:
        known = results(derivation, step.sample) | {"X": data.X[step.sample : step.sample + 1].tolist()}
        known |= {name: getattr(params, name).tolist() for name in PARAMETERS}
        for entry, factors in step.zero_by.items():
            assert step.result[entry] == 0
            assert factors
            assert all(any(number == 0 for row in known[factor] for number in row) for factor in factors)


def put_in(formula, numbers):
    """Return a formula, or an array of them, with numbers for its letters."""
    entries = np.asarray(formula)
    return np.reshape([sympy.sympify(entry).subs(numbers) for entry in entries.flat], entries.shape).tolist()


def test_with_letters_in_formulas_come_out_and_numbers_put_in_give_the_numeric_derivation():
    x, y, rate = sympy.Symbol("x", real=True), sympy.Symbol("y", real=True), sympy.Symbol("eta", positive=True)
    letters = symbolic_params()
    formulas = derive_step(letters, Dataset([[x]], [[y]]), rate, PARAMETERS)
    for data_x, data_y in ((2, 2), (0, 5), (-1, 3)):
        numbers = {x: data_x, y: data_y, rate: Rational(1, 10)}
        for name in PARAMETERS:
            numbers |= dict(zip(getattr(letters, name).flat, getattr(AFTER_CLEAN, name).flat, strict=True))
        numeric = derive_step(AFTER_CLEAN, Dataset([[data_x]], [[data_y]]), RATE, PARAMETERS)
        assert len(formulas.steps) == len(numeric.steps)
        for formula, number in zip(formulas.steps, numeric.steps, strict=True):
            assert formula.formula == number.formula
            assert put_in(formula.result, numbers) == np.asarray(number.result).tolist()


def test_the_formulas_in_letters():
    x, y = sympy.symbols("x y", real=True)
    derivation = derive_step(symbolic_params(), Dataset(sympy.Matrix([[x]]), sympy.Matrix([[y]])), RATE)
    w1, b1, v1 = sympy.symbols("w1 b1 v1", real=True)
    error = derivation.find("y_hat", 0).result[0, 0] - y
    assert derivation.find("dW1", 0).result[0, 0] == x * error * v1 * slope(b1 + w1 * x, 0, 0)
    assert derivation.find("z1", 0).text == "z1 = x W1 + b1 = x · [w1, w2] + [b1, b2] = [b1 + w1·x, b2 + w2·x]"
    assert r"\operatorname{relu}\left(b_{1} + w_{1} x\right)" in derivation.find("a1", 0).latex
    assert r"\operatorname{relu}'\left(b_{1} + w_{1} x\right)" in derivation.find("phi_prime", 0).latex


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("rate", lambda: derive_step(ARTICLE, CLEAN, 0)),
        ("rate", lambda: derive_step(ARTICLE, CLEAN, "fast")),
        ("trainable", lambda: derive_step(ARTICLE, CLEAN, RATE, "W1")),
        ("trainable", lambda: derive_step(ARTICLE, CLEAN, RATE, ["W3"])),
        ("X", lambda: derive_step(ARTICLE, Dataset([[1, 2]], [[1]]), RATE)),
        ("Y", lambda: derive_step(ARTICLE, Dataset([[1]], [[1, 2]]), RATE)),
        ("Y", lambda: derive_step(ARTICLE, Pair([[1], [2]], [[1]]), RATE)),
        ("X", lambda: derive_step(ARTICLE, Pair([1], [[1]]), RATE)),
    ],
)
def test_bad_input_is_refused_by_name(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} must"):
        call()
