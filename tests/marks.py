"""Marks of a picture, read back from their SVG: lines, shapes and texts by their look, and what can be touched."""

import re
from xml.etree import ElementTree

import numpy as np

MOST_BYTES = 30_000  # of the marks of one move


def parsed(elements):
    """Return SVG elements in one element; those that are not well-formed raise."""
    return ElementTree.fromstring(f'<svg xmlns:xlink="http://www.w3.org/1999/xlink">{elements}</svg>')


def looks(element):
    return set(element.get("class", "").split())


def found(root, kind, look):
    """Return the elements of a kind that have all the classes of a look, and of lines and fills no others."""
    wanted = set(look.split())
    exact = kind == "path"
    return [one for one in root.iter(kind) if (looks(one) == wanted if exact else looks(one) >= wanted)]


def lines(root, look):
    """Return the points (n_points, 2), in pixels, of each line of a look; those of the network have more letters."""
    drawn = [one.get("d").removeprefix("M") for one in found(root, "path", f"line {look}")]
    return [points(d) for d in drawn if not re.search("[A-Za-z]", d)]


def points(d):
    return np.array([pair.split(",") for pair in d.split()], dtype=float)


def places(root, look):
    """Return where the dots of a look are (n_dots, 2), in pixels."""
    moved = [re.fullmatch(r"translate\(([^,]+),([^,]+)\)", one.get("transform")) for one in found(root, "path", look)]
    return np.array([[float(one[1]), float(one[2])] for one in moved]).reshape(-1, 2)


def texts(root, look=""):
    return [one.text for one in found(root, "text", look)]


def touchable(root):
    """Return what can be touched and has the focus, by name; what can only be clicked leads to another control."""
    all_ = [one for one in root.iter() if one.get("data-touch") and one.get("tabindex")]
    named = {one.get("data-touch"): one for one in all_}
    assert len(named) == len(all_)
    return named


def check_marks(marks):
    """Check what must hold of the marks of every picture, and return them parsed."""
    root = parsed(marks)
    assert len(marks.encode()) <= MOST_BYTES
    pictures_apart = re.sub(r'href="data:[^"]*"', "", marks)  # their base64 may spell anything
    assert not re.search(r"\b(nan|inf)\b", pictures_apart, re.IGNORECASE)
    numbers = [float(number) for number in re.findall(r"(?<![\w#.])-?\d+\.?\d*(?:e[-+]?\d+)?", pictures_apart)]
    assert np.isfinite(numbers).all()
    for one in touchable(root).values():
        now, low, high = (float(one.get(f"aria-value{end}")) for end in ("now", "min", "max"))
        assert low <= now <= high
        assert one.get("role") == "slider"
        assert one.get("tabindex") == "0"
        assert one.get("aria-label")
        assert one.get("aria-valuetext")
    return root


def contrast(colour, ground):
    """Return WCAG's contrast ratio of two colours, written as #rrggbb or as red, green and blue to 255."""
    bright, dim = sorted(map(luminance, (colour, ground)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour):
    if isinstance(colour, str):
        colour = bytes.fromhex(colour[1:])
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
