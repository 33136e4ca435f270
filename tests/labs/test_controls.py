"""The parts that labs are made of: a dial with its box, one that follows, a player, and a picture that is touched."""

import asyncio
from itertools import repeat
from math import inf, nan

import ipywidgets as widgets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labparts import no_error_in_a_callback, sent, words_of  # noqa: F401
from traitlets import TraitError

from lesson_lib.labs import TriggerLab
from lesson_lib.labs.shared import words
from lesson_lib.labs.shared.canvas import Canvas
from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.lab import Lab
from lesson_lib.labs.shared.parts import choice
from lesson_lib.labs.shared.play import Player
from lesson_lib.pictures.frame import Frame, handle

# A dial --------------------------------------------------------------------------------------------------------------


def holds(dial):
    """Return what a dial holds: its value, the text in its box, and where its slider is."""
    return dial.value, dial.number.value, dial.slider.value


def test_slider_and_box_of_a_dial_follow_each_other():
    dial, seen = Dial("rate", (0.1, 0.2, 0.5, 1), 0.5), []
    dial.observe(lambda change: seen.append(change["new"]), "value")
    assert holds(dial) == (0.5, "0.5", 2)
    dial.slider.value = 0
    assert holds(dial) == (0.1, "0.1", 0)
    dial.number.value = "0.9"
    assert holds(dial) == (0.9, "0.9", 3)
    dial.value = 0.2
    assert holds(dial) == (0.2, "0.2", 1)
    assert seen == [0.1, 0.9, 0.2], "each move is told once"


@given(st.floats(0, 10))
def test_a_dial_takes_any_number_to_its_last_digit_and_puts_the_slider_nearest(value):
    dial = Dial("x", (0, 1, 4, 10), 1)
    dial.value = value
    assert dial.value == value
    assert float(dial.number.value) == pytest.approx(value, rel=1e-7)
    assert abs(dial.positions[dial.slider.value] - value) == min(abs(one - value) for one in dial.positions)
    assert dial.nearest(value) == dial.positions[dial.slider.value]


@pytest.mark.parametrize("bad", [-0.1, 10.1, inf, nan, "fast", None])
def test_a_dial_refuses_what_lies_outside(bad):
    dial = Dial("x", (0, 1, 4, 10), 1)
    with pytest.raises((TraitError, ValueError, TypeError)):
        dial.value = bad
    assert holds(dial) == (1, "1", 1)


@pytest.mark.parametrize("value", [4.458478965723718e-104, -5e-324, 2e-15])
def test_a_preset_brings_back_what_no_box_could_read(value):
    lab = TriggerLab()
    lab.set(target=value)
    kept = lab.preset
    lab.reset()
    lab.load(kept)
    assert lab.values["target"] == value
    for text in ("inf", "nan", "1e400", "0x1p3"):
        with pytest.raises(ValueError, match="target"):
            lab.load(f"target={text}")
        assert lab.values["target"] == value


def test_a_whole_dial_holds_whole_numbers():
    dial = Dial("epochs", (0, 10, 100), 10, whole=True)
    dial.value = 37
    with pytest.raises(TraitError, match=r"must be a whole number; got 1\.5"):
        dial.value = 1.5
    assert holds(dial) == (37, "37", 1)


@pytest.mark.parametrize(
    ("typed", "value"), [("1/3", 1 / 3), ("0.10", 0.1), ("2", 2), ("-0", 0), ("1e1", 10), (" 7/2 ", 3.5), ("[4]", 4)]
)
def test_a_number_is_taken_as_it_is_typed(typed, value):
    dial, seen = Dial("x", (0, 1, 4, 10), 1), []
    dial.observe(lambda change: seen.append(change["new"]), "value")
    dial.number.value = typed
    assert (dial.value, dial.number.value) == (value, typed)
    assert seen == [value]
    assert dial.message.value == ""
    assert dial.message.layout.display == "none"
    dial.slider.value = 3 - dial.slider.value
    assert dial.number.value == f"{dial.value:g}"


REFUSED = {
    "2,5": "must be one number; got 2",
    "1 2": "must be one number; got 2",
    "11": "must be from 0 to 10; got 11",
    "-0.001": "must be from 0 to 10; got -0.001",
    "": "Type at least one number",
    "  ": "Type at least one number",
    "nan": "nan is not a number",
    "inf": "inf is not a number",
    "1/0": "1/0 divides by 0",
    "fast": "fast is not a number",
    "1e9999": "1e9999 ",
    "9" * 5000: "has too many digits",
    "0." + "1" * 5000: "has too many digits",
    "<img src=x>": "<img",
}


@pytest.mark.parametrize("kept", ["4", "1/3"])
@pytest.mark.parametrize("typed", REFUSED, ids=lambda typed: typed[:9])
def test_what_does_not_fit_is_refused_beside_the_box_and_the_last_value_kept(typed, kept):
    dial, seen = Dial("x", (0, 1, 4, 10), 1), []
    dial.number.value = kept
    before = holds(dial)
    dial.observe(lambda change: seen.append(change["new"]), "value")
    dial.number.value = typed
    assert holds(dial) == before
    assert seen == []
    told = words_of(dial.message.value)
    assert told.startswith(words.ERROR_SIGN)
    assert REFUSED[typed] in told
    assert told.endswith(f". {kept} is kept.")
    assert len(told) < 200
    assert 'role="alert"' in dial.message.value
    assert dial.message.layout.display == ""


def test_a_dial_of_whole_numbers_refuses_what_lies_between():
    dial = Dial("epochs", (0, 10, 100), 10, whole=True)
    for typed in ("12.7", "1/3"):
        dial.number.value = typed
        assert holds(dial) == (10, "10", 1)
        assert "must be a whole number" in words_of(dial.message.value)
    dial.number.value = "24/2"
    assert (dial.value, dial.message.value) == (12, "")


@pytest.mark.parametrize(
    "move",
    [
        lambda dial: setattr(dial.number, "value", "2"),
        lambda dial: setattr(dial.slider, "value", 3),
        lambda dial: setattr(dial, "value", 7.5),
        lambda dial: dial.set_range((0, 1, 2), 2),
        lambda dial: dial.fit(),
    ],
    ids=["box", "slider", "value", "range", "another control"],
)
def test_the_message_goes_at_the_next_good_move(move):
    dial = Dial("x", (0, 1, 4, 10), 1)
    dial.number.value = "fast"
    assert dial.message.value
    move(dial)
    assert (dial.message.value, dial.message.layout.display) == ("", "none")


def test_positions_beside_a_value_are_counted_from_the_nearest_and_end_at_the_ends():
    dial = Dial("x", (0, 1, 4, 10), 1)
    assert [dial.beside(steps) for steps in (-1000, -1, 0, 1, 2, 3, 1000)] == [0, 0, 1, 4, 10, 10, 10]
    dial.value = 3.9
    assert [dial.beside(steps) for steps in (-1, 0, 1)] == [1, 4, 10]


@pytest.mark.parametrize(("value", "nearest"), [(-5, 0), (0.4, 0), (0.6, 1), (2.4, 1), (2.6, 4), (99, 10)])
def test_the_nearest_position(value, nearest):
    assert Dial("x", (0, 1, 4, 10), 1).nearest(value) == nearest


def test_a_disabled_dial_has_box_and_slider_disabled():
    dial = Dial("x", (0, 1, 4, 10), 1)
    dial.disabled = True
    assert (dial.number.disabled, dial.slider.disabled) == (True, True)
    dial.disabled = False
    assert (dial.number.disabled, dial.slider.disabled) == (False, False)


def test_the_box_says_from_where_to_where():
    dial = Dial("x", (0, 1, 4, 10), 1)
    dial.set_range((2, 3.5), 3)
    assert dial.number.tooltip == "from 2 to 3.5"


# A dial that follows another control -------------------------------------------------------------------------------


class Countdown(Lab):
    """A lab whose count may be as large as the limit that leads it; the follower stands first."""

    def __init__(self):
        super().__init__()
        limit, count = (
            choice("limit", {n: str(n) for n in (3, 9, 1)}, 3, "90px"),
            Dial("count", range(4), 2, whole=True),
        )
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
    assert (dial.number.value, dial.slider.value, dial.slider.max) == (str(count), count, limit)
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
@pytest.mark.parametrize("part", ["_nearest", "_refuse"])
def test_a_range_that_was_interrupted_is_taken_in_full_at_the_next_move(part, back, monkeypatch):
    lab = Countdown()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Dial, part, interrupted)
    with pytest.raises(KeyboardInterrupt):
        lab.controls["limit"].value = 9
    monkeypatch.undo()
    lab.controls["limit"].value = limit = 3 if back else 9
    lab.controls["count"].value = 0
    check_fits(lab, 0, limit)


# A player ------------------------------------------------------------------------------------------------------------


class Walk:
    """A player that counts to `last`, and notes what it is told."""

    def __init__(self, last=5, fails_at=None, stops_at=None):
        self.at, self.last, self.fails_at, self.stops_at, self.told = 0, last, fails_at, stops_at, []
        self.player = Player(self.work, 0.001)

    def work(self):
        self.told.append("started")
        is_whole = False
        try:
            while self.at < self.last:
                yield
                self.at += 1
                if self.at == self.fails_at:
                    raise ZeroDivisionError
                if self.at == self.stops_at:
                    self.player.stop()
            is_whole = True
        finally:
            self.told.append(is_whole)

    @property
    def button(self):
        return self.player.button


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0)


def test_without_a_loop_all_steps_are_done_at_once():
    walk = Walk()
    walk.button.click()
    assert (walk.at, walk.told, walk.button.description) == (5, ["started", True], words.PLAY)


def test_a_player_goes_on_to_the_end_and_frees_its_button():
    walk = Walk()

    async def notebook():
        walk.button.click()
        assert walk.button.description == words.PAUSE
        assert walk.told == ["started"]
        await until(lambda: walk.button.description == words.PLAY)

    asyncio.run(notebook())
    assert (walk.at, walk.told) == (5, ["started", True])


def test_a_second_press_pauses_and_a_third_goes_on():
    walk = Walk(last=10**6)

    async def notebook():
        walk.button.click()
        await until(lambda: walk.at > 2)
        walk.button.click()
        assert walk.button.description == words.PLAY
        at = walk.at
        await asyncio.sleep(0.05)
        assert walk.at == at
        assert walk.told == ["started", False]
        walk.button.click()
        await until(lambda: walk.at > at)
        walk.player.stop()

    asyncio.run(notebook())
    assert walk.told == ["started", False] * 2


def test_stop_before_the_first_step_and_a_stop_too_many_are_harmless():
    walk = Walk()

    async def notebook():
        walk.player.stop()
        walk.button.click()
        walk.player.stop()
        walk.player.stop()
        await asyncio.sleep(0.02)

    asyncio.run(notebook())
    assert (walk.at, walk.told, walk.button.description) == (0, ["started", False], words.PLAY)


def test_a_press_right_after_a_stop_is_one_that_goes_on():
    walk = Walk()

    async def notebook():
        for _ in range(3):
            walk.button.click()
        assert walk.button.description == words.PAUSE
        await until(lambda: walk.button.description == words.PLAY)

    asyncio.run(notebook())
    assert (walk.at, walk.told) == (5, ["started", False, "started", True])


def test_an_error_in_a_step_frees_the_button_and_is_told():
    walk, told = Walk(fails_at=3), []

    async def notebook():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        walk.button.click()
        await until(lambda: walk.button.description == words.PLAY)
        walk.button.click()
        await until(lambda: walk.button.description == words.PLAY)

    asyncio.run(notebook())
    assert walk.at == 5, "it could be started again"
    assert walk.told == ["started", False, "started", True]
    assert [type(error) for error in told] == [ZeroDivisionError]


def test_a_step_that_stops_is_the_last_and_frees_the_button():
    walk = Walk(stops_at=2)

    async def notebook():
        for expected in (2, 5):
            walk.button.click()
            await until(lambda: walk.button.description == words.PLAY)
            await asyncio.sleep(0.02)
            assert walk.at == expected

    asyncio.run(notebook())
    assert walk.told == ["started", False, "started", True]


def test_a_press_in_another_thread_stops_after_the_step_under_way():
    walk = Walk(last=10**6)

    async def notebook():
        walk.button.click()
        await until(lambda: walk.at > 2)
        await asyncio.to_thread(walk.button.click)
        await until(lambda: walk.button.description == words.PLAY)
        at = walk.at
        await asyncio.sleep(0.02)
        assert walk.at == at

    asyncio.run(notebook())
    assert walk.told == ["started", False]


def test_a_button_that_is_closed_stops():
    walk = Walk(last=10**6)

    async def notebook():
        walk.button.open()
        walk.button.click()
        await until(lambda: walk.at > 2)
        walk.button.close()

    asyncio.run(notebook())
    assert walk.told == ["started", False]


# A picture that is touched -------------------------------------------------------------------------------------------


class Pin(Lab):
    """A lab with a pin that moves both ways, one that moves up alone, and a mark that is there only above 0."""

    touchable = {"pin": ("plane", "x", "y"), "height": ("plane", "", "y"), "sun": ("plane", "x", "")}  # noqa: RUF012

    def __init__(self):
        super().__init__()
        self.controls = {"x": Dial("x", range(-10, 11), 0), "y": Dial("y", range(-10, 11), 0)}
        self.frame, self.drawn = Frame(200, 100, plane=(50, 0, 100, 100)), 0
        self.frame.axes["plane"].set(xlim=(-10, 10), ylim=(-10, 10))
        self.box = widgets.VBox([*self.controls.values(), self.canvas])
        self.player = Player(lambda: repeat(None), 0.001)
        self.players = [self.player]
        self.start()

    def compute(self):
        pass

    def draw(self):
        self.drawn += 1
        self.canvas.show(*self.picture())

    def picture(self):
        names = ["pin", "height", *(["sun"] if self.values["y"] > 0 else [])]
        marks = (handle(name, "<path/>", name, (self.values["x"], -10, 10), "here") for name in names)
        return self.frame, "".join(marks), "a pin"

    @property
    def summary(self):
        return "a pin"


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [(100, 50, (0, 0)), (50, 0, (-10, 10)), (150, 100, (10, -10)), (112.4, 33, (2, 3)), (0, 500, (-10, -10))],
)
def test_a_mark_moves_both_its_dials_to_the_nearest_positions_in_one_step(x, y, found):
    lab = Pin()
    before = lab.drawn
    sent(lab, touch="pin", x=x, y=y)
    assert (lab.values["x"], lab.values["y"]) == found
    assert lab.drawn == before + 1


@pytest.mark.parametrize("key", ["ArrowUp", "ArrowRight"])
def test_a_mark_that_moves_one_way_takes_the_arrows_of_both_and_no_pixel_of_the_other(key):
    lab = Pin()
    sent(lab, touch="height", x=150, y=25)
    assert lab.values == {"x": 0, "y": 5}
    sent(lab, touch="height", key=key)
    assert lab.values == {"x": 0, "y": 6}


def test_a_mark_that_is_not_in_the_picture_cannot_be_touched():
    lab = Pin()
    sent(lab, touch="sun", key="ArrowRight")
    sent(lab, touch="sun", x=150, y=50)
    assert lab.values == {"x": 0, "y": 0}
    lab.set(y=1)
    sent(lab, touch="sun", key="ArrowRight")
    assert lab.values == {"x": 1, "y": 1}


def test_a_dial_of_a_touched_mark_keeps_what_was_typed_until_it_is_moved():
    lab = Pin()
    lab.controls["x"].number.value = "1/3"
    sent(lab, touch="height", key="ArrowUp")
    assert (lab.values["x"], lab.controls["x"].number.value) == (1 / 3, "1/3")


def test_reset_stops_what_is_playing():
    lab = Pin()

    async def notebook():
        lab.player.button.click()
        await asyncio.sleep(0.01)
        assert lab.player.button.description == words.PAUSE
        lab.reset()
        assert lab.player.button.description == words.PLAY

    asyncio.run(notebook())


def test_the_page_is_told_of_every_move_that_the_picture_fits_again(monkeypatch):
    lab, sent_to_page = Pin(), []
    monkeypatch.setattr(Canvas, "send", lambda _, content, *__: sent_to_page.append(content))
    lab.controls["x"].slider.value = 3
    assert sent_to_page == [{"done": True}]


def test_the_canvas_follows_the_sliders_of_dials():
    lab = Pin()
    assert lab.canvas.controls == [dial.slider for dial in lab.controls.values()]
