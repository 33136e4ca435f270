"""Activations read from scikit-learn, PyTorch and Keras: the same numbers, and a model that is left as it was."""

import subprocess
import sys
import warnings
from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from lesson_lib.capture.reading import hidden_activations, layer_names

FUNCTIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}
TORCH_ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}
KERAS_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid", "identity": "linear"}
BATCH_SIZES = [1, 2, 3, 7, 100]


@pytest.fixture
def torch():
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield torch


@pytest.fixture
def keras(torch, monkeypatch):
    """Keras, computing with PyTorch; its way to turn a tensor into an array is old-fashioned under NumPy 2."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
        import keras

        assert keras.config.backend() == "torch"
        yield keras


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(7, 5))


def fitted(activation="relu", hidden=(4, 3), kind=MLPClassifier, dtype=float, classes=3):
    """Return a scikit-learn MLP with one step of training, and weights drawn anew, biases too."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 5)).astype(dtype)
    model = kind(hidden_layer_sizes=hidden, activation=activation, max_iter=1, solver="sgd", random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer")  # it stops after its one step, as it should
        model.fit(X, np.arange(30) % classes)
    model.intercepts_ = [rng.normal(size=b.shape).astype(dtype) for b in model.intercepts_]
    return model


def as_torch(torch, model):
    """Return the same net as a torch.nn.Sequential."""
    modules = []
    for W, b in zip(model.coefs_, model.intercepts_, strict=True):
        linear = torch.nn.Linear(*W.shape, dtype=torch.float64)
        linear.load_state_dict({"weight": torch.tensor(W.T), "bias": torch.tensor(b)})
        modules += [linear, getattr(torch.nn, TORCH_ACTIVATIONS[model.activation])()]
    return torch.nn.Sequential(*modules[:-1])


def as_keras(keras, model, functional=True):
    """Return the same net as a functional or a Sequential Keras model."""
    layers = [keras.layers.Dense(W.shape[1], KERAS_ACTIVATIONS[model.activation]) for W in model.coefs_[:-1]]
    layers.append(keras.layers.Dense(model.coefs_[-1].shape[1], "softmax"))
    start = keras.Input((model.coefs_[0].shape[0],))
    made = keras.Sequential([start, *layers])
    if functional:
        tensor = start
        for layer in layers:
            tensor = layer(tensor)
        made = keras.Model(start, tensor)
    made.set_weights([array for pair in zip(model.coefs_, model.intercepts_, strict=True) for array in pair])
    return made


def by_hand(model, X, n_layers):
    for W, b in list(zip(model.coefs_, model.intercepts_, strict=True))[:n_layers]:
        X = FUNCTIONS[model.activation](X @ W + b)
    return X


def in_a_fresh_python(source):
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


# --- what it costs


def test_importing_capture_imports_no_library_of_models():
    loaded = in_a_fresh_python("import lesson_lib.capture.reading, sys; print(*sys.modules)")
    assert "lesson_lib.capture.reading" in loaded
    assert not {"torch", "keras", "sklearn", "scipy", "sympy", "matplotlib"} & set(loaded)


def test_reading_a_scikit_learn_model_imports_neither_torch_nor_keras():
    loaded = in_a_fresh_python(
        "import sys; from sklearn.neural_network import MLPRegressor as M; from lesson_lib.capture.reading import *\n"
        "hidden_activations(M(max_iter=2000, tol=1e9).fit([[0.0], [1.0]], [0, 1]), [[1.0]]); print(*sys.modules)"
    )
    assert "sklearn" in loaded
    assert not {"torch", "keras"} & set(loaded)


# --- scikit-learn


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize(("layer", "n_layers"), [(None, 2), ("hidden 2", 2), ("hidden 1", 1), (0, 1), (-2, 2)])
def test_sklearn_hidden_layers_are_what_the_formula_says(X, activation, layer, n_layers):
    model = fitted(activation)
    np.testing.assert_allclose(hidden_activations(model, X, layer), by_hand(model, X, n_layers), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("classes", [2, 3])
def test_sklearn_output_read_on_request_is_what_the_model_predicts(X, activation, classes):
    model = fitted(activation, classes=classes)
    read = hidden_activations(model, X, "output", allow_output=True)
    np.testing.assert_allclose(read[:, -1], model.predict_proba(X)[:, -1])


def test_sklearn_regressor_output_is_its_prediction(X):
    model = fitted(kind=MLPRegressor)
    read = hidden_activations(model, X, "output", allow_output=True)
    np.testing.assert_allclose(read[:, 0], model.predict(X))


def test_a_steep_sigmoid_saturates_without_a_warning():
    X = np.array([[1e6] * 5, [-1e6] * 5])
    expected = (X @ fitted("logistic").coefs_[0] > 0).astype(float)
    assert (hidden_activations(fitted("logistic"), X, "hidden 1") == expected).all()


def test_sklearn_in_float32_stays_in_float32(X):
    model = fitted(dtype=np.float32)
    assert model.coefs_[0].dtype == np.float32
    assert hidden_activations(model, X).dtype == np.float32


def test_sklearn_layers_have_numbers():
    assert layer_names(fitted()) == ("hidden 1", "hidden 2", "output")


def test_a_planted_model_needs_no_scikit_learn(X):
    model = fitted()
    names = ("coefs_", "intercepts_", "activation", "out_activation_", "hidden_layer_sizes")
    double = SimpleNamespace(**{name: getattr(model, name) for name in names})
    assert (hidden_activations(double, X) == hidden_activations(model, X)).all()


def test_a_model_that_was_not_fitted_is_refused(X):
    with pytest.raises(ValueError, match="model must be fitted; this MLPClassifier has no weights yet"):
        hidden_activations(MLPClassifier(), X)


def test_a_model_without_a_hidden_layer_is_refused(X):
    model = fitted(hidden=())
    with pytest.raises(ValueError, match="must have a hidden layer before its output"):
        hidden_activations(model, X)


@given(arrays(float, st.tuples(st.integers(1, 9), st.just(5)), elements=st.floats(-1e3, 1e3)), st.integers(1, 12))
def test_a_sample_has_the_same_activations_in_any_batch(X, batch_size):
    model = fitted()
    whole = hidden_activations(model, X)
    assert whole.shape == (len(X), 3)
    assert (whole >= 0).all()
    np.testing.assert_allclose(hidden_activations(model, X, batch_size=batch_size), whole, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(hidden_activations(model, X[::-1]), whole[::-1], rtol=1e-9, atol=1e-9)


# --- the three libraries


@pytest.mark.torch
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_torch_agrees_with_sklearn_on_equal_weights(torch, X, activation):
    model = fitted(activation)
    read = hidden_activations(as_torch(torch, model), X)
    assert read.dtype == np.float64
    np.testing.assert_allclose(read, hidden_activations(model, X), rtol=0, atol=1e-12)


@pytest.mark.keras
@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("functional", [True, False])
@pytest.mark.parametrize("layer", [None, "hidden 1"])
def test_all_three_libraries_agree_on_equal_weights(torch, keras, X, activation, functional, layer):
    model = fitted(activation)
    torch_model = as_torch(torch, model).float()
    keras_model = as_keras(keras, model, functional)
    names = {None: (None, None), "hidden 1": ("1", layer_names(keras_model)[0])}[layer]
    expected = hidden_activations(model, X, layer)
    np.testing.assert_allclose(hidden_activations(torch_model, X, names[0]), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(hidden_activations(keras_model, X, names[1]), expected, rtol=0, atol=1e-5)


@pytest.mark.keras
def test_a_convolution_is_flattened_in_the_order_of_its_library(torch, keras):
    images = np.random.default_rng(0).normal(size=(6, 8, 8, 1))
    conv, linear = torch.nn.Conv2d(1, 3, 3), torch.nn.Linear(3 * 6 * 6, 2)
    torch_model = torch.nn.Sequential(conv, torch.nn.ReLU(), torch.nn.Flatten(), linear)
    start = keras.Input((8, 8, 1))
    tensor = keras.layers.Conv2D(3, 3, activation="relu", name="conv", data_format="channels_last")(start)
    keras_model = keras.Model(start, keras.layers.Dense(2)(keras.layers.Flatten()(tensor)))
    kernel = conv.weight.detach().permute(2, 3, 1, 0).numpy()
    keras_model.get_layer("conv").set_weights([kernel, conv.bias.detach().numpy()])
    from_torch = hidden_activations(torch_model, images.transpose(0, 3, 1, 2), "1", batch_size=4)
    from_keras = hidden_activations(keras_model, images, "conv", batch_size=4)
    assert from_torch.shape == from_keras.shape == (6, 108)
    channels_last = from_torch.reshape(6, 3, 36).transpose(0, 2, 1).reshape(6, 108)
    np.testing.assert_allclose(from_keras, channels_last, rtol=0, atol=1e-5)
    assert (hidden_activations(torch_model, images.transpose(0, 3, 1, 2)) == from_torch).all()
    assert (hidden_activations(keras_model, images) == from_keras).all()


# --- PyTorch


def module(torch, forward, **parts):
    """Return a torch.nn.Module with these parts whose forward is `forward(self, x)`."""
    made = type("Made", (torch.nn.Module,), {"forward": forward})()
    for name, part in parts.items():
        setattr(made, name, part)
    return made


def small(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)
    )


def hooks(model):
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_forward_hooks_with_kwargs")
    return [dict(getattr(part, kind)) for part in model.modules() for kind in kinds]


def state(model):
    """Return all that a capture could change: modes, weights and running statistics, gradients, hooks."""
    modes = [part.training for part in model.modules()]
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gradients = [(p.grad is None, p.requires_grad, p.dtype, p.device) for p in model.parameters()]
    return modes, tensors, gradients, hooks(model)


def assert_unchanged(before, model):
    modes, tensors, gradients, hooked = state(model)
    assert (modes, gradients, hooked) == (before[0], before[2], before[3])
    assert tensors.keys() == before[1].keys()
    assert all((tensors[name] == before[1][name]).all() for name in tensors)


@pytest.mark.torch
@pytest.mark.parametrize("training", [True, False, "mixed"])
def test_torch_model_is_left_as_it_was(torch, X, training):
    model = small(torch)
    model.train(bool(training))
    if training == "mixed":
        model[1].eval()
        model[3].training, model.training = True, False
    before = state(model)
    random = torch.get_rng_state()
    hidden_activations(model, X, batch_size=3)
    assert_unchanged(before, model)
    assert (torch.get_rng_state() == random).all()
    assert torch.is_grad_enabled()


@pytest.mark.torch
def test_dropout_and_batch_statistics_are_off_while_reading(torch, X):
    model = small(torch).train()
    first = hidden_activations(model, X, "3")
    assert (first == hidden_activations(model, X, "2")).all()
    np.testing.assert_allclose(hidden_activations(model, X, "3", batch_size=1), first, rtol=0, atol=1e-6)
    normal = hidden_activations(model, X, "0") / np.sqrt(1 + model[1].eps)  # the running mean is 0, the variance 1
    np.testing.assert_allclose(hidden_activations(model, X, "1"), normal, rtol=1e-5, atol=1e-6)


@pytest.mark.torch
def test_no_gradient_is_recorded(torch, X):
    recorded = []

    def forward(self, x):
        x = self.a(x)
        recorded.append((x.requires_grad, torch.is_grad_enabled()))
        return self.b(x)

    hidden_activations(module(torch, forward, a=torch.nn.Linear(5, 3), b=torch.nn.Linear(3, 2)), X)
    assert set(recorded) == {(False, False)}


@pytest.mark.torch
@pytest.mark.parametrize("error", [KeyError, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("when", [1, 2])
def test_no_hook_is_left_behind_when_the_model_raises(torch, X, error, when):
    runs = []

    def forward(self, x):
        x = self.a(x)
        runs.append(len(x))
        if len(runs) == when:
            raise error("on purpose")
        return self.b(x)

    model = module(torch, forward, a=torch.nn.Linear(5, 3), b=torch.nn.Linear(3, 2)).train()
    before = state(model)
    with pytest.raises(error if error is KeyboardInterrupt else ValueError, match="on purpose"):
        hidden_activations(model, X)
    assert len(runs) == when
    assert_unchanged(before, model)


@pytest.mark.torch
def test_hooks_of_the_learner_stay_and_are_called(torch, X):
    model, called = small(torch), []
    mine = model[5].register_forward_hook(lambda *_: called.append(1))
    hidden_activations(model, X)
    assert called
    assert mine.id in model[5]._forward_hooks


@pytest.mark.torch
def test_the_default_is_what_the_output_layer_reads_whatever_comes_after_it(torch, X):
    model = small(torch)
    longer = torch.nn.Sequential(*model, torch.nn.Softmax(dim=1), torch.nn.Identity())
    assert (hidden_activations(longer, X) == hidden_activations(model, X, "5")).all()
    assert (hidden_activations(model, X) >= 0).all()


@pytest.mark.torch
def test_a_functional_relu_is_included(torch, X):
    def forward(self, x):
        return self.out(input=torch.relu(self.hidden(x)))

    model = module(torch, forward, out=torch.nn.Linear(3, 2), hidden=torch.nn.Linear(5, 3))
    z1 = hidden_activations(model, X, "hidden")
    assert (z1 < 0).any()
    assert (hidden_activations(model, X) == np.maximum(z1, 0)).all()


@pytest.mark.torch
def test_a_relu_in_place_does_not_write_over_what_was_read(torch, X):
    linear = torch.nn.Linear(5, 3)
    model = torch.nn.Sequential(linear, torch.nn.ReLU(inplace=True), torch.nn.Linear(3, 2))
    np.testing.assert_allclose(
        hidden_activations(model, X, "0"), linear(torch.tensor(X).float()).detach().numpy(), rtol=1e-6, atol=1e-7
    )


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_model_sees_its_own_precision(torch, X, dtype):
    model = small(torch).to(getattr(torch, dtype))
    read = hidden_activations(model, X)
    assert read.dtype == (np.float64 if dtype == "float64" else np.float32)
    assert read.shape == (7, 3)
    assert all(p.dtype == getattr(torch, dtype) for p in model.parameters())


@pytest.mark.torch
def test_a_refused_model_stays_on_its_device(torch):
    model = small(torch).to("meta")
    with pytest.raises(ValueError, match="on the device meta, which holds no numbers"):
        hidden_activations(model, np.zeros((2, 5)))
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert not any(hooks(model))


@pytest.mark.torch
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_batches_give_what_the_whole_gives(torch, X, batch_size):
    model = small(torch).double()
    np.testing.assert_allclose(
        hidden_activations(model, X, batch_size=batch_size), hidden_activations(model, X), rtol=1e-12, atol=1e-14
    )


def listening(torch, dtype):
    """Return a model of this precision, and the list in which it keeps every tensor that it is given."""
    given = []

    def forward(self, x):
        given.append(x.clone())
        return self.body(x)

    return module(torch, forward, body=small(torch).to(dtype)), given


FORMS = {  # of whole numbers from 0 to 8; `tensor` stands for torch.tensor
    "list": lambda X, tensor: X.tolist(),
    "ints": lambda X, tensor: X.astype(np.uint8),
    "backwards": lambda X, tensor: X[::-1].copy()[::-1],
    "read-only": lambda X, tensor: np.frombuffer(X.tobytes()).reshape(X.shape),
    "Fortran": lambda X, tensor: np.asfortranarray(X),
    "float16": lambda X, tensor: X.astype(np.float16),
    "big-endian": lambda X, tensor: X.astype(">f8"),
    "tensor": lambda X, tensor: tensor(X).requires_grad_(),
}


@pytest.mark.torch
@pytest.mark.parametrize("kind", FORMS)
def test_x_may_come_in_any_form_of_numbers(torch, kind):
    """The model is given the same tensor; what it makes of it may differ in the last digits from run to run."""
    model, given = listening(torch, torch.float32)
    X = np.random.default_rng(0).integers(0, 9, size=(6, 5)).astype(float)
    read = hidden_activations(model, FORMS[kind](X, torch.tensor))
    assert [len(x) for x in given] == [1, 6]  # a row to find the layers, then all
    for x in given:
        assert (x.dtype, x.is_contiguous()) == (torch.float32, True)
        np.testing.assert_array_equal(x.numpy(), X[: len(x)])
    assert np.ptp(read, axis=0).max() > 0.1  # the rows differ
    np.testing.assert_allclose(read, hidden_activations(model, X), rtol=1e-5, atol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("kind", [kind for kind in FORMS if kind not in ("ints", "float16")])
def test_no_digit_of_x_is_lost_on_the_way_to_the_model(torch, X, kind):
    model, given = listening(torch, torch.float64)
    hidden_activations(model, FORMS[kind](X, torch.tensor))
    np.testing.assert_array_equal(given[-1].numpy(), X)


@pytest.mark.torch
def test_the_order_of_the_rows_is_the_order_of_the_activations(torch, X):
    model = small(torch).double()
    whole = hidden_activations(model, X)
    assert not np.allclose(whole, whole[::-1], atol=0.01)
    np.testing.assert_allclose(hidden_activations(model, X[::-1]), whole[::-1], rtol=1e-12, atol=1e-14)


@pytest.mark.torch
def test_torch_layers_are_found_by_name_and_by_position(torch, X):
    model = torch.nn.Sequential(small(torch)[:3], torch.nn.Linear(4, 2))
    assert layer_names(model) == ("0", "0.0", "0.1", "0.2", "1")
    assert (hidden_activations(model, X, "0.2") == hidden_activations(model, X, 3)).all()
    assert (hidden_activations(model, X, "0") == hidden_activations(model, X)).all()


@pytest.mark.torch
def test_a_layer_with_a_parametrised_weight_is_one_layer(torch, X):
    norm = torch.nn.utils.parametrizations.weight_norm
    model = torch.nn.Sequential(norm(torch.nn.Linear(5, 3)), torch.nn.ReLU(), norm(torch.nn.Linear(3, 2)))
    assert layer_names(model) == ("0", "1", "2")
    assert (hidden_activations(model, X) == hidden_activations(model, X, "1")).all()
    with pytest.raises(ValueError, match="not hidden but output"):
        hidden_activations(model, X, "2")


@pytest.mark.torch
@pytest.mark.parametrize("layer", ["6", "7", 7, -1])
def test_torch_output_and_what_follows_is_refused_unless_allowed(torch, X, layer):
    model = torch.nn.Sequential(*small(torch), torch.nn.Softmax(dim=1))
    with pytest.raises(ValueError, match=r"'[67]' is not hidden but output; to read it, say allow_output=True"):
        hidden_activations(model, X, layer)
    read = hidden_activations(model, X, layer, allow_output=True)
    assert read.shape == (7, 2)
    assert np.allclose(read.sum(axis=1), 1) == (layer != "6")


@pytest.mark.torch
def test_a_container_that_holds_the_output_layer_is_output(torch, X):
    model = module(torch, lambda self, x: self.head(self.body(x)), body=small(torch)[:3], head=torch.nn.Sequential())
    model.head.append(torch.nn.Linear(4, 2))
    with pytest.raises(ValueError, match="'head' is not hidden but output"):
        hidden_activations(model, X, "head")
    assert (hidden_activations(model, X, "body") == hidden_activations(model, X)).all()


@pytest.mark.torch
def test_a_layer_used_twice_is_refused_without_a_call(torch, X):
    relu = torch.nn.ReLU()
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), relu, torch.nn.Linear(4, 3), relu, torch.nn.Linear(3, 2))
    with pytest.raises(ValueError, match="'1' is called 2 times"):
        hidden_activations(model, X, "1")
    assert hidden_activations(model, X).shape == (7, 3)


@pytest.mark.torch
def test_a_layer_used_once_more_for_some_batches_is_refused(torch, X):
    def forward(self, x):
        x = self.a(x) if len(x) < 5 else self.a(self.a(x))
        return self.b(x)

    model = module(torch, forward, a=torch.nn.Linear(5, 5), b=torch.nn.Linear(5, 2))
    with pytest.raises(ValueError, match="layer 'a' must put out one array"):
        hidden_activations(model, X, "a")


@pytest.mark.torch
def test_a_layer_that_is_never_called_is_refused(torch, X):
    model = module(torch, lambda self, x: self.b(self.a(x)), a=torch.nn.Linear(5, 3), b=torch.nn.Linear(3, 2))
    model.spare = torch.nn.Linear(3, 3)
    with pytest.raises(ValueError, match="'spare' is called 0 times"):
        hidden_activations(model, X, "spare")


@pytest.mark.torch
def test_a_layer_with_its_samples_in_another_place_is_refused(torch, X):
    parts = {"a": torch.nn.Linear(5, 3), "flip": module(torch, lambda self, x: x.T), "b": torch.nn.Linear(3, 2)}
    model = module(torch, lambda self, x: self.b(self.flip(self.a(x)).T), **parts)
    with pytest.raises(ValueError, match="layer 'flip' must put out one array with 7 rows"):
        hidden_activations(model, X, "flip")


@pytest.mark.torch
def test_a_lazy_model_is_refused_and_stays_lazy(torch, X):
    model = torch.nn.Sequential(torch.nn.LazyLinear(3), torch.nn.ReLU(), torch.nn.LazyLinear(2))
    with pytest.raises(ValueError, match="run it once on a batch"):
        hidden_activations(model, X)
    assert torch.nn.parameter.is_lazy(model[0].weight)


@pytest.mark.torch
def test_torch_models_without_a_hidden_layer_are_refused(torch, X):
    linear, nn = torch.nn.Linear(5, 2), torch.nn
    wide = module(torch, lambda self, x: self.a(x) + self.b(x), a=nn.Linear(5, 2), b=nn.Linear(5, 2))
    for model in (linear, nn.Sequential(linear, nn.Softmax(dim=1)), nn.Sequential(nn.ReLU()), nn.Identity(), wide):
        with pytest.raises(ValueError, match="must have a hidden layer before its output"):
            hidden_activations(model, X)


@pytest.mark.torch
def test_an_x_that_does_not_fit_a_torch_model_is_named(torch):
    with pytest.raises(ValueError, match=r"X with rows of shape \(4,\) did not pass the model: mat1 and mat2"):
        hidden_activations(small(torch), np.zeros((3, 4)))


# --- Keras


def branched(keras):
    start = keras.Input((5,))
    hidden = keras.layers.Dense(4, name="wide")(start)
    hidden = keras.layers.BatchNormalization(name="norm")(hidden)
    hidden = keras.layers.Dropout(0.5, name="drop")(keras.layers.ReLU(name="relu")(hidden))
    logits = keras.layers.Dense(2, name="logits")(hidden)
    return keras.Model(start, keras.layers.Softmax(name="softmax")(logits))


@pytest.mark.keras
def test_keras_default_is_what_the_output_layer_reads(keras, X):
    model = branched(keras)
    assert layer_names(model) == ("wide", "norm", "relu", "drop", "logits", "softmax")
    read = hidden_activations(model, X)
    assert (read == hidden_activations(model, X, "relu")).all()
    assert (hidden_activations(model, X, 0) < 0).any()


@pytest.mark.keras
def test_keras_model_is_left_as_it_was(torch, keras, X):
    model = branched(keras)
    model.layers[3].train()
    model.layers[2].eval()
    before = state(model)
    weights = model.get_weights()
    hidden_activations(model, X, batch_size=3)
    assert_unchanged(before, model)
    assert all((a == b).all() for a, b in zip(model.get_weights(), weights, strict=True))
    assert len(model.layers) == 7
    assert torch.is_grad_enabled()


@pytest.mark.keras
def test_no_gradient_is_recorded_through_keras(torch, keras, X):
    recorded = []

    class Spy(keras.layers.Layer):
        def call(self, x):
            recorded.append(torch.is_grad_enabled())
            return x

    start = keras.Input((5,))
    model = keras.Model(start, keras.layers.Dense(2)(Spy()(keras.layers.Dense(3)(start))))
    recorded.clear()
    hidden_activations(model, X)
    assert recorded[-1:] == [False]


@pytest.mark.keras
def test_keras_output_is_refused_unless_allowed(keras, X):
    model = branched(keras)
    for layer in ("logits", "softmax", -1):
        with pytest.raises(ValueError, match="not hidden but output; to read it, say allow_output=True"):
            hidden_activations(model, X, layer)
    read = hidden_activations(model, X, "softmax", allow_output=True)
    np.testing.assert_allclose(read, model(X, training=False).detach().numpy(), rtol=0, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_keras_batches_give_what_the_whole_gives(keras, X, batch_size):
    model = branched(keras)
    whole = hidden_activations(model, X)
    np.testing.assert_allclose(hidden_activations(model, X, batch_size=batch_size), whole, rtol=0, atol=1e-6)


@pytest.mark.keras
def test_a_sequential_model_built_layer_by_layer_is_read(keras, X):
    model = keras.Sequential()
    for layer in (keras.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3, "relu")):
        model.add(layer)
    model.add(keras.layers.Dense(2))
    assert len(layer_names(model)) == 3
    first = hidden_activations(model, X, 0)
    kernel, bias = model.layers[1].get_weights()
    np.testing.assert_allclose(hidden_activations(model, X), np.maximum(first @ kernel + bias, 0), rtol=0, atol=1e-5)


@pytest.mark.keras
def test_a_function_of_keras_counts_as_a_layer(keras, X):
    start = keras.Input((5,))
    z1 = keras.layers.Dense(4, name="dense")(start)
    model = keras.Model(start, keras.layers.Dense(2, name="out")(keras.ops.relu(z1)))
    assert len(layer_names(model)) == 3
    assert (hidden_activations(model, X) == np.maximum(hidden_activations(model, X, "dense"), 0)).all()


@pytest.mark.keras
def test_layers_shared_with_another_model_are_read_in_this_one(keras, X):
    dense, out = keras.layers.Dense(4, "relu", name="dense"), keras.layers.Dense(2, name="out")
    one, two = keras.Input((5,)), keras.Input((5,))
    keras.Model(one, out(dense(one)))
    doubled = keras.Model(two, out(dense(keras.layers.Rescaling(2.0)(two))))
    alone = keras.Model(one, dense(one))
    np.testing.assert_allclose(
        hidden_activations(doubled, X), hidden_activations(alone, 2 * X, 0, allow_output=True), rtol=0, atol=1e-6
    )


@pytest.mark.keras
def test_a_keras_layer_used_twice_is_refused(keras, X):
    start, dense = keras.Input((5,)), keras.layers.Dense(5, "relu", name="dense")
    model = keras.Model(start, keras.layers.Dense(2)(dense(dense(start))))
    with pytest.raises(ValueError, match="'dense' is called 2 times"):
        hidden_activations(model, X, "dense")
    assert hidden_activations(model, X).shape == (7, 5)


@pytest.mark.keras
def test_keras_models_that_cannot_be_read_are_refused(keras, X):
    class Own(keras.Model):
        def call(self, x):
            return x

    start = keras.Input((5,))
    heads = keras.Model(start, [keras.layers.Dense(2)(start), keras.layers.Dense(3)(start)])
    for model in (Own(), keras.Sequential([keras.layers.Dense(3)]), heads):
        with pytest.raises(ValueError, match="Sequential or functional, and built, with one input and one output"):
            hidden_activations(model, X)


@pytest.mark.keras
def test_a_keras_model_without_a_hidden_layer_is_refused(keras, X):
    start = keras.Input((5,))
    for tensor in (keras.layers.Dense(2)(start), keras.layers.Softmax()(start)):
        with pytest.raises(ValueError, match="must have a hidden layer before its output"):
            hidden_activations(keras.Model(start, tensor), X)


@pytest.mark.keras
def test_a_keras_layer_is_no_model(keras, X):
    with pytest.raises(TypeError, match=r"model must be .* got Dense"):
        hidden_activations(keras.layers.Dense(3), X)


@pytest.mark.keras
@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 1)])
def test_an_x_that_does_not_fit_a_keras_model_is_named(keras, shape):
    with pytest.raises(ValueError, match=r"X must have rows of shape \(5,\) to match the model; got rows of shape"):
        hidden_activations(branched(keras), np.zeros(shape))


# --- what is asked wrongly, for every kind of model


@pytest.fixture(
    params=["sklearn", pytest.param("torch", marks=pytest.mark.torch), pytest.param("keras", marks=pytest.mark.keras)]
)
def model(request):
    """The same net in each library."""
    made = fitted()
    if request.param == "torch":
        return as_torch(request.getfixturevalue("torch"), made)
    return as_keras(request.getfixturevalue("keras"), made) if request.param == "keras" else made


@pytest.mark.parametrize("layer", ["no such layer", "", 99, -99, 1.0, True, ("0",)])
def test_a_layer_that_is_not_there_is_answered_with_those_that_are(model, X, layer):
    with pytest.raises(ValueError, match="layer must be the name or the position of a layer; got") as caught:
        hidden_activations(model, X, layer)
    assert all(repr(name) in str(caught.value) for name in layer_names(model))


def test_logits_are_refused_by_name_and_by_position(model, X):
    for layer in (layer_names(model)[-1], -1):
        with pytest.raises(ValueError, match="is not hidden but output"):
            hidden_activations(model, X, layer)
        assert hidden_activations(model, X, layer, allow_output=True).shape == (7, 3)


def test_allowing_the_output_does_not_choose_it(model, X):
    assert (hidden_activations(model, X, allow_output=True) == hidden_activations(model, X)).all()


def test_x_is_left_as_it_was(model):
    X = np.random.default_rng(0).normal(size=(4, 5))
    before = X.copy()
    hidden_activations(model, X)
    assert (before == X).all()


def test_a_single_sample_is_a_row(model, X):
    assert hidden_activations(model, X[:1]).shape == (1, 3)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((2, 5), np.nan), "X must hold finite numbers"),
        ([[0, 0, 0, 0, np.inf]], "X must hold finite numbers"),
        (np.zeros((0, 5)), r"X must have at least one sample.*\(0, 5\)"),
        (np.zeros((2, 0)), r"X must have at least one sample.*\(2, 0\)"),
        (np.zeros(5), r"X must have at least one sample, in rows.*\(5,\)"),
        (3.0, r"X must have at least one sample, in rows.*\(\)"),
        (np.zeros((3, 4)), r"X .*rows of shape \(4,\)"),
        ([["a", "b"]], "X must hold real numbers; got list of dtype <U1"),
        (None, "X must hold real numbers; got NoneType of dtype object"),
        (np.zeros((2, 5), complex), "X must hold real numbers"),
        ([[1, 2], [3]], "X must be one array of numbers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_x_is_named(model, bad, message):
    with pytest.raises(ValueError, match=message):
        hidden_activations(model, bad)


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, None, "8"])
def test_a_bad_batch_size_is_named(model, X, batch_size):
    with pytest.raises(ValueError, match="batch_size must be a whole number above 0; got"):
        hidden_activations(model, X, batch_size=batch_size)


def test_activations_that_are_not_finite_are_refused(model):
    with pytest.raises(ValueError, match="activations must be finite"):
        hidden_activations(model, np.full((2, 5), 1.7e308) * [1, -1, 1, -1, 1])


@pytest.mark.parametrize("other", [None, 3, "model", [[1.0]], MLPClassifier, LogisticRegression()], ids=repr)
def test_another_kind_of_model_is_refused_and_the_supported_ones_are_named(X, other):
    expected = "model must be a scikit-learn MLPClassifier or MLPRegressor, a torch.nn.Module or a keras.Model; got"
    with pytest.raises(TypeError, match=expected):
        hidden_activations(other, X)
    with pytest.raises(TypeError, match=expected):
        layer_names(other)


@pytest.mark.torch
def test_a_tensor_is_no_model(torch, X):
    with pytest.raises(TypeError, match="got Tensor"):
        hidden_activations(torch.zeros(3), X)
