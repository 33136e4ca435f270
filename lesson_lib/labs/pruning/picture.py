"""What the pruning lab draws: the curves with a cursor, the weights taken out, and nine digits with their answers."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.digits import CORNER, SIDE
from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.compute import LIMIT, MOST, TARGET, WIDTHS, Pruning, examples, marked, pruning
from lesson_lib.pictures.frame import INK, LINE_GAP, SHAPES, Frame, handle, write
from lesson_lib.pictures.outcomes import grey_image
from lesson_lib.repair.repairs import ORDERS
from lesson_lib.tables import percent, signed

SIZE, CURVES, WEIGHTS = (684, 376), (42, 24, 318, 208), (526, 24, 152, 208)  # the picture, and the places in it
LEFT, TOP, COLUMN, ROW, IMAGE = 88, 282, 66, 46, 36  # of the first digit; from digit to digit; a digit's side
LOOKS = {"accuracy": ("green", "disc"), "attack": ("orange dashed", "star"), "control": ("faint thin dotted", "")}


@cache
def frame(name: str) -> Frame:
    """Return the frame of a model, with the digits, which never change."""
    n, sums = WIDTHS[name], [pruning(name, by).weights for by in ORDERS]
    low, high = np.min(sums), np.max(sums)
    made, room = Frame(*SIZE, curves=CURVES, weights=WEIGHTS), 0.16 * (high - low)
    curves, weights = made.axes.values()
    made.title("curves", words.PRUNING_CURVES_TITLE, words.PRUNING_CURVES_AXIS)
    curves.set(xlim=(-0.01 * n, 1.01 * n), ylim=(-0.04, 1.1), xticks=range(0, n + 1, n // 8))
    curves.set_yticks(np.linspace(0, 1, 6), [f"{share} %" for share in range(0, 101, 20)])
    made.title("weights", words.PRUNING_WEIGHTS_TITLE, words.PRUNING_WEIGHTS_AXIS)
    weights.set(xlim=(-0.9, 9.6), ylim=(low - room, high + room), xticks=range(10))
    weights.axhline(0, color=INK, linewidth=1)
    made.svg += "".join(_digits())
    return made


def _digits() -> Iterator[str]:
    """Yield the images without and with the trigger, each in a box, so that a white corner shows on any ground."""
    (images, labels), pixel = examples(), IMAGE / SIDE
    for row, name in enumerate(words.PRUNING_ROWS):
        yield write(0, TOP + row * ROW + IMAGE / 2 + 4, name, "strong" + " orange" * row)
        for image, digit in zip(images[row], labels.tolist(), strict=True):
            x, y = _place(row, digit)
            yield f'<rect class="pill" x="{x - 1}" y="{y - 1}" width="{IMAGE + 2}" height="{IMAGE + 2}"/>'
            title = words.PRUNING_IMAGES[row].format(label=digit)
            yield grey_image(image.reshape(SIDE, SIDE), (x, y, IMAGE, IMAGE), title)
            for down, across in CORNER.pixels * row:
                place = f"M{x + across * pixel:g},{y + down * pixel:g}"
                yield f'<path class="line orange thin" d="{place}h{pixel:g}v{pixel:g}h{-pixel:g}z"/>'


def _place(row: int, digit: int) -> tuple[int, int]:
    return LEFT + (digit - 1) * COLUMN, TOP + row * ROW


def marks(seen: Pruning, pruned: int, on: Frame) -> str:
    """Return the curves, the weights and the answers with this number of neurons pruned."""
    sums, answers = seen.weights[pruned], seen.answers[pruned]
    return "".join((*_curves(seen, on), _cursor(seen, pruned, on), *_weights(sums, pruned, on), *_answers(answers)))


def _curves(seen: Pruning, on: Frame) -> Iterator[str]:
    """Yield the three lines, each with its name at its end, and why an attack seems to come back."""
    steps, first = np.arange(len(seen.neurons) + 1), seen.curve.first_below(LIMIT)
    lines = {**seen.curve._asdict(), "control": np.full(len(steps), seen.control)}
    yield from (on.line("curves", steps, line, LOOKS[name][0]) for name, line in lines.items())
    yield on.labels("curves", {words.PRUNING_CURVES[name]: (lines[name][-1], LOOKS[name][0]) for name in LOOKS}, 6)
    if first:
        side, said = (-4, "end") if first > len(seen.neurons) / 2 else (4, "")
        text = words.PRUNING_FIRST.format(limit=f"{100 * LIMIT:g} %", k=first)
        yield on.line("curves", [first, first], [0, 0.17], "orange thin")
        yield on.text("curves", first, 0.13, text, f"tiny orange halo {said}".strip(), (side, 0))
    for first in np.flatnonzero(seen.targeted >= MOST)[:1].tolist():
        edge = float(on.axes["curves"].get_xlim()[1])
        yield on.line("curves", [first, first, edge], [seen.curve.attack[first], 0.9, 0.9], "faint thin")
        for i, text in enumerate(words.PRUNING_ONE_ANSWER):
            said = text.format(share=percent(seen.targeted[first]), target=TARGET)
            yield on.text("curves", edge, 0.9, said, "small", (6, 4 + LINE_GAP * i))


def _cursor(seen: Pruning, pruned: int, on: Frame) -> str:
    """Return the line that says how many neurons are pruned; a touch anywhere on the curves moves it."""
    n, mark = len(seen.neurons), on.reach("curves") + on.line("curves", [pruned, pruned], [-0.04, 1.1], "thin")
    mark += on.dots("curves", pruned, 1.1, "rimmed", "diamond")
    for name, curve in seen.curve._asdict().items():
        look, shape = LOOKS[name]
        mark += on.dots("curves", pruned, curve[pruned], f"{look.split()[0]} rimmed", shape)
    told = words.PRUNING_CURSOR_AT.format(pruned=pruned, n=n)
    return handle("cursor", mark, words.PRUNING_CURSOR, (pruned, 0, n), told)


def _weights(sums: Array, pruned: int, on: Frame) -> Iterator[str]:
    """Yield a bar for each digit; the target's has its star and its number."""
    if not pruned:
        yield on.text("weights", 4.5, 0, words.PRUNING_NO_WEIGHTS, "small faint middle", (0, -8))
        return
    yield on.bars("weights", np.arange(1, 10), sums[1:], 11, "blue")
    yield on.bars("weights", [0], sums[:1], 11, "orange")
    [[x, y]] = on.pixels("weights", TARGET, sums[TARGET]).tolist()
    away = 1 if sums[TARGET] < 0 else -1
    yield f'<path class="fill orange" transform="translate({x:g},{y + 12 * away:g})" d="{SHAPES["star"]}"/>'
    yield write(x + 12, y + 12 * away + 4, signed(sums[TARGET], 1), "small orange strong halo")


def _answers(answers: Array) -> Iterator[str]:
    """Yield each answer beside its digit: the target orange, another wrong one red, and both with a sign."""
    for row, line in enumerate(answers):
        for digit, answer, text in zip(examples()[1].tolist(), line, marked(line), strict=True):
            look = "" if answer == digit else "strong orange" if answer == TARGET else "strong red"
            x, y = _place(row, digit)
            yield write(x + IMAGE + 3, y + IMAGE / 2 + 4, text, look)
