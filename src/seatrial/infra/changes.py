"""What a change set would do, nested stacks included, and which of it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.cloudformation import Change
from seatrial.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.cloudformation import ChangeSet, CloudFormation

_STACK = "AWS::CloudFormation::Stack"

#: What cannot be made again. Replacing or removing one needs its name on the command line.
PROTECTED = frozenset({"AWS::RDS::DBInstance", "AWS::S3::Bucket"})


@dataclass(frozen=True)
class Planned:
    """One change. ``path`` is the resource's logical name behind those of the nested stacks it is in."""

    path: str
    change: Change

    def __str__(self) -> str:
        """``~ Data/Database (AWS::RDS::DBInstance) MultiAZ``, as people are shown it."""
        sign = {"Add": "+", "Modify": "~", "Remove": "-"}.get(self.change.action, "?")
        words = [sign, self.path, f"({self.change.type})", ", ".join(self.change.properties)]
        if self.change.replacement == "True":
            words.append("REPLACEMENT")
        elif self.change.replacement == "Conditional":
            words.append("may be replaced" if self.change.recreates else "")
        return " ".join(word for word in words if word)

    @property
    def loses(self) -> bool:
        """Whether what is there now would be gone, or might be.

        ``Conditional`` is also what CloudFormation says of RDS properties such as MultiAZ, which replace an instance
        only if it is of a kind that is never made here. What counts is a property whose change always makes a new one.
        """
        conditional = self.change.replacement == "Conditional" and self.change.recreates
        return self.change.action == "Remove" or self.change.replacement == "True" or conditional


def planned(change_set: ChangeSet, cloudformation: CloudFormation, *, prefix: str = "") -> Iterator[Planned]:
    """Yield the changes, those of nested stacks in the place of the stack's own.

    A nested stack that is removed has no change set; everything in it counts as removed. One that CloudFormation did
    not look into, because it is new, stands for itself.
    """
    for change in change_set.changes:
        path = prefix + change.logical_id
        if change.type != _STACK:
            yield Planned(path, change)
        elif change.action == "Remove" and change.physical_id:
            yield from _removed(change.physical_id, cloudformation, prefix=f"{path}/")
        elif change.change_set is not None:
            yield from planned(cloudformation.change_set(change.change_set), cloudformation, prefix=f"{path}/")
        else:
            yield Planned(path, change)


def refuse_losses(changes: tuple[Planned, ...], allowed: frozenset[str]) -> None:
    """Raise :class:`~seatrial.errors.UsageError` if a database or bucket would be lost without being named.

    ``allowed`` are logical names (``Database``) or paths (``Data/Database``).
    """
    lost = [each for each in changes if each.change.type in PROTECTED and each.loses]
    refused = [each for each in lost if not allowed & {each.path, each.change.logical_id}]
    if refused:
        names = " ".join(f"--replace {each.change.logical_id}" for each in refused)
        raise UsageError(
            "this change would remove or replace what cannot be made again; nothing was changed",
            details=tuple(str(each) for each in refused),
            hint=f"if that is meant, back up first, then add {names}",
        )


def _removed(stack: str, cloudformation: CloudFormation, *, prefix: str) -> Iterator[Planned]:
    for resource in cloudformation.resources(stack):
        if resource.status == "DELETE_COMPLETE":
            continue
        change = Change("Remove", resource.logical_id, resource.type, physical_id=resource.physical_id)
        if resource.type == _STACK:
            yield from _removed(resource.physical_id, cloudformation, prefix=f"{prefix}{resource.logical_id}/")
        else:
            yield Planned(f"{prefix}{resource.logical_id}", change)
