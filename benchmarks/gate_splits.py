"""The gate of notebook 06 over ten splits: calibrated on one half of the images, measured on the other.

benchmarks/alarms.py runs it and shows its table.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lesson_lib import digits, repair
from lesson_lib.naa import calibrate, class_vote
from lesson_lib.repair.classifier import as_classifier

N, SETS, SPLITS = 100, 40, 10  # images of a set, sets of a kind, splits
SHARES = (1.0, 0.5, 0.2, 0.1)
Make = Callable[[], digits.Images]


def drawn(pool: digits.Images, rng: np.random.Generator, share: float = 0.0) -> digits.Images:
    """Return a set of images of the pool, of which a share carries the trigger."""
    rows, stamped = rng.choice(len(pool.y), N, replace=False), round(share * N)
    X = pool.X[rows].copy()
    if stamped:
        X[:stamped] = digits.stamp(X[:stamped], digits.CORNER)
    return digits.Images(X, pool.y[rows])


def benign(pool: digits.Images, rng: np.random.Generator) -> dict[str, Make]:
    """Return, by name, what makes a set that changed without an attack; and one that did not change."""
    shifts = {name: lambda shift=shift: shift(*drawn(pool, rng), rng) for name, shift in digits.SHIFTS.items()}
    return shifts | {"unchanged": partial(drawn, pool, rng)}


def halves(data: digits.Digits, seed: int) -> tuple[digits.Images, digits.Images]:
    """Return two disjoint halves of the suspect images, every class in proportion."""
    rows = np.random.default_rng(seed).permutation(len(data.suspect.y))
    rows = rows[np.argsort(data.suspect.y[rows], kind="stable")]
    return tuple(digits.Images(data.suspect.X[part], data.suspect.y[part]) for part in (rows[::2], rows[1::2]))


def measure(split: int) -> dict[str, dict[str, Any]]:
    """Return for the poisoned and the honest model: the threshold, the rate of alarms by kind of set, the classes."""
    data, rng = digits.load(split), np.random.default_rng(split)
    bad = digits.poison(*data.train, digits.CORNER, 0, 0.1, np.random.default_rng(split))
    models = {"poisoned": digits.train_classifier(bad.X, bad.y, split)}
    models["honest"] = digits.train_classifier(*data.train, split)
    first, second = halves(data, split)
    return {name: _measure(as_classifier(model), data.clean, first, second, rng) for name, model in models.items()}


def _measure(model: Any, clean: digits.Images, first: digits.Images, second: digits.Images, rng: Any) -> dict[str, Any]:
    reference = model.hidden(clean.X)

    def votes(make: Make, guessed: bool = False) -> np.ndarray:
        indices = []  # (SETS, 10)
        for _ in range(SETS):
            X, y = make()
            labels = model.predict(X) if guessed else y
            indices.append(class_vote(reference, model.hidden(X), model.W2, clean.y, labels).mad_index)
        return np.array(indices)

    found: dict[str, Any] = {}
    for guessed in (False, True):
        reached = np.concatenate([votes(make, guessed).max(axis=1) for make in benign(first, rng).values()])
        limit = calibrate(reached).threshold
        kinds = benign(second, rng) | {f"{share:.0%} triggered": partial(drawn, second, rng, share) for share in SHARES}
        alarms, leaders = {}, {}
        for name, make in kinds.items():
            seen = votes(make, guessed)
            alarms[name] = float((seen.max(axis=1) > limit).mean())
            leaders[name] = np.bincount(seen.argmax(axis=1), minlength=10).tolist()
        found |= {"guessed" if guessed else "true": {"threshold": round(limit, 4), "rates": alarms, "named": leaders}}
    return found


def rates(found: list[dict[str, Any]], model: str, kinds: list[str], labels: str = "true") -> list[float]:
    """Return each split's rate of alarms, the highest of these kinds of sets."""
    return [max(split[model][labels]["rates"][kind] for kind in kinds) for split in found]


def named(found: list[dict[str, Any]], model: str, kind: str, labels: str = "true") -> list[int]:
    """Return the class that each split's sets of this kind name most often."""
    return [int(np.argmax(split[model][labels]["named"][kind])) for split in found]


def table(found: list[dict[str, Any]]) -> str:
    """Return the mean, the lowest and the highest rate of alarms over the splits, and on how many each class led."""
    kinds = [*found[0]["poisoned"]["true"]["rates"]]
    innocent = kinds[: len(digits.SHIFTS) + 1]
    rows = [(kind, [kind], "true") for kind in kinds] + [("100% triggered, labels predicted", kinds[-4:-3], "guessed")]
    rows.insert(len(innocent), ("the worst benign shift", innocent, "true"))
    lines = [
        "| 100 images | poisoned: alarms | class named | honest: alarms | class named |",
        "|---|---:|---|---:|---|",
    ]
    for title, of, labels in rows:
        cells = [_cell(found, model, of, labels) for model in ("poisoned", "honest")]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: list[dict[str, Any]], model: str, kinds: list[str], labels: str) -> str:
    each = rates(found, model, kinds, labels)
    shown = f"{100 * np.mean(each):.0f} % ({100 * min(each):.0f} to {100 * max(each):.0f})"
    led = Counter(named(found, model, kinds[0], labels)).most_common() if len(kinds) == 1 else []
    return f"{shown} | {', '.join(f'{label} ({n})' for label, n in led)}"


def fewer(split: int) -> dict[str, float]:
    """Return the attack success that two repairs leave, from suspect sets with fewer and fewer triggered images.

    Pruned are two neurons more than the full suspect set needs, as in notebook 06.
    """
    data = digits.load(split)
    bad = digits.poison(*data.train, digits.CORNER, 0, 0.1, np.random.default_rng(split))
    model, found, n = digits.train_classifier(bad.X, bad.y, split), {}, 0
    stamped, hidden = digits.triggered(*data.test, digits.CORNER, 0), as_classifier(model).hidden
    for share in SHARES:
        X, triggered = data.suspect.X.copy(), round(share * len(data.suspect.y))
        X[:triggered] = digits.stamp(X[:triggered], digits.CORNER)
        sets = hidden(data.clean.X), hidden(X)
        rising = repair.order(*sets, "rise")
        n = n or (repair.pruning_curve(model, rising, *data.test, stamped, 0).first_below() or 0) + 2
        models = {"pruned": repair.prune(model, rising[:n]), "direction": repair.remove_direction(model, *sets)}
        for name, repaired in models.items():
            found[f"{name}, {share:.0%}"] = digits.attack_success_rate(repaired, *data.test, digits.CORNER, 0)
    return {name: round(rate, 4) for name, rate in found.items()}


def repaired(found: list[dict[str, float]]) -> str:
    """Return the mean, the lowest and the highest attack success after each repair."""
    lines = ["| images triggered | pruned | direction removed |", "|---|---:|---:|"]
    for share in SHARES:
        each = [[100 * split[f"{name}, {share:.0%}"] for split in found] for name in ("pruned", "direction")]
        cells = [f"{np.mean(rates):.1f} % ({min(rates):.1f} to {max(rates):.1f})" for rates in each]
        lines.append(f"| {share:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines)
