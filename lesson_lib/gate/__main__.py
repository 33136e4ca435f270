"""Run the gate: `python -m lesson_lib.gate clean.npz suspect.npz`."""

import sys

from lesson_lib.gate.command import main

if __name__ == "__main__":
    sys.exit(main())
