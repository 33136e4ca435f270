"""Many runs at once: one experiment along a slider, the map of outcomes, and how often a random start succeeds.

Read `experiment` first.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "experiment": "EPOCHS Experiment Schedule Trajectories run_many endings random_start",
        "maps": "OutcomeMap outcome_map",
        "random_starts": "Success width_study report",
    },
)
