"""The JSON interface."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from parts.models import AttributeDefinition, AttributeValue
from tests.factories import Shelf

pytestmark = pytest.mark.django_db


def post(client: Client, path: str, body: Any, key: object = None) -> tuple[int, Any]:
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"Idempotency-Key": str(key or uuid.uuid4())}
    answer = client.post(path, content, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_a_part_says_what_and_where_it_is(client: Client, stocked: Shelf) -> None:
    resistance = AttributeDefinition.objects.create(
        part_type=stocked.part.type, key="r", label="Resistance", unit="ohm", kind="quantity", match="exact"
    )
    AttributeValue.objects.create(part=stocked.part, definition=resistance, raw="4k7")
    answer = client.get(f"/api/parts/{stocked.part.pk}")
    assert answer.json() == {
        "id": stocked.part.pk,
        "type": "Resistor",
        "name": "Resistor 4k7",
        "mpn": "",
        "manufacturer": "",
        "description": "",
        "package": "",
        "tags": [],
        "min_qty": 0,
        "attributes": [{"key": "r", "label": "Resistance", "unit": "Ω", "value": "4k7", "kind": "quantity"}],
        "stock": [{"box": "A1", "quantity": 10}],
        "total": 10,
    }


def test_a_part_that_is_not_there_is_404(client: Client) -> None:
    answer = client.get("/api/parts/1234")
    assert (answer.status_code, answer.json()["error"]) == (404, "not-found")


def test_take_answers_with_the_balance(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 3})
    assert status == 201
    assert (body["delta"], body["balance"], body["box"], body["replayed"]) == (-3, 7, "A1", False)


def test_add_answers_with_the_balance(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/parts/{stocked.part.pk}/add", {"box": "A2", "quantity": 5})
    assert (status, body["delta"], body["balance"]) == (201, 5, 5)


def test_the_same_key_is_answered_as_the_first_time(kept: Client, stocked: Shelf) -> None:
    key, path = uuid.uuid4(), f"/api/parts/{stocked.part.pk}/take"
    _, first = post(kept, path, {"box": "A1", "quantity": 10}, key)
    status, second = post(kept, path, {"box": "A1", "quantity": 10}, key)
    assert status == 200
    assert second == first | {"replayed": True}
    status, other = post(kept, path, {"box": "A1", "quantity": 9}, key)
    assert (status, other["error"]) == (422, "key-reused")


def test_short_is_409_with_the_present_balance(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 11})
    assert (status, body["error"], body["balance"]) == (409, "short", 10)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("not json", "bad-json"),
        ([], "bad-quantity"),
        ({"box": "A1"}, "bad-quantity"),
        ({"box": "A1", "quantity": 0}, "bad-quantity"),
        ({"box": "A1", "quantity": 1.5}, "bad-quantity"),
        ({"box": "A1", "quantity": True}, "bad-quantity"),
        ({"box": "A1", "quantity": "3"}, "bad-quantity"),
        ({"quantity": 1}, "bad-box"),
        ({"box": "NONE", "quantity": 1}, "bad-box"),
        ({"box": "A\u0000", "quantity": 1}, "bad-box"),
        ({"box": 7, "quantity": 1}, "bad-box"),
    ],
)
def test_a_wrong_body_is_400_with_the_reason(kept: Client, stocked: Shelf, body: Any, error: str) -> None:
    status, answer = post(kept, f"/api/parts/{stocked.part.pk}/take", body)
    assert (status, answer["error"]) == (400, error)
    assert stocked.qty(stocked.first) == 10


def test_a_change_needs_a_key(kept: Client, stocked: Shelf) -> None:
    status, body = post(kept, f"/api/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 1}, "again")
    assert (status, body["error"]) == (400, "bad-key")


def test_a_change_needs_a_login(client: Client, stocked: Shelf) -> None:
    status, body = post(client, f"/api/parts/{stocked.part.pk}/take", {"box": "A1", "quantity": 1})
    assert (status, body["error"]) == (401, "login-required")


def test_a_change_of_what_is_not_there_is_404(kept: Client, stocked: Shelf) -> None:
    assert post(kept, "/api/parts/999999/take", {"box": "A1", "quantity": 1})[0] == 404


def test_a_change_needs_the_token(stocked: Shelf, keeper: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(keeper)
    answer = strict.post(f"/api/parts/{stocked.part.pk}/take", "{}", content_type="application/json")
    assert answer.status_code == 403
