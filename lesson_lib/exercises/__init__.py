"""The exercises: questions as data, a file for each notebook; their numbers, computed; and the marking of an answer."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "typed_numbers": "parse_numbers",
        "computed": "RATE",
        "open_questions": "unknown_set",
        "catalogue": "Question question",
        "marking": "Feedback mark_answer",
    },
)
