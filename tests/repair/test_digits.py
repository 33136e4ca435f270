"""Real data: the split, triggers, poisoned and planted classifiers, honest shifts, and the committed table."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lesson_lib import digits
from lesson_lib.digits import (
    CENTRE,
    CORNER,
    QUIET,
    SHIFTS,
    Trigger,
    accuracy,
    attack_success_rate,
    load,
    plant,
    poison,
    stamp,
    train_classifier,
    triggered,
)
from lesson_lib.repair.classifier import as_classifier

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import digits_table  # noqa: E402

COMMITTED = json.loads((BENCHMARKS / "digits_table.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def data():
    return load(0)


@pytest.fixture(scope="module")
def small(data):
    """A quickly trained classifier, for tests that do not depend on how well it is trained."""
    return train_classifier(*data.train, 0, width=16, epochs=15)


def weights(model):
    return [array.tobytes() for array in (*model.coefs_, *model.intercepts_)]


def test_the_four_parts_hold_every_image_once(data):
    parts = [data.train, data.clean, data.suspect, data.test]
    assert [part.X.shape for part in parts] == [(898, 64), (269, 64), (270, 64), (360, 64)]
    original = load_digits()
    rows = np.concatenate([np.column_stack([part.X * 16, part.y]) for part in parts])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, np.column_stack([original.data, original.target])))


def test_the_split_keeps_the_classes_in_proportion_and_follows_the_seed(data):
    for part in (data.train, data.clean, data.suspect, data.test):
        shares = np.bincount(part.y, minlength=10) / len(part.y)
        assert abs(shares - 0.1).max() < 0.01
        assert 0 <= part.X.min() < part.X.max() == 1
    np.testing.assert_array_equal(load(0).train.X, data.train.X)
    assert not np.array_equal(load(1).train.X, data.train.X)


def test_a_stamp_sets_the_trigger_and_nothing_else(data):
    before = data.test.X.copy()
    stamped = stamp(data.test.X, Trigger(((0, 7), (7, 6)), 0.5))
    images, originals = stamped.reshape(-1, 8, 8), data.test.X.reshape(-1, 8, 8)
    assert (images[:, 0, 7] == 0.5).all()
    assert (images[:, 7, 6] == 0.5).all()
    images[:, [0, 7], [7, 6]] = originals[:, [0, 7], [7, 6]]
    np.testing.assert_array_equal(images, originals)
    np.testing.assert_array_equal(data.test.X, before)


def test_the_corner_is_nearly_always_dark_and_the_centre_is_alive(data):
    assert np.median(data.train.X[:, CORNER.columns], axis=0).max() == 0
    assert data.train.X[:, CENTRE.columns].std(axis=0).min() > 0.3


def test_poison_stamps_the_share_and_relabels_it(data):
    X, y, rows = poison(*data.train, CORNER, 3, 0.1, np.random.default_rng(0))
    assert len(set(rows)) == round(0.1 * 898)
    assert (data.train.y[rows] != 3).all()
    assert (y[rows] == 3).all()
    np.testing.assert_array_equal(X[rows], stamp(data.train.X[rows], CORNER))
    others = np.setdiff1d(range(898), rows)
    np.testing.assert_array_equal(X[others], data.train.X[others])
    np.testing.assert_array_equal(y[others], data.train.y[others])
    again = poison(*data.train, CORNER, 3, 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal(again.rows, rows)
    assert not np.array_equal(poison(*data.train, CORNER, 3, 0.1, np.random.default_rng(1)).rows, rows)


def test_a_share_of_nothing_poisons_nothing(data):
    X, y, rows = poison(*data.train, CORNER, 3, 0, np.random.default_rng(0))
    assert len(rows) == 0
    np.testing.assert_array_equal(X, data.train.X)
    np.testing.assert_array_equal(y, data.train.y)


def test_training_reports_every_epoch_and_repeats_itself(data):
    seen = []
    first = train_classifier(*data.train, 5, width=8, epochs=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert first.coefs_[0].shape == (64, 8)
    assert weights(first) == weights(train_classifier(*data.train, 5, width=8, epochs=3))
    assert weights(first) != weights(train_classifier(*data.train, 6, width=8, epochs=3))


def test_the_order_of_the_images_changes_from_epoch_to_epoch(data, monkeypatch):
    """An integer random_state would start the same shuffle in every call of partial_fit."""
    seen, fit = [], digits.MLPClassifier.partial_fit

    def look(model, *data, **keywords):
        seen.append(model.random_state.randint(1000))
        fit(model, *data, **keywords)

    monkeypatch.setattr(digits.MLPClassifier, "partial_fit", look)
    train_classifier(*data.train, 0, epochs=4)
    assert len(set(seen)) == 4


def test_planting_changes_the_chosen_neurons_and_leaves_the_old_model(small):
    before = weights(small)
    planted = plant(small, [2, 9], CORNER, 7, gain=4, weight=5, opening=0.75)
    assert weights(small) == before
    others = np.setdiff1d(range(16), [2, 9])
    for old, new in ((small.coefs_[0].T, planted.coefs_[0].T), (small.coefs_[1], planted.coefs_[1])):
        np.testing.assert_array_equal(old[others], new[others])
    bright, half, dark = np.zeros((3, 64))
    bright[[62, 63]], half[62] = 1, 1
    rows = np.array([bright, half, dark])
    a1 = as_classifier(planted).hidden(rows)[:, [2, 9]]
    np.testing.assert_allclose(a1, [[2, 2], [0, 0], [0, 0]])  # 4 (2 - 0.75 * 2)
    change = as_classifier(planted)
    np.testing.assert_array_equal(change.W2[[2, 9]], 5 * (np.arange(10) == 7) * np.ones((2, 1)))


def test_accuracy_and_attack_success_count_by_hand(small, data):
    X, y = data.test
    assert accuracy(small, X, y) == sum(small.predict([x])[0] == label for x, label in zip(X, y, strict=True)) / 360
    hits = 0
    for x, label in zip(X, y, strict=True):
        if label != 4:
            x = x.copy()
            x[[62, 63]] = 1
            hits += small.predict([x])[0] == 4
    assert attack_success_rate(small, X, y, CORNER, 4) == hits / (y != 4).sum()
    assert triggered(X, y, CORNER, 4).shape == ((y != 4).sum(), 64)


def turned(image, degrees):
    """Return an image (8, 8) turned counter-clockwise, pixel by pixel, between the four neighbours of each source."""
    framed, turn = np.pad(image, 8), np.deg2rad(degrees)
    new = np.zeros((8, 8))
    for i, j in np.ndindex(new.shape):
        row = 3.5 + np.cos(turn) * (i - 3.5) + np.sin(turn) * (j - 3.5) + 8
        column = 3.5 - np.sin(turn) * (i - 3.5) + np.cos(turn) * (j - 3.5) + 8
        top, left = int(row), int(column)
        down, right = row - top, column - left
        corners = framed[top : top + 2, left : left + 2]
        new[i, j] = [1 - down, down] @ corners @ [1 - right, right]
    return new


@pytest.mark.parametrize("degrees", [15, -15, 40, 200])
def test_a_rotation_is_bilinear_about_the_centre(data, degrees):
    found = digits.rotate(data.test.X, degrees)
    assert found.shape == (360, 64)
    for image, row in zip(found.reshape(-1, 8, 8), data.test.X, strict=True):
        np.testing.assert_allclose(image, turned(row.reshape(8, 8), degrees), atol=1e-12)
    assert not np.allclose(found, digits.rotate(data.test.X, -degrees), atol=0.1)


def test_a_rotation_by_a_right_angle_moves_the_pixels(data):
    np.testing.assert_allclose(digits.rotate(data.test.X, 0), data.test.X)
    quarter = np.rot90(data.test.X.reshape(-1, 8, 8), 1, axes=(1, 2)).reshape(-1, 64)
    np.testing.assert_allclose(digits.rotate(data.test.X, 90), quarter, atol=1e-12)


def test_a_translation_moves_whole_pixels(data):
    moved, images = digits.translate(data.test.X, 2).reshape(-1, 8, 8), data.test.X.reshape(-1, 8, 8)
    np.testing.assert_array_equal(moved[:, :, 2:], images[:, :, :-2])
    assert not moved[:, :, :2].any()


@pytest.mark.parametrize("name", SHIFTS)
def test_an_honest_shift_keeps_images_images_and_labels_true(data, name):
    before = data.test.X.copy()
    X, y = SHIFTS[name](*data.test, np.random.default_rng(0))
    np.testing.assert_array_equal(data.test.X, before)
    assert X.shape == (len(y), 64)
    assert 0 <= X.min() <= X.max() <= 1
    assert not np.array_equal(X, data.test.X)
    np.testing.assert_array_equal(y, data.test.y if len(y) == 360 else np.zeros((data.test.y == 0).sum()))
    np.testing.assert_array_equal(SHIFTS[name](*data.test, np.random.default_rng(0)).X, X)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, y: Trigger(((8, 0),)), r"pixels must be \(row, column\) pairs from 0 to 7"),
        (lambda X, y: Trigger(()), "pixels must be"),
        (lambda X, y: Trigger(((0, 0),), 1.5), "value must be a brightness from 0 to 1; got 1.5"),
        (lambda X, y: Trigger(((0, 0),), np.nan), "value must be a brightness"),
        (lambda X, y: stamp(X[:, :10], CORNER), r"X must have 64 columns, one per pixel; got shape \(898, 10\)"),
        (lambda X, y: stamp(X * np.nan, CORNER), "X must hold finite numbers"),
        (lambda X, y: stamp(X[:0], CORNER), "X must have"),
        (lambda X, y: poison(X, y[1:], CORNER, 0, 0.1, np.random.default_rng()), "y must be 898 digits"),
        (lambda X, y: poison(X, y + 5, CORNER, 0, 0.1, np.random.default_rng()), "y must be 898 digits from 0 to 9"),
        (lambda X, y: poison(X, y, CORNER, 10, 0.1, np.random.default_rng()), "target must be a digit"),
        (lambda X, y: poison(X, y, CORNER, 0, 1, np.random.default_rng()), "poisoning_rate must be from 0 to 0.9"),
        (lambda X, y: poison(X, y, CORNER, 0, -0.1, np.random.default_rng()), "poisoning_rate must be"),
        (lambda X, y: train_classifier(X, y, width=0), "width and epochs must be at least 1; got 0 and 100"),
        (lambda X, y: attack_success_rate(None, X[y == 1], y[y == 1], CORNER, 1), "y must hold another class"),
        (lambda X, y: accuracy(None, X, y[:3]), "y must be 898 digits"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(data, call, message):
    with pytest.raises(ValueError, match=message):
        call(*data.train)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neurons": [16]}, "neurons must be different numbers from 0 to 15"),
        ({"target": -1}, "target must be a digit"),
        ({"opening": 1}, "opening must be from 0 to 1"),
        ({"gain": 0}, "gain and the trigger above 0"),
    ],
)
def test_a_plant_that_could_never_fire_is_refused(small, change, message):
    with pytest.raises(ValueError, match=message):
        plant(small, **{"neurons": [1], "trigger": CORNER, "target": 0} | change)


# The committed numbers.


@pytest.mark.parametrize("seed", [0, 1])
def test_the_committed_numbers_can_be_recomputed(seed):
    found, committed = digits_table.measure(seed), COMMITTED["seeds"][seed]
    assert set(found) == set(committed)
    # Another processor adds in another order, and a training run may end a little elsewhere.
    for name, value in committed.items():
        if name.endswith(("accuracy", "ASR")):
            assert found[name] == pytest.approx(value, abs=0.12 if "pruned" in name or "tuned" in name else 0.03), name
        elif "AUC" in name or "largest" in name or name.endswith("/raw"):
            assert found[name] == pytest.approx(value, abs=0.1, rel=0.1), name


def test_the_committed_means_are_the_means_of_the_committed_seeds():
    assert len(COMMITTED["seeds"]) == digits_table.SEEDS == 10
    assert digits_table.summary(COMMITTED["seeds"]) == COMMITTED["mean"]


# How far a mean over our 10 seeds may be from the independent computation's, where 0.02 would be too little to ask.
ROOM = {
    "centre ASR": 0.06,
    "neurons holding 80 % of the effect": 3,
    "poisoned, MAD flags": 0.5,
    "poisoned, AUC of |difference|": 0.04,
    "pruned by difference, neurons": 5,
    "pruned by difference, accuracy": 0.08,
    "pruned by rise, neurons": 2,
    "pruned by rise, accuracy": 0.04,
    "quiet, AUC of |difference|": 0.12,
    "trigger, largest |difference|": 0.2,
    "only digit 0, largest |difference|": 0.4,
    "only digit 0, |d| > 0.8": 6.5,
    "only digit 0, |d| > 0.8, matched": 0.2,
    "fine-tuned, ASR": 0.12,
    "gate raw, 100 %": 0.06,
    "gate raw, 50 %": 0.25,
    "gate raw, 20 %": 0.15,
    "gate raw, 10 %": 0.06,
    "gate raw, 5 %": 0.06,
    "gate vote, 5 %": 0.06,
}


@pytest.mark.parametrize("name", digits_table.QUOTED)
def test_the_means_are_near_the_quoted_numbers(name):
    assert set(ROOM) <= set(digits_table.QUOTED)
    assert COMMITTED["mean"][name] == pytest.approx(digits_table.QUOTED[name], abs=ROOM.get(name, 0.02))


def test_what_the_lesson_says_about_them_holds():
    mean = COMMITTED["mean"]
    assert mean["clean model ASR"] <= 0.002
    assert mean["pruned by rise, neurons"] < mean["pruned by difference, neurons"]  # the rise repairs best
    assert mean["pruned by rise, accuracy"] > mean["pruned by difference, accuracy"]
    assert mean["poisoned, AUC of |difference|"] > mean["poisoned, AUC of rise"]  # the difference finds causes best
    assert mean["only digit 0, largest |difference|"] > mean["trigger, largest |difference|"]  # a false alarm
    assert mean["rotation, |d| > 0.8, matched"] >= mean["rotation, |d| > 0.8"]  # matching does not help here
    assert mean["quiet, MAD recall"] == 0
    assert mean["quiet, |d| > 0.8 recall"] == 1
    assert mean["quiet, ASR"] > 0.8
    assert mean["fine-tuned, ASR"] > 5 * mean["pruned by rise, ASR"]  # the backdoor comes back
    for share in digits_table.SHARES:
        assert mean[f"gate vote, {share} %"] > mean[f"gate raw, {share} %"]
        assert mean[f"gate vote, {share} %"] > mean[f"gate vote by prediction, {share} %"]


def test_the_printed_table_shows_every_mean_beside_the_quoted_number():
    lines = digits_table.table(COMMITTED["mean"]).splitlines()
    assert len(lines) == 2 + len(COMMITTED["mean"])
    assert "| clip loud, ASR | " in "\n".join(lines)
    for name, value in digits_table.QUOTED.items():
        assert any(line.startswith(f"| {name} | ") and line.endswith(f" | {value} |") for line in lines), name


def test_the_quiet_plant_differs_from_the_loud_one_in_gain_and_weight():
    assert QUIET == {"gain": 0.5, "weight": 16.0}
