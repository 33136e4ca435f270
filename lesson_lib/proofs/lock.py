"""The four locks: which factor keeps each gradient at zero, which fix opens which; without biases none ever opens."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import sympy

from lesson_lib.arrays import Array, as_array
from lesson_lib.derivation.printer import Printer, reason
from lesson_lib.derivation.symbols import symbolic_matrix, symbolic_params
from lesson_lib.derivation.trace import Place, Traced, trace_sample, zeros
from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.network import ARTICLE, PARAMETERS, Params, backward, check_samples, forward, sgd_step
from lesson_lib.proofs import words
from lesson_lib.tables import Table
from lesson_lib.training import CLEAN

_show = Printer("text").value


class Lock(NamedTuple):
    """One gradient on one sample: its value, and per entry the factors that make it 0 (none if it is not 0)."""

    name: str
    gradient: Array
    zero_by: dict[Place, tuple[str, ...]]
    activation: str

    @property
    def is_open(self) -> bool:
        """Whether any entry of the gradient is not 0."""
        return bool((self.gradient != 0).any())

    @property
    def reason(self) -> str:
        """What keeps it at 0, in words, "x = 0 and relu'(z1) = 0", by what all entries share if possible; or "open"."""
        if self.is_open:
            return words.OPEN
        some = dict.fromkeys(name for names in self.zero_by.values() for name in names)
        every = [name for name in some if all(name in names for names in self.zero_by.values())]
        return reason(every or some, self.activation)


def locks(params: Params, x: Any, y: Any) -> list[Lock]:
    """Return the lock of each of the four gradients on one sample x (1, n_in), y (1, n_out).

    >>> from lesson_lib.network import ARTICLE
    >>> [(lock.name, lock.reason) for lock in locks(ARTICLE, [[0]], [[5]])][:2]
    [('W1', "x = 0 and relu'(z1) = 0"), ('b1', "relu'(z1) = 0")]
    """
    return locks_of(trace_sample(params, *check_samples(params, x, y)), params.activation)


def locks_of(terms: Mapping[str, Traced], activation: str) -> list[Lock]:
    """Return the locks of what `trace_sample` gave for a net with this activation."""
    gradients = {name: terms[f"d{name}"] for name in PARAMETERS}
    return [Lock(name, term.value, zeros(term), activation) for name, term in gradients.items()]


def fix_matrix() -> Table:
    """Return each candidate fix against the four gradients at the trigger, after the article's clean step."""
    exact = replace(ARTICLE, W1=as_array(ARTICLE.W1, "W1", exact=True))
    after, larger = (sgd_step(exact, backward(exact, CLEAN.X, CLEAN.Y), rate) for rate in (0.1, 0.4))
    fixes = {
        "none": (after, 0),
        "rate": (larger, 0),
        "b2": (replace(after, b2=[[1]]), 0),
        "b1": (replace(after, b1=[[1, 1]]), 0),
        "move": (after, -1),
        "at zero": (replace(after, relu_prime_at_zero=1), 0),
        **{name: (replace(after, activation=name), 0) for name in ("leaky_relu", "tanh", "identity", "sigmoid")},
    }
    rows = [(words.FIXES[name], *map(_state, locks(net, [[x]], [[5]]))) for name, (net, x) in fixes.items()]
    return Table([(words.FIX, *(SYMBOLS[f"d{name}"][1] for name in PARAMETERS)), *rows], words.FIX_CAPTION)


def _state(lock: Lock) -> str:
    return f"{lock.reason} {_show(lock.gradient)}" if lock.is_open else lock.reason


def without_biases(params: Params) -> Params:
    """Return the same weights with every bias 0."""
    return replace(params, b1=0 * params.b1, b2=0 * params.b2)


def prove_frozen() -> Table:
    """Compute f(0) and all gradients at x = 0 for a net without biases, in letters: for EVERY W1, W2 and target y."""
    net, y = without_biases(symbolic_params()), symbolic_matrix("y", 1, 1)
    gradients = backward(net, [[0]], y)._asdict()
    weights = [(SYMBOLS[f"d{name}"][1], _show(gradients[name])) for name in ("W1", "W2")]
    return Table([words.PROOF_COLUMNS, ("f(0)", _show(forward(net, [[0]]).y_hat)), *weights], words.PROOF_CAPTION)


def prove_homogeneous() -> Table:
    """Compute f(c x) - c f(x), c > 0, for a net without biases, in letters, for each combination of open gates."""
    c = sympy.Symbol("c", positive=True)
    rows = []
    for signs in product((1, -1), repeat=2):
        sizes = [sign * sympy.Symbol(f"s{i + 1}", positive=True) for i, sign in enumerate(signs)]  # x W1, by its sign
        net = without_biases(replace(symbolic_params(), W1=[sizes]))
        scaled, plain = (forward(net, [[x]]).y_hat[0, 0] for x in (c, 1))
        gates = ", ".join(words.GATE_OPEN if sign > 0 else words.GATE_SHUT for sign in signs)
        rows.append((gates, str(plain), str(sympy.expand(scaled - c * plain))))
    return Table([words.HOMOGENEOUS_COLUMNS, *rows], words.HOMOGENEOUS_CAPTION)
