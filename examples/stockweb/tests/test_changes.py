"""Changing stock by the forms on the pages."""

import uuid
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from people.roles import role_of
from stock.models import Movement
from tests.factories import Shelf

pytestmark = pytest.mark.django_db


def send(client: Client, stocked: Shelf, action: str = "take", **fields: Any) -> str:
    """Send the form of a list row and return the page that it leads to."""
    data = {"action": action, "box": stocked.first.pk, "quantity": 3, "key": uuid.uuid4(), "next": "/parts/?q=4k7"}
    answer = client.post(f"/parts/{stocked.part.pk}/change/", data | fields)
    assert answer.status_code == 302
    assert answer["Location"] == f"/parts/?q=4k7#part-{stocked.part.pk}"
    return client.get("/parts/?q=4k7").content.decode()


@pytest.mark.parametrize("path", ["/parts/{part}/change/", "/parts/{part}/move/", "/movements/{movement}/undo/"])
def test_changes_need_a_login(client: Client, stocked: Shelf, path: str) -> None:
    where = path.format(part=stocked.part.pk, movement=Movement.objects.get().pk)
    answer = client.post(where, {"action": "take", "box": stocked.first.pk, "quantity": 1, "key": uuid.uuid4()})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert stocked.qty(stocked.first) == 10


@pytest.mark.parametrize("path", ["/parts/{part}/change/", "/parts/{part}/move/", "/movements/{movement}/undo/"])
def test_changes_are_not_made_by_following_a_link(kept: Client, stocked: Shelf, path: str) -> None:
    assert kept.get(path.format(part=stocked.part.pk, movement=Movement.objects.get().pk)).status_code == 405


def test_changes_need_the_token_of_a_form(stocked: Shelf, keeper: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(keeper)
    assert strict.post(f"/parts/{stocked.part.pk}/change/", {"action": "take"}).status_code == 403


def test_take_from_the_row(kept: Client, stocked: Shelf, keeper: Any) -> None:
    page = send(kept, stocked)
    assert "Took 3 × Resistor 4k7 from A1: 7 there now." in page
    assert Movement.objects.first().user == keeper


def test_add_from_the_row(kept: Client, stocked: Shelf) -> None:
    assert "Added 3 × Resistor 4k7 to A2: 3 there now." in send(kept, stocked, "add", box=stocked.second.pk)


def test_the_form_sent_twice_is_done_once(kept: Client, stocked: Shelf) -> None:
    key = uuid.uuid4()
    send(kept, stocked, key=key)
    assert "That was done already, and not again." in send(kept, stocked, key=key)
    assert stocked.qty(stocked.first) == 7


def test_too_much_says_how_much_there_is(kept: Client, stocked: Shelf) -> None:
    assert "Only 10 × Resistor 4k7 left there, not 11." in send(kept, stocked, quantity=11)


@pytest.mark.parametrize(
    "fields", [{"quantity": 0}, {"quantity": "many"}, {"box": 999}, {"box": ""}, {"key": "x"}, {"action": "burn"}]
)
def test_a_wrong_form_changes_nothing_and_says_so(kept: Client, stocked: Shelf, fields: dict[str, Any]) -> None:
    assert "Resistor 4k7 is unchanged." in send(kept, stocked, **fields)
    assert stocked.qty(stocked.first) == 10


def test_the_message_offers_to_undo(kept: Client, stocked: Shelf) -> None:
    page = send(kept, stocked)
    movement = Movement.objects.first()
    assert f'action="/movements/{movement.pk}/undo/"' in page
    answer = kept.post(f"/movements/{movement.pk}/undo/", {"next": "/parts/"}, follow=True)
    assert "Undone: 3 × Resistor 4k7." in answer.content.decode()
    assert stocked.qty(stocked.first) == 10


def test_undo_of_what_is_gone_says_so(kept: Client, stocked: Shelf) -> None:
    added = Movement.objects.get()
    send(kept, stocked)
    answer = kept.post(f"/movements/{added.pk}/undo/", follow=True)
    assert "Cannot undo: only 7 × Resistor 4k7 left of those 10." in answer.content.decode()


def test_undo_of_an_undo_says_no(kept: Client, stocked: Shelf) -> None:
    kept.post(f"/movements/{Movement.objects.get().pk}/undo/")
    answer = kept.post(f"/movements/{Movement.objects.first().pk}/undo/", follow=True)
    assert "An undo cannot be undone." in answer.content.decode()


def test_move_to_another_box(kept: Client, stocked: Shelf) -> None:
    form = {"source": stocked.first.pk, "target": stocked.second.pk, "quantity": 4, "key": uuid.uuid4()}
    answer = kept.post(f"/parts/{stocked.part.pk}/move/", form, follow=True)
    assert "Moved 4 × Resistor 4k7 from A1 to A2." in answer.content.decode()
    assert (stocked.qty(stocked.first), stocked.qty(stocked.second)) == (6, 4)


def test_move_into_the_same_box_says_no(kept: Client, stocked: Shelf) -> None:
    form = {"source": stocked.first.pk, "target": stocked.first.pk, "quantity": 4, "key": uuid.uuid4()}
    answer = kept.post(f"/parts/{stocked.part.pk}/move/", form, follow=True)
    assert "is unchanged: both boxes are the same." in answer.content.decode()


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_a_change_leads_back_to_this_site_only(kept: Client, stocked: Shelf, target: str) -> None:
    form = {"action": "add", "box": stocked.first.pk, "quantity": 1, "key": uuid.uuid4(), "next": target}
    answer = kept.post(f"/parts/{stocked.part.pk}/change/", form)
    assert answer["Location"] == f"/parts/{stocked.part.pk}/#part-{stocked.part.pk}"


def test_an_invitation_is_a_link_that_sets_a_password_once(
    client: Client, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("invite", "alice", "--admin")
    link = capsys.readouterr().out.splitlines()[-1]
    opened = client.get(link, follow=True)
    assert b"Set your password" in opened.content
    form, _ = opened.redirect_chain[-1]
    assert b"too common" in client.post(form, {"new_password1": "password", "new_password2": "password"}).content
    assert client.post(form, {"new_password1": "four-7-pins", "new_password2": "four-7-pins"}).status_code == 302
    assert client.login(username="alice", password="four-7-pins")
    assert client.get("/admin/").status_code == 200
    assert b"no longer good" in Client().get(link).content


def test_an_invitation_of_somebody_known_changes_nothing_until_the_link_is_used(
    client: Client, keeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("invite", "keeper")
    assert capsys.readouterr().out.startswith("known user keeper")
    assert client.login(username="keeper", password="keeper")
    assert client.get("/admin/").status_code == 302


def test_an_invitation_says_the_role(db: None) -> None:
    for arguments, role in [((), "keeper"), (("--role", "viewer"), "viewer"), (("--admin",), "admin"), ((), "admin")]:
        call_command("invite", "alice", "--email", "alice@stockweb.example", *arguments, stdout=StringIO())
        alice = User.objects.get()
        assert (role_of(alice), alice.is_staff, alice.email) == (role, role == "admin", "alice@stockweb.example")
    with pytest.raises(CommandError, match="the only admin"):
        call_command("invite", "alice", "--role", "viewer")


def test_log_in_and_out_by_the_forms(client: Client, keeper: Any) -> None:
    assert b"do not match" in client.post("/accounts/login/", {"username": "keeper", "password": "wrong"}).content
    answer = client.post("/accounts/login/", {"username": "keeper", "password": "keeper", "next": "/boxes/"})
    assert answer["Location"] == "/boxes/"
    assert b"Log out keeper" in client.get("/").content
    client.post("/accounts/logout/")
    assert b"Log out keeper" not in client.get("/").content
