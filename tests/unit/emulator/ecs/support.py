"""The scheduler without processes, API or time: a clock that is set, targets that are told, tasks that are moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seatrial.emulator.addresses import Addresses
from seatrial.emulator.ecs import deployments
from seatrial.emulator.ecs.definitions import TaskDefinition, parse_container
from seatrial.emulator.ecs.model import Cluster, Container, Deployment, LoadBalancer, Placement, Service, Task
from seatrial.emulator.ecs.reconcile import Reconciler
from seatrial.emulator.ecs.state import State
from seatrial.emulator.ecs.strategy import DEFAULT_CONFIGURATION
from seatrial.emulator.ecs.surroundings import AlarmView
from seatrial.emulator.ecs.world import World
from seatrial.emulator.loadbalancing import TargetHealth
from seatrial.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.ecs.model import RolloutState

CLUSTER = Cluster("c", "arn:aws:ecs:eu-west-1:123456789012:cluster/c", active=True)
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/tg/0123456789abcdef"
PLACEMENT = Placement("FARGATE", None, None, {"awsvpcConfiguration": {"subnets": ["subnet-1"]}})


class SetClock:
    """A clock at AWS's pace that only moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def scaled(self, seconds: float, *, at_least: float = 0.0) -> float:
        return max(seconds, min(at_least, seconds))


class ToldTargets:
    """Only what the scheduler asks: the health of an address, ``initial`` until it is told."""

    def __init__(self) -> None:
        self.told: dict[str, TargetHealth] = {}

    def health(self, _target_group: str, address: str, _port: int) -> TargetHealth:
        return self.told.get(address, TargetHealth("initial"))


class KeptTraffic:
    """Listener rules as a table: rule → (target group, weight)."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, int]] = {}

    def forwards(self, rule: str) -> tuple[tuple[str, int], ...] | None:
        return tuple(self.rules[rule].items()) if rule in self.rules else None

    def shift(self, rule: str, weights: Mapping[str, int]) -> None:
        if rule not in self.rules:
            raise KeyError(rule)
        self.rules[rule] = dict(weights)


class Around:
    """Only what the scheduler tells and asks its surroundings. ``states`` has the alarms that exist."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def alarms(self, names: Sequence[str]) -> list[AlarmView]:
        return [AlarmView(name, self.states[name], 60.0) for name in names if name in self.states]

    def count(self, cluster: str, *, services: int, running: int, pending: int) -> None:
        self.counted = (cluster, services, running, pending)


def definition(revision: int = 1) -> TaskDefinition:
    container = parse_container({"name": "app", "image": f"app:{revision}", "portMappings": [{"containerPort": 80}]})
    arn = f"arn:aws:ecs:eu-west-1:123456789012:task-definition/app:{revision}"
    return TaskDefinition(arn, "app", revision, True, "awsvpc", ("FARGATE",), "256", "512", (container,))


class Stage:
    """One service and the scheduler; tasks are launched as records that the test moves through their life."""

    def __init__(
        self, *, desired: int = 1, balanced: bool = True, configuration: Mapping[str, Any] | None = None
    ) -> None:
        self.clock, self.targets, self.traffic, self.around = SetClock(), ToldTargets(), KeptTraffic(), Around()
        settings = EmulatorSettings("unit", Path("/nowhere"), 1, 16)
        self.world = World(
            settings,
            self.clock,
            cast("Any", None),
            cast("Any", self.targets),
            self.traffic,
            self.invoke,
            Addresses(16),
            cast("Any", self.around),
        )
        self.state = State()
        self.reconciler = Reconciler(self.world, self.state, self._launch)
        self.service = Service(
            name="web",
            arn=self.world.arn("service", "c/web"),
            cluster=CLUSTER,
            created_at=self.clock.now(),
            desired=desired,
            settings={},
            configuration={**DEFAULT_CONFIGURATION, **(configuration or {})},
            grace_seconds=0.0,
            token=None,
        )
        self.state.services["c", "web"] = self.service
        self.balancers = (LoadBalancer(GROUP, "app", 80),) if balanced else ()
        self.revision = 0
        self.deploy()

    def invoke(self, _function: str, _payload: bytes) -> bytes:
        raise LookupError("there are no functions here")

    def deploy(self) -> Deployment:
        self.revision += 1
        return deployments.begin(
            self.world,
            self.state,
            self.service,
            definition(self.revision),
            placement=PLACEMENT,
            load_balancers=self.balancers,
            settings={},
        )

    def step(self, seconds: float = 0.0) -> float:
        self.clock.seconds += seconds
        return self.reconciler.step()

    @property
    def alive(self) -> list[Task]:
        return self.state.tasks_of(self.service)

    @property
    def going(self) -> list[Task]:
        return [t for t in self.alive if not t.stopping]

    @property
    def rollout(self) -> RolloutState:
        return self.service.primary.state

    def happen(self, luck: str, number: int) -> None:
        """Let something befall the service or one of its tasks."""
        if luck == "deploy":
            self.deploy()
        elif luck == "scale":
            self.service.desired = number % 6
        elif luck == "wait":
            self.clock.seconds += number * 10
        elif self.alive:
            task = self.alive[number % len(self.alive)]
            if luck == "die" or task.stopping:
                self.die(task)
            elif luck == "ill" and task.started is not None:
                self.tell(task, "unhealthy")
            else:
                self.run(task)

    def settle(self) -> None:
        """What starts gets healthy, what stops ends, and time goes by."""
        for task in self.alive:
            if task.stopping:
                self.die(task)
                continue
            if task.started is None:
                self.run(task)
            self.tell(task, "healthy")
        self.step(5.0)
        self.step(1800.0)

    def events(self) -> list[str]:
        return [e["message"] for e in reversed(self.service.events)]

    def run(self, task: Task, *, healthy: bool = True) -> None:
        """The task reaches RUNNING; its target is healthy at once where ``healthy``."""
        task.started, task.registered = self.clock.monotonic(), bool(task.load_balancers)
        task.move("RUNNING", startedAt=self.clock.now())
        if healthy:
            self.tell(task, "healthy")

    def tell(self, task: Task, state: Any) -> None:
        self.targets.told[task.address] = TargetHealth(
            state, description="Health checks failed with these codes: [503]"
        )

    def die(self, task: Task, code: str = "EssentialContainerExited") -> None:
        """The task ends, by itself unless it was told to."""
        task.end(code, "because", self.clock.now())
        task.ended = self.clock.monotonic()
        task.move("STOPPED", stoppedAt=self.clock.now())

    def _launch(self, service: Service, deployment: Deployment, count: int) -> list[Task]:
        made = []
        for _ in range(count):
            order = self.state.next_order()
            task = Task(
                id=f"{order:032x}",
                arn=self.world.arn("task", f"c/{order:032x}"),
                cluster=CLUSTER,
                definition=deployment.definition,
                placement=PLACEMENT,
                address=self.world.addresses.task(),
                group="service:web",
                created_at=self.clock.now(),
                containers=[Container(c, "arn") for c in deployment.definition.containers],
                order=order,
                service=service,
                deployment=deployment,
                load_balancers=deployment.revision.resolved,
                started_by=deployment.id,
            )
            self.state.tasks[task.id] = task
            made.append(task)
        return made
