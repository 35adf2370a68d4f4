"""Where a process of a task listens and what it reaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.addresses import Addresses, private_address
from seatrial.emulator.runtime.task_address import listen_at, rewrite_listen, rewrite_reach

TASK, LOOPBACK = "127.20.1.5", "127.20.121.5"
PORTS = frozenset({80, 8000})


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("0.0.0.0", 8000, TASK),
        ("", 8000, TASK),
        ("::", 8000, TASK),
        (b"0.0.0.0", 9000, TASK),
        ("0.0.0.0", 0, None),
        ("127.0.0.1", 8000, LOOPBACK),
        ("localhost", 8000, LOOPBACK),
        ("127.0.0.1", 9000, None),
        ("192.0.2.1", 8000, None),
    ],
)
def test_where_a_socket_listens(host: object, port: int, expected: str | None) -> None:
    assert listen_at(host, port, TASK, LOOPBACK, PORTS) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("0.0.0.0:8000", f"{TASK}:8000"),
        ("0.0.0.0", TASK),
        ("::", TASK),
        ("[::]:8000", f"{TASK}:8000"),
        ("--bind=0.0.0.0:8000", f"--bind={TASK}:8000"),
        ("-b0.0.0.0:8000", f"-b{TASK}:8000"),
        ("*:8000", f"{TASK}:8000"),
        ("tcp:8000:interface=0.0.0.0", f"tcp:8000:interface={TASK}"),
        ("exec gunicorn --bind 0.0.0.0:$PORT app", f"exec gunicorn --bind {TASK}:$PORT app"),
        ("--forwarded-allow-ips=*", "--forwarded-allow-ips=*"),
        ("--trusted=0.0.0.0/0", "--trusted=0.0.0.0/0"),
        ("10.0.0.0:8000", "10.0.0.0:8000"),
        ("0.0.0.0.example", "0.0.0.0.example"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("a.b.c::d", "a.b.c::d"),
    ],
)
def test_every_address_on_a_command_line(argument: str, expected: str) -> None:
    assert rewrite_listen(argument, TASK) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("curl -f http://localhost:8000/health || exit 1", f"curl -f http://{TASK}:8000/health || exit 1"),
        ("http://127.0.0.1:8000", f"http://{TASK}:8000"),
        ("http://[::1]:8000/", f"http://{TASK}:8000/"),
        ("http://localhost/", f"http://{TASK}/"),
        ("http://localhost", f"http://{TASK}"),
        ("localhost:5432", "localhost:5432"),
        ("localhost:80001", "localhost:80001"),
        ("my.localhost:8000", "my.localhost:8000"),
        ("-h localhost", "-h localhost"),
    ],
)
def test_localhost_in_a_health_check(argument: str, expected: str) -> None:
    assert rewrite_reach(argument, PORTS, TASK, LOOPBACK) == expected


@given(st.integers(min_value=1, max_value=500))
def test_no_two_tasks_share_an_address_nor_a_loopback(count: int) -> None:
    addresses = Addresses(20)
    tasks = [addresses.task() for _ in range(count)]
    everything = [*tasks, *(private_address(task) for task in tasks)]
    assert len(set(everything)) == 2 * count
    assert not [address for address in everything if address.startswith("127.20.0.")]
