"""The pruning lab: take neurons out of a backdoored classifier one by one, and compare pruning with other repairs."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.digits import SIDE
from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.compute import (
    WIDTHS,
    compare_repairs,
    describe,
    examples,
    marked,
    pruning,
    verdict,
    weight_limits,
)
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import WRAP, button, choice, status
from lesson_lib.labs.shared.words import KEYS, RESET, TIPS
from lesson_lib.pictures.bars import PruningPlot
from lesson_lib.pictures.plot import as_image, as_png
from lesson_lib.pictures.stills import pruning_svg

LABEL, LIST, SLIDER = "76px", "304px", "420px"
TAB = "520px"  # both tabs are equally high, so that nothing below them jumps
FRAME = 128  # the grey of a digit's frame
COLUMNS = "display: grid; grid-template-columns: 112px repeat({n}, minmax(0, 1fr)); max-width: 840px; line-height: 1.3"


class PruningLab(Lab):
    """Prune hidden neurons in the order that a rule gives, and watch clean accuracy and attack success side by side.

    The models are a clean one, one poisoned by its training data, and two with a backdoor planted by hand. The second
    tab compares pruning with other repairs, before and after fine-tuning on clean data.
    """

    def __init__(self) -> None:
        super().__init__()
        label = words.PRUNING_LABELS
        self.pruned = Dial(label["pruned"], range(WIDTHS["poisoned"] + 1), 0, whole=True)
        self.controls = {
            "model": choice(label["model"], words.PRUNING_MODELS, "poisoned", LIST, LABEL),
            "order": choice(label["order"], words.PRUNING_ORDERS, "rise", LIST, LABEL),
            "pruned": self.pruned,
        }
        self.pruned.number.style.description_width = LABEL
        self.pruned.number.layout.width, self.pruned.slider.layout.width = "160px", SLIDER
        self.pruned.follow(
            self.controls["model"], lambda model, now: (range(WIDTHS[model] + 1), min(now, WIDTHS[model]))
        )
        self.facts = widgets.HTML(layout=widgets.Layout(min_height="66px"))  # so that nothing below jumps
        self.pictures = widgets.HTML()
        self.plots: dict[str, PruningPlot] = {}
        images, labels = examples()
        digits = [widgets.HTML(_row("", [*map(_digit, row, labels)])) for row in images]
        self.rows = [widgets.VBox([widgets.HTML(), row]) for row in digits]  # answers over digits
        self.tables: dict[str, str] = {}  # as HTML, by model
        self.compared = ""  # the model whose table is shown
        self.compare_text, self.table = widgets.HTML(), widgets.HTML()
        self.compute()
        self.box = self.layout()
        self.start()

    def layout(self) -> widgets.Box:
        """Return the box: the model above two tabs, to prune by hand, and to compare repairs."""
        control = self.controls
        reset = button(RESET, TIPS["Reset"], self.reset)
        compute = button(words.COMPUTE, words.COMPUTE_TIP, self.compare, "110px")
        top = widgets.HBox([control["model"], control["order"], reset], layout=WRAP)
        tab_layout = widgets.Layout(min_height=TAB)
        by_hand = widgets.VBox([self.pruned, self.facts, self.pictures, *self.rows], layout=tab_layout)
        line = widgets.HBox([compute, self.compare_text], layout=widgets.Layout(align_items="center"))
        compared = widgets.VBox([line, self.table], layout=tab_layout)
        tabs = widgets.Tab([by_hand, compared], titles=words.PRUNING_TABS)
        return widgets.VBox([top, self.messages[""], tabs, widgets.HTML(KEYS)])

    def compute(self) -> None:
        """Look up the pruning of this model in this order, which is computed when first asked for."""
        value = self.values
        if value["model"] not in self.plots:
            self.facts.value = status(words.PRUNING_TRAINING)
        self.state = pruning(value["model"], value["order"]), int(value["pruned"])

    def draw(self) -> None:
        """Show the state; the picture goes last, so that the browser is free for the next move while it paints."""
        (seen, pruned), text = self.state, verdict(*self.state)
        self.facts.value = status(text)
        for row, name, answers in zip(self.rows, words.PRUNING_ROWS, seen.answers[pruned], strict=True):
            row.children[0].value = _row(name, marked(answers, "<b>{}</b>"))
        self._show_compared()
        self.pictures.value = self.plot.show_pruned(pruned, seen.weights[pruned], text)

    @property
    def plot(self) -> PruningPlot:
        """The plot of the state's model, made when it is first needed, with the curve of the state's order."""
        seen, _ = self.state
        if seen.name not in self.plots:
            self.plots[seen.name] = PruningPlot(len(seen.neurons), weight_limits(seen.name))
        plot = self.plots[seen.name]
        if plot.curve is not seen.curve:
            plot.set_curve(seen.curve, seen.control)
        return plot

    def compare(self) -> None:
        """Show every repair of this model side by side; computed once."""
        model = self.values["model"]
        self.compare_text.value = status(words.COMPARING.format(model=model))
        try:
            self.tables[model] = f'<div class="jp-RenderedHTMLCommon">{compare_repairs(model)._repr_html_()}</div>'
        finally:
            self._show_compared()

    def _show_compared(self) -> None:
        """Show the chosen model's table if there is one; otherwise say that what is shown is another model's."""
        model = self.values["model"]
        if model in self.tables:
            self.compared, self.table.value = model, self.tables[model]
        text = words.COMPARED if self.compared == model else words.COMPARE_STALE
        text = text if self.compared else words.NOT_COMPARED
        self.compare_text.value = status(text.format(shown=self.compared, model=model))

    @property
    def summary(self) -> str:
        """The model, the verdict, where the attack stops, the weights and the answers in words and numbers."""
        return describe(*self.state)

    def still(self) -> str:
        """Return the curves as a small SVG."""
        seen, pruned = self.state
        return pruning_svg(seen.curve, seen.control, pruned, verdict(*self.state))


def _row(name: str, cells: Sequence[str]) -> str:
    """Return a name and nine cells as HTML; the digits are sent once, a move of the slider sends only the answers."""
    spans = "".join(f"<span>{cell}</span>" for cell in (name, *cells))
    return f'<div style="{COLUMNS.format(n=len(cells))}">{spans}</div>'


def _digit(image: Array, label: int) -> str:
    """Return an image as six times larger pixels in a grey frame, so that a white corner shows on any ground."""
    larger = np.kron(255 * image.reshape(SIDE, SIDE), np.ones((6, 6)))
    grey = np.pad(larger, 1, constant_values=FRAME).round().astype(np.uint8)  # (50, 50)
    pixels = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    return as_image(as_png(pixels), 'width="50" height="50"', words.PRUNING_IMAGE.format(label=label))
