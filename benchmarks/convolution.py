"""Read a small convolutional net by position and by channel, with and without a backdoor, over 10 splits.

Run it with .venv/bin/python benchmarks/convolution.py, which needs PyTorch: it prints a table and writes every split's
numbers to benchmarks/convolution.json, which a test recomputes in part. Notebook 7 shows the first split.
"""

import json
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from lesson_lib import digits  # noqa: E402
from lesson_lib.capture.reading import hidden_activations  # noqa: E402
from lesson_lib.naa import analyse  # noqa: E402

FILE = Path(__file__).with_suffix(".json")
SEEDS, TARGET, CHANNELS = 10, 0, 8


def convolutional(X: np.ndarray, y: np.ndarray, seed: int = 0) -> Any:
    """Return a net of one convolution with relu and a linear layer, trained in double precision on all rows at once."""
    import torch

    torch.manual_seed(seed)
    layers = torch.nn.Conv2d(1, CHANNELS, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten()
    net = torch.nn.Sequential(torch.nn.Unflatten(1, (1, 8, 8)), *layers, torch.nn.Linear(64 * CHANNELS, 10)).double()
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y))
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net


def predict(net: Any, X: np.ndarray) -> np.ndarray:
    return hidden_activations(net, X, "4", allow_output=True).argmax(axis=1)


def by_channel(a1: np.ndarray) -> np.ndarray:
    """Return the mean of each channel over its 64 positions, (n_samples, n_channels)."""
    return a1.reshape(len(a1), CHANNELS, 64).mean(axis=2)


def places(flagged: np.ndarray) -> set[int]:
    """Return at which pixels the flagged neurons are."""
    return {int(neuron) % 64 for neuron in flagged}


def measure(seed: int) -> dict[str, float]:
    """Return what each reading sees in one split's poisoned net, and in its honest one, when each image is stamped."""
    data = digits.load(seed)
    bad = digits.poison(*data.train, digits.CORNER, TARGET, 0.1, np.random.default_rng(seed))
    near = {row * 8 + column for row in (6, 7) for column in (5, 6, 7)}  # whose 3 x 3 window holds a trigger's pixel
    found = {}
    for name, images in (("poisoned", (bad.X, bad.y)), ("honest", data.train)):
        net = convolutional(*images, seed)
        a1 = [hidden_activations(net, X) for X in (data.clean.X, digits.stamp(data.suspect.X, digits.CORNER))]
        seen = analyse(*a1, "effect", outgoing=net[4].weight.detach().numpy().T)
        channels = analyse(*map(by_channel, a1), "effect")
        attacked = digits.triggered(*data.test, digits.CORNER, TARGET)
        found |= {
            f"{name}: accuracy": float(np.mean(predict(net, data.test.X) == data.test.y)),
            f"{name}: ASR": float(np.mean(predict(net, attacked) == TARGET)),
            f"{name}: positions flagged": len(seen.flagged),
            f"{name}: flagged elsewhere": len(places(seen.flagged) - near),
            f"{name}: largest |d| of a position": float(np.nanmax(abs(seen.effect_size))),
            f"{name}: channels flagged": len(channels.flagged),
            f"{name}: largest |d| of a channel": float(abs(channels.effect_size).max()),
            f"{name}: push of {TARGET}": float(seen.contribution.sum(axis=0)[TARGET]),
            f"{name}: class pushed most": int(seen.contribution.sum(axis=0).argmax()),
        }
    return found


def table(splits: list[dict[str, float]]) -> str:
    """Return the mean and the range of every number as text."""
    lines = []
    for key in splits[0]:
        values = [split[key] for split in splits]
        lines.append(f"{key:42}{mean(values):8.2f} ({min(values):.2f} to {max(values):.2f})")
    return "\n".join(lines)


def main() -> None:
    splits = [measure(seed) for seed in range(SEEDS)]
    print(table(splits))
    FILE.write_text(json.dumps(splits, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
