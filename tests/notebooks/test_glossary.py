"""The glossary: every word is explained once and linked where it is used first, and every link has a target."""

import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from refresh_notebooks import NOTEBOOKS

ROOT = Path(__file__).parents[2]
GLOSSARY = NOTEBOOKS / "glossary.md"
LESSONS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
ADDRESS = "glossary.md#"
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
ANCHOR = re.compile(r'<a id="([^"]*)"></a>')
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def cells(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def name_of(term):
    """Return the anchor of the section that explains a term."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


WHOLE = GLOSSARY.read_text(encoding="utf-8")
OPENING, TABLE, *EXPLAINED = (ANCHOR.sub("", text).strip() for text in re.split(r"^(?=## )", WHOLE, flags=re.MULTILINE))
TERMS = {re.match(r"## (.+)\n\n", text)[1]: text for text in EXPLAINED}
ROWS = [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in re.findall(r"^\| .+", TABLE, re.M)][
    1:
]


def without_links(text):
    return LINK.sub(r"\1", text)


def read_in_order():
    """Yield the text of the lessons as it is read: without headings, outcomes and the list of words at the end."""
    for path in LESSONS:
        for cell in cells(path):
            text = HEADING.sub("", cell.source).partition("New in this notebook.")[0]
            yield path, cell.id, text.partition("**Afterwards you can**")[0]


def test_lessons_and_terms_are_found():
    assert len(LESSONS) == 8
    assert len(TERMS) > 100
    assert len(ROWS) > 25


def test_every_term_has_an_anchor_in_its_heading_and_they_stand_in_alphabetical_order():
    headings = [f'<a id="{name_of(term)}"></a>{term}' for term in ("Notation", *TERMS)]
    assert HEADING.findall(WHOLE) == ["Glossary", *headings]
    assert list(TERMS) == sorted(TERMS, key=str.casefold)


def test_no_term_is_explained_twice():
    assert len(set(map(str.casefold, TERMS))) == len(EXPLAINED)
    assert [path.name for path in LESSONS for cell in cells(path) if re.search(r"## Words\n\n\*\*", cell.source)] == []


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_explained_shortly_and_found_by_its_name(term):
    explained = TERMS[term].partition("\n\n")[2].partition(" *First in")[0]
    assert explained[0].isupper() or explained[0] in "$0123456789"
    assert explained.endswith(".")
    assert 3 <= len(explained.split()) <= 45


def occurrence(text, word):
    """Return where a word, or its plural, is used in a text, as a word of its own; -1 if nowhere."""
    found = re.search(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])", text, re.IGNORECASE)
    return found.start() if found else -1


def first_link(term):
    """Return (notebook, cell, text of the cell, the link's match) of the first link to a term."""
    for path, cell, text in read_in_order():
        for found in LINK.finditer(text):
            if found[2] == ADDRESS + name_of(term):
                return path, cell, text, found
    raise AssertionError(f"no text of the lessons links to {term}")


def hide_longer(text, word):
    """Blank other terms that contain a word, as "chain rule" contains "rule"."""
    longer = [term for term in TERMS if word.casefold() in term.casefold() and len(term) > len(word)]
    for term in sorted(longer, key=len, reverse=True):
        text = re.sub(re.escape(term), lambda found: "#" * len(found[0]), text, flags=re.IGNORECASE)
    return text


def read_before(term):
    """Return what a learner has read before the first link to a term, without code and addresses."""
    path, cell, text, found = first_link(term)
    earlier = []
    for other_path, other_cell, other_text in read_in_order():
        if (other_path, other_cell) == (path, cell):
            break
        earlier.append(other_text)
    read = "\n".join([*earlier, text[: found.start()]])
    return without_links(re.sub(r"`[^`]+`|\$[^$]+\$", " ", read))


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_linked_from_its_first_use_in_the_course(term):
    path, cell, _, link = first_link(term)
    for word in {term, without_links(link[1])}:
        read = hide_longer(read_before(term), word)
        at = occurrence(read, word)
        assert at < 0, f"{word!r} is used before: …{read[max(0, at - 60) : at + 40]}…"
    number = int(path.stem[:2])
    assert TERMS[term].endswith(f"*First in [notebook {number}]({path.name}#cell-id={cell}).*")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_links_to_its_new_words(path):
    [listed] = [cell.source for cell in cells(path) if "New in this notebook." in cell.source]
    listed = listed.partition("New in this notebook.")[2].partition("## Sources")[0]
    new = [term for term in TERMS if first_link(term)[0] == path]
    assert [(text, address) for text, address in LINK.findall(listed)] == [(t, ADDRESS + name_of(t)) for t in new]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_a_link_to_the_notation_and_the_glossary(path):
    [opening] = [cell.source for cell in cells(path)[:2] if "**Afterwards you can**" in cell.source]
    assert f"[notation]({ADDRESS}notation)" in opening
    assert "[glossary](glossary.md)" in opening


# Links -------------------------------------------------------------------------------------------------------------


def pages():
    """Return every text that learners and teachers read, with the folder that its links start from."""
    notebooks = {path: "\n".join(cell.source for cell in cells(path)) for path in LESSONS}
    texts = [GLOSSARY, *sorted(ROOT.glob("*.md"))]
    return notebooks | {path: path.read_text(encoding="utf-8") for path in texts}


def targets(path):
    """Return what may stand behind # in a link to a notebook, or to the glossary.

    A link names a cell, not a heading: JupyterLab finds a heading only in a part of a notebook that it has drawn.
    """
    if path == GLOSSARY:
        return {*ANCHOR.findall(WHOLE)}
    return {f"cell-id={cell.id}" for cell in nbformat.read(path, as_version=4).cells}


def broken(path, address):
    """Say what is wrong with a link, "" if nothing is."""
    file, _, fragment = address.partition("#")
    target = path.parent / file if file else path
    if re.match(r"[a-z]+://", address):
        return ""
    if not target.exists():
        return f"{path.name}: no file {file}"
    if (target.suffix == ".ipynb" or target == GLOSSARY) and fragment and fragment not in targets(target):
        return f"{path.name}: {target.name} has no {fragment}"
    return ""


def test_every_link_has_a_target():
    links = [(path, address) for path, text in pages().items() for _, address in LINK.findall(text)]
    assert len([address for _, address in links if address.startswith(ADDRESS)]) > 200
    assert [broken(path, address) for path, address in links if broken(path, address)] == []


def test_a_link_without_a_target_is_caught():
    assert broken(LESSONS[0], "glossary.md#no-such-word")
    assert broken(LESSONS[0], "glossary.md#Backdoor"), "an anchor has small letters"
    assert broken(LESSONS[0], "#cell-id=no-such-section")
    assert broken(LESSONS[0], "no_such_file.ipynb")
    assert not broken(LESSONS[0], "glossary.md#backdoor")


# Notation ----------------------------------------------------------------------------------------------------------


def shown(path):
    """Return everything that a reader of a notebook sees: text, code, and results as text and as LaTeX."""
    for cell in nbformat.read(path, as_version=4).cells:
        yield cell.source
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            yield from (output.get("text", ""), data.get("text/plain", ""), data.get("text/latex", ""))


def squeezed(text):
    """Return mathematics as it looks: spaces and small distances do not count."""
    return re.sub(r"\\[,! ]|\s", "", text)


COURSE = "\n".join(text for path in LESSONS for text in shown(path))
MATHEMATICS = squeezed(COURSE)
SYMBOLS = sorted({part for row in ROWS for symbol in re.findall(r"\$(.+?)\$", row[0]) for part in symbol.split(r",\ ")})
NAMES = sorted({name.replace(r"\|", "|") for row in ROWS for name in re.findall(r"`(.+?)`", row[1])})


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_of_the_notation_occurs_in_the_course(symbol):
    assert squeezed(symbol) in MATHEMATICS


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_notation_occurs_in_the_course(name):
    whole_word = rf"(?<!\w){name}(?!\w)" if name.isascii() and name.isidentifier() else re.escape(name)
    assert re.search(whole_word, COURSE)


def test_each_row_of_the_notation_says_what_it_is_and_names_nothing_twice():
    assert all(len(row) == 4 and (row[0] or row[1]) and row[3] for row in ROWS)
    names = [name for row in ROWS for name in re.findall(r"`(.+?)`", row[1])]
    assert len(names) == len(NAMES)


def test_every_symbol_that_is_worked_out_is_in_the_notation():
    from lesson_lib.derivation.words import SYMBOLS as WORKED_OUT

    text = " ".join(row[1] for row in ROWS)
    printed = {plain for _, plain in WORKED_OUT.values()} - {"x", "y", "L"}
    assert printed
    assert [plain for plain in printed if f"`{plain}`" not in text] == []
    assert r"$x,\ y$" in TABLE
    assert "$L$" in TABLE


def test_the_first_notebook_explains_its_symbols_in_the_same_words():
    [table] = [cell.source for cell in cells(LESSONS[0]) if "| on paper | in code |" in cell.source]
    first = [[part.strip() for part in line.split("|")[1:-1]] for line in re.findall(r"^\| \$.+", table, re.M)]
    assert len(first) == 7
    assert [[paper, code, without_links(meaning)] for paper, code, meaning in first] == [
        [paper, code, meaning] for paper, code, _, meaning in ROWS[: len(first)]
    ]


LAYOUT = {
    "begin",
    "bmatrix",
    "aligned",
    "cdot",
    "displaystyle",
    "end",
    "frac",
    "left",
    "qquad",
    "right",
    "tfrac",
    "text",
}


def atoms(text):
    """Return the symbols that a text's formulas are made of: letters with their index, and operators by their name."""
    formulas = " ".join(re.findall(r"\$+([^$]+)\$+", text))
    formulas = re.sub(r"\\(begin|end)\{\w+\}|\\text\{[^}]*\}|\[\d+pt\]", " ", formulas)
    command = r"\\(?:operatorname\{)?([a-z]+)\}?"
    letters = re.findall(r"[A-Za-z](?:_\w)?", re.sub(command, " ", formulas))
    return {*re.findall(command, formulas), *letters} - LAYOUT


def test_every_symbol_of_the_course_is_in_the_notation():
    used = {atom: path.stem for path in reversed(LESSONS) for text in shown(path) for atom in atoms(text)}
    assert {"W_1", "eta", "odot", "relu", "f", "c", "d"} <= set(used)
    assert {atom: where for atom, where in used.items() if atom not in atoms(TABLE)} == {}
