"""The pages and the slides in a browser without a network: whole, light, readable, linked, moved by keys, printable."""

import re
from functools import cache
from itertools import pairwise
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from presented import (
    DECKS,
    FORMULAS,
    LETTERS,
    PAGES,
    PATHS,
    PICTURES,
    ROWS,
    SHOWN,
    SLIDES,
    TEXTS,
    overlaps,
    present,
    uneven,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Build everything once."""
    made = tmp_path_factory.mktemp("presented")
    present.build(PATHS, made)
    return made


class Presented:
    """A file in the browser, with what it asked for and what went wrong."""

    def __init__(self, browser, path):
        self.path, self.requests, self.errors = path, [], []
        self.context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(path.as_uri())

    def resize(self, width, height):
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, key):
        """Press a key and return the name of the slide that is shown, its address, and whether it has the focus."""
        self.page.keyboard.press(key)
        return self.page.evaluate(SHOWN)


@cache
def named(path):
    """Return the names in a file to which a link can lead."""
    return {node["id"] for node in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select("[id]")}


@pytest.fixture(scope="module")
def opened(browser, folder, request):
    """Open a file of the folder, once for all tests of it."""
    presented = Presented(browser, folder / request.param)
    yield presented
    presented.context.close()


every_file = pytest.mark.parametrize("opened", ["index.html", *PAGES, *DECKS], indirect=True, scope="module")
every_page = pytest.mark.parametrize("opened", PAGES, indirect=True, scope="module")
every_deck = pytest.mark.parametrize("opened", DECKS, indirect=True, scope="module")


@every_file
def test_it_opens_offline_without_an_error_and_asks_for_nothing_outside(opened):
    assert PATHS
    assert opened.errors == []
    outside = [url for url in opened.requests if not url.startswith("data:image/")]
    assert outside == [opened.path.as_uri()]


@every_file
def test_it_shows_no_latex_and_every_formula_as_mathml(opened):
    texts = opened.page.evaluate(TEXTS)
    assert len(texts) > 5
    assert [text for text in texts if re.search(r"\$|\\[a-zA-Z(\[]", text)] == []
    assert all(opened.page.evaluate(FORMULAS))
    rows = opened.page.evaluate(ROWS)
    assert (overlaps(rows), uneven(rows)) == ([], [])


@every_file
def test_every_picture_is_there_with_its_description_and_no_widget_is_missing(opened):
    for description, is_drawn in opened.page.evaluate(PICTURES):
        assert is_drawn
        assert len(description) > 20
    assert opened.page.locator("[class*=widget], [class*=jp-]").count() == 0


@every_file
def test_every_link_leads_somewhere(opened, folder):
    links = opened.page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
    assert links
    for link in links:
        name, _, part = link.partition("#")
        if not link.startswith("https://"):
            names = named(folder / name if name else opened.path)
            assert not part or unquote(part) in names, link


@every_file
@pytest.mark.parametrize(
    ("scheme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})], ids=["light", "dark"]
)
def test_axe_finds_nothing_serious(opened, scheme, rules):
    """Colours are all that the dark scheme changes. Formulas have the colour of the text and take long to look at."""
    opened.page.emulate_media(color_scheme=scheme)
    quickly = {"resultTypes": ["violations"], **rules}  # of what passes, one example each is enough
    found = Axe().run(opened.page, {"exclude": [["math"]]}, quickly).response
    assert found["passes"]
    wrong = [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found["violations"]]
    assert [each for each in wrong if each[1] in {"serious", "critical"}] == []


@every_page
def test_a_page_has_one_title_and_its_headings_follow_each_other(opened):
    levels = opened.page.eval_on_selector_all("h1, h2, h3, h4", "found => found.map(h => Number(h.tagName[1]))")
    assert levels.count(1) == 1 == levels[0]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert opened.page.locator("nav.contents a").count() == levels.count(2) > 2


@every_page
def test_a_page_fits_a_narrow_window_and_what_is_too_wide_scrolls_with_the_keyboard(opened):
    for width in (640, 320):  # 1280 pixels at 200 and 400 %
        opened.resize(width, 800)
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        still = "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1 && n.tabIndex < 0).map(n => n.outerHTML)"
        assert opened.page.eval_on_selector_all("pre, .output, .wide", still) == []
    opened.resize(1280, 720)


@pytest.mark.parametrize("opened", PAGES[:1], indirect=True)
def test_the_first_tab_stop_skips_to_the_content(opened):
    opened.page.reload()
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "content"


@every_deck
def test_keys_move_through_all_slides_and_the_address_names_the_slide(opened):
    count = opened.page.locator("section").count()
    assert count > 10
    opened.page.keyboard.press("Home")
    for number in range(2, count + 1):
        assert opened.press("ArrowRight") == [f"{number} of {count}", f"#slide-{number}", True]
    assert opened.press("ArrowRight")[1] == f"#slide-{count}"
    assert opened.press("Home")[1] == "#slide-1"


@pytest.mark.parametrize("opened", DECKS[:1], indirect=True)
def test_every_key_does_what_the_first_slide_says(opened):
    opened.page.keyboard.press("Home")
    keys = ("ArrowDown", "PageDown", "Space", "End", "ArrowUp", "PageUp", "Shift+Space", "ArrowLeft", "Home")
    count = opened.page.locator("section").count()
    assert [opened.press(key)[1] for key in keys] == [
        f"#slide-{number}" for number in (2, 3, 4, count, count - 1, count - 2, count - 3, count - 4, 1)
    ]
    opened.page.goto(f"{opened.path.as_uri()}#slide-5")
    assert opened.page.evaluate(SHOWN)[0] == f"5 of {count}"
    opened.page.mouse.wheel(0, 720)
    opened.page.wait_for_url("**#slide-6")


@every_deck
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768)])
def test_every_slide_fits_the_screen(opened, width, height):
    opened.resize(width, height)
    slides = opened.page.evaluate(SLIDES)
    assert len(slides) > 10
    assert [slide for slide in slides if slide["width"] > width or slide["wide"]] == []
    assert [slide["name"] for slide in slides if slide["height"] > height + 1] == []
    opened.resize(1280, 720)


@every_deck
def test_every_slide_has_more_than_a_line_in_letters_of_16_pixels_and_nothing_for_who_reads_alone(opened):
    slides = opened.page.evaluate(LETTERS)
    assert [slide["name"] for slide in slides if slide["lines"] < 2 and not slide["lab"]] == []
    assert [(slide["name"], slide["smallest"]) for slide in slides if slide["smallest"] < 16] == []
    for unwanted in ("Shift + Enter", " minutes", "Clear Outputs", "Answers to the"):
        assert [slide["name"] for slide in slides if unwanted in slide["said"]] == []


@every_deck
def test_a_lab_fills_its_slide_with_a_picture_that_is_drawn(opened):
    for lab in filter(None, (slide["lab"] for slide in opened.page.evaluate(LETTERS))):
        assert lab["isDrawn"]
        assert min(lab["left"], lab["below"]) < 12


@pytest.mark.parametrize("opened", DECKS[:1], indirect=True)
def test_a_deck_prints_one_slide_a_page(opened):
    printed = opened.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == opened.page.locator("section").count()
