"""Changing the stock by the API."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from stock import ledger
from stock.models import Event
from tests.factories import Shelf, part, shelf

pytestmark = pytest.mark.django_db


def post(client: Client, path: str, body: Any, key: object = None) -> tuple[int, Any]:
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"Idempotency-Key": str(key or uuid.uuid4())}
    answer = client.post(path, content, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_take_answers_with_the_balance(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/v1/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 3})
    assert status == 201
    assert (body["delta"], body["balance"], body["box"], body["replayed"]) == (-3, 7, "A1", False)


def test_add_answers_with_the_balance(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/v1/parts/{stocked.part.pk}/add", {"box": "A2", "quantity": 5})
    assert (status, body["delta"], body["balance"]) == (201, 5, 5)


def test_the_same_key_is_answered_as_the_first_time(kept: Client, stocked: Shelf) -> None:
    key, path = uuid.uuid4(), f"/api/v1/parts/{stocked.part.pk}/take"
    _, first = post(kept, path, {"box": "A1", "quantity": 10}, key)
    status, second = post(kept, path, {"box": "A1", "quantity": 10}, key)
    assert status == 200
    assert second == first | {"replayed": True}
    status, other = post(kept, path, {"box": "A1", "quantity": 9}, key)
    assert (status, other["code"]) == (422, "key-reused")


def test_short_is_409_with_the_present_balance(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/v1/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 11})
    assert (status, body["code"], body["balance"]) == (409, "short", 10)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], ["#"]),
        ({"box": "A1"}, ["#/quantity"]),
        ({"box": "A1", "quantity": 0}, ["#/quantity"]),
        ({"box": "A1", "quantity": 1.5}, ["#/quantity"]),
        ({"box": "A1", "quantity": True}, ["#/quantity"]),
        ({"box": "A1", "quantity": "3"}, ["#/quantity"]),
        ({"box": "A1", "quantity": 10**30}, ["#/quantity"]),
        ({"quantity": 1}, ["#/box"]),
        ({"box": "NONE", "quantity": 1}, ["#/box"]),
        ({"box": "A\u0000", "quantity": 1}, ["#/box"]),
        ({"box": "\ud800", "quantity": 1}, ["#/box"]),
        ({"box": ["A1"], "quantity": []}, ["#/box", "#/quantity"]),
    ],
)
def test_a_wrong_body_is_400_with_the_reasons(kept: Client, stocked: Shelf, body: Any, pointers: list[str]) -> None:
    status, answer = post(kept, f"/api/v1/parts/{stocked.part.pk}/take", body)
    assert (status, answer["code"], [each["pointer"] for each in answer["errors"]]) == (400, "invalid", pointers)
    assert stocked.qty(stocked.first) == 10


def test_a_change_needs_a_key(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/v1/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 1}, "again")
    assert (status, body["errors"][0]["parameter"]) == (400, "Idempotency-Key")


def test_a_change_of_what_is_not_there_is_404(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, "/api/v1/parts/999999/take", {"box": "A1", "quantity": 1})
    assert (status, body["detail"]) == (404, "there is no part 999999")


def test_a_move_tells_both_halves(kept: Client, stocked: Shelf) -> None:
    key, path = uuid.uuid4(), f"/api/v1/parts/{stocked.part.pk}/move"
    status, first = post(kept, path, {"source": "A1", "target": "A2", "quantity": 4}, key)
    assert (status, [(each["box"], each["balance"]) for each in first]) == (201, [("A1", 6), ("A2", 4)])
    status, again = post(kept, path, {"source": "A1", "target": "A2", "quantity": 4}, key)
    assert (status, [each["movement"] for each in again]) == (200, [each["movement"] for each in first])
    assert post(kept, path, {"source": "A1", "target": "A2", "quantity": 7})[1]["balance"] == 6
    assert post(kept, path, {"source": "A1", "target": "A1", "quantity": 1})[1]["errors"][0]["pointer"] == "#/target"


def test_undo_tells_what_it_did_however_often(kept: Client, stocked: Shelf) -> None:
    path = f"/api/v1/parts/{stocked.part.pk}/move"
    _, (out, _) = post(kept, path, {"source": "A1", "target": "A2", "quantity": 4})
    status, first = post(kept, f"/api/v1/movements/{out['movement']}/undo", None)
    assert (status, {each["box"]: each["balance"] for each in first}) == (201, {"A1": 10, "A2": 0})
    assert post(kept, f"/api/v1/movements/{out['movement']}/undo", None) == (201, first)
    status, body = post(kept, f"/api/v1/movements/{first[0]['id']}/undo", None)
    assert (status, body["code"]) == (409, "not-possible")
    assert post(kept, "/api/v1/movements/999999/undo", None)[0] == 404


def test_movements_are_listed_by_part_box_and_person(kept: Client, stocked: Shelf) -> None:
    post(kept, f"/api/v1/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 3})
    for query, deltas in [
        ("", [-3, 10]),
        (f"part={stocked.part.pk}", [-3, 10]),
        ("user=keeper", [-3]),
        ("box=A2", []),
        ("box=A1&reason=buy", [10]),
        ("part=999999", []),
    ]:
        items = kept.get(f"/api/v1/movements?{query}").json()["items"]
        assert [each["delta"] for each in items] == deltas, query
    newest = kept.get("/api/v1/movements").json()["items"][0]
    assert (newest["user"], newest["box"], newest["balance"], newest["undoable"]) == ("keeper", "A1", 7, True)


def test_lots_say_what_lies_where(client: Client, stocked: Shelf) -> None:
    (lot,) = client.get("/api/v1/lots?box=A1").json()["items"]
    assert (lot["part"], lot["part_name"], lot["quantity"]) == (stocked.part.pk, "Resistor 4k7", 10)
    ledger.take(stocked.part.pk, stocked.first.pk, 10)
    assert client.get(f"/api/v1/lots?part={stocked.part.pk}").json()["items"] == []
    assert len(client.get("/api/v1/lots?empty=1").json()["items"]) == 1


def test_low_stock_lists_the_emptiest_first(client: Client, stocked: Shelf) -> None:
    some, none, plenty = part("Some", min_qty=10), part("None", min_qty=1), part("Plenty", min_qty=1)
    ledger.add(some.pk, stocked.first.pk, 9)
    ledger.add(plenty.pk, stocked.first.pk, 1)
    first = client.get("/api/v1/low-stock?limit=1").json()
    assert ([each["id"] for each in first["items"]], first["count"]) == ([none.pk], 2)
    second = client.get(f"/api/v1/low-stock?limit=1&cursor={first['next']}").json()
    assert ([each["id"] for each in second["items"]], second["next"]) == ([some.pk], None)


@pytest.mark.django_db(transaction=True)  # events are written when a transaction ends
def test_the_position_of_events_is_that_of_the_newest(client: Client) -> None:
    assert client.get("/api/v1/events/position").json() == {"position": 0}
    shelf()
    assert client.get("/api/v1/events/position").json() == {"position": Event.objects.get().pk}


def test_the_addresses_without_a_version_answer_the_same(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 3})
    assert (status, body["balance"]) == (201, 7)
    old, new = (kept.get(f"/api{version}/parts/{stocked.part.pk}").json() for version in ("", "/v1"))
    assert old == new
