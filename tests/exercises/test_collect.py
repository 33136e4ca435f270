"""The teacher's table: what is in the files of a class, and nothing else."""

import csv
import re

import pytest

from lesson_lib.collect import main
from lesson_lib.exercises import words
from lesson_lib.exercises.answers import Answers, Record


def learner(folder, number):
    """Write the file of a learner who tried `number` questions and was right in each third, and return its path."""
    folder.mkdir()
    kept = Answers(folder / "my_answers.json")
    for i in range(number):
        kept.change(f"question {i}", lambda record, i=i: record.tried("-1, 0", i % 3 == 0))
    kept.change("seen", Record.shown)
    kept.change("seen", lambda record: record.hinted(2))
    return kept.path


def collected(file):
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_thirty_files_make_one_table_and_one_csv(tmp_path, capsys):
    files = [learner(tmp_path / f"student {number}", number) for number in range(1, 31)]
    out = tmp_path / "not yet there" / "class.csv"
    assert main([*map(str, files), "--csv", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == list(words.COLLECT_COLUMNS)
    for number, (file, line) in enumerate(zip(files, lines[1:31], strict=True), 1):
        assert line.startswith(str(file))
        right = str(-(-number // 3))
        assert line.removeprefix(str(file)).split() == [str(number), right, right, "2", "1"]
    assert lines[31] == f"30 files. Every question, with first and last answers: {out}"
    rows = collected(out)
    assert len(rows) == sum(range(1, 31)) + 30
    assert {row["file"] for row in rows} == set(map(str, files))
    one = rows[0]
    assert (one["question"], one["tries"], one["first answer"], one["right at first try"]) == (
        "question 0", "1", "-1, 0", "yes"
    )  # fmt: skip
    assert [row["solution seen"] for row in rows if row["question"] == "seen"] == ["yes"] * 30


def test_a_damaged_file_is_named_and_the_others_are_collected(tmp_path, capsys):
    good, bad = learner(tmp_path / "good", 2), tmp_path / "bad.json"
    bad.write_text("{", encoding="utf-8")
    gone, out = tmp_path / "gone.json", tmp_path / "class.csv"
    assert main([str(good), str(bad), str(gone), "--csv", str(out)]) == 1
    told = capsys.readouterr()
    assert f"{bad} is left out: it is not JSON" in told.err
    assert str(gone) in told.err
    assert bad.read_text(encoding="utf-8") == "{"  # a learner's file is only read
    assert {row["file"] for row in collected(out)} == {str(good)}


def test_a_pattern_that_the_shell_leaves_alone_is_expanded(tmp_path, capsys):
    kept = learner(tmp_path / "one", 1)
    kept.rename(tmp_path / "ada.json")
    (tmp_path / "bob.json").write_bytes((tmp_path / "ada.json").read_bytes())
    out = tmp_path / "class.csv"
    assert main([str(tmp_path / "*.json"), "--csv", str(out)]) == 0
    assert {row["file"] for row in collected(out)} == {str(tmp_path / "ada.json"), str(tmp_path / "bob.json")}
    assert main([str(tmp_path / "*.nothing"), "--csv", str(out)]) == 1
    assert "*.nothing is left out" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["=HYPERLINK(1)", "@x", "+cmd|' /C calc'!A0"])
def test_what_a_learner_typed_is_no_formula_in_a_spreadsheet(tmp_path, answer):
    kept = Answers(tmp_path / "my_answers.json")
    kept.change(answer, lambda record: record.tried(answer, False))
    main([str(kept.path), "--csv", str(tmp_path / "class.csv")])
    [row] = collected(tmp_path / "class.csv")
    assert row["question"] == row["first answer"] == f"'{answer}"
