"""Random starts: how often a net of each width, begun anywhere, becomes a backdoor."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lesson_lib.network import PARAMETERS
from lesson_lib.sweeps import words
from lesson_lib.sweeps.experiment import Experiment, random_start, samples, swept_values, train_many, trajectories
from lesson_lib.training import OUTCOMES, Outcome


@dataclass(frozen=True)
class Success:
    """How many of the random starts of one width became a backdoor."""

    width: int
    learnt: int
    starts: int

    @property
    def share(self) -> float:
        """The share that succeeded, from 0 to 1."""
        return self.learnt / self.starts

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval for the share (E. B. Wilson, 1927)."""
        z, n = 1.96, self.starts
        centre = (self.share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(self.share * (1 - self.share) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)


def width_study(
    rng: np.random.Generator, widths: Sequence[int] = (2, 3, 4, 8, 16), starts: int = 400, biases: bool = True
) -> Iterator[Success]:
    """Train `starts` random nets of each width jointly for 4000 epochs; yield each width's success as it is done.

    The rate is 0.05 / max(1, width / 4). Without biases, b1 and b2 are 0 and stay 0.
    """
    shown = samples(swept_values(Experiment(), rate=np.ones(starts)))
    for width in widths:
        net = random_start(rng, width, starts)
        if not biases:
            net = net.with_arrays(b1=0 * net.b1)
        rates = np.full(starts, 0.05 / max(1, width / 4))
        states = train_many(net, *shown, rates, [0, 4000], PARAMETERS if biases else ("W1", "W2"))
        learnt = trajectories(shown, states).outcomes[-1] == OUTCOMES.index(Outcome.BACKDOOR)
        yield Success(width, int(learnt.sum()), starts)


def report(study: Iterator[Success]) -> list[Success]:
    """Print each width's success as soon as it is known; an interrupt keeps what is done."""
    done = []
    try:
        for success in study:
            done.append(success)
            print(words.SUCCESS_LINE.format(width=success.width, learnt=success.learnt, starts=success.starts))
    except KeyboardInterrupt:
        print(words.STUDY_STOPPED)
    return done
