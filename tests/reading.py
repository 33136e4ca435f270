"""Read a printed formula back, in either dialect: SymPy's parser reads it, by Python's rules of precedence."""

import re

import numpy as np
import sympy
from strategies import FORMULA
from sympy.parsing.sympy_parser import auto_number, parse_expr, rationalize

from lesson_lib.derivation.words import FUNCTIONS, SYMBOLS

LATEX, TEXT = 0, 1


class Grid:
    """A matrix, or a number as a 1 by 1 one; * is the product, @ stands for the product by entries."""

    def __init__(self, entries):
        self.entries = np.atleast_2d(np.array(entries, dtype=object))

    def __add__(self, other):
        return Grid(self.entries + fitting(other, self))

    def __sub__(self, other):
        return Grid(self.entries - fitting(other, self))

    def __neg__(self):
        return Grid(-self.entries)

    def __matmul__(self, other):
        return Grid(self.entries * fitting(other, self))

    def __mul__(self, other):
        if isinstance(other, Grid) and 1 not in (self.entries.size, other.entries.size):
            return Grid(self.entries @ other.entries)
        return other.after(self) if isinstance(other, Total) else Grid(self.entries * other.entries)

    def __truediv__(self, other):
        return Grid(self.entries / other.entries.item())

    def __pow__(self, power):
        return Grid(self.entries ** power.entries.item())

    @property
    def T(self):
        return Grid(self.entries.T)

    def each(self, function):
        return Grid(np.frompyfunc(function, 1, 1)(self.entries))


class Total:
    """The sign of a sum, read from the left: what stands before it is a factor."""

    factor = Grid(1)

    def after(self, factor):
        made = Total()
        made.factor = factor
        return made

    def __mul__(self, summed):
        parts = summed if isinstance(summed, list) else [Grid(entry) for entry in summed.entries.flat]
        return self.factor * Grid(sum(part.entries for part in parts))


def fitting(other, one):
    """Return the entries of the other matrix; fail unless the two have one shape."""
    assert other.entries.shape == one.entries.shape, "only equal shapes are added, or multiplied by entries"
    return other.entries


def slope(function):
    z = sympy.Symbol("z")
    smooth = sympy.diff(FORMULA[function](z), z)
    return lambda grid: grid.each(lambda at: smooth.subs(z, at))


def calls():
    """Return every function that a formula may call, under its name in Python."""
    found = {name: (lambda grid, phi=phi: grid.each(phi)) for name, phi in FORMULA.items()}
    found |= {f"{name}_slope": slope(name) for name in FORMULA}
    found["exp"] = lambda grid: grid.each(sympy.exp)
    found["tanh_squared"] = lambda grid: grid.each(lambda z: sympy.tanh(z) ** 2)
    return found


CALLS = calls()


def as_python(text, dialect, names):
    """Return the formula as Python, so that Python's own precedence decides what belongs together."""
    text = text.replace("ᵀ", ".T").replace("²", "**2")
    for function, spellings in FUNCTIONS.items():
        text = re.sub(rf"(?<![\w\\]){re.escape(spellings[dialect])}('?)(?=\(|\\left|{{\\left)", rf" {function}\1", text)
    text = text.replace("'", "_slope").replace(r"\tanh^{2}{\left(", r" tanh_squared{\left(")
    spellings = {name: SYMBOLS[name][dialect] for name in names}
    for name, spelling in sorted(spellings.items(), key=lambda pair: -len(pair[1])):
        text = re.sub(rf"(?<![\w\\]){re.escape(spelling)}(?!\w)", f"name_{name}", text)
    text = plain_latex(text) if dialect == LATEX else matrices(text)
    signs = {"^": "**", "·": " * ", "⊙": " @ "}
    signs |= {"sum over samples of ": "total * ", "sum of ": "total * "}
    for sign, python in signs.items():
        text = text.replace(sign, python)
    return re.sub(r"(?<=[\w)])\s+(?=[\w(])|(?<=\))(?=[\w(])", " * ", text)


def matrices(text):
    """Write [a, b; c, d] as a call; brackets without a comma or a semicolon only hold together."""

    def matrix(found):
        rows = found[1].split(";")
        return f"rows({', '.join(f'({row},)' for row in rows)})" if re.search("[,;]", found[1]) else f"({found[1]})"

    return re.sub(r"\[([^\[\]]*)\]", matrix, text)


def plain_latex(text):
    """Write LaTeX with the signs of plain text."""
    text = re.sub(r"([a-z])_\{(\d+) (\d+)\}", r"\1\2_\3", re.sub(r"([a-z])_\{(\d+)\}", r"\1\2", text))
    text = text.replace(r"\sum_{\text{samples}}", "total * ").replace(r"\begin{bmatrix}", "[")
    for latex, sign in {r"\end{bmatrix}": "]", r"\\": ";", "&": ",", r"^\top": ".T"}.items():
        text = text.replace(latex, sign)
    text = matrices(text)  # before the brackets of a sum of squares
    for latex, sign in {r"\left": "", r"\right": "", r"\cdot": "*", r"\odot": "@", r"\times": "*", r"\,": "*"}.items():
        text = text.replace(latex, sign)
    text = text.replace("[", "(").replace("]", ")").replace("e^{", "exp{")
    while (at := text.find(r"\frac{")) >= 0:
        over, under = closing(text, at + 5), 0
        under = closing(text, over + 1)
        text = f"{text[:at]}(({text[at + 6 : over]})/({text[over + 2 : under]})){text[under + 1 :]}"
    return text.replace("{", "(").replace("}", ")")


def closing(text, at):
    """Return where the group ends that opens at this place."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise AssertionError(f"a group does not end: {text}")


def read(text, dialect, letters, names=()):
    """Return the entries that a formula stands for, its letters and its names having these values."""
    known = CALLS | {"total": Total()}
    known |= {"rows": lambda *rows: Grid([[entry.entries.item() for entry in row] for row in rows])}
    known |= {"Integer": lambda n: Grid(sympy.Integer(n)), "Rational": lambda text: Grid(sympy.Rational(text))}
    known |= {letter: Grid(value) for letter, value in letters.items()}
    known |= {f"name_{name}": names[name] for name in names}
    return parse_expr(as_python(text, dialect, names), known, (auto_number, rationalize)).entries
