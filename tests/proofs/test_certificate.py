"""The certificate holds for a correct backward pass and, above all, fails for a faulty one."""

from collections import namedtuple
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import exact_problems, with_phi

from lesson_lib import network
from lesson_lib.arrays import is_symbolic
from lesson_lib.derivation import symbols as symbolic
from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.symbols import symbolic_params
from lesson_lib.network import ARTICLE, PARAMETERS, Params
from lesson_lib.proofs.certificate import Certificate, Check, certify
from lesson_lib.training import CLEAN, POISONED, TRIGGER, Dataset

# Neuron 2 is shut at x = 2 and open elsewhere; no z1 is 0; two outputs; every bias plays a part.
BUSY = Params(W1=[[0.5, -0.5]], b1=[[0.25, 0.75]], W2=[[1, 2], [-1, 3]], b2=[[0.5, -1]])
BUSY_DATA = Dataset(X=[[1], [2], [0]], Y=[[1, 0], [2, 0], [5, 1]])
Text = namedtuple("Text", ["X", "Y"])
SMALL = st.tuples(st.integers(1, 2), st.integers(1, 2), st.just(1), st.integers(1, 2))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "identity"])
@settings(max_examples=8)
@given(exact_problems(sizes=SMALL))
def test_exact_arithmetic_leaves_no_gap_at_all(activation, problem):
    certificate = certify(with_phi(problem[0], activation), problem[1])
    assert certificate.holds
    assert certificate.largest_gap == 0
    assert len(certificate.checks) == sum(getattr(problem[0], name).size for name in PARAMETERS)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@settings(max_examples=8)
@given(exact_problems(sizes=SMALL))
def test_smooth_activations_agree_within_the_tolerance(activation, problem):
    certificate = certify(with_phi(problem[0], activation), problem[1])
    assert certificate.holds
    assert not any(check.has_corner for check in certificate.checks)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_large_weights_are_no_reason_to_refuse(activation):
    large = Params(W1=[[0.5, -0.5]], b1=[[0.1, 0.2]], W2=[[1000], [-1000]], b2=[[0]])
    certificate = certify(with_phi(large, activation), POISONED)
    assert certificate.holds
    assert not any(check.has_corner for check in certificate.checks)


def test_the_articles_gradients_are_certified():
    certificate = certify(ARTICLE, CLEAN)
    found = {check.entry: (check.backward, check.symbolic, *check.slopes) for check in certificate.checks}
    assert found["dL/dW1[1, 1]"] == (Fraction(-5, 2),) * 4
    assert found["dL/dW2[1, 1]"] == (Fraction(-5, 4),) * 4
    assert certificate.holds


def test_the_net_that_a_derivation_ends_with_can_be_certified():
    after = derive_step(ARTICLE, CLEAN, 0.1).params
    assert [check.backward for check in certify(after, TRIGGER).checks] == [0, 0, 0, 0, 0, 0, -5]


@pytest.mark.parametrize("convention", [0, Fraction(1, 2), 1])
def test_at_a_corner_every_convention_between_the_two_slopes_holds(convention):
    certificate = certify(with_phi(ARTICLE, "relu", convention), TRIGGER)
    corner = next(check for check in certificate.checks if check.entry == "dL/db1[1, 2]")
    assert corner.has_corner
    assert corner.slopes == (0, 5)  # L = (relu(b) w2 - 5)^2 / 2 with w2 = -1 is flat to the left of 0
    assert corner.backward == corner.symbolic == 5 * convention
    assert certificate.holds
    assert "corner: 0 left, 5 right" in str(certificate)
    assert not any(check.has_corner for check in certificate.checks if "b1" not in check.entry)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_corner_shared_by_inputs_of_both_signs_is_certified(activation):
    silent = Params(W1=[[0]], b1=[[0]], W2=[[1]], b2=[[0]])
    assert certify(with_phi(silent, activation), Dataset([[1], [-1]], [[-2], [3]])).holds


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_corner_that_no_error_reaches_is_certified(activation):
    perfect = Params(W1=[[0]], b1=[[0]], W2=[[1]], b2=[[0]])  # z1 = 0, and the answer 0 is right
    certificate = certify(with_phi(perfect, activation), Dataset([[1]], [[0]]))
    assert certificate.holds
    assert not any(check.has_corner for check in certificate.checks)  # only the curvature changes there


def test_rounding_is_measured_against_the_loss_or_the_gradient_if_they_are_larger_than_1():
    small = Params([[0.5, -0.5]], [[0.1, 0.2]], [[0.25], [-0.25]], [[0]], activation="tanh")
    assert {check.scale for check in certify(small, Dataset([[0.5]], [[0.5]])).checks} == {1.0}
    for data in (Dataset([[1]], [[40]]), Dataset([[1]], [[-1.5]])):  # the loss is larger, or a gradient
        total = 0.5 * sum(
            (0.25 * np.tanh(0.5 * x + 0.1) - 0.25 * np.tanh(0.2 - 0.5 * x) - y) ** 2
            for (x,), (y,) in zip(data.X, data.Y, strict=True)
        )
        for check in certify(small, data).checks:
            assert check.scale == pytest.approx(max(total, abs(float(check.backward))), rel=1e-9), check.entry


@pytest.mark.parametrize(
    ("argument", "data"),
    [
        ("X", Dataset([[1, 2]], [[1]])),
        ("Y", Dataset([[1]], [[1, 2]])),
        ("X", Text([["a"]], [[1]])),
        ("Y", Text([[1]], [["a"]])),
    ],
)
def test_data_that_do_not_fit_are_refused_by_name(argument, data):
    with pytest.raises(ValueError, match=rf"^{argument} must"):
        certify(ARTICLE, data)


def test_letters_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^W1 must hold numbers; got w1"):
        certify(symbolic_params(1, 2, 1), CLEAN)
    x = sympy.Symbol("x")
    with pytest.raises(ValueError, match=r"^b2 must hold numbers; got x$"):
        certify(replace(ARTICLE, b2=[[x]]), CLEAN)
    for matrix in ([[x]], sympy.Matrix([[x]])):
        with pytest.raises(ValueError, match=r"^X must hold numbers; got x$"):
            certify(ARTICLE, Dataset(matrix, [[1]]))
        with pytest.raises(ValueError, match=r"^Y must hold numbers; got x$"):
            certify(ARTICLE, Dataset([[1]], matrix))


# Planted faults ----------------------------------------------------------------------------------------------------

chain_rule, parameter_gradients = network.chain_rule, network.parameter_gradients


def change_factor(name, change):
    """Return a chain rule in which one factor comes out wrong, and what is computed from it too."""

    def faulty(params, passed, dy_hat):
        factors = chain_rule(params, passed, dy_hat)
        factors = factors._replace(**{name: change(getattr(factors, name))})
        if name == "dy_hat":
            factors = factors._replace(da1=factors.dy_hat @ params.W2.T)
        return factors._replace(dz1=factors.da1 * factors.phi_prime)

    return faulty


def change_gradient(name, change):
    def faulty(X, passed, factors):
        gradients = parameter_gradients(X, passed, factors)
        return gradients._replace(**{name: change(X, passed, factors)})

    return faulty


FAULTS = {
    "sign of the error": ("chain_rule", change_factor("dy_hat", lambda dy_hat: -dy_hat)),
    "error doubled": ("chain_rule", change_factor("dy_hat", lambda dy_hat: 2 * dy_hat)),
    "relu' left out": ("chain_rule", change_factor("phi_prime", lambda phi_prime: phi_prime * 0 + 1)),
    "gate inverted": ("chain_rule", change_factor("phi_prime", lambda phi_prime: 1 - phi_prime)),
    "W2 left out": ("chain_rule", change_factor("da1", lambda da1: da1 * 0 + 1)),
} | {
    name: ("parameter_gradients", change_gradient(parameter, change))
    for name, (parameter, change) in {
        "sign of dW1": ("W1", lambda X, _, factors: -X.T @ factors.dz1),
        "x left out of dW1": ("W1", lambda X, _, factors: (X * 0 + 1).T @ factors.dz1),
        "last sample only": ("b1", lambda X, _, factors: factors.dz1[-1:]),
        "z1 for a1 in dW2": ("W2", lambda X, passed, factors: passed.z1.T @ factors.dy_hat),
        "mean for sum": ("b2", lambda X, _, factors: factors.dy_hat.sum(axis=0, keepdims=True) / 3),
    }.items()
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(monkeypatch, fault):
    assert certify(BUSY, BUSY_DATA).holds
    monkeypatch.setattr(network, *fault)
    assert not certify(BUSY, BUSY_DATA).holds


def test_exact_numbers_must_agree_to_the_last_digit_however_large_the_loss(monkeypatch):
    far_off = Dataset([[1], [2]], [[10**4], [2]])
    assert certify(ARTICLE, far_off).holds
    change = change_gradient("W1", lambda X, _, factors: X.T @ factors.dz1 + Fraction(1, 10**9))
    slightly = ("parameter_gradients", change)
    monkeypatch.setattr(network, *slightly)
    assert not certify(ARTICLE, far_off).holds


def test_the_wrong_transpose_is_found(monkeypatch):
    square = Params(W1=[[1, 2]], b1=[[1, 1]], W2=[[1, 2], [3, 4]], b2=[[0, 0]])
    data = Dataset(X=[[1], [2]], Y=[[1, 0], [0, 1]])
    assert certify(square, data).holds

    def faulty(params, passed, dy_hat):
        factors = chain_rule(params, passed, dy_hat)
        return factors._replace(dz1=(dy_hat @ params.W2) * factors.phi_prime)

    monkeypatch.setattr(network, "chain_rule", faulty)
    assert not certify(square, data).holds


def test_another_convention_than_the_one_asked_for_is_found(monkeypatch):
    def faulty(params, passed, dy_hat):
        return chain_rule(replace(params, relu_prime_at_zero=1), passed, dy_hat)

    monkeypatch.setattr(network, "chain_rule", faulty)
    assert certify(ARTICLE, CLEAN).holds  # no z1 is 0 there
    assert not certify(ARTICLE, TRIGGER).holds


def test_a_faulty_definition_for_sympy_is_found(monkeypatch):
    monkeypatch.setattr(symbolic.relu, "as_piecewise", lambda self, at_zero: self.args[0])
    assert not certify(ARTICLE, CLEAN).holds


def test_a_fault_that_backward_and_sympy_share_is_found_by_the_measured_slopes(monkeypatch):
    def doubled(y_hat, Y, **options):
        total = loss(y_hat, Y, **options)
        return 2 * total if any(map(is_symbolic, y_hat.flat)) else total

    loss = network.loss
    monkeypatch.setattr("lesson_lib.proofs.certificate.loss", doubled)
    monkeypatch.setattr(network, "chain_rule", FAULTS["error doubled"][1])
    certificate = certify(BUSY, BUSY_DATA)
    assert all(check.backward == check.symbolic for check in certificate.checks)
    assert not certificate.holds


# What is shown -----------------------------------------------------------------------------------------------------


def test_text_and_html_show_the_verdict():
    certificate = certify(ARTICLE, CLEAN)
    verdict = "Certified: 7 entries, three ways, largest gap 0."
    assert str(certificate) == repr(certificate)
    assert str(certificate).endswith(verdict)
    assert str(certificate).count("✓ agree") == 7
    assert "corner" not in str(certificate)
    html = certificate._repr_html_()
    assert f">{verdict}</caption>" in html
    assert html.count('<th scope="row">') == html.count("✓ agree") == 7


def test_a_fraction_is_shown_in_full_up_to_twelve_signs_and_a_float_in_six_digits():
    numbers = {"backward": Fraction(123456789012), "symbolic": Fraction(1234567890123), "halfway": 0}
    check = Check("entry", **numbers, slopes=(0.123456789, 0.123456789), scale=1.0)
    assert "entry     123456789012  1.23457e+12  0.123457 " in str(Certificate((check,)))


def test_a_failure_shows_which_entry_and_how_far(monkeypatch):
    monkeypatch.setattr(network, *FAULTS["sign of dW1"])
    certificate = certify(ARTICLE, CLEAN)
    assert certificate.largest_gap == 5  # -5/2 and 5/2
    text, html = str(certificate), certificate._repr_html_()
    for shown in (text, html):
        assert "NOT certified: over 7 entries the largest gap is 5." in shown
        assert shown.count("✗ differ by 5") == 1
        assert shown.count("✓ agree") == 6
    assert "dL/dW1[1, 1]  5/2       -5/2" in text


def test_where_a_corner_decides_the_verdict_says_so():
    certificate = certify(derive_step(ARTICLE, CLEAN, Fraction(1, 10)).params, TRIGGER)
    told = {row[0]: row[-1] for row in certificate.rows[1:]}
    assert {name for name, verdict in told.items() if verdict == "✓ convention"} == {"dL/db1[1, 1]", "dL/db1[1, 2]"}
    assert set(told.values()) == {"✓ agree", "✓ convention"}
    assert "In 2 of them the slope differs from left to right" in certificate.caption
    assert certificate.holds
    assert "slope differs" not in certify(ARTICLE, CLEAN).caption


def test_a_wrong_value_at_a_corner_is_no_convention(monkeypatch):
    def faulty(params, passed, dy_hat):
        return chain_rule(replace(params, relu_prime_at_zero=1), passed, dy_hat)

    monkeypatch.setattr(network, "chain_rule", faulty)
    assert any(row[-1].startswith("✗ differ") for row in certify(ARTICLE, TRIGGER).rows[1:])
