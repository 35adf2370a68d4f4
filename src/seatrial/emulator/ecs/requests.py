"""Reading and refusing requests in AWS's shapes, errors in AWS's words.

RegisterTaskDefinition, CreateService, UpdateService and RunTask. What this emulator cannot do is refused with
UnsupportedFeatureException and never ignored: a rehearsal must not be kinder than AWS. Which members of a request are
acted on, kept or refused stands in :mod:`seatrial.emulator.ecs.members`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs import envfiles, members
from seatrial.emulator.ecs.model import CODE_DEPLOY, Advanced, Cluster, LoadBalancer, Placement
from seatrial.emulator.ecs.refusals import invalid, unsupported
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.model import Revision
    from seatrial.emulator.ecs.world import World

#: Settings of a service that are handed back as they came.
KEPT = (
    "availabilityZoneRebalancing",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "propagateTags",
)
_FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")


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
    world: World, shapes: Sequence[Mapping[str, Any]], definition: TaskDefinition, strategy: str = "ROLLING"
) -> tuple[LoadBalancer, ...]:
    """Read and check ``loadBalancers`` for a deployment strategy. Raises ``ApiError``."""
    if any(shape.get("loadBalancerName") for shape in shapes):
        if any(shape.get("targetGroupArn") for shape in shapes):
            raise invalid(
                "All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining "
                "targetGroupArn)"
            )
        if any(shape.get("advancedConfiguration") for shape in shapes):
            raise invalid("advancedConfiguration field is not allowed with ELBv1 loadBalancers")
    balancers = tuple(_load_balancer(world, shape, definition) for shape in shapes)
    check_advanced(world, balancers, strategy)
    return balancers


def check_advanced(world: World, balancers: Sequence[LoadBalancer], strategy: str) -> None:
    """Refuse an ``advancedConfiguration`` that contradicts itself or the strategy. Raises ``ApiError``."""
    advanced = [b.advanced for b in balancers if b.advanced]
    if advanced and len(advanced) < len(balancers):
        raise invalid("Either all or none of the provided loadBalancers must have advancedConfiguration defined")
    if strategy != "ROLLING" and not advanced and balancers:
        raise invalid(
            "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy"
        )
    if not advanced:
        return  # one target group may stand for several ports of a task
    groups = [b.target_group for b in balancers] + [a.alternate for a in advanced]
    for group in groups:
        if groups.count(group) > 1:
            raise invalid(f"Duplicate targetGroupArn found: {group}")
    production, test = {a.production_rule for a in advanced}, {a.test_rule for a in advanced if a.test_rule}
    if both := sorted(production & test):
        raise invalid(
            f"The following rules cannot be used as both production and test listener rules: {', '.join(both)}"
        )
    for balancer, settings in zip(balancers, advanced, strict=True):
        forwarded = {arn for arn, _ in world.traffic.forwards(settings.production_rule) or ()}
        if settings.test_rule is None and not {balancer.target_group, settings.alternate} <= forwarded:
            raise invalid(
                "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not "
                "associated with both targetGroup and alternateTargetGroup"
            )


def _load_balancer(world: World, shape: Mapping[str, Any], definition: TaskDefinition) -> LoadBalancer:
    arn = shape.get("targetGroupArn")
    if not arn:
        raise unsupported("Classic Load Balancers")
    _check_target_group(world, arn, definition)
    if not world.targets.is_attached(arn):
        raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    advanced = _advanced(world, shape.get("advancedConfiguration"), definition)
    name, port = str(shape.get("containerName")), int(shape.get("containerPort") or 0)
    container = definition.container(name)
    if container is None:
        raise invalid(f"The container {name} does not exist in the task definition.")
    if port not in container.ports:
        raise invalid(f"The container {name} did not have a container port {port} defined.")
    return LoadBalancer(arn, name, port, advanced)


def _advanced(world: World, shape: Mapping[str, Any] | None, definition: TaskDefinition) -> Advanced | None:
    if not shape:
        return None
    for name in ("alternateTargetGroupArn", "productionListenerRule", "roleArn"):
        if not shape.get(name):
            raise invalid(f"{name} must be provided in advancedConfiguration")
    for name in ("productionListenerRule", "testListenerRule"):
        arn = shape.get(name)
        if arn and ":listener-rule/" not in arn:
            raise invalid(
                f"{name} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: {arn}"
            )
    _check_target_group(world, shape["alternateTargetGroupArn"], definition)
    return Advanced(
        alternate=shape["alternateTargetGroupArn"],
        production_rule=shape["productionListenerRule"],
        test_rule=shape.get("testListenerRule"),
        role=shape["roleArn"],
    )


def _check_target_group(world: World, arn: str, definition: TaskDefinition) -> None:
    group = world.surroundings.target_group(arn)
    if group is None:
        raise invalid(f"The specified target group does not exist: {arn}")
    if definition.network_mode == "awsvpc" and group.target_type != "ip":
        raise invalid(
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
            "awsvpc network mode specified in the task definition."
        )


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
    if controller not in {"ECS", CODE_DEPLOY}:
        raise unsupported(f"the deployment controller {controller}")
    if request.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise unsupported("the DAEMON scheduling strategy")


def check_code_deploy(configuration: Mapping[str, Any], balancers: Sequence[LoadBalancer]) -> None:
    """Refuse what a service that CodeDeploy deploys cannot have. Raises ``ApiError``."""
    if len(balancers) != 1:
        raise invalid("A service with a CODE_DEPLOY deployment controller must have exactly one load balancer.")
    if configuration["strategy"] != "ROLLING" or balancers[0].advanced:
        raise invalid("The deployment strategies are only supported with the ECS deployment controller.")
    for name in ("deploymentCircuitBreaker", "alarms"):
        if (configuration.get(name) or {}).get("enable"):
            raise invalid(f"{name} is only supported with the ECS deployment controller.")


def check_left_to_code_deploy(
    request: Mapping[str, Any], known: Revision, definition: TaskDefinition, placement: Placement
) -> None:
    """Refuse what only CodeDeploy changes in a service that it deploys (UpdateService). Raises ``ApiError``."""
    balancers = request.get("loadBalancers")
    shown = [(b.target_group, b.container, b.port) for b in known.load_balancers]
    asked = [(b.get("targetGroupArn"), b.get("containerName"), b.get("containerPort")) for b in balancers or ()]
    for what, changed in (
        ("update task definition", definition.arn != known.definition.arn),
        ("update network parameters", placement.network != known.placement.network),
        ("update platform version", placement.platform_version != known.placement.platform_version),
        ("update capacity providers", placement.capacity_provider != known.placement.capacity_provider),
        ("update load balancers", balancers is not None and asked != shown),
        ("force a new deployment", bool(request.get("forceNewDeployment"))),
    ):
        if changed:
            raise invalid(
                f"Unable to {what} on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger "
                "a new deployment."
            )


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
