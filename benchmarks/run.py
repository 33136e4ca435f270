"""Measure everything beside its peers, print the tables of ratios, and write them with a plot to RESULTS.md.

Close everything else first. `--only` measures some parts and writes nothing.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is imported, here and in every kernel

import activations
import costs
import derivations
import moves
import outcomes
import report
import sliders
import steps

README = Path(__file__).parents[1] / "README.md"
PARTS = {
    "sliders": sliders,
    "moves": moves,
    "map": outcomes,
    "training": steps,
    "symbols": derivations,
    "activations": activations,
    "notebooks": costs,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the chosen parts, print each as it is done, and write all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=tuple(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, to try the benchmarks themselves")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="where to write; of a whole run: benchmarks/")
    chosen = parser.parse_args(arguments)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    start, measured = time.monotonic(), {}
    for name in chosen.only:
        part = PARTS[name]
        began = time.monotonic()
        measured[part] = []
        for row in part.measure(part.TINY if chosen.tiny else part.Size()):
            measured[part].append(row)
            print(f"{name}: {row.name}", file=sys.stderr, flush=True)
        print(report.section(part, measured[part]), end="\n\n", flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    whole = set(chosen.only) == set(PARTS) and not chosen.tiny
    folder = chosen.write or (report.RESULTS.parent if whole else None)
    if folder:
        report.write(measured, (time.monotonic() - start) / 60, load, folder)
        for line in report.misquoted(README.read_text(encoding="utf-8"), folder / report.RESULTS.name):
            print(f"README.md: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
