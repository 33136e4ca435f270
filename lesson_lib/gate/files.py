"""Arrays in files that nobody vouches for: nothing is unpickled, and never more is read than was asked for."""

import math
import reprlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Stored:
    """An array in a file: called, it is read whole; in a loop, a few rows at a time, as often as they are asked for."""

    path: str
    name: str
    opened: Callable[[], IO[bytes]]
    size: int
    shape: tuple[int, ...] = ()  # once known

    def __call__(self, by_rows: bool = False) -> Any:
        """Return the array, or, with `by_rows`, what reads its rows, where they lie one behind the other."""
        with _blaming(self.path), self.opened() as stream:
            shape, columns_first, dtype, held = self._header(stream)
            width = shape[1] if len(shape) == 2 and not columns_first else 0
            if by_rows and held and 0 < width * dtype.itemsize <= BATCH:
                return replace(self, shape=shape)
            if held > WHOLE:
                raise FileError(self.path, "large", name=self.name)
            return self._take(stream, dtype, math.prod(shape)).reshape(shape, order="F" if columns_first else "C")

    def __iter__(self) -> Iterator[Any]:
        with _blaming(self.path), self.opened() as stream:
            shape, _, dtype, _ = self._header(stream)
            if shape != self.shape:
                raise FileError(self.path, "changed", name=self.name)
            step = BATCH // (shape[1] * dtype.itemsize)
            for first in range(0, shape[0], step):
                n = min(step, shape[0] - first)
                yield self._take(stream, dtype, n * shape[1]).reshape(n, shape[1])

    def _header(self, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
        """Read a header, which takes no more than 64 kB and may lie: shape, order, type, and how many bytes follow."""
        if npy.read_magic(stream) != (1, 0):  # later formats have longer headers, which no plain table needs
            raise FileError(self.path, "version", name=self.name)
        shape, columns_first, dtype = npy.read_array_header_1_0(stream)
        claimed, held = math.prod(shape) * dtype.itemsize, self.size - stream.tell()
        if dtype.hasobject:
            raise FileError(self.path, "objects")
        if claimed != held:
            raise FileError(self.path, "size", name=self.name, claimed=claimed, held=held)
        return shape, columns_first, dtype, held

    def _take(self, stream: IO[bytes], dtype: np.dtype[Any], count: int) -> Any:
        data = stream.read(count * dtype.itemsize)
        if len(data) != count * dtype.itemsize:
            raise FileError(self.path, "cut", name=self.name)
        return np.frombuffer(data, dtype)


def open_arrays(path: str, files: ExitStack) -> dict[str, Stored]:
    """Return what a .npy or .npz file holds, by name; raises FileError, as reading it does, for anything else."""
    with _blaming(path):
        file = Path(path)
        if not file.is_file():
            raise FileError(path, "directory" if file.is_dir() else "not a file" if file.exists() else "missing")
        stream = files.enter_context(file.open("rb"))
        magic = stream.read(6)
        if magic == b"\x93NUMPY":
            return {"array": Stored(path, "array", lambda: file.open("rb"), file.stat().st_size)}
        if not magic.startswith(b"PK"):
            raise FileError(path, "format")
        archive = files.enter_context(zipfile.ZipFile(stream))
        found: dict[str, Stored] = {}
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in found:
                raise FileError(path, "twice", name=name)
            found[name] = Stored(path, name, partial(archive.open, info), info.file_size)
        return found


def pick(path: str, arrays: dict[str, Stored], name: str, by_rows: bool = False) -> Any:
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
