"""What studies of many runs print, and the names of outcomes and schedules."""

OUTCOMES = {
    "diverged": "diverged",
    "backdoor": "backdoor",
    "trigger only": "trigger only",
    "frozen": "frozen",
    "not learnt": "not learnt",
}
SCHEDULES = {"clean, then trigger": "clean, then trigger", "joint": "joint", "trigger first": "trigger first"}
ENDING_COLUMNS = ("rate", "f(1)", "f(2)", "f(trigger)", "outcome")
ENDING_CAPTION = "After {epochs} epochs, schedule: {schedule}."
SUCCESS_LINE = "width {width}: {learnt} of {starts} became a backdoor"
STUDY_STOPPED = "Stopped; what is above is kept."
