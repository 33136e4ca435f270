"""One training step of any net, derived: the net's own lines, run on values that remember how they were made."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesson_lib.derivation import words
from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.step import Derivation, Lines, Step
from lesson_lib.derivation.symbols import exactly, to_sympy
from lesson_lib.derivation.trace import Traced, add_samples, trace_sample, traced
from lesson_lib.network import (
    PARAMETERS,
    Gradients,
    Params,
    check_rate,
    check_samples,
    check_trainable,
    descend,
    half_squares,
)

FORWARD = ("z1", "a1", "y_hat")
BACKWARD = ("dy_hat", "dW2", "db2", "da1", "phi_prime", "dz1", "dW1", "db1")  # in the order of the lines


@np.errstate(all="ignore")  # SymPy's own arithmetic sets flags of the processor that NumPy would report
def derive_step(
    params: Params, data: Any, rate: Any, trainable: Sequence[str] = ("W1", "W2"), *, decimals: bool = False
) -> Derivation:
    r"""Write out one step of gradient descent: forward, loss, backward, the sums over samples and the updates.

    `data` has inputs X (n_samples, n_in) and targets Y (n_samples, n_out). Everything is exact; a typed decimal counts
    as the fraction it was written as. With SymPy symbols in params and data (see `symbolic_params`) the same lines come
    out in letters. Raises ValueError for a rate <= 0 or data that do not fit the net.

    >>> from lesson_lib.network import ARTICLE
    >>> from lesson_lib.training import CLEAN
    >>> print(derive_step(ARTICLE, CLEAN, rate=0.1).find("dW2", sample=1).text)
    dL/dW2 = a1ᵀ dL/dy_hat = [1; 0] · (-1) = [-1; 0]
    """
    check_rate(rate)
    check_trainable(trainable)
    exact = params.with_arrays(**{name: to_sympy(getattr(params, name)) for name in PARAMETERS})
    X, Y = (to_sympy(matrix) for matrix in check_samples(exact, data.X, data.Y))
    samples = [trace_sample(exact, X[[i]], Y[[i]]) for i in range(len(X))]
    total = _loss(samples)
    summed = Gradients(*(add_samples([terms[f"d{name}"] for terms in samples]) for name in PARAMETERS))
    after = descend(traced(exact), summed, Traced(exactly(rate), name="rate"), trainable)

    def line(term: Traced, quantity: str, stage: str, title: str, sample: int | None = None) -> Step:
        return Step(title, quantity, stage, sample, term, params.activation, decimals)

    def lines_of_samples(stage: str, quantities: Sequence[str]) -> list[Step]:
        named = [(i, terms, quantity) for i, terms in enumerate(samples) for quantity in quantities]
        return [line(terms[q], q, stage, _title(q, i, terms, exact.activation, decimals), i) for i, terms, q in named]

    steps = lines_of_samples("forward", FORWARD)
    steps.append(line(total, "L", "loss", words.STEP_TITLES["L"]))
    left_out = {f"d{name}" for name in PARAMETERS} - {f"d{name}" for name in trainable}
    steps += lines_of_samples("backward", [quantity for quantity in BACKWARD if quantity not in left_out])
    if len(samples) > 1:
        names = [name for name in PARAMETERS if name in trainable]
        titles = {name: words.STEP_TITLES["sum"].format(name=words.SYMBOLS[f"d{name}"][1]) for name in names}
        steps += [line(getattr(summed, name), f"d{name}", "sum", titles[name]) for name in names]
    titles = {name: words.STEP_TITLES["update"].format(name=name) for name in trainable}
    steps += [line(getattr(after, name), name, "update", titles[name]) for name in trainable]
    gradients = Gradients(*(gradient.value for gradient in summed))
    moved = exact.with_arrays(**{name: getattr(after, name).value for name in PARAMETERS})
    return Derivation(Lines(steps), total.value, gradients, moved)


def _loss(samples: list[dict[str, Traced]]) -> Traced:
    """Return the loss over all samples."""
    y_hat, Y = (Traced(np.vstack([terms[name].value for terms in samples]), name=name) for name in ("y_hat", "Y"))
    total: Traced = half_squares(y_hat - Y)
    return total


def _title(quantity: str, sample: int, terms: dict[str, Traced], activation: str, decimals: bool) -> str:
    what = words.STEP_TITLES[quantity].format(activation=words.FUNCTIONS[activation][1])
    return words.SAMPLE.format(number=sample + 1, x=Printer("text", decimals).value(terms["X"].value), what=what)
