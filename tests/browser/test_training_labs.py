"""The trigger lab and the bias lab in JupyterLab: every slider, list, story and map."""

import re
from dataclasses import replace

import pytest
from helpers import CANVAS, CELL_COUNT, TwinLab, cell_with, focused

from lesson_lib.labs import BiasLab, TriggerLab
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.training import words
from lesson_lib.network import ARTICLE
from lesson_lib.pictures.words import NAMES
from lesson_lib.proofs.lock import locks
from lesson_lib.sweeps.experiment import EPOCHS
from lesson_lib.training import CLEAN, Dataset, train

CELLS = [cell_with(TriggerLab), cell_with(BiasLab)]
STORIES = dict(
    zip(words.STORIES.values(), ("frozen", "trigger only", "trigger only", "frozen", "backdoor"), strict=True)
)  # what each button promises
PROGRESS = words.MAP_PROGRESS.split("{")[0]


def padlocks(found):
    """Return what the picture writes of the gradients that are shut, in the order of the parameters."""
    shut = []
    for lock in found:
        for place, factors in lock.zero_by.items():
            entry = "" if lock.name == "b2" else f"[{max(place) + 1}]"
            names = ", ".join(NAMES[factor] for factor in factors)
            shut += [f"∂L/∂{lock.name}{entry}: {names} = 0"] if factors else []
    return sorted(shut)


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


def test_a_fraction_can_be_typed_and_stays_as_it_is_typed(trigger_lab):
    trigger_lab.type("trigger x", "1/3")
    trigger_lab.wait_for_text("f(0.333333)")
    assert trigger_lab.field("trigger x").input_value() == "1/3"


def test_what_does_not_fit_is_refused_beside_the_box_and_the_last_value_kept(trigger_lab):
    trigger_lab.put(rate=0.067)
    before = trigger_lab.read()["pictures"]
    for typed, told in (
        ("20", "from 0.001 to 10; got 20"),
        ("", "at least one number"),
        ("2,5", "got 2"),
        ("x", "x is"),
    ):
        trigger_lab.type("rate", typed)
        trigger_lab.alert.filter(has_text=told).wait_for()
        assert trigger_lab.alert.inner_text().endswith("0.067 is kept.")
        assert trigger_lab.field("rate").input_value() == "0.067"
        assert trigger_lab.read()["pictures"] == before
    trigger_lab.type("epochs", "12.7")
    trigger_lab.alert.filter(has_text="must be a whole number").wait_for()
    trigger_lab.put(rate=0.1)
    assert trigger_lab.alert.count() == 0


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


def test_a_letter_is_no_shortcut_of_jupyterlab(trigger_lab):
    cells = trigger_lab.page.evaluate(CELL_COUNT)
    for control in (trigger_lab.slider("rate"), trigger_lab.field("schedule"), trigger_lab.mark("star")):
        control.focus()
        trigger_lab.page.keyboard.press("b")
    assert trigger_lab.page.evaluate(CELL_COUNT) == cells


def test_a_padlock_in_the_picture_names_what_keeps_a_gradient_at_0(trigger_lab):
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
        texts = trigger_lab.canvas.locator("text").all_text_contents()
        shut = sorted(text for text in texts if text.endswith(" = 0"))
        assert shut == padlocks(locks(trained, [[x]], [[5]]))
        assert trigger_lab.canvas.get_attribute("aria-label") == trigger_lab.twin.summary
        found.add(tuple(shut))
    assert len(found) >= 5


def test_every_corner_has_a_picture_and_a_verdict(trigger_lab):
    trigger_lab.put(rate=10, epochs=2000)
    diverged_at = set()
    for x, target in ((3, 10), (-3, 10), (-3, -10), (3, -10)):
        trigger_lab.put(position=x, target=target)
        run = run_of(10, target, x, 2000)
        assert trigger_lab.status.startswith(head(run.outcome, run.diverged_at))
        assert not re.search(r"nan|inf", trigger_lab.canvas.text_content().lower())
        box = trigger_lab.canvas.bounding_box()
        assert min(box["width"], box["height"]) > 100
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


# Touching the picture ---------------------------------------------------------------------------------------------


def test_the_star_is_dragged_with_the_mouse_and_everything_follows_in_every_frame(trigger_lab):
    with trigger_lab.whole_in_every_frame(pictures=5):
        path = [(0, 5), *((-step / 8, 5 - step / 2) for step in range(1, 25))]
        trigger_lab.drag_mark("function", path)
        trigger_lab.agrees(position=-3, target=-7)
    assert focused(trigger_lab.page) == "star in the picture"


def test_the_line_of_the_epoch_is_dragged(trigger_lab):
    before = trigger_lab.statuses
    trigger_lab.put(position=1)
    trigger_lab.drag_mark("epochs", [(100, 8), (50, 8), (20, 5), (EPOCHS[7], 3)])
    trigger_lab.agrees(epochs=EPOCHS[7])
    assert trigger_lab.statuses != before


def test_the_star_and_the_line_are_moved_by_keys_and_keep_the_focus(trigger_lab):
    trigger_lab.mark("star").focus()
    for key, moved in (
        ("ArrowRight", {"position": 0.25}),
        ("ArrowUp", {"target": 5.5}),
        ("ArrowUp", {"target": 6}),
        ("Home", {"position": -3}),
        ("PageUp", {"position": -0.5}),
    ):
        trigger_lab.page.keyboard.press(key)
        trigger_lab.agrees(**moved)
        assert focused(trigger_lab.page) == "star in the picture"
    trigger_lab.page.keyboard.press("Tab")
    assert focused(trigger_lab.page) == "epoch in the picture"
    trigger_lab.page.keyboard.press("End")
    trigger_lab.agrees(epochs=2000)
    trigger_lab.page.keyboard.press("ArrowLeft")
    trigger_lab.agrees(epochs=EPOCHS[-2])


def test_letters_typed_on_a_mark_are_not_jupyterlabs(trigger_lab):
    cells, before = trigger_lab.page.evaluate(CELL_COUNT), trigger_lab.read()
    trigger_lab.mark("star").focus()
    for key in "abddxmyz":
        trigger_lab.page.keyboard.press(key)
    assert focused(trigger_lab.page) == "star in the picture"
    assert trigger_lab.page.evaluate(CELL_COUNT) == cells
    assert trigger_lab.read() == before


def test_play_goes_on_pause_stays_and_reset_stops(trigger_lab):
    trigger_lab.put(position=1, epochs=0)
    trigger_lab.button(shared_words.PLAY).click()
    trigger_lab.button(shared_words.PAUSE).wait_for()
    trigger_lab.page.wait_for_function("box => Number(box.value) > 2", arg=trigger_lab.field("epochs").element_handle())
    trigger_lab.button(shared_words.PAUSE).click()
    trigger_lab.button(shared_words.PLAY).wait_for()
    trigger_lab.agrees(epochs=int(trigger_lab.field("epochs").input_value()))
    trigger_lab.button(shared_words.PLAY).click()
    trigger_lab.button(shared_words.PAUSE).wait_for()
    trigger_lab.restart()
    assert trigger_lab.button(shared_words.PLAY).count() == 1


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
        bias_lab.twin.load(next(preset for preset, story in words.STORIES.items() if story == name))
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
    assert bias_lab.status == bias_lab.twin.state.verdict
    bias_lab.put(b1="0, 1.5")
    bias_lab.alert.wait_for(state="detached")


def test_a_wider_net_needs_random_weights_and_says_so(bias_lab):
    before = bias_lab.read()
    picture = bias_lab.box.locator(CANVAS)
    width = picture.bounding_box()["width"]
    bias_lab.type("hidden width", "5")
    bias_lab.alert.wait_for()
    assert picture.bounding_box()["width"] == width  # a long message takes no room from it
    assert words.WIDTH_NEEDS_RANDOM in bias_lab.alert.inner_text()
    assert bias_lab.read()["pictures"] == before["pictures"]
    bias_lab.choose("weights start", "at random")
    bias_lab.alert.wait_for(state="detached")
    bias_lab.agrees(width=5, weights="random")


def tell(lab, name):
    lab.button(name).click()
    lab.twin.load(next(preset for preset, story in words.STORIES.items() if story == name))
    lab.agrees()


def draw_map(lab):
    lab.button(words.DRAW_MAP).click()
    lab.wait_for_text(PROGRESS)
    lab.twin.draw_map()
    lab.wait_for_text(words.MAP_SUMMARY.split("{")[0])
    lab.agrees()


def test_the_map_is_drawn_stopped_and_drawn_again(bias_lab):
    # Nets that go on moving: their map takes long enough to be stopped.
    bias_lab.put(schedule="joint", biases="both", weights="random b1", width=32, position=-1)
    bias_lab.button(words.DRAW_MAP).click()
    bias_lab.wait_for_text(PROGRESS)
    bias_lab.button(words.STOP).click()
    bias_lab.wait_for_text(words.MAP_STOPPED)
    assert bias_lab.button(words.STOP).count() == 0
    assert bias_lab.mark("map").count() == 0
    bias_lab.restart()
    tell(bias_lab, "5 a real backdoor")
    draw_map(bias_lab)
    assert bias_lab.button(words.STOP).count() == 0
    assert bias_lab.mark("map").locator("image").count() == 1


@pytest.fixture
def mapped_lab(bias_lab):
    """Return the lab at story 5, with a map of it."""
    tell(bias_lab, "5 a real backdoor")
    draw_map(bias_lab)
    return bias_lab


def test_a_click_on_the_map_loads_that_network_and_arrows_go_on_from_there(mapped_lab):
    for rate, target in ((0.01, -5), (1, 7.5)):
        mapped_lab.page.mouse.click(*mapped_lab.on_page("map", rate, target))
        mapped_lab.agrees(rate=rate, target=target)
        assert focused(mapped_lab.page) == "map in the picture"
    mapped_lab.page.keyboard.press("ArrowDown")
    mapped_lab.agrees(target=7)
    mapped_lab.page.keyboard.press("ArrowLeft")
    mapped_lab.agrees(rate=0.9)


def test_cross_text_and_shares_follow_the_sliders(mapped_lab):
    seen = []
    for rate in (0.005, 0.05, 5):
        mapped_lab.put(rate=rate)
        [[_, _, marks]] = mapped_lab.read()["pictures"]
        seen.append((mapped_lab.status, tuple(marks), mapped_lab.statuses[1]))
    assert [len({*each}) for each in zip(*seen, strict=True)] == [3, 3, 3]
    shares = {mapped_lab.twin.map_summary.split("The cross")[0]}
    for epochs in (0, 10, 2000):
        mapped_lab.put(epochs=epochs)
        shares.add(mapped_lab.statuses[1].split("The cross")[0])
    assert len(shares) == 3


def test_a_map_of_other_settings_says_so(mapped_lab):
    mapped_lab.choose("biases trained", "b2")
    mapped_lab.agrees(biases="b2")
    assert words.MAP_STALE in mapped_lab.statuses[1]
    assert mapped_lab.mark("map").locator(".stale").evaluate("group => Number(getComputedStyle(group).opacity)") < 0.5


def test_a_control_without_effect_is_disabled_and_says_why(bias_lab):
    assert bias_lab.field("seed").is_disabled()
    assert words.IDLE["seed"] in bias_lab.read()["texts"]
    bias_lab.choose("weights start", "at random, b1 too")
    bias_lab.agrees(weights="random b1")
    assert bias_lab.field("seed").is_enabled()
    assert bias_lab.field("b1 starts at").is_disabled()
    assert words.IDLE["b1"] in bias_lab.read()["texts"]


def test_the_story_that_is_told_is_marked(bias_lab):
    for name in STORIES:
        tell(bias_lab, name)
        marked = bias_lab.box.get_by_role("button").filter(has=bias_lab.page.locator(".fa-check"))
        assert marked.all_text_contents() == [name]
