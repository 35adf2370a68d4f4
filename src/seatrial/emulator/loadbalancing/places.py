"""Where listeners really listen: each load balancer's own loopback address, and AWS's port where that can be had."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing.lowering import Place

if TYPE_CHECKING:
    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.loadbalancing.snapshot import Snapshot

#: Added to a port that may not be bound, such as 80 by an ordinary user.
SHIFT = 8000


class Places:
    """Gives each balancer an address and each listener a port, and keeps them."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._lock = threading.Lock()
        self._of_balancer: dict[str, str] = {}
        self._ports: dict[tuple[str, int], int] = {}

    def address(self, balancer: str) -> str:
        """Return the address of a load balancer (its ARN), the same one each time."""
        with self._lock:
            if balancer not in self._of_balancer:
                self._of_balancer[balancer] = self._addresses.load_balancer()
            return self._of_balancer[balancer]

    def of(self, snapshot: Snapshot) -> dict[str, Place]:
        """Return where each listener (by ARN) of the application load balancers listens."""
        found: dict[str, Place] = {}
        for balancer in snapshot.balancers:
            if balancer.type == "application":
                address = self.address(balancer.arn)
                for listener in balancer.listeners:
                    found[listener.arn] = Place(address, self._port(address, listener.port))
        return found

    def _port(self, address: str, wanted: int) -> int:
        with self._lock:
            key = (address, wanted)
            if key not in self._ports:
                self._ports[key] = _bindable(address, wanted)
            return self._ports[key]


def _bindable(address: str, wanted: int) -> int:
    """Return the first of ``wanted``, ``wanted`` + 8000 and any port that this process may bind on ``address``."""
    for port in (wanted, wanted + SHIFT):
        if port <= 65535 and _bind(address, port):
            return port
    return _bind(address, 0)


def _bind(address: str, port: int) -> int:
    """Return the port that could be bound (``port``, or any for 0); 0 where it cannot."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address, port))
        except OSError:
            return 0
        return int(attempt.getsockname()[1])
