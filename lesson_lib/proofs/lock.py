"""The four locks: which factor keeps each gradient at zero."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.derivation.printer import reason
from lesson_lib.derivation.trace import Place, Traced, trace_sample, zero_factors
from lesson_lib.network import PARAMETERS, Params, check_samples
from lesson_lib.proofs import words


@dataclass(frozen=True)
class Lock:
    """One gradient on one sample: its value, and per entry the factors that make it 0 (none if it is not 0)."""

    name: str
    gradient: Array
    zero_by: dict[Place, tuple[str, ...]]
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


def locks(params: Params, x: Any, y: Any) -> list[Lock]:
    """Return the lock of each of the four gradients on one sample x (1, n_in), y (1, n_out).

    >>> from lesson_lib.network import ARTICLE
    >>> [(lock.name, lock.reason) for lock in locks(ARTICLE, [[0]], [[5]])][:2]
    [('W1', "x = 0 and relu'(z1) = 0"), ('b1', "relu'(z1) = 0")]
    """
    terms = trace_sample(params, *check_samples(params, x, y))
    return [_lock(name, terms[f"d{name}"], params.activation) for name in PARAMETERS]


def _lock(name: str, gradient: Traced, activation: str) -> Lock:
    zero_by = {place: zero_factors(gradient, *place) for place in np.ndindex(*gradient.value.shape)}
    return Lock(name, gradient.value, zero_by, activation)
