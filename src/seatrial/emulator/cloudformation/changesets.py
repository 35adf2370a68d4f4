"""Change sets: made, described, executed and dropped."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.cloudformation.changes import Change
    from seatrial.emulator.cloudformation.stacks import Stack

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(eq=False)
class ChangeSet:
    """One change set, with all that its execution needs."""

    name: str
    id: str
    stack: Stack
    kind: str
    blueprint: Blueprint
    created: datetime
    capabilities: list[str]
    changes: tuple[Change, ...]
    description: str = ""
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    reason: str = ""
    on_failure: str = ""

    def summary(self) -> dict[str, Any]:
        """Return what ListChangeSets shows."""
        answer: dict[str, Any] = {
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "CreationTime": self.created,
            "Status": self.status,
            "ExecutionStatus": self.execution,
            "IncludeNestedStacks": False,
        }
        if self.description:
            answer["Description"] = self.description
        if self.reason:
            answer["StatusReason"] = self.reason
        return answer

    def describe(self) -> dict[str, Any]:
        """Return what DescribeChangeSet shows."""
        answer = {
            **self.summary(),
            "Parameters": [parameter.describe() for parameter in self.blueprint.parameters.values()],
            "Capabilities": self.capabilities,
            "Tags": [{"Key": key, "Value": value} for key, value in self.blueprint.tags.items()],
            "NotificationARNs": list(self.blueprint.notifications),
            "Changes": [change.describe() for change in self.changes],
        }
        if self.on_failure:
            answer["OnStackFailure"] = self.on_failure
        return answer


def change_set_id(region: str, account: str, name: str) -> str:
    """Return the ARN of a new change set."""
    return f"arn:aws:cloudformation:{region}:{account}:changeSet/{name}/{uuid.uuid4()}"


class ChangeSets:
    """The change sets of all stacks."""

    def __init__(self) -> None:
        self._sets: dict[str, ChangeSet] = {}

    def add(self, change_set: ChangeSet) -> None:
        """Keep a change set."""
        self._sets[change_set.id] = change_set

    def find(self, name: str, stack: Stack | None) -> ChangeSet | None:
        """Return a change set by id, or by name within a stack."""
        if name in self._sets:
            return self._sets[name]
        return next((found for found in self.of(stack) if found.name == name), None) if stack else None

    def of(self, stack: Stack) -> list[ChangeSet]:
        """Return the change sets of a stack."""
        return [found for found in list(self._sets.values()) if found.stack is stack]

    def drop(self, change_set: ChangeSet) -> None:
        """Forget a change set."""
        self._sets.pop(change_set.id, None)

    def executed(self, change_set: ChangeSet) -> None:
        """Mark one as executed; the others of its stack are for a stack that no longer is, and go."""
        for other in self.of(change_set.stack):
            if other is not change_set:
                self.drop(other)
        change_set.execution = "EXECUTE_COMPLETE"
