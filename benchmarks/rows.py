"""What every benchmark gives: rows that set what we need beside what a peer needs, measured in turns in one run."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

NOT_INSTALLED = "not installed"
LEAST = 0.02  # seconds that one timing takes at least; a quicker call is repeated


class MissingPeerError(Exception):
    """A peer cannot be measured on this machine; the message says why."""


@dataclass(frozen=True)
class Row:
    """One comparison: ours and theirs in `unit` (s, MB, or the power of growth), each the median of the repeats."""

    what: str
    peer: str
    size: str
    ours: float
    theirs: float | None  # None where the peer is missing; `note` then says why
    unit: str
    repeats: int
    why: str = ""  # two sentences on why the ratio can be above 1
    note: str = ""

    @property
    def name(self) -> str:
        """What the row is called in RESULTS.md and in quotations of it."""
        return f"{self.what} / {self.peer}"

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's, below 1 where we need less; a power of growth has none."""
        return None if self.theirs is None or self.unit == "power" else self.ours / self.theirs


class Peer(NamedTuple):
    """Someone else's way to the same answer, and why it may be better than ours; `scale` multiplies its time."""

    run: Callable[[], Any]
    why: str = ""
    scale: float = 1.0


def once(make: Callable[[], Callable[[], Any]]) -> Callable[[], Any]:
    """Return a run that is made when it is first called, so that making it is not timed."""
    made = cache(make)
    return lambda: made()()


def torch_on_one_core() -> Any:
    """Return PyTorch, told to compute on one core, as NumPy does; raises ImportError where it is not installed."""
    import torch

    torch.set_num_threads(1)
    return torch


def compare(
    what: str,
    ours: Callable[[], Any],
    peers: Mapping[str, Peer],
    size: str,
    agree: Callable[[Any, Any], None],
    repeats: int,
) -> list[Row]:
    """Check that every peer agrees with us, then time us and all that are here in turns; a row for each peer."""
    answer, notes = ours(), {}
    for name, peer in peers.items():
        try:
            agree(answer, peer.run())
        except (ImportError, MissingPeerError) as missing:
            notes[name] = NOT_INSTALLED if isinstance(missing, ImportError) else str(missing)
    runs = {"": ours, **{name: peer.run for name, peer in peers.items() if name not in notes}}
    times = in_turns(runs, repeats)
    return [
        Row(what, name, size, times[""], None if note else times[name] * peer.scale, "s", repeats, peer.why, note)
        for name, peer in peers.items()
        for note in [notes.get(name, "")]
    ]


def in_turns(runs: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the median seconds of a call of each, taking turns so that a busy moment hits all alike."""
    calls = {name: max(1, round(LEAST / max(seconds(run), 1e-9))) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            times[name].append(seconds(run, calls[name]))
    return {name: statistics.median(found) for name, found in times.items()}


def seconds(run: Callable[[], Any], calls: int = 1) -> float:
    """Return how long a call takes, on the average of so many."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def growth(what: str, measured: Mapping[int, Sequence[Row]], of: str) -> Iterator[Row]:
    """Fit time ~ size ** power over rows measured at several sizes: a row for each peer. `of` names the size."""
    span = f"{min(measured):,} to {max(measured):,} {of}"
    for rows in zip(*measured.values(), strict=True):
        ours = power(measured, [row.ours for row in rows])
        theirs = None if rows[0].theirs is None else power(measured, [row.theirs or math.nan for row in rows])
        yield Row(what, rows[0].peer, span, ours, theirs, "power", rows[0].repeats, note=rows[0].note)


def power(sizes: Iterable[int], times: Sequence[float]) -> float:
    """Return the slope of log time over log size."""
    return float(np.polyfit(np.log(list(sizes)), np.log(times), 1)[0])
