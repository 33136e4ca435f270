"""The net in SymPy's letters and exact numbers; importing this module teaches `Params` its activations for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from lesson_lib.activations import SYMBOLIC_ACTIVATIONS, Activation
from lesson_lib.arrays import Array, as_fraction
from lesson_lib.derivation.words import FUNCTIONS
from lesson_lib.network import Params


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
        return sympy.Piecewise((z, z > 0), (_corner(below, at_zero) * z, sympy.Eq(z, 0)), (below * z, True))

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


def _corner(below: sympy.Expr, at_zero: sympy.Expr) -> sympy.Expr:
    """Return the slope at a corner between `below` and 1: at_zero 0 takes the left one, 1 the right one."""
    return below + (1 - below) * at_zero


def _kinked(phi: type[relu]) -> Activation:
    below = phi.slope_below_zero
    prime = np.frompyfunc(lambda z, at_zero: slope(z, below, _corner(below, exactly(at_zero))), 2, 1)
    return Activation(np.frompyfunc(phi, 1, 1), prime)


def _smooth(phi: Callable[[sympy.Expr], sympy.Expr]) -> Activation:
    letter = sympy.Symbol("z")
    derivative = sympy.diff(phi(letter), letter)
    return Activation(np.frompyfunc(phi, 1, 1), np.frompyfunc(lambda z, _: derivative.subs(letter, z), 2, 1))


KINKED = ("relu", "leaky_relu")  # activations with a corner at 0
SYMBOLIC_ACTIVATIONS |= {
    "relu": _kinked(relu),
    "leaky_relu": _kinked(leaky_relu),
    "tanh": _smooth(sympy.tanh),
    "sigmoid": _smooth(lambda z: 1 / (1 + sympy.exp(-z))),
    "identity": _smooth(lambda z: z),
}


def exactly(number: Any) -> sympy.Expr:
    """Return a number as the exact SymPy number that it was written as: 0.1 is 1/10. Symbols pass unchanged."""
    if isinstance(number, sympy.Expr) and not number.is_Float:
        return number
    return sympy.Rational(as_fraction(number))


def to_sympy(matrix: Array) -> Array:
    """Return the same matrix with SymPy's exact numbers and letters as entries."""
    return np.asarray(np.frompyfunc(exactly, 1, 1)(matrix))


def symbolic_params(n_in: int = 1, n_hidden: int = 2, n_out: int = 1, activation: str = "relu") -> Params:
    """Return Params of real symbols: w in W1, b in b1, v in W2, c in b2, numbered by row and column from 1.

    >>> symbolic_params().W1.tolist()
    [[w1, w2]]
    """
    shapes = {"w": (n_in, n_hidden), "b": (1, n_hidden), "v": (n_hidden, n_out), "c": (1, n_out)}
    W1, b1, W2, b2 = (symbolic_matrix(letter, *shape) for letter, shape in shapes.items())
    return Params(W1, b1, W2, b2, activation)


def symbolic_matrix(letter: str, n_rows: int, n_columns: int) -> Array:
    """Return a matrix of real symbols: c alone, w1, w2 ... in a row or column, w1_2 for row 1, column 2 otherwise."""
    shape = (n_rows, n_columns)
    numbers = [[str(i + 1) for i, length in zip(at, shape, strict=True) if length > 1] for at in np.ndindex(shape)]
    symbols = sympy.symbols([letter + "_".join(digits) for digits in numbers], real=True)
    return np.array(symbols, dtype=object).reshape(shape)
