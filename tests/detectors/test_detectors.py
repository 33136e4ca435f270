"""The published detectors: each step against an independent computation, on data whose truth is known."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from lesson_lib import digits
from lesson_lib.detectors import cleanse, training_rows
from lesson_lib.detectors.naming import name_class
from lesson_lib.repair.classifier import as_classifier
from lesson_lib.repair.repairs import clip

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import detectors_table  # noqa: E402

COMMITTED = json.loads(detectors_table.FILE.read_text(encoding="utf-8"))
SPLITS = COMMITTED["splits"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def data():
    return digits.load(0)


@pytest.fixture(scope="module")
def poisoned(data):
    bad = digits.poison(*data.train, digits.CORNER, 0, 0.1, np.random.default_rng(0))
    return bad, digits.train_classifier(bad.X, bad.y)


# Naming a class ----------------------------------------------------------------------------------------------------


def test_the_class_that_stands_out_on_the_suspect_side_is_named():
    low = name_class([9, 10, 11, 12, 2], list("abcde"), suspect=-1)
    assert (low.most_suspect, low.named) == ("e", "e")
    assert low.mad_index[4] == pytest.approx(8 / 1.4826)  # median 10, MAD 1
    assert (low.mad_index[[2, 3]] < 0).all()  # large ones are not suspect
    assert name_class([9, 10, 11, 12, 2], list("abcde"), suspect=1).named is None


def test_the_class_0_can_be_named():
    assert name_class([50, 10, 11, 12, 9], range(5), suspect=1).named == 0


def test_alike_scores_name_nothing():
    assert name_class([3, 3, 3, 3], range(4), suspect=1).named is None
    assert name_class([1, 2, 3, 4, 5], range(5), suspect=1).named is None


# Neural Cleanse ----------------------------------------------------------------------------------------------------


def test_the_slopes_are_those_of_the_loss_by_finite_difference(data, poisoned, rng):
    net, X = as_classifier(poisoned[1]), data.clean.X[:7]
    wanted = np.tile(np.eye(10)[3], (7, 1))
    free = {"mask": rng.normal(size=64), "pattern": rng.normal(size=64)}

    def loss(free):
        mask, pattern = (1 / (1 + np.exp(-free[name])) for name in ("mask", "pattern"))
        chances = net.predict_proba((1 - mask) * X + mask * pattern)
        return -np.log(chances[:, 3]).mean() + 0.01 * mask.sum()

    found = cleanse.Found(*(1 / (1 + np.exp(-values)) for values in free.values()))
    slopes = dict(zip(free, cleanse._slopes(net, X, wanted, 0.01, found), strict=True))
    for name in free:
        for pixel in (0, 20, 36, 63):
            step = 1e-5 * np.eye(64)[pixel]
            gap = loss(free | {name: free[name] + step}) - loss(free | {name: free[name] - step})
            assert slopes[name][pixel] == pytest.approx(gap / 2e-5, rel=1e-4, abs=1e-8)


def test_the_trigger_that_was_planted_is_found(data, poisoned):
    found = cleanse.find_trigger(poisoned[1], data.clean.X, 0)
    assert set(np.argsort(-found.mask)[:2]) == set(digits.CORNER.columns)
    assert found.pattern[list(digits.CORNER.columns)].min() > 0.9  # white
    assert found.success == np.mean(poisoned[1].predict(found.put(data.clean.X)) == 0) > 0.95


def test_a_higher_price_buys_a_smaller_mask(data, poisoned):
    sizes = [cleanse.find_trigger(poisoned[1], data.clean.X, 5, price=price).mask.sum() for price in (0.003, 0.03)]
    assert sizes[1] < sizes[0]


def test_a_found_trigger_replaces_pixels_by_its_pattern():
    found = cleanse.Found(np.array([0, 1, 0.5]), np.array([1, 0.25, 1]), 1.0)
    assert found.put(np.array([[0.5, 0.5, 0.0]])).tolist() == [[0.5, 0.25, 0.5]]


def test_a_repaired_model_is_refused(data, poisoned):
    with pytest.raises(ValueError, match="model must be one that no repair has edited"):
        cleanse.find_trigger(clip(poisoned[1], as_classifier(poisoned[1]).hidden(data.clean.X)), data.clean.X, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"X": np.ones((3, 5))}, "X must have 64 columns"), ({"target": 10}, "y must be labels out of")],
)
def test_what_does_not_fit_is_refused(data, poisoned, change, message):
    with pytest.raises(ValueError, match=message):
        cleanse.find_trigger(**{"model": poisoned[1], "X": data.clean.X, "target": 0} | change)


# Activation clustering ---------------------------------------------------------------------------------------------


@pytest.fixture
def two_groups(rng):
    """Rows in two groups, 30 and 50, 6 apart in one of 12 directions."""
    rows = rng.normal(size=(80, 12))
    rows[:30, 4] += 6
    return rows


def test_the_components_are_those_of_scikit_learn(two_groups):
    theirs = PCA(10).fit_transform(two_groups)
    assert np.allclose(abs(training_rows.principal_components(two_groups)), abs(theirs))


def test_the_smaller_of_two_groups_is_found_and_as_tight_as_by_scikit_learn(two_groups, rng):
    points = training_rows.principal_components(two_groups)
    smaller = training_rows.two_means(points, rng)
    assert smaller.tolist() == [True] * 30 + [False] * 50
    assert training_rows.two_means(points[::-1], rng).tolist() == [False] * 50 + [True] * 30
    theirs = KMeans(2, n_init=10, random_state=0).fit(points)
    ours = sum(((part - part.mean(axis=0)) ** 2).sum() for part in (points[smaller], points[~smaller]))
    assert ours == pytest.approx(theirs.inertia_)


def test_the_scores_are_the_silhouettes_of_the_clusters(two_groups, rng):
    labels = np.repeat([0, 1], [80, 60])
    rows = np.concatenate([two_groups, rng.normal(size=(60, 12))])
    naming, smaller = training_rows.activation_clustering(rows, labels, rng)
    for label, score in enumerate(naming.scores):
        points = training_rows.principal_components(rows[labels == label])
        second = smaller[labels == label]
        widths = []
        for i, point in enumerate(points):
            far = np.linalg.norm(points - point, axis=1)
            own = far[second == second[i]].sum() / ((second == second[i]).sum() - 1)
            other = far[second != second[i]].mean()
            widths.append((other - own) / max(other, own))
        assert score == pytest.approx(np.mean(widths))


def test_each_class_is_split_by_itself_and_the_one_that_falls_apart_stands_out(two_groups, rng):
    labels = np.repeat([3, 5, 7], [80, 60, 60])
    rows = np.concatenate([two_groups, rng.normal(size=(60, 12)), rng.normal(size=(60, 12)) + 20])
    order = rng.permutation(200)
    naming, smaller = training_rows.activation_clustering(rows[order], labels[order], rng)
    assert naming.most_suspect == 3
    assert naming.scores.argmax() == 0
    assert set(order[smaller & (labels[order] == 3)]) == set(range(30))
    assert all(smaller[labels[order] == label].mean() <= 0.5 for label in (3, 5, 7))


def test_a_class_that_cannot_fall_apart_scores_0(rng):
    two_groups = np.repeat([[0.0, 0], [9, 9]], [5, 3], axis=0) + np.arange(8)[:, None] / 100
    rows = np.concatenate([np.ones((4, 2)), [[0, 0], [0, 1]], two_groups])
    naming, smaller = training_rows.activation_clustering(rows, np.repeat([0, 1, 2], [4, 2, 8]), rng)
    assert naming.scores[:2].tolist() == [0, 0]
    assert naming.scores[2] > 0.9
    assert np.flatnonzero(smaller).tolist() == [11, 12, 13]


def test_many_equal_rows_give_no_warning(rng):
    rows = np.concatenate([np.zeros((20, 2)), [[1.0, 1]]])
    assert np.flatnonzero(training_rows.two_means(rows, rng)).tolist() == [20]


def test_no_clusters_without_two_rows(rng):
    with pytest.raises(ValueError, match="labels must have at least two rows of each class"):
        training_rows.activation_clustering(np.eye(5), [0, 0, 0, 0, 1], rng)
    with pytest.raises(ValueError, match="labels must have one label per row of activations, 5; got"):
        training_rows.activation_clustering(np.eye(5), [0, 0, 1, 1], rng)
    with pytest.raises(ValueError, match="labels must have one label per row of activations, 5; got"):
        training_rows.spectral_scores(np.eye(5), [0, 0, 1, 1])


# Spectral signatures -----------------------------------------------------------------------------------------------


def test_the_scores_are_squares_along_the_first_principal_component_of_the_class(two_groups):
    labels = np.repeat([0, 1], [80, 40])
    rows = np.concatenate([two_groups, 5 + two_groups[20:60]])
    scores = training_rows.spectral_scores(rows, labels)
    for label in (0, 1):
        theirs = PCA(1).fit_transform(rows[labels == label])[:, 0]
        assert np.allclose(scores[labels == label], theirs**2)


def test_a_tenth_of_a_class_gets_the_largest_scores_and_half_of_it_does_not(rng):
    def auc(n):
        rows = rng.normal(size=(100, 12))
        rows[:n, 4] += 8
        scores = training_rows.spectral_scores(rows, np.zeros(100))
        return (scores[:n, None] > scores[n:]).mean()

    assert auc(10) > 0.99
    assert 0.3 < auc(50) < 0.7  # the mean is in the middle, and both halves are as far from it


def test_of_every_class_one_and_a_half_times_the_expected_rows_are_removed(rng):
    rows, labels = rng.normal(size=(90, 6)), np.repeat([0, 1, 2], 30)
    removed, scores = training_rows.spectral_signatures(rows, labels, 6), training_rows.spectral_scores(rows, labels)
    assert np.bincount(labels[removed]).tolist() == [9, 9, 9]
    assert (np.diff(removed) > 0).all()
    kept = np.setdiff1d(np.arange(90), removed)
    for label in (0, 1, 2):
        assert scores[removed[labels[removed] == label]].min() > scores[kept[labels[kept] == label]].max()
    assert training_rows.REMOVED == 1.5


# The committed numbers ---------------------------------------------------------------------------------------------


def test_the_committed_numbers_can_be_recomputed():
    found, _ = detectors_table.measure(0, (detectors_table.HONEST, "two pixels, 5 %"))
    assert len(found) > 25
    for name, value in found.items():
        near = 0.5 if "size" in name or "index" in name else 0.05
        if not name.endswith(("class", "named", "both pixels")):
            # Another processor adds in another order, and a training run may end a little elsewhere.
            assert value == pytest.approx(SPLITS[0][name], abs=near, rel=0.1), name
    assert found["two pixels, 5 %: Neural Cleanse: class"] == 0


def test_every_split_has_every_number():
    assert len(SPLITS) == detectors_table.SEEDS == 10
    assert all(split.keys() == SPLITS[0].keys() for split in SPLITS)
    assert COMMITTED["seconds"].keys() == detectors_table.DETECTORS.keys()
    assert COMMITTED["seconds"]["Neural Cleanse"] < 10
