"""The article's own call, which flags neurons above a threshold, and the activations that it simulates."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.naa.moments import both_in_memory
from lesson_lib.naa.rules import check_rule
from lesson_lib.naa.scores import Indices, check_neurons


def detect_backdoor_via_naa(
    clean_activations: Any, test_activations: Any, threshold: float = 3.0
) -> tuple[Array, Indices]:
    """Return the article's activation signature, |difference of means| per neuron, and the neurons above the threshold.

    Both sets have shape (n_rows, n_neurons). Source: the article on neuron activation analysis, its function of this
    name. Raises ValueError for sets of different width, empty sets, values that are not finite, and a negative or
    NaN threshold.
    """
    check_rule("raw", threshold)
    clean, test = both_in_memory(clean_activations, test_activations, ("clean_activations", "test_activations"))
    signature = np.abs(np.mean(test, axis=0) - np.mean(clean, axis=0))  # (n_neurons,)
    return signature, np.where(signature > threshold)[0]


def simulate_activations(
    n_rows: int,
    rng: np.random.Generator,
    backdoored: Sequence[int] | range = (),
    rise: float = 9.0,
    triggered: float = 1.0,
    n_neurons: int = 512,
) -> Array:
    """Return activations (n_rows, n_neurons) as the article simulates them: N(2, 0.5), some neurons raised.

    The `backdoored` neurons rise by `rise` in the first round(triggered * n_rows) rows, the ones that carry the
    trigger. The article raises neurons 10 to 19 by 9 in every row. Raises ValueError for a neuron that is not there
    and for a share `triggered` outside 0 to 1.
    """
    for name, count in (("n_rows", n_rows), ("n_neurons", n_neurons)):
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; got {count!r}")
    if not 0 <= triggered <= 1:
        raise ValueError(f"triggered must be a share from 0 to 1; got {triggered}")
    neurons = np.unique(check_neurons(backdoored, n_neurons, "backdoored"))
    activations = rng.normal(2.0, 0.5, (n_rows, n_neurons))
    activations[: round(triggered * n_rows), neurons] += rise
    return activations
