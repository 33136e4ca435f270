"""How long the one pass over activations takes next to NumPy and SciPy in the same run, and how much memory it needs.

It prints ratios, never passes or fails. Close everything else first.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from lesson_lib.moments import measure
from lesson_lib.naa import analyse

ROWS, NEURONS, REPEATS = 100_000, 512, 15
LENGTHS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
CHILD = """\
import sys, time
import numpy as np
from lesson_lib.moments import measure
start = time.perf_counter()
found = measure(np.load(sys.argv[1], mmap_mode="r"))
print(found.n, time.perf_counter() - start)
try:
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
except OSError:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10, help="size of the mapped file (default: 10)")
    asked = parser.parse_args()
    peers()
    growth()
    mapped(asked.gigabytes)


def in_turns(functions: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Return the median ms of each, taking turns so that a busy moment hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(found[1:]) for name, found in times.items()}  # the first one warms up


def against(ours: str, found: dict[str, float]) -> None:
    for name, median in found.items():
        ratio = "" if name == ours else f"  {found[ours] / median:6.2f} x {name}"
        print(f"{name:44}{median:10.1f} ms{ratio}", flush=True)


def peers() -> None:
    rng = np.random.default_rng(0)
    clean, suspect = (rng.normal(2, 0.5, (ROWS, NEURONS)).astype(np.float32) for _ in range(2))
    print(f"{ROWS:,} rows x {NEURONS} neurons, float32; the ratio is ours to the peer's")
    functions = {
        "measure": lambda: measure(clean),
        "a.sum(axis=0)": lambda: clean.sum(axis=0),
        "np.mean + np.std": lambda: (np.mean(clean, axis=0), np.std(clean, axis=0)),
        "np.mean + np.std in float64": lambda: (
            np.mean(clean, axis=0, dtype=float),
            np.std(clean, axis=0, dtype=float),
        ),
    }
    against("measure", in_turns(functions))
    print("two such sets")
    tests = {
        "analyse, rule bh": lambda: analyse(clean, suspect, "bh"),
        "scipy.stats.ttest_ind, Welch": lambda: stats.ttest_ind(suspect, clean, equal_var=False),
    }
    against("analyse, rule bh", in_turns(tests, 5))


def growth() -> None:
    """Fit time ~ rows ** exponent; 1 is what reading every number once must cost."""
    print(f"growth with the rows, {NEURONS} neurons, float32")
    rows = np.random.default_rng(0).normal(2, 0.5, (max(LENGTHS), NEURONS)).astype(np.float32)
    found = in_turns({f"{n:,} rows": lambda n=n: measure(rows[:n]) for n in LENGTHS}, 5)
    for name, median in found.items():
        print(f"{name:44}{median:10.1f} ms")
    exponent = np.polyfit(np.log(LENGTHS), np.log(list(found.values())), 1)[0]
    print(f"{'time grows as rows to the power of':44}{exponent:10.2f}", flush=True)


def mapped(gigabytes: float) -> None:
    """Measure a memory-mapped file in a process of its own. The file is a hole: honest for memory, not for reading."""
    n = max(1, round(gigabytes * 1e9 / (4 * NEURONS)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "activations.npy")
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (n, NEURONS)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + 4 * NEURONS * n)
        done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    rows, seconds, peak = done.stdout.split()
    assert int(rows) == n
    print(f"a memory-mapped file of {gigabytes:g} GB, {n:,} rows: {float(seconds):.1f} s, peak memory of the process")
    less = gigabytes * 1e6 / int(peak)
    print(f"{'(the aim is below 300)':44}{int(peak) / 1000:10.0f} MB  {less:6.1f} times less than the file")


if __name__ == "__main__":
    main()
