r"""How a line is written: exact LaTeX and plain text, in fractions and in decimals."""

import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from strategies import with_phi
from sympy import Integer, Rational

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.printer import Printer, reason
from lesson_lib.derivation.symbols import symbolic_params
from lesson_lib.derivation.trace import Traced, add_samples
from lesson_lib.network import ARTICLE, Params
from lesson_lib.training import CLEAN, Dataset

RATE = Fraction(1, 10)
THIRD = Params(W1=[[Fraction(1, 3), Fraction(1, 3)]], b1=[[0, 0]], W2=[[1], [2]], b2=[[0]])


def in_full(short):
    r"""Write out our shorthand: [1 & 2] for a matrix and d(W_2) for the derivative of the loss by W_2."""
    short = re.sub(r"d\((.*?)\)", r"\\frac{\\partial L}{\\partial \1}", short)
    return re.sub(r"(?<!left)\[(.*?)(?<!\\right)\]", r"\\begin{bmatrix} \1 \\end{bmatrix}", short)


def test_the_hidden_layers_line_in_latex():
    assert derive_step(ARTICLE, CLEAN, RATE).find("z1", 1).latex == (
        r"z_1 = x \, W_1 + b_1 = 2 \cdot \begin{bmatrix} \frac{1}{2} & -\frac{1}{2} \end{bmatrix} "
        r"+ \begin{bmatrix} 0 & 0 \end{bmatrix} = \begin{bmatrix} 1 & -1 \end{bmatrix}"
    )


def test_a_gradients_line_in_latex():
    assert derive_step(ARTICLE, CLEAN, RATE).find("dW2", 1).latex == (
        r"\frac{\partial L}{\partial W_2} = a_1^\top \, \frac{\partial L}{\partial \hat{y}} = "
        r"\begin{bmatrix} 1 \\ 0 \end{bmatrix} \cdot \left(-1\right) = \begin{bmatrix} -1 \\ 0 \end{bmatrix}"
    )


@pytest.mark.parametrize(
    ("decimals", "quantity", "sample", "expected"),
    [
        (
            False,
            "a1",
            1,
            r"a_1 = \operatorname{relu}\left(z_1\right) = \operatorname{relu}\left([1 & -1]\right) = [1 & 0]",
        ),
        (False, "y_hat", 0, r"\hat{y} = a_1 \, W_2 + b_2 = [\frac{1}{2} & 0] \cdot [1 \\ -1] + 0 = \frac{1}{2}"),
        (
            False,
            "L",
            None,
            r"L = \frac{1}{2} \sum_{\text{samples}} \left(\hat{y} - y\right)^2 = "
            r"\frac{1}{2} \left[\left(\frac{1}{2} - 1\right)^2 + \left(1 - 2\right)^2\right] = \frac{5}{8}",
        ),
        (False, "da1", 1, r"d(a_1) = d(\hat{y}) \, W_2^\top = -1 \cdot [1 & -1] = [-1 & 1]"),
        (
            False,
            "phi_prime",
            1,
            r"\frac{\partial a_1}{\partial z_1} = \operatorname{relu}'\left(z_1\right) = "
            r"\operatorname{relu}'\left([1 & -1]\right) = [1 & 0]",
        ),
        (
            False,
            "dz1",
            1,
            r"d(z_1) = d(a_1) \odot \frac{\partial a_1}{\partial z_1} = [-1 & 1] \odot [1 & 0] = [-1 & 0]",
        ),
        (False, "dW1", 1, r"d(W_1) = x \, d(z_1) = 2 \cdot [-1 & 0] = [-2 & 0]"),
        (
            False,
            "dW1",
            None,
            r"d(W_1) = \sum_{\text{samples}} d(W_1) = [-\frac{1}{2} & 0] + [-2 & 0] = [-\frac{5}{2} & 0]",
        ),
        (
            False,
            "W2",
            None,
            r"W_2^{\text{new}} = W_2 - \eta \, d(W_2) = "
            r"[1 \\ -1] - \frac{1}{10} \cdot [-\frac{5}{4} \\ 0] = [\frac{9}{8} \\ -1]",
        ),
        (True, "dy_hat", 0, r"d(\hat{y}) = \hat{y} - y = 0.5 - 1 = -0.5"),
        (True, "dW2", 0, r"d(W_2) = a_1^\top \, d(\hat{y}) = [0.5 \\ 0] \cdot \left(-0.5\right) = [-0.25 \\ 0]"),
        (
            True,
            "W2",
            None,
            r"W_2^{\text{new}} = W_2 - \eta \, d(W_2) = [1 \\ -1] - 0.1 \cdot [-1.25 \\ 0] = [1.125 \\ -1]",
        ),
    ],
)
def test_a_line_in_latex(decimals, quantity, sample, expected):
    assert derive_step(ARTICLE, CLEAN, RATE, decimals=decimals).find(quantity, sample).latex == in_full(expected)


@pytest.mark.parametrize(
    ("decimals", "quantity", "sample", "expected"),
    [
        (False, "z1", 1, "z1 = x W1 + b1 = 2 · [1/2, -1/2] + [0, 0] = [1, -1]"),
        (False, "a1", 1, "a1 = relu(z1) = relu([1, -1]) = [1, 0]"),
        (False, "y_hat", 0, "y_hat = a1 W2 + b2 = [1/2, 0] · [1; -1] + 0 = 1/2"),
        (False, "L", None, "L = 1/2 sum of (y_hat - y)² = 1/2 [(1/2 - 1)² + (1 - 2)²] = 5/8"),
        (False, "dW2", 0, "dL/dW2 = a1ᵀ dL/dy_hat = [1/2; 0] · (-1/2) = [-1/4; 0]"),
        (False, "phi_prime", 1, "da1/dz1 = relu'(z1) = relu'([1, -1]) = [1, 0]"),
        (False, "dz1", 1, "dL/dz1 = dL/da1 ⊙ da1/dz1 = [-1, 1] ⊙ [1, 0] = [-1, 0]"),
        (False, "dW1", None, "dL/dW1 = sum over samples of dL/dW1 = [-1/2, 0] + [-2, 0] = [-5/2, 0]"),
        (False, "W2", None, "new W2 = W2 - rate dL/dW2 = [1; -1] - 1/10 · [-5/4; 0] = [9/8; -1]"),
        (True, "L", None, "L = 1/2 sum of (y_hat - y)² = 1/2 [(0.5 - 1)² + (1 - 2)²] = 0.625"),
        (True, "W1", None, "new W1 = W1 - rate dL/dW1 = [0.5, -0.5] - 0.1 · [-2.5, 0] = [0.75, -0.5]"),
    ],
)
def test_a_line_in_plain_text(decimals, quantity, sample, expected):
    step = derive_step(ARTICLE, CLEAN, RATE, decimals=decimals).find(quantity, sample)
    assert step.text == expected


@pytest.mark.parametrize(
    ("number", "fraction", "decimal"),
    [
        (Integer(-3), "-3", "-3"),
        (Rational(-1, 2), r"-\frac{1}{2}", "-0.5"),
        (Rational(1, 64), r"\frac{1}{64}", "0.015625"),
        (Rational(1, 3), r"\frac{1}{3}", "0.33333"),
        (Rational(99999999, 2), r"\frac{99999999}{2}", "49999999.5"),
        (Rational(123456789, 1000), "1.2346 \\times 10^{5}", "1.2346 \\times 10^{5}"),
        (Rational(1, 10**9), r"1 \times 10^{-9}", r"1 \times 10^{-9}"),
        (Rational(1, 10**6), r"\frac{1}{1000000}", "0.000001"),
        (Rational(1, 10**7), r"\frac{1}{10000000}", r"1 \times 10^{-7}"),
        (-sympy.sqrt(2), "-1.4142", "-1.4142"),
    ],
)
def test_a_number_is_written_as_a_fraction_or_a_decimal_and_rounded_only_if_it_is_too_long(number, fraction, decimal):
    assert Printer().number(number) == fraction
    assert Printer(decimals=True).number(number) == decimal


def test_plain_text_has_no_latex():
    text = Printer("text")
    assert text.number(Rational(-1, 2)) == "-1/2"
    assert text.number(Rational(1, 10**9)) == "1e-9"
    assert text.value(np.array([[1, 2], [3, 4]])) == "[1, 2; 3, 4]"


def test_a_matrix_with_one_entry_is_a_plain_number():
    assert Printer().value(np.array([[Rational(1, 2)]])) == r"\frac{1}{2}"
    assert Printer("text").value(np.array([[-1]])) == "-1"


def test_letters_pass_through():
    w, b = sympy.symbols("w1 b1")
    assert Printer().number(w**2 * b) == "b_{1} w_{1}^{2}"
    assert Printer("text").number(w**2 * b) == "b1·w1^2"


def test_an_exact_value_has_an_equals_sign_and_a_rounded_one_an_approximate_sign():
    exact, rounded = (derive_step(THIRD, CLEAN, RATE, decimals=decimals).find("z1", 0) for decimals in (False, True))
    assert exact.latex.endswith(in_full(r" + [0 & 0] = [\frac{1}{3} & \frac{1}{3}]"))
    assert rounded.latex.endswith(in_full(r" + [0 & 0] \approx [0.33333 & 0.33333]"))
    assert rounded.text.endswith(" + [0, 0] ≈ [0.33333, 0.33333]")


def test_rounding_shows_in_a_line_that_only_repeats_a_rounded_number():
    step = derive_step(THIRD, Dataset([[1]], [[Fraction(1, 3)]]), RATE, ("b2",), decimals=True).find("db2", 0)
    assert step.latex.endswith(r"\approx 0.66667")
    assert step.text == "dL/db2 = dL/dy_hat ≈ 0.66667"


def test_rounded_operands_show_even_where_the_result_is_exact():
    step = derive_step(THIRD, CLEAN, RATE, decimals=True).find("y_hat", 0)
    assert step.value == "1"
    assert r"\approx" in step.latex


def test_a_negative_factor_and_a_negative_target_stand_in_parentheses():
    d = derive_step(ARTICLE, Dataset([[-1]], [[-5]]), RATE, ("W1", "b2"))
    assert d.find("L").text == "L = 1/2 sum of (y_hat - y)² = 1/2 [(-1/2 - (-5))²] = 81/8"
    assert d.find("dy_hat", 0).latex.endswith(r" = -\frac{1}{2} - \left(-5\right) = \frac{9}{2}")
    assert derive_step(ARTICLE, CLEAN, RATE, ("b2",)).find("b2").text.endswith("0 - 1/10 · (-3/2) = 3/20")


def test_a_target_that_is_a_sum_stands_in_parentheses():
    letters, t = symbolic_params(1, 1, 1), sympy.Symbol("t")
    d = derive_step(letters, Dataset(sympy.Matrix([[2]]), sympy.Matrix([[t + 1]])), RATE)
    assert d.find("L").text.startswith("L = 1/2 sum of (y_hat - y)² = 1/2 [(c + v·relu(b + 2·w) - (t + 1))²] = ")


def test_a_first_factor_that_is_a_sum_stands_in_parentheses():
    s, t = sympy.symbols("s t")
    entry = Traced(np.array([[t]]), name="W2")
    for total in (Traced(s + t, name="rate"), Traced(np.array([[s + t]]), name="x")):
        product = total * entry if total.name == "rate" else total @ entry
        assert Printer("text").formula(product, in_numbers=True) == "(s + t) · t"


def test_what_is_summed_over_samples_stands_in_parentheses_where_it_is_a_sum():
    y_hat, y = Traced(np.array([[3]]), name="y_hat"), Traced(np.array([[1]]), name="Y")
    assert Printer("text").formula(add_samples([y_hat - y, y - y_hat])) == "sum over samples of (y_hat - y)"
    assert Printer("text").formula(add_samples([y_hat @ y, y @ y_hat])) == "sum over samples of y_hat y"


def test_a_formula_that_is_its_own_numbers_is_written_once():
    net = Params(W1=[[0]], b1=sympy.Matrix([["z1"]]), W2=[[1]], b2=[[0]])  # a letter with the name of a line
    assert derive_step(net, Dataset([[1]], [[0]]), RATE).find("a1", 0).text == "a1 = relu(z1)"


def test_a_matrix_of_sums_needs_no_parentheses():
    s, t = sympy.symbols("s t")
    total = Traced(np.array([[t, t]]), name="x") + Traced(np.array([[s + t, s]]), name="b1")
    assert Printer("text").formula(total, in_numbers=True) == "[t, t] + [s + t, s]"


def test_several_inputs_are_transposed_in_writing():
    net = Params(W1=[[1, 0], [0, 1]], b1=[[0, 0]], W2=[[1], [1]], b2=[[0]])
    step = derive_step(net, Dataset([[1, 2]], [[0]]), RATE).find("dW1", 0)
    assert step.text == "dL/dW1 = xᵀ dL/dz1 = [1; 2] · [3, 3] = [3, 3; 6, 6]"
    assert step.latex.startswith(in_full(r"d(W_1) = x^\top \, d(z_1) = "))


@pytest.mark.parametrize(("n_in", "written"), [(1, "x dL/dz1"), (2, "xᵀ dL/dz1")])
def test_a_single_number_is_not_transposed_in_writing(n_in, written):
    net = Params(W1=[[1]] * n_in, b1=[[0]], W2=[[1]], b2=[[0]])
    assert derive_step(net, Dataset([[1] * n_in], [[0]]), RATE).find("dW1", 0).text.startswith(f"dL/dW1 = {written} = ")


def test_each_activation_is_written_by_its_name():
    for activation, (latex, text) in {
        "leaky_relu": (r"\operatorname{lrelu}", "leaky_relu"),
        "tanh": (r"\tanh", "tanh"),
        "sigmoid": (r"\sigma", "sigmoid"),
        "identity": (r"\operatorname{id}", "id"),
    }.items():
        derivation = derive_step(with_phi(ARTICLE, activation), Dataset([[0]], [[5]]), RATE)
        a1, slope = derivation.find("a1", 0), derivation.find("phi_prime", 0)
        assert a1.formula == rf"{latex}\left(z_1\right)"
        assert slope.formula == rf"{latex}'\left(z_1\right)"
        assert a1.text.startswith(f"a1 = {text}(z1) = {text}([0, 0]) = ")
        assert slope.text.startswith(f"da1/dz1 = {text}'(z1) = {text}'([0, 0]) = ")


def test_a_sum_that_is_multiplied_stands_in_parentheses():
    x, y = sympy.symbols("x y", real=True)
    derivation = derive_step(symbolic_params(n_hidden=1), Dataset([[x]], [[y]]), RATE, ("W1", "W2", "b2"))
    assert derivation.find("z1", 0).text == "z1 = x W1 + b1 = x · w + b = b + w·x"
    assert " = relu(b + w·x) · v + c = " in derivation.find("y_hat", 0).text
    assert " = (c + v·relu(b + w·x) - y) · v = " in derivation.find("da1", 0).text
    assert derivation.find("b2").text.startswith("new b2 = b2 - rate dL/db2 = c - 1/10 · (c + v·relu(b + w·x) - y) = ")
    assert derive_step(symbolic_params(n_hidden=1), Dataset([[x + 1]], [[y]]), RATE).find("z1", 0).text == (
        "z1 = x W1 + b1 = (x + 1) · w + b = b + w·(x + 1)"
    )


@pytest.mark.parametrize(
    ("entries", "decimals", "rounded"),
    [
        ([1, Rational(1, 3)], False, False),
        ([1, Rational(1, 3)], True, True),
        ([Rational(1, 64), 2], True, False),
        ([0, Rational(1, 10**9)], False, True),
        ([0, sympy.sqrt(2)], False, True),
        ([0, sympy.Symbol("x")], True, False),
    ],
)
def test_what_loses_digits_in_writing_is_known(entries, decimals, rounded):
    printer = Printer("text", decimals)
    assert printer.is_rounded(np.array([entries], dtype=object)) is rounded
    assert printer.is_rounded(entries[1]) is rounded


def test_numbers_beyond_floats_are_written_as_powers_of_ten():
    assert Printer("text").number(Integer(10) ** 400) == "1.0000e400"
    assert Printer("text").number(Rational(-1, 10**8)) == "-1e-8"
    assert Printer("text").number(Integer(12345678)) == "12345678"
    assert Printer("text").number(Integer(123456789)) == "1.2346e8"


def test_numbers_of_any_kind_are_written_alike():
    for half in (0.5, Fraction(1, 2), Rational(1, 2), np.float32(0.5)):
        assert Printer().number(half) == Printer().value(half) == Printer().value(np.array([[half]])) == r"\frac{1}{2}"
    assert Printer("text").value(np.array([[0.1], [2.0]])) == "[1/10; 2]"


def test_a_dialect_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="tuple"):
        Printer("html")


def test_a_symbol_has_its_name_in_each_dialect():
    assert (Printer().name("rate"), Printer("text").name("rate")) == (r"\eta", "rate")
    assert (Printer().name("dz1"), Printer("text").name("dz1")) == (in_full("d(z_1)"), "dL/dz1")


def test_a_reason_names_every_factor_and_the_slope_of_its_activation():
    assert reason(["X"], "relu") == "x = 0"
    assert reason(["X", "phi_prime", "dy_hat"], "relu") == "x = 0 and relu'(z1) = 0 and dL/dy_hat = 0"
    assert reason(iter(["phi_prime"]), "identity") == "id'(z1) = 0"
