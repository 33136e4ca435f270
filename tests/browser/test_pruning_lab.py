"""The pruning lab in JupyterLab: drag and key the slider, change the model, and compare repairs in the second tab."""

import pytest
from helpers import CELL_COUNT, TwinLab, cell_with, focused

from lesson_lib.labs import PruningLab
from lesson_lib.labs.pruning import words
from lesson_lib.labs.pruning.compute import WIDTHS, compare_repairs

CELLS = [cell_with(PruningLab)]
LABELS = {value: label for label, value in (*words.PRUNING_MODELS, *words.PRUNING_ORDERS)}


@pytest.fixture(scope="module")
def kept_lab(opened):
    return TwinLab(opened, 0, PruningLab())


@pytest.fixture
def lab(kept_lab):
    """Return the lab, put back to its start."""
    kept_lab.tab(words.PRUNING_TABS[0]).click()
    kept_lab.restart()
    return kept_lab


def answers(lab):
    return lab.box.locator("div[style*=grid] > span").all_text_contents()


def test_the_attack_is_there_before_anything_is_pruned(lab):
    assert lab.status.startswith("STILL BACKDOORED. 0 of 64 neurons pruned: clean accuracy 97.5 %")
    assert answers(lab).count("0 ✗") >= 7


def test_verdict_answers_and_picture_follow_the_keys(lab):
    lab.slider("pruned").focus()
    cells = lab.page.evaluate(CELL_COUNT)
    for key, value in (("ArrowRight", 1), ("End", 64), ("ArrowLeft", 63), ("Home", 0), ("ArrowUp", 1), ("ArrowUp", 2)):
        lab.page.keyboard.press(key)
        lab.agrees(pruned=value)
    lab.put(pruned=11)
    assert "attack success rate 2.2 %" in lab.status
    lab.type("pruned", "99")
    lab.agrees(pruned=64)
    assert lab.page.evaluate(CELL_COUNT) == cells


@pytest.mark.parametrize("model", ["poisoned", "planted loud"])
def test_a_drag_shows_every_picture_in_every_frame_and_ends_on_the_last_value(lab, model):
    lab.put(model=model)
    with lab.whole_in_every_frame(pictures=6):
        lab.drag("pruned", [step / 40 for step in (*range(0, 41, 2), *range(40, -1, -2), 50)])
        lab.agrees(pruned=WIDTHS[model])


def test_each_model_and_order_is_chosen_on_the_keyboard_without_a_jump(lab):
    with lab.whole_in_every_frame():
        for label, model in words.PRUNING_MODELS:
            lab.choose("model", label)
            lab.agrees(model=model)
            assert focused(lab.page) == "model"
        for label, order in words.PRUNING_ORDERS:
            lab.choose("prune by", label)
            lab.agrees(order=order)


def test_a_smaller_model_takes_the_slider_along(lab):
    lab.put(model="planted loud", pruned=100)
    lab.choose("model", LABELS["clean"])
    lab.agrees(model="clean", pruned=64)


def test_the_second_tab_opens_by_mouse_and_keyboard_and_the_height_stays(lab):
    first, second = (lab.tab(name) for name in words.PRUNING_TABS)
    height = lab.box.bounding_box()["height"]
    second.click()
    lab.button(words.COMPUTE).wait_for()
    assert lab.box.bounding_box()["height"] == height
    second.focus()
    lab.page.keyboard.press("ArrowLeft")
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function("tab => tab.ariaSelected === 'true'", arg=first.element_handle())
    lab.slider("pruned").wait_for()
    assert lab.box.bounding_box()["height"] == height


def test_the_table_appears_is_kept_and_says_when_it_is_out_of_date(lab):
    height = lab.box.bounding_box()["height"]
    lab.tab(words.PRUNING_TABS[1]).click()
    for model in ("poisoned", "planted loud"):
        lab.put(model=model)
        if model != "poisoned":
            lab.wait_for_text("Out of date: this is the model poisoned")
        lab.button(words.COMPUTE).focus()
        lab.page.keyboard.press("Enter")
        lab.wait_for_text(words.COMPARED.format(shown=model))
        lab.twin.compare()
        lab.agrees()
        table = compare_repairs(model)
        cells = [cell for row in table.rows for cell in row]
        assert lab.box.locator("th, td").all_text_contents() == cells
        assert lab.box.locator("caption").text_content() == table.caption
        assert lab.box.bounding_box()["height"] == height
    lab.put(model="poisoned")
    lab.wait_for_text(words.COMPARED.format(shown="poisoned"))
    assert lab.box.locator("caption").text_content() == compare_repairs("poisoned").caption
