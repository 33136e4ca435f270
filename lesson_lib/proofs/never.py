"""Which fix opens which lock, and two proofs in letters that without biases none ever opens."""

from dataclasses import replace
from itertools import product

import sympy

from lesson_lib.arrays import as_array
from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.symbols import symbolic_matrix, symbolic_params
from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.network import ARTICLE, PARAMETERS, Params, backward, forward, sgd_step
from lesson_lib.proofs import words
from lesson_lib.proofs.lock import Lock, locks
from lesson_lib.tables import Table
from lesson_lib.training import CLEAN

_show = Printer("text").value


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
