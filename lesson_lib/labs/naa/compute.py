"""What the NAA lab compares and finds: from its settings to two sets of activations, the flags, and what to draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lesson_lib.arrays import Array, Indices, read_only
from lesson_lib.labs.shared.values import RATES
from lesson_lib.naa.article import Score, score, simulate_activations
from lesson_lib.naa.comparison import Comparison, compare
from lesson_lib.naa.judgement import NORMAL_MAD, RULES, TAKES_OVER, Signature, judge
from lesson_lib.network import ARTICLE, Params, forward
from lesson_lib.training import CLEAN, POISONED, TRIGGER, train

SIMULATION = "simulation"
FIRST = 10  # the first backdoored neuron, as in the article
N_NEURONS, N_CLEAN, N_PERMUTATIONS = 512, 500, 200
RISES = tuple(np.arange(0, 12.25, 0.25).tolist())
# The sliders' positions, for what only the simulation has.
SIMULATED: dict[str, Sequence[float]] = {
    "rise": RISES,
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
    with_b1 = ("W1", "W2", "b1")
    if source == "frozen attack":
        return train(train(ARTICLE, CLEAN, 0.1, 1).params[-1], TRIGGER, 0.1, 1).params[-1]
    if source == "spoiled attack":
        return train(train(ARTICLE, CLEAN, 0.1, 1, with_b1).params[-1], TRIGGER, 0.1, 2000, with_b1).params[-1]
    if source == "learnt backdoor":
        return train(replace(ARTICLE, b1=[[0, 1.5]]), POISONED, 0.05, 3000, with_b1).params[-1]
    return Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])


def case(settings: Settings) -> tuple[Array, Array, Array | None]:
    """Return the clean and the suspect activations (n_rows, n_neurons) that these settings compare, and the toy's W2.

    The simulation's noise is drawn once for each seed and number of rows.
    """
    if settings.source != SIMULATION:
        params = toy_params(settings.source)
        clean, suspect = (forward(params, data.X).a1.astype(float) for data in (CLEAN, TRIGGER))
        return clean, suspect, params.W2.astype(float)
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
    score: Score
    quantity: str  # "shift", "effect_size" or "p"
    bars: Array
    lines: tuple[float, ...]  # the highest first; none where the rule cannot judge or has no finite one

    @property
    def small(self) -> Indices:
        """The neurons that pass the test of the rule bh, and lie under its floor of effect size."""
        found = self.signature
        passed = found.adjusted_p <= found.threshold if self.quantity == "p" else np.zeros(len(self.bars), bool)
        return np.setdiff1d(np.flatnonzero(passed), found.flagged)


def find(settings: Settings) -> Finding:
    """Return what the rule makes of the two sets."""
    is_simulated = settings.source == SIMULATION
    data = replace(settings, rule="raw", threshold=0.0, over="signature") if is_simulated else Settings(settings.source)
    over = settings.looks_at
    found = judge(_compared(data, settings.rule == "permutation"), settings.rule, settings.threshold, over)
    quantity = _quantity(found, over)
    bars = getattr(found, quantity)
    if quantity == "p":  # the evidence: how many zeros the adjusted p has after the point, with the sign of the shift
        bars = np.sign(found.shift) * -np.log10(np.maximum(found.adjusted_p, np.finfo(float).tiny))
    return Finding(settings, found, _score(found, over, settings.truth), quantity, bars, _lines(found, over))


def _quantity(found: Signature, over: str) -> str:
    """Return the quantity in which a rule's threshold is a line: the shift, the effect size, or the evidence p."""
    if found.reason:
        return "shift"
    if found.rule == "bh":
        return "p"
    return "effect_size" if found.rule in ("effect", "permutation") or over == "effect_size" else "shift"


def _score(found: Signature, over: str, truth: range) -> Score:
    """Score the flags and the rule's ranking; a rule that cannot judge has neither."""
    if found.reason:
        return Score(np.nan, np.nan, np.nan)
    size = abs(found.effect_size)
    ranking = {"mad": found.anomaly_index, "effect": size, "bh": -found.p, "permutation": size}
    return score(ranking.get(found.rule, getattr(found, over)), found.flagged, truth)


def _lines(found: Signature, over: str) -> tuple[float, ...]:
    """Return where the rule's threshold lies in the units of the bars: beyond a line a neuron is flagged."""
    if found.reason:
        return ()
    lines = _limits(found, getattr(found, over))
    if over == "signature":  # lines for the size are lines for both signs
        lines = [sign * line for line in lines if line >= 0 for sign in (1, -1)]
    return tuple(sorted({float(line) + 0.0 for line in lines if np.isfinite(line)}, reverse=True))


def _limits(found: Signature, values: Array) -> list[float]:
    """Return the values beyond which the rule flags; the MAD index looks both ways."""
    if found.rule == "bh":
        return [-np.log10(found.threshold)]
    if found.rule == "permutation":
        n = len(found.null_maxima)
        allowed = int((np.arange(1, n + 2) / (n + 1) <= found.threshold).sum())  # splits that may be as large
        return [np.r_[np.inf, np.sort(found.null_maxima)[::-1], np.inf][allowed]]
    centre, unit = _scale(found, values)
    reach = found.threshold * unit
    return [centre + reach, centre - reach] if found.rule == "mad" else [centre + reach]


def _scale(found: Signature, values: Array) -> tuple[float, float]:
    """Return where a threshold of 0 lies among the values, and how far one of 1 lies from it."""
    if found.rule == "sd":
        return float(values.mean()), float(values.std(ddof=1))
    if found.rule == "mad":
        centre = np.median(values)
        return float(centre), float(NORMAL_MAD * np.median(abs(values - centre)))
    return 0.0, 1.0


def threshold_at(state: Finding, height: float) -> float:
    """Return the threshold whose line lies at this height among the bars."""
    found, over = state.signature, state.settings.looks_at
    height = abs(height) if over == "signature" else height
    if found.rule == "bh":
        return float(10**-height)
    if found.rule == "permutation":
        return float((found.null_maxima >= height).sum() / (len(found.null_maxima) + 1))
    centre, unit = _scale(found, getattr(found, over))
    return abs(height - centre) / unit if found.rule == "mad" else (height - centre) / unit
