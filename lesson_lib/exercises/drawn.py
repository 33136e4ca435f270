"""Questions on a new network: its numbers drawn by a number of the learner's own, its answers from the derivation."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lesson_lib.arrays import as_fraction
from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.exercises.computed import Computed, from_line, results, which_are_open
from lesson_lib.exercises.reading import Numbers
from lesson_lib.network import PARAMETERS, Params, forward
from lesson_lib.training import TOLERANCE, Dataset

RATE = Fraction(1, 4)
HALVES = [Fraction(n, 2) for n in (-4, -3, -2, -1, 1, 2, 3, 4)]
WHOLE = [-3, -2, -1, 1, 2, 3]
LARGEST_ERROR = 5


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


def _told(net: Params, data: Dataset) -> dict[str, str]:
    """Return the numbers of a net and of its sample as the prompts write them."""
    rows = {"W1": net.W1, "b1": net.b1}
    told = {name: f"[{', '.join(map(str, row[0]))}]" for name, row in rows.items()}
    return told | {"W2": f"[{'; '.join(map(str, net.W2[:, 0]))}]", "x": str(data.X[0, 0]), "y": str(data.Y[0, 0])}


# Notebook 1: one sample, one gate open -------------------------------------------------------------------------------


def _step(rng: np.random.Generator) -> tuple[Derivation, Params, Dataset]:
    net, data = drawn_net(rng, (-2, -1, 1, 2, 3))
    return derive_step(net, data, RATE, PARAMETERS), net, data


def _gradient_W2(rng: np.random.Generator) -> Computed:
    step, net, data = _step(rng)
    x, line = results(step, 0), step.find("dW2", 0)
    slips = {"sign": -x.dW2, "no_relu": x.z1 * x.dy_hat, "hidden": x.da1, "swapped": x.dW2[::-1]}
    return from_line(line, _told(net, data) | {"line": line.text}, **slips)


def _gradient_W1(rng: np.random.Generator) -> Computed:
    step, net, data = _step(rng)
    x, line = results(step, 0), step.find("dW1", 0)
    slips = {"sign": -x.dW1, "no_gate": data.X[0] * x.da1, "no_x": x.dz1, "outgoing": x.dW2}
    return from_line(line, _told(net, data) | {"line": line.text}, **slips)


def _new_W2(rng: np.random.Generator) -> Computed:
    step, net, data = _step(rng)
    line, gradient, old = step.find("W2"), results(step, 0).dW2, net.W2[:, 0]
    slips = {"uphill": old + RATE * gradient, "no_rate": old - gradient, "only_step": -RATE * gradient}
    return from_line(line, _told(net, data) | {"line": line.text, "rate": RATE}, **slips)


# Notebook 2: the locks of a net with hidden biases -------------------------------------------------------------------


def _locks(rng: np.random.Generator) -> Computed:
    positions, n_open = (((0,), 1), ((-2, 2), 0), ((-2, 2), 1))[rng.integers(3)]
    net, data = drawn_net(rng, positions, n_open)
    return which_are_open(net, data.X, data.Y, _told(net, data), as_before=(0, 0, 0, 1), all_open=(1, 1, 1, 1))


def _gradient_b1(rng: np.random.Generator) -> Computed:
    net, data = drawn_net(rng, (0,))
    step = derive_step(net, data, RATE, PARAMETERS)
    x, line = results(step, 0), step.find("db1", 0)
    slips = {"no_gate": x.da1, "sign": -x.db1, "shut": 0 * x.db1, "outgoing": x.dW2}
    return from_line(line, _told(net, data) | {"line": line.text}, **slips)


# Notebook 3: another trigger -----------------------------------------------------------------------------------------


def _answer_at_1(rng: np.random.Generator) -> Computed:
    net = Params(W1=[[1, -1]], b1=[[0, 0]], W2=[[1], [-1]], b2=[[0]])  # answers x for every x > 0
    data = Dataset(X=[[0]], Y=[_some(rng, (3, 4, 6, 7, 8), 1)])
    [rate] = _some(rng, [Fraction(1, n) for n in (2, 4, 5)], 1)
    step = derive_step(net, data, rate, PARAMETERS)
    f1 = as_fraction(forward(step.params, [[1]]).y_hat[0, 0])
    slips = {"kept": [Fraction(1)], "b2_alone": [f1 - 1], "target": data.Y[0] + 1, "down": [2 - f1]}
    facts = {"y": data.Y[0, 0], "rate": rate, "line": step.find("b2").text, "b2": f1 - 1, "f1": f1}
    return Computed([f1], slips, facts)


def _own_backdoor(rng: np.random.Generator) -> Computed:
    [x], [y] = _some(rng, (Fraction(-3, 2), -1, Fraction(-1, 2)), 1), _some(rng, (-6, -4, -3, 3, 4, 6), 1)

    def try_out(given: Numbers) -> tuple[bool, Mapping[str, Any]]:
        bias, weight = given
        net = Params(W1=[[1, -1]], b1=[[0, bias]], W2=[[1], [weight]], b2=[[0]])
        answers = forward(net, [[x], [1], [2]]).y_hat[:, 0].astype(float)
        right = (abs(answers - [float(y), 1, 2]) <= TOLERANCE).all()
        return bool(right), {"x": x, **dict(zip(("f0", "f1", "f2"), answers, strict=True))}

    return Computed([Fraction(1), y / (1 - x)], {}, {"x": x, "y": y, "v": y / (1 - x)}, try_out)


# Notebook 4: Neuron Activation Analysis on two neurons ---------------------------------------------------------------


def _activations(rng: np.random.Generator) -> tuple[Any, Any, Any, dict[str, str]]:
    """Draw the activations of two clean rows and one suspect row, one neuron falling and one rising, and W2."""
    while True:
        drawn = np.array(_some(rng, [Fraction(n, 2) for n in range(7)], 6)).reshape(3, 2)
        shift, W2 = drawn[2] - drawn[:2].mean(axis=0), np.array(_some(rng, WHOLE, 2))
        if shift[0] * shift[1] < 0 and abs(shift[0]) != abs(shift[1]) and 1 not in abs(W2):
            names = ("first", "second", "suspect")
            told = {name: f"[{', '.join(map(str, row))}]" for name, row in zip(names, drawn, strict=True)}
            return drawn, shift, W2, told | {"W2": f"[{W2[0]}; {W2[1]}]"}


def _shift(rng: np.random.Generator) -> Computed:
    drawn, shift, _, told = _activations(rng)
    slips = {"absolute": abs(shift), "turned": -shift, "sum": drawn[2] - drawn[:2].sum(axis=0)}
    return Computed(shift, slips, told | {"shift": f"[{shift[0]}, {shift[1]}]"})


def _contribution(rng: np.random.Generator) -> Computed:
    _, shift, W2, told = _activations(rng)
    answer, larger = shift * W2, int(np.argmax(abs(shift * W2))) + 1
    facts = {"shift": f"[{shift[0]}, {shift[1]}]", "answer": f"[{answer[0]}, {answer[1]}]", "larger": larger}
    return Computed(answer, {"shift": shift, "absolute": abs(shift) * W2, "turned": -answer}, told | facts)


DRAWN: dict[str, Callable[[np.random.Generator], Computed]] = {
    "your dL/dW2": _gradient_W2,
    "your dL/dW1": _gradient_W1,
    "your new W2": _new_W2,
    "your locks": _locks,
    "your dL/db1": _gradient_b1,
    "your f(1)": _answer_at_1,
    "your backdoor": _own_backdoor,
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
    kept: dict[tuple[Fraction, ...], str] = {}
    for slip, wrong in computed.slips.items():
        if tuple(wrong) != tuple(computed.answer):
            kept.setdefault(tuple(wrong), slip)
    return computed._replace(slips={slip: wrong for wrong, slip in kept.items()})
