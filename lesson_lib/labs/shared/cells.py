"""What each cell shows: when it is run again, what it showed before is closed, unless another cell shows it too."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import ipywidgets as widgets
from IPython import get_ipython


class OnPage(Protocol):
    """A lab, an exercise, or a line of progress, and the box that shows it."""

    box: widgets.Box

    @property
    def beside(self) -> Iterable[widgets.Widget]:
        """Return the controls that may stand outside the box."""


# By cell: the run that showed something there, and what. A page that names no cell, unlike JupyterLab, closes nothing.
ON_SHOW: dict[Any, tuple[str, list[OnPage]]] = {}


def take_place(shown: OnPage) -> None:
    """Note that the cell that runs shows this, open it if it was closed, and close what was there before."""
    for part in _parts(shown.box, *shown.beside):
        if part.comm is None:  # with the values that it has, under the name that it had
            part.open()
            del part._repr_mimebundle_  # which closing put over that of the class
    shell, parent, cell = get_ipython(), _parent(), running_cell()
    if cell is None:
        return
    place, run = (parent["header"]["session"], cell), parent["header"]["msg_id"]
    run_before, before = ON_SHOW.get(place, (run, []))
    ON_SHOW[place] = run, [*(before if run == run_before else ()), shown]
    for old in before:
        if not any(old in others for _, others in ON_SHOW.values()):
            _close(old, shell)


def running_cell() -> str | None:
    """Return the name of the cell that runs, if the page gives one."""
    cell: str | None = _parent().get("metadata", {}).get("cellId")
    return cell


def _parent() -> dict[str, Any]:
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    return parent


def _close(old: OnPage, shell: Any) -> None:
    """Close all widgets, and take it out of the history of outputs; a variable keeps it, and can show it again."""
    for part in _parts(old.box, *old.beside):
        part.close()
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
