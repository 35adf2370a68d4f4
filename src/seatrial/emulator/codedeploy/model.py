"""What CodeDeploy remembers: applications, deployment groups, deployments and their hooks.

Data and the questions one can ask of it; nothing here acts. All of it is guarded by the engine's one lock. How it looks
in AWS's answers is in :mod:`.shapes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seatrial.emulator.codedeploy.appspec import AppSpec
    from seatrial.emulator.codedeploy.lifecycle import Course, Position, Trouble
    from seatrial.emulator.ecs.task_sets import TaskSetView


@dataclass(eq=False)
class Application:
    """An application; ``groups`` are its deployment groups by name."""

    id: str
    name: str
    platform: str
    created_at: datetime
    groups: dict[str, Group] = field(default_factory=dict)


@dataclass(eq=False)
class Group:
    """A deployment group. ``settings`` are the members of CreateDeploymentGroup as they were given, checked."""

    id: str
    name: str
    application: Application
    settings: dict[str, Any]
    attempted: Deployment | None = None
    succeeded: Deployment | None = None

    @property
    def service(self) -> tuple[str, str] | None:
        """The cluster and the service that it deploys to, None on another platform than Amazon ECS."""
        services = self.settings.get("ecsServices") or ()
        return (services[0]["clusterName"], services[0]["serviceName"]) if services else None


@dataclass
class EventRecord:
    """A lifecycle event of a deployment's target; ``message`` is the diagnostics' where it failed."""

    status: str = "Pending"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""


@dataclass(eq=False)
class HookRun:
    """A function that was called and is to answer by PutLifecycleEventHookExecutionStatus.

    ``expires`` is a moment of the monotonic clock. ``status`` is None until it has answered; ``problem`` says why it
    could not be called.
    """

    id: str
    event: str
    function: str
    expires: float
    status: str | None = None
    problem: str = ""


@dataclass(frozen=True)
class Route:
    """Where the traffic of a deployment goes: listeners, and the target groups (ARNs) of blue and green."""

    production: tuple[str, ...]
    test: tuple[str, ...]
    blue: str
    green: str


@dataclass(eq=False)
class Deployment:
    """One deployment. ``settings`` are the group's when it began, with what the request put in their place.

    ``blue`` and ``green`` are the ids of the task sets, ``production`` and ``test`` the percentages on green that the
    load balancer has taken up. ``stop`` and ``broken`` are what keeps it from going on, ``continued`` the waits that
    someone ended. ``restores`` is the deployment that this one rolls back, ``restored_by`` the one that rolls it back;
    ``shown`` are its task sets as they were last seen.
    """

    id: str
    group: Group
    settings: Mapping[str, Any]
    configuration: str
    revision: Mapping[str, Any] | None
    previous: Mapping[str, Any] | None
    spec: AppSpec | None
    course: Course
    route: Route
    blue: str
    creator: str
    created_at: datetime
    position: Position
    description: str = ""
    green: str | None = None
    production: int = 0
    test: int = 0
    events: dict[str, EventRecord] = field(default_factory=dict)
    hooks: list[HookRun] = field(default_factory=list)
    continued: set[str] = field(default_factory=set)
    stop: Trouble | None = None
    stop_rolls_back: bool | None = None
    broken: Trouble | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    updated_at: datetime | None = None
    restores: Deployment | None = None
    restored_by: Deployment | None = None
    shown: dict[str, TaskSetView] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.position.outcome is None

    @property
    def cluster(self) -> str:
        """The name or ARN of the cluster, as the group has it."""
        return str(self.settings["ecsServices"][0]["clusterName"])

    @property
    def service(self) -> str:
        """The name or ARN of the service, as the group has it."""
        return str(self.settings["ecsServices"][0]["serviceName"])

    @property
    def target(self) -> str:
        """The id of its one target: names of cluster and service."""
        return f"{self.cluster.rpartition('/')[2]}:{self.service.rpartition('/')[2]}"

    def hook_at(self, event: str) -> HookRun | None:
        """Return the function that was called at an event."""
        return next((run for run in self.hooks if run.event == event), None)
