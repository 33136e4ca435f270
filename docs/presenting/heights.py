"""How tall a piece of a slide will be, by its letters, lines and rows; a test in the browser checks that it fits."""

import re
from math import ceil, inf
from typing import NamedTuple
from unicodedata import east_asian_width

from nbformat import NotebookNode

# Lengths are in rem, which is the height of a slide's letters at scale 1.
TITLE = 3.0
ROOM = 21.5  # below the title
TITLE_ROOM = 14.0  # on the first slide, whose title is large
WIDTH = 48.0
CHARACTERS = {"text": 90, "row": 200, "question": 65, "code": 116, "printed": 98, "table": 88}  # on a line, at scale 1
LINE = {"text": 1.4, "row": 1.4, "question": 1.68, "code": 0.9, "printed": 1.1}
PICTURE = 20.5  # the greatest height
SMALL = 0.67  # 16 pixels at 1280 × 720
SMALLEST = {"code": 1.05, "printed": 0.84}  # scales at which these have 16 pixels, and do not get smaller


class Piece(NamedTuple):
    """What is never torn apart, as a cell of its own: heading, text, code, output, question or lab."""

    kind: str
    cell: NotebookNode


def height(pieces: list[Piece], scale: float = 1.0) -> float:
    """Return how tall the pieces are together, in rem."""
    return sum(_piece_height(piece, scale) for piece in pieces)


def _piece_height(piece: Piece, scale: float) -> float:
    if piece.kind == "heading":
        return TITLE
    if piece.kind == "text":
        return text_height(piece.cell.source, scale)
    if piece.kind == "code":
        return _drawn(scale, "code") * _lines(piece.cell.source, "code", scale) + 1.2
    if piece.kind == "output":
        return _output_height(piece.cell.outputs[0], scale) + 0.8
    return _question_height(piece.cell.outputs[0].data["text/plain"]) if piece.kind == "question" else ROOM


def text_height(text: str, scale: float = 1.0) -> float:
    """Return how tall a block of Markdown is, in rem."""
    paragraphs = re.split(r"\n\s*\n|\n(?=[-*] |\d+\. |\|)", re.sub(r"\n\|[-:| ]+(?=\n|$)", "", text))
    return scale * sum(_paragraph_height(text, scale) for text in paragraphs)


def _paragraph_height(text: str, scale: float) -> float:
    if text.startswith("$$"):
        return 3.0
    text = re.sub(r"\]\([^)]*\)|\\[a-zA-Z]+|[{}$]", "", text)  # where a link leads, and LaTeX's marks, are not shown
    text = " ".join(text.split())
    if text.startswith("|"):  # the more columns, the fewer letters fit beside each other
        return _lines(text * (text.count("|") - 1), "row", scale) + 0.4
    return _lines(text, "text", scale) + (0.4 if re.match(r"[-*] |\d+\. ", text) else 0.7)


def _question_height(twin: str) -> float:
    """Return the height of a question, whose letters always have the same size."""
    return _lines(twin, "question") + 0.4 * twin.count("\n") + 6.3


def _output_height(output: NotebookNode, scale: float) -> float:
    data = output.get("data", {})
    printed = output.get("text", "") or data.get("text/plain", "")
    if "text/html" in data:
        return scale * _table_height(data["text/html"], printed, scale)
    if "text/latex" in data:
        return scale * sum(3.6 if r"\\" in row else 3.1 for row in re.split(r"\\\\\[\d+pt\]", data["text/latex"]))
    if "image/svg+xml" in data:
        return min(WIDTH / ratio(data["image/svg+xml"]), PICTURE)
    return _drawn(scale, "printed") * _lines(printed, "printed", scale)


def _letters(line: str) -> int:
    """Return how many letters' room a line takes; a Chinese character takes that of two."""
    return len(line) + sum(east_asian_width(letter) in "WF" for letter in line)


def _drawn(scale: float, kind: str) -> float:
    return max(scale, SMALLEST.get(kind, 0))


def _lines(text: str, kind: str, scale: float = 1.0) -> float:
    """Return the height of wrapped text; code and printed lines are not enlarged until they wrap."""
    lengths = [_letters(line) for line in text.splitlines()]
    if kind in SMALLEST and scale > 1 and max(lengths) > CHARACTERS[kind] / scale:
        return inf
    return LINE[kind] * sum(max(1, ceil(length * _drawn(scale, kind) / CHARACTERS[kind])) for length in lengths)


def _table_height(html: str, twin: str, scale: float) -> float:
    """Return the height of a table; its text twin tells how wide it is."""
    is_wide = max(map(_letters, twin.splitlines()[:-1]), default=0) > CHARACTERS["table"] / scale
    if is_wide and scale > 1:
        return inf
    return (2.1 if is_wide else 1.62) * html.count("<tr") + 1.6


def ratio(svg: str) -> float:
    """Return the width over the height of a picture."""
    width, height = _size(svg)
    return width / height


def letters(svg: str) -> float:
    """Return how large a picture's letters must be drawn, in its own pixels, to have 16 pixels on a slide."""
    width, height = _size(svg)
    return max(12, SMALL / min(WIDTH / width, PICTURE / height))


def _size(svg: str) -> tuple[int, int]:
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    return width, height
