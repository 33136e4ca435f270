"""How a lab was left, in the learner's own file: a new kernel that shows it brings that back."""

import asyncio
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import ClassVar

from lesson_lib.exercises.answers import Answers, own_file

SECONDS = 0.5  # from the last move until it is noted


@cache
def _answers() -> Answers:
    return Answers(own_file())


class Place:
    """The cell that shows a lab. A page that names no cell, unlike JupyterLab, keeps nothing."""

    shown: ClassVar[set[str]] = set()  # in this kernel: a cell that is run again begins anew

    def __init__(self, cell: str | None) -> None:
        notebook = Path(os.environ.get("JPY_SESSION_NAME", "")).stem
        self.name = f"{notebook} {cell}" if cell else ""
        self._timer: asyncio.TimerHandle | None = None

    def left(self) -> str | None:
        """Return the preset that was kept here by an earlier kernel, if there is one."""
        is_first = self.name and self.name not in self.shown
        self.shown.add(self.name)
        return _answers().kept.labs.get(self.name) if is_first else None

    def keep(self, preset: str) -> None:
        """Keep a preset, once the lab comes to rest."""
        if self._timer:
            self._timer.cancel()
        if self.name:
            with suppress(RuntimeError):  # of a program, in which no loop runs
                self._timer = asyncio.get_running_loop().call_later(SECONDS, _answers().leave, self.name, preset)
