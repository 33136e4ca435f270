"""What the NAA lab draws: a bar for each neuron, the rule's lines, rows of marks below, and the neuron that is read."""

from functools import cache, lru_cache
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.labs.naa import words
from lesson_lib.labs.naa.compute import THRESHOLDS, Finding
from lesson_lib.pictures.frame import INK, Frame, handle, write
from lesson_lib.pictures.shown import text_width
from lesson_lib.tables import signed

SIZE, TOP, HEIGHT, GAP = (684, 402), 50, 226, 34  # of the picture; of the panels; from panel to title
TOY: dict[str, Any] = {"neurons": (48, TOP, 210, HEIGHT), "contribution": (440, TOP, 210, HEIGHT)}
# Where the axis of many neurons turns from linear to log, its ends, and its ticks; and the ends of the toy's.
SCALES = {
    "shift": (0.2, (-3, 16), (-2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 5, 10)),
    "effect_size": (0.5, (-6, 40), (-5, -2, -0.8, 0, 0.8, 2, 5, 10, 20)),
    "p": (2.0, (-30, 400), (-20, -5, -1.3, 0, 1.3, 5, 20, 100, 300)),
}
TOY_LIMITS = {"shift": (-2.6, 2.6), "effect_size": (-4.6, 4.6), "contribution": (-6.8, 6.8)}
ROWS = {"truth": ("", 284), "flagged": ("orange", 297), "small": ("purple", 310)}  # the looks and tops of the marks
MARK, TOY_BAR = 9, 56  # the height of a mark; the width of the toy's bars
ROWS_END, CAPTION = 321, (378, 395)  # below the rows; where the caption's lines stand
FAR = 1e3  # an infinite bar goes this far, beyond every panel


@cache
def frame(quantity: str, n_neurons: int) -> Frame:
    """Return the frame for "shift", "effect_size" or "p"; two neurons are the toy's, with a second panel."""
    is_toy = n_neurons == 2
    made = Frame(*SIZE, **(TOY if is_toy else {"neurons": (48, TOP, 504, HEIGHT)}))
    for panel, axes in made.axes.items():
        shown = quantity if panel == "neurons" else panel
        title = words.NAA_TITLES[shown]
        made.title(panel, title.partition(":")[0] if is_toy else title, "", words.NAA_AXES[shown], GAP)
        if is_toy:
            axes.set(xlim=(0.4, 2.6), ylim=TOY_LIMITS[shown])
            axes.set_xticks([1, 2], [words.NAA_TOY_NEURON.format(number=number) for number in (1, 2)])
        else:
            made.squeeze(panel, "y", *SCALES[shown], linscale=0.7)
            axes.minorticks_off()
            axes.set(xlim=(-3, n_neurons + 2), xlabel=words.NAA_NEURON)
        axes.tick_params(axis="x", pad=47, length=0)  # the rows of marks are between
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.grid(visible=False, axis="x")
    return made


@lru_cache(maxsize=8)
def bars(state: Finding, on: Frame) -> str:
    """Return what does not change with the neuron that is read: bars, their numbers, the rows of marks, the caption."""
    heights: dict[str, Any] = {"neurons": state.bars, "contribution": state.signature.contribution}
    drawn, is_toy = [_panel(state, panel, np.ravel(heights[panel]), on) for panel in on.places], len(state.bars) == 2
    second = words.NAA_TOY_CAPTION if is_toy else words.NAA_SQUEEZED.format(linear=SCALES[state.quantity][0])
    rows = {"truth": [*state.settings.truth], "flagged": state.signature.flagged, "small": state.small}
    left, _, across, _ = on.places["neurons"]
    for name in ROWS if state.quantity == "p" else ("truth", "flagged"):
        look, top = ROWS[name]
        places = on.pixels("neurons", np.asarray(rows[name], int) + state.settings.numbers[0], 0)[:, 0].tolist()
        drawn.append(write(left + across + 8, top + MARK, words.NAA_ROWS[name], "small"))
        drawn.append(_thick("".join(f"M{x:g},{top}v{MARK}" for x in places), look, TOY_BAR if is_toy else 2))
    captions = zip(CAPTION, (words.NAA_CAPTIONS[state.quantity], second), strict=True)
    return "".join(drawn + [write(left, y, text) for y, text in captions])


def _panel(state: Finding, panel: str, heights: Array, on: Frame) -> str:
    """Return the bars of a panel, each kind as one path, and the numbers of the toy's."""
    flagged, is_toy = state.signature.flagged, len(heights) == 2
    strokes, ends = _strokes(panel, heights.tobytes(), on)
    kinds = {"blue": np.delete(strokes, flagged), "orange": strokes[flagged]}
    drawn = on.inside(panel, (_thick("".join(some), look, TOY_BAR if is_toy else 1) for look, some in kinds.items()))
    return drawn + "".join(map(_number, ends, heights)) if is_toy else drawn


@lru_cache(maxsize=8)
def _strokes(panel: str, bars: bytes, on: Frame) -> tuple[Array, list[list[float]]]:
    """Return a stroke from 0 for each bar, and where it ends: the same while only the threshold moves."""
    heights, zero = np.frombuffer(bars).clip(-FAR, FAR), on.pixels(panel, 0, 0)[0, 1]
    ends = on.pixels(panel, np.arange(len(heights)) + (len(heights) == 2), heights).tolist()  # the toy's from 1 on
    return np.array([f"M{x:g},{zero:g}V{y:g}" for x, y in ends], dtype=object), ends


def _thick(d: str, look: str, width: int) -> str:
    return f'<path class="line {look}" style="stroke-width: {width}" d="{d}"/>'


def _number(end: list[float], value: float) -> str:
    """Return a bar's number at its end, inside the panel."""
    x, y = end[0], min(max(end[1], TOP + 20), TOP + HEIGHT - 20) + (-6 if value >= 0 else 16)
    ground = f'<rect class="fill ground" x="{x - 26:g}" y="{y - 12:g}" width="52" height="16"/>'
    return ground + write(x, y, signed(value, 3), "middle strong")


def reading(state: Finding, neuron: int) -> str:
    """Return what is known of a neuron in words."""
    found, number = state.signature, state.settings.numbers[neuron]
    shift, effect = signed(found.shift[neuron]), signed(found.effect_size[neuron])
    flagged = words.NAA_ROWS["small"] if neuron in state.small else words.NAA_FLAGGED[neuron in found.flagged]
    truth = words.NAA_BACKDOORED[neuron in state.settings.truth]
    return words.NAA_READING.format(number=number, shift=shift, effect=effect, flagged=flagged, truth=truth)


def read(state: Finding, neuron: int, on: Frame) -> str:
    """Return the marker over a neuron, what is known of it in a frame, and the panels that follow the pointer."""
    numbers = state.settings.numbers
    number, told, high = numbers[neuron], reading(state, neuron), on.axes["neurons"].get_ylim()[1]
    drawn = on.line("neurons", [number] * 2, [np.clip(state.bars[neuron], 0, high), high], "thin dotted")
    drawn += on.dots("neurons", number, high, "rimmed", "diamond")
    half = text_width(told, "middle") / 2 + 6
    middle = np.clip(on.pixels("neurons", number, 0)[0, 0], on.places["neurons"][0] + half, SIZE[0] - half - 1)
    drawn += f'<rect class="pill" x="{middle - half:.1f}" y="{TOP - 27}" width="{2 * half:.1f}" height="20" rx="6"/>'
    drawn += write(middle, TOP - 13, told, "middle")
    drawn += "".join(on.reach(panel, ROWS_END - TOP - HEIGHT) for panel in on.places)
    made = handle("neuron", drawn, words.NAA_READ, (number, numbers[0], numbers[-1]), told)
    return made.replace("<g ", '<g data-hover="" ', 1)


def threshold(state: Finding, on: Frame) -> str:
    """Return the rule's lines, which can be dragged, and where the highest is."""
    if not state.lines:
        return ""
    ends, (low, high) = on.axes["neurons"].get_xlim(), on.axes["neurons"].get_ylim()
    lines = [on.line("neurons", ends, [line] * 2, "dashed") for line in state.lines]
    reach = (on.line("neurons", ends, [np.clip(line, low, high)] * 2, "reach") for line in state.lines)
    drawn = "".join(reach).replace("line reach", "reach") + on.inside("neurons", lines)
    highest = np.clip(state.lines[0], low, high)
    drawn += on.dots("neurons", ends[1], np.clip(state.lines, low, high), "rimmed", "diamond")
    x, y = on.pixels("neurons", ends[1], highest)[0].tolist()
    for text, down in zip(words.NAA_LINES[bool(state.lines[0] > high)], (-2, 11), strict=True):
        drawn += write(x + 8, max(y, TOP + 12) + down, text.format(line=state.lines[0]), "small")
    told = words.NAA_THRESHOLD_AT.format(threshold=state.settings.threshold)
    value = (state.settings.threshold, THRESHOLDS[state.settings.rule][0], THRESHOLDS[state.settings.rule][-1])
    return handle("threshold", drawn, words.NAA_DRAG, value, told)
