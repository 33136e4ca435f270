"""The NAA lab: neuron activation analysis on the article's simulation and on the toy, with every rule's threshold."""

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np

from lesson_lib.arrays import Indices
from lesson_lib.labs.naa import words
from lesson_lib.labs.naa.compute import RISES, ROWS, SHARES, SIMULATION, STARTS, THRESHOLDS, Finding, Settings, find
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import WRAP, button, choice
from lesson_lib.labs.shared.words import KEYS, RESET, TIPS
from lesson_lib.naa.judgement import EFFECT_FLOOR, RULES, TAKES_OVER
from lesson_lib.pictures.bars import SignaturePlot
from lesson_lib.pictures.stills import signature_svg
from lesson_lib.tables import signed

SIMULATED = ("rise", "triggered", "rows", "backdoored", "seed")  # the controls that the toy does not have
LABEL, BOX, SLIDER, LIST = "104px", "186px", "176px", "310px"  # widths: two columns fit a page of 1024 pixels


class NAALab(Lab):
    """Compare suspect with clean activations: a bar for each neuron, a rule, its threshold, and how right it is.

    The sources are the article's simulation of 512 neurons and four 1-2-1 nets of the lessons before.
    """

    def __init__(self) -> None:
        super().__init__()
        start, label = Settings(), words.NAA_LABELS
        self.threshold = Dial(label["threshold"], THRESHOLDS[start.rule], start.threshold)
        self.controls = {
            "source": _list("source", words.NAA_SOURCES, start.source),
            "rule": _list("rule", words.NAA_RULES, start.rule),
            "threshold": self.threshold,
            "over": _list("over", words.NAA_OVER, start.over),
            "rise": Dial(label["rise"], RISES, start.rise),
            "triggered": Dial(label["triggered"], SHARES, start.triggered),
            "rows": Dial(label["rows"], ROWS, start.rows, whole=True),
            "backdoored": Dial(label["backdoored"], range(301), start.backdoored, whole=True),
            "seed": widgets.BoundedIntText(description=label["seed"], max=9999),
        }
        self.threshold.follow(self.controls["rule"], lambda rule, _: (THRESHOLDS[rule], STARTS[rule]))
        self.facts = widgets.HTML(layout=widgets.Layout(min_height="142px"))  # so that nothing below jumps
        self.pictures = widgets.HTML()
        self.plots: dict[tuple[int, str], SignaturePlot] = {}
        self.compute()
        self.box = self.layout()
        self.start()

    def layout(self) -> widgets.Box:
        """Return the box: what judges on the left, what is compared on the right, then the verdict and the picture."""
        control = self.controls
        for name in ("threshold", *SIMULATED):
            parts = _parts(control[name])
            parts[0].style.description_width = LABEL
            for part, width in zip(parts, (BOX, SLIDER), strict=False):
                part.layout.width = width
        reset = button(RESET, TIPS["Reset"], self.reset)
        left = widgets.VBox([control[name] for name in ("source", "rule", "threshold", "over")] + [reset])
        right = widgets.VBox([control[name] for name in SIMULATED])
        top = widgets.HBox([left, right], layout=WRAP)
        return widgets.VBox([top, self.messages[""], self.facts, self.pictures, widgets.HTML(KEYS)])

    def compute(self) -> None:
        """Compare the two sets, unless that has been done, and judge."""
        value = self.values
        whole = {name: int(value[name]) for name in ("rows", "backdoored", "seed")}
        self.state: Finding = find(Settings(**{**value, **whole}))

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        state, found = self.state, self.state.signature
        self.controls["over"].disabled = state.settings.rule not in TAKES_OVER
        for name in SIMULATED:
            for part in _parts(self.controls[name]):
                part.disabled = state.settings.source != SIMULATION
        self.facts.value = facts_html(state)
        moved = None if found.contribution is None else found.contribution[:, 0]
        self.pictures.value = self.plot.show_signature(
            state.bars, found.flagged, state.settings.truth, state.lines, verdict(state), moved
        )

    @property
    def plot(self) -> SignaturePlot:
        """The plot of the state's quantity; each is made once, when it is first needed."""
        key = len(self.state.bars), self.state.quantity
        if key not in self.plots:
            self.plots[key] = SignaturePlot(*key)
        return self.plots[key]

    @property
    def summary(self) -> str:
        """The picture's text twin: what is compared, the rule, the verdict and the numbers."""
        state = self.state
        numbers = ", ".join(f"{name} {text}" for name, text in zip(words.NAA_COLUMNS, _facts(state), strict=True))
        return "\n".join((_compared(state), _ruled(state), verdict(state), f"{numbers}. {_sizes(state)}"))

    def still(self) -> str:
        """Return the picture as a small SVG."""
        return signature_svg(self.plot, verdict(self.state))

    @property
    def preset(self) -> str:
        """The settings that differ from the start; with another rule, its threshold too."""
        line = super().preset
        named = "threshold=" in line or "rule=" not in line
        return line if named else f"{line}; threshold={self.threshold.value}"

    def load(self, preset: str) -> None:
        """Reset, then apply a preset line, in which a rule without a threshold gets its own default."""
        settings = {part.partition("=")[0].strip(): part.partition("=")[2].strip() for part in preset.split(";")}
        start = STARTS.get(settings.get("rule", ""))
        super().load(preset if start is None or "threshold" in settings else f"{preset}; threshold={start}")


def _list(name: str, options: Any, value: str) -> widgets.Dropdown:
    return choice(words.NAA_LABELS[name], options, value, LIST, LABEL)


def _parts(control: Any) -> tuple[Any, ...]:
    """Return the widgets by which a number is set by hand."""
    return (control.number, control.slider) if isinstance(control, Dial) else (control,)


# What is said --------------------------------------------------------------------------------------------------------


def verdict(state: Finding) -> str:
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
    return " ".join(filter(None, [said, _too_small(state), caveat, _truth(state)]))


def _too_small(state: Finding) -> str:
    """Return how many neurons pass the test of the rule bh and are too small to be flagged."""
    if state.quantity != "p":
        return ""
    passed = int((abs(state.bars) >= state.lines[0]).sum()) - len(state.signature.flagged)
    return words.NAA_TOO_SMALL.format(passed=passed, floor=EFFECT_FLOOR) if passed else ""


def _truth(state: Finding) -> str:
    """Return which neurons are backdoored and how many of them the rule has found."""
    flagged, guilty = set(state.signature.flagged.tolist()), set(state.settings.truth)
    counts = {"hits": len(flagged & guilty), "missed": len(guilty - flagged), "wrong": len(flagged - guilty)}
    if not guilty:
        return words.NAA_NO_TRUTH.format(**counts)
    are = words.NAA_IS if len(guilty) == 1 else words.NAA_ARE
    return words.NAA_TRUTH.format(which=are.format(which=_named(state, state.settings.truth)), **counts)


def _named(state: Finding, neurons: Sequence[int] | Indices) -> str:
    """Return "neurons 10 to 19": runs joined, a long list cut; the toy's are counted from 1, as in its lessons."""
    numbers = np.asarray(neurons, dtype=int) + (0 if state.settings.source == SIMULATION else 1)
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    long = words.NAA_RUN
    texts = [long.format(first=run[0], last=run[-1]) if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    text = ", ".join(texts[:6] + [words.NAA_MORE] * (len(texts) > 6))
    return (words.NAA_ONE if len(numbers) == 1 else words.NAA_SOME).format(which=text)


def _facts(state: Finding) -> tuple[str, ...]:
    """Return the flagged count, precision, recall and AUC as text."""
    shown = (words.NAA_NONE if np.isnan(value) else f"{value:.3f}" for value in state.score)
    return (str(len(state.signature.flagged)), *shown)


def facts_html(state: Finding) -> str:
    """Return the verdict as text that a screen reader announces, with the numbers beneath as a table."""
    cell = 'style="text-align: left; padding: 2px 28px 2px 0"'
    heads = "".join(f'<th scope="col" {cell}>{escape(name)}</th>' for name in words.NAA_COLUMNS)
    cells = "".join(f"<td {cell}>{escape(text)}</td>" for text in _facts(state))
    return (
        '<div role="status" aria-live="polite" style="line-height: 1.5; min-height: 4.5em">'
        f"{escape(verdict(state))}</div>"
        f'<table style="border-collapse: collapse"><tr>{heads}</tr><tr>{cells}</tr></table>'
    )


def _compared(state: Finding) -> str:
    """Return which two sets of activations are compared."""
    settings = state.settings
    if settings.source != SIMULATION:
        return words.NAA_TOY.format(source=settings.source)
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
    over = {value: name for name, value in words.NAA_OVER}[state.settings.over]
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
