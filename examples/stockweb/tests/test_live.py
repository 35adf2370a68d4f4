"""Browsers that follow the stock, by uvicorn as seatrial.toml starts it."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from live import events
from live.socket import asked_for
from local.services import free_port
from stock import ledger
from stock.models import Event, Movement
from tests.conftest import PROJECT
from tests.factories import shelf
from tests.test_web_process import PATIENCE, listens


@contextmanager
def server(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run uvicorn on a free port; yield it with the address to follow when it listens."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "stockweb.asgi:application", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--lifespan", "on", "--no-access-log"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and not listens(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, f"ws://127.0.0.1:{port}/ws/movements"
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def heard(follower: ClientConnection) -> dict[str, Any]:
    return json.loads(follower.recv(PATIENCE))


@pytest.mark.django_db(transaction=True)
def test_who_follows_hears_everything_once_and_in_order(environment: dict[str, str]) -> None:
    world = shelf()
    part, box = world.part.pk, world.first.pk
    with server(environment) as (process, address):
        with connect(address) as follower:
            hello = heard(follower)
            assert hello == {"position": events.newest()}
            ledger.take(part, box, 3)
            event = heard(follower)
            assert event["position"] > hello["position"]
            assert {**event, "position": 0, "movement": 0, "at": ""} == {
                "position": 0,
                "movement": 0,
                "part": {"id": part, "name": "Resistor 4k7"},
                "box": "A1",
                "deed": "taken from",
                "change": "−3",
                "balance": 7,
                "at": "",
            }
        ledger.add(part, box, 1)  # nobody follows
        ledger.add(part, box, 2)
        with connect(f"{address}?after={event['position']}") as follower:
            assert heard(follower) == {"position": event["position"]}
            assert [heard(follower)["change"] for _ in range(2)] == ["+1", "+2"]
        with connect(f"{address}?after=0") as follower:  # older than what the process keeps: from the database
            heard(follower)
            assert [heard(follower)["change"] for _ in range(4)] == ["+10", "−3", "+1", "+2"]
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                follower.recv(PATIENCE)
            assert follower.close_code == 1012  # service restart
        output, _ = process.communicate(timeout=PATIENCE)
    # uvicorn raises the signal again when it has shut down in order
    assert process.returncode == -signal.SIGTERM, output
    assert {json.loads(line)["version"] for line in output.splitlines()} == {"v7"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["?after=soon", "?after=-1", "?after=999999999"])
def test_a_position_that_makes_no_sense_is_refused_for_good(environment: dict[str, str], query: str) -> None:
    with server(environment) as (_, address), connect(address + query) as follower:
        with pytest.raises(ConnectionClosed):
            follower.recv(PATIENCE)
        assert follower.close_code == 1008


@pytest.mark.parametrize(
    ("query", "position"), [(b"", -1), (b"after=", -1), (b"after=12", 12), (b"after=x", None), (b"after=%C2%B2", None)]
)
def test_the_position_asked_for(query: bytes, position: int | None) -> None:
    assert asked_for(query) == position


@pytest.mark.django_db(transaction=True)
def test_positions_ascend_in_the_order_in_which_movements_can_be_seen() -> None:
    """The first of two transactions commits last: its movement has the lower id and the higher position."""
    world = shelf()
    written, seen = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                ledger.add(world.part.pk, world.first.pk, 1)
                written.set()
                assert seen.wait(PATIENCE)
        finally:
            connection.close()

    before = events.newest()
    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(PATIENCE)
    ledger.add(world.part.pk, world.second.pk, 2)
    (first,) = events.after(before)
    seen.set()
    thread.join()
    (second,) = events.after(first.position)
    assert [json.loads(each.text)["change"] for each in (first, second)] == ["+2", "+1"]
    assert json.loads(first.text)["movement"] > json.loads(second.text)["movement"]


@pytest.mark.django_db(transaction=True)
def test_every_movement_is_announced_once_and_what_was_taken_back_never() -> None:
    world = shelf()
    ledger.move(world.part.pk, world.first.pk, world.second.pk, 4)
    with pytest.raises(ledger.Short):
        ledger.take(world.part.pk, world.first.pk, 99)
    with transaction.atomic():
        ledger.add(world.part.pk, world.first.pk, 5)
        transaction.set_rollback(True)
    announced = list(Event.objects.order_by("pk").values_list("movement_id", flat=True))
    assert sorted(announced) == sorted(Movement.objects.values_list("pk", flat=True))
    assert len(announced) == 3
