"""What a translation must keep of the English text, and the terms that it must use."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

KEPT = {  # what stands in a translation as often as in the English text
    "code": r"```.*?```|`[^`\n]+`",
    "formula": r"\$\$.*?\$\$|\$[^$\n]+\$",
    "address": r"\]\(([^)\s]+)\)",
    "tag": r"</?[a-z]+[^>]*>",
}
WIDE = re.compile(r"^[\u4e00-\u9fff].*[。，；：]$|[，；：、。]$", re.DOTALL)  # full-width marks bring their own space
LINES = {"heading": r"^#+ ", "item": r"^\s*(?:-|\d+\.) ", "row": r"^\|"}  # what lines begin with, as often


def faults(english: str, translation: str, terms: Path) -> Iterator[str]:
    """Yield what is wrong with a translation, in words."""
    for name, pattern in (KEPT | LINES).items():
        was, now = (Counter(re.findall(pattern, text, re.DOTALL | re.MULTILINE)) for text in (english, translation))
        if was != now:
            yield f"{name}: {sorted((was - now).elements())} became {sorted((now - was).elements())}"
    if fields(english) != fields(translation):
        yield f"fields: {fields(english)} became {fields(translation)}"
    if [*map(str.isspace, ends(english))] != [*map(str.isspace, ends(translation))] and not WIDE.search(translation):
        yield "a space at the beginning or the end"
    left = words(english)
    for term, wanted in pairs(terms):
        left, found = re.subn(rf"\b{term}s?\b", " ", left, flags=re.IGNORECASE)
        if found and wanted not in translation:
            yield f"term: {term} is {wanted}"


def ends(text: str) -> tuple[str, str]:
    """Return the first and the last letter."""
    return text[:1], text[-1:]


def fields(text: str) -> set[str]:
    """Return the names in braces that `format` fills in; of a text that it does not take, nothing."""
    try:
        return {f"{name}!{kind}:{form}" for _, name, form, kind in Formatter().parse(text) if name is not None}
    except ValueError:
        return set()


def words(text: str) -> str:
    """Return a text without code, formulas, fields, tags and addresses."""
    return re.sub("|".join([*KEPT.values(), r"\{[^{}]*\}"]), " ", text, flags=re.DOTALL)


@cache
def pairs(terms: Path) -> list[tuple[str, str]]:
    """Return the English and the translated terms of a language, the longest first: a false alarm is no alarm."""
    return sorted(tomllib.loads(terms.read_text(encoding="utf-8")).items(), key=lambda pair: -len(pair[0]))
