"""The NAA lab: neuron activation analysis on the article's simulation and on the toy, with every rule's threshold."""

from collections.abc import Sequence
from html import escape
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from lesson_lib.arrays import Indices
from lesson_lib.labs.naa import picture, words
from lesson_lib.labs.naa.compute import FIRST, SIMULATED, SIMULATION, STARTS, THRESHOLDS, WHOLE, Finding, Settings, find
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import button, choice, note, screen, verdict
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
            "source": choice(label["source"], words.NAA_SOURCES, start.source, "302px", LABEL),
            "rule": choice(label["rule"], words.NAA_RULES, start.rule, "302px", LABEL),
            "threshold": self.threshold,
            "over": choice(label["over"], words.NAA_OVER, start.over, "302px", LABEL),
            **{name: Dial(label[name], SIMULATED[name], getattr(start, name), name in WHOLE) for name in SIMULATED},
            "neuron": Dial(label["neuron"], start.numbers, FIRST, whole=True),
        }
        self.threshold.follow(self.controls["rule"], lambda rule, _: (THRESHOLDS[rule], STARTS[rule]))
        source, first = self.controls["source"], {SIMULATION: FIRST}  # the toy's neurons are counted from 1
        self.controls["neuron"].follow(source, lambda name, _: (Settings(name).numbers, first.get(name, 1)))
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
        self.note.value = note(" ".join(words.NAA_IDLE[why].format(**told) for why in idle if idle[why]))
        said, caveat, truth = judged(self.state)
        kind = "yes" if self.state.signature.flagged.tolist() == [*settings.truth] else "no"
        self.facts.value = verdict(("said", said), ("sentence", caveat), (kind, truth))
        cell = 'style="text-align: left; padding: 0 16px 0 0; line-height: 1.5"'
        heads = "".join(f'<th scope="col" {cell}>{escape(name)}</th>' for name in words.NAA_COLUMNS)
        cells = "".join(f"<td {cell}>{escape(text)}</td>" for text in _facts(self.state))
        rows = f"<tr>{heads}</tr><tr>{cells}</tr>"
        self.numbers.value = f'<table style="border-collapse: collapse">{rows}</table>'
        self.canvas.show(*self.picture())

    def picture(self) -> tuple[Frame, str, str]:
        """Return the frame, the bars with what is marked on them, and the verdict."""
        frame = picture.frame(self.state.quantity, len(self.state.bars))
        read, bars = picture.read(self.state, self.neuron, frame), picture.bars(self.state, frame)
        return frame, bars + read + picture.threshold(self.state, frame), " ".join(judged(self.state))

    def touch(self, touch: str = "", key: str = "", x: float = 0, y: float = 0) -> None:
        """Follow a mark; a line of the threshold goes where it is put, though it is seldom at the threshold itself."""
        if touch == "threshold" and not key:
            if not self.state.signature.reason:
                _, height = self.canvas.shown.data_at("neurons", x, y)
                self.threshold.value = self.state.threshold_at(height)
            return
        left, second = (self.canvas.shown.places.get(panel, (np.inf,))[0] for panel in ("neurons", "contribution"))
        x -= second - left if x >= second else 0
        turned = touch == "threshold" and self.state.settings.rule in CHANCES  # a smaller chance is a higher line
        super().touch(touch, TURNED.get(key, key) if turned else key, x, y)

    @property
    def summary(self) -> str:
        """The picture's text twin: what is compared, the rule, the verdict and the numbers."""
        state, chosen = self.state, self.state.settings
        over = words.NAA_OVER_WHAT.format(over=words.NAA_OVER[chosen.over]) if chosen.rule in TAKES_OVER else ""
        told = {"threshold": f"{chosen.threshold:g}", "meaning": RULES[chosen.rule].threshold_is}
        ruled = words.NAA_SETTING.format(rule=chosen.rule, over=over, **told)
        numbers = ", ".join(f"{name} {text}" for name, text in zip(words.NAA_COLUMNS, _facts(state), strict=True))
        return "\n".join((_compared(state), ruled, " ".join(judged(state)), f"{numbers}. {_sizes(state)}"))


def judged(state: Finding) -> tuple[str, str, str]:
    """Return what the rule says, what that means, and what is true: the backdoored neurons, and how many were found."""
    found, flagged, guilty = state.signature, {*state.signature.flagged.tolist()}, {*state.settings.truth}
    kind = "cannot" if found.reason else "alarm" if flagged else "silent"
    said = {"cannot": words.NAA_CANNOT, "alarm": words.NAA_ALARM, "silent": words.NAA_SILENT}[kind]
    told = {"rule": found.rule, "reason": found.reason, "flagged": len(flagged), "n": len(state.bars)}
    small = words.NAA_TOO_SMALL.format(passed=len(state.small), floor=EFFECT_FLOOR) if len(state.small) else ""
    are = (words.NAA_IS if len(guilty) == 1 else words.NAA_ARE).format(which=_named(state, state.settings.truth))
    counts = {"hits": len(flagged & guilty), "missed": len(guilty - flagged), "wrong": len(flagged - guilty)}
    truth = (words.NAA_TRUTH if guilty else words.NAA_NO_TRUTH).format(which=are, **counts)
    return said.format(which=_named(state, found.flagged), **told), f"{small} {words.NAA_CAVEATS[kind]}".strip(), truth


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


def _compared(state: Finding) -> str:
    chosen = state.settings
    if chosen.source != SIMULATION:
        return words.NAA_TOY.format(source=words.NAA_SOURCES[chosen.source])
    which = _named(state, chosen.truth) if chosen.truth else words.NAA_NO_NEURON
    told = {"rise": f"{chosen.rise:g}", "triggered": round(chosen.triggered * chosen.rows), "which": which}
    return words.NAA_SIMULATED.format(rows=chosen.rows, seed=chosen.seed, **told)


def _sizes(state: Finding) -> str:
    """Return the toy's shifts, or how far the innocent neurons of the simulation go."""
    found = state.signature
    if found.contribution is None:
        others = np.delete(found.signature, list(state.settings.truth))
        return words.NAA_OTHERS.format(largest=f"{others.max():.3f}")
    pairs = enumerate(zip(map(signed, found.shift), map(signed, found.contribution[:, 0]), strict=True), 1)
    return " ".join(words.NAA_TOY_FACT.format(number=i, shift=shift, contribution=moved) for i, (shift, moved) in pairs)
