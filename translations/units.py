"""The texts of the course that can be translated, each as a unit: its context, and the English text."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from lesson_lib.digits import SHIFTS
from lesson_lib.language import OF_NOTEBOOKS, WORDS

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

from presenting import words as presenting  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GLOSSARY = ROOT / "notebooks" / "glossary.md"
SECTION = re.compile(r'^## <a id="([^"]*)"></a>', re.MULTILINE)  # how one of the glossary begins
QUESTIONS = sorted((ROOT / "lesson_lib" / "exercises" / "questions").glob("*.toml"))
PAGES = {ROOT / "README.md": "## The gate", ROOT / "TEACHING.md": None}  # and the heading before which each ends
LIBRARY = "labs_and_questions"  # the catalogue of what lesson_lib says
APART = re.compile(r"(```.*?```|\n{2,})", re.DOTALL)  # what stands between paragraphs: code, and empty lines
NO_WORDS = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|<!--.*?-->|<[^>]*>|\]\([^)]*\)|\\[A-Za-z]+|\{[^{}]*\}", re.DOTALL
)


class Unit(NamedTuple):
    """A text, and what tells it from the same text elsewhere: a cell's id, a module, a question or a page."""

    context: str
    text: str


def catalogues() -> dict[str, list[Unit]]:
    """Return the units of each catalogue, in the order in which they are read, each once."""
    cells = {path.stem: nbformat.read(path, as_version=4).cells for path in NOTEBOOKS}
    found = {name: [*of_text(each), *of_code(each)] for name, each in cells.items()}
    found["glossary"] = [unit for context, text in sections() for unit in paragraphs(text, context)]
    found[LIBRARY] = [*of_words(), *of_presenting(), *of_questions(), *(Unit(OF_NOTEBOOKS, name) for name in SHIFTS)]
    found["pages"] = [unit for page in PAGES for unit in of_page(page)]
    return {name: list(dict.fromkeys(units)) for name, units in found.items()}


def pieces(source: str) -> list[str]:
    """Cut a text into paragraphs and what stands between them; joined, they are the text again."""
    return APART.split(source)


def has_words(piece: str) -> bool:
    """Tell whether there is anything to translate: a word that is no code, formula, tag, address or field."""
    return bool(re.search("[A-Za-z]{2}", NO_WORDS.sub("", piece)))


def paragraphs(source: str, context: str) -> list[Unit]:
    """Return the units of a text in Markdown."""
    return [Unit(context, piece) for piece in pieces(source) if has_words(piece)]


def of_text(cells: list[Any]) -> Iterator[Unit]:
    """Yield the paragraphs of a notebook, by cell."""
    for cell in cells:
        if cell.cell_type == "markdown":
            yield from paragraphs(cell.source, cell.id)


def sections() -> list[tuple[str, str]]:
    """Return the sections of the glossary by their anchors, which are left out; what comes before them has its name."""
    opening, *rest = SECTION.split(GLOSSARY.read_text(encoding="utf-8").rstrip("\n"))
    named = zip(rest[::2], rest[1::2], strict=True)
    return [(GLOSSARY.stem, opening), *((anchor, f"## {text}") for anchor, text in named)]


def of_code(cells: list[Any]) -> Iterator[Unit]:
    """Yield the words that a notebook's code puts into tables and legends; formatted strings stay English."""
    for cell in cells:
        if cell.cell_type == "code":
            yield from (Unit(OF_NOTEBOOKS, text) for text in strings(ast.parse(cell.source)))


def strings(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a program that tables and legends may show, wherever they stand: too many do no harm."""
    for node in ast.walk(tree):
        parts = [*getattr(node, "elts", []), *getattr(node, "keys", [])]
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            parts.append(node.slice)
        elif isinstance(node, ast.Call) and called(node) not in ("ask", "load", "set", "print"):
            is_table = called(node) == "Table"
            parts += [part for part in node.args if is_table or " " in str(getattr(part, "value", ""))]
        for text in (getattr(part, "value", None) for part in parts):
            if isinstance(text, str) and re.search("[A-Za-z]{3}", text) and not re.search(r"^--|\.\w", text):
                yield text


def called(call: ast.Call) -> str:
    """Return the name of what is called, without what it belongs to."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def of_words() -> Iterator[Unit]:
    """Yield the texts of the modules of words."""
    for name in WORDS:
        module = vars(import_module(f"lesson_lib.{name}"))
        texts = [value for constant, value in module.items() if constant.isupper()]
        yield from (Unit(name, text) for text in leaves(texts))


def of_presenting() -> Iterator[Unit]:
    """Yield what pages and slides say around the notebooks, and the words by which they know a notebook's parts."""
    texts = [*presenting.TEXTS.values(), presenting.PREDICT, *presenting.ALONE]
    yield from (Unit(presenting.CONTEXT, text) for text in texts)


def of_questions() -> Iterator[Unit]:
    """Yield the texts of the questions; a wrong choice is the same unit as the key under which it is answered."""
    for path in QUESTIONS:
        for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items():
            yield from (Unit(f"question {name}", text) for text in leaves(fields))


def of_page(path: Path) -> list[Unit]:
    """Return the paragraphs of a page, by the page."""
    return paragraphs(page_text(path), path.stem)


def page_text(path: Path) -> str:
    """Return what is translated of a page."""
    text, end = path.read_text(encoding="utf-8"), PAGES[path]
    return text[: text.index(f"\n{end}\n")] if end else text


def leaves(value: Any) -> Iterator[str]:
    """Yield the texts in tuples, lists and dictionaries; empty ones say nothing."""
    if isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, dict):
        yield from leaves([*value.values()])
    elif isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)
