"""Every lab and exercise for all: axe's rules, contrast, the keyboard alone, and a page magnified to 200 %."""

from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from colours import GROUND, contrast, faint, seen
from helpers import CANVAS, TwinLab, cell_with, each, focused

from lesson_lib.exercises import words as exercises_words
from lesson_lib.labs import BiasLab, Exercises, HandCalculationLab, NAALab, PruningLab, TriggerLab
from lesson_lib.labs.pruning import words as pruning_words
from lesson_lib.labs.shared import words as shared_words
from lesson_lib.labs.shared.dial import Dial

LABS = [HandCalculationLab, TriggerLab, BiasLab, NAALab, PruningLab]
QUESTIONS = {"choice": "which factor", "numbers": "dW2 at x = 2"}
ASK = [f"exercises.ask({question!r})" for question in QUESTIONS.values()]
CELLS = [
    *map(cell_with, LABS),
    f"from lesson_lib.labs import Exercises\nexercises = Exercises(seed=0)\n{ASK[0]}",
    ASK[1],
]
THEMES = ["JupyterLab Light", "JupyterLab Dark"]

# What each lab stops at when only Tab is pressed.
DIALS = "rate, rate slider, epochs, epochs slider, trigger target, trigger target slider, trigger x, trigger x slider"
STORIES = "1 frozen, 2 output bias, 3 hidden bias after a clean step, 4 trigger first, 5 a real backdoor"
PICTURE, HELP = "star in the picture, epoch in the picture", shared_words.HELP
PRUNING = f"model, prune by, pruned, pruned slider, Reset, Play, {pruning_words.COMPUTE}, cursor in the picture, {HELP}"
STOPS = {
    "HandCalculationLab": "Show the, Numbers as, Biases trained, First, Back, Next, Last, Play, Line, Line slider, "
    f"Reset, W1, b1, W2, b2, rate, clean x, clean y, trigger x, trigger y, line in the picture, {HELP}",
    "TriggerLab": f"{DIALS}, schedule, activation, relu'(0), Reset, Play, {PICTURE}, {HELP}",
    "BiasLab": f"{STORIES}, {DIALS}, schedule, biases trained, b1 starts at, b2 starts at, weights start, "
    f"hidden width, hidden width slider, Draw the map, Reset, Play, {PICTURE}, {HELP}",
    "NAALab": "source, rule, threshold, threshold slider, rule looks at, rise, rise slider, triggered share, "
    "triggered share slider, suspect rows, suspect rows slider, backdoored, backdoored slider, seed, seed slider, "
    f"read neuron, read neuron slider, Reset, neuron in the picture, threshold in the picture, {HELP}",
    "PruningLab": PRUNING,
    "repairs": PRUNING,
    "choice": "the slope relu'(z1), the activation a1, the error y_hat - y, Check, Hint, Solution",
    "numbers": "answer, Check, Hint, Solution",
}
PRESSED = {"HandCalculationLab": "Next", "choice": "Check", "numbers": "Check"}  # labs without a slider

# What is not ours to mend: the rule and whose markup it is about, with the reason.
THEIRS = {
    ("aria-input-field-name", ".widget-slider .noUi-handle"): "ipywidgets cannot name a slider; "
    "the number box before it has the name and says the value",
}
# JupyterLab's body has no height, and axe takes what is outside of it for hidden.
AXE = """async (lab, theirs) => {
    document.body.style.height = '100vh';
    const options = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
    const { violations } = await axe.run(lab, options);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, target, failureSummary }) => {
        const node = document.querySelector(target[0]);
        const known = theirs.find(([rule, selector]) => rule === id && node.matches(selector));
        return known ?? [id, html, failureSummary];
    }));
}"""
FORBIDDEN = """<p style="color: #999; background: #fff">faint</p><img src="data:,"><button></button>
<input><ul><div>no item</div></ul><span role="slider" tabindex="0">0</span>"""
AROUND = "(control) => (control.closest('.noUi-target') ?? control).parentElement"  # a slider's track is thin
# The frame of every control and the ground it is on.
FRAMES = """(lab) => {
    const ground = GROUND, around = AROUND;
    return [...lab.querySelectorAll('input:not([type=radio]), select, .noUi-handle')]
        .filter(node => node.checkVisibility())
        .map(node => [getComputedStyle(node).borderTopColor, ground(around(node))]);
}""".replace("GROUND", GROUND).replace("AROUND", AROUND)
# Where the focus is: how it is marked, on which ground, how many others are marked, and whether it can be seen.
FOCUS = """(lab) => {
    const ground = GROUND, around = AROUND, focus = document.activeElement, ring = getComputedStyle;
    const all = [...lab.querySelectorAll('*')];
    const parts = focus.matches('[data-touch]') ? [...focus.querySelectorAll('*')] : [focus]; // of a mark, or a control
    const isHit = (part) => {
        const { x, y, width, height } = part.getBoundingClientRect();
        return focus.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    };
    return {
        inside: lab.contains(focus) && focus !== lab,
        width: parseFloat(ring(focus).outlineWidth), style: ring(focus).outlineStyle, colour: ring(focus).outlineColor,
        ground: ground(around(focus)),
        others: all.filter(node => node !== focus && ring(node).outlineStyle !== 'none').length,
        seen: parts.some(isHit),
    };
}""".replace("GROUND", GROUND).replace("AROUND", AROUND)
FOCUS_FIRST = "lab => lab.querySelector('button, input, select').focus()"
# What is cut off, sticks out, lies over something else, or would have to be scrolled.
MISFITS = """(lab) => {
    const box = lab.getBoundingClientRect(), outer = lab.closest('.jp-Notebook'), misfits = [];
    const nodes = [...lab.querySelectorAll(':not(mjx-container *, svg *)')].filter(node => node.checkVisibility());
    const what = (node) => `${node.tagName} ${node.className} ${node.textContent.trim().slice(0, 40)}`;
    const report = (problem, ...found) => misfits.push([problem, ...found.map(what)]);
    for (const node of [lab, ...nodes]) {
        const { overflowX, overflowY } = getComputedStyle(node), { left, right } = node.getBoundingClientRect();
        if (overflowX !== 'visible' && node.tagName !== 'INPUT' && node.scrollWidth > node.clientWidth + 1)
            report('wide', node);
        if (overflowY !== 'visible' && node.scrollHeight > node.clientHeight + 1) report('tall', node);
        if (left < box.left - 1 || right > box.right + 1) report('outside', node);
    }
    for (const list of lab.querySelectorAll('select')) {
        const copy = list.parentElement.appendChild(list.cloneNode(true));
        copy.style = 'position: absolute; width: auto';
        if (copy.offsetWidth > list.offsetWidth + 1) report('list too narrow', list);
        copy.remove();
    }
    const own = (node) => [...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
    const leaves = nodes.filter(node => !node.closest('svg, option, style') && (own(node)
        || node.matches('input, select, img, .noUi-handle'))
        || node.matches('CANVAS')).map(node => [node, node.getBoundingClientRect()]);
    for (const [i, [one, a]] of leaves.entries())
        for (const [other, b] of leaves.slice(i + 1))
            if (!one.contains(other) && Math.min(a.right, b.right) > Math.max(a.left, b.left) + 1
                && Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top) + 1) report('over each other', one, other);
    if (box.right > outer.getBoundingClientRect().right || outer.scrollWidth > outer.clientWidth) report('page', lab);
    return misfits;
}""".replace("CANVAS", CANVAS)

FONTS = {"the system's": "normal", "wider": "0.05em"}  # by how far its letters are apart
MISFITTING = """<div style="width: 3000px; height: 2px"></div><p style="margin: 0">below</p>
<p style="margin: -10px 0 0">above</p><p style="height: 5px; overflow-y: hidden">cut off</p>
<div><select style="width: 30px"><option>too long</option></select></div>"""


@pytest.fixture(scope="module")
def labs(opened):
    """Return each lab and exercise of the page by name; the pruning lab again with repairs compared."""
    exercises = Exercises(seed=0)
    twins = [*(kind() for kind in LABS), *map(exercises.ask, QUESTIONS.values())]
    names = [*(kind.__name__ for kind in LABS), *QUESTIONS]
    found = {name: TwinLab(opened, i, twin) for i, (name, twin) in enumerate(zip(names, twins, strict=True))}
    return {**found, "repairs": found["PruningLab"]}


@pytest.fixture(params=STOPS)
def name(request):
    return request.param


@pytest.fixture
def lab(labs, name):
    """Return a lab of the page as it starts; repairs compared, and an exercise with a hint and its solution."""
    return at_start(labs, name)


def at_start(labs, name):
    lab = labs[name]
    if name in QUESTIONS:
        press(lab, **{exercises_words.SOLUTION: lab.twin.solve, exercises_words.HINT: lab.twin.hint})
        return lab
    lab.restart()
    if name == "repairs":
        press(lab, **{pruning_words.COMPUTE: lab.twin.compare})
    return lab


def press(lab, **buttons):
    """Press buttons, do the same to the twin, and wait until the page shows what the twin shows."""
    for name, action in buttons.items():
        lab.button(name).click()
        action()
        lab.agrees()


@pytest.fixture(scope="module", params=THEMES)
def theme(opened, request):
    """Change the theme, once for all tests in it."""
    opened.theme(request.param)
    yield request.param
    opened.theme(THEMES[0])


def axe(lab):
    """Return what axe finds in a lab: the rule, the markup and the reason, or an entry of THEIRS."""
    if not lab.page.evaluate("() => Boolean(window.axe)"):
        lab.page.evaluate(AXE_SCRIPT)
    return list(map(tuple, lab.box.evaluate(AXE, list(THEIRS))))


def test_axe_finds_nothing_of_ours_and_every_exception_is_needed(theme, labs):
    found = {name: axe(at_start(labs, name)) for name in STOPS}
    assert {name: ours for name, all_ in found.items() if (ours := [one for one in all_ if one not in THEIRS])} == {}
    assert THEIRS.keys() == {one for all_ in found.values() for one in all_}


@contextmanager
def planted(lab, html):
    lab.box.evaluate("(box, html) => box.insertAdjacentHTML('beforeend', `<div id=planted>${html}</div>`)", html)
    yield
    lab.box.evaluate("box => box.lastElementChild.remove()")


def test_axe_sees_what_is_planted(theme, labs):
    with planted(labs["numbers"], FORBIDDEN):
        rules = {rule for rule, *_ in axe(labs["numbers"])}
    assert rules == {
        "color-contrast",
        "image-alt",
        "button-name",
        "label",
        "list",
        "aria-input-field-name",
        "aria-required-attr",
    }


def test_every_text_and_every_frame_stands_out(theme, lab):
    assert faint(lab) == []
    frames = lab.box.evaluate(FRAMES)
    assert [both for both in frames if contrast(seen(both[0], seen(both[1])), seen(both[1])) < 3] == []


# The keyboard alone -------------------------------------------------------------------------------------------------


def test_tab_stops_at_every_control_in_order_where_it_can_be_seen_and_leaves(theme, lab, name):
    lab.box.evaluate(FOCUS_FIRST)
    lab.page.keyboard.press("Shift+Tab")
    assert not lab.box.evaluate(FOCUS)["inside"]
    lab.box.evaluate(FOCUS_FIRST)
    stops, before = [], lab.statuses
    while (focus := lab.box.evaluate(FOCUS))["inside"] and len(stops) < 60:
        stops.append(focused(lab.page))
        assert is_seen(focus), (stops[-1], focus)
        if stops[-1].endswith(" slider"):
            move(lab, stops[-1].removesuffix(" slider"))
        lab.page.keyboard.press("Tab")
    assert stops == STOPS[name].split(", ")
    assert (lab.statuses != before) == any(stop.endswith(" slider") for stop in stops)


def is_seen(focus):
    """Return whether the focus, and nothing else, has a ring that stands out, and is not covered."""
    ground = seen(focus["ground"])
    ring = focus["style"] == "solid" and focus["width"] >= 2 and contrast(seen(focus["colour"], ground), ground) >= 3
    return ring and focus["others"] == 0 and focus["seen"]


def move(lab, label):
    """Press an arrow on the slider that has the focus, and check that all the lab follows."""
    dials = [one for one in each(lab.twin.box) if isinstance(one, Dial)]
    [dial] = [dial for dial in dials if dial.number.description == label]
    step = 1 if dial.slider.value < dial.slider.max else -1
    lab.page.keyboard.press("ArrowRight" if step > 0 else "ArrowLeft")
    dial.value = dial.positions[dial.slider.value + step]
    lab.agrees()


@pytest.mark.parametrize("name", PRESSED)
def test_a_button_pressed_on_the_keyboard_changes_the_status(lab, name):
    before = lab.status
    lab.button(PRESSED[name]).focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(
        "([lab, before]) => lab.querySelector('[role=status]').textContent !== before",
        arg=[lab.box.element_handle(), before],
    )
    assert focused(lab.page) == PRESSED[name]


# A page magnified to 200 %, and a projector -------------------------------------------------------------------------

STORIES_SHOWN = [{"rate": rate, "position": x} for rate, x in ((0.1, 0), (10, 0), (10, 3), (0.001, -3))]
STATES = {
    "TriggerLab": [*STORIES_SHOWN, {"activation": "tanh"}],
    "BiasLab": STORIES_SHOWN,
    "NAALab": [{"rule": "bh"}, {"source": "learnt backdoor", "rule": "mad"}, {"rule": "effect"}],
    "PruningLab": [{"pruned": 11}, {"model": "clean"}, {"model": "planted loud", "pruned": 128}],
}


def test_nothing_is_cut_off_or_scrolled_at_200_percent_and_on_a_projector(opened, labs, name):
    usual, heights = opened.page.viewport_size, {1280: set(), 1024: set(), 640: set()}
    canvas = getattr(labs[name].twin, "canvas", None)  # an exercise has none
    try:
        for width in heights:
            opened.resize(width)
            if canvas:
                canvas.is_narrow = width < 1280
            lab = at_start(labs, name)
            for state in [{}, *STATES.get(name, [])]:
                lab.put(**state)
                assert [(font, misfit) for font in FONTS for misfit in misfits(lab, font)] == []
                heights[width].add(lab.box.bounding_box()["height"])
    finally:
        opened.resize(**usual)
        if canvas:
            canvas.is_narrow = False
    assert len(heights[1280]) == len(heights[1024]) == 1


def misfits(lab, font):
    """Return what does not fit in a lab whose page has one of FONTS."""
    with in_font(lab, font):
        return lab.box.evaluate(MISFITS)


@contextmanager
def in_font(lab, font):
    style = lab.page.add_style_tag(content=f".jp-Notebook * {{ letter-spacing: {FONTS[font]} }}")
    yield
    style.evaluate("style => style.remove()")


def test_the_wider_font_is_wider_and_goes_without_a_trace(labs):
    lab, widths = labs["numbers"], []
    with planted(lab, "<span>as wide as the font</span>"):
        for font in (*FONTS, *FONTS):
            with in_font(lab, font):
                widths.append(lab.box.evaluate("box => box.querySelector('#planted span').offsetWidth"))
    assert widths[:2] == widths[2:]
    assert widths[1] > 1.05 * widths[0]


def test_misfits_are_seen_where_they_are_planted(labs):
    with planted(labs["numbers"], MISFITTING):
        found = {problem for problem, *_ in labs["numbers"].box.evaluate(MISFITS)}
    assert found == {"wide", "outside", "over each other", "tall", "list too narrow"}
