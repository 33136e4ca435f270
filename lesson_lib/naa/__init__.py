"""Neuron activation analysis: which neurons answer a suspect set differently from a clean one, and by how much.

Read in this order: the article's call, then ours, `compare` and `judge`. `moments` takes means of data of any size.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "article": "detect_backdoor_via_naa simulate_activations Score score",
        "calibration": "Calibration calibrate strongest",
        "comparison": "Comparison compare contribution match_classes",
        "judgement": "RULES Signature judge analyse Vote class_vote",
        "moments": "Moments measure",
    },
)
