"""Answers that last: one file, replaced whole, merged with what another notebook wrote, set aside when damaged."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_lib.exercises import answers, words
from lesson_lib.exercises.answers import NAME, Answers, Kept, Record, Try, own_file, read_file, write_answers

ROOT = Path(__file__).parents[2]
NOTEBOOK = """
import sys
from pathlib import Path
from lesson_lib.exercises.answers import Answers
kept = Answers(Path(sys.argv[1]))
for i in range(40):
    kept.change(f"{sys.argv[2]} {i}", lambda record: record.tried("1", True))
    kept.change("both", lambda record: record.tried(f"{sys.argv[2]} {i}", False))
"""


def tried(answer, right=False):
    return lambda record: record.tried(answer, right)


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def file(tmp_path):
    return tmp_path / NAME


# The file ------------------------------------------------------------------------------------------------------------


def test_what_was_done_is_there_for_the_next_kernel(file):
    first = Answers(file)
    first.change("q", tried("1, 0"))
    first.change("q", tried("-1, 0", True))
    first.change("q", lambda record: record.hinted(2))
    first.change("p", Record.shown)
    later = Answers(file).records
    assert [(each.answer, each.right) for each in later["q"].tries] == [("1, 0", False), ("-1, 0", True)]
    assert later["q"].hints == 2
    assert later["q"].right
    assert not later["q"].right_at_first
    assert later["p"].solution_after == 0
    assert later == first.records
    assert Answers(file).problem == Answers(file).set_aside == ""
    assert str(file) in Answers(file).place
    assert names(file.parent) == [NAME]


def test_nothing_is_written_before_something_is_done(file):
    Answers(file)
    assert not file.exists()


def test_without_a_path_everything_stays_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = Answers(None)
    kept.change("q", tried("1"))
    assert kept.records["q"].tries[0].answer == "1"
    kept.forget(["q"])
    assert kept.records == {}
    assert names(tmp_path) == []
    assert kept.place == words.NOT_KEPT


def test_the_file_is_beside_the_notebook_unless_the_variable_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert own_file() is None  # in tests
    monkeypatch.delenv("LESSON_ANSWERS")
    assert own_file() == tmp_path / "my_answers.json"
    monkeypatch.setenv("LESSON_ANSWERS", "other.json")
    assert own_file() == tmp_path / "other.json"


def test_two_notebooks_that_are_open_at_once_lose_nothing(file):
    one, other = Answers(file), Answers(file)
    one.change("q", tried("1"))
    other.change("p", tried("2"))
    one.change("q", tried("3"))
    other.change("q", tried("4", True))
    assert set(Answers(file).records) == {"q", "p"}
    assert [each.answer for each in Answers(file).records["q"].tries] == ["1", "3", "4"]
    one.forget(["q"])
    assert set(Answers(file).records) == {"p"}


def test_two_kernels_that_write_at_the_same_time_lose_nothing(file):
    command = [sys.executable, "-c", NOTEBOOK, str(file)]
    running = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("a", "b", "c")]
    assert [each.wait(timeout=60) for each in running] == [0, 0, 0]
    records = read_file(file).answers
    assert len(records) == 3 * 40 + 1
    assert len(records["both"].tries) == 3 * 40
    assert names(file.parent) == [NAME]


def test_a_write_that_fails_leaves_the_old_file_whole(file, monkeypatch):
    kept = Answers(file)
    kept.change("q", tried("1"))
    before = file.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(answers.os, "fsync", full)
    kept.change("q", tried("2", True))
    assert file.read_bytes() == before
    assert names(file.parent) == [NAME]
    assert [each.answer for each in kept.records["q"].tries] == ["1", "2"]  # this kernel still knows
    assert "No space left on device" in kept.place
    monkeypatch.undo()
    kept.change("p", tried("3"))
    assert Answers(file).records == kept.records
    assert [each.answer for each in kept.records["q"].tries] == ["1", "2"]  # and now the file does, too
    assert "No space" not in kept.place


def test_a_folder_that_is_gone_is_told_and_nothing_is_raised(tmp_path):
    kept = Answers(tmp_path / "gone" / NAME)
    assert kept.change("q", tried("1", True)).right
    assert "could not be kept" in kept.place


DAMAGED = [
    "", "{", "[]", "null", "\x00" * 50, "[" * 10**5, '{"format": 2, "answers": {}}', '{"answers": {}}',
    '{"format": 1}', '{"format": 1, "answers": []}', '{"format": 1, "answers": {"q": 1}}',
    '{"format": 1, "answers": {"q": {"tries": [], "hints": 0}}}',
    '{"format": 1, "answers": {"q": {"tries": [], "hints": "0", "solution_after": null}}}',
    '{"format": 1, "answers": {"q": {"tries": [], "hints": 0, "solution_after": 1}}}',
    '{"format": 1, "answers": {"q": {"tries": [{"answer": "1"}], "hints": 0, "solution_after": null}}}',
    '{"format": 1, "answers": {"q": {"tries": [{"answer": 1, "right": true, "at": ""}], "hints": 0, '
    '"solution_after": null}}}',
    '{"format": 1, "answers": {}, "labs": []}', '{"format": 1, "answers": {}, "labs": {"a": 1}}',
]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: repr(text[:70]))
def test_a_damaged_file_is_set_aside_whole_and_the_learner_is_told(file, text):
    file.write_text(text, encoding="utf-8")
    kept = Answers(file)
    assert kept.records == {}
    kept.change("q", tried("1", True))
    [aside] = [path for path in file.parent.iterdir() if path != file]
    assert aside.name.startswith("my_answers.damaged-")
    assert aside.read_text(encoding="utf-8") == text
    assert aside.name in kept.place
    assert Answers(file).records == kept.records != {}


def test_a_file_that_is_damaged_while_the_notebook_is_open_costs_nothing_of_this_notebook(file):
    kept = Answers(file)
    kept.change("q", tried("1"))
    file.write_text("{", encoding="utf-8")
    kept.change("p", tried("2"))
    file.unlink()
    kept.change("r", tried("3"))
    assert set(Answers(file).records) == {"q", "p", "r"}
    assert len(list(file.parent.iterdir())) == 2


def test_a_lock_whose_owner_was_killed_is_taken_over(file, monkeypatch):
    monkeypatch.setattr(answers, "STALE", 0.2)
    lock = file.with_name(f".{NAME}.lock")
    lock.touch()
    kept = Answers(file)
    started = time.monotonic()
    kept.change("q", tried("1"))
    assert 0.1 < time.monotonic() - started < 5
    assert names(file.parent) == [NAME]


def test_a_lock_that_is_held_is_waited_for_and_told(file, monkeypatch):
    monkeypatch.setattr(answers, "PATIENCE", 0.1)
    kept = Answers(file)
    with answers.locked(file):
        kept.change("q", tried("1"))
        assert words.BUSY in kept.place
        assert not file.exists()
    kept.change("p", tried("2"))
    assert set(read_file(file).answers) == {"q", "p"}


texts = st.text(max_size=20)
tries = st.lists(st.builds(Try, texts, st.booleans(), texts), max_size=4).map(tuple)
records = tries.flatmap(
    lambda made: st.builds(Record, st.just(made), st.integers(0, 5), st.none() | st.integers(0, len(made)))
)


@given(st.dictionaries(texts, records, max_size=4), st.dictionaries(texts, texts, max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory, known, labs):
    file = tmp_path_factory.mktemp("kept") / NAME
    write_answers(file, Kept(known, labs))
    assert read_file(file) == Kept(known, labs)
    assert read_file(file).answers == known
    assert set(json.loads(file.read_text(encoding="utf-8"))) == {"format", "answers", "labs"}


# What counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "right", "first"),
    [
        ([], False, False),
        (["wrong"], False, False),
        (["right"], True, True),
        (["wrong", "right"], True, False),
        (["right", "wrong"], True, True),
        (["solution", "right"], False, False),
        (["right", "solution"], True, True),
        (["wrong", "solution", "right"], False, False),
        (["wrong", "right", "solution", "wrong", "solution"], True, False),
    ],
)
def test_a_first_try_counts_and_what_follows_the_solution_does_not(done, right, first):
    record = Record()
    for i, deed in enumerate(done):
        record = record.shown() if deed == "solution" else record.tried(str(i), deed == "right")
    assert (record.right, record.right_at_first) == (right, first)


def test_the_same_answer_twice_in_a_row_is_one_try():
    record = Record().tried("1", False).tried("1", False).tried("2", False).tried("1", False)
    assert [each.answer for each in record.tries] == ["1", "2", "1"]
    assert len(Record().tried("1" * 10**6, False).tries[0].answer) <= 300
