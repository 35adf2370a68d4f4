"""Task sets: the revisions of a service that CodeDeploy deploys, and how CodeDeploy reads and moves them.

A service with the controller CODE_DEPLOY has task sets where others have deployments; here both are
:class:`.model.Deployment`, the PRIMARY one first. Every set that is not draining is scaled to the service's desired
count. Nothing else than this file begins, promotes or ends a set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.ids import deployment_number
from seatrial.emulator.ecs.model import CODE_DEPLOY, Deployment, LoadBalancer, Revision
from seatrial.emulator.ecs.requests import (
    open_cluster,
    read_load_balancers,
    read_placement,
    usable_definition,
)
from seatrial.emulator.ecs.shapes import pending, running
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.model import Placement, Service
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World


@dataclass(frozen=True)
class TaskSetOrder:
    """What a new task set is made from; what is None is as in the PRIMARY one. Fields as CreateTaskSet has them."""

    definition: str
    container: str
    port: int
    target_group: str
    external_id: str
    platform_version: str | None = None
    network: Mapping[str, Any] | None = None
    capacity_providers: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class TaskSetView:
    """A task set as it stands. ``healthy`` counts the tasks that may get traffic, ``alive`` all that have not ended."""

    id: str
    status: str
    definition: str
    target_group: str
    desired: int
    pending: int
    running: int
    healthy: int
    alive: int


@dataclass(frozen=True)
class ServiceView:
    """A service as CodeDeploy looks at it. ``sets`` has the PRIMARY one first, and none where the service is gone."""

    name: str
    arn: str
    controller: str
    active: bool
    desired: int
    sets: tuple[TaskSetView, ...]

    def find(self, identifier: str | None) -> TaskSetView | None:
        """Return a task set by its id."""
        return next((each for each in self.sets if each.id == identifier), None)


class TaskSets:
    """The task sets of all services. Safe from any thread."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state

    def look(self, cluster: str, service: str) -> ServiceView:
        """Return a service by names or ARNs. Raises ``ApiError`` ClusterNotFound- or ServiceNotFoundException."""
        known = self._world.surroundings.cluster(cluster)
        with self._world.lock:
            found = self._state.service(known, service)
            return ServiceView(
                name=found.name,
                arn=found.arn,
                controller=found.controller,
                active=found.status == "ACTIVE",
                desired=found.desired,
                sets=tuple(self._view(found, each) for each in found.deployments),
            )

    def create(self, cluster: str, service: str, order: TaskSetOrder) -> str:
        """Start a task set beside the PRIMARY one and return its id. Raises ``ApiError`` as CreateTaskSet does."""
        world = self._world
        known = open_cluster(world, cluster)
        definition = usable_definition(world, order.definition)
        with world.lock:
            primary = self._active(cluster, service).primary.revision
        shape = {
            "targetGroupArn": order.target_group,
            "containerName": order.container,
            "containerPort": order.port,
        }
        balancers = read_load_balancers(world, [shape], definition)
        asked: dict[str, Any] = {
            "networkConfiguration": order.network or primary.placement.network,
            "platformVersion": order.platform_version or primary.placement.platform_version,
        }
        if order.capacity_providers:
            asked["capacityProviderStrategy"] = list(order.capacity_providers)
        elif primary.placement.capacity_provider:
            asked["capacityProviderStrategy"] = [{"capacityProvider": primary.placement.capacity_provider}]
        else:
            asked["launchType"] = primary.placement.launch_type
        placement = read_placement(world, asked, known, definition)
        with world.lock:
            found = self._active(cluster, service)
            made = open_set(
                world, found, definition, placement=placement, load_balancers=balancers, external_id=order.external_id
            )
        world.wake.set()
        return made.id

    def make_primary(self, cluster: str, service: str, identifier: str) -> None:
        """Make a task set the PRIMARY one (UpdateServicePrimaryTaskSet). One that is gone stays gone."""
        known = self._world.surroundings.cluster(cluster)
        with self._world.lock:
            found = self._state.service(known, service)
            chosen = next((each for each in found.deployments if each.id == identifier), None)
            if chosen is not None:
                found.deployments = [chosen, *(each for each in found.deployments if each is not chosen)]
                chosen.updated_at = self._world.clock.now()
        self._world.wake.set()

    def delete(self, cluster: str, service: str, identifier: str) -> None:
        """Have a task set drain and end (DeleteTaskSet with ``force``). The PRIMARY one stays."""
        known = self._world.surroundings.cluster(cluster)
        with self._world.lock:
            found = self._state.service(known, service)
            for each in found.deployments[1:]:
                if each.id == identifier and not each.draining:
                    each.draining, each.updated_at = True, self._world.clock.now()
        self._world.wake.set()

    def _active(self, cluster: str, service: str) -> Service:
        found = self._state.service(self._world.surroundings.cluster(cluster), service)
        if found.status != "ACTIVE" or found.controller != CODE_DEPLOY:
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def _view(self, service: Service, each: Deployment) -> TaskSetView:
        tasks = self._state.tasks_of(service, each)
        return TaskSetView(
            id=each.id,
            status=service.status_of(each),
            definition=each.definition.arn,
            target_group=each.revision.resolved[0].target_group,
            desired=0 if each.draining else service.desired,
            pending=pending(tasks),
            running=running(tasks),
            healthy=sum(t.healthy and not t.failed and not t.stopping for t in tasks),
            alive=len(tasks),
        )


def open_set(
    world: World,
    service: Service,
    definition: TaskDefinition,
    *,
    placement: Placement,
    load_balancers: tuple[LoadBalancer, ...],
    external_id: str = "",
) -> Deployment:
    """Add a task set to a service; the first one is PRIMARY. The lock must be held."""
    now, number = world.clock.now(), deployment_number()
    revision = Revision(
        arn=world.arn("service-revision", f"{service.cluster.name}/{service.name}/{number}"),
        created_at=now,
        definition=definition,
        placement=placement,
        load_balancers=load_balancers,
        resolved=load_balancers,
        settings=dict(service.settings),
    )
    made = Deployment(f"ecs-svc/{number}", revision, now, now, "", external_id=external_id)
    service.deployments.append(made)
    service.steady = False
    return made
