"""What the NAA lab compares and finds: from its settings to two sets of activations, the flags, and what to draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from lesson_lib.arrays import Array, Indices, read_only
from lesson_lib.labs.shared.dial import RATES
from lesson_lib.naa.article import Score, score, simulate_activations
from lesson_lib.naa.comparison import Comparison, compare
from lesson_lib.naa.judgement import NORMAL_MAD, RULES, TAKES_OVER, Signature, judge
from lesson_lib.network import Params, forward
from lesson_lib.sweeps.experiment import Experiment, Schedule, run_many
from lesson_lib.training import CLEAN, TRIGGER

SIMULATION = "simulation"
FIRST = 10  # the first backdoored neuron, as in the article
N_NEURONS, N_CLEAN, N_PERMUTATIONS = 512, 500, 200
# The sliders' positions, for what only the simulation has.
SIMULATED: dict[str, Sequence[float]] = {
    "rise": tuple(np.arange(0, 12.25, 0.25).tolist()),
    "triggered": tuple(np.round(np.arange(0, 1.05, 0.05), 2).tolist()),
    "rows": (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
    "backdoored": range(301),
    "seed": (*range(100), 9999),
}
WHOLE = ("rows", "backdoored", "seed", "neuron")
TENTHS = tuple(np.round(np.arange(0, 12.1, 0.1), 1).tolist())
# The slider's positions for each rule's threshold, and where it starts: the article's experiment used 2.
THRESHOLDS = {
    "raw": TENTHS,
    "sd": TENTHS[:101],
    "mad": TENTHS[:101],
    "effect": (*np.round(np.arange(0, 4, 0.05), 2).tolist(), *np.arange(4, 20.5, 0.5).tolist()),
    "bh": tuple(rate for rate in RATES if rate <= 1),
    "permutation": tuple(rate for rate in RATES if 0.005 <= rate <= 1),
}
WITH_B1 = ("W1", "W2", "b1")
TOYS = {  # what the lessons before trained, and for how many epochs
    "frozen attack": (Experiment(), 1),
    "spoiled attack": (Experiment(trainable=WITH_B1), 2000),
    "learnt backdoor": (Experiment(rate=0.05, schedule=Schedule.JOINT, trainable=WITH_B1, b1=(0, 1.5)), 3000),
}
STARTS = {name: 2.0 if name == "raw" else rule.default for name, rule in RULES.items()}


@dataclass(frozen=True)
class Settings:
    """What the lab's controls hold; all but source, rule, threshold and over are for the simulation alone."""

    source: str = SIMULATION
    rule: str = "raw"
    threshold: float = STARTS["raw"]
    over: str = "signature"
    rise: float = 9.0
    triggered: float = 1.0
    rows: int = 100
    backdoored: int = 10
    seed: int = 0

    @property
    def truth(self) -> range:
        """Which neurons are backdoored in truth; of the toy's two the second, if any."""
        if self.source == SIMULATION:
            return range(FIRST, FIRST + self.backdoored)
        return range(1, 2) if self.source.endswith("backdoor") else range(0)

    @property
    def looks_at(self) -> str:
        """What the rule looks at: "signature", the sizes of the shifts, unless it can look at something else."""
        return self.over if self.rule in TAKES_OVER else "signature"

    @property
    def numbers(self) -> range:
        """The neurons' numbers: the toy's are counted from 1, as in its lessons."""
        return range(N_NEURONS) if self.source == SIMULATION else range(1, 3)


@lru_cache(maxsize=4)
def _noise(seed: int, rows: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return simulate_activations(N_CLEAN, rng), simulate_activations(rows, rng)


@lru_cache
def toy_params(source: str) -> Params:
    """Return the 1-2-1 net of this name: trained as in the lessons before, or set by hand."""
    if source not in TOYS:
        return Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
    experiment, epochs = TOYS[source]
    return run_many(experiment, [epochs]).params_at(0, 0)


def case(settings: Settings) -> tuple[Array, Array, Array | None]:
    """Return the clean and the suspect activations (n_rows, n_neurons) that the settings compare, and the toy's W2."""
    if settings.source != SIMULATION:
        params = toy_params(settings.source)
        return forward(params, CLEAN.X).a1, forward(params, TRIGGER.X).a1, params.W2
    clean, suspect = _noise(settings.seed, settings.rows)
    suspect = suspect.copy()
    suspect[: round(settings.triggered * settings.rows), settings.truth] += settings.rise
    return clean, suspect, None


@lru_cache(maxsize=64)
def _compared(data: Settings, permuted: bool) -> Comparison:
    """Compare the sets once for every rule and threshold, which `data` leaves at one value."""
    clean, suspect, outgoing = case(data)
    rng, n_permutations = np.random.default_rng(data.seed), N_PERMUTATIONS if permuted else None
    seen = compare(clean, suspect, outgoing=outgoing, rng=rng, n_permutations=n_permutations)
    read_only(*(value for value in vars(seen).values() if isinstance(value, np.ndarray)))
    return seen


@dataclass(frozen=True, eq=False)
class Finding:
    """What the lab shows: the bars (n_neurons,) of one quantity, the rule's lines in its units, and the verdict."""

    settings: Settings
    signature: Signature
    score: Score  # of the flags and of the rule's ranking; NaN where the rule cannot judge
    quantity: str  # "shift", "effect_size" or "p", in which the rule's threshold is a line
    bars: Array
    lines: tuple[float, ...]  # the highest first; none where the rule cannot judge or has no finite one
    small: Indices  # the neurons that pass the test of the rule bh, and lie under its floor of effect size

    def threshold_at(self, height: float) -> float:
        """Return the position of the dial whose line is the nearest to this height among the bars."""
        over, positions = self.settings.looks_at, THRESHOLDS[self.settings.rule]
        heights = _heights(self.signature, over, np.array(positions))  # (n_lines, n_positions)
        gaps = abs(heights - (abs(height) if over == "signature" else height))
        return float(positions[gaps.min(axis=0).argmin()])


def find(settings: Settings) -> Finding:
    """Return what the rule makes of the two sets."""
    data, rule, over = Settings(settings.source), settings.rule, settings.looks_at
    if settings.source == SIMULATION:
        data = replace(settings, rule="raw", threshold=0.0, over="signature")
    found = judge(_compared(data, rule == "permutation"), rule, settings.threshold, over)
    if found.reason:
        return Finding(settings, found, Score(np.nan, np.nan, np.nan), "shift", found.shift, (), found.flagged)
    quantity = RULES[rule].looks_at or over.replace("signature", "shift")
    bars, small, size = getattr(found, quantity), found.flagged[:0], abs(found.effect_size)
    if quantity == "p":  # the evidence: how many zeros the adjusted p has after the point, with the sign of the shift
        adjusted = found.adjusted_p
        small = np.setdiff1d(np.flatnonzero(adjusted <= found.threshold), found.flagged)
        bars = np.sign(found.shift) * -np.log10(np.maximum(adjusted, np.finfo(float).tiny))
    ranking = {"mad": found.anomaly_index, "effect": size, "bh": -found.p, "permutation": size}
    ranked = score(ranking.get(rule, getattr(found, over)), found.flagged, settings.truth)
    lines = _heights(found, over, found.threshold).tolist()  # beyond a line a neuron is flagged
    if over == "signature":  # lines for the size are lines for both signs
        lines = [sign * line for line in lines if line >= 0 for sign in (1, -1)]
    finite = {line + 0.0 for line in lines if np.isfinite(line)}
    return Finding(settings, found, ranked, quantity, bars, tuple(sorted(finite, reverse=True)), small)


def _heights(found: Signature, over: str, threshold: Any) -> Array:
    """Return where a threshold's line lies in the units of the bars, or its two; (n_lines, n_thresholds) of several."""
    if found.rule == "bh":
        return np.array([-np.log10(threshold)])
    if found.rule == "permutation":
        n = len(found.null_maxima)
        larger = np.searchsorted(np.arange(2, n + 2) / (n + 1), threshold, "right")  # splits that may be larger
        return np.array([np.append(np.sort(found.null_maxima)[::-1], np.inf)[larger]])
    values = getattr(found, over)
    if found.rule == "mad":  # it looks both ways
        centre = np.median(values)
        reach = threshold * (NORMAL_MAD * np.median(abs(values - centre)))
        return np.array([centre + reach, centre - reach])
    return np.array([values.mean() + threshold * values.std(ddof=1) if found.rule == "sd" else threshold])
