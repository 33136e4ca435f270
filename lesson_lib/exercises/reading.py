"""The one reader of typed numbers, for exercises, labs and presets: as people type them, and nothing is evaluated."""

import re
from fractions import Fraction

from lesson_lib.exercises import words

MOST_NUMBERS, MOST_SHOWN, MOST_POWER = 12, 12, 19
MOST_CHARACTERS = 24  # as many as a float has that Python prints
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e([+-]?\d+))?(/\d+)?", re.IGNORECASE)
OF_NUMBERS = re.compile(r"[-+.\d/e]*", re.IGNORECASE)
FRACTION = re.compile(r"(?<![\d.])\\[dt]?frac ?\{ ?([+-]?\d+) ?\} ?\{ ?(\d+) ?\}(?![\d.])")  # \frac{9}{8}
LOOSE_SIGN = re.compile(r"(^|[,;|(\[]) ?([+-]) (?=[\d.])")  # "- 1/2", but not "1 - 2"
PRODUCT = re.compile(r"\d[(\[]\d?|\d?[)\]]\d")  # 2(3) may mean a product
PIECE = re.compile(r"[^\s,;|()\[\]]+")
DECIMAL_COMMA = re.compile(r"(?<![\d.,/])(\d+),(\d+)(?![\d.,/])")

# What a keyboard or a word processor puts where these signs are meant. Nothing but these is taken for another sign.
SIGNS = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63",  # hyphens, dashes, minus
    "/": "\u2044\u2215\u00f7",
    ",": "\u3001\ufe50\ufe51",
    ";": "\ufe54",
    ".": "\u3002\uff61",
    "[": "\u3010\u3014",
    "]": "\u3011\u3015",
}
FULL_WIDTH = {code + 0xFEE0: code for code in range(ord("!"), ord("~") + 1)}
PLAIN = FULL_WIDTH | {ord(other): sign for sign, others in SIGNS.items() for other in others}

Numbers = tuple[Fraction, ...]


def plain(text: str) -> str:
    r"""Return the text with full-width characters, Chinese punctuation, dashes and slashes as the plain signs.

    >>> plain("［−１／２，　3；4］")
    '[-1/2,\u30003;4]'
    """
    return text.translate(PLAIN)


def parse_numbers(text: str, count: int | None = None) -> Numbers:
    r"""Read numbers such as "1/2, -0.5" exactly, without evaluating anything; raises ValueError with advice.

    Commas, semicolons, bars, spaces and brackets separate. A comma inside a number is a decimal comma only where
    `count`, how many numbers there must be, leaves no other reading.

    >>> parse_numbers(r"[0.5, -\frac{1}{3}]"), parse_numbers("1,5; 2", count=2)
    ((Fraction(1, 2), Fraction(-1, 3)), (Fraction(3, 2), Fraction(2, 1)))
    """
    text = FRACTION.sub(r"\1/\2", " ".join(plain(text).split()))
    text = LOOSE_SIGN.sub(r"\1\2", re.sub(" ?/ ?", "/", text))
    if product := PRODUCT.search(text):
        raise ValueError(words.PRODUCT.format(what=product[0]))
    pieces, decimals = PIECE.findall(text), PIECE.findall(DECIMAL_COMMA.sub(r"\1.\2", text))
    if count not in (None, len(pieces)) and len(decimals) == count and not re.search(", | ,", text):
        pieces = decimals
    if not pieces:
        raise ValueError(words.NO_NUMBERS)
    if len(pieces) > MOST_NUMBERS:
        raise ValueError(words.COUNT.format(expected=words.AT_MOST.format(n=MOST_NUMBERS), given=len(pieces)))
    numbers = tuple(map(_parse_number, pieces))
    if count not in (None, len(numbers)):
        asks = words.COMMA if re.search(r"\d,\d", text) else words.COUNT
        expected = words.NUMBERS.format(n=count) if count != 1 else words.ONE_NUMBER
        raise ValueError(asks.format(expected=expected, given=len(numbers)))
    return numbers


def _parse_number(piece: str) -> Fraction:
    shown = piece if len(piece) <= MOST_SHOWN else f"{piece[:MOST_SHOWN]}…"
    if len(piece) > MOST_CHARACTERS and OF_NUMBERS.fullmatch(piece):
        raise ValueError(words.TOO_LONG.format(what=shown))
    number = NUMBER.fullmatch(piece) if len(piece) <= MOST_CHARACTERS else None
    if not number:
        raise ValueError(words.NOT_A_NUMBER.format(what=shown))
    if abs(int(number[4] or 0)) > MOST_POWER:
        raise ValueError(words.TOO_FAR.format(what=shown))
    above, _, below = piece.partition("/")
    if below and not int(below):
        raise ValueError(words.OVER_ZERO.format(what=shown))
    return Fraction(above) / int(below or 1)
