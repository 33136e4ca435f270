"""The labs' plots for pages without a kernel: small SVGs on white, with coordinates rounded to a tenth."""

from collections.abc import Iterable
from html import escape
from typing import Any

from lesson_lib.pictures import words
from lesson_lib.pictures.plot import BLUE, GREY, ORANGE
from lesson_lib.repair.repairs import Curve

LEFT, RIGHT, TOP, BOTTOM = 50, 670, 30, 225  # the frame of the pruning curves
CURVES = {
    "accuracy": f'stroke="{BLUE}" stroke-width="2"',
    "attack": f'stroke="{ORANGE}" stroke-width="2" stroke-dasharray="7 4"',
    "control": f'stroke="{GREY}" stroke-width="1.3" stroke-dasharray="2 3"',
}


def pruning_svg(curve: Curve, control: float, pruned: int, description: str) -> str:
    """Return accuracy, attack and control over the pruned neurons, with the cursor at this number of them."""
    n = len(curve.accuracy) - 1
    shown: list[Any] = [*curve, [control] * (n + 1)]
    x = [round(LEFT + k / n * (RIGHT - LEFT), 1) for k in range(n + 1)]
    parts = [f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="black"/>']
    parts += [_text(LEFT - 6, _height(share / 100) + 4, f"{share} %", "end") for share in range(0, 101, 20)]
    parts += [_text(x[k], BOTTOM + 17, str(k), "middle") for k in range(0, n + 1, n // 8)]
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 36, words.PRUNING_AXIS, "middle"))
    for i, (name, style) in enumerate(CURVES.items()):
        start = LEFT + 12 + 205 * i
        parts += [f'<path d="M{start} 15h30" {style}/>', _text(start + 36, 19, words.PRUNING_LEGEND[name])]
    parts.append(f'<path d="M{x[pruned]} {TOP}V{BOTTOM}" stroke="black"/>')
    for shares, style in zip(shown, CURVES.values(), strict=True):
        points = " ".join(f"{across} {_height(share)}" for across, share in zip(x, shares, strict=True))
        parts.append(f'<path d="M{points}" fill="none" {style}/>')
    for shares, colour in zip(curve, (BLUE, ORANGE), strict=True):
        place = f'cx="{x[pruned]}" cy="{_height(shares[pruned])}"'
        parts.append(f'<circle {place} r="5" fill="{colour}" stroke="black"/>')
    return _picture((680, 270), description, parts)


def _height(share: float) -> float:
    return round(BOTTOM - float(share) * (BOTTOM - TOP), 1)


def _picture(size: tuple[int, int], description: str, parts: Iterable[str]) -> str:
    """Return an SVG of this width and height with these elements on white; the description is for those who listen."""
    area = f'width="{size[0]}" height="{size[1]}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {area} viewBox="0 0 {size[0]} {size[1]}" '
        f'style="font: 12px sans-serif"><desc>{escape(description)}</desc>'
        f'<rect {area} fill="white"/>{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, content: str, anchor: str = "start") -> str:
    """Return a text that starts at (x, y), or has its "middle" or its "end" there."""
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{escape(content)}</text>'
