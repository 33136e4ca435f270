"""Worksheets: solved by hand from the sheet alone they give the key, and HandCalculationLab opens the same numbers."""

import csv
import html
import re
from fractions import Fraction
from itertools import pairwise

import pytest

from lesson_lib.derivation.step import Step
from lesson_lib.exercises.reading import parse_numbers
from lesson_lib.labs import HandCalculationLab
from lesson_lib.tables import for_a_spreadsheet
from lesson_lib.worksheets import draw
from lesson_lib.worksheets.__main__ import main
from lesson_lib.worksheets.draw import KINDS, draw_sheets
from lesson_lib.worksheets.page import AT_TRIGGER, key_page, sheets_page

SHEETS = draw_sheets(8, 1)
NAMES = [f"Student {number}" for number in range(1, 9)]


def texts_of(page):
    """Return the text of each sheet of a page, a line for each paragraph, cell or heading."""
    body = re.sub(r"<(/?(p|td|th|h\d|tr|span|footer|section)\b[^>]*)>", "\n", page.partition("<body>")[2])
    return [html.unescape(re.sub(r"<[^>]*>", "", part)) for part in body.split("One step by hand\n")[1:]]


def printed(make=sheets_page):
    page = make(SHEETS, NAMES, 1).replace("Key: one", "One")
    parts = texts_of(page)
    assert len(parts) == len(SHEETS)
    return parts


# A student with a pen: plain Fractions, nothing of the package but the reading of a typed number ---------------------


def given_on(sheet):
    """Read the numbers off a printed sheet."""
    net = {name: parse_numbers(re.search(rf"^{name} = (.*)$", sheet, re.M)[1]) for name in ("W1", "b1", "W2", "b2")}
    trigger = re.search(r"^trigger x = (\S+), y = (\S+)$", sheet, re.M).groups()
    samples = re.findall(r"^x = (\S+), y = (\S+)$", sheet, re.M)[:2]
    rate = re.search(r"with rate (\S+) on", sheet)[1]
    return net, [[*map(read, pair)] for pair in samples], [*map(read, trigger)], read(rate)


def read(text):
    return parse_numbers(text)[0]


def by_hand(net, x, y):
    (w, v), (b, c), (p, q), (bias,) = (net[name] for name in ("W1", "b1", "W2", "b2"))
    z = [x * w + b, x * v + c]
    a = [max(z[0], 0), max(z[1], 0)]
    answer = a[0] * p + a[1] * q + bias
    error = answer - y
    back = [error * p, error * q]
    gate = [int(z[0] > 0), int(z[1] > 0)]
    through = [back[0] * gate[0], back[1] * gate[1]]
    return {
        "z1": z,
        "a1": a,
        "ŷ": [answer],
        "dL/dŷ": [error],
        "dL/dW2": [a[0] * error, a[1] * error],
        "dL/da1": back,
        "da1/dz1": gate,
        "dL/dz1": through,
        "dL/dW1": [x * through[0], x * through[1]],
    }


def solved(sheet):
    """Return every answer of a sheet in the order of its blanks, and what is said of each lock."""
    net, samples, trigger, rate = given_on(sheet)
    first, second = (by_hand(net, *sample) for sample in samples)
    sums = {name: [one + other for one, other in zip(first[name], second[name], strict=True)] for name in first}
    errors = first["dL/dŷ"] + second["dL/dŷ"]
    together = {"L": [sum(error**2 for error in errors) / 2], "dL/dW1": sums["dL/dW1"], "dL/dW2": sums["dL/dW2"]}
    new = {
        name: [old - rate * slope for old, slope in zip(net[name], sums[f"dL/d{name}"], strict=True)]
        for name in ("W1", "W2")
    }
    at = by_hand({**net, **new}, *trigger)
    gates, silent = any(at["da1/dz1"]), not any(at["a1"])
    factors = {
        "dL/dW1": [*["x = 0"] * (trigger[0] == 0), *["relu'(z1) = 0"] * (not gates)],
        "dL/db1": ["relu'(z1) = 0"] * (not gates),
        "dL/dW2": ["a1 = 0"] * silent,
        "dL/db2": [],
    }
    lines = [*first.items(), *second.items(), *together.items(), *((f"new {name}", new[name]) for name in new)]
    lines += [(name, at[name]) for name in ("z1", "a1", "ŷ", "dL/dŷ", "dL/da1", "da1/dz1")]
    return [(name, tuple(map(Fraction, values))) for name, values in lines], factors


@pytest.mark.parametrize("number", range(len(SHEETS)))
def test_a_sheet_solved_by_hand_gives_every_line_of_its_key(number):
    answers, factors = solved(printed()[number])
    key = printed(key_page)[number]
    lines = re.findall(r"^((?:new )?(?:dL/d|da1/d)?(?:[zaWb]\d|ŷ|L)) = .*?([^=]*?)\.(?: .*)?$", key, re.M)
    assert [(name, parse_numbers(value.partition("because")[0])) for name, value in lines] == answers
    assert len(answers) == 2 * 9 + 5 + 6
    for name, by in factors.items():
        told = re.search(rf"^{name}: (.*)$", key, re.M)[1]
        assert told.startswith("open, ") if not by else told == f"locked, because {' and '.join(by)}"
    assert key.count("Certified: 7 entries, three ways, largest gap 0.") == 2


@pytest.mark.parametrize("sheet", SHEETS)
def test_the_printed_preset_opens_the_same_lines_in_the_lab(sheet):
    load = re.search(r'lab\.load\("(.*)"\); lab$', printed()[sheet.number - 1], re.M)[1]
    lab = HandCalculationLab()
    lab.load(load)
    assert lab.state.derivation.text == sheet.clean.text
    lab.set(phase="trigger")
    assert lab.state.derivation.text == sheet.trigger.text


def test_a_sheet_has_a_blank_for_each_entry_and_tells_no_answer():
    for sheet, page in zip(SHEETS, sheets_page(SHEETS, NAMES, 1).split("<section>")[1:], strict=True):
        asked = [*sheet.clean.steps, *(step for step in sheet.trigger.steps if step.quantity in AT_TRIGGER)]
        assert page.count("<i></i>") == sum(max(getattr(step.result, "size", 1), 1) for step in asked)
        assert page.count('class="box"') == 8
        assert "<title>" not in page
        assert all(isinstance(step, Step) for step in asked)


# The numbers ---------------------------------------------------------------------------------------------------------


def numbers_in(text):
    return [Fraction(found) for found in re.findall(r"-?\d+(?:/\d+)?", text)]


def test_every_sheet_is_another_one_and_every_value_is_short():
    assert len({sheet.preset for sheet in SHEETS}) == len(SHEETS)
    for sheet in SHEETS:
        for step in (*sheet.clean.steps, *sheet.trigger.steps):
            for value in numbers_in(step.text.rpartition("= ")[2]):
                assert abs(value) <= 16
                assert abs(value.numerator) <= 60
                assert value.denominator <= 16


def test_the_locks_differ_from_neighbour_to_neighbour():
    shut = [tuple(lock.name for lock in sheet.locks if not lock.is_open) for sheet in SHEETS]
    assert shut == [kind for kind, _ in KINDS] * 2
    assert [sheet.numbers["trigger_x"] == (0,) for sheet in SHEETS] == [at_zero for _, at_zero in KINDS] * 2
    assert all(one != other for one, other in pairwise(sheet.preset for sheet in SHEETS))
    for sheet in SHEETS:
        assert not set(sheet.numbers["trigger_x"]) & set(sheet.numbers["clean_x"])


def test_the_seed_alone_decides_and_more_students_leave_the_first_sheets_alone():
    assert [sheet.preset for sheet in draw_sheets(3, 1)] == [sheet.preset for sheet in SHEETS[:3]]
    assert [sheet.preset for sheet in draw_sheets(3, 2)] != [sheet.preset for sheet in SHEETS[:3]]


@pytest.mark.parametrize("seed", range(10))
def test_ten_seeds_give_certified_sheets_of_every_kind(seed):
    sheets = draw_sheets(len(KINDS), seed)
    assert [tuple(lock.name for lock in sheet.locks if not lock.is_open) for sheet in sheets] == [
        kind for kind, _ in KINDS
    ]
    assert all(certificate.holds for sheet in sheets for certificate in sheet.certificates)


@pytest.mark.parametrize("students", [0, -1, 501])
def test_a_class_has_a_size(students):
    with pytest.raises(ValueError, match=rf"^students must be from 1 to 500; got {students}$"):
        draw_sheets(students, 1)


def test_a_sheet_that_is_not_certified_is_not_made(monkeypatch):
    right = draw.certify

    def wrong(net, data):
        found = right(net, data)
        found.holds = False
        return found

    monkeypatch.setattr(draw, "certify", wrong)
    with pytest.raises(ValueError, match=r"^sheet 1 is not certified"):
        draw_sheets(1, 1)


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_writes_sheets_key_and_list_with_names(tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text("\ufeffAda Lovelace\n\n <b>Bob</b> \n王小明\n=1+cmd()\n", encoding="utf-8")
    assert main(["--seed", "1", "--output", str(tmp_path / "out"), "--names", str(names)]) == 0
    told = capsys.readouterr().out
    page = (tmp_path / "out" / "worksheets.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 4
    assert "&lt;b&gt;Bob" in page
    assert "<b>Bob" not in page
    assert not re.search(r"(src|href)=|url\(|@import|<script", page)
    for name in ("worksheets.html", "key.html", "numbers.csv"):
        assert str(tmp_path / "out" / name) in told
    with (tmp_path / "out" / "numbers.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["Ada Lovelace", "<b>Bob</b>", "王小明", "'=1+cmd()"]
    assert [row["preset"] for row in rows] == [sheet.preset for sheet in SHEETS[:4]]
    assert [row["W1"] for row in rows] == [sheet.texts["W1"] for sheet in SHEETS[:4]]


@pytest.mark.parametrize(
    ("arguments", "names", "told"),
    [
        (["--students", "1"], "a\nb", "students must be at least as many as the names, 2; got 1"),
        ([], "\n \n", "names must be a file with a name on each line"),
        (["--students", "0"], "", "names must be a file"),
        (["--students", "501"], None, "students must be from 1 to 500; got 501"),
        (["--students", "0"], None, "students must be from 1 to 500; got 0"),
        (["--names", "nowhere.txt"], None, "nowhere.txt"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_writes_nothing(tmp_path, capsys, arguments, names, told):
    if names is not None:
        (tmp_path / "names.txt").write_text(names, encoding="utf-8")
        arguments = [*arguments, "--names", str(tmp_path / "names.txt")]
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=SUM(A1)", "'=SUM(A1)"), ("+cmd|x", "'+cmd|x"), ("-1/2, 0", "-1/2, 0"), ("@x", "'@x"), ("Ada", "Ada"), (3, "3")],
)
def test_no_cell_is_taken_for_a_formula(text, cell):
    assert for_a_spreadsheet(text) == cell
