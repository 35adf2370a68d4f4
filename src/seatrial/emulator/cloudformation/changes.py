"""What a new version of a resource changes, and whether it must be replaced. Pure.

Change sets and updates both ask :func:`compare`, so that what a change set announces is what an update does. A change
set asks before anything has happened and meets :class:`~.intrinsics.Unknown` values; an update asks resource by
resource and meets the real ones.

Source: CloudFormation API reference, ``ResourceChange``, ``ResourceChangeDetail``, ``ResourceTargetDefinition``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from seatrial.emulator.cloudformation.intrinsics import text, unknowns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.emulator.cloudformation.schemas import Pointer, Schema

Recreation = Literal["Never", "Conditionally", "Always"]
Replacement = Literal["True", "False", "Conditional"]
#: Attributes of a resource whose change is no change of the resource itself.
POLICIES = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")


@dataclass(frozen=True)
class Detail:
    """One property that changes. ``cause`` is what it hangs on where the property itself is written as before."""

    attribute: str
    name: str | None
    recreation: Recreation
    dynamic: bool
    source: str
    cause: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return the detail as DescribeChangeSet shows it."""
        target: dict[str, Any] = {"Attribute": self.attribute, "RequiresRecreation": self.recreation}
        if self.name:
            target["Name"] = self.name
        answer = {
            "Target": target,
            "Evaluation": "Dynamic" if self.dynamic else "Static",
            "ChangeSource": self.source,
        }
        if self.cause:
            answer["CausingEntity"] = self.cause
        return answer


@dataclass(frozen=True)
class Change:
    """What happens to one resource. ``change_set`` is the id of a nested stack's own, where there is one."""

    action: Literal["Add", "Modify", "Remove"]
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: Replacement | None = None
    details: tuple[Detail, ...] = ()
    policy: str | None = None
    change_set: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return the change as DescribeChangeSet shows it."""
        change: dict[str, Any] = {
            "Action": self.action,
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.type,
            "Scope": list(dict.fromkeys(detail.attribute for detail in self.details)),
            "Details": [detail.describe() for detail in self.details],
        }
        if self.physical_id:
            change["PhysicalResourceId"] = self.physical_id
        if self.replacement:
            change["Replacement"] = self.replacement
        if self.policy:
            change["PolicyAction"] = self.policy
        if self.change_set:
            change["ChangeSetId"] = self.change_set
        return {"Type": "Resource", "ResourceChange": change}


@dataclass(frozen=True)
class Version:
    """A resource at one time: its definition as written, and its properties resolved."""

    definition: Mapping[str, Any]
    properties: Mapping[str, Any]


def compare(
    schema: Schema | None, old: Version, new: Version, changed_parameters: frozenset[str] = frozenset()
) -> tuple[Detail, ...]:
    """Return what differs between two versions of a resource, one detail for each property, in the schema's words."""
    details = []
    for name in sorted(old.properties.keys() | new.properties.keys()):
        before, after = old.properties.get(name), new.properties.get(name)
        causes = unknowns(after)
        if not causes and alike(before, after):
            continue
        source, cause = _source(name, old, new, causes, changed_parameters)
        attribute = "Tags" if schema is not None and name == schema.tags else "Properties"
        details.append(
            Detail(
                attribute,
                None if attribute == "Tags" else name,
                _recreation(schema, name, before, after),
                bool(causes),
                source,
                cause,
            )
        )
    policies = [policy for policy in POLICIES if old.definition.get(policy) != new.definition.get(policy)]
    return (*details, *(Detail(policy, None, "Never", False, "DirectModification") for policy in policies))


def replacement(details: tuple[Detail, ...]) -> Replacement:
    """Return whether these changes replace the resource: certain, impossible, or only known once it is done."""
    if any(detail.recreation == "Always" and not detail.dynamic for detail in details):
        return "True"
    if any(detail.recreation != "Never" for detail in details):
        return "Conditional"
    return "False"


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the properties that are not the same to CloudFormation."""
    return {name for name in before.keys() | after.keys() if not alike(before.get(name), after.get(name))}


def alike(before: Any, after: Any) -> bool:
    """Whether two resolved values are the same to CloudFormation: ``80`` is ``"80"``, ``true`` is ``"true"``."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(alike(value, after[key]) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(alike(one, other) for one, other in zip(before, after, strict=True))
    if before is None or after is None or isinstance(before, (dict, list)) or isinstance(after, (dict, list)):
        return before is None and after is None
    return text(before) == text(after)


def _recreation(schema: Schema | None, name: str, before: Any, after: Any) -> Recreation:
    if schema is None:
        return "Never"
    if any(_differs(pointer, name, before, after) for pointer in schema.create_only):
        return "Always"
    if any(_differs(pointer, name, before, after) for pointer in schema.conditional_create_only):
        return "Conditionally"
    return "Never"


def _differs(pointer: Pointer, name: str, before: Any, after: Any) -> bool:
    if not pointer or pointer[0] != name:
        return False
    if unknowns(after) and len(pointer) == 1:
        return True
    one, other = list(_at(before, pointer[1:])), list(_at(after, pointer[1:]))
    return bool(unknowns(other)) or not alike(one, other)


def _at(value: Any, pointer: Pointer) -> Iterator[Any]:
    if not pointer:
        yield value
    elif isinstance(value, list):
        rest = pointer[1:] if pointer[0] == "*" else pointer
        for item in value:
            yield from _at(item, rest)
    elif isinstance(value, dict) and pointer[0] in value:
        yield from _at(value[pointer[0]], pointer[1:])


def _source(
    name: str, old: Version, new: Version, causes: tuple[str, ...], changed_parameters: frozenset[str]
) -> tuple[str, str | None]:
    written = (old.definition.get("Properties") or {}).get(name), (new.definition.get("Properties") or {}).get(name)
    if written[0] != written[1]:
        return "DirectModification", None
    if causes and causes[0] in changed_parameters:
        return "ParameterReference", causes[0]
    if causes:
        return ("ResourceAttribute" if "." in causes[0] else "ResourceReference"), causes[0]
    mentioned = sorted(parameter for parameter in changed_parameters if _mentions(written[1], parameter))
    return ("ParameterReference", mentioned[0]) if mentioned else ("DirectModification", None)


def _mentions(value: Any, parameter: str) -> bool:
    if isinstance(value, dict):
        if value.get("Ref") == parameter:
            return True
        return any(_mentions(item, parameter) for item in value.values())
    if isinstance(value, list):
        return any(_mentions(item, parameter) for item in value)
    return isinstance(value, str) and "${" + parameter + "}" in value
