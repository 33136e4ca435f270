"""What the gate reads, and what it makes of it: a judgement of two files, or a threshold from clean ones."""

import argparse
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Progress
from lesson_lib.gate import words
from lesson_lib.gate.files import FileError, Stored, open_arrays, pick
from lesson_lib.naa.calibration import calibrate
from lesson_lib.naa.judgement import analyse, check_rule, class_vote

PASSED, FLAGGED, CANNOT = 0, 1, 2  # exit status
CLASS_VOTE = "class-vote"
SHOWN = "shift effect_size t p anomaly_index flagged rule threshold reason n_clean n_suspect contribution"  # in JSON
FITS = 0.01  # the share of the outputs' variance that the outgoing weights may leave unexplained
NEAR = 0.1  # how far a number of rows may be from the calibrated one
Found = dict[str, Any]


class Data(NamedTuple):
    """The arrays of the files."""

    clean: Any
    suspect: Any
    labels: Any  # a pair, or None
    outgoing: Any
    outputs: Any  # of the clean rows, or None


def read(asked: argparse.Namespace, files: ExitStack) -> Data:
    """Read what the arguments name, and let them name where labels and outgoing weights are; raises FileError."""
    paths = asked.clean, asked.suspect
    held = {path: open_arrays(path, files) for path in paths}
    clean, suspect = (pick(path, held[path], "activations", by_rows=True) for path in paths)
    asked.labels = asked.labels or [path for path in paths if "labels" in held[path]]
    asked.outgoing = asked.outgoing or next((path for path in paths if "outgoing" in held[path]), None)
    labels = [pick(path, open_arrays(path, files), "labels") for path in asked.labels]
    outgoing = pick(asked.outgoing, open_arrays(asked.outgoing, files), "outgoing") if asked.outgoing else None
    if len(labels) == 1:
        raise FileError(next(path for path in paths if path not in asked.labels), "one label set")
    outputs = held[asked.clean]["outputs"]() if "outputs" in held[asked.clean] else None
    return Data(clean, suspect, labels or None, outgoing, outputs)


def decide(asked: argparse.Namespace, data: Data, progress: Progress | None = None) -> Found:
    """Return the outcome, as JSON has it but for arrays and values that are not finite."""
    cautions = _check_outgoing(data)
    found = (_compare_outputs if asked.rule == CLASS_VOTE else _compare_neurons)(asked, data, progress)
    if found["n_suspect"] == 1:
        cautions.append(words.GATE_CAUTIONS["one row"])
    found["status"] = CANNOT if found["reason"] else FLAGGED if len(found["flagged"]) else PASSED
    files = {"clean_file": asked.clean, "suspect_file": asked.suspect, "matched": data.labels is not None}
    return files | found | {"cautions": cautions}


def _compare_neurons(asked: argparse.Namespace, data: Data, progress: Progress | None) -> Found:
    options = {"over": asked.over, "outgoing": data.outgoing, "labels": data.labels, "progress": progress}
    rng = np.random.default_rng(asked.seed)
    found = analyse(
        data.clean, data.suspect, asked.rule, asked.threshold, rng=rng, n_permutations=asked.permutations, **options
    )
    values = {name: getattr(found, name) for name in SHOWN.split()}
    pushed = None if found.contribution is None else found.contribution[found.flagged].sum(axis=0)  # (n_out,)
    named = None if pushed is None or not len(found.flagged) else int(pushed.argmax())
    reached = float(found.reached.max()) if asked.calibrate else None
    return {"kind": "neuron", "n": len(found.shift), "over": asked.over, "named": named, "reached": reached} | values


def _compare_outputs(asked: argparse.Namespace, data: Data, _: Progress | None) -> Found:
    threshold = check_rule("mad", asked.threshold)
    if data.labels is None or data.outgoing is None:
        raise ValueError(words.GATE_PROBLEMS["needs"])
    vote, index = class_vote(data.clean, data.suspect, data.outgoing, *data.labels)
    flat = not np.isfinite(index).all() or not index.any()
    reason = words.TOO_FEW_OUTPUTS if len(vote) < 3 else words.NO_OUTPUT_MAD if flat else ""
    flagged = np.flatnonzero([] if reason else index > threshold)
    rows = {"n_clean": len(data.labels[0]), "n_suspect": len(data.labels[1]), "rule": asked.rule}
    named = int(index.argmax()) if len(flagged) else None
    judged = {"reason": reason, "flagged": flagged, "named": named, "vote": vote, "anomaly_index": index}
    reached = np.nan if reason else float(index.max())
    return {"kind": "output", "n": len(vote), "threshold": threshold, "reached": reached} | rows | judged


def _check_outgoing(data: Data) -> list[str]:
    """Return a caution if square weights may be transposed; raises ValueError if the clean outputs tell that they are.

    The outputs are the scores before softmax: activations times weights, plus a bias that is the same for all rows.
    """
    if data.outgoing is None or data.outgoing.ndim != 2:
        return []
    is_square = data.outgoing.shape[0] == data.outgoing.shape[1]
    if data.outputs is None:
        return [words.GATE_CAUTIONS["square"]] if is_square else []
    rows = np.asarray(next(iter(data.clean)) if isinstance(data.clean, Stored) else data.clean, dtype=np.float64)
    if data.outputs.shape != (data.clean.shape[0], data.outgoing.shape[1]):
        raise ValueError(words.GATE_PROBLEMS["outputs"].format(shape=data.outputs.shape))
    outputs = data.outputs[: len(rows)]
    if rows.shape[1] == len(data.outgoing) and not _fits(rows, data.outgoing, outputs):
        turned = is_square and _fits(rows, data.outgoing.T, outputs)
        raise ValueError(words.GATE_PROBLEMS["transposed" if turned else "other outputs"])
    return []


def _fits(rows: Any, outgoing: Any, outputs: Any) -> bool:
    return bool(np.var(outputs - rows @ outgoing, axis=0).sum() <= FITS * np.var(outputs, axis=0).sum())


# A threshold from clean data -----------------------------------------------------------------------------------------


def find_threshold(asked: argparse.Namespace, data: Data, progress: Progress | None = None) -> Found:
    """Return the threshold that clean sets, drawn from the second file, exceed at the rate asked for.

    With it come the numbers of rows for which it holds. Raises FileError for too few rows, and where the rule cannot
    judge.
    """
    pool = data.suspect if isinstance(data.suspect, np.ndarray) else np.concatenate([*data.suspect])
    n, rng, reached = asked.rows or len(pool) // 2, np.random.default_rng(asked.seed), []
    if not 0 < n < len(pool):
        raise FileError(asked.suspect, "rows", rows=n, held=len(pool))
    if data.labels and np.shape(data.labels[1]) != (len(pool),):
        raise ValueError(f"labels of suspect must have shape ({len(pool)},); got {np.shape(data.labels[1])}")
    for done in range(asked.draws):
        rows = rng.choice(len(pool), n, replace=False)
        labels = data.labels and [data.labels[0], data.labels[1][rows]]
        found = decide(asked, data._replace(suspect=pool[rows], labels=labels))
        reached.append(found["reached"])
        if found["reason"]:
            raise ValueError(words.GATE_CANNOT.format(**found))
        if progress is not None:
            progress(done + 1, asked.draws)
    limit = calibrate(reached, asked.rate)
    kept = {name: found[name] for name in ("rule", "kind", "n", "matched", "n_clean", "n_suspect", "clean_file")}
    kept |= {"over": asked.over, "benign_file": asked.suspect, "draws": asked.draws}
    return kept | limit._asdict() | {"status": PASSED, "cautions": found["cautions"]}


def hold(found: Found, limit: Found, file: str) -> Found:
    """Return the outcome as it counts by a threshold that was calibrated for so many rows: with others it may not."""
    for name in ("kind", "n", "matched"):
        if found[name] != limit[name]:
            raise FileError(file, "calibrated", name=name, was=limit[name], now=found[name])
    sizes = [(found[name], limit[name]) for name in ("n_clean", "n_suspect")]
    said = words.GATE_SIZES.format(now=[now for now, _ in sizes], was=[was for _, was in sizes])
    if any(abs(now - was) > NEAR * was for now, was in sizes):
        return found | {"reason": said, "flagged": [], "named": None, "status": CANNOT, "calibration": limit}
    cautions = [*found["cautions"], *([said] if any(now != was for now, was in sizes) else [])]
    return found | {"cautions": cautions, "calibration": limit}
