"""Pages and slides of the notebooks: formulas, links, questions, and where a notebook is cut."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lesson_lib.exercises.catalogue import question
from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.parts import without_kernel
from lesson_lib.pictures.finished import Picture, figure_of
from lesson_lib.pictures.frame import whole_svg
from lesson_lib.tables import Table

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
sys.path.insert(0, str(ROOT / "docs"))

import present  # noqa: E402
from presenting.formulas import mathml  # noqa: E402
from presenting.heights import letters, ratio  # noqa: E402
from presenting.live import live  # noqa: E402
from presenting.pieces import linked, output_html, pictures_apart, text_html  # noqa: E402
from presenting.slides import cut, without_imports  # noqa: E402

PAGE = {"kind": "page", "names": ["02_next", "glossary"], "metadata": {"name": "01_first"}}
PAGE |= {"lang": "en", "say": present.in_language("en")}
SLIDES = {**PAGE, "kind": "slides"}
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


# Formulas.


def formulas():
    """Return every formula of the course, in text and in outputs."""
    cells = [cell for path in PATHS for cell in read(path).cells]
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = {match[1] or match[2] for match in re.finditer(r"\$\$(.+?)\$\$|\$(.+?)\$", text, re.DOTALL)}
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return sorted(found | {data["text/latex"].strip("$") for data in outputs if "text/latex" in data})


def read_mathml(latex, display="inline"):
    return ElementTree.fromstring(mathml(latex, display))


def test_the_course_has_formulas_of_every_kind():
    together = "".join(formulas())
    assert len(formulas()) > 50
    for command in (
        r"\begin{aligned}",
        r"\begin{bmatrix}",
        r"\frac",
        r"\tfrac",
        r"\text{",
        r"\hat",
        r"\sum",
        r"\left[",
    ):
        assert command in together


@pytest.mark.parametrize("latex", formulas())
def test_a_formula_of_the_course_keeps_its_numbers_fractions_matrices_and_lines(latex):
    made = read_mathml(latex)
    counted = {tag: len(list(made.iter(tag))) for tag in ("mfrac", "mtable", "mover", "mtext")}
    plain = re.sub(r"\\\\\[\d+pt\]", r"\\\\", latex)
    assert "".join(node.text for node in made.iter("mn")) == "".join(re.findall(r"[\d.]+", plain))
    assert counted["mfrac"] == len(re.findall(r"\\t?frac", latex))
    assert counted["mtable"] == latex.count(r"\begin{")
    assert counted["mover"] == latex.count(r"\hat")
    assert counted["mtext"] == latex.count(r"\text{") + len(re.findall(r"(?<!\\)\\ ", latex))
    assert len(list(made.iter("mtr"))) == latex.count(r"\\") + counted["mtable"]
    assert not re.search(r"[\\&$]", "".join(made.itertext()))


@pytest.mark.parametrize(
    "broken",
    [r"\unknown x", r"\frac{1}", r"\left( x", "x_", r"\begin{foo} x \end{foo}", "{x", "x}", "a & b", ""],
)
def test_a_formula_that_cannot_be_converted_is_refused_with_its_text(broken):
    with pytest.raises(ValueError, match=re.escape(repr(broken))):
        mathml(broken)


def test_the_brackets_of_a_matrix_hold_it_alone():
    made = read_mathml(r"x \begin{bmatrix} 1 & 2 \end{bmatrix} + \begin{bmatrix} 1 \\ 2 \end{bmatrix}")
    groups = [group for group in made.iter("mrow") if group.find("mtable") is not None]
    assert [[node.tag for node in group] for group in groups] == [["mo", "mtable", "mo"]] * 2


@pytest.mark.parametrize(
    ("latex", "is_sign"),
    [("a = -1", True), ("a - 1", False), (r"2 \cdot -1", True), ("(a) - 1", False), (r"x \left(-1\right)", True)],
)
def test_a_minus_after_an_operator_is_a_sign(latex, is_sign):
    [minus] = [node for node in read_mathml(latex).iter("mo") if node.text == "−"]
    assert (minus.get("form") == "prefix") == is_sign


def test_the_name_of_a_function_and_the_partial_sign_are_no_operators():
    made = read_mathml(r"\operatorname{relu}(x) \partial L")
    assert [node.text for node in made.iter("mi")] == ["relu", "x", "∂", "L"]


def test_cases_are_lines_with_words():
    made = read_mathml(r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}")
    assert [len(row) for row in made.iter("mtr")] == [2, 2]
    assert [node.text for node in made.iter("mtext")] == ["otherwise"]


def test_formulas_in_text_in_lines_of_their_own_and_in_outputs_are_converted():
    assert text_html("So $x_1$ is", PAGE) == f"<p>So {mathml('x_1')} is</p>\n"
    assert mathml("a = b", "block") in text_html("Look:\n\n$$a = b$$", PAGE)
    environment = r"\begin{align*} a &= b \end{align*}"
    assert text_html(environment, PAGE).count('<math display="block">') == 1
    assert output_html("<p>$a &lt; b$</p>", PAGE) == f"<p>{mathml('a < b')}</p>"


def test_latex_that_is_left_in_the_text_is_found_and_code_is_not_text():
    html = r"<p>a $x$ b</p><p>\(y\)</p><p>\frac</p><code>$PATH \n</code><pre>\alpha</pre><p>C:\ and 5 %</p>"
    assert present.raw_formulas(html) == ["a $x$ b", r"\(y\)", r"\frac"]


# Links and headings.


@pytest.mark.parametrize(
    ("url", "page", "slides"),
    [
        ("02_next.ipynb", "02_next.html", "02_next.slides.html"),
        ("./02_next.ipynb#Key-points", "02_next.html#Key-points", "02_next.slides.html#Key-points"),
        ("glossary.md#gate", "glossary.html#gate", "glossary.slides.html#gate"),
        ("#Key-points", "#Key-points", "#Key-points"),
        ("https://mybinder.org", "https://mybinder.org", "https://mybinder.org"),
    ],
)
def test_a_link_between_notebooks_becomes_one_between_pages_or_decks(url, page, slides):
    for kind, expected in (("page", page), ("slides", slides)):
        assert linked(f'<a href="{url}">a</a>', kind, PAGE["names"]) == f'<a href="{expected}">a</a>'


@pytest.mark.parametrize("url", ["03_missing.ipynb", "../README.md", "notes.txt", "file:///etc/hosts"])
def test_a_link_to_anything_else_is_refused(url):
    with pytest.raises(ValueError, match=re.escape(url)):
        text_html(f"[a]({url})", PAGE)


def test_a_heading_has_the_name_that_jupyterlab_gives_it():
    assert text_html('## "Dead relu" is *part*, x', PAGE).startswith('<h2 id="&quot;Dead-relu&quot;-is-part,-x">')
    assert text_html("## Again", PAGE, named=False) == "<h2>Again</h2>\n"


def test_the_first_row_of_a_table_names_its_columns():
    html = text_html("| a | b |\n|---|--:|\n| 1 | 2 |", PAGE)
    assert html.startswith('<div class="wide"><table>')
    assert html.count('<th scope="col"') == html.count("<th ") == 2


def test_chinese_is_marked_as_such_for_those_who_listen():
    assert (
        text_html("- 手算示例:在神经网络 (*by hand*)", PAGE).count('<li><span lang="zh">手算示例:在神经网络</span> (')
        == 1
    )


def test_a_bar_in_the_code_of_a_table_is_a_bar():
    assert "<code>|d|</code>" in text_html("| a |\n|---|\n| `\\|d\\|` |", PAGE)


def test_a_finished_picture_keeps_its_width_and_its_numbers():
    table = Table([("width", "share"), ("2", "15%")], "20.")
    picture = Picture(figure_of(700, 340), table, '<path class="line" d="M0,0 1,1"/>')
    bundle = picture._repr_mimebundle_()
    output = new_output("execute_result", bundle)
    pictures_apart(new_notebook(cells=[new_code_cell("curve", outputs=[output])]), {})
    assert output.data == {"image/svg+xml": bundle["text/html"], "text/plain": str(picture.table)}
    assert 'width="700" height="340"' in output.data["image/svg+xml"]
    assert ratio(output.data["image/svg+xml"]) == pytest.approx(700 / 340)


def test_the_letters_of_a_picture_have_16_pixels_on_a_slide_of_1280_by_720():
    for width, height in ((900, 280), (700, 360), (900, 550), (300, 200)):
        enlarged = min(1152 / width, 492 / height)
        assert letters(f'<svg viewBox="0 0 {width} {height}">') * enlarged >= 16


def test_a_lab_with_a_picture_inside_is_not_taken_for_a_finished_picture():
    html = f"<div>{whole_svg((1, 1), '', '')}</div>"
    output = new_output("execute_result", {"text/html": html, "text/plain": "a lab"})
    pictures_apart(new_notebook(cells=[new_code_cell("lab", outputs=[output])]), {})
    assert output.data == {"text/html": html, "text/plain": "a lab"}


# Labs and questions.


def test_a_question_lists_its_choices_and_does_not_say_that_its_cell_can_be_run():
    still = without_kernel("Which one?\n ( ) x < 0\n ( ) none")["text/html"]
    html = output_html(still, PAGE)
    assert "<p>Which one?</p><ol><li>x &lt; 0</li><li>none</li></ol>" in html
    assert "<b>01_first</b>" in html
    assert words.NEEDS_KERNEL not in html


def test_a_lab_shows_its_picture_its_words_and_where_it_is_live():
    lab = without_kernel("The <answer> is 5.", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"></svg>')
    html = output_html(lab["text/html"], SLIDES)
    assert 'alt="The &lt;answer&gt; is 5."' in html
    assert "--ratio: 1.500" in html
    assert "<div><p>The &lt;answer&gt; is 5.</p></div>" in html
    assert "Switch to the live lab in the notebook <b>01_first</b>" in html
    assert words.NEEDS_KERNEL not in html


# Slides.

PICTURE = '<svg viewBox="0 0 300 200"></svg>'


def shown(text):
    return new_output("execute_result", data={"text/plain": text})


def still(summary, picture=""):
    return new_output("execute_result", data=without_kernel(summary, picture))


def heading(text):
    return new_markdown_cell(f"## {text}")


def code(source, *texts):
    return new_code_cell(source, outputs=[shown(text) for text in texts])


def asked(prompt="What is x?"):
    return new_code_cell('exercises.ask("x")', outputs=[still(prompt)])


def printed(cell, latex=True):
    """Return the outputs of a cell in words; those that are shown as a formula can be left out."""
    outputs = [output for output in cell.get("outputs", []) if latex or "text/latex" not in output.get("data", {})]
    return [output.get("text") or output.data["text/plain"] for output in outputs]


def seen(slide, latex=True):
    """Return what is on a slide: the text, the code and the outputs, without headings that are repeated."""
    parts = []
    for cell in slide.cells:
        parts += [cell.source] if cell.source and not cell.metadata.get("again") else []
        parts += printed(cell, latex)
    return parts


def decks(*cells):
    return [seen(slide) for slide in cut([new_markdown_cell("# 1 · Title"), *cells])]


LONG = " ".join(["word"] * 150)


def test_a_heading_starts_a_slide():
    text = new_markdown_cell(f"{LONG}\n\n## B\n\n{LONG}")
    assert decks(heading("A"), text)[1:] == [["## A", LONG], ["## B", LONG]]
    assert decks(heading("A"), code("f()", "1"), heading("B"), code("g()", "2"))[1:] == [
        ["## A", "f()", "1"],
        ["## B", "g()", "2"],
    ]


def test_sections_of_a_line_or_two_share_slides():
    words_of_a_glossary = [new_markdown_cell(f"## {i}\n\nword {i}") for i in range(20)]
    made = decks(*words_of_a_glossary)
    assert len(made) < 8
    assert [part for parts in made for part in parts][1:3] == ["## 0", "word 0"]


def test_a_long_table_is_cut_between_its_rows_and_keeps_its_heading():
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| {i} | x |" for i in range(30))
    parts = [parts[-1].splitlines() for parts in decks(heading("A"), new_markdown_cell(table))[1:]]
    assert len(parts) > 1
    assert all(part[:2] == ["| a | b |", "|---|---|"] for part in parts)
    assert [row for part in parts for row in part[2:]] == [f"| {i} | x |" for i in range(30)]


def test_text_code_and_output_stay_together():
    long = "\n\n".join(f"Paragraph {i}. {'word ' * 40}" for i in range(5))
    cells = [heading("A"), new_markdown_cell(f"{long}\n\nLook:"), code("f()", "1"), new_markdown_cell("So it is 1.")]
    [*_, last] = decks(*cells)
    assert last[-4:] == ["Look:", "f()", "1", "So it is 1."]
    assert len(decks(*cells)) == 3


def test_a_question_is_alone_with_the_text_that_leads_to_it():
    cells = [
        heading("A"),
        new_markdown_cell("Before.\n\nAnd now:"),
        asked(),
        new_markdown_cell("It is 5."),
        code("x", "5"),
    ]
    assert decks(*cells)[1:] == [["## A", "Before."], ["And now:", "What is x?"], ["It is 5.", "x", "5"]]


@pytest.mark.parametrize("lines", range(4, 20))
def test_a_function_stands_with_the_cell_that_calls_it(lines):
    text = [new_markdown_cell(f"Line {i}.") for i in range(lines)]
    made = decks(heading("A"), *text, new_markdown_cell("See:"), code("def f(): ..."), code("f()", "5"))
    assert made[-1][-4:] == ["See:", "def f(): ...", "f()", "5"]


def test_what_answers_a_prediction_is_on_the_next_slide():
    cells = [heading("A"), new_markdown_cell("**Predict:** what is x?"), code("x", "5"), new_markdown_cell("It is 5.")]
    assert decks(*cells)[1:] == [["## A", "**Predict:** what is x?", "x"], ["5", "It is 5."]]
    helped = [heading("A"), new_markdown_cell("**Predict** x:"), code("def f(): ..."), code("f()", "5")]
    assert decks(*helped)[1:] == [["## A", "**Predict** x:", "def f(): ..."], ["f()", "5"]]


def test_a_lab_is_alone_and_its_code_is_left_out():
    lab = new_code_cell("lab = Lab()\nlab", outputs=[still("Line 1 of 23.", PICTURE)])
    slides = cut([new_markdown_cell("# 1 · Title\n\nTry it:"), lab, new_markdown_cell("Well?")])
    assert [(slide.kind, seen(slide)) for slide in slides] == [
        ("", ["# 1 · Title", "Try it:"]),
        ("lab", ["Line 1 of 23."]),
        ("", ["Well?"]),
    ]


def test_a_title_stands_on_each_of_its_slides_and_only_the_first_can_be_linked_to():
    slides = cut([new_markdown_cell("# 1 · Title\n\nOne."), asked(), new_markdown_cell("Two.")])
    assert [slide.cells[0].source for slide in slides] == ["# 1 · Title", "## 1 · Title"]
    assert [bool(slide.cells[0].metadata.get("again")) for slide in slides] == [False, True]


def test_little_text_is_written_larger_and_a_long_output_smaller():
    few, many = (cut([new_markdown_cell("# 1 · Title"), heading("A"), code("f()", "1\n" * n)])[-1] for n in (1, 25))
    assert few.scale > 1 > many.scale >= 0.7


def test_a_list_stays_with_the_line_that_announces_it():
    text = f"{'word ' * 60}\n\n" * 3 + "Three points:\n\n- one\n- two\n- three"
    [*_, last] = decks(heading("A"), new_markdown_cell(text))
    assert last[-1] == "Three points:\n\n- one\n- two\n- three"


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("import numpy as np\nfrom a import (\n    b,\n    c,\n)\n\nexercises = Exercises()", ""),
        ("import numpy as np\n\nx = np.zeros(3)\nx", "x = np.zeros(3)\nx"),
        ("exercises_left = 3", "exercises_left = 3"),
    ],
)
def test_imports_are_left_out_of_the_slides(source, left):
    assert without_imports(source) == left


def test_a_notebook_without_a_title_is_refused():
    with pytest.raises(ValueError, match="must start with a heading"):
        cut([new_markdown_cell("Hello.")])


def test_a_notebook_that_was_not_run_is_refused():
    with pytest.raises(ValueError, match=r'run the notebook first: exercises.ask\("x"\)'):
        decks(new_code_cell('exercises.ask("x")'))


CELLS = st.one_of(
    st.integers(1, 60).map(lambda n: new_markdown_cell(" ".join(["word"] * n))),
    st.integers(1, 30).map(lambda n: code("f()", "\n".join("1" * n))),
    st.builds(heading, st.sampled_from("ABC")),
    st.builds(asked),
    st.just(new_markdown_cell("**Predict:** more?")),
)


@given(st.lists(CELLS, max_size=25))
def test_nothing_is_lost_doubled_or_moved(cells):
    expected = ["# 1 · Title"]
    for cell in cells:
        expected += [] if "exercises.ask" in cell.source else [cell.source]
        expected += printed(cell)
    assert [part for parts in decks(*cells) for part in parts] == expected


@given(st.lists(CELLS, max_size=25))
def test_no_answer_is_beside_its_question(cells):
    for slide in cut([new_markdown_cell("# 1 · Title"), *cells]):
        parts = seen(slide)
        assert "What is x?" not in parts[:-1]
        asks = [i for i, part in enumerate(parts) if part.startswith("**Predict")]
        assert not asks or not any(set(part) <= set("1\n") for part in parts[asks[0] :])


# The command.


def small(folder, name="01_first", text="# 1 · First\n\nSee [next](02_next.ipynb#Loss)."):
    nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def test_each_notebook_becomes_a_page_and_slides_and_the_index_leads_to_them(tmp_path):
    paths = [small(tmp_path), small(tmp_path, "02_next", "# 2 · <Next>\n\n## Loss\n\nSmall.")]
    present.build(paths, tmp_path / "out" / "here")
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out" / "here").iterdir()}
    assert set(made) == {"index.html", *(f"{path.stem}{end}" for path in paths for end in (".html", ".slides.html"))}
    assert "2 · &lt;Next&gt;</a>" in made["index.html"]
    assert all(f'href="{name}"' in made["index.html"] for name in made if name != "index.html")
    assert 'href="02_next.html#Loss"' in made["01_first.html"]
    assert '<ol><li><a href="#Loss">Loss</a></li></ol>' in made["02_next.html"]
    assert "<!-- contents -->" not in made["02_next.html"]


def test_the_name_of_every_cell_stands_where_the_cell_begins():
    cells = [new_markdown_cell("# 1 · Title"), code("import numpy"), heading("A"), code("f()", "5"), asked()]
    title, imports, text, five, last = (cell.id for cell in cells)
    assert present.cell_names(cells, cut(cells)) == [[title, imports], [text, five], [last]]


@pytest.mark.parametrize("wrong", [r"$\unknown$", "[a](03_missing.ipynb)", r"costs 5 \$"])
def test_a_notebook_that_would_not_be_whole_stops_the_build_and_is_named(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"^01_first.*(unknown|missing|costs)"):
        present.build([small(tmp_path, text=f"# 1 · First\n\n{wrong}")], tmp_path)
    assert not list(tmp_path.glob("*.html"))


# The notebooks themselves.


@every_notebook
def test_the_slides_of_a_notebook_hold_all_its_text_and_outputs_in_order(path):
    cells = [cell for cell in read(path).cells if not cell.source.startswith(("exercises.progress", "<details"))]
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = "\n\n".join(block for block in cell.source.split("\n\n") if not block.startswith(ALONE))
    pieces = [cell for slide in cut(cells) for cell in slide.cells if not cell.metadata.get("again")]
    assert told(pieces) == told(cells)


ALONE = ("**Time**", "**You need**", "**Predict before you look", "**Symbols and words**")  # who reads alone needs them


def told(cells):
    """Return the words of all text cells and outputs, without the headings of tables, which may be repeated."""
    texts = [[cell.source, *printed(cell)] if cell.cell_type == "markdown" else printed(cell) for cell in cells]
    together = "\n".join(text for parts in texts for text in parts)
    return re.sub(r"^\|.*\n\|[-:| ]+$", "", together, flags=re.MULTILINE).split()


@every_notebook
def test_a_live_copy_runs_the_same_code_and_shows_each_cell_after_its_question(path):
    made, cells = live(read(path)).cells, read(path).cells
    code = [(cell.source, cell.outputs) for cell in cells if cell.cell_type == "code"]
    assert [(cell.source, cell.outputs) for cell in made if cell.cell_type == "code"] == code
    assert len({cell.id for cell in made}) == len(made)
    shown = [cell for cell in made if cell.metadata.slideshow.get("slide_type") != "skip"]
    assert all(cell.source.startswith("#") for cell in shown if cell.metadata.slideshow.get("slide_type"))
    for cell, before in zip(shown[1:], shown, strict=False):
        answers = cell.get("outputs") and "exercises.ask" not in cell.source
        assert cell.metadata.slideshow or not answers or "**Predict" not in before.source


def test_a_live_copy_hides_what_no_slide_shows_and_the_source_of_a_lab():
    lab = new_code_cell("lab = Lab()\nlab", outputs=[still("Line 1 of 23.", PICTURE)])
    title = new_markdown_cell("# 1 · Title\n\nOne.\n\n**Time** 3 minutes.")
    cells = [title, code("import numpy"), heading("A"), lab, new_markdown_cell("Two."), code("f()", "5")]
    made = [
        (cell.source, cell.metadata.slideshow.get("slide_type"), "jupyter" in cell.metadata)
        for cell in live(new_notebook(cells=cells)).cells
    ]
    assert made == [
        ("# 1 · Title\n\nOne.", "slide", False),
        ("## A", "slide", False),
        ("import numpy", "skip", False),
        ("lab = Lab()\nlab", None, True),
        ("## A\n\nTwo.", "slide", False),
        ("f()", None, False),
    ]


@every_notebook
def test_a_solution_is_not_on_a_slide_before_its_question_or_beside_it(path):
    names = re.findall(
        r'exercises\.ask\(f?"([^"#]+?)(?: #\{mine\})?"\)', "\n".join(cell.source for cell in read(path).cells)
    )
    slides = cut(read(path).cells)
    texts = [" ".join(seen(slide, latex=False)) for slide in slides]
    for name in names:
        found = question(name)
        at = next(i for i, text in enumerate(texts) if found.prompt in text)
        assert slides[at].kind == "question"
        assert not any(found.solution in text for text in texts[: at + 1])
        assert not any(hint in text for hint in found.hints for text in texts[: at + 1])
