"""What every part of the engine is handed: the seams to the outside and the one lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.codedeploy.surroundings import Surroundings
    from seatrial.emulator.ecs.task_sets import TaskSets
    from seatrial.emulator.loadbalancing import Listeners
    from seatrial.emulator.settings import EmulatorSettings


@dataclass(frozen=True)
class World:
    """The seams.

    ``lock`` guards all of the model; no seam is called while it is held. ``invoke`` calls a Lambda function by name or
    ARN and raises ``LookupError`` where it cannot. ``wake`` is set whenever the engine should look again, ``closing``
    when it stops.
    """

    settings: EmulatorSettings
    clock: Clock
    task_sets: TaskSets
    listeners: Listeners
    invoke: Callable[[str, bytes], bytes]
    surroundings: Surroundings
    lock: RLock = field(default_factory=RLock)
    wake: Event = field(default_factory=Event)
    closing: Event = field(default_factory=Event)

    def arn(self, rest: str) -> str:
        """Return the ARN of something of CodeDeploy."""
        return f"arn:aws:codedeploy:{self.settings.region}:{self.settings.account}:{rest}"
