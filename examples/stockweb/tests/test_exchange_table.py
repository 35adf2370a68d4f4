"""Files as spreadsheets write them."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.columns import proposed, signature, wrong
from exchange.table import TableError, guarded, read_table, unguarded, written

TEXT = "name;tags\r\nWiderstand 4,7 kΩ;a\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_found_out(encoding: str) -> None:
    table = read_table(TEXT.encode(encoding))
    assert table.header == ("name", "tags")
    assert table.rows[0].cells == ("Widerstand 4,7 kΩ", "a")


def test_what_is_no_unicode_is_of_windows() -> None:
    assert read_table("name;tags\n10 µF ±5 %, 85 °C – “X7R”;\n".encode("cp1252")).rows[0].cells == (
        "10 µF ±5 %, 85 °C – “X7R”",
        "",
    )
    with pytest.raises(TableError, match="line 2 is neither UTF-8 nor cp1252"):
        read_table(b"name\n\x81\xff\n")
    with pytest.raises(TableError, match="line 2 is neither UTF-8 nor utf-16"):
        read_table("name\n".encode("utf-16") + b"x")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b;c\n1,2\n", ","),
        ("a;b;c,d\n1;2;3\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a\n1\n", ","),
        ('"a;b;c",d\n1,2\n', ","),
    ],
)
def test_delimiters_are_found_out(text: str, delimiter: str) -> None:
    assert read_table(text.encode()).delimiter == delimiter


def test_excel_may_say_its_delimiter() -> None:
    table = read_table(b"sep=|\r\na|b,c\r\n1|2\r\n")
    assert (table.header, table.rows[0].line) == (("a", "b,c"), 3)


def test_rows_know_the_line_on_which_they_begin() -> None:
    table = read_table(b'name,description\na,"one\ntwo"\n\n,\nb,x\n')
    assert [(row.line, row.cells) for row in table.rows] == [(2, ("a", "one\ntwo")), (6, ("b", "x"))]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"name\na\nb\0c\n", "line 3 has a zero in it"),
        (b"name\n", "nothing below the header"),
        (b'name\n"open\n', "line 2: unexpected end of data"),
        (b'name\n"a"b\n', "line 2: ',' expected after"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, error: str) -> None:
    with pytest.raises(TableError, match=error):
        read_table(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    with suppress(TableError):
        read_table(content)


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_says_the_same(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")), min_size=2, max_size=5))
def test_what_is_written_is_read(cells: list[str]) -> None:
    text = written([f"column {n}" for n in range(len(cells))]) + written([*cells[:-1], "end"])
    (row,) = read_table(text.encode()).rows
    assert row.cells == (*(cell.strip() for cell in cells[:-1]), "end")
    assert next(csv.reader(io.StringIO(written(cells), newline=""))) == [guarded(cell) for cell in cells]


def test_columns_are_proposed_by_their_names() -> None:
    header = [
        "ID",
        "Mfr. Part Number",
        "Maker",
        "attr:voltage",
        "Nennspannung",
        "Rated  voltage",
        "Qty",
        "Quantity",
        "Colour",
    ]
    attributes = {"voltage": "Rated voltage", "current": "Nennspannung"}
    assert proposed(header, attributes) == [
        "id", "mpn", "manufacturer", "attr:voltage", "attr:current", "", "quantity", "", "",
    ]  # fmt: skip


def test_a_header_is_known_again_however_it_is_spaced() -> None:
    assert signature(["Part number", "Qty."]) == signature([" part  NUMBER", "qty"])
    assert signature(["a", "b"]) != signature(["b", "a"]) != signature(["a b"])


@pytest.mark.parametrize(
    ("columns", "constants", "sentence"),
    [
        (["name"], {}, "the file has 2 columns, and 1 are told"),
        (["name", "price"], {}, "“price” is nothing that a column can stand for"),
        (["name", "name"], {}, "two columns stand for “name”"),
        (["type", ""], {}, "no column says which part"),
        (["name", "bought"], {}, "there are quantities, but no box"),
        (["name", "box"], {}, "there are boxes, but no quantities"),
        (["name", "type"], {"type": "Resistor"}, "“type” is a column and said for all rows"),
        (["name", ""], {"mpn": "x"}, "“mpn” cannot be said for all rows"),
    ],
)
def test_a_choice_of_columns_that_makes_no_sense_is_told(
    columns: list[str], constants: dict[str, str], sentence: str
) -> None:
    assert any(sentence in each for each in wrong(columns, constants, ["a", "b"]))
