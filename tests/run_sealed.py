"""Run the code of a notebook under a seal: `python tests/run_sealed.py NOTEBOOK FOLDER`.

Python tells an audit hook of each of these deeds before it is done. Whatever would reach a network, start a program,
load a pickle, or write outside FOLDER fails and is printed, and the exit status is 1 even if the code went on.
"""

import contextlib
import io
import os
import platform
import sys
from pathlib import Path
from typing import Any

NETWORK = {"connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo"}
PROGRAMS = {"system", "exec", "fork", "forkpty", "posix_spawn", "spawn", "startfile"}
FORBIDDEN = {f"socket.{name}" for name in NETWORK} | {f"os.{name}" for name in PROGRAMS}
FORBIDDEN |= {"subprocess.Popen", "urllib.Request", "http.client.connect", "webbrowser.open", "pickle.find_class"}
CHANGES = {f"os.{name}" for name in ("remove", "rename", "mkdir", "rmdir", "link", "symlink", "truncate", "chmod")}
CHANGES |= {"sqlite3.connect"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def seal(folder: Path) -> list[str]:
    """Close this process for good; return the list into which forbidden deeds will be written."""
    broken: list[str] = []

    def allowed(path: Any) -> bool:
        if isinstance(path, int) or path == os.devnull:  # a number stands for a file that is open already
            return True
        return Path(os.fsdecode(path)).resolve().is_relative_to(folder)

    def is_forbidden(event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "socket.bind":
            return arguments[1][0] not in ("127.0.0.1", "::1")  # a library asks whether there is IPv6
        if event == "open":
            return bool(arguments[2] & WRITES) and not allowed(arguments[0])
        paths = arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]
        return event in FORBIDDEN or (event in CHANGES and not all(map(allowed, paths)))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if is_forbidden(event, arguments):
            broken.append(f"{event} {arguments!r:.200}")
            raise PermissionError(f"sealed: {broken[-1]}")

    sys.addaudithook(watch)
    return broken


def run(notebook: Path, folder: Path) -> int:
    """Run the cells one after the other and return how many there were; an error in a cell is raised."""
    import matplotlib.font_manager  # noqa: F401  its list of fonts may be made, and kept, at a first import
    import nbformat
    import numpy.testing  # noqa: F401  NumPy 2.0 starts a program at its first import; SciPy imports it
    from IPython.core.interactiveshell import InteractiveShell

    platform.processor()  # starts a program at a first call; PyTorch asks
    cells = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    os.chdir(notebook.parent)
    broken = seal(folder.resolve())
    shell = InteractiveShell()
    for cell in cells:
        with contextlib.redirect_stdout(io.StringIO()):
            done = shell.run_cell(cell)
        if not broken:
            done.raise_error()
    if broken:
        sys.exit("\n".join(["the seal is broken:", *broken]))
    return len(cells)


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), Path(sys.argv[2])), "cells ran")
