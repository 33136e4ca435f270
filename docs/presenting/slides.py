"""Cuts a notebook into slides: by headings first, then by what fits, and never an answer beside its question."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nbformat import NotebookNode
from presenting import words
from presenting.heights import ROOM, TITLE, TITLE_ROOM, Piece, height, text_height
from presenting.words import everywhere

ONE_LINE = 2.8
BRIEF = 6.0  # sections up to this height share slides
SCALES = (1.3, 1.2, 1.1, 1.0, 0.95, 0.9, 0.85, 0.8, 0.75)
# What is for those who read alone stays off the slides: a folded box, and an opening's notes on minutes and keys.
PREDICTS, ALONE = everywhere(words.PREDICT), ("<details", *everywhere(*words.ALONE))


class Slide(NamedTuple):
    """The cells of one slide, its kind ("question", "lab" or ""), and how large its letters are."""

    cells: list[NotebookNode]
    kind: str
    scale: float


def cut(cells: Iterable[NotebookNode]) -> list[Slide]:
    """Return the slides of a notebook's cells."""
    sections = _sections([piece for cell in cells for piece in _pieces(cell)])
    made = ([_together(group)] if len(group) > 1 else _slides(*group) for group in _shared(sections))
    return [slide for slides in made for slide in slides]


def _sections(pieces: list[Piece]) -> list[list[Piece]]:
    """Split before every heading; a notebook starts with one."""
    starts = [i for i, piece in enumerate(pieces) if piece.kind == "heading"]
    if starts[:1] != [0]:
        raise ValueError("a notebook to present must start with a heading")
    return [pieces[i:j] for i, j in zip(starts, [*starts[1:], len(pieces)], strict=True)]


def _shared(sections: list[list[Piece]]) -> list[list[list[Piece]]]:
    """Group sections of a line or two, like the words of a glossary: they share a slide. Any other is a group alone."""
    groups: list[list[list[Piece]]] = []
    for section in sections:
        joined = [*groups[-1], section] if groups else []
        if joined and all(map(_is_brief, joined)) and sum(map(height, joined)) <= ROOM + TITLE:
            groups[-1].append(section)
        else:
            groups.append([section])
    if len(groups) > 1 and len(groups[-1]) == 1 and _is_brief(groups[-1][0]) and len(groups[-2]) > 2:
        groups[-1].insert(0, groups[-2].pop())  # so that the last is not left alone
    return groups


def _is_brief(section: list[Piece]) -> bool:
    return all(piece.kind in {"heading", "text"} for piece in section) and height(section) <= TITLE + BRIEF


def _together(sections: list[list[Piece]]) -> Slide:
    pieces = [piece for section in sections for piece in section]
    return Slide([piece.cell for piece in pieces], "", _scale(pieces, ROOM + TITLE))


def _slides(section: list[Piece]) -> Iterator[Slide]:
    """Cut one section; its title stands on each of its slides, and can be linked to on the first."""
    title, pieces = section[0].cell, section[1:]
    room = TITLE_ROOM if title.source.startswith("# ") else ROOM
    for i, page in enumerate(_pages(list(_units(pieces)), room) or [[]]):
        heading = _copy(title, source=f"## {title.source.lstrip('# ')}", metadata={"again": True}) if i else title
        kind = page[-1].kind if page and page[-1].kind in {"question", "lab"} else ""
        scale = 1.0 if kind == "lab" else _scale(page, ROOM if i else room)
        yield Slide([heading, *(piece.cell for piece in page)], kind, scale)


def _units(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Join what belongs together: the last block of text, its code and its outputs; a question takes its text along.

    A cell without an output, such as a function, goes with the one that follows. Where the text asks for a prediction,
    the outputs are apart.
    """
    unit: list[Piece] = []
    for piece in pieces:
        kinds = {before.kind for before in unit}
        joins = {
            "code": kinds <= {"text"} or (kinds <= {"text", "code"} and not _asks(unit)),
            "question": kinds <= {"text"},
            "output": bool(kinds & {"code", "output"}) and not _asks(unit),
        }
        if unit and not joins.get(piece.kind, False):
            yield unit
            unit = []
        unit.append(piece)
    if unit:
        yield unit


def _asks(unit: list[Piece]) -> bool:
    return any(piece.kind == "text" and any(mark in piece.cell.source for mark in PREDICTS) for piece in unit)


def _pages(units: list[list[Piece]], room: float) -> list[list[Piece]]:
    """Fill pages with units. A question and a lab have a page alone, and nothing follows a question on its page.

    A unit that is too tall is shown smaller, or torn before its outputs if even that would not do.
    """
    pages: list[list[Piece]] = []
    closed = True
    for unit in units:
        alone = unit[-1].kind in {"question", "lab"}
        for part in [unit] if _fits(unit) else _torn(unit):
            if closed or alone or height(pages[-1] + part) > (room if len(pages) == 1 else ROOM):
                pages.append([])
            pages[-1] += part
            closed = alone
        closed = closed or _asks(unit)
    return _without_single_lines(pages)


def _without_single_lines(pages: list[list[Piece]]) -> list[list[Piece]]:
    """Join a page of one line to the next where both fit; a lab stays alone, and a question but for an output."""
    kept: list[list[Piece]] = []
    for page in reversed(pages):
        last = kept[-1][-1].kind if kept else "lab"
        may_join = last != "lab" and (last != "question" or page[-1].kind == "output")
        if may_join and not _asks(page) and height(page) < ONE_LINE and _fits(page + kept[-1]):
            kept[-1] = page + kept[-1]
        else:
            kept.append(page)
    return kept[::-1]


def _fits(pieces: list[Piece]) -> bool:
    return _scale(pieces, ROOM) >= 0.8


def _torn(unit: list[Piece]) -> list[list[Piece]]:
    """Tear before the outputs, and before the code if what stands before them is still too tall."""
    parts = _torn_before(unit, {"output"})
    return [torn for part in parts for torn in ([part] if _fits(part) else _torn_before(part, {"code"}))]


def _torn_before(unit: list[Piece], kinds: set[str]) -> list[list[Piece]]:
    at = next((i for i, piece in enumerate(unit) if piece.kind in kinds), 0)
    return [part for part in (unit[:at], unit[at:]) if part]


def _scale(pieces: list[Piece], room: float) -> float:
    """Return how large the letters can be."""
    return next((scale for scale in SCALES if height(pieces, scale) <= room), SCALES[-1])


# The pieces of a cell.


def _pieces(cell: NotebookNode) -> Iterator[Piece]:
    if cell.cell_type == "markdown":
        blocks = [] if cell.source.startswith(ALONE) else _blocks(cell.source)
        for block in (block for block in blocks if not block.startswith(ALONE)):
            yield Piece("heading" if re.match(r"#{1,2} ", block) else "text", _copy(cell, source=block))
    elif cell.cell_type == "code" and not cell.source.startswith("exercises."):
        yield from _code_pieces(cell, without_imports(cell.source))
    elif "exercises.ask(" in cell.source:
        if not cell.outputs:
            raise ValueError(f"run the notebook first: {cell.source} has no output")
        yield Piece("question", _copy(cell, source=""))


def _code_pieces(cell: NotebookNode, source: str) -> Iterator[Piece]:
    if any("<img" in output.get("data", {}).get("text/html", "") for output in cell.outputs):
        yield Piece("lab", _copy(cell, source=""))
        return
    if source:
        yield Piece("code", _copy(cell, source=source, outputs=[]))
    for output in cell.outputs:
        yield Piece("output", _copy(cell, source="", outputs=[output]))


def _blocks(source: str) -> list[str]:
    """Split text at blank lines; a list, a table or a formula stays with the paragraph that announces it."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", source.strip()):
        if blocks and not blocks[-1].startswith("#") and re.match(r"[-*] |\d+\. |\||\$\$|\\begin", block):
            blocks[-1] += f"\n\n{block}"
        else:
            blocks.append(block)
    return [part for block in blocks for part in _cut_table(block)]


def _cut_table(block: str) -> Iterator[str]:
    """Cut a table that is too tall between its rows; each part has the table's heading."""
    lines = block.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("|")), len(lines))
    part, heading = lines[: start + 2], lines[start : start + 2]
    for row in lines[start + 2 :]:
        if text_height("\n".join([*part, row]), 0.85) > ROOM:
            yield "\n".join(part)
            part = heading.copy()
        part.append(row)
    yield "\n".join(part)


def without_imports(source: str) -> str:
    """Return code without its imports and without the line that makes the exercises: a deck has no use for them."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom) or ast.unparse(node).startswith("exercises ="):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines).strip()


def _copy(cell: NotebookNode, **changes: object) -> NotebookNode:
    return NotebookNode({**cell, "metadata": {}, **changes})
