"""Measure the backdoor in the digits over 10 seeds: attack, spread, detection, false alarms, the gate and the repairs.

Run it with .venv/bin/python benchmarks/digits_table.py: it prints a table beside the figures the lesson quotes, and
writes every seed's numbers to benchmarks/digits_table.json, which a test recomputes in part.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from lesson_lib import digits, repair  # noqa: E402
from lesson_lib.naa import analyse, compare, match_classes, score  # noqa: E402
from lesson_lib.repair.classifier import as_classifier  # noqa: E402

FILE = Path(__file__).with_suffix(".json")
SEEDS = 10
TARGET = 0
PLANTED = range(10, 20)
SHARES = (100, 50, 20, 10, 5)  # per cent of the suspect set that carry the trigger
Numbers = dict[str, float]
# What the lesson says, from an independent computation, where it says a number.
QUOTED: Numbers = {
    "attack accuracy": 0.967,
    "attack ASR": 0.962,
    "clean model ASR": 0.002,
    "centre ASR": 0.307,
    "neurons holding 80 % of the effect": 26,
    "poisoned, MAD flags": 0,
    "poisoned, AUC of |difference|": 0.911,
    "pruned by difference, neurons": 22,
    "pruned by difference, accuracy": 0.818,
    "pruned by rise, neurons": 13.5,
    "pruned by rise, accuracy": 0.872,
    "pruned by rise, ASR": 0.039,
    "loud, MAD recall": 1.0,
    "loud, MAD precision": 0.99,
    "loud, ASR": 1.0,
    "loud pruned, ASR": 0.002,
    "loud pruned, accuracy": 0.969,
    "quiet, AUC of |difference|": 0.466,
    "trigger, largest |difference|": 1.49,
    "only digit 0, largest |difference|": 1.88,
    "only digit 0, |d| > 0.8": 25.1,
    "only digit 0, |d| > 0.8, matched": 0.0,
    "clip, accuracy": 0.967,
    "clip, ASR": 0.956,
    "clip loud, accuracy": 0.968,
    "clip loud, ASR": 0.002,
    "smooth, accuracy": 0.936,
    "smooth, ASR": 0.979,
    "fine-tuned, accuracy": 0.969,
    "fine-tuned, ASR": 0.383,
    "direction, accuracy": 0.971,
    "direction, ASR": 0.002,
    "direction loud, accuracy": 0.952,
    "direction loud, ASR": 0.058,
    **{f"gate raw, {share} %": auc for share, auc in zip(SHARES, (0.87, 0.29, 0.18, 0.12, 0.09), strict=True)},
    **{f"gate vote, {share} %": auc for share, auc in zip(SHARES, (0.97, 0.96, 0.96, 0.92, 0.76), strict=True)},
}


class Bench:
    """One seed's data and models."""

    def __init__(self, seed: int) -> None:
        self.seed, self.data = seed, digits.load(seed)
        self.clean = digits.train_classifier(*self.data.train, seed)
        self.poisoned = self.attack(digits.CORNER, 0.1)
        self.centre = self.attack(digits.CENTRE, 0.05)
        self.wide = digits.train_classifier(*self.data.train, seed, width=128)
        self.loud = digits.plant(self.wide, PLANTED, digits.CORNER, TARGET)
        self.quiet = digits.plant(self.wide, PLANTED, digits.CORNER, TARGET, **digits.QUIET)
        self.stamped = digits.stamp(self.data.suspect.X, digits.CORNER)

    def attack(self, trigger: digits.Trigger, share: float) -> Any:
        """Return a model trained on poisoned data."""
        rng = np.random.default_rng(self.seed)
        poisoned = digits.poison(*self.data.train, trigger, TARGET, share, rng)
        return digits.train_classifier(poisoned.X, poisoned.y, self.seed)

    def both(self, model: Any, name: str, trigger: digits.Trigger = digits.CORNER) -> Numbers:
        """Return a model's accuracy and attack success rate on the test set."""
        asr = digits.attack_success_rate(model, *self.data.test, trigger, TARGET)
        return {f"{name} accuracy": digits.accuracy(model, *self.data.test), f"{name} ASR": asr}

    def pair(self, model: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the hidden activations on the clean reference and on the stamped suspect set."""
        plain = as_classifier(model)
        return plain.hidden(self.data.clean.X), plain.hidden(self.stamped)


def effect(bench: Bench) -> np.ndarray:
    """Return how far each neuron moves the target's output against the mean of all others when the trigger appears."""
    model, test = as_classifier(bench.poisoned), bench.data.test
    others = test.X[test.y != TARGET]
    rise = (model.hidden(digits.stamp(others, digits.CORNER)) - model.hidden(others)).mean(axis=0)
    return rise * (model.W2[:, TARGET] - np.delete(model.W2, TARGET, axis=1).mean(axis=1))


def causes(effects: np.ndarray) -> np.ndarray:
    """Return the fewest neurons that hold 80 % of all that speaks for the target."""
    ranked = np.argsort(-effects)
    held = np.cumsum(np.maximum(effects[ranked], 0))
    return ranked[: int(np.searchsorted(held, 0.8 * held[-1])) + 1]


def attacks(bench: Bench) -> Numbers:
    """Measure the attack, its control on the clean model, and the trigger that competes with the digits."""
    return (
        bench.both(bench.poisoned, "attack")
        | bench.both(bench.clean, "clean model")
        | bench.both(bench.centre, "centre", digits.CENTRE)
    )


def spread(bench: Bench) -> Numbers:
    """Measure over how many neurons the learnt backdoor spreads, and how well the rankings find them."""
    seen, guilty = analyse(*bench.pair(bench.poisoned), "mad"), causes(effect(bench))
    return {
        "neurons holding 80 % of the effect": len(guilty),
        "poisoned, MAD flags": len(seen.flagged),
        "poisoned, AUC of |difference|": score(seen.signature, [], guilty).auc,
        "poisoned, AUC of rise": score(seen.shift, [], guilty).auc,
        "trigger, largest |difference|": seen.signature.max(),
    }


def pruning(bench: Bench) -> Numbers:
    """Prune the poisoned model in two orders until the attack succeeds in less than 5 %."""
    clean, suspect = bench.pair(bench.poisoned)
    stamped = digits.triggered(*bench.data.test, digits.CORNER, TARGET)
    found: Numbers = {}
    for by in ("difference", "rise"):
        neurons = repair.order(clean, suspect, by)
        curve = repair.pruning_curve(bench.poisoned, neurons, *bench.data.test, stamped, TARGET)
        n = curve.first_below(0.05)
        name = f"pruned by {by}"
        found |= {f"{name}, neurons": n, f"{name}, accuracy": curve.accuracy[n], f"{name}, ASR": curve.attack[n]}
    return found


def planted(bench: Bench) -> Numbers:
    """Detect and prune the backdoor written by hand, loud and quiet."""
    found: Numbers = {}
    for name, model in (("loud", bench.loud), ("quiet", bench.quiet)):
        pair = bench.pair(model)
        seen, effects = analyse(*pair, "mad"), analyse(*pair, rule="effect")
        by_mad, by_effect = (score(s.signature, s.flagged, PLANTED) for s in (seen, effects))
        found |= bench.both(model, f"{name},") | bench.both(repair.prune(model, seen.flagged), f"{name} pruned,")
        found |= {f"{name}, MAD recall": by_mad.recall, f"{name}, AUC of |difference|": by_mad.auc}
        found |= {f"{name}, |d| > 0.8 recall": by_effect.recall, f"{name}, |d| > 0.8 precision": by_effect.precision}
        found[f"{name}, AUC of |d|"] = score(abs(seen.effect_size), [], PLANTED).auc
    found["loud, MAD precision"] = score(
        np.zeros(128), analyse(*bench.pair(bench.loud), "mad").flagged, PLANTED
    ).precision
    return found


def alarms(bench: Bench) -> Numbers:
    """Count the neurons at |d| > 0.8 that honest shifts raise, against all clean rows and against their own class."""
    found: Numbers = {}
    model, clean = as_classifier(bench.poisoned), bench.data.clean
    for name, shift in digits.SHIFTS.items():
        X, y = shift(*bench.data.suspect, np.random.default_rng(bench.seed))
        pair = model.hidden(clean.X), model.hidden(X)
        found[f"{name}, largest |difference|"] = compare(*pair).signature.max()
        found[f"{name}, |d| > 0.8"] = len(analyse(*pair, rule="effect").flagged)
        matched = analyse(*match_classes(*pair, clean.y, y), rule="effect")
        found[f"{name}, |d| > 0.8, matched"] = len(matched.flagged)
    return found


def gate_statistics(model: Any, clean: digits.Images, suspect: digits.Images) -> Numbers:
    """Return what a gate may look at: the largest raw difference, the class vote by true and by predicted labels."""
    plain = as_classifier(model)
    pair = plain.hidden(clean.X), plain.hidden(suspect.X)
    true = repair.class_vote(*pair, plain.W2, clean.y, suspect.y)
    guessed = repair.class_vote(*pair, plain.W2, plain.predict(clean.X), plain.predict(suspect.X))
    raw = compare(*pair).signature.max()
    return {"raw": raw, "vote": true.mad_index.max(), "vote by prediction": guessed.mad_index.max()}


def gate(bench: Bench) -> Numbers:
    """Measure the gate's statistics on suspect sets with less and less trigger, and on sets that are no attack."""
    rng = np.random.default_rng(bench.seed)
    clean, (X, y) = bench.data.clean, bench.data.suspect
    sets: dict[str, tuple[Any, digits.Images]] = {}
    for share in SHARES:
        rows = rng.permutation(len(X))[: round(share / 100 * len(X))]
        mixed = X.copy()
        mixed[rows] = bench.stamped[rows]
        sets[f"{share} %"] = bench.poisoned, digits.Images(mixed, y)
    for kind, model in (("poisoned", bench.poisoned), ("clean", bench.clean)):
        sets[f"benign {kind} unchanged"] = model, bench.data.suspect
        for name, shift in digits.SHIFTS.items():
            sets[f"benign {kind} {name}"] = model, shift(X, y, rng)
    sets["benign clean trigger"] = bench.clean, digits.Images(bench.stamped, y)
    return {
        f"gate/{name}/{statistic}": value
        for name, (model, images) in sets.items()
        for statistic, value in gate_statistics(model, clean, images).items()
    }


def repairs(bench: Bench) -> Numbers:
    """Measure accuracy and ASR after each repair, on the poisoned and on the loudly planted model."""
    found: Numbers = {}
    for suffix, model in (("", bench.poisoned), (" loud", bench.loud)):
        clean, suspect = bench.pair(model)
        found |= bench.both(repair.clip(model, clean), f"clip{suffix},")
        found |= bench.both(repair.smooth(model, clean.mean(axis=0)), f"smooth{suffix},")
        found |= bench.both(repair.remove_direction(model, clean, suspect), f"direction{suffix},")
    n = int(pruning(bench)["pruned by rise, neurons"])
    pruned = repair.prune(bench.poisoned, repair.order(*bench.pair(bench.poisoned), "rise")[:n])
    for name, model in (("fine-tuned", pruned), ("fine-tuned without pruning", bench.poisoned)):
        tuned = repair.fine_tune(model, *bench.data.clean, np.random.default_rng(bench.seed))
        found |= bench.both(tuned, f"{name},")
    return found


def measure(seed: int) -> Numbers:
    """Return every number of one seed."""
    bench = Bench(seed)
    parts = (attacks, spread, pruning, planted, alarms, gate, repairs)
    found = {name: value for part in parts for name, value in part(bench).items()}
    return {name: round(float(value), 6) for name, value in found.items()}


def summary(seeds: list[Numbers]) -> Numbers:
    """Return the mean of every number over the seeds, and the gate's AUC over all seeds' sets."""
    plain = [name for name in seeds[0] if not name.startswith("gate/")]
    found = {name: float(np.nanmean([seed[name] for seed in seeds])) for name in plain}
    for statistic in ("raw", "vote", "vote by prediction"):
        innocent = pooled(seeds, "gate/benign", statistic)
        for share in SHARES:
            guilty = pooled(seeds, f"gate/{share} %", statistic)
            auc = score(guilty + innocent, [], range(len(guilty))).auc
            found[f"gate {statistic}, {share} %"] = auc
    return {name: round(value, 4) for name, value in found.items()}


def pooled(seeds: list[Numbers], start: str, statistic: str) -> list[float]:
    """Return one gate statistic of all seeds and all sets whose name starts so."""
    return [seed[name] for seed in seeds for name in seed if name.startswith(start) and name.endswith(f"/{statistic}")]


def table(found: Numbers) -> str:
    """Return the means as a Markdown table beside what the lesson quotes."""
    lines = ["| | measured | quoted |", "|---|---|---|"]
    return "\n".join(lines + [f"| {name} | {value:.3f} | {QUOTED.get(name, '')} |" for name, value in found.items()])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--write", type=Path, default=FILE)
    chosen = parser.parse_args()
    seeds = []
    for seed in range(chosen.seeds):
        seeds.append(measure(seed))
        print(f"seed {seed + 1} of {chosen.seeds}", file=sys.stderr, flush=True)
    means = summary(seeds)
    missing = set(QUOTED) - set(means)
    assert not missing, f"not measured: {sorted(missing)}"
    chosen.write.write_text(json.dumps({"mean": means, "seeds": seeds}, indent=1) + "\n", encoding="utf-8")
    print(table(means))


if __name__ == "__main__":
    main()
