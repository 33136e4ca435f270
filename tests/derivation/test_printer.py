r"""How a line is written: exact LaTeX and plain text, in fractions and in decimals."""

import re
from fractions import Fraction

import pytest
import sympy
from sympy import Integer, Matrix, Rational

from lesson_lib.derivation.notation import Term, Writer, add_samples, zero_factors
from lesson_lib.derivation.step import derive_step
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
            "gate",
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
        (False, "gate", 1, "da1/dz1 = relu'(z1) = relu'([1, -1]) = [1, 0]"),
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
        (-sympy.sqrt(2), "-1.4142", "-1.4142"),
    ],
)
def test_a_number_is_written_as_a_fraction_or_a_decimal_and_rounded_only_if_it_is_too_long(number, fraction, decimal):
    assert Writer().number(number) == fraction
    assert Writer(decimals=True).number(number) == decimal


def test_plain_text_has_no_latex():
    text = Writer("text")
    assert text.number(Rational(-1, 2)) == "-1/2"
    assert text.number(Rational(1, 10**9)) == "1e-9"
    assert text.value(Matrix([[1, 2], [3, 4]])) == "[1, 2; 3, 4]"


def test_a_matrix_with_one_entry_is_a_plain_number():
    assert Writer().value(Matrix([[Rational(1, 2)]])) == r"\frac{1}{2}"
    assert Writer("text").value(Matrix([[-1]])) == "-1"


def test_letters_pass_through():
    w, b = sympy.symbols("w1 b1")
    assert Writer().number(w**2 * b) == "b_{1} w_{1}^{2}"
    assert Writer("text").number(w**2 * b) == "b1·w1^2"


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


def test_several_inputs_are_transposed_in_writing():
    net = Params(W1=[[1, 0], [0, 1]], b1=[[0, 0]], W2=[[1], [1]], b2=[[0]])
    step = derive_step(net, Dataset([[1, 2]], [[0]]), RATE).find("dW1", 0)
    assert step.text == "dL/dW1 = xᵀ dL/dz1 = [1; 2] · [3, 3] = [3, 3; 6, 6]"
    assert step.latex.startswith(in_full(r"d(W_1) = x^\top \, d(z_1) = "))


# Which factor is zero ---------------------------------------------------------------------------------------------


def test_a_product_names_the_factor_that_is_zero():
    left, right = Term(Matrix([[0, 2]]), name="left"), Term(Matrix([[3], [0]]), name="right")
    assert zero_factors(left @ right) == ("left", "right")
    assert zero_factors(Term(Matrix([[0, 0]]), name="left") @ right) == ("left", "right")
    assert zero_factors(Term(Matrix([[0, 0]]), name="left") @ Term(Matrix([[3], [1]]), name="right")) == ("left",)


def test_products_that_cancel_have_no_zero_factor():
    left, right = Term(Matrix([[1, 1]]), name="left"), Term(Matrix([[3], [-3]]), name="right")
    assert (left @ right).value == Matrix([[0]])
    assert zero_factors(left @ right) == ()
    parts = [Term(Matrix([[2]]), name="part"), Term(Matrix([[-2]]), name="part")]
    assert zero_factors(add_samples(parts)) == ()


def test_what_is_not_zero_has_no_zero_factor():
    assert zero_factors(Term(Matrix([[1]]), name="left") @ Term(Matrix([[2]]), name="right")) == ()
