"""Low stock, and telling it once for each dip."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection

from stock import ledger, low_stock
from stock.models import LowStockAlert
from tests.factories import Shelf, part, shelf

pytestmark = pytest.mark.django_db


def minimum(world: Shelf, quantity: int) -> None:
    world.part.min_qty = quantity
    world.part.save()


def test_low_is_below_the_minimum_over_all_boxes(stocked: Shelf) -> None:
    part("No minimum")
    never = part("Never had any", min_qty=1)
    ledger.add(stocked.part.pk, stocked.second.pk, 5)
    minimum(stocked, 15)
    assert list(low_stock.low_parts()) == [never]
    minimum(stocked, 16)
    assert [(each.name, each.total) for each in low_stock.low_parts()] == [("Never had any", 0), ("Resistor 4k7", 15)]


def test_a_dip_is_told_once_and_the_next_dip_again(stocked: Shelf, mailoutbox: list[mail.EmailMessage]) -> None:
    minimum(stocked, 10)
    assert low_stock.send_digest() == []
    ledger.take(stocked.part.pk, stocked.first.pk, 1)
    assert low_stock.send_digest() == [stocked.part]
    ledger.take(stocked.part.pk, stocked.first.pk, 1)
    assert low_stock.send_digest() == []
    ledger.add(stocked.part.pk, stocked.first.pk, 9)
    assert low_stock.send_digest() == []
    ledger.take(stocked.part.pk, stocked.first.pk, 9)
    assert low_stock.send_digest() == [stocked.part]
    assert [message.subject for message in mailoutbox] == ["Low stock: Resistor 4k7"] * 2
    assert "9 of at least 10  Resistor 4k7" in mailoutbox[0].body
    assert mailoutbox[0].to == ["keeper@stockweb.example"]


def test_a_digest_names_all_that_dipped(stocked: Shelf, mailoutbox: list[mail.EmailMessage]) -> None:
    part("Empty", min_qty=5)
    minimum(stocked, 99)
    low_stock.send_digest()
    assert mailoutbox[0].subject == "Low stock: Empty and 1 more"


def test_a_mail_that_fails_is_sent_by_the_next_run(stocked: Shelf, settings: Any, mailoutbox: list[Any]) -> None:
    minimum(stocked, 99)
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "tests.test_low_stock.NoMail"
    with pytest.raises(ConnectionRefusedError):
        low_stock.send_digest()
    assert not LowStockAlert.objects.exists()
    settings.EMAIL_BACKEND = working
    assert low_stock.send_digest() == [stocked.part]


def test_nobody_to_tell_is_no_error(stocked: Shelf, settings: Any, mailoutbox: list[Any]) -> None:
    settings.LOW_STOCK_RECIPIENTS = []
    minimum(stocked, 99)
    assert low_stock.send_digest() == [stocked.part]
    assert mailoutbox == []


def test_the_command_says_what_it_told(stocked: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    minimum(stocked, 99)
    call_command("send_low_stock_digest")
    assert capsys.readouterr().out == "Resistor 4k7: 10 of at least 99\n1 newly low\n"


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_it_once(mailoutbox: list[Any]) -> None:
    minimum(shelf(), 99)
    start = threading.Barrier(4)

    def run(_number: int) -> int:
        try:
            connection.ensure_connection()
            start.wait(30)
            return len(low_stock.send_digest())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(run, range(4))) == [0, 0, 0, 1]
    assert len(mailoutbox) == 1


class NoMail:
    """A mail server that does not answer."""

    def __init__(self, **_options: Any) -> None:
        pass

    def send_messages(self, _messages: Any) -> int:
        raise ConnectionRefusedError
