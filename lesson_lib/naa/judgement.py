"""Judge a comparison: many rules and thresholds for one comparison of neurons, and a vote over the classes."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.naa.classes import match_classes
from lesson_lib.naa.comparison import Comparison, compare, contribution
from lesson_lib.naa.moments import Progress
from lesson_lib.naa.rules import RULES, check_rule, mad_index
from lesson_lib.naa.scores import Indices


@dataclass(frozen=True, eq=False)
class Signature(Comparison):
    """A comparison and what a rule flagged in it.

    A flagged neuron answers differently. That is a shift of distribution; whether it is a backdoor is another question.
    """

    anomaly_index: Array  # (n_neurons,), the MAD index of |shift|, or of what `over` names
    flagged: Indices  # (n_flagged,), in increasing order
    rule: str
    threshold: float
    reason: str  # why the rule cannot judge, "" when it can

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.reason:
            return f"The rule {self.rule} cannot judge: {self.reason}."
        return f"The rule {self.rule} flags {len(self.flagged)} of {len(self.shift)} neurons."


def judge(
    comparison: Comparison, rule: str = "mad", threshold: float | None = None, over: str = "signature"
) -> Signature:
    """Flag neurons of a comparison by one of RULES; `threshold` None means the rule's default.

    `over` names what the rules raw, sd and mad look at: "signature" (|shift|), "shift" or "effect_size"; raw and sd
    flag what lies far above, mad what lies far off on either side. Raises ValueError for what the rule cannot take.
    """
    threshold = check_rule(rule, threshold, over)
    values: Array = getattr(comparison, over)
    answer = RULES[rule].apply(comparison, values, threshold)
    reason = answer if isinstance(answer, str) else ""
    return Signature(
        **{field.name: getattr(comparison, field.name) for field in fields(Comparison)},
        anomaly_index=mad_index(values),
        flagged=np.flatnonzero([] if reason else answer),
        rule=rule,
        threshold=threshold,
        reason=reason,
    )


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

    `rule`, `threshold` and `over` are for `judge`, all else is for `compare`; only the rule "permutation" needs `rng`.
    Raises ValueError for what does not fit.
    """
    check_rule(rule, threshold, over)  # before a long comparison
    permutations = n_permutations if rule == "permutation" else None
    seen = compare(
        clean, suspect, outgoing=outgoing, labels=labels, rng=rng, n_permutations=permutations, progress=progress
    )
    return judge(seen, rule, threshold, over)


class Vote(NamedTuple):
    """How far a suspect set pushes each class, (n_out,), and the MAD index of each push over the classes."""

    votes: Array
    mad_index: Array  # negative for a push below the median


def class_vote(
    clean_activations: Any, suspect_activations: Any, outgoing: Any, clean_labels: Any, suspect_labels: Any
) -> Vote:
    """Add up what the class-matched shift changes at each output: a trigger pushes one class, a benign shift many.

    Activations are (n_rows, n_hidden), outgoing is W2 (n_hidden, n_out). Each row is compared with the clean mean of
    its own class, by its true label; predictions may stand in for it, but under attack they name the target. Source of
    the index over classes: Neural Cleanse (Wang et al. 2019), who take it over the sizes of reconstructed triggers.
    """
    _, suspect = match_classes(clean_activations, suspect_activations, clean_labels, suspect_labels)
    votes: Array = contribution(suspect.mean(axis=0), outgoing).sum(axis=0)  # (n_out,)
    return Vote(votes, np.where(votes < np.median(votes), -1, 1) * mad_index(votes))
