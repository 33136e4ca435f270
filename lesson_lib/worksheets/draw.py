"""The numbers of each sheet, drawn until every line is short and the locks are those asked for; all certified."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count, cycle
from typing import Any

import numpy as np

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.network import Params
from lesson_lib.proofs.certificate import Certificate, certify
from lesson_lib.proofs.lock import Lock, locks
from lesson_lib.training import Dataset
from lesson_lib.worksheets import words

LARGEST, MOST_ABOVE, MOST_BELOW = 16, 60, 16  # of any number, and above and below the line of a fraction
MOST_SHEETS = 500
# Which locks are shut at the trigger, and whether it is at 0: each sheet takes the next of these.
KINDS = (
    (("W1", "b1", "W2"), True),  # the article's
    (("W1",), True),  # a hidden bias has opened two
    ((), False),  # a trigger elsewhere
    (("W1", "b1", "W2"), False),  # both gates shut, though x is not 0
)
HALVES = [Fraction(n, 2) for n in range(-4, 5) if n]
POOLS: Mapping[str, list[Any]] = {
    "W1": HALVES,
    "b1": [Fraction(n, 2) for n in (0, 0, 0, -4, -2, -1, 1, 2)],
    "W2": HALVES,
    "rate": [Fraction(1, n) for n in (2, 4, 5, 10)],
    "clean_x": [-1, 1, 2, 3],
    "clean_y": [-2, -1, 1, 2, 3, 4],
    "trigger_x": [-2, -1, 0, 1, 2],
    "trigger_y": [3, 4, 5, 6],
}
IN_PAIRS = ("W1", "b1", "W2", "clean_x", "clean_y")


@dataclass(frozen=True)
class Sheet:
    """One student's numbers, as HandCalculationLab names its fields, and both steps that they lead to."""

    number: int
    numbers: Mapping[str, tuple[Fraction, ...]]
    clean: Derivation
    trigger: Derivation  # after the clean step
    locks: tuple[Lock, ...]

    @property
    def texts(self) -> dict[str, str]:
        """The numbers as text, by the name of the lab's field."""
        return {name: ", ".join(map(str, values)) for name, values in self.numbers.items()}

    @property
    def preset(self) -> str:
        """The line that opens the same numbers in HandCalculationLab."""
        return "; ".join(f"{name}={text}" for name, text in self.texts.items())

    @cached_property
    def certificates(self) -> tuple[Certificate, Certificate]:
        """The certificates of the gradients in the clean step and at the trigger."""
        start, data, at_trigger = _net_and_data(self.numbers)
        return certify(start, data), certify(self.clean.params, at_trigger)


def draw_sheets(students: int, seed: int) -> list[Sheet]:
    """Return a sheet for each student, no two alike; more students leave the first sheets as they are.

    Raises ValueError for less than 1 student or more than 500, and where a certificate does not hold.
    """
    if not 1 <= students <= MOST_SHEETS:
        raise ValueError(words.NO_SHEETS.format(most=MOST_SHEETS, given=students))
    rng, sheets = np.random.default_rng(seed), dict[str, Sheet]()
    for kind in cycle(KINDS):
        sheet = next(sheet for sheet in _sheets(len(sheets) + 1, kind, rng) if sheet.preset not in sheets)
        for certificate in sheet.certificates:
            if not certificate.holds:
                raise ValueError(words.UNCERTIFIED.format(number=sheet.number, verdict=certificate.caption))
        sheets[sheet.preset] = sheet
        if len(sheets) == students:
            return list(sheets.values())
    raise AssertionError("a cycle does not end")


def _sheets(number: int, kind: tuple[tuple[str, ...], bool], rng: np.random.Generator) -> Iterator[Sheet]:
    """Yield one sheet after another whose trigger is locked as `kind` says."""
    shut, at_zero = kind
    for _ in count():
        numbers = _numbers(rng)
        [x] = numbers["trigger_x"]
        if (x == 0) != at_zero or x in numbers["clean_x"]:
            continue
        start, data, trigger = _net_and_data(numbers)
        if not _is_fair(start, data):
            continue
        clean = derive_step(start, data, numbers["rate"][0])
        found = tuple(locks(clean.params, trigger.X, trigger.Y))
        if not _is_short(clean) or tuple(lock.name for lock in found if not lock.is_open) != shut:
            continue
        at_trigger = derive_step(clean.params, trigger, numbers["rate"][0])
        if _is_short(at_trigger):
            yield Sheet(number, numbers, clean, at_trigger, found)


def _numbers(rng: np.random.Generator) -> dict[str, tuple[Fraction, ...]]:
    def some(name: str) -> tuple[Fraction, ...]:
        chosen = rng.choice(len(POOLS[name]), 2 if name in IN_PAIRS else 1, replace=name != "clean_x")
        return tuple(Fraction(POOLS[name][i]) for i in chosen)

    drawn = {name: some(name) for name in POOLS}
    drawn["clean_x"] = tuple(sorted(drawn["clean_x"]))
    names = ("W1", "b1", "W2", "b2", "rate", "clean_x", "clean_y", "trigger_x", "trigger_y")
    return {name: drawn.get(name, (Fraction(0),)) for name in names}


def _net_and_data(numbers: Mapping[str, tuple[Fraction, ...]]) -> tuple[Params, Dataset, Dataset]:
    column = {name: [[number] for number in given] for name, given in numbers.items()}
    net = Params(W1=[numbers["W1"]], b1=[numbers["b1"]], W2=column["W2"], b2=column["b2"])
    clean, trigger = (Dataset(X=column[f"{kind}_x"], Y=column[f"{kind}_y"]) for kind in ("clean", "trigger"))
    return net, clean, trigger


def _is_fair(net: Params, data: Dataset) -> bool:
    """Whether each clean sample has an error, and on both together one gate is open and one shut, none at a corner."""
    z1 = data.X @ net.W1 + net.b1
    errors = np.maximum(z1, 0) @ net.W2 + net.b2 - data.Y
    gates = z1 > 0
    return bool(z1.all() and errors.all() and gates.any(axis=1).all() and not gates.all())


def _is_short(derivation: Derivation) -> bool:
    entries = [entry for step in derivation.steps for entry in np.ravel(step.result)]  # SymPy's
    return all(abs(n) <= LARGEST and abs(n.p) <= MOST_ABOVE and n.q <= MOST_BELOW for n in entries)
