"""The exercises: questions as data, a file for each notebook; their numbers, computed; and the marking of an answer."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "catalogue": "question RATE unknown_set",
        "marking": "Question Feedback mark_answer parse_numbers",
    },
)
