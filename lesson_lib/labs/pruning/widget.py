"""The pruning lab: take neurons out of a backdoored classifier one by one, and compare pruning with other repairs."""

from typing import ClassVar

import ipywidgets as widgets

from lesson_lib.labs.pruning import picture, words
from lesson_lib.labs.pruning.compute import LIMIT, TARGET, WIDTHS, compare_repairs, examples, marked, pruning, told_of
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import WRAP, button, choice, screen, status, verdict
from lesson_lib.labs.shared.play import along
from lesson_lib.labs.shared.words import NO, PAUSE, PLAY, RESET, TIPS, YES
from lesson_lib.pictures.frame import Frame
from lesson_lib.tables import percent, signed

SECONDS_A_NEURON, LABEL = 0.12, "64px"  # from one neuron to the next; the width of the controls' names
TABLE = """<style>
.by-hand-repairs { width: min-content; min-width: 300px }
.by-hand-repairs table { table-layout: auto; font-size: 11px; margin: 0 }
.by-hand-repairs :is(td, th) { padding: 3px !important; line-height: 1.25 !important }
.by-hand-repairs td { white-space: nowrap !important }
</style>"""


class PruningLab(Lab):
    """Prune hidden neurons in the order that a rule gives, and watch clean accuracy and attack success side by side.

    The models are a clean one, one poisoned by its training data, and two with a backdoor planted by hand. A table
    compares pruning with other repairs, before and after fine-tuning on clean data.
    """

    touchable: ClassVar = {"cursor": ("curves", "pruned", "")}

    def __init__(self) -> None:
        super().__init__()
        label, n_of = words.PRUNING_LABELS, WIDTHS.__getitem__
        self.pruned = Dial(label["pruned"], range(WIDTHS["poisoned"] + 1), 0, whole=True)
        self.controls = {
            "model": choice(label["model"], words.PRUNING_MODELS, "poisoned", "304px", LABEL),
            "order": choice(label["order"], words.PRUNING_ORDERS, "rise", "304px", LABEL),
            "pruned": self.pruned,
        }
        self.pruned.number.style.description_width, self.pruned.number.layout.width = LABEL, "130px"
        self.pruned.follow(self.controls["model"], lambda model, now: (range(n_of(model) + 1), min(now, n_of(model))))
        self.player = along(self.pruned, SECONDS_A_NEURON, texts=(PLAY, PAUSE, words.PRUNING_PLAY), width="70px")
        self.players = [self.player]
        self.facts, self.compare_text, self.table = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.compare_text.add_class("by-hand-fine")  # one line of it is as high as two
        self.tables: dict[str, str] = {}  # as HTML, by model
        self.compared = ""  # the model whose table is shown
        self.compute()
        reset = button(RESET, TIPS["Reset"], self.reset, "70px")
        compute = button(words.COMPUTE, words.COMPUTE_TIP, self.compare, "auto")
        buttons = widgets.HBox([reset, self.player.button, compute], layout=WRAP)
        left = [*self.controls.values(), buttons, self.messages[""], self.compare_text, self.table]
        self.box = screen([self.facts], left, [self.canvas])
        self.start()

    def compute(self) -> None:
        """Look up the pruning of this model in this order, which is computed when first asked for."""
        self.state = pruning(self.values["model"], self.values["order"]), int(self.values["pruned"])

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        told = told_of(*self.state)
        looks = "sentence", *({YES: "yes", NO: "no"}[told[half]] for half in ("stopped", "kept"))
        self.facts.value = verdict(*zip(looks, (text.format(**told) for text in words.PRUNING_BADGES), strict=True))
        self._show_compared()
        self.canvas.show(*self.picture())

    def picture(self) -> tuple[Frame, str, str]:
        """Return the model's frame, the marks of the state on it, and what they say."""
        frame = picture.frame(self.state[0].name)
        return frame, picture.marks(*self.state, frame), self.summary

    def compare(self) -> None:
        """Show every repair of this model side by side; computed once."""
        model = self.values["model"]
        self.compare_text.value = status(words.COMPARING.format(model=words.PRUNING_SHORT[model]))
        try:
            table = compare_repairs(model)._repr_html_()
            self.tables[model] = f'{TABLE}<div class="jp-RenderedHTMLCommon by-hand-repairs">{table}</div>'
        finally:
            self._show_compared()

    def _show_compared(self) -> None:
        """Show the chosen model's table if there is one; otherwise say that what is shown is another model's."""
        model, short = self.values["model"], words.PRUNING_SHORT
        if model in self.tables:
            self.compared, self.table.value = model, self.tables[model]
        text = words.COMPARED if self.compared == model else words.COMPARE_STALE
        text = text if self.compared else words.NOT_COMPARED
        self.compare_text.value = status(text.format(shown=short.get(self.compared), model=short[model]))

    @property
    def summary(self) -> str:
        """The model, the verdict, where the attack stops, the weights and the answers in words and numbers."""
        (seen, pruned), model = self.state, words.PRUNING_WHAT[self.state[0].name]
        k, limit, labels = seen.curve.first_below(LIMIT), f"{100 * LIMIT:g} %", ", ".join(map(str, examples()[1]))
        stops = words.PRUNING_NEVER if k is None else words.PRUNING_STOPS
        sums = ", ".join(f"{digit}: {signed(value, 1)}" for digit, value in enumerate(seen.weights[pruned]))
        clean, triggered = (", ".join(marked(row)) for row in seen.answers[pruned])
        lines = (
            words.PRUNING_SETTING.format(model=model, n=len(seen.neurons), order=words.PRUNING_BY[seen.by]),
            words.PRUNING_VERDICT.format(**told_of(seen, pruned)),
            stops.format(limit=limit, k=k, accuracy=percent(seen.curve.accuracy[k or 0])),
            words.PRUNING_WEIGHTS.format(sums=sums, target=TARGET),
            words.PRUNING_ANSWERS.format(labels=labels, clean=clean, triggered=triggered),
        )
        return "\n".join(lines)
