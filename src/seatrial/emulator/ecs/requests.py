"""Reading and refusing requests in AWS's shapes, errors in AWS's words.

RegisterTaskDefinition, CreateService, UpdateService and RunTask. What this emulator cannot do is refused with
UnsupportedFeatureException and never ignored: a rehearsal must not be kinder than AWS. Which members of a request are
acted on, kept or refused stands in :mod:`seatrial.emulator.ecs.members`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs import envfiles, members
from seatrial.emulator.ecs.model import Cluster, LoadBalancer, Placement
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.world import World

#: Settings of a service that are handed back as they came.
KEPT = (
    "availabilityZoneRebalancing",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "propagateTags",
)
#: DeploymentConfiguration of a service that sets nothing (REPLICA).
DEFAULT_CONFIGURATION = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "strategy": "ROLLING",
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "alarms": {"alarmNames": [], "rollback": False, "enable": False},
}
_FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")


def invalid(message: str) -> ApiError:
    """Return an InvalidParameterException to raise."""
    return ApiError("InvalidParameterException", message)


def unsupported(what: str) -> ApiError:
    """Return an UnsupportedFeatureException to raise."""
    return ApiError("UnsupportedFeatureException", f"The emulator does not support {what}.")


def open_cluster(world: World, name: str | None) -> Cluster:
    """Return an ACTIVE cluster by name or ARN. Raises ``ApiError``."""
    cluster = world.surroundings.cluster(name)
    if not cluster.active:
        raise ApiError("ClientException", "The referenced cluster was inactive.")
    return cluster


def usable_definition(world: World, name: str) -> TaskDefinition:
    """Return the task definition a request names. Raises ``ApiError`` ClientException for an INACTIVE one."""
    definition = world.surroundings.task_definition(name)
    if not definition.active:
        raise ApiError("ClientException", "TaskDefinition is inactive")
    return definition


def read_placement(world: World, request: Mapping[str, Any], cluster: Cluster, definition: TaskDefinition) -> Placement:
    """Read launch type or capacity provider, platform version and network. Raises ``ApiError``."""
    launch_type, strategy = request.get("launchType"), request.get("capacityProviderStrategy") or []
    if launch_type and strategy:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if not launch_type and not strategy:
        strategy = list(cluster.default_strategy)
    provider = _provider(strategy)
    launch_type = "FARGATE" if provider else launch_type or "EC2"
    if launch_type == "FARGATE" and "FARGATE" not in definition.launch_types:
        raise invalid("Task definition does not support launch_type FARGATE.")
    network = request.get("networkConfiguration")
    awsvpc = (network or {}).get("awsvpcConfiguration")
    if definition.network_mode == "awsvpc":
        if not awsvpc:
            raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        if not awsvpc.get("subnets"):
            raise invalid("subnets can not be empty.")
        world.surroundings.check_network(awsvpc)
    elif awsvpc:
        raise invalid("Network Configuration is not valid for the given networkMode of this task definition.")
    return Placement(launch_type, provider, request.get("platformVersion"), network)


def read_load_balancers(
    world: World, shapes: Sequence[Mapping[str, Any]], definition: TaskDefinition
) -> tuple[LoadBalancer, ...]:
    """Read and check ``loadBalancers``. Raises ``ApiError``."""
    balancers = []
    for shape in shapes:
        arn = shape.get("targetGroupArn")
        if not arn:
            raise invalid("targetGroupArn can not be blank.")
        group = world.surroundings.target_group(arn)
        if group is None:
            raise invalid(f"The specified target group does not exist: {arn}")
        if not world.targets.is_attached(arn):
            raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
        if definition.network_mode == "awsvpc" and group.target_type != "ip":
            raise invalid(
                f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
                "awsvpc network mode specified in the task definition."
            )
        name, port = str(shape.get("containerName")), int(shape.get("containerPort") or 0)
        container = definition.container(name)
        if container is None:
            raise invalid(f"The container {name} does not exist in the task definition.")
        if port not in container.ports:
            raise invalid(f"The container {name} did not have a container port {port} defined.")
        balancers.append(LoadBalancer(arn, name, port))
    return tuple(balancers)


def merge_configuration(known: Mapping[str, Any], request: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a service's ``deploymentConfiguration`` after a request. Raises ``ApiError``."""
    merged = {**known, **{k: v for k, v in (request or {}).items() if v is not None}}
    minimum, maximum = int(merged["minimumHealthyPercent"]), int(merged["maximumPercent"])
    if minimum < 0 or maximum < 0 or minimum > maximum:
        raise invalid("The deployment configuration's minimumHealthyPercent must not be above its maximumPercent.")
    if merged.get("strategy", "ROLLING") != "ROLLING":
        raise unsupported(f"the deployment strategy {merged['strategy']}")
    for monitor in ("alarms", "earlySuccessCriteria"):
        if (merged.get(monitor) or {}).get("enable"):
            raise unsupported(f"deploymentConfiguration.{monitor}")
    return merged


def check_members(shape: str, request: Mapping[str, Any]) -> None:
    """Refuse the members of a request that the engine cannot act on, by name. Raises ``ApiError``."""
    refused = members.refused(shape, request)
    if refused:
        raise unsupported(", ".join(refused))


def check_definition(request: Mapping[str, Any]) -> None:
    """Refuse a task definition that could not be run as it says. Raises ``ApiError``."""
    check_members("RegisterTaskDefinitionRequest", request)
    system = (request.get("runtimePlatform") or {}).get("operatingSystemFamily", "LINUX")
    if system != "LINUX":
        raise unsupported(f"the operating system family {system}")
    for container in request.get("containerDefinitions") or ():
        check_environment_files(container.get("environmentFiles") or ())


def check_environment_files(files: Sequence[Mapping[str, Any]]) -> None:
    """Refuse environment files that are none. Raises ``ApiError``."""
    if len(files) > envfiles.MOST:
        raise invalid(f"A container can not have more than {envfiles.MOST} environment files.")
    for file in files:
        if envfiles.place(str(file.get("value"))) is None:
            raise invalid(f"The environment file {file.get('value')} is not the ARN of an S3 object ending in .env.")


def check_service(shape: str, request: Mapping[str, Any]) -> None:
    """Refuse what a service may ask on AWS and not here. Raises ``ApiError``."""
    check_members(shape, request)
    if request.get("role"):
        raise invalid("You cannot specify an IAM role for services that require a service linked role.")
    controller = (request.get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS":
        raise unsupported(f"the deployment controller {controller}")
    if request.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise unsupported("the DAEMON scheduling strategy")


def check_overrides(overrides: Mapping[str, Any], definition: TaskDefinition) -> None:
    """Refuse overrides of containers that are not there. Raises ``ApiError``."""
    for override in overrides.get("containerOverrides") or ():
        name = override.get("name")
        if definition.container(str(name)) is None:
            raise invalid(f"Override for container named {name} is not a container in the TaskDefinition.")
        check_environment_files(override.get("environmentFiles") or ())


def managed_tags(cluster: Cluster, service: str | None = None) -> list[dict[str, str]]:
    """Return the tags that ECS gives tasks where ``enableECSManagedTags`` is set ("Tagging", developer guide)."""
    tags = {"aws:ecs:clusterName": cluster.name} | ({"aws:ecs:serviceName": service} if service else {})
    return [{"key": key, "value": value} for key, value in tags.items()]


def grace_period(request: Mapping[str, Any], balancers: Sequence[LoadBalancer]) -> float | None:
    """Read ``healthCheckGracePeriodSeconds``. Raises ``ApiError``."""
    seconds = request.get("healthCheckGracePeriodSeconds")
    if seconds is None:
        return 0.0 if balancers else None
    if not balancers:
        raise invalid("Health check grace period is only valid for services configured to use load balancers")
    return float(seconds)


def _provider(strategy: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the Fargate capacity provider with the greatest weight, None for an empty strategy."""
    if not strategy:
        return None
    chosen = max(strategy, key=lambda item: (item.get("weight") or 0, item.get("base") or 0))["capacityProvider"]
    if chosen not in _FARGATE_PROVIDERS:
        raise unsupported(f"the capacity provider {chosen}")
    return str(chosen)
