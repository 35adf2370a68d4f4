"""The neutral model of one environment: frozen facts, no behaviour, no infrastructure tool's vocabulary.

Renderers and the lowering read it. CPU is in ECS CPU units (1024 = one vCPU), memory in MiB, storage in GiB, times in
seconds. Mappings are tuples of pairs in their final order, so that equal settings give equal stacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from seatrial.config.models import Role


class Wire(Enum):
    """A value of a container's environment that is only known once the infrastructure stands."""

    DATABASE_HOST = "address of the database instance"
    DATABASE_PORT = "port of the database instance"
    CACHE_URL = "redis:// URL of the cache"
    MEDIA_BUCKET = "name of the media bucket"
    SITE_URL = "address of the site"


@dataclass(frozen=True)
class DatabaseCredential:
    """One key of the JSON that the database service keeps as its master secret."""

    key: Literal["username", "password"]


@dataclass(frozen=True)
class OwnSecret:
    """A secret of this stack, by the name of the variable that carries it."""

    variable: str


@dataclass(frozen=True)
class ForeignSecret:
    """A secret that exists already; ``arn`` is of Secrets Manager or of an SSM parameter."""

    arn: str


SecretSource = DatabaseCredential | OwnSecret | ForeignSecret


@dataclass(frozen=True)
class Network:
    """One VPC with two zones. ``subnet_bits`` is the host part of each subnet's address, as ``Fn::Cidr`` wants it."""

    cidr: str
    subnet_bits: int
    public_tasks: bool


@dataclass(frozen=True)
class Ingress:
    """The load balancer. ``domain`` None means plain HTTP."""

    domain: str | None
    certificate: str | None


@dataclass(frozen=True)
class Registry:
    """Where the image of every release is kept."""

    name: str


@dataclass(frozen=True)
class Database:
    """One PostgreSQL instance. ``name`` is the database that it is created with."""

    version: str
    name: str
    instance: str
    storage: int
    multi_az: bool
    backup_days: int
    deletion_protection: bool


@dataclass(frozen=True)
class Cache:
    """One Valkey node."""

    version: str
    node: str


@dataclass(frozen=True)
class Bucket:
    """A private bucket for uploads. ``origins`` may use it from browsers; None stands for the environment's own."""

    versioned: bool
    origins: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Site:
    """A static front end. ``fallback`` answers for paths without a file, "" for none; ``secure`` is over TLS only.

    ``name`` is that of its policies on CloudFront, ``price_class`` as CloudFront names it.
    """

    name: str
    fallback: str
    domain: str | None
    certificate: str | None
    price_class: str
    secure: bool


@dataclass(frozen=True)
class Secret:
    """A secret that the stack makes. ``generate`` is its length in characters; None leaves it for the team to fill."""

    variable: str
    name: str
    generate: int | None


@dataclass(frozen=True)
class Container:
    """What a task runs: the release's image with this command, size and environment."""

    unit: str
    family: str
    log_group: str
    command: tuple[str, ...]
    cpu: int
    memory: int
    stop_timeout: int
    environment: tuple[tuple[str, str | Wire], ...]
    secrets: tuple[tuple[str, SecretSource], ...]
    port: int | None = None


@dataclass(frozen=True)
class Route:
    """Requests for ``patterns`` (and ``host``, if any) go to the service; lower priorities are asked first."""

    patterns: tuple[str, ...]
    host: str | None
    priority: int


@dataclass(frozen=True)
class HealthCheck:
    """How the load balancer asks a task whether it may have traffic."""

    path: str
    interval: int
    timeout: int
    healthy: int
    unhealthy: int
    codes: str


@dataclass(frozen=True)
class Balancing:
    """How requests reach a service. Where its deployments shift traffic, there is one route with all patterns."""

    port: int
    routes: tuple[Route, ...]
    health_check: HealthCheck
    grace_period: int
    drain: int


@dataclass(frozen=True)
class Breaker:
    """When the circuit breaker opens: ``value`` tasks, or percent of the desired count; ``type`` as ECS names it."""

    type: str
    value: int
    reset_on_healthy_task: bool


@dataclass(frozen=True)
class EarlySuccess:
    """When a rolling update has succeeded; ``cleanup`` (of the old tasks) as ECS names it."""

    healthy_percent: int
    cleanup: str


@dataclass(frozen=True)
class Hook:
    """A Lambda function (ARN) of the team that is asked at stages of a deployment, as ECS or CodeDeploy names them."""

    name: str
    function: str
    stages: tuple[str, ...]


@dataclass(frozen=True)
class CodeDeploy:
    """How CodeDeploy changes a service. Times in minutes.

    ``configuration`` is a predefined one, None for one of the service's own: ``kind`` (TimeBasedCanary or
    TimeBasedLinear), ``percent`` and ``interval``. ``wait`` is how long the old tasks stay after the shift, ``ready``
    how long traffic waits to be moved until whoever releases says so; None does not wait. ``tests``: there is a test
    listener. ``gated``: its BeforeInstall runs the gate tasks.
    """

    configuration: str | None
    kind: str
    percent: int
    interval: int
    wait: int
    ready: int | None
    tests: bool
    gated: bool


@dataclass(frozen=True)
class Deployment:
    """How a service changes to a new revision. Times in minutes, as ECS counts them.

    ``strategy`` is ECS's name; where there is ``codedeploy``, ECS leaves it to that. ``percent`` and ``interval`` are
    those of canary and linear. ``pause`` is how long ECS waits, with test traffic on the new revision, for whoever
    releases to say that it may go on; None does not wait.
    """

    strategy: Literal["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"] = "ROLLING"
    bake: int | None = None
    percent: float | None = None
    interval: int | None = None
    pause: int | None = None
    alarms: tuple[str, ...] = ()
    breaker: Breaker | None = None
    early_success: EarlySuccess | None = None
    codedeploy: CodeDeploy | None = None
    hooks: tuple[Hook, ...] = ()

    @property
    def shifts(self) -> bool:
        """Whether ECS starts the new revision beside the old one and moves traffic to it."""
        return self.strategy != "ROLLING"

    @property
    def paired(self) -> bool:
        """Whether there are two target groups that take turns, be it by ECS or by CodeDeploy."""
        return self.shifts or self.codedeploy is not None

    @property
    def tested(self) -> bool:
        """Whether there are rules on the test listener."""
        return self.shifts or (self.codedeploy is not None and self.codedeploy.tests)


@dataclass(frozen=True)
class TestEntry:
    """The load balancer's port on which only the new revision answers, and the IPv4 ranges that may reach it."""

    port: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A long-running process. ``balancing`` is None where nothing routes to it; ``exec`` turns ECS Exec on."""

    container: Container
    role: Role
    count: int
    minimum_healthy_percent: int
    maximum_percent: int
    balancing: Balancing | None
    deployment: Deployment
    exec: bool = False


@dataclass(frozen=True)
class Task:
    """A one-off command on the release's image."""

    container: Container


@dataclass(frozen=True)
class GateHook:
    """The function ``name`` that runs gate tasks in order, each on the new revision of the service ``unit``.

    ``timeouts`` are theirs, in seconds.
    """

    name: str
    log_group: str
    unit: str
    tasks: tuple[Container, ...]
    timeouts: tuple[int, ...]


@dataclass(frozen=True)
class Job:
    """A command on a schedule (an EventBridge Scheduler expression, UTC)."""

    container: Container
    schedule: str


@dataclass(frozen=True)
class Base:
    """What many environments may share."""

    name: str
    network: Network
    ingress: Ingress
    registry: Registry
    database: Database | None
    cache: Cache | None


@dataclass(frozen=True)
class App:
    """What one environment has of its own."""

    name: str
    project: str
    environment: str
    secrets: tuple[Secret, ...]
    bucket: Bucket | None
    site: Site | None
    services: tuple[Service, ...]
    tasks: tuple[Task, ...]
    jobs: tuple[Job, ...]
    test_entry: TestEntry | None = None
    gate_hook: GateHook | None = None

    @property
    def containers(self) -> tuple[Container, ...]:
        """Every container: of services, tasks and jobs, in this order."""
        units: tuple[Service | Task | Job, ...] = (*self.services, *self.tasks, *self.jobs)
        return tuple(unit.container for unit in units)


@dataclass(frozen=True)
class Stack:
    """The whole of an environment."""

    base: Base
    app: App
