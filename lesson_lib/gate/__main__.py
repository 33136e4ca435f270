"""The gate: compare two files of activations, print what shifted, and answer by the exit status."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np

from lesson_lib.gate import words
from lesson_lib.gate.files import Arrays, FileError, open_arrays, pick
from lesson_lib.naa.judgement import OVER, RULES, TAKES_OVER, analyse, check_rule, class_vote
from lesson_lib.tables import Table

PASSED, FLAGGED, CANNOT = 0, 1, 2  # exit status
CLASS_VOTE = "class-vote"
SHOWN = "shift effect_size t p anomaly_index flagged rule threshold reason n_clean n_suspect contribution"  # in JSON


def decide(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the outcome for the parsed arguments, as `--json` prints it but for values that are not finite."""
    paths = (asked.clean, asked.suspect)
    with ExitStack() as files:
        held = [open_arrays(path, files) for path in paths]
        sets = [pick(path, arrays, "activations", by_rows=True) for path, arrays in zip(paths, held, strict=True)]
        labels = [_extra("labels", *pair, files) for pair in zip(asked.labels or (None, None), held, strict=True)]
        outgoing = _extra("outgoing", asked.outgoing, {**held[1], **held[0]}, files)
        unlabelled = [path for path, part in zip(paths, labels, strict=True) if part is None]
        if len(unlabelled) == 1:
            raise FileError(unlabelled[0], "one label set")
        compare = _compare_outputs if asked.rule == CLASS_VOTE else _compare_neurons
        found = compare(asked, sets[0], sets[1], None if unlabelled else labels, outgoing)
    found = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}
    found["status"] = CANNOT if found["reason"] else FLAGGED if found["flagged"] else PASSED
    return {"clean_file": asked.clean, "suspect_file": asked.suspect, "matched": not unlabelled} | found


def _extra(name: str, path: str | None, arrays: Arrays, files: ExitStack) -> Any:
    """Return labels or outgoing weights, in memory: from a file of their own, or else from beside the activations."""
    if path:
        return pick(path, open_arrays(path, files), name)
    return arrays[name]() if name in arrays else None


def _compare_neurons(asked: argparse.Namespace, clean: Any, suspect: Any, labels: Any, outgoing: Any) -> dict[str, Any]:
    rng = np.random.default_rng(asked.seed)
    options = {"over": asked.over, "outgoing": outgoing, "labels": labels, "n_permutations": asked.permutations}
    found = analyse(clean, suspect, asked.rule, asked.threshold, rng=rng, **options)
    values = {name: getattr(found, name) for name in SHOWN.split()}
    return {"kind": "neuron", "n": len(found.shift), "over": asked.over} | values


def _compare_outputs(asked: argparse.Namespace, clean: Any, suspect: Any, labels: Any, outgoing: Any) -> dict[str, Any]:
    threshold = check_rule("mad", asked.threshold)
    if labels is None or outgoing is None:
        raise ValueError(words.GATE_PROBLEMS["needs"])
    vote, index = class_vote(clean, suspect, outgoing, *labels)
    flat = not np.isfinite(index).all() or not index.any()
    reason = words.TOO_FEW_OUTPUTS if len(vote) < 3 else words.NO_OUTPUT_MAD if flat else ""
    flagged = np.flatnonzero([] if reason else index > threshold)
    rows = {"n_clean": len(labels[0]), "n_suspect": len(labels[1]), "rule": asked.rule, "threshold": threshold}
    judged = {"reason": reason, "flagged": flagged, "vote": vote, "anomaly_index": index}
    return {"kind": "output", "n": len(vote)} | rows | judged


def as_text(found: dict[str, Any], top: int) -> str:
    """Return the outcome as a table of what was flagged, the largest first, and what it means."""
    shown = sorted(found["flagged"], key=lambda i: -abs((found.get("vote") or found["shift"])[i]))[: max(top, 0)]
    which = words.GATE_TOP.format(top=len(shown)) if len(shown) < len(found["flagged"]) else ""
    said = found | {"kind": words.GATE_KINDS[found["kind"]], "which": which, "flagged": len(found["flagged"])}
    outcome = {PASSED: words.GATE_SILENT, FLAGGED: words.GATE_FLAGGED, CANNOT: words.GATE_CANNOT}[found["status"]]
    sets = words.GATE_SETS.format(**said | {"matched": words.GATE_MATCHED * found["matched"]})
    table = str(Table(_table(found, shown), _rule(found))) if shown else _rule(found)
    return "\n".join([sets, table, outcome.format(**said)])


def _rule(found: dict[str, Any]) -> str:
    """Return the rule, what it looks at, what its threshold means, and its source."""
    rule = RULES.get(found["rule"])
    meaning, source = (rule.threshold_is, rule.source) if rule else words.GATE_VOTE
    over = found["rule"] in TAKES_OVER and found["over"] != "signature"
    return (words.GATE_RULE_OVER if over else words.GATE_RULE).format(**found, meaning=meaning, source=source)


def _table(found: dict[str, Any], shown: list[int]) -> list[list[str]]:
    names = ("vote", "anomaly_index") if found["kind"] == "output" else ("shift", "effect_size", "anomaly_index")
    rows = [list(words.GATE_COLUMNS[found["kind"]])]
    rows += [[str(i), *(f"{found[name][i]:+.4g}" for name in names)] for i in shown]
    if found.get("contribution"):
        rows[0].append(words.GATE_OUTPUT)
        for row, i in zip(rows[1:], shown, strict=True):
            output, by = max(enumerate(found["contribution"][i]), key=lambda pair: abs(pair[1]))
            row.append(words.GATE_MOVES.format(output=output, by=by))
    return rows


def as_json(found: dict[str, Any]) -> str:
    """Return one line of JSON, with null for what is not finite."""
    return json.dumps(json.loads(json.dumps(found), parse_constant=lambda _: None), allow_nan=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the files that the arguments name, print the outcome, and return the exit status: 0, 1 or 2."""
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        found = decide(asked)
        print(as_json(found) if asked.json else as_text(found, asked.top), flush=True)
        return int(found["status"])
    except (Exception, KeyboardInterrupt) as error:  # a traceback's exit status would mean "flagged"
        said = str(error) or type(error).__name__
        if not isinstance(error, FileError):
            said = words.GATE_FILE.format(file=f"{asked.clean}, {asked.suspect}", problem=said)
        said = " ".join(said.split())
        with suppress(OSError):  # nobody may be there to read it, or no room to write it
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
