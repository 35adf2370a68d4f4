"""Logical names of resources, and the names under which the base exports what apps import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.stack.graph import ImportValue
from seatrial.stack.names import logical

if TYPE_CHECKING:
    from collections.abc import Iterable


def distinct(names: Iterable[str], *, what: str) -> None:
    """Raise :class:`~seatrial.errors.UsageError` if two names would have one logical name."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(logical(name), name)
        if other != name:
            raise UsageError(
                f"{what} {other} and {name} differ only in characters that CloudFormation's names cannot hold",
                hint="rename one of them",
            )


def export_name(base: str, output: str) -> str:
    """Return the name under which the base stack called ``base`` exports an output.

    A literal, not ``${AWS::StackName}-...``: change sets of nested stacks have taken functions in export names for
    duplicates of each other (aws/aws-cdk-cli#1303).
    """
    return f"{base}-{output}"


def imported(base: str, output: str) -> ImportValue:
    """Return an import of an output of the base stack called ``base``."""
    return ImportValue(export_name(base, output))
