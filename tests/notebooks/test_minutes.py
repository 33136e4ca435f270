"""The minutes that a notebook's opening states are those that the benchmark reckons, and they add up."""

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import minutes  # noqa: E402

every_lesson = pytest.mark.parametrize("path", minutes.LESSONS, ids=lambda path: path.stem)


def opening(path):
    return minutes.opening_of(nbformat.read(path, as_version=4)).source


def stated(path):
    """Return the minutes that a notebook states: the whole, the opening's, and (section, minutes) for the others."""
    line = minutes.TIME.search(opening(path))[0]
    contents = [
        (text, address, int(number)) for text, address, number in re.findall(r"\[(.+?)\]\(#(.+?)\) (\d+)", line)
    ]
    return int(re.search(r"about (\d+) minutes", line)[1]), int(re.search(r"opening (\d+) ·", line)[1]), contents


def a_notebook(*cells):
    return new_notebook(cells=[new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells])


def reckoned(*cells):
    """Return (heading, seconds, seconds of tasks) of each section of a notebook with these cells."""
    return [(found.heading, found.seconds, found.tasks) for found in minutes.reckon(a_notebook(*cells))]


def test_the_lessons_are_found():
    assert len(minutes.LESSONS) == 8


@every_lesson
def test_an_opening_states_what_is_reckoned(path):
    assert minutes.time_line(path) in opening(path), "run benchmarks/minutes.py --write"


@every_lesson
def test_the_sections_stand_in_the_opening_in_their_order_and_add_up(path):
    begins = [(cell.source.partition("\n")[0], cell.id) for cell in nbformat.read(path, as_version=4).cells]
    begins = [(line.removeprefix("## "), name) for line, name in begins if line.startswith("## ")][:-1]  # no Sources
    whole, first, contents = stated(path)
    assert [(heading, address) for heading, address, _ in contents] == [
        (heading, f"cell-id={name}") for heading, name in begins
    ]
    numbers = [first, *(number for _, _, number in contents)]
    assert min(numbers) >= 1
    assert abs(sum(numbers) - whole) <= len(numbers) / 2


def test_the_readme_says_how_long_the_notebooks_take():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    low, high = map(int, re.search(r"Six notebooks of (\d+) to (\d+)\s+minutes each", readme).groups())
    for path in minutes.LESSONS[:6]:
        assert low <= stated(path)[0] <= high
    assert max(stated(path)[0] for path in minutes.LESSONS[6:]) < low


def test_words_are_read_at_the_stated_rate_and_addresses_are_not_read():
    assert minutes.of_text("word " * 175) == 60
    assert minutes.of_text("[word](glossary.md#word) " * 175) == 60
    assert minutes.of_text("don't re-read") == 2 * 60 / 175


def test_each_formula_has_its_cost():
    assert minutes.of_text("$a$ $$b + c$$ $d$") == 2 + 10 + 2


def test_code_and_its_result_are_read_by_the_line():
    shown = new_output("execute_result", {"text/plain": "1\n2\n3", "image/png": "…"})
    printed = new_output("stream", text="one\ntwo\n")
    assert minutes.of_code(new_code_cell("x = 1\nx", outputs=[shown, printed])) == 2 * 4 + 5 * 4


def test_an_exercise_and_the_tasks_of_a_lab_have_their_cost():
    assert reckoned(new_code_cell('exercises.ask("which factor")')) == [("opening", 90, 0)]
    tasks = "1. one\n2. two"
    lab = new_code_cell("lab = TriggerLab()")
    assert reckoned(f"Try\n\n{tasks}", lab)[0][2] == 240
    assert reckoned(f"Read\n\n{tasks}", new_code_cell("1 + 1"))[0][2] == 0
    assert reckoned(f"Try\n\n{tasks}", new_code_cell("1 + 1"), lab)[0][2] == 0


def test_a_section_begins_at_its_heading_and_the_sources_do_not_count():
    found = reckoned("# Title", new_code_cell("1"), "## Next", new_code_cell("1\n2"), "## Sources\n\n- one")
    assert [(heading, seconds) for heading, seconds, _ in found] == [
        ("opening", pytest.approx(60 / 175 + 4)),
        ("Next", pytest.approx(60 / 175 + 8)),
    ]


def test_the_paragraph_on_time_does_not_count_itself():
    line = "**Time** about 9 minutes: of which this tells much.\n\n"
    assert reckoned(line + "one two") == reckoned("one two")


def test_the_measured_seconds_belong_to_sections_that_exist():
    measured = json.loads(minutes.RUNNING.read_text(encoding="utf-8"))
    assert measured.keys() == {path.stem for path in minutes.LESSONS}
    for path in minutes.LESSONS:
        assert measured[path.stem].keys() <= {section.heading for section in minutes.sections(path)}
        assert all(seconds >= 1 for seconds in measured[path.stem].values())


def test_the_benchmark_prints_every_section(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["minutes.py"])
    minutes.main()
    printed = capsys.readouterr().out
    for path in minutes.LESSONS:
        assert f"{path.stem}: {stated(path)[0]} minutes" in printed
    assert printed.count("  Key points\n") == 8
