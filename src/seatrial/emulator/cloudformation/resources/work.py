"""One resource under work: all that a provider is given, and all that it gives back."""

from __future__ import annotations

import hashlib
import string
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from seatrial.emulator.cloudformation.errors import ResourceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.cloudformation.dynamic import Call
    from seatrial.emulator.cloudformation.schemas import Schema

#: Seconds between two looks at a resource that is not ready yet: the first pause, and the longest.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 0.25


@dataclass(frozen=True)
class Place:
    """The stack that a resource belongs to, and where it is."""

    stack: str
    stack_id: str
    region: str
    account: str
    partition: str = "aws"

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Return an ARN in this account; ``region`` is this one unless said otherwise ("" for global services)."""
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{resource}"


class Waiter:
    """Waits until something is so. ``pause`` sleeps some seconds and raises ``Stopped`` when the wait is given up."""

    def __init__(self, clock: Clock, pause: Callable[[float], None]) -> None:
        self._clock = clock
        self._pause = pause

    def until(self, check: Callable[[], bool], *, seconds: float, otherwise: str) -> None:
        """Return once ``check`` is true; after ``seconds`` of AWS's time raise ``ResourceFailed(otherwise)``."""
        deadline = self._clock.monotonic() + self._clock.scaled(seconds, at_least=60.0)
        pause = SHORTEST_PAUSE
        while not check():
            if self._clock.monotonic() >= deadline:
                raise ResourceFailed(otherwise)
            self._pause(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)


@dataclass
class Work:
    """A resource while its provider creates, changes or deletes it.

    ``properties`` are resolved, dynamic references included, in CloudFormation's spelling. A provider sets
    ``physical_id`` as soon as something exists, so that whatever fails afterwards can be deleted again.
    ``snapshot`` says that data must be saved before deletion (DeletionPolicy Snapshot). ``read`` are the properties
    that the provider has asked for, ``unapplied`` the paths of those that came to nothing: the emulator reports them.
    """

    place: Place
    logical_id: str
    type: str
    schema: Schema | None
    properties: dict[str, Any]
    call: Call
    waiter: Waiter
    shapes: Callable[[str, str], Any]
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    snapshot: bool = False
    remarks: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    unapplied: set[str] = field(default_factory=set)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a property."""
        self.read.add(name)
        return self.properties.get(name, default)

    def misfit(self, *outer: str) -> Callable[[tuple[str, ...]], None]:
        """Return what coercion tells of members inside a property (or its member) that no call has a place for."""
        return lambda path: self.unapplied.add(".".join((*outer, *path)))


class Provider(Protocol):
    """What the engine asks of a resource type. Failures raise ``ResourceFailed`` or botocore's ``ClientError``."""

    def create(self, work: Work) -> None:
        """Make the resource, set ``work.physical_id`` at once and return when it is ready for others."""
        ...

    def update(self, work: Work, old: Mapping[str, Any]) -> None:
        """Bring an existing resource from ``old`` properties to ``work.properties``."""
        ...

    def delete(self, work: Work) -> None:
        """Remove the resource and return when it is gone."""
        ...

    def attribute(self, work: Work, name: str) -> Any:
        """Return what ``Fn::GetAtt`` gives, None where the type has no such attribute."""
        ...

    def replaces(self, name: str) -> bool:
        """Whether a change of a property that *may* replace the resource does so."""
        ...


_ALPHABET = string.ascii_uppercase + string.digits

#: How many names each (stack, logical id) has been given in this process.
_names: Counter[tuple[str, str]] = Counter()
_names_lock = threading.Lock()


def generated_name(stack: str, logical_id: str, *, limit: int, lower: bool = False) -> str:
    """Return ``Stack-LogicalId-RANDOM``, its first two parts shortened alike so that it fits into ``limit``.

    The last part only looks random: the first name that a run gives to a resource is the same in every run, so that
    databases and buckets that were kept are found again. A replacement gets another.
    """
    with _names_lock:
        number = _names[stack, logical_id]
        _names[stack, logical_id] += 1
    digest = hashlib.sha256(f"{stack}\n{logical_id}\n{number}".encode()).digest()
    suffix = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[: min(12, max(4, limit // 3))])
    room = limit - len(suffix) - 2
    half = room // 2
    first = stack[: max(half, room - len(logical_id))]
    second = logical_id[: room - len(first)]
    name = "-".join((first.rstrip("-"), second, suffix))
    return name.lower() if lower else name
