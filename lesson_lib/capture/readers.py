"""Look into a model of scikit-learn's, PyTorch's or Keras's: its layers, and what they read and put out.

A reader has the `names` of the layers and `calls(batch)`: run a batch of X, and return the calls of its one wanted
layer, or of all layers, in the order in which they finish.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np

SUPPORTED = "a scikit-learn MLPClassifier or MLPRegressor, a torch.nn.Module or a keras.Model"
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: (1 + np.tanh(z / 2)) / 2,  # the sigmoid, in a form that cannot overflow
    "exp": np.exp,
    "softmax": lambda z: np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True)),
}


class Call(NamedTuple):
    """One layer at work in a forward pass, and what tells a hidden layer from the input and the output."""

    name: str
    has_matrix: bool
    read: Any
    put_out: Any
    reads_x: bool = False


def reader_of(model: Any) -> Any:
    """Return the kind of reader for a model without importing a library; raises TypeError for another kind of model."""
    bases = {(base.__module__.partition(".")[0], base.__name__) for base in type(model).__mro__}
    if ("keras", "Model") in bases:  # first, for its models can be PyTorch's modules
        return _Keras
    if ("torch", "Module") in bases and ("keras", "Layer") not in bases:
        return _PyTorch
    if hasattr(model, "hidden_layer_sizes") and hasattr(model, "activation"):
        return _ScikitLearn
    raise TypeError(f"model must be {SUPPORTED}; got {type(model).__name__}")


class _ScikitLearn:
    """Its forward pass is two lines, so they are repeated here."""

    def __init__(self, model: Any, wanted: str | None = None) -> None:
        if not hasattr(model, "coefs_"):
            raise ValueError(f"model must be fitted; this {type(model).__name__} has no weights yet")
        self.model, self.wanted = model, wanted
        self.names = [*(f"hidden {k}" for k in range(1, len(model.coefs_))), "output"]

    def calls(self, batch: Any) -> list[Call]:
        weights, biases = self.model.coefs_, self.model.intercepts_
        activations = [*[self.model.activation] * (len(weights) - 1), self.model.out_activation_]
        _check_rows(batch, (len(weights[0]),))
        calls, a = [], batch.astype(weights[0].dtype)
        for name, W, b, activation in zip(self.names, weights, biases, activations, strict=True):
            x, a = a, ACTIVATIONS[activation](a @ W + b)  # (n_samples, n_neurons)
            calls.append(Call(name, True, x, a))
        return [call for call in calls if self.wanted in (None, call.name)]


class _PyTorch:
    """Hooks listen to its layers while it runs, and are removed whatever happens."""

    def __init__(self, model: Any, wanted: str | None = None) -> None:
        layers = {name: part for name, part in model.named_modules() if name and "parametrizations" not in name}
        self.model, self.names = model, [*layers]  # outer ones before what they hold
        self.layers = layers if wanted is None else {wanted: layers[wanted]}

    def calls(self, batch: Any) -> list[Call]:
        import torch

        x, calls = self._to_tensor(batch), []

        def hook(name: str, layer: Any, args: Any, kwargs: dict[str, Any], put_out: Any) -> None:
            read = [*args, *kwargs.values(), None][0]
            weights = [*layer.parameters(recurse=False), getattr(layer, "weight", None)]
            calls.append(Call(name, _has_matrix(weights), _copy(read), _copy(put_out), read is x))

        with torch.no_grad(), ExitStack() as stack:
            for module in self.model.modules():
                stack.callback(setattr, module, "training", module.training)  # gives its own mode back
                module.training = False  # no dropout, no batch statistics
            for name, layer in self.layers.items():
                stack.callback(layer.register_forward_hook(partial(hook, name), with_kwargs=True).remove)
            try:
                output = self.model(x)
            except (RuntimeError, ValueError, IndexError) as error:  # PyTorch's complaints about a shape
                raise ValueError(f"X with rows of shape {(*x.shape[1:],)} did not pass the model: {error}") from error
        if not hasattr(output, "detach"):
            got = type(output).__name__
            raise ValueError(f"model must return one tensor; got {got}; wrap it in a module that does")
        return calls

    def _to_tensor(self, batch: Any) -> Any:
        """Return a batch in the precision of the model and on its device."""
        import torch

        weights = [*self.model.parameters(), *self.model.buffers()]
        if any(map(torch.nn.parameter.is_lazy, weights)):
            raise ValueError("model has lazy layers that do not know their shape yet; run it once on a batch")
        like = next((tensor for tensor in weights if tensor.is_floating_point()), torch.zeros(0))
        return torch.tensor(np.array(batch, dtype=float, order="C"), dtype=like.dtype, device=like.device)


class _Keras:
    """A second model, made of the same layers, puts out the tensors we want."""

    def __init__(self, model: Any, wanted: str | None = None) -> None:
        import keras

        if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
            raise ValueError("model must be Sequential or functional, and built, with one input and one output")
        by_depth = getattr(model, "_functional", model)._nodes_by_depth  # Keras's records of the layers' calls
        nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]
        self.names = list(dict.fromkeys(node.operation.name for node in nodes))
        self.nodes = [node for node in nodes if wanted in (None, node.operation.name)]
        tensors = {k: (node.input_tensors, node.outputs) for k, node in enumerate(self.nodes)}
        self.start, self.part = model.inputs[0], keras.Model(model.inputs[0], tensors)

    def calls(self, batch: Any) -> list[Call]:
        _check_rows(batch, tuple(self.start.shape[1:]))
        with sys.modules["torch"].no_grad() if "torch" in sys.modules else nullcontext():
            values = self.part(np.array(batch, dtype=float, order="C"), training=False)
        calls = []
        for k, node in enumerate(self.nodes):
            read, put_out = (tensors[0] if len(tensors) == 1 else tensors for tensors in values[k])
            has_matrix = _has_matrix(getattr(node.operation, "weights", ()))
            reads_x = any(parent.is_input for parent in node.parent_nodes)
            calls.append(Call(node.operation.name, has_matrix, read, put_out, reads_x))
        return calls


def _copy(value: Any) -> Any:
    """Return a copy of a tensor, for a later layer may write over it."""
    return value.clone() if hasattr(value, "clone") else value


def _has_matrix(weights: Sequence[Any]) -> bool:
    """Tell whether any of a layer's weights has two dimensions or more."""
    return any(len(getattr(weight, "shape", ())) > 1 for weight in weights)


def _check_rows(batch: Any, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless the rows of a batch of X have this shape; None stands for any size."""
    got = batch.shape[1:]
    if len(got) != len(shape) or any(size not in (None, n) for n, size in zip(got, shape, strict=True)):
        raise ValueError(f"X must have rows of shape {shape} to match the model; got rows of shape {got}")
