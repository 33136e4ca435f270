"""What the hand calculation lab says."""

PHASES = {"clean": "clean step", "trigger": "trigger step, after the clean one"}
NUMBERS = {"fractions": "fractions", "decimals": "decimals"}
PHASE, BIAS, NUMBER_STYLE = "Show the", "Biases trained", "Numbers as"
WALK = {"First": "First", "Back": "Back", "Next": "Next", "Last": "Last"}
EDIT_TITLE = "Change a number (1/3, 0.25), then press Enter."
FIELDS = {
    "W1": "W1",
    "b1": "b1",
    "W2": "W2",
    "b2": "b2",
    "rate": "rate",
    "clean_x": "clean x",
    "clean_y": "clean y",
    "trigger_x": "trigger x",
    "trigger_y": "trigger y",
}
LINE, LINE_COUNT = "Line", "Line {line} of {lines}"
END_REACHED = "That was the last line."
START_REACHED = "This is the first line."
FIELD_COUNT = "{name} must hold as many numbers as {partner} has, {expected}; got {given}."
RATE_ABOVE_0 = "rate must be a finite number above 0; got {given}"
LIMITS = {
    "W1": "W1 must hold 1 to {most} numbers, one a hidden neuron; got {given}.",
    "clean_x": "clean_x must hold 1 to {most} numbers, one a sample; got {given}.",
}
LAB_SUMMARY = "{phase}, line {line} of {lines}. {step.title}. {step.text}. {step.zero}"
PHASE_NAMES = {"clean": "Clean step", "trigger": "Trigger step"}
