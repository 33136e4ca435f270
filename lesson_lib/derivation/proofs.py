"""The four locks: which factor keeps each gradient at zero, which fix opens which lock, and two proofs in letters."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import ImmutableMatrix

from lesson_lib.arrays import Matrix, as_matrix_like
from lesson_lib.derivation import words
from lesson_lib.derivation.notation import Term, Writer, reason, zero_factors
from lesson_lib.derivation.symbols import EXACT, symbolic_matrix, symbolic_params
from lesson_lib.network import ARTICLE, PARAMETERS, Params, backward, chain_rule, collect, forward, sgd_step
from lesson_lib.tables import Table
from lesson_lib.training import CLEAN


@dataclass(frozen=True)
class Lock:
    """One gradient on one sample: its value, and per entry the factors that make it 0 (none if it is not 0)."""

    name: str
    gradient: Matrix
    zero_by: dict[tuple[int, int], tuple[str, ...]]
    activation: str = "relu"

    @property
    def is_open(self) -> bool:
        """Whether any entry of the gradient is not 0."""
        return any(self.gradient[entry] != 0 for entry in self.zero_by)

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors that keep the whole gradient at 0, by name; empty if it is open."""
        if self.is_open:
            return ()
        some = dict.fromkeys(name for names in self.zero_by.values() for name in names)
        every = [name for name in some if all(name in names for names in self.zero_by.values())]
        return tuple(every or some)

    @property
    def reason(self) -> str:
        """What keeps it at 0, in words: "x = 0 and relu'(z1) = 0", or "open"."""
        return words.OPEN if self.is_open else reason(self.factors, self.activation)


def locks(params: Params, x: Matrix, y: Matrix, *, activation: str = "relu", relu_prime_at_zero: Any = 0) -> list[Lock]:
    """Return the lock of each of the four gradients on one sample x (1, n_in), y (1, n_out).

    >>> [(lock.name, lock.reason) for lock in locks(ARTICLE, [[0]], [[5]])][:2]
    [('W1', "x = 0 and relu'(z1) = 0"), ('b1', "relu'(z1) = 0")]
    """
    net = Params(*(Term(getattr(params, name), name=name) for name in PARAMETERS))
    x, y = Term(as_matrix_like(params.W1, x, "x"), name="X"), Term(as_matrix_like(params.W1, y, "y"), name="Y")
    passed = forward(net, x, activation=activation)
    factors = chain_rule(net, passed, y, activation=activation, relu_prime_at_zero=relu_prime_at_zero)
    for name, term in (passed._asdict() | factors._asdict()).items():
        term.name = name
    return [_lock(name, gradient, activation) for name, gradient in collect(x, passed, factors)._asdict().items()]


def _lock(name: str, gradient: Term, activation: str) -> Lock:
    zero_by = {entry: zero_factors(gradient, *entry) for entry in np.ndindex(*gradient.shape)}
    return Lock(name, gradient.value, zero_by, activation)


# Which fix opens which lock ---------------------------------------------------------------------------------------


def fix_matrix() -> Table:
    """Return each candidate fix against the four gradients at the trigger, after the article's clean step."""
    gradients = backward(ARTICLE, CLEAN.X, CLEAN.Y)
    after, larger = (_exact(sgd_step(ARTICLE, gradients, rate)) for rate in (0.1, 0.4))
    fixes: dict[str, tuple[Params, int, dict[str, Any]]] = {
        "none": (after, 0, {}),
        "rate": (larger, 0, {}),
        "b2": (replace(after, b2=ImmutableMatrix([[1]])), 0, {}),
        "b1": (replace(after, b1=ImmutableMatrix([[1, 1]])), 0, {}),
        "move": (after, -1, {}),
        "at zero": (after, 0, {"relu_prime_at_zero": 1}),
        **{name: (after, 0, {"activation": name}) for name in ("leaky_relu", "tanh", "identity", "sigmoid")},
    }
    rows = [
        (words.FIXES[name], *map(_state, locks(params, [[x]], [[5]], **keywords)))
        for name, (params, x, keywords) in fixes.items()
    ]
    return Table([(words.FIX, *(words.SYMBOLS[f"d{name}"][1] for name in PARAMETERS)), *rows], words.FIX_CAPTION)


def _exact(params: Params) -> Params:
    return Params(*(as_matrix_like(EXACT, getattr(params, name), name) for name in PARAMETERS))


def _state(lock: Lock) -> str:
    return f"{lock.reason} {_show(lock.gradient)}" if lock.is_open else lock.reason


# Proofs in letters ------------------------------------------------------------------------------------------------


def without_biases(params: Params) -> Params:
    """Return the same weights with every bias 0."""
    return replace(params, b1=0 * params.b1, b2=0 * params.b2)


def prove_frozen() -> Table:
    """Compute f(0) and all gradients at x = 0 for a net without biases, in letters: for EVERY W1, W2 and target y."""
    net, y = without_biases(symbolic_params()), symbolic_matrix("y", 1, 1)
    origin = ImmutableMatrix([[0]])
    gradients = backward(net, origin, y)._asdict()
    weights = [(words.SYMBOLS[f"d{name}"][1], _show(gradients[name])) for name in ("W1", "W2")]
    return Table([words.PROOF_COLUMNS, ("f(0)", _show(forward(net, origin).y_hat)), *weights], words.PROOF_CAPTION)


def prove_homogeneous() -> Table:
    """Compute f(c x) - c f(x), c > 0, for a net without biases, in letters, for each combination of open gates."""
    c = sympy.Symbol("c", positive=True)
    rows = []
    for signs in product((1, -1), repeat=2):
        sizes = [sign * sympy.Symbol(f"s{i + 1}", positive=True) for i, sign in enumerate(signs)]  # x W1, by its sign
        net = without_biases(replace(symbolic_params(), W1=ImmutableMatrix([sizes])))
        scaled, plain = (forward(net, ImmutableMatrix([[x]])).y_hat[0] for x in (c, sympy.Integer(1)))
        gates = ", ".join(words.GATE_OPEN if sign > 0 else words.GATE_SHUT for sign in signs)
        rows.append((gates, str(plain), str(sympy.expand(scaled - c * plain))))
    return Table([words.HOMOGENEOUS_COLUMNS, *rows], words.HOMOGENEOUS_CAPTION)


def _show(matrix: ImmutableMatrix) -> str:
    return Writer("text").value(matrix)
