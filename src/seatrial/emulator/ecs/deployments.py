"""What becomes of a service's deployments: begun, superseded, completed, failed, rolled back.

These change the model and tell the service's events; which tasks follow from it is the scheduler's business. The
engine's lock must be held. Texts are ECS's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.emulator.ecs import events
from seatrial.emulator.ecs.breaker import Failures
from seatrial.emulator.ecs.groups import resolve, source_of
from seatrial.emulator.ecs.ids import deployment_number, service_deployment_id
from seatrial.emulator.ecs.lifecycle import start
from seatrial.emulator.ecs.model import Deployment, Revision, Rollout, ServiceDeployment
from seatrial.emulator.ecs.strategy import course

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.model import LoadBalancer, Placement, RolloutState, Service
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World

STOPPED_BY_USER = "Service deployment rolled back because it was stopped by StopServiceDeployment."
ABORTED = "Service deployment stopped because it was aborted by StopServiceDeployment."
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
SUPERSEDED = "Service deployment stopped because a newer service deployment was started."


@dataclass(frozen=True)
class Cause:
    """Why a deployment fails by itself, in the words of each place where ECS says it.

    ``status`` completes a service deployment's statusReason, ``event`` the service's event and, with ``label`` in
    front, the rolloutStateReason.
    """

    status: str
    event: str
    label: str

    @property
    def rolled_back(self) -> str:
        """The statusReason of a deployment that is rolled back."""
        return f"Service deployment rolled back because {self.status}"

    @property
    def stopped(self) -> str:
        """The statusReason of a deployment that is left where it is."""
        return f"Service deployment stopped because {self.status}"


BREAKER = Cause(
    "the circuit breaker threshold was exceeded.", "tasks failed to start.", "ECS deployment circuit breaker"
)
ALARM = Cause("an alarm was detected.", "alarm detected.", "ECS deployment alarm")

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
    shifts = service.configuration.get("strategy", "ROLLING") != "ROLLING"
    source = source_of(service)
    number = deployment_number()
    path = f"{service.cluster.name}/{service.name}"
    revision = Revision(
        arn=world.arn("service-revision", f"{path}/{number}"),
        created_at=now,
        definition=definition,
        placement=placement,
        load_balancers=load_balancers,
        resolved=resolve(world.traffic, load_balancers, source.revision if source else None, shifts=shifts),
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
    service.rollout = record.rollout = _rollout(world, state, service, deployment, source) if shifts else None
    alarms = service.configuration.get("alarms") or {}
    names = tuple(alarms.get("alarmNames") or ()) if alarms.get("enable") else ()
    # An alarm that is on already says nothing about this deployment: ECS then ignores the alarms until it is over.
    record.watched = () if any(a.state == "ALARM" for a in world.surroundings.alarms(names)) else names
    service.deployments.insert(0, deployment)
    service.history.insert(0, record)
    del service.history[HISTORY_KEPT:]
    service.steady = False
    return deployment


def complete(world: World, service: Service) -> None:
    """The PRIMARY deployment got where it was to get."""
    deployment = service.primary
    _set(world, deployment, "COMPLETED", f"ECS deployment {deployment.id} completed.")
    service.completed, service.rollout = deployment, None
    if service.current:
        rolled_back = service.current.rollback is not None
        _close(world, service.current, "ROLLBACK_SUCCESSFUL" if rolled_back else "SUCCESSFUL", None)
    world.tell(service, events.completed(service.name, deployment.id))


def fail(world: World, service: Service, cause: Cause, *, rollback: bool) -> None:
    """Fail the PRIMARY deployment of a rolling update, and roll it back where ``rollback``."""
    record = service.current
    rolling_back = record is not None and record.rollback is not None
    if record:
        record.tripped = record.tripped or cause is BREAKER
    _set(world, service.primary, "FAILED", f"{cause.label}: {cause.event}")
    world.tell(service, events.failed(service.name, service.primary.id, cause.event))
    if rolling_back:
        _close(world, record, "ROLLBACK_FAILED", NO_CANDIDATE)
    elif rollback:
        roll_back(world, service, cause.rolled_back, f"{cause.label}: rolling back to deploymentId")
    else:
        _close(world, record, "STOPPED", cause.stopped)


def roll_back(world: World, service: Service, reason: str, announced: str) -> None:
    """Make the last COMPLETED deployment PRIMARY again, under its own id, with the tasks that it still has.

    It is then not COMPLETED any more, so it is no candidate for a second rollback. Without a candidate the deployment
    stays FAILED and nothing more is started.
    """
    candidate = service.completed
    service.completed = None
    if candidate is None or candidate is service.primary:
        _set(world, service.primary, "FAILED", f"{announced.split(':', maxsplit=1)[0]}: {NO_CANDIDATE}")
        _close(world, service.current, "ROLLBACK_FAILED", NO_CANDIDATE)
        return
    if service.primary.state == "IN_PROGRESS":
        _set(world, service.primary, "FAILED", reason)
        world.tell(service, events.failed(service.name, service.primary.id, reason))
    turn_back(world, service, candidate, reason, announced)


def turn_back(world: World, service: Service, candidate: Deployment, reason: str, announced: str) -> None:
    """Make an older deployment PRIMARY again; the service deployment is from now on its rollback."""
    record = service.current
    service.deployments = [candidate, *(d for d in service.deployments if d is not candidate)]
    candidate.failures, candidate.not_before, candidate.ready_since = Failures(), 0.0, None
    _set(world, candidate, "IN_PROGRESS", f"{announced} {candidate.id}.")
    world.tell(service, events.rolling_back(service.name, candidate.id))
    service.steady = False
    if record:
        now = world.clock.now()
        record.status, record.status_reason, record.updated_at = "ROLLBACK_IN_PROGRESS", reason, now
        record.rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": candidate.revision.arn}


def give_up(world: World, service: Service, deployment: Deployment, reason: str, event: str) -> None:
    """Mark a deployment FAILED and tell it."""
    _set(world, deployment, "FAILED", reason)
    world.tell(service, events.failed(service.name, deployment.id, event))


def close(world: World, service: Service, status: str, reason: str | None) -> None:
    """End the service deployment that is under way."""
    _close(world, service.current, status, reason)


def abandon(world: World, service: Service) -> None:
    """The service is being deleted: nothing is deployed any more."""
    service.rollout = None
    if service.current:
        _close(world, service.current, "STOPPED", "Service deployment stopped because the service was deleted.")


def _rollout(world: World, state: State, service: Service, green: Deployment, blue: Deployment | None) -> Rollout:
    """Begin a deployment by stages; what the one before it left on its own green comes back to blue first.

    What that one was about to move counts as moved: the load balancer may be taking it up in this very moment.
    """
    before, production, test = service.rollout, 0.0, 0.0
    if before is not None and before.green is not blue:
        production = max(before.production, before.position.production)
        test = max(before.test, before.position.test)
    third = any(t.deployment is not blue for t in state.tasks_of(service))
    return Rollout(
        green=green,
        blue=blue,
        course=course(service.configuration, world.clock.scaled),
        position=start(
            world.clock.monotonic(), reconcile=bool(production or test or third), production=production, test=test
        ),
        production=production,
        test=test,
    )


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
