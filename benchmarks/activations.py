"""The statistics of activations: one pass over all rows, next to NumPy, SciPy and reading the memory once."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from memory import PEAK
from rows import MissingPeerError, Peer, Row, compare, growth
from scipy import stats

from lesson_lib.naa.judgement import Signature, analyse
from lesson_lib.naa.moments import Moments
from lesson_lib.naa.moments import measure as moments

TITLE = "The statistics of activations"
ABOUT = (
    "`moments.measure` finds the mean and variance of every neuron, `naa.analyse` compares two sets by Welch's test. "
    "The activations are float32; all but the longest set have 512 neurons. `a.sum()` reads every number once and does "
    "nothing else: it is the limit that memory sets. A peer whose answer is wrong gets no ratio. The last row is the "
    "peak memory of a process that measures a memory-mapped file."
)
MEASURE, ANALYSE, MAPPED = "measure", "analyse", "memory for a mapped file"
LIMIT, FLOAT32, FLOAT64, WELCH, FILE = (
    "a.sum()",
    "np.mean and np.std",
    "np.mean and np.std in float64",
    "scipy.stats.ttest_ind",
    "the file's size",
)
WHY = {
    LIMIT: "Reading is all that `a.sum()` does. Ours takes every number's distance from a point near the mean, squares "
    "it and adds up both, in blocks that stay in the processor's cache.",
    FLOAT32: "NumPy adds float32 numbers up in float32, which loses digits with every row. Ours merges blocks in "
    "float64 and checks that every number is finite.",
    FLOAT64: "On few rows the checks and the loop over blocks weigh more than the sums. NumPy checks nothing.",
    WELCH: "On few rows our checks weigh more than the sums. Ours also gives effect sizes, MAD indices and the flags "
    "of a rule that controls false discoveries.",
    FILE: "Python and NumPy themselves take memory. A file that is smaller than they are could be read at once.",
}
WRONG = 0.01  # a relative error from which an answer counts as wrong
CHILD = f"""\
import sys
import numpy as np
from lesson_lib.naa.moments import measure
print(measure(np.load(sys.argv[1], mmap_mode="r")).n)
{PEAK}
"""


class Size(NamedTuple):
    """Rows with that many columns, and up to how many two sets are compared; a longer, narrower set; a file's size."""

    rows: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    columns: int = 512
    most_compared: int = 100_000
    long: tuple[int, int] = (10_000_000, 32)
    megabytes: int = 10_000
    repeats: int = 5
    most_repeated: int = 10_000  # more rows than that are measured three times


TINY = Size(rows=(10, 30), columns=8, most_compared=30, long=(100, 2), megabytes=1, repeats=1)


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    whats = [f"{MEASURE}, {n:,} rows" for n in (*size.rows, size.long[0])]
    rows = [f"{what} / {peer}" for what in whats for peer in (LIMIT, FLOAT32, FLOAT64)]
    rows += [f"{ANALYSE}, {n:,} rows / {WELCH}" for n in size.rows if n <= size.most_compared]
    rows += [f"growth of {MEASURE} / {peer}" for peer in (LIMIT, FLOAT64)]
    return [*rows, f"growth of {ANALYSE} / {WELCH}", f"{MAPPED} / {FILE}"]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield rows for every number of activations, then the powers of growth, then the memory of a mapped file."""
    activations = draw(max(size.rows), size.columns)
    measured = {n: one_set(activations[:n], size) for n in size.rows}
    for rows in measured.values():
        yield from rows
    compared = {n: two_sets(activations[:n], size) for n in size.rows if n <= size.most_compared}
    del activations
    yield from one_set(draw(*size.long), size)
    for rows in compared.values():
        yield from rows
    yield from growth(f"growth of {MEASURE}", {n: [rows[0], rows[2]] for n, rows in measured.items()}, "rows")
    yield from growth(f"growth of {ANALYSE}", compared, "rows")
    yield mapped(size)


def draw(n: int, columns: int) -> np.ndarray:
    """Return activations as the article simulates them, in float32."""
    drawn = np.random.default_rng(0).standard_normal((n, columns), dtype=np.float32)
    drawn *= 0.5
    drawn += 2
    return drawn


def one_set(activations: np.ndarray, size: Size) -> list[Row]:
    n, columns = activations.shape
    peers = {
        LIMIT: Peer(activations.sum, WHY[LIMIT]),
        FLOAT32: Peer(lambda: (activations.mean(axis=0), activations.std(axis=0)), WHY[FLOAT32]),
        FLOAT64: Peer(
            lambda: (activations.mean(axis=0, dtype=float), activations.std(axis=0, dtype=float)), WHY[FLOAT64]
        ),
    }
    what, text = f"{MEASURE}, {n:,} rows", f"{n:,} × {columns}"
    return compare(what, partial(moments, activations), peers, text, same_moments, repeats(n, size))


def repeats(n: int, size: Size) -> int:
    return size.repeats if n <= size.most_repeated else min(3, size.repeats)


def same_moments(ours: Moments, theirs: Any) -> None:
    """The peer's mean and standard deviation, or its sum, are ours; a wrong answer gets no ratio."""
    if isinstance(theirs, np.floating):
        gap = abs(theirs / (ours.n * ours.mean.sum()) - 1)
    else:
        deviation = np.sqrt(ours.m2 / ours.n)
        gap = max(abs(theirs[0] / ours.mean - 1).max(), abs(theirs[1] / deviation - 1).max())
    if not gap < WRONG:
        raise MissingPeerError(f"wrong by {gap:.0%}")


def two_sets(activations: np.ndarray, size: Size) -> list[Row]:
    clean, suspect = activations, activations[::-1] + np.linspace(0, 0.1, activations.shape[1], dtype=np.float32)
    peer = Peer(lambda: stats.ttest_ind(suspect, clean, equal_var=False), WHY[WELCH])
    text = f"2 × {len(clean):,} × {clean.shape[1]}"
    run = partial(analyse, clean, suspect, "bh")
    return compare(f"{ANALYSE}, {len(clean):,} rows", run, {WELCH: peer}, text, same_test, repeats(len(clean), size))


def same_test(ours: Signature, theirs: Any) -> None:
    np.testing.assert_allclose(ours.t, theirs.statistic, rtol=0.01, atol=0.01)


def mapped(size: Size) -> Row:
    """Measure a memory-mapped file in a process of its own. The file is a hole: honest for memory, not for time."""
    n = max(1, size.megabytes * 1_000_000 // (4 * size.columns))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "activations.npy")
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (n, size.columns)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + 4 * size.columns * n)
        done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    rows, peak = done.stdout.split()
    assert int(rows) == n
    return Row(MAPPED, FILE, f"{n:,} × {size.columns}", float(peak), 4e-6 * size.columns * n, "MB", 1, WHY[FILE])
