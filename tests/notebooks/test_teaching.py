"""The teacher's page: every preset on it loads in its lab and shows what is promised."""

import re
from pathlib import Path

import pytest

from lesson_lib import collect, labs
from lesson_lib.exercises.answers import NAME, VARIABLE
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.training import words
from lesson_lib.worksheets import __main__ as worksheets

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
ROWS = [line for line in GUIDE.splitlines() if line.startswith("| ") and "Lab`" in line]


def presets():
    """Return (lab, preset) for each preset in a row of a table that names a lab."""
    found = []
    for row in ROWS:
        name = re.search(r"`(\w+Lab)`", row)[1]
        found += [(name, line) for line in re.findall(r"`([^`]+=[^`]+)`", row)]
    return sorted(set(found))


def test_the_guide_has_presets_of_every_lab():
    named = {name for name, _ in presets()}
    assert named == {name for name in labs.__all__ if name.endswith("Lab")}
    assert len(presets()) > 15


@pytest.fixture(scope="module")
def lab():
    """Return a function that gives the lab of a name, made once."""
    made: dict[str, Lab] = {}
    return lambda name: made.setdefault(name, getattr(labs, name)())


@pytest.mark.parametrize(("name", "preset"), presets())
def test_a_preset_loads_and_is_what_the_lab_would_print(lab, name, preset):
    shown = lab(name)
    shown.load(preset)
    assert shown.summary
    again = shown.preset
    shown.load(again)
    assert shown.preset == again


PROMISES = {
    ("TriggerLab", "epochs=2000; rate=1.0"): "FROZEN",
    ("TriggerLab", "activation=leaky_relu; epochs=2000"): "FROZEN",
    ("TriggerLab", "at_zero=1; epochs=2000"): "FROZEN",
    ("TriggerLab", "schedule=joint; rate=0.05; position=-1.0; target=-5.0; epochs=2000"): "BACKDOOR",
    ("BiasLab", "biases=b2"): "TRIGGER ONLY",
    ("BiasLab", "biases=b1; schedule=joint; rate=0.05"): "NOT LEARNT",
    ("BiasLab", "biases=b1; b1=0, 1.5; schedule=joint; rate=0.05"): "BACKDOOR",
    ("NAALab", "source=frozen attack; threshold=1"): "ALARM: the rule raw flags neuron 1",
    ("NAALab", "source=hand-made backdoor; threshold=1.2"): "ALARM: the rule raw flags neuron 1",
    ("NAALab", "rise=0.25"): "NO ALARM",
    ("NAALab", "rule=sd; backdoored=60"): "NO ALARM",
    ("NAALab", "rule=mad; backdoored=60"): "60 found, 0 missed",
}


@pytest.mark.parametrize(("name", "preset"), PROMISES)
def test_a_preset_shows_what_the_guide_promises(lab, name, preset):
    assert (name, preset) in presets(), "the guide says something else now"
    shown = lab(name)
    shown.load(preset)
    assert PROMISES[name, preset] in shown.summary


def test_the_guide_names_the_buttons_and_notebooks_that_exist():
    assert len(words.STORIES) == 5
    for number in re.findall(r"\b(0\d)[,.]", GUIDE):
        assert list((ROOT / "notebooks").glob(f"{number}_*.ipynb")), number
    headings = {
        re.sub(r"^#+ ", "", line)
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for line in re.findall(r'"(#+ [^"\\]+)', path.read_text(encoding="utf-8"))
    }
    for quoted in ("The innocent neuron first", "A planted backdoor", "Training on"):
        assert f'"{quoted}"' in GUIDE
        assert quoted in headings


def arguments(module):
    """Return what the guide's command gives to a module."""
    [command] = re.findall(rf"^\.venv/bin/python -m lesson_lib\.{module} (.+)$", GUIDE, re.M)
    return command.split()


def test_the_guides_commands_make_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert worksheets.main([*arguments("worksheets"), "--students", "2"]) == 0
    made = {path.name for path in (tmp_path / "build" / "worksheets").iterdir()}
    assert made == {"worksheets.html", "key.html", "numbers.csv"}
    assert all(f"`{name}`" in GUIDE for name in made)
    [pdf] = re.findall(r"`(chromium [^`]+)`", GUIDE)
    assert pdf in capsys.readouterr().out

    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.json").write_text('{"format": 1, "answers": {}}', encoding="utf-8")
    pattern, *others = arguments("collect")
    assert collect.main([*map(str, Path().glob(pattern)), *others]) == 0
    assert (tmp_path / "build" / "class.csv").is_file()
    assert f"`{NAME}`" in GUIDE
    assert f"`{VARIABLE}`" in GUIDE
