"""The gate's command line: its arguments, where its answers go, and its exit status."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from lesson_lib.gate import words
from lesson_lib.gate.files import FileError
from lesson_lib.gate.judging import CANNOT, CLASS_VOTE, Found, decide, find_threshold, hold, read
from lesson_lib.gate.report import as_json, as_text, read_calibration, tool_version, write
from lesson_lib.naa.judgement import DEFAULT, OVER, RULES, TAKES_OVER

SECONDS = 2.0  # of silence, before and between two lines of progress


def run(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit status: 0, 1 or 2."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # not every stream can
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # for a name in other letters
    try:
        asked = _arguments(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0) and CANNOT
    try:
        found = _found(asked)
        if asked.output:
            write(asked.output, found)
        if not asked.quiet:
            print(as_json(found) if asked.json else as_text(found, asked), flush=True)
        return int(found["status"])
    except (Exception, KeyboardInterrupt) as error:
        said = str(error) or type(error).__name__
        problem = error if isinstance(error, FileError) else FileError(_source(asked, said), "said", said=said)
        _complain(asked, " ".join(str(problem).split()))
        return CANNOT


def _found(asked: argparse.Namespace) -> Found:
    limit = read_calibration(asked.calibration) if asked.calibration else None
    if limit:
        asked.rule, asked.over, asked.threshold = (limit[name] for name in ("rule", "over", "threshold"))
    progress = None if asked.quiet else _progress()
    with ExitStack() as files:
        found = (find_threshold if asked.calibrate else decide)(asked, read(asked, files), progress)
    if asked.calibrate:
        write(asked.calibrate, found)
    return hold(found, limit, asked.calibration) if limit else found


def _source(asked: argparse.Namespace, said: str) -> str:
    """Return the files, or the option, that an error is about, by the name that it begins with."""
    both = f"{asked.clean}, {asked.suspect}"
    labels = asked.labels or [asked.clean, asked.suspect]
    sources = {"suspect must have as many": both, "labels of clean": labels[0], "labels of suspect": labels[-1]}
    sources |= {"labels": ", ".join(labels), "clean": asked.clean, "suspect": asked.suspect, "outgoing": asked.outgoing}
    sources |= {"threshold": "--threshold", "reached": "--draws", "rate": "--rate"}
    return next((source for name, source in sources.items() if said.startswith(f"{name} ")), both)


def _complain(asked: argparse.Namespace, said: str) -> None:
    """Tell what went wrong, also where an answer was expected; nobody may be there to read it, or no room for it."""
    with suppress(OSError):
        print(words.GATE_ERROR.format(error=said), file=sys.stderr)
    failed = {"status": CANNOT, "reason": said}
    with suppress(OSError):
        print(as_json(failed) + "\n" if asked.json else "", end="", flush=True)
    if asked.output:
        with suppress(FileError):
            write(asked.output, failed)  # so that no older answer is taken for this one


def _progress() -> Callable[[int, int], None]:
    """Return a function that tells on the error stream how far a long calculation is, now and then."""
    last = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS:
            last = time.monotonic()
            with suppress(OSError):
                print(words.GATE_PROGRESS.format(percent=100 * done // of), file=sys.stderr, flush=True)

    return tell


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments; exits with status 2 for those that do not fit together."""
    parser = _parser()
    asked = parser.parse_args(argv)
    if asked.over and asked.rule and asked.rule not in TAKES_OVER:
        parser.error(words.GATE_USAGE["over"].format(rule=asked.rule))
    if asked.calibration and (asked.rule or asked.over):
        parser.error(words.GATE_USAGE["calibration"])
    if asked.calibrate and asked.rule not in (*TAKES_OVER, "effect", CLASS_VOTE):
        parser.error(words.GATE_USAGE["calibrate"])
    asked.rule, asked.over = asked.rule or DEFAULT, asked.over or "signature"
    for option in ("output", "calibrate"):
        path = getattr(asked, option)
        inputs = [asked.clean, asked.suspect, asked.outgoing, *(asked.labels or []), asked.calibration]
        if path and Path(path).absolute() in [Path(other).absolute() for other in inputs if other]:
            parser.error(words.GATE_USAGE["overwrite"].format(option=option, path=path))
    return asked


def _whole(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(words.GATE_USAGE["whole"].format(least=least, text=text))
        return int(text)

    return whole_number


def _parser() -> argparse.ArgumentParser:
    says: dict[str, Any] = words.GATE
    parser = argparse.ArgumentParser("naa-gate", description=says["about"], epilog=says["files"])
    parser.add_argument("clean", help=says["clean"])
    parser.add_argument("suspect", help=says["suspect"])
    parser.add_argument("--rule", choices=[*RULES, CLASS_VOTE], help=says["rule"])
    defaults = ", ".join(f"{name} {rule.default:g}" for name, rule in RULES.items())
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--threshold", type=float, metavar="X", help=says["threshold"].format(defaults=defaults))
    limits.add_argument("--calibration", metavar="FILE", help=says["calibration"])
    limits.add_argument("--calibrate", metavar="FILE", help=says["calibrate"])
    parser.add_argument("--over", choices=OVER, help=says["over"])
    parser.add_argument("--labels", nargs=2, metavar=("CLEAN", "SUSPECT"), help=says["labels"])
    parser.add_argument("--outgoing", metavar="FILE", help=says["outgoing"])
    numbers = (("permutations", 1000, 1), ("seed", 0, 0), ("top", 20, 0), ("rows", None, 1), ("draws", 200, 1))
    for name, default, least in numbers:
        parser.add_argument(f"--{name}", type=_whole(least), default=default, metavar="N", help=says[name])
    parser.add_argument("--rate", type=float, default=0.05, metavar="X", help=says["rate"])
    parser.add_argument("--output", metavar="FILE", help=says["output"])
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help=says["json"])
    printed.add_argument("--quiet", action="store_true", help=says["quiet"])
    parser.add_argument("--version", action="version", version=f"naa-gate {tool_version()}")
    return parser
