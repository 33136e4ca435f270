"""Sweeps: where every experiment of the lesson ends, the map of outcomes, and how often a random start succeeds."""

import math
import re
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import alone

from lesson_lib.network import PARAMETERS, backward, descend, forward
from lesson_lib.sweeps import experiment as sweeps
from lesson_lib.sweeps import studies, words
from lesson_lib.sweeps.experiment import (
    EPOCHS,
    SWEPT,
    Experiment,
    Schedule,
    random_start,
    run_many,
    run_steps,
    side_by_side,
)
from lesson_lib.sweeps.studies import Success, endings, map_steps, outcome_map, report, width_study
from lesson_lib.training import BOUND, OUTCOMES, Outcome

WEIGHTS = ("W1", "W2")
MODES = {"none": WEIGHTS, "b1": (*WEIGHTS, "b1"), "b2": (*WEIGHTS, "b2"), "both": PARAMETERS}
JOINT = {name: Experiment(schedule="joint", trainable=trained) for name, trained in MODES.items()}
LINE, MEAN = (25 / 6, 8 / 3, 7 / 6), (8 / 3, 8 / 3, 8 / 3)  # least squares with and without a slope
HALFWAY = (5, 1.5, 1.5)


def told(experiment, rate, epochs=3000):
    return run_many(experiment, sorted({*EPOCHS, epochs}), rate=rate)


def end(histories, run=0):
    """Return f(trigger), f(1), f(2) at the end."""
    f1, f2, at_trigger = histories.outputs[:, -1, run]
    return at_trigger, f1, f2


def outcome(histories, run=0):
    return OUTCOMES[histories.outcomes[-1, run]]


# What an experiment starts from ------------------------------------------------------------------------------------


def test_an_experiment_starts_from_the_articles_weights_with_its_own_activation_and_biases():
    start = Experiment(activation="tanh", relu_prime_at_zero=1, b1=(0, 1.5), b2=0.5).start
    assert start.W1.tolist() == [[0.5, -0.5]]
    assert start.W2.tolist() == [[1], [-1]]
    assert start.b1.tolist() == [[0, 1.5]]
    assert start.b2.tolist() == [[0.5]]
    assert (start.activation, start.relu_prime_at_zero) == ("tanh", 1)
    usual = Experiment().start
    assert (usual.activation, usual.relu_prime_at_zero) == ("relu", 0)


def test_a_seed_draws_the_start_and_b1_is_repeated_to_fill_the_width():
    drawn, again, other = (Experiment(seed=seed, width=5, b1=()).start for seed in (3, 3, 4))
    same = random_start(np.random.default_rng(3), 5)
    for name in PARAMETERS:
        assert getattr(drawn, name).tolist() == getattr(again, name).tolist() == getattr(same, name).tolist()
    assert drawn.W1.tolist() != other.W1.tolist()
    assert drawn.b1.any()
    assert Experiment(seed=3, width=5, b1=(1, 2)).start.b1.tolist() == [[1, 2, 1, 2, 1]]
    assert Experiment(seed=3, width=5).start.b1.tolist() == [[0] * 5]
    assert Experiment(seed=3, width=5).start.W1.tolist() == drawn.W1.tolist()


@pytest.mark.parametrize("n_runs", [(), (20_000,)])
def test_random_starts_have_the_spread_they_promise(n_runs):
    net = random_start(np.random.default_rng(0), 4 if n_runs else 80_000, *n_runs)
    width = net.W1.shape[1]
    assert [getattr(net, name).shape for name in PARAMETERS] == [
        (1, width, *n_runs),
        (1, width, *n_runs),
        (width, 1, *n_runs),
        (1, 1, *n_runs),
    ]
    for name, spread in (("W1", 1), ("b1", 0.5), ("W2", 1 / math.sqrt(width))):
        assert np.std(getattr(net, name)) == pytest.approx(spread, rel=0.02)
        assert abs(np.mean(getattr(net, name))) < 0.02 * spread
    assert not net.b2.any()


def test_the_kept_epochs_are_spread_evenly_on_a_log_scale():
    assert EPOCHS[:11] == tuple(range(11))
    assert (EPOCHS[-1], len(EPOCHS)) == (2000, len(set(EPOCHS)))
    late = np.array(EPOCHS[10:])
    assert (np.diff(np.log(late)) < 0.21).all()
    assert (late == np.unique(np.round(10 * 200 ** (np.arange(37) / 36)))).all()


def test_schedules_go_by_their_names():
    assert [str(schedule) for schedule in Schedule] == ["clean, then trigger", "joint", "trigger first"]
    assert Experiment(schedule="joint") == Experiment(schedule=Schedule.JOINT)
    assert Experiment().schedule == Schedule.CLEAN_FIRST


# Where each experiment ends ------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("schedule", tuple(Schedule))
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "identity"])
def test_without_biases_nothing_moves_the_answer_at_zero(schedule, activation):
    experiment = Experiment(schedule=schedule, activation=activation)
    histories = run_many(experiment, EPOCHS, rate=np.repeat([0.001, 0.1, 0.5], 3), target=[-10, 0.5, 10] * 3)
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
    difference = histories.params.W1[0] ** 2 - histories.params.W2[:, 0] ** 2  # (neurons, epochs, runs)
    assert difference[..., 0] == pytest.approx(np.full_like(difference[..., 0], -3 / 4), abs=2e-3)
    assert abs(difference[..., 1] + 3 / 4).max() > 0.01, "a large step does not conserve it"


def test_endings_writes_the_ends_as_a_table():
    table = endings(JOINT["b1"], [0.05, 0.1])
    assert table.rows == [
        ("rate", "f(1)", "f(2)", "f(trigger)", "outcome"),
        ("0.05", "2.6667", "1.1667", "4.1667", "not learnt"),
        ("0.1", "1.0000", "0.0000", "5.0000", "trigger only"),
    ]
    assert table.caption == "After 3000 epochs, schedule: joint."
    start = endings(Experiment(), [0.1], epochs=0)
    assert start.rows[1] == ("0.1", "0.8438", "1.6875", "0.0000", "frozen")
    assert start.caption == "After 0 epochs, schedule: clean, then trigger."


# The map of outcomes -----------------------------------------------------------------------------------------------

RATES, TARGETS = np.geomspace(0.001, 2, 9), np.linspace(-10, 10, 9)


@pytest.mark.parametrize(
    "experiment", [JOINT["b1"], replace(JOINT["both"], b1=(0, 1.5)), Experiment(trainable=PARAMETERS), JOINT["none"]]
)
def test_the_map_holds_what_single_runs_end_in(experiment):
    picture = outcome_map(experiment, RATES, TARGETS, range(81))
    assert picture.codes.shape == (81, 9, 9)
    rng = np.random.default_rng(1)
    for i, j, epochs in zip(*rng.integers(9, size=(2, 12)), rng.integers(81, size=12), strict=True):
        single = alone(replace(experiment, rate=RATES[j], target=TARGETS[i]), int(epochs))
        assert OUTCOMES[picture.at(epochs)[i, j]] is single.outcome


def test_looking_at_another_epoch_trains_nothing(monkeypatch):
    picture = outcome_map(JOINT["b1"], RATES, TARGETS, [0, 10, 100])
    monkeypatch.setattr(sweeps, "train_many", None)
    monkeypatch.setattr(studies, "run_steps", None)
    assert (picture.at(10) == picture.codes[1]).all()
    assert (picture.at(99) == picture.codes[1]).all()
    assert (picture.at(5000) == picture.codes[2]).all()
    with pytest.raises(ValueError, match="epoch must be 0 or more; got -1"):
        picture.at(-1)
    for epoch in (0, 10, 100):
        assert sum(picture.share(one, epoch) for one in OUTCOMES) == pytest.approx(1)


def test_the_nearest_cell_tells_its_outcome():
    picture = outcome_map(JOINT["b1"], RATES, TARGETS, [0, 80])
    for row, target in enumerate(TARGETS):
        for column, rate in enumerate(RATES):
            code = picture.codes[1, row, column]
            assert picture.nearest(rate * 1.1, target + 0.5, 80) is OUTCOMES[code]
            assert picture.nearest(rate / 1.1, target - 0.5, 5000) is OUTCOMES[code]
    assert picture.share(Outcome.BACKDOOR, 80) == (picture.codes[1] == OUTCOMES.index(Outcome.BACKDOOR)).mean()
    assert len({picture.nearest(rate, 9, 80) for rate in RATES}) > 1


def test_the_epoch_shown_is_the_last_one_kept():
    picture = outcome_map(JOINT["b1"], RATES[:2], TARGETS[:2], [100, 10, 20])
    assert picture.epochs.tolist() == [10, 20, 100]
    assert [picture.epoch_at(epoch) for epoch in (10, 19, 20, 99, 100, 5000)] == [10, 10, 20, 20, 100, 100]
    with pytest.raises(ValueError, match=r"^epoch must be 10 or more; got 9$"):
        picture.at(9)


def test_a_map_is_drawn_in_steps_to_be_shown_and_stopped():
    steps = list(map_steps(JOINT["b1"], RATES[:3], TARGETS[:2], [0, 30, 50]))
    assert [epoch for epoch, _ in steps] == [0, 20, 30, 40, 50, 50]
    assert [picture is None for _, picture in steps] == [True] * 5 + [False]
    last = steps[-1][1]
    assert last.codes.shape == (3, 2, 3)
    assert last.codes.tolist() == outcome_map(JOINT["b1"], RATES[:3], TARGETS[:2], [0, 30, 50]).codes.tolist()
    assert last.rates.tolist() == RATES[:3].tolist()
    assert last.targets.tolist() == TARGETS[:2].tolist()


# The history -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", tuple(Schedule))
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid"])
def test_a_history_holds_the_shapes_and_numbers_of_every_run(schedule, activation):
    experiment = replace(Experiment(seed=1, width=3, b1=()), schedule=schedule, activation=activation)
    histories = run_many(experiment, [0, 2, 7], rate=[0.1, 0.2], target=[5, -5], position=0.5)
    assert histories.epochs.tolist() == [0, 2, 7]
    assert histories.params.W1.shape == (1, 3, 3, 2)
    assert histories.params.activation == activation
    assert histories.X[:, 0, 0].tolist() == [[1, 1], [2, 2], [0.5, 0.5]]
    assert histories.Y[:, 0, 0].tolist() == [[1, 1], [2, 2], [5, -5]]
    assert histories.outputs.shape == (3, 3, 2)
    assert histories.outcomes.shape == (3, 2)
    for epoch in range(3):
        for run in range(2):
            net = histories.params_at(epoch, run)
            x, y = (np.asarray(part[:, :, 0, run]) for part in (histories.X, histories.Y))
            assert forward(net, x).y_hat[:, 0] == pytest.approx(histories.outputs[:, epoch, run])
            for name, slope in backward(net, x[2:], y[2:])._asdict().items():
                norm = histories.gradient_norms[name]
                assert norm.shape == (3, 2)
                assert norm[epoch, run] == pytest.approx(math.sqrt((slope**2).sum()), abs=1e-12)


def test_what_is_not_swept_comes_from_the_experiment():
    experiment = Experiment(rate=0.2, target=3.0, position=-1.0)
    assert SWEPT == ("rate", "target", "position")
    net, X, Y, rate = sweeps.side_by_side(experiment, target=[1, 2, 4])
    assert net.W1.shape == (1, 2, 3)
    assert rate.tolist() == [0.2] * 3
    assert X[:, 0].tolist() == [[1] * 3, [2] * 3, [-1] * 3]
    assert Y[:, 0].tolist() == [[1] * 3, [2] * 3, [1, 2, 4]]
    one = run_many(experiment, [0, 5])
    assert one.outputs.shape == (3, 2, 1)
    assert one.outputs[:, 1, 0].tolist() == pytest.approx(alone(experiment, 5).outputs[-1][:, 0])


@pytest.mark.parametrize("schedule", tuple(Schedule))
def test_epoch_0_is_the_state_before_the_last_stage(schedule):
    experiment = Experiment(schedule=schedule)
    start = run_many(experiment, [0]).params_at(0, 0)
    expected = [[0.75, -0.5]] if schedule is Schedule.CLEAN_FIRST else [[0.5, -0.5]]
    assert start.W1.tolist() == expected


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
        diverged = histories.outcomes[:, run] == OUTCOMES.index(Outcome.DIVERGED)
        assert diverged.tolist() == [epoch >= (single.diverged_at or 51) for epoch in range(51)]


@given(
    st.lists(st.sampled_from([1e-9, 10.0, 1e3, 1e6]), min_size=1, max_size=3),
    st.sampled_from([*JOINT.values(), Experiment(trainable=PARAMETERS), replace(JOINT["both"], activation="sigmoid")]),
    st.sampled_from([-1e3, 0.0, 1e6]),
)
@example([1e6], replace(JOINT["both"], activation="tanh"), 1e6)
def test_extreme_settings_give_finite_numbers_and_no_warning(rates, experiment, target):
    histories = run_many(experiment, [0, 1, 10, 100], rate=rates, target=target)
    assert np.isfinite(histories.outputs).all()
    assert all(np.isfinite(norms).all() for norms in histories.gradient_norms.values())
    assert all(abs(getattr(histories.params, name)).max() <= BOUND for name in PARAMETERS)


def test_the_work_goes_epoch_by_epoch_and_can_be_stopped(monkeypatch):
    steps = []
    monkeypatch.setattr(sweeps, "descend", lambda *args: steps.append(1) or descend(*args))
    telling = run_steps(JOINT["b1"], *side_by_side(JOINT["b1"], rate=[0.1]), [0, 5, 10, 2000])
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


@pytest.mark.parametrize(
    ("says", "swept"),
    [
        ("rate must be a finite number above 0; got 0.0", {"rate": [0.1, 0]}),
        ("rate must hold numbers; got '0.1'", {"rate": ["0.1"]}),
        ("rate must hold numbers; got True", {"rate": [True]}),
        ("rate must be a number or a list of numbers; got [[0.1]]", {"rate": [[0.1]]}),
        ("target must be at most 1e+06 in size; got -2e+06", {"target": [5, -2e6]}),
        ("position must hold finite numbers; got nan", {"position": math.nan}),
        ("only rate, target, position can be swept; got speed", {"speed": [1]}),
    ],
)
def test_a_bad_sweep_is_told_in_words(says, swept):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        run_many(Experiment(), [0, 5], **swept)


@pytest.mark.parametrize("keep", [[], [-1], [0, 1.5]])
def test_epochs_that_make_no_sense_are_refused(keep):
    with pytest.raises(ValueError, match=f"^{re.escape(f'keep must hold whole numbers, 0 or more; got {keep}')}$"):
        run_many(Experiment(), keep)


def test_a_schedule_that_does_not_exist_is_refused():
    says = "schedule must be one of 'clean, then trigger', 'joint', 'trigger first'; got 'sometimes'"
    with pytest.raises(ValueError, match=f"^{says}$"):
        Experiment(schedule="sometimes")


def test_a_bias_beyond_the_bound_is_refused():
    says = "b1 and b2 must be at most 1e+06 in size; got "
    for biases in ({"b1": (0, -2e6)}, {"b2": 2e6}):
        with pytest.raises(ValueError, match=f"^{re.escape(says)}"):
            Experiment(**biases)
    assert Experiment(b1=(0, -1e6), b2=1e6).start.b1.tolist() == [[0, -1e6]]


def test_the_activation_of_an_experiment_is_checked_at_its_start():
    for wrong in ({"activation": "step"}, {"relu_prime_at_zero": 2}):
        with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
            run_many(Experiment(**wrong), [0])


def test_a_study_trains_at_a_rate_that_shrinks_with_the_width(monkeypatch):
    seen = []

    def spy(net, X, Y, rates, keep, trainable):
        seen.append((net.W1.shape[1], set(rates), tuple(keep), tuple(trainable), bool(net.b1.any())))
        yield from sweeps.train_many(net, X, Y, rates, [0, 1], trainable)

    monkeypatch.setattr(studies, "train_many", spy)
    list(width_study(np.random.default_rng(0), (2, 4, 16), 3))
    list(width_study(np.random.default_rng(0), (8,), 3, biases=False))
    assert seen == [
        (2, {0.05}, (0, 4000), PARAMETERS, True),
        (4, {0.05}, (0, 4000), PARAMETERS, True),
        (16, {0.0125}, (0, 4000), PARAMETERS, True),
        (8, {0.025}, (0, 4000), WEIGHTS, False),
    ]


def test_a_study_reports_each_width_and_an_interrupt_keeps_what_is_done(capsys):
    def study():
        yield Success(2, 1, 4)
        raise KeyboardInterrupt

    assert report(study()) == [Success(2, 1, 4)]
    assert capsys.readouterr().out.splitlines() == ["width 2: 1 of 4 became a backdoor", words.STUDY_STOPPED]
