"""Bills of material as KiCad writes them. No database."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.kicad import BomError, BomRow, read_bom, references
from projects.wishes import package_of

SCHEMATIC = """"Reference","Value","Footprint","Datasheet","DNP","Qty","MPN"
"C1,C3-C5","10u","Capacitor_SMD:C_0805_2012Metric","~","","4",""
"R1","4k7","Resistor_SMD:R_0805_2012Metric_Pad1.20x1.40mm_HandSolder","~","DNP","1",""
"U1","NE555P","Package_DIP:DIP-8_W7.62mm","~","","1","NE555P"
"""
BOARD = """"Id";"Bezeichner";"Footprint";"Anzahl";"Bezeichnung";"Lieferant und Referenz";
1;"C1,C3,C4,C5";"C_0805_2012Metric";4;"10µ";;
2;"R1";"R_Axial_DIN0207_L6.3mm_D2.5mm_P10.16mm_Horizontal";1;"4k7";"R-47";
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_the_schematic_form(encoding: str) -> None:
    capacitors, resistor, timer = read_bom(SCHEMATIC.encode(encoding))
    assert (capacitors.refs, capacitors.quantity, capacitors.value) == (("C1", "C3", "C4", "C5"), 4, "10u")
    assert (resistor.dnp, capacitors.dnp, resistor.line) == (True, False, 3)
    assert timer == BomRow(4, ("U1",), 1, "NE555P", "Package_DIP:DIP-8_W7.62mm", "NE555P")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_board_form_has_its_columns_by_position_in_any_language(encoding: str) -> None:
    capacitors, resistor = read_bom(BOARD.encode(encoding))
    assert (capacitors.value, capacitors.quantity, capacitors.refs[-1]) == ("10µ", 4, "C5")
    assert (resistor.sku, resistor.value, resistor.mpn) == ("R-47", "4k7", "")


def test_a_quantity_that_is_not_there_is_counted() -> None:
    (row,) = read_bom(b"Refs,Value\nR1-R3,1k\n")
    assert row.quantity == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("R1,1k,2", "the quantity is 2, and there are 1 references"),
        ("R1,1k,some", "the quantity “some” is no whole number"),
        ("R1,1k,0", "the quantity “0” is no whole number"),
        ("R9-R1,1k,", "“R9-R1” is no range of references"),
        ("R1-C4,1k,", "“R1-C4” is no range of references"),
        ("R1-R99999,1k,", "is no range of references"),
        ("R1 R1,1k,2", "R1 is there twice"),
        (",1k,", "neither a quantity nor a reference"),
        ("R1,,1", "neither a value nor a number"),
        (f"R1,{'x' * 121},1", "value has at most 120 characters"),
        ("R7,2k,1", "R7 is on line 2 as well"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, reason: str) -> None:
    with pytest.raises(BomError) as error:
        read_bom(f"Reference,Value,Qty\nR7,1k,1\n{line}\nR8,1k,1\n".encode())
    assert list(error.value.wrong) == [3]
    assert reason in error.value.wrong[3]


def test_all_that_is_wrong_is_told() -> None:
    with pytest.raises(BomError, match=r"line 2: .*; line 4: ") as error:
        read_bom(b"Reference,Value,Qty\nR1,1k,9\nR2,1k,1\nR3,,1\n")
    assert len(error.value.wrong) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"Reference,Value\n", "nothing below"),
        (b"Name,Price\nSomething,3\n", "these are Name, Price"),
        (b"Refs,Value\n" + b"".join(b"R%d,1k\n" % each for each in range(2001)), "at most 2000"),
    ],
)
def test_what_is_no_bill_of_material(content: bytes, reason: str) -> None:
    with pytest.raises(BomError, match=reason) as error:
        read_bom(content)
    assert list(error.value.wrong) == [0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C1, C3-C5", ["C1", "C3", "C4", "C5"]),
        ("C103-105", ["C103", "C104", "C105"]),
        ("R1 R2;R3", ["R1", "R2", "R3"]),
        ("R1 – R3", ["R1", "R2", "R3"]),
        ("J?", ["J?"]),
        ("", []),
    ],
)
def test_references(text: str, expected: list[str]) -> None:
    assert list(references(text)) == expected


@pytest.mark.parametrize(
    ("footprint", "package"),
    [
        ("Capacitor_SMD:C_0805_2012Metric_Pad1.18x1.45mm_HandSolder", "0805"),
        ("R_0402_1005Metric", "0402"),
        ("LED_SMD:LED_0603_1608Metric", "0603"),
        ("Crystal:Crystal_SMD_3225-4Pin_3.2x2.5mm", "3225"),
        ("Resistor_THT:R_Axial_DIN0207_L6.3mm", "axial"),
        ("Capacitor_THT:CP_Radial_D5.0mm_P2.00mm", "radial"),
        ("Package_DIP:DIP-8_W7.62mm", "DIP-8"),
        ("Package_TO_SOT_SMD:SOT-23", "SOT-23"),
        ("Diode_THT:D_DO-35_SOD27_P7.62mm_Horizontal", "DO-35"),
        ("", ""),
    ],
)
def test_packages(footprint: str, package: str) -> None:
    assert package_of(footprint) == package


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_sent_is_read_or_refused_with_a_reason(content: bytes) -> None:
    with suppress(BomError):
        assert all(row.quantity >= 1 for row in read_bom(b"Reference,Value,Qty\n" + content))
