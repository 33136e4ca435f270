"""The command `backdoor-by-hand`, from a built wheel in a clean environment: it copies, and never overwrites work."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import backdoor_by_hand as command  # noqa: E402

NAMES = sorted(path.name for path in (ROOT / "notebooks").glob("*.*") if path.suffix in (".ipynb", ".md"))
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
# Stands for JupyterLab in the clean environment, and tells how it was started.
LAB = "import json, os, sys; print(json.dumps([os.getcwd(), sys.argv[1:]]))"


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """Let the lesson have two notebooks only, and return the folder in which they are."""
    source = tmp_path / "lesson" / "notebooks"
    source.mkdir(parents=True)
    for name in (command.FIRST, "glossary.md"):
        (source / name).write_text(f"{name} 1", encoding="utf-8")
    monkeypatch.setattr(command, "__file__", str(tmp_path / "lesson" / "backdoor_by_hand.py"))
    return source


@pytest.fixture
def own(tmp_path):
    return tmp_path / "我 的" / "lesson"


def texts(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.*") if path.name in NAMES}


def told(capsys, *arguments):
    assert command.main([*map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_notebooks_are_copied_and_copied_once(lesson, own, capsys):
    assert "Copied glossary.md." in told(capsys, own, "--no-lab")
    assert texts(own) == texts(lesson)
    assert "Copied" not in told(capsys, own, "--no-lab")
    assert {path.name for path in own.iterdir()} == {*texts(lesson), command.RECORD}


def test_another_language_is_copied_when_it_is_asked_for(lesson, own, capsys):
    (lesson / "zh_CN").mkdir()
    (lesson / "zh_CN" / command.FIRST).write_text("手算", encoding="utf-8")
    told(capsys, own, "--no-lab", "--language", "zh_CN")
    assert texts(own) == {command.FIRST: "手算"}
    assert f"{command.FIRST}: as in the lesson" in told(capsys, own, "--list", "--language", "zh_CN")
    with pytest.raises(SystemExit):
        command.main([str(own), "--language", "xx"])
    assert "invalid choice: 'xx'" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--update"]])
def test_what_the_learner_has_changed_is_never_overwritten(lesson, own, capsys, options):
    told(capsys, own, "--no-lab")
    (own / command.FIRST).write_text("mine", encoding="utf-8")
    (lesson / command.FIRST).write_text("newer", encoding="utf-8")
    told(capsys, own, "--no-lab", *options)
    assert texts(own)[command.FIRST] == "mine"
    assert f"{command.FIRST}: changed by you, and kept; the lesson has a newer one" in told(capsys, own, "--list")


@pytest.mark.parametrize("record", ["", "{", "[]", "null"])
def test_without_a_record_whatever_differs_is_the_learners(lesson, own, capsys, record):
    told(capsys, own, "--no-lab")
    (own / command.RECORD).write_text(record, encoding="utf-8")
    (lesson / command.FIRST).write_text("newer", encoding="utf-8")
    told(capsys, own, "--no-lab", "--update")
    assert texts(own)[command.FIRST] == f"{command.FIRST} 1"


def test_a_file_of_the_same_name_that_was_there_before_is_kept(lesson, own, capsys):
    own.mkdir(parents=True)
    (own / command.FIRST).write_text("mine", encoding="utf-8")
    (own / "glossary.md").mkdir()
    told(capsys, own, "--no-lab", "--update")
    assert (own / command.FIRST).read_text(encoding="utf-8") == "mine"
    assert (own / "glossary.md").is_dir()


def test_only_update_replaces_and_only_what_is_unchanged(lesson, own, capsys):
    told(capsys, own, "--no-lab")
    (lesson / "glossary.md").write_text("newer", encoding="utf-8")
    told(capsys, own, "--no-lab")
    assert texts(own)["glossary.md"] == "glossary.md 1"
    assert "glossary.md: not changed by you; the lesson has a newer one" in told(capsys, own, "--list")
    assert "Replaced glossary.md with the newer one." in told(capsys, own, "--no-lab", "--update")
    assert texts(own) == texts(lesson)
    assert told(capsys, own, "--list").count("as in the lesson") == 2


def test_list_writes_nothing(lesson, own, capsys):
    assert told(capsys, own, "--list").splitlines() == [f"{name}: not in the folder" for name in sorted(texts(lesson))]
    assert not own.exists()


def test_a_folder_that_cannot_be_one_is_told(lesson, own, capsys):
    own.parent.mkdir()
    own.write_text("a file", encoding="utf-8")
    assert command.main([str(own), "--no-lab"]) == 2
    assert capsys.readouterr().err.startswith("backdoor-by-hand: ")
    assert own.read_text(encoding="utf-8") == "a file"


# The wheel -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from the tracked files."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, folder / "source"]
    result = subprocess.run(build, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    [made] = folder.glob("*.whl")
    return made


def test_the_wheel_carries_the_notebooks_and_all_texts(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    places = ("notebooks", *(f"notebooks/{language}" for language in command.languages()[1:]))
    assert len(places) > 1
    carried = {name for name in names if name.startswith("notebooks/")}
    assert carried == {f"{place}/{name}" for place in places for name in NAMES}
    inside = (ROOT / "lesson_lib").rglob("*")
    data = {
        path.relative_to(ROOT).as_posix() for path in inside if path.suffix in (".py", ".toml", ".css", ".js", ".json")
    }
    assert data <= set(names)


def test_the_command_of_the_wheel_copies_the_lesson_and_starts_lab_at_the_first_notebook(wheel, tmp_path):
    home = tmp_path / "clean"
    venv.create(home, with_pip=False)
    python = home / SCRIPTS / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        f"--python={python}",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
    ]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONIOENCODING": "ascii"}
    subprocess.run(install, check=True, env=env)  # or else pip might find this checkout, and have nothing to do
    [site] = home.glob("[Ll]ib/**/site-packages")
    (site / "jupyterlab.py").write_text(LAB, encoding="utf-8")
    started = subprocess.run(
        [home / SCRIPTS / "backdoor-by-hand", "课 程", "--no-browser"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    folder, arguments = json.loads(started.stdout.splitlines()[-1])
    assert Path(folder) == (tmp_path / "课 程").resolve()
    assert arguments == [command.FIRST, "--no-browser"]
    assert sorted(path.name for path in Path(folder).iterdir() if path.name != command.RECORD) == NAMES
    for name in NAMES:
        assert (Path(folder) / name).read_bytes() == (ROOT / "notebooks" / name).read_bytes()
