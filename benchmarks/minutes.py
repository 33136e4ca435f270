"""How many minutes each section of each notebook takes: `python benchmarks/minutes.py [--write | --measure]`.

The minutes are reckoned, not taken from people: for a first, careful reading in which every exercise and every task of
a lab is done. What is counted, and what each costs:

- words of the text, 175 a minute: the slow end of the range, 175 to 300, in which most adults read English non-fiction
  silently (M. Brysbaert, How many words do we read per minute?, Journal of Memory and Language 109, 2019). Our text is
  technical, and many of its readers learnt English as a second language;
- a formula in a line, 2 seconds, and one on a line of its own, 10;
- a line of code, 4 seconds, and a line of its result, 4;
- an exercise, 90 seconds, and a task in a lab's list, 120;
- the time that the cells of the section run, as measured on one machine by `--measure`: benchmarks/minutes.json.

Every cost but the first is our assumption. The sources at a notebook's end are not counted. `--write` puts the minutes
into the notebooks' openings, where they are the table of contents; a test keeps them up to date.
"""

import json
import re
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
RUNNING = ROOT / "benchmarks" / "minutes.json"  # {notebook: {section: seconds}}, a second or more
OPENING, NOT_COUNTED = "opening", "Sources"
WORDS_A_MINUTE = 175
FORMULA, DISPLAYED, CODE, RESULT, EXERCISE, TASK = 2, 10, 4, 4, 90, 120  # seconds
TIME = re.compile(r"\*\*Time\*\* about .+?(?=\n\n)", re.DOTALL)


class Section(NamedTuple):
    """A section's heading, the id of the cell that begins with it, and the seconds it takes, those of tasks apart."""

    heading: str
    cell: str
    seconds: float
    tasks: float

    @property
    def minutes(self) -> int:
        """Whole minutes, at least one."""
        return max(1, round((self.seconds + self.tasks) / 60))


def sections(path: Path) -> list[Section]:
    """Return what each section of a notebook takes."""
    running = json.loads(RUNNING.read_text(encoding="utf-8")).get(path.stem, {})
    found = reckon(nbformat.read(path, as_version=4))
    return [each._replace(seconds=each.seconds + running.get(each.heading, 0)) for each in found]


def reckon(notebook: nbformat.NotebookNode) -> list[Section]:
    """Return what each section takes without the time that its cells run. A section begins a cell."""
    found, before = [Section(OPENING, notebook.cells[0].id, 0, 0)], ""
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            found.append(Section(cell.source.partition("\n")[0].removeprefix("## "), cell.id, 0, 0))
        is_text, is_lab = cell.cell_type == "markdown", re.search(r"\w+Lab\(", cell.source)
        seconds = of_text(cell.source) if is_text else of_code(cell)
        tasks = TASK * len(re.findall(r"^\d+\. ", before, re.M)) if is_lab and not is_text else 0
        found[-1] = found[-1]._replace(seconds=found[-1].seconds + seconds, tasks=found[-1].tasks + tasks)
        before = cell.source if is_text else ""
    return [section for section in found if section.heading != NOT_COUNTED]


def of_text(text: str) -> float:
    """Return the seconds that it takes to read a text with its formulas."""
    text = re.sub(r"\]\([^)]*\)", "]", TIME.sub("", text))  # neither a link's address nor the paragraph on time is read
    text, displayed = re.subn(r"\$\$.+?\$\$", " ", text, flags=re.DOTALL)
    text, formulas = re.subn(r"\$.+?\$", " ", text, flags=re.DOTALL)
    return 60 * len(re.findall(r"\w[\w'-]*", text)) / WORDS_A_MINUTE + FORMULA * formulas + DISPLAYED * displayed


def of_code(cell: nbformat.NotebookNode) -> float:
    """Return the seconds that it takes to read a cell and its result, or to do its exercise."""
    if "exercises.ask(" in cell.source:
        return EXERCISE
    shown = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return CODE * len(cell.source.splitlines()) + RESULT * sum(len(text.splitlines()) for text in shown)


def totals(path: Path) -> tuple[int, int]:
    """Return the minutes of a whole notebook, and those without the tasks in the lab."""
    found = sections(path)
    seconds, tasks = (sum(getattr(section, part) for section in found) for part in ("seconds", "tasks"))
    return round((seconds + tasks) / 60), round(seconds / 60)


def time_line(path: Path) -> str:
    """Return the paragraph on time that belongs into a notebook's opening."""
    with_tasks, without = totals(path)
    shorter = f", {without} without the tasks in the lab" if without < with_tasks else ""
    opening, *others = sections(path)
    contents = (f"[{section.heading}](#cell-id={section.cell}) {section.minutes}" for section in others)
    return (
        f"**Time** about {with_tasks} minutes{shorter}: reckoned for a first, careful reading with every exercise. "
        f"Minutes by section: {OPENING} {opening.minutes} · {' · '.join(contents)}."
    )


def write(path: Path) -> None:
    """Put the paragraph on time into a notebook's opening."""
    notebook = nbformat.read(path, as_version=4)
    line = time_line(path)
    opening = opening_of(notebook)
    opening.source = TIME.sub(lambda _: line, opening.source)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")


def opening_of(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the cell that states the time; notebook 01 shows a lab before it."""
    [opening] = [cell for cell in notebook.cells[:3] if TIME.search(cell.source)]
    return opening


def measure(path: Path) -> dict[str, int]:
    """Run a notebook and return the whole seconds that each section's cells take, where it is one or more."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    heading, seconds = OPENING, Counter[str]()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            seconds[heading] += duration(cell)
        elif cell.source.startswith("## "):
            heading = cell.source.partition("\n")[0].removeprefix("## ")
    return {section: round(taken) for section, taken in seconds.items() if round(taken)}


def duration(cell: nbformat.NotebookNode) -> float:
    """Return how many seconds a cell ran."""
    started, ended = (
        datetime.fromisoformat(cell.metadata.execution[moment].replace("Z", "+00:00"))
        for moment in ("iopub.execute_input", "shell.execute_reply")
    )
    return (ended - started).total_seconds()


def main() -> None:
    if "--measure" in sys.argv:
        measured = {path.stem: measure(path) for path in LESSONS}
        RUNNING.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in LESSONS:
        if "--write" in sys.argv:
            write(path)
        with_tasks, without = totals(path)
        print(f"\n{path.stem}: {with_tasks} minutes, {without} without the tasks in the lab")
        for section in sections(path):
            print(f"{section.minutes:4}  {section.heading}")


if __name__ == "__main__":
    main()
