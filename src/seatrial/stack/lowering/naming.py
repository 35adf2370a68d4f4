"""Logical names of resources, the names under which the base exports what apps import, and an environment's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.stack.graph import ImportValue, Sub
from seatrial.stack.names import logical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.stack.graph import Value
    from seatrial.stack.model import Stack


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


def own_url(stack: Stack) -> Value:
    """Return where an environment answers: its domain, or else the load balancer's own name."""
    domain = stack.base.ingress.domain
    if domain is not None:
        return f"https://{domain}"
    return Sub("http://${Host}", (("Host", imported(stack.base.name, "LoadBalancerDns")),))


def imported(base: str, output: str) -> ImportValue:
    """Return an import of an output of the base stack called ``base``."""
    return ImportValue(export_name(base, output))
