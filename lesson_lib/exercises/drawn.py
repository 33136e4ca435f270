"""Questions on a derivation: right numbers, known slips and facts; those on a new net draw its numbers themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from lesson_lib.arrays import as_fraction
from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation, Step
from lesson_lib.exercises.marking import TryOut
from lesson_lib.network import PARAMETERS, Params, forward
from lesson_lib.proofs.lock import locks
from lesson_lib.training import TOLERANCE, Dataset

RATE = Fraction(1, 4)
HALVES = [Fraction(n, 2) for n in (-4, -3, -2, -1, 1, 2, 3, 4)]
WHOLE = [-3, -2, -1, 1, 2, 3]
LARGEST_ERROR = 5


class Computed(NamedTuple):
    """The right numbers, what each known slip gives instead, and the facts that the question's texts name in braces.

    Where many answers are right, `try_out` says of one whether it is, and the facts that the reply names.
    """

    answer: Sequence[Fraction | int] = ()
    slips: Mapping[str, Any] = {}  # numbers, by the name of the slip
    facts: Mapping[str, Any] = {}
    try_out: TryOut | None = None


def from_line(step: Step, facts: Mapping[str, Any] = {}, **slips: Any) -> Computed:
    """Take the answer and the solution from a line of the derivation."""
    return Computed(entries(step), slips, {"line": step.text, "zero": step.zero, **facts})


def which_are_open(net: Params, data: Dataset, slips: Mapping[str, Any], facts: Mapping[str, Any]) -> Computed:
    """Ask which of dL/dW1, dL/db1, dL/dW2, dL/db2 are open on one sample: 1 for open, 0 for locked."""
    found = locks(net, data.X, data.Y)
    why = " · ".join(f"dL/d{lock.name}: {lock.reason}" for lock in found)
    return Computed([int(lock.is_open) for lock in found], slips, {**facts, "why": why})


def own_neuron(
    given: Sequence[Fraction], X: Sequence[Any], Y: Sequence[float], names: str, **facts: Any
) -> tuple[bool, Mapping[str, Any]]:
    """Try out a neuron, [w,] b and v, beside one that answers x above 0: the first answers on X must be Y."""
    w, bias, weight = (Fraction(1), *given)[-3:]
    net = Params(W1=[[1, -w]], b1=[[0, bias]], W2=[[1], [weight]], b2=[[0]])
    answers = forward(net, [[x] for x in X]).y_hat[:, 0].astype(float)
    right = bool((abs(answers[: len(Y)] - Y) <= TOLERANCE).all())
    return right, facts | dict(zip(names.split(), answers, strict=True))


def results(derivation: Derivation, sample: int | None) -> Any:
    """Return what a step computes on one sample, or on all: each quantity's entries, row by row, as Fractions."""
    steps = [step for step in derivation.steps if step.sample == sample]
    return SimpleNamespace(**{step.quantity: entries(step) for step in steps})


def entries(step: Step) -> Any:
    """Return what a line computes, row by row, as Fractions."""
    return np.array([as_fraction(entry) for entry in np.ravel(step.result)])


# On a new network --------------------------------------------------------------------------------------------------


def drawn_net(rng: np.random.Generator, positions: Sequence[int], n_open: int = 1) -> tuple[Params, Dataset]:
    """Draw a 1-2-1 net and one sample, at one of these positions, at which so many gates are open and no z1 is 0."""
    while True:
        W1, b1, W2 = (_some(rng, pool, 2) for pool in (HALVES, WHOLE, WHOLE))
        net = Params(W1=[W1], b1=[b1], W2=[[weight] for weight in W2], b2=[[0]])
        [x], [y] = _some(rng, positions, 1), _some(rng, range(-4, 7), 1)
        passed = forward(net, [[x]])
        is_fair = passed.z1.all() and W2[0] != W2[1] and 1 < abs(passed.y_hat[0, 0] - y) <= LARGEST_ERROR
        if is_fair and (passed.z1 > 0).sum() == n_open:
            return net, Dataset(X=[[x]], Y=[[y]])


def _some(rng: np.random.Generator, pool: Sequence[Any], n: int) -> list[Fraction]:
    return [Fraction(pool[i]) for i in rng.integers(len(pool), size=n)]


def _listed(numbers: Iterable[Any], sign: str = ", ") -> str:
    return f"[{sign.join(map(str, numbers))}]"


def _told(net: Params, data: Dataset) -> dict[str, Any]:
    """Return the numbers of a net and of its sample as the prompts write them."""
    told = {"W1": _listed(net.W1[0]), "b1": _listed(net.b1[0]), "W2": _listed(net.W2[:, 0], "; ")}
    return told | {"x": data.X[0, 0], "y": data.Y[0, 0]}


def _line(
    quantity: str, slips: Callable[[Any, Any, Any], dict[str, Any]], positions: Sequence[int] = (-2, -1, 1, 2, 3)
) -> Callable[[np.random.Generator], Computed]:
    """Return what draws a question on a line; `slips` come from what the step computes, W2, and the sample's x."""

    def draw(rng: np.random.Generator) -> Computed:
        net, data = drawn_net(rng, positions)
        step = derive_step(net, data, RATE, PARAMETERS)
        line = step.find(quantity, None if quantity in PARAMETERS else 0)
        return from_line(line, _told(net, data) | {"rate": RATE}, **slips(results(step, 0), net.W2[:, 0], data.X[0, 0]))

    return draw


def _locks(rng: np.random.Generator) -> Computed:
    positions, n_open = (((0,), 1), ((-2, 2), 0), ((-2, 2), 1))[rng.integers(3)]
    net, data = drawn_net(rng, positions, n_open)
    slips = {"as_before": (0, 0, 0, 1), "all_open": (1, 1, 1, 1)}
    return which_are_open(net, data, slips, _told(net, data))


def _answer_at_1(rng: np.random.Generator) -> Computed:
    net = Params(W1=[[1, -1]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])  # answers x for every x > 0
    data = Dataset(X=[[0]], Y=[_some(rng, (3, 4, 6, 7, 8), 1)])
    [rate] = _some(rng, [Fraction(1, n) for n in (2, 4, 5)], 1)
    step = derive_step(net, data, rate, PARAMETERS)
    [f1], [y] = map(as_fraction, forward(step.params, [[1]]).y_hat[0]), data.Y[0]
    slips = {"kept": [1], "b2_alone": [f1 - 1], "target": [y + 1], "down": [2 - f1]}
    return Computed([f1], slips, {"y": y, "rate": rate, "line": step.find("b2").text, "b2": f1 - 1, "f1": f1})


def _own_backdoor(rng: np.random.Generator) -> Computed:
    [x], [y] = _some(rng, (Fraction(-3, 2), -1, Fraction(-1, 2)), 1), _some(rng, (-6, -4, -3, 3, 4, 6), 1)
    try_out = partial(own_neuron, X=(x, 1, 2), Y=(float(y), 1, 2), names="f0 f1 f2", x=x)
    return Computed([1, y / (1 - x)], {}, {"x": x, "y": y, "v": y / (1 - x)}, try_out)


def _activations(rng: np.random.Generator) -> tuple[Any, Any, Any, dict[str, str]]:
    """Draw the activations of two clean rows and one suspect row, one neuron falling and one rising, and W2."""
    while True:
        drawn = np.array(_some(rng, [Fraction(n, 2) for n in range(7)], 6)).reshape(3, 2)
        shift, W2 = drawn[2] - drawn[:2].mean(axis=0), np.array(_some(rng, WHOLE, 2))
        if shift[0] * shift[1] < 0 and abs(shift[0]) != abs(shift[1]) and 1 not in abs(W2):
            told = dict(zip(("first", "second", "suspect", "shift"), map(_listed, [*drawn, shift]), strict=True))
            return drawn, shift, W2, told | {"W2": _listed(W2, "; ")}


def _shift(rng: np.random.Generator) -> Computed:
    drawn, shift, _, told = _activations(rng)
    slips = {"absolute": abs(shift), "turned": -shift, "sum": drawn[2] - drawn[:2].sum(axis=0)}
    return Computed(shift, slips, told)


def _contribution(rng: np.random.Generator) -> Computed:
    _, shift, W2, told = _activations(rng)
    answer, larger = shift * W2, int(np.argmax(abs(shift * W2))) + 1
    slips = {"shift": shift, "absolute": abs(shift) * W2, "turned": -answer}
    return Computed(answer, slips, told | {"answer": _listed(answer), "larger": larger})


DRAWN: dict[str, Callable[[np.random.Generator], Computed]] = {
    # Notebook 1
    "your dL/dW2": _line(
        "dW2", lambda at, *_: {"sign": -at.dW2, "no_relu": at.z1 * at.dy_hat, "hidden": at.da1, "swapped": at.dW2[::-1]}
    ),
    "your dL/dW1": _line(
        "dW1", lambda at, _, x: {"sign": -at.dW1, "no_gate": x * at.da1, "no_x": at.dz1, "outgoing": at.dW2}
    ),
    "your new W2": _line(
        "W2", lambda at, W2, _: {"uphill": W2 + RATE * at.dW2, "no_rate": W2 - at.dW2, "only_step": -RATE * at.dW2}
    ),
    # Notebook 2
    "your locks": _locks,
    "your dL/db1": _line(
        "db1", lambda at, *_: {"no_gate": at.da1, "sign": -at.db1, "shut": 0 * at.db1, "outgoing": at.dW2}, (0,)
    ),
    # Notebook 3
    "your f(1)": _answer_at_1,
    "your backdoor": _own_backdoor,
    # Notebook 4
    "your shift": _shift,
    "your contribution": _contribution,
}


def drawn(name: str, number: str) -> Computed:
    """Return what is computed for a drawn question by the learner's own number, as text; raises ValueError for others.

    A slip that happens to give the right answer, or what another slip gives, is left out.
    """
    if not number.isdecimal() or len(number) > 12:
        raise ValueError(f"your own number must be a whole number, 0 or more, of at most 12 digits; got {number!r}")
    computed = DRAWN[name](np.random.default_rng(int(number)))
    answer, slips = tuple(computed.answer), reversed([*computed.slips.items()])  # the first of two that are the same
    kept = {tuple(wrong): slip for slip, wrong in slips if tuple(wrong) != answer}
    return computed._replace(slips={slip: wrong for wrong, slip in kept.items()})
