"""What one emulator is started with. Frozen, written to its state directory, read by every engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class EmulatorSettings:
    """One emulator.

    ``state`` is its private directory (logs, images, databases). ``time_scale`` multiplies every wait that only AWS
    imposes (health-check intervals, deregistration delay, back-off): 1.0 is AWS's own pace, 0.1 ten times faster.
    ``block`` is the second octet of the loopback /16 that this emulator leased: tasks and load balancers live there.
    """

    name: str
    state: Path
    port: int
    block: int
    region: str = "eu-west-1"
    account: str = ACCOUNT
    time_scale: float = 1.0
    runtime: Literal["process", "docker"] = "process"
    proxy: Literal["envoy", "builtin"] = "envoy"
    keep: bool = False

    @property
    def endpoint(self) -> str:
        """The URL that AWS clients use."""
        return f"http://127.0.0.1:{self.port}"
