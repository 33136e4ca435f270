"""Why the trigger is never learnt: the lock of each gradient, what opens it, and proofs for all weights at once."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "lock": "Lock locks",
        "proofs": "fix_matrix prove_frozen prove_homogeneous",
    },
)
