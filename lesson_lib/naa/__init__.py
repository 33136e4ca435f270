"""Neuron activation analysis: which neurons answer a suspect set differently from a clean one, and by how much.

Read `comparison` (the article's call, and ours), then `rules`; `moments` is how means are taken of data of any size.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "comparison": "detect_backdoor_via_naa simulate_activations analyse Signature score Score match_classes "
        "contribution",
        "rules": "RULES",
        "moments": "measure Moments",
    },
)
