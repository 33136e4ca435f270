"""Whatever the model: its activations are those of a manual pass, or a TypeError or ValueError says what to do."""

import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lesson_lib.capture.reading import hidden_activations, layer_names

X = np.random.default_rng(0).normal(size=(7, 5))
IDS = np.random.default_rng(1).integers(0, 10, size=(7, 5))


@pytest.fixture
def torch():
    import torch

    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of PyTorch's older ways to export and to quantise
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        torch.manual_seed(0)
        yield torch


@pytest.fixture
def keras(torch, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    return keras


def parts(torch):
    """Return a module with a hidden layer, a head and an auxiliary head, which does nothing by itself."""

    class Parts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.head = torch.nn.Linear(5, 4), torch.nn.Linear(4, 2)
            self.aux, self.reads_logits = torch.nn.Linear(4, 3), torch.nn.Linear(2, 2)

    return Parts()


def with_forward(torch, forward):
    made = parts(torch)
    made.forward = forward.__get__(made)
    return made


def a1(torch, made, x=X):
    """Compute the hidden layer by hand, in NumPy."""
    W, b = (array.detach().numpy() for array in (made.hidden.weight, made.hidden.bias))
    return np.maximum(x @ W.T + b, 0)


def assert_hidden(torch, made, x=X, **options):
    np.testing.assert_allclose(hidden_activations(made, x, **options), a1(torch, made, x), rtol=1e-4, atol=1e-5)


class Pair(NamedTuple):
    logits: Any
    hidden: Any


@dataclass
class Output:
    loss: Any = None
    hidden: Any = None
    logits: Any = None


# PyTorch: what a model returns ---------------------------------------------------------------------------------------

RETURNS = {
    "tuple": lambda y, h: (y, h),
    "list": lambda y, h: [y, h],
    "named tuple": Pair,
    "dict": lambda y, h: {"hidden": h, "logits": y},
    "ordered": lambda y, h: OrderedDict(logits=y, hidden_states=(h, h)),
    "dataclass": lambda y, h: Output(hidden=h, logits=y),
    "nested": lambda y, h: (None, ({"logits": y}, h)),
    "softmax": lambda y, h: y.softmax(dim=1),
    "classes": lambda y, h: y.argmax(dim=1),
    "nothing": lambda y, h: None,
    "numbers": lambda y, h: y.tolist(),
}


@pytest.mark.torch
@pytest.mark.parametrize("kind", RETURNS)
def test_a_model_may_return_anything(torch, kind):
    def forward(self, x):
        hidden = self.hidden(x).relu()
        return RETURNS[kind](self.head(hidden), hidden)

    assert_hidden(torch, with_forward(torch, forward))


@pytest.mark.torch
@pytest.mark.parametrize("reads", ["the hidden layer", "the logits"])
@pytest.mark.parametrize("finish", ["plain", "softmax", "both"])
def test_an_auxiliary_head_that_is_called_last_is_not_the_output_layer(torch, reads, finish):
    def forward(self, x):
        hidden = self.hidden(x).relu()
        logits = self.head(hidden)
        other = self.aux(hidden) if reads == "the hidden layer" else self.reads_logits(logits)
        return {"plain": logits, "softmax": logits.softmax(dim=1), "both": (logits, other)}[finish]

    made = with_forward(torch, forward)
    assert_hidden(torch, made)
    with pytest.raises(ValueError, match="'head' is not hidden but output"):
        hidden_activations(made, X, "head")


# PyTorch: how a model is run -----------------------------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.parametrize("error", [KeyError, RuntimeError, AssertionError, TypeError, ZeroDivisionError, OSError])
def test_whatever_a_model_raises_is_told(torch, error):
    def forward(self, x):
        raise error("on purpose")

    with pytest.raises(
        ValueError, match=r"did not pass the model: .*on purpose.*; if it needs more than X, .* wrap it"
    ):
        hidden_activations(with_forward(torch, forward), X)


@pytest.mark.torch
def test_a_forward_that_needs_more_than_x_is_refused_and_its_wrapper_is_read(torch):
    made = with_forward(torch, lambda self, x, *, scale: self.head(self.hidden(x * scale).relu()))
    with pytest.raises(ValueError, match="missing 1 required keyword-only argument: 'scale'; if it needs more than X"):
        hidden_activations(made, X)

    class Wrapper(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = made

        def forward(self, x):
            return self.inner(x, scale=2.0)

    np.testing.assert_allclose(hidden_activations(Wrapper(), X), a1(torch, made, 2 * X), rtol=1e-4, atol=1e-5)


@pytest.mark.torch
def test_of_a_layer_that_is_called_several_times_the_caller_names_the_call(torch):
    layer, head = torch.nn.Linear(5, 5), torch.nn.Linear(5, 2)

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.head = layer, head

        def forward(self, x):
            return self.head(self.layer(self.layer(x)))

    once = layer(torch.tensor(X).float())
    expected = {0: once, 1: layer(once), -1: layer(once), np.int64(-2): once}
    for call, values in expected.items():
        read = hidden_activations(Twice(), X, "layer", call=call, batch_size=3)
        np.testing.assert_allclose(read, values.detach().numpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="'layer' is called 2 times; say which, from call=0 to call=1"):
        hidden_activations(Twice(), X, "layer")
    for call in (2, -3, True, 0.0, "0"):
        with pytest.raises(ValueError, match="call must be a whole number from -2 to 1 for layer 'layer'; got"):
            hidden_activations(Twice(), X, "layer", call=call)


@pytest.mark.torch
def test_scripted_traced_and_exported_models_are_refused_and_the_original_named(torch):
    made = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    x = torch.tensor(X).float()
    exported = torch.export.export(made, (x,))
    for other in (torch.jit.script(made), torch.jit.trace(made, x), exported):
        with pytest.raises(TypeError, match="scripted, traced or exported, pass the network itself"):
            hidden_activations(other, X)
    with pytest.raises(ValueError, match="did not pass the model: Guard failed"):
        hidden_activations(exported.module(), X)


@pytest.mark.torch
def test_a_compiled_model_is_read_as_the_one_that_it_was_made_from(torch):
    made = with_forward(torch, lambda self, x: self.head(self.hidden(x).relu()))
    compiled = torch.compile(made, backend="eager")
    assert layer_names(compiled) == layer_names(made)
    np.testing.assert_allclose(hidden_activations(compiled, X), a1(torch, made), rtol=1e-4, atol=1e-5)


@pytest.mark.torch
def test_a_quantised_model_is_read(torch):
    made = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    small = torch.ao.quantization.quantize_dynamic(made, {torch.nn.Linear}, dtype=torch.qint8)
    by_hand = small[1](small[0](torch.tensor(X).float())).detach().numpy()
    np.testing.assert_allclose(hidden_activations(small, X), by_hand, atol=0.02)  # each batch has its own scale
    assert (hidden_activations(small, X, "1") == hidden_activations(small, X)).all()


@pytest.mark.torch
def test_a_quantised_tensor_is_read_in_numbers(torch):
    class Quantise(torch.nn.Module):
        def forward(self, x):
            return torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)

    class Back(torch.nn.Module):
        def forward(self, x):
            return x.dequantize()

    made = torch.nn.Sequential(torch.nn.Linear(5, 4), Quantise(), Back(), torch.nn.Linear(4, 2))
    read = hidden_activations(made, X, "1")
    np.testing.assert_allclose(read, hidden_activations(made, X), rtol=1e-6)
    np.testing.assert_allclose(read, hidden_activations(made, X, "0"), atol=0.051)


@pytest.mark.torch
def test_a_model_without_numbers_or_shapes_is_told_what_it_lacks(torch):
    with torch.device("meta"):
        empty = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Linear(4, 2))
    with pytest.raises(ValueError, match="on the device meta, which holds no numbers; load its weights first"):
        hidden_activations(empty, X)
    with pytest.raises(ValueError, match="run it once on a batch"):
        hidden_activations(torch.nn.Sequential(torch.nn.LazyLinear(4), torch.nn.LazyLinear(2)), X)


# PyTorch: layers of other kinds --------------------------------------------------------------------------------------


@pytest.mark.torch
def test_token_ids_reach_an_embedding_whole(torch):
    nn = torch.nn
    made = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(20, 3), nn.ReLU(), nn.Linear(3, 2))
    by_hand = made[:4](torch.tensor(IDS)).detach().numpy()
    for ids in (IDS, IDS.astype(np.uint8), IDS.tolist(), torch.tensor(IDS)):
        np.testing.assert_allclose(hidden_activations(made, ids), by_hand, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hidden_activations(made, IDS, 0)[:, :4], made[0].weight.detach().numpy()[IDS[:, 0]])
    with pytest.raises(ValueError, match=r"did not pass the model: .*indices"):
        hidden_activations(made, IDS + 0.5)


@pytest.mark.torch
def test_attention_and_recurrent_layers_give_their_first_tensor(torch):
    nn = torch.nn

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(5, 1, batch_first=True)
            self.memory, self.head = nn.LSTM(5, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x):
            attended, _ = self.attention(x, x, x)
            return self.head(self.memory(attended)[0][:, -1])

    made, series = Both().eval(), np.random.default_rng(2).normal(size=(6, 4, 5))
    x = torch.tensor(series).float()
    attended = made.attention(x, x, x)[0]
    states = made.memory(attended)[0]
    expected = {"attention": attended, "memory": states, None: states[:, -1]}
    for layer, values in expected.items():
        read = hidden_activations(made, series, layer, batch_size=4)
        np.testing.assert_allclose(read, values.detach().numpy().reshape(6, -1), rtol=1e-4, atol=1e-6)


@pytest.mark.torch
def test_x_in_half_precision_is_read(torch):
    made = with_forward(torch, lambda self, x: self.head(self.hidden(x).relu()))
    for dtype in (torch.bfloat16, torch.float16):
        short = torch.tensor(X).to(dtype)
        assert_hidden(torch, made, short.double().numpy())
        assert (hidden_activations(made, short) == hidden_activations(made, short.double().numpy())).all()


@pytest.mark.torch
def test_numpys_whole_numbers_are_whole_numbers(torch):
    made = with_forward(torch, lambda self, x: self.head(self.hidden(x).relu()))
    assert (hidden_activations(made, X, np.int64(0)) == hidden_activations(made, X, 0)).all()
    assert hidden_activations(made, X, batch_size=np.int32(7)).shape == (7, 4)


# Keras ---------------------------------------------------------------------------------------------------------------


@pytest.mark.keras
def test_a_nested_keras_model_is_a_layer_and_as_the_last_one_is_refused(keras):
    layers = keras.layers
    base = keras.Sequential([keras.Input((5,)), layers.Dense(4, "relu"), layers.Dense(3, "relu")], name="base")
    made = keras.Sequential([keras.Input((5,)), base, layers.Dense(2)])
    by_hand = keras.ops.convert_to_numpy(base(X.astype("float32")))
    for layer in (None, "base"):
        np.testing.assert_allclose(hidden_activations(made, X, layer), by_hand, rtol=1e-4, atol=1e-6)
    inside = keras.Sequential([keras.Input((5,)), layers.Dense(5, "relu", name="first"), base])
    with pytest.raises(
        ValueError, match=r"must not end in a model inside it; build it without, or name a layer; .*'base'"
    ):
        hidden_activations(inside, X)
    assert hidden_activations(inside, X, "first").shape == (7, 5)


@pytest.mark.keras
def test_a_keras_model_of_several_inputs_or_outputs_is_refused_and_its_part_is_read(keras):
    one, two = keras.Input((5,)), keras.Input((5,))
    hidden = keras.layers.Dense(4, "relu", name="hidden")(one)
    logits, other = keras.layers.Dense(2)(hidden), keras.layers.Dense(2)(keras.layers.Add()([one, two]))
    for made in (keras.Model([one, two], logits + other), keras.Model(one, [logits, hidden])):
        with pytest.raises(ValueError, match=r"one input and one output; of a larger one, pass keras.Model\(one_input"):
            hidden_activations(made, X)
    part = keras.Model(one, logits)
    kernel, bias = part.get_layer("hidden").get_weights()
    np.testing.assert_allclose(hidden_activations(part, X), np.maximum(X @ kernel + bias, 0), rtol=1e-4, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_token_ids_reach_an_embedding_of_keras(keras, dtype):
    start = keras.Input((5,), dtype=dtype)
    embedded = keras.layers.Embedding(10, 4, name="embedded")(start)
    made = keras.Model(start, keras.layers.Dense(2)(keras.layers.Flatten()(embedded)))
    table = made.get_layer("embedded").get_weights()[0]
    np.testing.assert_allclose(hidden_activations(made, IDS), table[IDS].reshape(7, 20), rtol=1e-6)


@pytest.mark.keras
def test_of_a_keras_layer_that_is_called_several_times_the_caller_names_the_call(keras):
    start, dense = keras.Input((5,)), keras.layers.Dense(5, "relu", name="dense")
    made = keras.Model(start, keras.layers.Dense(2)(dense(dense(start))))
    kernel, bias = dense.get_weights()
    once = np.maximum(X @ kernel + bias, 0)
    twice = np.maximum(once @ kernel + bias, 0)
    for call, expected in {0: once, 1: twice, -1: twice}.items():
        np.testing.assert_allclose(hidden_activations(made, X, "dense", call=call), expected, rtol=1e-4, atol=1e-6)


# scikit-learn --------------------------------------------------------------------------------------------------------

LABELS = np.arange(7) % 2


def network():
    return MLPClassifier((4,), max_iter=2000, tol=1e9, random_state=0)


def test_a_pipeline_is_read_behind_its_steps():
    pipeline = make_pipeline(StandardScaler(), network()).fit(X, LABELS)
    scaled = StandardScaler().fit_transform(X)
    assert layer_names(pipeline) == ("hidden 1", "output")
    assert (hidden_activations(pipeline, X) == hidden_activations(pipeline[-1], scaled)).all()
    alone = make_pipeline(network()).fit(X, LABELS)
    assert (hidden_activations(alone, X) == hidden_activations(alone[-1], X)).all()


def test_a_pipeline_may_read_texts_and_hand_on_a_sparse_table():
    texts = ["a cat", "a dog", "the cat", "the dog", "a cat and a dog", "no cat", "no dog"]
    pipeline = make_pipeline(CountVectorizer(), network()).fit(texts, LABELS)
    counts = pipeline[0].transform(texts).toarray()
    assert (hidden_activations(pipeline, texts) == hidden_activations(pipeline[-1], counts)).all()


def test_a_pipeline_that_cannot_be_read_says_why():
    with pytest.raises(ValueError, match=r"X did not pass the steps before the network: .*not fitted"):
        hidden_activations(make_pipeline(StandardScaler(), network()), X)
    with pytest.raises(TypeError, match=r"model must be a scikit-learn MLPClassifier .* got StandardScaler"):
        hidden_activations(make_pipeline(StandardScaler(), StandardScaler()).fit(X), X)


def test_a_masked_x_is_refused():
    with pytest.raises(ValueError, match="X must be a plain array; got a masked one"):
        hidden_activations(network().fit(X, LABELS), np.ma.array(X, mask=X > 1))
