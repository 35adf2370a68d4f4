"""The servers of a distribution, without CloudFront: what they take and how they answer."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.edge.model import Answer, Request
from seatrial.emulator.edge.server import Server
from seatrial.emulator.loadbalancing.places import SHIFT

if TYPE_CHECKING:
    from collections.abc import Iterator

#: An address that nobody else here has, on which every port is free.
ADDRESS, PORT = "127.9.8.7", 20080


def told(request: Request) -> Answer:
    """Answer with what was asked."""
    return Answer(200, (("X-Method", request.method),), f"{request.path} {request.query}".encode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(ADDRESS, PORT, told)
    yield made
    made.stop()


def test_one_connection_carries_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection(ADDRESS, server.port, timeout=10)
    for method, body in (("GET", None), ("POST", b"dropped"), ("HEAD", None), ("BREW", None)):
        connection.request(method, "/a%20b?c=d", body=body)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("X-Method")) == (200, method)
        assert answer.getheader("Content-Length") == "10"
        assert answer.read() == (b"" if method == "HEAD" else b"/a%20b c=d")
    connection.close()


def test_a_port_that_is_taken_is_another_8000_above(server: Server) -> None:
    second = Server(ADDRESS, server.port, told)
    try:
        assert second.port == server.port + SHIFT
    finally:
        second.stop()
