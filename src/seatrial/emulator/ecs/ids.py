"""The identifiers that ECS gives out, in its formats."""

from __future__ import annotations

import base64
import secrets
import uuid


def task_id() -> str:
    """Return 32 hexadecimal digits."""
    return uuid.uuid4().hex


def deployment_number() -> str:
    """Return the 19 digits of ``ecs-svc/…`` and of a service revision."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def service_deployment_id() -> str:
    """Return the 21 characters that end a service deployment's ARN."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[:21]


def hook_id(kind: str) -> str:
    """Return ``ecs-KIND-`` and 43 characters."""
    return f"ecs-{kind}-{secrets.token_urlsafe(32)}"
