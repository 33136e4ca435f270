"""Tables read the same as text and as HTML."""

from xml.etree import ElementTree

from lesson_lib.tables import Table

TABLE = Table([("who", "says"), ("a <b>", "1"), ("longer & longer", "")], "caption < 2")


def test_text_has_aligned_columns_and_ends_with_the_caption():
    assert str(TABLE).splitlines() == ["who              says", "a <b>            1", "longer & longer", "caption < 2"]
    assert repr(TABLE) == str(TABLE)


def test_html_holds_the_same_cells_with_headings_and_a_caption():
    tree = ElementTree.fromstring(TABLE._repr_html_())
    assert tree.find("caption").text == TABLE.caption
    assert [tuple(cell.text or "" for cell in row) for row in tree.findall("tr")] == list(TABLE.rows)
    assert [cell.get("scope") for cell in tree.iter("th")] == ["col", "col", "row", "row"]
