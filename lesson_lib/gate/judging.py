"""What the gate reads, and what it makes of it: a judgement of two files, or a threshold from clean ones."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.gate import words
from lesson_lib.gate.files import Arrays, FileError, Stored, open_arrays, pick
from lesson_lib.naa.calibration import calibrate, strongest
from lesson_lib.naa.judgement import analyse, check_rule, class_vote

PASSED, FLAGGED, CANNOT = 0, 1, 2  # exit status
CLASS_VOTE = "class-vote"
SHOWN = "shift effect_size t p anomaly_index flagged rule threshold reason n_clean n_suspect contribution"  # in JSON
FITS = 0.01  # the share of the outputs' variance that the outgoing weights may leave unexplained
NEAR = 0.1  # how far a number of rows may be from the calibrated one
Progress = Callable[[int, int], None]
Found = dict[str, Any]


class Data(NamedTuple):
    """The arrays of the files, and where each comes from, by the name that an error calls it."""

    clean: Any
    suspect: Any
    labels: Any  # a pair, or None
    outgoing: Any
    outputs: Any  # of the clean rows, or None
    sources: dict[str, str]


def read(asked: argparse.Namespace, files: ExitStack) -> Data:
    """Read what the arguments name; raises FileError for what cannot be read."""
    paths = (asked.clean, asked.suspect)
    held = [open_arrays(path, files) for path in paths]
    sets = [pick(path, arrays, "activations", by_rows=True) for path, arrays in zip(paths, held, strict=True)]
    labels = [_extra("labels", *pair, files) for pair in zip(asked.labels or (None, None), held, strict=True)]
    outgoing = _extra("outgoing", asked.outgoing, {**held[1], **held[0]}, files)
    unlabelled = [path for path, part in zip(paths, labels, strict=True) if part is None]
    if len(unlabelled) == 1:
        raise FileError(unlabelled[0], "one label set")
    of_labels, both = asked.labels or paths, ", ".join(paths)
    weights = asked.outgoing or (asked.clean if "outgoing" in held[0] else asked.suspect)
    sources = {"suspect must have as many": both, "clean": asked.clean, "suspect": asked.suspect, "outgoing": weights}
    sources |= {"labels of clean": of_labels[0], "labels of suspect": of_labels[1], "labels": ", ".join(of_labels)}
    outputs = held[0]["outputs"]() if "outputs" in held[0] else None
    sources |= {"threshold": "--threshold", "reached": "--draws", "rate": "--rate"}
    return Data(sets[0], sets[1], None if unlabelled else tuple(labels), outgoing, outputs, sources)


def _extra(name: str, path: str | None, arrays: Arrays, files: ExitStack) -> Any:
    """Return labels or outgoing weights, in memory: from a file of their own, or else from beside the activations."""
    if path:
        return pick(path, open_arrays(path, files), name)
    return arrays[name]() if name in arrays else None


@contextmanager
def blaming(sources: dict[str, str]) -> Iterator[None]:
    """Say which file, or option, an error is about, by the name that it begins with."""
    try:
        yield
    except FileError:
        raise
    except ValueError as error:
        said = str(error)
        names = [name for name in sources if said.startswith(f"{name} ")]
        source = sources[max(names, key=len)] if names else f"{sources['clean']}, {sources['suspect']}"
        raise FileError(source, "said", said=said) from error


def decide(asked: argparse.Namespace, data: Data, progress: Progress | None = None) -> Found:
    """Return the outcome, as JSON has it but for arrays and values that are not finite."""
    with blaming(data.sources):
        cautions = [*_check_outgoing(data)]
        compare = _compare_outputs if asked.rule == CLASS_VOTE else _compare_neurons
        found = compare(asked, data, progress)
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
    reached = strongest(found, asked.over) if asked.calibrate else None
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


def _check_outgoing(data: Data) -> Iterator[str]:
    """Yield a caution if square weights may be transposed; raises ValueError if the clean outputs tell that they are.

    The outputs are the scores before softmax: activations times weights, plus a bias that is the same for all rows.
    """
    if data.outgoing is None or data.outgoing.ndim != 2:
        return
    is_square = data.outgoing.shape[0] == data.outgoing.shape[1]
    if data.outputs is None:
        if is_square:
            yield words.GATE_CAUTIONS["square"]
        return
    rows = np.asarray(next(iter(data.clean)) if isinstance(data.clean, Stored) else data.clean, dtype=np.float64)
    outputs = data.outputs[: len(rows)]
    if data.outputs.shape != (data.clean.shape[0], data.outgoing.shape[1]):
        raise ValueError(words.GATE_PROBLEMS["outputs"].format(shape=data.outputs.shape))
    if rows.shape[1] == len(data.outgoing) and not _fits(rows, data.outgoing, outputs):
        turned = is_square and _fits(rows, data.outgoing.T, outputs)
        raise ValueError(words.GATE_PROBLEMS["transposed" if turned else "other outputs"])


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
    with blaming(data.sources):
        if data.labels and np.shape(data.labels[1]) != (len(pool),):
            raise ValueError(f"labels of suspect must have shape ({len(pool)},); got {np.shape(data.labels[1])}")
        for done in range(asked.draws):
            rows = rng.choice(len(pool), n, replace=False)
            labels = data.labels and (data.labels[0], data.labels[1][rows])
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
