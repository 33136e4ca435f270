"""What the tests of several notebooks share: a lab or an exercise on the page, its twin, and the focus."""

import json
import re
from contextlib import contextmanager
from html.parser import HTMLParser

import ipywidgets as widgets
import nbformat
from marks import parsed
from nbformat.v4 import new_code_cell, new_notebook

from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.canvas import Canvas
from lesson_lib.labs.shared.dial import Dial

CELL_COUNT = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
FOCUSED = """() => {
    const focus = document.activeElement, name = (node) => node.querySelector('label').textContent.trim();
    if (focus.dataset.touch) return `${focus.dataset.touch} in the picture`;
    if (focus.role === 'slider') return `${name(focus.closest('.widget-container'))} slider`;
    return (focus.labels?.[0] ?? focus).textContent.trim();
}"""
CANVAS = "svg.by-hand-picture[role=group]"
# What a lab shows: its controls by label, which of them are disabled, its sliders, its texts and its pictures; of one
# that can be touched what it says, the texts of its frame, and each mark with its attributes.
READ = """(lab) => {
    const all = (what) => [...lab.querySelectorAll(what)], name = (control) => control.labels[0].textContent.trim();
    const value = ({ type, checked, value }) =>
        type === 'radio' ? checked : value === '' || isNaN(value) ? value : Number(value);
    const controls = all('input, select');
    return {
        controls: Object.fromEntries(controls.map(control => [name(control), value(control)])),
        disabled: controls.filter(control => control.disabled).map(name),
        sliders: all('.noUi-handle').map(handle => [Number(handle.ariaValueNow), Number(handle.ariaValueMax)]),
        texts: all('.widget-html .widget-html-content').map(node => node.textContent),
        pictures: all('img, CANVAS').map(shown => shown.matches('img') ? [shown.alt, shown.src] : [
            shown.getAttribute('aria-label'), shown.children[0].textContent.replace(/\\s/g, ''),
            [...shown.children[1].querySelectorAll('*')].map(mark => [mark.localName, mark.children.length
                ? '' : mark.textContent, ...[...mark.attributes].map(one => one.value)].join('|'))]),
    };
}""".replace("CANVAS", CANVAS)
# The page waits for itself, so that nothing but the last state travels.
WAIT_FOR = """async (lab, [expected, timeout]) => {
    const read = READ, wanted = JSON.stringify(JSON.parse(expected));
    for (const start = performance.now();;) {
        const seen = read(lab);
        if (JSON.stringify(seen) === wanted || performance.now() - start > timeout) return seen;
        await new Promise(resolve => setTimeout(resolve, 10));
    }
}""".replace("READ", READ)
SAMPLE_FRAMES = """(lab) => {
    const all = (what) => [...lab.querySelectorAll(what)].filter(node => node.checkVisibility());
    const frames = window.frames = [];
    const sample = () => {
        const images = all('img'), drawn = all('CANVAS');
        const main = drawn[0]?.children[1].innerHTML ?? images.find(image => image.width > 400)?.src;
        frames.push([lab.getBoundingClientRect().height, images.length + drawn.length, main,
            images.every(image => image.complete && image.naturalWidth)
                && drawn.every(svg => [0, 1].every(i => svg.children[i].childElementCount) && svg.ariaLabel)
                && all('svg:not(svg svg), [role=status]').every(node => node.textContent)]);
        if (window.frames === frames) requestAnimationFrame(sample);
    };
    sample();
}""".replace("CANVAS", CANVAS)
# Where a point of a picture is on the page, in pixels.
ON_PAGE = """(svg, [x, y]) => {
    const point = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    return [point.x, point.y];
}"""
END_SAMPLING = "() => { const frames = window.frames; window.frames = null; return frames; }"


def write_notebook(folder, name, sources):
    """Write a notebook of these code cells, and return the name of its file."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return f"{name}.ipynb"


def cell_with(kind):
    """Return the source of a cell that shows a lab of this kind."""
    return f"from lesson_lib.labs import {kind.__name__}\n{kind.__name__}()"


class Shown:
    """One lab or exercise on the page."""

    def __init__(self, page, box):
        self.page, self.box = page, box
        self.box.wait_for()

    def button(self, name):
        return self.box.get_by_role("button", name=name)

    def field(self, name):
        return self.box.get_by_label(name, exact=True)

    @property
    def status(self):
        return self.box.locator("[role=status]").first.text_content()

    @property
    def statuses(self):
        return self.box.locator("[role=status]").all_text_contents()

    @property
    def cells(self):
        return self.box.locator("td").all_text_contents()

    @property
    def alert(self):
        return self.box.get_by_role("alert")

    def wait_for_text(self, text):
        self.box.get_by_role("status").filter(has_text=text).wait_for()

    def type(self, name, text):
        self.field(name).click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")


class TwinLab(Shown):
    """A lab on the page, and its twin: the same lab in this process, which says what the page must show."""

    def __init__(self, lab_page, index, twin):
        super().__init__(lab_page.page, lab_page.output(index))
        self.twin = twin

    def slider(self, name):
        dial = self.field(name).locator("xpath=ancestor::*[contains(@class, 'widget-box')][1]")
        return dial.locator(".noUi-handle")

    def tab(self, name):
        return self.box.get_by_role("tab", name=name)

    def restart(self):
        self.button(words.RESET).click()
        self.twin.reset()
        self.agrees()

    def put(self, **values):
        """Set controls by hand, one after another, and wait until the page shows what the twin shows."""
        for name, value in values.items():
            control = self.twin.controls[name]
            if isinstance(control, widgets.Dropdown):
                label = next(label for label, option in control._options_full if option == value)
                self.field(control.description).select_option(label)
            else:
                box = control.number if isinstance(control, Dial) else control
                self.type(box.description, f"{value:g}" if isinstance(value, float) else str(value))
            self.agrees(**{name: value})

    def agrees(self, **values):
        """Set the twin's controls, and wait until the page shows what the twin shows."""
        if values:
            self.twin.set(**values)
        expected = shown_by(self.twin.box)
        seen = self.box.evaluate(WAIT_FOR, [json.dumps(expected), 30_000])
        assert seen == expected

    def read(self):
        return self.box.evaluate(READ)

    def choose(self, name, option):
        """Choose from a list on the keyboard, as the lab's line about keys says."""
        wanted = self.field(name)
        wanted.focus()
        options = wanted.locator("option").evaluate_all("all => all.map(option => option.value)")
        steps = options.index(option) - options.index(wanted.input_value())
        self.page.keyboard.press("Enter")
        self.page.wait_for_function("() => document.activeElement.matches(':open')")
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        self.page.keyboard.press("Enter")

    @property
    def canvas(self):
        return self.box.locator(CANVAS)

    def mark(self, name):
        """Return what can be touched under a name in the picture."""
        return self.canvas.locator(f'[data-touch="{name}"]')

    def on_page(self, panel, x, y):
        """Return where a point of a panel is on the page."""
        self.canvas.scroll_into_view_if_needed()
        return self.canvas.evaluate(ON_PAGE, self.twin.picture()[0].pixels(panel, x, y)[0].tolist())

    def drag_mark(self, panel, points):
        """Drag from the first point of a panel to each of the others in turn."""
        mouse, places = self.page.mouse, [self.on_page(panel, *point) for point in points]
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place)
            self.page.wait_for_timeout(20)  # as fast as a hand
        mouse.up()

    def drag(self, name, shares):
        """Drag a slider to each share of its track in turn."""
        mouse, handle = self.page.mouse, self.slider(name)
        held = handle.bounding_box()
        track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]").bounding_box()
        y = held["y"] + held["height"] / 2
        mouse.move(held["x"] + held["width"] / 2, y)
        mouse.down()
        for share in shares:
            mouse.move(track["x"] + track["width"] * share, y)
            self.page.wait_for_timeout(20)  # as fast as a hand
        mouse.up()

    @contextmanager
    def whole_in_every_frame(self, pictures=1):
        """Check that meanwhile every frame shows whole pictures, `pictures` different ones at least, at one height."""
        self.box.evaluate(SAMPLE_FRAMES)
        yield
        heights, counts, sources, whole = zip(*self.page.evaluate(END_SAMPLING), strict=True)
        assert len(set(heights)) == len(set(counts)) == 1
        assert len(set(sources)) >= pictures
        assert all(whole)


def shown_by(widget):
    """Return what a page must show for a widget with all that is inside, in the form of READ."""
    inside = list(each(widget))
    kinds = widgets.Text, widgets.BoundedIntText, widgets.BoundedFloatText, widgets.Dropdown, widgets.RadioButtons
    controls = [one for one in inside if isinstance(one, kinds)]
    contents = [Content(one.value) for one in inside if isinstance(one, widgets.HTML)]
    return {
        "controls": {name: value for one in controls for name, value in settings(one)},
        "disabled": [name for one in controls if one.disabled for name, _ in settings(one)],
        "sliders": [[one.value, one.max] for one in inside if isinstance(one, widgets.IntSlider)],
        "texts": [content.text for content in contents],
        "pictures": [picture for one in inside for picture in pictures_of(one)],
    }


def pictures_of(widget):
    """Return what a widget adds to the pictures of READ."""
    if isinstance(widget, Canvas):
        frame = re.sub(r"\s", "", "".join(parsed(widget.frame).itertext()))
        return [[widget.alt, frame, [*map(written, [*parsed(widget.marks).iter()][1:])]]]
    return Content(widget.value).pictures if isinstance(widget, widgets.HTML) else []


def written(mark):
    """Return a mark in the form of READ."""
    name = mark.tag.rpartition("}")[2]
    return "|".join([name, "" if len(mark) else mark.text or "", *mark.attrib.values()])


def each(widget):
    """Yield a widget and everything in it, in the order of the page."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from each(child)


def settings(control):
    """Return the name and the value of each input or list that a control puts on the page."""
    if isinstance(control, widgets.RadioButtons):
        return [(label, i == control.index) for i, label in enumerate(control._options_labels)]
    return [(control.description, plain(control.label if isinstance(control, widgets.Dropdown) else control.value))]


def plain(value):
    """Return a number where the text is one, because 5 and 5.0 are the same setting."""
    try:
        return float(value)
    except ValueError:
        return value


class Content(HTMLParser):
    """The text of an HTML widget, and its pictures: each one's description and source."""

    def __init__(self, html):
        super().__init__()
        self.text, self.pictures = "", []
        self.feed(html)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            named = dict(attributes)
            self.pictures.append([named["alt"], named["src"]])


def focused(page):
    """Return the name of what has the focus; a slider is named after the number box beside it."""
    return page.evaluate(FOCUSED)
