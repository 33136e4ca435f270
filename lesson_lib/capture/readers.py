"""Look into a model of scikit-learn's, PyTorch's or Keras's: its layers, and what they read and put out.

A reader has the `names` of the layers, and `calls(batch)`: run a batch of X, and return the calls of its one wanted
layer, or of all layers, in the order in which they finish.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import is_dataclass
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

SUPPORTED = "a scikit-learn MLPClassifier or MLPRegressor, a torch.nn.Module or a keras.Model"
ORIGINAL = "of a network that was wrapped, scripted, traced or exported, pass the network itself"
WRAP = "if it needs more than X, or one row at a time, wrap it in a module whose forward takes X alone"
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
    is_output: bool = True  # where the reader can tell
    is_model: bool = False  # a model in a model, whose layers are not seen


def reader_of(model: Any) -> Any:
    """Return the kind of reader for a model without importing a library; raises TypeError for another kind of model."""
    bases = {(base.__module__.partition(".")[0], base.__name__) for base in type(model).__mro__}
    if ("keras", "Model") in bases:  # first, for its models can be PyTorch's modules
        return _Keras
    if ("torch", "ScriptModule") in bases:
        raise TypeError(f"model is TorchScript, which lets nobody listen; {ORIGINAL}")
    if ("torch", "Module") in bases and ("keras", "Layer") not in bases:
        return _PyTorch
    if hasattr(model, "hidden_layer_sizes") and hasattr(model, "activation"):
        return _ScikitLearn
    raise TypeError(f"model must be {SUPPORTED}; got {type(model).__name__}; {ORIGINAL}")


def head_of(reader: Any, calls: list[Call], batch: Any) -> int | None:
    """Return the call with a weight matrix that puts out what the model returns, or is the last to change it."""
    heads = [k for k, call in enumerate(calls) if call.has_matrix][::-1]
    direct = (k for k in heads if calls[k].is_output)
    changing = (k for k in heads if len(heads) > 1 and reader.changes_output(calls, k, batch))
    return next(chain(direct, changing, heads), None)


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
        model = getattr(model, "_orig_mod", model)  # of a compiled one, the module that it was made from
        self.layers = {name: part for name, part in model.named_modules() if name and "parametrizations" not in name}
        self.model, self.names, self.wanted = model, [*self.layers], wanted  # outer ones before what they hold

    def calls(self, batch: Any) -> list[Call]:
        x, calls, made = self._to_tensor(batch), [], []

        def hook(name: str, layer: Any, args: Any, kwargs: dict[str, Any], put_out: Any) -> None:
            read = [*args, *kwargs.values(), None][0]
            weight = getattr(layer, "weight", None)
            weights = [*layer.parameters(recurse=False), weight() if callable(weight) else weight]  # quantised: a call
            calls.append(Call(name, _has_matrix(weights), _copy(read), _copy(put_out), read is x))
            made.append(put_out)

        output = self._run(x, {name: partial(hook, name) for name in self.names if self.wanted in (None, name)})
        return [call._replace(is_output=part is output) for call, part in zip(calls, made, strict=True)]

    def changes_output(self, calls: list[Call], k: int, batch: Any) -> bool:
        """Tell whether the output of the model changes with that of a call."""
        name, before = calls[k].name, iter(range(len(calls)))
        turn = sum(call.name == name for call in calls[:k])

        def disturb(layer: Any, args: Any, kwargs: dict[str, Any], put_out: Any) -> Any:
            if next(before) == turn and hasattr(put_out, "flip"):
                return 1 - 3 * put_out.flip(-1) if put_out.shape[-1] > 1 else put_out + 1
            return put_out

        x = self._to_tensor(batch)
        plain, disturbed = self._run(x, {}), self._run(x, {name: disturb})
        return plain is not None and (plain.shape != disturbed.shape or bool((plain != disturbed).any()))

    def _run(self, x: Any, hooks: dict[str, Any]) -> Any:
        """Run the model on x with hooks on its layers, and return the main thing that it returns."""
        import torch

        with torch.no_grad(), ExitStack() as stack:
            for module in self.model.modules():
                stack.callback(setattr, module, "training", module.training)  # gives its own mode back
                module.training = False  # no dropout, no batch statistics
            for name, hook in hooks.items():
                stack.callback(self.layers[name].register_forward_hook(hook, with_kwargs=True).remove)
            try:
                return main_part(self.model(x))
            except Exception as error:  # a model's own code can fail in any way
                shape = (*x.shape[1:],)
                raise ValueError(f"X with rows of shape {shape} did not pass the model: {error}; {WRAP}") from error

    def _to_tensor(self, batch: Any) -> Any:
        """Return a batch in the precision of the model and on its device; token ids stay whole for an embedding."""
        import torch

        weights = [*self.model.parameters(), *self.model.buffers()]
        if any(map(torch.nn.parameter.is_lazy, weights)):
            raise ValueError("model has lazy layers that do not know their shape yet; run it once on a batch")
        if any(tensor.is_meta for tensor in weights):
            raise ValueError("model is on the device meta, which holds no numbers; load its weights first")
        like = next((tensor for tensor in weights if tensor.is_floating_point()), torch.zeros(0))
        kinds = torch.nn.Embedding, torch.nn.EmbeddingBag
        if batch.dtype.kind in "iu" and any(isinstance(module, kinds) for module in self.model.modules()):
            return torch.tensor(np.array(batch, dtype=np.int64), device=like.device)
        return torch.tensor(np.array(batch, dtype=float, order="C"), dtype=like.dtype, device=like.device)


class _Keras:
    """A second model, made of the same layers, puts out the tensors we want."""

    def __init__(self, model: Any, wanted: str | None = None) -> None:
        import keras

        if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
            must = "model must be Sequential or functional, and built, with one input and one output"
            raise ValueError(f"{must}; of a larger one, pass keras.Model(one_input, one_output)")
        by_depth = getattr(model, "_functional", model)._nodes_by_depth  # Keras's records of the layers' calls
        nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input]
        self.names = list(dict.fromkeys(node.operation.name for node in nodes))
        self.nodes = [node for node in nodes if wanted in (None, node.operation.name)]
        tensors = {k: (node.input_tensors, node.outputs) for k, node in enumerate(self.nodes)}
        self.start, self.part = model.inputs[0], keras.Model(model.inputs[0], tensors)

    def calls(self, batch: Any) -> list[Call]:
        _check_rows(batch, tuple(self.start.shape[1:]))
        dtype = "int64" if "int" in str(self.start.dtype) else "float64"  # an input of token ids says so
        with sys.modules["torch"].no_grad() if "torch" in sys.modules else nullcontext():
            try:
                values = self.part(np.array(batch, dtype=dtype, order="C"), training=False)
            except Exception as error:  # a model's own code can fail in any way
                shape = batch.shape[1:]
                raise ValueError(f"X with rows of shape {shape} did not pass the model: {error}") from error
        calls = []
        for k, node in enumerate(self.nodes):
            read, put_out = (tensors[0] if len(tensors) == 1 else tensors for tensors in values[k])
            has_matrix = _has_matrix(getattr(node.operation, "weights", ()))
            reads_x = any(parent.is_input for parent in node.parent_nodes)
            is_model = hasattr(node.operation, "layers")
            calls.append(Call(node.operation.name, has_matrix, read, put_out, reads_x, is_model=is_model))
        return calls


def main_part(value: Any) -> Any:
    """Return the one tensor of what a model or a layer returns: what it calls logits, or else the first; or None."""
    if hasattr(value, "__array__"):
        return value
    named = value if isinstance(value, Mapping) else vars(value) if is_dataclass(value) else {}
    parts = [named["logits"]] if "logits" in named else [*named.values()]
    parts = [*value] if isinstance(value, list | tuple) else parts
    return next((found for found in map(main_part, parts) if found is not None), None)


def _copy(value: Any) -> Any:
    """Return a copy of a tensor, or of the main one of several, for a later layer may write over it."""
    value = main_part(value)
    return value.clone() if hasattr(value, "clone") else value


def _has_matrix(weights: Sequence[Any]) -> bool:
    return any(len(getattr(weight, "shape", ())) > 1 for weight in weights)


def _check_rows(batch: Any, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless the rows of a batch of X have this shape; None stands for any size."""
    got = batch.shape[1:]
    if len(got) != len(shape) or any(size not in (None, n) for n, size in zip(got, shape, strict=True)):
        raise ValueError(f"X must have rows of shape {shape} to match the model; got rows of shape {got}")
