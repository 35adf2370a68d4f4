"""Listing parts by the API, and keeping them."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from api.paging import page
from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.requirement import Vocabulary, vocabulary
from stock import ledger
from stock.models import Box
from tests.factories import Shelf, define, part

pytestmark = pytest.mark.django_db


@pytest.fixture
def resistance(stocked: Shelf) -> AttributeDefinition:
    return define("resistance", unit="ohm", part_type=stocked.part.type)


def send(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = client.generic(
        method, f"/api/v1/{path}", "" if body is None else json.dumps(body), content_type="application/json"
    )
    return answer.status_code, answer.json() if answer.content else None


def names(client: Client, query: str) -> list[str]:
    return [each["name"] for each in client.get(f"/api/v1/parts?{query}").json()["items"]]


def test_a_part_says_what_and_where_it_is(client: Client, stocked: Shelf, resistance: AttributeDefinition) -> None:
    AttributeValue.objects.create(part=stocked.part, definition=resistance, raw="4k7 5%")
    body = client.get(f"/api/v1/parts/{stocked.part.pk}").json()
    assert (body["type"], body["total"], body["low"]) == ("Resistor", 10, False)
    assert [(each["box"], each["quantity"]) for each in body["stock"]] == [("A1", 10)]
    assert body["attributes"] == [
        {
            "key": "resistance",
            "label": "Resistance",
            "unit": "Ω",
            "kind": "quantity",
            "value": "4k7 5%",
            "understood": "4.7 kΩ ±5 %",
            "low": 4700,
            "high": 4700,
            "tolerance": 5,
            "word": "",
        }
    ]
    assert [each["delta"] for each in body["movements"]] == [10]


def test_a_page_of_fifty_takes_no_more_than_six_queries(
    client: Client, keeper: User, stocked: Shelf, resistance: AttributeDefinition, django_assert_num_queries: Any
) -> None:
    for number in range(60):
        each = part(f"Resistor {number}", tags="smd")
        AttributeValue.objects.create(part=each, definition=resistance, raw=f"{number}k")
        ledger.add(each.pk, stocked.first.pk, 1)
    type_id = stocked.part.type_id
    for query, queries in [("", 4), ("q=resitor", 4), (f"type={type_id}&in_stock=1&low=0", 5), ("box=A1&tag=smd", 4)]:
        with django_assert_num_queries(queries):
            assert len(client.get(f"/api/v1/parts?limit=50&{query}").json()["items"]) == 50
    client.force_login(keeper)
    with django_assert_num_queries(6):  # all that there is, and who asks
        assert len(client.get(f"/api/v1/parts?limit=50&type={type_id}&box=A1&q=resistor").json()["items"]) == 50


def test_the_list_is_filtered(client: Client, stocked: Shelf) -> None:
    above = PartType.objects.create(name="Capacitor")
    below = PartType.objects.create(name="Ceramic", parent=above)
    inside = Box.objects.create(code="A1-1", parent=stocked.first)
    ceramic = part("C 10u", type=below, tags="smd x7r", min_qty=5, mpn="GRM21")
    part("C 100u", type=above, tags="smd-big")
    ledger.add(ceramic.pk, inside.pk, 2)
    for query, expected in [
        ("", ["C 100u", "C 10u", "Resistor 4k7"]),
        (f"type={above.pk}", ["C 100u", "C 10u"]),
        ("tag=smd", ["C 10u"]),
        ("tag=SMD-big", ["C 100u"]),
        ("tag=.*", []),
        ("box=A1", ["C 10u", "Resistor 4k7"]),
        ("box=A1-1", ["C 10u"]),
        ("box=NONE", []),
        ("in_stock=true", ["C 10u", "Resistor 4k7"]),
        ("in_stock=false", ["C 100u"]),
        ("low=true", ["C 10u"]),
        ("low=false&in_stock=true", ["Resistor 4k7"]),
        ("q=grm21", ["C 10u"]),
        ("q=resitor", ["Resistor 4k7"]),
    ]:
        assert names(client, query) == expected, query


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("type=999999", "type"),
        ("type=x", "type"),
        ("in_stock=perhaps", "in_stock"),
        ("cursor=x", "cursor"),
        ("q=%00", "q"),
    ],
)
def test_parameters_that_make_no_sense_are_named(client: Client, query: str, parameter: str) -> None:
    answer = client.get(f"/api/v1/parts?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [each["parameter"] for each in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize("query", ["", "q=part"])
def test_pages_miss_nothing_and_repeat_nothing_while_rows_come_and_go(client: Client, query: str) -> None:
    for number in range(25):
        part(f"Part {number % 5}")  # names that are the same
    seen, cursor = [], ""
    while cursor is not None:
        body = client.get(f"/api/v1/parts?limit=7&{query}&cursor={cursor}").json()
        assert (body["count"] is None) == bool(cursor)
        seen += [each["id"] for each in body["items"]]
        cursor = body["next"]
        part("Part")  # before all others
        Part.objects.filter(pk=seen[-1]).delete()  # the very one that the cursor stands at
    assert len(seen) == len(set(seen)) >= 25


def test_a_cursor_is_of_one_list_and_cannot_be_made_up(client: Client) -> None:
    for number in range(3):
        part(f"Part {number}")
    cursor = client.get("/api/v1/parts?limit=1").json()["next"]
    assert client.get(f"/api/v1/parts?limit=1&cursor={cursor}").status_code == 200
    assert client.get(f"/api/v1/parts?limit=1&cursor={cursor[:-1]}").status_code == 400
    assert client.get(f"/api/v1/low-stock?cursor={cursor}").status_code == 400
    assert client.get(f"/api/v1/parts?q=part&cursor={cursor}").status_code == 400


def test_pages_may_descend(db: None) -> None:
    ids = [part(f"Part {number}").pk for number in range(5)]
    rows, found, query = Part.objects.all(), [], {"limit": 2}
    while True:
        body = page(rows, ("-pk",), query, lambda some: [each.pk for each in some])
        found += body["items"]
        if body["next"] is None:
            break
        query = {"limit": 2, "cursor": body["next"]}
    assert found == ids[::-1]


def test_a_part_is_made_and_says_what_was_understood(kept: Client, resistance: AttributeDefinition) -> None:
    body = {"type_id": resistance.part_type_id, "name": "R 220", "tags": ["smd"], "attributes": {"resistance": "220R"}}
    status, made = send(kept, "POST", "parts", body)
    assert (status, made["tags"], made["attributes"][0]["understood"]) == (201, ["smd"], "220 Ω")
    status, changed = send(kept, "PATCH", f"parts/{made['id']}", {"attributes": {"resistance": "330R"}, "min_qty": 3})
    assert (status, changed["attributes"][0]["low"], changed["min_qty"], changed["tags"]) == (200, 330, 3, ["smd"])
    status, changed = send(kept, "PATCH", f"parts/{made['id']}", {"attributes": {"resistance": ""}})
    assert changed["attributes"] == []


def test_a_change_leaves_alone_what_it_does_not_name(
    kept: Client, stocked: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = vocabulary

    def meanwhile() -> Vocabulary:
        Part.objects.update(description="written by somebody else")
        return read()

    monkeypatch.setattr("api.parts.vocabulary", meanwhile)
    _, body = send(kept, "PATCH", f"parts/{stocked.part.pk}", {"name": "New", "type_id": stocked.part.type_id})
    assert (body["name"], body["description"]) == ("New", "written by somebody else")


def test_attributes_that_cannot_be_are_told_one_by_one_and_nothing_is_written(
    kept: Client, stocked: Shelf, resistance: AttributeDefinition
) -> None:
    define("power", unit="W", part_type=stocked.part.type, required=True)
    body = {"type_id": stocked.part.type_id, "name": "R", "attributes": {"resistance": "ten", "colour": "red"}}
    status, answer = send(kept, "POST", "parts", body)
    reasons = {each["pointer"]: each["detail"] for each in answer["errors"]}
    assert status == 400
    assert reasons.keys() == {"#/attributes/resistance", "#/attributes/colour", "#/attributes/power"}
    assert "as in 4k7" in reasons["#/attributes/resistance"]
    assert Part.objects.count() == 1


def test_a_part_that_changes_its_type_loses_no_attribute_silently(
    kept: Client, stocked: Shelf, resistance: AttributeDefinition
) -> None:
    AttributeValue.objects.create(part=stocked.part, definition=resistance, raw="4k7")
    other = PartType.objects.create(name="Coil")
    path = f"parts/{stocked.part.pk}"
    status, answer = send(kept, "PATCH", path, {"type_id": other.pk})
    assert (status, answer["errors"][0]["pointer"]) == (400, "#/attributes/resistance")
    status, answer = send(kept, "PATCH", path, {"type_id": other.pk, "attributes": {"resistance": ""}})
    assert (status, answer["type"], answer["attributes"]) == (200, "Coil", [])


def test_a_number_is_of_one_part_of_a_manufacturer(kept: Client, stocked: Shelf) -> None:
    body = {"type_id": stocked.part.type_id, "name": "R", "mpn": "X1", "manufacturer": "Y"}
    _, made = send(kept, "POST", "parts", body)
    status, answer = send(kept, "POST", "parts", body)
    assert (status, answer["code"], answer["part"]) == (409, "number-taken", made["id"])


def test_a_type_that_is_none_is_told(kept: Client) -> None:
    status, answer = send(kept, "POST", "parts", {"type_id": 999999, "name": "R"})
    assert (status, answer["errors"][0]["pointer"]) == (400, "#/type_id")


def test_only_a_part_that_never_was_in_stock_is_deleted(kept: Client, stocked: Shelf) -> None:
    path = f"parts/{stocked.part.pk}"
    status, answer = send(kept, "DELETE", path)
    assert (status, answer["code"], answer["balance"]) == (409, "in-stock", 10)
    ledger.take(stocked.part.pk, stocked.first.pk, 10)
    assert send(kept, "DELETE", path)[1]["code"] == "has-history"
    assert send(kept, "DELETE", f"parts/{part('New').pk}") == (204, None)
    assert send(kept, "DELETE", "parts/999999")[0] == 404
