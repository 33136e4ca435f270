"""Values that remember how they were made, and which of their factors are 0."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import exact_problems, with_phi

from lesson_lib.activations import ACTIVATIONS
from lesson_lib.derivation.symbols import to_sympy
from lesson_lib.derivation.trace import Traced, add_samples, trace_sample, traced, zero_factors, zeros
from lesson_lib.network import (
    ARTICLE,
    PARAMETERS,
    Gradients,
    backward,
    chain_rule,
    descend,
    forward,
    half_squares,
    loss,
    sgd_step,
)


def named(name, *rows):
    return Traced(np.array(rows, dtype=object), name=name)


def names(parts):
    return [part.name for part in parts]


# How a value was made ----------------------------------------------------------------------------------------------

A, B, C = named("A", [1, 2]), named("B", [3], [4]), named("C", [5, 6])
OPERATIONS = {
    "matmul": (A @ B, [[11]], ["A", "B"]),
    "plus": (A + C, [[6, 8]], ["A", "C"]),
    "minus": (A - C, [[-4, -4]], ["A", "C"]),
    "multiply": (A * C, [[5, 12]], ["A", "C"]),
    "transpose": (B.T, [[3, 4]], ["B"]),
    "square": (A**2, [[1, 4]], ["A"]),
    "scale": (Traced(sympy.Rational(1, 2), name="rate") * C, [[sympy.Rational(5, 2), 3]], ["rate", "C"]),
    "same": (A.sum(axis=0, keepdims=True), [[1, 2]], ["A"]),
}


@pytest.mark.parametrize(("operation", "made"), OPERATIONS.items(), ids=OPERATIONS)
def test_a_value_remembers_the_operation_and_the_operands_that_made_it(operation, made):
    term, value, operands = made
    assert term.operation == operation
    assert term.value.tolist() == value
    assert names(term.operands) == operands
    assert term.name == ""


def test_what_is_given_was_made_of_nothing():
    assert (A.operation, A.operands, A.name) == ("given", (), "A")
    assert Traced(1).name == ""


def test_half_the_sum_of_squares_remembers_the_errors():
    total = half_squares(A - C)
    assert total.value == 16
    assert total.operation == "half"
    [squares] = total.operands
    assert squares.operation == "sum_of_squares"
    assert squares.operands[0].operation == "square"
    assert squares.operands[0].operands[0].operation == "minus"
    assert names(total.made_of()) == ["A", "C"]


def test_what_a_value_was_made_of_is_seen_through_what_has_no_name():
    inner = A * C
    term = inner @ B + named("D", [7])
    assert names(term.made_of()) == ["A", "C", "B", "D"]
    inner.name = "AC"
    assert names(term.made_of()) == ["AC", "B", "D"]
    assert names(inner.made_of()) == ["A", "C"]


def test_the_samples_are_added_and_one_alone_is_its_own_sum():
    parts = [named("dW1", [1, 2]), named("dW1", [3, 4]), named("dW1", [5, 6])]
    total = add_samples(parts)
    assert (total.operation, total.operands, total.name) == ("sum", tuple(parts), "dW1")
    assert total.value.tolist() == [[9, 12]]
    assert [part.value.tolist() for part in parts] == [[[1, 2]], [[3, 4]], [[5, 6]]]
    assert add_samples(parts[:1]) is parts[0]


# The net's lines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "identity"])
@settings(max_examples=10)
@given(exact_problems(), st.sampled_from([0, 1]))
def test_the_lines_give_the_same_numbers_on_traced_values(activation, problem, convention):
    params, data = with_phi(problem[0], activation, convention), problem[1]
    samples = [trace_sample(params, data.X[[i]], data.Y[[i]]) for i in range(len(data.X))]
    for i, terms in enumerate(samples):
        passed = forward(params, data.X[[i]])
        expected = {"X": data.X[[i]], "Y": data.Y[[i]], **passed._asdict()}
        expected |= chain_rule(params, passed, passed.y_hat - data.Y[[i]])._asdict()
        gradients = backward(params, data.X[[i]], data.Y[[i]])
        expected |= {f"d{name}": gradient for name, gradient in gradients._asdict().items()}
        assert list(terms) == list(expected)
        for name, value in expected.items():
            assert terms[name].name == name
            assert terms[name].value.tolist() == value.tolist()
    summed = Gradients(*(add_samples([terms[f"d{name}"] for terms in samples]) for name in PARAMETERS))
    together = backward(params, data.X, data.Y)
    rate = sympy.Rational(1, 10)
    after = descend(traced(params), summed, Traced(rate, name="rate"), ("W1", "b2"))
    step = sgd_step(params, together, rate, ("W1", "b2"))
    for name in PARAMETERS:
        assert getattr(summed, name).value.tolist() == getattr(together, name).tolist()
        moved = after[name].value if name in after else getattr(params, name)
        assert moved.tolist() == getattr(step, name).tolist()
    assert half_squares(Traced(forward(params, data.X).y_hat) - Traced(data.Y)).value == loss(
        forward(params, data.X).y_hat, data.Y
    )


def test_each_line_remembers_what_it_was_made_of():
    terms = trace_sample(ARTICLE, np.array([[1.0]]), np.array([[5.0]]))
    assert {name: names(term.made_of()) for name, term in terms.items()} == {
        "X": [],
        "Y": [],
        "z1": ["X", "W1", "b1"],
        "a1": ["z1"],
        "y_hat": ["a1", "W2", "b2"],
        "dy_hat": ["y_hat", "Y"],
        "da1": ["dy_hat", "W2"],
        "phi_prime": ["z1"],
        "dz1": ["da1", "phi_prime"],
        "dW1": ["X", "dz1"],
        "db1": ["dz1"],
        "dW2": ["a1", "dy_hat"],
        "db2": ["dy_hat"],
    }


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_and_its_slope_are_operations_of_their_own(activation):
    params = with_phi(ARTICLE, activation).with_arrays(W1=to_sympy(ARTICLE.W1))
    net = traced(params)
    z1 = named("z1", [1, 0])
    for term, operation, value in (
        (net.phi(z1), activation, params.phi(z1.value)),
        (net.phi_prime(z1), f"{activation}'", params.phi_prime(z1.value)),
    ):
        assert term.operation == operation
        assert term.operands == (z1,)
        assert term.value.tolist() == value.tolist()


def test_a_traced_net_names_its_parameters_and_gives_what_moved_by_name():
    net = traced(ARTICLE)
    assert names(getattr(net, name) for name in PARAMETERS) == list(PARAMETERS)
    assert all(getattr(net, name).value is getattr(ARTICLE, name) for name in PARAMETERS)
    assert net.with_arrays(W1=A) == {"W1": A}
    assert net.W1.name == "W1"


# Which factor is zero ----------------------------------------------------------------------------------------------


def test_a_product_names_the_factor_that_is_zero():
    left, right = named("left", [0, 2]), named("right", [3], [0])
    assert zero_factors(left @ right) == ("left", "right")
    assert zero_factors(named("left", [0, 0]) @ right) == ("left", "right")
    assert zero_factors(named("left", [0, 0]) @ named("right", [3], [1])) == ("left",)


def test_products_that_cancel_have_no_zero_factor():
    left, right = named("left", [1, 1]), named("right", [3], [-3])
    assert (left @ right).value.tolist() == [[0]]
    assert zero_factors(left @ right) == ()
    assert zero_factors(add_samples([named("part", [2]), named("part", [-2])])) == ()


def test_one_product_that_is_not_zero_is_enough_for_no_factor():
    left, right = named("left", [0, 1, 1]), named("right", [5], [3], [-3])
    assert zero_factors(left @ right) == ()


def test_what_is_not_zero_has_no_zero_factor():
    assert zero_factors(named("left", [1]) @ named("right", [2])) == ()
    assert zero_factors(named("left", [0, 1]) @ named("right", [2], [2])) == ()


def test_a_zero_is_looked_for_at_its_own_row_and_column():
    left, right = named("left", [1], [0]), named("right", [2, 0])
    product = left @ right
    assert zeros(product) == {
        (0, 0): (),
        (0, 1): ("right",),
        (1, 0): ("left",),
        (1, 1): ("left", "right"),
    }
    turned = left.T
    assert [zero_factors(turned, 0, column) for column in (0, 1)] == [(), ("left",)]
    entries = named("one", [0, 2, 0]) * named("other", [3, 0, 0])
    assert [zero_factors(entries, 0, column) for column in range(3)] == [("one",), ("other",), ("one", "other")]


def test_factors_are_found_through_sums_and_through_what_has_no_name():
    dz1 = named("da1", [0]) * named("phi_prime", [0])
    assert zero_factors(dz1.sum(axis=0, keepdims=True)) == ("da1", "phi_prime")
    parts = [named("x", [0]) @ named("dz1", [4]), named("x", [3]) @ named("dz1", [0])]
    assert zero_factors(add_samples(parts)) == ("x", "dz1")
    assert zero_factors(named("x", [0]) - named("y", [0])) == ()  # a difference is no product
    difference = named("x", [2]) - named("y", [2])
    difference.name = "error"
    assert zero_factors(difference) == ("error",)
    assert zero_factors(difference @ named("W2", [3, 1]), 0, 1) == ("error",)
