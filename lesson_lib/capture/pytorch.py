"""Read a PyTorch model: hooks listen to its layers while it runs, and are removed whatever happens."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from lesson_lib.capture.layers import Call, has_matrix


def names(model: Any) -> list[str]:
    """Return the names of the layers, outer ones before what they hold."""
    return list(_layers(model))


def calls(model: Any, batch: Any) -> list[Call]:
    """Run a batch; return the layers in the order in which they finish."""
    x = _to_tensor(model, batch)

    def as_call(name: str, layer: Any, read: Any, _put_out: Any) -> Call:
        weights = [*layer.parameters(recurse=False), getattr(layer, "weight", None)]
        return Call(name, has_matrix(weights), read is x)

    return _run(model, _layers(model), x, as_call)


def values(model: Any, batches: list[Any], name: str, before: bool) -> list[list[Any]]:
    """Return for each batch what the layer puts out, or what it reads, each time that it is called."""

    def keep(_name: str, _layer: Any, read: Any, put_out: Any) -> Any:
        value = read if before else put_out
        return value.clone() if hasattr(value, "clone") else value  # a later layer may write over it

    layers = {name: _layers(model)[name]}
    return [_run(model, layers, _to_tensor(model, batch), keep) for batch in batches]


def _layers(model: Any) -> dict[str, Any]:
    return {name: module for name, module in model.named_modules() if name and "parametrizations" not in name}


def _to_tensor(model: Any, batch: Any) -> Any:
    """Return a batch in the precision of the model and on its device."""
    import torch

    weights = [*model.parameters(), *model.buffers()]
    if any(map(torch.nn.parameter.is_lazy, weights)):
        raise ValueError("model has lazy layers that do not know their shape yet; run it once on a batch")
    like = next((tensor for tensor in weights if tensor.is_floating_point()), torch.zeros(0))
    return torch.tensor(np.array(batch, dtype=float, order="C"), dtype=like.dtype, device=like.device)


def _run(model: Any, layers: dict[str, Any], x: Any, keep: Callable[..., Any]) -> list[Any]:
    """Run the model on x; return keep(name, layer, what it reads, what it puts out) of each layer as it finishes."""
    import torch

    kept: list[Any] = []

    def hook(name: str, layer: Any, args: Any, kwargs: dict[str, Any], put_out: Any) -> None:
        kept.append(keep(name, layer, [*args, *kwargs.values(), None][0], put_out))

    with torch.no_grad(), ExitStack() as stack:
        for module in model.modules():
            stack.callback(setattr, module, "training", module.training)  # gives its own mode back
            module.training = False  # no dropout, no batch statistics
        for name, layer in layers.items():
            stack.callback(layer.register_forward_hook(partial(hook, name), with_kwargs=True).remove)
        try:
            output = model(x)
        except (RuntimeError, ValueError, IndexError) as error:  # PyTorch's complaints about a shape
            raise ValueError(f"X with rows of shape {tuple(x.shape[1:])} did not pass the model: {error}") from error
    if not hasattr(output, "detach"):
        raise ValueError(f"model must return one tensor; got {type(output).__name__}; wrap it in a module that does")
    return kept
