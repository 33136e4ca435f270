"""Neuron Activation Analysis: which neurons answer a suspect set differently from a clean one, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lesson_lib.naa.moments import Array, Moments, Progress, in_memory, measure
from lesson_lib.naa.rules import RULES, Codes, Evidence, check_rule, mad_index, permutation_maxima

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
    for name, count in (("n_rows", n_rows), ("n_neurons", n_neurons)):
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; got {count!r}")
    if not 0 <= triggered <= 1:
        raise ValueError(f"triggered must be a share from 0 to 1; got {triggered}")
    neurons = _neurons(backdoored, n_neurons, "backdoored")
    activations = rng.normal(2.0, 0.5, (n_rows, n_neurons))
    activations[: round(triggered * n_rows), neurons] += rise
    return activations


@dataclass(frozen=True, eq=False)
class Signature:
    """What sets the suspect activations apart from the clean ones: arrays of shape (n_neurons,), and what was flagged.

    A flagged neuron answers differently. That is a shift of distribution; whether it is a backdoor is another question.
    """

    shift: Array  # mean over suspect rows - mean over clean rows
    effect_size: Array  # Cohen's d: the shift over the pooled standard deviation (ddof = 1)
    t: Array  # Welch's t
    p: Array  # Welch's two-sided p
    anomaly_index: Array  # MAD index of |shift|, or of what `over` names
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
    (|shift|), "shift" or "effect_size"; raw and sd flag what lies far above, mad what lies far off on either side.
    `outgoing` (n_neurons, n_out) weighs each shift by what it can change. `labels` (clean, suspect) compares each row
    with the clean mean of its own class. The sets may be anything that `moments.measure` takes; labels and the rule
    "permutation" need them in memory, and "permutation" needs a Generator. Raises ValueError for what does not fit.
    """
    threshold = check_rule(rule, threshold)
    if over not in OVER:
        raise ValueError(f"over must be one of {', '.join(OVER)}; got {over!r}")
    if labels is not None or rule == "permutation":
        clean, suspect = in_memory(clean, "clean"), in_memory(suspect, "suspect")
        _check_widths(clean.shape[1], suspect.shape[1], "suspect")
    classes = None if labels is None else _classes(clean, suspect, labels)
    if classes is not None:
        clean, suspect = _match(clean, suspect, *classes)
    before, after = measure(clean, "clean", progress), measure(suspect, "suspect", progress)
    shift, effect_size, t, p = compare(before, after, None if classes is None else _effective_sample_size(*classes))
    values = {"signature": abs(shift), "shift": shift, "effect_size": effect_size}[over]
    shuffled = rule == "permutation"
    maxima = permutation_maxima(clean, suspect, rng, n_permutations, classes) if shuffled else np.array([])
    ruling = RULES[rule].judge(Evidence(values, effect_size, p, maxima), threshold)
    return Signature(
        shift=shift,
        effect_size=effect_size,
        t=t,
        p=p,
        anomaly_index=mad_index(values),
        flagged=np.flatnonzero(ruling.flagged),
        rule=rule,
        threshold=threshold,
        reason=ruling.reason,
        n_clean=before.n,
        n_suspect=after.n,
        contribution=None if outgoing is None else contribution(shift, outgoing),
    )


def compare(clean: Moments, suspect: Moments, worth: float | None = None) -> tuple[Array, Array, Array, Array]:
    """Return shift, Cohen's d, Welch's t and p per neuron; 0, 0 and 1 where nothing varies and nothing shifted.

    A constant neuron that did shift has an infinite d and t. Too few rows give NaN: 3 in all for d, 2 each for t.
    `worth` is how many clean rows the clean mean is worth, if not all count alike, as with matched classes.
    """
    _check_widths(len(clean.mean), len(suspect.mean), "suspect")
    shift = suspect.mean - clean.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(np.divide(clean.m2 + suspect.m2, clean.n + suspect.n - 2))
        errors = clean.variance / (clean.n if worth is None else worth), suspect.variance / suspect.n
        error = np.sqrt(errors[0] + errors[1])
        share = errors[0] / (errors[0] + errors[1])  # of the error, the clean set's
        freedom = 1 / (share**2 / (clean.n - 1) + (1 - share) ** 2 / (suspect.n - 1))  # Welch & Satterthwaite
        d, t = (np.where((shift == 0) & (spread == 0), 0.0, shift / spread) for spread in (pooled, error))
    p = np.where(np.isnan(t), np.nan, 2 * stats.t.sf(abs(t), np.where(np.isnan(freedom), 1.0, freedom)))
    return shift, d, t, p


def match_classes(clean: Any, suspect: Any, clean_labels: Any, suspect_labels: Any) -> tuple[Array, Array]:
    """Return both sets with the clean mean of each row's class taken off, so that a mix of classes shifts nothing.

    Raises ValueError for labels of the wrong number, and for a suspect class that the clean set does not have.
    """
    clean, suspect = in_memory(clean, "clean"), in_memory(suspect, "suspect")
    _check_widths(clean.shape[1], suspect.shape[1], "suspect")
    return _match(clean, suspect, *_classes(clean, suspect, (clean_labels, suspect_labels)))


def _classes(clean: Array, suspect: Array, labels: tuple[Any, Any]) -> tuple[Codes, Codes]:
    """Return the class of each clean and each suspect row as a number 0, 1, ..."""
    if not isinstance(labels, list | tuple) or len(labels) != 2:
        raise ValueError("labels must be a pair: the clean rows' labels and the suspect rows' labels")
    both = [np.asarray(part) for part in labels]
    for name, rows, part in zip(("clean", "suspect"), (clean, suspect), both, strict=True):
        if part.shape != (len(rows),):
            raise ValueError(f"labels of {name} must have shape ({len(rows)},); got {part.shape}")
    try:
        names, codes = np.unique(np.concatenate(both), return_inverse=True)
    except TypeError:
        raise ValueError("labels must be of one kind, all numbers or all text") from None
    known, asked = codes[: len(clean)], codes[len(clean) :]
    unknown = np.setdiff1d(asked, known)
    if len(unknown):
        raise ValueError(f"labels of suspect must be classes of the clean set; {names[unknown].tolist()} are not")
    return known, asked


def _match(clean: Array, suspect: Array, known: Codes, asked: Codes) -> tuple[Array, Array]:
    """Take off the clean mean of each row's class; what is constant within a class becomes exactly 0."""
    first = clean[np.unique(known, return_index=True)[1]]  # (n_classes, n_neurons), one clean row of each class
    clean, suspect = clean - first[known], suspect - first[asked]
    means = np.array([clean[known == code].mean(axis=0) for code in range(len(first))])  # (n_classes, n_neurons)
    return clean - means[known], suspect - means[asked]


def _effective_sample_size(known: Codes, asked: Codes) -> float:
    """Return how many clean rows the clean mean is worth when each class counts as often as the suspect set has it."""
    n = np.bincount(known)  # (n_classes,)
    share = np.bincount(asked, minlength=len(n)) / len(asked)
    lost = (len(known) - len(n)) / max(len(known) - 1, 1)  # degrees of freedom that the class means took
    return float(lost / (share**2 / n).sum())


def contribution(shift: Array, outgoing: Any) -> Array:
    """Return shift x outgoing weight (n_neurons, n_out): how far each neuron's shift moves each output."""
    weights = in_memory(outgoing, "outgoing", "(n_neurons, n_out)")
    if len(weights) != len(shift):
        raise ValueError(f"outgoing must have one row per neuron, {len(shift)}; got shape {weights.shape}")
    return np.asarray(shift[:, None] * weights, dtype=np.float64)


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
    found, guilty = _neurons(flagged, len(values), "flagged"), _neurons(truth, len(values), "truth")
    hits, n, pairs = len(np.intersect1d(found, guilty)), len(guilty), len(guilty) * (len(values) - len(guilty))
    wins = float(stats.rankdata(values)[guilty].sum()) - n * (n + 1) / 2
    return Score(
        hits / len(found) if len(found) else np.nan, hits / n if n else np.nan, wins / pairs if pairs else np.nan
    )


def _neurons(indices: Any, n_neurons: int, name: str) -> Indices:
    """Return indices of neurons as an array, each once; raises ValueError for any that is not there, and for a mask."""
    neurons = np.asarray(list(indices))
    if len(neurons) and (neurons.dtype.kind not in "iu" or (neurons < 0).any() or (neurons >= n_neurons).any()):
        raise ValueError(f"{name} must hold whole numbers, neurons from 0 to {n_neurons - 1}; got {neurons.tolist()}")
    return np.unique(neurons).astype(np.intp)


def _check_widths(clean: int, suspect: int, name: str) -> None:
    if clean != suspect:
        raise ValueError(f"{name} must have as many neurons as the clean set, {clean}; got {suspect}")
