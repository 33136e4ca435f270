"""What all labs say."""

NEEDS_KERNEL = "This is a still picture. Run the cell to work with it."
ERROR_SIGN = "⚠"
BIASES = {"none": "none", "b1": "b1", "b2": "b2", "both": "b1 and b2"}
PLAY, PAUSE, RESET = "Play", "Pause", "Reset"
TIPS = {
    "First": "Go to the first line",
    "Back": "Go back one line",
    "Next": "Go on to the next line",
    "Last": "Go to the last line",
    "Play": "Go on by itself, a line every two seconds",
    "Reset": "Put every number back to the article's",
}
INTERRUPTED = "Interrupted: what you see may be from before the last move. Move a control to go on."
FIELD_ERROR = "{name}: {problem}"
FIELD_ONE = "{name} must be one number; got {given}."
HELP = "Keys and touch"
KEYS = (
    "Tab to a control, arrows on a slider, Enter opens a list. In the picture, what the pointer lights up can be "
    "dragged or clicked; Tab reaches it too, and arrows move it."
)
OUTSIDE, NOT_WHOLE = "must be from {low:g} to {high:g}; got {given:g}", "must be a whole number; got {given:g}"
REFUSED = "{problem}. {kept} is kept."
AS_LEFT = "As you left it. Reset begins anew."
GONE = "This picture has lost its kernel: run the cell again."
YES, NO = "yes ✓", "no ✗"
SPAN = "from {low:g} to {high:g}"
