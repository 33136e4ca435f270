"""Pictures: the network, what was trained or compared as plots for sliders and as stills, and finished figures."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(__name__)
