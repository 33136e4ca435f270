"""What the tests of several labs share: what is inside a box, a press of a button, a touch, no error in the log."""

from xml.etree import ElementTree

import ipywidgets as widgets
import pytest

from lesson_lib.labs.shared.dial import Dial


@pytest.fixture(autouse=True)
def no_error_in_a_callback(caplog):
    """Fail where the callback of a button, a field or a picture raised: a widget only logs that."""
    yield
    assert [record.getMessage() for record in caplog.records if "Exception in callback" in record.msg] == []


def inside(widget):
    """Yield a widget and everything in it, in the order in which it is shown."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def press(shown, description):
    buttons = [each for each in inside(shown.box) if isinstance(each, widgets.Button)]
    [button] = [button for button in buttons if button.description == description]
    button.click()


def dials(lab):
    return [one for one in inside(lab.box) if isinstance(one, Dial)]


def sent(lab, **event):
    """Send the lab's picture what a page sends of a touch."""
    lab.canvas._handle_custom_msg(event, [])


def words_of(html):
    return "".join(ElementTree.fromstring(f"<p>{html}</p>").itertext())
