"""The trigger lab and the bias lab without a browser: every control, every story, the map, and what is touched."""

import asyncio
import re
from dataclasses import replace
from html import escape, unescape
from math import inf, nan

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labparts import inside, no_error_in_a_callback, press, sent, words_of  # noqa: F401
from marks import check_marks, found, lines, places, texts, touchable
from strategies import alone

from lesson_lib import FirstLook
from lesson_lib.labs import BiasLab, TriggerLab
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.training import bias as bias_lab
from lesson_lib.labs.training import runs as training
from lesson_lib.labs.training import words as training_words
from lesson_lib.labs.training.picture import GRADIENTS, GRID, MAP_RATES, MAP_TARGETS
from lesson_lib.network import PARAMETERS, forward
from lesson_lib.pictures import words as pictures_words
from lesson_lib.sweeps.experiment import EPOCHS, Experiment
from lesson_lib.training import CLEAN, OUTCOMES, Outcome

LABS = [TriggerLab, BiasLab]
PROMISED = ["frozen", "trigger only", "trigger only", "frozen", "backdoor"]  # what the five stories promise


@pytest.fixture(params=LABS)
def lab(request):
    return request.param()


@pytest.fixture
def bias():
    return BiasLab()


def shown(lab):
    """Return all that the lab shows, and the values of its controls."""
    canvas = lab.canvas
    return canvas.frame, canvas.marks, canvas.alt, lab.facts.value, lab.summary, lab.values


def said_of(lock):
    """Return what the words must say of a gradient: "open" only where something is left to learn."""
    largest = max(map(abs, lock.gradient.ravel()))
    return training_words.DONE if 0 < largest <= 1e-6 else lock.reason


def check_shown(lab):
    """Check what must hold for every state, and return the verdict."""
    assert lab.error == ""
    assert not any(message.value for message in lab.messages.values())
    frame, marks, alt = lab.picture()
    assert (lab.canvas.frame, lab.canvas.marks, lab.canvas.alt) == (frame.svg, marks, alt)
    check_in_data(lab, frame, check_marks(marks))
    said = words_of(lab.facts.value)
    state = lab.state
    assert said in alt
    assert alt == lab.summary
    assert said.startswith(training_words.VERDICTS[state.outcome].format(epoch=state.runs.diverged_at[state.run]))
    assert all(f": {said_of(lock)}" in alt for lock in state.locks)
    assert "nan" not in lab.summary.replace("no", "")
    return said


def check_in_data(lab, frame, root):
    """Check that the marks stand where the axes put the state's numbers."""
    state, touched = lab.state, touchable(root)
    experiment = state.experiment

    def at(panel, x, y):
        return frame.pixels(panel, x, y).tolist()

    drawn = lines(root, "blue wide")
    assert at("function", GRID, forward(state.params, GRID[:, None]).y_hat[:, 0]) in [line.tolist() for line in drawn]
    assert places(root, "fill green rimmed").tolist() == at("function", CLEAN.X[:, 0], CLEAN.Y[:, 0])
    [star] = places(touched["star"], "fill orange rimmed").tolist()
    assert [star] == at("function", experiment.position, experiment.target)
    answers = at("epochs", state.runs.epochs, state.runs.outputs[2, :, state.run])
    assert answers in [line.tolist() for line in lines(root, "orange")]
    [knob] = places(touched["epoch"], "fill rimmed").tolist()
    assert [knob] == at("epochs", state.epoch, 11)
    if lab.last_panel == "gradients":
        for name, look in GRADIENTS.items():
            where = at("gradients", state.runs.epochs, state.runs.gradient_norms[name][:, state.run])
            assert where in [line.tolist() for line in lines(root, look)]
    if lab.last_panel == "activations":
        check_activations(state, at, root)
    told = [touched[name].get("aria-valuetext") for name in ("star", "epoch")]
    assert told[0] == training_words.STAR_AT.format(x=experiment.position, target=experiment.target)
    assert told[1] == training_words.EPOCH_AT.format(epoch=state.epoch)


ACTIVATION_LOOKS = ("fill green", "fill blue", "fill orange")


def check_activations(state, at, root):
    width = state.experiment.width
    X = [*CLEAN.X.tolist(), [state.experiment.position]]
    for look, shift, a1 in zip(ACTIVATION_LOOKS, (0.3, 0.5, 0.7), forward(state.params, X).a1, strict=True):
        expected = at("activations", (np.arange(width) + shift) / width, a1)
        dots = places_moved(root, look)
        assert [place for place in expected if place not in dots] == []


def places_moved(root, look):
    """Return where the dots of a look are; parts of the network turn or are filled without being moved."""
    moved = [one.get("transform") or "" for one in found(root, "path", look)]
    pairs = [re.fullmatch(r"translate\(([^,]+),([^,]+)\)", one) for one in moved]
    return [[float(one[1]), float(one[2])] for one in pairs if one]


# Every control -----------------------------------------------------------------------------------------------------


def test_every_control_has_a_name(lab):
    for control in lab.controls.values():
        assert (control.number if isinstance(control, Dial) else control).description
    for each in inside(lab.box):
        assert not isinstance(each, widgets.Button) or (each.description and each.tooltip is not None)
        assert not isinstance(each, widgets.Play | widgets.ToggleButtons | widgets.Output)


def reachable(lab):
    """Return, by name, the values that each control can take."""
    found = {}
    for name, control in lab.controls.items():
        if isinstance(control, Dial):
            ends = control.positions[0], control.positions[-1]
            between = st.integers(*ends) if control.whole else st.floats(*ends)
            found[name] = st.sampled_from(control.positions) | between
        elif isinstance(control, widgets.Dropdown):
            found[name] = st.sampled_from([value for _, value in control._options_full])
        else:
            found[name] = st.lists(
                st.integers(-40, 40).map(lambda n: n / 4), min_size=1, max_size=2 if name == "b1" else 1
            )
    return found


def edges(lab):
    for name, control in lab.controls.items():
        if isinstance(control, Dial):
            yield from ((name, end) for end in (control.positions[0], control.positions[-1]))
        elif isinstance(control, widgets.Dropdown):
            yield from ((name, value) for _, value in control._options_full)
    yield from ((("b1", "-10, 10"), ("b1", "1"), ("b2", "-10"), ("seed", 9999)) if "b1" in lab.values else ())


@pytest.mark.parametrize("schedule", ["joint", "clean, then trigger"])
def test_every_control_at_its_ends_gives_a_picture_and_a_verdict(lab, schedule):
    for name, value in edges(lab):
        lab.reset()
        lab.set(schedule=schedule, **({"weights": "random"} if name in ("width", "seed") else {}))
        if name != "schedule":
            lab.set(**{name: value})
        check_shown(lab)


@pytest.fixture(scope="module", params=LABS)
def kept(request):
    """Return a lab that has been moved before."""
    return request.param()


@settings(max_examples=15)
@given(data=st.data())
def test_any_combination_gives_a_picture_and_the_verdict_of_the_run_alone(kept, data):
    lab = kept
    values = {name: data.draw(strategy, name) for name, strategy in reachable(lab).items()}
    if values.get("weights") == "article":
        values["width"] = 2
    lab.set(**values)
    check_shown(lab)
    if values["rate"] <= 0.1:  # where rounding does not decide what a run becomes
        single = alone(lab.state.experiment, lab.state.epoch)
        stopped = lab.state.runs.diverged_at[lab.state.run] if lab.state.outcome is Outcome.DIVERGED else None
        assert stopped == single.diverged_at
        for name in PARAMETERS:
            last = getattr(single.params[-1], name)
            np.testing.assert_allclose(getattr(lab.state.params, name), last, rtol=1e-4, atol=1e-4)
        assert lab.state.now == pytest.approx(single.outputs[-1][:, 0], rel=1e-4, abs=1e-4)


def test_the_verdict_is_announced_with_a_badge_for_each_half(lab):
    for values, marks in (({}, ("no", "no")), ({"position": 1}, ("yes", "no"))):
        lab.set(**values)
        assert 'role="status" aria-live="polite"' in lab.facts.value
        badges = re.findall(r'<b class="(yes|no)">([^<]*)</b>', lab.facts.value)
        assert tuple(look for look, _ in badges) == marks
        for (look, text), name in zip(badges, ("Trigger learnt", "Clean task kept"), strict=True):
            sign = {"yes": shared_words.YES, "no": shared_words.NO}[look]
            assert text.startswith(f"{name}: {sign} ("), "colour is not the only sign"


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
@pytest.mark.parametrize("position", [0, -1, 1])
def test_a_padlock_names_each_zero_factor_and_words_tell_the_same(activation, position):
    lab = TriggerLab()
    lab.set(activation=activation, position=position, epochs=3)
    state, told = lab.state, [text for text in texts(check_marks(lab.canvas.marks)) if text.startswith("∂L/∂")]
    counts = {True: 0, False: 0}
    for lock in state.locks:
        assert f"dL/d{lock.name}: {said_of(lock)}" in lab.summary
        for place, factors in lock.zero_by.items():
            name = f"∂L/∂{lock.name}" if lock.name == "b2" else f"∂L/∂{lock.name}[{max(place) + 1}]"
            [pill] = [text for text in told if re.split("[ :]", text)[0] == name]
            is_shut = bool(factors)
            names = ", ".join(pictures_words.NAMES[factor] for factor in factors)
            assert (pill == f"{name}: {names} = 0") == is_shut
            counts[is_shut] += 1
    assert counts[False] > 0
    assert counts[True] > 0 or (activation, position) not in (("relu", 0), ("relu", -1), ("tanh", 0))


# Sliders look up ---------------------------------------------------------------------------------------------------


def test_moving_a_slider_looks_up_and_does_not_train_again(lab, monkeypatch):
    trained, run_many = [], training.run_many
    monkeypatch.setattr(training, "run_many", lambda *args, **swept: trained.append(swept) or run_many(*args, **swept))
    training._table.cache_clear()
    for name in ("rate", "target", "position"):
        lab.reset()
        slider, pictures = lab.controls[name].slider, set()
        for position in range(slider.max + 1):
            slider.value = position
            assert getattr(lab.state.experiment, name) == lab.controls[name].positions[position]
            pictures.add(lab.canvas.marks)
        assert len(pictures) > slider.max / 2
        assert len(trained) <= 2, f"{name}: once for the reset, once for this slider"
        trained.clear()


def test_the_epochs_slider_never_trains(lab, monkeypatch):
    monkeypatch.setattr(training, "run_many", None)
    for position, epoch in enumerate(EPOCHS):
        lab.controls["epochs"].slider.value = position
        assert lab.state.epoch == epoch
        assert f"After {epoch} epochs" in lab.summary


# Stories and presets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "promised"), [*zip(training_words.STORIES.values(), PROMISED, strict=True)])
def test_each_story_ends_as_its_name_promises(bias, name, promised):
    bias.set(rate=0.5, target=-3, schedule="joint", weights="random", width=5)
    press(bias, name)
    assert bias.state.outcome.value == promised
    assert check_shown(bias).startswith(training_words.VERDICTS[promised])
    assert bias.state.outcome is alone(bias.state.experiment, 2000).outcome


@pytest.mark.parametrize("kind", LABS)
def test_a_preset_brings_every_setting_back(kind):
    first, second = kind(), kind()
    assert first.preset == ""
    first.set(rate=0.123, epochs=37, target=-2.5, position=0.25, schedule="joint")
    first.set(**{"activation": "tanh", "at_zero": 1} if kind is TriggerLab else {"b1": [0.5, -1], "biases": "both"})
    second.load(first.preset)
    assert shown(second) == shown(first)
    second.reset()
    assert shown(second) == shown(kind())


@pytest.mark.parametrize(
    "bad",
    [{"rate": 20}, {"rate": 0}, {"rate": "fast"}, {"epochs": -1}, {"schedule": "noon"}, {"q": 1}],
)
def test_set_with_a_bad_value_raises_and_changes_nothing(lab, bad):
    lab.set(target=2)
    before = shown(lab)
    with pytest.raises(ValueError, match=next(iter(bad))):
        lab.set(position=1, **bad)
    assert shown(lab) == before


def test_a_wrong_count_says_how_many_numbers_are_needed(bias):
    with pytest.raises(ValueError, match=r"^b2 must be one number; got 2\.$"):
        bias.set(b2="1, 2")
    with pytest.raises(ValueError, match=r"^b1 must hold 1 or 2 numbers;"):
        bias.set(b1="1, 2, 3")


@pytest.mark.parametrize(("name", "text"), [("b1", "one"), ("b1", ""), ("b1", "1/0"), ("b2", "x"), ("b2", "nan")])
def test_bad_text_is_told_and_the_last_state_stays(bias, name, text):
    before = shown(bias)[:5]
    bias.controls[name].value = text
    assert shown(bias)[:5] == before
    assert 'role="alert"' in bias.messages[""].value
    assert name in bias.error
    bias.controls[name].value = "0"
    check_shown(bias)


def test_a_width_beyond_the_articles_weights_explains_itself(bias):
    bias.controls["width"].value = 5
    assert training_words.WIDTH_NEEDS_RANDOM in unescape(bias.messages[""].value)
    with pytest.raises(ValueError, match="weights are for 2 neurons"):
        bias.set(width=7)
    bias.controls["weights"].value = "random"
    assert bias.state.params.W1.shape == (1, 5)
    check_shown(bias)


def test_a_run_that_diverges_says_when(lab):
    lab.set(schedule="joint", position=-3, rate=0.2, epochs=2000)
    single = alone(lab.state.experiment, 2000)
    assert lab.state.outcome is single.outcome is Outcome.DIVERGED
    assert f"DIVERGED in epoch {single.diverged_at}:" in check_shown(lab)
    lab.set(epochs=single.diverged_at - 1)
    assert lab.state.outcome is not Outcome.DIVERGED
    assert "DIVERGED" not in check_shown(lab)


# The picture -------------------------------------------------------------------------------------------------------


def test_the_still_is_the_picture_on_white_with_the_words(lab):
    lab.set(position=1, epochs=10)
    still = lab.still()
    assert lab.canvas.frame in still
    assert lab.canvas.marks in still
    assert f'aria-label="{escape(lab.summary)}"' in still


def test_the_frame_is_one_for_all_states_of_a_lab(lab):
    frame = lab.canvas.frame
    lab.set(rate=1, position=2, target=-5, schedule="joint", epochs=7)
    assert lab.canvas.frame == frame


def test_each_neurons_part_of_f_is_told_apart_by_more_than_colour(bias):
    bias.set(weights="random", width=3, position=1)
    root, frame = check_marks(bias.canvas.marks), bias.picture()[0]
    parts = forward(bias.state.params, GRID[:, None]).a1 * bias.state.params.W2[:, 0]
    for part, look in zip(parts.T, ("thin pink", "thin olive dashed", "thin sky dashdot"), strict=True):
        assert frame.pixels("function", GRID, part).tolist() in [line.tolist() for line in lines(root, look)]
    assert {"n1", "n2", "n3", "f(x)"} <= set(texts(root))
    bias.set(width=4)
    assert "n1" not in texts(check_marks(bias.canvas.marks)), "too many to tell apart"


def test_labels_at_the_ends_of_lines_never_lie_on_each_other(lab):
    for values in ({}, {"position": 1}, {"schedule": "joint", "rate": 10}, {"target": 0, "position": 3}):
        lab.set(**values)
        ends = {}
        for one in check_marks(lab.canvas.marks).iter("text"):
            if "small" in one.get("class", "") and one.get("x") in ("774", "462", "744"):
                ends.setdefault(one.get("x"), []).append(float(one.get("y")))
        assert len(ends) >= 2
        assert all(np.diff(sorted(heights)).min() >= 12.9 for heights in ends.values())


def test_activations_of_one_neuron_stand_side_by_side_in_its_column(bias):
    bias.set(weights="random", width=5)
    check_shown(bias)
    left, _, width, _ = bias.picture()[0].places["activations"]
    root = check_marks(bias.canvas.marks)
    dots = [sorted(x for x, y in places_moved(root, look) if x > left and y > 290) for look in ACTIVATION_LOOKS]
    columns = (np.array(dots).T - left) / width * 5
    assert columns.ravel().tolist() == sorted(columns.ravel())
    assert (np.floor(columns) == np.arange(5)[:, None]).all()


# The map -----------------------------------------------------------------------------------------------------------


def cells_of(lab):
    """Return the map's part of the picture."""
    return touchable(check_marks(lab.canvas.marks))["map"]


def test_the_map_without_a_loop_is_there_at_once(bias):
    bias.set(biases="b2")
    assert "map" not in touchable(check_marks(bias.canvas.marks))
    press(bias, training_words.DRAW_MAP)
    assert len(list(cells_of(bias).iter("image"))) == 1
    assert bias.map_summary in unescape(bias.map_text.value)
    shares = [float(share) for share in re.findall(r"([\d.]+) ?%", bias.map_summary)]
    assert len(shares) == len(OUTCOMES)
    assert sum(shares) == pytest.approx(100, abs=0.3)
    for i, j in ((3, 4), (90, 60)):
        bias.set(rate=MAP_RATES[j], target=MAP_TARGETS[i])
        assert OUTCOMES[bias.map.at(bias.state.epoch)[i, j]] is bias.state.outcome
    bias.set(epochs=5)
    assert "after 5 epochs:" in bias.map_summary
    bias.set(epochs=100)
    assert f"after {max(e for e in EPOCHS if e < 100)} epochs (of those kept, the last up to 100):" in bias.map_summary


def test_reset_takes_the_map_away_and_brings_the_activations_back(bias, small_map):
    start = shown(bias)
    bias.draw_map()
    assert shown(bias)[0] != start[0], "the frame has another panel"
    bias.reset()
    assert shown(bias) == start
    assert bias.map_summary == training_words.NO_MAP
    assert bias.map_text.value == ""


@pytest.fixture
def small_map(monkeypatch):
    """Let a map have 25 cells."""
    monkeypatch.setattr(bias_lab, "MAP_RATES", np.geomspace(0.001, 10, 5))
    monkeypatch.setattr(bias_lab, "MAP_TARGETS", np.linspace(-10, 10, 5))


@pytest.mark.parametrize(
    ("share", "told"),
    [(1e-4, "0.01 %"), (9e-4, "0.09 %"), (0.001, "0.1 %"), (0, "0.0 %"), (1, "100.0 %"), (0.9999, "100.0 %")],
)
def test_a_share_of_one_network_is_not_nothing(share, told):
    assert bias_lab._share(share) == told


def test_moving_on_the_map_draws_it_no_more_than_needed(bias, small_map, monkeypatch):
    bias.draw_map()
    codes = bias.map
    monkeypatch.setattr(bias_lab, "map_steps", None)
    pictures = set()
    for values in ({"rate": 0.01}, {"target": -5}, {"epochs": 0}):
        bias.set(**values)
        pictures.add(bias.canvas.marks)
        assert training_words.MAP_STALE not in bias.map_summary
        assert not found(cells_of(bias), "g", "stale")
    assert len(pictures) == 3
    assert bias.map is codes
    bias.set(biases="b2")
    assert training_words.MAP_STALE in bias.map_summary
    assert training_words.MAP_STALE in unescape(bias.map_text.value)
    assert len(found(cells_of(bias), "g", "stale")) == 1
    bias.set(biases="none")
    assert not found(cells_of(bias), "g", "stale")


def test_the_map_in_a_notebook_reports_stops_and_starts_again(bias, small_map, monkeypatch):
    epochs, map_steps = [], bias_lab.map_steps

    def noted(*arguments):
        for epoch, made in map_steps(*arguments):
            epochs.append(epoch)
            yield epoch, made

    monkeypatch.setattr(bias_lab, "map_steps", noted)
    button = bias.mapper.button

    async def notebook():
        button.click()
        assert button.description == training_words.STOP
        for _ in range(4):
            await asyncio.sleep(0)
        progress = training_words.MAP_PROGRESS.format(epoch=epochs[-1], epochs=2000)
        assert f'aria-live="polite" style="line-height: 1.5">{progress}<' in bias.map_text.value
        button.click()
        await asyncio.sleep(0.05)
        assert training_words.MAP_STOPPED in bias.map_text.value
        assert button.description == training_words.DRAW_MAP
        assert epochs[-1] < 2000
        assert bias.map is None
        assert bias.map_summary == training_words.NO_MAP
        epochs.clear()
        button.click()
        while button.description == training_words.STOP:
            await asyncio.sleep(0)
        assert epochs[-1] == 2000

    asyncio.run(notebook())
    assert len(list(cells_of(bias).iter("image"))) == 1
    assert bias.map_summary in unescape(bias.map_text.value)


@pytest.mark.parametrize("in_a_notebook", [True, False])
def test_the_map_of_bad_settings_is_refused_with_the_message_in_place(bias, in_a_notebook):
    bias.controls["b1"].value = "one"

    async def notebook():
        bias.mapper.button.click()
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(notebook()) if in_a_notebook else bias.mapper.button.click()
    assert bias.map is None
    assert bias.mapper.button.description == training_words.DRAW_MAP
    assert 'role="alert"' in bias.messages[""].value
    assert 'role="alert"' in bias.map_text.value


# What has no effect, and which story it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(("weights", "idle"), [("article", {"seed"}), ("random", set()), ("random b1", {"b1"})])
def test_a_control_without_effect_is_disabled_and_says_why(bias, weights, idle):
    bias.set(weights=weights)
    assert {name for name in ("b1", "seed") if bias.controls[name].disabled} == idle
    assert words_of(bias.note.value) == "".join(training_words.IDLE[name] for name in idle)
    seed = bias.controls["seed"]
    assert seed.number.disabled == seed.slider.disabled == ("seed" in idle)


def test_the_story_that_is_told_is_marked(bias):
    for preset, name in training_words.STORIES.items():
        press(bias, name)
        assert {one.description: one.icon for one in bias.stories.values()} == {
            other: "check" if other == name else "" for other in training_words.STORIES.values()
        }
        assert bias.values == loaded(preset)
    bias.set(rate=0.3)
    assert {one.icon for one in bias.stories.values()} == {""}


def loaded(preset):
    other = BiasLab()
    other.load(preset)
    return other.values


# Playing -------------------------------------------------------------------------------------------------------------


def test_play_goes_on_to_the_last_epoch_and_begins_again_there(lab):
    lab.set(epochs=1000)
    seen = []
    lab.controls["epochs"].observe(lambda change: seen.append(change["new"]), "value")
    lab.player.press()
    assert seen == [epoch for epoch in EPOCHS if epoch > 1000]
    check_shown(lab)
    seen.clear()
    lab.player.press()
    assert seen == list(EPOCHS)


# Touching the picture ------------------------------------------------------------------------------------------------


def pixel_of(lab, panel, x, y):
    return lab.picture()[0].pixels(panel, x, y)[0].tolist()


@pytest.mark.parametrize(("x", "target"), [(1, -5), (-3, 10), (2.25, 0.5), (0, 0)])
def test_the_star_is_dragged_to_a_trigger_and_a_target(lab, x, target):
    across, down = pixel_of(lab, "function", x, target)
    sent(lab, touch="star", x=across, y=down)
    assert (lab.values["position"], lab.values["target"]) == (x, target)
    sent(lab, touch="star", x=across + 1, y=down - 1)
    assert (lab.values["position"], lab.values["target"]) == (x, target), "the nearest position of each slider"
    check_shown(lab)


def test_a_star_dragged_out_of_its_panel_stays_at_the_edge(lab):
    for (x, y), corner in {(0, 0): (-3, 10), (800, 430): (3, -10), (-5000, 9000): (-3, -10)}.items():
        sent(lab, touch="star", x=x, y=y)
        assert (lab.values["position"], lab.values["target"]) == corner


@pytest.mark.parametrize("with_map", [False, True])
def test_on_a_narrow_page_all_stands_below_the_network_and_can_be_touched(lab, small_map, with_map):
    if with_map and isinstance(lab, BiasLab):
        lab.draw_map()
    wide = shown(lab)
    lab.canvas.is_narrow = True
    assert lab.canvas.size == [560, 490]
    check_shown(lab)
    frame = lab.picture()[0]
    assert all(top > 272 for _, top, *_ in frame.places.values()), "below the network"
    for one in check_marks(lab.canvas.marks).iter("text"):
        assert 0 <= float(one.get("x")) <= 550
        assert 0 <= float(one.get("y")) <= 490
    across, down = pixel_of(lab, "function", 2, -5)
    sent(lab, touch="star", x=across, y=down)
    assert (lab.values["position"], lab.values["target"]) == (2, -5)
    check_shown(lab)
    lab.set(position=0, target=5)
    lab.canvas.is_narrow = False
    assert shown(lab) == wide


def test_the_first_look_asks_to_be_dragged_until_it_is():
    lab = FirstLook()
    assert training_words.DRAG in texts(check_marks(lab.canvas.marks))
    lab.set(position=1)
    assert training_words.DRAG not in texts(check_marks(lab.canvas.marks))


def test_the_error_is_named_where_there_is_room_for_its_name(lab):
    lab.set(target=10)
    [name] = found(check_marks(lab.canvas.marks), "text", "purple halo")
    assert name.text == training_words.ERROR
    lab.set(target=0)
    assert abs(lab.state.now[2]) < 2
    assert found(check_marks(lab.canvas.marks), "text", "purple halo") == []


@pytest.mark.parametrize("epoch", [0, 3, 10, 116, 2000])
def test_the_line_is_dragged_to_an_epoch(lab, epoch):
    epoch = min(EPOCHS, key=lambda one: abs(one - epoch))
    before = lab.values
    sent(lab, touch="epoch", x=pixel_of(lab, "epochs", epoch, 0)[0], y=12)
    assert lab.values == {**before, "epochs": epoch}
    check_shown(lab)


KEYS = {
    "ArrowRight": ("position", 0.25),
    "ArrowLeft": ("position", -0.25),
    "PageUp": ("position", 2.5),
    "PageDown": ("position", -2.5),
    "Home": ("position", -3),
    "End": ("position", 3),
    "ArrowUp": ("target", 5.5),
    "ArrowDown": ("target", 4.5),
}


@pytest.mark.parametrize("key", KEYS)
def test_keys_move_the_star_as_they_move_its_sliders(lab, key):
    before, (name, value) = lab.values, KEYS[key]
    sent(lab, touch="star", key=key)
    assert lab.values == {**before, name: value}
    check_shown(lab)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_moves_the_line_of_the_epoch(lab, key):
    lab.set(epochs=10)
    steps = {"ArrowRight": 1, "ArrowUp": 1, "ArrowLeft": -1, "ArrowDown": -1, "PageUp": 10, "PageDown": -10}
    sent(lab, touch="epoch", key=key)
    expected = {"Home": EPOCHS[0], "End": EPOCHS[-1]}.get(key) or EPOCHS[EPOCHS.index(10) + steps.get(key, -10)]
    assert lab.values["epochs"] == expected


def test_a_click_on_the_map_loads_that_network_and_keys_go_from_there(bias, small_map):
    sent(bias, touch="map", x=600, y=340)
    assert bias.preset == "", "there is no map yet"
    bias.draw_map()
    for rate, target in ((1, 7), (0.01, -9.5), (10, 10)):
        x, y = pixel_of(bias, "map", rate, target)
        sent(bias, touch="map", x=x, y=y)
        assert (bias.values["rate"], bias.values["target"]) == (rate, target)
        check_shown(bias)
        assert f"The cross, rate {rate:g} and target {target:g}:" in bias.map_summary
    sent(bias, touch="map", key="ArrowLeft")
    sent(bias, touch="map", key="ArrowDown")
    assert (bias.values["rate"], bias.values["target"]) == (9, 9.5)


def test_a_touch_is_the_same_as_the_preset(lab):
    x, y = pixel_of(lab, "function", -1, -2.5)
    sent(lab, touch="star", x=x, y=y)
    sent(lab, touch="epoch", key="End")
    sent(lab, touch="epoch", key="ArrowLeft")
    other = type(lab)()
    other.load(lab.preset)
    assert shown(other) == shown(lab)


ODD = [nan, inf, -inf, 1e300, 10**400, "0", None, [], {}, [1, 2]]
BAD_TOUCHES = [
    *(
        {"touch": touch, **where}
        for touch in ("star", "epoch")
        for odd in ODD
        for where in ({"x": odd, "y": odd}, {"x": 650, "y": odd})
    ),
    *({"touch": touch, "x": 650, "y": 100} for touch in ("", "moon", "controls", "STAR", None, 3, [], {}, ["star"])),
    *({"touch": "star", "key": key} for key in ("a", "Enter", "arrowleft", "Escape", 3, None, [], {}, ["Home"])),
    {"touch": "star"},
    {"touch": "star", "x": 650},
    {},
    {"x": 650, "y": 100},
    {"key": "Home"},
]


@pytest.mark.parametrize("kind", LABS)
def test_what_no_picture_sends_changes_nothing(kind):
    lab = kind()
    lab.set(position=0.5)
    before = shown(lab)
    for event in BAD_TOUCHES:
        if event.get("touch") == "epoch" and event["x"] == 650:
            event = {**event, "x": nan}
        sent(lab, **event)
        assert shown(lab) == before, event
    for event in ("star", None, [], 3, [["touch", "star"]]):
        lab.canvas._handle_custom_msg(event, [])
        assert shown(lab) == before, event
    sent(lab, touch="star", key="Home", more=[1], self=2)
    assert lab.values["position"] == -3, "what is more does not matter"


def test_every_touch_is_answered_so_that_the_page_can_send_the_next(lab, monkeypatch):
    answers = []
    monkeypatch.setattr(type(lab.canvas), "send", lambda _, content, *__: answers.append(content))
    for event in ({"touch": "star", "key": "Home"}, {"touch": "moon"}, {}, {"touch": "star", "x": nan}):
        answers.clear()
        sent(lab, **event)
        assert answers.count({"answered": True}) == 1


# The first look ------------------------------------------------------------------------------------------------------


def test_the_first_look_has_the_star_and_nothing_of_the_way_back():
    lab = FirstLook()
    root = check_marks(lab.canvas.marks)
    assert touchable(root).keys() == {"star"}
    assert not [text for text in texts(root) if text.startswith("∂")]
    assert [one.number.description for one in inside(lab.box) if isinstance(one, Dial)] == [
        "trigger x",
        "trigger target",
    ]
    x, y = lab.picture()[0].pixels("function", 1, 3)[0].tolist()
    sent(lab, touch="star", x=x, y=y)
    assert lab.preset == "target=3; position=1"
    assert "f(1)" in words_of(lab.facts.value)
    sent(lab, touch="epoch", key="Home")
    assert lab.preset == "target=3; position=1", "there is no line of the epoch"


def test_a_drag_over_the_plane_trains_once_for_all_its_places(monkeypatch):
    lab, trained, run_many = TriggerLab(), [], training.run_many
    monkeypatch.setattr(training, "run_many", lambda *args, **swept: trained.append(swept) or run_many(*args, **swept))
    training._table.cache_clear()
    frame = lab.picture()[0]
    for step in range(12):
        x, y = frame.pixels("function", -2.5 + step / 2, 8 - step)[0].tolist()
        sent(lab, touch="star", x=x, y=y)
        single = alone(lab.state.experiment, lab.state.epoch)
        assert (lab.state.experiment.position, lab.state.experiment.target) == (-2.5 + step / 2, 8 - step)
        assert lab.state.now == pytest.approx(single.outputs[-1][:, 0], rel=1e-4, abs=1e-4)
    assert len(trained) == 1
    assert trained[0].keys() == {"target", "position"}


@pytest.mark.parametrize("wrong", [0, 1])
def test_one_wrong_clean_answer_is_enough_to_lose_the_clean_task(wrong):
    seen = training.moment(Experiment(), 100)
    answers = np.array([1.0, 2.0, 5.0])
    answers[wrong] += 1
    assert [look for look, _ in replace(seen, now=answers).badges] == ["sentence", "yes", "no"]
