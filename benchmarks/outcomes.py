"""The map of outcomes: every net of a map at once, next to a loop over `train`, PyTorch, and a compiled loop in C."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rows import MissingPeerError, Peer, Row, compare, growth, torch_on_one_core

from lesson_lib.network import PARAMETERS
from lesson_lib.sweeps import outcome_map
from lesson_lib.sweeps.experiment import EPOCHS, Experiment
from lesson_lib.training import BOUND, OUTCOMES, TOLERANCE, Dataset, train

TITLE = "The map of outcomes"
ABOUT = (
    "A 1-2-1 net for every learning rate (0.001 to 10) and target (-10 to 10), trained on all three samples with `b1`. "
    "All find the same outcomes. Ours also keeps the map after every epoch that the slider offers. The loop over "
    "`train` runs a sample of the nets; its time is scaled to all of them."
)
WHAT, GROWTH = "outcome map", "growth of the outcome map"
LOOP, TORCH, C = "loop over train", "PyTorch, batched", "C, gcc -O2 -march=native"
WHY = {
    LOOP: "A single net is quicker on its own than as a map of one. The map is made for thousands of nets.",
    TORCH: "PyTorch keeps only the last answers. Ours also judges every net after every epoch that is kept, so that "
    "the epoch slider needs no training.",
    C: "The compiled loop keeps one net in registers, where NumPy writes every intermediate array to memory and reads "
    "it again. It is the yardstick of what the processor can do; it knows one width, one activation and one schedule.",
}
EXPERIMENT = Experiment(schedule="joint", trainable=("W1", "W2", "b1"), b1=(0, 1.5))  # the lesson's fifth story


class Size(NamedTuple):
    """Rates (and targets) of the maps, epochs, nets in the loop's sample, and repeats."""

    sides: tuple[int, ...] = (10, 32, 100)
    epochs: int = 200
    sample: int = 40
    repeats: int = 7


TINY = Size(sides=(3, 6), epochs=20, sample=9, repeats=1)


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    return [f"{WHAT} / {peer}" for peer in (LOOP, TORCH, C)] + [f"{GROWTH} / {peer}" for peer in (TORCH, C)]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield the rows of the largest map, then how all grow with the nets."""
    found = {side**2: compared(side, size) for side in size.sides}
    yield from found[max(found)]
    yield from growth(GROWTH, {n: rows[1:] for n, rows in found.items()}, "nets")


def compared(side: int, size: Size) -> list[Row]:
    """Compare all on a map of so many rates and targets; all must find the same outcomes."""
    rates, targets = np.geomspace(0.001, 10, side), np.linspace(-10, 10, side)
    keep = [epoch for epoch in EPOCHS if epoch < size.epochs] + [size.epochs]
    rate, target = (grid.ravel() for grid in np.meshgrid(rates, targets))
    sample = np.random.default_rng(0).permutation(side**2)[: size.sample]
    peers = {
        LOOP: Peer(partial(one_by_one, rate, target, sample, size.epochs), WHY[LOOP], side**2 / len(sample)),
        TORCH: Peer(partial(with_torch, rate, target, size.epochs), WHY[TORCH]),
        C: Peer(partial(with_c, rate, target, size.epochs), WHY[C]),
    }
    text = f"{side**2:,} nets, {size.epochs} epochs"
    ours = partial(last_outcomes, rates, targets, keep)
    return compare(WHAT, ours, peers, text, agree, size.repeats)


def last_outcomes(rates: np.ndarray, targets: np.ndarray, keep: list[int]) -> np.ndarray:
    return outcome_map(EXPERIMENT, rates, targets, keep).codes[-1]


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Every net that the peer trained has the outcome that we found; -1 stands for one that it left out.

    One net in a thousand may differ: sums in another order are rounded otherwise, and a large rate magnifies that.
    """
    assert theirs.shape == (ours.size,)
    assert (theirs >= 0).any()
    wrong = (theirs >= 0) & (theirs != ours.ravel())
    assert wrong.mean() <= 0.001, f"{wrong.sum()} nets have another outcome"


def one_by_one(rate: np.ndarray, target: np.ndarray, sample: np.ndarray, epochs: int) -> np.ndarray:
    """Train the nets of the sample one after the other."""
    codes = np.full(len(rate), -1)
    for net in sample:
        data = Dataset([[1], [2], [0]], [[1], [2], [target[net]]], [False, False, True])
        run = train(EXPERIMENT.start, data, rate[net], epochs, EXPERIMENT.trainable, evaluate_on=data)
        codes[net] = OUTCOMES.index(run.outcome)
    return codes


def with_torch(rates: np.ndarray, targets: np.ndarray, epochs: int) -> np.ndarray:
    """Train all nets as tensors with autograd, nets last; a net that leaves the bound is held where it was."""
    torch = torch_on_one_core()
    rate, target = torch.tensor(rates), torch.tensor(targets)  # (n_nets,)
    X = torch.tensor([1.0, 2.0, 0.0], dtype=rate.dtype)[:, None, None]
    Y = torch.stack([torch.ones_like(target), 2 * torch.ones_like(target), target])  # (3, n_nets)
    start = (torch.tensor(np.ravel(getattr(EXPERIMENT.start, name)), dtype=rate.dtype) for name in PARAMETERS)
    W1, b1, W2, b2 = (values[:, None].repeat(1, len(rate)) for values in start)
    trained = [W1.requires_grad_(), b1.requires_grad_(), W2.requires_grad_()]  # (2, n_nets) each
    diverged, answers = torch.zeros(len(rate), dtype=torch.bool), []
    for epoch in range(epochs + 1):
        y_hat = (torch.relu(X * W1 + b1) * W2).sum(dim=1) + b2  # (3, n_nets)
        answers.append(y_hat[2].detach())
        if epoch < epochs:
            gradients = torch.autograd.grad(((y_hat - Y) ** 2).sum() / 2, trained)
            with torch.no_grad():
                after = [tensor - rate * gradient for tensor, gradient in zip(trained, gradients, strict=True)]
                diverged |= (torch.cat(after).abs() > BOUND).any(dim=0)
                for tensor, new in zip(trained, after, strict=True):
                    tensor.copy_(torch.where(diverged, tensor, new))
    close = ((y_hat - Y).abs() <= TOLERANCE).numpy()
    still = (torch.stack(answers) == answers[0]).all(dim=0).numpy()
    return np.select([diverged.numpy(), close.all(axis=0), close[2], still], range(4), 4)


def with_c(rates: np.ndarray, targets: np.ndarray, epochs: int) -> np.ndarray:
    """Train all nets in the compiled loop."""
    codes = np.empty(len(rates), np.int8)
    start = np.concatenate([np.ravel(getattr(EXPERIMENT.start, name)) for name in PARAMETERS]).astype(float)
    compiled()(len(rates), rates, targets, epochs, start, BOUND, TOLERANCE, codes)
    return codes


@cache
def compiled() -> Callable[..., None]:
    """Compile outcome_map.c into a folder that goes away at once, and return its function."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise MissingPeerError("no gcc")
    source = Path(__file__).with_name("outcome_map.c")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = Path(folder, "outcome_map.so")
        # Without fused operations, so that every number is rounded as NumPy rounds it.
        flags = ["-O2", "-march=native", "-ffp-contract=off", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, str(source), "-o", str(library)], check=True)
        function = ctypes.CDLL(str(library)).outcomes
    numbers = np.ctypeslib.ndpointer(dtype=np.float64, flags="C_CONTIGUOUS")
    codes = np.ctypeslib.ndpointer(dtype=np.int8, flags="C_CONTIGUOUS")
    real, whole = ctypes.c_double, ctypes.c_int
    function.argtypes, function.restype = [whole, numbers, numbers, whole, numbers, real, real, codes], None
    return function
