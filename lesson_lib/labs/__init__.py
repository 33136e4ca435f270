"""The labs: pictures with controls, for notebooks. Everything with a widget lives here, and nothing imports it."""

from lesson_lib.labs.exercises import Exercises
from lesson_lib.labs.hand_calculation import HandCalculationLab

__all__ = ["Exercises", "HandCalculationLab"]
