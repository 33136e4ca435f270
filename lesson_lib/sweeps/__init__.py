"""Many runs at once: one experiment along a slider, the map of outcomes, and how often a random start succeeds.

Read `experiment` first.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "experiment": "Experiment run_many endings outcome_map OutcomeMap random_start width_study report Success",
    },
)
