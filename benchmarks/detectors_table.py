"""Measure three published detectors beside the class vote, on five attacks and an honest model, over 10 splits.

Run it with .venv/bin/python benchmarks/detectors_table.py: it prints a table, and writes every split's numbers to
benchmarks/detectors_table.json, which a test recomputes in part. The seconds are those of the run that wrote the file.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from lesson_lib import attacks, digits  # noqa: E402
from lesson_lib.detectors import training_rows  # noqa: E402
from lesson_lib.detectors.cleanse import neural_cleanse  # noqa: E402
from lesson_lib.detectors.naming import LIMIT, name_class  # noqa: E402
from lesson_lib.detectors.training_rows import activation_clustering  # noqa: E402
from lesson_lib.naa import class_vote, score  # noqa: E402
from lesson_lib.repair.classifier import as_classifier  # noqa: E402

FILE = Path(__file__).with_suffix(".json")
SEEDS, TARGET = 10, 0
HONEST = "honest"
# What is measured: the attack, and the share of the training rows that is poisoned.
CASES = {
    "two pixels, 10 %": ("two pixels", 0.10),
    "two pixels, 5 %": ("two pixels", 0.05),
    "two pixels, 2 %": ("two pixels", 0.02),
    "blended, 10 %": ("blended", 0.10),
    "clean label, 5 %": ("clean label", 0.05),
    "all to all, 10 %": ("all to all", 0.10),
}
NEEDS = {
    "Neural Cleanse": "clean images",
    "clustering": "the training rows and their labels",
    "spectral": "the same, and how many are poisoned",
    "class vote": "clean and suspect images with true labels",
}
Numbers = dict[str, float]


class Case:
    """One split's model: honest, or attacked; with the data it was trained on."""

    def __init__(self, seed: int, attack: str, share: float) -> None:
        self.data, self.attack = digits.load(seed), attacks.ATTACKS[attack]
        rng = np.random.default_rng(seed)
        self.trained_on = attacks.poison_by(self.attack, *self.data.train, share, rng)
        self.model = digits.train_classifier(self.trained_on.X, self.trained_on.y, seed)
        self.hidden = as_classifier(self.model).hidden
        self.rng = np.random.default_rng(seed)

    @property
    def guilty(self) -> np.ndarray:
        """Which training rows with the target's label are poisoned."""
        return np.isin(np.flatnonzero(self.trained_on.y == TARGET), self.trained_on.rows)


def naming(found: Any) -> Numbers:
    """Return the most suspect class, its index, and how many classes are above the limit."""
    return {
        "class": float(found.most_suspect),
        "index": float(found.mad_index.max()),
        "named": float((found.mad_index > LIMIT).sum()),
    }


def cleanse(case: Case) -> Numbers:
    found, triggers = neural_cleanse(case.model, case.data.clean.X)
    brightest = set(np.argsort(-triggers[TARGET].mask)[:2].tolist())
    recovered = {
        "size of 0": float(found.scores[TARGET]),
        "size of others": float(median(np.delete(found.scores, TARGET))),
        "both pixels": float(brightest == set(digits.CORNER.columns)),
        "least success": min(each.success for each in triggers),
    }
    return naming(found) | recovered


def cluster(case: Case) -> Numbers:
    found, smaller = activation_clustering(case.hidden(case.trained_on.X), case.trained_on.y, case.rng)
    second = smaller[case.trained_on.y == TARGET]
    if not case.guilty.any():
        return naming(found)
    agree = float(np.mean(second == case.guilty))
    return naming(found) | {
        "purity": max(agree, 1 - agree),
        "poison in the smaller": float(second[case.guilty].mean()),
    }


def signatures(case: Case) -> Numbers:
    a1, y, rows = case.hidden(case.trained_on.X), case.trained_on.y, case.trained_on.rows
    removed = training_rows.spectral_signatures(a1, y, len(rows) or 45)
    innocent = np.setdiff1d(np.arange(len(y)), rows)
    wrong = {"honest rows removed": float(np.isin(innocent, removed).mean())}
    if not case.guilty.any():
        return wrong
    zeros, guilty = a1[y == TARGET], np.flatnonzero(case.guilty)
    # As the Adversarial Robustness Toolbox scores, see poison_peers.
    not_centred = abs(zeros @ training_rows.directions(zeros)[0])
    aucs = {
        "AUC in 0": score(training_rows.spectral_scores(a1, y)[y == TARGET], [], guilty).auc,
        "AUC in 0, not centred": score(not_centred, [], guilty).auc,
    }
    return wrong | aucs | {"poison removed": float(np.isin(rows, removed).mean())}


def vote(case: Case) -> Numbers:
    """Every suspect image carries the trigger, and the labels are true: the best that the vote can have."""
    clean, suspect = case.data.clean, case.data.suspect
    sets = case.hidden(clean.X), case.hidden(case.attack.put(suspect.X))
    votes = class_vote(*sets, case.model.coefs_[1], clean.y, suspect.y).votes
    return naming(name_class(votes, np.arange(10), suspect=1))


DETECTORS: dict[str, Callable[[Case], Numbers]] = {
    "Neural Cleanse": cleanse,
    "clustering": cluster,
    "spectral": signatures,
    "class vote": vote,
}


def measure(seed: int, only: tuple[str, ...] = (HONEST, *CASES)) -> tuple[Numbers, dict[str, float]]:
    """Return one split's numbers by "case: detector: what", and the seconds of each detector on one model."""
    honest, found, seconds = Case(seed, "two pixels", 0), {}, {}
    for name in only:
        case = honest if name == HONEST else Case(seed, *CASES[name])
        found[f"{name}: accuracy"] = digits.accuracy(case.model, *case.data.test)
        found[f"{name}: ASR"] = attacks.success_rate(case.attack, case.model, *case.data.test)
        found[f"{name}: control"] = attacks.success_rate(case.attack, honest.model, *case.data.test)
        for detector, run in DETECTORS.items():
            start = time.perf_counter()
            numbers = run(case)
            seconds[detector] = time.perf_counter() - start
            found |= {f"{name}: {detector}: {what}": value for what, value in numbers.items()}
    return found, seconds


# --- what the ten splits say together


def named(splits: list[Numbers], case: str, detector: str) -> tuple[int, int]:
    """Return in how many splits the detector names the target, and in how many the most suspect is another class."""
    pairs = [(split[f"{case}: {detector}: class"], split[f"{case}: {detector}: named"]) for split in splits]
    hits = sum(number == TARGET for number, n in pairs if n)
    return hits, sum(bool(n) for _, n in pairs) - hits


def spread(splits: list[Numbers], key: str) -> str:
    """Return the mean and the range of a number over the splits."""
    values = [split[key] for split in splits]
    return f"{mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def markdown(splits: list[Numbers], seconds: dict[str, float]) -> list[str]:
    """Return the lesson's table, a line each: what a detector needs, what it finds in each case, and what it costs."""
    lines = [f"| | {' | '.join((HONEST, *CASES))} | it needs | seconds |", "|---" * (len(CASES) + 4) + "|"]
    for detector, needs in NEEDS.items():
        cells = (cell(splits, case, detector) for case in (HONEST, *CASES))
        lines.append(f"| {detector} | {' | '.join(cells)} | {needs} | {seconds[detector]:.1g} |")
    return lines


def cell(splits: list[Numbers], case: str, detector: str) -> str:
    """Return how often the target is named, and how often another class; or the shares of rows that are removed."""
    if detector == "spectral":
        wrong = mean(split[f"{case}: spectral: honest rows removed"] for split in splits)
        right = [split.get(f"{case}: spectral: poison removed", np.nan) for split in splits]
        return f"– / {wrong:.0%}" if case == HONEST else f"{mean(right):.0%} / {wrong:.0%}"
    hits, others = named(splits, case, detector)
    return f"{hits} / {others}"


def table(splits: list[Numbers]) -> str:
    """Return the comparison as text."""
    lines = [f"{'case':18}{'ASR':>22}" + "".join(f"{name:>22}" for name in DETECTORS if name != "spectral")]
    for case in (HONEST, *CASES):
        counts = (named(splits, case, name) for name in DETECTORS if name != "spectral")
        row = "".join(f"{f'{hits} + {others}':>22}" for hits, others in counts)
        lines.append(f"{case:18}{spread(splits, f'{case}: ASR'):>22}{row}")
    lines.append(f"of {len(splits)} splits: names class {TARGET} + names another class\n")
    for key in splits[0]:
        if key.rsplit(": ", 1)[-1] not in ("class", "named", "index", "accuracy", "ASR"):
            lines.append(f"{key:48}{spread(splits, key)}")
    return "\n".join(lines)


def main() -> None:
    found = [measure(seed) for seed in range(SEEDS)]
    splits = [numbers for numbers, _ in found]
    seconds = {name: round(median(times[name] for _, times in found), 3) for name in DETECTORS}
    print(table(splits), "\nseconds a model:", seconds)
    FILE.write_text(json.dumps({"splits": splits, "seconds": seconds}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
