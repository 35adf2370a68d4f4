"""How a deployment is made: by CreateDeployment, or to roll back one that ended badly."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from seatrial.emulator.codedeploy import appspec, groups
from seatrial.emulator.codedeploy.lifecycle import start, start_back
from seatrial.emulator.codedeploy.model import Deployment, EventRecord, Route
from seatrial.emulator.codedeploy.route import share
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.codedeploy.appspec import AppSpec
    from seatrial.emulator.codedeploy.model import Group
    from seatrial.emulator.codedeploy.store import Store
    from seatrial.emulator.codedeploy.world import World
    from seatrial.emulator.ecs.task_sets import ServiceView

#: Members of CreateDeployment that mean something only on other compute platforms.
_OF_SERVERS = (
    "ignoreApplicationStopFailures",
    "targetInstances",
    "updateOutdatedInstancesOnly",
    "fileExistsBehavior",
    "ec2DeploymentOptions",
)


def begin(world: World, store: Store, request: Mapping[str, Any]) -> Deployment:
    """Make the deployment that CreateDeployment asks for. Raises ``ApiError``."""
    with world.lock:
        group = store.group(request.get("applicationName"), request.get("deploymentGroupName"))
        settings = _settings(group, request)
        name = str(request.get("deploymentConfigName") or settings["deploymentConfigName"])
        configuration = store.configuration(name, "ECS")
    revision = request.get("revision")
    if not revision:
        raise ApiError("RevisionRequiredException", "The revision is required.")
    spec = _read(world, revision)
    groups.check_balancing(world, settings["loadBalancerInfo"])
    service = _service(world, settings)
    route = _route(world, settings, service)
    production, test = (share(world.listeners, route, arns) for arns in (route.production, route.test))
    with world.lock:
        active = store.running(group)
        if active:
            raise ApiError(
                "DeploymentLimitExceededException",
                f"The Deployment Group '{group.name}' already has an active Deployment '{active[0].id}'",
            )
        made = Deployment(
            id=_identifier(),
            group=group,
            settings=settings,
            configuration=name,
            revision=revision,
            previous=group.succeeded.revision if group.succeeded else None,
            spec=spec,
            course=groups.course_of(world, settings, configuration),
            route=route,
            blue=service.sets[0].id,
            creator="user",
            created_at=world.clock.now(),
            position=start(world.clock.monotonic(), production=production, test=test),
            description=request.get("description") or "",
            production=production,
            test=test,
        )
        _remember(store, made)
    return made


def begin_rollback(world: World, store: Store, failed: Deployment) -> Deployment:
    """Make the deployment that brings everything back to where it was before one that failed. The lock must be held."""
    made = Deployment(
        id=_identifier(),
        group=failed.group,
        settings=failed.settings,
        configuration=failed.configuration,
        revision=failed.previous,
        previous=failed.revision,
        spec=None,
        course=failed.course,
        route=failed.route,
        blue=failed.blue,
        creator="codeDeployRollback",
        created_at=world.clock.now(),
        position=start_back(world.clock.monotonic(), failed.position, production=failed.production, test=failed.test),
        green=failed.green,
        production=failed.production,
        test=failed.test,
        restores=failed,
    )
    failed.restored_by = made
    _remember(store, made)
    return made


def _remember(store: Store, made: Deployment) -> None:
    made.events = {event: EventRecord() for event in made.course.events}
    store.deployments[made.id] = made
    made.group.attempted = made


def _settings(group: Group, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the group's settings with those of the request in their place. Raises ``ApiError``."""
    if group.application.platform != "ECS":
        raise ApiError(
            "InvalidComputePlatformException",
            f"The emulator deploys to the ECS compute platform only, not to {group.application.platform}.",
        )
    others = [name for name in _OF_SERVERS if request.get(name)]
    if others:
        raise ApiError("InvalidInputException", f"For ECS deployments, {', '.join(others)} can not be specified.")
    settings = dict(group.settings)
    if request.get("overrideAlarmConfiguration") is not None:
        settings["alarmConfiguration"] = request["overrideAlarmConfiguration"]
        groups.check_alarms(settings["alarmConfiguration"])
    if request.get("autoRollbackConfiguration") is not None:
        settings["autoRollbackConfiguration"] = request["autoRollbackConfiguration"]
        groups.check_rollback(settings["autoRollbackConfiguration"], settings.get("alarmConfiguration"))
    return settings


def _read(world: World, revision: Mapping[str, Any]) -> AppSpec:
    """Read the AppSpec where the revision says that it is. Raises ``ApiError``."""
    match revision.get("revisionType"):
        case "AppSpecContent":
            held = revision.get("appSpecContent") or {}
            content = str(held.get("content") or "")
            appspec.check_digest(content, held.get("sha256"))
        case "S3":
            place = revision.get("s3Location") or {}
            if place.get("bundleType") not in {"YAML", "JSON"}:
                raise ApiError("InvalidRevisionException", "For ECS deployments, bundleType must be YAML or JSON.")
            if place.get("version") or place.get("eTag"):
                raise ApiError("InvalidRevisionException", "The emulator reads an object's newest version only.")
            found = world.surroundings.content(str(place.get("bucket")), str(place.get("key")))
            if found is None:
                raise ApiError(
                    "RevisionDoesNotExistException",
                    f"The revision s3://{place.get('bucket')}/{place.get('key')} does not exist.",
                )
            content = found
        case kind:
            raise ApiError(
                "InvalidRevisionException", f"For ECS deployments, the revision type {kind} is not supported."
            )
    return appspec.parse(content)


def _service(world: World, settings: Mapping[str, Any]) -> ServiceView:
    target = settings["ecsServices"][0]
    return groups.usable_service(world, target["clusterName"], target["serviceName"])


def _route(world: World, settings: Mapping[str, Any], service: ServiceView) -> Route:
    """Say which of the two target groups is blue's. Raises ``ApiError``."""
    pair = settings["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    names = [str(group["name"]) for group in pair["targetGroups"]]
    first, second = (str(world.surroundings.target_group(name)) for name in names)
    blue = service.sets[0].target_group
    if blue not in {first, second}:
        raise ApiError(
            "InvalidLoadBalancerInfoException",
            f"The target group {blue} of the service's PRIMARY task set is not one of {' and '.join(names)}.",
        )
    return Route(
        production=groups.listeners_of(pair, "prodTrafficRoute"),
        test=groups.listeners_of(pair, "testTrafficRoute"),
        blue=blue,
        green=second if blue == first else first,
    )


def _identifier() -> str:
    """Return ``d-`` and nine characters."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))
