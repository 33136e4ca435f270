"""What takes a backdoor out of a trained classifier, and what that costs."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(__name__, "class_vote")
