"""The pruning lab's picture for pages without a kernel: the two curves, as a small SVG on white."""

from collections.abc import Iterable
from html import escape

from lesson_lib.labs.pruning.says import View
from lesson_lib.pictures.plot import BLUE, GREY, ORANGE
from lesson_lib.pictures.words import PRUNING_AXIS, PRUNING_LEGEND

WIDTH, HEIGHT = 680, 270
LEFT, RIGHT, TOP, BOTTOM = 50, 670, 30, 225
STYLES = {
    "accuracy": f'stroke="{BLUE}" stroke-width="2"',
    "attack": f'stroke="{ORANGE}" stroke-width="2" stroke-dasharray="7 4"',
    "control": f'stroke="{GREY}" stroke-width="1.3" stroke-dasharray="2 3"',
}


def pruning_svg(view: View, description: str) -> str:
    """Return accuracy, attack and control over the pruned neurons, with the cursor."""
    seen, n = view.pruning, len(view.pruning.neurons)
    curves: dict[str, Iterable[float]] = {
        "accuracy": seen.curve.accuracy,
        "attack": seen.curve.attack,
        "control": [seen.control] * (n + 1),
    }
    parts = [*_frame(n), *_legend()]
    x = _x(view.pruned, n)
    parts.append(f'<path d="M{x} {TOP}V{BOTTOM}" stroke="black"/>')
    for name, curve in curves.items():
        parts.append(f'<path d="{_path(curve, n)}" fill="none" {STYLES[name]}/>')
    for value, colour in ((view.accuracy, BLUE), (view.attack, ORANGE)):
        parts.append(f'<circle cx="{x}" cy="{_y(value)}" r="5" fill="{colour}" stroke="black"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="font: 12px sans-serif"><desc>{escape(description)}</desc>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>'
    )


def _frame(n: int) -> list[str]:
    parts = [f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="black"/>']
    parts += [_text(LEFT - 6, _y(share / 100) + 4, f"{share} %", "end") for share in range(0, 101, 20)]
    parts += [_text(_x(k, n), BOTTOM + 17, str(k), "middle") for k in range(0, n + 1, n // 8)]
    return [*parts, _text((LEFT + RIGHT) / 2, BOTTOM + 36, PRUNING_AXIS, "middle")]


def _legend() -> list[str]:
    parts = []
    for i, (name, style) in enumerate(STYLES.items()):
        x = LEFT + 12 + 205 * i
        parts += [f'<path d="M{x} 15h30" {style}/>', _text(x + 36, 19, PRUNING_LEGEND[name])]
    return parts


def _path(curve: Iterable[float], n: int) -> str:
    return "M" + " ".join(f"{_x(k, n)} {_y(value)}" for k, value in enumerate(curve))


def _x(k: float, n: int) -> float:
    return round(LEFT + k / n * (RIGHT - LEFT), 1)


def _y(share: float) -> float:
    return round(BOTTOM - float(share) * (BOTTOM - TOP), 1)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{escape(text)}</text>'
