"""Neuron activation analysis as a step of a pipeline: `python -m lesson_lib.gate clean.npz suspect.npz`."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(__name__)
