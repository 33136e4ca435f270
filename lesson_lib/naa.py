"""Neuron Activation Analysis: which neurons answer a suspect set differently from a clean one, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lesson_lib.moments import Array, Moments, Progress, as_activations, in_memory, measure
from lesson_lib.rules import RULES, Evidence, check_rule, mad_index

Indices = NDArray[np.intp]
OVER = ("signature", "shift", "effect_size")


def detect_backdoor_via_naa(
    clean_activations: Any, test_activations: Any, threshold: float = 3.0
) -> tuple[Array, Indices]:
    """Return the article's activation signature, |difference of means| per neuron, and the neurons above the threshold.

    Both sets have shape (n_rows, n_neurons). Source: the article on neuron activation analysis, its function of this
    name. Raises ValueError for sets of different width, empty sets, values that are not finite, and a negative or
    NaN threshold.
    """
    check_rule("raw", threshold)
    clean, test = in_memory(clean_activations, "clean_activations"), in_memory(test_activations, "test_activations")
    _check_widths(clean.shape[1], test.shape[1], "test_activations")
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
    if n_rows < 1 or n_neurons < 1:
        raise ValueError(f"n_rows and n_neurons must be at least 1; got {n_rows} and {n_neurons}")
    if not 0 <= triggered <= 1:
        raise ValueError(f"triggered must be a share from 0 to 1; got {triggered}")
    neurons = np.array(list(backdoored), dtype=int)
    if ((neurons < 0) | (neurons >= n_neurons)).any():
        raise ValueError(f"backdoored must hold neurons from 0 to {n_neurons - 1}; got {neurons.tolist()}")
    activations = rng.normal(2.0, 0.5, (n_rows, n_neurons))
    activations[: round(triggered * n_rows), neurons] += rise
    return activations


@dataclass(frozen=True)
class Signature:
    """What sets the suspect activations apart from the clean ones: arrays of shape (n_neurons,), and what was flagged.

    A flagged neuron answers differently. That is a shift of distribution; whether it is a backdoor is another question.
    """

    shift: Array  # mean over suspect rows - mean over clean rows
    effect_size: Array  # Cohen's d: the shift over the pooled standard deviation (ddof = 1)
    t: Array  # Welch's t
    p: Array  # Welch's two-sided p
    index: Array  # MAD index of |shift|, or of what `over` names
    flagged: Indices  # (n_flagged,), in increasing order
    rule: str
    threshold: float
    reason: str  # why the rule cannot judge, "" when it can
    n_clean: int
    n_suspect: int
    contribution: Array | None  # (n_neurons, n_out), shift x outgoing weight, when weights were given

    @property
    def signature(self) -> Array:
        """The article's signature: |shift|."""
        return abs(self.shift)

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.reason:
            return f"The rule {self.rule} cannot judge: {self.reason}."
        return f"The rule {self.rule} flags {len(self.flagged)} of {len(self.shift)} neurons."


def analyse(
    clean: Any,
    suspect: Any,
    rule: str = "mad",
    threshold: float | None = None,
    *,
    over: str = "signature",
    outgoing: Any = None,
    labels: tuple[Any, Any] | None = None,
    rng: np.random.Generator | None = None,
    n_permutations: int = 1000,
    progress: Progress | None = None,
) -> Signature:
    """Compare suspect with clean activations, both (n_rows, n_neurons), and flag neurons by one of RULES.

    `threshold` None means the rule's default. `over` names what the rules raw, sd and mad look at: "signature"
    (|shift|), "shift" or "effect_size". `outgoing` (n_neurons, n_out) weighs each shift by what it can change.
    `labels` (clean, suspect) compares like with like: each row with the clean mean of its own class.
    The sets may be anything that `moments.measure` takes; labels and the rule "permutation" need them in memory,
    and "permutation" needs a Generator. Raises ValueError, naming the argument, for what does not fit.
    """
    threshold = check_rule(rule, threshold)
    if over not in OVER:
        raise ValueError(f"over must be one of {', '.join(OVER)}; got {over!r}")
    if labels is not None:
        clean, suspect = match_classes(clean, suspect, *labels)
    if rule == "permutation":
        clean, suspect = in_memory(clean, "clean"), in_memory(suspect, "suspect")
    before, after = measure(clean, "clean", progress), measure(suspect, "suspect", progress)
    shift, effect_size, t, p = compare(before, after)
    values = {"signature": abs(shift), "shift": shift, "effect_size": effect_size}[over]
    maxima = permutation_maxima(clean, suspect, rng, n_permutations) if rule == "permutation" else np.array([])
    ruling = RULES[rule].judge(Evidence(values, effect_size, p, maxima), threshold)
    return Signature(
        shift=shift,
        effect_size=effect_size,
        t=t,
        p=p,
        index=mad_index(values),
        flagged=np.flatnonzero(ruling.flagged),
        rule=rule,
        threshold=threshold,
        reason=ruling.reason,
        n_clean=before.n,
        n_suspect=after.n,
        contribution=None if outgoing is None else contribution(shift, outgoing),
    )


def compare(clean: Moments, suspect: Moments) -> tuple[Array, Array, Array, Array]:
    """Return shift, Cohen's d, Welch's t and p per neuron; 0, 0 and 1 where nothing varies and nothing shifted.

    A constant neuron that did shift has an infinite d and t. Too few rows give NaN: 3 in all for d, 2 each for t.
    """
    _check_widths(len(clean.mean), len(suspect.mean), "suspect")
    shift = suspect.mean - clean.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt((clean.m2 + suspect.m2) / (clean.n + suspect.n - 2))
        error = np.sqrt(clean.variance / clean.n + suspect.variance / suspect.n)
        freedom = error**4 / sum((side.variance / side.n) ** 2 / (side.n - 1) for side in (clean, suspect))
        d, t = (np.where((shift == 0) & (spread == 0), 0.0, shift / spread) for spread in (pooled, error))
    p = np.where(np.isnan(t), np.nan, 2 * stats.t.sf(abs(t), np.where(np.isnan(freedom), 1.0, freedom)))
    return shift, d, t, p


def match_classes(clean: Any, suspect: Any, clean_labels: Any, suspect_labels: Any) -> tuple[Array, Array]:
    """Return both sets with the clean mean of each row's class taken off, so that a mix of classes shifts nothing.

    Raises ValueError for labels of the wrong number, and for a suspect class that the clean set does not have.
    """
    sets = {"clean": in_memory(clean, "clean"), "suspect": in_memory(suspect, "suspect")}
    _check_widths(sets["clean"].shape[1], sets["suspect"].shape[1], "suspect")
    labels = {"clean": np.asarray(clean_labels), "suspect": np.asarray(suspect_labels)}
    for name, rows in sets.items():
        if labels[name].shape != (len(rows),):
            raise ValueError(f"labels of {name} must have shape ({len(rows)},); got {labels[name].shape}")
    classes = np.unique(labels["clean"])
    unknown = np.setdiff1d(labels["suspect"], classes)
    if len(unknown):
        raise ValueError(f"labels of suspect must be classes of the clean set; {unknown.tolist()} are not")
    means = np.array([sets["clean"][labels["clean"] == label].mean(axis=0) for label in classes])
    matched = [rows - means[np.searchsorted(classes, labels[name])] for name, rows in sets.items()]
    return matched[0], matched[1]


def contribution(shift: Array, outgoing: Any) -> Array:
    """Return shift x outgoing weight (n_neurons, n_out): how far each neuron's shift moves each output."""
    weights = as_activations(outgoing, "outgoing")
    if len(weights) != len(shift):
        raise ValueError(f"outgoing must have one row per neuron, {len(shift)}; got shape {weights.shape}")
    return np.asarray(shift[:, None] * weights, dtype=np.float64)


def permutation_maxima(clean: Array, suspect: Array, rng: np.random.Generator | None, n_permutations: int) -> Array:
    """Return the largest |Cohen's d| over the neurons for each of many random splits of all rows into two such sets.

    If nothing sets the suspect rows apart, the real split is one of these. Source: Westfall & Young 1993.
    """
    if rng is None:
        raise ValueError("rng must be a numpy.random.Generator for the rule permutation; got None")
    rows = np.concatenate([clean, suspect])
    rows = rows - rows.mean(axis=0)  # (n, n_neurons)
    n, m = len(rows), len(suspect)
    total = (rows**2).sum(axis=0)
    maxima = np.empty(n_permutations)
    for k in range(n_permutations):
        mean = rows[rng.permutation(n)[:m]].mean(axis=0)
        shift = mean * n / (n - m)  # the other rows' sum is minus this one's
        within = np.maximum(total - m * mean**2 - m**2 * mean**2 / (n - m), 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            maxima[k] = np.nanmax(np.r_[0.0, abs(shift) / np.sqrt(within / max(n - 2, 1))])
    return maxima


class Score(NamedTuple):
    """How well flags and ranking agree with the truth; NaN where there is nothing to divide by."""

    precision: float  # the share of the flagged that are backdoored
    recall: float  # the share of the backdoored that are flagged
    auc: float  # the chance that a backdoored neuron ranks above an innocent one


def score(values: Any, flagged: Sequence[int] | Indices, truth: Sequence[int] | Indices | range) -> Score:
    """Score values (n_neurons,) and flagged neurons against the neurons known to be backdoored.

    The AUC is the Mann-Whitney statistic over the pairs, ties counting half (Hanley & McNeil 1982).
    """
    ranks = stats.rankdata(np.asarray(values, dtype=np.float64))
    guilty = np.isin(np.arange(len(ranks)), np.asarray(list(truth), dtype=int))
    hits, n = len(set(flagged) & set(truth)), int(guilty.sum())
    pairs = n * (len(ranks) - n)
    wins = ranks[guilty].sum() - n * (n + 1) / 2
    return Score(
        hits / len(flagged) if len(flagged) else np.nan, hits / n if n else np.nan, wins / pairs if pairs else np.nan
    )


def _check_widths(clean: int, suspect: int, name: str) -> None:
    if clean != suspect:
        raise ValueError(f"{name} must have as many neurons as the clean set, {clean}; got {suspect}")
