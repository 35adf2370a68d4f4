"""The AppSpec of a deployment to Amazon ECS: read and checked. Pure.

Form: "AppSpec file structure for Amazon ECS deployments" in CodeDeploy's user guide. YAML or JSON (which is YAML too);
names of keys are read without regard to case, as CodeDeploy and ``aws ecs deploy`` do.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from seatrial.emulator.codedeploy.lifecycle import HOOK_EVENTS
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROPERTIES = (
    "TaskDefinition",
    "LoadBalancerInfo",
    "PlatformVersion",
    "NetworkConfiguration",
    "CapacityProviderStrategy",
)
_NETWORK = {"Subnets": "subnets", "SecurityGroups": "securityGroups", "AssignPublicIp": "assignPublicIp"}
_PROVIDER = {"CapacityProvider": "capacityProvider", "Weight": "weight", "Base": "base"}


@dataclass(frozen=True)
class AppSpec:
    """What is to run and which functions are called. ``network`` and ``capacity_providers`` are in ECS's shapes."""

    definition: str
    container: str
    port: int
    platform_version: str | None = None
    network: Mapping[str, Any] | None = None
    capacity_providers: tuple[Mapping[str, Any], ...] = ()
    hooks: Mapping[str, str] = field(default_factory=dict)


def check_digest(content: str, sha256: str | None) -> None:
    """Refuse content that is not what it is said to be. Raises ``ApiError`` InvalidRevisionException."""
    if sha256 and hashlib.sha256(content.encode()).hexdigest() != sha256.lower():
        raise _invalid("The sha256 of the AppSpec content does not match its content.")


def parse(content: str) -> AppSpec:
    """Read an AppSpec. Raises ``ApiError`` InvalidRevisionException, which says what is wrong and where."""
    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise _invalid(f"The AppSpec is neither YAML nor JSON: {' '.join(str(error).split())}") from error
    top = _section(document, "AppSpec", ("version", "Resources", "Hooks"))
    if top.get("version") not in (0, "0.0"):
        raise _invalid("The AppSpec's version must be 0.0.")
    resources = _entries(top.get("Resources"), "Resources")
    if len(resources) != 1:
        raise _invalid("The AppSpec must have exactly one resource, an Amazon ECS service.")
    name, resource = resources[0]
    body = _section(resource, name, ("Type", "Properties"))
    if body.get("Type") != "AWS::ECS::Service":
        raise _invalid(f"The type of the resource {name} must be AWS::ECS::Service.")
    properties = _section(body.get("Properties"), "Properties", _PROPERTIES)
    balancer = _section(properties.get("LoadBalancerInfo"), "LoadBalancerInfo", ("ContainerName", "ContainerPort"))
    return AppSpec(
        definition=_text(properties, "TaskDefinition"),
        container=_text(balancer, "ContainerName"),
        port=_number(balancer, "ContainerPort"),
        platform_version=properties.get("PlatformVersion"),
        network=_network(properties.get("NetworkConfiguration")),
        capacity_providers=tuple(
            _renamed(each, "CapacityProviderStrategy", _PROVIDER)
            for each in properties.get("CapacityProviderStrategy") or ()
        ),
        hooks=_hooks(top.get("Hooks")),
    )


def _hooks(value: Any) -> dict[str, str]:
    known: dict[str, str] = {event.lower(): event for event in HOOK_EVENTS}
    hooks: dict[str, str] = {}
    for name, function in _entries(value, "Hooks"):
        event = known.get(name.lower())
        if event is None:
            raise _invalid(f"{name} is not a lifecycle event with a hook. Valid ones are: {', '.join(HOOK_EVENTS)}.")
        if not isinstance(function, str) or not function:
            raise _invalid(f"The hook {name} must name one Lambda function.")
        if event in hooks:
            raise _invalid(f"The hook {name} is there twice.")
        hooks[event] = function
    return hooks


def _network(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    section = _section(value, "NetworkConfiguration", ("AwsvpcConfiguration",))
    return {"awsvpcConfiguration": _renamed(section.get("AwsvpcConfiguration"), "AwsvpcConfiguration", _NETWORK)}


def _renamed(value: Any, where: str, names: Mapping[str, str]) -> dict[str, Any]:
    section = _section(value, where, tuple(names))
    return {names[key]: each for key, each in section.items() if each is not None}


def _entries(value: Any, where: str) -> list[tuple[str, Any]]:
    """Read a list of mappings with one key each."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _invalid(f"{where} must be a list of mappings.")
    return [(str(key), inner) for each in value for key, inner in each.items()]


def _section(value: Any, where: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Read a mapping whose keys are known, under their names as AWS writes them."""
    if not isinstance(value, dict):
        raise _invalid(f"{where} is missing or is not a mapping.")
    known = {name.lower(): name for name in names}
    unknown = [str(key) for key in value if str(key).lower() not in known]
    if unknown:
        raise _invalid(f"{where} has unknown keys: {', '.join(unknown)}.")
    return {known[str(key).lower()]: inner for key, inner in value.items()}


def _text(section: Mapping[str, Any], name: str) -> str:
    value = section.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(f"{name} is missing.")
    return value


def _number(section: Mapping[str, Any], name: str) -> int:
    value = str(section.get(name))
    if not value.isdigit():
        raise _invalid(f"{name} must be a number.")
    return int(value)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidRevisionException", message)
