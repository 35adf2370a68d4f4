"""What the engine remembers: services, their deployments and revisions, tasks and their containers.

Data and the questions one can ask of it; nothing here acts. All of it is guarded by the engine's one lock. How it looks
in AWS's answers is in :mod:`seatrial.emulator.ecs.shapes`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from seatrial.emulator.ecs.breaker import Breaker, Failures, parse_breaker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seatrial.emulator.ecs.definitions import ContainerDefinition, TaskDefinition
    from seatrial.emulator.ecs.dependencies import Health
    from seatrial.emulator.ecs.hooks import HookRun
    from seatrial.emulator.ecs.lifecycle import Course, Position, Stage, Trouble
    from seatrial.emulator.runtime import Container as Process

#: How many events ECS returns for a service.
EVENTS_KEPT = 100

#: The deployment controller whose services only CodeDeploy deploys.
CODE_DEPLOY = "CODE_DEPLOY"

RolloutState = Literal["IN_PROGRESS", "COMPLETED", "FAILED"]
#: Last statuses before RUNNING, in order ("Amazon ECS task lifecycle", developer guide).
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")


@dataclass(frozen=True)
class Cluster:
    """A cluster as far as the engine needs it."""

    name: str
    arn: str
    active: bool
    default_strategy: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Advanced:
    """``advancedConfiguration`` of a load balancer entry: the other target group, and the rules that choose."""

    alternate: str
    production_rule: str
    test_rule: str | None
    role: str


@dataclass(frozen=True)
class LoadBalancer:
    """One ``loadBalancers`` entry of a service: which container port stands in which target group."""

    target_group: str
    container: str
    port: int
    advanced: Advanced | None = None


@dataclass(frozen=True)
class Placement:
    """Where and how tasks run: what CreateService and RunTask share."""

    launch_type: str
    capacity_provider: str | None
    platform_version: str | None
    network: Mapping[str, Any] | None


@dataclass(frozen=True)
class Revision:
    """A service revision: one immutable configuration of a service that was deployed.

    ``load_balancers`` is what was asked for, ``resolved`` where its tasks really stand: in the target group or in the
    alternate one.
    """

    arn: str
    created_at: datetime
    definition: TaskDefinition
    placement: Placement
    load_balancers: tuple[LoadBalancer, ...]
    resolved: tuple[LoadBalancer, ...]
    settings: Mapping[str, Any]


@dataclass(eq=False)
class Deployment:
    """One entry of a service's ``deployments[]``.

    ``not_before`` (monotonic) holds starts back; ``ready_since`` is when a rolling deployment began to bake. Of a
    service that CodeDeploy deploys it is one of the ``taskSets[]``: ``external_id`` is CodeDeploy's deployment,
    ``stable_since`` since when it has all its healthy tasks, ``draining`` whether it is on its way out.
    """

    id: str
    revision: Revision
    created_at: datetime
    updated_at: datetime
    reason: str
    state: RolloutState = "IN_PROGRESS"
    failures: Failures = field(default_factory=Failures)
    not_before: float = 0.0
    ready_since: float | None = None
    stuck: bool = False
    unplaced: bool = False
    external_id: str = ""
    draining: bool = False
    stable_since: datetime | None = None

    @property
    def definition(self) -> TaskDefinition:
        """The task definition that is deployed."""
        return self.revision.definition


@dataclass(eq=False)
class Rollout:
    """A deployment by stages under way (see :mod:`.lifecycle`).

    ``production`` and ``test`` are the percentages on ``green`` that the load balancer has taken up. ``hooks`` are
    those of ``visit``, the latest run through a stage; ``broken`` is what went wrong while traffic was moved.
    """

    green: Deployment
    blue: Deployment | None
    course: Course
    position: Position
    production: float = 0.0
    test: float = 0.0
    hooks: list[HookRun] = field(default_factory=list)
    visit: tuple[bool, Stage, int] | None = None
    broken: Trouble | None = None


@dataclass(eq=False)
class ServiceDeployment:
    """The record that List/DescribeServiceDeployments show: one attempt to bring a service to a revision.

    ``watched`` are the names of the alarms that can fail it, ``alarmed`` those that did.
    """

    arn: str
    target: Revision
    sources: tuple[Revision, ...]
    deployment_id: str
    configuration: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    status: str = "PENDING"
    status_reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: Mapping[str, Any] | None = None
    failures: int = 0
    threshold: int = 0
    tripped: bool = False
    rollout: Rollout | None = None
    watched: tuple[str, ...] = ()
    alarmed: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.finished_at is None


@dataclass(eq=False)
class Service:
    """One service. ``deployments`` is newest first; its first entry is PRIMARY.

    ``settings`` holds the request's fields that the engine only hands back. ``completed`` is the deployment a rollback
    would return to. ``rollout`` is there while a deployment by stages is under way, or where one was left standing.
    """

    name: str
    arn: str
    cluster: Cluster
    created_at: datetime
    desired: int
    settings: dict[str, Any]
    configuration: dict[str, Any]
    grace_seconds: float | None
    token: str | None
    controller: str = "ECS"
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    history: list[ServiceDeployment] = field(default_factory=list)
    completed: Deployment | None = None
    rollout: Rollout | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    steady: bool = False

    @property
    def primary(self) -> Deployment:
        """The newest deployment."""
        return self.deployments[0]

    @property
    def by_code_deploy(self) -> bool:
        """Whether it has task sets that CodeDeploy moves."""
        return self.controller == CODE_DEPLOY

    def status_of(self, task_set: Deployment) -> str:
        """Return the status of one of its task sets."""
        if task_set.draining:
            return "DRAINING"
        return "PRIMARY" if task_set is self.primary else "ACTIVE"

    @property
    def breaker(self) -> Breaker:
        """The circuit breaker as it is set now."""
        return parse_breaker(self.configuration.get("deploymentCircuitBreaker"))

    @property
    def current(self) -> ServiceDeployment | None:
        """The service deployment that is under way."""
        return next((d for d in self.history if d.running), None)


@dataclass
class Container:
    """One container of a task. ``process`` is what it runs as, once it was started."""

    definition: ContainerDefinition
    arn: str
    process: Process | None = None
    status: str = "PENDING"
    runtime_id: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    health: Health = "UNKNOWN"


@dataclass(eq=False)
class Task:
    """One task. ``stop`` is set to end it; ``registered`` are the targets it stands in."""

    id: str
    arn: str
    cluster: Cluster
    definition: TaskDefinition
    placement: Placement
    address: str
    group: str
    created_at: datetime
    containers: list[Container]
    order: int
    service: Service | None = None
    deployment: Deployment | None = None
    load_balancers: tuple[LoadBalancer, ...] = ()
    started_by: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    stop_code: str | None = None
    stopped_reason: str | None = None
    times: dict[str, datetime] = field(default_factory=dict)
    version: int = 1
    started: float | None = None
    ended: float | None = None
    registered: bool = False
    healthy: bool = False
    was_healthy: bool = False
    failed: bool = False
    failed_because: str = ""
    counted: bool = False
    settled: bool = False
    ran: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop and has not ended."""
        return self.desired_status == "STOPPED" and self.last_status != "STOPPED"

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.last_status != "STOPPED"

    @property
    def health(self) -> Health:
        """Health of the task by the container health checks of its essential containers."""
        checked = [c.health for c in self.containers if c.definition.health_check and c.definition.essential]
        if not checked:
            return "UNKNOWN"
        if "UNHEALTHY" in checked:
            return "UNHEALTHY"
        return "UNKNOWN" if "UNKNOWN" in checked else "HEALTHY"

    def move(self, status: str, **times: datetime) -> None:
        """Enter a last status; ``times`` are fields of the Task shape."""
        self.last_status = status
        self.times.update(times)
        self.version += 1

    def end(self, code: str, reason: str, now: datetime) -> None:
        """Ask the task to stop. The first who asks gives the reason."""
        if self.desired_status == "STOPPED":
            return
        self.desired_status, self.stop_code, self.stopped_reason = "STOPPED", code, reason
        self.times["stoppingAt"] = now
        self.version += 1
        self.stop.set()
