"""Run every notebook and store its outputs, the same to the byte each time: `python tests/refresh_notebooks.py`."""

import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LIVE = "application/vnd.jupyter.widget-view+json"  # points into a kernel that is gone when the file is read


def joined(outputs: list[Any]) -> list[Any]:
    """Join printed text that comes in pieces: where it is cut is a matter of chance."""
    kept: list[Any] = []
    for output in outputs:
        if kept and output.output_type == "stream" == kept[-1].output_type and output.name == kept[-1].name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def refresh(path: Path) -> str:
    """Return the notebook's text with fresh outputs, whatever has been answered in it."""
    os.environ["LESSON_ANSWERS"] = ""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return stored(notebook)


def stored(notebook: Any) -> str:
    """Return the text of a notebook that has been run, without anything that differs from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = [output for output in joined(cell.outputs) if LIVE not in output.get("data", {})]
    return nbformat.writes(notebook) + "\n"


def main() -> None:
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # keeps the debugger's advice off the terminal
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        path.write_text(refresh(path), encoding="utf-8", newline="\n")
        print(f"refreshed {path.name}")


if __name__ == "__main__":
    main()
