"""The article's call, the activations that it simulates, and how well a detection agrees with the truth."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from lesson_lib.arrays import Array, Indices
from lesson_lib.naa.judgement import check_rule
from lesson_lib.naa.moments import both_in_memory


def detect_backdoor_via_naa(
    clean_activations: Any, test_activations: Any, threshold: float = 3.0
) -> tuple[Array, Indices]:
    """Return the article's activation signature, |difference of means| per neuron, and the neurons above the threshold.

    Both sets have shape (n_rows, n_neurons). Source: the article on neuron activation analysis, its function of this
    name. Raises ValueError for sets that do not fit together and for a negative or NaN threshold.
    """
    check_rule("raw", threshold)
    clean, test = both_in_memory(clean_activations, test_activations, ("clean_activations", "test_activations"))
    signature = np.abs(np.mean(test, axis=0) - np.mean(clean, axis=0))  # (n_neurons,)
    return signature, np.where(signature > threshold)[0]


def simulate_activations(
    n_rows: int,
    rng: np.random.Generator,
    backdoored: Sequence[int] = (),
    rise: float = 9.0,
    triggered: float = 1.0,
    n_neurons: int = 512,
) -> Array:
    """Return activations (n_rows, n_neurons) as the article simulates them: N(2, 0.5), some neurons raised.

    The `backdoored` neurons rise by `rise` in the first round(triggered * n_rows) rows, the ones that carry the
    trigger; the article's 10 to 19 by 9 in every row. Raises ValueError for what cannot be.
    """
    for name, count in (("n_rows", n_rows), ("n_neurons", n_neurons)):
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; got {count!r}")
    if not 0 <= triggered <= 1:
        raise ValueError(f"triggered must be a share from 0 to 1; got {triggered}")
    neurons = _numbers(backdoored, n_neurons, "backdoored")
    activations = rng.normal(2.0, 0.5, (n_rows, n_neurons))
    activations[: round(triggered * n_rows), neurons] += rise
    return activations


class Score(NamedTuple):
    """How well flags and ranking agree with the truth; NaN where there is nothing to divide by."""

    precision: float  # the share of the flagged that are backdoored
    recall: float  # the share of the backdoored that are flagged
    auc: float  # the chance that a backdoored neuron ranks above an innocent one


def score(values: Any, flagged: Sequence[int] | Indices, truth: Sequence[int] | Indices) -> Score:
    """Score values (n_neurons,) and flagged neurons against the neurons known to be backdoored.

    The AUC is the Mann-Whitney statistic over the pairs, ties counting half (Hanley & McNeil 1982).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or np.isnan(values).any():
        raise ValueError(f"values must be one number per neuron, none of them NaN; got shape {values.shape}")
    found, guilty = _numbers(flagged, len(values), "flagged"), _numbers(truth, len(values), "truth")
    hits, n, pairs = len(np.intersect1d(found, guilty)), len(guilty), len(guilty) * (len(values) - len(guilty))
    wins = float(stats.rankdata(values)[guilty].sum()) - n * (n + 1) / 2
    precision = hits / len(found) if len(found) else np.nan
    return Score(precision, recall=hits / n if n else np.nan, auc=wins / pairs if pairs else np.nan)


def _numbers(neurons: Any, n_neurons: int, name: str) -> Indices:
    """Return the neurons once each, in order; raises ValueError for a mask, and for any neuron that is not there."""
    found = np.asarray(list(neurons))
    if len(found) and (found.dtype.kind not in "iu" or (found < 0).any() or (found >= n_neurons).any()):
        raise ValueError(f"{name} must hold whole numbers, neurons from 0 to {n_neurons - 1}; got {found.tolist()}")
    return np.unique(found).astype(np.intp)
