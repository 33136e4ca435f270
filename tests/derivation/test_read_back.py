"""A printed line says what was computed: each of its sides, read back by SymPy, is the value."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import LATEX, TEXT, Grid, read
from strategies import FORMULA, exact_problems, with_phi

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.symbols import exactly, symbolic_matrix, symbolic_params, to_sympy
from lesson_lib.derivation.trace import Traced
from lesson_lib.training import Dataset

DIALECTS = {"latex": LATEX, "text": TEXT}
LETTERS = sympy.symbols("p q r", real=True)
NUMBERS = {letter: sympy.Rational(k, 4) for letter, k in zip(LETTERS, (5, -3, 7), strict=True)}


def put_in(value, numbers):
    """Return the entries of a value with numbers for its letters, to 30 digits where it is no fraction."""

    def known(entry):
        number = exactly(entry).subs(numbers) if numbers else exactly(entry)
        return number if number.is_Rational else sympy.N(number, 30)

    return np.frompyfunc(known, 1, 1)(np.atleast_2d(value))


def named(term, numbers):
    """Return what the names in a formula stand for."""
    if term.operation == "sum":
        return {term.name: [Grid(put_in(part.value, numbers)) for part in term.operands]}
    return {part.name: Grid(put_in(part.value, numbers)) for part in term.made_of()}


def assert_same(read_back, value, line, digits=9):
    expected = np.atleast_2d(value).astype(float)
    assert read_back.shape == expected.shape, line
    np.testing.assert_allclose(read_back.astype(float), expected, rtol=10**-digits, atol=10**-digits, err_msg=line)


def check(term, dialect, numbers=NUMBERS, decimals=False):
    """Read the formula, the numbers and the value of one line."""
    printer, value = Printer(dialect, decimals), put_in(term.value, numbers)
    letters = {str(letter): number for letter, number in numbers.items()}
    formula, in_numbers = printer.formula(term), printer.formula(term, in_numbers=True)
    assert_same(read(formula, DIALECTS[dialect], {}, named(term, numbers)), value, formula)
    if any(printer.is_rounded(part.value) for part in [term, *term.made_of()]):
        loss = 2  # digits
        assert_same(read(in_numbers, DIALECTS[dialect], letters), value, in_numbers, digits=loss)
    else:
        assert_same(read(in_numbers, DIALECTS[dialect], letters), value, in_numbers)
        shown = printer.value(term.value)
        assert_same(read(shown, DIALECTS[dialect], letters), value, shown)


# Whatever can be made of traced values -------------------------------------------------------------------------------

NAMES = ("X", "W1", "b1", "W2", "b2", "z1", "a1", "y_hat", "dz1", "dW2")
p, q, r = LETTERS
ON_ONE = {"half": lambda term: term / 2, "turned": lambda term: term.T}
ON_TWO = {"plus": Traced.__add__, "minus": Traced.__sub__, "matmul": Traced.__matmul__, "multiply": Traced.__mul__}
ENTRIES = st.sampled_from([p, -q, p + q, q - r, p * q, -p * (q + 1), 2 * r, p**2, Fraction(1, 2), -3, Fraction(-2, 3)])


@st.composite
def terms(draw, side):
    """Draw a value that was made in up to three steps from named square matrices, or numbers, and a rate."""
    names = iter(NAMES)

    def leaf():
        entries = draw(st.lists(ENTRIES, min_size=side**2, max_size=side**2))
        return Traced(to_sympy(np.array(entries, dtype=object).reshape(side, side)), name=next(names))

    rate = Traced(exactly(draw(ENTRIES)), name="rate")
    term = leaf()
    for _ in range(draw(st.integers(1, 3))):
        make = draw(st.sampled_from([*ON_ONE, *ON_TWO, "rate"]))
        if make in ON_TWO:
            other = leaf() if draw(st.booleans()) else leaf() + leaf() @ leaf()
            term = ON_TWO[make](*draw(st.permutations([term, other])))
        else:
            term = rate * term if make == "rate" else ON_ONE[make](term)
    return term


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("side", [1, 2, 3])
@settings(max_examples=20)
@given(data=st.data())
def test_any_formula_reads_as_what_was_computed(dialect, side, data):
    check(data.draw(terms(side)), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_sum_in_the_first_place_of_a_product_by_entries_stands_in_brackets(dialect):
    s, t = (Traced(np.array([[letter]]), name=name) for letter, name in ((p + q, "da1"), (r, "phi_prime")))
    check(s * t, dialect)
    check((s + t) * t, dialect)
    assert Printer("text").formula(s * t, in_numbers=True) == "(p + q) ⊙ r"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_products_of_two_kinds_say_which_comes_first(dialect):
    a, b, c = (
        Traced(to_sympy(np.arange(k, k + 4).reshape(2, 2)), name=n) for k, n in ((1, "W1"), (5, "W2"), (2, "z1"))
    )
    for term in ((a @ b) * c, a @ (b * c), (a * b) @ c, a * (b @ c), (a + b).T, (a @ b).T @ c, (a @ b) / 2):
        check(term, dialect)
    assert Printer("text").formula((a @ b) * c) == "(W1 W2) ⊙ z1"
    assert Printer("text").formula(a @ b @ c) == "W1 W2 z1"


A, B, C, D = (
    Traced(to_sympy(np.arange(k, k + 4).reshape(2, 2)), name=name)
    for k, name in ((1, "W1"), (5, "W2"), (2, "z1"), (3, "dz1"))
)
ETA, RELU, SLOPE = (
    Traced(exactly(Fraction(1, 10)), name="rate"),
    Traced(C.value, "relu", C),
    Traced(C.value, "relu'", C),
)
WRITTEN = {
    "(W1 + W2) z1": (A + B) @ C,
    "W1 + W2 z1": A + B @ C,
    "W1 - (W2 + z1)": A - (B + C),
    "W1 - (W2 - z1)": A - (B - C),
    "W1 - W2 - z1": A - B - C,
    "W1 + W2 - z1": A + (B - C),
    "W1 + W2 + z1": A + (B + C),
    "(W1 + W2)ᵀ": (A + B).T,
    "(W1ᵀ)ᵀ": A.T.T,
    "(W1 ⊙ W2)ᵀ": (A * B).T,
    "(W1 W2)ᵀ z1": (A @ B).T @ C,
    "1/2 W1 W2": (A @ B) / 2,
    "1/2 (W1 + W2)": (A + B) / 2,
    "1/2 W1 ⊙ W2": (A * B) / 2,
    "W1 ⊙ W2 ⊙ z1": A * (B * C),
    "(dL/dz1)ᵀ": D.T,
    "1/2 dL/dz1": D / 2,
    "rate dL/dz1": ETA * D,
    "rate (W1 + W2)": ETA * (A + B),
    "rate W1 W2": ETA * (A @ B),
    "rate (W1 ⊙ W2)": ETA * (A * B),
    "relu(z1) W2": RELU @ B,
    "relu(z1)ᵀ dL/dz1": RELU.T @ D,
    "relu'(z1)ᵀ": SLOPE.T,
    "dL/dz1 ⊙ relu'(z1)": D * SLOPE,
    "(dL/dz1 W2ᵀ) ⊙ relu'(z1)": (D @ B.T) * SLOPE,
}


def test_a_matrix_of_sums_brings_its_own_brackets():
    sums, other = (Traced(np.array([[first, r], [r, p]]), name=name) for first, name in ((p + q, "da1"), (q, "z1")))
    assert Printer("text").formula(sums * other, in_numbers=True) == "[p + q, r; r, p] ⊙ [q, r; r, p]"


@pytest.mark.parametrize("written", WRITTEN)
def test_brackets_stand_where_they_are_needed_and_nowhere_else(written):
    assert Printer("text").formula(WRITTEN[written]) == written


# Every line of a step ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", FORMULA)
@pytest.mark.parametrize("decimals", [False, True])
@settings(max_examples=3)
@given(problem=exact_problems())
def test_every_line_of_a_step_in_numbers_reads_as_its_value(activation, decimals, problem):
    params, data = problem
    derivation = derive_step(with_phi(params, activation), data, Fraction(1, 10), ("W1", "b1", "W2", "b2"))
    assert len(derivation.steps) > 8
    for step in derivation.steps:
        for dialect in DIALECTS:
            check(step.term, dialect, {}, decimals)


@pytest.mark.parametrize("activation", FORMULA)
@pytest.mark.parametrize(("n_in", "n_hidden", "n_out"), [(1, 1, 1), (1, 2, 1), (2, 3, 1), (1, 1, 3)])
def test_every_line_of_a_step_in_letters_reads_as_its_value(activation, n_in, n_hidden, n_out):
    params = symbolic_params(n_in, n_hidden, n_out, activation)
    X, Y = symbolic_matrix("s", 1, n_in), symbolic_matrix("t", 1, n_out) - p
    arrays = [getattr(params, name) for name in ("W1", "b1", "W2", "b2")]
    letters = sorted(
        {letter for array in (*arrays, X, Y) for entry in array.flat for letter in entry.free_symbols}, key=str
    )
    numbers = {letter: sympy.Rational(2 * k - 7, 5) for k, letter in enumerate(letters)}
    derivation = derive_step(params, Dataset(X, Y), Fraction(1, 10), ("W1", "b1", "W2", "b2"))
    for step in derivation.steps:
        for dialect in DIALECTS:
            check(step.term, dialect, numbers)
