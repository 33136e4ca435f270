"""What the tests of several notebooks share: a lab or an exercise on the page, its colours, and the focus."""

import re

CELL_COUNT = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
FOCUSED = """() => {
    const focus = document.activeElement, name = (node) => node.querySelector('label').textContent.trim();
    if (focus.role === 'slider') return `${name(focus.closest('.widget-hbox'))} slider`;
    return (focus.labels?.[0] ?? focus).textContent.trim();
}"""
# What a narrow page would make scroll or cut off.
WIDE = """(lab) => [lab, ...lab.querySelectorAll('*')].filter(node => node.scrollWidth > node.clientWidth + 1
    && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(node).overflowX) && !node.closest('mjx-container')
    && node.tagName !== 'INPUT').map(node => node.className)"""
# Every visible text with its colour, its opacity, and the colour behind it.
COLOURS = """(lab) => {
    const opaque = (colour) => !/, 0\\)$|^transparent$|^none$/.test(colour);
    const ground = (node) => {
        const box = node.matches('svg text') && getComputedStyle(node.previousElementSibling).fill;
        if (box && opaque(box)) return box;
        for (; node; node = node.parentElement) {
            const colour = getComputedStyle(node).backgroundColor;
            if (opaque(colour)) return colour;
        }
    };
    const opacity = (node) => node === lab ? 1 : opacity(node.parentElement) * getComputedStyle(node).opacity;
    const own = (node) => [...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
    return [...lab.querySelectorAll('*')]
        .filter(node => own(node) && node.checkVisibility() && !node.closest('option, title, desc, mjx-container'))
        .map(node => [node.textContent.trim(), getComputedStyle(node)[node.matches('svg text') ? 'fill' : 'color'],
            opacity(node), ground(node)]);
}"""


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
    def alert(self):
        return self.box.get_by_role("alert")

    def wait_for_text(self, text):
        self.box.get_by_role("status").filter(has_text=text).wait_for()

    def type(self, name, text):
        self.field(name).click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")


def focused(page):
    """Return the name of what has the focus; a slider is named after the number box beside it."""
    return page.evaluate(FOCUSED)


def faint(shown, least=4.5):
    """Return each text of a lab whose contrast with its ground is below WCAG's least, with its colours."""
    texts = shown.box.evaluate(COLOURS)
    assert len(texts) > 10
    return [
        (text, colour, ground)
        for text, colour, opacity, ground in texts
        if contrast(mixed(seen(colour, seen(ground)), seen(ground), opacity), seen(ground)) < least
    ]


def mixed(colour, ground, opacity):
    return [opacity * part + (1 - opacity) * below for part, below in zip(colour, ground, strict=True)]


def contrast(first, second):
    """Return WCAG's contrast ratio of two colours."""
    bright, dim = sorted(map(luminance, (first, second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def seen(colour, ground=(0, 0, 0)):
    """Return red, green and blue of "rgb(…)" or "rgba(…)", as it looks on a ground."""
    assert re.fullmatch(r"rgba?\([\d., ]+\)", colour), colour
    *parts, alpha = [*map(float, re.findall(r"[\d.]+", colour)), 1.0][:4]
    return mixed(parts, ground, alpha)


def luminance(colour):
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
