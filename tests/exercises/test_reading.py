"""Numbers as people type them: read exactly, or refused with a message that is true; nothing is evaluated."""

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import rationals

from lesson_lib.exercises.catalogue import question
from lesson_lib.exercises.marking import mark_answer
from lesson_lib.exercises.reading import FULL_WIDTH, parse_numbers
from lesson_lib.labs import HandCalculationLab, TriggerLab

HALF = Fraction(1, 2)
TWO = (Fraction(9, 8), Fraction(-1))
MINUS_SIGNS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\ufe63"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/2, -0.5", [HALF, -HALF]),
        ("[-5/4, 0]", [Fraction(-5, 4), 0]),
        ("-5/4; 0", [Fraction(-5, 4), 0]),
        ("  -1\t0 ", [-1, 0]),
        (".5 2.", [HALF, 2]),
        ("1e3, 2.5E-1", [1000, Fraction(1, 4)]),
        ("0.1", [Fraction(1, 10)]),
        ("1.5/3", [HALF]),
        (str(1e-5), [Fraction(1, 100_000)]),
        (str(1 / 3), [Fraction(3333333333333333, 10**16)]),
        ("-1.2345678901234567e-05", [Fraction(-12345678901234567, 10**21)]),
    ],
)
def test_numbers_are_read_exactly(text, expected):
    assert parse_numbers(text) == tuple(expected)


@pytest.mark.parametrize(
    "text",
    [
        "9/8, -1", "9/8，-1", "9/8、-1", "9/8；-1", "９／８，－１", "［９／８，　－１］", "【9/8，-1】", "（9/8；-1）",
        "(9/8, -1)", "9/8 | -1", "9/8｜-1", "|9/8 -1|", "9 / 8, -1", "9 /8,- 1", "[9/8; - 1]",
        r"\frac{9}{8}, -1", r"\dfrac { 9 } { 8 } -1", r"[\tfrac{9}{8}; -\frac{1}{1}]", r"\frac{+9}{8} \frac{-1}{1}",
        "1.125, -1", "１．１２５，-1", "1。125，-1", "1,125; -1", "1,125 -1", "1,125；-1,0", "9÷8, -1", "9\u20448, -1",
        "+9/8, -1", "＋9/8，-1", *(f"9/8, {sign}1" for sign in MINUS_SIGNS),
    ],
)  # fmt: skip
def test_an_answer_is_read_as_people_type_it(text):
    assert parse_numbers(text, 2) == TWO
    assert mark_answer(question("W2 after the clean step"), text).correct is True


def test_every_full_width_sign_is_its_plain_one():
    assert "".join(map(chr, FULL_WIDTH)).translate(FULL_WIDTH) == "".join(map(chr, range(33, 127)))


@given(st.lists(rationals, min_size=1, max_size=12), st.booleans())
def test_what_is_printed_is_read_back(answer, wide):
    text = str(list(map(str, answer))).replace("'", "")
    assert parse_numbers("".join(chr(ord(sign) + 0xFEE0) if wide and sign != " " else sign for sign in text)) == tuple(
        answer
    )


# A comma is a decimal comma only where it cannot stand between two numbers -------------------------------------------


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("3,375", 1, ["27/8"]),
        ("-3,375", 1, ["-27/8"]),
        ("1,5", 2, [1, 5]),
        ("1,5", None, [1, 5]),
        ("1,5; 2,25", None, [1, 5, 2, 25]),
        ("1,5; 2,25", 2, ["3/2", "9/4"]),
        ("0,5 | 1,25", 2, ["1/2", "5/4"]),
        ("1,5; 2", 2, ["3/2", 2]),
        ("1,5; 2", 3, [1, 5, 2]),
    ],
)
def test_a_comma_is_read_in_the_only_way_that_fits(text, count, expected):
    assert parse_numbers(text, count) == tuple(map(Fraction, expected))


@pytest.mark.parametrize(
    ("text", "count"),
    [("1, 2,3", 2), ("0,5, 1,25", 2), ("1,2,3", 1), ("1,5,2,25", 2), ("1.5,2", 1), ("1/2,3", 1), ("1,2/3", 1)],
)
def test_a_comma_that_could_be_both_is_asked_about(text, count):
    with pytest.raises(ValueError, match=r"Is a comma meant as a point\?"):
        parse_numbers(text, count)


def test_a_count_without_a_comma_in_doubt_says_how_many():
    with pytest.raises(ValueError, match=r"^This answer needs 2 numbers; you typed 3\."):
        parse_numbers("1 2 3", 2)


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", " , ;[]", "a", "1/0", "1/-2", "1//2", "1/2/3", "--1", "1-1", "- 1 -", "1 - 2", "nan", "inf", "1j", "0x10",
        "1_000", "½", "3²", "2(3)", "(2)3", "1e999999", "1e99", "1e20", "9**9**9", "__import__('os')",
        "__import__('os').system('true')", "{1}", r"2\frac{1}{2}", r"\frac{1}{2}3", r"\frac12", r"\frac{1}{a}",
        r"-\frac{-9}{8}", "lambda: 0", "1" * 25, "1 " * 13, "1" * 10**6, "1/" * 10**5,
        "[" * 10**6, "e" * 10**5, "1," * 10**5,
        "１" * 10**6, " /" * 10**5, "-" * 10**6, "1(" * 10**5, "- " * 10**5, r"\frac{" * 10**5, "1," * 10**5 + "x",
        " " * 10**5 + "x", "1" + " " * 10**5 + "x", "," + " " * 10**5 + "+" + " " * 10**5,
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
@pytest.mark.parametrize("count", [None, 1, 2])
def test_anything_else_is_refused_at_once(text, count):
    started = time.perf_counter()
    with pytest.raises(ValueError, match=r"\w") as error:
        parse_numbers(text, count)
    assert time.perf_counter() - started < 1
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<script>alert(1)</script>", "<script>aler… is not a number"),
        ("<script>", "<script> is not a number"),
        ("1" * 30 + "x", "111111111111… is not a number"),
        ("a" * 100, "aaaaaaaaaaaa… is not a number"),
        ("1" * 100, "111111111111… has too many digits"),
        ("1/0", "1/0 divides by 0"),
        ("1e-50", "1e-50 is too large, or too close to 0"),
        ("2(3)", "2(3 could be a product"),
        ("1 - 2", "- is not a number"),
        ("1e50", "1e50 is too large, or too close to 0"),
    ],
)
def test_a_refusal_says_what_is_the_matter(text, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_numbers(text)


# The same reader in labs and presets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e-5, 1 / 3, Fraction(1, 3), "１／３", r"\frac{1}{3}", 0.25])
def test_a_lab_takes_a_number_from_python_and_as_people_type_it(rate):
    lab = HandCalculationLab()
    lab.set(rate=rate)
    lab.set(W1=[1 / 3, -0.5])
    assert lab.state.derivation.params.W1.shape == (1, 2)


def test_a_preset_is_read_by_the_same_reader():
    lab = HandCalculationLab()
    lab.load("W1＝１／２，－１／２；rate=1 / 5")
    assert lab.state.start.W1.tolist() == [[HALF, -HALF]]
    dials = TriggerLab()
    dials.load("rate=1/5；target=－3")
    assert dials.values["rate"] == 0.2
    assert dials.values["target"] == -3
    for text in ("rate=x", "rate=1,5", "at_zero=1/2"):
        with pytest.raises(ValueError, match=r"^\w+ must be a (whole )?number"):
            dials.load(text)
