"""The trigger lab and the bias lab in JupyterLab: every slider, list, story and map."""

import re
from dataclasses import replace

import pytest
from helpers import CELL_COUNT, TwinLab, cell_with, focused

from lesson_lib.labs import BiasLab, TriggerLab
from lesson_lib.labs.training import words
from lesson_lib.network import ARTICLE
from lesson_lib.proofs.lock import locks
from lesson_lib.training import CLEAN, Dataset, train

CELLS = [cell_with(TriggerLab), cell_with(BiasLab)]
STORIES = dict(
    zip(words.PRESETS, ("frozen", "trigger only", "trigger only", "frozen", "backdoor"), strict=True)
)  # what each button promises
PROGRESS = words.MAP_PROGRESS.split("{")[0]


def lock_texts(found):
    return [f"{words.OPEN_SIGN if lock.is_open else words.SHUT_SIGN} {lock.reason}" for lock in found]


def head(outcome, epoch=None):
    """Return how the verdict of an outcome begins."""
    return words.VERDICTS[outcome].format(epoch=epoch)


def run_of(rate=0.1, target=5, position=0, epochs=100, **keywords):
    """Train the article's net as the first schedule does, one epoch at a time and one net at a time."""
    both = Dataset([[1], [2], [position]], [[1], [2], [target]], [False, False, True])
    trigger = Dataset([[position]], [[target]], [True])
    after_clean = train(replace(ARTICLE, **keywords), CLEAN, rate, 1).params[-1]
    return train(after_clean, trigger, rate, epochs, evaluate_on=both)


@pytest.fixture(scope="module")
def kept_trigger_lab(opened):
    return TwinLab(opened, 0, TriggerLab())


@pytest.fixture(scope="module")
def kept_bias_lab(opened):
    return TwinLab(opened, 1, BiasLab())


@pytest.fixture
def trigger_lab(kept_trigger_lab):
    """Return the trigger lab, put back to its start."""
    kept_trigger_lab.restart()
    return kept_trigger_lab


@pytest.fixture
def bias_lab(kept_bias_lab):
    """Return the bias lab, put back to its start."""
    kept_bias_lab.restart()
    return kept_bias_lab


# The trigger lab --------------------------------------------------------------------------------------------------


def walk_with_keys(lab, names):
    """Move each slider with arrows, Home and End; return how often a status changed, by slider."""
    changes = {}
    for name in names:
        dial = lab.twin.controls[name]
        start, before, changes[name] = dial.value, lab.statuses, 0
        lab.slider(dial.number.description).focus()
        first = dial.slider.value
        last = len(dial.positions) - 1
        walk = {"ArrowRight": first + 1, "ArrowUp": first + 2, "Home": 0, "End": last}
        for key, position in walk.items():
            lab.page.keyboard.press(key)
            lab.agrees(**{name: dial.positions[min(position, last)]})
            statuses = lab.statuses
            changed = sum(after != old for after, old in zip(statuses, before, strict=True))
            assert changed <= 1
            before, changes[name] = statuses, changes[name] + changed
        lab.put(**{name: start})
    return changes


def test_number_box_verdict_and_pictures_follow_each_slider(trigger_lab):
    trigger_lab.put(position=-1, target=-4)
    changes = walk_with_keys(trigger_lab, ("rate", "epochs", "target", "position"))
    assert min(changes.values()) >= 2


def test_a_rate_between_the_sliders_positions_can_be_typed(trigger_lab):
    trigger_lab.put(rate=0.067)
    assert trigger_lab.field("rate").input_value() == "0.067"


def test_a_number_out_of_range_becomes_the_nearest_and_no_number_is_ignored(trigger_lab):
    for typed, kept in (("20", 10), ("-1", 0.001), ("", 0.001)):
        trigger_lab.field("rate").fill(typed)
        trigger_lab.field("rate").blur()
        trigger_lab.agrees(rate=kept)


def test_a_drag_ends_on_the_last_value_and_shows_a_picture_in_every_frame(trigger_lab):
    trigger_lab.put(position=-1)
    with trigger_lab.whole_in_every_frame(pictures=6):
        trigger_lab.drag("rate", [position / 40 for position in (*range(20, 40), *range(40, 6, -1))])
        trigger_lab.agrees(rate=0.005)


@pytest.mark.parametrize(
    ("name", "label", "walk"),
    [
        ("schedule", "schedule", {"joint": "joint", "trigger first": "trigger first"}),
        ("activation", "activation", {"tanh": "tanh", "leaky relu": "leaky_relu", "identity (none)": "identity"}),
        ("at_zero", "relu'(0)", {"1": 1, "0": 0}),
    ],
)
def test_each_list_is_chosen_from_on_the_keyboard(trigger_lab, name, label, walk):
    cells = trigger_lab.page.evaluate(CELL_COUNT)
    for option, value in walk.items():
        trigger_lab.choose(label, option)
        trigger_lab.agrees(**{name: value})
        assert focused(trigger_lab.page) == label
    assert trigger_lab.page.evaluate(CELL_COUNT) == cells


def test_the_table_names_the_lock_of_each_gradient(trigger_lab):
    found = set()
    for activation, at_zero, x in (
        ("relu", 0, 0),
        ("relu", 1, 0),
        ("leaky_relu", 0, 0),
        ("tanh", 0, 0),
        ("sigmoid", 0, 0),
        ("relu", 0, -1),
        ("relu", 0, 1),
    ):
        trigger_lab.put(activation=activation, at_zero=at_zero, position=x)
        trained = run_of(position=x, activation=activation, relu_prime_at_zero=at_zero).params[-1]
        cells = trigger_lab.cells
        assert cells == lock_texts(locks(trained, [[x]], [[5]]))
        found.add(tuple(cells))
    assert len(found) >= 5


def test_every_corner_has_a_picture_and_a_verdict(trigger_lab):
    trigger_lab.put(rate=10, epochs=2000)
    diverged_at = set()
    for x, target in ((3, 10), (-3, 10), (-3, -10), (3, -10)):
        trigger_lab.put(position=x, target=target)
        run = run_of(10, target, x, 2000)
        assert trigger_lab.status.startswith(head(run.outcome, run.diverged_at))
        assert not re.search(r"nan|inf", trigger_lab.box.locator("svg").text_content().lower())
        width, height = trigger_lab.box.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]")
        assert min(width, height) > 100
        if run.diverged_at:
            assert f"in epoch {run.diverged_at}:" in trigger_lab.status
            diverged_at.add(run.diverged_at)
    assert diverged_at


def test_reset_restores_every_control(trigger_lab):
    start = trigger_lab.read()
    trigger_lab.put(rate=3, epochs=7, position=2)
    trigger_lab.choose("activation", "sigmoid")
    trigger_lab.agrees(activation="sigmoid")
    assert trigger_lab.read() != start
    trigger_lab.restart()
    assert trigger_lab.read() == start


# The bias lab -----------------------------------------------------------------------------------------------------


def test_the_width_follows_its_slider_with_random_weights(bias_lab):
    for label, option, value in (
        ("weights start", "at random, b1 too", {"weights": "random b1"}),
        ("biases trained", "b1 and b2", {"biases": "both"}),
        ("schedule", "joint", {"schedule": "joint"}),
    ):
        bias_lab.choose(label, option)
        bias_lab.agrees(**value)
    changes = walk_with_keys(bias_lab, ("width",))
    assert min(changes.values()) >= 2


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_each_story_gives_the_verdict_that_it_promises(bias_lab, way):
    if way == "keyboard":
        bias_lab.put(rate=0.2)
        bias_lab.button(next(iter(STORIES))).focus()
    for number, (name, outcome) in enumerate(STORIES.items()):
        if way == "mouse":
            bias_lab.button(name).click()
        else:
            if number:
                bias_lab.page.keyboard.press("Tab")
            assert focused(bias_lab.page) == name
            bias_lab.page.keyboard.press("Enter")
        bias_lab.twin.load(words.PRESETS[name])
        bias_lab.agrees()
        assert bias_lab.status.startswith(head(outcome))


def test_text_that_is_no_number_shows_an_alert_and_keeps_the_picture(bias_lab):
    before = bias_lab.read()
    bias_lab.type("b1 starts at", "0, half")
    bias_lab.alert.wait_for()
    assert "half is not a number" in bias_lab.alert.inner_text()
    seen = bias_lab.read()
    assert seen["controls"] == {**before["controls"], "b1 starts at": "0, half"}
    assert seen["pictures"] == before["pictures"]
    assert bias_lab.statuses == [picture[0] for picture in before["pictures"]]
    bias_lab.put(b1="0, 1.5")
    bias_lab.alert.wait_for(state="detached")


def test_a_wider_net_needs_random_weights_and_says_so(bias_lab):
    before = bias_lab.read()
    bias_lab.type("hidden width", "5")
    bias_lab.alert.wait_for()
    assert words.WIDTH_NEEDS_RANDOM in bias_lab.alert.inner_text()
    assert bias_lab.read()["pictures"] == before["pictures"]
    bias_lab.choose("weights start", "at random")
    bias_lab.alert.wait_for(state="detached")
    bias_lab.agrees(width=5, weights="random")


def tell(lab, name):
    lab.button(name).click()
    lab.twin.load(words.PRESETS[name])
    lab.agrees()


def draw_map(lab):
    lab.button(words.DRAW_MAP).click()
    lab.wait_for_text(PROGRESS)
    lab.twin.draw_map()
    lab.wait_for_text(words.MAP_SUMMARY.split("{")[0])
    lab.agrees()


def test_the_map_is_drawn_stopped_and_drawn_again(bias_lab):
    tell(bias_lab, "5 a real backdoor")
    bias_lab.button(words.DRAW_MAP).click()
    bias_lab.wait_for_text(PROGRESS)
    bias_lab.button(words.STOP).click()
    bias_lab.wait_for_text(words.MAP_STOPPED)
    assert bias_lab.button(words.STOP).count() == 0
    assert len(bias_lab.read()["pictures"]) == 1
    draw_map(bias_lab)
    assert bias_lab.button(words.STOP).count() == 0
    assert len(bias_lab.read()["pictures"]) == 2


@pytest.fixture
def mapped_lab(bias_lab):
    """Return the lab at story 5, with a map of it."""
    tell(bias_lab, "5 a real backdoor")
    if bias_lab.twin.map is None:
        draw_map(bias_lab)
    return bias_lab


def test_cross_text_and_shares_follow_the_sliders(mapped_lab):
    verdicts, maps = zip(*[pictures_after(mapped_lab, rate=rate) for rate in (0.005, 0.05, 5)], strict=True)
    assert len({*verdicts}) == len({*maps}) == 3
    shares = {mapped_lab.twin.map_summary.split("The cross")[0]}
    for epochs in (0, 10, 2000):
        mapped_lab.put(epochs=epochs)
        shares.add(mapped_lab.statuses[1].split("The cross")[0])
    assert len(shares) == 3


def pictures_after(lab, **values):
    lab.put(**values)
    return [source for _, source in lab.read()["pictures"]]


def test_a_map_of_other_settings_says_so(mapped_lab):
    mapped_lab.choose("biases trained", "b2")
    mapped_lab.agrees(biases="b2")
    assert words.MAP_STALE in mapped_lab.statuses[1]
