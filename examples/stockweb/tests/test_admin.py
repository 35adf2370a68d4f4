"""Django's admin: definitions can be kept there, stock can only be read."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from people.models import Token
from stock.models import Lot, Movement
from tests.factories import Shelf

pytestmark = pytest.mark.django_db

READABLE = ["parts/parttype", "parts/part", "stock/box", "stock/lot", "stock/movement", "people/token", "auth/user"]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("table", READABLE)
def test_every_table_can_be_read(admin: Client, stocked: Shelf, table: str) -> None:
    assert admin.get(f"/admin/{table}/").status_code == 200


@pytest.mark.parametrize(("table", "row"), [("stock/lot", Lot), ("stock/movement", Movement)])
def test_stock_cannot_be_written(admin: Client, stocked: Shelf, table: str, row: Any) -> None:
    pk = row.objects.get().pk
    assert admin.get(f"/admin/{table}/add/").status_code == 403
    assert admin.get(f"/admin/{table}/{pk}/change/").status_code == 200
    assert admin.post(f"/admin/{table}/{pk}/change/", {"qty": 99}).status_code == 403
    assert admin.post(f"/admin/{table}/{pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_part_with_an_attribute_can_be_made(admin: Client, stocked: Shelf) -> None:
    form = {
        "type": stocked.part.type_id,
        "name": "Resistor 10k",
        "min_qty": 0,
        "values-TOTAL_FORMS": 0,
        "values-INITIAL_FORMS": 0,
    }
    assert admin.post("/admin/parts/part/add/", form).status_code == 302


def test_a_token_can_be_revoked_and_not_be_made(admin: Client, keeper: User) -> None:
    token, text = Token.make(keeper.pk, "scale", Token.Scope.READ, None)
    assert admin.get("/admin/people/token/add/").status_code == 403
    page = admin.get(f"/admin/people/token/{token.pk}/change/").content.decode()
    assert text not in page
    assert token.digest not in page
    assert admin.post(f"/admin/people/token/{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/me").status_code == 401


def test_the_admin_is_closed_to_keepers(kept: Client) -> None:
    assert kept.get("/admin/").status_code == 302
