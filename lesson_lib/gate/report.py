"""How the gate says what it found: as text, and as JSON."""

import json
from argparse import Namespace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from lesson_lib.gate import words
from lesson_lib.gate.files import FileError
from lesson_lib.gate.judging import CANNOT, FLAGGED, PASSED, Found
from lesson_lib.naa.judgement import RULES, TAKES_OVER
from lesson_lib.tables import Table, replace_file

SCHEMA = 1  # of the JSON; another number when a name changes its meaning or goes


def tool_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("backdoor-by-hand")
    except PackageNotFoundError:
        return "not installed"


def as_text(found: Found, asked: Namespace) -> str:
    """Return the outcome as a table of what was flagged, the largest first, and what it means; or the threshold."""
    cautions = [words.GATE_CAUTION.format(caution=caution) for caution in found["cautions"]]
    if asked.calibrate:
        return "\n".join([words.GATE_CALIBRATED.format(**found, file=asked.calibrate), *cautions])
    sizes = found["vote" if found["kind"] == "output" else "shift"]
    shown = sorted(found["flagged"], key=lambda i: -abs(sizes[i]))[: asked.top]
    which = words.GATE_TOP.format(top=len(shown)) if len(shown) < len(found["flagged"]) else ""
    said = found | {"kind": words.GATE_KINDS[found["kind"]], "which": which, "flagged": len(found["flagged"])}
    outcome = {PASSED: words.GATE_SILENT, FLAGGED: words.GATE_FLAGGED, CANNOT: words.GATE_CANNOT}[found["status"]]
    sets = words.GATE_SETS.format(**said | {"matched": words.GATE_MATCHED * found["matched"]})
    lines = [sets, str(Table(_table(found, shown), _rule(found))) if shown else _rule(found)]
    if "calibration" in found:
        lines.append(words.GATE_CALIBRATION.format(**found["calibration"]))
    named = [words.GATE_NAMED.format(**found)] if found["named"] is not None else []
    return "\n".join([*lines, *cautions, outcome.format(**said), *named])


def _rule(found: Found) -> str:
    """Return the rule, what it looks at, what its threshold means, and its source."""
    rule = RULES.get(found["rule"])
    meaning, source = (rule.threshold_is, rule.source) if rule else words.GATE_VOTE
    over = found["rule"] in TAKES_OVER and found["over"] != "signature"
    return (words.GATE_RULE_OVER if over else words.GATE_RULE).format(**found, meaning=meaning, source=source)


def _table(found: Found, shown: list[int]) -> list[list[str]]:
    names = ("vote", "anomaly_index") if found["kind"] == "output" else ("shift", "effect_size", "anomaly_index")
    rows = [list(words.GATE_COLUMNS[found["kind"]])]
    rows += [[str(i), *(f"{found[name][i]:+.4g}" for name in names)] for i in shown]
    if found.get("contribution") is not None:
        rows[0].append(words.GATE_OUTPUT)
        for row, i in zip(rows[1:], shown, strict=True):
            output = int(abs(found["contribution"][i]).argmax())
            row.append(words.GATE_MOVES.format(output=output, by=found["contribution"][i][output]))
    return rows


def as_json(found: Found) -> str:
    """Return one line of JSON, with its schema's version and the tool's, and null for what is not finite."""
    head = {"schema_version": SCHEMA, "tool": "naa-gate", "tool_version": tool_version()}
    text = json.dumps(head | found, default=np.ndarray.tolist)
    return json.dumps(json.loads(text, parse_constant=lambda _: None), allow_nan=False)


def write(path: str, found: Found) -> None:
    """Write JSON to a file, all of it or nothing; raises FileError if that fails."""
    try:
        replace_file(Path(path), as_json(found) + "\n")
    except (OSError, ValueError) as error:
        raise FileError(path, "unwritable", error=error) from error


def read_calibration(path: str) -> Found:
    """Return what `--calibrate` stored; raises FileError for anything else."""
    kinds: dict[str, Any] = {"rule": str, "over": str, "kind": str, "matched": bool, "low": float, "rate": float}
    kinds |= {"threshold": float, "n": int, "n_clean": int, "n_suspect": int, "draws": int}
    try:
        with Path(path).open("rb") as file:
            limit = json.loads(file.read(2**20))
        if limit["schema_version"] != SCHEMA or any(type(limit[name]) is not kind for name, kind in kinds.items()):
            raise ValueError
    except OSError as error:
        raise FileError(path, "unreadable", error=error) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileError(path, "no calibration") from error
    high = limit.get("high")
    return {name: limit[name] for name in kinds} | {"high": np.inf if high is None else float(high)}
