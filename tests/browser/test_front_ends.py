"""A lab in front ends that are not JupyterLab, on a page like theirs; `.ci/front-ends` opens real ones."""

from importlib.resources import files

import pytest

LOOK = files("lesson_lib").joinpath("labs", "shared", "look.js").read_text("utf-8")
# Notebook 7 takes keys on their way down to what has the focus, JupyterLab and the classic notebook on their way up.
PAGE = """async (look) => {
    const output = (inside) => `<div><div class="prompt"></div><div>${inside}</div></div>`;
    const still = (id) => output(`<div class="lesson-still" id="${id}">still</div>`);
    const live = output('<div class="by-hand"><input><button>press</button><div class="el"></div></div>');
    document.body.innerHTML = `<div>${still("not-run")}</div>
        <div id="live">${still("first")}${live}${still("second")}${live}</div>
        <div>${still("below")}</div>`;

    window.taken = [];
    const take = (way, { key }) => { if (!["Control", "Shift"].includes(key)) taken.push(`${key} ${way}`); };
    const isFree = (event) => !event.target.hasAttribute("data-lm-suppress-shortcuts");
    document.addEventListener("keydown", (event) => { if (isFree(event)) take("down", event); }, true);
    document.addEventListener("keydown", (event) => take("up", event));

    const { render } = (await import(URL.createObjectURL(new Blob([look], { type: "text/javascript" })))).default;
    const els = [...document.querySelectorAll(".el")], boxes = els.map((el) => el.parentElement);
    els.forEach((el) => el.remove());  // as widgets begin: not on the page yet
    const model = { get: () => "en" };
    window.leave = els.map((el) => render({ model, el }));
    els.forEach((el, i) => boxes[i].append(el));
}"""
STILLS = "() => [...document.querySelectorAll('.lesson-still')].filter(s => s.checkVisibility()).map(s => s.id)"


@pytest.fixture
def page(browser):
    context = browser.new_context()
    made = context.new_page()
    made.evaluate(PAGE, LOOK)
    yield made
    context.close()


def test_only_the_still_of_a_live_lab_gives_way_and_only_as_long_as_it_lives(page):
    page.wait_for_function(f"() => ({STILLS})().length === 2")
    assert page.evaluate(STILLS) == ["not-run", "below"]
    page.evaluate("() => window.leave[0]()")
    assert page.evaluate(STILLS) == ["not-run", "first", "below"]


@pytest.mark.parametrize("control", ["input", "button"])
def test_letters_and_arrows_are_the_labs_own_and_what_saves_or_runs_is_not(page, control):
    page.wait_for_function(f"() => ({STILLS})().length === 2")
    page.locator(f"#live {control}").first.focus()
    for key in ("b", "ArrowRight", "Control+s", "d", "Shift+Enter", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("window.taken") == ["s down", "s up", "Enter down", "Enter up"]
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("b")
    assert page.evaluate("window.taken.slice(-2)") == ["b down", "b up"]
