"""The load generator against a real HTTP server: it counts what is served, sees what is not, and stops by itself."""

from __future__ import annotations

import http.server
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from seatrial.rehearsal.load import Load
from seatrial.rehearsal.probe import Aim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Site(http.server.ThreadingHTTPServer):
    """Answers 200 on /, 500 on /broken, and closes every kept connection after ``close_after`` answers."""

    daemon_threads = True
    close_after = 1_000_000

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.seen: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.answers = 0

    def do_GET(self) -> None:
        self.answers += 1
        self.server.seen[self.path] += 1
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "2")
        self.send_header("x-seatrial-target", "10.0.0.1:8000")
        self.end_headers()
        self.wfile.write(b"ok")
        if self.answers >= self.server.close_after:
            self.close_connection = True  # without saying so: the client finds out when it asks again

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_both_clients_send_what_the_rate_says(site: Site, tmp_path: Path) -> None:
    with Load(Aim(site.url, ("/", "/parts")), 100, tmp_path / "samples", at_most=2) as load:
        assert load.wait_for_answers(20)
        load._process.wait(30)
    samples = load.samples()
    assert len(samples) == 200 == load.counts.done
    assert not any(sample.failed for sample in samples)
    assert Counter(sample.client for sample in samples) == {"keep-alive": 100, "connection": 100}
    assert site.seen == {"/": 100, "/parts": 100}
    assert {sample.target for sample in samples} == {"10.0.0.1:8000"}
    assert 100 < site.connections < 180  # one for each of the second client's, a handful kept by the first's


def test_failures_are_counted_and_named(site: Site, tmp_path: Path) -> None:
    with Load(Aim(site.url, ("/broken",)), 50, tmp_path / "samples", at_most=1) as load:
        load._process.wait(30)
    assert load.counts.failed == 50
    assert all(sample.failed and sample.status == 500 for sample in load.samples())


def test_a_refused_connection_is_a_failure(tmp_path: Path) -> None:
    with Load(Aim("http://127.0.0.1:9", ("/",)), 50, tmp_path / "samples", at_most=0.5) as load:
        load._process.wait(30)
    assert {sample.error for sample in load.samples()} == {"ConnectionRefusedError: [Errno 111] Connection refused"}


def test_a_stale_connection_is_asked_again_once_and_told_apart(site: Site, tmp_path: Path) -> None:
    site.close_after = 3
    with Load(Aim(site.url, ("/",)), 60, tmp_path / "samples", at_most=2) as load:
        load._process.wait(30)
    samples = load.samples()
    assert not any(sample.failed for sample in samples)
    assert any(sample.retried for sample in samples)


def test_it_stops_when_told_and_finishes_what_is_under_way(site: Site, tmp_path: Path) -> None:
    load = Load(Aim(site.url, ("/",)), 200, tmp_path / "samples", at_most=60)
    assert load.wait_for_answers(20)
    load.stop()
    load.stop()
    assert load.counts.sent == load.counts.done == len(load.samples()) > 0


def test_it_dies_with_its_parent(site: Site, tmp_path: Path) -> None:
    load = Load(Aim(site.url, ("/",)), 20, tmp_path / "samples", at_most=60)
    assert load.wait_for_answers(20)
    assert load._process.stdin is not None
    load._process.stdin.close()  # as the kernel does when the parent is killed
    assert load._process.wait(20) == 0
    load.stop()
