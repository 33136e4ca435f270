"""One training step, written out line by line, and the certificate that its gradients are right."""

from collections.abc import Iterator, Sequence
from typing import Any

from sympy import ImmutableMatrix

from lesson_lib.arrays import RELU_PRIME_AT_ZERO, Matrix, as_matrix_like
from lesson_lib.derivation import words
from lesson_lib.derivation.certificate import Certificate, Samples, certify
from lesson_lib.derivation.lines import Derivation, Lines, Step, distinct_sides
from lesson_lib.derivation.notation import Term, Writer, add_samples, reason, zero_factors
from lesson_lib.derivation.symbols import EXACT, exactly, symbolic_params
from lesson_lib.network import (
    PARAMETERS,
    Factors,
    Forward,
    Gradients,
    Params,
    chain_rule,
    check_convention,
    check_rate,
    check_trainable,
    collect,
    forward,
    loss,
    sgd_step,
)

__all__ = ["Certificate", "Derivation", "Samples", "Step", "certify", "derive_step", "symbolic_params"]


def derive_step(
    params: Params,
    data: Samples,
    rate: Any,
    trainable: Sequence[str] = ("W1", "W2"),
    *,
    decimals: bool = False,
    activation: str = "relu",
    relu_prime_at_zero: Any = RELU_PRIME_AT_ZERO,
) -> Derivation:
    r"""Write out one step of gradient descent: forward, loss, backward, the sums over samples and the updates.

    Everything is exact; a typed decimal counts as the fraction it was written as. With SymPy symbols in params and
    data (see `symbolic_params`) the same lines come out in letters. Raises ValueError for a rate <= 0 or data that
    do not fit the net.

    >>> from lesson_lib.network import ARTICLE
    >>> from lesson_lib.training import CLEAN
    >>> print(derive_step(ARTICLE, CLEAN, rate=0.1).find("dW2", sample=1).text)
    dL/dW2 = a1ᵀ dL/dy_hat = [1; 0] · (-1) = [-1; 0]
    """
    check_rate(rate)
    check_trainable(trainable)
    check_convention(relu_prime_at_zero)
    scribe = _Scribe(decimals, activation)
    net = Params(*(Term(as_matrix_like(EXACT, getattr(params, name), name), name=name) for name in PARAMETERS))
    inputs, targets = _rows(data.X, "X"), _rows(data.Y, "Y")
    passes = [_forward(scribe, net, x, i, activation) for i, x in enumerate(inputs)]
    total = _loss(scribe, passes, targets)
    samples = []
    for i, (x, y, passed) in enumerate(zip(inputs, targets, passes, strict=True)):
        factors = chain_rule(net, passed, y, activation=activation, relu_prime_at_zero=relu_prime_at_zero)
        gradients = collect(x, passed, factors)
        _backward(scribe, factors, gradients, i, x, trainable)
        samples.append(gradients)
    summed = Gradients(*(_sum(scribe, [part[i] for part in samples], name, trainable) for i, name in _numbered()))
    after = _update(scribe, net, summed, rate, trainable)
    return Derivation(
        steps=Lines(scribe.steps),
        loss=total.value,
        gradients=Gradients(*(gradient.value for gradient in summed)),
        params=Params(*(getattr(after, name).value for name in PARAMETERS)),
    )


class _Scribe:
    """Names each Term as it is written down and keeps the lines."""

    def __init__(self, decimals: bool, activation: str) -> None:
        self.latex, self.plain = Writer("latex", decimals), Writer("text", decimals)
        self.activation = activation
        self.steps: list[Step] = []

    def write(self, term: Term, quantity: str, stage: str, title: str, sample: int | None = None) -> None:
        plain, latex = self.plain, self.latex
        rounded = any(latex.is_rounded(part.value) for part in _named(term))
        relations = ("=", "≈" if rounded else "=", "≈" if rounded or latex.is_rounded(term.value) else "=")
        sides = distinct_sides(
            zip(relations, (plain.formula(term), plain.substituted(term), plain.value(term.value)), strict=True)
        )
        name = plain.name(quantity) if stage != "update" else f"new {plain.name(quantity)}"
        zero_by = _zeros(term) if quantity.startswith("d") else {}
        zero = self._explain(quantity, term, zero_by)
        if stage == "update" and term.value == term.operands[0].value:
            zero = words.UNMOVED.format(name=plain.name(quantity))
        self.steps.append(
            Step(
                title=title,
                lhs=latex.name(quantity) + (r"^{\text{new}}" if stage == "update" else ""),
                formula=latex.formula(term),
                substituted=latex.substituted(term),
                value=latex.value(term.value),
                text=name + "".join(f" {relation} {side}" for relation, side in sides),
                zero=zero,
                quantity=quantity,
                stage=stage,
                sample=sample,
                inputs=tuple(dict.fromkeys(part.name for part in _named(term))),
                relations=relations,
                result=term.value,
                zero_by=zero_by,
            )
        )
        term.name = quantity

    def sample_title(self, quantity: str, sample: int, x: Term) -> str:
        what = words.STEP_TITLES[quantity].format(activation=words.FUNCTIONS[self.activation][1])
        return words.SAMPLE.format(number=sample + 1, x=self.plain.value(x.value), what=what)

    def _explain(self, quantity: str, term: Term, zero_by: dict[tuple[int, int], tuple[str, ...]]) -> str:
        name = self.plain.name(quantity)
        groups: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for entry, factors in zero_by.items():
            groups.setdefault(factors, []).append(entry)
        sentences = []
        for factors, entries in groups.items():
            reasons = reason(factors, self.activation)
            if len(entries) == len(list(term.value)):
                return words.ZERO_ALL.format(name=name, factors=reasons)
            where = words.AND.join(_place(entry, term.shape) for entry in entries)
            sentences.append(words.ZERO_SOME.format(where=where, name=name, factors=reasons))
        return " ".join(sentences)


def _forward(scribe: _Scribe, net: Params, x: Term, sample: int, activation: str) -> Forward:
    passed = forward(net, x, activation=activation)
    for name, term in zip(Forward._fields, passed, strict=True):
        scribe.write(term, name, "forward", scribe.sample_title(name, sample, x), sample)
    return passed


def _loss(scribe: _Scribe, passes: list[Forward], targets: list[Term]) -> Term:
    y_hat = Term(ImmutableMatrix.vstack(*(passed.y_hat.value for passed in passes)), name="y_hat")
    total: Term = loss(y_hat, Term(ImmutableMatrix.vstack(*(y.value for y in targets)), name="Y"))
    scribe.write(total, "L", "loss", words.STEP_TITLES["L"])
    return total


def _backward(
    scribe: _Scribe, factors: Factors, gradients: Gradients, sample: int, x: Term, trainable: Sequence[str]
) -> None:
    lines = {"d" + name: gradient for name, gradient in gradients._asdict().items()}
    lines |= factors._asdict()
    for quantity in ("dy_hat", "dW2", "db2", "da1", "gate", "dz1", "dW1", "db1"):
        if quantity in factors._fields or quantity[1:] in trainable:
            scribe.write(lines[quantity], quantity, "backward", scribe.sample_title(quantity, sample, x), sample)


def _sum(scribe: _Scribe, parts: list[Term], name: str, trainable: Sequence[str]) -> Term:
    if len(parts) == 1:
        return parts[0]
    total = add_samples(parts)
    if name in trainable:
        title = words.STEP_TITLES["sum"].format(name=scribe.plain.name("d" + name))
        scribe.write(total, "d" + name, "sum", title)
    return total


def _update(scribe: _Scribe, net: Params, summed: Gradients, rate: Any, trainable: Sequence[str]) -> Params:
    after = sgd_step(net, summed, Term(exactly(rate), name="rate"), trainable)
    for name in trainable:
        scribe.write(getattr(after, name), name, "update", words.STEP_TITLES["update"].format(name=name))
    return after


def _rows(matrix: Matrix, name: str) -> list[Term]:
    exact = as_matrix_like(EXACT, matrix, name)
    return [Term(exact[i, :], name=name) for i in range(exact.rows)]


def _numbered() -> Iterator[tuple[int, str]]:
    return enumerate(Gradients._fields)


def _named(term: Term) -> Iterator[Term]:
    for part in term.operands:
        if part.name:
            yield part
        else:
            yield from _named(part)


def _zeros(term: Term) -> dict[tuple[int, int], tuple[str, ...]]:
    entries = ((i, j) for i in range(term.shape[0]) for j in range(term.shape[1]))
    found = {entry: zero_factors(term, *entry) for entry in entries}
    return {entry: factors for entry, factors in found.items() if factors}


def _place(entry: tuple[int, int], shape: tuple[int, int]) -> str:
    if 1 in shape:
        return words.NEURON.format(number=max(entry) + 1)
    return words.ENTRY.format(row=entry[0] + 1, column=entry[1] + 1)
