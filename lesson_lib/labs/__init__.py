"""The labs: pictures with controls, for notebooks. Everything with a widget lives here, and nothing imports it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesson_lib.labs.bias import BiasLab
    from lesson_lib.labs.exercises import Exercises
    from lesson_lib.labs.hand_calculation import HandCalculationLab
    from lesson_lib.labs.naa import NAALab
    from lesson_lib.labs.pruning import PruningLab
    from lesson_lib.labs.trigger import TriggerLab

__all__ = ["BiasLab", "Exercises", "HandCalculationLab", "NAALab", "PruningLab", "TriggerLab"]
HOMES = dict(zip(__all__, ("bias", "exercises", "hand_calculation", "naa", "pruning", "trigger"), strict=True))


def __getattr__(name: str) -> Any:
    """Import a lab when it is asked for: the first notebook need not wait for SciPy and scikit-learn."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
