"""A copy of a notebook in which jupyterlab-slideshow shows the slides of the deck, with labs that live."""

from collections.abc import Iterator
from itertools import groupby

from nbformat import NotebookNode
from presenting.slides import Slide, cut

STYLES = "@deathbeds/jupyterlab-fonts"  # the extension that comes along with jupyterlab-slideshow
LARGE = {
    ".jp-MarkdownCell": {"zoom": "1.6"},
    ".jp-CodeCell": {"zoom": "1.3"},
    ".jp-CodeCell:has(.jupyter-widgets svg.by-hand-picture)": {"zoom": "1"},  # a lab grows with the window
    ".jp-Collapser, & .jp-InputPlaceholder": {"display": "none"},
}
WITHOUT_SOURCE = {"question", "lab"}


def live(notebook: NotebookNode) -> NotebookNode:
    """Return a copy whose cells are those of the slides; what no slide shows is hidden, and runs like the others."""
    slides = cut(notebook.cells)
    codes = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    # Where a cell's last output is: what was asked for a prediction stands before the code that answers.
    homes = {piece.id: number for number, slide in enumerate(slides) for piece in slide.cells if piece.id in codes}
    shown = [list(_cells(slide, codes, homes, number)) for number, slide in enumerate(slides)]
    cells = list(_with_hidden([cell for slide in shown for cell in slide], codes))
    return NotebookNode({**notebook, "cells": _named(cells), "metadata": _large(notebook.metadata)})


def _cells(slide: Slide, codes: dict[str, NotebookNode], homes: dict[str, int], number: int) -> Iterator[NotebookNode]:
    """Yield the cells of a slide: its text, joined where nothing is between, and each whole code cell at its home."""
    kinds = {"slide_type": "slide"}
    for name, pieces in groupby(slide.cells, key=lambda piece: piece.id if piece.id in codes else ""):
        if not name:
            yield _marked(*pieces, slideshow=kinds)
        elif homes[name] == number:
            hidden = {"jupyter": {"source_hidden": True}} if slide.kind in WITHOUT_SOURCE else {}
            yield _marked(codes[name], slideshow=kinds, **hidden)
        kinds = {}


def _marked(*pieces: NotebookNode, **metadata: object) -> NotebookNode:
    """Return the pieces as one cell."""
    source = "\n\n".join(piece.source for piece in pieces)
    return NotebookNode({**pieces[0], "source": source, "metadata": NotebookNode(metadata)})


def _with_hidden(cells: list[NotebookNode], codes: dict[str, NotebookNode]) -> Iterator[NotebookNode]:
    """Put each code cell that no slide shows before the one that follows it in the notebook."""
    waiting = list(codes.values())
    skip = {"slide_type": "skip"}
    for cell in cells:
        while cell.id in codes and waiting[0].id != cell.id:
            yield _marked(waiting.pop(0), slideshow=skip)
        if cell.id in codes:
            waiting.pop(0)
        yield cell
    yield from (_marked(cell, slideshow=skip) for cell in waiting)


def _named(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Give each cell a name of its own; the first part of a torn one keeps its name, because links lead to it."""
    names: set[str] = set()
    for cell in cells:
        name = next(name for i in range(len(cells)) if (name := f"{cell.id}-{i}" if i else cell.id) not in names)
        names.add(name)
        cell["id"] = name
    return cells


def _large(metadata: NotebookNode) -> NotebookNode:
    return NotebookNode({**metadata, STYLES: {"styles": LARGE}})
