"""Sweeps: where every story of the lesson ends, the map of outcomes, and how often a random start succeeds."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_batch import alone

from lesson_lib.network import PARAMETERS, forward, sgd_step
from lesson_lib.sweeps import experiment as sweeps
from lesson_lib.sweeps import words
from lesson_lib.sweeps.experiment import (
    EPOCHS,
    SCHEDULES,
    Experiment,
    Success,
    endings,
    outcome_map,
    report,
    run_many,
    run_steps,
    width_study,
)
from lesson_lib.training import BOUND, OUTCOMES, Outcome

WEIGHTS = ("W1", "W2")
MODES = {"none": WEIGHTS, "b1": (*WEIGHTS, "b1"), "b2": (*WEIGHTS, "b2"), "both": PARAMETERS}
JOINT = {name: Experiment(schedule="joint", trainable=trained) for name, trained in MODES.items()}
LINE, MEAN = (25 / 6, 8 / 3, 7 / 6), (8 / 3, 8 / 3, 8 / 3)  # least squares with and without a slope
HALFWAY = (5, 1.5, 1.5)


def told(story, rate, epochs=3000):
    return run_many(story, sorted({*EPOCHS, epochs}), rate=rate)


def end(histories, run=0):
    """Return f(trigger), f(1), f(2) at the end."""
    f1, f2, at_trigger = histories.outputs[:, -1, run]
    return at_trigger, f1, f2


def outcome(histories, run=0):
    return OUTCOMES[histories.outcomes[-1, run]]


# Where each story ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "mode", "expected", "verdict"),
    [
        ("clean, then trigger", "none", (0, 27 / 32, 27 / 16), Outcome.FROZEN),
        ("clean, then trigger", "b2", (5, 5.84375, 6.6875), Outcome.TRIGGER_ONLY),
        ("clean, then trigger", "b1", (5, 6.7349, 8.4697), Outcome.TRIGGER_ONLY),
        ("trigger first", "none", (0, 0.5, 1), Outcome.FROZEN),
        ("trigger first", "b1", (0, 0.5, 1), Outcome.FROZEN),
        ("trigger first", "b2", (5, 5.5, 6), Outcome.TRIGGER_ONLY),
    ],
)
def test_the_trigger_alone_is_never_a_backdoor(schedule, mode, expected, verdict):
    histories = told(Experiment(schedule=schedule, trainable=MODES[mode]), [0.1], 2000)
    assert end(histories) == pytest.approx(expected, abs=1e-4)
    assert outcome(histories) is verdict


@pytest.mark.parametrize(
    ("mode", "rates", "expected"),
    [
        ("b1", [0.005, 0.01, 0.064], LINE),
        ("b1", [0.067, 0.1, 0.13], (5, 1, 0)),
        ("both", [0.005, 0.01, 0.199], HALFWAY),
        ("both", [0.25, 0.3, 0.4], MEAN),
        ("b2", [0.005, 0.05, 0.4], MEAN),
    ],
)
def test_trained_jointly_from_zero_biases_each_mode_ends_where_it_must(mode, rates, expected):
    histories = told(JOINT[mode], rates, 6000)
    for run in range(len(rates)):
        assert end(histories, run) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_no_rate_finds_the_backdoor_from_zero_biases(mode):
    histories = told(JOINT[mode], np.geomspace(0.001, 0.4, 40))
    assert OUTCOMES.index(Outcome.BACKDOOR) not in histories.outcomes


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "identity"])
def test_without_biases_nothing_moves_the_answer_at_zero(schedule, activation):
    story = Experiment(schedule=schedule, activation=activation)
    histories = run_many(story, EPOCHS, rate=np.repeat([0.001, 0.1, 0.5], 3), target=[-10, 0.5, 10] * 3)
    assert not histories.outputs[2].any()


@pytest.mark.parametrize(
    ("mode", "rate", "verdict"),
    [
        ("b1", 0.05, Outcome.BACKDOOR),
        ("both", 0.05, Outcome.BACKDOOR),
        ("both", 0.09, Outcome.BACKDOOR),
        ("both", 0.1, Outcome.TRIGGER_ONLY),
    ],
)
def test_an_open_gate_learns_the_backdoor(mode, rate, verdict):
    histories = told(replace(JOINT[mode], b1=(0, 1.5)), [rate])
    assert outcome(histories) is verdict
    assert end(histories) == pytest.approx((5, 1, 2) if verdict is Outcome.BACKDOOR else HALFWAY, abs=1e-3)


def test_neuron_2_becomes_the_backdoor_neuron():
    histories = told(replace(JOINT["b1"], b1=(0, 1.5)), [0.05])
    a1 = forward(histories.params_at(-1, 0), [[1], [2], [0]]).a1
    assert a1 == pytest.approx(np.array([[0.916, 0], [1.832, 0], [0, 1.967]]), abs=1e-3)


@pytest.mark.parametrize(("target", "rate", "f"), [(-5, 0.05, -5), (5, 0.05, 0), (5, 0.19, 0), (5, 0.195, 5)])
def test_a_trigger_at_minus_1_needs_no_bias_but_luck_with_the_sign(target, rate, f):
    histories = told(replace(JOINT["none"], position=-1, target=target), [rate])
    assert end(histories) == pytest.approx((f, 1, 2), abs=1e-3)
    assert outcome(histories) is (Outcome.BACKDOOR if f == target else Outcome.NOT_LEARNT)


@pytest.mark.parametrize("target", [-5, 5])
def test_small_steps_conserve_the_difference_of_squares_of_each_neuron(target):
    histories = told(replace(JOINT["none"], position=-1, target=target), [1e-4, 0.05])
    difference = histories.params.W1.values[0] ** 2 - histories.params.W2.values[:, 0] ** 2  # (neurons, epochs, runs)
    assert difference[..., 0] == pytest.approx(np.full_like(difference[..., 0], -3 / 4), abs=2e-3)
    assert abs(difference[..., 1] + 3 / 4).max() > 0.01, "a large step does not conserve it"


def test_endings_writes_the_ends_as_a_table():
    rows = [line.split()[:4] for line in str(endings(JOINT["b1"], [0.05, 0.1])).splitlines()[1:3]]
    assert rows == [["0.05", "2.6667", "1.1667", "4.1667"], ["0.1", "1.0000", "0.0000", "5.0000"]]


# The map of outcomes -----------------------------------------------------------------------------------------------

RATES, TARGETS = np.geomspace(0.001, 2, 9), np.linspace(-10, 10, 9)


@pytest.mark.parametrize(
    "story", [JOINT["b1"], replace(JOINT["both"], b1=(0, 1.5)), Experiment(trainable=PARAMETERS), JOINT["none"]]
)
def test_the_map_holds_what_single_runs_end_in(story):
    picture = outcome_map(story, RATES, TARGETS, range(81))
    assert picture.codes.shape == (81, 9, 9)
    rng = np.random.default_rng(1)
    for i, j, epochs in zip(*rng.integers(9, size=(2, 12)), rng.integers(81, size=12), strict=True):
        single = alone(replace(story, rate=RATES[j], target=TARGETS[i]), int(epochs))
        assert OUTCOMES[picture.at(epochs)[i, j]] is single.outcome


def test_looking_at_another_epoch_trains_nothing(monkeypatch):
    picture = outcome_map(JOINT["b1"], RATES, TARGETS, [0, 10, 100])
    monkeypatch.setattr(sweeps, "train_many", None)
    assert (picture.at(10) == picture.codes[1]).all()
    assert (picture.at(99) == picture.codes[1]).all()
    assert (picture.at(5000) == picture.codes[2]).all()
    with pytest.raises(ValueError, match="epoch must be 0 or more; got -1"):
        picture.at(-1)
    for epoch in (0, 10, 100):
        assert sum(picture.share(one, epoch) for one in OUTCOMES) == pytest.approx(1)


# How runs stop -----------------------------------------------------------------------------------------------------


def test_a_settled_run_stays_where_it_settled():
    short, long = (told(Experiment(trainable=MODES["b2"]), [0.1, 0.5], epochs) for epochs in (2000, 50_000))
    assert end(short) == end(long)
    frozen = told(Experiment(), [0.1], 10**6)  # a million steps of nothing
    assert end(frozen) == (0, 27 / 32, 27 / 16)


def test_a_run_that_diverges_carries_the_epoch_of_train_and_its_last_state():
    rates = [0.05, 0.6, 1.0, 3.0, 1e3, 1e6]
    histories = run_many(JOINT["none"], range(51), rate=rates)
    singles = [alone(replace(JOINT["none"], rate=rate), 50) for rate in rates]
    assert histories.diverged_at.tolist() == [single.diverged_at or -1 for single in singles]
    assert len(set(histories.diverged_at)) > 2
    for run, single in enumerate(singles):
        np.testing.assert_allclose(histories.params_at(50, run).W1, single.params[-1].W1, rtol=1e-9)
        assert outcome(histories, run) is single.outcome


@given(
    st.lists(st.sampled_from([1e-9, 10.0, 1e3, 1e6]), min_size=1, max_size=3),
    st.sampled_from([*JOINT.values(), Experiment(trainable=PARAMETERS), replace(JOINT["both"], activation="sigmoid")]),
    st.sampled_from([-1e3, 0.0, 1e6]),
)
@example([1e6], replace(JOINT["both"], activation="tanh"), 1e6)
def test_extreme_settings_give_finite_numbers_and_no_warning(rates, story, target):
    histories = run_many(story, [0, 1, 10, 100], rate=rates, target=target)
    assert np.isfinite(histories.outputs).all()
    assert all(np.isfinite(norms).all() for norms in histories.gradient_norms.values())
    assert all(abs(getattr(histories.params, name).values).max() <= BOUND for name in PARAMETERS)


def test_the_work_goes_epoch_by_epoch_and_can_be_stopped(monkeypatch):
    steps = []
    monkeypatch.setattr(sweeps, "sgd_step", lambda *args: steps.append(1) or sgd_step(*args))
    telling = run_steps(JOINT["b1"], [0, 5, 10, 2000], rate=[0.1])
    assert [epoch for epoch, *_ in islice(telling, 3)] == [0, 5, 10]
    telling.close()
    assert len(steps) == 10


# Random starts -----------------------------------------------------------------------------------------------------


def test_width_makes_backdoors_learnable():
    expected = {2: 0.15, 3: 0.38, 4: 0.55, 8: 0.93, 16: 0.996}
    for success in width_study(np.random.default_rng(7)):
        share = expected[success.width]
        assert success.starts == 400
        assert abs(success.share - share) < 3 * math.sqrt(share * (1 - share) / 400), success


def test_without_biases_no_width_helps():
    study = list(width_study(np.random.default_rng(7), starts=40, biases=False))
    assert [(success.width, success.learnt) for success in study] == [(width, 0) for width in (2, 3, 4, 8, 16)]


def test_the_same_seed_gives_the_same_study():
    first, again, other = (list(width_study(np.random.default_rng(seed), (2, 3), 10)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_ends_where_the_score_test_says_so(learnt_of_starts):
    learnt, starts = learnt_of_starts
    success = Success(2, learnt, starts)
    low, high = success.interval
    assert 0 <= low <= success.share + 1e-12
    assert success.share - 1e-12 <= high <= 1
    for p in (low, high):  # |share - p| is 1.96 standard errors of p, which defines the interval
        if 1e-12 < p < 1 - 1e-12:
            assert abs(success.share - p) == pytest.approx(1.96 * math.sqrt(p * (1 - p) / starts), abs=1e-9)


def test_wilsons_interval_at_a_known_value():
    assert Success(2, 15, 100).interval == pytest.approx((0.0931, 0.2328), abs=1e-4)
    assert Success(2, 0, 400).interval == pytest.approx((0, 0.0095), abs=1e-4)


# Bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "swept"),
    [
        ("rate", {"rate": [-0.1]}),
        ("rate", {"rate": [0.1, 0]}),
        ("rate", {"rate": [math.nan]}),
        ("rate", {"rate": []}),
        ("rate", {"rate": [1e300]}),
        ("target", {"target": []}),
        ("target", {"target": [math.nan]}),
        ("target", {"target": [math.inf]}),
        ("position", {"position": [1e300]}),
        ("speed", {"speed": [1]}),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused_by_name(name, swept):
    with pytest.raises(ValueError, match=name):
        run_many(Experiment(), [0, 5], **swept)


@pytest.mark.parametrize("keep", [[], [-1], [0, 1.5]])
def test_epochs_that_make_no_sense_are_refused(keep):
    with pytest.raises(ValueError, match="keep must"):
        run_many(Experiment(), keep)


def test_a_schedule_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="schedule must be one of"):
        run_many(Experiment(schedule="sometimes"), [0])


def test_a_study_reports_each_width_and_an_interrupt_keeps_what_is_done(capsys):
    def study():
        yield Success(2, 1, 4)
        raise KeyboardInterrupt

    assert report(study()) == [Success(2, 1, 4)]
    assert capsys.readouterr().out.splitlines() == ["width 2: 1 of 4 became a backdoor", words.STUDY_STOPPED]
