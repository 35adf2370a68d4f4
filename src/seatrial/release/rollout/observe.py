"""Looking at one service again and again, and telling what changed since the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.ecs import revision_name
from seatrial.release.watch import Note, ServiceSaid, TaskChanged

if TYPE_CHECKING:
    from seatrial.aws.ecs import Service, Task
    from seatrial.aws.elbv2 import TargetHealth
    from seatrial.release.context import Context


#: The exit code of a container that got SIGKILL: 128 and the signal's number.
_KILLED = 137
#: How the reason begins of a task that ECS stopped because it is not wanted any more.
NOT_WANTED = "Scaling activity"


class Observer:
    """What is seen of a service's tasks, targets and events. Remembers what will be gone when it is asked for."""

    def __init__(self, unit: str, context: Context) -> None:
        self._unit = unit
        self._ecs = context.ecs
        self._elbv2 = context.elbv2
        self._emit = context.emit
        self._clock = context.clock
        self._old_events: set[str] = set()
        self._tasks: dict[str, Task] = {}
        self._present: list[tuple[Task, TargetHealth | None]] = []
        self._told: dict[str, tuple[object, ...]] = {}
        self._unhealthy: dict[str, TargetHealth] = {}
        self._said: list[str] = []
        self._before: frozenset[str] = frozenset()

    def start(self, service: Service) -> None:
        """Remember what was there before, so that only what is new is told."""
        self._old_events = {each.id for each in service.events}
        self._before = frozenset(each.arn for each in self._ecs.tasks_of(self._unit) if each.status == "STOPPED")

    def look(self, service: Service) -> None:
        """Look once and tell what changed."""
        for event in reversed(service.events):
            if event.id not in self._old_events:
                self._old_events.add(event.id)
                self._said.insert(0, event.message)
                self._emit(ServiceSaid(event.at, self._unit, event.message))
        health = self._health(service)
        self._present.clear()
        for task in self._ecs.tasks_of(self._unit):
            if task.arn not in self._before:
                target = health.get(task.address or "")
                self._tasks[task.arn] = task
                self._present.append((task, target))
                self._tell(task, target)

    def tasks(self, task_definition: str) -> list[Task]:
        """Return the tasks of a revision as last seen, those seen first first."""
        return [each for each in self._tasks.values() if each.task_definition == task_definition]

    def ended(self, task_definition: str) -> int:
        """Return how many tasks of a revision ended by themselves.

        ECS's circuit breaker does not count those that had been healthy: a version that crashes at its first requests
        could go on doing so for ever.
        """
        return sum(each.stop_code == "EssentialContainerExited" for each in self.tasks(task_definition))

    def replaced(self, service: Service) -> bool:
        """Whether at the last look the primary deployment's tasks ran, all of them healthy, and all others had to end.

        ECS tells the last old task to stop when enough new ones are healthy, so long as the service may never be below
        its desired count. Of tasks that nothing checks only ECS knows when it takes them for healthy.
        """
        if service.primary is None or service.minimum_healthy < 100:
            return False
        staying = [(task, target) for task, target in self._present if task.desired_status == "RUNNING"]
        return (
            len(staying) >= service.desired > 0
            and all(task.started_by == service.primary.id for task, _ in staying)
            and all(task.status == "RUNNING" and task.health != "UNHEALTHY" for task, _ in staying)
            and (not service.attachments or all(target and target.state == "healthy" for _, target in staying))
        )

    def unhealthy_targets(self, task_definition: str) -> list[TargetHealth]:
        """Return the last bad word of the load balancer about each task of a revision."""
        addresses = {each.address for each in self.tasks(task_definition)}
        return [each for each in self._unhealthy.values() if each.address in addresses]

    @property
    def said(self) -> tuple[str, ...]:
        """What ECS wrote about the service since :meth:`start`, newest first."""
        return tuple(self._said)

    @property
    def killed(self) -> tuple[str, ...]:
        """Which tasks were told to end and did not, in a sentence each."""
        return tuple(line for each in self._tasks.values() if (line := self._overstayed(each)))

    def _overstayed(self, task: Task) -> str | None:
        own = task.container(self._unit)
        if own is None or own.exit_code != _KILLED or not (task.stopped_reason or "").startswith(NOT_WANTED):
            return None
        return (
            f"{self._unit}: task {task.id[:8]} did not end within its stop_timeout after SIGTERM and was killed (exit "
            "code 137): what it was doing is lost, unless a queue gives it to another"
        )

    def _health(self, service: Service) -> dict[str, TargetHealth]:
        found = {}
        for group in (group for attachment in service.attachments for group in attachment.groups):
            for target in self._elbv2.target_health(group):
                found[target.address] = target
                if target.state == "unhealthy":
                    self._unhealthy[target.address] = target
        return found

    def _tell(self, task: Task, target: TargetHealth | None) -> None:
        own = task.container(self._unit)
        health = _words(target) if target is not None else None
        state = (task.status, task.address, health if task.status == "RUNNING" else None)
        if self._told.get(task.arn) == state:
            return
        self._told[task.arn] = state
        self._emit(
            TaskChanged(
                self._clock.now(),
                self._unit,
                task.id,
                revision_name(task.task_definition),
                task.status,
                task.address,
                health,
                task.stopped_reason,
                own.exit_code if own else None,
            )
        )
        if (line := self._overstayed(task)) is not None:
            self._emit(Note(self._clock.now(), line))


def _words(target: TargetHealth) -> str:
    return (
        f"{target.state}: {target.description}" if target.state == "unhealthy" and target.description else target.state
    )
