"""What smoke checks do on this machine: requests to a real server, real processes."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.loadbalancing.certificates import Authority
from seatrial.release.probes import Probes, Request
from tests.functional.emulator.runtime.support import alive
from tests.functional.emulator.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.headers.get('X-Test')}".encode()
        self.send_response(int(self.path.removeprefix("/")))
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    it = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=it.serve_forever)
    thread.start()
    yield it
    it.shutdown()
    thread.join()
    it.server_close()


def address(server: ThreadingHTTPServer) -> str:
    return f"127.0.0.1:{server.server_port}"


def test_an_answer_of_any_status_with_the_headers_that_were_asked_for(server: ThreadingHTTPServer) -> None:
    probes = Probes()
    answer = probes.get(Request(address(server), "/503", host="shop.example", headers={"X-Test": "1"}))
    assert (answer.status, answer.text, answer.problem) == (503, "shop.example 1", None)
    assert probes.get(Request(address(server), "/302")).status == 302
    assert probes.get(Request(address(server), "/200")).text == f"{address(server)} None"


def test_no_answer_says_why() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        answer = Probes().get(Request(f"127.0.0.1:{taken.getsockname()[1]}", "/", timeout=5))
    assert (answer.status, answer.text) == (None, "")
    assert "refused" in (answer.problem or "")


def test_a_certificate_is_checked_for_the_host_and_not_for_the_address(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, datetime.now(UTC))
    certificate = authority.issue(["shop.example"], "127.0.0.9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    probes = Probes()
    assert probes.get(Request(address(server), "/200", secure=True, host="shop.example")).status == 200
    other = probes.get(Request(address(server), "/200", secure=True, host="other.example"))
    assert "certificate verify failed" in (other.problem or "")
    assert probes.get(Request(address(server), "/200", secure=True, host="other.example", trusted=False)).status == 200


def run(code: str, directory: Path, *, timeout: float = 30, stop: bool = False) -> tuple[int | None, str, str | None]:
    ran = Probes().run(
        [sys.executable, "-c", code], directory, {"SEATRIAL_VERSION": "v1"}, timeout=timeout, stop=lambda: stop
    )
    return ran.exit_code, ran.output, ran.problem


def test_a_program_is_told_and_its_output_and_exit_code_come_back(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(os.environ['SEATRIAL_VERSION'], os.getcwd()); print('bad', file=sys.stderr); sys.exit(7)"
    )
    exit_code, output, problem = run(code, tmp_path)
    assert (exit_code, problem) == (7, None)
    assert sorted(output.splitlines()) == sorted([f"v1 {tmp_path}", "bad"])


def test_a_program_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; child = subprocess.Popen(['sleep', '600']);print(child.pid, flush=True); child.wait()"
    )
    exit_code, output, problem = run(code, tmp_path, timeout=1)
    assert (exit_code, problem) == (None, "did not end within 1 s")
    eventually(lambda: not alive(int(output)))


def test_a_program_is_ended_when_somebody_says_so(tmp_path: Path) -> None:
    assert run("import time; time.sleep(600)", tmp_path, stop=True) == (None, "", "was interrupted")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    ran = Probes().run(["./no-such-program"], tmp_path, {}, timeout=5, stop=lambda: False)
    assert ran.exit_code is None
    assert (ran.problem or "").startswith("cannot be started: ")
