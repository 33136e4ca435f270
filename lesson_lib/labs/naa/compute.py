"""What the NAA lab compares and finds: from its settings to two sets of activations, the flags, and what to draw."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lesson_lib.arrays import Array, read_only
from lesson_lib.labs.training.compute import RATES
from lesson_lib.naa.comparison import Score, Signature, analyse, score, simulate_activations
from lesson_lib.naa.rules import CHANCES, NORMAL_MAD, RULES, Evidence, mad_index, permutation_maxima
from lesson_lib.network import ARTICLE, Params, forward
from lesson_lib.training import CLEAN, POISONED, TRIGGER, train

SIMULATION = "simulation"
FIRST, N_CLEAN, N_PERMUTATIONS = (
    10,
    500,
    200,
)  # the first backdoored neuron, as in the article; clean rows; random splits
ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
RISES = tuple(np.arange(0, 12.25, 0.25).tolist())
SHARES = tuple(np.round(np.arange(0, 1.05, 0.05), 2).tolist())
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
SUITS_OVER = ("raw", "sd", "mad")  # the rules that may look at something else than the shift's size


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
    def data(self) -> "Settings":
        """These settings without those that leave the activations as they are."""
        if self.source != SIMULATION:
            return Settings(self.source)
        return replace(self, rule="raw", threshold=0.0, over="signature")


class Case(NamedTuple):
    """Two sets of activations (n_rows, n_neurons), which neurons are backdoored in truth, and the toy's W2."""

    clean: Array
    suspect: Array
    truth: range
    outgoing: Array | None


@lru_cache(maxsize=4)
def _noise(seed: int, rows: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return simulate_activations(N_CLEAN, rng), simulate_activations(rows, rng)


def simulated(settings: Settings) -> Case:
    """Return what simulate_activations draws, clean rows first; the noise is drawn once for each seed and rows."""
    clean, suspect = _noise(settings.seed, settings.rows)
    truth = range(FIRST, FIRST + settings.backdoored)
    suspect = suspect.copy()
    suspect[: round(settings.triggered * settings.rows), truth] += settings.rise
    return Case(clean, suspect, truth, None)


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


@lru_cache
def toy(source: str) -> Case:
    """Return the toy's hidden activations on the clean samples and on the trigger; neuron 2 is the backdoor, if any."""
    params = toy_params(source)
    truth = range(1, 2) if source.endswith("backdoor") else range(0)
    clean, suspect = (forward(params, data.X).a1.astype(float) for data in (CLEAN, TRIGGER))
    return Case(clean, suspect, truth, params.W2.astype(float))


def case(settings: Settings) -> Case:
    """Return the activations that these settings compare."""
    return simulated(settings) if settings.source == SIMULATION else toy(settings.source)


@lru_cache(maxsize=64)
def _compared(data: Settings) -> Signature:
    """Compare the sets once; every rule and threshold judges the same comparison."""
    clean, suspect, _, outgoing = case(data)
    found = analyse(clean, suspect, "raw", 0.0, outgoing=outgoing)
    read_only(*(value for value in vars(found).values() if isinstance(value, np.ndarray)))
    return found


@lru_cache(maxsize=16)
def _maxima(data: Settings) -> Array:
    """Split the rows at random, once for all thresholds: a fifteenth of a second for 600 rows."""
    clean, suspect, _, _ = case(data)
    return permutation_maxima(clean, suspect, np.random.default_rng(data.seed), N_PERMUTATIONS)


@dataclass(frozen=True)
class Finding:
    """What the lab shows: the bars (n_neurons,) of one quantity, the rule's lines in its units, and the verdict."""

    settings: Settings
    signature: Signature
    truth: range
    score: Score
    quantity: str  # "shift", "effect_size" or "p"
    bars: Array
    lines: tuple[float, ...]  # the highest first; none where the rule cannot judge or has no finite one


def find(settings: Settings) -> Finding:
    """Return what the rule makes of the two sets."""
    base, truth = _compared(settings.data), case_truth(settings)
    over = settings.over if settings.rule in SUITS_OVER else "signature"
    values = {"signature": base.signature, "shift": base.shift, "effect_size": base.effect_size}[over]
    maxima = _maxima(settings.data) if settings.rule == "permutation" else np.array([])
    ruling = RULES[settings.rule].judge(Evidence(values, base.effect_size, base.p, maxima), settings.threshold)
    signature = replace(
        base,
        rule=settings.rule,
        threshold=settings.threshold,
        anomaly_index=mad_index(values),
        flagged=np.flatnonzero(ruling.flagged),
        reason=ruling.reason,
    )
    quantity = "shift" if ruling.reason else quantity_of(settings.rule, over)
    return Finding(
        settings=settings,
        signature=signature,
        truth=truth,
        score=_score(signature, values, truth),
        quantity=quantity,
        bars=_bars(signature, quantity),
        lines=() if ruling.reason else _lines(settings, values, over, maxima),
    )


def case_truth(settings: Settings) -> range:
    """Return which neurons are backdoored in truth."""
    return range(FIRST, FIRST + settings.backdoored) if settings.source == SIMULATION else toy(settings.source).truth


def quantity_of(rule: str, over: str) -> str:
    """Return the quantity in which a rule's threshold is a line: the shift, the effect size, or the evidence p."""
    if rule == "bh":
        return "p"
    return "effect_size" if rule in ("effect", "permutation") or over == "effect_size" else "shift"


def _score(found: Signature, values: Array, truth: range) -> Score:
    """Score the flags and the rule's ranking; a rule that cannot judge has neither."""
    if found.reason:
        return Score(np.nan, np.nan, np.nan)
    return score(_ranking(found, values), found.flagged, truth)


def _ranking(found: Signature, values: Array) -> Array:
    """Return what the rule ranks the neurons by, the most suspicious highest."""
    if found.rule == "bh":
        return -found.p
    if found.rule in ("effect", "permutation"):
        return abs(found.effect_size)
    return found.anomaly_index if found.rule == "mad" else values


def _bars(found: Signature, quantity: str) -> Array:
    if quantity == "p":
        evidence: Array = np.sign(found.shift) * -np.log10(np.maximum(adjusted(found.p), np.finfo(float).tiny))
        return evidence
    return found.shift if quantity == "shift" else found.effect_size


def adjusted(p: Array) -> Array:
    """Return the p values as Benjamini and Hochberg adjust them: a neuron is flagged up to the rate that it gets."""
    order, n = np.argsort(p), len(p)
    least = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    result: Array = np.empty(n)
    result[order] = np.minimum(least, 1)
    return result


def _lines(settings: Settings, values: Array, over: str, maxima: Array) -> tuple[float, ...]:
    """Return where the rule's threshold lies in the units of the bars: beyond a line a neuron is flagged."""
    t, centre, unit = settings.threshold, 0.0, 1.0
    if settings.rule in CHANCES:
        critical = -np.log10(t) if settings.rule == "bh" else _critical_effect(maxima, t)
        return _finite(critical, -critical)
    if settings.rule == "sd":
        centre, unit = values.mean(), values.std(ddof=1)
    elif settings.rule == "mad":
        centre, unit = np.median(values), NORMAL_MAD * np.median(abs(values - np.median(values)))
    upper, lower = centre + t * unit, centre - t * unit
    if settings.rule == "effect":
        return _finite(upper, -upper)
    kept = [upper, lower] if settings.rule == "mad" else [upper]  # the MAD index looks both ways
    if over == "signature":  # lines for the size are lines for both signs
        kept = [sign * line for line in kept if line >= 0 for sign in (1, -1)]
    return _finite(*kept)


def _critical_effect(maxima: Array, chance: float) -> float:
    """Return the |effect size| above which fewer random splits reach it than the chance allows."""
    n = len(maxima)
    allowed = int((np.arange(1, n + 2) / (n + 1) <= chance).sum())
    return float(np.r_[np.inf, np.sort(maxima)[::-1], np.inf][allowed])


def _finite(*lines: float) -> tuple[float, ...]:
    return tuple(sorted({float(line) + 0.0 for line in lines if np.isfinite(line)}, reverse=True))
