"""What makes a process of a task live at the task's address. Copied into each Python environment; imports only ``os``.

A container may listen on ``0.0.0.0:8000`` because its network is its own. A plain process shares the machine's, so in
a process whose environment has ``SEATRIAL_TASK_ADDRESS``:

* listening on every address (``''``, ``0.0.0.0``, ``::``) means listening on the task's address;
* listening on ``127.0.0.1`` at one of the task's own ports (``SEATRIAL_TASK_PORTS``) means listening on
  ``SEATRIAL_TASK_LOOPBACK``, which nothing outside the task asks, just as nothing reaches a container's loopback;
* connecting to localhost at one of the task's own ports reaches whichever of the two listens.

Every other address is left alone, and so is port 0: the kernel's choice never collides. ``seatrial_task.pth`` calls
:func:`install` when Python starts. What does not use Python's own sockets (uvloop, programs in other languages) is
served by :func:`rewrite_listen` on its command line.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match
    from socket import socket
    from typing import Any

_EVERY = ("", "0", "0.0.0.0", "::")  # noqa: S104  # the very thing that is looked for
_LOCAL = ("localhost", "127.0.0.1", "::1")
_LISTEN = "0A"  # state of a socket in /proc/net/tcp
_MAPPED = "::ffff:"


def install() -> None:
    """Patch ``socket.socket`` of this process, if it belongs to a task."""
    address = os.environ.get("SEATRIAL_TASK_ADDRESS")
    if not address:
        return
    loopback = os.environ["SEATRIAL_TASK_LOOPBACK"]
    ports = frozenset(int(port) for port in os.environ.get("SEATRIAL_TASK_PORTS", "").split(",") if port)
    from socket import AF_INET, AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, socket

    real_bind, real_connect, real_connect_ex = socket.bind, socket.connect, socket.connect_ex

    def bind(self: socket, target: Any) -> None:
        chosen = None
        if self.family in (AF_INET, AF_INET6):
            chosen = listen_at(target[0], target[1], address, loopback, ports)
        if chosen and self.family == AF_INET6 and self.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY):
            real_bind(self, ("::1", 0))  # a task has no IPv6 address: listen where nobody asks
        else:
            real_bind(self, _moved(target, chosen, mapped=self.family == AF_INET6))

    def elsewhere(self: socket, target: Any) -> Any:
        local = self.family in (AF_INET, AF_INET6) and target[0] in _LOCAL + _EVERY and target[1] in ports
        chosen = reach_at(target[1], address, loopback) if local else None
        return _moved(target, chosen, mapped=self.family == AF_INET6)

    def connect(self: socket, target: Any) -> None:
        real_connect(self, elsewhere(self, target))

    def connect_ex(self: socket, target: Any) -> int:
        return real_connect_ex(self, elsewhere(self, target))

    for method in (bind, connect, connect_ex):
        setattr(socket, method.__name__, method)


def listen_at(host: object, port: object, address: str, loopback: str, ports: frozenset[int]) -> str | None:
    """Return where a socket asked to listen on ``host``:``port`` must listen instead, or None: as asked."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode()
    if port == 0:
        return None
    if host in _EVERY:
        return address
    return loopback if host in _LOCAL and port in ports else None


def reach_at(port: int, address: str, loopback: str) -> str:
    """Return where the task's own ``port`` is reached from inside: its address unless only its loopback listens."""
    listening = _listening(port)
    return loopback if loopback in listening and address not in listening else address


def _moved(target: Any, host: str | None, *, mapped: bool) -> Any:
    """Return a socket address with another host; an IPv6 socket takes an IPv4 address in its mapped form."""
    return target if host is None else (_MAPPED + host if mapped else host, target[1])


def rewrite_listen(argument: str, address: str) -> str:
    """Replace "every address" by the task's in one word of a command line (``0.0.0.0:8000``, ``[::]:80``, ``*:80``)."""
    import re

    if argument == "::":
        return address
    argument = re.sub(r"(?<![\d.])0\.0\.0\.0(?![\d.]|/\d)", address, argument)
    return re.sub(r"\[::\](?=:\d)|(?<![^\s=,])\*(?=:\d)", address, argument)


def rewrite_reach(argument: str, ports: frozenset[int], address: str, loopback: str) -> str:
    """Replace localhost by where the task's own port is reached, in one word of a health check's command."""
    import re

    def moved(match: Match[str]) -> str:
        port = int(match["port"] or 80)
        if port not in ports:
            return match[0]
        return reach_at(port, address, loopback) + (match["colon"] or "")

    host = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
    with_port = rf"(?<![\w.-]){host}(?P<colon>:(?P<port>\d+))(?!\d)"
    without = rf"(?<=http://){host}(?P<colon>)(?P<port>)(?=[/\s]|$)"
    return re.sub(without, moved, re.sub(with_port, moved, argument))


def curl_configuration(ports: frozenset[int], address: str, loopback: str) -> str:
    """Return a ``.curlrc`` that connects localhost at the task's own ports to where they are reached."""
    text = ""
    for port in sorted(ports):
        chosen = reach_at(port, address, loopback)
        for host in ("localhost", "127.0.0.1", "[::1]"):
            text += f'connect-to = "{host}:{port}:{chosen}:{port}"\n'
    return text


def _listening(port: int) -> set[str]:
    """Return the IPv4 addresses on which something listens at ``port``, as the kernel tells it."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as lines:  # noqa: PTH123  # pathlib would be imported by every process
                rows = [line.split() for line in lines][1:]
        except OSError:
            continue
        for row in rows:
            host, _, number = row[1].partition(":")
            if row[3] == _LISTEN and int(number, 16) == port:
                quad = bytes.fromhex(host[-8:])[::-1]
                found.add(".".join(str(byte) for byte in quad))
    return found
