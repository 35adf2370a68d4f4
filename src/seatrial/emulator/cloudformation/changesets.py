"""Change sets: made, described, executed and dropped."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.cloudformation.changes import Change
    from seatrial.emulator.cloudformation.stacks import Stack, Stacks

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(eq=False)
class ChangeSet:
    """One change set, with all that its execution needs.

    With ``include_nested`` it is one of a hierarchy: ``children`` are those of nested stacks, in the order of the
    changes that speak of them. ``blueprint`` is None where a nested stack's template was refused.
    """

    name: str
    id: str
    stack: Stack
    kind: str
    blueprint: Blueprint | None
    created: datetime
    capabilities: list[str]
    changes: tuple[Change, ...] = ()
    include_nested: bool = False
    parent: ChangeSet | None = None
    children: list[ChangeSet] = field(default_factory=list)
    description: str = ""
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    reason: str = ""
    on_failure: str = ""

    @property
    def root(self) -> ChangeSet:
        """The change set of the outermost stack that was asked about."""
        return self.parent.root if self.parent else self

    def hierarchy(self) -> Iterator[ChangeSet]:
        """Yield this change set and all of nested stacks in it."""
        yield self
        for child in self.children:
            yield from child.hierarchy()

    def fail(self, reason: str) -> None:
        """Say that it cannot be executed."""
        self.status, self.execution, self.reason = "FAILED", "UNAVAILABLE", reason

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
            "IncludeNestedStacks": self.include_nested,
        }
        if self.description:
            answer["Description"] = self.description
        if self.reason:
            answer["StatusReason"] = self.reason
        if self.parent:
            answer |= {"ParentChangeSetId": self.parent.id, "RootChangeSetId": self.root.id}
        return answer

    def describe(self) -> dict[str, Any]:
        """Return what DescribeChangeSet shows."""
        answer = {
            **self.summary(),
            "Capabilities": self.capabilities,
            "Changes": [change.describe() for change in self.changes],
        }
        if self.blueprint:
            answer |= {
                "Parameters": [parameter.describe() for parameter in self.blueprint.parameters.values()],
                "Tags": [{"Key": key, "Value": value} for key, value in self.blueprint.tags.items()],
                "NotificationARNs": list(self.blueprint.notifications),
            }
        if self.on_failure:
            answer["OnStackFailure"] = self.on_failure
        return answer


def change_set_id(region: str, account: str, name: str) -> str:
    """Return the ARN of a new change set."""
    return f"arn:aws:cloudformation:{region}:{account}:changeSet/{name}/{uuid.uuid4()}"


class ChangeSets:
    """The change sets of all stacks. A hierarchy is added, executed and dropped as one, by its root."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._sets: dict[str, ChangeSet] = {}

    def add(self, change_set: ChangeSet) -> None:
        """Keep a change set. A nested stack that it would create is from now on in review."""
        for each in change_set.hierarchy():
            self._sets[each.id] = each
            if each.parent and each.kind == "CREATE" and not self._stacks.find(each.stack.id):
                self._stacks.add(each.stack)
                self._stacks.stack_event(each.stack, "REVIEW_IN_PROGRESS", "User Initiated")

    def find(self, name: str, stack: Stack | None) -> ChangeSet | None:
        """Return a change set by id, or by name within a stack."""
        if name in self._sets:
            return self._sets[name]
        return next((found for found in self.of(stack) if found.name == name), None) if stack else None

    def of(self, stack: Stack) -> list[ChangeSet]:
        """Return the change sets of a stack."""
        return [found for found in list(self._sets.values()) if found.stack is stack]

    def drop(self, change_set: ChangeSet) -> None:
        """Forget a change set, and nested stacks that nothing else speaks of."""
        for each in change_set.hierarchy():
            self._sets.pop(each.id, None)
            if each.parent and each.stack.status == "REVIEW_IN_PROGRESS" and not self.of(each.stack):
                self._stacks.forget(each.stack)

    def executed(self, change_set: ChangeSet) -> None:
        """Mark one as executed; the others of its stacks are for stacks that no longer are, and go."""
        for each in change_set.hierarchy():
            for other in self.of(each.stack):
                if other.root is not change_set:
                    self.drop(other.root)
            each.execution = "EXECUTE_COMPLETE"
