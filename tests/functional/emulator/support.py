"""Emulators for tests: started for real, and nothing of them may be left."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.emulator import process
from seatrial.emulator.children import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.emulator.state import EmulatorInfo


@dataclass(frozen=True)
class Running:
    """One emulator and the project directory it was started for."""

    info: EmulatorInfo
    project: Path

    def client(self, service: str, region: str | None = None) -> Any:
        return client(self.info, service, region)


@contextlib.contextmanager
def emulator(project: Path, name: str = "local", **options: Any) -> Iterator[Running]:
    """An emulator for the time of the block. Afterwards nothing of it is alive."""
    chosen: dict[str, Any] = {"runtime": "process", "proxy": "builtin", "time_scale": 0.1}
    info = process.start(name, project, **(chosen | options))
    try:
        yield Running(info, project)
    finally:
        process.stop(name, project)
        assert_nothing_left(info)


def client(info: EmulatorInfo, service: str, region: str | None = None) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=info.endpoint,
        region_name=region or info.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def environment(info: EmulatorInfo) -> dict[str, str]:
    """What a command-line client needs to find the emulator."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "AWS_ENDPOINT_URL": info.endpoint,
        "AWS_DEFAULT_REGION": info.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_PAGER": "",
    }


def eventually(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Return the first true value of ``what``, fail after that many seconds."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > until:
            assert value, "did not happen in time"
            return value
        time.sleep(0.05)


def assert_nothing_left(info: EmulatorInfo) -> None:
    """No process of the emulator is alive and nothing listens in its block."""
    eventually(lambda: not processes_of(info.state), 10.0)
    eventually(lambda: not listening_in(info.block), 10.0)


def processes_of(state: Path) -> dict[int, str]:
    """Processes that carry the emulator's mark, work in its directory or name it: id → command line.

    Several signs, because a server that sets its process title overwrites its environment.
    """
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            marks = (entry / "environ").read_bytes().split(b"\0")
            place = str((entry / "cwd").readlink())
        except OSError:  # ended meanwhile, or a kernel thread
            continue
        if f"{MARK}={state}".encode() in marks or place.startswith(str(state)) or str(state) in command:
            found[int(entry.name)] = command
    return found


def listening_in(block: int) -> list[str]:
    """Addresses of 127.``block``.0.0/16 that something listens on (``/proc/net/tcp`` writes them little-endian)."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        address, port = fields[1].split(":")
        octets = [int(address[each : each + 2], 16) for each in (6, 4, 2, 0)]
        if fields[3] == "0A" and octets[:2] == [127, block]:
            found.append(f"{'.'.join(map(str, octets))}:{int(port, 16)}")
    return found
