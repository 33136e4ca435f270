"""A threshold from clean data: what clean sets reach, and how sure that is."""

from math import ceil
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from lesson_lib.naa.moments import in_memory


class Calibration(NamedTuple):
    """A threshold, its 95 % interval, and the rate of false alarms that it was asked to keep."""

    threshold: float
    low: float
    high: float  # infinite if there are too few sets to tell
    rate: float


def calibrate(reached: Any, rate: float = 0.05) -> Calibration:
    """Return the threshold that the next clean set exceeds with a chance of `rate` at most.

    `reached` (n_sets,) is what clean sets reach, drawn and as large as those that will be judged. The interval is of
    the quantile that the threshold estimates, from order statistics, for any distribution (Wilks 1941, 1948). Raises
    ValueError for too few sets.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must be a share between 0 and 1; got {rate!r}")
    values = np.sort(in_memory(np.reshape(reached, (-1, 1)), "reached").ravel())
    n, rank = len(values), ceil((1 - rate) * (len(values) + 1) - 1e-9)
    if rank > n:
        raise ValueError(f"reached must have at least {ceil(1 / rate - 1e-9) - 1} sets for a rate of {rate}; got {n}")
    low, high = (int(edge) for edge in stats.binom.ppf((0.025, 0.975), n, 1 - rate))
    padded = [-np.inf, *values.tolist(), np.inf]
    return Calibration(padded[rank], padded[low], padded[high + 1], rate)
