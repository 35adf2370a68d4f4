"""The load generator: a process of its own, so that its latencies are not those of the release's threads.

Open loop: request *i* is due at start + i / rate whatever became of the ones before, and its latency counts from when
it was due, so a stall is seen in full. Two kinds of client take turns: one keeps connections alive, the other opens
one per request. A kept connection that the server closed before a byte of the answer came is replaced and the request
sent once more, as browsers and Go's client do for GET; that is counted as a stale retry.

Run as ``python -m seatrial.rehearsal.probe``. It ends at SIGTERM, when its standard input closes, or at ``--seconds``,
whichever is first, finishes the requests under way, and writes each sample as one JSON line:
``[due (epoch s), latency (ms), status or null, error or null, target or null, client, path, retried]``.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import queue
import signal
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

CLIENTS = ("keep-alive", "connection")

#: The emulator's load balancer names the target that answered in this header.
TARGET_HEADER = "x-seatrial-target"
_MOST_WORKERS = 256


@dataclass(frozen=True)
class Aim:
    """Where the requests go: ``url`` is scheme, host and port; ``host`` the Host header; ``ca`` a file to trust."""

    url: str
    paths: tuple[str, ...]
    host: str | None = None
    ca: str | None = None
    timeout: float = 10.0

    def connect(self) -> http.client.HTTPConnection:
        """Return a new connection, not yet open."""
        parts = urlsplit(self.url)
        name = parts.hostname or "127.0.0.1"
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            return http.client.HTTPSConnection(name, parts.port or 443, timeout=self.timeout, context=context)
        return http.client.HTTPConnection(name, parts.port or 80, timeout=self.timeout)


@dataclass
class Totals:
    """Counts so far."""

    sent: int = 0
    done: int = 0
    failed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """Sends requests at a fixed rate until told to stop."""

    def __init__(self, aim: Aim, rate: float, sink: IO[str]) -> None:
        self.totals = Totals()
        self._aim = aim
        self._rate = rate
        self._sink = sink
        self._idle: list[http.client.HTTPConnection] = []
        self._due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._waiting = threading.Semaphore(0)

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Send until ``stop`` is set or ``seconds`` are over, then wait for the requests under way."""
        start, epoch = time.monotonic(), time.time()
        for number in itertools.count():
            due = number / self._rate
            if due >= seconds or stop.wait(max(0.0, start + due - time.monotonic())):
                break
            self._hand_over(number, epoch + due)
        for _ in self._workers:
            self._due.put(None)
        for worker in self._workers:
            worker.join()
        for connection in self._idle:
            connection.close()

    def _hand_over(self, number: int, due: float) -> None:
        self.totals.sent += 1
        if not self._waiting.acquire(blocking=False) and len(self._workers) < _MOST_WORKERS:
            worker = threading.Thread(target=self._work, daemon=True)
            self._workers.append(worker)
            worker.start()
        self._due.put((number, due))

    def _work(self) -> None:
        first = True
        while True:
            if not first:
                self._waiting.release()
            first = False
            job = self._due.get()
            if job is None:
                return
            self._request(*job)

    def _request(self, number: int, due: float) -> None:
        keep = number % 2 == 0
        path = self._aim.paths[(number // 2) % len(self._aim.paths)]
        status, target, error, retried = None, None, None, False
        try:
            status, target, retried = (
                self._kept(path) if keep else (*self._once(self._aim.connect(), path, False), False)
            )
        except (OSError, http.client.HTTPException) as problem:
            error = f"{type(problem).__name__}: {problem}"[:120]
        failed = status is None or status >= 400
        line = json.dumps([
            round(due, 4), round((time.time() - due) * 1000, 2), status, error, target,
            CLIENTS[0] if keep else CLIENTS[1], path, retried,
        ])  # fmt: skip
        with self.totals.lock:
            self.totals.done += 1
            self.totals.failed += failed
            self._sink.write(line + "\n")

    def _kept(self, path: str) -> tuple[int, str | None, bool]:
        try:
            connection = self._idle.pop()
        except IndexError:
            return (*self._once(self._aim.connect(), path, True), False)
        try:
            return (*self._once(connection, path, True), False)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            return (*self._once(self._aim.connect(), path, True), True)

    def _once(self, connection: http.client.HTTPConnection, path: str, keep: bool) -> tuple[int, str | None]:
        headers = {"User-Agent": "seatrial-probe"}
        if self._aim.host:
            headers["Host"] = self._aim.host
        if not keep:
            headers["Connection"] = "close"
        answered = False
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            answered = True
        finally:
            if answered and keep and not answer.will_close:
                self._idle.append(connection)
            else:
                connection.close()
        return answer.status, answer.headers.get(TARGET_HEADER)


def main(arguments: list[str] | None = None) -> None:
    """Run the load and print the totals twice a second as JSON lines."""
    parser = argparse.ArgumentParser(description="Open-loop HTTP load on one URL.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--path", action="append", required=True)
    parser.add_argument("--host")
    parser.add_argument("--ca")
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=600.0, help="the most it may run")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds a request may take")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_until_closed, args=(stop,), daemon=True).start()
    with given.output.open("w", encoding="utf-8") as sink:
        aim = Aim(given.url, tuple(given.path), given.host, given.ca, given.timeout)
        load = Load(aim, given.rate, sink)
        ended = threading.Event()
        teller = threading.Thread(target=_tell, args=(load.totals, ended), daemon=True)
        teller.start()
        load.run(stop, given.seconds)
        ended.set()
        teller.join()


def _until_closed(stop: threading.Event) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the process ends
        pass
    stop.set()


def _tell(totals: Totals, ended: threading.Event) -> None:
    last = False
    while not last:
        last = ended.wait(0.5 if totals.done else 0.05)  # the first answer is waited for
        line = json.dumps({"sent": totals.sent, "done": totals.done, "failed": totals.failed})
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
