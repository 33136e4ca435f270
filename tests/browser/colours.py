"""The colours of texts on the page, and how much they stand out from what is behind them."""

import re

from marks import contrast

# The opaque colour behind a node; a text of a picture may stand on the last shape that was drawn before it there.
GROUND = """(node) => {
    const opaque = (colour) => !/, 0\\)$|^transparent$|^none$/.test(colour);
    if (node.matches('svg text')) {
        const { x, y, width, height } = node.getBoundingClientRect(), centre = [x + width / 2, y + height / 2];
        const boxes = [...node.ownerSVGElement.querySelectorAll('rect, circle')].filter(box => {
            const { left, right, top, bottom } = box.getBoundingClientRect();
            const isBefore = box.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING;
            return isBefore && left <= centre[0] && centre[0] <= right && top <= centre[1] && centre[1] <= bottom
                && opaque(getComputedStyle(box).fill);
        });
        if (boxes.length) return getComputedStyle(boxes.at(-1)).fill;
    }
    const veils = [];
    for (; node; node = node.parentElement) {
        const [r, g, b, alpha = 1] = getComputedStyle(node).backgroundColor.match(/[\\d.]+/g).map(Number);
        if (alpha) veils.unshift([[r, g, b], alpha]);
        if (alpha === 1) break;
    }
    const mixed = veils.reduce((below, [above, alpha]) => above.map((part, i) => alpha * part + (1 - alpha) * below[i]),
        [255, 255, 255]);
    return `rgb(${mixed.map(Math.round).join(', ')})`;
}"""
# Every visible text with its colour, its opacity, and the colour behind it; letters on a map have their own colours.
COLOURS = """(lab) => {
    const ground = GROUND;
    const opacity = (node) => node === lab ? 1 : opacity(node.parentElement) * getComputedStyle(node).opacity;
    const own = (node) => [...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
    return [...lab.querySelectorAll('*')]
        .filter(node => own(node) && node.checkVisibility())
        .filter(node => !node.closest('option, title, desc, style, mjx-container'))
        .filter(node => !node.matches('svg text') || !node.style.fill || node.style.fill.startsWith('var'))
        .map(node => [node.textContent.trim(), getComputedStyle(node)[node.matches('svg text') ? 'fill' : 'color'],
            opacity(node), ground(node)]);
}""".replace("GROUND", GROUND)


def faint(shown, least=4.5):
    """Return each text of a lab whose contrast with its ground is below WCAG's least, with its colours."""
    texts = shown.box.evaluate(COLOURS)
    assert len(texts) > 5
    return [
        (text, colour, ground)
        for text, colour, opacity, ground in texts
        if contrast(mixed(seen(colour, seen(ground)), seen(ground), opacity), seen(ground)) < least
    ]


def mixed(colour, ground, opacity):
    return [opacity * part + (1 - opacity) * below for part, below in zip(colour, ground, strict=True)]


def seen(colour, ground=(0, 0, 0)):
    """Return red, green and blue of "rgb(…)" or "rgba(…)", as it looks on a ground."""
    assert re.fullmatch(r"rgba?\([\d., ]+\)", colour), colour
    *parts, alpha = [*map(float, re.findall(r"[\d.]+", colour)), 1.0][:4]
    return mixed(parts, ground, alpha)
