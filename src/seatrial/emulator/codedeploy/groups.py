"""Deployment groups: reading and refusing what CreateDeploymentGroup and UpdateDeploymentGroup say.

Only groups of the Amazon ECS compute platform are looked into: nothing is deployed to the others here. Rules:
"Create a deployment group for an Amazon ECS deployment" in CodeDeploy's user guide and the service model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.codedeploy.configurations import ALL_AT_ONCE, steps
from seatrial.emulator.codedeploy.lifecycle import Course
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.codedeploy.configurations import Configuration
    from seatrial.emulator.codedeploy.model import Group
    from seatrial.emulator.codedeploy.store import Store
    from seatrial.emulator.codedeploy.world import World
    from seatrial.emulator.ecs.task_sets import ServiceView

#: Members of both requests that a group keeps.
SETTINGS = (
    "deploymentConfigName",
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "serviceRoleArn",
    "triggerConfigurations",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "outdatedInstancesStrategy",
    "deploymentStyle",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
    "ec2TagSet",
    "ecsServices",
    "onPremisesTagSet",
    "ec2DeploymentOptions",
    "terminationHookEnabled",
)
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
ROLLBACK_EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")
#: What only another compute platform has.
_OF_SERVERS = (
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "ec2TagSet",
    "onPremisesTagSet",
)
#: AWS's minutes: two days. Seconds for which CodeDeploy waits for healthy tasks, and at least here.
_LONGEST_WAIT = 2880
HEALTHY_SECONDS, LEAST_HEALTHY = 3600.0, 30.0


def settings_of(request: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group's settings after a request; what is left out stays."""
    return {**known, **{name: request[name] for name in SETTINGS if request.get(name) is not None}}


def check(world: World, store: Store, platform: str, settings: dict[str, Any], group: Group | None) -> None:
    """Complete and check a group's settings; ``group`` is the one that they are for. Raises ``ApiError``."""
    if not settings.get("serviceRoleArn"):
        raise ApiError("RoleRequiredException", "The service role ARN is required.")
    default = {"ECS": ALL_AT_ONCE, "Server": "CodeDeployDefault.OneAtATime"}.get(platform)
    if default:
        settings.setdefault("deploymentConfigName", default)
        with world.lock:
            store.configuration(settings["deploymentConfigName"], platform)
    if platform != "ECS":
        return
    others = [name for name in _OF_SERVERS if settings.get(name)]
    if others:
        raise ApiError("InvalidInputException", f"For ECS deployment group, {', '.join(others)} can not be specified.")
    if settings.get("deploymentStyle") != STYLE:
        raise ApiError(
            "InvalidDeploymentStyleException",
            "For ECS deployment group, deploymentType must be BLUE_GREEN and deploymentOption WITH_TRAFFIC_CONTROL.",
        )
    settings["blueGreenDeploymentConfiguration"] = _blue_green(settings.get("blueGreenDeploymentConfiguration"))
    check_alarms(settings.get("alarmConfiguration"))
    check_rollback(settings.get("autoRollbackConfiguration"), settings.get("alarmConfiguration"))
    check_balancing(world, settings.get("loadBalancerInfo"))
    _check_service(world, store, settings.get("ecsServices"), group)


def check_alarms(configuration: Mapping[str, Any] | None) -> None:
    """Refuse an ``alarmConfiguration`` without alarms. Raises ``ApiError``."""
    alarms = (configuration or {}).get("alarms") or ()
    if (configuration or {}).get("enabled") and not alarms:
        raise ApiError("InvalidAlarmConfigException", "An alarm configuration that is enabled must name alarms.")
    if len(alarms) > 10:
        raise ApiError("AlarmsLimitExceededException", "A deployment group can have at most ten alarms.")
    if any(not alarm.get("name") for alarm in alarms):
        raise ApiError("InvalidAlarmConfigException", "An alarm must have a name.")


def check_rollback(configuration: Mapping[str, Any] | None, alarms: Mapping[str, Any] | None) -> None:
    """Refuse an ``autoRollbackConfiguration`` that means nothing. Raises ``ApiError``."""
    events = (configuration or {}).get("events") or ()
    unknown = [event for event in events if event not in ROLLBACK_EVENTS]
    if unknown:
        raise ApiError("InvalidAutoRollbackConfigException", f"{', '.join(unknown)} is no rollback event.")
    if (configuration or {}).get("enabled") and not events:
        raise ApiError("InvalidAutoRollbackConfigException", "An automatic rollback that is enabled must name events.")
    if "DEPLOYMENT_STOP_ON_ALARM" in events and not (alarms or {}).get("enabled"):
        raise ApiError(
            "InvalidAutoRollbackConfigException", "DEPLOYMENT_STOP_ON_ALARM requires an alarm configuration."
        )


def check_balancing(world: World, info: Mapping[str, Any] | None) -> None:
    """Refuse a ``loadBalancerInfo`` that is no pair of target groups between listeners. Raises ``ApiError``."""
    pairs: Sequence[Mapping[str, Any]] = (info or {}).get("targetGroupPairInfoList") or ()
    if len(pairs) != 1 or (info or {}).get("elbInfoList") or (info or {}).get("targetGroupInfoList"):
        raise _balancing("must have exactly one target group pair")
    pair = pairs[0]
    names = [str(group.get("name")) for group in pair.get("targetGroups") or ()]
    if len(names) != 2 or names[0] == names[1]:
        raise _balancing("must name two target groups")
    for name in names:
        if world.surroundings.target_group(name) is None:
            raise _balancing(f"names the target group {name}, which does not exist")
    for route, least in (("prodTrafficRoute", 1), ("testTrafficRoute", 0)):
        listeners = listeners_of(pair, route)
        if not least <= len(listeners) <= 1:
            raise _balancing(f"must have one listener in its {route}")
        for listener in listeners:
            if world.listeners.rules(listener) is None:
                raise _balancing(f"names the listener {listener}, which does not exist")
    if listeners_of(pair, "prodTrafficRoute") == listeners_of(pair, "testTrafficRoute"):
        raise _balancing("must have different listeners for production and test traffic")


def listeners_of(pair: Mapping[str, Any], route: str) -> tuple[str, ...]:
    """Return the listeners of one traffic route of a target group pair."""
    return tuple((pair.get(route) or {}).get("listenerArns") or ())


def usable_service(world: World, cluster: str, service: str) -> ServiceView:
    """Return a service that CodeDeploy can deploy to. Raises ``ApiError`` InvalidECSServiceException."""
    try:
        found = world.task_sets.look(cluster, service)
    except ApiError as error:
        raise ApiError("InvalidECSServiceException", f"The ECS service {service} could not be found.") from error
    if not found.active:
        raise ApiError("InvalidECSServiceException", f"The ECS service {service} is not ACTIVE.")
    if found.controller != "CODE_DEPLOY":
        raise ApiError(
            "InvalidECSServiceException",
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
        )
    return found


def course_of(world: World, settings: Mapping[str, Any], configuration: Configuration) -> Course:
    """Return what a group's settings and a configuration ask for."""
    scaled = world.clock.scaled
    blue_green = settings["blueGreenDeploymentConfiguration"]
    ready, blue = blue_green["deploymentReadyOption"], blue_green["terminateBlueInstancesOnDeploymentSuccess"]
    waits = ready["actionOnTimeout"] == "STOP_DEPLOYMENT"
    keeps = blue["action"] == "KEEP_ALIVE"
    minutes = int(ready["waitTimeInMinutes"])
    pair = settings["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    return Course(
        steps=steps(configuration, scaled),
        tests=bool(listeners_of(pair, "testTrafficRoute")),
        ready_within=scaled(60.0 * minutes) if waits else None,
        ready_minutes=minutes,
        terminate_after=None if keeps else scaled(60.0 * int(blue["terminationWaitTimeInMinutes"])),
        healthy_within=scaled(HEALTHY_SECONDS, at_least=LEAST_HEALTHY),
    )


def _blue_green(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Complete a ``blueGreenDeploymentConfiguration``: both waits are there, 0 where they were not given."""
    if not given:
        raise _waits("For ECS deployment group, blueGreenDeploymentConfiguration must be specified.")
    ready = {"waitTimeInMinutes": 0, **(given.get("deploymentReadyOption") or {})}
    blue = {"terminationWaitTimeInMinutes": 0, **(given.get("terminateBlueInstancesOnDeploymentSuccess") or {})}
    if ready.get("actionOnTimeout") not in {"CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"}:
        raise _waits("For ECS deployment group, deploymentReadyOption must have an actionOnTimeout.")
    if blue.get("action") not in {"TERMINATE", "KEEP_ALIVE"}:
        raise _waits("For ECS deployment group, terminateBlueInstancesOnDeploymentSuccess must have an action.")
    for name, minutes in (
        ("waitTimeInMinutes", ready["waitTimeInMinutes"]),
        ("terminationWaitTimeInMinutes", blue["terminationWaitTimeInMinutes"]),
    ):
        if not 0 <= int(minutes) <= _LONGEST_WAIT:
            raise _waits(f"{name} must be between 0 and {_LONGEST_WAIT}.")
    if ready["actionOnTimeout"] == "CONTINUE_DEPLOYMENT" and ready["waitTimeInMinutes"]:
        raise _waits("waitTimeInMinutes can only be specified where actionOnTimeout is STOP_DEPLOYMENT.")
    return {**given, "deploymentReadyOption": ready, "terminateBlueInstancesOnDeploymentSuccess": blue}


def _check_service(world: World, store: Store, services: Any, group: Group | None) -> None:
    if not services or len(services) != 1 or not services[0].get("serviceName"):
        raise ApiError("InvalidECSServiceException", "For ECS deployment group, one ECS service must be specified.")
    cluster = services[0].setdefault("clusterName", "default")
    arn = usable_service(world, cluster, services[0]["serviceName"]).arn
    with world.lock:
        others = [each.service for each in store.groups() if each is not group and each.service]
    for other in others:
        try:
            taken = world.task_sets.look(*other).arn
        except ApiError:
            continue  # that group's service is gone
        if taken == arn:
            raise ApiError(
                "ECSServiceMappingLimitExceededException",
                f"The ECS service {arn} is already associated with another deployment group.",
            )


def _balancing(what: str) -> ApiError:
    return ApiError("InvalidLoadBalancerInfoException", f"For ECS deployment group, loadBalancerInfo {what}.")


def _waits(message: str) -> ApiError:
    return ApiError("InvalidBlueGreenDeploymentConfigurationException", message)
