"""The certificate: three independent ways to the same gradient, compared entry by entry."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import sympy

from lesson_lib.arrays import RELU_PRIME_AT_ZERO, Matrix, as_matrix
from lesson_lib.derivation import words
from lesson_lib.derivation.symbols import KINKED, exactly, relu, symbolic_params
from lesson_lib.network import PARAMETERS, Params, backward, forward, loss
from lesson_lib.tables import Table

STEP = Fraction(1, 10**6)  # how far a parameter is moved to measure a slope; exact arithmetic rounds nothing away
TOLERANCE = 1e-6  # for tanh and sigmoid, which only floats can compute; with fractions the gap is exactly 0


class Samples(Protocol):
    """Anything with inputs X (n_samples, n_in) and targets Y (n_samples, n_out)."""

    @property
    def X(self) -> Matrix: ...  # noqa: D102
    @property
    def Y(self) -> Matrix: ...  # noqa: D102


@dataclass(frozen=True)
class Check:
    """One entry of one gradient, three ways: backward, sympy.diff, and the slopes measured to the left and right.

    The two measured slopes are one number, the central difference, unless the loss has a corner there. At a corner
    their mean is what `backward` must give if it leans to neither side (relu'(0) = 1/2): `halfway`.
    """

    entry: str
    backward: Any
    symbolic: Any
    slopes: tuple[Any, Any]
    halfway: Any
    scale: float  # the loss or the gradient where these are larger than 1, for rounding grows with them

    @property
    def has_corner(self) -> bool:
        """Whether the loss has a corner at this point, so that the derivative is a convention."""
        return bool(self.slopes[0] != self.slopes[1])

    @property
    def gap(self) -> float:
        """The largest disagreement."""
        measured = abs(self.halfway - sum(self.slopes) / 2)
        return float(max(abs(self.backward - self.symbolic), measured))

    @property
    def agrees(self) -> bool:
        """Whether all three agree: exactly, if all are fractions; otherwise within rounding."""
        exact = all(isinstance(value, Fraction) for value in (self.backward, self.symbolic, *self.slopes))
        return self.gap == 0 if exact else self.gap <= TOLERANCE * self.scale


@dataclass(frozen=True, repr=False)
class Certificate:
    """The checks of every gradient entry; show it in a notebook or print it."""

    checks: tuple[Check, ...]

    @property
    def largest_gap(self) -> float:
        """The largest disagreement between the three ways over all entries."""
        return max(check.gap for check in self.checks)

    @property
    def holds(self) -> bool:
        """Whether all three ways agree on every entry."""
        return all(check.agrees for check in self.checks)

    @property
    def table(self) -> Table:
        """The checks and the verdict as a table."""
        return Table([words.CERTIFICATE_COLUMNS, *(_cells(check) for check in self.checks)], self._verdict())

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def _verdict(self) -> str:
        template = words.CERTIFICATE_HOLDS if self.holds else words.CERTIFICATE_FAILS
        return template.format(gap=f"{self.largest_gap:.1g}" if self.largest_gap else "0", count=len(self.checks))


def certify(
    params: Params, data: Samples, *, activation: str = "relu", relu_prime_at_zero: Any = RELU_PRIME_AT_ZERO
) -> Certificate:
    """Compare `backward`, `sympy.diff` of the loss and a central difference, for every entry of every gradient.

    The loss is a quadratic in any single parameter between corners, so with exact numbers the central difference
    is not an approximation: all three must agree to the last digit. Raises ValueError for what is not numbers.

    >>> from lesson_lib.network import ARTICLE
    >>> from lesson_lib.training import POISONED
    >>> certify(ARTICLE, POISONED).largest_gap
    0.0
    """
    params = Params(*(_in_numbers(getattr(params, name), name) for name in PARAMETERS))
    X, Y = _in_numbers(data.X, "X"), _in_numbers(data.Y, "Y")
    gradients, halfway = (
        backward(params, X, Y, activation=activation, relu_prime_at_zero=convention)
        for convention in (relu_prime_at_zero, Fraction(1, 2))
    )
    symbolic = _differentiate(params, X, Y, activation, relu_prime_at_zero)
    here = float(loss(forward(params, X, activation=activation).y_hat, Y))

    def loss_at(name: str, entry: tuple[int, int], shift: Fraction) -> Any:
        moved = np.array(getattr(params, name))
        moved[entry] += shift
        return loss(forward(replace(params, **{name: moved}), X, activation=activation).y_hat, Y)

    def check(name: str, entry: tuple[int, int]) -> Check:
        value = getattr(gradients, name)[entry]
        return Check(
            entry=f"dL/d{name}[{entry[0] + 1}, {entry[1] + 1}]",
            backward=value,
            symbolic=symbolic[name, entry],
            slopes=_slopes(lambda shift: loss_at(name, entry, shift), activation in KINKED),
            halfway=getattr(halfway, name)[entry],
            scale=max(1.0, here, abs(float(value))),
        )

    return Certificate(tuple(check(name, entry) for name, entry in _entries(params)))


def _in_numbers(value: Any, name: str) -> Matrix:
    """Return the value as Fractions; raises ValueError, naming it, for SymPy's letters too."""
    return as_matrix(np.array(as_matrix(value, name)), name, exact=True)


def _differentiate(params: Params, X: Matrix, Y: Matrix, activation: str, relu_prime_at_zero: Any) -> dict[Any, Any]:
    """Differentiate the loss, as a formula in all parameters, by each of them; then put the numbers in."""
    (n_in, n_hidden), n_out = params.W1.shape, params.W2.shape[1]
    letters = symbolic_params(n_in, n_hidden, n_out)
    y_hat = forward(letters, X, activation=activation).y_hat
    at_zero = exactly(relu_prime_at_zero)
    total = loss(y_hat, Y).replace(lambda part: isinstance(part, relu), lambda part: part.as_piecewise(at_zero))
    entries = list(_entries(params))
    numbers = {getattr(letters, name)[entry]: exactly(getattr(params, name)[entry]) for name, entry in entries}
    slopes = {at: sympy.diff(total, getattr(letters, at[0])[at[1]]).subs(numbers) for at in entries}
    return {at: Fraction(int(s.p), int(s.q)) if s.is_Rational else float(s) for at, s in slopes.items()}


def _slopes(loss_at: Any, may_have_corners: bool) -> tuple[Any, Any]:
    """Return the slope to the left and to the right; where there can be no corner, both are the central difference."""
    right, left = loss_at(STEP), loss_at(-STEP)
    if not may_have_corners:
        return ((right - left) / (2 * STEP),) * 2
    here = loss_at(Fraction(0))
    to_the_right = (4 * right - 3 * here - loss_at(2 * STEP)) / (2 * STEP)  # exact for a quadratic
    to_the_left = (3 * here + loss_at(-2 * STEP) - 4 * left) / (2 * STEP)
    return to_the_left, to_the_right


def _entries(params: Params) -> Iterator[tuple[str, tuple[int, int]]]:
    for name in PARAMETERS:
        yield from ((name, entry) for entry in np.ndindex(*getattr(params, name).shape))


def _cells(check: Check) -> tuple[str, ...]:
    slopes = words.CORNER.format(*map(_number, check.slopes)) if check.has_corner else _number(check.slopes[0])
    agree = words.AGREES if check.agrees else words.DISAGREES.format(gap=f"{check.gap:.1g}")
    return check.entry, _number(check.backward), _number(check.symbolic), slopes, agree


def _number(value: Any) -> str:
    text = str(value)
    return text if isinstance(value, Fraction) and len(text) <= 12 else f"{float(value):.6g}"
