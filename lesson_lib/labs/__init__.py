"""The labs: pictures with controls, for notebooks. Everything with a widget lives here, and nothing imports it."""

from lesson_lib.labs.bias import BiasLab
from lesson_lib.labs.exercises import Exercises
from lesson_lib.labs.hand_calculation import HandCalculationLab
from lesson_lib.labs.naa import NAALab
from lesson_lib.labs.pruning import PruningLab
from lesson_lib.labs.trigger import TriggerLab

__all__ = ["BiasLab", "Exercises", "HandCalculationLab", "NAALab", "PruningLab", "TriggerLab"]
