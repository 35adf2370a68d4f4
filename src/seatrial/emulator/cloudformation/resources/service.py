"""AWS::ECS::Service: created and updated as CloudFormation does it, done when the service is steady."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import differing
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.containers import ECS_TAGS
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, retag

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.work import Work

#: How long CloudFormation waits for a service: three hours.
#: https://repost.aws/knowledge-center/cloudformation-ecs-service-stabilize
PATIENCE = 3 * 3600.0


def _create(work: Work) -> None:
    answer = work.call("ecs", "create_service", **_parameters(work, "create_service"))
    work.physical_id = answer["service"]["serviceArn"]
    _steady(work, _primary(answer["service"]))


def _update(work: Work, old: Properties) -> None:
    changed = differing(old, work.properties)
    if "Tags" in changed:
        retag("ecs", ECS_TAGS, work, old)
    if not changed - {"Tags"}:
        return
    parameters = _parameters(work, "update_service")
    for name in ("LoadBalancers", "ServiceRegistries", "PlacementConstraints", "PlacementStrategies"):
        if old.get(name) and not work.get(name):  # an absent parameter means "as it is" to UpdateService
            parameters[name[0].lower() + name[1:]] = []
    answer = work.call("ecs", "update_service", **{**parameters, "service": work.physical_id})
    _steady(work, _primary(answer["service"]))


def _parameters(work: Work, operation: str) -> dict[str, Any]:
    """Return the properties that the call knows. ``desiredCount`` is only there where the template says it."""
    return Row("ecs", rename={"PlacementStrategies": "placementStrategy"}).parameters(work, operation)


def _primary(service: dict[str, Any]) -> str | None:
    """Return the id of the deployment that this call started; None under a controller that has none."""
    found = (deployment for deployment in service.get("deployments", ()) if deployment.get("status") == "PRIMARY")
    return next((str(deployment["id"]) for deployment in found), None)


def _steady(work: Work, deployment: str | None) -> None:
    """Wait for the deployment's end. Raises :class:`ResourceFailed` when it failed or was rolled back by ECS."""
    work.waiter.until(
        lambda: is_steady(_describe(work), deployment),
        seconds=PATIENCE,
        otherwise='Resource handler returned message: "Exceeded attempts to wait" '
        f"(RequestToken: {secrets.token_hex(8)}, HandlerErrorCode: NotStabilized)",
    )


def is_steady(service: dict[str, Any], deployment: str | None) -> bool:
    """Whether a service has reached its steady state with the deployment that was asked for.

    Raises :class:`ResourceFailed` when that deployment failed, or when another one has taken its place (ECS rolled
    back). ``deployment`` is None under controllers other than ECS: then only the counts matter.
    """
    deployments = service.get("deployments", [])
    ours = next((entry for entry in deployments if entry.get("id") == deployment), None)
    if deployment is not None:
        primary = _primary(service)
        if (ours or {}).get("rolloutState") == "FAILED" or primary not in {deployment, None}:
            raise ResourceFailed(_broken(service, ours))
    if service.get("status") == "INACTIVE":
        raise ResourceFailed("The service was deleted while CloudFormation waited for it.")
    finished = ours is None or ours.get("rolloutState", "COMPLETED") == "COMPLETED"
    return finished and len(deployments) <= 1 and service.get("runningCount") == service.get("desiredCount")


def _broken(service: dict[str, Any], ours: dict[str, Any] | None) -> str:
    breaker = service.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {}).get("enable")
    cause = "ECS Deployment Circuit Breaker was triggered" if breaker else "ECS deployment failed"
    reason = (ours or {}).get("rolloutStateReason")
    return (
        f"Resource handler returned message: \"Error occurred during operation '{cause}'.\" "
        f"(RequestToken: {secrets.token_hex(8)}, HandlerErrorCode: GeneralServiceException)"
        + (f" {reason}" if reason and reason not in cause else "")
    )


def _describe(work: Work) -> dict[str, Any]:
    services = work.call("ecs", "describe_services", cluster=_cluster(work), services=[work.physical_id])["services"]
    if not services:
        return {"status": "INACTIVE"}
    service: dict[str, Any] = services[0]
    return service


def _cluster(work: Work) -> str:
    return str(work.get("Cluster") or "default")


def _delete(work: Work) -> None:
    work.call("ecs", "delete_service", cluster=_cluster(work), service=work.physical_id, force=True)
    work.waiter.until(
        lambda: _describe(work).get("status") == "INACTIVE",
        seconds=PATIENCE,
        otherwise=f"Service {work.physical_id} did not drain.",
    )


ROWS: dict[str, Row] = {
    "AWS::ECS::Service": Row(
        "ecs",
        name=Name("ServiceName", limit=255),
        on_create=_create,
        on_update=_update,
        on_delete=_delete,
        attributes={
            "ServiceArn": lambda work: work.physical_id,
            "Name": lambda work: work.physical_id.rsplit("/", 1)[-1],
        },
        # LaunchType is the one conditional property; ECS takes no launchType in UpdateService.
        replaced_by=frozenset({"LaunchType"}),
    )
}
