"""Many runs at once: first `experiment`, along a slider with all its history, then `studies` of ten thousand."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(__name__)
