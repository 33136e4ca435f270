"""The trigger lab and the bias lab without a browser: every control, every story, the map."""

import asyncio
import re
from html import unescape

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import alone
from test_labs import inside, no_error_in_a_callback, press  # noqa: F401
from traitlets import TraitError

from lesson_lib.labs import BiasLab, TriggerLab
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import choice
from lesson_lib.labs.training import runs as training
from lesson_lib.labs.training import words as training_words
from lesson_lib.labs.training.runs import LAST_PANEL, curves
from lesson_lib.labs.training.widget import MAP_RATES, MAP_TARGETS
from lesson_lib.network import PARAMETERS
from lesson_lib.pictures import words as pictures_words
from lesson_lib.sweeps.experiment import EPOCHS
from lesson_lib.training import OUTCOMES, Outcome

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
    return lab.pictures.value, lab.facts.value, lab.diagram.value, lab.summary, lab.values


def check_shown(lab):
    """Check what must hold for every state."""
    assert lab.error == ""
    assert not any(message.value for message in lab.messages.values())
    data = {**curves(lab.state), **LAST_PANEL[lab.last_panel](lab.state)}
    assert set(data) == set(lab.plot.lines)
    assert all(np.isfinite(values).all() for pair in data.values() for values in pair)
    alt = unescape(re.match(r'<img alt="([^"]*)"', lab.pictures.value)[1])
    assert alt in lab.summary
    assert alt in unescape(lab.facts.value)
    state = lab.state
    assert alt.startswith(training_words.VERDICTS[state.outcome].format(epoch=state.diverged_at))
    assert "nan" not in lab.summary.replace("no", "")
    return alt


# A dial ------------------------------------------------------------------------------------------------------------


def test_slider_and_box_of_a_dial_follow_each_other():
    dial, seen = Dial("rate", (0.1, 0.2, 0.5, 1), 0.5), []
    dial.observe(lambda change: seen.append(change["new"]), "value")
    assert (dial.value, dial.slider.value, dial.number.value) == (0.5, 2, 0.5)
    dial.slider.value = 0
    assert (dial.value, dial.slider.value, dial.number.value) == (0.1, 0, 0.1)
    dial.number.value = 0.9
    assert (dial.value, dial.slider.value, dial.number.value) == (0.9, 3, 0.9)
    dial.value = 0.2
    assert (dial.value, dial.slider.value, dial.number.value) == (0.2, 1, 0.2)
    assert seen == [0.1, 0.9, 0.2], "each move is told once"


@given(st.floats(0, 10))
def test_a_dial_takes_any_number_and_puts_the_slider_nearest(value):
    dial = Dial("x", (0, 1, 4, 10), 1)
    dial.value = value
    assert dial.number.value == dial.value == value
    assert abs(dial.positions[dial.slider.value] - value) == min(abs(one - value) for one in dial.positions)


@pytest.mark.parametrize("bad", [-0.1, 10.1, float("inf"), float("nan"), "fast", None])
def test_a_dial_refuses_what_lies_outside(bad):
    dial = Dial("x", (0, 1, 4, 10), 1)
    with pytest.raises((TraitError, ValueError, TypeError)):
        dial.value = bad
    assert (dial.value, dial.number.value, dial.slider.value) == (1, 1, 1)


def test_a_whole_dial_holds_whole_numbers():
    dial = Dial("epochs", (0, 10, 100), 10, whole=True)
    dial.value = 37
    with pytest.raises(TraitError, match=r"must be a whole number; got 1\.5"):
        dial.value = 1.5
    assert (dial.value, dial.number.value) == (37, 37)


# A dial that follows another control -------------------------------------------------------------------------------


class Countdown(Lab):
    """A lab whose count may be as large as the limit that leads it; the follower stands first."""

    def __init__(self):
        super().__init__()
        limit, count = choice("limit", (3, 9, 1), 3, "90px"), Dial("count", range(4), 2, whole=True)
        count.follow(limit, lambda most, now: (range(most + 1), min(now, most)))
        self.controls, self.box, self.states = {"count": count, "limit": limit}, widgets.VBox(), []
        self.start()

    def compute(self):
        self.states.append((self.values["count"], self.values["limit"]))

    def draw(self):
        pass


def check_fits(lab, count, limit):
    dial = lab.controls["count"]
    assert lab.values == {"count": count, "limit": limit}
    assert dial.positions == tuple(range(limit + 1))
    assert (dial.number.value, dial.slider.value) == (count, count)
    assert (dial.number.min, dial.number.max, dial.slider.max) == (0, limit, limit)
    assert dial.number.tooltip == f"from 0 to {limit}"


def test_a_dial_follows_the_control_that_leads_it():
    lab = Countdown()
    for limit, count in ((9, 2), (1, 1), (9, 1), (3, 1)):
        lab.controls["limit"].value = limit
        check_fits(lab, count, limit)
    assert lab.states == [(2, 9), (1, 1), (1, 9), (1, 3)], "each move is followed once, when the dial fits"


@pytest.mark.parametrize("order", [("count", "limit"), ("limit", "count")])
def test_the_leader_is_set_first_whatever_the_order(order):
    lab, values = Countdown(), {"count": 8, "limit": 9}
    lab.set(**{name: values[name] for name in order})
    check_fits(lab, 8, 9)
    with pytest.raises(ValueError, match=r"^count must hold .* must be from 0 to 3; got 8"):
        lab.set(**{name: {**values, "limit": 3}[name] for name in order})
    check_fits(lab, 8, 9)
    lab.load("count=5; limit=9")
    check_fits(lab, 5, 9)
    lab.reset()
    check_fits(lab, 2, 3)


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("step", [1, 2])
def test_a_range_that_was_interrupted_is_taken_in_full_at_the_next_move(step, back, monkeypatch):
    lab, restrict, calls = Countdown(), Dial._restrict, []

    def interrupted(dial, positions):
        restrict(dial, positions)
        calls.append(positions)
        if len(calls) == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(Dial, "_restrict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lab.controls["limit"].value = 9
    monkeypatch.undo()
    lab.controls["limit"].value = limit = 3 if back else 9
    lab.controls["count"].value = 0
    check_fits(lab, 0, limit)


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
            ends = control.number.min, control.number.max
            between = st.integers(*ends) if name in ("epochs", "width") else st.floats(*ends)
            found[name] = st.sampled_from(control.positions) | between
        elif isinstance(control, widgets.Dropdown):
            found[name] = st.sampled_from([value for _, value in control._options_full])
        elif name == "seed":
            found[name] = st.integers(0, control.max)
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
    yield from (
        (("b1", "-10, 10"), ("b1", "1"), ("b2", "-10"), ("seed", 0), ("seed", 9999)) if "b1" in lab.values else ()
    )


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
        single = alone(lab.state.experiment, lab.epoch)
        assert lab.state.diverged_at == single.diverged_at
        for name in PARAMETERS:
            last = getattr(single.params[-1], name)
            np.testing.assert_allclose(getattr(lab.state.params, name), last, rtol=1e-4, atol=1e-4)
        assert lab.state.now == pytest.approx(single.outputs[-1][:, 0], rel=1e-4, abs=1e-4)


def test_the_facts_are_announced_with_the_four_locks(lab):
    assert 'role="status"' in lab.facts.value
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", unescape(lab.facts.value))
    assert [cell.split(maxsplit=1)[1] for cell in cells] == [lock.reason for lock in lab.state.locks]
    assert len(cells) == 4
    assert re.findall(r'<th scope="col">([^<]*)', lab.facts.value) == ["dL/dW1", "dL/db1", "dL/dW2", "dL/db2"]


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
            pictures.add(lab.pictures.value)
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


@pytest.mark.parametrize(("name", "promised"), [*zip(training_words.PRESETS, PROMISED, strict=True)])
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
    before = shown(bias)[:3]
    bias.controls[name].value = text
    assert shown(bias)[:3] == before
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
    assert lab.state.diverged_at is None
    assert "DIVERGED" not in check_shown(lab)


# The map -----------------------------------------------------------------------------------------------------------


def test_the_map_without_a_loop_is_there_at_once(bias):
    bias.set(biases="b2")
    press(bias, training_words.DRAW_MAP)
    assert bias.map_picture.value.startswith("<img ")
    assert bias.map_summary in unescape(bias.map_text.value)
    shares = [float(share) for share in re.findall(r"([\d.]+)%", bias.map_summary)]
    assert len(shares) == len(OUTCOMES)
    assert sum(shares) == pytest.approx(100, abs=0.3)
    for i, j in ((3, 4), (90, 60)):
        bias.set(rate=MAP_RATES[j], target=MAP_TARGETS[i])
        assert OUTCOMES[bias.map.at(bias.epoch)[i, j]] is bias.state.outcome
    bias.set(epochs=5)
    assert "after 5 epochs:" in bias.map_summary
    bias.set(epochs=100)
    assert f"after {max(e for e in EPOCHS if e < 100)} epochs (of those kept, the last up to 100):" in bias.map_summary


def test_activations_of_one_neuron_stand_side_by_side_in_its_column(bias):
    bias.set(weights="random", width=5)
    places = [bias.plot.lines[f"a1 {name}"].get_xdata() for name in ("x = 1", "x = 2", pictures_words.TRIGGER_LABEL)]
    assert np.array(places).T.ravel().tolist() == sorted(np.array(places).ravel())
    assert all((np.floor(5 * place) == range(5)).all() for place in places)


def test_moving_on_the_map_draws_it_no_more_than_needed(bias, monkeypatch):
    bias.draw_map()
    codes = bias.map
    monkeypatch.setattr(bias, "map_steps", None)
    pictures = set()
    for values in ({"rate": 0.01}, {"target": -5}, {"epochs": 0}):
        bias.set(**values)
        pictures.add(bias.map_picture.value)
        assert training_words.MAP_STALE not in bias.map_summary
    assert len(pictures) == 3
    assert bias.map is codes
    bias.set(biases="b2")
    assert training_words.MAP_STALE in bias.map_summary
    assert training_words.MAP_STALE in unescape(bias.map_text.value)


def test_the_map_in_a_notebook_reports_stops_and_starts_again(bias, monkeypatch):
    epochs, map_steps = [], bias.map_steps
    monkeypatch.setattr(bias, "map_steps", lambda: (epochs.append(epoch) or epoch for epoch in map_steps()))

    async def notebook():
        bias.map_button.click()
        assert bias.map_button.description == training_words.STOP
        for _ in range(4):
            await asyncio.sleep(0)
        progress = training_words.MAP_PROGRESS.format(epoch=epochs[-1], epochs=2000)
        assert f'aria-live="polite" style="line-height: 1.5">{progress}<' in bias.map_text.value
        bias.map_button.click()
        await asyncio.sleep(0.05)
        assert training_words.MAP_STOPPED in bias.map_text.value
        assert bias.map_button.description == training_words.DRAW_MAP
        assert epochs[-1] < 2000
        assert bias.map is None
        assert bias.map_summary == training_words.NO_MAP
        epochs.clear()
        bias.map_button.click()
        while bias.map_button.description == training_words.STOP:
            await asyncio.sleep(0)
        assert epochs[-1] == 2000

    asyncio.run(notebook())
    assert bias.map_picture.value.startswith("<img ")
    assert bias.map_summary in unescape(bias.map_text.value)


@pytest.mark.parametrize("in_a_notebook", [True, False])
def test_the_map_of_bad_settings_is_refused_with_the_message_in_place(bias, in_a_notebook):
    bias.controls["b1"].value = "one"

    async def notebook():
        bias.map_button.click()
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(notebook()) if in_a_notebook else bias.map_button.click()
    assert bias.map is None
    assert bias.map_button.description == training_words.DRAW_MAP
    assert 'role="alert"' in bias.messages[""].value
