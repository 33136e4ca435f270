"""Close a Python off from the rest of the computer: the kernel in which nbval runs a notebook calls `seal`.

Python tells an audit hook of each of these deeds before it is done. Whatever would reach a network, start a program,
load a pickle, or write outside a folder fails, and is written down even if the code goes on.
"""

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
WATCHED = FORBIDDEN | CHANGES | {"open", "socket.bind"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def seal(folder: str, report: str) -> None:
    """Close this process for good: it writes into the folder only, and each forbidden deed is a line of the report."""
    import matplotlib.font_manager  # noqa: F401  its list of fonts may be made, and kept, at a first import
    import numpy.testing  # noqa: F401  NumPy 2.0 starts a program at its first import; SciPy imports it

    platform.processor()  # starts a program at a first call; PyTorch asks
    home = Path(folder).resolve()
    broken = Path(report).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115  open as long as the process lives

    def allowed(path: Any) -> bool:
        if isinstance(path, int) or path == os.devnull:  # a number stands for a file that is open already
            return True
        return Path(os.fsdecode(path)).resolve().is_relative_to(home)

    def is_forbidden(event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "socket.bind":
            return arguments[1][0] not in ("127.0.0.1", "::1")  # a library asks whether there is IPv6
        if event == "open":
            return bool(arguments[2] & WRITES) and not allowed(arguments[0])
        paths = arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]
        return event in FORBIDDEN or (event in CHANGES and not all(map(allowed, paths)))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in WATCHED and is_forbidden(event, arguments):  # Python tells of very many others
            deed = f"{event} {arguments!r:.200}".replace("\n", " ")
            broken.write(f"{deed}\n")
            raise PermissionError(f"sealed: {deed}")

    sys.addaudithook(watch)
