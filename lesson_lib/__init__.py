"""Backdoor by Hand: a two-layer ReLU net small enough to train, attack and inspect on paper.

`doors` lists the names that the notebooks use. Open the rooms in the same order: `network`, `training`, `derivation`,
`proofs`, `sweeps`, `naa`, `digits`, `repair`, `detectors`, `attacks`, `capture`, `gate`. `pictures`, `exercises` and
`labs` show what those compute.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(__name__)
