"""Dynamic references: ``{{resolve:ssm:...}}``, ``{{resolve:ssm-secure:...}}`` and ``{{resolve:secretsmanager:...}}``.

They are resolved at the call that creates or changes a resource and never stored: the stack's state and its change
sets hold the reference, so a secret that has been rotated is no change, as on AWS.

Source: AWS CloudFormation user guide, "Get values stored in other services using dynamic references".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from seatrial.emulator.cloudformation.errors import ResourceFailed

#: Makes one AWS call: (service, operation, parameters as keywords) → answer.
Call = Callable[..., dict[str, Any]]

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


def resolve_references(value: Any, call: Call) -> Any:
    """Return ``value`` with every dynamic reference in its texts replaced. Raises :class:`ResourceFailed`."""
    if isinstance(value, dict):
        return {key: resolve_references(item, call) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve_references(item, call) for item in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return _REFERENCE.sub(lambda match: _look_up(match[1], match[2], call), value)
    return value


def secret_reference(reference: str) -> tuple[str, str, str, str]:
    """Return (secret id, JSON key, version stage, version id) of what follows ``secretsmanager:``.

    The id may be an ARN, which has colons of its own. Raises :class:`ResourceFailed` for a malformed reference.
    """
    parts = reference.split(":")
    size = 7 if parts[0] == "arn" else 1
    identity, rest = ":".join(parts[:size]), parts[size:] + [""] * 4
    if rest[0] not in {"", "SecretString"} or len(parts) - size > 4:
        raise ResourceFailed(f"Incorrect format is used in the following dynamic reference: secretsmanager:{reference}")
    return identity, rest[1], rest[2], rest[3]


def _look_up(service: str, reference: str, call: Call) -> str:
    if service == "secretsmanager":
        return _secret(reference, call)
    name, _, version = reference.rpartition(":") if re.search(r":\d+$", reference) else (reference, "", "")
    answer = call(
        "ssm", "get_parameter", Name=f"{name}:{version}" if version else name, WithDecryption=service == "ssm-secure"
    )
    parameter = answer["Parameter"]
    if (parameter.get("Type") == "SecureString") != (service == "ssm-secure"):
        raise ResourceFailed(
            f"SSM parameter {name} is of type {parameter.get('Type')} and cannot be read with resolve:{service}"
        )
    return str(parameter["Value"])


def _secret(reference: str, call: Call) -> str:
    identity, key, stage, version = secret_reference(reference)
    extra = {name: value for name, value in (("VersionStage", stage), ("VersionId", version)) if value}
    value = str(call("secretsmanager", "get_secret_value", SecretId=identity, **extra)["SecretString"])
    if not key:
        return value
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        raise ResourceFailed(f"Could not parse SecretString JSON of secret {identity}") from error
    if not isinstance(found, dict) or key not in found:
        raise ResourceFailed(
            f"Could not find a value associated with JSONKey {key} in SecretString of secret {identity}"
        )
    return found[key] if isinstance(found[key], str) else json.dumps(found[key])
