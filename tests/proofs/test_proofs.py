"""The four locks: which factor keeps which gradient at 0, what every fix opens, and the proofs in letters."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from strategies import with_phi

from lesson_lib.network import PARAMETERS, Params
from lesson_lib.proofs import lock as room
from lesson_lib.proofs import words
from lesson_lib.proofs.lock import Lock, fix_matrix, locks, prove_frozen, prove_homogeneous

AFTER = Params(W1=[[0.75, -0.5]], b1=[[0, 0]], W2=[[1.125], [-1]], b2=[[0]])  # the article's net after its clean step
SLOPE_AT_ZERO = {"leaky_relu": Fraction(1, 100), "tanh": 1, "identity": 1, "sigmoid": Fraction(1, 4)}


def reasons(params, x=0, y=5):
    return {lock.name: lock.reason for lock in locks(params, [[x]], [[y]])}


def gradients_by_hand(W1, b1, W2, b2, x, y, phi=lambda z: max(z, 0), slope=lambda z: int(z > 0)):
    """Return the four gradients of one sample, each as a list, by the chain rule in plain Python."""
    z = [x * w + b for w, b in zip(W1, b1, strict=True)]
    e = sum(phi(one) * v for one, v in zip(z, W2, strict=True)) + b2 - y
    dz = [e * v * slope(one) for one, v in zip(z, W2, strict=True)]
    return {"W1": [x * d for d in dz], "b1": dz, "W2": [e * phi(one) for one in z], "b2": [e]}


# The table ---------------------------------------------------------------------------------------------------------


def test_at_the_trigger_each_weight_is_locked_by_its_own_factors():
    assert reasons(AFTER) == {
        "W1": "x = 0 and relu'(z1) = 0",
        "b1": "relu'(z1) = 0",
        "W2": "a1 = 0",
        "b2": "open",
    }


@pytest.mark.parametrize(
    ("keywords", "opened"),
    [
        ({"activation": "leaky_relu"}, {"b1": [-9 / 160, 1 / 20]}),
        ({"relu_prime_at_zero": 1}, {"b1": [-45 / 8, 5]}),
        ({"activation": "sigmoid"}, {"W2": [-79 / 32, -79 / 32], "b1": [-711 / 512, 79 / 64]}),
        ({"activation": "tanh"}, {"b1": [-45 / 8, 5]}),
        ({"activation": "identity"}, {"b1": [-45 / 8, 5]}),
    ],
)
def test_another_activation_opens_some_locks_but_never_that_of_W1(keywords, opened):
    for lock in locks(with_phi(AFTER, **keywords), [[0]], [[5]]):
        assert lock.is_open is (lock.name in opened or lock.name == "b2")
        assert lock.gradient.ravel() == pytest.approx(opened.get(lock.name, lock.gradient.ravel()))
        if lock.name == "W1":
            assert lock.reason == "x = 0"


def fixes_by_hand():
    """Return the gradients that each row of the table must show."""
    W1, W2, none = [Fraction(3, 4), Fraction(-1, 2)], [Fraction(9, 8), Fraction(-1)], [0, 0]
    half = {"sigmoid": lambda z: Fraction(1, 2)}  # phi(0); the others have phi(0) = 0
    return {
        "none": gradients_by_hand(W1, none, W2, 0, 0, 5),
        "rate": gradients_by_hand([Fraction(3, 2), Fraction(-1, 2)], none, [Fraction(3, 2), -1], 0, 0, 5),
        "b2": gradients_by_hand(W1, none, W2, 1, 0, 5),
        "b1": gradients_by_hand(W1, [1, 1], W2, 0, 0, 5),
        "move": gradients_by_hand(W1, none, W2, 0, -1, 5),
        "at zero": gradients_by_hand(W1, none, W2, 0, 0, 5, slope=lambda z: 1),
        **{
            name: gradients_by_hand(W1, none, W2, 0, 0, 5, half.get(name, lambda z: 0), lambda z, at=at: at)
            for name, at in SLOPE_AT_ZERO.items()
        },
    }


@pytest.mark.parametrize("fix", words.FIXES)
def test_each_fix_opens_exactly_the_gradients_that_are_not_zero(fix):
    [row] = [row for row in fix_matrix().rows if row[0] == words.FIXES[fix]]
    for name, cell in zip(PARAMETERS, row[1:], strict=True):
        expected = fixes_by_hand()[fix][name]
        assert cell.startswith(words.OPEN) is any(expected), (name, cell)
        if any(expected):
            assert [Fraction(number) for number in re.findall(r"-?\d+(?:/\d+)?", cell)] == expected


def test_the_table_holds_every_fix_once():
    assert [row[0] for row in fix_matrix().rows[1:]] == list(words.FIXES.values())


def test_the_table_has_a_heading_and_says_what_it_shows():
    table = fix_matrix()
    assert table.rows[0] == ("fix", "dL/dW1", "dL/db1", "dL/dW2", "dL/db2")
    assert table.caption == words.FIX_CAPTION
    assert table.rows[1][1:] == ("x = 0 and relu'(z1) = 0", "relu'(z1) = 0", "a1 = 0", "open -5")


# The reasons -------------------------------------------------------------------------------------------------------

small = st.integers(-1, 1)
pairs = st.tuples(small, small)


@given(pairs, pairs, pairs, small, small, small)
def test_a_reason_names_every_common_factor_and_no_other(W1, b1, W2, b2, x, y):
    shown = {lock.name: lock for lock in locks(Params([W1], [b1], [[v] for v in W2], [[b2]]), [[x]], [[y]])}
    z = [x * w + b for w, b in zip(W1, b1, strict=True)]
    [e] = gradients_by_hand(W1, b1, W2, b2, x, y)["b2"]
    zero = {"x": [x == 0] * 2, "dL/dy_hat": [e == 0] * 2, "W2": [v == 0 for v in W2]}
    zero |= {"relu'(z1)": [one <= 0 for one in z], "a1": [one <= 0 for one in z]}
    factors = {
        "W1": ("x", "dL/dy_hat", "W2", "relu'(z1)"),
        "b1": ("dL/dy_hat", "W2", "relu'(z1)"),
        "W2": ("a1", "dL/dy_hat"),
        "b2": ("dL/dy_hat",),
    }
    for name, possible in factors.items():
        locked = all(any(zero[factor][neuron] for factor in possible) for neuron in (0, 1))
        assert shown[name].is_open is not locked
        common = {factor for factor in possible if all(zero[factor])}
        some = {factor for factor in possible if any(zero[factor])}
        named = set(re.findall(r"([^ ]+) = 0", shown[name].reason))
        assert named == ((common or some) if locked else set())


def test_a_lock_names_the_factors_that_all_entries_share_or_else_all_of_them():
    def lock(*factors, gradient=(0, 0)):
        zero_by = {(0, i): names for i, names in enumerate(factors)}
        return Lock("W1", np.array([gradient]), zero_by, "tanh")

    assert lock(("X", "phi_prime"), ("phi_prime",)).reason == "tanh'(z1) = 0"
    assert lock(("X", "phi_prime"), ("phi_prime", "X")).reason == "x = 0 and tanh'(z1) = 0"
    assert lock(("X",), ("phi_prime",)).reason == "x = 0 and tanh'(z1) = 0"
    half_open = lock(("X",), (), gradient=(0, 3))
    assert half_open.is_open
    assert half_open.reason == "open"
    assert Lock("b2", np.array([[0]]), {(0, 0): ("phi_prime",)}, "relu").reason == "relu'(z1) = 0"


@pytest.mark.parametrize(
    ("argument", "x", "y"), [("X", [[0, 0]], [[5]]), ("Y", [[0]], [[5, 5]]), ("X", [[sympy.Symbol("x")]], [[5]])]
)
def test_a_sample_that_does_not_fit_is_refused_by_name(argument, x, y):
    with pytest.raises(ValueError, match=f"^{argument} must"):
        locks(AFTER, x, y)


# The proofs --------------------------------------------------------------------------------------------------------


def spy(monkeypatch, plant=None):
    """Record the nets that a proof computes with, and change them first if asked to."""
    nets, forward = [], room.forward
    without_biases = room.without_biases
    monkeypatch.setattr(room, "without_biases", lambda net: (plant or (lambda n: n))(without_biases(net)))
    monkeypatch.setattr(room, "forward", lambda net, X: nets.append(net) or forward(net, X))
    return nets


def letters(matrix):
    return set().union(*(sympy.sympify(entry).free_symbols for entry in matrix.flat))


def cells(table, column):
    return [row[column] for row in table.rows[1:]]


@pytest.mark.parametrize(("proof", "column"), [(prove_frozen, 1), (prove_homogeneous, 2)])
def test_a_proof_is_zero_for_weights_that_are_letters(proof, column, monkeypatch):
    nets = spy(monkeypatch)
    assert all(set(re.findall(r"[^\[\], ;]+", cell)) == {"0"} for cell in cells(proof(), column))
    assert nets
    for net in nets:
        assert len(letters(net.W1)) == len(letters(net.W2)) == 2
        assert not letters(net.b1) | letters(net.b2)


@pytest.mark.parametrize(("proof", "column"), [(prove_frozen, 1), (prove_homogeneous, 2)])
@pytest.mark.parametrize("bias", ["b1", "b2"])
def test_a_planted_bias_breaks_the_proof(proof, column, bias, monkeypatch):
    def plant(net):
        letter = sympy.ones(*getattr(net, bias).shape) * sympy.Symbol("beta", positive=True)
        return replace(net, **{bias: letter})

    spy(monkeypatch, plant)
    assert any("beta" in cell for cell in cells(proof(), column))


def test_the_homogeneity_proof_covers_every_combination_of_gates():
    gates = cells(prove_homogeneous(), 0)
    assert len(set(gates)) == len(gates) == 4


def test_each_combination_shows_what_its_open_gates_answer():
    assert prove_homogeneous().rows[1:] == [
        ("open, open", "s1*v1 + s2*v2", "0"),
        ("open, shut", "s1*v1", "0"),
        ("shut, open", "s2*v2", "0"),
        ("shut, shut", "0", "0"),
    ]


def test_what_the_proof_of_the_freeze_shows():
    assert prove_frozen().rows[1:] == [("f(0)", "0"), ("dL/dW1", "[0, 0]"), ("dL/dW2", "[0; 0]")]
