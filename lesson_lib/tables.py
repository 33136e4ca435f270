"""Tables that read the same as text and as HTML, numbers with a sign, and what is written into files."""

import os
import secrets
from collections.abc import Sequence
from html import escape
from math import isinf
from pathlib import Path

from lesson_lib.language import OF_NOTEBOOKS, translated


class Table:
    """Rows of text, the first one being the heading, with a caption; show it in a notebook or print it."""

    def __init__(self, rows: Sequence[Sequence[str]], caption: str) -> None:
        self.rows = translated([*map(tuple, rows)], OF_NOTEBOOKS)
        self.caption = translated(caption, OF_NOTEBOOKS)

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in self.rows]
        return "\n".join([*lines, self.caption])

    def _repr_html_(self) -> str:
        head, *body = [[escape(cell) for cell in row] for row in self.rows]
        header = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        bodies = ((first, "".join(f"<td>{cell}</td>" for cell in others)) for first, *others in body)
        rows = "".join(f'<tr><th scope="row">{first}</th>{others}</tr>' for first, others in bodies)
        caption = f'<caption style="text-align: left; white-space: nowrap">{escape(self.caption)}</caption>'
        return f"<table>{caption}<tr>{header}</tr>{rows}</table>"


def signed(value: float, decimals: int = 3) -> str:
    """Return a number with its sign, 0 without one: "+1.500", "−∞"."""
    if isinf(value):
        return "+∞" if value > 0 else "−∞"
    return f"{value:+.{decimals}f}".replace("-", "−") if round(value, decimals) else "0"


def percent(share: float) -> str:
    """Return a share as 86.9 %."""
    return f"{100 * share:.1f} %"


def for_a_spreadsheet(value: object) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula: what begins like one gets a ' in front."""
    text = str(value)
    is_numbers = all(sign in "+-0123456789 .,;/" for sign in text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_numbers else text


def replace_file(path: Path, text: str) -> None:
    """Put a text in the place of a file, all at once: whoever reads sees the old one or the new one."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
