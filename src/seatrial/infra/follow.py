"""Follow a stack to the end of what it is doing, nested stacks included, and say what failed first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from seatrial.aws.clock import Clock
    from seatrial.aws.cloudformation import CloudFormation, Event

_STACK = "AWS::CloudFormation::Stack"

#: Failures that only follow from another one: CloudFormation gives up on the rest, and a parent repeats its child.
_CONSEQUENCES = ("cancelled", "Embedded stack", "The following resource(s) failed")


@dataclass(frozen=True)
class Cause:
    """The first failure of an update: which resource, and why."""

    path: str
    type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} ({self.type}): {self.reason}"


@dataclass(frozen=True)
class End:
    """How it ended: the stack's status, and the cause if something failed."""

    status: str
    cause: Cause | None


@dataclass
class Follower:
    """Reads a stack's events as they come. Make it before the change begins, so that it knows which are old.

    ``meanwhile`` is done between two looks.
    """

    cloudformation: CloudFormation
    stack_id: str
    clock: Clock
    pace: float
    progress: Callable[[str], None]
    meanwhile: Callable[[], None] = lambda: None
    _seen: set[str] = field(default_factory=set, init=False)
    _paths: dict[str, str] = field(default_factory=dict, init=False)
    _moving: dict[str, bool] = field(default_factory=dict, init=False)
    _since: datetime | None = field(default=None, init=False)
    _failures: list[tuple[datetime, Cause]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._paths[self.stack_id] = ""
        self._seen = {event.id for event in self.cloudformation.events(self.stack_id)}

    def to_the_end(self) -> End:
        """Return when the stack has come to rest. CloudFormation bounds the time, by each resource's own limit."""
        while True:
            for event in self._root_events():
                if event.physical_id == self.stack_id and not event.status.endswith("_IN_PROGRESS"):
                    self._read_nested()
                    return End(event.status, self._first_failure())
            self._read_nested()
            self.meanwhile()
            self.clock.sleep(self.pace)

    def _root_events(self) -> list[Event]:
        events = self._new(self.stack_id)
        if events and self._since is None:
            self._since = events[0].at
        for event in events:
            self._tell(event)
        return events

    def _read_nested(self) -> None:
        """Read the events of nested stacks that move, and once more of those that have come to rest since."""
        read: set[str] = set()
        while pending := [stack_id for stack_id in self._moving if stack_id not in read]:
            for stack_id in pending:
                read.add(stack_id)
                if not self._moving[stack_id]:
                    del self._moving[stack_id]
                for event in self._new(stack_id):
                    self._tell(event)

    def _new(self, stack_id: str) -> list[Event]:
        """Return the events that were not there before, oldest first."""
        events: list[Event] = []
        for event in self.cloudformation.events(stack_id):
            if event.id in self._seen or (self._since is not None and event.at < self._since):
                break
            events.append(event)
        self._seen.update(event.id for event in events)
        return events[::-1]

    def _tell(self, event: Event) -> None:
        own = event.physical_id == event.stack_id
        prefix = self._paths[event.stack_id]
        path = prefix.rstrip("/") if own else prefix + event.logical_id
        if event.type == _STACK and event.physical_id and not own:
            self._paths.setdefault(event.physical_id, f"{path}/")
            self._moving[event.physical_id] = event.status.endswith("_IN_PROGRESS")
        failed = event.status.endswith("_FAILED")
        if failed:
            self._failures.append((event.at, Cause(path or event.logical_id, event.type, event.reason or "no reason")))
        if not own:
            reason = f": {event.reason}" if failed and event.reason else ""
            self.progress(f"  {event.status:<28} {path} ({event.type}){reason}")

    def _first_failure(self) -> Cause | None:
        in_time = [cause for _, cause in sorted(self._failures, key=lambda each: each[0])]
        own = [cause for cause in in_time if not any(words in cause.reason for words in _CONSEQUENCES)]
        return next(iter([*own, *in_time]), None)
