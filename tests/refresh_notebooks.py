"""Run every notebook and store its outputs, the same to the byte each time: `python tests/refresh_notebooks.py`."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LIVE = "application/vnd.jupyter.widget-view+json"  # points into a kernel that is gone when the file is read


def refresh(path: Path) -> str:
    """Return the notebook's text with fresh outputs, without anything that differs from run to run."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data.pop(LIVE, None)
    return nbformat.writes(notebook) + "\n"


def main() -> None:
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # keeps the debugger's advice off the terminal
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        path.write_text(refresh(path), encoding="utf-8", newline="\n")
        print(f"refreshed {path.name}")


if __name__ == "__main__":
    main()
