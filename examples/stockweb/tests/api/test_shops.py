"""Shops, offers, rates and shopping lists by the API."""

from typing import Any

import pytest
from django.test import Client

from parts.models import Part
from shops.models import Offer, Shop
from tests.factories import Shelf

pytestmark = pytest.mark.django_db

V1 = "/api/v1"


def send(client: Client, method: str, path: str, body: Any) -> tuple[int, Any]:
    answer = getattr(client, method)(f"{V1}{path}", body, content_type="application/json")
    return answer.status_code, answer.json()


def shop(client: Client, **values: Any) -> int:
    status, body = send(client, "post", "/shops", {"name": "Shop", "currency": "EUR", **values})
    assert status == 201, body
    return int(body["id"])


def offer(client: Client, part: int, of: int, sku: str, prices: dict[int, str], **more: Any) -> dict[str, Any]:
    found = [{"min_qty": at, "unit_price": price} for at, price in prices.items()]
    status, body = send(client, "post", f"/parts/{part}/offers", {"shop": of, "sku": sku, "prices": found, **more})
    assert status == 201, body
    return dict(body)


def test_a_shop_is_made_changed_and_deleted(kept: Client) -> None:
    pk = shop(kept, shipping="3.90")
    assert send(kept, "post", "/shops", {"name": "Shop", "currency": "USD"})[0] == 409
    status, body = send(kept, "patch", f"/shops/{pk}", {"name": "Store"})
    assert (status, body["name"], body["shipping"], body["offers"]) == (200, "Store", "3.9", 0)
    assert [each["name"] for each in kept.get(f"{V1}/shops").json()["items"]] == ["Store"]
    assert kept.delete(f"{V1}/shops/{pk}").status_code == 204
    assert kept.get(f"{V1}/shops/{pk}").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"currency": "EUR"}, "#/name"),
        ({"name": "A", "currency": "euro"}, "#/currency"),
        ({"name": "A", "currency": "EUR", "shipping": "-1"}, "#/shipping"),
        ({"name": "A", "currency": "EUR", "url": "javascript:x"}, "#/url"),
    ],
)
def test_a_shop_that_makes_no_sense_is_400(kept: Client, body: Any, pointer: str) -> None:
    status, answer = send(kept, "post", "/shops", body)
    assert (status, [each["pointer"] for each in answer["errors"]]) == (400, [pointer])


def test_an_offer_tells_what_so_many_cost(kept: Client, stocked: Shelf) -> None:
    part = stocked.part.pk
    made = offer(kept, part, shop(kept), "R-1", {1: "0.1", 100: "0.08"}, multiple=5)
    assert made["prices"] == [
        {"min_qty": 1, "unit_price": "0.1"},
        {"min_qty": 100, "unit_price": "0.08"},
    ]
    (told,) = kept.get(f"{V1}/parts/{part}/offers?quantity=81").json()["items"]
    assert told["purchase"] == {"quantity": 100, "unit_price": "0.08", "cost": "8"}
    status, changed = send(
        kept, "patch", f"/offers/{made['id']}", {"prices": [{"min_qty": 1, "unit_price": "0.000001"}]}
    )
    assert (status, changed["purchase"]["cost"], changed["multiple"]) == (200, "0.000005", 5)
    assert kept.get(f"{V1}/offers/{made['id']}?quantity=6").json()["purchase"]["quantity"] == 10
    assert send(kept, "post", f"/parts/{part}/offers", {"shop": made["shop"], "sku": "R-1"})[0] == 409
    assert kept.delete(f"{V1}/offers/{made['id']}").status_code == 204
    assert not Offer.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"sku": "A"}, "#/shop"),
        ({"shop": 0, "sku": "A"}, "#/shop"),
        ({"shop": 1, "sku": "A", "moq": 0}, "#/moq"),
        ({"shop": 1, "sku": "A", "prices": [{"min_qty": 1, "unit_price": "-1"}]}, "#/prices/0/unit_price"),
        ({"shop": 1, "sku": "A", "prices": [{"min_qty": 1, "unit_price": "1"}] * 2}, "#/prices"),
    ],
)
def test_an_offer_that_makes_no_sense_is_400(kept: Client, stocked: Shelf, body: Any, pointer: str) -> None:
    status, answer = send(kept, "post", f"/parts/{stocked.part.pk}/offers", body)
    assert (status, [each["pointer"] for each in answer["errors"]]) == (400, [pointer])


def test_an_offer_in_a_currency_without_a_rate_has_no_purchase_until_there_is_one(kept: Client, stocked: Shelf) -> None:
    made = offer(kept, stocked.part.pk, shop(kept, currency="USD"), "R-1", {1: "2"})
    assert made["purchase"] is None
    rate = {"currency": "USD", "day": "2026-01-02", "worth": "0.8"}
    assert send(kept, "put", "/rates", rate)[0] == 200
    assert send(kept, "put", "/rates", rate | {"worth": "0.9"})[0] == 200
    assert [each["worth"] for each in kept.get(f"{V1}/rates").json()["items"]] == ["0.9"]
    assert kept.get(f"{V1}/offers/{made['id']}").json()["purchase"]["cost"] == "1.8"
    assert send(kept, "put", "/rates", rate | {"worth": "0"})[0] == 400


def test_the_shopping_list_of_what_runs_low(kept: Client, stocked: Shelf) -> None:
    part = stocked.part.pk
    Part.objects.filter(pk=part).update(min_qty=25)
    assert [each["needed"] for each in kept.get(f"{V1}/shopping-list").json()["missing"]] == [15]
    offer(kept, part, shop(kept, shipping="3.90"), "R-1", {1: "0.1"})
    found = kept.get(f"{V1}/shopping-list?shipping=1").json()
    (order,) = found["orders"]
    (item,) = order["items"]
    assert (order["shop_name"], item["sku"], item["needed"], item["quantity"]) == ("Shop", "R-1", 15, 15)
    assert (found["goods"], found["shipping"], found["total"]) == ("1.5", "3.9", "5.4")
    assert (found["exact"], found["currency"], found["missing"]) == (True, "EUR", [])


@pytest.mark.parametrize("query", ["project=7", "boards=3", "project=x", "few=maybe"])
def test_a_shopping_list_of_nothing_is_400(client: Client, db: None, query: str) -> None:
    assert client.get(f"{V1}/shopping-list?{query}").status_code == 400


def test_visitors_look_and_change_nothing(client: Client, stocked: Shelf) -> None:
    assert client.get(f"{V1}/shops").status_code == 200
    assert send(client, "post", "/shops", {"name": "A", "currency": "EUR"})[0] in (401, 403)
    assert not Shop.objects.exists()
