"""The certificate: three independent ways to the same gradient, compared entry by entry."""

from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy

from lesson_lib.arrays import Array, as_array
from lesson_lib.derivation.symbols import KINKED, exactly, relu, symbolic_params
from lesson_lib.derivation.trace import Place
from lesson_lib.network import PARAMETERS, Params, backward, check_samples, forward, loss
from lesson_lib.proofs import words
from lesson_lib.tables import Table

STEP = Fraction(1, 10**6)  # how far a parameter is moved to measure a slope; exact arithmetic rounds nothing away
ROUNDING = 1e-6  # for tanh and sigmoid, which only floats can compute; with fractions the gap is exactly 0


class Check(NamedTuple):
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
        return self.gap == 0 if exact else self.gap <= ROUNDING * self.scale

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of a table that shows this check."""
        slopes = words.CORNER.format(*map(_number, self.slopes)) if self.has_corner else _number(self.slopes[0])
        agreed = words.CONVENTION if self.has_corner else words.AGREES
        verdict = agreed if self.agrees else words.DISAGREES.format(gap=f"{self.gap:.1g}")
        return self.entry, _number(self.backward), _number(self.symbolic), slopes, verdict


class Certificate(Table):
    """The checks of every gradient entry, as a table that ends with the verdict."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        self.checks = checks
        self.largest_gap = max(check.gap for check in checks)
        self.holds = all(check.agrees for check in checks)
        verdict = words.CERTIFICATE_HOLDS if self.holds else words.CERTIFICATE_FAILS
        corners = sum(check.has_corner for check in checks)
        verdict += words.CORNERS.format(corners=corners) if corners else ""
        rows = [words.CERTIFICATE_COLUMNS, *(check.cells for check in checks)]
        super().__init__(rows, verdict.format(gap=f"{self.largest_gap:.1g}", count=len(checks)))


def certify(params: Params, data: Any) -> Certificate:
    """Compare `backward`, `sympy.diff` of the loss and a central difference, for every entry of every gradient.

    `data` has X (n_samples, n_in) and Y (n_samples, n_out). The loss is a quadratic in any single parameter between
    corners, so with exact numbers the central difference is not an approximation: all three must agree to the last
    digit. Raises ValueError for what is not numbers.

    >>> from lesson_lib.network import ARTICLE
    >>> from lesson_lib.training import POISONED
    >>> certify(ARTICLE, POISONED).largest_gap
    0.0
    """
    params = params.with_arrays(**{name: as_array(getattr(params, name), name, exact=True) for name in PARAMETERS})
    X, Y = check_samples(params, data.X, data.Y)
    checks = []
    with np.errstate(all="ignore"):  # as in derive_step
        gradients = backward(params, X, Y)
        halves = backward(replace(params, relu_prime_at_zero=Fraction(1, 2)), X, Y)
        here = float(loss(forward(params, X).y_hat, Y))
        for (name, at), derivative in _differentiate(params, X, Y).items():
            entry, value = f"dL/d{name}[{at[0] + 1}, {at[1] + 1}]", getattr(gradients, name)[at]
            slopes, halfway = _slopes(params, X, Y, name, at), getattr(halves, name)[at]
            checks.append(Check(entry, value, derivative, slopes, halfway, max(1.0, here, abs(float(value)))))
    return Certificate(tuple(checks))


def _differentiate(params: Params, X: Array, Y: Array) -> dict[Any, Any]:
    """Differentiate the loss, as a formula in all parameters, by each of them; then put the numbers in."""
    (n_in, n_hidden), n_out = params.W1.shape, params.W2.shape[1]
    letters = symbolic_params(n_in, n_hidden, n_out, params.activation)
    at_zero = exactly(params.relu_prime_at_zero)
    total = loss(forward(letters, X).y_hat, Y)
    total = total.replace(lambda part: isinstance(part, relu), lambda part: part.as_piecewise(at_zero))
    symbols = {(name, at): symbol for name in PARAMETERS for at, symbol in np.ndenumerate(getattr(letters, name))}
    numbers = {symbol: exactly(getattr(params, name)[at]) for (name, at), symbol in symbols.items()}
    slopes = {entry: sympy.diff(total, symbol).subs(numbers) for entry, symbol in symbols.items()}
    return {entry: Fraction(int(s.p), int(s.q)) if s.is_Rational else float(s) for entry, s in slopes.items()}


def _slopes(params: Params, X: Array, Y: Array, name: str, at: Place) -> tuple[Any, Any]:
    """Return the slope to the left and to the right; where there can be no corner, both are the central difference."""

    def loss_at(shift: Fraction) -> Any:
        moved = getattr(params, name).copy()
        moved[at] += shift
        return loss(forward(params.with_arrays(**{name: moved}), X).y_hat, Y)

    if params.activation not in KINKED:
        return ((loss_at(STEP) - loss_at(-STEP)) / (2 * STEP),) * 2
    here = loss_at(Fraction(0))
    left, right = ((4 * loss_at(h) - 3 * here - loss_at(2 * h)) / (2 * h) for h in (-STEP, STEP))  # of a quadratic
    return left, right


def _number(value: Any) -> str:
    text = str(value)
    return text if isinstance(value, Fraction) and len(text) <= 12 else f"{float(value):.6g}"
