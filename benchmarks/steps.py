"""Training: one step, and a run of a thousand, next to scalar autograd in the manner of micrograd, and PyTorch."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from rows import Peer, Row, compare, growth, once, torch_on_one_core

from lesson_lib.network import PARAMETERS, Params, backward, sgd_step
from lesson_lib.sweeps.experiment import random_start
from lesson_lib.training import POISONED, train

TITLE = "Training"
ABOUT = (
    "One step of gradient descent on the three samples, and a run of many, with `b1` trained: the 1-2-1 net of the "
    "lesson, which learns the backdoor. All end at the same weights. Scalar autograd is a class `Value` of our own "
    "with +, ×, relu and `backward`, in the manner of micrograd."
)
STEP, RUN = "training step", "training run"
SCALAR, TORCH = "scalar autograd", "PyTorch"
WHY = {
    SCALAR: "Scalar autograd only moves the weights. Ours checks every matrix at every step, and a run keeps every "
    "epoch's weights, loss and answers, which the labs and the verdicts need.",
    TORCH: "PyTorch only moves the weights. Ours checks every matrix at every step, and a run keeps every epoch's "
    "weights, loss and answers, which the labs and the verdicts need.",
}
RATE, TRAINED = 0.05, ("W1", "W2", "b1")
Run = Callable[[], np.ndarray]  # a training that returns all parameters in one row, W1 b1 W2 b2


class Size(NamedTuple):
    """Hidden neurons of the nets that take a step, epochs of the runs, and repeats."""

    hidden: tuple[int, ...] = (2, 8, 32, 128)
    epochs: tuple[int, ...] = (10, 100, 1000)
    repeats: int = 9


TINY = Size(hidden=(2, 4), epochs=(2, 5), repeats=1)


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    whats = (STEP, RUN, f"growth of the {STEP}", f"growth of the {RUN}")
    return [f"{what} / {peer}" for what in whats for peer in (SCALAR, TORCH)]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield the step of the smallest net and the longest run, then how both grow."""
    steps = {n: compared(STEP, start(n), 1, size.repeats) for n in size.hidden}
    runs = {n: compared(RUN, start(2), n, size.repeats) for n in size.epochs}
    yield from steps[min(steps)]
    yield from runs[max(runs)]
    yield from growth(f"growth of the {STEP}", steps, "hidden neurons")
    yield from growth(f"growth of the {RUN}", runs, "epochs")


def start(n_hidden: int) -> Params:
    """Return the net of the lesson's fifth story, or a random one of another width."""
    if n_hidden == 2:
        return Params(W1=[[0.5, -0.5]], b1=[[0, 1.5]], W2=[[1], [-1]], b2=[[0]])
    return random_start(np.random.default_rng(0), n_hidden)


def compared(what: str, params: Params, epochs: int, repeats: int) -> list[Row]:
    """Compare trainings of so many epochs, one for a step."""
    peers = {
        SCALAR: Peer(once(partial(with_values, params, epochs)), WHY[SCALAR]),
        TORCH: Peer(once(partial(with_torch, params, epochs)), WHY[TORCH]),
    }
    ours = a_step if what == STEP else a_run
    size = f"1-{params.W1.shape[1]}-1 net, 3 samples, {epochs:,} epoch{'s' * (epochs > 1)}"
    return compare(what, partial(ours, params, epochs), peers, size, agree, repeats)


def agree(ours: Params, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(in_a_row(ours), theirs, rtol=1e-9, atol=1e-12)


def in_a_row(params: Params) -> np.ndarray:
    return np.concatenate([np.ravel(getattr(params, name)) for name in PARAMETERS]).astype(float)


def a_step(params: Params, _: int) -> Params:
    return sgd_step(params, backward(params, POISONED.X, POISONED.Y), RATE, TRAINED)


def a_run(params: Params, epochs: int) -> Params:
    return train(params, POISONED, RATE, epochs, TRAINED).params[-1]


class Value:
    """A number that remembers what it was made of, after micrograd."""

    def __init__(self, number: float, parents: tuple["Value", ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.number, self.parents, self.slopes, self.gradient = number, parents, slopes, 0.0

    def __add__(self, other: "Value") -> "Value":
        return Value(self.number + other.number, (self, other), (1.0, 1.0))

    def __mul__(self, other: "Value") -> "Value":
        return Value(self.number * other.number, (self, other), (other.number, self.number))

    def relu(self) -> "Value":
        return Value(max(self.number, 0.0), (self,), (float(self.number > 0),))

    def backward(self) -> None:
        """Set the gradient of everything below, the last made first."""
        self.gradient = 1.0
        for value in reversed(self.below()):
            for parent, slope in zip(value.parents, value.slopes, strict=True):
                parent.gradient += slope * value.gradient

    def below(self) -> list["Value"]:
        """Return all values that this one was made of, each after its parents, and itself."""
        order: list[Value] = []
        seen: set[int] = set()

        def visit(value: Value) -> None:
            if id(value) not in seen:
                seen.add(id(value))
                for parent in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        return order


def with_values(params: Params, epochs: int) -> Run:
    samples = list(zip(POISONED.X[:, 0].tolist(), POISONED.Y[:, 0].tolist(), strict=True))
    begin = [np.ravel(getattr(params, name)).tolist() for name in PARAMETERS]

    def step(net: list[list[float]]) -> list[list[float]]:
        W1, b1, W2, b2 = values = [[Value(number) for number in part] for part in net]
        loss = Value(0.0)
        for x, y in samples:
            y_hat = b2[0]
            for w, b, v in zip(W1, b1, W2, strict=True):
                y_hat = y_hat + (w * Value(x) + b).relu() * v
            error = y_hat + Value(-y)
            loss = loss + error * error * Value(0.5)
        loss.backward()
        moved = [[value.number - RATE * value.gradient for value in part] for part in values]
        return [*moved[:3], net[3]]  # b2 stays

    def run() -> np.ndarray:
        net = begin
        for _ in range(epochs):
            net = step(net)
        return np.array([number for part in net for number in part])

    return run


def with_torch(params: Params, epochs: int) -> Run:
    torch = torch_on_one_core()
    X, Y, *begin = (
        torch.tensor(np.array(values, dtype=float))
        for values in (POISONED.X, POISONED.Y, *(getattr(params, name) for name in PARAMETERS))
    )

    def step(net: list[Any]) -> list[Any]:
        W1, b1, W2, b2 = net
        trained = [part.requires_grad_() for part in (W1, b1, W2)]
        loss = ((torch.relu(X @ W1 + b1) @ W2 + b2 - Y) ** 2).sum() / 2
        gradients = torch.autograd.grad(loss, trained)
        with torch.no_grad():
            return [*(part - RATE * gradient for part, gradient in zip(trained, gradients, strict=True)), b2]

    def run() -> np.ndarray:
        net = [part.clone() for part in begin]
        for _ in range(epochs):
            net = step(net)
        return torch.cat([part.detach().ravel() for part in net]).numpy()

    return run
