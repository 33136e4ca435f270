"""The pruning lab's picture for pages without a kernel: the two curves, as a small SVG on white."""

from collections.abc import Iterable

from lesson_lib.pictures.plot import BLUE, GREY, ORANGE
from lesson_lib.pictures.svg import still_picture, text
from lesson_lib.pictures.words import PRUNING_AXIS, PRUNING_LEGEND
from lesson_lib.repair.repairs import Curve

WIDTH, HEIGHT = 680, 270
LEFT, RIGHT, TOP, BOTTOM = 50, 670, 30, 225
STYLES = {
    "accuracy": f'stroke="{BLUE}" stroke-width="2"',
    "attack": f'stroke="{ORANGE}" stroke-width="2" stroke-dasharray="7 4"',
    "control": f'stroke="{GREY}" stroke-width="1.3" stroke-dasharray="2 3"',
}


def pruning_svg(curve: Curve, control: float, pruned: int, description: str) -> str:
    """Return accuracy, attack and control over the pruned neurons, with the cursor at this number of them."""
    n = len(curve.accuracy) - 1
    x = _x(pruned, n)
    shares: list[Iterable[float]] = [curve.accuracy, curve.attack, [control] * (n + 1)]
    parts = [*_frame(n), *_legend(), f'<path d="M{x} {TOP}V{BOTTOM}" stroke="black"/>']
    for values, style in zip(shares, STYLES.values(), strict=True):
        parts.append(f'<path d="{_path(values, n)}" fill="none" {style}/>')
    for values, colour in ((curve.accuracy, BLUE), (curve.attack, ORANGE)):
        parts.append(f'<circle cx="{x}" cy="{_y(values[pruned])}" r="5" fill="{colour}" stroke="black"/>')
    return still_picture((WIDTH, HEIGHT), description, parts)


def _frame(n: int) -> list[str]:
    parts = [f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="black"/>']
    parts += [text(LEFT - 6, _y(share / 100) + 4, f"{share} %", "end") for share in range(0, 101, 20)]
    parts += [text(_x(k, n), BOTTOM + 17, str(k), "middle") for k in range(0, n + 1, n // 8)]
    return [*parts, text((LEFT + RIGHT) / 2, BOTTOM + 36, PRUNING_AXIS, "middle")]


def _legend() -> list[str]:
    parts = []
    for i, (name, style) in enumerate(STYLES.items()):
        x = LEFT + 12 + 205 * i
        parts += [f'<path d="M{x} 15h30" {style}/>', text(x + 36, 19, PRUNING_LEGEND[name])]
    return parts


def _path(curve: Iterable[float], n: int) -> str:
    return "M" + " ".join(f"{_x(k, n)} {_y(value)}" for k, value in enumerate(curve))


def _x(k: float, n: int) -> float:
    return round(LEFT + k / n * (RIGHT - LEFT), 1)


def _y(share: float) -> float:
    return round(BOTTOM - float(share) * (BOTTOM - TOP), 1)
