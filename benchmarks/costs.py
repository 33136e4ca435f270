"""What the notebooks and the imports cost: time and peak memory, next to the libraries alone."""

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from memory import PEAK
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook
from rows import NOT_INSTALLED, Row

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
TITLE = "Notebooks and imports"
ABOUT = (
    "Each notebook runs from the start of a fresh kernel to its last cell; the memory is the kernel's peak. The peer "
    "is a fresh kernel that imports the libraries which the notebook has loaded at its end, and does nothing with "
    "them. Every import runs in a process of its own; a lab's libraries are NumPy, SymPy, Matplotlib, ipywidgets and "
    "anywidget."
)
IMPORTS = "its libraries alone"
WHY = {
    "time": "The difference to its libraries is what the notebook computes and draws. A learner spreads it over half "
    "an hour.",
    "memory": "The difference to its libraries is what the notebook computes, draws and keeps for its sliders. It is "
    "given back with the kernel.",
    "module": "The module imports NumPy, and then its own few hundred lines. Nothing else is loaded.",
    "lab": "A lab loads all its libraries, so that one of them alone is always quicker. They are loaded once, by the "
    "notebook's first cell.",
}
LIBRARIES = (
    "numpy",
    "sympy",
    "matplotlib.figure",
    "ipywidgets",
    "anywidget",
    "scipy.stats",
    "sklearn.neural_network",
    "torch",
    "keras",
)
KERAS = "import os; os.environ['KERAS_BACKEND'] = 'torch'"
LOADED = f"import sys; print(*(name for name in {LIBRARIES} if name in sys.modules))"
IMPORT = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
OURS = {  # what we import, and beside what
    "import lesson_lib": {"numpy": "numpy"},
    "import lesson_lib.network": {"numpy": "numpy"},
    "from lesson_lib.labs import TriggerLab": {
        "sympy": "sympy",
        "matplotlib.pyplot": "matplotlib.pyplot",
        IMPORTS: "numpy, sympy, matplotlib.figure, ipywidgets, anywidget",
    },
}


class Size(NamedTuple):
    """The notebooks, and how often everything runs."""

    notebooks: tuple[Path, ...] = tuple(sorted(NOTEBOOKS.glob("0*.ipynb")))
    repeats: int = 1
    imports: int = 5


TINY = Size(notebooks=Size().notebooks[:1], repeats=1, imports=1)


class Ran(NamedTuple):
    """A notebook's seconds, its kernel's peak memory in MB, and the libraries that it loaded."""

    seconds: float
    megabytes: float
    libraries: tuple[str, ...]


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    rows = [f"notebook {path.stem[:2]}, {what} / {IMPORTS}" for path in size.notebooks for what in ("time", "memory")]
    return rows + [f"{ours} / {peer}" for ours, peers in OURS.items() for peer in peers]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield time and memory of every notebook, then the imports."""
    for path in size.notebooks:
        yield from of_notebook(path, size.repeats)
    yield from of_imports(size.imports)


def of_notebook(path: Path, repeats: int) -> Iterator[Row]:
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    note, ours, alone = "", [], []
    try:
        for _ in range(repeats):
            ours.append(run(cells))
            alone.append(run([KERAS, *(f"import {name}" for name in ours[0].libraries)]))
    except CellExecutionError as error:
        if ours or error.ename not in ("ImportError", "ModuleNotFoundError"):
            raise
        note = NOT_INSTALLED
    for field, (what, unit) in enumerate((("time", "s"), ("memory", "MB"))):
        mine = statistics.median(one[field] for one in ours) if ours else math.nan
        theirs = statistics.median(one[field] for one in alone) if alone else None
        name, size = f"notebook {path.stem[:2]}, {what}", f"{len(cells)} cells"
        yield Row(name, IMPORTS, size, mine, theirs, unit, repeats, WHY[what], note)


def run(cells: Sequence[str]) -> Ran:
    """Run code cells in a fresh kernel."""
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # keeps the debugger's advice off the terminal
    notebook = new_notebook(cells=[new_code_cell(source) for source in [*cells, LOADED, PEAK]])
    quiet = ["--log-level=ERROR"]
    where = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(notebook, kernel_name="python3", extra_arguments=quiet, resources=where)
    start = time.perf_counter()
    client.execute()
    took = time.perf_counter() - start
    libraries, peak = (printed(cell) for cell in notebook.cells[-2:])
    return Ran(took, float(peak), tuple(libraries.split()))


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def of_imports(repeats: int) -> Iterator[Row]:
    """Import each module in fresh processes, taking turns."""
    statements = {*OURS, *(f"import {libraries}" for peers in OURS.values() for libraries in peers.values())}
    times: dict[str, list[float]] = {statement: [] for statement in sorted(statements)}
    for _ in range(repeats):
        for statement, found in times.items():
            done = subprocess.run(
                [sys.executable, "-c", IMPORT.format(statement)], capture_output=True, text=True, check=True
            )
            found.append(float(done.stdout))
    median = {statement: statistics.median(found) for statement, found in times.items()}
    for ours, peers in OURS.items():
        for peer, libraries in peers.items():
            why = WHY["lab" if "labs" in ours else "module"]
            yield Row(ours, peer, "fresh process", median[ours], median[f"import {libraries}"], "s", repeats, why)
