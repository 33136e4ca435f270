"""What the worksheets, their key and their command say."""

ABOUT = "Print a worksheet for each student, every one with numbers of its own, and the key with every line."
HELP = {
    "students": "how many sheets; as many as there are names, if names are given, and 30 otherwise",
    "seed": "which numbers; the same seed gives the same sheets again",
    "output": "the folder that the files are written into",
    "names": "a text file with a student's name on each line",
}
MADE = """\
{count} worksheets: {sheets}
their key: {key}
the list of their numbers: {numbers}
Open the first two in a browser and print them, on A4 or Letter. Where Chromium is installed, this makes one PDF:
  chromium --headless --no-pdf-header-footer --print-to-pdf={pdf} {sheets}"""
PROBLEM = "worksheets: {problem}"
NO_SHEETS = "students must be from 1 to {most}; got {given}"
TOO_FEW = "students must be at least as many as the names, {names}; got {given}"
NO_NAMES = "names must be a file with a name on each line; {file} has none"
UNCERTIFIED = "sheet {number} is not certified: {verdict}"

TITLE = "One step by hand"
KEY_TITLE = "Key: one step by hand"
NAME, DATE = "Name", "Date"
NUMBER = "Sheet {number} of seed {seed}"
GIVEN = (
    "This course takes relu'(0) = 0. In brackets a semicolon starts a new row; ᵀ turns rows into columns; "
    "⊙ multiplies entry by entry. Write fractions, not decimals."
)
NET, DATA = "Your network", "Your samples"
CLEAN_SAMPLE = "x = {x}, y = {y}"
TRIGGER_SAMPLE = "trigger x = {x}, y = {y}"
FORWARD = "1. Forward and backward, one sample at a time"
TOGETHER = "2. Loss, sums over both samples, and one step with rate {rate} on W1 and W2"
TRIGGER = "3. The trigger, after that step: x = {x}, y = {y}, with the new W1 and W2"
LOCKS = "4. The locks at the trigger: is each gradient open, or locked, and by which factors?"
QUANTITY, LOCK = "line", "gradient"
OPEN, SHUT, FACTORS = "open", "locked", "because"
IS_OPEN = "{name}: open, {value}"
IS_SHUT = "{name}: locked, because {reason}"
CHECK = "To check your sheet, run this in a cell of notebook 01. The list on top leads to the trigger."
LOAD = 'lab = HandCalculationLab(); lab.load("{preset}"); lab'
CERTIFIED = "{what}: {verdict}"
CLEAN_STEP, TRIGGER_STEP = "Clean step", "Trigger"
COLUMNS = ("sheet", "name", "seed")
