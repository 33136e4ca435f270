"""Read what the hidden neurons of a model put out: scikit-learn, PyTorch and Keras models, a row per sample.

PyTorch and Keras are imported only for a model of theirs, scikit-learn never.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SUPPORTED = "a scikit-learn MLPClassifier or MLPRegressor, a torch.nn.Module or a keras.Model"
SKLEARN_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
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


def hidden_activations(
    model: Any, X: Any, layer: str | int | None = None, *, batch_size: int = 256, allow_output: bool = False
) -> Array:
    """Return the activations of one layer, (n_samples, n_neurons), in the precision the model computes in.

    X (n_samples, ...) holds numbers, not token indices. Without `layer` you get the last hidden layer: what the output
    layer reads, so after relu, pooling or flattening. The output layer is the last one called that has a weight matrix.
    With `layer`, a name or a position in `layer_names(model)`, you get what that layer puts out: a `torch.nn.Linear`
    gives z1 and the `ReLU` behind it a1; a Keras or scikit-learn layer includes its activation. The output layer, and
    what follows it, is refused unless `allow_output=True`.

    A convolution is flattened, each position of each channel a neuron, in the layer's own order: (c, h, w) in PyTorch,
    (h, w, c) in Keras. A mean per channel would hide a trigger that lights up one corner; if you want it all the same,
    reshape the result and take the mean.

    The model is left as it was: modes, running statistics, gradients, device, hooks. Raises TypeError for another kind
    of model, ValueError for an X, a layer or a model that cannot be read.
    """
    read = READERS[_kind(model)][1]
    X = _as_samples(X)
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be a whole number above 0; got {batch_size!r}")
    batches = [X[start : start + batch_size] for start in range(0, len(X), batch_size)]
    with np.errstate(over="ignore", invalid="ignore"):  # what they would warn of is looked for below
        activations = np.concatenate(read(model, batches, layer, allow_output))  # (n_samples, n_neurons)
    if not np.isfinite(activations).all():
        raise ValueError("activations must be finite; a number in X or in the model is NaN, infinite or too large")
    return activations


def layer_names(model: Any) -> tuple[str, ...]:
    """Return the names that `hidden_activations` takes for this model; the output layer is among them."""
    return tuple(READERS[_kind(model)][0](model))


def _kind(model: Any) -> str:
    """Tell whose model it is without importing anything; Keras first: its models can be PyTorch modules too."""
    bases = {(base.__module__.partition(".")[0], base.__name__) for base in type(model).__mro__}
    if ("keras", "Model") in bases:
        return "keras"
    if ("torch", "Module") in bases and ("keras", "Layer") not in bases:
        return "torch"
    if hasattr(model, "hidden_layer_sizes") and hasattr(model, "activation"):
        return "sklearn"
    raise TypeError(f"model must be {SUPPORTED}; got {type(model).__name__}")


def _as_samples(X: Any) -> Array:
    try:
        array = X.detach().cpu().numpy() if hasattr(X, "detach") else np.asarray(X)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be one array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"X must hold real numbers; got {type(X).__name__} of dtype {array.dtype}")
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(f"X must have at least one sample, in rows, and one column; got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("X must hold finite numbers; got NaN or infinity")
    return array


def _expect_rows(batch: Array, shape: tuple[int | None, ...]) -> None:
    got = batch.shape[1:]
    if len(got) != len(shape) or any(size not in (None, n) for n, size in zip(got, shape, strict=True)):
        raise ValueError(f"X must have rows of shape {shape} to match the model; got rows of shape {got}")


def _pick(calls: list[Call], names: Sequence[str], layer: Any, allow_output: bool) -> tuple[str, bool]:
    """Return the layer to listen to, and whether to what it reads (the default, at the output layer)."""
    found = f"the layers are {', '.join(map(repr, names))}"
    heads = [k for k, call in enumerate(calls) if call.has_matrix]
    if layer is None and (len(heads) < 2 or calls[heads[-1]].reads_x):
        raise ValueError(f"model must have a hidden layer before its output layer; name the one to read; {found}")
    if isinstance(layer, int) and not isinstance(layer, bool) and -len(names) <= layer < len(names):
        layer = names[layer]
    name = calls[heads[-1]].name if layer is None else layer
    if name not in names:
        raise ValueError(f"layer must be the name or the position of a layer; got {layer!r}; {found}")
    times = [k for k, call in enumerate(calls) if call.name == name]
    if len(times) != 1:
        raise ValueError(f"layer must be called once in a forward pass; {name!r} is called {len(times)} times; {found}")
    if layer is not None and times[0] >= max(heads, default=0) and not allow_output:
        raise ValueError(f"layer {name!r} is not hidden but output; to read it, say allow_output=True; {found}")
    return name, layer is None


def _has_matrix(weights: Sequence[Any]) -> bool:
    return any(len(getattr(weight, "shape", ())) > 1 for weight in weights)


def _as_rows(values: list[Any], name: str, n_samples: int) -> Array:
    """Return the one thing that a layer put out in a forward pass as an array (n_samples, n_neurons)."""
    got = [tuple(value.shape) if hasattr(value, "shape") else type(value).__name__ for value in values]
    if len(got) != 1 or got[0][:1] != (n_samples,):
        raise ValueError(f"layer {name!r} must put out one array with {n_samples} rows, one per sample; got {got}")
    value = values[0].detach().cpu() if hasattr(values[0], "detach") else values[0]
    half = hasattr(value, "float") and value.element_size() < 4  # NumPy has no bfloat16
    return np.asarray(value.float().numpy() if half else value).reshape(n_samples, -1)


# scikit-learn: its forward pass is two lines, so they are repeated here.


def _sklearn_names(model: Any) -> list[str]:
    if not hasattr(model, "coefs_"):
        raise ValueError(f"model must be fitted; this {type(model).__name__} has no weights yet")
    return [*(f"hidden {k}" for k in range(1, len(model.coefs_))), "output"]


def _read_sklearn(model: Any, batches: list[Array], layer: Any, allow_output: bool) -> list[Array]:
    names = _sklearn_names(model)
    name, before = _pick([Call(name, has_matrix=True) for name in names], names, layer, allow_output)
    _expect_rows(batches[0], (model.coefs_[0].shape[0],))
    functions = [*[model.activation] * (len(names) - 1), model.out_activation_]
    activations = [batch.astype(model.coefs_[0].dtype) for batch in batches]
    for k in range(names.index(name) + (not before)):
        z = [a @ model.coefs_[k] + model.intercepts_[k] for a in activations]
        activations = [SKLEARN_ACTIVATIONS[functions[k]](batch) for batch in z]
    return activations


# PyTorch: hooks listen to the layers while the model runs, and are removed whatever happens.


def _torch_layers(model: Any) -> dict[str, Any]:
    return {name: module for name, module in model.named_modules() if name and "parametrizations" not in name}


def _read_torch(model: Any, batches: list[Array], layer: Any, allow_output: bool) -> list[Array]:
    layers = _torch_layers(model)
    with _evaluating(model):
        calls = _torch_calls(model, layers, _to_tensor(model, batches[0][:1]))
        name, before = _pick(calls, list(layers), layer, allow_output)

        def keep(_name: str, _layer: Any, read: Any, put_out: Any) -> Any:
            value = read if before else put_out
            return value.clone() if hasattr(value, "clone") else value  # a later layer may write over it

        heard = [_run_torch(model, {name: layers[name]}, _to_tensor(model, batch), keep) for batch in batches]
    return [_as_rows(values, name, len(batch)) for values, batch in zip(heard, batches, strict=True)]


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Switch dropout, batch statistics and gradients off; afterwards give every module its own mode back."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def _torch_calls(model: Any, layers: dict[str, Any], x: Any) -> list[Call]:
    """Return the layers in the order in which they finish."""

    def as_call(name: str, layer: Any, read: Any, _: Any) -> Call:
        weights = [*layer.parameters(recurse=False), getattr(layer, "weight", None)]
        return Call(name, _has_matrix(weights), read is x)

    return _run_torch(model, layers, x, as_call)


def _run_torch(model: Any, layers: dict[str, Any], x: Any, keep: Callable[..., Any]) -> list[Any]:
    """Run the model on x; return keep(name, layer, what it reads, what it puts out) of each layer as it finishes."""
    kept: list[Any] = []

    def hook(name: str, layer: Any, args: Any, kwargs: dict[str, Any], put_out: Any) -> None:
        kept.append(keep(name, layer, [*args, *kwargs.values(), None][0], put_out))

    with ExitStack() as stack:
        for name, layer in layers.items():
            stack.callback(layer.register_forward_hook(partial(hook, name), with_kwargs=True).remove)
        try:
            output = model(x)
        except (RuntimeError, ValueError, IndexError) as error:  # PyTorch's complaints about a shape
            raise ValueError(f"X with rows of shape {tuple(x.shape[1:])} did not pass the model: {error}") from error
    if not hasattr(output, "detach"):
        raise ValueError(f"model must return one tensor; got {type(output).__name__}; wrap it in a module that does")
    return kept


def _to_tensor(model: Any, batch: Array) -> Any:
    import torch

    weights = [*model.parameters(), *model.buffers()]
    if any(map(torch.nn.parameter.is_lazy, weights)):
        raise ValueError("model has lazy layers that do not know their shape yet; run it once on a batch")
    like = next((tensor for tensor in weights if tensor.is_floating_point()), torch.zeros(0))
    return torch.tensor(np.array(batch, dtype=float), dtype=like.dtype, device=like.device)


# Keras: a second model, made of the same layers, ends at the tensor we want.


def _keras_nodes(model: Any) -> list[Any]:
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


def _keras_names(model: Any) -> list[str]:
    return list(dict.fromkeys(node.operation.name for node in _keras_nodes(model)))


def _read_keras(model: Any, batches: list[Array], layer: Any, allow_output: bool) -> list[Array]:
    import keras

    name, tensor = _keras_tensor(model, layer, allow_output)
    _expect_rows(batches[0], tuple(model.inputs[0].shape[1:]))
    part = keras.Model(model.inputs[0], tensor)
    with sys.modules["torch"].no_grad() if "torch" in sys.modules else nullcontext():
        outputs = [part(np.array(batch, dtype=float), training=False) for batch in batches]
    return [_as_rows([output], name, len(batch)) for output, batch in zip(outputs, batches, strict=True)]


def _keras_tensor(model: Any, layer: Any, allow_output: bool) -> tuple[str, Any]:
    """Return the layer's name and the symbolic tensor that it puts out, or that the output layer reads."""
    nodes, calls = _keras_nodes(model), []
    for node in nodes:
        has_matrix = _has_matrix(getattr(node.operation, "weights", ()))
        calls.append(Call(node.operation.name, has_matrix, any(parent.is_input for parent in node.parent_nodes)))
    name, before = _pick(calls, _keras_names(model), layer, allow_output)
    node = next(node for node in nodes if node.operation.name == name)
    tensors = node.input_tensors if before else node.outputs
    if len(tensors) != 1:
        raise ValueError(f"layer {name!r} must {'read' if before else 'put out'} one array; it has {len(tensors)}")
    return name, tensors[0]


READERS: dict[str, tuple[Callable[..., Sequence[str]], Callable[..., list[Array]]]] = {
    "sklearn": (_sklearn_names, _read_sklearn),
    "torch": (lambda model: list(_torch_layers(model)), _read_torch),
    "keras": (_keras_names, _read_keras),
}
