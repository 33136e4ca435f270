"""How a detector names a class: by a score for each, and the one that stands out too far."""

from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.naa import judgement

LIMIT = 2.0  # the MAD index above which Neural Cleanse calls a class backdoored


class Naming(NamedTuple):
    """A score for each class (n_classes,), and by how many robust standard deviations it is suspect; below 0: none."""

    scores: Array
    mad_index: Array
    classes: Array

    @property
    def most_suspect(self) -> Any:
        """The class that stands out most, however little that is."""
        return self.classes[self.mad_index.argmax()].item()

    @property
    def named(self) -> Any:
        """That class if its index is above LIMIT, else None."""
        return self.most_suspect if self.mad_index.max() > LIMIT else None


def name_class(scores: Any, classes: Any, suspect: int) -> Naming:
    """Compare the scores of the classes; `suspect` is 1 if a high score is suspect, -1 if a low one is."""
    scores = np.asarray(scores)
    index = suspect * np.sign(scores - np.median(scores)) * judgement.mad_index(scores)
    return Naming(scores, index, np.asarray(classes))
