"""How well a detection agrees with the truth, where the truth is known."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Indices = NDArray[np.intp]


class Score(NamedTuple):
    """How well flags and ranking agree with the truth; NaN where there is nothing to divide by."""

    precision: float  # the share of the flagged that are backdoored
    recall: float  # the share of the backdoored that are flagged
    auc: float  # the chance that a backdoored neuron ranks above an innocent one


def score(values: Any, flagged: Sequence[int] | Indices, truth: Sequence[int] | Indices | range) -> Score:
    """Score values (n_neurons,) and flagged neurons against the neurons known to be backdoored.

    The AUC is the Mann-Whitney statistic over the pairs, ties counting half (Hanley & McNeil 1982).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or np.isnan(values).any():
        raise ValueError(f"values must be one number per neuron, none of them NaN; got shape {values.shape}")
    found = np.unique(check_neurons(flagged, len(values), "flagged"))
    guilty = np.unique(check_neurons(truth, len(values), "truth"))
    hits, n, pairs = len(np.intersect1d(found, guilty)), len(guilty), len(guilty) * (len(values) - len(guilty))
    wins = float(stats.rankdata(values)[guilty].sum()) - n * (n + 1) / 2
    return Score(
        precision=hits / len(found) if len(found) else np.nan,
        recall=hits / n if n else np.nan,
        auc=wins / pairs if pairs else np.nan,
    )


def check_neurons(neurons: Any, n_neurons: int, name: str) -> Indices:
    """Return neuron numbers as an array; raises ValueError for a mask, and for any neuron that is not there."""
    found = np.asarray(list(neurons))
    if len(found) and (found.dtype.kind not in "iu" or (found < 0).any() or (found >= n_neurons).any()):
        raise ValueError(f"{name} must hold whole numbers, neurons from 0 to {n_neurons - 1}; got {found.tolist()}")
    return found.astype(np.intp)
