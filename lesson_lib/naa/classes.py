"""Compare like with like: each row with the clean mean of its own class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesson_lib.arrays import Array
from lesson_lib.naa.moments import both_in_memory

Codes = NDArray[np.intp]  # the class of each row as a number 0, 1, ...


def match_classes(clean: Any, suspect: Any, clean_labels: Any, suspect_labels: Any) -> tuple[Array, Array]:
    """Return both sets with the clean mean of each row's class taken off, so that a mix of classes shifts nothing.

    Raises ValueError for labels of the wrong number, and for a suspect class that the clean set does not have.
    """
    clean, suspect = both_in_memory(clean, suspect)
    return subtract_class_means(clean, suspect, *read_labels(clean, suspect, (clean_labels, suspect_labels)))


def read_labels(clean: Array, suspect: Array, labels: tuple[Any, Any]) -> tuple[Codes, Codes]:
    """Return the class of each clean and each suspect row as a number 0, 1, ..."""
    if not isinstance(labels, list | tuple) or len(labels) != 2:
        raise ValueError("labels must be a pair: the clean rows' labels and the suspect rows' labels")
    both = [np.asarray(part) for part in labels]
    for name, rows, part in zip(("clean", "suspect"), (clean, suspect), both, strict=True):
        if part.shape != (len(rows),):
            raise ValueError(f"labels of {name} must have shape ({len(rows)},); got {part.shape}")
    try:
        names, codes = np.unique(np.concatenate(both), return_inverse=True)
    except TypeError:
        raise ValueError("labels must be of one kind, all numbers or all text") from None
    known, asked = codes[: len(clean)], codes[len(clean) :]
    unknown = np.setdiff1d(asked, known)
    if len(unknown):
        raise ValueError(f"labels of suspect must be classes of the clean set; {names[unknown].tolist()} are not")
    return known, asked


def subtract_class_means(clean: Array, suspect: Array, known: Codes, asked: Codes) -> tuple[Array, Array]:
    """Take off the clean mean of each row's class; what is constant within a class becomes exactly 0."""
    first = clean[np.unique(known, return_index=True)[1]]  # (n_classes, n_neurons), one clean row of each class
    clean, suspect = clean - first[known], suspect - first[asked]
    means = np.array([clean[known == code].mean(axis=0) for code in range(len(first))])  # (n_classes, n_neurons)
    return clean - means[known], suspect - means[asked]


def effective_sample_size(known: Codes, asked: Codes) -> float:
    """Return how many clean rows the clean mean is worth when each class counts as often as the suspect set has it.

    Source: Kish 1965, for weighted rows, less the degrees of freedom that the class means took.
    """
    n = np.bincount(known)  # (n_classes,)
    share = np.bincount(asked, minlength=len(n)) / len(asked)
    lost = (len(known) - len(n)) / max(len(known) - 1, 1)
    return float(lost / (share**2 / n).sum())
