"""What the policy of a resource, such as a bucket's, says to a caller. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from seatrial.emulator.access.decision import effects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.access.decision import Need


def verdict(document: Mapping[str, Any], need: Need, service: str | None = None) -> Literal["Allow", "Deny"] | None:
    """Return what a policy says to a ``service`` of AWS, or to nobody in particular; None where it says nothing.

    Statements that name users or roles are not looked at.
    """
    statements = document.get("Statement") or []
    listed = statements if isinstance(statements, list) else [statements]
    concerned = [each for each in listed if _concerns(each.get("Principal"), service)]
    found = effects([{"Statement": concerned}], need)
    if "Deny" in found:
        return "Deny"
    return "Allow" if "Allow" in found else None


def _concerns(principal: Any, service: str | None) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    return "*" in _listed(principal.get("AWS")) or (
        service is not None and service in _listed(principal.get("Service"))
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
