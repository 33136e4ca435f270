"""The page that other tests read notebooks with: it sees every kind of error that it must see."""

import re

import pytest
from helpers import write_notebook
from labpage import LabPage

CALLBACK = """\
import ipywidgets, IPython.display
button = ipywidgets.Button(description="press me")
button.on_click(lambda _: {}["lost"])
button"""
BAD_MATH = [
    r'IPython.display.Math(r"\left( x")',
    r'IPython.display.Math(r"\opratorname{relu}")',
    r'IPython.display.HTML(r"<p>never typeset: \frac{1}{</p>")',
]
OUTSIDE = """IPython.display.HTML('<img src="http://outside.invalid/picture.png">')"""
GOOD_MATH = r'IPython.display.Math(r"\frac{1}{2}")'
RAISES, NEVER_RUN = "1 / 0", "print('never')"
FAULTY = [CALLBACK, *BAD_MATH, OUTSIDE, RAISES, NEVER_RUN]
FINE = ["import IPython.display", GOOD_MATH, "print(2)"]


@pytest.fixture(scope="module")
def page(browser, server):
    """Return a page on a folder with two notebooks, one faulty and one fine."""
    write_notebook(server.folder, "faulty", FAULTY)
    write_notebook(server.folder, "fine", FINE)
    shown = LabPage(browser, server)
    yield shown
    shown.close()


def test_a_fine_notebook_gives_no_errors(page):
    page.open("fine.ipynb")
    page.run_all()
    page.page.locator(".jp-OutputArea mjx-container").wait_for()
    assert page.errors() == page.math_errors() == page.console_errors == page.outside_requests == []


@pytest.fixture(scope="module")
def faulty(page):
    page.open("faulty.ipynb")
    page.run_all()
    return page


def test_a_cell_that_raises_is_listed_and_ends_the_run(faulty):
    assert "ZeroDivisionError: division by zero" in faulty.errors()
    assert "never" not in faulty.page.locator(".jp-OutputArea").all_inner_texts()


def test_bad_latex_is_listed(faulty):
    faulty.page.locator("mjx-merror").first.wait_for()
    expected = [r"Extra \left or missing \right", r"\opratorname", r"never typeset: \frac{1}{"]
    assert sorted(faulty.math_errors()) == sorted(expected)


def test_a_request_outside_is_recorded_and_refused(faulty):
    assert set(faulty.outside_requests) == {"http://outside.invalid/picture.png"}
    assert any("ERR_FAILED" in error for error in faulty.console_errors)


def test_waiting_for_what_is_already_true_is_refused(faulty):
    with pytest.raises(Exception, match=re.escape("true before the action: true")):
        faulty.time_until(lambda: None, "true")


def test_an_error_in_a_widgets_callback_is_listed(faulty):
    faulty.page.get_by_role("button", name="press me").click()
    faulty.page.wait_for_function("() => window.kernelErrors.some(error => error.startsWith('KeyError'))", timeout=5000)
    assert "KeyError: 'lost'" in faulty.errors()
