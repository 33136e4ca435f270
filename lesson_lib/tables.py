"""Tables that read the same as text and as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Table:
    """Rows of text, the first one being the heading, with a caption; show it in a notebook or print it."""

    rows: Sequence[Sequence[str]]
    caption: str

    def __str__(self) -> str:
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in self.rows]
        return "\n".join([line.rstrip() for line in lines] + [self.caption])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [[escape(cell) for cell in row] for row in self.rows]
        header = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        rows = "".join(
            f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>"
            for row in body
        )
        caption = f'<caption style="text-align: left; white-space: nowrap">{escape(self.caption)}</caption>'
        return f"<table>{caption}<tr>{header}</tr>{rows}</table>"
