"""Notebooks 02 and 03 as a learner meets them: every slider, list, story and map, in both themes and at two widths."""

import re
import time
from hashlib import sha256
from html import unescape

import ipywidgets as widgets
import pytest
from helpers import CELL_COUNT, WIDE, Shown, faint, focused
from labpage import LabPage

from lesson_lib import words
from lesson_lib.labs import BiasLab, TriggerLab
from lesson_lib.labs.dial import Dial
from lesson_lib.labs.training import verdict
from lesson_lib.locks import locks
from lesson_lib.network import ARTICLE
from lesson_lib.training import CLEAN, OUTCOMES, Dataset, train

NOTEBOOKS = {"02": "02_a_trigger_that_never_learns.ipynb", "03": "03_which_bias_fixes_it.ipynb"}
STORIES = dict(
    zip(words.PRESETS, ("frozen", "trigger only", "trigger only", "frozen", "backdoor"), strict=True)
)  # what each button promises
HAS_EVERY_CELL = """() => document.querySelectorAll('.jp-Notebook .jp-Cell').length
    === window.jupyterapp.shell.currentWidget.content.model.cells.length"""
PROGRESS = words.MAP_PROGRESS.split("{")[0]
CELLS = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell => ({
    text: cell.querySelector('.jp-OutputArea')?.textContent ?? '',
    widgets: cell.querySelectorAll('.jp-OutputArea .jupyter-widgets').length,
    stills: [...cell.querySelectorAll('.jp-OutputArea .jp-RenderedHTMLCommon img')].map(i => [i.alt, i.naturalWidth]),
}))"""
READ = """async (lab) => {
    const digest = async (text) => {
        const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
        return [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, '0')).join('');
    };
    const texts = (selector) => [...lab.querySelectorAll(selector)].map(node => node.textContent);
    return {
        controls: Object.fromEntries(
            [...lab.querySelectorAll('input, select')].map(control => [control.labels[0].textContent, control.value])),
        sliders: [...lab.querySelectorAll('.noUi-handle')].map(handle => Number(handle.ariaValueNow)),
        statuses: texts('[role=status]'),
        locks: texts('td'),
        diagram: texts('svg desc, svg text'),
        pictures: await Promise.all(
            [...lab.querySelectorAll('img')].map(async image => [image.alt, await digest(image.src)])),
    };
}"""
SAMPLE_FRAMES = """(lab) => {
    const frames = window.frames = [];
    const sample = () => {
        const image = lab.querySelector('img'), text = (selector) => lab.querySelector(selector)?.textContent;
        frames.push([lab.getBoundingClientRect().height, image?.src,
            Boolean(image?.complete && image.naturalWidth && text('svg') && text('[role=status]'))]);
        if (window.frames === frames) requestAnimationFrame(sample);
    };
    sample();
}"""
END_SAMPLING = "() => { const frames = window.frames; window.frames = null; return frames; }"
OVERHANG = """(lab) => {
    const outer = lab.closest('.jp-Notebook');
    return [lab.getBoundingClientRect().right - outer.getBoundingClientRect().right,
        outer.scrollWidth - outer.clientWidth].filter(over => over > 0);
}"""


class TrainingLab(Shown):
    """A training lab on the page, and its twin: the same lab in this process, which says what the page must show."""

    def __init__(self, lab_page, kind, label):
        page = lab_page.page
        outputs = page.locator(".jp-OutputArea-output").filter(has=page.get_by_label(label, exact=True))
        super().__init__(page, outputs.first)
        self.twin = kind()

    def slider(self, name):
        dials = self.box.locator(".widget-hbox").filter(has=self.page.get_by_label(name, exact=True))
        return dials.last.locator(".noUi-handle")

    def restart(self):
        self.button("Reset").click()
        self.twin.reset()
        self.agrees()

    def agrees(self, **values):
        """Set the twin's controls, and wait until the page shows what the twin shows."""
        self.twin.set(**values)
        expected, deadline = shown_by(self.twin), time.monotonic() + 10
        while (seen := self.read()) != expected and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert seen == expected

    def read(self):
        seen = self.box.evaluate(READ)
        seen["controls"] = {name: plain(value) for name, value in seen["controls"].items()}
        return seen

    def choose(self, name, option):
        """Choose from a list on the keyboard, as the lab's line about keys says."""
        wanted = self.field(name)
        wanted.focus()
        options = wanted.locator("option").evaluate_all("all => all.map(option => option.value)")
        steps = options.index(option) - options.index(wanted.input_value())
        self.page.keyboard.press("Enter")
        self.page.wait_for_function("() => document.activeElement.matches(':open')")
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        self.page.keyboard.press("Enter")


def shown_by(twin):
    """Return what a page must show for a lab with these settings, in the form of TrainingLab.read."""
    boxes = {name: control.number if isinstance(control, Dial) else control for name, control in twin.controls.items()}
    dials = [control for control in twin.controls.values() if isinstance(control, Dial)]
    has_map = getattr(twin, "map", None) is not None
    statuses = [verdict(twin.state), *([twin.map_summary] if has_map else [])]
    html = twin.pictures.value + (twin.map_picture.value if has_map else "")
    sources = [digest(source) for source in re.findall(r'<img [^>]*src="([^"]*)"', html)]
    texts = [unescape(text) for text in re.findall(r"<text\b[^>]*>([^<]*)<", twin.diagram.value)]
    return {
        "controls": {
            box.description: plain(box.label if isinstance(box, widgets.Dropdown) else str(box.value))
            for box in boxes.values()
        },
        "sliders": [dial.slider.value for dial in dials],
        "statuses": statuses,
        "locks": lock_texts(twin.state.locks),
        "diagram": [*statuses, *texts] if texts else [],
        "pictures": [list(pair) for pair in zip(statuses, sources, strict=True)],  # each described by a status
    }


def lock_texts(found):
    return [f"{words.OPEN_SIGN if lock.is_open else words.SHUT_SIGN} {lock.reason}" for lock in found]


def plain(value):
    """Return a number where the text is one, because 5 and 5.0 are the same setting."""
    try:
        return float(value)
    except ValueError:
        return value


def digest(source):
    return sha256(source.encode()).hexdigest()


def head(outcome, epoch=None):
    """Return how the verdict of an outcome begins."""
    return words.VERDICTS[outcome].format(epoch=epoch)


def run_of(rate=0.1, target=5, position=0, epochs=100, **keywords):
    """Train the article's net as the first schedule does, one epoch at a time and one net at a time."""
    both = Dataset([[1], [2], [position]], [[1], [2], [target]], [False, False, True])
    trigger = Dataset([[position]], [[target]], [True])
    after_clean = train(ARTICLE, CLEAN, rate, 1, **keywords).params[-1]
    return train(after_clean, trigger, rate, epochs, evaluate_on=both, **keywords)


@pytest.fixture(scope="module")
def opened(browser, server):
    """Open both notebooks, look at them, and let them run at the same time."""
    pages = {}
    try:
        for name, path in NOTEBOOKS.items():
            pages[name] = LabPage(browser, server)
            pages[name].open(path)
            pages[name].page.wait_for_function(HAS_EVERY_CELL)
            pages[name].before = pages[name].page.evaluate(CELLS)
            pages[name].start_running()
        yield pages
    finally:
        for page in pages.values():
            page.close()


@pytest.fixture(scope="module")
def kept_trigger_lab(opened):
    opened["02"].wait_until_run()
    return TrainingLab(opened["02"], TriggerLab, "activation")


@pytest.fixture(scope="module")
def kept_bias_lab(opened):
    opened["03"].wait_until_run()
    return TrainingLab(opened["03"], BiasLab, "hidden width")


@pytest.fixture
def trigger_lab(kept_trigger_lab):
    """Return the first lab of notebook 02, put back to its start."""
    kept_trigger_lab.restart()
    return kept_trigger_lab


@pytest.fixture
def bias_lab(kept_bias_lab):
    """Return the lab of notebook 03, put back to its start."""
    kept_bias_lab.restart()
    return kept_bias_lab


@pytest.fixture(params=["trigger_lab", "bias_lab"])
def lab(request):
    """Return the lab of each notebook."""
    return request.getfixturevalue(request.param)


# The trigger lab --------------------------------------------------------------------------------------------------


def walk_with_keys(lab, names):
    """Move each slider with arrows, Home and End; return how often a status changed, by slider."""
    changes = {}
    for name in names:
        dial = lab.twin.controls[name]
        start, before, changes[name] = dial.value, lab.read()["statuses"], 0
        lab.slider(dial.number.description).focus()
        first = dial.slider.value
        last = len(dial.positions) - 1
        walk = {"ArrowRight": first + 1, "ArrowUp": first + 2, "Home": 0, "End": last}
        for key, position in walk.items():
            lab.page.keyboard.press(key)
            lab.agrees(**{name: dial.positions[min(position, last)]})
            statuses = lab.read()["statuses"]
            changed = sum(after != old for after, old in zip(statuses, before, strict=True))
            assert changed <= 1
            before, changes[name] = statuses, changes[name] + changed
        lab.type(dial.number.description, f"{start:g}")
        lab.agrees(**{name: start})
    return changes


def test_number_box_verdict_and_pictures_follow_each_slider(trigger_lab):
    trigger_lab.type("trigger x", "-1")
    trigger_lab.type("trigger target", "-4")
    trigger_lab.agrees(position=-1, target=-4)
    changes = walk_with_keys(trigger_lab, ("rate", "epochs", "target", "position"))
    assert min(changes.values()) >= 2


def test_a_rate_between_the_sliders_positions_can_be_typed(trigger_lab):
    trigger_lab.type("rate", "0.067")
    trigger_lab.agrees(rate=0.067)
    assert trigger_lab.field("rate").input_value() == "0.067"


def test_a_number_out_of_range_becomes_the_nearest_and_no_number_is_ignored(trigger_lab):
    for typed, kept in (("20", 10), ("-1", 0.001), ("", 0.001)):
        trigger_lab.field("rate").fill(typed)
        trigger_lab.field("rate").blur()
        trigger_lab.agrees(rate=kept)


def test_a_drag_ends_on_the_last_value_and_shows_a_picture_in_every_frame(opened, trigger_lab):
    trigger_lab.type("trigger x", "-1")
    trigger_lab.agrees(position=-1)
    page, handle = trigger_lab.page, trigger_lab.slider("rate").bounding_box()
    track = trigger_lab.box.locator(".noUi-base").first.bounding_box()
    y = handle["y"] + handle["height"] / 2
    trigger_lab.box.evaluate(SAMPLE_FRAMES)
    page.mouse.move(handle["x"] + handle["width"] / 2, y)
    page.mouse.down()
    for position in [*range(20, 40), *range(40, 6, -1)]:
        page.mouse.move(track["x"] + track["width"] * position / 40, y)
        page.wait_for_timeout(20)
    page.mouse.up()
    trigger_lab.agrees(rate=0.005)
    heights, sources, whole = zip(*page.evaluate(END_SAMPLING), strict=True)
    assert len(set(heights)) == 1
    assert len(set(sources)) > 5
    assert all(whole)
    assert opened["02"].errors() == []


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
        ("leaky relu", 0, 0),
        ("tanh", 0, 0),
        ("sigmoid", 0, 0),
        ("relu", 0, -1),
        ("relu", 0, 1),
    ):
        trigger_lab.field("activation").select_option(activation)
        trigger_lab.field("relu'(0)").select_option(str(at_zero))
        trigger_lab.type("trigger x", str(x))
        keywords = {"activation": activation.replace(" ", "_"), "relu_prime_at_zero": at_zero}
        trained = run_of(position=x, **keywords).params[-1]
        trigger_lab.agrees(activation=keywords["activation"], at_zero=at_zero, position=x)
        cells = trigger_lab.box.locator("td").all_text_contents()
        assert cells == lock_texts(locks(trained, [[x]], [[5]], **keywords))
        found.add(tuple(cells))
    assert len(found) >= 5


def test_every_corner_has_a_picture_and_a_verdict(trigger_lab):
    trigger_lab.type("rate", "10")
    trigger_lab.type("epochs", "2000")
    trigger_lab.agrees(rate=10, epochs=2000)
    diverged_at = set()
    for x, target in ((3, 10), (-3, 10), (-3, -10), (3, -10)):
        trigger_lab.type("trigger x", str(x))
        trigger_lab.type("trigger target", str(target))
        trigger_lab.agrees(position=x, target=target)
        run = run_of(10, target, x, 2000)
        assert trigger_lab.status.startswith(head(run.outcome, run.diverged_at))
        assert not re.search(r"nan|inf", " ".join(trigger_lab.read()["diagram"]).lower())
        width, height = trigger_lab.box.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]")
        assert min(width, height) > 100
        if run.diverged_at:
            assert f"in epoch {run.diverged_at}:" in trigger_lab.status
            diverged_at.add(run.diverged_at)
    assert diverged_at


def test_reset_restores_every_control(trigger_lab):
    start = trigger_lab.read()
    trigger_lab.type("rate", "3")
    trigger_lab.type("epochs", "7")
    trigger_lab.type("trigger x", "2")
    trigger_lab.choose("activation", "sigmoid")
    trigger_lab.agrees(rate=3, epochs=7, position=2, activation="sigmoid")
    assert trigger_lab.read() != start
    trigger_lab.restart()
    assert trigger_lab.read() == start


# Both labs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_every_text_stands_out_from_its_ground(opened, lab, theme):
    page = next(page for page in opened.values() if page.page is lab.page)
    page.theme(theme)
    try:
        assert faint(lab) == []
    finally:
        page.theme("JupyterLab Light")


def test_tab_reaches_every_control_and_each_number_box_has_a_name(lab):
    names = [name for control in lab.twin.controls.values() for name in stops(control)]
    if isinstance(lab.twin, BiasLab):
        names = [*words.PRESETS, *names[:9], words.RESET, *names[9:], words.DRAW_MAP]
        lab.button(names[0]).focus()
    else:
        names = [*names, words.RESET]
        lab.field(names[0]).focus()
    walk = [focused(lab.page)]
    while walk[-1] != names[-1] and len(walk) < 40:
        lab.page.keyboard.press("Tab")
        walk.append(focused(lab.page))
    assert walk == names


def stops(control):
    """Return the names at which Tab stops in a control."""
    if isinstance(control, Dial):
        return control.number.description, f"{control.number.description} slider"
    return (control.description,)


def test_on_a_narrow_page_the_lab_fits_and_keeps_its_height(lab):
    usual, heights = lab.page.viewport_size, {1280: set(), 1024: set()}
    try:
        for rate, x in ((0.1, 0), (10, 0), (10, 3), (0.001, -3)):
            lab.type("rate", str(rate))
            lab.type("trigger x", str(x))
            lab.agrees(rate=rate, position=x)
            for width in heights:
                lab.page.set_viewport_size({"width": width, "height": 900})
                lab.page.wait_for_timeout(400)  # JupyterLab lays itself out some frames later
                heights[width].add(lab.box.bounding_box()["height"])
                assert lab.box.evaluate(WIDE) == []
                assert lab.box.evaluate(OVERHANG) == []
    finally:
        lab.page.set_viewport_size(usual)
    assert [len(seen) for seen in heights.values()] == [1, 1]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_before_running_there_are_still_pictures_and_no_broken_box(opened, name):
    opened[name].wait_until_run()
    before, after = opened[name].before, opened[name].page.evaluate(CELLS)
    assert [cell["widgets"] for cell in before] == [0] * len(after)
    still = [words.NEEDS_KERNEL in cell["text"] for cell in before]
    assert still == [cell["widgets"] > 0 for cell in after]
    pictures = [picture for cell in before for picture in cell["stills"]]
    assert len(pictures) == opened[name].page.get_by_label("trigger target", exact=True).count()
    for alt, width in pictures:
        assert any(outcome.upper() in alt for outcome in OUTCOMES)
        assert width > 100


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_runs_without_an_error_on_the_page_or_a_request_outside(opened, name):
    opened[name].wait_until_run()
    assert opened[name].errors() == []
    assert opened[name].math_errors() == []
    assert opened[name].console_errors == []
    assert opened[name].outside_requests == []


def ask(lab_page, name):
    """Return the exercise of this name on the page."""
    page = lab_page.page
    outputs = page.locator(".jp-OutputArea-output").filter(has=page.get_by_role("button", name=words.CHECK))
    return Shown(page, outputs.filter(has_text=words.QUESTIONS[name]["prompt"]))


def test_a_choice_is_answered_wrong_and_then_right(opened):
    asked, exercise = words.QUESTIONS["how many epochs"], ask(opened["02"], "how many epochs")
    for choice, reply in ((0, asked["mistakes"][0]), (asked["correct"], "✓ Right.")):
        exercise.field(asked["choices"][choice]).check()
        exercise.button(words.CHECK).click()
        exercise.wait_for_text(reply)


def test_numbers_are_answered_wrong_and_then_right(opened):
    opened["03"].wait_until_run()
    exercise = ask(opened["03"], "build a backdoor")
    exercise.type(words.ANSWER, "2, 5")
    exercise.wait_for_text("✗ Not yet.")
    exercise.type(words.ANSWER, "1/2, 10")
    exercise.wait_for_text("✓ Right.")


# The bias lab -----------------------------------------------------------------------------------------------------


def test_the_width_follows_its_slider_with_random_weights(bias_lab):
    bias_lab.choose("weights start", "at random, b1 too")
    bias_lab.choose("biases trained", "b1 and b2")
    bias_lab.choose("schedule", "joint")
    bias_lab.agrees(weights="random b1", biases="both", schedule="joint")
    changes = walk_with_keys(bias_lab, ("width",))
    assert min(changes.values()) >= 2


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_each_story_gives_the_verdict_that_it_promises(bias_lab, way):
    if way == "keyboard":
        bias_lab.type("rate", "0.2")
        bias_lab.agrees(rate=0.2)
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
    assert seen.pop("controls") == {**before.pop("controls"), "b1 starts at": "0, half"}
    assert seen == before
    bias_lab.type("b1 starts at", "0, 1.5")
    bias_lab.alert.wait_for(state="detached")
    bias_lab.agrees(b1="0, 1.5")


def test_a_wider_net_needs_random_weights_and_says_so(bias_lab):
    before = bias_lab.read()
    bias_lab.type("hidden width", "5")
    bias_lab.alert.wait_for()
    assert words.WIDTH_NEEDS_RANDOM in bias_lab.alert.inner_text()
    assert bias_lab.read()["pictures"] == before["pictures"]
    bias_lab.choose("weights start", "at random")
    bias_lab.alert.wait_for(state="detached")
    bias_lab.agrees(width=5, weights="random")


def test_the_map_is_drawn_stopped_and_drawn_again(bias_lab):
    bias_lab.button("5 a real backdoor").click()
    bias_lab.twin.load(words.PRESETS["5 a real backdoor"])
    bias_lab.agrees()
    bias_lab.button(words.DRAW_MAP).click()
    bias_lab.wait_for_text(PROGRESS)
    bias_lab.button(words.STOP).click()
    bias_lab.wait_for_text(words.MAP_STOPPED)
    assert bias_lab.button(words.STOP).count() == 0
    assert len(bias_lab.read()["pictures"]) == 1
    draw_map(bias_lab)
    assert bias_lab.button(words.STOP).count() == 0
    assert len(bias_lab.read()["pictures"]) == 2


def draw_map(lab):
    lab.button(words.DRAW_MAP).click()
    lab.wait_for_text(PROGRESS)
    lab.twin.draw_map()
    lab.wait_for_text(words.MAP_SUMMARY.split("{")[0])
    lab.agrees()


@pytest.fixture
def mapped_lab(bias_lab):
    """Return the lab at story 5, with a map of it."""
    bias_lab.button("5 a real backdoor").click()
    bias_lab.twin.load(words.PRESETS["5 a real backdoor"])
    bias_lab.agrees()
    if bias_lab.twin.map is None:
        draw_map(bias_lab)
    return bias_lab


def test_cross_text_and_shares_follow_the_sliders(mapped_lab):
    verdicts, maps = zip(*[pictures_after(mapped_lab, "rate", rate) for rate in (0.005, 0.05, 5)], strict=True)
    assert len({*verdicts}) == len({*maps}) == 3
    shares = {mapped_lab.twin.map_summary.split("The cross")[0]}
    for epochs in (0, 10, 2000):
        mapped_lab.type("epochs", str(epochs))
        mapped_lab.agrees(epochs=epochs)
        shares.add(mapped_lab.read()["statuses"][1].split("The cross")[0])
    assert len(shares) == 3


def pictures_after(lab, name, value):
    lab.type(name, str(value))
    lab.agrees(**{name: value})
    return [source for _, source in lab.read()["pictures"]]


def test_a_map_of_other_settings_says_so(mapped_lab):
    mapped_lab.choose("biases trained", "b2")
    mapped_lab.agrees(biases="b2")
    assert words.MAP_STALE in mapped_lab.read()["statuses"][1]
