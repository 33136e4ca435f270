"""Training many nets at once gives exactly what training each of them alone gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import alone, with_phi

from lesson_lib.activations import ACTIVATIONS
from lesson_lib.arrays import Stacked, stack
from lesson_lib.network import (
    ARTICLE,
    PARAMETERS,
    backward,
    errors_and_gradients,
    forward,
    half_squares,
    loss,
    propagate,
)
from lesson_lib.sweeps.experiment import Experiment, Schedule, random_start, run_many, train_many
from lesson_lib.training import OUTCOMES, POISONED

EPOCHS = 6  # few: rounding grows with every step of a large rate
steps = st.integers(-12, 12).map(lambda n: n / 4)
runs = st.tuples(
    st.sampled_from([0.001, 0.02, 0.1, 0.25, 0.5, 1e4]), steps.map(lambda n: 3 * n), steps
)  # rate, target, position


@st.composite
def experiments(draw):
    """Draw an experiment from the article's weights, or from random ones of 1 to 4 neurons."""
    seed = draw(st.none() | st.integers(0, 99))
    width = 2 if seed is None else draw(st.integers(1, 4))
    fixed = st.lists(steps, min_size=width, max_size=width).map(tuple)
    return Experiment(
        schedule=draw(st.sampled_from(Schedule)),
        trainable=("W1", "W2", *(name for name in ("b1", "b2") if draw(st.booleans()))),
        activation=draw(st.sampled_from([*ACTIVATIONS])),
        relu_prime_at_zero=draw(st.sampled_from([0, 0.5, 1])),
        b1=draw(st.just((0.0,)) | fixed if seed is None else st.just(()) | fixed),
        b2=draw(st.sampled_from([0.0, 0.5])),
        width=width,
        seed=seed,
    )


@given(experiments(), st.lists(runs, min_size=1, max_size=4))
def test_every_net_is_trained_as_if_it_were_alone(experiment, values):
    rate, target, position = zip(*values, strict=True)
    together = run_many(experiment, range(EPOCHS + 1), rate=rate, target=target, position=position)
    for run, (one_rate, one_target, one_position) in enumerate(values):
        single = alone(replace(experiment, rate=one_rate, target=one_target, position=one_position), EPOCHS)
        assert together.diverged_at[run] == (single.diverged_at or -1)
        assert OUTCOMES[together.outcomes[-1, run]] is single.outcome
        for epoch, params in enumerate(single.params):
            here = together.params_at(epoch, run)
            for name in PARAMETERS:
                np.testing.assert_allclose(getattr(here, name), getattr(params, name), rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(
                together.outputs[:, epoch, run], single.outputs[epoch][:, 0], rtol=1e-6, atol=1e-6
            )


@given(experiments())
@settings(max_examples=20)
def test_a_net_does_not_feel_the_others_beside_it(experiment):
    """Nor does it when some diverge, or settle, and are set aside."""
    rates, epochs = [0.05, 1e5, 0.3, 3.0], [0, EPOCHS, 9, 10, 11, 20, 45]
    together = run_many(experiment, epochs, rate=rates)
    for run, rate in enumerate(rates):
        single = run_many(experiment, epochs, rate=[rate])
        assert together.diverged_at[run] == single.diverged_at[0]
        assert together.outputs[:, :, run].tolist() == single.outputs[:, :, 0].tolist()
        for name in PARAMETERS:
            many, one = getattr(together.params, name), getattr(single.params, name)
            assert many[..., run].tolist() == one[..., 0].tolist()


# The lines on many nets at once ------------------------------------------------------------------------------------


def many_nets(width, activation, *n_runs):
    """Return random nets side by side, and the inputs and targets of each."""
    rng = np.random.default_rng(width)
    nets = with_phi(ARTICLE, activation, 0.5)
    nets = nets.with_arrays(**{name: getattr(random_start(rng, width, *n_runs), name) for name in PARAMETERS})
    X, Y = (rng.normal(size=(3, 1, *n_runs)).view(Stacked) for _ in range(2))
    X[0] = 0
    nets.b1.flags.writeable = True
    nets.b1[0, 0] = 0  # a z1 at the corner
    return nets, X, Y


def one_of(nets, place):
    return replace(nets, **{name: np.asarray(getattr(nets, name)[(..., *place)]) for name in PARAMETERS})


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n_runs", [(4,), (2, 3)])
def test_the_lines_give_each_net_what_it_gives_alone(activation, n_runs):
    nets, X, Y = many_nets(3, activation, *n_runs)
    passed, (differences, slopes) = propagate(nets, X), errors_and_gradients(nets, X, Y)
    assert differences.tolist() == (passed.y_hat - Y).tolist()
    errors = half_squares(differences)
    assert errors.shape == n_runs
    for place in np.ndindex(*n_runs):
        net, x, y = one_of(nets, place), np.asarray(X[(..., *place)]), np.asarray(Y[(..., *place)])
        single = forward(net, x)
        for many, one in (*zip(passed, single, strict=True), *zip(slopes, backward(net, x, y), strict=True)):
            assert many.shape[:2] == one.shape
            assert many[(..., *place)] == pytest.approx(one, rel=1e-12, abs=1e-12)
        assert errors[place] == pytest.approx(loss(single.y_hat, y))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_applied_entry_by_entry(activation):
    z1 = np.array([[[-2.0, 0.0], [0.5, 3.0]]])
    net = with_phi(ARTICLE, activation, 0.5)
    for i in range(2):
        assert net.phi(z1.view(Stacked))[..., i].tolist() == net.phi(z1[..., i]).tolist()
        assert net.phi_prime(z1.view(Stacked))[..., i].tolist() == net.phi_prime(z1[..., i]).tolist()
    at_corner = with_phi(ARTICLE, activation).phi_prime(z1.view(Stacked))
    assert at_corner[0, 0, 1] == {"relu": 0, "leaky_relu": 0.01, "sigmoid": 0.25}.get(activation, 1)


def test_a_run_may_stop_at_its_bound_while_the_others_go_on_without_a_change():
    rates = np.array([0.05, 3.0, 0.1, 1e5])
    nets = ARTICLE.with_arrays(**{name: stack(getattr(ARTICLE, name), 4) for name in PARAMETERS})
    X, Y = stack(POISONED.X, 4), stack(POISONED.Y, 4)
    *_, (epoch, last, diverged_at) = train_many(nets, X, Y, rates, [40], PARAMETERS)
    assert epoch == 40
    assert rates.tolist() == [0.05, 3.0, 0.1, 1e5]
    assert (diverged_at > 0).tolist() == [False, True, False, True]
    *_, (_, slow, nowhere) = train_many(
        nets.with_arrays(**{name: stack(getattr(ARTICLE, name), 2) for name in PARAMETERS}),
        X[..., ::2],
        Y[..., ::2],
        rates[::2],
        [40],
        PARAMETERS,
    )
    assert nowhere.tolist() == [-1, -1]
    for name in PARAMETERS:
        assert getattr(last, name)[..., ::2].tolist() == getattr(slow, name).tolist()


def test_nets_side_by_side_are_not_changed_by_their_training():
    nets = ARTICLE.with_arrays(**{name: stack(getattr(ARTICLE, name), 2).copy() for name in PARAMETERS})
    before = {name: getattr(nets, name).tolist() for name in PARAMETERS}
    list(train_many(nets, stack(POISONED.X, 2), stack(POISONED.Y, 2), np.array([0.1, 1e5]), [5], PARAMETERS))
    assert {name: getattr(nets, name).tolist() for name in PARAMETERS} == before
