"""Build the course in another language from its catalogues: `python translations/build.py zh_CN`.

Written are `lesson_lib/languages/zh_CN.json`, the notebooks in `notebooks/zh_CN`, run, and the pages beside the English
ones. Nothing of it is edited by hand. A text that nobody has translated, or whose English has changed, stays English.
"""

import argparse
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from units import GLOSSARY, LIBRARY, NOTEBOOKS, PAGES, ROOT, has_words, page_text, pieces, sections
from update import FOLDER, languages, read

from lesson_lib.language import OF_NOTEBOOKS, UNTRANSLATED

sys.path.insert(0, str(ROOT / "tests"))
from refresh_notebooks import refresh

COMMANDS = {  # of a page, and what they are in a language
    r"(notebooks([/\\]))(?=\w+\.(ipynb|md))": r"\1LANGUAGE\2",
    r"docs/present\.py": r"\g<0> --language LANGUAGE",
    r"build/(?=index\.html|live)": r"\g<0>LANGUAGE/",
    r"-m lesson_lib\.(worksheets|collect)": r"translations/speak.py LANGUAGE \1",
    r"backdoor-by-hand my-folder": r"\g<0> --language LANGUAGE",
}
Texts = dict[tuple[str, str], str]  # by context and English text


@cache
def texts(language: str, name: str) -> Texts:
    """Return what a catalogue has translated, and what is not stale."""
    messages = read(FOLDER / language / f"{name}.po")
    return {(each.context, each.id): each.string for each in messages if each.id and each.string and not each.fuzzy}


def in_language(source: str, context: str, known: Texts) -> str:
    """Return a text in Markdown with its paragraphs translated; one that is not says that it is English."""
    return "".join(
        known.get((context, piece)) or marked_as_english(piece) if has_words(piece) else piece
        for piece in pieces(source)
    )


def marked_as_english(paragraph: str) -> str:
    """Return a paragraph with the mark of an untranslated one, behind what makes it a heading, an item or a row."""
    start, rest = re.match(r"((?:#+ |- |\d+\. |\| )?)(.*)", paragraph, re.DOTALL).groups()
    return start + UNTRANSLATED.format(rest)


def notebook(path: Path, language: str) -> Any:
    """Return a notebook in a language, without outputs: the same cells, and one that chooses the language."""
    known, made = texts(language, path.stem), nbformat.read(path, as_version=4)
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = in_language(cell.source, cell.id, known)
        else:
            cell.outputs, cell.execution_count = [], None
    code = next((i for i, cell in enumerate(made.cells) if cell.cell_type == "code"), None)
    if code is not None:
        choose = f'import lesson_lib\n\nlesson_lib.use("{language}")'
        made.cells.insert(code, nbformat.v4.new_code_cell(choose, id="language"))
    return made


def glossary(language: str) -> str:
    """Return the glossary in a language, its sections with the same anchors."""
    known = texts(language, GLOSSARY.stem)
    made = [(anchor, in_language(text, anchor, known)) for anchor, text in sections()]
    return "".join(text.replace("## ", f'## <a id="{anchor}"></a>', 1) for anchor, text in made) + "\n"


def page(path: Path, language: str) -> str:
    """Return a page in a language, whose commands open the notebooks of that language, with the addresses it names."""
    text = in_language(page_text(path), path.stem, texts(language, "pages"))
    addresses = re.findall(r"^\[\w+\]: .*", path.read_text(encoding="utf-8"), re.MULTILINE)
    text = "\n".join([text, *(line for line in addresses if line not in text), ""]) if addresses else text
    for english, own in COMMANDS.items():
        text = re.sub(english, own.replace("LANGUAGE", language), text)
    return text


def library(language: str) -> str:
    """Return the texts of lesson_lib and of the notebooks' code, as lesson_lib reads them."""
    known = dict(texts(language, LIBRARY))
    for path in NOTEBOOKS:
        known |= {key: text for key, text in texts(language, path.stem).items() if key[0] == OF_NOTEBOOKS}
    by_context: dict[str, dict[str, str]] = {}
    for (context, english), text in known.items():
        by_context.setdefault(context, {})[english] = text
    return json.dumps(by_context, ensure_ascii=False, indent=0) + "\n"


def place(path: Path, language: str) -> Path:
    """Return where a page or a notebook has its translation."""
    if path.suffix == ".ipynb":
        return path.parent / language / path.name
    return path.with_suffix(f".{language.replace('_', '-')}.md")


def write(path: Path, text: str) -> None:
    """Write a text, wherever this runs with the same bytes."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Build what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=[folder.name for folder in languages()])
    parser.add_argument(
        "--only", nargs="*", default=[""], help="notebooks to build and run, by the beginning of their names"
    )
    chosen = parser.parse_args()
    language = chosen.language
    write(ROOT / "lesson_lib" / "languages" / f"{language}.json", library(language))
    for path in PAGES:
        write(place(path, language), page(path, language))
    write(GLOSSARY.parent / language / GLOSSARY.name, glossary(language))
    for path in NOTEBOOKS:
        if path.name.startswith(tuple(chosen.only)):
            target = place(path, language)
            write(target, nbformat.writes(notebook(path, language)))
            write(target, refresh(target))
            print(f"built {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
