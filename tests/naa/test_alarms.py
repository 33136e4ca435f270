"""The page on false alarms: what it says was counted, and a part of it is counted again."""

import json
import sys
from pathlib import Path

import pytest

from lesson_lib.naa import RULES
from lesson_lib.naa.judgement import DEFAULT

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path[:0] = [str(BENCHMARKS)]

import alarms  # noqa: E402

COUNTED = json.loads(alarms.FILE.read_text(encoding="utf-8"))
AGAIN = [
    ("null", "normal, equal, 512 neurons, 100 rows"),
    ("null", "relu, unequal, 512 neurons, 20 rows"),
    ("null", "relu, unequal, 64 neurons, 100 rows, float64"),
    ("null", "relu, unequal, same rows reordered, float32"),
    ("backdoor", "simulated, rise 9.0, 5%"),
    ("backdoor", "simulated, rise 0.25, 100%"),
]


def test_the_page_is_what_was_counted():
    assert {group: [*COUNTED[group]] for group in alarms.CASES} == {g: [*cases] for g, cases in alarms.CASES.items()}
    for group, cases in COUNTED.items():
        for counted in cases.values() if group in alarms.CASES else ():
            assert [*counted] == [*alarms.NAMES]
            assert {found["runs"] for found in counted.values()} == {alarms.RUNS[group]}
    assert alarms.PAGE.read_text(encoding="utf-8") == alarms.write(COUNTED)


@pytest.mark.parametrize(("group", "case"), AGAIN)
def test_the_first_runs_can_be_counted_again(group, case):
    seeds = range(5)
    for name, found in alarms.count(group, case, seeds).items():
        expected = COUNTED[group][case][name]["first"][: len(seeds)]
        close = [abs(a - b) <= 1 for a, b in zip(found["first"], expected, strict=True)]  # at a threshold, by rounding
        assert all(close), (name, found["first"], expected)
        assert found["first"] == expected or name not in ("permutation", "raw")


def highest(rule):
    """Return the upper end of the 95 % interval of each null case."""
    return {
        case: alarms.interval(found[rule]["alarms"], found[rule]["runs"])[1] for case, found in COUNTED["null"].items()
    }


def test_the_default_alarms_in_at_most_5_per_cent_of_every_null_case():
    assert max(highest(DEFAULT).values()) <= 0.05
    assert alarms.RUNS["null"] >= 400
    assert len(COUNTED["null"]) >= 30


def test_it_is_the_one_that_finds_most_of_those_that_do():
    silent = [
        name for name in alarms.NAMES if all(alarms.rate(found[name]) <= 0.05 for found in COUNTED["null"].values())
    ]
    assert {DEFAULT, "raw"} <= set(silent) < set(alarms.NAMES)
    found = {name: sum(case[name]["flags"] for case in COUNTED["backdoor"].values()) for name in silent}
    assert max(found, key=found.get) == DEFAULT


def test_mad_and_sd_and_bh_alarm_on_clean_data():
    for rule in set(RULES) - {DEFAULT, "raw"}:
        assert max(highest(rule).values()) > 0.05, rule


def test_the_same_rows_in_another_order_alarm_no_rule():
    reordered = [case for case in COUNTED["null"] if "reordered" in case]
    assert len(reordered) == 4
    assert all(found["flags"] == 0 for case in reordered for found in COUNTED["null"][case].values())
