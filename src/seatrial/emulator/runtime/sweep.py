"""Removing the containers and volumes of one emulator by their label. Also a program that does it when its parent dies.

The program waits for the end of its standard input, which only the emulator holds: it ends with the emulator, however
that ends. Speaks the Docker API over its Unix socket with the standard library alone.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
from urllib.parse import quote

LABEL = "seatrial.emulator"
ROLE = "seatrial.role"
NETWORK = "network"
_SECONDS = 60
_ROUNDS = 5  # the engine may refuse a removal while another one is under way


def sweep(path: str, emulator: str) -> None:
    """Remove everything labelled with ``emulator`` from the engine at socket ``path``."""
    wanted = quote(json.dumps({"label": [f"{LABEL}={emulator}"]}))
    for _ in range(_ROUNDS):
        containers = json.loads(_ask(path, "GET", f"/containers/json?all=true&filters={wanted}") or b"[]")
        for container in containers:  # first, because Podman's forced removal waits ten seconds for SIGTERM to act
            _ask(path, "POST", f"/containers/{container['Id']}/kill?signal=SIGKILL")
        # A container that holds a network goes after those that use it: Podman insists.
        for container in sorted(containers, key=lambda one: one["Labels"].get(ROLE) == NETWORK):
            _ask(path, "DELETE", f"/containers/{container['Id']}?force=true&v=true")
        if not containers:
            break
    volumes = json.loads(_ask(path, "GET", f"/volumes?filters={wanted}") or b"{}").get("Volumes")
    for volume in volumes or []:
        _ask(path, "DELETE", f"/volumes/{volume['Name']}?force=true")


def _ask(path: str, method: str, url: str) -> bytes:
    connection = _Connection(path)
    try:
        connection.request(method, "/v1.41" + url)
        return connection.getresponse().read()
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    sweep(sys.argv[1], sys.argv[2])
