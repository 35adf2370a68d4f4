"""Cutting connections that another process holds: Envoy ends none for a target that is gone, and an ALB does.

Linux lets a process that may trace another one (the same user's child) take a copy of its descriptor, see
``pidfd_getfd(2)``; a connection that is shut down by the copy is shut down for both.
"""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.loadbalancing.model import Backend

#: The number of the system call, the same on every architecture that has it.
_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


def sever(pid: int, backend: Backend) -> None:
    """Shut down every TCP connection of a process to a target with an IPv4 address. Raises ``OSError``."""
    wanted = _inodes(pid, backend)
    if not wanted:
        return
    process = os.pidfd_open(pid)
    try:
        for descriptor in _descriptors(pid, wanted):
            _shut_down(process, descriptor)
    finally:
        os.close(process)


def _inodes(pid: int, backend: Backend) -> set[str]:
    """Return the sockets that lead to a target, by the numbers of the kernel's table (proc(5), ``/proc/net/tcp``)."""
    address = int.from_bytes(socket.inet_aton(backend.address), "little")
    remote = f"{address:08X}:{backend.port:04X}"
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[2] == remote}


def _descriptors(pid: int, inodes: set[str]) -> Iterator[int]:
    links = {f"socket:[{inode}]" for inode in inodes}
    for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208  # numbers, not paths, are wanted
        try:
            link = os.readlink(f"/proc/{pid}/fd/{name}")  # noqa: PTH115
        except FileNotFoundError:  # closed meanwhile
            continue
        if link in links:
            yield int(name)


def _shut_down(process: int, descriptor: int) -> None:
    copy = _libc.syscall(_PIDFD_GETFD, process, descriptor, 0)
    if copy < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    with socket.socket(fileno=copy) as connection:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended meanwhile
            return
