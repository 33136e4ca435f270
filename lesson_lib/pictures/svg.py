"""What the still pictures of the plots share: a small SVG on white, and its texts."""

from collections.abc import Iterable
from html import escape


def still_picture(size: tuple[int, int], description: str, parts: Iterable[str], definitions: str = "") -> str:
    """Return an SVG of this width and height with these elements on white; the description is for those who listen."""
    area = f'width="{size[0]}" height="{size[1]}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {area} viewBox="0 0 {size[0]} {size[1]}" '
        f'style="font: 12px sans-serif"><desc>{escape(description)}</desc>{definitions}'
        f'<rect {area} fill="white"/>{"".join(parts)}</svg>'
    )


def text(x: float, y: float, content: str, anchor: str = "start") -> str:
    """Return a text that starts at (x, y), or has its "middle" or its "end" there."""
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{escape(content)}</text>'
