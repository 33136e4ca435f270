"""How pixels get on the page: as an <img> that a slider changes, or as a finished picture with a table."""

import io
import struct
import zlib
from base64 import b64encode
from html import escape
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lesson_lib.tables import Table


class Picture:
    """A finished figure for a notebook, shown `width` pixels wide; `table` says the same in words, as its alt text."""

    def __init__(self, png: bytes, width: int, table: Table) -> None:
        self.png, self.width, self.table = png, width, table

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        text = str(self.table)
        alt = "; ".join(" ".join(line.split()) for line in text.splitlines())
        return {"text/html": _image(self.png, f'width="{self.width}"', alt), "text/plain": text}


def as_picture(figure: Figure, table: Table) -> Picture:
    """Return a Matplotlib figure, 100 pixels to its inch, with the table that says the same."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return Picture(buffer.getvalue(), round(100 * figure.get_figwidth()), table)


def as_image(pixels: np.ndarray, size: tuple[int, int], alt: str) -> str:
    """Return the pixels as an <img> of this width and height on the page, described by the alt text."""
    return _image(as_png(pixels), f'width="{size[0]}" height="{size[1]}"', alt)


def as_png(pixels: np.ndarray) -> bytes:
    """Return pixels (height, width, 4) as a PNG, three times as fast as Pillow, which tries every filter on each row.

    Each row is stored as its difference from the row above (PNG's filter 2), which packs well at zlib's fastest level.
    """
    height, width = pixels.shape[:2]
    colours = pixels.reshape(height, -1)
    rows = np.empty((height, 1 + 4 * width), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = colours[0]
    np.subtract(colours[1:], colours[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _image(png: bytes, size: str, alt: str) -> str:
    source = b64encode(png).decode()
    return (
        f'<img alt="{escape(alt)}" {size} style="max-width: 100%; height: auto" src="data:image/png;base64,{source}">'
    )
