"""Read a Keras model: a second model, made of the same layers, ends at the tensor we want."""

import sys
from contextlib import nullcontext
from typing import Any

import numpy as np

from lesson_lib.capture.layers import Call, check_rows, has_matrix


def names(model: Any) -> list[str]:
    """Return the names of the layers, each once."""
    return list(dict.fromkeys(node.operation.name for node in _nodes(model)))


def calls(model: Any, _batch: Any) -> list[Call]:
    """Return the layers in the order in which they are called."""
    return [
        Call(
            node.operation.name,
            has_matrix(getattr(node.operation, "weights", ())),
            reads_x=any(parent.is_input for parent in node.parent_nodes),
        )
        for node in _nodes(model)
    ]


def values(model: Any, batches: list[Any], name: str, before: bool) -> list[list[Any]]:
    """Return for each batch what the layer puts out, or what it reads."""
    import keras

    tensor = _tensor(model, name, before)
    check_rows(batches[0], tuple(model.inputs[0].shape[1:]))
    part = keras.Model(model.inputs[0], tensor)
    with sys.modules["torch"].no_grad() if "torch" in sys.modules else nullcontext():
        return [[part(np.array(batch, dtype=float, order="C"), training=False)] for batch in batches]


def _nodes(model: Any) -> list[Any]:
    """Return Keras's records of the layers' calls, in the order in which they lead from the input to the output."""
    if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
        raise ValueError("model must be Sequential or functional, and built, with one input and one output")
    operation, position, _ = model.outputs[0]._keras_history
    pending, nodes = [operation._inbound_nodes[position]], []
    while pending:
        missing = [node for node in pending[-1].parent_nodes if node not in nodes]
        if missing:
            pending.append(missing[0])
        else:
            nodes.append(pending.pop())
    return [node for node in nodes if not node.is_input]


def _tensor(model: Any, name: str, before: bool) -> Any:
    """Return the symbolic tensor that the layer puts out, or reads."""
    node = next(node for node in _nodes(model) if node.operation.name == name)
    tensors = node.input_tensors if before else node.outputs
    if len(tensors) != 1:
        raise ValueError(f"layer {name!r} must {'read' if before else 'put out'} one array; it has {len(tensors)}")
    return tensors[0]
