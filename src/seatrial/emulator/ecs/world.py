"""What every part of the engine is handed: the seams to the outside and the one lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, RLock
from typing import TYPE_CHECKING
from uuid import uuid4

from seatrial.emulator.ecs.model import EVENTS_KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.clock import Clock
    from seatrial.emulator.ecs.model import Service
    from seatrial.emulator.ecs.surroundings import Surroundings
    from seatrial.emulator.loadbalancing import Targets, Traffic
    from seatrial.emulator.runtime import Runtime
    from seatrial.emulator.settings import EmulatorSettings


@dataclass(frozen=True)
class World:
    """The seams.

    ``lock`` guards all of the model; runtime, targets and ``Traffic.shift`` are not called while it is held, for they
    call back or take their time. ``invoke`` calls a Lambda function (ARN, payload) and returns what it answers; it
    raises ``LookupError`` where it cannot be called.
    ``wake`` is set whenever the scheduler should look again, ``closing`` when the engine stops.
    """

    settings: EmulatorSettings
    clock: Clock
    runtime: Runtime
    targets: Targets
    traffic: Traffic
    invoke: Callable[[str, bytes], bytes]
    addresses: Addresses
    surroundings: Surroundings
    lock: RLock = field(default_factory=RLock)
    wake: Event = field(default_factory=Event)
    closing: Event = field(default_factory=Event)

    def tell(self, service: Service, message: str) -> None:
        """Add an event to a service. The lock must be held."""
        event = {"id": str(uuid4()), "createdAt": self.clock.now(), "message": message}
        service.events.insert(0, event)
        del service.events[EVENTS_KEPT:]

    def arn(self, kind: str, rest: str) -> str:
        """Return the ARN of something of ECS."""
        return f"arn:aws:ecs:{self.settings.region}:{self.settings.account}:{kind}/{rest}"
