"""A type that the emulator has no engine for: kept as state, said to be so, never skipped."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.resources.work import Work, generated_name

if TYPE_CHECKING:
    from collections.abc import Mapping

REASON = "Kept as state only: the emulator has no {type}, nothing was made"


class StateOnly:
    """Gives a physical id and plausible attributes, and remarks that nothing stands behind them."""

    def create(self, work: Work) -> None:
        """See :class:`~.work.Provider`."""
        work.physical_id = _physical_id(work)
        work.remarks.append(REASON.format(type=work.type))

    def update(self, work: Work, old: Mapping[str, Any]) -> None:  # noqa: ARG002  # of the provider protocol
        """See :class:`~.work.Provider`."""
        work.remarks.append(REASON.format(type=work.type))

    def delete(self, work: Work) -> None:
        """See :class:`~.work.Provider`."""
        work.remarks.append(REASON.format(type=work.type))

    def attribute(self, work: Work, name: str) -> Any:
        """Return the property of that name, else something of the right form: an ARN, an id, a host name, a port."""
        if name in work.properties:
            return work.properties[name]
        last = name.rsplit(".", 1)[-1]
        if last.lower().endswith("arn"):
            return _arn(work)
        if last.endswith("Port"):
            return "443"
        if last in {"DomainName", "Address", "DNSName", "Endpoint"}:
            return f"{work.physical_id.rsplit('/', 1)[-1].lower()}.invalid"
        kind = str((work.schema.properties.get(last) or {}).get("type")) if work.schema else ""
        return {"array": [], "integer": 0, "number": 0, "boolean": False}.get(kind, work.physical_id)

    def replaces(self, name: str) -> bool:  # noqa: ARG002  # of the provider protocol
        """See :class:`~.work.Provider`."""
        return True


def _physical_id(work: Work) -> str:
    identifiers = work.schema.document.get("primaryIdentifier", ()) if work.schema else ()
    name = identifiers[0].split("/")[-1] if identifiers else ""
    if work.type == "AWS::CloudFormation::WaitConditionHandle":
        token = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
        return f"https://cloudformation-waitcondition-{work.place.region}.invalid/{work.logical_id}/{token}"
    if isinstance(work.properties.get(name), str):
        return str(work.properties[name])
    if name.lower().endswith("arn"):
        return _arn(work)
    return generated_name(work.place.stack, work.logical_id, limit=64)


def _arn(work: Work) -> str:
    if work.physical_id.startswith("arn:"):
        return work.physical_id
    service, kind = ([*work.type.split("::"), "custom", "custom"])[1:3]
    identity = work.physical_id or generated_name(work.place.stack, work.logical_id, limit=64)
    return work.place.arn(service.lower(), f"{kind.lower()}/{identity}")
