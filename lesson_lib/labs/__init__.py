"""The labs: pictures with controls, for notebooks. Nothing but notebooks imports them.

`shared` holds what all have; each lab is a folder: from controls to a state, from a state to words, and the widget.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(__name__)
