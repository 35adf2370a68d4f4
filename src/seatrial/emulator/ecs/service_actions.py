"""The API actions on services: Create, Update, Delete, Describe and List."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs import deployments
from seatrial.emulator.ecs.model import CODE_DEPLOY, Service
from seatrial.emulator.ecs.paging import page
from seatrial.emulator.ecs.refusals import invalid, unsupported
from seatrial.emulator.ecs.requests import (
    KEPT,
    check_advanced,
    check_code_deploy,
    check_left_to_code_deploy,
    check_service,
    grace_period,
    open_cluster,
    read_load_balancers,
    read_placement,
    usable_definition,
)
from seatrial.emulator.ecs.shapes import load_balancer_shape, service_shape
from seatrial.emulator.ecs.strategy import DEFAULT_CONFIGURATION, merge
from seatrial.emulator.ecs.task_sets import open_set
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.model import Cluster, LoadBalancer, Placement, Revision
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.front.actions import Action

#: DescribeServices takes at most ten.
MOST_DESCRIBED = 10
#: Fields of UpdateService that make a new deployment when they change what is deployed.
_DEPLOYED = ("networkConfiguration", "platformVersion", "capacityProviderStrategy")


class ServiceActions:
    """The actions, over one state."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "create_service": self._create,
            "update_service": self._update,
            "delete_service": self._delete,
            "describe_services": self._describe,
            "list_services": self._list,
            "delete_cluster": self._delete_cluster,
        }

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        check_service("CreateServiceRequest", request)
        world, state = self._world, self._state
        cluster = open_cluster(world, request.get("cluster"))
        name = request["serviceName"]
        if not request.get("taskDefinition"):
            raise invalid("TaskDefinition can not be blank.")
        definition = usable_definition(world, request["taskDefinition"])
        desired = request.get("desiredCount")
        if desired is None:
            raise invalid("DesiredCount can not be null.")
        if int(desired) < 0:
            raise invalid("Desired count can not be negative.")
        placement = read_placement(world, request, cluster, definition)
        configuration = merge(DEFAULT_CONFIGURATION, request.get("deploymentConfiguration"))
        balancers = read_load_balancers(
            world, request.get("loadBalancers") or (), definition, configuration["strategy"]
        )
        controller = (request.get("deploymentController") or {}).get("type", "ECS")
        if controller == CODE_DEPLOY:
            check_code_deploy(configuration, balancers)
        service = Service(
            name=name,
            arn=world.arn("service", f"{cluster.name}/{name}"),
            cluster=cluster,
            created_at=world.clock.now(),
            desired=int(desired),
            settings={key: request[key] for key in KEPT if request.get(key) is not None},
            configuration=configuration,
            grace_seconds=grace_period(request, balancers),
            token=request.get("clientToken"),
            controller=controller,
            tags=[dict(t) for t in request.get("tags") or ()],
        )
        with world.lock:
            known = state.services.get((cluster.name, name))
            if known and known.status == "DRAINING":
                raise invalid("Unable to Start a service that is still Draining.")
            if known and known.status == "ACTIVE":
                if not service.token or known.token != service.token:
                    raise invalid("Creation of service was not idempotent.")
                return {"service": self._shape(known)}
            state.services[cluster.name, name] = service
            if service.by_code_deploy:
                open_set(world, service, definition, placement=placement, load_balancers=balancers)
            else:
                deployments.begin(
                    world,
                    state,
                    service,
                    definition,
                    placement=placement,
                    load_balancers=balancers,
                    settings=service.settings,
                )
            answer = {"service": self._shape(service)}
        world.surroundings.show_service(service)
        world.wake.set()
        return answer

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        check_service("UpdateServiceRequest", request)
        world = self._world
        cluster = open_cluster(world, request.get("cluster"))
        with world.lock:
            service = self._active(cluster, request["service"])
            revision, configuration = service.primary.revision, service.configuration
        controller = request.get("deploymentController")
        if controller and controller["type"] != service.controller:
            raise unsupported("the change of a service's deployment controller")
        # Everything is checked before anything is changed, and outside the lock because the checks ask other engines.
        named = request.get("taskDefinition")
        definition = usable_definition(world, named) if named else revision.definition
        merged = merge(configuration, request.get("deploymentConfiguration"))
        balancers = self._balancers(request, revision, definition, merged["strategy"])
        placement = self._placement(request, revision, cluster, definition)
        if service.by_code_deploy:
            check_left_to_code_deploy(request, revision, definition, placement)
            check_code_deploy(merged, balancers)
        desired, grace = request.get("desiredCount"), request.get("healthCheckGracePeriodSeconds")
        if grace is not None:
            grace_period(request, balancers)
        if desired is not None and int(desired) < 0:
            raise invalid("Desired count can not be negative.")
        with world.lock:
            service = self._active(cluster, request["service"])
            if service.rollout and merged["strategy"] == "ROLLING":
                raise unsupported("the change to a rolling update while another kind of deployment is under way")
            settings = {**service.settings, **{key: request[key] for key in KEPT if request.get(key) is not None}}
            service.configuration, service.settings = merged, settings
            service.grace_seconds = service.grace_seconds if grace is None else float(grace)
            service.desired = service.desired if desired is None else int(desired)
            known = service.primary.revision
            before = (known.definition.arn, known.placement, known.load_balancers, known.settings)
            deploys = not service.by_code_deploy  # else only CodeDeploy does
            if deploys and (
                request.get("forceNewDeployment") or before != (definition.arn, placement, balancers, settings)
            ):
                deployments.begin(
                    world,
                    self._state,
                    service,
                    definition,
                    placement=placement,
                    load_balancers=balancers,
                    settings=settings,
                )
            answer = {"service": self._shape(service)}
        world.wake.set()
        return answer

    def _balancers(
        self, request: dict[str, Any], revision: Revision, definition: TaskDefinition, strategy: str
    ) -> tuple[LoadBalancer, ...]:
        """Return the load balancers after an update; kept ones must fit the new task definition and strategy."""
        asked = request.get("loadBalancers")
        if asked is None and definition is revision.definition:
            check_advanced(self._world, revision.load_balancers, strategy)
            return revision.load_balancers
        kept = [load_balancer_shape(b) for b in revision.load_balancers]
        return read_load_balancers(self._world, kept if asked is None else asked, definition, strategy)

    def _placement(
        self, request: dict[str, Any], revision: Revision, cluster: Cluster, definition: TaskDefinition
    ) -> Placement:
        """Return the placement after an update."""
        known = revision.placement
        asked = {key: request[key] for key in _DEPLOYED if request.get(key) is not None}
        if not asked and definition is revision.definition:
            return known
        kept: dict[str, Any] = {"networkConfiguration": known.network, "platformVersion": known.platform_version}
        if known.capacity_provider:
            kept["capacityProviderStrategy"] = [{"capacityProvider": known.capacity_provider}]
        elif "capacityProviderStrategy" not in asked:
            kept["launchType"] = known.launch_type
        return read_placement(self._world, {**kept, **asked}, cluster, definition)

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        cluster = world.surroundings.cluster(request.get("cluster"))
        with world.lock:
            service = self._state.service(cluster, request["service"])
            if service.status != "ACTIVE":
                raise ApiError("ServiceNotFoundException", "Service not found.")
            if service.desired > 0 and not request.get("force"):
                raise invalid("The service cannot be stopped while it is scaled above 0.")
            service.status, service.desired = "DRAINING", 0
            deployments.abandon(world, service)
            answer = {"service": self._shape(service)}
        world.surroundings.hide_service(service)
        world.wake.set()
        return answer

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        names = request.get("services") or []
        if not names:
            raise invalid("Services cannot be empty.")
        if len(names) > MOST_DESCRIBED:
            raise invalid(f"Services cannot have more than {MOST_DESCRIBED} elements.")
        found, failures = [], []
        with self._world.lock:
            for name in names:
                service = self._state.find_service(cluster, name)
                if service is None:
                    arn = name if name.startswith("arn:") else self._world.arn("service", f"{cluster.name}/{name}")
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    found.append(self._shape(service, tags="TAGS" in (request.get("include") or ())))
        return {"services": found, "failures": failures}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        launch_type = request.get("launchType")
        with self._world.lock:
            mine = [s for s in self._state.services.values() if s.cluster.name == cluster.name]
            arns = [
                s.arn
                for s in mine
                if s.status != "INACTIVE"
                and (not launch_type or s.primary.revision.placement.launch_type == launch_type)
                and request.get("schedulingStrategy") in {None, "REPLICA"}
            ]
        return page("serviceArns", arns, request, default=10)

    def _delete_cluster(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        with self._world.lock:
            services = [s for s in self._state.services.values() if s.cluster.name == cluster.name]
            if any(s.status == "ACTIVE" for s in services):
                raise ApiError(
                    "ClusterContainsServicesException",
                    "The Cluster cannot be deleted while Services are active.",
                )
            if any(t.cluster.name == cluster.name for t in self._state.alive()):
                raise ApiError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        return {"cluster": self._world.surroundings.close_cluster(cluster.name)}

    def _active(self, cluster: Cluster, name: str) -> Service:
        service = self._state.service(cluster, name)
        if service.status != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def _shape(self, service: Service, *, tags: bool = True) -> dict[str, Any]:
        shape = service_shape(service, self._state.tasks_of(service))
        return {**shape, "tags": list(service.tags)} if tags and service.tags else shape
