"""What every browser has to make of the pages and the slides, as functions of the page."""

import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATHS = [*sorted((ROOT / "notebooks").glob("*.ipynb")), ROOT / "notebooks" / "glossary.md"]
sys.path.insert(0, str(ROOT / "docs"))

import present  # noqa: E402, F401

PAGES = [f"{path.stem}.html" for path in PATHS]
DECKS = [f"{path.stem}.slides.html" for path in PATHS]
TEXTS = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode())
        if (!texts.currentNode.parentElement.closest('pre, code, script, style')) found.push(texts.currentNode.data);
    return found;
}"""
PICTURES = "() => [...document.images].map(image => [image.alt, image.complete && image.naturalWidth > 0])"
FORMULAS = """() => [...document.querySelectorAll('math')].filter(node => !node.closest('details:not([open])'))
    .map(node => node.getBoundingClientRect().height)"""
SLIDES = """() => [...document.querySelectorAll('section')].map(slide => ({
    height: slide.offsetHeight, width: slide.scrollWidth, name: slide.getAttribute('aria-label'),
    wide: [...slide.querySelectorAll('*')].filter(node => node.getBoundingClientRect().right > innerWidth + 1
        && !node.closest('.places')).map(node => node.tagName),
}))"""
SHOWN = """() => {
    const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('section');
    return [middle.getAttribute('aria-label'), location.hash, document.activeElement === middle];
}"""
# Where the letters of each cell begin and end, by row and by formula. A hat may be wider than its letter.
ROWS = """() => [...document.querySelectorAll('mtable')].map(table => [...table.children].map(row =>
    [...row.children].map(cell => [...cell.querySelectorAll('mi, mn, mo, mtext')]
        .filter(node => !node.matches('mover > :last-child')).map(node => node.getBoundingClientRect())
        .filter(box => box.width)).filter(boxes => boxes.length)
    .map(boxes => [Math.min(...boxes.map(box => box.left)), Math.max(...boxes.map(box => box.right))])))"""


# For each slide: how many lines are below its title, how large the smallest letters are, and how a lab's picture lies.
LETTERS = """() => [...document.querySelectorAll('section')].map(slide => {
    const texts = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT), lines = new Set(), sizes = [];
    while (texts.nextNode()) {
        const node = texts.currentNode, parent = node.parentElement, range = document.createRange();
        if (!node.data.trim() || !parent.checkVisibility() || parent.closest('style')) continue;
        const drawn = parent.closest('svg');
        sizes.push(parseFloat(getComputedStyle(parent).fontSize) * (drawn?.getScreenCTM().a ?? 1));
        range.selectNodeContents(node);
        if (!parent.closest('h1, h2, footer, .places'))
            for (const box of range.getClientRects()) lines.add(Math.round(box.bottom));
    }
    const picture = slide.querySelector('.lab img'), box = picture?.getBoundingClientRect();
    const place = slide.getBoundingClientRect(), { paddingLeft, paddingBottom } = getComputedStyle(slide);
    return {
        name: slide.getAttribute('aria-label'), lines: lines.size, smallest: Math.min(...sizes), said: slide.innerText,
        lab: picture && { isDrawn: picture.src.startsWith('data:image/svg+xml'),
            left: box.left - place.left - parseFloat(paddingLeft),
            below: place.bottom - box.bottom - parseFloat(paddingBottom) },
    };
})"""


def overlaps(tables):
    """Return the rows, as ROWS gives them, in which a cell begins before the one on its left has ended."""
    rows = [row for rows in tables for row in rows]
    return [row for row in rows if any(start < end - 0.5 for (_, end), (start, _) in pairwise(row))]


def uneven(tables):
    """Return the aligned formulas, two cells a row, whose left cells do not all end at one place."""
    aligned = [rows for rows in tables if len(rows) > 1 and all(len(row) == 2 for row in rows)]
    ends = [[row[0][1] for row in rows] for rows in aligned]
    return [each for each in ends if max(each) - min(each) > 1.5]
