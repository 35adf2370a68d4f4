"""What becomes of a service's deployments: begun, superseded, completed, failed, rolled back.

These change the model and tell the service's events; which tasks follow from it is the scheduler's business. The
engine's lock must be held. Texts are ECS's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.ecs import events
from seatrial.emulator.ecs.breaker import Failures
from seatrial.emulator.ecs.ids import deployment_number, service_deployment_id
from seatrial.emulator.ecs.model import Deployment, Revision, ServiceDeployment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.model import LoadBalancer, Placement, RolloutState, Service
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World

TRIPPED = "Service deployment rolled back because the circuit breaker threshold was exceeded."
STOPPED_BY_USER = "Service deployment rolled back because it was stopped by StopServiceDeployment."
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
SUPERSEDED = "Service deployment stopped because a newer service deployment was started."

#: Service deployments of a service that are remembered.
HISTORY_KEPT = 100


def begin(
    world: World,
    state: State,
    service: Service,
    definition: TaskDefinition,
    *,
    placement: Placement,
    load_balancers: tuple[LoadBalancer, ...],
    settings: Mapping[str, Any],
) -> Deployment:
    """Start a new deployment; it becomes PRIMARY and what is under way is superseded."""
    now = world.clock.now()
    number = deployment_number()
    path = f"{service.cluster.name}/{service.name}"
    revision = Revision(
        arn=world.arn("service-revision", f"{path}/{number}"),
        created_at=now,
        definition=definition,
        placement=placement,
        load_balancers=load_balancers,
        settings=dict(settings),
    )
    state.revisions[revision.arn] = (service, revision)
    identifier = f"ecs-svc/{number}"
    deployment = Deployment(identifier, revision, now, now, f"ECS deployment {identifier} in progress.")
    record = ServiceDeployment(
        arn=world.arn("service-deployment", f"{path}/{service_deployment_id()}"),
        target=revision,
        sources=tuple(d.revision for d in service.deployments),
        deployment_id=identifier,
        configuration=dict(service.configuration),
        created_at=now,
        updated_at=now,
        threshold=service.breaker.threshold(service.desired),
    )
    if service.current:
        _close(world, service.current, "STOPPED", SUPERSEDED)
    service.deployments.insert(0, deployment)
    service.history.insert(0, record)
    del service.history[HISTORY_KEPT:]
    service.steady = False
    return deployment


def complete(world: World, service: Service) -> None:
    """The PRIMARY deployment reached its steady state and nothing older is left."""
    deployment = service.primary
    _set(world, deployment, "COMPLETED", f"ECS deployment {deployment.id} completed.")
    service.completed = deployment
    del service.deployments[1:]
    if service.current:
        rolled_back = service.current.rollback is not None
        _close(world, service.current, "ROLLBACK_SUCCESSFUL" if rolled_back else "SUCCESSFUL", None)
    world.tell(service, events.completed(service.name, deployment.id))


def trip(world: World, service: Service) -> None:
    """The circuit breaker fails the PRIMARY deployment, and rolls it back where it is set to."""
    record = service.current
    rolling_back = record is not None and record.rollback is not None
    if record:
        record.tripped = True
    reason = "tasks failed to start."
    _set(world, service.primary, "FAILED", f"ECS deployment circuit breaker: {reason}")
    world.tell(service, events.failed(service.name, service.primary.id, reason))
    if rolling_back:
        _close(world, record, "ROLLBACK_FAILED", NO_CANDIDATE)
    elif service.breaker.rollback:
        roll_back(world, service, TRIPPED, "ECS deployment circuit breaker: rolling back to deploymentId")
    else:
        _close(
            world, record, "STOPPED", "Service deployment stopped because the circuit breaker threshold was exceeded."
        )


def roll_back(world: World, service: Service, reason: str, announced: str) -> None:
    """Make the last COMPLETED deployment PRIMARY again, under its own id, with the tasks that it still has.

    It is then not COMPLETED any more, so it is no candidate for a second rollback. Without a candidate the deployment
    stays FAILED and nothing more is started.
    """
    candidate, record = service.completed, service.current
    service.completed = None
    if candidate is None or candidate is service.primary:
        _set(world, service.primary, "FAILED", f"{announced.split(':', maxsplit=1)[0]}: {NO_CANDIDATE}")
        _close(world, record, "ROLLBACK_FAILED", NO_CANDIDATE)
        return
    if service.primary.state == "IN_PROGRESS":
        _set(world, service.primary, "FAILED", reason)
        world.tell(service, events.failed(service.name, service.primary.id, reason))
    service.deployments = [candidate, *(d for d in service.deployments if d is not candidate)]
    candidate.failures, candidate.not_before = Failures(), 0.0
    _set(world, candidate, "IN_PROGRESS", f"{announced} {candidate.id}.")
    world.tell(service, events.rolling_back(service.name, candidate.id))
    service.steady = False
    if record:
        now = world.clock.now()
        record.status, record.status_reason, record.updated_at = "ROLLBACK_IN_PROGRESS", reason, now
        record.rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": candidate.revision.arn}


def abandon(world: World, service: Service) -> None:
    """The service is being deleted: nothing is deployed any more."""
    if service.current:
        _close(world, service.current, "STOPPED", "Service deployment stopped because the service was deleted.")


def _set(world: World, deployment: Deployment, state: RolloutState, reason: str) -> None:
    deployment.state = state
    deployment.reason, deployment.updated_at = reason, world.clock.now()


def _close(world: World, record: ServiceDeployment | None, status: str, reason: str | None) -> None:
    if record is None:
        return
    now = world.clock.now()
    record.status, record.finished_at, record.updated_at = status, now, now
    record.status_reason = reason or record.status_reason
    if status == "STOPPED":
        record.stopped_at = now
