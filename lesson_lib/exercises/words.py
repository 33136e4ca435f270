"""What an exercise says about an answer, and the words on its buttons."""

RIGHT = "✓ Right. {solution}"
RIGHT_AFTER = "✓ Right, after a look at the solution. {solution}"
RIGHT_LAST = "✓ Right, after every other choice was tried, so it is not counted as solved. {solution}"
ROUNDED = "Close, but rounded. Type all digits, or a fraction such as 27/8."
SWAPPED = "These are the right numbers in the other order."
SIGNS = "The sizes are right. Look at the signs."
WRONG = "✗ Not yet. Try once more, or take a hint."
SLIP = "✗ Not yet. {slip}"
EMPTY = "Type your answer first."
CHOOSE = "Choose an answer first."
COUNT = "This answer needs {expected}; you typed {given}. Put commas between them and a point in decimals."
ONE_NUMBER, NUMBERS, AT_MOST = "1 number", "{n} numbers", "at most {n} numbers"
NOT_A_NUMBER = "{what} is not a number. Write 2, -0.5 or 1/3."
TOO_LONG = "{what} has too many digits."
TOO_FAR = "{what} is too large, or too close to 0."
OVER_ZERO = "{what} divides by 0."
PRODUCT = "{what} could be a product. Write each number out, with commas between them."
COMMA = """\
This answer needs {expected}; with a number at each side of each comma you typed {given}. Is a comma meant as a point? \
Then write the point, as in 1.5."""
NO_NUMBERS = "Type at least one number."
ANSWER = "answer"
CHECK, CHECK_TIP = "Check", "Check the answer"
HINT, HINT_TIP = "Hint", "Show one more hint"
SOLUTION, SOLUTION_TIP = "Solution", "Show the solution"
UNANSWERED = "Not answered yet."
UNCHECKED = "Not checked yet."
NO_MORE_HINTS = "No more hints."
SOLUTION_IS = "Solution: {solution}"
PROGRESS = "{solved} of {asked} exercises solved."
AT_FIRST = "{first} at the first try."
LOST = "⚠ Nothing here answers any more: the kernel was restarted or has stopped. Run this cell again."

KEPT = "Your answers are kept in {path}"
NOT_KEPT = "Your answers are kept until the kernel stops."
CANNOT_KEEP = "⚠ They could not be kept in this file ({problem}), and will be gone when the kernel stops."
SET_ASIDE = "⚠ The file could not be read ({problem}); it was set aside as {name}, and a new one begun."
BUSY = "another notebook holds the file"
TOO_LARGE = "it is too large for a file of answers"
NO_JSON = "it is not JSON"
NO_ANSWERS = "it is not a file of answers of this version"
BAD_RECORD = "the entry {name!r} is damaged"
AGAIN, AGAIN_TIP = "Start over", "Forget the answers of this notebook"
SURE = "Forget your tries, hints and solutions of every exercise shown above? This cannot be undone."
YES, YES_TIP = "Forget them", "Forget them and begin anew"
NO, NO_TIP = "Keep them", "Leave everything as it is"

COLLECT = {
    "about": "Make a table of what is in the files of answers of a class, and a CSV file with every question.",
    "files": "files of answers, one a student",
    "csv": "the CSV file to write",
}
COLLECT_COLUMNS = ("file", "tried", "right", "right at first try", "hints", "solutions seen")
COLLECT_DETAILS = (
    *("file", "question", "tries", "right at first try", "right before the solution", "hints", "solution seen"),
    *("first answer", "last answer", "first at", "last at"),
)
COLLECT_CAPTION = "{count} files. Every question, with first and last answers: {csv}"
COLLECT_PROBLEM = "{file} is left out: {problem}"
YES_NO = ("no", "yes")
