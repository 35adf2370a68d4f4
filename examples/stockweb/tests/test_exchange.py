"""CSV files in and out: what a dry run says, what an import writes, and that both ways together change nothing."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User

from exchange import checking, committing, desk
from exchange.export import export
from exchange.models import ColumnChoice, Import, ImportLine
from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from stock import audit, ledger
from stock.models import Box, Lot, Movement
from tests.factories import define, part

pytestmark = pytest.mark.django_db


def handed_in(user: User, *lines: str, name: str = "parts.csv") -> Import:
    return desk.hand_in(user.pk, name, "\n".join(lines).encode())


def checked(it: Import, **constants: str) -> Import:
    """Do the dry run, as the worker does when it is queued."""
    desk.check(it, it.columns, constants)
    it.refresh_from_db()
    assert checking.check(f"{it.pk}", it.run)
    it.refresh_from_db()
    assert it.state == Import.State.CHECKED
    return it


def imported(user: User, *lines: str, **constants: str) -> Import:
    it = checked(handed_in(user, *lines), **constants)
    assert faults(it) == {}
    desk.commit(it)
    committing.commit(f"{it.pk}", it.run)
    it.refresh_from_db()
    assert it.state == Import.State.DONE, it.error
    return it


def faults(it: Import) -> dict[int, list[str]]:
    """Return what is wrong, by line."""
    lines = it.lines.filter(verdict=ImportLine.Verdict.ERROR)
    return {
        each.line: [f"{note['column']}: {note['error']}" for note in each.notes if "error" in note] for each in lines
    }


def exported() -> str:
    return "".join(export(Part.objects.all()))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def resistor(db: None) -> PartType:
    """A type with two attributes, and three boxes."""
    for code in ("A1", "A2", "B1"):
        Box.objects.create(code=code)
    define("resistance", unit="ohm")
    define("mounting", kind="choice", choices="SMD\nTHT")
    return PartType.objects.get(name="Resistor")


def test_a_dry_run_says_for_each_row_what_it_would_do(resistor: PartType, keeper: User) -> None:
    known = part("Resistor 10k", mpn="R-10K", manufacturer="Acme")
    AttributeValue.objects.create(part=known, definition=AttributeDefinition.objects.get(key="resistance"), raw="10k")
    same = part("Resistor 1k", mpn="R-1K", manufacturer="Acme")
    it = checked(
        handed_in(
            keeper,
            "Type;Name;Part Number;Maker;Resistance;Location;Qty",
            "Resistor;Resistor 4k7;R-4K7;Acme;4k7;A1;100",
            "Resistor;Resistor 10k;R-10K;Acme;10 kΩ;A2;~50",
            f"Resistor;{same.name};R-1K;Acme;;;",
            "Resistor;Resistor 22k;R-22K;Acme;22 V;C9;-1",
        )
    )
    assert desk.verdicts(it) == {"create": 1, "update": 1, "same": 1, "error": 1}
    assert [(each.line, each.verdict) for each in it.lines.all()] == [
        (2, "create"),
        (3, "update"),
        (4, "same"),
        (5, "error"),
    ]
    assert it.lines.get(line=3).notes == [
        {"column": "attr:resistance", "before": "10k", "after": "10 kΩ"},
        {"column": "stock A2", "before": "0", "after": "~50"},
    ]
    wrong = "\n".join(faults(it)[5])
    assert "attr:resistance: “22 V” is not read" in wrong
    assert "quantity: “-1” is no whole number" in wrong
    assert "box: there is no box “C9”" in wrong
    with pytest.raises(desk.Refused, match="1 rows have errors"):
        desk.commit(it)
    assert Part.objects.count() == 2
    assert not Movement.objects.exists()


def test_an_import_writes_parts_values_and_movements(resistor: PartType, keeper: User) -> None:
    it = imported(
        keeper,
        "type,name,mpn,manufacturer,attr:resistance,box,quantity,tags",
        "Resistor,Resistor 4k7,R-4K7,Acme,4k7,A1,100,thin film",
        "Resistor,Resistor 4k7,R-4K7,Acme,4k7,A2,20,thin film",
        "Resistor,Resistor 10k,,,10k,,,",
    )
    made = Part.objects.get(mpn="R-4K7")
    assert made.values.get().num_lo == 4700
    assert dict(made.lots.values_list("box__code", "qty")) == {"A1": 100, "A2": 20}
    assert set(Movement.objects.values_list("reason", "user")) == {("count", keeper.pk)}
    assert audit.discrepancies() == []
    assert Part.objects.count() == 2
    # The very same file again: parts are known by number or name, and what was counted is not counted again.
    ledger.take(made.pk, Box.objects.get(code="A1").pk, 30)
    again = imported(keeper, *it_lines(it))
    assert desk.verdicts(again) == {"create": 0, "update": 0, "same": 3, "error": 0}
    assert made.lots.get(box__code="A1").qty == 70


def it_lines(it: Import) -> list[str]:
    return bytes(it.content).decode().split("\n")


def test_what_was_bought_is_added(resistor: PartType, keeper: User) -> None:
    known = part("Resistor 10k", mpn="R-10K")
    ledger.add(known.pk, Box.objects.get(code="A1").pk, 7)
    imported(keeper, "mpn,bought", "R-10K,50", box="A1")
    assert known.lots.get().qty == 57
    assert Movement.objects.first().reason == "buy"


@pytest.mark.parametrize(
    ("lines", "line", "fault"),
    [
        (["type,name", "Diode,D1"], 2, "type: there is no type “Diode”"),
        (["name", "D1"], 2, "type: a part has a type"),
        (["type,mpn", "Resistor,X"], 2, "name: a part has a name"),
        (["id,name", "x1,D1"], 2, "id: “x1” is no number of a part"),
        (
            ["id,type,name", "999999999999,Resistor,D1"],
            2,
            "id: there is no part 999999999999, and new ones get lower numbers",
        ),
        (["type,name,min_qty", "Resistor,D1,-3"], 2, "min_qty: “-3” is no whole number from 0 to 2147483647"),
        (["type,name", f"Resistor,{'x' * 121}"], 2, "name: is 121 characters long, and 120 is the most"),
        (["type,name", "Resistor,a\x07b"], 2, "name: is not to be read as text"),
        (["type,name,tags", "Resistor,a"], 2, ": the row has 2 cells, and the header 3"),
        (
            ["type,name,mpn", "Resistor,a,1", "Resistor,b,1"],
            3,
            ": line 2 is about the same part, and says something else of it",
        ),
        (["id,type,name,mpn", "1001,Resistor,a,1", "1002,Resistor,b,1"], 3, "mpn: line 2 has this part number too"),
        (["type,name,box,qty", "Resistor,a,A1,1", "Resistor,a,A1,2"], 3, "box: line 2 has this part in this box too"),
        (["type,name,box,qty", "Resistor,a,A1,"], 2, "quantity: how many are in A1?"),
        (["type,name,box,qty", "Resistor,a,,3"], 2, "box: in which box?"),
        (
            ["type,name,box,qty,bought", "Resistor,a,A1,3,4"],
            2,
            "bought: say how many there are or how many are added, not both",
        ),
        (
            ["type,name,attr:resistance,attr:colour", "Resistor,a,4k7,red"],
            2,
            "attr:colour: Resistor has no such attribute",
        ),
    ],
)
def test_what_is_wrong_is_told_by_line_and_column(
    resistor: PartType, keeper: User, lines: list[str], line: int, fault: str
) -> None:
    define("colour", part_type=PartType.objects.create(name="Lamp"), kind="text")
    it = handed_in(keeper, *lines)
    assert "" not in it.columns
    assert faults(checked(it)) == {line: [fault]}


def test_parts_without_a_number_go_by_name_and_two_of_a_name_by_id(resistor: PartType, keeper: User) -> None:
    first = part("Wire")
    imported(keeper, "type,name,tags", "Resistor,Wire,copper")
    first.refresh_from_db()
    assert first.tags == "copper"
    part("Wire")
    it = checked(handed_in(keeper, "type,name,tags", "Resistor,Wire,blue"))
    assert faults(it) == {2: ["name: 2 parts have this name and no part number: say which by id"]}
    imported(keeper, "id,tags", f"{first.pk},blue")
    first.refresh_from_db()
    assert first.tags == "blue"


def test_a_number_that_another_part_has_is_refused(resistor: PartType, keeper: User) -> None:
    first, second = part("One", mpn="1"), part("Two", mpn="2")
    it = checked(handed_in(keeper, "id,mpn", f"{first.pk},2"))
    assert faults(it) == {2: [f"mpn: part {second.pk}, Two, has this number"]}


def test_an_empty_cell_empties_and_a_column_that_is_not_there_leaves(resistor: PartType, keeper: User) -> None:
    known = part("One", mpn="1", description="Metal film", package="0805")
    AttributeValue.objects.create(part=known, definition=AttributeDefinition.objects.get(key="resistance"), raw="10k")
    imported(keeper, "mpn,description,resistance", "1,,")
    known.refresh_from_db()
    assert (known.name, known.description, known.package, known.values.count()) == ("One", "", "0805", 0)


def test_a_required_attribute_cannot_be_lost_nor_left_out(resistor: PartType, keeper: User) -> None:
    AttributeDefinition.objects.filter(key="resistance").update(required=True)
    known = part("One", mpn="1")
    AttributeValue.objects.create(part=known, definition=AttributeDefinition.objects.get(key="resistance"), raw="10k")
    it = checked(handed_in(keeper, "type,name,mpn,resistance", "Resistor,One,1,", "Resistor,Two,2,"))
    told = ["attr:resistance: every part of this type has a value of Resistance"]
    assert faults(it) == {2: told, 3: told}


def test_a_part_whose_type_changes_keeps_no_value_without_a_place(resistor: PartType, keeper: User) -> None:
    PartType.objects.create(name="Lamp")
    known = part("One", mpn="1")
    AttributeValue.objects.create(part=known, definition=AttributeDefinition.objects.get(key="resistance"), raw="10k")
    it = checked(handed_in(keeper, "mpn,type", "1,Lamp"))
    assert faults(it) == {2: ["type: this type has no place for Resistance"]}


def test_types_are_named_by_path_and_by_name_where_that_is_one(resistor: PartType, keeper: User) -> None:
    ceramic = PartType.objects.create(name="Ceramic", parent=PartType.objects.create(name="Capacitor"))
    PartType.objects.create(name="Film", parent=ceramic.parent)
    PartType.objects.create(name="Film", parent=PartType.objects.get(name="Resistor"))
    imported(keeper, "type,name", "capacitor > ceramic,A", "CERAMIC,B")
    assert Part.objects.filter(type=ceramic).count() == 2
    it = checked(handed_in(keeper, "type,name", "Film,A"))
    assert faults(it) == {2: ["type: “Film” may be Capacitor > Film or Resistor > Film"]}


def test_nothing_is_written_when_somebody_changed_what_the_dry_run_saw(resistor: PartType, keeper: User) -> None:
    known = part("One", mpn="1")
    it = checked(handed_in(keeper, "type,name,mpn", "Resistor,New,9", "Resistor,Uno,1"))
    Part.objects.filter(pk=known.pk).update(name="Een")
    desk.commit(it)
    committing.commit(f"{it.pk}", it.run)
    it.refresh_from_db()
    assert it.state == Import.State.FAILED
    assert it.error == "Nothing was imported: somebody has changed what line 3 changes (name). Check the file again."
    assert not Part.objects.filter(mpn="9").exists()
    assert desk.verdicts(checked(it)) == {"create": 1, "update": 1, "same": 0, "error": 0}


def test_nothing_is_written_when_somebody_made_a_new_part_meanwhile(resistor: PartType, keeper: User) -> None:
    for line, values in (("New,9", {"mpn": "9"}), ("New,", {})):
        it = checked(handed_in(keeper, "type,name,mpn", f"Resistor,{line}", "Resistor,Other,5"))
        part("New", **values)
        desk.commit(it)
        committing.commit(f"{it.pk}", it.run)
        it.refresh_from_db()
        assert it.state == Import.State.FAILED
        assert it.error.startswith("Nothing was imported: ")
        assert not Part.objects.filter(mpn="5").exists()


def test_work_is_done_in_batches_that_know_of_each_other(
    resistor: PartType, keeper: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BATCH", 2)
    monkeypatch.setattr(committing, "BATCH", 2)
    lines = [f"Resistor,Part {n // 2},{n // 2},A{1 + n % 2},{n}" for n in range(10)]
    it = imported(keeper, "type,name,mpn,box,quantity", *lines)
    assert Part.objects.count() == 5
    assert Lot.objects.filter(qty__gt=0).count() == 9
    wrong = checked(handed_in(keeper, "type,name,mpn", "Resistor,A,a", "Resistor,B,b", "Resistor,C,a"))
    assert faults(wrong) == {4: [": line 2 is about the same part, and says something else of it"]}
    committing.commit(f"{it.pk}", it.run)  # delivered twice
    assert audit.discrepancies() == []
    assert Movement.objects.count() == 9


def test_a_dry_run_goes_on_where_it_was_left(resistor: PartType, keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BATCH", 2)
    it = handed_in(keeper, "type,name", *(f"Resistor,Part {n}" for n in range(5)))
    desk.check(it, it.columns, {})
    seconds = iter(range(0, 1000, 6))
    it.refresh_from_db()
    assert not checking.check(f"{it.pk}", it.run, clock=lambda: float(next(seconds)))
    it.refresh_from_db()
    assert (it.state, it.checked) == (Import.State.CHECKING, 2)
    assert checking.check(f"{it.pk}", it.run - 1)  # of an earlier choice of columns
    assert checking.check(f"{it.pk}", it.run)
    assert it.lines.count() == 5


def test_columns_are_remembered_for_files_with_the_same_header(resistor: PartType, keeper: User) -> None:
    it = handed_in(keeper, "Art;Titel;Nr.", "Resistor;One;1")
    assert it.columns == ["", "", ""]
    with pytest.raises(desk.Refused, match="no column says which part"):
        desk.check(it, it.columns, {})
    desk.check(it, ["type", "name", "mpn"], {})
    assert handed_in(keeper, "art; TITEL;Nr", "Resistor;Two;2").columns == ["type", "name", "mpn"]
    other = User.objects.create_user("other")
    assert handed_in(other, "art; TITEL;Nr", "Resistor;Two;2").columns == ["", "", ""]
    assert ColumnChoice.objects.count() == 1


def test_what_cannot_be_done_is_refused(resistor: PartType, keeper: User) -> None:
    it = handed_in(keeper, "type,name", "Resistor,One")
    with pytest.raises(desk.Refused, match="waits for its columns: only what has been checked"):
        desk.commit(it)
    checked(it)
    first, second = desk.commit(it), desk.commit(it)
    assert first.state == second.state == Import.State.COMMITTING
    with pytest.raises(desk.Refused, match="is being imported"):
        desk.check(it, it.columns, {})
    with pytest.raises(desk.Refused, match="at most 20000 rows"):
        handed_in(keeper, "name", *("x" for _ in range(20_001)))


def test_lost_work_is_queued_again_and_old_files_go(resistor: PartType, keeper: User) -> None:
    it = handed_in(keeper, "type,name", "Resistor,One")
    desk.check(it, it.columns, {})
    now = Import.objects.get().touched
    assert desk.resume(now) == 0
    assert desk.resume(now + desk.STALLED * 2) == 1
    assert desk.forget(now + desk.KEPT * 2) == 1
    it.refresh_from_db()
    assert it.content is None
    with pytest.raises(desk.Refused, match="was deleted"):
        desk.check(it, it.columns, {})
    desk.forget(now + desk.REMEMBERED * 2)
    assert not Import.objects.exists()


def test_an_id_of_another_database_is_kept_and_passed_over(resistor: PartType, keeper: User) -> None:
    far = part("Near").pk + 500
    imported(keeper, "id,type,name", f"{far},Resistor,Far")
    assert Part.objects.get(name="Far").pk == far
    assert part("Next").pk > far


def test_an_export_has_the_parts_that_a_list_has(resistor: PartType, seeded_values: Mapping[str, Any]) -> None:
    text = "".join(export(Part.objects.filter(name="One")))
    (row,) = rows(text)
    assert text.startswith("\ufeffid,type,name,mpn,")
    assert {**row, "id": ""} == {
        "id": "", "type": "Resistor", "name": "One", "mpn": "1", "manufacturer": "", "description": "'=SUM(A1)",
        "package": "", "tags": "", "min_qty": "0", "attr:mounting": "", "attr:resistance": "10k", "box": "B1",
        "quantity": "~5",
    }  # fmt: skip


@pytest.fixture
def seeded_values(resistor: PartType) -> dict[str, Any]:
    """A part with a value and a handful in a box, and another."""
    known = part("One", mpn="1", description="=SUM(A1)")
    AttributeValue.objects.create(part=known, definition=AttributeDefinition.objects.get(key="resistance"), raw="10k")
    ledger.count(known.pk, Box.objects.get(code="B1").pk, 5, roughly=True)
    return {"known": known, "other": part("Two")}
