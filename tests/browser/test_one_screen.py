"""Each lab on one screen: every control, the verdict and the picture are seen together on a small page."""

import pytest
from helpers import CANVAS, TwinLab, cell_with

from lesson_lib.labs import BiasLab, HandCalculationLab, NAALab, PruningLab, TriggerLab

LABS = [HandCalculationLab, TriggerLab, BiasLab, NAALab, PruningLab]
CELLS = [*map(cell_with, LABS)]
PAGES = {"a laptop": (1280, 720), "a projector": (1024, 768)}
SHOW = "lab => lab.scrollIntoView({ block: 'start' })"
# What cannot be seen in full: a control, a text that is announced, or a picture.
OUTSIDE = """(lab) => {
    const screen = lab.closest('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
    const parts = [...lab.querySelectorAll('input, select, button, .noUi-target, [role=status], img, CANVAS')];
    const seen = parts.filter(node => node.checkVisibility());
    const kinds = new Set(seen.map(node => node.localName));
    if (!['button', 'svg'].every(kind => kinds.has(kind)) || seen.length < 8) throw new Error('too little is there');
    return seen.filter(node => {
        const { top, bottom, left, right } = node.getBoundingClientRect();
        return top < screen.top - 1 || bottom > Math.min(screen.bottom, window.innerHeight) + 1
            || left < screen.left || right > screen.right;
    }).map(node => `${node.localName} ${node.className.baseVal ?? node.className} ${node.textContent.slice(0, 40)}`);
}""".replace("CANVAS", CANVAS)
IS_READABLE = "svg => svg.getScreenCTM().a >= 0.75"  # of a letter's size as it is drawn
SMALLEST = 400  # pixels that a picture is wide at least


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("size", PAGES.values(), ids=PAGES)
def test_controls_verdict_and_picture_are_seen_together(opened, kind, size):
    usual = opened.page.viewport_size
    lab = TwinLab(opened, LABS.index(kind), kind())
    try:
        opened.resize(*size)
        lab.box.evaluate(SHOW)
        assert lab.box.evaluate(OUTSIDE) == []
        assert lab.canvas.bounding_box()["width"] >= SMALLEST
        opened.page.wait_for_function(IS_READABLE, arg=lab.canvas.element_handle())
        assert lab.box.evaluate(OUTSIDE) == []
    finally:
        opened.resize(**usual)


def test_what_is_outside_would_be_seen(opened):
    usual = opened.page.viewport_size
    lab = TwinLab(opened, 0, LABS[0]())
    try:
        opened.resize(1280, 400)
        lab.box.evaluate(SHOW)
        outside = lab.box.evaluate(OUTSIDE)
        assert any(part.startswith(("svg", "input")) for part in outside)
    finally:
        opened.resize(**usual)
