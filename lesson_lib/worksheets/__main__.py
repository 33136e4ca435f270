"""The command: `python -m lesson_lib.worksheets --students 30 --seed 1 --output build/worksheets`."""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from lesson_lib.tables import for_a_spreadsheet
from lesson_lib.worksheets import words
from lesson_lib.worksheets.draw import draw_sheets
from lesson_lib.worksheets.page import key_page, sheets_page


def main(argv: Sequence[str] | None = None) -> int:
    """Write sheets, key and list into a folder, say where, and return the exit status."""
    asked = _parser().parse_args(argv)
    try:
        lines = asked.names.read_text(encoding="utf-8-sig").splitlines() if asked.names else []
        names = [" ".join(line.split()) for line in lines if line.strip()]
        if asked.names and not names:
            raise ValueError(words.NO_NAMES.format(file=asked.names))
        students = (len(names) or 30) if asked.students is None else asked.students
        if students < len(names):
            raise ValueError(words.TOO_FEW.format(names=len(names), given=students))
        sheets, names = draw_sheets(students, asked.seed), [*names, *[""] * (students - len(names))]
        rows: list[list[object]] = [[*words.COLUMNS, *sheets[0].texts, "preset"]]
        for sheet, name in zip(sheets, names, strict=True):
            rows.append([sheet.number, name, asked.seed, *sheet.texts.values(), sheet.preset])
        page, key, table = (asked.output / name for name in ("worksheets.html", "key.html", "numbers.csv"))
        asked.output.mkdir(parents=True, exist_ok=True)
        page.write_text(sheets_page(sheets, names, asked.seed), encoding="utf-8")
        key.write_text(key_page(sheets, names, asked.seed), encoding="utf-8")
        with table.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out).writerows(map(for_a_spreadsheet, row) for row in rows)
    except (ValueError, OSError) as error:
        print(words.PROBLEM.format(problem=error), file=sys.stderr)
        return 1
    print(words.MADE.format(count=students, sheets=page, key=key, numbers=table, pdf=page.with_suffix(".pdf")))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m lesson_lib.worksheets", description=words.ABOUT)
    parser.add_argument("--students", type=int, help=words.HELP["students"], metavar="N")
    parser.add_argument("--seed", type=int, default=1, help=words.HELP["seed"], metavar="N")
    parser.add_argument("--output", type=Path, default=Path("build/worksheets"), help=words.HELP["output"])
    parser.add_argument("--names", type=Path, help=words.HELP["names"], metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
