"""Keeping types, attributes, boxes and saved requirements by the API."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from parts.models import AttributeValue
from tests.api.test_parts import send
from tests.factories import Shelf, define

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_a_type_gets_attributes_and_hands_them_down(admin: Client) -> None:
    _, above = send(admin, "POST", "types", {"name": "Capacitor"})
    _, below = send(admin, "POST", "types", {"name": "Ceramic", "parent_id": above["id"]})
    body = {"key": "capacitance", "label": "Capacitance", "kind": "quantity", "unit": "F"}
    status, made = send(admin, "POST", f"types/{above['id']}/attributes", body)
    assert (status, made["match"], made["symbol"], made["example"]) == (201, "exact", "F", "4.7uF")
    _, shown = send(admin, "GET", f"types/{below['id']}")
    assert shown["path"] == ["Capacitor", "Ceramic"]
    assert [(each["key"], each["type_id"]) for each in shown["attributes"]] == [("capacitance", above["id"])]
    status, made = send(admin, "PATCH", f"attributes/{made['id']}", {"label": "C", "match": "higher"})
    assert (status, made["label"], made["match"], made["unit"]) == (200, "C", "higher", "F")
    assert send(admin, "DELETE", f"attributes/{made['id']}") == (204, None)
    assert send(admin, "DELETE", f"types/{above['id']}")[0] == 409
    assert send(admin, "DELETE", f"types/{below['id']}")[0] == 204
    told = [(each.object_repr, each.action_flag) for each in LogEntry.objects.order_by("pk")]
    assert told == [("Capacitor", 1), ("Ceramic", 1), ("Capacitance", 1), ("C", 2), ("C", 3), ("Ceramic", 3)]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "choice"}, "#/choices"),
        ({"kind": "text", "match": "higher"}, "#/match"),
        ({"kind": "nothing"}, "#/kind"),
        ({"key": "with space"}, "#/key"),
        ({"key": "resistance"}, "#"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(
    admin: Client, stocked: Shelf, change: dict[str, Any], pointer: str
) -> None:
    define("resistance", unit="ohm", part_type=stocked.part.type)
    body = {"key": "power", "label": "Power", "kind": "quantity", "unit": "W"} | change
    status, answer = send(admin, "POST", f"types/{stocked.part.type_id}/attributes", body)
    assert (status, answer["errors"][0]["pointer"].rstrip("/")) == (400, pointer)


def test_a_type_cannot_lie_inside_itself(admin: Client, stocked: Shelf) -> None:
    _, below = send(admin, "POST", "types", {"name": "SMD", "parent_id": stocked.part.type_id})
    status, answer = send(admin, "PATCH", f"types/{stocked.part.type_id}", {"parent_id": below["id"]})
    assert (status, answer["errors"][0]["pointer"]) == (400, "#/parent_id")
    assert send(admin, "POST", "types", {"name": "X", "parent_id": 999999})[0] == 400


def test_an_attribute_that_parts_have_is_not_deleted(admin: Client, stocked: Shelf) -> None:
    resistance = define("resistance", unit="ohm", part_type=stocked.part.type)
    AttributeValue.objects.create(part=stocked.part, definition=resistance, raw="4k7")
    assert send(admin, "DELETE", f"attributes/{resistance.pk}")[0] == 409
    assert not LogEntry.objects.exists()


def test_boxes_are_kept_as_a_tree(kept: Client, stocked: Shelf) -> None:
    status, made = send(kept, "POST", "boxes", {"code": "A1-1", "parent": "A1", "kind": "drawer"})
    assert (status, made["path"], made["kind"]) == (201, ["A1", "A1-1"], "drawer")
    _, moved = send(kept, "PATCH", "boxes/A1-1", {"parent": "A2"})
    assert moved["path"] == ["A2", "A1-1"]
    _, whole = send(kept, "GET", "boxes")
    assert [(each["code"], each["parts"], each["pieces"]) for each in whole["items"]] == [
        ("A1", 1, 10),
        ("A2", 0, 0),
        ("A1-1", 0, 0),
    ]
    assert send(kept, "PATCH", "boxes/A2", {"parent": "A1-1"})[1]["errors"][0]["pointer"] == "#/parent"
    assert send(kept, "POST", "boxes", {"code": "a b"})[1]["errors"][0]["pointer"] == "#/code"
    assert send(kept, "POST", "boxes", {"code": "A1"})[1]["code"] == "code-taken"
    assert send(kept, "DELETE", "boxes/A1")[1]["code"] == "has-history"
    assert send(kept, "DELETE", "boxes/A1-1") == (204, None)
    assert send(kept, "GET", "boxes/A1-1")[0] == 404


def test_requirements_are_saved_shared_and_forgotten_by_their_owner(kept: Client, stocked: Shelf) -> None:
    define("resistance", unit="ohm", part_type=stocked.part.type)
    body = {"name": "mine", "type_id": stocked.part.type_id, "wanted": {"resistance": "≥ 4k"}, "in_stock": True}
    status, saved = send(kept, "POST", "requirements", body)
    assert (status, saved["user"], saved["wanted"]) == (201, "keeper", {"resistance": "≥ 4k"})
    assert kept.get(f"/api/v1/find?{saved['query']}").json()["requirement"]["in_stock"] is True
    assert send(kept, "POST", "requirements", body | {"wanted": {}})[1]["id"] == saved["id"]
    wrong = send(kept, "POST", "requirements", body | {"wanted": {"resistance": "x"}})[1]
    assert wrong["errors"][0]["pointer"] == "#/wanted/resistance"
    stranger = Client()
    assert send(stranger, "GET", f"requirements/{saved['id']}")[1]["name"] == "mine"
    assert send(stranger, "GET", "requirements?mine=1")[1]["items"] == []
    stranger.force_login(User.objects.create_user("viewer"))
    assert send(stranger, "DELETE", f"requirements/{saved['id']}")[0] == 404
    assert send(kept, "DELETE", f"requirements/{saved['id']}") == (204, None)
