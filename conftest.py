"""What tests and notebooks share: one thread a process, and how a notebook is run (tests/sealed_notebooks.py)."""

import os

# Before NumPy and PyTorch are. Our matrices are small: more threads only wait for each other, and for other workers'.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# No test reads or writes a learner's answers; those that keep some name a file of their own.
os.environ["LESSON_ANSWERS"] = ""

pytest_plugins = ["sealed_notebooks"]

# Of the translated notebooks two are run again here; what the others show is compared with the English ones.
collect_ignore_glob = ["notebooks/*_*/0[24-9]*.ipynb"]
