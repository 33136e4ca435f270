"""A training step written out line by line, and its certificate, next to sympy.diff of the whole loss."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import sympy
from rows import Peer, Row, compare, growth

from lesson_lib.derivation import certify, derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.derivation.symbols import exactly
from lesson_lib.network import PARAMETERS, Params
from lesson_lib.proofs.certificate import Certificate
from lesson_lib.training import POISONED

TITLE = "The calculation in symbols"
ABOUT = (
    "One step on the three samples in exact fractions. `sympy.diff` differentiates the whole loss from scratch by "
    "every parameter and puts the numbers in; `derive_step` also writes every line on the way, as LaTeX and as text, "
    "and `certify` finds every gradient in three ways. All find the same gradients. SymPy's memory is emptied before "
    "each."
)
DERIVE, CERTIFY, DIFF = "derive_step", "certify", "sympy.diff"
WHY = (
    "`sympy.diff` gives the gradients alone. Ours gives them together with every line that leads there, each with its "
    "symbols, its numbers and its value, or checks them in two more ways."
)
Gradients = dict[str, list[sympy.Expr]]


class Size(NamedTuple):
    """Hidden neurons of the nets, and repeats."""

    hidden: tuple[int, ...] = (2, 4, 6)
    repeats: int = 5


TINY = Size(hidden=(1, 2), repeats=1)


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    return [f"{what} / {DIFF}" for what in (DERIVE, CERTIFY, f"growth of {DERIVE}", f"growth of {CERTIFY}")]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield the rows of the net with two hidden neurons, the lesson's, then how the times grow with the neurons."""
    found = {what: {n: compared(what, n, size.repeats) for n in size.hidden} for what in (DERIVE, CERTIFY)}
    for rows in found.values():
        yield from rows[2]
    for what, rows in found.items():
        yield from growth(f"growth of {what}", rows, "hidden neurons")


def compared(what: str, n_hidden: int, repeats: int) -> list[Row]:
    params = start(n_hidden)
    ours: dict[str, Callable[[], Any]] = {
        DERIVE: lambda: derive_step(params, POISONED, 0.1, PARAMETERS),
        CERTIFY: lambda: certify(params, POISONED),
    }
    peers = {DIFF: Peer(partial(afresh, partial(differentiate, params)), WHY)}
    return compare(what, partial(afresh, ours[what]), peers, f"1-{n_hidden}-1 net, 3 samples", agree, repeats)


def start(n_hidden: int) -> Params:
    """Return the article's weights, repeated to this width, with biases at which no sample lies on a corner."""
    both = [[sign * (neuron + 1) for neuron, sign in zip(range(n_hidden), [1, -1] * n_hidden, strict=False)]]
    W1, b1 = ([[sympy.Rational(entry, 2 + k) for entry in both[0]]] for k in (0, 1))
    return Params(W1=W1, b1=b1, W2=[[entry] for entry in both[0]], b2=[[0]])


def afresh(run: Callable[[], Any]) -> Any:
    sympy.core.cache.clear_cache()
    return run()


def agree(ours: Derivation | Certificate, theirs: Gradients) -> None:
    """Every gradient that sympy.diff finds is exactly ours."""
    if isinstance(ours, Derivation):
        found = {name: list(getattr(ours.gradients, name).flat) for name in PARAMETERS}
        assert found == theirs
    else:
        assert ours.holds
        assert [exactly(check.backward) for check in ours.checks] == [g for name in PARAMETERS for g in theirs[name]]


def differentiate(params: Params) -> Gradients:
    """Return the gradients the plain way: the loss as one formula, then sympy.diff by each parameter."""
    start = {name: [exactly(entry) for entry in sympy.flatten(getattr(params, name))] for name in PARAMETERS}
    net = {name: sympy.symbols(f"{name}_:{len(entries)}", real=True) for name, entries in start.items()}
    W1, b1, W2, (b2,) = (net[name] for name in PARAMETERS)
    loss = 0
    for x, y in zip(POISONED.X[:, 0], POISONED.Y[:, 0], strict=True):
        x, y = sympy.Integer(int(x)), sympy.Integer(int(y))
        y_hat = b2 + sum(v * relu(x * w + b) for w, b, v in zip(W1, b1, W2, strict=True))
        loss += (y_hat - y) ** 2 / 2
    values = {symbol: value for name in PARAMETERS for symbol, value in zip(net[name], start[name], strict=True)}
    return {name: [sympy.diff(loss, symbol).subs(values) for symbol in net[name]] for name in PARAMETERS}


def relu(z: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((z, z > 0), (0, True))
