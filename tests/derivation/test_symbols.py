"""The SymPy side computes what the NumPy side computes, and keeps letters as letters."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import exact_problems

from lesson_lib.arrays import activate, as_matrix_like
from lesson_lib.derivation import symbols as symbolic
from lesson_lib.derivation.symbols import leaky_relu, relu, slope, symbolic_params
from lesson_lib.network import ACTIVATIONS, PARAMETERS, Params, backward, forward, loss

z = sympy.Symbol("z", real=True)
HALF = sympy.Rational(1, 2)


def to_sympy(matrix):
    return as_matrix_like(symbolic.EXACT, matrix, "matrix")


def entries(matrix):
    """Return the entries as numbers that compare across kinds: exact ones as Fractions, others as floats."""
    flat = matrix.flat() if isinstance(matrix, sympy.MatrixBase) else matrix.flat
    return [Fraction(int(e.p), int(e.q)) if isinstance(e, sympy.Rational) else e for e in flat]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=15)
@given(exact_problems(), st.sampled_from([0, HALF, 1]))
def test_sympy_and_numpy_agree_entry_by_entry(activation, problem, convention):
    params, data = problem
    twin = Params(*(to_sympy(getattr(params, name)) for name in PARAMETERS))
    options = {"activation": activation, "relu_prime_at_zero": Fraction(str(convention))}
    pairs = [
        *zip(forward(params, data.X, activation=activation), forward(twin, data.X, activation=activation), strict=True),
        *zip(backward(params, data.X, data.Y, **options), backward(twin, data.X, data.Y, **options), strict=True),
    ]
    for numbers, symbols in pairs:
        assert numbers.shape == symbols.shape
        if activation in ("tanh", "sigmoid"):
            assert np.allclose(numbers.astype(float), np.array(symbols.evalf()).astype(float), rtol=1e-9, atol=1e-9)
        else:
            assert entries(numbers) == entries(symbols)


@given(exact_problems(), st.sampled_from(["sum", "mean"]))
def test_the_loss_is_the_same_number(problem, reduction):
    params, data = problem
    y_hat = forward(params, data.X).y_hat
    twin = loss(to_sympy(y_hat), to_sympy(data.Y), reduction=reduction)
    assert loss(y_hat, data.Y, reduction=reduction) == Fraction(int(twin.p), int(twin.q))


def test_a_letter_stays_a_letter_and_a_number_becomes_one():
    assert relu(z).func is relu
    assert relu(z).subs(z, 3) == 3
    assert relu(z).subs(z, -3) == relu(0) == 0
    assert leaky_relu(z).subs(z, -3) == sympy.Rational(-3, 100)
    assert slope(z, 0, HALF).func is slope
    assert [slope(z, 0, HALF).subs(z, number) for number in (-2, 0, 2)] == [0, HALF, 1]


def test_a_letter_known_to_be_positive_passes_through():
    positive, negative = sympy.Symbol("p", positive=True), sympy.Symbol("n", negative=True)
    assert relu(positive) == positive
    assert relu(negative) == 0
    assert leaky_relu(negative) == negative / 100


@pytest.mark.parametrize("at_zero", [0, HALF, 1])
def test_the_definition_by_cases_differentiates_to_the_convention(at_zero):
    prime = sympy.diff(relu(z).as_piecewise(sympy.sympify(at_zero)), z)
    assert [prime.subs(z, number) for number in (-2, 0, 2)] == [0, at_zero, 1]


@pytest.mark.parametrize("at_zero", [0, HALF, 1])
def test_at_the_corner_of_leaky_relu_the_convention_leans_from_the_left_slope_to_the_right(at_zero):
    prime = sympy.diff(leaky_relu(z).as_piecewise(sympy.sympify(at_zero)), z)
    below = sympy.Rational(1, 100)
    assert [prime.subs(z, number) for number in (-2, 0, 2)] == [below, below * (1 - at_zero) + at_zero, 1]


def test_typed_decimals_are_read_as_written():
    assert to_sympy([[0.1, -2.5]]) == sympy.Matrix([[sympy.Rational(1, 10), sympy.Rational(-5, 2)]])
    assert to_sympy(sympy.Matrix([[0.1]])) == sympy.Matrix([[sympy.Rational(1, 10)]])


def test_the_letters_of_a_net_are_numbered_from_one():
    small, large = symbolic_params(), symbolic_params(n_in=2, n_hidden=3, n_out=2)
    assert [str(getattr(small, name).tolist()) for name in PARAMETERS] == [
        "[[w1, w2]]",
        "[[b1, b2]]",
        "[[v1], [v2]]",
        "[[c]]",
    ]
    assert str(large.W1.tolist()) == "[[w1_1, w1_2, w1_3], [w2_1, w2_2, w2_3]]"
    assert str(large.W2.tolist()) == "[[v1_1, v1_2], [v2_1, v2_2], [v3_1, v3_2]]"
    assert str(large.b2.tolist()) == "[[c1, c2]]"
    assert all(symbol.is_real for name in PARAMETERS for symbol in getattr(large, name))


def test_the_forward_pass_in_letters_is_the_formula_of_the_net():
    x, w1, w2, b1, b2, v1, v2, c = sympy.symbols("x w1 w2 b1 b2 v1 v2 c", real=True)
    y_hat = forward(symbolic_params(), sympy.Matrix([[x]])).y_hat
    assert y_hat[0, 0] == relu(w1 * x + b1) * v1 + relu(w2 * x + b2) * v2 + c
    assert activate(sympy.Matrix([[z]]), "tanh")[0, 0] == sympy.tanh(z)
