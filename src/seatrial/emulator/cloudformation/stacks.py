"""Stacks, their resources and events: the engine's state, and how to find it. No behaviour of operations lives here."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.cloudformation.parameters import Parameter

STACK_TYPE = "AWS::CloudFormation::Stack"
#: Statuses of a stack that an update may start from.
UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "UPDATE_FAILED",
        "CREATE_FAILED",
    }
)


class Operation(Protocol):
    """An update under way, as what is around it goes on with it; see :class:`~.update.Update`."""

    def clean_up(self) -> None:
        """Delete what is no longer wanted."""
        ...

    def roll_back(self, why: str = "", skip: frozenset[str] = frozenset()) -> bool:
        """Restore what was before. Return whether it went well."""
        ...


@dataclass
class Resource:
    """A resource of a stack. ``properties`` are resolved but for dynamic references, ``attributes`` a cache.

    ``unapplied`` are the paths of properties that the emulator could do nothing with.
    """

    logical_id: str
    type: str
    definition: Mapping[str, Any]
    properties: dict[str, Any]
    updated: datetime
    physical_id: str = ""
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    remark: str = ""
    unapplied: frozenset[str] = frozenset()
    attributes: dict[str, Any] = field(default_factory=dict)
    gone: bool = False

    @property
    def there(self) -> bool:
        """Whether it has been made and not been deleted."""
        return not self.gone and self.status != "CREATE_FAILED" and not self.status.startswith("DELETE_")

    def policy(self, name: str) -> str:
        """Return ``DeletionPolicy`` or ``UpdateReplacePolicy``; databases that are no cluster's default to Snapshot."""
        given = self.definition.get(name)
        if isinstance(given, str):
            return given
        database = self.type in {"AWS::RDS::DBInstance", "AWS::RDS::DBCluster"}
        default = database and name == "DeletionPolicy" and not self.properties.get("DBClusterIdentifier")
        return "Snapshot" if default else "Delete"


@dataclass(eq=False)
class Stack:
    """One stack. Whoever changes it holds ``busy``: one operation at a time.

    ``reviewed`` are nested stacks that only change sets speak of so far, by logical id.
    """

    name: str
    id: str
    created: datetime
    blueprint: Blueprint | None = None
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    capabilities: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    parent: Stack | None = None
    reviewed: dict[str, Stack] = field(default_factory=dict)
    disable_rollback: bool = False
    protected: bool = False
    role: str = ""
    timeout_minutes: int | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    token: str = ""
    operation: Operation | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def root(self) -> Stack:
        """The outermost stack."""
        return self.parent.root if self.parent else self

    @property
    def halted(self) -> bool:
        """Whether the operation under way, or that of a stack around this one, has been given up."""
        return self.stop.is_set() or (self.parent is not None and self.parent.halted)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters of the present blueprint."""
        return self.blueprint.parameters if self.blueprint else {}

    @property
    def exports(self) -> dict[str, str]:
        """What the stack exports, by name."""
        return {output["ExportName"]: output["OutputValue"] for output in self.outputs if output.get("ExportName")}

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


class Stacks:
    """All stacks of the emulator. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._stacks: dict[str, Stack] = {}

    def add(self, stack: Stack) -> None:
        """Keep a new stack."""
        with self._lock:
            self._stacks[stack.id] = stack

    def forget(self, stack: Stack) -> None:
        """Drop a stack that never came to be (a change set deleted before it ran)."""
        with self._lock:
            self._stacks.pop(stack.id, None)

    def find(self, name: str) -> Stack | None:
        """Return a stack by id, or by name among those not deleted."""
        with self._lock:
            if name in self._stacks:
                return self._stacks[name]
            alive = (stack for stack in self._stacks.values() if stack.name == name)
            return next((stack for stack in alive if stack.status != "DELETE_COMPLETE"), None)

    def all(self) -> list[Stack]:
        """Return every stack, deleted ones too, newest first."""
        with self._lock:
            return list(reversed(self._stacks.values()))

    def alive(self) -> Iterator[Stack]:
        """Yield the stacks that are not deleted."""
        return (stack for stack in self.all() if stack.status != "DELETE_COMPLETE")

    def exporter(self, name: str) -> Stack | None:
        """Return the stack that exports ``name``."""
        return next((stack for stack in self.alive() if name in stack.exports), None)

    def importers(self, name: str) -> list[str]:
        """Return the names of the stacks that import ``name``."""
        return sorted(stack.name for stack in self.alive() if name in stack.imports)

    # --- events ------------------------------------------------------------------------------------------------------

    def stack_event(self, stack: Stack, status: str, reason: str = "") -> None:
        """Give a stack a status and write its event."""
        with self._lock:
            stack.status, stack.reason = status, reason
            self._event(stack, Resource(stack.name, STACK_TYPE, {}, {}, self._clock.now(), stack.id, status, reason))

    def resource_event(self, stack: Stack, resource: Resource, status: str, reason: str = "") -> None:
        """Give a resource a status and write its event."""
        with self._lock:
            resource.status, resource.reason, resource.updated = status, reason, self._clock.now()
            self._event(stack, resource)

    def _event(self, stack: Stack, subject: Resource) -> None:
        itself = subject.physical_id == stack.id
        event: dict[str, Any] = {
            "StackId": stack.id,
            "StackName": stack.name,
            "EventId": str(uuid.uuid4()) if itself else f"{subject.logical_id}-{subject.status}-{uuid.uuid4()}",
            "LogicalResourceId": subject.logical_id,
            "PhysicalResourceId": subject.physical_id,
            "ResourceType": subject.type,
            "ResourceStatus": subject.status,
            "Timestamp": subject.updated,
        }
        if subject.reason:
            event["ResourceStatusReason"] = subject.reason
        if not itself:
            event["ResourceProperties"] = json.dumps(subject.properties, default=str)
        if stack.token:
            event["ClientRequestToken"] = stack.token
        stack.events.insert(0, event)
