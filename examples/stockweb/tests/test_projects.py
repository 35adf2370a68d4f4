"""Projects against the boxes of a well-kept workshop: what is meant, what is there, building, buying."""

import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.requirement import vocabulary
from projects import building
from projects.choosing import choose
from projects.importing import read_lines, replace_lines
from projects.models import BomLine, Build, Project
from projects.report import Report, Status, report
from projects.shopping import lacking
from projects.wishes import wish
from shops.models import Offer, Shop
from stock import ledger
from stock.audit import discrepancies
from stock.models import Box, Lot, Movement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

BOM = """Reference,Value,Footprint,Qty,DNP,MPN,SKU
"C1,C2",1u 16V,Capacitor_SMD:C_0805_2012Metric,2,,,
C3,100n,Capacitor_SMD:C_0805_2012Metric,1,,,
R1-R4,4k7 1%,Resistor_SMD:R_0805_2012Metric,4,,,
R5,10k,Resistor_SMD:R_0805_2012Metric,1,DNP,,
U1,NE555P,Package_DIP:DIP-8_W7.62mm,1,,,
D1,1N4148,Diode_THT:D_DO-35_SOD27_P7.62mm_Horizontal,1,,1N4148,
U2,XYZZY,Package_SO:SOIC-8,1,,,
C9,3u9 630V,Capacitor_SMD:C_0805_2012Metric,1,,,
"""


def project(content: str = BOM, name: str = "Blinker", boards: int = 1) -> Project:
    made = Project.objects.create(name=name, boards=boards)
    replace_lines(made, read_lines(content.encode()))
    return made


def statuses(found: Report) -> dict[str, str]:
    return {each.line.refs[0]: each.status for each in found.lines}


def parts(found: Report) -> dict[str, str | None]:
    return {each.line.refs[0]: each.part and each.part.mpn for each in found.lines}


def stock_of(mpn: str) -> int:
    return sum(Lot.objects.filter(part__mpn=mpn).values_list("qty", flat=True))


def test_what_a_bill_of_material_says_of_the_stock() -> None:
    found = report(project())
    assert statuses(found) == {
        "C1": "have",
        "C3": "have",
        "R1": "have",
        "R5": "not placed",
        "U1": "have",
        "D1": "have",
        "U2": "unknown",
        "C9": "missing",
    }
    capacitor = next(each for each in found.lines if each.line.refs[0] == "C1")
    assert capacitor.part is not None
    assert (capacitor.by, capacitor.part.name) == ("requirement", "Capacitor 1uF 25V X7R")
    assert parts(found)["U1"] == "NE555P"
    assert {each.line.refs[0]: each.by for each in found.lines}["U1"] == "number"
    assert (found.buildable, found.whole) == (0, False)


def test_importing_makes_neither_parts_nor_stock() -> None:
    before = [table.objects.count() for table in (Part, Lot, Movement, Offer)]
    project()
    assert [table.objects.count() for table in (Part, Lot, Movement, Offer)] == before


def test_importing_again_replaces_the_lines_and_keeps_what_was_chosen() -> None:
    it = project()
    line = it.lines.get(value="100n")
    chosen = Part.objects.filter(package="0805").first()
    choose(line, chosen)
    replace_lines(it, read_lines(BOM.replace("C3,100n", "C33,100n").encode()))
    assert it.lines.get(value="100n").chosen is None
    choose(it.lines.get(value="100n"), chosen)
    replace_lines(
        it, read_lines(BOM.replace("C3,100n", '"C33,C34",100n').replace("Metric,1,,,\nR1", "Metric,2,,,\nR1").encode())
    )
    line = it.lines.get(value="100n")
    assert (line.chosen, line.quantity, it.lines.count()) == (chosen, 2, 8)


@pytest.mark.parametrize(
    ("ref", "value", "footprint", "expected"),
    [
        ("C1", "10u 25V X7R 0805", "", ({"capacitance": "10u", "voltage": "25V", "dielectric": "X7R"}, "0805")),
        ("C1", "10uF/25V", "C_1206_3216Metric", ({"capacitance": "10uF", "voltage": "25V"}, "1206")),
        ("C1", "4.7 uF", "", ({"capacitance": "4.7uF"}, "")),
        ("C1", "4,7uF, 16V", "", ({"capacitance": "4,7uF", "voltage": "16V"}, "")),
        ("R1", "4k7 1%", "R_0603_1608Metric", ({"resistance": "4k7", "tolerance": "1%"}, "0603")),
        ("R12", "220R 1/4W", "", ({"resistance": "220R", "power": "1/4W"}, "")),
        ("R1", "10 k", "", ({"resistance": "10k"}, "")),
        ("L1", "2u2H", "", ({"inductance": "2u2H"}, "")),
        ("Y1", "16MHz", "", ({"frequency": "16MHz"}, "")),
    ],
)
def test_requirements_of_lines(ref: str, value: str, footprint: str, expected: tuple[dict[str, str], str]) -> None:
    found = wish([ref], value, footprint, vocabulary())
    assert (found.wanted, found.package) == expected, found.unclear


@pytest.mark.parametrize(
    ("ref", "value", "reason"),
    [
        ("C1", "big", "“big” is not understood"),
        ("XYZ1", "10k", "no type of part has the designator XYZ"),
        ("?", "10k", "there is no reference"),
        ("R1", "", "says nothing"),
    ],
)
def test_what_nobody_understands_says_why(ref: str, value: str, reason: str) -> None:
    found = wish([ref], value, "", vocabulary())
    assert reason in found.unclear
    assert not found.wanted


def test_or_better_is_meant_the_tightest_first_and_what_is_there_before_what_is_not() -> None:
    for volts, stock in (("50V", 9), ("16V", 9), ("10V", 0), ("4V", 9)):
        capacitor(volts, stock)
    (line,) = report(project("Reference,Value,Footprint\nC1-C2,10u 6V,C_0805_2012Metric\n")).lines
    assert [part.name.split()[2] for part in line.candidates] == ["6.3V", "16V", "50V", "10V"]


def capacitor(volts: str, stock: int, value: str = "10uF") -> Part:
    """Make one like those that are there."""
    made = Part.objects.create(
        type=PartType.objects.get(name="Ceramic"), name=f"Capacitor {value} {volts}", package="0805"
    )
    for key, raw in (("capacitance", value), ("voltage", volts)):
        definition = AttributeDefinition.objects.get(key=key, part_type__name="Capacitor")
        AttributeValue.objects.create(part=made, definition=definition, raw=raw)
    if stock:
        ledger.add(made.pk, Box.objects.get(code="A3").pk, stock)
    return made


def test_the_order_of_what_a_line_means() -> None:
    numbered, sold, remembered, chosen = (
        Part.objects.create(type=PartType.objects.get(name="Crystal"), name=name, mpn=name) for name in "ABCD"
    )
    shop = Shop.objects.create(name="Shop", currency="EUR")
    Offer.objects.create(part=sold, shop=shop, sku="S-1")
    it = project("Reference,Value,Footprint,MPN,SKU\nC1,100n,C_0805_2012Metric,A,S-1\n")

    def meant() -> tuple[str | None, str]:
        (line,) = report(it).lines
        return line.part and line.part.name, line.by

    line = it.lines.get()
    choose(line, chosen)
    assert meant() == ("D", "chosen")
    choose(line, remembered, remember=True)
    choose(line, None)
    assert meant() == ("A", "number")
    assert numbered.name == "A"
    it.lines.update(mpn="")
    assert meant() == ("B", "order number")
    it.lines.update(sku="")
    assert meant() == ("C", "remembered")
    other = project("Reference,Value,Footprint\nC7,100n,C_0805_2012Metric\n", "Other")
    assert report(other).lines[0].by == "remembered"
    choose(it.lines.get(), None, remember=True)
    assert meant()[1] == "requirement"


def test_of_a_named_part_that_is_short_the_alternatives_are_told() -> None:
    it = project("Reference,Value,Footprint\nC1,100n,C_0805_2012Metric\n")
    suiting = report(it).lines[0].candidates
    assert suiting
    scarce = Part.objects.create(type=suiting[0].type, name="Scarce", mpn="SCARCE")
    choose(it.lines.get(), scarce)
    (line,) = report(it).lines
    assert (line.status, line.short, list(line.candidates)) == (Status.ALTERNATIVES, 1, list(suiting))
    it.lines.update(wanted={})
    assert report(it).lines[0].status == Status.SHORT


def test_lines_that_want_the_same_part_share_it() -> None:
    there = stock_of("NE555P")
    it = project(f"Reference,Value,Qty\nU1-U{there},NE555P,\nU900,NE555P,\n")
    assert statuses(report(it)) == {"U1": "have", "U900": "short"}
    assert report(it).buildable == 0
    assert report(project("Reference,Value\nU1-U2,NE555P\n", "Two")).buildable == there // 2


def test_a_build_takes_all_and_its_undo_gives_all_back() -> None:
    it = project("Reference,Value,Footprint\nR1-R4,4k7 1%,R_0805_2012Metric\nU1,NE555P,\nR9,10k,\n")
    resistor = report(it).lines[0].part
    assert resistor is not None
    before = stock_of("NE555P"), stock_of(resistor.mpn)
    key = uuid.uuid4()
    made = building.build(it, 2, key=key)
    assert (stock_of("NE555P"), stock_of(resistor.mpn)) == (before[0] - 2, before[1] - 8)
    again = building.build(it, 2, key=key)
    assert (again.replayed, [each.movement for each in again.entries]) == (True, [e.movement for e in made.entries])
    with pytest.raises(ledger.KeyReused):
        building.build(it, 3, key=key)
    assert not Build.objects.filter(building.UNDONE).exists()
    building.undo(made.build)
    building.undo(made.build)
    assert (stock_of("NE555P"), stock_of(resistor.mpn)) == before
    assert Build.objects.get(building.UNDONE) == made.build
    assert discrepancies() == []


def test_a_build_that_lacks_one_line_takes_nothing() -> None:
    it = project()
    movements = Movement.objects.count()
    with pytest.raises(building.NotBuildable, match=r"U2: XYZZY \(unknown\); C9: 3u9 630V \(missing\)"):
        building.build(it, 1, key=uuid.uuid4())
    assert (Movement.objects.count(), Build.objects.count()) == (movements, 0)
    with pytest.raises(building.NotBuildable, match="no lines to build"):
        building.build(Project.objects.create(name="Nothing"), 1, key=uuid.uuid4())


def test_a_build_empties_the_smallest_lots_first_and_handfuls_last() -> None:
    it = project("Reference,Value\nU1-U5,NE555P\n")
    timer = Part.objects.get(mpn="NE555P")
    boxes = {code: Box.objects.create(code=code).pk for code in ("S2", "S4", "S9")}
    ledger.count(timer.pk, timer.lots.get().box_id, 50)
    ledger.add(timer.pk, boxes["S2"], 2)
    ledger.add(timer.pk, boxes["S4"], 2)
    ledger.count(timer.pk, boxes["S9"], 1, roughly=True)
    building.build(it, 1, key=uuid.uuid4())
    held = dict(Lot.objects.filter(part=timer).values_list("box__code", "qty"))
    assert {held["S2"], held["S4"]} == {0}
    assert (held["S9"], held[timer.lots.order_by("pk")[0].box.code]) == (1, 49)


def test_what_is_lacking_is_bought_and_of_what_suits_what_is_sold() -> None:
    it = project("Reference,Value,Footprint\nU1,NE555P,\nC1,100n,C_0805_2012Metric\n")
    timer = Part.objects.get(mpn="NE555P")
    found = report(it, boards=5000)
    assert found.lines[1].part is not None
    missing = 5000 - stock_of("NE555P")
    assert lacking(found)[timer.pk] == missing
    assert len(lacking(found)) == 2
    other = capacitor("100V", 0, "100nF")
    found = report(it, boards=5000)
    shop = Shop.objects.create(name="Shop", currency="EUR")
    Offer.objects.create(part=other, shop=shop, sku="C").breaks.create(min_qty=1, unit_price=Decimal("0.01"))
    assert lacking(found) == {timer.pk: missing, other.pk: 5000}


def test_a_report_takes_as_many_queries_for_sixty_lines_as_for_one() -> None:
    def counted(lines: int, name: str) -> int:
        rows = "\n".join(f"R{n},{n + 1}k 1%,R_0805_2012Metric" for n in range(lines))
        it = project(f"Reference,Value,Footprint\n{rows}\n", name)
        with CaptureQueriesContext(connection) as queries:
            report(it)
        return len(queries)

    assert counted(1, "One") == counted(60, "Sixty") <= 8


@pytest.mark.parametrize("change", [{"quantity": 0}])
def test_the_database_refuses_lines_of_nothing(change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="line_of_something"):
        BomLine.objects.create(project=project(), position=99, **change)
