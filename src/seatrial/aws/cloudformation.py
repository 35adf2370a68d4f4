"""CloudFormation: stacks, change sets and events, as far as ``infra`` uses them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from seatrial.aws.session import Aws

#: What CloudFormation says in a failed change set's StatusReason when there is nothing to change.
_NOTHING = ("didn't contain changes", "No updates are to be performed")

#: How a failed change set names the nested one that it failed for.
_NESTED = re.compile(r"arn:[\w-]+:cloudformation:[\w:/.-]*:changeSet/[\w/-]+")


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks answers it."""

    id: str
    name: str
    status: str
    reason: str | None
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One resource of a change set.

    ``action`` is Add, Modify, Remove, Import or Dynamic; ``replacement`` True, False, Conditional or None where it does
    not apply. ``properties`` are those that change; ``recreates`` is whether a change of one of them always makes a new
    resource, if its value does turn out to differ. ``certain`` are the properties whose new value is known already.
    ``change_set`` is a nested stack's own change set.
    """

    action: str
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: str | None = None
    properties: tuple[str, ...] = ()
    recreates: bool = False
    certain: tuple[str, ...] = ()
    change_set: str | None = None


@dataclass(frozen=True)
class ChangeSet:
    """A change set. ``empty`` is true where CloudFormation found nothing to change, which it calls FAILED."""

    id: str
    status: str
    reason: str | None
    changes: tuple[Change, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to change."""
        return self.status == "FAILED" and any(words in (self.reason or "") for words in _NOTHING)


@dataclass(frozen=True)
class Event:
    """One line of a stack's events."""

    id: str
    stack_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    at: datetime


@dataclass(frozen=True)
class StackResource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str


class CloudFormation:
    """The calls on stacks of one account and region."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("cloudformation")

    def stack(self, name: str) -> Stack | None:
        """Return a stack by name or ARN, or None if there is none of that name."""
        try:
            answer = self._client.describe_stacks(StackName=name)
        except NotFound:
            return None
        raw = answer["Stacks"][0]
        return Stack(
            id=raw["StackId"],
            name=raw["StackName"],
            status=raw["StackStatus"],
            reason=raw.get("StackStatusReason"),
            parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in raw.get("Parameters", ())},
            outputs={each["OutputKey"]: each["OutputValue"] for each in raw.get("Outputs", ())},
        )

    def template(self, stack: str) -> str:
        """Return the template that a stack was last given, byte for byte."""
        # botocore answers text for YAML and a dictionary for JSON, which is never written here.
        return str(self._client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"])

    def create_change_set(
        self,
        stack: str,
        name: str,
        *,
        template: str | None,
        parameters: Mapping[str, str | None],
        tags: Mapping[str, str],
        new: bool,
    ) -> str:
        """Ask for a change set and return its ARN.

        ``template`` None means the one that the stack has; a parameter's None means the value that it has. ``new``
        makes the stack. Nested stacks are looked into when there is something to compare them with; for a new stack
        CloudFormation would have to judge nested templates whose parameters are not known yet, which it does badly
        (aws-cloudformation/cloudformation-coverage-roadmap#759).
        """
        source: dict[str, Any] = {"UsePreviousTemplate": True} if template is None else {"TemplateBody": template}
        answer = self._client.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="CREATE" if new else "UPDATE",
            IncludeNestedStacks=not new,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": key, "UsePreviousValue": True}
                if value is None
                else {"ParameterKey": key, "ParameterValue": value}
                for key, value in parameters.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **source,
        )
        return str(answer["Id"])

    def change_set(self, arn: str) -> ChangeSet:
        """Return a change set with all its changes."""
        changes: list[Change] = []
        token: dict[str, str] = {}
        while True:
            answer = self._client.describe_change_set(ChangeSetName=arn, **token)
            changes += [
                _change(each["ResourceChange"]) for each in answer.get("Changes", ()) if "ResourceChange" in each
            ]
            if "NextToken" not in answer:
                return ChangeSet(arn, answer["Status"], answer.get("StatusReason"), tuple(changes))
            token = {"NextToken": answer["NextToken"]}

    def why(self, change_set: ChangeSet) -> str:
        """Return why a change set failed; of nested ones, which CloudFormation only mentions, their own reasons."""
        reason = change_set.reason or "CloudFormation gives no reason"
        nested = [self.change_set(arn) for arn in dict.fromkeys(_NESTED.findall(reason))]
        return "; ".join([reason, *(self.why(each) for each in nested if not each.empty)])

    def execute(self, change_set: str) -> None:
        """Begin to carry a change set out."""
        self._client.execute_change_set(ChangeSetName=change_set)

    def delete_change_set(self, arn: str) -> None:
        """Throw a change set away, the nested ones with it."""
        self._client.delete_change_set(ChangeSetName=arn)

    def delete_stack(self, name: str) -> None:
        """Begin to delete a stack."""
        self._client.delete_stack(StackName=name)

    def events(self, stack: str) -> Iterator[Event]:
        """Yield a stack's events, newest first. Give the ARN, so that a deleted stack still answers."""
        for raw in self._client.pages("describe_stack_events", "StackEvents", StackName=stack):
            yield Event(
                id=raw["EventId"],
                stack_id=raw["StackId"],
                logical_id=raw["LogicalResourceId"],
                physical_id=raw.get("PhysicalResourceId", ""),
                type=raw.get("ResourceType", ""),
                status=raw.get("ResourceStatus", ""),
                reason=raw.get("ResourceStatusReason"),
                at=raw["Timestamp"],
            )

    def resources(self, stack: str) -> Iterator[StackResource]:
        """Yield the resources of a stack."""
        for raw in self._client.pages("list_stack_resources", "StackResourceSummaries", StackName=stack):
            yield StackResource(
                logical_id=raw["LogicalResourceId"],
                physical_id=raw.get("PhysicalResourceId", ""),
                type=raw["ResourceType"],
                status=raw["ResourceStatus"],
            )


def _change(raw: Mapping[str, Any]) -> Change:
    details = [
        (detail.get("Target", {}), detail.get("Evaluation"))
        for detail in raw.get("Details", ())
        if detail.get("Target", {}).get("Attribute") == "Properties"
    ]
    return Change(
        action=raw["Action"],
        logical_id=raw["LogicalResourceId"],
        type=raw["ResourceType"],
        physical_id=raw.get("PhysicalResourceId"),
        replacement=raw.get("Replacement"),
        properties=tuple(dict.fromkeys(target["Name"] for target, _ in details if "Name" in target)),
        recreates=any(
            detail.get("Target", {}).get("RequiresRecreation") == "Always" for detail in raw.get("Details", ())
        ),
        certain=tuple(dict.fromkeys(target["Name"] for target, how in details if how == "Static" and "Name" in target)),
        change_set=raw.get("ChangeSetId"),
    )
