"""Deployment configurations: how production traffic moves, built in or a user's own. Pure.

Names and figures: "Deployment configurations on an Amazon ECS compute platform" in CodeDeploy's user guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from seatrial.emulator.codedeploy.lifecycle import Step
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALL_AT_ONCE = "CodeDeployDefault.ECSAllAtOnce"
PLATFORMS = ("Server", "Lambda", "ECS", "Kubernetes")
_LONGEST_MINUTES = 2880


@dataclass(frozen=True)
class Configuration:
    """One deployment configuration; ``routing`` is its ``trafficRoutingConfig``."""

    name: str
    id: str
    platform: str
    created_at: datetime
    routing: Mapping[str, Any] | None = None
    hosts: Mapping[str, Any] | None = None
    zonal: Mapping[str, Any] | None = None


def built_in() -> dict[str, Configuration]:
    """Return the configurations that CodeDeploy comes with, by name."""
    found: dict[str, Mapping[str, Any]] = {ALL_AT_ONCE: {"type": "AllAtOnce"}}
    for minutes in (5, 15):
        found[f"CodeDeployDefault.ECSCanary10Percent{minutes}Minutes"] = {
            "type": "TimeBasedCanary",
            "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": minutes},
        }
    for minutes in (1, 3):
        found[f"CodeDeployDefault.ECSLinear10PercentEvery{minutes}Minutes"] = {
            "type": "TimeBasedLinear",
            "timeBasedLinear": {"linearPercentage": 10, "linearInterval": minutes},
        }
    epoch = datetime(2018, 11, 27, tzinfo=UTC)  # when CodeDeploy learned Amazon ECS
    made = {
        name: Configuration(name, str(uuid5(NAMESPACE_URL, name)), "ECS", epoch, routing)
        for name, routing in found.items()
    }
    # Of the other platforms only the names are known: nothing is deployed to them here.
    for name in ("AllAtOnce", "HalfAtATime", "OneAtATime"):
        full = f"CodeDeployDefault.{name}"
        made[full] = Configuration(full, str(uuid5(NAMESPACE_URL, full)), "Server", epoch)
    return made


def read(request: Mapping[str, Any], now: datetime) -> Configuration:
    """Read CreateDeploymentConfig. Raises ``ApiError``."""
    name, platform = str(request["deploymentConfigName"]), request.get("computePlatform") or "Server"
    if name.startswith("CodeDeployDefault."):
        raise ApiError("InvalidDeploymentConfigNameException", "Names that begin with CodeDeployDefault. are reserved.")
    if platform not in PLATFORMS:
        raise ApiError("InvalidComputePlatformException", f"The compute platform {platform} is invalid.")
    routing = request.get("trafficRoutingConfig")
    if platform == "ECS":
        _check(routing)
        if request.get("minimumHealthyHosts"):
            raise ApiError(
                "InvalidMinimumHealthyHostValueException",
                "minimumHealthyHosts is for the Server compute platform only.",
            )
    return Configuration(
        name, str(uuid4()), platform, now, routing, request.get("minimumHealthyHosts"), request.get("zonalConfig")
    )


def steps(configuration: Configuration, scaled: Callable[[float], float]) -> tuple[Step, ...]:
    """Return the steps of production traffic; ``scaled`` is the clock's."""
    routing = configuration.routing or {"type": "AllAtOnce"}
    match routing["type"]:
        case "TimeBasedCanary":
            canary = routing["timeBasedCanary"]
            return (Step(int(canary["canaryPercentage"]), scaled(60.0 * int(canary["canaryInterval"]))), Step(100))
        case "TimeBasedLinear":
            linear = routing["timeBasedLinear"]
            percent, wait = int(linear["linearPercentage"]), scaled(60.0 * int(linear["linearInterval"]))
            return (*(Step(share, wait) for share in range(percent, 100, percent)), Step(100))
        case _:
            return (Step(100),)


def shape(configuration: Configuration) -> dict[str, Any]:
    """``DeploymentConfigInfo``."""
    found = {
        "deploymentConfigId": configuration.id,
        "deploymentConfigName": configuration.name,
        "minimumHealthyHosts": configuration.hosts,
        "createTime": configuration.created_at,
        "computePlatform": configuration.platform,
        "trafficRoutingConfig": configuration.routing,
        "zonalConfig": configuration.zonal,
    }
    return {name: value for name, value in found.items() if value is not None}


def _check(routing: Mapping[str, Any] | None) -> None:
    kind = (routing or {}).get("type")
    kinds: dict[str, tuple[str, ...]] = {
        "AllAtOnce": (),
        "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
        "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
    }
    if routing is None or kind is None or kind not in kinds:
        raise _invalid(f"A trafficRoutingConfig with one of the types {', '.join(kinds)} is required.")
    others = {"timeBasedCanary", "timeBasedLinear"} - set(kinds[kind][:1])
    if any(routing.get(name) for name in others):
        raise _invalid(f"A configuration of the type {kind} has no {' or '.join(sorted(others))}.")
    if not kinds[kind]:
        return
    member, percentage, interval = kinds[kind]
    settings = routing.get(member) or {}
    if not 1 <= int(settings.get(percentage) or 0) <= 99:
        raise _invalid(f"{percentage} must be between 1 and 99.")
    if not 1 <= int(settings.get(interval) or 0) <= _LONGEST_MINUTES:
        raise _invalid(f"{interval} must be between 1 and {_LONGEST_MINUTES} minutes.")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidTrafficRoutingConfigurationException", message)
