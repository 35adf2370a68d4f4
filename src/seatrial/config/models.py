"""What ``seatrial.toml`` may say: typed, frozen, and the source of the JSON Schema and the reference page.

Nothing here reads a file; :mod:`seatrial.config.load` does. CPU is in ECS CPU units (1024 = one vCPU), memory in MiB.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from seatrial.config import hooks as hooks_
from seatrial.config.fields import NAME_PATTERN, SECONDS, Command, Duration, EnvName, Misplaced, Model, Name, Origin
from seatrial.config.hooks import Hook  # noqa: TC001 - pydantic reads the annotations
from seatrial.config.migrations import Migrations
from seatrial.config.notify import Notify  # noqa: TC001 - pydantic reads the annotations
from seatrial.config.site import Site  # noqa: TC001 - pydantic reads the annotations
from seatrial.config.smoke import LONGEST, Smoke
from seatrial.config.strategies import CodeDeploy, Rolling, Shifting, Strategy

Role = Literal["web", "websocket", "worker", "scheduler"]

#: The CPU and memory pairs Fargate runs (ECS developer guide, "Fargate task definition parameters"): CPU units to
#: the smallest and largest memory and the step between, all in MiB.
FARGATE_SIZES: dict[int, tuple[int, int, int]] = {
    256: (512, 2048, 1024),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}

#: Condition values of one listener rule, over all of its conditions (ELB user guide, "Quotas").
CONDITION_VALUES = 5


class App(Model):
    """``[app]``: who the project is."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, max_length=24, description="prefix of every AWS name")]
    region: str = Field(default="eu-west-1", description="AWS region")
    settings: str = Field(description="the Django settings module that production uses")


class Image(Model):
    """``[image]``: how the one image that every service runs is made."""

    dockerfile: str = "Dockerfile"
    context: str = "."
    build_args: dict[EnvName, str] = Field(default_factory=dict, description="values for the Dockerfile's ARG lines")
    requirements: str = Field(
        default="requirements.txt", description="pinned requirements, for the process runtime of the emulator"
    )
    prepare: tuple[Command, ...] = Field(
        default=(), description="commands the process runtime runs once per image, where a Dockerfile has RUN lines"
    )


class Sized(Model):
    """What every container has: size, command and additional environment."""

    command: Command
    cpu: int = Field(default=256, description="CPU units; 1024 is one vCPU")
    memory: int = Field(default=512, description="MiB")
    environment: dict[EnvName, str] = Field(
        default_factory=dict, description="plain variables, on top of [environment]"
    )
    stop_timeout: Annotated[int, SECONDS, Field(ge=2, le=120)] = Field(
        default=30, description="seconds between SIGTERM and SIGKILL; Fargate allows at most 120"
    )

    @model_validator(mode="after")
    def _is_a_fargate_size(self) -> Sized:
        if self.cpu not in FARGATE_SIZES:
            raise ValueError(f"cpu {self.cpu} is not a Fargate size; expected one of {sorted(FARGATE_SIZES)}")
        low, high, step = FARGATE_SIZES[self.cpu]
        if not (self.memory == low or (low <= self.memory <= high and self.memory % step == 0)):
            raise ValueError(
                f"memory {self.memory} does not go with cpu {self.cpu}; "
                f"expected {low}, or up to {high} in steps of {step}"
            )
        return self


class HealthCheck(Model):
    """How the load balancer asks a task whether it may have traffic. Seconds."""

    path: str = Field(default="/", pattern=r"^/")
    interval: Annotated[int, SECONDS, Field(ge=5, le=300)] = 10
    timeout: Annotated[int, SECONDS, Field(ge=2, le=120)] = 5
    healthy: Annotated[int, Field(ge=2, le=10)] = 2
    unhealthy: Annotated[int, Field(ge=2, le=10)] = 3
    codes: str = Field(default="200", pattern=r"^\d{3}([-,]\d{3})*$", description="accepted statuses, such as 200-299")


def _health_check(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


class Service(Sized):
    """``[services.NAME]``: a long-running process of the image."""

    role: Role = "web"
    count: int = Field(default=1, ge=0, le=5000)
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    routes: tuple[str, ...] = Field(default=(), description="path patterns the load balancer sends here")
    health_check: (
        Annotated[HealthCheck, BeforeValidator(_health_check, json_schema_input_type=HealthCheck | str)] | None
    ) = Field(default=None, description="a path, or a table; web and websocket services only")
    grace_period: Duration = Field(default=60, description="seconds after start in which failing health is forgiven")
    drain: Annotated[int, SECONDS, Field(ge=0, le=3600)] = Field(
        default=20, description="seconds a stopping task may finish its requests (deregistration delay)"
    )
    exec: bool | None = Field(
        default=None, description="whether `seatrial exec` may run commands in its tasks; else as the environment says"
    )
    minimum_healthy_percent: int | None = Field(default=None, ge=0, le=100)
    maximum_percent: int | None = Field(default=None, ge=100, le=200)

    @model_validator(mode="after")
    def _fits_its_role(self) -> Service:
        routed = self.role in ("web", "websocket")
        if routed and (self.port is None or not self.routes):
            raise ValueError(f"a {self.role} service needs `port` and `routes`")
        if not routed and (self.port is not None or self.routes or self.health_check is not None):
            raise ValueError(f"a {self.role} service has no `port`, `routes` or `health_check`: nothing routes to it")
        if self.role == "scheduler" and self.count > 1:
            raise ValueError("a scheduler runs once: two would do every job twice (count must be 0 or 1)")
        if self.role == "scheduler" and self.healthy_percents != (0, 100):
            raise ValueError(
                "a scheduler is stopped before it is started, so that two are never alive: "
                "`minimum_healthy_percent` is 0 and `maximum_percent` 100, leave them out"
            )
        return self

    @property
    def routed(self) -> bool:
        """Whether the load balancer sends requests here."""
        return self.role in ("web", "websocket")

    @property
    def healthy_percents(self) -> tuple[int, int]:
        """Minimum healthy and maximum percent: 100/200, but 0/100 for a scheduler, so that two are never alive."""
        low, high = (0, 100) if self.role == "scheduler" else (100, 200)
        return (
            low if self.minimum_healthy_percent is None else self.minimum_healthy_percent,
            high if self.maximum_percent is None else self.maximum_percent,
        )


class Task(Sized):
    """``[tasks.NAME]``: a one-off command on the release's image. A gate must exit 0 before services change."""

    gate: bool = False
    timeout: Duration = Field(default=900, description="seconds until the task is stopped and counts as failed")


class Job(Sized):
    """``[jobs.NAME]``: a command on a schedule."""

    schedule: str = Field(pattern=r"^(cron|rate|at)\(.+\)$", description="an EventBridge Scheduler expression, UTC")
    overlap: Literal["allow", "skip"] = Field(
        default="allow",
        description="what happens while an earlier run still goes on: allow starts another beside it, skip ends the "
        "new one at once. skip needs [database], where the run under way holds a lock",
    )


class Database(Model):
    """``[database]``: one PostgreSQL instance.

    Containers get it as PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD, the names libpq reads.
    """

    engine: Literal["postgres"] = "postgres"
    version: str = Field(default="18", pattern=r"^\d+(\.\d+)?$")
    name: str = Field(default="app", pattern=r"^[a-z][a-z0-9_]*$", max_length=63)
    instance: str = Field(default="db.t4g.micro", pattern=r"^db\.")
    storage: int = Field(default=20, ge=20, description="GiB")
    multi_az: bool = False
    backup_days: int = Field(default=7, ge=0, le=35)
    deletion_protection: bool = True


class Cache(Model):
    """``[cache]``: one Valkey node, handed to containers as REDIS_URL."""

    engine: Literal["valkey"] = "valkey"
    version: str = Field(default="8.1", pattern=r"^\d+\.\d+$")
    node: str = Field(default="cache.t4g.micro", pattern=r"^cache\.")


class Media(Model):
    """``[media]``: a private bucket for uploads, handed to containers as MEDIA_BUCKET."""

    versioned: bool = True
    origins: tuple[Origin, ...] | None = Field(
        default=None,
        description="origins whose pages may upload to the bucket and read from it with presigned addresses (CORS), "
        "instead of the environment's own address and its site's",
    )


class Secret(Model):
    """``[secrets.NAME]``: a value from Secrets Manager (made here) or from somewhere you keep it already."""

    generate: Annotated[int, Field(ge=16, le=128)] | None = Field(
        default=None, description="let Secrets Manager make a random value of this many characters"
    )
    value_from: str | None = Field(
        default=None, alias="from", description="the ARN of an existing secret or SSM parameter"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Secret:
        if self.generate is not None and self.value_from is not None:
            raise ValueError("`generate` makes a new value and `from` takes an existing one; choose one")
        return self


class Network(Model):
    """``[network]``: the VPC."""

    cidr: str = Field(default="10.0.0.0/16", pattern=r"^\d+\.\d+\.\d+\.\d+/\d+$")
    mode: Literal["public", "private"] = Field(
        default="public",
        description=(
            "public: tasks have public addresses, so no NAT gateway is paid for; only the load balancer reaches them. "
            "private: tasks have no public address and leave through one NAT gateway"
        ),
    )


class Rehearsal(Model):
    """``[rehearsal]``: the load under which ``seatrial rehearse`` releases."""

    rate: int = Field(default=200, ge=1, le=5000, description="requests per second, open loop")
    paths: tuple[str, ...] = Field(default=("/",), min_length=1, description="paths asked for in turn")
    setup: tuple[str, ...] = Field(default=(), description="names of [tasks] to run once before the load begins")


class Environment(Model):
    """``[environments.NAME]`` after its overlay is merged: where a release goes."""

    cloud: Literal["aws", "emulator"] = "aws"
    base: str = Field(default="base", pattern=NAME_PATTERN, description="name of the base stack it lives on")
    domain: str | None = Field(default=None, description="host name; makes the load balancer serve HTTPS")
    certificate: str | None = Field(default=None, description="ARN of the ACM certificate for the domain")
    account: str | None = Field(default=None, pattern=r"^\d{12}$", description="refuse to act on any other account")
    exec: bool = Field(
        default=False,
        description="whether `seatrial exec` may run commands in the tasks of its services; gives their role the "
        "permissions of ECS Exec",
    )
    strategy: Strategy = Rolling(type="rolling")


class Settings(Model):
    """The whole of ``seatrial.toml`` for one environment, overlays merged."""

    app: App
    image: Image = Image()
    environment: dict[EnvName, str] = Field(default_factory=dict, description="plain variables for every container")
    services: dict[Name, Service] = Field(min_length=1)
    tasks: dict[Name, Task] = Field(default_factory=dict)
    jobs: dict[Name, Job] = Field(default_factory=dict)
    database: Database | None = None
    cache: Cache | None = None
    media: Media | None = None
    site: Site | None = None
    secrets: dict[EnvName, Secret] = Field(default_factory=dict)
    network: Network = Network()
    smoke: dict[Name, Smoke] = Field(default_factory=dict)
    hooks: dict[Name, Hook] = Field(default_factory=dict)
    rehearsal: Rehearsal = Rehearsal()
    notify: dict[Name, Notify] = Field(default_factory=dict)
    migrations: Migrations = Migrations()
    name: Name = Field(description="name of the environment")
    target: Environment = Environment()

    def may_exec(self, unit: str) -> bool:
        """Whether ECS Exec is on for a service."""
        own = self.services[unit].exec
        return self.target.exec if own is None else own

    @property
    def checks_migrations(self) -> bool:
        """Whether a release looks at pending migrations."""
        return self.database is not None if self.migrations.check is None else self.migrations.check

    @model_validator(mode="after")
    def _hangs_together(self) -> Settings:
        taken = [*self.services, *self.tasks, *self.jobs]
        twice = sorted({name for name in taken if taken.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: services, tasks and jobs share one set of names")
        if sum(service.role == "scheduler" for service in self.services.values()) > 1:
            raise ValueError("services: only one service may have the role scheduler")
        if self.target.domain and not self.target.certificate and self.target.cloud == "aws":
            raise Misplaced(("target", "certificate"), "a domain needs the ARN of its ACM certificate")
        for name, job in self.jobs.items():
            if job.overlap == "skip" and self.database is None:
                raise Misplaced(
                    ("jobs", name, "overlap"), "skip needs [database], which keeps the lock of the running job"
                )
        for name in self.rehearsal.setup:
            if name not in self.tasks:
                raise Misplaced(("rehearsal", "setup"), f"there is no [tasks.{name}]")
        return self

    @model_validator(mode="after")
    def _site_is_apart(self) -> Settings:
        if self.site is None:
            return self
        if self.site.domain is not None and self.site.domain == self.target.domain:
            raise Misplaced(("site", "domain"), "is the domain of the services; the site needs a host name of its own")
        if not any(service.routed for service in self.services.values()):
            for key in self.site.of_services():
                raise Misplaced(("site", "config", key), "there is no web or websocket service, so no such address")
        return self

    @model_validator(mode="after")
    def _can_be_deployed_so(self) -> Settings:
        strategy = self.target.strategy
        routed = {name: service for name, service in self.services.items() if service.routed}
        if not routed and (isinstance(strategy, Shifting | CodeDeploy) or strategy.alarms):
            raise Misplaced(
                ("target", "strategy"), "traffic can be moved, and alarms watched, for web and websocket services only"
            )
        if isinstance(strategy, Rolling) and strategy.early_success is not None:
            for name, service in routed.items():
                if service.healthy_percents[0] > strategy.early_success.healthy_percent:
                    raise Misplaced(
                        ("target", "strategy", "early_success", "healthy_percent"),
                        f"is below the {service.healthy_percents[0]} percent that services.{name} must keep healthy",
                    )
        if isinstance(strategy, Shifting):
            self._fits_one_rule(routed)
            self._smoke_can_be_run(strategy)
        if isinstance(strategy, CodeDeploy):
            self._smoke_can_be_run(strategy)
            hooks_.check(self.hooks, self.tasks, strategy)
        return self

    def _fits_one_rule(self, routed: dict[str, Service]) -> None:
        """Check that a service's routes fit the one listener rule that ECS moves (LoadBalancer.advancedConfiguration).

        A rule has at most five condition values, the host name among them (ELB user guide, "Quotas").
        """
        room = CONDITION_VALUES - (1 if self.target.domain else 0)
        for name, service in routed.items():
            if len(service.routes) > room:
                raise Misplaced(
                    ("services", name, "routes"),
                    f"{len(service.routes)} patterns do not fit the one listener rule by which ECS moves traffic under "
                    f"{self.target.strategy.type}: a rule has {CONDITION_VALUES} condition values"
                    + (f", of which the domain is one, so {room} patterns" if self.target.domain else ""),
                )

    def _smoke_can_be_run(self, strategy: Shifting | CodeDeploy) -> None:
        total = sum(check.longest for check in self.smoke.values())
        if total > LONGEST:
            raise Misplaced(("smoke",), f"the checks may take {total} s together, which is more than {LONGEST} s")
        outside = [name for name, check in self.smoke.items() if check.command is None]
        if outside and strategy.test_port is None:
            raise Misplaced(
                ("target", "strategy", "test_port"), f"smoke.{outside[0]} needs a test port, such as test_port = 9443"
            )
        if outside and not strategy.test_from and self.target.cloud == "aws":
            raise Misplaced(
                ("target", "strategy", "test_from"),
                f"smoke.{outside[0]} needs the test port, which is closed: name the IPv4 ranges that releases come "
                'from, such as ["198.51.100.7/32"]',
            )
