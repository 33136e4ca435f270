"""RESULTS.md and its picture: written from the rows, read again, and compared with what other texts quote.

A row is called "what / peer". A text quotes it by a comment behind the number: 0.12<!-- ratio: what / peer -->, and
`ours` or `peer` instead of `ratio` for the two measured numbers.
"""

import io
import math
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from matplotlib import rc_context
from matplotlib.figure import Figure
from rows import NOT_INSTALLED, Row

RESULTS = Path(__file__).with_name("RESULTS.md")
PICTURE = "results.svg"
COLUMNS = ("what", "peer", "size", "ours", "the peer's", "unit", "ratio", "repeats")
LIBRARIES = ("numpy", "scipy", "sympy", "matplotlib", "jupyterlab", "ipywidgets", "anywidget", "ipympl", "torch")
QUOTES = {"ratio": "ratio", "ours": "ours", "peer": "the peer's"}
QUOTE = re.compile(rf"([\d.,]*\d)[^\d<]*<!-- ({'|'.join(QUOTES)}): (.+?) -->")
BLUE, ORANGE = "#0072B2", "#D55E00"
Measured = Mapping[ModuleType, Sequence[Row]]

HEAD = """\
# Benchmarks

What our code needs, next to what others need for the same answer on the same machine in the same run. A **ratio** is
ours to the peer's: below 1 we need less. Every number is the median of its repeats, which take turns, unless its table
says otherwise. "Growth" is the power of the size with which a time grows; it has no ratio.

This page is written by `.venv/bin/python benchmarks/run.py`, which took {minutes} minutes. Do not change it by hand.

- Machine: {machine}
- Load average at the start: {load}
- {libraries}
- In all comparisons NumPy and PyTorch compute on one core.

![{alt}]({picture})
"""
ALT = (
    "Every ratio as a dot on a logarithmic axis with a line at 1: {below} of {n} are below 1. The smallest is {least} "
    "({least_name}), the largest {most} ({most_name}). The tables below hold the same numbers."
)


def shown(number: float, digits: int = 3) -> str:
    """Return a number with so many digits that count, never as a power of ten."""
    return "–" if math.isnan(number) else f"{float(f'{number:.{digits}g}'):,.10g}"


def cells(row: Row) -> list[str]:
    """Return the row as it stands in the table."""
    factor, unit = scale(row)
    theirs = row.note if row.theirs is None else shown(row.theirs * factor)
    ratio = "–" if row.ratio is None else shown(row.ratio, 2)
    return [row.what, row.peer, row.size, shown(row.ours * factor), theirs, unit, ratio, str(row.repeats)]


def scale(row: Row) -> tuple[float, str]:
    """Return what to multiply a row's numbers with, and the unit that this gives."""
    if row.unit != "s" or math.isnan(row.ours):
        return 1, row.unit
    return next(pair for pair in ((1, "s"), (1e3, "ms"), (1e6, "µs")) if row.ours * pair[0] >= 1 or pair[0] == 1e6)


def is_above(row: Row) -> bool:
    """Tell whether the ratio, as it is shown, is above 1."""
    return row.ratio is not None and float(shown(row.ratio, 2).replace(",", "")) > 1


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def section(part: ModuleType, rows: Sequence[Row]) -> str:
    """Return a part's title, what it compares, its table, and why some ratios are above 1."""
    reasons: dict[str, list[str]] = {}
    for row in filter(is_above, rows):
        reasons.setdefault(row.why, []).append(f"{row.name}: {shown(row.ratio, 2)}")
    above = [f"- **{'; '.join(names)}.** {why}" for why, names in reasons.items()]
    return "\n\n".join(
        [f"## {part.TITLE}", part.ABOUT, table(rows), *(["Above 1:", "\n".join(above)] if above else [])]
    )


def write(measured: Measured, minutes: float, load: str, folder: Path) -> None:
    """Write RESULTS.md and its picture."""
    head = HEAD.format(
        minutes=shown(minutes, 2),
        machine=machine(),
        load=load,
        libraries=libraries(),
        alt=alt([row for rows in measured.values() for row in rows if row.ratio]),
        picture=PICTURE,
    )
    page = "\n\n".join([head.strip(), *(section(part, rows) for part, rows in measured.items())]) + "\n"
    (folder / RESULTS.name).write_text(page, encoding="utf-8", newline="\n")
    with rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        buffer = io.StringIO()
        picture(measured).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    lines = (line.rstrip() for line in buffer.getvalue().splitlines())
    (folder / PICTURE).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def machine() -> str:
    """Return processor, cores and system, without the machine's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = re.search(r"model name\s*: (.+)", text)
        name = model[1] if model else platform.processor()
    except OSError:
        name = platform.processor()
    return f"{name or platform.machine()}, {os.cpu_count()} cores, {platform.system()}"


def libraries() -> str:
    """Return the versions of Python, of what is compared, and of the compiler."""
    found = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} {NOT_INSTALLED}")
    compiler = shutil.which("gcc")
    printed = compiler and subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=True)
    return ", ".join([*found, f"gcc {printed.stdout.strip() if printed else NOT_INSTALLED}"])


def alt(rows: Sequence[Row]) -> str:
    """Return the picture in words."""
    least, most = min(rows, key=lambda row: row.ratio), max(rows, key=lambda row: row.ratio)
    return ALT.format(
        below=sum(row.ratio < 1 for row in rows),
        n=len(rows),
        least=shown(least.ratio, 2),
        least_name=least.name,
        most=shown(most.ratio, 2),
        most_name=most.name,
    )


def picture(measured: Measured) -> Figure:
    """Return a dot for every ratio on a log axis, part by part, with the line at 1."""
    parts = {part.TITLE: [row for row in rows if row.ratio] for part, rows in measured.items()}
    parts = {title: rows for title, rows in parts.items() if rows}
    heights = [len(rows) + 2 for rows in parts.values()]
    figure = Figure(figsize=(10, 0.21 * sum(heights) + 0.6), layout="constrained", facecolor="white")
    panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, rows) in zip(panels, parts.items(), strict=True):
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
        axes.axvline(1, color="black", linewidth=1)
        for place, row in enumerate(rows):
            colour, marker = (ORANGE, "D") if row.ratio > 1 else (BLUE, "o")
            axes.plot([row.ratio], [place], marker, color=colour, markersize=5)
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            axes.annotate(
                shown(row.ratio, 2), (row.ratio, place), (7, -3), textcoords="offset points", fontsize=7, bbox=ground
            )
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=7)
        axes.set(xscale="log", ylim=(len(rows) - 0.4, -0.6))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.margins(x=0.1)
        axes.grid(axis="x", alpha=0.3)
    figure.supxlabel("ours / the peer's: left of the line (dots) we need less, right of it (diamonds) more", fontsize=9)
    return figure


# What is written, read again ----------------------------------------------------------------------------------------


def read(path: Path = RESULTS) -> dict[str, dict[str, str]]:
    """Return every row of the tables by its name, as text by column."""
    lines = [line.strip("| ").split(" | ") for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines if line[0] not in ("---", COLUMNS[0])]
    return {f"{row['what']} / {row['peer']}": row for row in rows}


def quoted(name: str, column: str = "ratio", path: Path = RESULTS) -> str:
    """Return what RESULTS.md says about a row: its "ratio", or the numbers "ours" and "peer"."""
    return read(path)[name][QUOTES[column]]


def misquoted(text: str, path: Path = RESULTS) -> list[str]:
    """Return what a text quotes otherwise than RESULTS.md has it, or of rows that are not there."""
    found = read(path)
    return [
        f"{number} is not the {column} of {name}"
        for number, column, name in QUOTE.findall(text)
        if found.get(name, {}).get(QUOTES[column]) != number
    ]
