"""Every language: catalogues that know when they are stale, translations that keep what they must, built files."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "translations"))

import build  # noqa: E402
import units  # noqa: E402
import update  # noqa: E402
from checking import faults  # noqa: E402

from lesson_lib.language import WORDS  # noqa: E402

LANGUAGES = [folder.name for folder in update.languages()]
CATALOGUES = [*(path.stem for path in units.NOTEBOOKS), units.GLOSSARY.stem, units.LIBRARY, "pages"]
EACH = pytest.mark.parametrize("language", LANGUAGES)


@cache
def english():
    return units.catalogues()


def catalogue(language, name):
    return update.read(update.FOLDER / language / f"{name}.po")


def test_every_module_of_words_is_known():
    found = {path.relative_to(ROOT / "lesson_lib").with_suffix("") for path in ROOT.glob("lesson_lib/**/words.py")}
    assert {*WORDS} == {".".join(path.parts) for path in found}


def test_there_is_a_language_and_all_its_catalogues_are_tested():
    assert LANGUAGES == ["zh_CN"]
    assert [*english()] == CATALOGUES
    assert sum(map(len, english().values())) > 1500


@EACH
@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_is_up_to_date_whole_and_keeps_what_it_must(language, name):
    made = catalogue(language, name)
    assert update.written(update.updated(catalogue(language, name), english()[name])) == update.written(made)
    done, stale, whole = update.share(made)
    assert (stale, whole) == (0, len(english()[name]))
    assert done >= update.LEAST * whole
    terms = update.FOLDER / language / "terms.toml"
    wrong = [(m.id[:60], fault) for m in made if m.id and m.string for fault in faults(m.id, m.string, terms)]
    assert [fault for fault in wrong if name != "pages" or not fault[1].startswith("address")] == []


@EACH
def test_what_is_built_is_what_the_catalogues_say(language):
    assert (ROOT / "lesson_lib" / "languages" / f"{language}.json").read_text(encoding="utf-8") == build.library(
        language
    )
    for path in units.PAGES:
        assert build.place(path, language).read_text(encoding="utf-8") == build.page(path, language)
    for path in units.NOTEBOOKS:
        made, stored = build.notebook(path, language), nbformat.read(build.place(path, language), as_version=4)
        assert [(cell.id, cell.source) for cell in stored.cells] == [(cell.id, cell.source) for cell in made.cells]


@EACH
def test_the_glossary_is_what_its_catalogue_gives(language):
    built = units.GLOSSARY.parent / language / units.GLOSSARY.name
    assert built.read_text(encoding="utf-8") == build.glossary(language)
    anchors = [units.SECTION.findall(path.read_text(encoding="utf-8")) for path in (built, units.GLOSSARY)]
    assert anchors[0] == anchors[1] != []


@EACH
@pytest.mark.parametrize("path", units.NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_the_same_code_and_ends_in_the_same_numbers(language, path):
    old, new = (nbformat.read(each, as_version=4) for each in (path, build.place(path, language)))
    added = [cell for cell in new.cells if cell.id == "language"]
    assert [cell.source for cell in added] == ([f'import lesson_lib\n\nlesson_lib.use("{language}")'] if added else [])
    assert len(added) == any(cell.cell_type == "code" for cell in old.cells)
    rest = [cell for cell in new.cells if cell.id != "language"]
    assert [(cell.cell_type, cell.id) for cell in rest] == [(cell.cell_type, cell.id) for cell in old.cells]
    for before, after in zip(old.cells, rest, strict=True):
        if before.cell_type == "code":
            assert after.source == before.source
            assert numbers(after) == numbers(before), before.id


def numbers(cell):
    """Return the numbers with a point or a fraction in what a cell prints or shows as text, in whatever order."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    assert not any(output.output_type == "error" for output in cell.outputs), cell.id
    return sorted(re.findall(r"\d+\.\d+|\d+/\d+", " ".join(texts)))


def test_a_changed_paragraph_makes_exactly_its_unit_stale_and_is_shown_in_english():
    name = "02_a_trigger_that_never_learns"
    was = english()[name]
    changed = next(unit for unit in was if unit.text.startswith("The article's calculation is right"))
    new = units.Unit(changed.context, changed.text.replace("every line", "each line"))
    made = update.updated(catalogue("zh_CN", name), [new if unit == changed else unit for unit in was])
    assert [message.id for message in made if message.fuzzy] == [new.text]
    assert update.share(made)[1:] == (1, len(was))
    again = read_po(update.written(made).decode().splitlines(keepends=True))
    [stale] = [message for message in again if message.fuzzy]
    assert stale.string == catalogue("zh_CN", name).get(changed.text, changed.context).string
    shown = build.in_language(f"{new.text}\n\n## A heading", new.context, {})
    assert shown == f"[en] {new.text}\n\n## [en] A heading"


@pytest.mark.parametrize(
    ("english_text", "translation", "fault"),
    [
        ("Set `rate` to 1", "设 `epochs` 为 1", "code"),
        ("See [this](a.ipynb)", "见[此](b.ipynb)", "address"),
        ("Where $x = 0$", "当 x = 0", "formula"),
        ("{n} neurons", "{m} 个", "fields"),
        ("## A title", "标题", "heading"),
        ("- one\n- two", "- 一", "item"),
        ("<b>bold</b>", "粗", "tag"),
        (" and ", "和", "space"),
        ("a backdoor", "漏洞", "term"),
    ],
)
def test_each_fault_of_a_translation_is_seen(english_text, translation, fault):
    terms = update.FOLDER / "zh_CN" / "terms.toml"
    assert [found for found in faults(english_text, translation, terms) if fault in found]
    assert [*faults("a false alarm", "一次误报", terms)] == []


# While it runs -------------------------------------------------------------------------------------------------------

SPEAK = """
import json, sys
from pathlib import Path
import lesson_lib
from lesson_lib import language
language.FOLDER = Path({folder!r})
lesson_lib.use("xx")
"""
SHOWN = (Path(__file__).parent / "all_that_is_shown.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Make a third language, in which every text stands in brackets."""
    texts: dict[str, dict[str, str]] = {}
    for found in english().values():
        for context, text in found:
            texts.setdefault(context, {})[text] = f"⟦{text}⟧" if units.has_words(text) else text
    folder = tmp_path_factory.mktemp("languages")
    (folder / "xx.json").write_text(json.dumps(texts), encoding="utf-8")
    return folder


def run(code):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LESSON_ANSWERS": "", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment, cwd=ROOT, check=False
    )


def test_a_third_language_is_spoken_by_every_lab_exercise_table_and_line(tiny):
    result = run(SPEAK.format(folder=str(tiny)) + SHOWN)
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    assert len(found) > 60
    assert {what: left for what, left in found.items() if left} == {}


def test_a_text_that_is_missing_is_shown_in_english_and_marked(tiny, tmp_path):
    texts = json.loads((tiny / "xx.json").read_text(encoding="utf-8"))
    del texts["labs.shared.words"]["Reset"]
    (tmp_path / "xx.json").write_text(json.dumps(texts), encoding="utf-8")
    result = run(SPEAK.format(folder=str(tmp_path)) + "from lesson_lib.labs.shared import words; print(words.RESET)")
    assert result.stdout.strip() == "[en] Reset"


def test_a_language_that_there_is_not_is_refused_and_nothing_is_changed():
    said = run("import lesson_lib\nlesson_lib.use('zh_XX')").stderr
    assert "ValueError: language must be one of 'en', 'zh_CN'; got 'zh_XX'" in said
    after = "from lesson_lib.labs.shared import words\nfrom lesson_lib import language, use\n"
    after += "try: use('zh_CN')\nexcept RuntimeError as error: print(error, words.RESET, language.now.language)"
    assert run(after).stdout == ("texts are in 'en' already: restart the kernel, and let use() come first Reset en\n")
    assert run("from lesson_lib import use\nuse('zh_CN'); use('zh_CN'); print(1)").stdout == "1\n"
    assert "RuntimeError" in run("from lesson_lib import use\nuse('zh_CN'); use('en')").stderr


def test_the_lesson_reads_no_catalogue_unless_it_is_asked_and_never_by_the_machines_locale():
    code = "import sys, lesson_lib; lesson_lib.forward; from lesson_lib.labs.shared import words\n"
    code += "from lesson_lib import language; print(words.RESET, language.now.texts, language.now.language)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "zh_CN.UTF-8", "LANGUAGE": "zh_CN"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "Reset {} en\n"
