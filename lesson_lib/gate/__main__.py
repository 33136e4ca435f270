"""The command `naa-gate`: whatever happens to it, status 1 means flagged and nothing else."""

import sys
from collections.abc import Sequence
from contextlib import suppress


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the files that the arguments name, print the outcome, and return the exit status: 0, 1 or 2."""
    try:
        from lesson_lib.gate.command import run  # here, for a package that is missing must not end with 1 either

        return run(argv)
    except BaseException as error:
        with suppress(BaseException):  # nobody may be there to read it
            print(f"gate: {' '.join(f'{type(error).__name__}: {error}'.split())}", file=sys.stderr, flush=True)
        return 2


if __name__ == "__main__":
    sys.exit(main())
