"""Repairs of a classifier: what each does, against independent computations, and that the old model stays as it was."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.neural_network import MLPClassifier, MLPRegressor

from lesson_lib.network import PARAMETERS
from lesson_lib.repair import classifier
from lesson_lib.repair.classifier import Classifier, Edit, as_classifier, fine_tune, gradients, one_hot
from lesson_lib.repair.repairs import ORDERS, Curve, clip, order, prune, pruning_curve, remove_direction, smooth

N_IN, N_HIDDEN, N_OUT = 5, 7, 4


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def X(rng):
    return rng.normal(size=(60, N_IN))


@pytest.fixture
def y(rng):
    return rng.integers(0, N_OUT, 60)


@pytest.fixture
def model(X, y):
    trained = MLPClassifier((N_HIDDEN,), batch_size=20, random_state=0)
    for _ in range(20):
        trained.partial_fit(X, y, classes=range(N_OUT))
    return trained


def frozen_bytes(model):
    """Return every byte of a model's weights, whatever kind of model it is."""
    if isinstance(model, Classifier):
        edits = [np.asarray(array) for edit in model.edits for array in edit]
        arrays = [getattr(model, name) for name in PARAMETERS] + edits
    else:
        arrays = [*model.coefs_, *model.intercepts_]
    assert arrays
    return b"".join(array.tobytes() for array in arrays)


def every_repair(model, X, y):
    """Return each repair of one model, by name."""
    a1 = as_classifier(model).hidden(X)
    return {
        "prune": prune(model, [1, 3]),
        "clip": clip(model, a1, 80),
        "smooth": smooth(model, a1.mean(axis=0), 0.3),
        "remove_direction": remove_direction(model, a1[:30], a1[30:]),
        "fine_tune": fine_tune(model, X, y, np.random.default_rng(1), epochs=2),
    }


def test_a_classifier_predicts_what_scikit_learn_predicts(model, X):
    ours = as_classifier(model)
    np.testing.assert_allclose(ours.predict_proba(X), model.predict_proba(X), rtol=1e-12)
    np.testing.assert_array_equal(ours.predict(X), model.predict(X))


def test_a_classifier_keeps_the_names_of_the_classes(X, y):
    names = np.array(["ant", "bee", "cat", "dog"])
    trained = MLPClassifier((3,), batch_size=20, random_state=0).partial_fit(X, names[y], classes=names)
    assert set(as_classifier(trained).predict(X)) <= set(names)
    np.testing.assert_array_equal(prune(trained, []).predict(X), trained.predict(X))


def test_large_outputs_have_probabilities_too():
    W2 = np.array([[1, 2, 3], [-1, -2, -3]])
    plain = Classifier(np.eye(2), np.zeros((1, 2)), W2, np.zeros((1, 3)), classes=np.arange(3))
    assert plain.predict_proba([[1000, 0], [0, 2000]]).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_labels_become_rows_with_one_1_each():
    found = one_hot(["b", "a", "b"], np.array(["a", "b", "c"]), 3)
    assert found.dtype == np.float64
    assert found.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]


def test_every_repair_leaves_the_old_model_as_it_was(model, X, y):
    for old in (model, as_classifier(model), clip(model, as_classifier(model).hidden(X), 70)):
        before = frozen_bytes(old)
        repaired = every_repair(old, X, y)
        assert len(repaired) == 5
        for name, new in repaired.items():
            assert frozen_bytes(new) != before, name
            assert new.predict(X).shape == (60,)
            np.testing.assert_allclose(new.predict_proba(X).sum(axis=1), 1)
            assert new.hidden(X).shape == (60, N_HIDDEN)
        assert frozen_bytes(old) == before


def test_a_classifier_cannot_be_changed_nor_reached_through_its_arrays(model):
    ours = as_classifier(model)
    with pytest.raises(ValueError, match="read-only"):
        ours.W1[0, 0] = 1
    model.coefs_[0][0, 0] += 1
    assert ours.W1[0, 0] != model.coefs_[0][0, 0]


def test_a_pruned_neuron_is_silent_and_the_others_speak_as_before(model, X):
    a1, pruned = as_classifier(model).hidden(X), prune(model, [2, 5])
    a1[:, [2, 5]] = 0
    np.testing.assert_array_equal(pruned.hidden(X), a1)
    np.testing.assert_allclose(pruned.predict_proba(X), softmax(a1 @ model.coefs_[1] + model.intercepts_[1], axis=1))


def test_clipping_caps_each_neuron_at_its_own_percentile(model, X):
    a1 = as_classifier(model).hidden(X)
    clipped = clip(model, a1, 50).hidden(X)
    for neuron in range(N_HIDDEN):
        limit = sorted(a1[:, neuron])[29:31]
        assert clipped[:, neuron].max() <= np.mean(limit) + 1e-12
    np.testing.assert_array_equal(clipped[a1 == 0], 0)
    np.testing.assert_allclose(clip(model, a1, 100).hidden(X), a1)
    np.testing.assert_allclose(clip(model, a1, 0).hidden(X), np.minimum(a1, a1.min(axis=0)))
    assert frozen_bytes(clip(model, a1)) == frozen_bytes(clip(model, a1, 95))


@pytest.mark.parametrize("amount", [0, 0.25, 1])
def test_smoothing_pulls_toward_the_mean(model, X, amount):
    a1 = as_classifier(model).hidden(X)
    smoothed = smooth(model, a1.mean(axis=0), amount).hidden(X)
    np.testing.assert_allclose(smoothed - a1.mean(axis=0), (1 - amount) * (a1 - a1.mean(axis=0)), atol=1e-12)
    if amount == 1:
        assert len(set(smooth(model, a1.mean(axis=0), 1).predict(X))) == 1


def test_removing_the_direction_brings_the_means_together_and_leaves_clean_rows_in_place(model, X, rng):
    shifted = X + rng.normal(size=N_IN)
    clean, suspect = as_classifier(model).hidden(X), as_classifier(model).hidden(shifted)
    new = remove_direction(model, clean, suspect)
    np.testing.assert_allclose(new.hidden(X).mean(axis=0), clean.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(new.hidden(shifted).mean(axis=0), clean.mean(axis=0), atol=1e-9)
    assert np.linalg.matrix_rank(new.edits[0].matrix - np.eye(N_HIDDEN), tol=1e-9) == 1


def test_removing_the_direction_hides_the_groups_from_every_linear_classifier(model, X, rng):
    clean, suspect = as_classifier(model).hidden(X), as_classifier(model).hidden(X + rng.normal(size=N_IN))
    edit = remove_direction(model, clean, suspect).edits[0]
    rows, group = np.concatenate([edit(clean), edit(suspect)]), np.repeat([0, 1], 60)
    covariance = ((group - group.mean()) @ (rows - rows.mean(axis=0))) / len(rows)  # the guarantee of LEACE
    np.testing.assert_allclose(covariance, 0, atol=1e-9)


def test_removing_the_direction_does_not_depend_on_the_units_of_a_neuron(rng):
    clean, suspect = rng.normal(size=(50, 3)), rng.normal(0.7, 1, size=(50, 3))
    units = np.array([1.0, 100.0, 0.01])
    plain = Classifier(np.eye(3), np.zeros((1, 3)), np.eye(3), np.zeros((1, 3)), classes=np.arange(3))
    once, scaled = (remove_direction(plain, clean * u, suspect * u).edits[0] for u in (1, units))
    np.testing.assert_allclose(scaled(clean * units), once(clean) * units, rtol=1e-6, atol=1e-9)


def test_a_copy_of_a_neuron_up_to_six_digits_has_no_say_of_its_own(rng):
    sets = [rng.normal(size=(50, 3)), rng.normal(0.7, 1, size=(50, 3))]
    plain = Classifier(np.eye(4), np.zeros((1, 4)), np.eye(4), np.zeros((1, 4)), classes=np.arange(4))
    exact, rounded = ([np.c_[rows, rows[:, 0].round(digits)] for rows in sets] for digits in (12, 6))
    repaired = [remove_direction(plain, *rows).edits[0](rows[1]) for rows in (exact, rounded)]
    np.testing.assert_allclose(*repaired, atol=1e-5)


def test_without_a_difference_no_direction_is_removed(model, X):
    a1 = as_classifier(model).hidden(X)
    np.testing.assert_array_equal(remove_direction(model, a1, a1).hidden(X), a1)


@pytest.mark.parametrize("edits", ["none", "clip and smooth", "clip, direction and clip"])
def test_gradients_are_those_of_the_mean_cross_entropy(model, X, y, edits):
    plain = as_classifier(model)
    if edits != "none":
        plain = clip(plain, plain.hidden(X), 70)
    if edits == "clip and smooth":
        plain = smooth(plain, as_classifier(model).hidden(X).mean(axis=0), 0.4)
    if edits == "clip, direction and clip":  # where the order and the sides of a matrix matter
        plain = remove_direction(plain, plain.hidden(X), plain.hidden(X + 1))
        plain = clip(plain, plain.hidden(X), 60)
    targets = np.eye(N_OUT)[y]

    def cross_entropy(**changed):
        weights = {name: getattr(plain, name) for name in PARAMETERS} | changed
        other = Classifier(**weights, classes=plain.classes, edits=plain.edits)
        return -np.log(other.predict_proba(X)[range(60), y]).mean()

    for name, slope in gradients(plain, X, targets)._asdict().items():
        assert slope.shape == getattr(plain, name).shape
        for place in np.ndindex(slope.shape):
            step = np.zeros(slope.shape)
            step[place] = 1e-6
            weight = getattr(plain, name)
            rise = cross_entropy(**{name: weight + step}) - cross_entropy(**{name: weight - step})
            assert slope[place] == pytest.approx(rise / 2e-6, abs=1e-6), (name, place)


def test_at_a_corner_the_gradient_is_that_of_the_flat_side():
    """A relu at z1 = 0 and a cap that an activation just reaches: neither lets the error through."""
    W1, b1, W2 = np.array([[0.0, 1.0]]), np.zeros((1, 2)), np.array([[1.0, 2, 3], [4, 5, 6]])
    cap = Edit(np.eye(2), np.zeros(2), np.full(2, 2.0))
    slopes = gradients(
        Classifier(W1, b1, W2, np.zeros((1, 3)), classes=np.arange(3), edits=(cap,)), np.array([[2.0]]), np.eye(3)[:1]
    )
    assert slopes.W1.tolist() == slopes.b1.tolist() == [[0, 0]]
    assert slopes.W2[1].all()


def test_an_edit_lets_the_error_through_where_what_it_makes_is_below_its_cap():
    edit = Edit(np.eye(2), np.array([1.0, -1.0]), np.full(2, 2.0))
    a1 = np.array([[1.5, 1.5]])
    assert edit(a1).tolist() == [[2, 0.5]]
    assert edit.back(a1, np.ones((1, 2))).tolist() == [[0, 1]]


def test_the_classes_of_a_classifier_may_be_a_list():
    plain = Classifier(np.eye(2), np.zeros((1, 2)), np.eye(2, 3), np.zeros((1, 3)), classes=["a", "b", "c"])
    assert plain.predict(np.array([[0, 1], [1, 0]])).tolist() == ["b", "a"]


def test_fine_tuning_learns_and_can_be_repeated(model, X, y):
    before = np.mean(model.predict(X) == y)
    tuned = [fine_tune(model, X, y, np.random.default_rng(3), epochs=60, rate=0.01) for _ in range(2)]
    assert np.mean(tuned[0].predict(X) == y) > before + 0.1
    assert frozen_bytes(tuned[0]) == frozen_bytes(tuned[1])
    assert frozen_bytes(fine_tune(model, X, y, np.random.default_rng(3), epochs=0)) == frozen_bytes(
        as_classifier(model)
    )


def test_fine_tuning_is_30_epochs_of_batches_of_32_unless_asked_otherwise(model, X, y):
    default = fine_tune(model, X, y, np.random.default_rng(3))
    asked = fine_tune(model, X, y, np.random.default_rng(3), epochs=30, rate=0.001, batch_size=32)
    assert frozen_bytes(default) == frozen_bytes(asked)
    single = fine_tune(model, X, y, np.random.default_rng(3), epochs=1, batch_size=1)
    assert frozen_bytes(single) != frozen_bytes(asked)


def test_fine_tuning_takes_the_steps_that_scikit_learn_takes(model, X, y):
    """Full batches, so that no shuffle differs: the first five steps of a fresh Adam."""
    plain = as_classifier(model)
    fresh = MLPClassifier((N_HIDDEN,), batch_size=60, alpha=0, random_state=0).partial_fit(X, y, classes=range(N_OUT))
    fresh.coefs_[0][:], fresh.coefs_[1][:] = model.coefs_
    fresh.intercepts_[0][:], fresh.intercepts_[1][:] = model.intercepts_
    fresh._optimizer.ms = [np.zeros_like(m) for m in fresh._optimizer.ms]
    fresh._optimizer.vs = [np.zeros_like(v) for v in fresh._optimizer.vs]
    fresh._optimizer.t = 0
    for _ in range(5):
        fresh.partial_fit(X, y)
    tuned = fine_tune(plain, X, y, np.random.default_rng(0), epochs=5, batch_size=60)
    expected = (fresh.coefs_[0], fresh.intercepts_[0], fresh.coefs_[1], fresh.intercepts_[1])
    for name, weights in zip(PARAMETERS, expected, strict=True):
        np.testing.assert_allclose(getattr(tuned, name).reshape(weights.shape), weights, rtol=1e-6, atol=1e-9)


def test_an_epoch_deals_every_row_once_in_batches_of_the_size_asked_for(model, X, y, monkeypatch):
    sizes = []
    monkeypatch.setattr(classifier, "gradients", lambda m, X, targets: sizes.append(len(X)) or gradients(m, X, targets))
    fine_tune(model, X, y, np.random.default_rng(0), epochs=2, batch_size=25)
    assert sizes == [25, 25, 10] * 2


@pytest.mark.parametrize("edited", [False, True])
def test_a_pruned_neuron_stays_pruned_in_fine_tuning(model, X, y, edited):
    pruned = prune(model, [0, 4])
    if edited:
        pruned = smooth(pruned, np.ones(N_HIDDEN))
    tuned = fine_tune(pruned, X, y, np.random.default_rng(0), epochs=5)
    assert not tuned.W1[:, [0, 4]].any()
    assert not tuned.b1[:, [0, 4]].any()
    assert not tuned.W2[[0, 4]].any()
    assert tuned.W2[[1, 2, 3, 5, 6]].any(axis=1).all()


def test_orders_rank_neurons_as_their_names_say(rng):
    clean = np.array([[1.0, 3, 0, 5], [1.2, 3.4, 0.2, 5.2]])
    suspect = clean + np.array([0.5, -2, 1, 0])
    assert order(clean, suspect).tolist() == [1, 2, 0, 3]
    assert order(clean, suspect, "rise").tolist() == [2, 0, 3, 1]
    assert order(clean, suspect, "effect size").tolist() == [1, 2, 0, 3]
    assert order(clean, suspect, "dormant").tolist() == [2, 0, 1, 3]
    assert sorted(order(clean, suspect, "random", rng)) == [0, 1, 2, 3]
    assert all(order(clean, suspect, by, rng).dtype == np.intp for by in ORDERS)
    assert order(clean, suspect * [1, 1, 1, 1.2], "effect size").tolist() != order(clean, suspect, "rise").tolist()


@pytest.mark.parametrize("by", ORDERS)
def test_activations_that_can_be_read_only_once_are_ranked_too(by):
    clean = np.array([[1.0, 3, 0, 5], [1.2, 3.4, 0.2, 5.2]])
    suspect = clean + np.array([0.5, -2, 1, 0])
    streams = (iter([batch, batch + 1]) for batch in (clean, suspect))
    whole = (np.concatenate([batch, batch + 1]) for batch in (clean, suspect))
    ranked = [order(*sets, by, np.random.default_rng(0)).tolist() for sets in (streams, whole)]
    assert ranked[0] == ranked[1]


@pytest.mark.parametrize("by", ["difference", "rise", "dormant"])
def test_neurons_that_rank_alike_stay_in_order(by):
    shift = np.arange(300) % 3
    expected = [i for rank in ((0, 1, 2) if by == "dormant" else (2, 1, 0)) for i in range(rank, 300, 3)]
    clean = np.array([shift, shift]) if by == "dormant" else np.zeros((2, 300))
    assert order(clean, clean + shift, by).tolist() == expected


def test_the_pruning_curve_is_what_pruning_one_by_one_measures(model, X, y, rng):
    neurons, triggered = rng.permutation(N_HIDDEN), X + 1
    curve = pruning_curve(model, neurons, X, y, triggered, target=2)
    assert len(curve.accuracy) == len(curve.attack) == N_HIDDEN + 1
    for n in range(N_HIDDEN + 1):
        pruned = prune(model, neurons[:n])
        assert curve.accuracy[n] == np.mean(pruned.predict(X) == y)
        assert curve.attack[n] == np.mean(pruned.predict(triggered) == 2)


def test_the_pruning_curve_finds_the_first_number_below_a_limit():
    curve = Curve(np.ones(4), np.array([0.9, 0.2, 0.04, 0.3]))
    assert curve.first_below() == 2
    assert curve.first_below(0.5) == 1
    assert curve.first_below(0.2) == 2
    assert curve.first_below(0.01) is None


def tune(**options):
    return lambda m, X, y: fine_tune(m, X, y, np.random.default_rng(), **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, X, y: as_classifier("text"), "model must be a trained MLPClassifier"),
        (lambda m, X, y: as_classifier(MLPClassifier()), "model must be a trained MLPClassifier"),
        (
            lambda m, X, y: as_classifier(MLPRegressor(batch_size=20).partial_fit(X, y)),
            "model must be a trained MLPClassifier or a Classifier; got MLPRegressor",
        ),
        (lambda m, X, y: as_classifier(m).predict(X[:, :3]), r"X must have 5 columns to match W1 \(5, 7\)"),
        (lambda m, X, y: as_classifier(m).hidden(X * np.nan), "X must hold finite numbers"),
        (lambda m, X, y: prune(m, [7]), "neurons must be different numbers from 0 to 6"),
        (lambda m, X, y: prune(m, [-1]), "neurons must be different"),
        (lambda m, X, y: prune(m, [1, 1]), "neurons must be different"),
        (lambda m, X, y: prune(m, [0.5]), "neurons must be different"),
        (lambda m, X, y: prune(m, ["1"]), r"neurons must be different numbers from 0 to 6; got \['1'\]"),
        (lambda m, X, y: order(X * np.nan, X), "clean_activations must hold finite numbers"),
        (lambda m, X, y: order(X, X * np.nan), "suspect_activations must hold finite numbers"),
        (lambda m, X, y: clip(m, X), "clean_activations must have 7 columns, one per neuron; got shape"),
        (lambda m, X, y: clip(m, np.empty((0, 7))), "clean_activations must have"),
        (lambda m, X, y: clip(m, np.ones((3, 7)), 101), "percentile must be from 0 to 100; got 101"),
        (lambda m, X, y: clip(m, np.ones((3, 7)), np.nan), "percentile must be"),
        (lambda m, X, y: smooth(m, np.ones(6)), "mean must have 7 columns"),
        (lambda m, X, y: smooth(m, np.ones((2, 7))), "mean must hold one value per neuron"),
        (lambda m, X, y: smooth(m, np.ones(7), 1.5), "amount must be from 0 to 1; got 1.5"),
        (lambda m, X, y: remove_direction(m, np.ones((3, 7)), X), "suspect_activations must have 7 columns"),
        (lambda m, X, y: remove_direction(m, np.ones((3, 7)) * np.inf, X), "clean_activations must hold finite"),
        (lambda m, X, y: fine_tune(m, X, y[:5], np.random.default_rng()), "y must have one label per row of X, 60"),
        (lambda m, X, y: fine_tune(m, X, y + 9, np.random.default_rng()), "y must be labels out of"),
        (lambda m, X, y: fine_tune(m, X, y[:, None], np.random.default_rng()), "y must be labels out of"),
        (lambda m, X, y: fine_tune(m, X, [], np.random.default_rng()), "y must be labels out of"),
        (lambda m, X, y: fine_tune(m, X[:, :2], y, np.random.default_rng()), "X must have 5 columns"),
        (tune(rate=0), "epochs, batch_size and rate must be positive; got 30, 32 and 0"),
        (tune(rate=np.inf), "epochs, batch_size and rate must be positive; got 30, 32 and inf"),
        (tune(epochs=-1), "epochs, batch_size and rate must be positive; got -1, 32 and 0.001"),
        (tune(batch_size=0), "epochs, batch_size and rate must be positive; got 30, 0 and 0.001"),
        (lambda m, X, y: order(X, X, "size"), "by must be one of difference, rise"),
        (lambda m, X, y: order(X, X, "random"), "rng must be a numpy.random.Generator"),
        (lambda m, X, y: pruning_curve(m, [9], X, y, X, 0), "neurons must be different"),
        (lambda m, X, y: pruning_curve(m, [0], X, y[1:], X, 0), "y must have one label per row of X, 60"),
        (lambda m, X, y: pruning_curve(m, [0], X, y, X, 12), "target must be one of"),
        (lambda m, X, y: pruning_curve(smooth(m, np.ones(7)), [0], X, y, X, 0), "model must have no edits"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(model, X, y, call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call(model, X, y)


def test_models_of_another_shape_are_refused(X, y):
    deep = MLPClassifier((4, 3), batch_size=20).partial_fit(X, y, classes=range(N_OUT))
    tanh = MLPClassifier((4,), activation="tanh", batch_size=20).partial_fit(X, y, classes=range(N_OUT))
    binary = MLPClassifier((4,), batch_size=20).partial_fit(X, y > 1, classes=[False, True])
    for other in (deep, tanh, binary):
        with pytest.raises(ValueError, match=r"^model must have one hidden layer with relu"):
            as_classifier(other)
