"""Find the poisoned training rows with the Adversarial Robustness Toolbox (ART) and with ours, on the same models.

It needs .venv/bin/pip install -c constraints.txt -e ".[art]". The means over the seeds are printed; none passes or
fails. The toolbox gets the training rows and their labels. Ours gets a trusted clean set too, so one line shows ours
without it, and one what the clean set can do without any of our tools. FPR is the share of the honest rows that are
flagged; "AUC in 0" ranks only the rows that carry the target's label; "ours / its" divides the times. Our own
activation clustering and spectral signatures stand below the toolbox's, and are checked against it in every class. The
toolbox finds the direction as the paper does, but scores rows from which it has not taken the mean, and cuts at a share
of every class, where the paper cuts at a number of rows; so it flags other rows.

Two of the toolbox's analyses of clusters are left out: in 1.20.1 "relative-size" ends in a ValueError under NumPy 2.4
when a class has no small cluster, and "silhouette-scores" judges some rows by memory that it never wrote.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from lesson_lib import digits
from lesson_lib.detectors.training_rows import (
    STARTS,
    activation_clustering,
    directions,
    principal_components,
    spectral_scores,
    spectral_signatures,
)
from lesson_lib.naa import RULES, match_classes, score
from lesson_lib.naa.judgement import mad_index
from lesson_lib.repair.classifier import as_classifier

TARGET, REPEATS = 0, 9
OURS = "ours: NAA a row, mean |shift|"
HEADS = ("precision", "recall", "FPR", "AUC", "AUC in 0", "ms", "  ours / its")


class Case(NamedTuple):
    """One seed: the training data as the attacker left it, the model it made, and a set that is known to be clean."""

    seed: int
    share: float
    X: np.ndarray  # (n_rows, 64)
    y: np.ndarray  # (n_rows,), the labels as they stand, the poisoned ones wrong
    rows: np.ndarray  # the poisoned ones
    model: Any
    clean: digits.Images
    success: float  # of the attack


class Finding(NamedTuple):
    flagged: np.ndarray  # (n_rows,), True for what is called poisoned
    scores: np.ndarray | None  # (n_rows,), higher for what is more suspect, where the method has them


class Method(NamedTuple):
    given: str  # beside the training rows, their labels and the model
    prepare: Callable[[Case], Any]  # not timed
    run: Callable[[Case, Any], Finding]


def make(seed: int, share: float) -> Case:
    data = digits.load(seed)
    poisoned = digits.poison(*data.train, digits.CORNER, TARGET, share, np.random.default_rng(seed))
    model = digits.train_classifier(poisoned.X, poisoned.y, seed)
    success = digits.attack_success_rate(model, *data.test, digits.CORNER, TARGET)
    return Case(seed, share, *poisoned, model, data.clean, success)


# --- the peer


def estimator(case: Case, hidden: bool) -> Any:
    """Wrap the net for ART, which looks at the last layer that a module lists.

    That is the output when the net is a Sequential. With `hidden` the net lists its hidden layer last, so that ART sees
    what the methods' authors and we look at. Make a new one for every run: each adds a hook to the net.
    """
    import torch
    from art.estimators.classification import PyTorchClassifier

    class HiddenLast(torch.nn.Module):
        def __init__(self, first: torch.nn.Module, relu: torch.nn.Module, second: torch.nn.Module) -> None:
            super().__init__()
            self.output, self.hidden = second, torch.nn.Sequential(first, relu)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.output(self.hidden(x))

    layers = []
    for W, b in zip(case.model.coefs_, case.model.intercepts_, strict=True):
        layers.append(torch.nn.Linear(*W.shape))
        layers[-1].load_state_dict({"weight": torch.tensor(W.T), "bias": torch.tensor(b)})
    net = (HiddenLast if hidden else torch.nn.Sequential)(layers[0], torch.nn.ReLU(), layers[1])
    loss = torch.nn.CrossEntropyLoss()
    return PyTorchClassifier(net, loss=loss, input_shape=(64,), nb_classes=10, device_type="cpu")


def same_net(case: Case) -> None:
    """Assert that ART sees our numbers: the same predictions and the same hidden activations."""
    wrapped, X = estimator(case, True), case.X.astype(np.float32)
    assert (wrapped.predict(X).argmax(axis=1) == case.model.predict(case.X)).all()
    a1 = as_classifier(case.model).hidden(case.X)
    assert np.allclose(wrapped.get_activations(X, wrapped.layer_names[-1]), a1, atol=1e-4)


def clusters(analysis: str, hidden: bool = True) -> Method:
    """Return ART's activation clustering (Chen et al. 2018)."""

    def run(case: Case, wrapped: Any) -> Finding:
        from art.defences.detector.poison import ActivationDefence

        defence = ActivationDefence(wrapped, case.X.astype(np.float32), case.y)
        found = defence.detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA", cluster_analysis=analysis)
        return Finding(np.array(found[1]) == 0, None)

    return Method("", lambda case: estimator(case, hidden), run)


def spectral(told: bool, hidden: bool = True) -> Method:
    """Return ART's spectral signatures (Tran, Li & Madry 2018), told the poisoned share or at its default, 33 %."""

    def run(case: Case, wrapped: Any) -> Finding:
        from art.defences.detector.poison import SpectralSignatureDefense

        share = {"expected_pp_poison": case.share} if told else {}
        report, is_clean = SpectralSignatureDefense(wrapped, case.X.astype(np.float32), case.y, **share).detect_poison()
        scores = np.array([report.get(row, np.nan) for row in range(len(case.X))])  # only those of the flagged
        return Finding(np.array(is_clean) == 0, scores)

    return Method("the share" if told else "", lambda case: estimator(case, hidden), run)


def all_spectral_scores(case: Case, hidden: bool) -> np.ndarray:
    """Return the scores of all rows: ART reports them only for what it flags, and this flags all."""
    from art.defences.detector.poison import SpectralSignatureDefense

    X = case.X.astype(np.float32)
    report, _ = SpectralSignatureDefense(estimator(case, hidden), X, case.y, expected_pp_poison=1.0).detect_poison()
    return np.array([report[row] for row in range(len(X))])


# --- ours


def our_clusters(case: Case, _: Any) -> Finding:
    a1 = as_classifier(case.model).hidden(case.X)
    return Finding(activation_clustering(a1, case.y, np.random.default_rng(case.seed))[1], None)


def our_spectral(case: Case, _: Any) -> Finding:
    a1 = as_classifier(case.model).hidden(case.X)
    flagged = np.isin(np.arange(len(case.y)), spectral_signatures(a1, case.y, len(case.rows)))
    return Finding(flagged, spectral_scores(a1, case.y))


class Agreement(NamedTuple):
    """How ours compares with ART's on one model: a check of ours by other people's code."""

    alike: float  # the share of rows with the target's label that both put into the same cluster
    looseness: float  # sum of squares in our clusters over that in ART's, in the class where it is largest
    gap: float  # between ART's scores and the same from our direction, in parts of ART's largest


def agreement(case: Case) -> Agreement:
    """Compare the clusters, and the scores, where ART projects activations from which it has not taken the mean."""
    np.random.seed(case.seed)
    its, ours = clusters("smaller").run(case, estimator(case, True)).flagged, our_clusters(case, None).flagged
    a1, scores = as_classifier(case.model).hidden(case.X), all_spectral_scores(case, hidden=True)
    loose, gaps = [], []
    for label in np.unique(case.y):
        rows = case.y == label
        points = principal_components(a1[rows])
        loose.append(spread(points, ours[rows]) / spread(points, its[rows]))
        gaps.append(float(abs(scores[rows] - abs(a1[rows] @ directions(a1[rows])[0])).max() / scores[rows].max()))
    same = float(np.mean((its == ours)[case.y == TARGET]))
    return Agreement(max(same, 1 - same), max(loose), max(gaps))


def spread(points: np.ndarray, second: np.ndarray) -> float:
    """Return the sum of squared distances from the centres of two clusters."""
    return float(sum(((part - part.mean(axis=0)) ** 2).sum() for part in (points[second], points[~second])))


def by_rows(statistic: Callable[[np.ndarray, np.ndarray], np.ndarray], trusted: bool = True) -> Method:
    """Score each row by its shift against the mean of its label's class, and flag by our rule MAD at its default."""

    def run(case: Case, _: Any) -> Finding:
        model = as_classifier(case.model)
        a1 = model.hidden(case.X)  # (n_rows, n_hidden)
        clean, labels = (model.hidden(case.clean.X), case.clean.y) if trusted else (a1, case.y)
        shift = match_classes(clean, a1, labels, case.y)[1]  # (n_rows, n_hidden)
        scores = statistic(shift, model.W2.T[case.y])
        high = scores > np.median(scores)
        return Finding(high & (mad_index(scores) > RULES["mad"].default), scores)

    return Method("clean rows" if trusted else "", lambda case: None, run)


def disagree(case: Case, _: Any) -> Finding:
    """Learn the pixels of the clean rows and flag what contradicts its label; none of our tools."""
    known = LogisticRegression(max_iter=1000).fit(*case.clean)
    scores = 1 - known.predict_proba(case.X)[np.arange(len(case.X)), case.y]
    return Finding(known.predict(case.X) != case.y, scores)


METHODS = {
    "ART clusters, smaller, output": clusters("smaller", hidden=False),
    "ART clusters, smaller, hidden": clusters("smaller"),
    "ART clusters, distance, output": clusters("distance", hidden=False),
    "ART clusters, distance, hidden": clusters("distance"),
    "ART spectral, output": spectral(told=False, hidden=False),
    "ART spectral, hidden": spectral(told=False),
    "ART spectral, hidden, told": spectral(told=True),
    "ours: clusters, smaller": Method("", lambda case: None, our_clusters),
    "ours: spectral, told": Method("how many", lambda case: None, our_spectral),
    "ours: NAA a row, no clean rows": by_rows(lambda shift, w: abs(shift).mean(axis=1), trusted=False),
    OURS: by_rows(lambda shift, w: abs(shift).mean(axis=1)),
    "ours: contribution to its label": by_rows(lambda shift, w: (shift * w).sum(axis=1)),
    "ours: |contribution| to its label": by_rows(lambda shift, w: abs(shift * w).sum(axis=1)),
    "control: logistic regression": Method("clean rows", lambda case: None, disagree),
}


# --- the table


def measure(case: Case) -> dict[str, list[float]]:
    """Return each method's precision, recall, false positive rate, two AUCs and median ms; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in METHODS}
    found = {}
    for _ in range(REPEATS + 1):
        for name, method in METHODS.items():
            prepared = method.prepare(case)
            np.random.seed(case.seed)  # ART's k-means draws from NumPy's global stream
            start = time.perf_counter()
            found[name] = method.run(case, prepared)
            times[name].append(1000 * (time.perf_counter() - start))
    for name in found:
        if name.startswith("ART spectral"):
            found[name] = found[name]._replace(scores=all_spectral_scores(case, "hidden" in name))
    return {name: [*judge(case, found[name]), statistics.median(times[name][1:])] for name in METHODS}


def judge(case: Case, found: Finding) -> list[float]:
    """Return precision, recall, false positive rate, the AUC over all rows and over those with the target's label."""
    guilty, labelled = np.isin(np.arange(len(case.y)), case.rows), case.y == TARGET
    values = np.zeros(len(case.y)) if found.scores is None else found.scores
    precision, recall, auc = score(values, np.flatnonzero(found.flagged), case.rows)
    inside = score(values[labelled], [], np.flatnonzero(guilty[labelled])).auc
    aucs = [np.nan, np.nan] if found.scores is None else [auc, inside]
    return [precision, recall, float(found.flagged[~guilty].mean()), *aucs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many data sets and models (default: 3)")
    parser.add_argument(
        "--share", type=float, default=0.1, help="of the training rows that are poisoned (default: 0.1)"
    )
    asked = parser.parse_args()
    cases = [make(seed, asked.share) for seed in range(asked.seeds)]
    for case in cases:
        same_net(case)
    checks = [agreement(case) for case in cases]
    with threadpool_limits(1):  # reaches only what is already imported
        seeds = [measure(case) for case in cases]
    n, labelled = len(cases[0].rows), statistics.mean(int((case.y == TARGET).sum()) for case in cases)
    success = statistics.mean(case.success for case in cases)
    versions = ", ".join(f"{name} {version(name)}" for name in ("adversarial-robustness-toolbox", "torch", "numpy"))
    print(f"{versions}; means over {asked.seeds} seeds, one thread")
    print(
        f"{n} of {len(cases[0].y)} training rows poisoned, {labelled:.0f} carry the target's label; ASR {success:.3f}"
    )
    alike, loose, gap = zip(*checks, strict=True)
    print(f"clusters alike in {min(alike):.0%} or more of class {TARGET}, ours at most {max(loose):.4f} times as loose")
    print(f"(its k-means starts once, ours {STARTS} times); its scores, not centred, are ours to {max(gap):.0e}")
    print(f"{'':34}{'is also given':14}" + "".join(f"{head:>10}" for head in HEADS))
    for name, method in METHODS.items():
        numbers = [float(np.mean([seed[name][i] for seed in seeds])) for i in range(6)]  # NaN if any seed has none
        ratio = float(np.median([seed[OURS][-1] / seed[name][-1] for seed in seeds]))
        columns = "".join("-".rjust(10) if np.isnan(number) else f"{number:10.3f}" for number in numbers)
        print(f"{name:34}{method.given:14}{columns}" + ("" if name == OURS else f"{ratio:12.2f}"))


if __name__ == "__main__":
    main()
