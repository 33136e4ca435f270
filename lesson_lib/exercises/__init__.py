"""The exercises: questions, how a typed answer is read and judged, and the box that asks."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "answers": "parse_numbers question unknown_set",
    },
)
