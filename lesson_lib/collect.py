"""A teacher's table of many files of answers: `python -m lesson_lib.collect FILES...`; it adds nothing to them."""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lesson_lib.exercises import words
from lesson_lib.exercises.answers import Record, read_file
from lesson_lib.tables import Table, for_a_spreadsheet

Class = Mapping[str, Mapping[str, Record]]  # by file, then by question


def overview(found: Class, csv_file: str) -> Table:
    """Return a row for each file: how many questions were tried and right, and with how much help."""
    rows: list[Sequence[str]] = [words.COLLECT_COLUMNS]
    for file, records in found.items():
        facts = [
            (bool(one.tries), one.right, one.right_at_first, one.hints, one.solution_after is not None)
            for one in records.values()
        ]
        rows.append((file, *(str(sum(column)) for column in zip((0,) * 5, *facts, strict=True))))
    return Table(rows, words.COLLECT_CAPTION.format(count=len(found), csv=csv_file))


def details(found: Class) -> list[list[str]]:
    """Return a row for each question of each file, after a row with the names of the columns."""
    rows: list[Sequence[object]] = [words.COLLECT_DETAILS]
    for file, records in found.items():
        for name, record in records.items():
            first, last = (record.tries[i] if record.tries else None for i in (0, -1))
            seen = record.solution_after is not None
            judged = [words.YES_NO[fact] for fact in (record.right_at_first, record.right)]
            counted = [len(record.tries), *judged, record.hints, words.YES_NO[seen]]
            ends = [first and first.answer, last and last.answer, first and first.at, last and last.at]
            rows.append([file, name, *counted, *(end or "" for end in ends)])
    return [list(map(for_a_spreadsheet, row)) for row in rows]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, write the CSV file, and return 1 if a file was left out, 0 otherwise."""
    parser = argparse.ArgumentParser("python -m lesson_lib.collect", description=words.COLLECT["about"])
    parser.add_argument("files", nargs="+", type=Path, help=words.COLLECT["files"], metavar="FILE")
    parser.add_argument("--csv", type=Path, default=Path("answers.csv"), help=words.COLLECT["csv"], metavar="FILE")
    asked = parser.parse_args(argv)
    found: dict[str, Mapping[str, Record]] = {}
    files = [path for file in asked.files for path in _matching(file)]
    for file in files:
        try:
            found[str(file)] = read_file(file).answers
        except (ValueError, OSError) as error:
            print(words.COLLECT_PROBLEM.format(file=file, problem=error), file=sys.stderr)
    asked.csv.parent.mkdir(parents=True, exist_ok=True)
    with asked.csv.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(details(found))
    print(overview(found, str(asked.csv)))
    return int(len(found) < len(set(files)))


def _matching(file: Path) -> list[Path]:
    """Return the files that a pattern stands for, because the shell of Windows leaves a * as it is."""
    return (sorted(file.parent.glob(file.name)) if "*" in file.name else []) or [file]


if __name__ == "__main__":
    sys.exit(main())
