"""The NAA lab: neuron activation analysis on the article's simulation and on the toy, with every rule's threshold."""

from typing import Any

import ipywidgets as widgets

from lesson_lib.labs.naa import words
from lesson_lib.labs.naa.compute import RISES, ROWS, SHARES, SIMULATION, STARTS, THRESHOLDS, Finding, Settings, find
from lesson_lib.labs.naa.says import describe, facts_html, verdict
from lesson_lib.labs.shared.dial import Dial, RangedDial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import WRAP, button, choice
from lesson_lib.labs.shared.words import KEYS, RESET, TIPS
from lesson_lib.naa.rules import TAKES_OVER
from lesson_lib.pictures.bars import SignaturePlot
from lesson_lib.pictures.stills import signature_svg

SIMULATED = ("rise", "triggered", "rows", "backdoored", "seed")  # the controls that the toy does not have
LABEL, BOX, SLIDER, LIST = "104px", "186px", "176px", "310px"  # widths: two columns fit a page of 1024 pixels


class NAALab(Lab):
    """Compare suspect with clean activations: a bar for each neuron, a rule, its threshold, and how right it is.

    The sources are the article's simulation of 512 neurons and four 1-2-1 nets of the lessons before.
    """

    def __init__(self) -> None:
        super().__init__()
        start, label = Settings(), words.NAA_LABELS
        self.threshold = RangedDial(label["threshold"], THRESHOLDS[start.rule], start.threshold)
        self._fitted = start.rule  # the rule whose thresholds the dial has
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
        for name in ("threshold", *SIMULATED):
            _narrow(self.controls[name])
        self.controls["rule"].observe(self._rule_changed, names="value")
        self.messages = {"": widgets.HTML()}
        self.facts = widgets.HTML(layout=widgets.Layout(min_height="142px"))  # so that nothing below jumps
        self.pictures = widgets.HTML()
        self.plots: dict[tuple[int, str], SignaturePlot] = {}
        self.compute()
        self.box = self.layout()
        self.start()

    def layout(self) -> widgets.Box:
        """Return the box: what judges on the left, what is compared on the right, then the verdict and the picture."""
        control = self.controls
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
            state.bars, found.flagged, state.truth, state.lines, verdict(state), moved
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
        """The settings, the verdict and the numbers in words."""
        return describe(self.state)

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

    def sync(self) -> None:
        """Put the threshold to a new rule's range and default, before the change is followed."""
        rule = self.controls["rule"].value
        if (self._fitted, self.threshold.range_set) != (rule, THRESHOLDS[rule]):
            self.threshold.set_range(THRESHOLDS[rule], STARTS[rule])
            self._fitted = rule
        super().sync()

    def _rule_changed(self, _: dict[str, Any]) -> None:
        with self._paused():
            self.sync()

    def _assign(self, values: dict[str, Any]) -> None:
        """Assign the rule first, because it changes what the threshold may be."""
        super()._assign({name: values[name] for name in sorted(values, key=lambda name: name != "rule")})


def _list(name: str, options: Any, value: str) -> widgets.Dropdown:
    return choice(words.NAA_LABELS[name], options, value, LIST, LABEL)


def _narrow(control: Any) -> None:
    """Give a number the widths of this lab."""
    for part, width in zip(_parts(control), (BOX, SLIDER), strict=False):
        part.layout.width = width
    _parts(control)[0].style.description_width = LABEL


def _parts(control: Any) -> tuple[Any, ...]:
    """Return the widgets by which a number is set by hand."""
    return (control.number, control.slider) if isinstance(control, Dial) else (control,)
