"""Frames and marks: where things stand, in which colours, and that drawing again costs nothing."""

import gc
import re
import tracemalloc
from math import inf, nan
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import check_marks, contrast, found, lines, parsed, places, texts

from lesson_lib.pictures.frame import CSS, Frame, handle, whole_svg, write

PLACES = {"plane": (40, 20, 300, 160), "epochs": (400, 20, 350, 160), "log": (40, 240, 300, 120)}
XLIM = {"plane": (-3, 3), "epochs": (0, 2200), "log": (0.001, 10)}
YLIM = {"plane": (-11, 11), "epochs": (-0.004, 1000), "log": (-2, 2)}


def frame():
    made = Frame(800, 400, **PLACES)
    made.title("plane", "what it answers", "x", "f(x)")
    made.axes["epochs"].set_xscale("symlog", linthresh=10)
    made.axes["epochs"].set_yscale("symlog", linthresh=0.01)
    made.axes["log"].set_xscale("log")
    for panel, axes in made.axes.items():
        axes.set(xlim=XLIM[panel], ylim=YLIM[panel])
    return made


ONE = frame()


# Where things stand


@pytest.mark.parametrize("panel", PLACES)
@given(data=st.data())
def test_a_pixel_leads_back_to_its_point(panel, data):
    left, top, width, height = PLACES[panel]
    pixel = data.draw(st.floats(left, left + width)), data.draw(st.floats(top, top + height))
    point = ONE.data_at(panel, *pixel)
    assert XLIM[panel][0] - 1e-9 <= point[0] <= XLIM[panel][1] + 1e-9
    assert YLIM[panel][0] - 1e-9 <= point[1] <= YLIM[panel][1] + 1e-9
    assert ONE.pixels(panel, *point)[0] == pytest.approx(pixel, abs=0.051), "to a tenth of a pixel"


@pytest.mark.parametrize("panel", PLACES)
def test_the_corners_of_a_panel_are_its_limits(panel):
    left, top, width, height = PLACES[panel]
    (low_x, high_x), (low_y, high_y) = XLIM[panel], YLIM[panel]
    assert ONE.pixels(panel, low_x, high_y).tolist() == [[left, top]]
    assert ONE.pixels(panel, high_x, low_y).tolist() == [[left + width, top + height]]
    assert ONE.data_at(panel, -1e4, 1e4) == pytest.approx((low_x, low_y)), "outside, the nearest inside"
    assert ONE.data_at(panel, 1e4, -1e4) == pytest.approx((high_x, high_y))


def test_points_between_go_by_the_scale():
    assert ONE.pixels("plane", [-3, 0, 1.5], 0).tolist() == [[40, 100], [190, 100], [265, 100]]
    assert ONE.pixels("log", [0.001, 0.01, 0.1, 10], -2)[:, 0].tolist() == [40, 115, 190, 340]
    steps = np.diff(ONE.pixels("epochs", [0, 5, 10, 100, 1000], 0)[:, 0])
    assert steps[0] == pytest.approx(steps[1], abs=0.11), "linear"
    assert steps[2] == pytest.approx(steps[3], abs=0.11), "logarithmic"


def test_marks_stand_where_the_axes_put_them():
    x, y = [-1, 0, 2], [3, -4.5, 11]
    where = ONE.pixels("plane", x, y).tolist()
    root = check_marks(
        ONE.line("plane", x, y, "blue dashed")
        + ONE.dots("plane", x, y, "orange", "star")
        + ONE.text("plane", 2, 11, "up", "small", shift=(3, -2))
        + ONE.bars("plane", x, y, 10, "green")
    )
    assert [line.tolist() for line in lines(root, "blue dashed")] == [where]
    assert places(root, "fill orange").tolist() == where
    [text] = root.iter("text")
    assert (float(text.get("x")), float(text.get("y"))) == (where[2][0] + 3, where[2][1] - 2)
    [bars] = found(root, "path", "fill green")
    foot = ONE.pixels("plane", 0, 0)[0, 1]
    expected = [f"M{left - 5:g},{foot:g}V{top:g}h10V{foot:g}z" for left, top in where]
    assert bars.get("d") == "".join(expected)


@pytest.mark.parametrize("bad", [nan, inf, -inf, 1e300, -1e308])
@pytest.mark.parametrize("panel", PLACES)
def test_what_is_no_number_or_far_away_is_put_outside_the_picture(panel, bad):
    for x, y in ((bad, 1), (1, bad), (bad, bad)):
        marks = ONE.line(panel, [1, x], [1, y], "blue") + ONE.dots(panel, x, y, "orange")
        marks += ONE.bars(panel, [x], [y], 4, "blue") + ONE.text(panel, x, y, "here", "")
        check_marks(ONE.inside(panel, [marks]))
        assert (abs(ONE.pixels(panel, x, y)) <= 1e4).all()


def test_what_is_inside_a_panel_is_cut_off_at_its_edges():
    [clip] = check_marks(ONE.inside("plane", [ONE.line("plane", [-9, 9], [0, 0], "blue")]))
    assert clip.get("viewBox") == "40 20 300 160"
    assert [clip.get(name) for name in ("x", "y", "width", "height")] == ["40", "20", "300", "160"]
    assert len(lines(clip, "blue")) == 1


# What the frame is


def test_the_frame_has_no_colour_of_its_own():
    svg = ONE.svg
    colours = re.findall(r"(?:fill|stroke|color): ?([^;\"]+)", svg)
    assert len(colours) > 50
    assert {one for one in colours if not one.startswith("var(--")} <= {"none"}
    assert {"var(--ink)", "var(--grid)"} <= set(colours)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?=[;\"])", re.sub(r'(href|id|clip-path)="[^"]*"', "", svg))
    for name in {one for one in colours if one.startswith("var(--")}:
        assert f"{name[4:-1]}:" in CSS


def test_text_is_text_in_the_pages_font():
    root = parsed(ONE.svg)
    written = {"".join(one.itertext()).strip() for one in root.iter() if one.tag.endswith("text")}
    assert {"what it answers", "x", "f(x)", "0", "−10"} <= written
    assert "font-family" not in ONE.svg
    assert "DejaVu" not in ONE.svg
    assert not [one for one in root.iter() if "glyph" in one.get("id", "").lower()]


def test_the_same_frame_is_the_same_svg():
    assert frame().svg == frame().svg == ONE.svg
    assert ONE.svg is ONE.svg, "drawn once"
    assert "<?xml" not in ONE.svg
    assert "<!--" not in ONE.svg


def test_a_still_is_frame_and_marks_on_a_ground_with_words():
    marks = ONE.line("plane", [-1, 1], [0, 5], "blue")
    still = whole_svg(ONE.size, ONE.svg + marks, 'f(0) < "5" & <b>')
    assert still.startswith("<svg ")
    assert ONE.svg in still
    assert marks in still
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(still)
    assert root.get("aria-label") == 'f(0) < "5" & <b>'
    assert (root.get("role"), root.get("viewBox")) == ("img", "0 0 800 400")
    assert root[0].tag == f"{svg}style"
    assert (root[1].tag, root[1].get("class"), root[1].get("width")) == (f"{svg}rect", "fill ground", "800")


def test_hostile_text_is_escaped():
    hostile = '</text><script>"&'
    for marks in (write(1, 2, hostile), ONE.text("plane", 0, 0, hostile, "small")):
        assert texts(check_marks(marks)) == [hostile]
    [held] = check_marks(handle("star", "<path/>", hostile, (0, -1, 1), hostile))
    assert (held.get("aria-label"), held.get("aria-valuetext"), held.findtext("title")) == (hostile,) * 3
    assert "<script>" not in whole_svg((1, 1), "", hostile)


def test_drawing_again_keeps_no_memory():
    rng = np.random.default_rng(0)

    def draw(times):
        for _ in range(times):
            ONE.line("epochs", np.arange(47), rng.uniform(0, 9, 47), "blue")
        gc.collect()
        return len(gc.get_objects())

    draw(5)
    tracemalloc.start()
    try:
        objects, before = draw(1), tracemalloc.get_traced_memory()[0]
        more = draw(300) - objects
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert more < 100
    assert grown < 100_000, f"{grown} bytes more after 300 pictures"


# The colours ---------------------------------------------------------------------------------------------------------


def palette(selector):
    """Return the colours that the style gives under a selector, by name."""
    block = re.search(rf"^{re.escape(selector)} {{(.*?)}}", CSS, flags=re.DOTALL | re.MULTILINE)[1]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]+);", block))


THEMES = {
    "light": palette(".by-hand-picture"),
    "dark": palette('@media screen {\n    [data-jp-theme-light="false"] .by-hand-picture'),
}
GROUNDS = {"light": "#ffffff", "dark": "#111111"}  # JupyterLab's, behind an output
every_theme = pytest.mark.parametrize("theme", THEMES)


def test_the_contrast_formula_gives_the_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def used(what):
    """Return the colours that the style uses for texts ("text.name"), or for lines and fills."""
    rules = re.findall(r"^\.by-hand-picture ([^{]*){([^}]*)}", CSS, flags=re.MULTILINE)
    is_text = [("text" in selector, declared) for selector, declared in rules]
    return {
        name
        for text, declared in is_text
        if text == (what == "text")
        for name in re.findall(r"var\(--(\w+)\)", declared)
    }


def test_every_theme_has_every_colour_and_print_is_as_on_white():
    assert CSS.count("data-jp-theme-light") == 1, "on screen alone, so that paper gets the light colours"
    assert "@media print {\n    .by-hand-picture { background: var(--ground); }\n}" in CSS
    assert len(THEMES["light"]) == 15
    assert THEMES["light"].keys() == THEMES["dark"].keys()
    assert used("text") | used("lines") <= THEMES["light"].keys()
    assert [THEMES[theme]["ground"] for theme in THEMES] == [GROUNDS[theme] for theme in THEMES]


@every_theme
def test_every_text_stands_out_from_ground_and_tile(theme):
    colours = THEMES[theme]
    names = used("text") - {"tile"}
    assert {"ink", "faint", "blue", "orange", "green", "purple", "red"} <= names
    for name in names:
        for ground in (colours["ground"], colours["tile"]):
            assert contrast(colours[name], ground) >= 4.5, (name, ground)
    assert contrast(colours["tile"], colours["blue"]) >= 4.5, "what is computed now is written on blue"


@every_theme
def test_every_line_and_shape_stands_out_from_ground_and_tile(theme):
    colours = THEMES[theme]
    names = used("lines") - {"tile", "ground"}
    assert {"ink", "rule", "blue", "orange", "green", "purple", "red", "grey", "pink", "olive", "sky"} <= names
    for name in names:
        for ground in (colours["ground"], colours["tile"]):
            assert contrast(colours[name], ground) >= 3, (name, ground)
