"""Task definitions as the engine reads them: typed, frozen, parsed from the API's own shape (``TaskDefinition``).

Only what decides how a task runs is here; the API's answers about task definitions stay moto's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Condition = Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]

#: Seconds between SIGTERM and SIGKILL where ``stopTimeout`` is absent (ContainerDefinition.stopTimeout).
DEFAULT_STOP_TIMEOUT = 30.0
#: Seconds a container waits for its dependencies where the dependency sets no ``startTimeout`` (Fargate: 3 minutes).
DEFAULT_START_TIMEOUT = 180.0


@dataclass(frozen=True)
class Dependency:
    """One ``dependsOn`` entry: the container to wait for and what it must have reached."""

    container: str
    condition: Condition


@dataclass(frozen=True)
class HealthCheck:
    """A container health check. Times are AWS's seconds, with the defaults of the ``HealthCheck`` shape."""

    command: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 5.0
    retries: int = 3
    start_period: float = 0.0

    @property
    def argv(self) -> tuple[str, ...]:
        """The command to run: ``CMD-SHELL`` goes through the container's shell, ``CMD`` runs as it stands."""
        kind, *rest = self.command
        if kind == "CMD-SHELL":
            return ("/bin/sh", "-c", " ".join(rest))
        return tuple(rest) if kind == "CMD" else self.command


@dataclass(frozen=True)
class Mount:
    """A volume of the task at a path of the container."""

    volume: str
    path: str
    read_only: bool


@dataclass(frozen=True)
class ContainerDefinition:
    """One container of a task definition.

    ``secrets`` maps a variable to its ``valueFrom``, ``log_secrets`` an option of the log driver to its. Environment
    files are the ARNs of S3 objects.
    """

    name: str
    image: str
    essential: bool = True
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_files: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    health_check: HealthCheck | None = None
    start_timeout: float = DEFAULT_START_TIMEOUT
    stop_timeout: float = DEFAULT_STOP_TIMEOUT
    mounts: tuple[Mount, ...] = ()
    working_directory: str | None = None
    user: str | None = None
    read_only_root: bool = False
    log_driver: str | None = None
    log_options: Mapping[str, str] = field(default_factory=dict)
    log_secrets: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None


@dataclass(frozen=True)
class TaskDefinition:
    """One revision. ``launch_types`` are those it may run on (``compatibilities`` of the API)."""

    arn: str
    family: str
    revision: int
    active: bool
    network_mode: str
    launch_types: tuple[str, ...]
    cpu: str | None
    memory: str | None
    containers: tuple[ContainerDefinition, ...]
    tags: tuple[Mapping[str, str], ...] = ()

    def container(self, name: str) -> ContainerDefinition | None:
        """Return the container called ``name``, None where there is none."""
        return next((c for c in self.containers if c.name == name), None)


def parse_container(shape: Mapping[str, Any]) -> ContainerDefinition:
    """Read one ``ContainerDefinition`` of the API."""
    logging = shape.get("logConfiguration") or {}
    return ContainerDefinition(
        name=shape["name"],
        image=shape["image"],
        essential=shape.get("essential", True) is not False,
        command=_argv(shape.get("command")),
        entry_point=_argv(shape.get("entryPoint")),
        environment={e["name"]: e.get("value", "") for e in shape.get("environment") or ()},
        environment_files=tuple(f["value"] for f in shape.get("environmentFiles") or ()),
        secrets={s["name"]: s["valueFrom"] for s in shape.get("secrets") or ()},
        ports=tuple(p["containerPort"] for p in shape.get("portMappings") or () if "containerPort" in p),
        depends_on=tuple(Dependency(d["containerName"], d["condition"]) for d in shape.get("dependsOn") or ()),
        health_check=_health_check(shape.get("healthCheck")),
        start_timeout=float(shape.get("startTimeout") or DEFAULT_START_TIMEOUT),
        stop_timeout=float(shape.get("stopTimeout") or DEFAULT_STOP_TIMEOUT),
        mounts=tuple(
            Mount(m["sourceVolume"], m["containerPath"], bool(m.get("readOnly")))
            for m in shape.get("mountPoints") or ()
            if "sourceVolume" in m
        ),
        working_directory=shape.get("workingDirectory"),
        user=shape.get("user"),
        read_only_root=bool(shape.get("readonlyRootFilesystem")),
        log_driver=logging.get("logDriver"),
        log_options=dict(logging.get("options") or {}),
        log_secrets={s["name"]: s["valueFrom"] for s in logging.get("secretOptions") or ()},
        labels=dict(shape.get("dockerLabels") or {}),
        cpu=int(shape.get("cpu") or 0),
        memory=shape.get("memory"),
        memory_reservation=shape.get("memoryReservation"),
    )


def _argv(value: list[str] | None) -> tuple[str, ...] | None:
    return tuple(value) if value else None


def _health_check(shape: Mapping[str, Any] | None) -> HealthCheck | None:
    if not shape or not shape.get("command") or shape["command"] == ["NONE"]:
        return None
    return HealthCheck(
        command=tuple(shape["command"]),
        interval=float(shape.get("interval") or 30),
        timeout=float(shape.get("timeout") or 5),
        retries=int(shape.get("retries") or 3),
        start_period=float(shape.get("startPeriod") or 0),
    )
