"""The four locks: which factor keeps each gradient at zero."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lesson_lib.arrays import Array
from lesson_lib.derivation.printer import reason
from lesson_lib.derivation.trace import Place, Traced, trace_sample, zeros
from lesson_lib.network import PARAMETERS, Params, check_samples
from lesson_lib.proofs import words


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
