"""LaTeX to MathML, which browsers draw by themselves; what cannot be converted is an error and never shown raw."""

import re
from itertools import pairwise
from xml.etree import ElementTree

from latex2mathml.converter import convert

MATRIX = r"\{([bpvBV]?matrix)\}"
ARITY = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3, "mroot": 2}
CLOSING = {")", "]", "}", "!"}


def mathml(latex: str, display: str = "inline") -> str:
    """Return a formula, without its dollars, as MathML; `display` is "inline" or "block". Raises ValueError."""
    try:
        root = ElementTree.fromstring(convert(_as_converter_needs(latex), xmlns="", display=display))
    except Exception as error:  # the converter's own errors have no common class
        raise ValueError(f"the formula {latex!r} cannot be converted to MathML: {error}") from error
    if fault := _fault(root, latex):
        raise ValueError(f"the formula {latex!r} cannot be converted to MathML: {fault}")
    _space_like_tex(root)
    return ElementTree.tostring(root, encoding="unicode").replace(' xmlns=""', "")


def _as_converter_needs(latex: str) -> str:
    """Return the formula in commands that the converter knows, each matrix in a group: its brackets fit it alone."""
    latex = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{split}", latex.strip())
    latex = re.sub(r"\\\\\[[^]]*\]", r"\\\\", latex)  # the extra gap
    return re.sub(rf"\\end{MATRIX}", r"\\end{\1}}", re.sub(rf"\\begin{MATRIX}", r"{\\begin{\1}", latex))


def _fault(root: ElementTree.Element, latex: str) -> str:
    """Return what is wrong with a converted formula, which the converter itself lets pass."""
    left = re.findall(r"\\\w*|&", "".join(root.itertext()))
    short = [node.tag for node in root.iter() if len(node) != ARITY.get(node.tag, len(node))]
    tables = len(list(root.iter("mtable")))
    if left:
        return f"{left[0]} is not known"
    if short:
        return f"a part of {short[0]} is missing"
    if tables != latex.count(r"\begin{"):
        return "an environment is not known"
    return "" if latex.count("{") == latex.count("}") else "a brace has no partner"


def _space_like_tex(root: ElementTree.Element) -> None:
    """Make a minus after an operator a sign, and a name or ∂ no operator, so that the gaps are those of LaTeX."""
    for parent in root.iter():
        for before, node in pairwise(parent):
            if before.tag == node.tag == "mo" and node.text == "−" and before.text not in CLOSING:
                node.set("form", "prefix")
    for node in root.iter("mo"):
        if node.text == "∂" or str(node.text).isalpha():
            node.tag = "mi"
