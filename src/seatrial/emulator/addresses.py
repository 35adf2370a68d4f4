"""Loopback addresses: one /16 leased to each emulator, one address for each task and load balancer in it.

A task's address stands in for the elastic network interface that ``awsvpc`` gives it on AWS, so every task can listen
on its own container port. The lease is a locked file that the kernel releases when the process dies, so a killed
emulator blocks nothing and two on one machine never meet.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from pathlib import Path
from typing import IO

FIRST_BLOCK, LAST_BLOCK = 16, 250
TASK_NETS = 120


class BlockLease:
    """127.``block``.0.0/16, ours until :meth:`release` or the end of the process."""

    def __init__(self, block: int, handle: IO[str]) -> None:
        self.block = block
        self._handle = handle

    def release(self) -> None:
        """Give the block back."""
        self._handle.close()


def lease_block(directory: Path | None = None) -> BlockLease:
    """Lease the first free block. ``directory`` holds the lock files (default: one per user in the temp directory).

    Raises ``OSError`` when all 235 are taken.
    """
    directory = directory or Path(tempfile.gettempdir()) / f"seatrial-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    for block in range(FIRST_BLOCK, LAST_BLOCK + 1):
        handle = (directory / f"block-{block}.lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            continue
        return BlockLease(block, handle)
    raise OSError(f"all loopback blocks from 127.{FIRST_BLOCK} to 127.{LAST_BLOCK} are leased by running emulators")


def private_address(task: str) -> str:
    """Return the address that stands for ``127.0.0.1`` inside the task at ``task``.

    What a task binds to its own loopback must not be reached from outside it, nor meet another task's.
    """
    first, block, third, last = task.split(".")
    return f"{first}.{block}.{int(third) + TASK_NETS}.{last}"


class Addresses:
    """Hands out the addresses of one block: 127.B.0.x to load balancers, 127.B.1.x to 127.B.120.x to tasks in turn.

    The nets above, up to 240, belong to the same tasks again, see :func:`private_address`. Databases and caches have
    127.B.250.x, CloudFront's distributions 127.B.251.x.
    """

    def __init__(self, block: int) -> None:
        self._block = block
        self._lock = threading.Lock()
        self._next_task = 0
        self._balancers = 0
        self._stores = 0
        self._distributions = 0

    def task(self) -> str:
        """Return the next task address, one not handed out within the last 30,000."""
        with self._lock:
            number = self._next_task % (TASK_NETS * 250)
            self._next_task += 1
        return f"127.{self._block}.{number // 250 + 1}.{number % 250 + 1}"

    def load_balancer(self) -> str:
        """Return the next load balancer address. Raises ``OSError`` after 250."""
        with self._lock:
            self._balancers += 1
            if self._balancers > 250:
                raise OSError(f"no load balancer address left in 127.{self._block}.0.0/24")
            return f"127.{self._block}.0.{self._balancers}"

    def store(self) -> str:
        """Return the next address for a database or cache. Raises ``OSError`` after 250."""
        with self._lock:
            self._stores += 1
            if self._stores > 250:
                raise OSError(f"no address for a database left in 127.{self._block}.250.0/24")
            return f"127.{self._block}.250.{self._stores}"

    def distribution(self) -> str:
        """Return the next address for a distribution. Raises ``OSError`` after 250."""
        with self._lock:
            self._distributions += 1
            if self._distributions > 250:
                raise OSError(f"no address for a distribution left in 127.{self._block}.251.0/24")
            return f"127.{self._block}.251.{self._distributions}"
