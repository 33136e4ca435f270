"""What each library's reader tells about the layers of a model."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One layer at work in a forward pass, and what tells a hidden layer from the input and the output."""

    name: str
    has_matrix: bool
    reads_x: bool = False


def has_matrix(weights: Sequence[Any]) -> bool:
    """Tell whether any of a layer's weights has two dimensions or more."""
    return any(len(getattr(weight, "shape", ())) > 1 for weight in weights)


def check_rows(batch: Any, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless the rows of a batch of X have this shape; None stands for any size."""
    got = batch.shape[1:]
    if len(got) != len(shape) or any(size not in (None, n) for n, size in zip(got, shape, strict=True)):
        raise ValueError(f"X must have rows of shape {shape} to match the model; got rows of shape {got}")
