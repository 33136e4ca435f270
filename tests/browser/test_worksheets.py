"""The worksheets and their key on paper: a page for each student, on A4 and on Letter, and nothing cut off."""

import re

import pytest

from lesson_lib.worksheets.draw import draw_sheets
from lesson_lib.worksheets.page import key_page, sheets_page

SHEETS = draw_sheets(8, 1)
LONG = ["Maximiliane Hohenstaufen-Wittelsbach von und zu Unterschleissheim"] * 8
PAGES = {"sheets": sheets_page(SHEETS, LONG, 1), "key": key_page(SHEETS, LONG, 1)}
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_each_sheet_is_a_page(browser, kind, paper):
    page = browser.new_page()
    page.set_content(PAGES[kind])
    pdf = page.pdf(format=paper)
    assert max(map(int, re.findall(rb"/Count (\d+)", pdf))) == len(SHEETS)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 900})  # 182 mm, the narrower of both papers without its margins
    assert page.evaluate(WIDE) == 0
    page.close()
