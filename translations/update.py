"""Bring the catalogues of every language up to date with the English texts: `python translations/update.py`.

A new text comes in without a translation. One whose English has changed keeps its old translation, marked as fuzzy: it
is not shown until somebody has mended it and taken the mark off. What is gone is dropped.
"""

import argparse
import re
import sys
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po
from units import ROOT, Unit, catalogues, has_words

FOLDER = ROOT / "translations"
HEADER = "# Texts of Backdoor by Hand."
LEAST = 0.95  # the share of texts that a language must have


def languages() -> list[Path]:
    """Return the folders of the languages."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))


def template(units: list[Unit]) -> Catalog:
    """Return a catalogue of untranslated units."""
    made = Catalog()
    for unit in units:
        made.add(unit.text, context=unit.context)
    return made


def read(path: Path) -> Catalog:
    """Return a language's catalogue; an empty one if there is no file yet."""
    if not path.exists():
        return Catalog(locale=path.parent.name, header_comment=HEADER, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.name, ignore_obsolete=True)


def updated(catalogue: Catalog, units: list[Unit]) -> Catalog:
    """Return a catalogue that has exactly these units, with what is translated of them."""
    catalogue.update(template(units), update_creation_date=False)
    catalogue.obsolete.clear()
    for message in catalogue:
        if message.id and not message.string and not has_words(message.id):
            message.string = message.id  # a formula, the same in every language
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """Return the bytes of a catalogue's file, without dates and names, so that only a text changes them."""
    file = BytesIO()
    write_po(file, catalogue, width=0, ignore_obsolete=True)
    of_no_use = rb'"(?!Language:|Plural-Forms|MIME-Version|Content-)[A-Z][A-Za-z-]+: .*\n?'
    head, end, texts = file.getvalue().partition(b"\n\n")
    return re.sub(of_no_use, b"", head) + end + texts


def share(catalogue: Catalog) -> tuple[int, int, int]:
    """Return how many units are translated, how many are stale, and how many there are."""
    messages = [message for message in catalogue if message.id]
    stale = sum(message.fuzzy for message in messages)
    return sum(bool(message.string) and not message.fuzzy for message in messages), stale, len(messages)


def main() -> int:
    """Write the catalogues, or with --check only tell whether they are up to date; say what share is translated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if there is anything to do")
    check, problems = parser.parse_args().check, []
    english = catalogues()
    for folder in languages():
        counts = []
        for name, units in english.items():
            path = folder / f"{name}.po"
            made = updated(read(path), units)
            counts.append(share(made))
            text = written(made)
            if check and text != (path.read_bytes() if path.exists() else b""):
                problems.append(f"{path.relative_to(ROOT)} is not up to date: run python translations/update.py")
            elif not check:
                path.write_bytes(text)
        done, stale, whole = map(sum, zip(*counts, strict=True))
        print(f"{folder.name}: {done} of {whole} texts translated ({done / whole:.1%}), {stale} stale")
        if done < LEAST * whole:
            problems.append(f"{folder.name}: less than {LEAST:.0%} is translated")
    print(*problems, sep="\n", file=sys.stderr, end="\n" if problems else "")
    return len(problems) > 0


if __name__ == "__main__":
    sys.exit(main())
