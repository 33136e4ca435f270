"""The SymPy side computes what the NumPy side computes, and keeps letters as letters."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import exact_problems, with_phi

from lesson_lib.activations import ACTIVATIONS, SYMBOLIC_ACTIVATIONS
from lesson_lib.arrays import is_symbolic
from lesson_lib.derivation.symbols import KINKED, exactly, leaky_relu, relu, slope, symbolic_params, to_sympy
from lesson_lib.network import PARAMETERS, backward, forward, loss

z = sympy.Symbol("z", real=True)
HALF = sympy.Rational(1, 2)


def entries(matrix):
    """Return the entries as numbers that compare across kinds: exact ones as Fractions, others as floats."""
    return [Fraction(int(e.p), int(e.q)) if isinstance(e, sympy.Rational) else e for e in matrix.flat]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=15)
@given(exact_problems(), st.sampled_from([0, HALF, 1]))
def test_sympy_and_numpy_agree_entry_by_entry(activation, problem, convention):
    params, data = with_phi(problem[0], activation, Fraction(str(convention))), problem[1]
    twin = params.with_arrays(**{name: to_sympy(getattr(params, name)) for name in PARAMETERS})
    assert twin.is_symbolic
    pairs = [
        *zip(forward(params, data.X), forward(twin, data.X), strict=True),
        *zip(backward(params, data.X, data.Y), backward(twin, data.X, data.Y), strict=True),
    ]
    for numbers, symbols in pairs:
        assert numbers.shape == symbols.shape
        if activation in ("tanh", "sigmoid"):
            assert np.allclose(numbers.astype(float), symbols.astype(float), rtol=1e-9, atol=1e-9)
            assert all(map(is_symbolic, symbols.flat))
        else:
            assert entries(numbers) == entries(symbols)


@given(exact_problems(), st.sampled_from(["sum", "mean"]))
def test_the_loss_is_the_same_number(problem, reduction):
    params, data = problem
    y_hat = forward(params, data.X).y_hat
    expected = loss(y_hat, data.Y, reduction=reduction)
    assert loss(to_sympy(y_hat), to_sympy(data.Y), reduction=reduction) == expected
    letters = np.array([[sympy.Symbol(f"y{i}_{j}") for j in range(y_hat.shape[1])] for i in range(len(y_hat))])
    formula = loss(letters, data.Y, reduction=reduction)
    assert formula.subs(dict(zip(letters.flat, to_sympy(y_hat).flat, strict=True))) == expected


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
    assert to_sympy([[0.1, -2.5]]).tolist() == [[sympy.Rational(1, 10), sympy.Rational(-5, 2)]]
    for tenth in (0.1, np.float64(0.1), np.float32(0.1), Fraction(1, 10), sympy.Float(0.1), sympy.Rational(1, 10)):
        assert exactly(tenth) == sympy.Rational(1, 10)
        assert isinstance(exactly(tenth), sympy.Rational)
    for entry in (z, sympy.sqrt(2), sympy.Integer(3), z / 10):
        assert exactly(entry) is entry
    assert all(isinstance(entry, sympy.Rational) for entry in to_sympy(np.array([[1, 2]])).flat)


def test_the_same_matrix_comes_back_in_its_shape():
    found = to_sympy(np.array([[1.5, 2], [3, 4], [5, 6]]))
    assert type(found) is np.ndarray
    assert found.dtype == object
    assert found.tolist() == [[sympy.Rational(3, 2), 2], [3, 4], [5, 6]]


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
    assert all(symbol.is_real for name in PARAMETERS for symbol in getattr(large, name).flat)
    assert [getattr(small, name).shape for name in PARAMETERS] == [(1, 2), (1, 2), (2, 1), (1, 1)]
    assert small.activation == "relu"
    assert symbolic_params(activation="tanh").activation == "tanh"
    assert small.is_symbolic


def test_the_forward_pass_in_letters_is_the_formula_of_the_net():
    x, w1, w2, b1, b2, v1, v2, c = sympy.symbols("x w1 w2 b1 b2 v1 v2 c", real=True)
    for X in ([[x]], sympy.Matrix([[x]])):
        y_hat = forward(symbolic_params(), X).y_hat
        assert y_hat[0, 0] == relu(w1 * x + b1) * v1 + relu(w2 * x + b2) * v2 + c
    y_hat = forward(with_phi(symbolic_params(), "leaky_relu"), [[x]]).y_hat
    assert y_hat[0, 0] == leaky_relu(w1 * x + b1) * v1 + leaky_relu(w2 * x + b2) * v2 + c


@pytest.mark.parametrize(
    ("activation", "phi", "prime"),
    [
        ("relu", relu(z), slope(z, 0, HALF)),
        ("leaky_relu", leaky_relu(z), slope(z, sympy.Rational(1, 100), sympy.Rational(101, 200))),
        ("tanh", sympy.tanh(z), 1 - sympy.tanh(z) ** 2),
        ("sigmoid", 1 / (1 + sympy.exp(-z)), sympy.exp(-z) / (1 + sympy.exp(-z)) ** 2),
        ("identity", z, 1),
    ],
)
def test_the_activation_of_a_letter_and_its_slope_are_formulas(activation, phi, prime):
    net = with_phi(symbolic_params(), activation, 0.5)
    z1 = np.array([[z, z], [z, 0]], dtype=object)
    for found, expected in ((net.phi(z1), phi), (net.phi_prime(z1), prime)):
        assert found.shape == (2, 2)
        assert found[:, 0].tolist() == [expected, expected]
    assert net.phi(z1)[1, 1] == sympy.sympify(phi).subs(z, 0)
    assert net.phi_prime(z1)[1, 1] == sympy.sympify(prime).subs(z, 0)


def test_every_activation_has_its_formula_and_those_with_a_corner_are_listed():
    assert list(SYMBOLIC_ACTIVATIONS) == list(ACTIVATIONS)
    assert KINKED == ("relu", "leaky_relu")
    for name, activation in SYMBOLIC_ACTIVATIONS.items():
        slopes = {activation.prime(np.array([[0]]), at_zero)[0, 0] for at_zero in (0, 1)}
        assert (len(slopes) == 2) is (name in KINKED)


def test_how_a_letter_in_an_activation_is_written():
    assert sympy.latex(relu(z)) == r"\operatorname{relu}\left(z\right)"
    assert sympy.latex(leaky_relu(z)) == r"\operatorname{lrelu}\left(z\right)"
    assert sympy.latex(slope(z, 0, HALF)) == r"\operatorname{relu}'\left(z\right)"
    assert sympy.latex(slope(z, HALF, 1)) == r"\operatorname{lrelu}'\left(z\right)"
    assert str(slope(z, 0, HALF)) == "relu'(z)"
    assert str(slope(z, HALF, 1)) == "leaky_relu'(z)"
