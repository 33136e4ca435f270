"""What the NAA lab has found, in words: the verdict, the numbers beside it, and the picture's text twin."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from lesson_lib.labs.naa import words
from lesson_lib.labs.naa.compute import SIMULATION, Finding
from lesson_lib.naa.rules import EFFECT_FLOOR, RULES, TAKES_OVER
from lesson_lib.tables import signed


def verdict(state: Finding) -> str:
    """Return what the rule says, what that means, and what is true."""
    found = state.signature
    if found.reason:
        said, caveat = words.NAA_CANNOT.format(reason=found.reason), words.NAA_CAVEATS["cannot"]
    elif len(found.flagged):
        counts = {"flagged": len(found.flagged), "n": len(state.bars)}
        said = words.NAA_ALARM.format(rule=found.rule, which=named(state, found.flagged), **counts)
        caveat = words.NAA_CAVEATS["alarm"]
    else:
        said = words.NAA_SILENT.format(rule=found.rule, n=len(state.bars))
        caveat = words.NAA_CAVEATS["silent"]
    return " ".join(filter(None, [said, too_small(state), caveat, truth(state)]))


def too_small(state: Finding) -> str:
    """Return how many neurons pass the test of the rule bh and are too small to be flagged."""
    if state.quantity != "p":
        return ""
    passed = int((abs(state.bars) >= state.lines[0]).sum()) - len(state.signature.flagged)
    return words.NAA_TOO_SMALL.format(passed=passed, floor=EFFECT_FLOOR) if passed else ""


def truth(state: Finding) -> str:
    """Return which neurons are backdoored and how many of them the rule has found."""
    flagged, guilty = set(state.signature.flagged.tolist()), set(state.truth)
    counts = {"hits": len(flagged & guilty), "missed": len(guilty - flagged), "wrong": len(flagged - guilty)}
    if not guilty:
        return words.NAA_NO_TRUTH.format(**counts)
    are = words.NAA_IS if len(guilty) == 1 else words.NAA_ARE
    return words.NAA_TRUTH.format(which=are.format(which=named(state, state.truth)), **counts)


def named(state: Finding, neurons: Sequence[int] | NDArray[np.intp]) -> str:
    """Return "neurons 10 to 19": runs joined, a long list cut; the toy's are counted from 1, as in its lessons."""
    numbers = np.asarray(neurons, dtype=int) + (0 if state.settings.source == SIMULATION else 1)
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    long = words.NAA_RUN
    texts = [long.format(first=run[0], last=run[-1]) if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    text = ", ".join(texts[:6] + [words.NAA_MORE] * (len(texts) > 6))
    return (words.NAA_ONE if len(numbers) == 1 else words.NAA_SOME).format(which=text)


def facts(state: Finding) -> tuple[str, ...]:
    """Return the flagged count, precision, recall and AUC as text."""
    shown = (words.NAA_NONE if np.isnan(value) else f"{value:.3f}" for value in state.score)
    return (str(len(state.signature.flagged)), *shown)


def facts_html(state: Finding) -> str:
    """Return the verdict as text that a screen reader announces, with the numbers beneath as a table."""
    cell = 'style="text-align: left; padding: 2px 28px 2px 0"'
    heads = "".join(f'<th scope="col" {cell}>{escape(name)}</th>' for name in words.NAA_COLUMNS)
    cells = "".join(f"<td {cell}>{escape(text)}</td>" for text in facts(state))
    return (
        '<div role="status" aria-live="polite" style="line-height: 1.5; min-height: 4.5em">'
        f"{escape(verdict(state))}</div>"
        f'<table style="border-collapse: collapse"><tr>{heads}</tr><tr>{cells}</tr></table>'
    )


def describe(state: Finding) -> str:
    """Return the picture's text twin: what is compared, the rule, the verdict and the numbers."""
    numbers = ", ".join(f"{name} {text}" for name, text in zip(words.NAA_COLUMNS, facts(state), strict=True))
    return "\n".join((compared(state), ruled(state), verdict(state), f"{numbers}. {sizes(state)}"))


def compared(state: Finding) -> str:
    """Return which two sets of activations are compared."""
    settings = state.settings
    if settings.source != SIMULATION:
        return words.NAA_TOY.format(source=settings.source)
    return words.NAA_SIMULATED.format(
        rows=settings.rows,
        triggered=f"{round(settings.triggered * settings.rows)}",
        which=named(state, state.truth) if state.truth else words.NAA_NO_NEURON,
        rise=f"{settings.rise:g}",
        seed=settings.seed,
    )


def ruled(state: Finding) -> str:
    """Return the rule, what it looks at, and what its threshold means."""
    rule = state.settings.rule
    over = {value: name for name, value in words.NAA_OVER}[state.settings.over]
    return words.NAA_SETTING.format(
        rule=rule,
        over=words.NAA_OVER_WHAT.format(over=over) if rule in TAKES_OVER else "",
        threshold=f"{state.settings.threshold:g}",
        meaning=RULES[rule].threshold_is,
    )


def sizes(state: Finding) -> str:
    """Return the toy's shifts, or how far the innocent neurons of the simulation go."""
    found = state.signature
    if found.contribution is None:
        others = np.delete(found.signature, list(state.truth))
        return words.NAA_OTHERS.format(largest=f"{others.max():.3f}")
    pairs = enumerate(zip(found.shift, found.contribution[:, 0], strict=True), 1)
    return " ".join(
        words.NAA_TOY_FACT.format(number=i, shift=signed(shift, 3), contribution=signed(moved, 3))
        for i, (shift, moved) in pairs
    )
