"""A gate for a pipeline: compare two files of activations, print what shifted, and answer by the exit status."""

import argparse
import json
import math
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from lesson_lib import words
from lesson_lib.naa import OVER, analyse
from lesson_lib.repair import class_vote
from lesson_lib.rules import RULES, check_rule
from lesson_lib.tables import Table

PASSED, FLAGGED, CANNOT = 0, 1, 2  # exit status
CLASS_VOTE = "class-vote"
BATCH = 2**22  # bytes of a .npz array that are read at a time
WHOLE = 2**32  # bytes that may be read at once, where rows alone will not do
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class FileError(ValueError):
    """A file that cannot be used; the message names it."""

    def __init__(self, file: str, problem: str, **what: Any) -> None:
        super().__init__(words.GATE_FILE.format(file=file, problem=words.GATE_PROBLEMS[problem].format(**what)))


@dataclass(frozen=True, eq=False)
class Stored:
    """An array of a .npz file, of which no more than the header has been read."""

    file: str
    name: str
    stream: IO[bytes]
    shape: tuple[int, ...]
    columns_first: bool
    dtype: np.dtype[Any]

    def whole(self) -> Any:
        """Return the array."""
        size = math.prod(self.shape) * self.dtype.itemsize
        if size > WHOLE:
            raise FileError(self.file, "large", name=self.name)
        return self._read(size).reshape(self.shape, order="F" if self.columns_first else "C")

    def batches(self) -> Iterator[Any]:
        """Yield a few rows at a time."""
        n, width = self.shape
        step = max(1, BATCH // (width * self.dtype.itemsize))
        for start in range(0, n, step):
            yield self._read(min(step, n - start) * width * self.dtype.itemsize).reshape(-1, width)

    def _read(self, size: int) -> Any:
        try:
            data = self.stream.read(size)
        except Exception as error:  # damaged data fail in many ways
            raise FileError(self.file, "unreadable", error=error) from error
        if len(data) != size:
            raise FileError(self.file, "cut", name=self.name)
        return np.frombuffer(data, self.dtype)


def open_arrays(path: str, files: ExitStack) -> dict[str, Any]:
    """Return what a file holds by name, never unpickled: Stored arrays of a .npz, or the memory map of a .npy as ""."""
    file = Path(path)
    if not file.is_file():
        raise FileError(path, "directory" if file.is_dir() else "not a file" if file.exists() else "missing")
    try:
        with file.open("rb") as stream:
            start = stream.read(6)
        if start == b"\x93NUMPY":
            return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
        if not start.startswith(b"PK"):
            raise FileError(path, "format")
        return _open_archive(path, files)
    except FileError:
        raise
    except Exception as error:  # a hostile file can fail in any way
        problem = "objects" if "Python objects" in str(error) else "unreadable"
        raise FileError(path, problem, error=str(error) or type(error).__name__) from error


def _open_archive(path: str, files: ExitStack) -> dict[str, Stored]:
    archive = files.enter_context(zipfile.ZipFile(path))
    found: dict[str, Stored] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in found:
            raise FileError(path, "twice", name=name)
        stream = files.enter_context(archive.open(info))
        read_header = HEADERS.get(npy.read_magic(stream))
        if read_header is None:
            raise FileError(path, "version", name=name)
        found[name] = Stored(path, name, stream, *read_header(stream))
        if found[name].dtype.hasobject:
            raise FileError(path, "objects")
        claimed, held = math.prod(found[name].shape) * found[name].dtype.itemsize, info.file_size - stream.tell()
        if claimed != held:
            raise FileError(path, "size", name=name, claimed=claimed, held=held)
    return found


def _pick(path: str, arrays: dict[str, Any], name: str) -> Any:
    """Return the array of that name, or else the only one."""
    others = [other for other in arrays if other not in ("labels", "outgoing")] if name not in arrays else [name]
    if len(others) != 1:
        raise FileError(path, "which", name=name, names=", ".join(map(repr, arrays)) or "nothing")
    return arrays[others[0]]


def _rows(array: Any) -> Any:
    """Return activations in a form that `analyse` takes, in batches where that saves memory."""
    if not isinstance(array, Stored):
        return array
    by_rows = len(array.shape) == 2 and 0 not in array.shape and not array.columns_first
    return array.batches() if by_rows and array.shape[1] * array.dtype.itemsize <= BATCH else array.whole()


def _extra(name: str, path: str | None, arrays: dict[str, Any], files: ExitStack) -> Any:
    """Return labels or outgoing weights, in memory: from a file of their own, or else from beside the activations."""
    found = _pick(path, open_arrays(path, files), name) if path else arrays.get(name)
    return found.whole() if isinstance(found, Stored) else found


def judge(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the outcome for the parsed arguments, as `--json` prints it but for values that are not finite."""
    paths = (asked.clean, asked.suspect)
    with ExitStack() as files:
        held = [open_arrays(path, files) for path in paths]
        sets = [_rows(_pick(path, arrays, "activations")) for path, arrays in zip(paths, held, strict=True)]
        labels = [_extra("labels", *pair, files) for pair in zip(asked.labels or (None, None), held, strict=True)]
        outgoing = _extra("outgoing", asked.outgoing, {**held[1], **held[0]}, files)
        unlabelled = [path for path, part in zip(paths, labels, strict=True) if part is None]
        if len(unlabelled) == 1:
            raise FileError(unlabelled[0], "one label set")
        compare = _compare_outputs if asked.rule == CLASS_VOTE else _compare_neurons
        found = compare(asked, sets[0], sets[1], None if unlabelled else (labels[0], labels[1]), outgoing)
    found["status"] = CANNOT if found["reason"] else FLAGGED if found["flagged"] else PASSED
    return {"clean_file": asked.clean, "suspect_file": asked.suspect, "matched": not unlabelled} | found


def _compare_neurons(asked: argparse.Namespace, clean: Any, suspect: Any, labels: Any, outgoing: Any) -> dict[str, Any]:
    rng = np.random.default_rng(asked.seed)
    options = {"over": asked.over, "outgoing": outgoing, "labels": labels, "n_permutations": asked.permutations}
    found = vars(analyse(clean, suspect, asked.rule, asked.threshold, rng=rng, **options))
    listed = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}
    return {"kind": "neuron", "n": len(found["shift"]), "over": asked.over} | listed


def _compare_outputs(asked: argparse.Namespace, clean: Any, suspect: Any, labels: Any, outgoing: Any) -> dict[str, Any]:
    threshold = check_rule("mad", asked.threshold)
    if labels is None or outgoing is None:
        raise ValueError(words.GATE_PROBLEMS["needs"])
    vote, index = class_vote(clean, suspect, outgoing, *labels)
    flat = not np.isfinite(index).all() or not index.any()
    reason = words.TOO_FEW_OUTPUTS if len(vote) < 3 else words.NO_OUTPUT_MAD if flat else ""
    flagged = [] if reason else np.flatnonzero(index > threshold).tolist()
    rows = {"n_clean": len(labels[0]), "n_suspect": len(labels[1]), "rule": asked.rule, "threshold": threshold}
    judged = {"reason": reason, "flagged": flagged, "vote": vote.tolist(), "index": index.tolist()}
    return {"kind": "output", "n": len(vote)} | rows | judged


def as_text(found: dict[str, Any], top: int) -> str:
    """Return the outcome as a table of what was flagged, the largest first, and what it means."""
    shown = sorted(found["flagged"], key=lambda i: -abs((found.get("vote") or found["shift"])[i]))[: max(top, 0)]
    which = words.GATE_TOP.format(top=len(shown)) if len(shown) < len(found["flagged"]) else ""
    said = found | {"kind": words.GATE_KINDS[found["kind"]], "which": which, "flagged": len(found["flagged"])}
    meaning, source = words.GATE_VOTE
    if found["kind"] == "neuron":
        meaning, source = RULES[found["rule"]].threshold_is, RULES[found["rule"]].source
    over = found["rule"] in ("raw", "sd", "mad") and found["over"] != "signature"
    rule = (words.GATE_RULE_OVER if over else words.GATE_RULE).format(**found, meaning=meaning, source=source)
    outcome = {PASSED: words.GATE_SILENT, FLAGGED: words.GATE_FLAGGED, CANNOT: words.GATE_CANNOT}[found["status"]]
    sets = words.GATE_SETS.format(**said | {"matched": words.GATE_MATCHED * found["matched"]})
    lines = [str(Table(_table(found, shown), rule))] if shown else [rule]
    return "\n".join([sets, *lines, outcome.format(**said)])


def _table(found: dict[str, Any], shown: list[int]) -> list[list[str]]:
    names = ("vote", "index") if found["kind"] == "output" else ("shift", "effect_size", "index")
    rows = [list(words.GATE_COLUMNS[found["kind"]])]
    rows += [[str(i), *(f"{found[name][i]:+.4g}" for name in names)] for i in shown]
    if found.get("contribution"):
        rows[0].append(words.GATE_OUTPUT)
        for row, i in zip(rows[1:], shown, strict=True):
            output, by = max(enumerate(found["contribution"][i]), key=lambda pair: abs(pair[1]))
            row.append(words.GATE_MOVES.format(output=output, by=by))
    return rows


def as_json(found: Any) -> str:
    """Return one line of JSON, with null for what is not finite."""

    def finite(value: Any) -> Any:
        if isinstance(value, list):
            return [finite(part) for part in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps({name: finite(value) for name, value in found.items()}, allow_nan=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the files that the arguments name, print the outcome, and return the exit status: 0, 1 or 2."""
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        found = judge(asked)
        print(as_json(found) if asked.json else as_text(found, asked.top), flush=True)
        return int(found["status"])
    except Exception as error:  # a traceback's exit status would mean "flagged"
        said = str(error) or type(error).__name__
        if not isinstance(error, FileError):
            said = words.GATE_FILE.format(file=f"{asked.clean}, {asked.suspect}", problem=said)
        said = " ".join(said.split())
        print(words.GATE_ERROR.format(error=said), file=sys.stderr)
        with suppress(OSError):
            print(as_json({"status": CANNOT, "reason": said}) + "\n" if asked.json else "", end="", flush=True)
        return CANNOT


def _parser() -> argparse.ArgumentParser:
    says = words.GATE
    parser = argparse.ArgumentParser("python -m lesson_lib.gate", description=says["about"], epilog=says["files"])
    parser.add_argument("clean", help=says["clean"])
    parser.add_argument("suspect", help=says["suspect"])
    parser.add_argument("--rule", choices=[*RULES, CLASS_VOTE], default="mad", help=says["rule"])
    defaults = ", ".join(f"{name} {rule.default:g}" for name, rule in RULES.items())
    parser.add_argument("--threshold", type=float, help=says["threshold"].format(defaults=defaults))
    parser.add_argument("--over", choices=OVER, default="signature", help=says["over"])
    parser.add_argument("--labels", nargs=2, metavar=("CLEAN", "SUSPECT"), help=says["labels"])
    parser.add_argument("--outgoing", metavar="FILE", help=says["outgoing"])
    for name, default in (("permutations", 1000), ("seed", 0), ("top", 20)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=says[name])
    parser.add_argument("--json", action="store_true", help=says["json"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
