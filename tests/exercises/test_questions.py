"""The files of questions: each field and each sentence is there, none is too much, and a fault is told clearly."""

import tomllib
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest

from lesson_lib.exercises.catalogue import OPEN, net_answers, question, question_texts
from lesson_lib.exercises.drawn import DRAWN, Computed, drawn
from lesson_lib.exercises.marking import shuffled
from lesson_lib.labs.exercises import Exercises

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "lesson_lib" / "exercises" / "questions").iterdir())
TEXTS = question_texts()
ALL = {"prompt", "hints", "solution"}
RIGHT_FIELDS = {"choices": ALL | {"slips", "choices", "correct"}, "numbers": ALL | {"slips"}, "open": ALL | {"reply"}}


def kind(name):
    return "open" if "reply" in TEXTS[name] else "choices" if "choices" in TEXTS[name] else "numbers"


def computed(name):
    if name in DRAWN:
        return drawn(name, "1")
    return OPEN[name]() if name in OPEN else net_answers().get(name, Computed())


def braces(text):
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def sentences(value):
    """Yield every text in a question's fields."""
    if isinstance(value, str):
        yield value
    else:
        for each in value.values() if isinstance(value, dict) else value:
            yield from sentences(each)


def test_each_notebook_has_a_file_and_no_question_is_in_two():
    lessons = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert [(file.stem, file.suffix) for file in FILES] == [(lesson, ".toml") for lesson in lessons] != []
    names = Counter(name for file in FILES for name in tomllib.loads(file.read_text(encoding="utf-8")))
    assert list(names) == list(TEXTS)
    assert set(names.values()) == {1}


def test_the_files_are_part_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["lesson_lib"]
    found = {path for pattern in patterns for path in (ROOT / "lesson_lib").glob(pattern)}
    assert set(FILES) <= found


@pytest.mark.parametrize("name", TEXTS)
def test_a_question_has_the_fields_of_its_kind_and_no_other(name):
    assert set(TEXTS[name]) == RIGHT_FIELDS[kind(name)]
    told = list(sentences(TEXTS[name]))
    assert [text for text in told if text != " ".join(text.split()) or not text] == []


def test_what_is_computed_belongs_to_a_question():
    assert {*net_answers(), *OPEN, *DRAWN} <= set(TEXTS)
    assert [name for name in TEXTS if kind(name) == "numbers" and not len(computed(name).answer)] == []
    assert [name for name in TEXTS if bool(computed(name).try_out) != (kind(name) == "open")] == []
    assert set(OPEN) == {name for name in TEXTS if kind(name) == "open"} - set(DRAWN)


@pytest.mark.parametrize("name", [name for name in TEXTS if kind(name) == "choices"])
def test_one_choice_is_correct_and_each_other_has_its_sentence(name):
    text = TEXTS[name]
    assert sorted([text["correct"], *text["slips"]]) == sorted(text["choices"])
    assert not computed(name).slips
    assert not len(computed(name).answer)


@pytest.mark.parametrize("name", [name for name in TEXTS if kind(name) == "numbers"])
def test_each_slip_has_its_sentence_and_each_sentence_its_slip(name):
    slips = [drawn(name, str(number)) for number in range(30)] if name in DRAWN else [computed(name)]
    assert set(TEXTS[name]["slips"]) == {slip for each in slips for slip in each.slips} != set()


def told(name):
    """Return what stands in braces in any text of a question but its reply."""
    texts = {field: value for field, value in TEXTS[name].items() if field != "reply"}
    return {field for text in sentences(texts) for field in braces(text)}


@pytest.mark.parametrize("name", TEXTS)
def test_what_stands_in_braces_is_computed(name):
    assert told(name) <= set(computed(name).facts)
    asked = question(name)
    assert [text for text in (asked.prompt, asked.solution, *asked.hints) if braces(text)] == []
    if kind(name) == "open":
        _, facts = computed(name).try_out(computed(name).answer)
        assert braces(TEXTS[name]["reply"]) == set(facts)


def test_every_fact_is_told_somewhere():
    assert {field for name in TEXTS for field in told(name)} == {
        fact for name in TEXTS for fact in computed(name).facts
    }


# The order of the choices -------------------------------------------------------------------------------------------


def places(seed):
    """Return at which place the right choice of each question comes."""
    asked = [question(name) for name in TEXTS if kind(name) == "choices"]
    return [shuffled(each, seed).index(each.correct) for each in asked]


def test_an_order_has_every_choice_once_and_is_the_same_for_the_same_seed():
    for name in TEXTS:
        asked = question(name)
        assert sorted(shuffled(asked, 7)) == sorted(asked.choices)
        assert shuffled(asked, 7) == shuffled(asked, 7)
        assert shuffled(asked) == shuffled(asked, 0)
    assert places(7) != places(8)


def test_no_place_holds_most_of_the_right_choices():
    found = [place for seed in range(50) for place in places(seed)]
    assert max(Counter(found).values()) < 0.4 * len(found)
    assert max(Counter(places(0)).values()) < len(places(0)) / 2  # on the page


def test_each_learner_has_an_order_and_a_seed_gives_one_to_all():
    names = [name for name in TEXTS if kind(name) == "choices"][:8]

    def orders(exercises):
        return [tuple(exercises.ask(name).answer.options) for name in names]

    assert orders(Exercises(seed=3)) == [tuple(shuffled(question(name), 3)) for name in names]
    assert orders(Exercises()) != orders(Exercises())
    shown = Exercises(seed=3).ask(names[0]).summary
    assert [line.removeprefix(" ( ) ") for line in shown.splitlines()[1:]] == shuffled(question(names[0]), 0)
