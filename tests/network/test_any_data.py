"""Any net, any data: analysis, training and repairs give finite numbers without a warning, each in line with itself."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import float_problems, with_phi

from lesson_lib.naa import analyse, detect_backdoor_via_naa
from lesson_lib.naa.judgement import OVER, RULES
from lesson_lib.network import PARAMETERS
from lesson_lib.repair.classifier import Classifier, fine_tune
from lesson_lib.repair.repairs import ORDERS, clip, order, prune, pruning_curve, remove_direction, smooth
from lesson_lib.training import BOUND, OUTCOMES, Dataset, Outcome, train

numbers = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-300, 5e-324, 1e100, -1e100, 1 / 3]) | st.floats(-1e6, 1e6)
quarters = st.integers(-12, 12).map(lambda n: n / 4)


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# Analysis ------------------------------------------------------------------------------------------------------------


@st.composite
def two_sets(draw):
    """Draw clean and suspect activations of one width."""
    width = draw(st.integers(1, 6))
    kind = draw(st.sampled_from([np.float64, np.float32, np.int16, bool]))
    elements = numbers if kind is np.float64 else st.floats(-1e6, 1e6, width=32) if kind is np.float32 else None
    return [draw(arrays(kind, (draw(st.integers(1, 7)), width), elements=elements)) for _ in range(2)]


def mean(column):
    return math.fsum(map(float, column)) / len(column)


@settings(max_examples=150)
@given(two_sets(), st.sampled_from([*RULES]), st.sampled_from(OVER))
def test_any_two_sets_are_compared_or_the_rule_says_why_not(sets, rule, over):
    clean, suspect = sets
    found = analyse(clean, suspect, rule, over=over, rng=np.random.default_rng(0), n_permutations=20)
    scale = np.maximum(abs(clean.astype(float)).max(axis=0), abs(suspect.astype(float)).max(axis=0))
    expected = [mean(suspect[:, j]) - mean(clean[:, j]) for j in range(clean.shape[1])]
    smallest = 4 * np.finfo(clean.dtype if clean.dtype.kind == "f" else float).tiny  # below it numbers lose digits
    assert (abs(found.shift - expected) <= 1e-6 * scale + smallest).all()
    assert not np.isnan(found.p).any() or min(len(clean), len(suspect)) < 2
    assert ((found.p >= 0) & (found.p <= 1) | np.isnan(found.p)).all()
    assert set(found.flagged) <= set(range(clean.shape[1]))
    assert not (found.reason and len(found.flagged))
    back = analyse(suspect, clean, rule, over=over, rng=np.random.default_rng(0), n_permutations=20)
    np.testing.assert_allclose(back.shift, -found.shift, rtol=1e-5, atol=1e-6 * scale.max() + smallest)
    assert bool(back.reason) == bool(found.reason) or over != "signature"


@given(two_sets(), st.floats(0, 1e6))
def test_the_articles_call_and_the_raw_rule_agree_on_any_two_sets(sets, threshold):
    clean, suspect = (part.astype(float) for part in sets)
    signature, flagged = detect_backdoor_via_naa(clean, suspect, threshold)
    found = analyse(clean, suspect, "raw", threshold)
    scale = max(abs(clean).max(), abs(suspect).max())
    np.testing.assert_allclose(found.signature, signature, atol=1e-9 * scale + 1e-300, rtol=1e-9)
    assume((abs(signature - threshold) > 1e-6 * scale + 1e-300).all())
    assert found.flagged.tolist() == flagged.tolist()


# Training ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    float_problems(),
    st.floats(1e-6, 1e6),
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    st.sampled_from(["relu", "leaky_relu", "tanh", "sigmoid", "identity"]),
    st.lists(st.sampled_from(PARAMETERS), unique=True),
)
def test_any_run_stays_within_its_bound_and_goes_on_where_it_stopped(problem, rate, epochs, activation, trainable):
    params, data = with_phi(problem[0], activation), problem[1]
    marks = [i == 0 for i in range(len(data.X) + 1)]
    judged = Dataset(np.vstack([data.X[:1], data.X]), np.vstack([data.Y[:1], data.Y]), marks)
    options = {"trainable": trainable, "evaluate_on": judged}
    run = train(params, data, rate, sum(epochs), **options)
    states = [np.concatenate([getattr(state, name).ravel() for name in PARAMETERS]) for state in run.params]
    assert (abs(np.array(states)) <= BOUND).all()
    assert np.isfinite(run.loss).all()
    assert np.isfinite(run.outputs).all()
    assert run.outcome in OUTCOMES
    assert (run.outcome is Outcome.DIVERGED) == (run.diverged_at is not None)
    assert len(states) == (run.diverged_at or sum(epochs) + 1)
    first = train(params, data, rate, epochs[0], **options)
    if first.diverged_at is None:
        second = train(first.params[-1], data, rate, epochs[1], **options)
        for name in PARAMETERS:
            np.testing.assert_array_equal(getattr(second.params[-1], name), getattr(run.params[-1], name))


# Repairs -------------------------------------------------------------------------------------------------------------


@st.composite
def classifiers(draw):
    """Draw a classifier, inputs, labels, and stamped inputs."""
    n_in, n_hidden, n_out, n = (draw(st.integers(low, 4)) for low in (1, 1, 3, 2))
    shapes = [(n_in, n_hidden), (1, n_hidden), (n_hidden, n_out), (1, n_out), (n, n_in), (n, n_in)]
    W1, b1, W2, b2, X, stamped = (draw(arrays(float, shape, elements=quarters)) for shape in shapes)
    y = draw(arrays(int, n, elements=st.integers(0, n_out - 1)))
    return Classifier(W1, b1, W2, b2, classes=np.arange(n_out)), X, y, stamped


@given(classifiers(), st.sampled_from(ORDERS), st.floats(0, 100), st.floats(0, 1))
def test_any_classifier_can_be_repaired_in_every_way(drawn, by, percentile, amount):
    model, X, y, stamped = drawn
    clean, suspect = model.hidden(X), model.hidden(stamped)
    neurons = order(clean, suspect, by, np.random.default_rng(0))
    assert sorted(neurons) == list(range(model.W1.shape[1]))
    repaired = [
        prune(model, neurons[:1]),
        clip(model, clean, percentile),
        smooth(model, clean.mean(axis=0), amount),
        remove_direction(model, clean, suspect),
    ]
    for one in (*repaired, *(fine_tune(other, X, y, np.random.default_rng(0), epochs=1) for other in repaired)):
        assert all(np.isfinite(getattr(one, name)).all() for name in PARAMETERS)
        np.testing.assert_allclose(one.predict_proba(stamped).sum(axis=1), 1)
    np.testing.assert_array_equal(clip(model, clean, 100).hidden(X), clean)
    np.testing.assert_array_equal(smooth(model, clean.mean(axis=0), 0).hidden(stamped), suspect)


@given(classifiers(), st.randoms(use_true_random=False))
def test_the_curve_of_any_classifier_is_that_of_models_pruned_one_by_one(drawn, random):
    model, X, y, stamped = drawn
    neurons = random.sample(range(model.W1.shape[1]), model.W1.shape[1])
    left = [prune(model, neurons[:k]) for k in range(len(neurons) + 1)]
    margins = [np.sort(one.predict_proba(rows))[:, -2:] for one in left for rows in (X, stamped)]
    assume(all((top - second > 1e-9).all() for second, top in (margin.T for margin in margins)))
    curve = pruning_curve(model, neurons, X, y, stamped, 0)
    assert curve.accuracy.tolist() == [(one.predict(X) == y).mean() for one in left]
    assert curve.attack.tolist() == [(one.predict(stamped) == 0).mean() for one in left]
