"""The same net, line by line: each step as symbol = formula = numbers = value, and the proof that it is right.

Read `symbols` (the net in letters), `trace` and `printer` (how a value knows its formula), `step`, then `derive`
and `certificate`.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "derive": "derive_step",
        "step": "Derivation Step",
        "certificate": "certify Certificate Check",
        "symbols": "symbolic_params",
    },
)
