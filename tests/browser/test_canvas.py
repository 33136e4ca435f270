"""What the picture says to its kernel, and when: a page of its own, with a kernel that answers when it is told to."""

from importlib.resources import files

import pytest

CANVAS = files("lesson_lib").joinpath("labs", "shared", "canvas.js").read_text("utf-8")
PAGE = """async (canvas) => {
    document.body.innerHTML = '<div style="width: 400px"></div>';
    const state = { size: [400, 200], frame: "", alt: "", controls: [], is_narrow: false };
    state.marks = '<rect data-touch="star" tabindex="0" width="400" height="200"/>';
    window.sent = [];
    const heard = [];
    window.answer = (message) => heard.forEach((hear) => hear(message));
    const model = {
        get: (name) => state[name], set() {}, save_changes() {},
        on: (event, hear) => { if (event === "msg:custom") heard.push(hear); },
        send: (event) => sent.push(event),
    };
    const { render } = (await import(URL.createObjectURL(new Blob([canvas], { type: "text/javascript" })))).default;
    render({ model, el: document.body.firstElementChild });
}"""
AT = "() => sent.map(({ x, y }) => [Math.round(x), Math.round(y)])"
IS_BUSY = "document.querySelector('svg').classList.contains('busy')"


@pytest.fixture
def page(browser):
    context = browser.new_context()
    made = context.new_page()
    made.evaluate(PAGE, CANVAS)
    yield made
    context.close()


def drag(page, *across):
    """Drag along these places on the page, counted from the picture's left, 100 pixels below its top."""
    left, top = (page.locator("svg").bounding_box()[side] for side in "xy")
    mouse = page.mouse
    mouse.move(left + across[0], top + 100)
    mouse.down()
    for x in across[1:]:
        mouse.move(left + x, top + 100)


def test_two_events_are_under_way_the_newest_waits_and_the_release_does_not(page):
    drag(page, 10, 20, 30, 40)
    assert page.evaluate(AT) == [[10, 100], [20, 100]]
    page.evaluate("answer({ answered: true })")
    assert page.evaluate(AT)[2:] == [[40, 100]], "30 is past"
    page.mouse.up()
    assert page.evaluate(AT)[3:] == [[40, 100]]
    assert page.evaluate("sent.every(({ touch }) => touch === 'star')")


def test_what_is_past_when_the_mouse_is_let_go_is_not_sent_any_more(page):
    drag(page, 10, 20, 30)
    page.mouse.up()
    for _ in range(4):
        page.evaluate("answer({ answered: true })")
    assert page.evaluate(AT) == [[10, 100], [20, 100], [30, 100]]
    page.mouse.move(50, 50)
    assert page.evaluate("sent.length") == 3, "only a drag is followed"


def test_answers_to_another_view_let_no_more_through(page):
    for _ in range(3):
        page.evaluate("answer({ answered: true })")
    drag(page, 10, 20, 30, 40)
    assert page.evaluate("sent.length") == 2


def test_it_is_busy_from_an_event_that_takes_long_until_the_kernel_is_done(page):
    drag(page, 10)
    assert not page.evaluate(IS_BUSY)
    page.wait_for_function(IS_BUSY)
    page.evaluate("answer({ done: true })")
    assert not page.evaluate(IS_BUSY)
    assert page.evaluate("sent.length") == 1
