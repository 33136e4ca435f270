"""The net's forward pass, loss, backward pass and step: the article's numbers, and laws that hold for every net."""

import dataclasses
import math
import re
from decimal import Decimal
from fractions import Fraction
from numbers import Rational

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import FORMULA, KINKED, TEXTBOOK, exact_problems, float_problems, with_phi

from lesson_lib.activations import ACTIVATIONS
from lesson_lib.derivation.symbols import symbolic_params, to_sympy
from lesson_lib.network import (
    ARTICLE,
    PARAMETERS,
    Gradients,
    Params,
    backward,
    chain_rule,
    check_rate,
    check_samples,
    errors_and_gradients,
    forward,
    half_squares,
    loss,
    sgd_step,
)

X, Y = [[1], [2]], [[1], [2]]
HALF = Fraction(1, 2)
LETTER = sympy.Symbol("t")  # of which nothing is known, not even its sign
EXACT_ARTICLE = Params(W1=[[HALF, -HALF]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])
SYMPY_ARTICLE = EXACT_ARTICLE.with_arrays(**{name: to_sympy(getattr(EXACT_ARTICLE, name)) for name in PARAMETERS})
ARTICLES = pytest.mark.parametrize("article", [ARTICLE, EXACT_ARTICLE, SYMPY_ARTICLE], ids=["float", "exact", "sympy"])


def each_close(gradients, expected, tolerance=1e-9):
    pairs = zip(gradients, expected, strict=True)
    return all(np.allclose(left, right, rtol=tolerance, atol=tolerance) for left, right in pairs)


# The article's numbers ---------------------------------------------------------------------------------------------


@ARTICLES
def test_the_articles_clean_step(article):
    z1, a1, y_hat = forward(article, X)
    assert z1.tolist() == [[HALF, -HALF], [1, -1]]
    assert a1.tolist() == [[HALF, 0], [1, 0]]
    assert y_hat.tolist() == [[HALF], [1]]
    assert loss(y_hat, Y) == Fraction(5, 8)
    gradients = backward(article, X, Y)
    assert gradients.W1.tolist() == [[Fraction(-5, 2), 0]]
    assert gradients.W2.tolist() == [[Fraction(-5, 4)], [0]]
    after = sgd_step(article, gradients, 0.1)
    assert after.W1.tolist() == [[Fraction(3, 4), -HALF]]
    assert after.W2.tolist() == [[Fraction(9, 8)], [-1]]


def test_every_link_of_the_chain_rule_in_the_articles_clean_step():
    passed = forward(ARTICLE, X)
    factors = chain_rule(ARTICLE, passed, passed.y_hat - Y)
    assert factors.dy_hat.tolist() == [[-0.5], [-1]]
    assert factors.da1.tolist() == [[-0.5, 0.5], [-1, 1]]
    assert factors.phi_prime.tolist() == [[1, 0], [1, 0]]
    assert factors.dz1.tolist() == [[-0.5, 0], [-1, 0]]


@ARTICLES
def test_at_the_articles_trigger_no_weight_moves(article):
    after = sgd_step(article, backward(article, X, Y), Fraction(1, 10))
    assert [matrix.tolist() for matrix in forward(after, [[0]])] == [[[0, 0]], [[0, 0]], [[0]]]
    assert loss(forward(after, [[0]]).y_hat, [[5]]) == Fraction(25, 2)
    gradients = backward(after, [[0]], [[5]])
    assert gradients.W1.tolist() == gradients.b1.tolist() == [[0, 0]]
    assert gradients.W2.tolist() == [[0], [0]]
    assert gradients.b2.tolist() == [[-5]]
    last = sgd_step(after, gradients, Fraction(1, 10))
    assert last.W1.tolist() == [[Fraction(3, 4), -HALF]]
    assert last.W2.tolist() == [[Fraction(9, 8)], [-1]]
    assert forward(last, [[0]]).y_hat.tolist() == [[0]]


def test_fractions_stay_exact_and_floats_stay_float64():
    exact = sgd_step(EXACT_ARTICLE, backward(EXACT_ARTICLE, X, Y), 0.1)  # 0.1 is read as 1/10
    for matrix in (*forward(EXACT_ARTICLE, X), *backward(EXACT_ARTICLE, X, Y), exact.W1, exact.W2):
        assert all(isinstance(entry, Rational) for entry in matrix.flat)
    assert exact.W2[0, 0] == Fraction(9, 8)
    for matrix in (*forward(ARTICLE, X), *backward(ARTICLE, X, Y)):
        assert matrix.dtype == np.float64


def test_sympy_stays_rational():
    step = sgd_step(SYMPY_ARTICLE, backward(SYMPY_ARTICLE, X, Y), 0.1)
    for matrix in (*forward(SYMPY_ARTICLE, X), *backward(SYMPY_ARTICLE, X, Y), step.W1, step.W2):
        assert isinstance(matrix, np.ndarray)
        assert all(isinstance(entry, sympy.Rational) for entry in matrix.flat)


@pytest.mark.parametrize(("numbers", "kind"), [(1.0, float), (HALF, Fraction), (sympy.Rational(1, 2), Fraction)])
def test_the_loss_is_one_number_of_the_kind_it_was_computed_with(numbers, kind):
    for reduction in ("sum", "mean"):
        assert type(loss([[numbers]], [[0]], reduction=reduction)) is kind
        assert type(loss([[0], [numbers]], [[0], [1]], reduction=reduction)) is kind


def test_many_nets_at_once_have_a_loss_each():
    errors = np.arange(6.0).reshape(1, 2, 3)  # (n_samples, n_out, n_nets)
    assert half_squares(errors).tolist() == [9 / 2, 17 / 2, 29 / 2]


def test_the_loss_of_letters_is_a_formula():
    y_hat, y = sympy.symbols("y_hat y", real=True)
    assert loss([[y_hat]], [[y]]) == (y_hat - y) ** 2 / 2
    assert loss([[y_hat], [1]], [[0], [HALF]], reduction="mean") == y_hat**2 / 4 + sympy.Rational(1, 16)


def test_a_rate_may_be_a_letter():
    rate = sympy.Symbol("eta", positive=True)
    after = sgd_step(SYMPY_ARTICLE, backward(SYMPY_ARTICLE, X, Y), rate)
    assert after.W1.tolist() == [[HALF + rate * 5 / 2, -HALF]]


@pytest.mark.parametrize("where", PARAMETERS)
def test_one_fraction_makes_the_whole_net_exact(where):
    floats = Params(W1=[[0.1]], b1=[[0.1]], W2=[[0.1]], b2=[[0.1]])
    mixed = dataclasses.replace(floats, **{where: [[HALF]]})
    assert mixed.is_exact
    assert not mixed.is_symbolic
    for name in PARAMETERS:
        assert getattr(mixed, name).tolist() == [[HALF if name == where else Fraction(1, 10)]]
        assert getattr(floats, name).dtype == np.float64
    assert not floats.is_exact


@pytest.mark.parametrize("where", PARAMETERS)
def test_one_letter_makes_a_net_of_formulas_and_the_rest_stays_exact(where):
    letter = sympy.Symbol("t", real=True)
    net = dataclasses.replace(Params(W1=[[0.1]], b1=[[0.1]], W2=[[0.1]], b2=[[0.1]]), **{where: [[letter]]})
    assert net.is_exact
    assert net.is_symbolic
    for name in PARAMETERS:
        assert getattr(net, name).tolist() == [[letter if name == where else Fraction(1, 10)]]
    assert (
        forward(net, [[2]]).y_hat[0, 0].subs(letter, 3)
        == {
            "W1": Fraction(71, 100),  # (2 * 3 + 0.1) * 0.1 + 0.1
            "b1": Fraction(42, 100),  # (2 * 0.1 + 3) * 0.1 + 0.1
            "W2": 1,  # (2 * 0.1 + 0.1) * 3 + 0.1
            "b2": Fraction(303, 100),  # (2 * 0.1 + 0.1) * 0.1 + 3
        }[where]
    )


def test_sympys_numbers_are_read_as_fractions():
    net = Params(*(to_sympy(getattr(EXACT_ARTICLE, name)) for name in PARAMETERS))
    assert net.is_exact
    assert not net.is_symbolic
    for name in PARAMETERS:
        assert getattr(net, name).tolist() == getattr(EXACT_ARTICLE, name).tolist()
        assert all(type(entry) is Fraction for entry in getattr(net, name).flat)


@pytest.mark.parametrize(
    "rate", [0.1, np.float32(0.1), np.float64(0.1), Fraction(1, 10), sympy.Rational(1, 10)], ids=repr
)
def test_a_step_stays_in_the_nets_kind_of_number_whatever_the_rate_is(rate):
    floats, exact = (sgd_step(net, backward(net, X, Y), rate) for net in (ARTICLE, EXACT_ARTICLE))
    for name in ("W1", "W2"):
        assert getattr(floats, name).dtype == np.float64
        assert all(type(entry) is Fraction for entry in getattr(exact, name).flat)
    assert floats.W2.tolist() == pytest.approx(np.array([[1.125], [-1]]))
    assert exact.W2.tolist() == [[Fraction(9, 8)], [-1]]
    assert not floats.is_exact
    assert not exact.is_symbolic


def test_a_convention_that_is_a_fraction_leaves_a_float_net_in_floats():
    net = with_phi(ARTICLE, "relu", HALF)
    gradients = backward(net, [[0]], [[5]])
    assert gradients.b1.tolist() == [[-2.5, 2.5]]
    assert all(gradient.dtype == np.float64 for gradient in gradients)
    assert sgd_step(net, gradients, 0.1, PARAMETERS).b1.dtype == np.float64


def test_a_net_is_shown_with_its_arrays_and_with_what_is_not_usual_about_it():
    shown = "Params(W1=array([[ 0.5, -0.5]]), b1=array([[0., 0.]]), W2=array([[ 1.],\n       [-1.]]), b2=array([[0.]])"
    assert repr(ARTICLE) == f"{shown})"
    assert repr(with_phi(ARTICLE, "tanh")) == f"{shown}, activation='tanh')"
    assert repr(with_phi(ARTICLE, "relu", 1)) == f"{shown}, relu_prime_at_zero=1)"
    assert repr(with_phi(ARTICLE, "leaky_relu", HALF)) == (
        f"{shown}, activation='leaky_relu', relu_prime_at_zero=Fraction(1, 2))"
    )


def test_another_net_with_other_arrays_keeps_the_rest():
    net = with_phi(EXACT_ARTICLE, "leaky_relu", 1)
    new = np.array([[Fraction(1), Fraction(2)]], dtype=object)
    moved = net.with_arrays(b1=new)
    assert type(moved) is Params
    assert moved.b1 is new
    assert not new.flags.writeable
    assert all(getattr(moved, name) is getattr(net, name) for name in ("W1", "W2", "b2"))
    assert (moved.activation, moved.relu_prime_at_zero) == ("leaky_relu", 1)
    assert net.b1.tolist() == [[0, 0]]


def test_activation_and_convention_are_kept_by_a_step():
    net = with_phi(ARTICLE, "leaky_relu", 0.5)
    after = sgd_step(net, backward(net, X, Y), 0.1)
    assert (after.activation, after.relu_prime_at_zero) == ("leaky_relu", 0.5)


# Activations, reductions, shapes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("z", [-30.0, -2.0, -0.125, 0.5, 1.0, 30.0])
def test_every_activation_and_its_slope_follow_the_textbook(activation, z):
    phi, prime = TEXTBOOK[activation]
    net = with_phi(ARTICLE, activation)
    assert net.phi(np.array([[z]]))[0, 0] == pytest.approx(phi(z), abs=1e-12)
    assert net.phi_prime(np.array([[z]]))[0, 0] == pytest.approx(prime(z), abs=1e-12)


def test_a_sigmoid_far_from_zero_does_not_overflow():
    assert ACTIVATIONS["sigmoid"].phi(np.array([[-1e4, 1e4]])).tolist() == [[0, 1]]


@pytest.mark.parametrize("convention", [0, 1, 0.5, HALF])
def test_the_slope_of_relu_at_its_corner_is_a_convention_with_a_switch(convention):
    z1 = np.array([[-1.0, 0.0, 1.0]])
    assert ACTIVATIONS["relu"].prime(z1, convention).tolist() == [[0, convention, 1]]
    after = Params([[0.75, -0.5]], [[0, 0]], [[1.125], [-1]], [[0]], relu_prime_at_zero=convention)
    gradients = backward(after, [[0]], [[5]])
    assert gradients.b1.tolist() == [[-5.625 * convention, 5 * convention]]
    assert not gradients.W1.any()
    assert not gradients.W2.any()


def test_the_default_convention_is_zero():
    for article in (ARTICLE, EXACT_ARTICLE, SYMPY_ARTICLE):
        assert article.relu_prime_at_zero == 0
        assert article.phi_prime(article.b1).tolist() == [[0, 0]]


def test_leaky_relu_has_a_corner_too_with_the_same_switch():
    prime = ACTIVATIONS["leaky_relu"].prime
    slopes = [prime(np.array([[0.0]]), convention)[0, 0] for convention in (0, HALF, 1)]
    assert slopes == pytest.approx([0.01, (0.01 + 1) / 2, 1])


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
def test_where_there_is_no_corner_the_convention_has_no_effect(activation):
    here, there = (backward(with_phi(ARTICLE, activation, c), [[0]], [[5]]) for c in (0, 1))
    assert each_close(here, there)


def test_errors_come_with_the_gradients_of_half_their_squares():
    X, Y = np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]])
    errors, slopes = errors_and_gradients(ARTICLE, X, Y)
    assert errors.tolist() == [[-0.5], [-1]]
    assert slopes.W1.tolist() == backward(ARTICLE, X, Y).W1.tolist() == [[-2.5, 0]]
    _, shared = errors_and_gradients(ARTICLE, X, Y, 4)
    assert shared.W1.tolist() == [[-0.625, 0]]


@given(exact_problems())
def test_mean_is_sum_divided_by_the_number_of_samples(problem):
    params, data = problem
    n, y_hat = len(data.X), forward(params, data.X).y_hat
    assert loss(y_hat, data.Y, reduction="mean") == loss(y_hat, data.Y) / n
    means, sums = (backward(params, data.X, data.Y, reduction=reduction) for reduction in ("mean", "sum"))
    for mean, total in zip(means, sums, strict=True):
        assert (mean == total / n).all()


@pytest.mark.parametrize(("n_in", "n_hidden", "n_out", "n_samples"), [(1, 1, 1, 1), (3, 2, 1, 4), (2, 5, 3, 2)])
def test_any_width_and_any_number_of_samples_works(n_in, n_hidden, n_out, n_samples):
    params = Params(np.ones((n_in, n_hidden)), np.ones((1, n_hidden)), np.ones((n_hidden, n_out)), np.ones((1, n_out)))
    z1, a1, y_hat = forward(params, np.ones((n_samples, n_in)))
    assert z1.tolist() == a1.tolist() == [[n_in + 1] * n_hidden] * n_samples
    assert y_hat.tolist() == [[(n_in + 1) * n_hidden + 1] * n_out] * n_samples
    gradients = backward(params, np.ones((n_samples, n_in)), np.ones((n_samples, n_out)))
    assert [gradient.shape for gradient in gradients] == [getattr(params, name).shape for name in PARAMETERS]


# backward against three independent ways to the same gradient ------------------------------------------------------


def central_difference(params, data, step=1e-5):
    """Move each parameter a little both ways and measure the slope of the loss."""

    def loss_at(name, entry, shift):
        moved = np.array(getattr(params, name))
        moved[entry] += shift
        y_hat = forward(dataclasses.replace(params, **{name: moved}), data.X).y_hat
        return 0.5 * ((y_hat - data.Y) ** 2).sum()

    def slopes(name):
        shape = getattr(params, name).shape
        rise = [loss_at(name, entry, step) - loss_at(name, entry, -step) for entry in np.ndindex(*shape)]
        return np.reshape(rise, shape) / (2 * step)

    return Gradients(*(slopes(name) for name in PARAMETERS))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=30)
@given(float_problems())
def test_backward_equals_central_differences(activation, problem):
    params, data = with_phi(problem[0], activation), problem[1]
    # All numbers are multiples of 1/4: a z1 that is not 0 is far enough from the corner.
    assume(activation not in KINKED or forward(params, data.X).z1.all())
    assert each_close(backward(params, data.X, data.Y), central_difference(params, data), 1e-5)


def formula_of_the_loss(letters, data, activation):
    """Write the loss with plain sums, neuron by neuron, for sympy.diff."""
    phi, total = FORMULA[activation], 0
    for x, y in zip(data.X, data.Y, strict=True):
        hidden = [
            phi(sum(entry * letters.W1[i, j] for i, entry in enumerate(x)) + letters.b1[0, j])
            for j in range(letters.W1.shape[1])
        ]
        for k, target in enumerate(y):
            answer = sum(a * letters.W2[j, k] for j, a in enumerate(hidden)) + letters.b2[0, k]
            total += (answer - sympy.Rational(target.numerator, target.denominator)) ** 2 / 2
    return total


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=4)
@given(exact_problems(sizes=st.tuples(st.just(2), st.just(2), st.integers(1, 2), st.integers(1, 2))))
def test_backward_equals_sympy_diff(activation, problem):
    params, data = with_phi(problem[0], activation), problem[1]
    letters = symbolic_params(*params.W1.shape, params.W2.shape[1])
    total = formula_of_the_loss(letters, data, activation)
    numbers = {
        getattr(letters, name)[at]: sympy.Rational(value.numerator, value.denominator)
        for name in PARAMETERS
        for at, value in np.ndenumerate(getattr(params, name))
    }
    gradients = backward(params, data.X, data.Y)
    for name in PARAMETERS:
        for at, value in np.ndenumerate(getattr(gradients, name)):
            expected = sympy.diff(total, getattr(letters, name)[at]).subs(numbers)
            if activation in ("tanh", "sigmoid"):
                assert float(value) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
            else:
                assert value == Fraction(int(expected.p), int(expected.q))


@pytest.mark.torch
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@settings(max_examples=20)
@given(float_problems())
def test_backward_equals_pytorch_even_at_the_corner(activation, reduction, problem):
    import torch

    params, data = problem
    phi = {
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "identity": torch.nn.Identity(),
    }[activation]
    tensors = [torch.tensor(getattr(params, name).copy(), requires_grad=True) for name in PARAMETERS]
    W1, b1, W2, b2 = tensors
    y_hat = phi(torch.tensor(data.X.copy()) @ W1 + b1) @ W2 + b2
    total = 0.5 * ((y_hat - torch.tensor(data.Y.copy())) ** 2).sum()
    (total / len(data.X) if reduction == "mean" else total).backward()
    gradients = backward(with_phi(params, activation), data.X, data.Y, reduction=reduction)
    assert each_close(gradients, [tensor.grad.numpy() for tensor in tensors])


# Laws --------------------------------------------------------------------------------------------------------------


@given(exact_problems(biases=False), st.fractions(min_value=0, max_value=9, max_denominator=9))
def test_a_net_without_biases_is_positively_homogeneous(problem, c):
    params, data = problem
    for activation in KINKED:
        net = with_phi(params, activation)
        assert (forward(net, data.X * c).y_hat == c * forward(net, data.X).y_hat).all()


@given(exact_problems(biases=False))
def test_without_biases_nothing_moves_the_answer_at_zero(problem):
    params, data = problem
    zero = data.X * 0
    for activation in ("relu", "leaky_relu", "identity", "tanh"):
        net = with_phi(params, activation)
        assert not forward(net, zero).y_hat.any()
        gradients = backward(net, zero, data.Y)
        assert not gradients.W1.any()
        assert not gradients.W2.any()


@given(exact_problems(), st.sampled_from(KINKED))
def test_the_gradient_of_all_samples_is_the_sum_of_each_samples_gradient(problem, activation):
    params, data = with_phi(problem[0], activation), problem[1]
    together = backward(params, data.X, data.Y)
    alone = [backward(params, data.X[i : i + 1], data.Y[i : i + 1]) for i in range(len(data.X))]
    for name in PARAMETERS:
        assert (getattr(together, name) == sum(getattr(part, name) for part in alone)).all()


def test_a_shut_gate_stops_the_gradient():
    gradients = backward(ARTICLE, [[1]], [[5]])
    assert gradients.W1[0, 0] != 0
    assert gradients.W1[0, 1] == gradients.b1[0, 1] == gradients.W2[1, 0] == 0


# What is frozen and what is left alone -----------------------------------------------------------------------------


def test_params_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ARTICLE.W1 = [[1, 1]]
    for name in PARAMETERS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(ARTICLE, name)[0, 0] = 7


def test_params_keep_no_link_to_the_arrays_they_were_made_from():
    W1 = np.array([[0.5, -0.5]])
    params = Params(W1=W1, b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])
    W1[0, 0] = 7
    assert params.W1[0, 0] == 0.5


def test_inputs_are_not_modified():
    x, y = np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]])
    gradients = backward(ARTICLE, x, y)
    sgd_step(ARTICLE, gradients, 0.1, PARAMETERS)
    assert x.tolist() == y.tolist() == [[1], [2]]
    assert ARTICLE.W1.tolist() == [[0.5, -0.5]]
    assert gradients.W1.tolist() == [[-2.5, 0]]


@given(float_problems(), st.lists(st.sampled_from(PARAMETERS), unique=True))
def test_a_step_moves_what_is_trainable_and_nothing_else(problem, trainable):
    params, data = problem
    gradients = backward(params, data.X, data.Y)
    after = sgd_step(params, gradients, 0.25, trainable)
    assert after is not params
    for name in PARAMETERS:
        moved = 0.25 * getattr(gradients, name) if name in trainable else 0
        assert (getattr(after, name) == getattr(params, name) - moved).all()


def test_by_default_the_biases_stay():
    after = sgd_step(ARTICLE, backward(ARTICLE, X, Y), 0.1)
    assert after.b1.tolist() == [[0, 0]]
    assert after.b2.tolist() == [[0]]


# Bad input: a ValueError that starts with the argument's name ------------------------------------------------------

NO_MATRIX = {
    "a number": 3,
    "one dimension": [1, 2],
    "three dimensions": [[[1]]],
    "ragged rows": [[1, 2], [3]],
    "no rows": [],
    "no columns": [[]],
    "a text": "1, 2",
    "texts": [["1", "2"]],
    "a text among numbers": [[1, "2"]],
    "nothing": None,
    "nothing among numbers": [[None, 1]],
    "booleans": [[True, False]],
    "a boolean among numbers": [[True, 0.5]],
    "complex": [[1j, 0]],
    "nan": [[math.nan, 1]],
    "inf": [[1, -math.inf]],
    "nan among fractions": [[HALF, math.nan]],
    "beyond float": [[10**400, 0]],
    "a SymPy nan": sympy.Matrix([[sympy.nan, 0]]),
    "a SymPy infinity": sympy.Matrix([[sympy.oo, 0]]),
    "a SymPy complex": sympy.Matrix([[sympy.I, 0]]),
    "masked": np.ma.array([[1.0, 2.0]], mask=[[False, True]]),
}
MATRIX_USES = [
    *(
        (name, lambda bad, name=name, others=article: Params(**(vars(others) | {name: bad})))
        for name in PARAMETERS
        for article in (ARTICLE, EXACT_ARTICLE)
    ),
    ("X", lambda bad: forward(ARTICLE, bad)),
    ("X", lambda bad: backward(ARTICLE, bad, Y)),
    ("Y", lambda bad: backward(ARTICLE, X, bad)),
    ("Y", lambda bad: loss(X, bad)),
    ("y_hat", lambda bad: loss(bad, Y)),
]


@pytest.mark.parametrize("bad", NO_MATRIX.values(), ids=NO_MATRIX)
@pytest.mark.parametrize(("argument", "call"), MATRIX_USES)
def test_what_is_no_matrix_of_finite_numbers_is_refused(argument, call, bad):
    with pytest.raises(ValueError, match=rf"^{argument} must (have rows|have two dimensions|hold|be a plain array)"):
        call(bad)


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("X", lambda bad: forward(ARTICLE, bad)),
        ("X", lambda bad: forward(EXACT_ARTICLE, bad)),
        ("X", lambda bad: backward(ARTICLE, bad, [[1]])),
        ("Y", lambda bad: backward(ARTICLE, [[1]], bad)),
        ("Y", lambda bad: backward(EXACT_ARTICLE, [[1]], bad)),
        ("Y", lambda bad: loss([[1]], bad)),
    ],
)
def test_letters_are_refused_where_the_net_is_of_numbers(argument, call):
    with pytest.raises(ValueError, match=f"^{argument} must hold numbers; got x$"):
        call([[sympy.Symbol("x")]])


def test_letters_are_welcome_where_the_net_holds_letters():
    letters, x, y = symbolic_params(), sympy.Symbol("x", real=True), sympy.Symbol("y", real=True)
    v1, w1, b1, w2, b2, v2, c = sympy.symbols("v1 w1 b1 w2 b2 v2 c", real=True)
    answer = forward(with_phi(letters, "identity"), [[x]]).y_hat[0, 0]
    assert sympy.expand(answer - ((w1 * x + b1) * v1 + (w2 * x + b2) * v2 + c)) == 0
    gradients = backward(with_phi(letters, "identity"), [[x]], [[y]])
    assert sympy.expand(gradients.W1[0, 0] - (answer - y) * v1 * x) == 0
    assert gradients.b2.tolist() == [[answer - y]]


@pytest.mark.parametrize(
    ("says", "call"),
    [
        ("b1 (1, 2) W1 (1, 2) (1, 1)", lambda: Params(W1=[[1, 2]], b1=[[0]], W2=[[1], [1]], b2=[[0]])),
        ("b1 (1, 2) W1 (1, 2) (2, 2)", lambda: Params(W1=[[1, 2]], b1=[[0, 0], [0, 0]], W2=[[1], [1]], b2=[[0]])),
        ("W2 (2, 2) W1 (1, 2) (1, 2)", lambda: Params(W1=[[1, 2]], b1=[[0, 0]], W2=[[1, 1]], b2=[[0]])),
        ("b2 (1, 1) W2 (2, 1) (1, 2)", lambda: Params(W1=[[1, 2]], b1=[[0, 0]], W2=[[1], [1]], b2=[[0, 0]])),
        ("X (1, 1) W1 (1, 2) (1, 2)", lambda: forward(ARTICLE, [[1, 2]])),
        ("X (3, 1) W1 (1, 2) (3, 2)", lambda: forward(ARTICLE, [[1, 1], [1, 1], [1, 1]])),
        ("X (1, 1) W1 (1, 2) (1, 2)", lambda: backward(ARTICLE, [[1, 2]], [[1]])),
        ("Y (2, 1) X (2, 1) and W2 (2, 1) (1, 1)", lambda: backward(ARTICLE, X, [[1]])),
        ("Y (2, 1) X (2, 1) and W2 (2, 1) (2, 2)", lambda: backward(ARTICLE, X, [[1, 1], [2, 2]])),
        ("Y (2, 1) y_hat (2, 1) (1, 1)", lambda: loss([[1], [2]], [[1]])),
        ("gradients.W1 (1, 2) params.W1 (1, 1)", lambda: sgd_step(ARTICLE, Gradients(*[np.ones((1, 1))] * 4), 0.1)),
    ],
)
def test_widths_that_do_not_fit_are_refused_by_saying_what_came_and_what_was_expected(says, call):
    argument, expected, partner, came = re.fullmatch(r"(\S+) (\(.*?\)) (.*) (\(.*?\))", says).groups()
    message = f"{argument} must have shape {expected} to match {partner}; got shape {came}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize(
    "rate",
    [0, -0.1, math.nan, math.inf, "0.1", None, True, Decimal("0.1"), 1j, sympy.I, LETTER, [0.1], np.array([0.1, 0.2])],
)
def test_a_rate_that_is_no_positive_number_is_refused(rate):
    with pytest.raises(ValueError, match=r"^rate must be"):
        sgd_step(ARTICLE, backward(ARTICLE, X, Y), rate)


@pytest.mark.parametrize("trainable", ["W1", ["W3"], ("W1", "w2"), ("W1", "W1"), {"W1": 1}, [None], None, 5])
def test_trainable_must_be_a_list_of_parameter_names(trainable):
    with pytest.raises(ValueError, match=r"^trainable must be .* names out of W1, b1, W2, b2; got "):
        sgd_step(ARTICLE, backward(ARTICLE, X, Y), 0.1, trainable)


@pytest.mark.parametrize("choice", ["Relu", "", None, ["relu"]])
def test_an_unknown_activation_or_reduction_is_refused(choice):
    says = f"activation must be one of relu, leaky_relu, tanh, sigmoid, identity; got {choice!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        dataclasses.replace(ARTICLE, activation=choice)
    says = f"reduction must be one of sum, mean; got {choice!r}"
    for call in (lambda **options: loss(X, Y, **options), lambda **options: backward(ARTICLE, X, Y, **options)):
        with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
            call(reduction=choice)


@pytest.mark.parametrize("convention", [-1, -0.01, 1.01, 2, math.nan, math.inf, "0", None, 1j, [0]])
def test_a_slope_at_the_corner_that_is_not_between_0_and_1_is_refused(convention):
    says = f"relu_prime_at_zero must be a number from 0 to 1; got {convention!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        dataclasses.replace(ARTICLE, relu_prime_at_zero=convention)


@pytest.mark.parametrize("rate", [sympy.Symbol("t"), sympy.Symbol("t", negative=True), sympy.oo, sympy.I])
def test_a_letter_that_may_not_be_positive_is_no_rate(rate):
    with pytest.raises(ValueError, match=r"^rate must be"):
        sgd_step(EXACT_ARTICLE, backward(EXACT_ARTICLE, X, Y), rate)


@pytest.mark.parametrize("trainable", [[None, "W1"], [["W1"]], ["W1", "W1"]])
def test_every_trainable_name_must_be_a_parameter_once(trainable):
    with pytest.raises(ValueError, match=r"^trainable must be"):
        sgd_step(ARTICLE, backward(ARTICLE, X, Y), 0.1, trainable)


# What the rooms behind ask of a net ----------------------------------------------------------------------------------


def test_an_exact_net_keeps_its_slope_at_0_exact():
    third = Params(W1=[[Fraction(1, 2)]], b1=[[0]], W2=[[1]], b2=[[0]], relu_prime_at_zero=Fraction(1, 3))
    assert third.phi_prime(np.array([[Fraction(0)]], dtype=object)).tolist() == [[Fraction(1, 3)]]


def test_samples_are_summed_and_a_rate_is_a_float_unless_asked_otherwise():
    found = check_samples(ARTICLE, X, Y)
    assert [array.tolist() for array in found] == [X, Y]
    assert isinstance(check_rate(Fraction(1, 10)), float)
    assert check_rate(0.1, exact=True) == Fraction(1, 10)
