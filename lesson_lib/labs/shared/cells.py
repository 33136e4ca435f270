"""What each cell shows: run again, it closes what it showed before; in a new kernel, a lab is there as it was left."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as widgets
from IPython import get_ipython

from lesson_lib.exercises.answers import Answers, own_file

# By cell: the run that showed something there, and what. A page that names no cell, unlike JupyterLab, closes nothing.
ON_SHOW: dict[Any, tuple[str, list[Any]]] = {}
SECONDS = 0.5  # from the last move of a lab until it is noted


def take_place(shown: Any) -> None:
    """Note that the cell that runs shows this, open it if it was closed, and close what was there before.

    What is shown has a `box`, and may have in `beside` the controls that stand outside the box.
    """
    for part in _parts(shown.box, *getattr(shown, "beside", ())):
        if part.comm is None:  # with the values that it has, under the name that it had
            part.open()
            del part._repr_mimebundle_  # which closing put over that of the class
    if (cell := running_cell()) is None:
        return
    header = _parent()["header"]
    place, run = (header["session"], cell), header["msg_id"]
    run_before, before = ON_SHOW.get(place, (run, []))
    ON_SHOW[place] = run, [*(before if run == run_before else ()), shown]
    for old in before:
        if not any(old in others for _, others in ON_SHOW.values()):
            _close(old)


def running_cell() -> Any:
    """Return the name of the cell that runs, or None if the page gives none."""
    return _parent().get("metadata", {}).get("cellId")


def _parent() -> Any:
    return getattr(get_ipython(), "get_parent", dict)()


def _close(old: Any) -> None:
    """Close all widgets, and take it out of the history of outputs; a variable keeps it, and can show it again."""
    for part in _parts(old.box, *getattr(old, "beside", ())):
        part.close()
    shell: Any = get_ipython()
    for names in (shell.user_ns.get("_oh", {}), shell.user_ns, shell.user_ns_hidden):
        for name in [name for name, value in names.items() if value is old and str(name).strip("_").isdigit()]:
            del names[name]


def _parts(*roots: widgets.Widget) -> Iterator[widgets.Widget]:
    """Yield all that widgets are made of, each after its own parts."""
    for root in roots:
        for value in map(root.trait_values().get, root.keys):
            found = value if isinstance(value, list | tuple) else (value,)
            yield from _parts(*(part for part in found if isinstance(part, widgets.Widget)))
        yield root


@cache
def _answers() -> Answers:
    return Answers(own_file())


class Place:
    """The cell that shows a lab, in the learner's own file. A page that names no cell keeps nothing."""

    shown: ClassVar[set[str]] = set()  # in this kernel: a cell that is run again begins anew
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, cell: str | None = None) -> None:
        self.name = f"{Path(os.environ.get('JPY_SESSION_NAME', '')).stem} {cell}" if cell else ""

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
