"""How often each rule raises an alarm: on clean data, where it must not, and on backdoors of every strength.

Run it with .venv/bin/python benchmarks/alarms.py: it counts (about half an hour), writes the counts to
benchmarks/alarms.json, and the tables to benchmarks/ALARMS.md. `--only gate` counts one part again, `--only` none.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import gate_splits  # noqa: E402

from lesson_lib import digits  # noqa: E402
from lesson_lib.naa import RULES, compare, judge, simulate_activations  # noqa: E402
from lesson_lib.naa.comparison import Comparison  # noqa: E402
from lesson_lib.repair.classifier import as_classifier  # noqa: E402

FILE = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).with_name("ALARMS.md")
RUNS = {"null": 400, "changed": 40, "backdoor": 40}
N_CLEAN, PLANTED, SPLITS = 500, range(10, 20), 10
FIRST = 10  # runs whose flags are kept one by one, for a test to count again
Sets = tuple[np.ndarray, np.ndarray]
NAMES = {**{name: f"{name} {rule.default:g}" for name, rule in RULES.items()}, "bh, no floor": "bh, no floor 0.05"}
NAMES |= {"Holm": "Holm, on Welch 0.05", "mad, shift": "mad over shift 3.5"}


# What is compared ---------------------------------------------------------------------------------------------------


def layer(kind: str, n_neurons: int, n_suspect: int, dtype: str, seed: int, spread: float = 1.0) -> Sets:
    """Return two sets of one simulated layer: normal or relu, all neurons alike or each with its own mean and spread.

    Of the relu neurons with a spread of their own, some are dead, and many fire on few rows. `spread` widens the second
    set's, which is no longer clean data then.
    """
    rng = np.random.default_rng(seed)
    shape, relu = (N_CLEAN + n_suspect, n_neurons), kind.startswith("relu")
    means, spreads = np.full(n_neurons, 0.0 if relu else 2.0), np.full(n_neurons, 1.0 if relu else 0.5)
    if kind.endswith("unequal"):
        means, spreads = means + rng.normal(-1.0 * relu, 1, n_neurons), np.exp(rng.normal(-0.5, 0.7, n_neurons))
    rows = rng.standard_normal(shape) * spreads
    rows[N_CLEAN:] *= spread
    rows += means
    rows = (np.maximum(rows, 0) if relu else rows).astype(dtype)
    return rows[:N_CLEAN], rows[N_CLEAN:]


def reordered(kind: str, dtype: str, seed: int) -> Sets:
    """Return one set twice, the second time in another order."""
    clean, _ = layer(kind, 512, 1, dtype, seed)
    return clean, np.random.default_rng(seed).permutation(clean)


@cache
def models(split: int) -> tuple[digits.Digits, dict[str, Any]]:
    """Return the digits of one split and its models: honest, poisoned, planted loudly and quietly."""
    data = digits.load(split)
    bad = digits.poison(*data.train, digits.CORNER, 0, 0.1, np.random.default_rng(split))
    wide = digits.train_classifier(*data.train, split, width=128)
    found = {
        "honest": digits.train_classifier(*data.train, split),
        "learnt": digits.train_classifier(bad.X, bad.y, split),
        "loud": digits.plant(wide, PLANTED, digits.CORNER, 0),
        "quiet": digits.plant(wide, PLANTED, digits.CORNER, 0, **digits.QUIET),
    }
    return data, {name: as_classifier(model) for name, model in found.items()}


def honest(n_suspect: int, change: str, seed: int) -> Sets:
    """Return the honest model's activations on two disjoint sets of digits, of which the second may be changed."""
    rng = np.random.default_rng(seed)
    data, found = models(seed % SPLITS)
    X, y = (np.concatenate(pair) for pair in zip(data.clean, data.suspect, strict=True))
    rows = rng.permutation(len(y))
    first, second = rows[:269], rows[269 : 269 + n_suspect]
    suspect = digits.SHIFTS[change](X[second], y[second], rng).X if change else X[second]
    return found["honest"].hidden(X[first]), found["honest"].hidden(suspect)


def simulated(rise: float, share: float, seed: int) -> Sets:
    """Return the article's experiment: ten of 512 neurons rise, in a share of the suspect rows."""
    rng = np.random.default_rng(seed)
    return simulate_activations(N_CLEAN, rng), simulate_activations(100, rng, PLANTED, rise, share)


def attacked(model: str, share: float, seed: int) -> Sets:
    """Return a model's activations on clean digits, and on suspect ones of which a share carries the trigger."""
    data, found = models(seed % SPLITS)
    stamped = np.random.default_rng(seed).permutation(len(data.suspect.y))[: round(share * len(data.suspect.y))]
    X = data.suspect.X.copy()
    X[stamped] = digits.stamp(X[stamped], digits.CORNER)
    return found[model].hidden(data.clean.X), found[model].hidden(X)


SIZES = ((16, 20), (16, 1000), (64, 100), (512, 20), (512, 100), (512, 1000))
KINDS = ("normal, equal", "normal, unequal", "relu, equal", "relu, unequal")
CASES: dict[str, dict[str, Callable[[int], Sets]]] = {
    "null": {
        **{f"{kind}, {n} neurons, {m} rows": partial(layer, kind, n, m, "f4") for kind in KINDS for n, m in SIZES},
        **{f"{kind}, 64 neurons, 100 rows, float64": partial(layer, kind, 64, 100, "f8") for kind in KINDS},
        **{f"honest digits, {n} rows": partial(honest, n, "") for n in (20, 100, 270)},
        **{f"{kind}, same rows reordered, {kind_of}": partial(reordered, kind, dtype)
           for kind in KINDS[::3] for kind_of, dtype in (("float32", "f4"), ("float64", "f8"))},
    },
    "changed": {
        "normal, equal, 512 neurons, 100 rows, 1.5 times the spread":
            partial(layer, KINDS[0], 512, 100, "f4", spread=1.5),
        **{f"honest digits, 200 rows, {name}": partial(honest, 200, name) for name in digits.SHIFTS},
    },
    "backdoor": {
        **{f"simulated, rise {rise}, {share:.0%}": partial(simulated, rise, share) for rise, share in
           ((9.0, 1.0), (9.0, 0.5), (9.0, 0.2), (9.0, 0.1), (9.0, 0.05), (0.5, 1.0), (0.25, 1.0), (0.25, 0.5))},
        **{f"digits, {model}, {share:.0%}": partial(attacked, model, share)
           for model in ("loud", "quiet", "learnt") for share in (1.0, 0.5, 0.2, 0.1, 0.05)},
    },
}  # fmt: skip


# What the rules make of it -------------------------------------------------------------------------------------------


def flagged(seen: Comparison) -> dict[str, np.ndarray]:
    """Return what each rule flags by default, and three variants of rules that were candidates for the default."""
    found = {name: judge(seen, name).flagged for name in RULES}
    found["bh, no floor"] = np.flatnonzero(seen.adjusted_p <= 0.05)
    ranks = np.argsort(np.argsort(seen.p))
    steps = np.maximum.accumulate(np.sort(seen.p) * (len(ranks) - np.arange(len(ranks))))
    found["Holm"] = np.flatnonzero(steps[ranks] <= 0.05)  # Holm 1979
    found["mad, shift"] = judge(seen, "mad", over="shift").flagged
    return found


def count(group: str, case: str, seeds: range) -> dict[str, dict[str, Any]]:
    """Return by rule the runs, those with a flag, and the flags; of a planted backdoor only guilty neurons count."""
    planted = group == "backdoor" and "learnt" not in case
    flags: dict[str, list[int]] = {name: [] for name in NAMES}
    for seed in seeds:
        sets = CASES[group][case](seed)
        seen = compare(*sets, rng=np.random.default_rng(seed), n_permutations=1000)
        for name, neurons in flagged(seen).items():
            flags[name].append(int(np.isin(neurons, PLANTED).sum() if planted else len(neurons)))
    return {
        name: {"runs": len(seeds), "alarms": sum(n > 0 for n in found), "flags": sum(found), "first": found[:FIRST]}
        for name, found in flags.items()
    }


# The page ------------------------------------------------------------------------------------------------------------


def interval(alarms: int, runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate (Clopper & Pearson 1934)."""
    found = stats.binomtest(alarms, runs).proportion_ci()
    return found.low, found.high


def rate(counted: dict[str, Any]) -> float:
    return counted["alarms"] / counted["runs"]


def cell(counted: dict[str, Any]) -> str:
    low, high = interval(counted["alarms"], counted["runs"])
    return f"{100 * rate(counted):.1f} ({100 * low:.1f}–{100 * high:.1f})"


def power(case: str, counted: dict[str, Any]) -> str:
    low, high = interval(counted["alarms"], counted["runs"])
    of = "" if "learnt" in case else " of 10"
    return f"{100 * rate(counted):.0f} ({100 * low:.0f}–{100 * high:.0f}): {counted['flags'] / counted['runs']:.1f}{of}"


def table(group: str, found: dict[str, Any]) -> str:
    lines = ["| |" + "".join(f" {name} |" for name in NAMES.values()), "|---|" + "---:|" * len(NAMES)]
    for case, counted in found.items():
        shown = [power(case, counted[name]) if group == "backdoor" else cell(counted[name]) for name in NAMES]
        lines.append("| " + " | ".join([case, *shown]) + " |")
    return "\n".join(lines)


def worst(found: dict[str, Any]) -> str:
    """Return each rule's highest rate of false alarms over the null cases."""
    cases = {name: max(found, key=lambda case: rate(found[case][name])) for name in NAMES}
    return "\n".join(f"| {NAMES[name]} | {cell(found[case][name])} | {case} |" for name, case in cases.items())


TEXT = """\
# How often each rule raises an alarm

`.venv/bin/python benchmarks/alarms.py` writes this page. {clean} clean rows (269 of the digits) are compared with as
many suspect rows as the line says. A column is a rule at its default threshold; the last three are variants that were
candidates for the default. Per cent of the runs that raise an alarm, with the 95 % interval (Clopper & Pearson).

## On clean data

Both sets come from the same source, {null} times a line. *Unequal* neurons have means and spreads of their own; of the
relu ones some are dead, and many fire on few rows. The highest rate of each rule, and where:

| rule | per cent | case |
|---|---:|---|
{worst}

The default of `analyse` and of the gate is `permutation` at 0.01: of the rules that stay below 5 % in every line it
finds the most. Its promise needs neither normal distributions nor equal spreads: if nothing sets the suspect rows
apart, the real division of the rows is one of the random ones. Welch's test cannot promise that for neurons that seldom
fire: in a short suspect set all their activations may be 0, and a sample without spread looks certain.

{tables_null}

## On data that changed, without a backdoor

{changed} runs a line. An alarm here is right about the shift, and there is no backdoor: the rules cannot tell one from
the other. Rows that vary more, with the same means, alarm the permutation rule too, for they are not of one kind with
the clean ones.

{tables_changed}

## On backdoors

{backdoor} runs a line. Per cent of the runs in which a guilty neuron is flagged, and how many of the ten guilty ones on
average. A learnt backdoor has no list of guilty neurons: there any flag is an alarm, and the number is that of all
flags.

{tables_backdoor}

## The gate of notebook 06, over ten splits

`benchmarks/gate_splits.py`: the class vote with the true labels, each model's threshold calibrated on benign sets of
100 images from one half of the suspect images, unchanged and changed in five ways; the rates of alarms measured on
{sets} sets a kind from the other half. Mean, lowest and highest of ten splits; the class that most sets of a split
name, and on how many splits.

{gate}

## Repairs of notebook 06 with fewer triggered images, over ten splits

Attack success after pruning by rise, two neurons more than the full suspect set needs, and after removing the
direction.

{repaired}
"""


def write(found: dict[str, Any]) -> str:
    """Return the page."""
    tables = {f"tables_{group}": table(group, found[group]) for group in CASES}
    tables |= {"gate": gate_splits.table(found["gate"]), "repaired": gate_splits.repaired(found["repaired"])}
    return TEXT.format(clean=N_CLEAN, worst=worst(found["null"]), sets=gate_splits.SETS, **RUNS, **tables)


def store(found: dict[str, Any]) -> None:
    """Write what was counted, a case a line."""
    FILE.write_text(json.dumps(found).replace("}}, ", "}},\n") + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="*", choices=[*CASES, "gate", "repaired", []], help="count only these parts again"
    )
    only = parser.parse_args().only
    found = {} if only is None else json.loads(FILE.read_text(encoding="utf-8"))
    for group, cases in CASES.items():
        if only is None or group in only:
            found[group] = {}
            for case in cases:
                found[group][case] = count(group, case, range(RUNS[group]))
                print(f"{group}: {case}", file=sys.stderr, flush=True)
            store(found)
    for part, of_split in (("gate", gate_splits.measure), ("repaired", gate_splits.fewer)):
        if only is None or part in only:
            found[part] = [of_split(split) for split in range(gate_splits.SPLITS)]
            store(found)
    PAGE.write_text(write(found), encoding="utf-8")


if __name__ == "__main__":
    main()
