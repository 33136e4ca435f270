"""Run every notebook as on Binder, and open in Lab the page that the badge names; `.ci/binder` calls this."""

import re
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import ProxyHandler, Request, build_opener

import nbformat
from labserver import jupyter_server
from nbclient.exceptions import CellExecutionError
from refresh_notebooks import NOTEBOOKS, refresh

ROOT = Path(__file__).parents[1]
TOO_LARGE = ["torch", "keras"]  # Binder does without, and the notebook about them stops and says so


def badge_path(readme: str) -> str:
    """Return the path, seen from the server's address, that the README's badge opens."""
    [path] = re.findall(r"^\[binder\]: \S+[?&]urlpath=([^&\s]+)$", readme, flags=re.MULTILINE)
    return unquote(path)


def changed(committed: list[Any], fresh: list[Any]) -> list[str]:
    """Return the source of each cell that now shows something else."""
    return [was.source for was, now in zip(committed, fresh, strict=True) if was != now]


def rehearse(path: Path) -> str:
    """Run a notebook and tell how it ends; fail unless it shows what is committed or lacks what Binder lacks."""
    try:
        fresh = nbformat.reads(refresh(path), as_version=4)
    except CellExecutionError as stop:
        if stop.ename != "SystemExit" or f"Not installed: {' '.join(TOO_LARGE)}\n" not in str(stop):
            raise
        return f"stops, and says that it needs {' and '.join(TOO_LARGE)}"
    different = changed(nbformat.read(path, as_version=4).cells, fresh.cells)
    if different:
        sys.exit("\n\n".join([f"{path.name} shows something else than is committed in:", *different]))
    return "shows what is committed"


def open_badge() -> None:
    """Start Lab in the repository as Binder does, and fail unless it has the badge's page and notebook."""
    page = badge_path((ROOT / "README.md").read_text(encoding="utf-8"))
    start = time.monotonic()
    with jupyter_server(ROOT) as server:
        print(f"Lab answers after {time.monotonic() - start:.1f} s.")
        for address in (page, page.replace("lab/tree/", "api/contents/", 1)):
            request = Request(server.url + address, headers={"Authorization": f"token {server.token}"})
            with build_opener(ProxyHandler({})).open(request) as answer:  # fails on 4xx and 5xx
                print(f"{answer.status} /{address}")


def main() -> None:
    """Check what is installed, then the notebooks, then the page."""
    unwanted = [name for name in TOO_LARGE if find_spec(name)]
    if unwanted:
        sys.exit(f"Binder would install {unwanted}")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        start = time.monotonic()
        print(f"{path.name} {rehearse(path)} ({time.monotonic() - start:.0f} s)", flush=True)
    open_badge()


if __name__ == "__main__":
    main()
