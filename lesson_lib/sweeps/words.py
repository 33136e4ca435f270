"""What studies of many runs print."""

ENDING_COLUMNS = ("rate", "f(1)", "f(2)", "f(trigger)", "outcome")
ENDING_CAPTION = "After {epochs} epochs, schedule: {schedule}."
SUCCESS_LINE = "width {width}: {learnt} of {starts} became a backdoor"
STUDY_STOPPED = "Stopped; what is above is kept."
