"""Arrays in files that nobody vouches for: nothing is unpickled, and never more is read than was asked for."""

import math
import reprlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class Stored:
    """An array in a file, of which no more than the header has been read: the stream is at the first number."""

    file: str
    name: str
    stream: IO[bytes]
    shape: tuple[int, ...]
    columns_first: bool
    dtype: np.dtype[Any]

    def rows(self) -> Any:
        """Return what holds the rows: batches of a few where they lie one behind the other, or else the whole array."""
        by_rows = len(self.shape) == 2 and 0 not in self.shape and not self.columns_first
        return self._batches() if by_rows and self.shape[1] * self.dtype.itemsize <= BATCH else self.whole()

    def whole(self) -> Any:
        """Return the array; raises FileError for one that is too large to be read at once."""
        count = math.prod(self.shape)
        if count * self.dtype.itemsize > WHOLE:
            raise FileError(self.file, "large", name=self.name)
        return self._read(count).reshape(self.shape, order="F" if self.columns_first else "C")

    def _batches(self) -> Iterator[Any]:
        n, width = self.shape
        step = BATCH // (width * self.dtype.itemsize)
        for first in range(0, n, step):
            yield self._read(min(step, n - first) * width).reshape(-1, width)

    def _read(self, count: int) -> Any:
        size = count * self.dtype.itemsize
        with _blaming(self.file):
            data = self.stream.read(size)
        if len(data) != size:
            raise FileError(self.file, "cut", name=self.name)
        return np.frombuffer(data, self.dtype)


Arrays = dict[str, Callable[[], Stored]]


def open_arrays(path: str, files: ExitStack) -> Arrays:
    """Return what a .npy or .npz file holds, by name, each array opened when it is asked for.

    Raises FileError for anything else.
    """
    with _blaming(path):
        file = Path(path)
        if not file.is_file():
            raise FileError(path, "directory" if file.is_dir() else "not a file" if file.exists() else "missing")
        with file.open("rb") as stream:
            magic = stream.read(6)
        if magic == b"\x93NUMPY":
            return {"array": partial(_open, path, "array", lambda: file.open("rb"), file.stat().st_size, files)}
        if not magic.startswith(b"PK"):
            raise FileError(path, "format")
        archive = files.enter_context(zipfile.ZipFile(files.enter_context(file.open("rb"))))
        found: Arrays = {}
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in found:
                raise FileError(path, "twice", name=name)
            found[name] = partial(_open, path, name, partial(archive.open, info), info.file_size, files)
        return found


def _open(path: str, name: str, opened: Callable[[], IO[bytes]], size: int, files: ExitStack) -> Stored:
    """Open an array of a file with so many bytes; its header, which takes no more than 64 kB, may lie about them."""
    with _blaming(path):
        stream = files.enter_context(opened())
        if npy.read_magic(stream) != (1, 0):  # later formats have longer headers, which no plain table needs
            raise FileError(path, "version", name=name)
        shape, columns_first, dtype = npy.read_array_header_1_0(stream)
        claimed, held = math.prod(shape) * dtype.itemsize, size - stream.tell()
        if dtype.hasobject:
            raise FileError(path, "objects")
        if claimed != held:
            raise FileError(path, "size", name=name, claimed=claimed, held=held)
    return Stored(path, name, stream, shape, columns_first, dtype)


def pick(path: str, arrays: Arrays, name: str) -> Stored:
    """Return the array of that name, or else the only one."""
    others = [other for other in arrays if other not in ("labels", "outgoing")] if name not in arrays else [name]
    if len(others) != 1:
        raise FileError(path, "which", name=name, names=reprlib.repr([*arrays]) if arrays else "nothing")
    return arrays[others[0]]()


@contextmanager
def _blaming(path: str) -> Iterator[None]:
    """Say of whatever fails here that this file cannot be read: a hostile or damaged one can fail in any way."""
    try:
        yield
    except FileError:
        raise
    except Exception as error:
        raise FileError(path, "unreadable", error=str(error) or type(error).__name__) from error
