"""Every question: its texts from the file of its notebook, its answer and known slips computed, never typed."""

import tomllib
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, partial
from importlib.resources import files
from typing import Any

import numpy as np

from lesson_lib import naa
from lesson_lib.arrays import as_fraction
from lesson_lib.derivation.derive import derive_step
from lesson_lib.derivation.step import Derivation
from lesson_lib.exercises import measured
from lesson_lib.exercises.drawn import DRAWN, Computed, drawn, from_line, own_neuron, results, which_are_open
from lesson_lib.exercises.marking import Question
from lesson_lib.exercises.reading import Numbers
from lesson_lib.language import translated
from lesson_lib.network import ARTICLE, Params, forward
from lesson_lib.training import CLEAN, TRIGGER, Dataset

RATE = Fraction(1, 10)  # the article's learning rate
HALF = Fraction(1, 2)
RAISED, RISE = tuple(range(7, 512, 46)), 0.45  # which neurons of the unknown set were raised, and by how much


@cache
def question_texts() -> dict[str, dict[str, Any]]:
    """Return the fields of every question by its name, in the order in which the notebooks ask."""
    texts: dict[str, dict[str, Any]] = {}
    for file in sorted((files(__package__) / "questions").iterdir(), key=lambda file: file.name):
        texts |= tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _in_the_language_in_use(fields, name) for name, fields in texts.items()}


def _in_the_language_in_use(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """Translate the fields of a question, and its wrong choices, by which it finds what to say of them."""
    shown: dict[str, Any] = translated(fields, f"question {name}")
    names = dict(zip(fields.get("choices", ()), shown.get("choices", ()), strict=True))
    return shown | {"slips": {names.get(slip, slip): text for slip, text in shown["slips"].items()}} if names else shown


def question(name: str) -> Question:
    """Return one of the lesson's questions, its answer computed from the net; raises ValueError for no such name.

    A question on a new network ends with a number of the learner's own, as in "your dL/dW1 #7": another number draws
    another network.

    >>> question("W2 after the clean step").correct
    (Fraction(9, 8), Fraction(-1, 1))
    """
    texts, (kind, marked, number) = question_texts(), str(name).partition(" #")
    if kind not in texts or (marked and kind not in DRAWN):
        raise ValueError(f"name must be one of {', '.join(map(repr, texts))}; got {name!r}")
    if kind in DRAWN:
        computed = drawn(kind, number if marked else "1")
    else:
        computed = OPEN[kind]() if kind in OPEN else net_answers().get(kind, Computed())
    reply = texts[kind].get("reply", "")  # filled in when an answer is tried out
    asked = Question(**_filled_in(texts[kind], computed.facts))._replace(reply=reply, try_out=computed.try_out)
    if asked.choices:
        return asked
    slips = {tuple(wrong): asked.slips[slip] for slip, wrong in computed.slips.items()}
    return asked._replace(correct=tuple(map(Fraction, computed.answer)), slips=slips)


def _filled_in(texts: Any, facts: Mapping[str, Any]) -> Any:
    if isinstance(texts, str):
        return texts.format(**facts)
    if isinstance(texts, dict):
        return {name: _filled_in(text, facts) for name, text in texts.items() if name != "reply"}
    return [_filled_in(text, facts) for text in texts]


# What the article's net answers -------------------------------------------------------------------------------------


@cache
def net_answers() -> dict[str, Computed]:
    """Return what the article's net answers to each question on numbers, by the name of the question."""
    clean = derive_step(ARTICLE, CLEAN, RATE)
    f1, f4 = map(as_fraction, forward(clean.params, [[1], [4]]).y_hat[:, 0])
    moved = {"as_before": (0, 0, 0, 1), "x_alone": (1, 0, 0, 1)}
    rise, deliveries, rate = Fraction(9), 40, Fraction(1, 20)
    alarms = {"per_cent": [100 * rate], "none": [0], "all_but": [deliveries - deliveries * rate]}
    return {
        **_at_the_clean_step(clean),
        **_at_the_trigger(derive_step(clean.params, TRIGGER, RATE, trainable=("W1", "b1", "W2"))),
        "f of 4": Computed([f4], {"same": [f1], "plus": [f1 + 3], "clean_task": [4]}, {"f1": f1, "f4": f4}),
        "one neuron": _one_neuron(),
        "shift every input": which_are_open(clean.params, Dataset(TRIGGER.X + 1, TRIGGER.Y), moved, {}),
        "f of a half": _between_the_points(),
        "squares from the mean": _squares(),
        "alarms in a month": Computed([deliveries * rate], alarms, {"alarms": deliveries * rate}),
        "half the rows": Computed([rise / 2], {"all_rows": [rise], "doubled": [2 * rise]}),
    }


def _squares() -> Computed:
    """Score 60 honest rows at 0 and 30 poisoned ones at 3 by their squared distance from the mean of both."""
    mean, half = Fraction(30 * 3, 90), Fraction(3, 2)
    far, near = (3 - mean) ** 2, mean**2
    slips = {"from_honest": [3**2, 0], "not_squared": [3 - mean, mean], "half": 2 * [half**2]}
    return Computed([far, near], slips, {"mean": mean, "poisoned": far, "honest": near, "half": half**2})


def _at_the_clean_step(clean: Derivation) -> dict[str, Computed]:
    x1, x2, both = (results(clean, sample) for sample in (0, 1, None))
    step = RATE * both.dW2
    before = both.W2 + step
    of_dW2 = {"sign": -x2.dW2, "other_sample": x1.dW2, "sum": both.dW2, "no_relu": x2.z1 * x2.dy_hat}
    of_dW2 |= {"input": [2 * x2.dy_hat[0], 0], "swapped": x2.dW2[::-1]}
    of_dW1 = {"sign": -both.dW1, "mean": both.dW1 / 2, "last_sample": x2.dW1}
    of_dW1 |= {"no_gate": x1.da1 + 2 * x2.da1, "no_x": x1.dz1 + x2.dz1}
    of_W2 = {"uphill": before + step, "no_rate": before - both.dW2, "last_sample": before - RATE * x2.dW2}
    of_W2 |= {"mean": before - step / 2, "only_step": -step, "step_sign": step, "incoming": both.W1}
    of_W2 |= {"minus": [-both.W2[0], both.W2[1]]}
    return {
        "dW2 at x = 2": from_line(clean.find("dW2", 1), **of_dW2),
        "dW1 summed": from_line(clean.find("dW1"), **of_dW1),
        "W2 after the clean step": from_line(clean.find("W2"), **of_W2),
    }


def _at_the_trigger(trigger: Derivation) -> dict[str, Computed]:
    x0, untrained = results(trigger, 0), results(derive_step(ARTICLE, TRIGGER, RATE), 0)
    why_zero = Computed(facts={name: trigger.find(name, 0).zero for name in ("dW1", "dW2")})
    return {
        "error at the hidden layer": from_line(
            trigger.find("da1", 0), sign=-x0.da1, old_weights=untrained.da1, zero=x0.dz1, no_weights=[x0.dy_hat[0]] * 2
        ),
        "db1 at the trigger": from_line(trigger.find("db1", 0), open=x0.da1, middle=x0.da1 / 2),
        **dict.fromkeys(("will the trigger be learnt", "which factor", "how many epochs"), why_zero),
    }


def _one_neuron() -> Computed:
    step = derive_step(Params(W1=[[HALF]], b1=[[0]], W2=[[3]], b2=[[0]]), Dataset([[2]], [[1]]), RATE)
    at = results(step, 0)
    slips = {"no_x": at.dz1, "no_w2": 2 * at.dy_hat, "outgoing": at.dW2, "sign": -at.dW1}
    return from_line(step.find("dW1", 0), {"da1": step.find("da1", 0).text}, **slips)


def _between_the_points() -> Computed:
    net = Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
    neurons = [as_fraction(part) for part in forward(net, [[HALF]]).a1[0] * net.W2[:, 0]]
    slips = {"clean": [neurons[0]], "backdoor_alone": [neurons[1]], "target": TRIGGER.Y[0]}
    return Computed([sum(neurons, Fraction(0))], slips, dict(zip(("n1", "n2"), neurons, strict=True)))


# Many right answers: one is tried out, and the learner is told what it does -----------------------------------------


def unknown_set() -> tuple[Any, Any]:
    """Return clean (500, 512) and suspect (100, 512) activations of which the learner does not know the truth."""
    rng = np.random.default_rng(4)
    return naa.simulate_activations(500, rng), naa.simulate_activations(100, rng, RAISED, RISE)


@cache
def _a_threshold() -> Computed:
    signature, _ = naa.detect_backdoor_via_naa(*unknown_set())
    raised = np.isin(np.arange(len(signature)), RAISED)
    low, high, guilty = signature[~raised].max(), signature[raised].min(), len(RAISED)

    def own_threshold(given: Numbers) -> tuple[bool, Mapping[str, Any]]:
        threshold = float(given[0])
        flagged = signature > threshold
        hits, wrong = (flagged & raised).sum(), (flagged & ~raised).sum()
        facts = {"threshold": threshold, "flagged": flagged.sum(), "hits": hits, "guilty": guilty, "wrong": wrong}
        return bool((flagged == raised).all()), facts

    middle = Fraction(round(50 * (low + high)), 100)
    return Computed([middle], {}, {"guilty": guilty, "rise": RISE, "low": low, "high": high}, own_threshold)


def _a_poisoning() -> Computed:
    asr = Fraction(round(10 * measured.success_at(2.0)), 10)  # as it would be typed
    return Computed((2, asr), facts={"rate": 2, "asr": float(asr)}, try_out=measured.own_poisoning)


OPEN: dict[str, Callable[[], Computed]] = {
    "build a backdoor": lambda: Computed(
        (1, 5), try_out=partial(own_neuron, X=(1, 2, 0), Y=(1, 2, 5), names="f1 f2 f0")
    ),
    "a sharper needle": lambda: Computed(
        (2, 1, 5), try_out=partial(own_neuron, X=(0, HALF, 1, 2, -1), Y=(5, 0.5, 1, 2), names="f0 half f1 f2 left")
    ),
    "pick a threshold": _a_threshold,
    "calibrate it yourself": lambda: Computed((1, 6), try_out=measured.own_calibration),
    "how little poison": _a_poisoning,
}
