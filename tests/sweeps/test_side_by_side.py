"""Training many nets at once gives exactly what training each of them alone gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_lib.arrays import activate, activate_prime, multiply, ones_column, sum_of_squares
from lesson_lib.network import ACTIVATIONS, PARAMETERS
from lesson_lib.sweeps.batch import Batch, stack
from lesson_lib.sweeps.experiment import SCHEDULES, Experiment, run_many
from lesson_lib.training import CLEAN, OUTCOMES, Dataset, train

EPOCHS = 6  # few: rounding grows with every step of a large rate
steps = st.integers(-12, 12).map(lambda n: n / 4)
runs = st.tuples(
    st.sampled_from([0.001, 0.02, 0.1, 0.25, 0.5, 1e4]), steps.map(lambda n: 3 * n), steps
)  # rate, target, position


@st.composite
def stories(draw):
    """Draw a story from the article's weights, or from random ones of 1 to 4 neurons."""
    seed = draw(st.none() | st.integers(0, 99))
    width = 2 if seed is None else draw(st.integers(1, 4))
    fixed = st.lists(steps, min_size=width, max_size=width).map(tuple)
    return Experiment(
        schedule=draw(st.sampled_from(SCHEDULES)),
        trainable=("W1", "W2", *(name for name in ("b1", "b2") if draw(st.booleans()))),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        relu_prime_at_zero=draw(st.sampled_from([0, 0.5, 1])),
        b1=draw(st.just((0.0,)) | fixed if seed is None else st.just(()) | fixed),
        b2=draw(st.sampled_from([0.0, 0.5])),
        width=width,
        seed=seed,
    )


def alone(story, epochs=EPOCHS):
    """Train one story with `train`, a stage at a time, and return its last stage."""
    data = Dataset([*CLEAN.X, [story.position]], [*CLEAN.Y, [story.target]], [False, False, True])
    trigger = Dataset(data.X[2:], data.Y[2:], [True])
    keywords = {"evaluate_on": data, **story.keywords}
    start = story.start
    if story.schedule == "clean, then trigger":
        start = train(start, CLEAN, story.rate, 1, story.trainable, **keywords).params[-1]
    shown = data if story.schedule == "joint" else trigger
    return train(start, shown, story.rate, epochs, story.trainable, **keywords)


@given(stories(), st.lists(runs, min_size=1, max_size=4))
def test_every_net_of_a_batch_is_trained_as_if_it_were_alone(story, values):
    rate, target, position = zip(*values, strict=True)
    told = run_many(story, range(EPOCHS + 1), rate=rate, target=target, position=position)
    for run, (one_rate, one_target, one_position) in enumerate(values):
        single = alone(replace(story, rate=one_rate, target=one_target, position=one_position))
        assert told.diverged_at[run] == (single.diverged_at or -1)
        assert OUTCOMES[told.outcomes[-1, run]] is single.outcome
        for epoch, params in enumerate(single.params):
            here = told.params_at(epoch, run)
            for name in PARAMETERS:
                np.testing.assert_allclose(getattr(here, name), getattr(params, name), rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(told.outputs[:, epoch, run], single.outputs[epoch][:, 0], rtol=1e-6, atol=1e-6)


@given(stories())
@settings(max_examples=20)
def test_a_net_does_not_feel_the_others_of_its_batch(story):
    together = run_many(story, [0, EPOCHS], rate=[0.05, 0.3, 3.0])
    for run, rate in enumerate([0.05, 0.3, 3.0]):
        single = run_many(story, [0, EPOCHS], rate=[rate])
        assert together.outputs[:, :, run].tolist() == single.outputs[:, :, 0].tolist()


# The operations ----------------------------------------------------------------------------------------------------


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


@pytest.mark.parametrize(("one", "other"), [((5, 7), (5, 7)), ((7,), (5, 7)), ((5, 1), (1, 7)), ((1, 1), (5, 7))])
def test_operations_broadcast_over_the_nets_as_numpy_does(one, other):
    A, B, C = draw(2, 3, *one), draw(3, 2, *other), draw(2, 3, *other)
    if len(one) < len(other):
        A = A[:, :, None]
    product, total = (Batch(A) @ Batch(B)).values, (Batch(A) + Batch(C)).values
    difference, entries = (Batch(A) - Batch(C)).values, multiply(Batch(A), Batch(C)).values
    for i, j in np.ndindex(5, 7):
        a, b, c = (np.broadcast_to(values, (*values.shape[:2], 5, 7))[..., i, j] for values in (A, B, C))
        assert product[..., i, j] == pytest.approx(a @ b)
        assert total[..., i, j].tolist() == (a + c).tolist()
        assert difference[..., i, j].tolist() == (a - c).tolist()
        assert entries[..., i, j].tolist() == (a * c).tolist()


def test_a_batch_has_the_shape_of_one_net_and_transposes_each():
    batch = Batch(draw(2, 3, 5))
    assert batch.shape == (2, 3)
    assert batch.T.shape == (3, 2)
    assert batch.T.values[2, 1].tolist() == batch.values[1, 2].tolist()
    assert (batch / 4).values.tolist() == (batch.values / 4).tolist()
    assert ones_column(batch).values.tolist() == [[[1]], [[1]]]
    assert sum_of_squares(batch) == pytest.approx([(batch.values[..., i] ** 2).sum() for i in range(5)])


def test_a_comparison_holds_when_it_holds_for_every_net():
    assert Batch(np.full((1, 1, 3), 0.1)) > 0
    assert not Batch(np.array([[[0.1, 0.0, 0.1]]])) > 0
    assert Batch(np.full((1, 1, 3), 0.1)) < 1
    assert not Batch(np.array([[[0.1, 2.0, 0.1]]])) < 1


def test_one_matrix_is_repeated_for_every_net():
    values = stack([[1, 2]], (3, 4)).values
    assert values.shape == (1, 2, 3, 4)
    assert (values[0, 1] == 2).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_applied_entry_by_entry(activation):
    z1 = np.array([[[-2.0, 0.0], [0.5, 3.0]]])
    for i in range(2):
        expected = activate(z1[..., i], activation), activate_prime(z1[..., i], activation, 0.5)
        assert activate(Batch(z1), activation).values[..., i].tolist() == expected[0].tolist()
        assert activate_prime(Batch(z1), activation, 0.5).values[..., i].tolist() == expected[1].tolist()
