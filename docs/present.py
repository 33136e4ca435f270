"""Turn each notebook into a page and into slides that need no network: `python docs/present.py`."""

import argparse
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from bs4 import BeautifulSoup
from jinja2 import FileSystemLoader
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from presenting.heights import letters, ratio
from presenting.live import live
from presenting.pieces import SUFFIXES, formula_html, output_html, pictures_apart, text_html
from presenting.slides import Slide, cut
from presenting.words import LANGUAGES, in_language

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
TEMPLATES = ROOT / "docs" / "presenting"
FILTERS = {"text_html": text_html, "formula_html": formula_html, "output_html": output_html}
FILTERS |= {"letters": letters, "ratio": ratio}


def build(paths: Sequence[Path], output: Path) -> None:
    """Write a page and slides for each notebook, and an index; raises ValueError where one would not be whole."""
    output.mkdir(parents=True, exist_ok=True)
    language = language_of(paths)
    around: dict[str, Any] = {"lang": language.replace("_", "-"), "say": in_language(language)}
    around["names"] = {beside.stem for path in paths for beside in lessons(path.resolve().parent)}
    for kind, suffix in SUFFIXES.items():
        made = exporter(kind)
        for path, before, after in zip(paths, [None, *paths], [*paths[1:], None], strict=False):
            facts = around | {"kind": kind, "title": title(path), "before": before, "after": after}
            write(output / f"{path.stem}{suffix}", convert(made, path, facts))
    index = around | {"kind": "page", "title": around["say"]["course"]}
    index["notebooks"] = [(path.stem, title(path)) for path in paths]
    write(output / "index.html", made.environment.get_template("index.html.j2").render(resources=index))


def exporter(kind: str) -> HTMLExporter:
    """Return what turns a notebook into a page or into slides."""
    loaders = [FileSystemLoader(TEMPLATES)]
    made = HTMLExporter(template_name="basic", template_file=f"{kind}.html.j2", extra_loaders=loaders, filters=FILTERS)
    made.register_preprocessor(pictures_apart, enabled=True)
    if kind == "slides":
        made.register_preprocessor(on_slides, enabled=True)
    return made


def on_slides(notebook: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
    """Replace the cells by those of the slides; the first of each slide knows which slide it opens."""
    slides = cut(notebook.cells)
    names = cell_names(notebook.cells, slides)
    for number, (cells, kind, scale) in enumerate(slides, 1):
        facts = {"number": number, "count": len(slides), "kind": kind, "scale": scale, "names": names[number - 1]}
        cells[0].metadata["slide"] = facts
    notebook.cells = [cell for slide in slides for cell in slide.cells]
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"piece-{i}"
    return notebook, resources


def cell_names(cells: list[NotebookNode], slides: list[Slide]) -> list[list[str]]:
    """Return, for each slide, the names of the cells that begin on it: links may lead to any cell of a notebook."""
    names: list[list[str]] = [[] for _ in slides]
    at = 0
    for cell in cells:  # what is left out of the slides counts to the slide before
        at = next((i for i, slide in enumerate(slides) if any(piece.id == cell.id for piece in slide.cells)), at)
        names[at].append(cell.id)
    return names


def lessons(folder: Path) -> list[Path]:
    """Return the notebooks in a folder, and the glossary, which is no notebook."""
    return [*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*.md"))]


def language_of(paths: Sequence[Path]) -> str:
    """Return the language of notebooks: the folder that those in another language than English have."""
    folders = {path.resolve().parent.name for path in paths}
    return next((path.stem for path in LANGUAGES.glob("*.json") if path.stem in folders), "en")


def read(path: Path) -> NotebookNode:
    """Return a notebook, or a text as a notebook with a cell for each of its sections."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    sections = re.split(r"\n(?=## )", path.read_text(encoding="utf-8"))
    return new_notebook(cells=[new_markdown_cell(text, id=f"section-{i}") for i, text in enumerate(sections)])


def title(path: Path) -> str:
    """Return the first heading of a notebook."""
    return read(path).cells[0].source.splitlines()[0].removeprefix("# ")


def convert(made: HTMLExporter, path: Path, facts: dict[str, Any]) -> str:
    """Return a notebook as HTML; an error names the notebook."""
    try:
        return made.from_notebook_node(read(path), facts | {"metadata": {"name": path.stem}})[0]
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def build_live(paths: Sequence[Path], output: Path) -> None:
    """Write a copy of each notebook to show as slides in JupyterLab; it says how in TEACHING.md."""
    output.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if path.suffix == ".ipynb":
            nbformat.write(live(nbformat.read(path, as_version=4)), output / path.name)
        else:  # the glossary, to which they link
            (output / path.name).write_bytes(path.read_bytes())


def write(path: Path, html: str) -> None:
    """Write a page with its table of contents; raises ValueError if LaTeX is left in it."""
    if left := raw_formulas(html):
        raise ValueError(f"{path.name} would show LaTeX: {left}")
    path.write_text(html.replace("<!-- contents -->", contents(html)), encoding="utf-8", newline="\n")


def raw_formulas(html: str) -> list[str]:
    """Return the texts outside code that still hold LaTeX."""
    soup = BeautifulSoup(html, "html.parser")
    for node in soup(["pre", "code", "script", "style"]):
        node.decompose()
    return [text for text in soup.stripped_strings if re.search(r"\$|\\[a-zA-Z([]", text)]


def contents(html: str) -> str:
    """Return a list of links to the headings of a page."""
    headings = BeautifulSoup(html, "html.parser").select("main h2[id]")
    links = (f'<li><a href="#{quote(h["id"])}">{escape(h.get_text())}</a></li>' for h in headings)
    return f"<ol>{''.join(links)}</ol>"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks to present; without any, all of them")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="the folder to write to")
    parser.add_argument("--language", default="", help="such as zh_CN: the notebooks of another language")
    parser.add_argument("--live", action="store_true", help="write notebooks to show as slides in JupyterLab instead")
    chosen = parser.parse_args()
    paths = chosen.notebooks or lessons(NOTEBOOKS / chosen.language)
    chosen.output /= chosen.language
    if chosen.live:
        build_live(paths, chosen.output / "live")
        print(f"jupyter lab {chosen.output / 'live'}")
    else:
        build(paths, chosen.output)
        print(f"open {chosen.output / 'index.html'}")


if __name__ == "__main__":
    main()
