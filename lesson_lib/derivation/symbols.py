"""The net's lines on SymPy matrices: importing this module teaches `network` to work in exact numbers and letters."""

from collections.abc import Callable
from typing import Any

import sympy
from sympy import ImmutableMatrix, MatrixBase

from lesson_lib import arrays as matrices
from lesson_lib import network
from lesson_lib.derivation.words import FUNCTIONS

EXACT = ImmutableMatrix([[0]])  # pass it to as_matrix_like to get SymPy matrices


class relu(sympy.Function):  # noqa: N801
    """max(0, z): a number for a number, left standing as relu(z) for a symbol."""

    slope_below_zero = sympy.Integer(0)

    @classmethod
    def eval(cls, z: sympy.Expr) -> sympy.Expr | None:
        """Return z where it is known to be positive and slope_below_zero * z where it is known not to be."""
        if z.is_positive:
            return z
        return cls.slope_below_zero * z if z.is_nonpositive else None

    def as_piecewise(self, at_zero: sympy.Expr) -> sympy.Expr:
        """Return the definition by cases, for sympy.diff to differentiate; at_zero 0 to 1 leans from left to right."""
        z, below = self.args[0], self.slope_below_zero
        return sympy.Piecewise((z, z > 0), (corner_slope(below, at_zero) * z, sympy.Eq(z, 0)), (below * z, True))

    def _latex(self, printer: Any) -> str:
        return rf"{FUNCTIONS[type(self).__name__][0]}\left({printer.doprint(self.args[0])}\right)"


class leaky_relu(relu):  # noqa: N801
    """Like relu, but z / 100 below zero."""

    slope_below_zero = sympy.Rational(1, 100)


class slope(sympy.Function):  # noqa: N801
    """slope(z, below, at_zero): the derivative of a kinked activation; left standing for a symbol z."""

    @classmethod
    def eval(cls, z: sympy.Expr, below: sympy.Expr, at_zero: sympy.Expr) -> sympy.Expr | None:
        """Return 1 above zero, `below` under it and `at_zero` at it, where the sign of z is known."""
        cases = ((z.is_positive, sympy.Integer(1)), (z.is_negative, below), (z.is_zero, at_zero))
        return next((value for holds, value in cases if holds), None)

    def _latex(self, printer: Any) -> str:
        name = FUNCTIONS["leaky_relu" if self.args[1] else "relu"][0]
        return rf"{name}'\left({printer.doprint(self.args[0])}\right)"

    def _sympystr(self, printer: Any) -> str:
        return f"{'leaky_relu' if self.args[1] else 'relu'}'({printer.doprint(self.args[0])})"


def corner_slope(below: sympy.Expr, at_zero: sympy.Expr) -> sympy.Expr:
    """Return the slope at a corner between `below` and 1: at_zero 0 takes the left one, 1 the right one."""
    return below + (1 - below) * at_zero


def sigmoid(z: sympy.Expr) -> sympy.Expr:
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + sympy.exp(-z))


KINKED = ("relu", "leaky_relu")  # activations with a corner at 0
PHI: dict[str, Callable[..., sympy.Expr]] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "tanh": sympy.tanh,
    "sigmoid": sigmoid,
    "identity": lambda z: z,
}


@matrices.as_matrix.register(MatrixBase)
def _(value: MatrixBase, name: str, exact: bool = True) -> ImmutableMatrix:
    if 0 in value.shape:
        raise ValueError(f"{name} must have two dimensions, rows and columns, none empty; got shape {value.shape}")
    if any(entry.is_finite is False or entry.is_real is False or entry is sympy.nan for entry in value):
        raise ValueError(f"{name} must hold finite real numbers; got {value!r}")
    return ImmutableMatrix(value.applyfunc(lambda entry: exactly(entry) if entry.is_Float else entry))


@matrices.as_matrix_like.register(MatrixBase)
def _(pattern: MatrixBase, value: Any, name: str) -> ImmutableMatrix:
    if isinstance(value, MatrixBase):
        return matrices.as_matrix(value, name)
    return ImmutableMatrix([[exactly(entry) for entry in row] for row in matrices.as_matrix(value, name, exact=True)])


@matrices.ones_column.register(MatrixBase)
def _(X: MatrixBase) -> ImmutableMatrix:
    return ImmutableMatrix.ones(X.shape[0], 1)


@matrices.activate.register(MatrixBase)
def _(z1: MatrixBase, activation: str = "relu") -> ImmutableMatrix:
    return z1.applyfunc(PHI[activation])


@matrices.activate_prime.register(MatrixBase)
def _(z1: MatrixBase, activation: str = "relu", relu_prime_at_zero: Any = 0) -> ImmutableMatrix:
    if activation in KINKED:
        below = PHI[activation].slope_below_zero  # type: ignore[attr-defined]
        at_zero = corner_slope(below, exactly(relu_prime_at_zero))
        return z1.applyfunc(lambda z: slope(z, below, at_zero))
    z = sympy.Symbol("z")
    prime = sympy.diff(PHI[activation](z), z)
    return z1.applyfunc(lambda entry: prime.subs(z, entry))


@matrices.multiply.register(MatrixBase)
def _(left: MatrixBase, right: MatrixBase) -> ImmutableMatrix:
    return left.multiply_elementwise(right)


@matrices.sum_of_squares.register(MatrixBase)
def _(errors: MatrixBase) -> sympy.Expr:
    return sympy.Add(*(entry**2 for entry in errors))


def exactly(number: Any) -> sympy.Expr:
    """Return a number as the exact SymPy number that it was written as: 0.1 is 1/10. Symbols pass unchanged."""
    if isinstance(number, sympy.Expr) and not number.is_Float:
        return number
    fraction = matrices.as_fraction(number)
    return sympy.Rational(fraction.numerator, fraction.denominator)


def symbolic_params(n_in: int = 1, n_hidden: int = 2, n_out: int = 1) -> network.Params:
    """Return Params of real symbols: w in W1, b in b1, v in W2, c in b2, numbered by row and column from 1.

    >>> symbolic_params().W1
    Matrix([[w1, w2]])
    """
    shapes = {"w": (n_in, n_hidden), "b": (1, n_hidden), "v": (n_hidden, n_out), "c": (1, n_out)}
    return network.Params(*(symbolic_matrix(letter, *shape) for letter, shape in shapes.items()))


def symbolic_matrix(letter: str, n_rows: int, n_columns: int) -> ImmutableMatrix:
    """Return a matrix of real symbols: c alone, w1, w2 ... in a row or column, w12 for row 1 and column 2 otherwise."""

    def symbol(row: int, column: int) -> sympy.Symbol:
        digits = [index + 1 for index, length in ((row, n_rows), (column, n_columns)) if length > 1]
        return sympy.Symbol(letter + "_".join(map(str, digits)), real=True)

    return ImmutableMatrix(n_rows, n_columns, symbol)
