"""The command `backdoor-by-hand`: put the lesson's notebooks into a folder of your own, and open the first in Lab."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NAME = "backdoor-by-hand"
FIRST = "01_backdoor_by_hand.ipynb"
RECORD = ".backdoor-by-hand.json"  # what each notebook was when it was copied, so that your changes are known

ABOUT = (
    "Copy the lesson's notebooks into a folder, and open the first one in JupyterLab. What is there is left as it is."
)
FOLDER_HELP = f"where the notebooks go (default: {NAME}, in the folder that you are in)"
LIST_HELP = "only tell of each notebook whether it is in the folder, and whether you have changed it"
UPDATE_HELP = "replace the notebooks that you have not changed, if the lesson has newer ones"
LANGUAGE_HELP = "the language of the notebooks (default: en)"
NO_LAB_HELP = "do not start JupyterLab"
EPILOG = "Other options go to JupyterLab, as in --no-browser."
STATES = {
    "missing": "not in the folder",
    "same": "as in the lesson",
    "older": "not changed by you; the lesson has a newer one, which --update brings",
    "yours": "changed by you",
    "yours, older": "changed by you, and kept; the lesson has a newer one: copy it into another folder",
}
COPIED, REPLACED, READY = "Copied {}.", "Replaced {} with the newer one.", "The notebooks are in {}."


def home() -> Path:
    """Return the folder of the lesson's notebooks; in a checkout as where it is installed it lies beside this file."""
    return Path(__file__).with_name("notebooks")


def languages() -> list[str]:
    """Return the languages of the lesson: the English notebooks have no folder of their own."""
    return ["en", *sorted(path.parent.name for path in home().glob(f"*/{FIRST}"))]


def lesson(language: str = "en") -> dict[str, Path]:
    """Return the lesson's notebooks in a language, and its glossary, by name."""
    folder = home() if language == "en" else home() / language
    return {path.name: path for path in sorted([*folder.glob("*.ipynb"), *folder.glob("*.md")])}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_record(folder: Path) -> dict[str, str]:
    """Return what was copied, by name; nothing if the record is gone or damaged: then all that differs is yours."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def state(source: Path, folder: Path, record: dict[str, str]) -> str:
    """Return how a notebook of the folder stands to the lesson's: a key of STATES."""
    own, copied = folder / source.name, record.get(source.name)
    if not os.path.lexists(own):
        return "missing"
    if not own.is_file():
        return "yours"
    if digest(own) == digest(source):
        return "same"
    if digest(own) == copied:
        return "older"
    return "yours, older" if copied and copied != digest(source) else "yours"


def copy(folder: Path, update: bool = False, language: str = "en") -> None:
    """Copy what is not there, and with `update` replace what is there and unchanged; all else stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    record = read_record(folder)
    for name, source in lesson(language).items():
        found = state(source, folder, record)
        if found == "missing" or (found == "older" and update):
            put(source, folder / name, replace=found == "older")
            print((REPLACED if found == "older" else COPIED).format(name))
        if found in ("missing", "same") or (found == "older" and update):
            record[name] = digest(source)
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(READY.format(folder.resolve()))


def put(source: Path, target: Path, replace: bool) -> None:
    """Write a whole notebook or nothing; without `replace` a file that is there is an error."""
    partial = target.with_name(f".{target.name}.part")
    partial.write_bytes(source.read_bytes())
    try:
        if replace:
            partial.replace(target)
        else:
            with target.open("xb") as stream:
                stream.write(partial.read_bytes())
    finally:
        partial.unlink(missing_ok=True)


def start_lab(folder: Path, options: Sequence[str]) -> int:
    """Become JupyterLab, in the folder and with its first notebook."""
    os.chdir(folder)
    command = [sys.executable, "-m", "jupyterlab", FIRST, *options]
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(sys.executable, command)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a folder may have any name
    parser = argparse.ArgumentParser(NAME, description=ABOUT, epilog=EPILOG)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(NAME), help=FOLDER_HELP)
    parser.add_argument("--list", action="store_true", help=LIST_HELP)
    parser.add_argument("--update", action="store_true", help=UPDATE_HELP)
    parser.add_argument("--language", choices=languages(), default="en", help=LANGUAGE_HELP)
    parser.add_argument("--no-lab", action="store_true", help=NO_LAB_HELP)
    asked, options = parser.parse_known_args(argv)
    if asked.list:
        record = read_record(asked.folder)
        for name, source in lesson(asked.language).items():
            print(f"{name}: {STATES[state(source, asked.folder, record)]}")
        return 0
    try:
        copy(asked.folder, asked.update, asked.language)
    except OSError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    return 0 if asked.no_lab else start_lab(asked.folder, options)


if __name__ == "__main__":
    sys.exit(main())
