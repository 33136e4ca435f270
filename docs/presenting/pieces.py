"""What a cell holds, as HTML: text, formulas, the still pictures of labs, questions, and links between notebooks."""

import re
from base64 import b64decode
from collections.abc import Collection
from html import escape, unescape
from typing import Any

from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from presenting.formulas import mathml
from presenting.heights import ratio

from lesson_lib.labs.shared.parts import STILL as LAB_STILL

SUFFIXES = {"page": ".html", "slides": ".slides.html"}
STILL = re.compile(
    rf'<div class="{LAB_STILL}"( lang="[^"]*")?><style>.*?</style>(.*)<p><em>[^<]*</em></p></div>', re.DOTALL
)
PICTURE = re.compile(r'<svg [^>]*?class="by-hand-picture".*</svg>', re.DOTALL)


class Renderer(IPythonRenderer):
    """Markdown to HTML, with MathML for formulas and with JupyterLab's names for headings."""

    def heading(self, text: str, level: int, **_: Any) -> str:
        name = BeautifulSoup(text, "html.parser").get_text().replace(" ", "-")
        anchor = "" if self.exclude_anchor_links else f' id="{escape(name)}"'
        return f"<h{level}{anchor}>{text}</h{level}>\n"

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return f'<span class="wide">{mathml(body, "block")}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")


def pictures_apart(notebook: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
    """Take finished pictures out of their HTML, so that pages and slides can give each its place."""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if found := PICTURE.fullmatch(output.get("data", {}).get("text/html", "")):
            output.data = {"image/svg+xml": found[0], "text/plain": output.data["text/plain"]}
    return notebook, resources


def text_html(source: str, resources: dict[str, Any], named: bool = True) -> str:
    """Return a text cell as HTML; its headings can be linked to if `named`, its tables scroll when they are wide."""
    html = MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=not named)).render(source)
    if resources["lang"] == "en":
        html = re.sub(r"[\u4e00-\u9fff]+(:[\u4e00-\u9fff]+)?", r'<span lang="zh">\g<0></span>', html)
    html = re.sub(r"<th(?=[ >])", '<th scope="col"', html)
    html = re.sub(r"<table>.*?</table>", _table, html, flags=re.DOTALL)
    return linked(html, resources["kind"], resources["names"])


def _table(found: re.Match[str]) -> str:
    """Return a table that scrolls where it is too wide; a bar in its code had to be escaped."""
    return '<div class="wide">' + found[0].replace(r"\|", "|") + "</div>"


def formula_html(latex: str) -> str:
    """Return a text/latex output as HTML."""
    return mathml(latex.strip().strip("$"), "block")


def output_html(html: str, resources: dict[str, Any]) -> str:
    """Return a text/html output; a lab or a question says in which notebook it is live."""
    html = re.sub(r"\$(.+?)\$", lambda formula: mathml(unescape(formula[1])), html)
    html = linked(html, resources["kind"], resources["names"])
    still = STILL.fullmatch(html)
    if not still:
        return html
    kind, shown = ("lab", _lab) if "<img" in html else ("question", _question)
    told = resources["say"][f"{resources['kind']} {kind}"]
    note = f'<p class="note">{told.format(name=resources["metadata"]["name"])}</p>'
    return f'<div class="{kind}">{shown(still[2], note)}</div>'


def _question(html: str, note: str) -> str:
    """Return a question with its choices as a list, to be answered by a letter."""
    html = re.sub(r"(<p> \( \) .*?</p>)+", r"<ol>\g<0></ol>", html)
    return re.sub(r"<p> \( \) (.*?)</p>", r"<li>\1</li>", html) + note


def _lab(html: str, note: str) -> str:
    """Return a lab's picture, which knows its width over its height, beside its words."""
    picture, said = re.fullmatch(r"<img (.*?>)(.*)", html, flags=re.DOTALL).groups()
    svg = b64decode(re.search(r'base64,([^"]*)', picture)[1]).decode()
    return f'{note}<img style="--ratio: {ratio(svg):.3f}" {picture}<div>{said}</div>'


def linked(html: str, kind: str, names: Collection[str]) -> str:
    """Lead the links between notebooks to their pages, or to their slides; raises ValueError for any other file."""

    def lead(link: re.Match[str]) -> str:
        name, part = re.match(r"(?:\./)?([^#]*?)(?:\.ipynb|\.md)?(#.*|$)", link[1]).groups()
        if name not in names:
            raise ValueError(f"a link must lead to a notebook of the course or to an address; got {link[1]!r}")
        return f'href="{name}{SUFFIXES[kind]}{part}"'

    return re.sub(r'href="((?!https?://|#)[^"]*)"', lead, html)
