"""The NAA lab: neuron activation analysis on the article's simulation and on the toy, with every rule's threshold."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from lesson_lib.arrays import Indices
from lesson_lib.labs.naa import picture, words
from lesson_lib.labs.naa.compute import (
    FIRST,
    SIMULATED,
    SIMULATION,
    STARTS,
    THRESHOLDS,
    WHOLE,
    Finding,
    Settings,
    find,
    threshold_at,
)
from lesson_lib.labs.shared import parts
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import button, choice, screen
from lesson_lib.labs.shared.words import RESET, TIPS
from lesson_lib.naa.judgement import CHANCES, EFFECT_FLOOR, RULES, TAKES_OVER
from lesson_lib.pictures.frame import Frame
from lesson_lib.tables import signed

LABEL = "106px"  # how wide the names of the controls are
TURNED = {"ArrowUp": "ArrowDown", "ArrowDown": "ArrowUp"}


class NAALab(Lab):
    """Compare suspect with clean activations: a bar for each neuron, a rule, its threshold, and how right it is.

    The sources are the article's simulation of 512 neurons and four 1-2-1 nets of the lessons before. Drag a line of
    the threshold, or point at a bar to read its neuron; each has its dial.
    """

    touchable: ClassVar = {"threshold": ("neurons", "", "threshold"), "neuron": ("neurons", "neuron", "")}

    def __init__(self) -> None:
        super().__init__()
        start, label = Settings(), words.NAA_LABELS
        self.threshold = Dial(label["threshold"], THRESHOLDS[start.rule], start.threshold)
        self.controls = {
            "source": _list("source", words.NAA_SOURCES, start.source),
            "rule": _list("rule", words.NAA_RULES, start.rule),
            "threshold": self.threshold,
            "over": _list("over", words.NAA_OVER, start.over),
            **{name: Dial(label[name], SIMULATED[name], getattr(start, name), name in WHOLE) for name in SIMULATED},
            "neuron": Dial(label["neuron"], start.numbers, FIRST, whole=True),
        }
        self.threshold.follow(self.controls["rule"], lambda rule, _: (THRESHOLDS[rule], STARTS[rule]))
        self.controls["neuron"].follow(self.controls["source"], _neurons)
        self.facts, self.numbers, self.note = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.facts.layout.min_height, self.note.layout.min_height = "68px", "30px"  # so that nothing below jumps
        self.state, self.neuron = find(start), FIRST
        for control in self.controls.values():
            if isinstance(control, Dial):
                control.number.style.description_width, control.number.layout.width = LABEL, "172px"
                control.slider.layout.width = "104px"
        reset = button(RESET, TIPS["Reset"], self.reset)
        left = [*self.controls.values(), reset, self.numbers, self.note, self.messages[""]]
        self.box = screen([self.facts], left, [self.canvas])
        self.start()

    def compute(self) -> None:
        """Judge anew unless only another neuron is read; the sets are compared once for all rules and thresholds."""
        values: dict[str, Any] = {name: int(value) if name in WHOLE else value for name, value in self.values.items()}
        number, settings = values.pop("neuron"), Settings(**values)
        state = self.state if settings == self.state.settings else find(settings)
        self.state, self.neuron = state, settings.numbers.index(number)

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        settings = self.state.settings
        idle = {"simulated": settings.source != SIMULATION, "over": settings.rule not in TAKES_OVER}
        for name in (*SIMULATED, "over"):
            self.controls[name].disabled = idle.get(name, idle["simulated"])
        told = {"rule": settings.rule, "what": words.NAA_LOOKS_AT.get(settings.rule)}
        notes = " ".join(words.NAA_IDLE[why].format(**told) for why in idle if idle[why])
        self.note.value = parts.note(notes)
        self.facts.value, self.numbers.value = verdict_html(self.state), numbers_html(self.state)
        self.canvas.show(*self.picture())

    def picture(self) -> tuple[Frame, str, str]:
        """Return the frame, the bars with what is marked on them, and the verdict."""
        frame = picture.frame(self.state.quantity, len(self.state.bars))
        return frame, picture.marks(self.state, self.neuron, frame), verdict(self.state)

    def touch(self, touch: str = "", key: str = "", x: float = 0, y: float = 0) -> None:
        """Follow a mark; a line of the threshold goes where it is put, though it is seldom at the threshold itself."""
        if touch == "threshold" and not key:
            if not self.state.signature.reason:
                _, height = self.picture()[0].data_at("neurons", float(x), float(y))
                self.threshold.value = self.threshold.nearest(threshold_at(self.state, height))
            return
        left, second = (self.canvas.shown.places.get(panel, (np.inf,))[0] for panel in ("neurons", "contribution"))
        x -= second - left if x >= second else 0
        turned = touch == "threshold" and self.state.settings.rule in CHANCES  # a smaller chance is a higher line
        super().touch(touch, TURNED.get(key, key) if turned else key, x, y)

    @property
    def summary(self) -> str:
        """The picture's text twin: what is compared, the rule, the verdict and the numbers."""
        state = self.state
        numbers = ", ".join(f"{name} {text}" for name, text in zip(words.NAA_COLUMNS, _facts(state), strict=True))
        return "\n".join((_compared(state), _ruled(state), verdict(state), f"{numbers}. {_sizes(state)}"))


def _neurons(source: str, _: float) -> tuple[range, float]:
    """Return the numbers of the neurons that can be read, and the first that is."""
    numbers = Settings(source).numbers
    return numbers, FIRST if source == SIMULATION else numbers[0]


def _list(name: str, options: Mapping[Any, str], value: str) -> widgets.Dropdown:
    return choice(words.NAA_LABELS[name], options, value, "302px", LABEL)


# What is said --------------------------------------------------------------------------------------------------------


def verdict(state: Finding) -> str:
    """Return what the rule says, what that means, and what is true."""
    return " ".join(filter(None, _verdict(state)))


def _verdict(state: Finding) -> tuple[str, str, str]:
    """Return what the rule says, what that means, and what is true."""
    found = state.signature
    if found.reason:
        said, caveat = words.NAA_CANNOT.format(reason=found.reason), words.NAA_CAVEATS["cannot"]
    elif len(found.flagged):
        counts = {"flagged": len(found.flagged), "n": len(state.bars)}
        said = words.NAA_ALARM.format(rule=found.rule, which=_named(state, found.flagged), **counts)
        caveat = words.NAA_CAVEATS["alarm"]
    else:
        said = words.NAA_SILENT.format(rule=found.rule, n=len(state.bars))
        caveat = words.NAA_CAVEATS["silent"]
    if len(state.small):
        caveat = f"{words.NAA_TOO_SMALL.format(passed=len(state.small), floor=EFFECT_FLOOR)} {caveat}"
    return said, caveat, _truth(state)


def _truth(state: Finding) -> str:
    """Return which neurons are backdoored and how many of them the rule has found."""
    flagged, guilty = set(state.signature.flagged.tolist()), set(state.settings.truth)
    counts = {"hits": len(flagged & guilty), "missed": len(guilty - flagged), "wrong": len(flagged - guilty)}
    if not guilty:
        return words.NAA_NO_TRUTH.format(**counts)
    are = words.NAA_IS if len(guilty) == 1 else words.NAA_ARE
    return words.NAA_TRUTH.format(which=are.format(which=_named(state, state.settings.truth)), **counts)


def _named(state: Finding, neurons: Sequence[int] | Indices) -> str:
    """Return "neurons 10 to 19": runs joined, a long list cut; the toy's are counted from 1."""
    numbers = np.asarray(neurons, dtype=int) + state.settings.numbers[0]
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    long = words.NAA_RUN
    texts = [long.format(first=run[0], last=run[-1]) if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    text = ", ".join(texts[:6] + [words.NAA_MORE] * (len(texts) > 6))
    return (words.NAA_ONE if len(numbers) == 1 else words.NAA_SOME).format(which=text)


def _facts(state: Finding) -> tuple[str, ...]:
    """Return the flagged count, precision, recall and AUC as text."""
    shown = (words.NAA_NONE if np.isnan(value) else f"{value:.3f}" for value in state.score)
    return (str(len(state.signature.flagged)), *shown)


def verdict_html(state: Finding) -> str:
    """Return the verdict as a live region: a badge for what the rule says, one for the truth, and what that means."""
    said, caveat, truth = _verdict(state)
    kind = "yes" if set(state.signature.flagged.tolist()) == set(state.settings.truth) else "no"
    return parts.verdict(("said", said), ("sentence", caveat), (kind, truth))


def numbers_html(state: Finding) -> str:
    """Return the numbers as a table."""
    cell = 'style="text-align: left; padding: 0 16px 0 0; line-height: 1.5"'
    heads = "".join(f'<th scope="col" {cell}>{escape(name)}</th>' for name in words.NAA_COLUMNS)
    cells = "".join(f"<td {cell}>{escape(text)}</td>" for text in _facts(state))
    return f'<table style="border-collapse: collapse"><tr>{heads}</tr><tr>{cells}</tr></table>'


def _compared(state: Finding) -> str:
    """Return which two sets of activations are compared."""
    settings = state.settings
    if settings.source != SIMULATION:
        return words.NAA_TOY.format(source=words.NAA_SOURCES[settings.source])
    return words.NAA_SIMULATED.format(
        rows=settings.rows,
        triggered=f"{round(settings.triggered * settings.rows)}",
        which=_named(state, settings.truth) if settings.truth else words.NAA_NO_NEURON,
        rise=f"{settings.rise:g}",
        seed=settings.seed,
    )


def _ruled(state: Finding) -> str:
    """Return the rule, what it looks at, and what its threshold means."""
    rule = state.settings.rule
    over = words.NAA_OVER[state.settings.over]
    return words.NAA_SETTING.format(
        rule=rule,
        over=words.NAA_OVER_WHAT.format(over=over) if rule in TAKES_OVER else "",
        threshold=f"{state.settings.threshold:g}",
        meaning=RULES[rule].threshold_is,
    )


def _sizes(state: Finding) -> str:
    """Return the toy's shifts, or how far the innocent neurons of the simulation go."""
    found = state.signature
    if found.contribution is None:
        others = np.delete(found.signature, list(state.settings.truth))
        return words.NAA_OTHERS.format(largest=f"{others.max():.3f}")
    pairs = enumerate(zip(found.shift, found.contribution[:, 0], strict=True), 1)
    return " ".join(
        words.NAA_TOY_FACT.format(number=i, shift=signed(shift, 3), contribution=signed(moved, 3))
        for i, (shift, moved) in pairs
    )
