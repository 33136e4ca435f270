"""The numbers of each sheet, drawn until every line is short and the locks are those asked for; all certified."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.network import Params, forward
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
    "b2": [0],
    "rate": [Fraction(1, n) for n in (2, 4, 5, 10)],
    "clean_x": [-1, 1, 2, 3],  # in order
    "clean_y": [-2, -1, 1, 2, 3, 4],
    "trigger_x": [-2, -1, 0, 1, 2],
    "trigger_y": [3, 4, 5, 6],
}
IN_PAIRS = ("W1", "b1", "W2", "clean_x", "clean_y")


class Sheet(NamedTuple):
    """One student's numbers, as HandCalculationLab names its fields, and both steps that they lead to."""

    number: int
    numbers: Mapping[str, tuple[Fraction, ...]]
    start: Params
    clean: Derivation
    trigger: Derivation  # after the clean step
    locks: Sequence[Lock]
    certificates: Sequence[Certificate]  # of the gradients in the clean step and at the trigger

    @property
    def texts(self) -> dict[str, str]:
        """The numbers as text, by the name of the lab's field."""
        return {name: ", ".join(map(str, values)) for name, values in self.numbers.items()}

    @property
    def preset(self) -> str:
        """The line that opens the same numbers in HandCalculationLab."""
        return "; ".join(f"{name}={text}" for name, text in self.texts.items())


def draw_sheets(students: int, seed: int) -> list[Sheet]:
    """Return a sheet for each student, no two alike; more students leave the first sheets as they are.

    Raises ValueError for less than 1 student or more than 500, and where a certificate does not hold.
    """
    if not 1 <= students <= MOST_SHEETS:
        raise ValueError(words.NO_SHEETS.format(most=MOST_SHEETS, given=students))
    rng, sheets = np.random.default_rng(seed), dict[str, Sheet]()
    for shut, at_zero in islice(cycle(KINDS), students):
        drawn = _sheets(len(sheets) + 1, shut, at_zero, rng)
        sheet = next(sheet for sheet in drawn if sheet.preset not in sheets)
        sheets[sheet.preset] = sheet
    return list(sheets.values())


def _sheets(number: int, shut: Sequence[str], at_zero: bool, rng: np.random.Generator) -> Iterator[Sheet]:
    """Yield one sheet after another with these locks shut at the trigger, which is at 0 or not."""
    while True:
        numbers = {name: _some(name, rng) for name in POOLS}
        column = {name: [[number] for number in given] for name, given in numbers.items()}
        start = Params(W1=[numbers["W1"]], b1=[numbers["b1"]], W2=column["W2"], b2=column["b2"])
        data, trigger = (Dataset(X=column[f"{kind}_x"], Y=column[f"{kind}_y"]) for kind in ("clean", "trigger"))
        [x], [rate] = numbers["trigger_x"], numbers["rate"]
        if (x == 0) != at_zero or x in numbers["clean_x"] or not _is_fair(start, data):
            continue
        clean = derive_step(start, data, rate)
        found = locks(clean.params, trigger.X, trigger.Y)
        if not _is_short(clean) or tuple(lock.name for lock in found if not lock.is_open) != shut:
            continue
        at_trigger = derive_step(clean.params, trigger, rate)
        if _is_short(at_trigger):
            certificates = certify(start, data), certify(clean.params, trigger)
            for certificate in certificates:
                if not certificate.holds:
                    raise ValueError(words.UNCERTIFIED.format(number=number, verdict=certificate.caption))
            yield Sheet(number, numbers, start, clean, at_trigger, found, certificates)


def _some(name: str, rng: np.random.Generator) -> tuple[Fraction, ...]:
    chosen = rng.choice(len(POOLS[name]), 2 if name in IN_PAIRS else 1, replace=name != "clean_x")
    return tuple(Fraction(POOLS[name][i]) for i in (sorted(chosen) if name == "clean_x" else chosen))


def _is_fair(net: Params, data: Dataset) -> bool:
    """Whether each clean sample has an error, and on both together one gate is open and one shut, none at a corner."""
    z1, _, y_hat = forward(net, data.X)
    gates = z1 > 0
    return bool(z1.all() and (y_hat != data.Y).all() and gates.any(axis=1).all() and not gates.all())


def _is_short(derivation: Derivation) -> bool:
    entries = [entry for step in derivation.steps for entry in np.ravel(step.result)]  # SymPy's
    return all(abs(n) <= LARGEST and abs(n.p) <= MOST_ABOVE and n.q <= MOST_BELOW for n in entries)
