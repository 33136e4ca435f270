"""One training step of any net, derived: the net's own lines, run on values that remember how they were made."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lesson_lib import network
from lesson_lib.derivation.step import Derivation, Step
from lesson_lib.derivation.symbols import exactly, to_sympy
from lesson_lib.derivation.trace import Traced, add_samples, trace_sample, traced
from lesson_lib.network import PARAMETERS, Forward, Gradients, Params, descend, half_squares

BACKWARD = ("dy_hat", "dW2", "db2", "da1", "phi_prime", "dz1", "dW1", "db1")  # in the order of the lines


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
    network.check_rate(rate, exact=True)
    network.check_trainable(trainable)
    exact = params.with_arrays(**{name: to_sympy(getattr(params, name)) for name in PARAMETERS})
    X, Y = (to_sympy(matrix) for matrix in network.check_samples(exact, data.X, data.Y))
    with np.errstate(all="ignore"):  # SymPy's own arithmetic sets flags of the processor that NumPy would report
        samples = [trace_sample(exact, X[[i]], Y[[i]]) for i in range(len(X))]
        summed = {name: add_samples([terms[f"d{name}"] for terms in samples]) for name in PARAMETERS}
        after = descend(traced(exact), Gradients(**summed), Traced(exactly(rate), name="rate"), trainable)
        y_hat = np.vstack([terms["y_hat"].value for terms in samples])
        total: Traced = half_squares(Traced(y_hat, name="y_hat") - Traced(Y, name="Y"))
    untrained = {f"d{name}" for name in PARAMETERS if name not in trainable}

    def line(stage: str, quantity: str, term: Traced, sample: int | None = None) -> Step:
        return Step(quantity, stage, sample, None if sample is None else X[[sample]], term, params.activation, decimals)

    def each_sample(stage: str, quantities: Sequence[str]) -> Iterator[Step]:
        return (line(stage, name, terms[name], i) for i, terms in enumerate(samples) for name in quantities)

    steps = [
        *each_sample("forward", Forward._fields),
        line("loss", "L", total),
        *each_sample("backward", [name for name in BACKWARD if name not in untrained]),
        *(line("sum", f"d{name}", summed[name]) for name in PARAMETERS if name in trainable and len(samples) > 1),
        *(line("update", name, after[name]) for name in trainable),
    ]
    gradients = Gradients(**{name: gradient.value for name, gradient in summed.items()})
    new = exact.with_arrays(**{name: after[name].value for name in trainable})
    return Derivation(tuple(steps), total.value, gradients, new)
