"""How a calculation is written down: Terms that remember how they were made, and the one place that prints them.

Run the net on Terms instead of numbers and every result knows its own formula, so no formula is typed twice.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import sympy
from sympy import MatrixBase

from lesson_lib import arrays as matrices
from lesson_lib.derivation import symbols as symbolic  # noqa: F401  (symbolic registers the SymPy side)
from lesson_lib.derivation.words import AND, FUNCTIONS, SYMBOLS, ZERO_FACTOR

LONGEST_FRACTION = 8  # digits above or below the line beyond which a fraction is shown as a decimal
DECIMAL_PLACES = 4


class Term:
    """A SymPy value together with the operation and operands that made it, and a name once it has been given one."""

    def __init__(self, value: Any, operation: str = "given", *operands: "Term", name: str = "") -> None:
        self.value, self.operation, self.operands, self.name = value, operation, operands, name

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.value.shape
        return rows, columns

    @property
    def T(self) -> "Term":
        """The transpose; a single 1 stays as it is."""
        return self if self.operation == "ones" else Term(self.value.T, "transpose", self)

    def __matmul__(self, other: "Term") -> "Term":
        if self.operation == "ones":  # 1 b is b
            return Term(other.value, "same", other)
        return Term(self.value @ other.value, "matmul", self, other)

    def __add__(self, other: "Term") -> "Term":
        return Term(self.value + other.value, "plus", self, other)

    def __sub__(self, other: "Term") -> "Term":
        return Term(self.value - other.value, "minus", self, other)

    def __mul__(self, other: "Term") -> "Term":
        return Term(self.value * other.value, "scale", self, other)

    def __truediv__(self, number: int) -> "Term":
        return Term(self.value / number, "half", self)

    def __gt__(self, number: float) -> bool:
        return bool(self.value > number)

    def __lt__(self, number: float) -> bool:
        return bool(self.value < number)


@matrices.as_matrix.register(Term)
def _(value: Term, name: str, exact: bool = True) -> Term:
    return value


@matrices.as_matrix_like.register(Term)
def _(pattern: Term, value: Term, name: str) -> Term:
    return value


@matrices.ones_column.register(Term)
def _(X: Term) -> Term:
    assert X.shape[0] == 1, "Terms carry one sample at a time"
    return Term(matrices.ones_column(X.value), "ones")


@matrices.activate.register(Term)
def _(z1: Term, activation: str = "relu") -> Term:
    return Term(matrices.activate(z1.value, activation), activation, z1)


@matrices.activate_prime.register(Term)
def _(z1: Term, activation: str = "relu", relu_prime_at_zero: Any = 0) -> Term:
    return Term(matrices.activate_prime(z1.value, activation, relu_prime_at_zero), activation + "'", z1)


@matrices.multiply.register(Term)
def _(left: Term, right: Term) -> Term:
    return Term(matrices.multiply(left.value, right.value), "multiply", left, right)


@matrices.sum_of_squares.register(Term)
def _(errors: Term) -> Term:
    return Term(matrices.sum_of_squares(errors.value), "sum_of_squares", errors)


def add_samples(parts: list[Term]) -> Term:
    """Return the sum over the samples of one quantity."""
    return Term(sum((part.value for part in parts[1:]), parts[0].value), "sum", *parts)


def zero_factors(term: Term, row: int = 0, column: int = 0) -> tuple[str, ...]:
    """Name the factors that make entry (row, column) of a product 0; empty if it is not 0 or not a product's zero."""
    if term.value[row, column] != 0:
        return ()
    factors = list(_factors(term, row, column))
    if not factors:
        return (term.name,) if term.name else ()
    if not all(any(part.value[at] == 0 for part, at in product) for product in factors):
        return ()  # the products are not 0 themselves, they cancel
    found = [zero_factors(part, *at) for product in factors for part, at in product]
    return tuple(dict.fromkeys(name for names in found for name in names))


def _factors(term: Term, row: int, column: int) -> Iterator[list[tuple[Term, tuple[int, int]]]]:
    """Yield the products that entry (row, column) is the sum of, each as (term, position) pairs."""
    if term.operation in ("same", "sum"):
        yield from ([(part, (row, column))] for part in term.operands)
    elif term.operation == "transpose":
        yield [(term.operands[0], (column, row))]
    elif term.operation == "multiply":
        yield [(part, (row, column)) for part in term.operands]
    elif term.operation == "matmul":
        left, right = term.operands
        yield from ([(left, (row, k)), (right, (k, column))] for k in range(left.shape[1]))


def reason(factors: Iterable[str], activation: str) -> str:
    """Return in words which factors are 0: "x = 0 and relu'(z1) = 0"."""
    gate = f"{FUNCTIONS[activation][1]}'(z1)"
    names = (gate if factor == "gate" else SYMBOLS[factor][1] for factor in factors)
    return AND.join(ZERO_FACTOR.format(factor=name) for name in names)


class Writer:
    """Prints Terms and values in one dialect, "latex" or "text", with numbers as fractions or as decimals."""

    def __init__(self, dialect: str = "latex", decimals: bool = False) -> None:
        self.is_latex, self.decimals = dialect == "latex", decimals

    def name(self, name: str) -> str:
        """Return the symbol that the field uses for a name of the code."""
        return SYMBOLS[name][0 if self.is_latex else 1]

    def formula(self, term: Term) -> str:
        """Return how the term was made, in symbols."""
        return self._write(term, numbers=False)

    def substituted(self, term: Term) -> str:
        """Return how the term was made, with every symbol replaced by its numbers."""
        return self._write(term, numbers=True)

    def value(self, value: Any) -> str:
        """Return a number, or a matrix in brackets; a 1 by 1 matrix is written as a number."""
        if not isinstance(value, MatrixBase):
            return self.number(value)
        rows = [[self.number(entry) for entry in value.row(i)] for i in range(value.rows)]
        if value.shape == (1, 1):
            return rows[0][0]
        if self.is_latex:
            return r"\begin{bmatrix} " + r" \\ ".join(" & ".join(row) for row in rows) + r" \end{bmatrix}"
        return "[" + "; ".join(", ".join(row) for row in rows) + "]"

    def number(self, number: sympy.Expr) -> str:
        """Return one number, rounded only if it must be, or one symbolic entry."""
        if not number.is_number:
            return sympy.latex(number) if self.is_latex else str(number).replace("**", "^").replace("*", "·")
        if not self._fits_exactly(number):
            digits = DECIMAL_PLACES + 1
            small = abs(number) < sys.float_info.max
            return self._scientific(f"{float(number):.{digits}g}" if small else str(sympy.N(number, digits)))
        if number.is_Integer:
            return str(number)
        if self.decimals:
            return f"{float(number):.6f}".rstrip("0")
        sign = "-" if number < 0 else ""
        return rf"{sign}\frac{{{abs(number.p)}}}{{{number.q}}}" if self.is_latex else f"{number.p}/{number.q}"

    def is_rounded(self, value: Any) -> bool:
        """Tell whether writing the value loses digits."""
        entries = value if isinstance(value, MatrixBase) else [value]
        return any(entry.is_number and not self._fits_exactly(entry) for entry in entries)

    def _fits_exactly(self, number: sympy.Expr) -> bool:
        if not number.is_Rational:
            return False
        too_long = len(str(abs(number.p))) > LONGEST_FRACTION or len(str(number.q)) > LONGEST_FRACTION
        return not too_long and not (self.decimals and 10**6 % number.q)

    def _scientific(self, text: str) -> str:
        digits, _, exponent = text.partition("e")
        if not exponent:
            return text
        return rf"{digits} \times 10^{{{int(exponent)}}}" if self.is_latex else f"{digits}e{int(exponent)}"

    def _write(self, term: Term, numbers: bool) -> str:
        operation = term.operation
        if operation == "same":
            return self._part(term.operands[0], numbers)
        if operation == "transpose":
            return self._transpose(term, numbers)
        if operation == "sum_of_squares":
            return self._squares(term.operands[0], numbers)
        if operation == "sum" and not numbers:
            return (r"\sum_{\text{samples}} " if self.is_latex else "sum over samples of ") + self.name(
                term.operands[0].name
            )
        parts = [self._part(part, numbers) for part in term.operands]
        if operation.rstrip("'") in FUNCTIONS:
            return self._call(operation, parts[0])
        if numbers:
            parts = [self._wrap(text, at, part.value, operation) for at, (text, part) in _numbered(parts, term)]
        return self._join(operation, parts, numbers)

    def _part(self, term: Term, numbers: bool) -> str:
        if not term.name:
            return self._write(term, numbers)
        return self.value(term.value) if numbers else self.name(term.name)

    def _transpose(self, term: Term, numbers: bool) -> str:
        if numbers:
            return self.value(term.value)
        name = self._part(term.operands[0], numbers)
        return name if term.shape == (1, 1) else name + (r"^\top" if self.is_latex else "ᵀ")

    def _squares(self, errors: Term, numbers: bool) -> str:
        if not numbers:
            inner = self._write(errors, numbers)
            return rf"\sum_{{\text{{samples}}}} \left({inner}\right)^2" if self.is_latex else f"sum of ({inner})²"
        pairs = zip(errors.operands[0].value, errors.operands[1].value, strict=True)
        terms = [f"{self.number(y_hat)} - {self._wrap(self.number(y), 1, y, 'minus')}" for y_hat, y in pairs]
        if self.is_latex:
            return r"\left[" + " + ".join(rf"\left({each}\right)^2" for each in terms) + r"\right]"
        return "[" + " + ".join(f"({each})²" for each in terms) + "]"

    def _call(self, operation: str, argument: str) -> str:
        name = FUNCTIONS[operation.rstrip("'")][0 if self.is_latex else 1]
        prime = "'" if operation.endswith("'") else ""
        return rf"{name}{prime}\left({argument}\right)" if self.is_latex else f"{name}{prime}({argument})"

    def _join(self, operation: str, parts: list[str], numbers: bool) -> str:
        if operation == "half":
            return (r"\frac{1}{2} " if self.is_latex else "1/2 ") + parts[0]
        dot = (r" \cdot " if self.is_latex else " · ") if numbers else (r" \, " if self.is_latex else " ")
        signs = {
            "plus": " + ",
            "sum": " + ",
            "minus": " - ",
            "matmul": dot,
            "scale": dot,
            "multiply": r" \odot " if self.is_latex else " ⊙ ",
        }
        return signs[operation].join(parts)

    def _wrap(self, text: str, position: int, value: Any, operation: str) -> str:
        """Put a negative second operand, or a sum that is multiplied, in parentheses."""
        scalar = value[0, 0] if isinstance(value, MatrixBase) and value.shape == (1, 1) else value
        is_sum = isinstance(scalar, sympy.Expr) and scalar.is_Add
        if (is_sum and (position or operation in ("matmul", "scale"))) or (position and text.startswith("-")):
            return rf"\left({text}\right)" if self.is_latex else f"({text})"
        return text


def _numbered(parts: list[str], term: Term) -> Iterator[tuple[int, tuple[str, Term]]]:
    return enumerate(zip(parts, term.operands, strict=True))
