"""Look into a model of scikit-learn's, PyTorch's or Keras's: its layers, and what one of them puts out.

A reader has the `names` of the layers, `calls(batch)`, the layers in the order in which they are called, and
`listen(name, before)`, a function from a batch of X to what that layer puts out, or reads, each time it is called.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np

SUPPORTED = "a scikit-learn MLPClassifier or MLPRegressor, a torch.nn.Module or a keras.Model"
Run = Callable[[Any], list[Any]]
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

    def __init__(self, model: Any) -> None:
        if not hasattr(model, "coefs_"):
            raise ValueError(f"model must be fitted; this {type(model).__name__} has no weights yet")
        self.model = model
        self.names = [*(f"hidden {k}" for k in range(1, len(model.coefs_))), "output"]

    def calls(self, _batch: Any) -> list[Call]:
        return [Call(name, has_matrix=True) for name in self.names]

    def listen(self, name: str, before: bool) -> Run:
        model, n_layers = self.model, self.names.index(name) + (not before)
        activations = [*[model.activation] * (len(model.coefs_) - 1), model.out_activation_]

        def run(batch: Any) -> list[Any]:
            _check_rows(batch, (len(model.coefs_[0]),))
            a = batch.astype(model.coefs_[0].dtype)
            for k in range(n_layers):
                z = a @ model.coefs_[k] + model.intercepts_[k]  # (n_samples, n_neurons)
                a = ACTIVATIONS[activations[k]](z)
            return [a]

        return run


class _PyTorch:
    """Hooks listen to its layers while it runs, and are removed whatever happens."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.layers = {name: part for name, part in model.named_modules() if name and "parametrizations" not in name}
        self.names = [*self.layers]  # outer ones before what they hold

    def calls(self, batch: Any) -> list[Call]:
        x = self._to_tensor(batch)

        def as_call(name: str, layer: Any, read: Any, _put_out: Any) -> Call:
            weights = [*layer.parameters(recurse=False), getattr(layer, "weight", None)]
            return Call(name, _has_matrix(weights), read is x)

        return self._run(self.layers, x, as_call)

    def listen(self, name: str, before: bool) -> Run:
        def keep(_name: str, _layer: Any, read: Any, put_out: Any) -> Any:
            value = read if before else put_out
            return value.clone() if hasattr(value, "clone") else value  # a later layer may write over it

        return lambda batch: self._run({name: self.layers[name]}, self._to_tensor(batch), keep)

    def _to_tensor(self, batch: Any) -> Any:
        """Return a batch in the precision of the model and on its device."""
        import torch

        weights = [*self.model.parameters(), *self.model.buffers()]
        if any(map(torch.nn.parameter.is_lazy, weights)):
            raise ValueError("model has lazy layers that do not know their shape yet; run it once on a batch")
        like = next((tensor for tensor in weights if tensor.is_floating_point()), torch.zeros(0))
        return torch.tensor(_as_floats(batch), dtype=like.dtype, device=like.device)

    def _run(self, layers: dict[str, Any], x: Any, keep: Callable[..., Any]) -> list[Any]:
        """Run the model on x; return keep(name, layer, what it reads, what it puts out) as each layer finishes."""
        import torch

        kept: list[Any] = []

        def hook(name: str, layer: Any, args: Any, kwargs: dict[str, Any], put_out: Any) -> None:
            kept.append(keep(name, layer, [*args, *kwargs.values(), None][0], put_out))

        with torch.no_grad(), ExitStack() as stack:
            for module in self.model.modules():
                stack.callback(setattr, module, "training", module.training)  # gives its own mode back
                module.training = False  # no dropout, no batch statistics
            for name, layer in layers.items():
                stack.callback(layer.register_forward_hook(partial(hook, name), with_kwargs=True).remove)
            try:
                output = self.model(x)
            except (RuntimeError, ValueError, IndexError) as error:  # PyTorch's complaints about a shape
                raise ValueError(f"X with rows of shape {(*x.shape[1:],)} did not pass the model: {error}") from error
        if not hasattr(output, "detach"):
            got = type(output).__name__
            raise ValueError(f"model must return one tensor; got {got}; wrap it in a module that does")
        return kept


class _Keras:
    """A second model, made of the same layers, ends at the tensor we want."""

    def __init__(self, model: Any) -> None:
        if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
            raise ValueError("model must be Sequential or functional, and built, with one input and one output")
        self.model, self.nodes = model, self._in_order(model.outputs[0])
        self.names = list(dict.fromkeys(node.operation.name for node in self.nodes))

    @staticmethod
    def _in_order(output: Any) -> list[Any]:
        """Return Keras's records of the layers' calls, in the order in which they lead from the input to the output."""
        operation, position, _ = output._keras_history
        pending, nodes = [operation._inbound_nodes[position]], []
        while pending:
            missing = [node for node in pending[-1].parent_nodes if node not in nodes]
            if missing:
                pending.append(missing[0])
            else:
                nodes.append(pending.pop())
        return [node for node in nodes if not node.is_input]

    def calls(self, _batch: Any) -> list[Call]:
        return [
            Call(
                node.operation.name,
                _has_matrix(getattr(node.operation, "weights", ())),
                reads_x=any(parent.is_input for parent in node.parent_nodes),
            )
            for node in self.nodes
        ]

    def listen(self, name: str, before: bool) -> Run:
        import keras

        node = next(node for node in self.nodes if node.operation.name == name)
        tensors = node.input_tensors if before else node.outputs
        if len(tensors) != 1:
            raise ValueError(f"layer {name!r} must {'read' if before else 'put out'} one array; it has {len(tensors)}")
        start = self.model.inputs[0]
        part = keras.Model(start, tensors[0])

        def run(batch: Any) -> list[Any]:
            _check_rows(batch, tuple(start.shape[1:]))
            with sys.modules["torch"].no_grad() if "torch" in sys.modules else nullcontext():
                return [part(_as_floats(batch), training=False)]

        return run


def _as_floats(batch: Any) -> Any:
    return np.array(batch, dtype=float, order="C")


def _has_matrix(weights: Sequence[Any]) -> bool:
    """Tell whether any of a layer's weights has two dimensions or more."""
    return any(len(getattr(weight, "shape", ())) > 1 for weight in weights)


def _check_rows(batch: Any, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless the rows of a batch of X have this shape; None stands for any size."""
    got = batch.shape[1:]
    if len(got) != len(shape) or any(size not in (None, n) for n, size in zip(got, shape, strict=True)):
        raise ValueError(f"X must have rows of shape {shape} to match the model; got rows of shape {got}")
