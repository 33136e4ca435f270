"""Other ways to show what a lab shows: by `interact`, kept alive by ipympl, or prepared and only swapped."""

from collections.abc import Callable
from typing import Any

import anywidget
import ipywidgets as widgets
import matplotlib.pyplot as plt
import traitlets
from IPython.display import Math, display
from matplotlib.figure import Figure
from scenes import SCENES, Scene, draw, dress, lab_with_dial, move

from lesson_lib.pictures.frame import CSS


def slider(scene: Scene) -> widgets.IntSlider:
    return widgets.IntSlider(value=scene.start, max=scene.positions - 1)


def interact(name: str) -> None:
    """Show a slider that makes a new figure at every move."""
    scene = SCENES[name]()

    def show(position: int) -> None:
        if scene.formula is not None:
            display(Math(scene.formula(position)))
        _, axes = plt.subplots(1, len(scene.panels), figsize=scene.inches, dpi=100, squeeze=False)
        dress(axes[0], scene)
        draw(axes[0], scene, scene.data(position))
        plt.show()

    widgets.interact(show, position=slider(scene))


def ipympl(name: str, blitting: bool = False) -> None:
    """Show a slider that moves what is in a figure kept by ipympl, and has it all, or only that, drawn again."""
    scene = SCENES[name]()
    canvas, axes = kept(scene)
    made = draw(axes, scene, scene.data(scene.start), **({"animated": True} if blitting else {}))
    refresh = blitted(canvas, made) if blitting else canvas.draw_idle
    chosen, text = slider(scene), widgets.HTMLMath()

    def write(position: int) -> None:
        if scene.formula is not None:
            text.value = rf"\[{scene.formula(position)}\]"

    def show(position: int) -> None:
        write(position)
        move(made, scene.data(position))
        refresh()

    write(scene.start)
    chosen.observe(lambda change: show(change["new"]), names="value")
    if scene.drag is not None:
        follow_star(canvas, axes[0], lambda x, y: (move(made, scene.drag(x, y)), refresh()))
    display(widgets.VBox([chosen, text, canvas]))


def follow_star(canvas: Any, panel: Any, show: Callable[[float, float], Any]) -> None:
    """Call `show` with the place (x, y) of the pointer on a panel while its button is down."""
    held = []

    def follow(event: Any) -> None:
        if held and event.inaxes is panel:
            show(event.xdata, event.ydata)

    canvas.mpl_connect("button_press_event", lambda event: (held.append(event), follow(event)))
    canvas.mpl_connect("motion_notify_event", follow)
    canvas.mpl_connect("button_release_event", lambda _: held.clear())


def kept(scene: Scene) -> tuple[Any, list[Any]]:
    """Return ipympl's canvas without its tools, and the panels on it."""
    before = plt.get_backend()
    from ipympl.backend_nbagg import Canvas, FigureManager

    plt.switch_backend(before)  # the import makes ipympl pyplot's own
    figure = Figure(figsize=scene.inches, dpi=100)
    canvas = Canvas(figure)
    FigureManager(canvas, 0)
    canvas.header_visible = canvas.footer_visible = canvas.toolbar_visible = False
    axes = list(figure.subplots(1, len(scene.panels), squeeze=False)[0])
    dress(axes, scene)
    return canvas, axes


def blitted(canvas: Any, made: dict[str, Any]) -> Callable[[], None]:
    """Return what draws the moving artists on the remembered background and sends the picture."""
    background: list[Any] = []

    def draw_moving() -> None:
        for artist in made.values():
            canvas.figure.draw_artist(artist)

    def remember(_event: Any) -> None:
        background[:] = [canvas.copy_from_bbox(canvas.figure.bbox)]
        draw_moving()

    def refresh() -> None:
        canvas.restore_region(background[0])
        draw_moving()
        canvas.blit(canvas.figure.bbox)

    canvas.mpl_connect("draw_event", remember)
    return refresh


class Swapped(anywidget.AnyWidget):
    """A frame with marks, and nothing else: what the marks are swapped for is shown."""

    _esm = """export default { render({ model, el }) {
        el.innerHTML = `<svg class="by-hand-picture" xmlns="http://www.w3.org/2000/svg"><g></g><g></g></svg>`;
        const svg = el.firstChild, show = () => { svg.children[1].innerHTML = model.get("marks"); };
        svg.setAttribute("viewBox", `0 0 ${model.get("size").join(" ")}`);
        svg.children[0].innerHTML = model.get("frame");
        model.on("change:marks", show);
        show();
    } };"""
    _css = CSS
    size = traitlets.List(traitlets.Int()).tag(sync=True)
    frame = traitlets.Unicode().tag(sync=True)
    marks = traitlets.Unicode().tag(sync=True)


def swapped(name: str) -> None:
    """Show a slider that swaps the lab's marks, which are all prepared: nothing is computed."""
    scene, (lab, dial) = SCENES[name](), lab_with_dial(name)
    frame, first, _ = lab.picture()
    prepared, formulas = [], []
    for position, value in enumerate(dial.positions):
        dial.value = value
        prepared.append(lab.picture()[1])
        formulas.append("" if scene.formula is None else rf"\[{scene.formula(position)}\]")
    picture = Swapped(size=list(frame.size), frame=frame.svg, marks=first)
    chosen, text = slider(scene), widgets.HTMLMath(value=formulas[scene.start])

    def show(change: dict[str, Any]) -> None:
        text.value, picture.marks = formulas[change["new"]], prepared[change["new"]]

    chosen.observe(show, names="value")
    display(widgets.VBox([chosen, text, picture]))
