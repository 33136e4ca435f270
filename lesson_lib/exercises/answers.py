"""What a learner did, kept in one small file of the learner's own: tries, hints, solutions seen, and labs as left."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lesson_lib.exercises import words
from lesson_lib.tables import replace_file

NAME, VARIABLE = "my_answers.json", "LESSON_ANSWERS"
FORMAT, MOST_BYTES, MOST_CHARACTERS = 1, 5_000_000, 300
STALE, PATIENCE = 5.0, 10.0  # seconds: a lock this old has lost its owner; how long one waits for it


@dataclass(frozen=True)
class Try:
    """One answer that could be read: what was typed or chosen, whether it was right, and when."""

    answer: str
    right: bool
    at: str


@dataclass(frozen=True)
class Record:
    """All that was done with one question; `solution_after` is how many tries came before a look at the solution."""

    tries: Sequence[Try] = ()
    hints: int = 0
    solution_after: int | None = None

    @property
    def own(self) -> Sequence[Try]:
        """The tries before the solution was seen."""
        return self.tries[: self.solution_after]

    @property
    def right(self) -> bool:
        """Whether an own try was right."""
        return any(each.right for each in self.own)

    @property
    def right_at_first(self) -> bool:
        """Whether the very first try was right, before the solution was seen."""
        return bool(self.own) and self.own[0].right

    def tried(self, answer: str, right: bool) -> "Record":
        """Return the record with one more try; the same answer twice in a row is one."""
        answer = answer[:MOST_CHARACTERS]
        if self.tries and self.tries[-1].answer == answer:
            return self
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return replace(self, tries=(*self.tries, Try(answer, right, now)))

    def hinted(self, count: int) -> "Record":
        """Return the record with this many hints seen."""
        return replace(self, hints=max(self.hints, count))

    def shown(self) -> "Record":
        """Return the record with the solution seen; when it was first seen counts."""
        return self if self.solution_after is not None else replace(self, solution_after=len(self.tries))


@dataclass(frozen=True)
class Kept:
    """All that a file holds: the records by the names of the questions, and the presets of the labs by their cells."""

    answers: dict[str, Record]
    labs: dict[str, str]


Change = Callable[[Kept], Any]


class Answers:
    """The records of all questions, and how labs were left, kept in a file if there is a path, and in memory anyhow.

    Each change reads the file again and replaces it whole, behind a lock, so that two notebooks lose nothing. A file
    that cannot be read is set aside. What cannot be written waits for the next change. Nothing is raised.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.kept = path, Kept({}, {})
        self.problem = self.set_aside = ""
        self._waiting: list[Change] = []  # what could not be written yet
        self._synchronise()

    def change(self, name: str, change: Callable[[Record], Record]) -> Record:
        """Change the record of one question, here and in the file, and return it."""
        self._synchronise(lambda kept: kept.answers.update({name: change(kept.answers.get(name, Record()))}))
        return self.records[name]

    def leave(self, lab: str, preset: str) -> None:
        """Note how a lab was left, here and in the file."""
        self._synchronise(lambda kept: kept.labs.update({lab: preset}))

    def forget(self, names: Sequence[str]) -> None:
        """Forget the records of some questions, here and in the file."""
        self._synchronise(lambda kept: [kept.answers.pop(name, None) for name in names])

    @property
    def records(self) -> dict[str, Record]:
        """The records of the questions by name."""
        return self.kept.answers

    @property
    def place(self) -> str:
        """Where the answers are, in words, and what went wrong, if anything."""
        where = words.KEPT.format(path=self.path) if self.path else words.NOT_KEPT
        return " ".join(filter(None, (where, self.set_aside, self.problem)))

    def _synchronise(self, *changes: Change) -> None:
        """Read the file again, apply the changes to what it holds, and write it; without a change only read."""
        try:
            if self.path:
                with locked(self.path) if changes else nullcontext():
                    kept = self._read(self.path)
                    for change in (*self._waiting, *changes):
                        change(kept)
                    if changes:
                        write_answers(self.path, kept)
                self.kept, self.problem, self._waiting = kept, "", []
                return
        except OSError as error:  # a folder that may not be written, a full disk: the page goes on without
            self._waiting += changes
            self.problem = words.CANNOT_KEEP.format(problem=error.strerror or error)
        for change in changes:
            change(self.kept)

    def _read(self, path: Path) -> Kept:
        """Return what the file holds; a damaged one is set aside, and what this kernel knows begins the new one."""
        try:
            return read_file(path)
        except FileNotFoundError:
            pass  # the first answer, or a file that was taken away
        except ValueError as error:
            aside = path.with_name(f"{path.stem}.damaged-{datetime.now():%Y%m%d-%H%M%S-%f}{path.suffix}")
            path.replace(aside)
            self.set_aside = words.SET_ASIDE.format(problem=error, name=aside.name)
        return deepcopy(self.kept)


def own_file() -> Path | None:
    """Return where the learner's answers are kept: beside the notebook, unless a variable names a file, or none."""
    named = os.environ.get(VARIABLE, NAME)
    return Path(named).absolute() if named else None


def read_file(path: Path) -> Kept:
    """Return all that a file of answers holds; raises ValueError, saying what is wrong, and OSError."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(words.TOO_LARGE)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise ValueError(words.NO_JSON) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("answers"), dict):
        raise ValueError(words.NO_ANSWERS)
    labs = found.get("labs", {})
    if not isinstance(labs, dict) or not all(isinstance(preset, str) for preset in labs.values()):
        raise ValueError(words.BAD_RECORD.format(name="labs"))
    return Kept({name: _record(name, entry) for name, entry in found["answers"].items()}, labs)


def _record(name: str, entry: Any) -> Record:
    match entry:
        case {"tries": [*tries], "hints": int(hints), "solution_after": int() | None as after}:
            if 0 <= (after or 0) <= len(tries) and all(map(_is_try, tries)):
                return Record(tuple(Try(**each) for each in tries), hints, after)
    raise ValueError(words.BAD_RECORD.format(name=name[:60]))


def _is_try(entry: Any) -> bool:
    return isinstance(entry, dict) and {name: type(value) for name, value in entry.items()} == Try.__annotations__


def write_answers(path: Path, kept: Kept) -> None:
    """Replace the file by one with this in it, all at once: whoever reads sees the old one or the new one."""
    replace_file(path, json.dumps({"format": FORMAT, **asdict(kept)}, indent=1))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one kernel at a time change the file; raises OSError if another holds it for too long."""
    lock, until = path.with_name(f".{path.name}.lock"), time.monotonic() + PATIENCE
    while True:
        with suppress(FileExistsError):
            lock.touch(exist_ok=False)
            break
        if time.monotonic() > until:
            raise OSError(words.BUSY)
        with suppress(FileNotFoundError):
            if time.time() - lock.stat().st_mtime > STALE:
                lock.unlink()
        time.sleep(0.01)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
