"""``emulator.json``: how a running emulator is found by others, and how a dead one is told from it.

It lies in the emulator's state directory, ``.seatrial/emulator/NAME/`` below the project.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.emulator.identity import is_running, started_at

if TYPE_CHECKING:
    from seatrial.emulator.settings import EmulatorSettings

FILE = "emulator.json"


@dataclass(frozen=True)
class EmulatorInfo:
    """One emulator from outside. ``started`` (clock ticks since boot) tells its process from one with a recycled id."""

    name: str
    state: Path
    pid: int
    started: int
    port: int
    endpoint: str
    block: int
    region: str
    runtime: str
    proxy: str
    time_scale: float
    keep: bool

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return is_running(self.pid, self.started)

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        return asdict(self) | {"state": str(self.state)}


def of_this_process(settings: EmulatorSettings) -> EmulatorInfo:
    """Describe the emulator that this process is."""
    pid = os.getpid()
    started = started_at(pid)
    assert started is not None  # we are running
    return EmulatorInfo(
        name=settings.name,
        state=settings.state,
        pid=pid,
        started=started,
        port=settings.port,
        endpoint=settings.endpoint,
        block=settings.block,
        region=settings.region,
        runtime=settings.runtime,
        proxy=settings.proxy,
        time_scale=settings.time_scale,
        keep=settings.keep,
    )


def write(info: EmulatorInfo) -> None:
    """Write the file in one step, so that nobody reads half of it."""
    partial = info.state / f"{FILE}.{info.pid}"
    partial.write_text(json.dumps(info.to_json(), indent=2) + "\n", encoding="utf-8")
    partial.rename(info.state / FILE)


def read(state: Path) -> EmulatorInfo | None:
    """Return what the file says, alive or not; None where there is none or it is not ours to understand."""
    try:
        data = json.loads((state / FILE).read_text(encoding="utf-8"))
        return replace(EmulatorInfo(**data), state=Path(data["state"]))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None


def remove(state: Path) -> None:
    """Remove the file: the emulator is gone."""
    (state / FILE).unlink(missing_ok=True)
