"""Read what the hidden neurons of a model put out: scikit-learn, PyTorch and Keras models, a row per sample.

PyTorch and Keras are imported only for a model of theirs, scikit-learn never.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lesson_lib.arrays import Array, bare
from lesson_lib.capture.readers import Call, head_of, main_part, reader_of


def hidden_activations(
    model: Any,
    X: Any,
    layer: str | int | None = None,
    *,
    call: int | None = None,
    batch_size: int = 256,
    allow_output: bool = False,
) -> Array:
    """Return the activations of one layer, (n_samples, n_neurons), in the precision the model computes in.

    X (n_samples, ...) holds numbers, or whole numbers for a model with an embedding. Without `layer` you get the last
    hidden layer: what the output layer reads, so after relu, pooling or flattening. The output layer is the last one
    with a weight matrix that changes what the model returns; of several tensors, what it calls logits, or the first.
    With `layer`, a name or a position in `layer_names(model)`, you get what that layer puts out: a `torch.nn.Linear`
    gives z1 and the `ReLU` behind it a1; a Keras or scikit-learn layer includes its activation. The output layer, and
    what follows it, is refused unless `allow_output=True`. Of a layer that puts out several tensors you get the first.
    Of one that is called several times, `call` says which: 0 the first time, -1 the last.

    A convolution is flattened, each position of each channel a neuron, in the layer's own order: (c, h, w) in PyTorch,
    (h, w, c) in Keras. A mean per channel would hide a trigger that lights up one corner; if you want it all the same,
    reshape the result and take the mean.

    The model is left as it was: modes, running statistics, gradients, device, hooks. Raises TypeError for another kind
    of model, ValueError for an X, a layer or a model that cannot be read.
    """
    model, X = _through_pipeline(model, X)
    reader_kind = reader_of(model)
    X = _as_samples(X)
    if not _is_whole(batch_size) or batch_size < 1:
        raise ValueError(f"batch_size must be a whole number above 0; got {batch_size!r}")
    with np.errstate(over="ignore", invalid="ignore"):  # what they would warn of is looked for below
        every = reader_kind(model)
        calls = every.calls(X[:1])
        name, side = _pick(calls, head_of(every, calls, X[:1]), every.names, layer, allow_output)
        times = sum(made.name == name for made in calls)
        if call is None and times > 1:
            raise ValueError(f"layer {name!r} is called {times} times; say which, from call=0 to call={times - 1}")
        if call is not None and (not _is_whole(call) or not -times <= call < times):
            must = f"a whole number from {-times} to {times - 1}"
            raise ValueError(f"call must be {must} for layer {name!r}; got {call!r}")
        reader, parts = reader_kind(model, name), []
        for batch in (X[start : start + batch_size] for start in range(0, len(X), batch_size)):
            values = [getattr(made, side) for made in reader.calls(batch)]
            parts.append(_as_rows([values[call or 0]] if len(values) == times else values, name, len(batch)))
    activations = np.concatenate(parts)
    if not np.isfinite(activations).all():
        raise ValueError("activations must be finite; a number in X or in the model is NaN, infinite or too large")
    return activations


def layer_names(model: Any) -> tuple[str, ...]:
    """Return the names that `hidden_activations` takes for this model; the output layer is among them."""
    model, _ = _through_pipeline(model, None)
    return tuple(reader_of(model)(model).names)


def _through_pipeline(model: Any, X: Any) -> tuple[Any, Any]:
    """Return the network at the end of a scikit-learn Pipeline, and X as the steps before hand it on; others as is."""
    if not hasattr(model, "named_steps"):
        return model, X
    try:
        made = X if X is None or len(model.steps) < 2 else model[:-1].transform(X)
    except Exception as error:  # a step of any kind
        raise ValueError(f"X did not pass the steps before the network: {error}") from error
    return model.steps[-1][1], made.toarray() if hasattr(made, "toarray") else made


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _as_samples(X: Any) -> Array:
    X = bare(X, "X")
    try:
        array = np.asarray(X)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be one array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"X must hold real numbers; got {type(X).__name__} of dtype {array.dtype}")
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(f"X must have at least one sample, in rows, and one column; got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("X must hold finite numbers; got NaN or infinity")
    return array


def _pick(calls: list[Call], head: int | None, names: Sequence[str], layer: Any, allow_output: bool) -> tuple[str, str]:
    """Return the layer to listen to, and the side: what it has read (the default, at the output layer) or put out."""
    found = f"the layers are {', '.join(map(repr, names))}"
    if layer is None:
        if head is None or calls[head].reads_x or not any(made.has_matrix for made in calls[:head]):
            raise ValueError(f"model must have a hidden layer before its output layer; name the one to read; {found}")
        if calls[head].is_model:
            raise ValueError(f"model must not end in a model inside it; build it without, or name a layer; {found}")
        return calls[head].name, "read"
    name = names[layer] if _is_whole(layer) and -len(names) <= layer < len(names) else layer
    if name not in names:
        raise ValueError(f"layer must be the name or the position of a layer; got {layer!r}; {found}")
    first = next((k for k, made in enumerate(calls) if made.name == name), None)
    if first is None:
        raise ValueError(f"layer must be called in a forward pass; {name!r} is called 0 times; {found}")
    if first >= (head or 0) and not allow_output:
        raise ValueError(f"layer {name!r} is not hidden but output; to read it, say allow_output=True; {found}")
    return name, "put_out"


def _as_rows(values: list[Any], name: str, n_samples: int) -> Array:
    """Return the one thing that a layer put out in a forward pass as an array (n_samples, n_neurons)."""
    values = [value if (main := main_part(value)) is None else main for value in values]
    got = [tuple(value.shape) if hasattr(value, "shape") else type(value).__name__ for value in values]
    if len(got) != 1 or got[0][:1] != (n_samples,):
        raise ValueError(f"layer {name!r} must put out one array with {n_samples} rows, one per sample; got {got}")
    value = values[0].detach().cpu() if hasattr(values[0], "detach") else values[0]
    value = value.dequantize() if getattr(value, "is_quantized", False) else value
    half = hasattr(value, "float") and value.element_size() < 4  # NumPy has no bfloat16
    return np.asarray(value.float().numpy() if half else value).reshape(n_samples, -1)
