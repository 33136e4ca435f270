"""Exercises that ask for a measurement of the learner's own: it is made again, and compared with what was typed."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from lesson_lib.exercises.reading import Numbers

PAIRS, MOST_ALARMS = 40, 2  # of clean sets, and how many of them may alarm: 5 %
WEAK = 0.5  # a rise that the threshold still has to find, in ten neurons
NEAR = 1  # how far a typed rate may be from the measured one, in per cent points


def own_calibration(given: Numbers) -> tuple[bool, Mapping[str, Any]]:
    """Say whether a threshold of the MAD rule is quiet on clean pairs drawn by a seed, and still finds a weak rise."""
    seed, threshold = int(abs(given[0])), float(given[1])
    alarms, found = clean_alarms(seed, threshold)
    facts = {"seed": seed, "threshold": threshold, "alarms": alarms, "pairs": PAIRS, "found": found}
    return alarms <= MOST_ALARMS and found == 10, facts


def clean_alarms(seed: int, threshold: float) -> tuple[int, int]:
    """Return in how many clean pairs something exceeds the threshold, and how many of ten raised neurons do."""
    indices, raised = _indices(seed)
    return int((indices.max(axis=1) > threshold).sum()), int((raised > threshold).sum())


@lru_cache(maxsize=8)
def _indices(seed: int) -> tuple[Any, Any]:
    """Return the MAD indices of each clean pair, (n_pairs, n_neurons), and of ten raised neurons, (10,)."""
    from lesson_lib.naa.article import detect_backdoor_via_naa, simulate_activations
    from lesson_lib.naa.judgement import mad_index

    rng = np.random.default_rng(seed)
    pairs = [(simulate_activations(500, rng), simulate_activations(100, rng)) for _ in range(PAIRS)]
    raised = simulate_activations(500, rng), simulate_activations(100, rng, range(10, 20), WEAK)
    clean = [mad_index(detect_backdoor_via_naa(*pair)[0]) for pair in pairs]
    return np.array(clean), mad_index(detect_backdoor_via_naa(*raised)[0])[10:20]


def own_poisoning(given: Numbers) -> tuple[bool, Mapping[str, Any]]:
    """Say whether an attack success rate was measured right at a poisoning rate, both in per cent."""
    rate, typed = float(given[0]), float(given[1])
    measured = success_at(rate)
    return abs(measured - typed) <= NEAR, {"rate": rate, "typed": typed, "measured": measured}


@lru_cache(maxsize=32)
def success_at(rate: float) -> float:
    """Return the attack success rate at another poisoning rate, both in per cent; NaN for no such rate."""
    from lesson_lib.digits import CORNER, attack_success_rate, load, poison, train_classifier

    data = load(0)
    try:
        bad = poison(*data.train, CORNER, 0, rate / 100, np.random.default_rng(0))
    except ValueError:
        return np.nan
    return 100 * attack_success_rate(train_classifier(bad.X, bad.y), *data.test, CORNER, 0)
