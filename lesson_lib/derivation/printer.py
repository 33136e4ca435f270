"""How a value is written down, in LaTeX or in plain text: the one place that prints formulas."""

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import sympy

from lesson_lib.derivation.symbols import exactly
from lesson_lib.derivation.trace import Traced
from lesson_lib.derivation.words import AND, FUNCTIONS, LATEX, SYMBOLS, TEXT, ZERO_FACTOR

LONGEST_FRACTION = 8  # digits above or below the line beyond which a fraction is shown as a decimal
SIGNIFICANT_DIGITS = 5  # of a number that has to be rounded
SUM, PRODUCT, POWER, WHOLE = range(4)  # how firmly what is written holds together
FIRM = {"plus": SUM, "minus": SUM, "sum": SUM, "transpose": POWER, "square": POWER}  # any other operation: PRODUCT
PRODUCTS = ("matmul", "scale")


class Printer:
    """Prints traced values in one dialect, "latex" or "text", with numbers as fractions or as decimals."""

    def __init__(self, dialect: str = "latex", decimals: bool = False) -> None:
        self.decimals = decimals
        self.spelling = ("latex", "text").index(dialect)  # which of a symbol's two spellings it takes
        self.template = (LATEX, TEXT)[self.spelling]

    def name(self, name: str, is_new: bool = False) -> str:
        """Return the symbol that the field uses for a name of the code, or for its new value."""
        symbol = SYMBOLS[name][self.spelling]
        return self.template["new"].format(symbol) if is_new else symbol

    def sides(self, term: Traced) -> tuple[tuple[str, str], ...]:
        """Write formula, numbers and value, each after its relation; a side that is repeated later is left out."""
        rounded = any(self.is_rounded(part.value) for part in term.made_of())
        ends = rounded or self.is_rounded(term.value)
        nearly = self.template["nearly"]
        formula, numbers, value = self.formula(term), self.formula(term, in_numbers=True), self.value(term.value)
        sides = [("=", formula)] if formula not in (numbers, value) else []
        if numbers != value:
            sides.append((nearly if rounded else "=", numbers))
        return (*sides, (nearly if ends else "=", value))

    def formula(self, term: Traced, in_numbers: bool = False) -> str:
        """Return how the value was made, in symbols, or with every symbol replaced by its numbers."""
        template, operation, operands = self.template, term.operation, term.operands
        if in_numbers and operation == "sum_of_squares":
            return self._squares(operands[0].operands[0])
        if operation == "sum" and not in_numbers:
            return template["sum_over_samples"].format(self._part(term, 0))
        function = operation.removesuffix("'")
        if function in FUNCTIONS:
            name = FUNCTIONS[function][self.spelling] + operation[len(function) :]
            return template["call"].format(name, self._write(operands[0], in_numbers)[0])
        parts = [self._part(term, place, in_numbers) for place in range(len(operands))]
        if len(parts) == 1:
            return template[operation].format(parts[0])
        return template["product_in_numbers" if in_numbers and operation in PRODUCTS else operation].join(parts)

    def value(self, value: Any) -> str:
        """Return a number, or a matrix in brackets; a 1 by 1 matrix is written as a number."""
        if np.size(value) == 1:
            return self.number(np.asarray(value).item())
        rows = (self.template["next_entry"].join(map(self.number, row)) for row in value)
        return self.template["matrix"].format(self.template["next_row"].join(rows))

    def number(self, number: Any) -> str:
        """Return one number, rounded only if it must be, or one symbolic entry."""
        number = exactly(number)
        if not number.is_number:
            return sympy.latex(number) if self.template is LATEX else str(number).replace("**", "^").replace("*", "·")
        if not self._fits_exactly(number):
            return self._rounded(number)
        if number.is_Integer:
            return str(number)
        if self.decimals:
            return f"{float(number):.6f}".rstrip("0")
        return self.template["fraction"].format(sign="-" if number.is_negative else "", p=abs(number.p), q=number.q)

    def is_rounded(self, value: Any) -> bool:
        """Tell whether writing the value loses digits."""
        return any(entry.is_number and not self._fits_exactly(entry) for entry in map(exactly, np.ravel(value)))

    def _fits_exactly(self, number: sympy.Expr) -> bool:
        if not number.is_Rational:
            return False
        too_long = len(str(abs(number.p))) > LONGEST_FRACTION or len(str(number.q)) > LONGEST_FRACTION
        return not too_long and not (self.decimals and 10**6 % number.q)

    def _rounded(self, number: sympy.Expr) -> str:
        is_small = abs(number) < sys.float_info.max
        text = f"{float(number):.{SIGNIFICANT_DIGITS}g}" if is_small else str(sympy.N(number, SIGNIFICANT_DIGITS))
        digits_shown, _, exponent = text.partition("e")
        return self.template["power_of_ten"].format(digits_shown, int(exponent)) if exponent else text

    def _part(self, term: Traced, place: int, in_numbers: bool = False) -> str:
        """Write an operand, in brackets if the operation would otherwise take hold of less than all of it."""
        operation = term.operation
        text, firm, made_by = self._write(term.operands[place], in_numbers)
        if operation in ("same", "square"):  # a square brings its brackets
            return text
        is_sign = len(term.operands) == 1 or (operation == "sum" and not in_numbers)  # one sign, before or behind
        needed = WHOLE if operation == "transpose" else FIRM.get(operation, PRODUCT)
        if needed == SUM and (is_sign or (place and operation == "minus")):
            needed = PRODUCT
        is_chain = is_sign or made_by == operation or {made_by, operation} <= set(PRODUCTS)
        mixes = firm == PRODUCT == FIRM.get(operation, PRODUCT) and not is_chain  # a b ⊙ c: no rule says which is first
        is_loose = firm < needed or mixes or (text.startswith("-") and (place > 0 or is_sign))
        return self.template["brackets"].format(text) if is_loose else text

    def _write(self, term: Traced, in_numbers: bool) -> tuple[str, int, str]:
        """Write a value where it is used, and say how firmly it holds together, and by which operation."""
        if in_numbers and (term.name or term.operation == "transpose"):
            return self.value(term.value), SUM if _is_sum(term.value) else WHOLE, term.operation
        if term.name:
            is_fraction = term.name.startswith("d")  # a derivative
            return self.name(term.name), POWER if is_fraction else WHOLE, term.operation
        if term.operation == "same":
            return self._write(term.operands[0], in_numbers)
        is_call = term.operation.removesuffix("'") in FUNCTIONS
        return self.formula(term, in_numbers), WHOLE if is_call else FIRM.get(term.operation, PRODUCT), term.operation

    def _squares(self, errors: Traced) -> str:
        y_hat, targets = (part.value for part in errors.operands)
        squares = []
        for at, target in np.ndenumerate(targets):
            y = self.number(target)
            y = self.template["brackets"].format(y) if _is_sum(target) or y.startswith("-") else y
            squares.append(self.template["square"].format(f"{self.number(y_hat[at])} - {y}"))
        return self.template["squares_in_numbers"].format(" + ".join(squares))


def _is_sum(value: Any) -> bool:
    return np.size(value) == 1 and (entry := exactly(np.ravel(value)[0])).is_Add and not entry.is_number


def reason(factors: Iterable[str], activation: str) -> str:
    """Return in words which factors are 0: "x = 0 and relu'(z1) = 0"."""
    slope = f"{FUNCTIONS[activation][1]}'(z1)"
    names = (slope if factor == "phi_prime" else SYMBOLS[factor][1] for factor in factors)
    return AND.join(ZERO_FACTOR.format(factor=name) for name in names)
