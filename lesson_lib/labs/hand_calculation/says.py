"""One line of the hand calculation as a formula and in words."""

from lesson_lib.derivation.step import Step
from lesson_lib.labs.hand_calculation import words
from lesson_lib.labs.hand_calculation.compute import State


def formula(step: Step) -> str:
    """Return the line as LaTeX, each side of the equation on a row of its own."""
    first, *others = step.sides
    rows = [f"{step.lhs} &{first[0]} {first[1]}", *(f"&{relation} {side}" for relation, side in others)]
    return r"\begin{aligned} " + r" \\[6pt] ".join(rows) + r" \end{aligned}"


def describe(state: State, line: int) -> str:
    """Return the line (1 is the first) in words and numbers: the picture's text twin."""
    step = state.derivation.steps[line - 1]
    return words.LAB_SUMMARY.format(
        phase=words.PHASE_NAMES[state.phase],
        line=line,
        lines=len(state.derivation.steps),
        title=step.title,
        text=step.text,
        zero=step.zero,
    ).strip()
