"""An import as people have it: done by a real worker, followed over a real WebSocket."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from exchange import desk
from exchange.models import Import
from parts.models import Part
from stock.models import Box
from tests.factories import define
from tests.test_live import server
from tests.test_tasks import PATIENCE, worker


@pytest.mark.django_db(transaction=True)
def test_a_file_is_checked_and_imported_while_its_owner_follows(environment: dict[str, str], settings: Any) -> None:
    settings.SECRET_KEY = environment["DJANGO_SECRET_KEY"]  # a session belongs to a key
    keeper = User.objects.create_user("keeper")
    define("resistance", unit="ohm")
    Box.objects.create(code="A1")
    lines = [f"Resistor,Resistor {n},R-{n},4k7,A1,{n}" for n in range(1, 31)]
    content = "\n".join(["type,name,mpn,resistance,box,quantity", *lines]).encode()
    it = desk.hand_in(keeper.pk, "parts.csv", content)
    with server(environment) as (_, socket), worker(environment):
        address = socket.replace("/ws/movements", f"/ws/imports/{it.pk}")
        desk.check(it, it.columns, {})
        assert followed(address, keeper) == {
            "state": "checked",
            "rows": 30,
            "checked": 30,
            "error": "",
            "verdicts": {"create": 30, "update": 0, "same": 0, "error": 0},
        }
        desk.commit(it)
        assert followed(address, keeper)["state"] == Import.State.DONE
        assert Part.objects.count() == 30
        for headers in (
            {},
            cookie(User.objects.create_user("other")),
            cookie(keeper) | {"Origin": "https://evil.example"},
        ):
            with connect(address, additional_headers=headers) as follower:
                with pytest.raises(ConnectionClosed):
                    follower.recv(PATIENCE)
                assert follower.close_code == 1008


SESSION = "sessionid"


def followed(address: str, user: User) -> dict[str, object]:
    """Follow until the server has nothing more to say; return the last that it said."""
    messages = []
    with connect(address, additional_headers=cookie(user)) as follower:
        messages = list(follower)
        assert follower.close_code == 1000
    return dict(json.loads(messages[-1]))


def cookie(user: User) -> dict[str, str]:
    browser = Client()
    browser.force_login(user)
    return {"Cookie": f"{SESSION}={browser.cookies[SESSION].value}"}
