"""Notebooks 7 and 8: their numbers over ten splits are the committed ones, and their sentences hold on all of them."""

import json
import re
import sys
from pathlib import Path
from statistics import mean

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import convolution  # noqa: E402
import detectors_table  # noqa: E402

STORED = json.loads(detectors_table.FILE.read_text(encoding="utf-8"))
SPLITS = STORED["splits"]
NETS = json.loads(convolution.FILE.read_text(encoding="utf-8"))


def prose(name):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return " ".join("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").split())


def values(key, splits=SPLITS):
    return [split[key] for split in splits]


LESSON, CAPTURE = prose("08_other_detectors"), prose("07_capture_from_pytorch_and_keras")


def test_the_table_of_the_lesson_is_the_committed_one():
    for line in detectors_table.markdown(SPLITS, STORED["seconds"]):
        assert line in LESSON


def test_a_cell_counts_the_target_and_other_classes_that_are_named():
    splits = [{"c: d: class": float(c), "c: d: named": float(n)} for c, n in [(0, 1), (0, 2), (0, 0), (4, 1), (5, 0)]]
    assert detectors_table.named(splits, "c", "d") == (2, 1)
    assert detectors_table.cell(splits, "c", "d") == "2 / 1"


CLAIMS = {
    "**Neural Cleanse** finds every attack that has one target, and falsely names 3 of 10 honest models.": lambda: (
        all(
            detectors_table.named(SPLITS, case, "Neural Cleanse") == (10, 0)
            for case in detectors_table.CASES
            if not case.startswith("all to all")
        )
        and detectors_table.named(SPLITS, "honest", "Neural Cleanse") == (0, 3)
    ),
    "It costs seconds, where the others cost less than one": lambda: (
        STORED["seconds"]["Neural Cleanse"] > 1 > max(s for d, s in STORED["seconds"].items() if d != "Neural Cleanse")
    ),
    "separates the poisoned rows of class 0 well (96 % on average at a tenth)": lambda: (
        f"{mean(values('two pixels, 10 %: clustering: purity')):.0%}" == "96%"
    ),
    "yet names the wrong class or none, until little is poisoned": lambda: (
        detectors_table.named(SPLITS, "two pixels, 10 %", "clustering")[0] == 0
        and detectors_table.named(SPLITS, "two pixels, 2 %", "clustering")[0] >= 5
    ),
    "**Spectral signatures** at a tenth remove nearly all honest rows with the poison": lambda: (
        mean(values("two pixels, 10 %: spectral: honest rows removed")) > 0.95
    ),
    "at this limit names another class in every honest model that is shown the trigger": lambda: (
        detectors_table.named(SPLITS, "honest", "class vote") == (0, 10)
    ),
    "the ranking is a guess": lambda: abs(mean(values("two pixels, 10 %: spectral: AUC in 0")) - 0.5) < 0.05,
    "The fewer rows are poisoned, the better they stand out": lambda: (
        mean(values("two pixels, 10 %: spectral: AUC in 0"))
        < mean(values("two pixels, 5 %: spectral: AUC in 0"))
        < mean(values("two pixels, 2 %: spectral: AUC in 0"))
    ),
    "AUC is 0.89 on average instead of 0.52": lambda: (
        [f"{mean(values(f'two pixels, 10 %: spectral: AUC in 0{way}')):.2f}" for way in (", not centred", "")]
        == ["0.89", "0.52"]
    ),
    "against the last of the attacks below it is 0.02 instead of 1.00": lambda: (
        [f"{mean(values(f'all to all, 10 %: spectral: AUC in 0{way}')):.2f}" for way in (", not centred", "")]
        == ["0.02", "1.00"]
    ),
    "the search has found the attacker's two pixels": lambda: SPLITS[0][
        "two pixels, 10 %: Neural Cleanse: both pixels"
    ],
    "on other splits that is the honest half": lambda: (
        min(values("two pixels, 10 %: clustering: poison in the smaller")) < 0.1
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_of_notebook_8_stands_there_and_holds(claim):
    assert claim in LESSON
    assert CLAIMS[claim]()


def test_the_two_pixels_are_found_in_as_many_splits_as_the_lesson_says():
    found = int(sum(values("two pixels, 10 %: Neural Cleanse: both pixels")))
    assert f"on ten splits it finds exactly these two in {found}" in LESSON


def test_a_convolution_shows_the_trigger_in_every_net_and_the_push_in_poisoned_ones_only():
    assert len(NETS) == convolution.SEEDS == 10
    nets = ("poisoned", "honest")
    flagged = [n for name in nets for n in values(f"{name}: positions flagged", NETS)]
    channels = max(n for name in nets for n in values(f"{name}: channels flagged", NETS))
    told = re.search(
        r"flags between (\d+) and (\d+) positions, none away from the corner, and at most (\d) of 8", CAPTURE
    )
    assert tuple(map(int, told.groups())) == (min(flagged), max(flagged), channels)
    assert not any(any(values(f"{name}: flagged elsewhere", NETS)) for name in nets)
    assert set(values("poisoned: class pushed most", NETS)) == {0}
    assert 0 not in values("honest: class pushed most", NETS)
    assert min(values("poisoned: ASR", NETS)) > 0.8


@pytest.mark.torch
def test_the_committed_numbers_of_a_convolution_can_be_recomputed():
    found = convolution.measure(0)
    assert found.keys() == NETS[0].keys()
    for name, value in found.items():
        # Another processor adds in another order, and a training run may end a little elsewhere.
        assert value == pytest.approx(NETS[0][name], rel=0.2, abs=3 if "flagged" in name else 0.3), name
