"""Read what the hidden neurons of a model put out: scikit-learn, PyTorch and Keras models, a row per sample.

PyTorch and Keras are imported only for a model of theirs, scikit-learn never.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.capture.readers import Call, reader_of


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
    reader_kind = reader_of(model)
    X = _as_samples(X)
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be a whole number above 0; got {batch_size!r}")
    with np.errstate(over="ignore", invalid="ignore"):  # what they would warn of is looked for below
        every = reader_kind(model)
        name, side = _pick(every.calls(X[:1]), every.names, layer, allow_output)
        reader, parts = reader_kind(model, name), []
        for batch in (X[start : start + batch_size] for start in range(0, len(X), batch_size)):
            parts.append(_as_rows([getattr(call, side) for call in reader.calls(batch)], name, len(batch)))
    activations = np.concatenate(parts)
    if not np.isfinite(activations).all():
        raise ValueError("activations must be finite; a number in X or in the model is NaN, infinite or too large")
    return activations


def layer_names(model: Any) -> tuple[str, ...]:
    """Return the names that `hidden_activations` takes for this model; the output layer is among them."""
    return tuple(reader_of(model)(model).names)


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


def _pick(calls: list[Call], names: Sequence[str], layer: Any, allow_output: bool) -> tuple[str, str]:
    """Return the layer to listen to, and the side: what it has read (the default, at the output layer) or put out."""
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
    return name, "read" if layer is None else "put_out"


def _as_rows(values: list[Any], name: str, n_samples: int) -> Array:
    """Return the one thing that a layer put out in a forward pass as an array (n_samples, n_neurons)."""
    got = [tuple(value.shape) if hasattr(value, "shape") else type(value).__name__ for value in values]
    if len(got) != 1 or got[0][:1] != (n_samples,):
        raise ValueError(f"layer {name!r} must put out one array with {n_samples} rows, one per sample; got {got}")
    value = values[0].detach().cpu() if hasattr(values[0], "detach") else values[0]
    half = hasattr(value, "float") and value.element_size() < 4  # NumPy has no bfloat16
    return np.asarray(value.float().numpy() if half else value).reshape(n_samples, -1)
