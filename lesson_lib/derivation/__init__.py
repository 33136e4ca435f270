"""The same net, line by line: each step as symbol = formula = numbers = value, and proofs that it is right.

Read `symbols` (the net in letters), `trace` and `printer` (how a value knows its formula), `step`, then `certificate`
and `proofs`.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "derive": "derive_step",
        "step": "Derivation Step",
        "certificate": "certify Certificate Check",
        "symbols": "symbolic_params",
        "proofs": "Lock locks fix_matrix prove_frozen prove_homogeneous",
    },
)
