"""Arrays in files that nobody vouches for: nothing is unpickled, and never more is read than was asked for."""

import math
import reprlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from lesson_lib.gate import words

BATCH = 2**22  # bytes that are read at a time
WHOLE = 2**32  # bytes that may be read at once, where rows alone will not do


class FileError(ValueError):
    """A file that cannot be used; the message names it."""

    def __init__(self, file: str, problem: str, **what: Any) -> None:
        super().__init__(words.GATE_FILE.format(file=file, problem=words.GATE_PROBLEMS[problem].format(**what)))


Arrays = dict[str, Callable[..., Any]]


def open_arrays(path: str, files: ExitStack) -> Arrays:
    """Return what a .npy or .npz file holds, by name: functions that read an array, whole or `by_rows`, when called.

    Raises FileError, as they do, for anything else.
    """
    with _blaming(path):
        file = Path(path)
        if not file.is_file():
            raise FileError(path, "directory" if file.is_dir() else "not a file" if file.exists() else "missing")
        with file.open("rb") as stream:
            magic = stream.read(6)
        if magic == b"\x93NUMPY":
            return {"array": partial(_read, path, "array", lambda: file.open("rb"), file.stat().st_size, files)}
        if not magic.startswith(b"PK"):
            raise FileError(path, "format")
        archive = files.enter_context(zipfile.ZipFile(files.enter_context(file.open("rb"))))
        found: Arrays = {}
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in found:
                raise FileError(path, "twice", name=name)
            found[name] = partial(_read, path, name, partial(archive.open, info), info.file_size, files)
        return found


def _read(
    path: str, name: str, opened: Callable[[], IO[bytes]], size: int, files: ExitStack, by_rows: bool = False
) -> Any:
    """Read an array of a file with so many bytes; its header, which takes no more than 64 kB, may lie about them.

    `by_rows` gives batches of a few rows where they lie one behind the other, which saves memory.
    """
    with _blaming(path):
        stream = files.enter_context(opened())
        if npy.read_magic(stream) != (1, 0):  # later formats have longer headers, which no plain table needs
            raise FileError(path, "version", name=name)
        shape, columns_first, dtype = npy.read_array_header_1_0(stream)
        count, held = math.prod(shape), size - stream.tell()
        if dtype.hasobject:
            raise FileError(path, "objects")
        if count * dtype.itemsize != held:
            raise FileError(path, "size", name=name, claimed=count * dtype.itemsize, held=held)
    take = partial(_take, path, name, stream, dtype)
    width = shape[1] if len(shape) == 2 and not columns_first else 0
    if by_rows and held and 0 < width * dtype.itemsize <= BATCH:
        step = BATCH // (width * dtype.itemsize)
        return (take(min(step, shape[0] - first) * width).reshape(-1, width) for first in range(0, shape[0], step))
    if held > WHOLE:
        raise FileError(path, "large", name=name)
    return take(count).reshape(shape, order="F" if columns_first else "C")


def _take(path: str, name: str, stream: IO[bytes], dtype: np.dtype[Any], count: int) -> Any:
    """Read so many numbers on."""
    with _blaming(path):
        data = stream.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise FileError(path, "cut", name=name)
    return np.frombuffer(data, dtype)


def pick(path: str, arrays: Arrays, name: str, by_rows: bool = False) -> Any:
    """Read the array of that name, or else the only one."""
    others = [other for other in arrays if other not in ("labels", "outgoing")] if name not in arrays else [name]
    if len(others) != 1:
        raise FileError(path, "which", name=name, names=reprlib.repr([*arrays]) if arrays else "nothing")
    return arrays[others[0]](by_rows=by_rows)


@contextmanager
def _blaming(path: str) -> Iterator[None]:
    """Say of whatever fails here that this file cannot be read: a hostile or damaged one can fail in any way."""
    try:
        yield
    except FileError:
        raise
    except Exception as error:
        raise FileError(path, "unreadable", error=str(error) or type(error).__name__) from error
