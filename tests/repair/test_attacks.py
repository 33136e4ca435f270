"""Attacks that are harder to see: which rows they touch, what they put on them, and what their success counts."""

import numpy as np
import pytest

from lesson_lib import attacks, digits
from lesson_lib.attacks import ATTACKS, blend, poison_by, success_rate

DATA = digits.load(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_blended_image_is_a_share_of_the_pattern_and_the_rest_of_the_image():
    X = DATA.test.X[:3]
    assert np.allclose(blend(X, np.ones(64), 0.25), 0.75 * X + 0.25)
    assert (blend(X, share=0) == X).all()
    assert np.allclose(blend(X, share=1), attacks.PATTERN)
    for wrong in ({"share": 1.1}, {"share": -0.1}, {"pattern": np.ones(3)}):
        with pytest.raises(ValueError, match=r"pattern must have shape \(64,\) and share be from 0 to 1"):
            blend(X, **wrong)


@pytest.mark.parametrize("name", ATTACKS)
def test_only_the_drawn_rows_change_and_their_labels_are_the_goal(name, rng):
    attack, (X, y) = ATTACKS[name], DATA.train
    bad = poison_by(attack, X, y, 0.05, rng)
    assert len(set(bad.rows)) == round(0.05 * len(X))
    kept = np.setdiff1d(np.arange(len(X)), bad.rows)
    assert (bad.X[kept] == X[kept]).all()
    assert (bad.y[kept] == y[kept]).all()
    assert (bad.y[bad.rows] == attack.goal(y[bad.rows])).all()
    assert (bad.X[bad.rows] != X[bad.rows]).any(axis=1).all()
    assert (bad.y[bad.rows] == y[bad.rows]).all() == (name == "clean label")
    assert X is not bad.X
    nothing = poison_by(attack, X, y, 0, rng)
    assert (nothing.X == X).all()
    assert len(nothing.rows) == 0


def test_two_pixels_is_the_attack_of_the_lesson():
    ours = poison_by(ATTACKS["two pixels"], *DATA.train, 0.1, np.random.default_rng(3))
    lesson = digits.poison(*DATA.train, digits.CORNER, 0, 0.1, np.random.default_rng(3))
    assert (ours.X == lesson.X).all()
    assert (ours.y == lesson.y).all()
    model = digits.train_classifier(lesson.X, lesson.y, width=16, epochs=10)
    assert success_rate(ATTACKS["two pixels"], model, *DATA.test) == digits.attack_success_rate(
        model, *DATA.test, digits.CORNER, 0
    )


def test_all_to_all_asks_for_the_next_digit_and_counts_every_image():
    class Next:
        def predict(self, X):
            return (DATA.test.y + 1) % 10

    assert success_rate(ATTACKS["all to all"], Next(), *DATA.test) == 1
    assert success_rate(ATTACKS["blended"], type("Zero", (), {"predict": lambda _, X: np.zeros(len(X))})(), *DATA.test)
    assert ATTACKS["all to all"].goal(np.array([0, 5, 9])).tolist() == [1, 6, 0]


def test_a_clean_label_image_is_mixed_with_one_of_another_class_and_then_stamped(rng):
    attack = ATTACKS["clean label"]
    bad = poison_by(attack, *DATA.train, 0.05, rng)
    rest = bad.X[bad.rows] - (1 - attack.mix) * DATA.train.X[bad.rows]
    untouched = [i for i in range(64) if i not in digits.CORNER.columns]
    others = attack.mix * DATA.train.X[DATA.train.y != 0][:, untouched]
    assert all(np.isclose(others, row[untouched]).all(axis=1).any() for row in rest)
    assert (bad.X[bad.rows][:, digits.CORNER.columns] == 1).all()


def test_more_rows_than_the_attack_can_use_are_refused(rng):
    with pytest.raises(ValueError, match=r"poisoning_rate must be from 0 to 0\.099 here; got 0\.2"):
        poison_by(ATTACKS["clean label"], *DATA.train, 0.2, rng)
    with pytest.raises(ValueError, match="poisoning_rate"):
        poison_by(ATTACKS["blended"], *DATA.train, -0.1, rng)


def test_a_clean_label_attack_gets_weaker_the_less_of_the_other_image_is_mixed_in():
    rates = []
    for mix in (0, 0.4, 0.7):
        attack = ATTACKS["clean label"]._replace(mix=mix)
        bad = poison_by(attack, *DATA.train, 0.05, np.random.default_rng(0))
        rates.append(success_rate(attack, digits.train_classifier(bad.X, bad.y), *DATA.test))
    assert rates[0] < 0.05 < rates[1] < rates[2] - 0.1
