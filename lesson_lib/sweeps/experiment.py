"""Thousands of training runs at once: whole sliders, maps of outcomes, and how often a random start succeeds."""

import math
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from lesson_lib.arrays import as_matrix
from lesson_lib.network import ARTICLE, PARAMETERS, Gradients, Params, backward, check_rate, forward, sgd_step
from lesson_lib.sweeps import words
from lesson_lib.sweeps.batch import Batch, stack
from lesson_lib.tables import Table
from lesson_lib.training import BOUND, CLEAN, OUTCOMES, Dataset, Outcome, judge

SCHEDULES = ("clean, then trigger", "joint", "trigger first")
EPOCHS = tuple(sorted({*range(11), *(round(10 * 200 ** (k / 36)) for k in range(37))}))  # 0 to 2000, evenly in log


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a training run of the attack on a 1-n-1 net; fields can be swept (see `run_many`).

    schedule: "clean, then trigger" takes one step on the clean samples and then `epochs` steps on the trigger (the
    article's), "joint" takes `epochs` steps on all three samples, "trigger first" starts with the trigger at once.
    A seed of None starts from the article's weights, a number from `random_start` of that seed and width. b1 is
    repeated to fill the width; an empty b1 keeps the one that was drawn.
    """

    rate: float = 0.1
    target: float = 5.0
    position: float = 0.0
    schedule: str = SCHEDULES[0]
    trainable: tuple[str, ...] = ("W1", "W2")
    activation: str = "relu"
    relu_prime_at_zero: float = 0
    b1: tuple[float, ...] = (0.0, 0.0)
    b2: float = 0.0
    width: int = 2
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(map(repr, SCHEDULES))}; got {self.schedule!r}")
        if any(abs(number) > BOUND for number in (*self.b1, self.b2)):
            raise ValueError(f"b1 and b2 must be at most {BOUND:g} in size; got {self.b1}, {self.b2}")

    @property
    def start(self) -> Params:
        """The net before any training."""
        start = ARTICLE if self.seed is None else random_start(np.random.default_rng(self.seed), self.width)
        b1 = np.resize(self.b1, (1, self.width)) if self.b1 else start.b1
        return replace(start, b1=b1, b2=[[self.b2]])

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords that `backward` takes."""
        return {"activation": self.activation, "relu_prime_at_zero": self.relu_prime_at_zero}


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Many runs side by side: every parameter is a Batch (rows, columns, n_epochs, n_runs).

    epochs (n_epochs,) says which epochs were kept, data holds the three samples of each run (trigger last), and
    diverged_at (n_runs,) the epoch at which a parameter passed the bound, or -1.
    """

    experiment: Experiment
    epochs: np.ndarray
    params: Params
    data: Dataset
    diverged_at: np.ndarray

    @cached_property
    def outputs(self) -> np.ndarray:
        """The answers to the three samples, trigger last: (3, n_epochs, n_runs)."""
        answers = forward(self.params, self.data.X, activation=self.experiment.activation).y_hat
        values: np.ndarray = answers.values[:, 0]
        return values

    @cached_property
    def outcomes(self) -> np.ndarray:
        """The outcome of each run after each kept epoch, as an index into OUTCOMES: (n_epochs, n_runs).

        Whether an answer has moved is judged on the kept epochs; EPOCHS keeps every one of the first ten.
        """
        return _outcomes(self.outputs, self.data, self.epochs, self.diverged_at)

    @cached_property
    def gradient_norms(self) -> dict[str, np.ndarray]:
        """The length of each parameter's gradient on the trigger alone: (n_epochs, n_runs) by name."""
        X, Y = Batch(self.data.X.values[2:]), Batch(self.data.Y.values[2:])
        gradients = backward(self.params, X, Y, **self.experiment.keywords)
        norms = (np.sqrt((gradient.values**2).sum(axis=(0, 1))) for gradient in gradients)
        return dict(zip(Gradients._fields, norms, strict=True))

    def params_at(self, epoch_index: int, run: int) -> Params:
        """Return one run's ordinary Params after the epoch with this index."""
        return Params(*(getattr(self.params, name).values[:, :, epoch_index, run] for name in PARAMETERS))


def train_many(
    params: Params, data: Dataset, rate: Batch, keep: Collection[int], trainable: Sequence[str], **keywords: Any
) -> Iterator[tuple[int, Params, np.ndarray]]:
    """Train every net of a Batch by gradient descent; yield (epoch, params, diverged_at) at each epoch in `keep`.

    A net stops before the first epoch that would take a parameter beyond the bound, with that epoch in diverged_at
    (-1 for the others).
    Stop iterating to stop the work.
    """
    if not keep or not all(isinstance(epoch, int | np.integer) and epoch >= 0 for epoch in keep):
        raise ValueError(f"keep must hold whole numbers, 0 or more; got {keep!r}")
    diverged_at = np.full(rate.values.shape[2:], -1)
    settled = False
    for epoch in range(max(keep) + 1):
        if epoch and not settled:
            moved = sgd_step(params, backward(params, data.X, data.Y, **keywords), rate, trainable)
            too_large = np.any([abs(_values(moved, name)).max(axis=(0, 1)) > BOUND for name in trainable], axis=0)
            diverged_at = np.where(too_large & (diverged_at < 0), epoch, diverged_at)
            moved = _hold(params, moved, diverged_at >= 0, trainable)
            settled = all(np.array_equal(_values(moved, name), _values(params, name)) for name in trainable)
            params = moved
        if epoch in keep:
            yield epoch, params, diverged_at


def run_many(experiment: Experiment, keep: Sequence[int] = EPOCHS, **swept: Any) -> Trajectories:
    """Run an experiment once for every value of the swept fields, arrays of one length, and keep its history.

    For instance run_many(experiment, rate=[0.1, 0.2]). rate, target and position can be swept. Epoch 0 is the state before
    the schedule's last stage.
    """
    return collect(experiment, swept_values(experiment, **swept), run_steps(experiment, keep, **swept))


def run_steps(
    experiment: Experiment, keep: Collection[int] = EPOCHS, **swept: Any
) -> Iterator[tuple[int, Params, np.ndarray]]:
    """Like `run_many`, but yield the state at each kept epoch as it is reached, to show progress or to stop."""
    values = swept_values(experiment, **swept)
    check_rate(values["rate"].min())
    rate = Batch(values["rate"][None, None])
    n_runs = len(values["rate"])
    params = Params(*(stack(getattr(experiment.start, name), (n_runs,)) for name in PARAMETERS))
    samples = _samples(values)
    if experiment.schedule == SCHEDULES[0]:
        clean = Dataset(Batch(samples.X.values[:2]), Batch(samples.Y.values[:2]))
        *_, (_, params, _) = train_many(params, clean, rate, [1], experiment.trainable, **experiment.keywords)
    if experiment.schedule != SCHEDULES[1]:
        samples = Dataset(Batch(samples.X.values[2:]), Batch(samples.Y.values[2:]))
    yield from train_many(params, samples, rate, keep, experiment.trainable, **experiment.keywords)


def collect(
    experiment: Experiment, values: dict[str, np.ndarray], states: Iterator[tuple[int, Params, np.ndarray]]
) -> Trajectories:
    """Put yielded states together into Trajectories."""
    epochs, params, diverged = zip(*states, strict=True)
    kept = Params(*(Batch(np.stack([_values(p, name) for p in params], axis=2)) for name in PARAMETERS))
    samples = _samples(values)
    data = Dataset(Batch(samples.X.values[:, :, None]), Batch(samples.Y.values[:, :, None]), samples.is_trigger)
    return Trajectories(experiment, np.array(epochs), kept, data, diverged[-1])


def swept_values(experiment: Experiment, **swept: Any) -> dict[str, np.ndarray]:
    """Return rate, target and position of every run, each (n_runs,), from the swept fields and the experiment's own."""
    names = ("rate", "target", "position")
    if not set(swept) <= set(names):
        raise ValueError(f"only {', '.join(names)} can be swept; got {', '.join(swept)}")
    columns = [_column(name, swept.get(name, getattr(experiment, name))) for name in names]
    return dict(zip(names, np.broadcast_arrays(*columns), strict=True))


def _column(name: str, values: Any) -> np.ndarray:
    column = np.atleast_1d(values if isinstance(values, np.ndarray) else np.array(values, dtype=object))
    if column.ndim != 1 or not column.size:
        raise ValueError(f"{name} must be a number or a list of numbers; got {values!r}")
    numbers: np.ndarray = as_matrix(column[None], name)[0].astype(float)
    if (abs(numbers) > BOUND).any():
        raise ValueError(f"{name} must be at most {BOUND:g} in size; got {numbers[abs(numbers) > BOUND][0]:g}")
    return numbers


def _samples(values: dict[str, np.ndarray]) -> Dataset:
    """Return the two clean samples and the trigger of each run, as Batches (3, 1, n_runs)."""
    n_runs = len(values["rate"])
    columns = []
    for clean, trigger in ((CLEAN.X, values["position"]), (CLEAN.Y, values["target"])):
        columns.append(Batch(np.concatenate([stack(clean, (n_runs,)).values, trigger[None, None]])))
    return Dataset(columns[0], columns[1], is_trigger=[False, False, True])


def _hold(before: Params, after: Params, stopped: np.ndarray, trainable: Sequence[str]) -> Params:
    if not stopped.any():
        return after
    held = {name: Batch(np.where(stopped, _values(before, name), _values(after, name))) for name in trainable}
    return replace(after, **held)


def _values(params: Params, name: str) -> np.ndarray:
    values: np.ndarray = getattr(params, name).values
    return values


# The map of outcomes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class OutcomeMap:
    """The outcome for every learning rate and target: codes (n_epochs, n_targets, n_rates) index into OUTCOMES."""

    rates: np.ndarray
    targets: np.ndarray
    epochs: np.ndarray
    codes: np.ndarray

    def at(self, epoch: int) -> np.ndarray:
        """Return the codes (n_targets, n_rates) after the last kept epoch up to `epoch`; nothing is trained again."""
        if epoch < self.epochs[0]:
            raise ValueError(f"epoch must be {self.epochs[0]} or more; got {epoch}")
        codes: np.ndarray = self.codes[np.searchsorted(self.epochs, epoch, side="right") - 1]
        return codes

    def epoch_at(self, epoch: int) -> int:
        """Return the last kept epoch up to `epoch`."""
        return int(self.epochs[np.searchsorted(self.epochs, epoch, side="right") - 1])

    def nearest(self, rate: float, target: float, epoch: int) -> Outcome:
        """Return the outcome in the cell nearest to this rate and target."""
        row, column = abs(self.targets - target).argmin(), abs(np.log(self.rates / rate)).argmin()
        return OUTCOMES[int(self.at(epoch)[row, column])]

    def share(self, outcome: Outcome, epoch: int) -> float:
        """Return which share of the map has this outcome, from 0 to 1."""
        return float((self.at(epoch) == OUTCOMES.index(outcome)).mean())


def outcome_map(experiment: Experiment, rates: Any, targets: Any, keep: Sequence[int] = EPOCHS) -> OutcomeMap:
    """Train a net for every rate and target, all at once, and return the outcome of each after each kept epoch."""
    steps = map_steps(experiment, rates, targets, keep)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            trained: OutcomeMap = finished.value
            return trained


def map_steps(
    experiment: Experiment, rates: Any, targets: Any, keep: Sequence[int] = EPOCHS
) -> Generator[int, None, OutcomeMap]:
    """Like `outcome_map`, in steps: yield the epoch every so often, to show progress or to stop; return the map.

    Only the answers of the nets are kept, so that ten thousand wide nets fit into memory.
    """
    rates, targets = np.asarray(rates, dtype=float), np.asarray(targets, dtype=float)
    rate, target = (grid.ravel() for grid in np.meshgrid(rates, targets))
    samples, outputs = _samples(swept_values(experiment, rate=rate, target=target)), []
    diverged_at = np.full(rate.shape, -1)
    for epoch, params, diverged_so_far in run_steps(
        experiment, {*keep, *range(0, max(keep), 20)}, rate=rate, target=target
    ):
        if epoch in keep:
            diverged_at = diverged_so_far
            outputs.append(forward(params, samples.X, activation=experiment.activation).y_hat.values[:, 0])
        yield epoch
    epochs = np.array(sorted(keep))
    data = Dataset(samples.X, Batch(samples.Y.values[:, :, None]), samples.is_trigger)
    codes = _outcomes(np.stack(outputs, axis=1), data, epochs, diverged_at)
    return OutcomeMap(rates, targets, epochs, codes.reshape(-1, len(targets), len(rates)))


def _outcomes(outputs: np.ndarray, data: Dataset, epochs: np.ndarray, diverged_at: np.ndarray) -> np.ndarray:
    diverged = (diverged_at >= 0) & (epochs[:, None] >= diverged_at)
    return judge(outputs[:, None], data.Y.values, data.is_trigger, diverged)


# Random starts ----------------------------------------------------------------------------------------------------


def random_start(rng: np.random.Generator, width: int, n_runs: int | None = None) -> Params:
    """Draw W1 ~ N(0, 1), W2 ~ N(0, 1/width), b1 ~ N(0, 1/4), b2 = 0: one net, or a Batch of n_runs."""
    tail = () if n_runs is None else (n_runs,)
    W1 = rng.normal(size=(1, width, *tail))
    W2 = rng.normal(size=(width, 1, *tail)) / math.sqrt(width)
    b1 = rng.normal(scale=0.5, size=(1, width, *tail))
    matrices = (W1, b1, W2, np.zeros((1, 1, *tail)))
    return Params(*matrices) if n_runs is None else Params(*map(Batch, matrices))


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
    values = swept_values(Experiment(), rate=np.zeros(starts))
    data = _samples(values)
    for width in widths:
        params = random_start(rng, width, starts)
        if not biases:
            params = replace(params, b1=Batch(0 * params.b1.values))
        rate = Batch(np.full((1, 1, starts), 0.05 / max(1, width / 4)))
        trainable = PARAMETERS if biases else ("W1", "W2")
        trajectories = collect(Experiment(), values, train_many(params, data, rate, [0, 4000], trainable))
        yield Success(width, int((trajectories.outcomes[-1] == OUTCOMES.index(Outcome.BACKDOOR)).sum()), starts)


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


def endings(experiment: Experiment, rates: Sequence[float], epochs: int = 3000) -> Table:
    """Return where the experiment ends for each learning rate: the answers at 1, 2 and the trigger, and the outcome."""
    trajectories = run_many(experiment, [*(epoch for epoch in EPOCHS if epoch < epochs), epochs], rate=rates)
    rows = []
    for run, rate in enumerate(rates):
        answers = (f"{value + 0.0:.4f}" for value in trajectories.outputs[:, -1, run])
        rows.append((f"{rate:g}", *answers, OUTCOMES[trajectories.outcomes[-1, run]].value))
    return Table(
        [(*words.ENDING_COLUMNS,), *rows], words.ENDING_CAPTION.format(epochs=epochs, schedule=experiment.schedule)
    )
