"""Bucket policies with their conditions and principals, which moto leaves out: each statement is everybody's there.

The endpoint speaks plain HTTP where AWS speaks TLS, so that every request here counts as one over TLS.

Patched on moto: ``FakeBucket.get_permission``. Used of it: ``PermissionResult``.
"""

from __future__ import annotations

import json
from typing import Any

from seatrial.emulator.access.decision import Need
from seatrial.emulator.access.resources import verdict

#: What moto calls an action by the method, and AWS by what it needs.
_ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:PostObject": "s3:PutObject"}


def install() -> None:
    """Take over."""
    from moto.s3.models import FakeBucket

    FakeBucket.get_permission = _permission


def _permission(bucket: Any, action: str, resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    need = Need(_ACTIONS.get(action, action), resource, {"aws:SecureTransport": "true"})
    said = verdict(json.loads(bucket.policy), need)
    return {"Allow": PermissionResult.PERMITTED, "Deny": PermissionResult.DENIED, None: PermissionResult.NEUTRAL}[said]
