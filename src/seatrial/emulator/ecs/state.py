"""All services and tasks of one emulator, how they are found, and how long they are remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.ecs.model import Cluster, Deployment, Revision, Service, ServiceDeployment, Task

#: Stopped tasks stay describable for about an hour (DescribeTasks), and no more of them than this are kept.
REMEMBERED_SECONDS, REMEMBERED_TASKS = 3600.0, 1000


@dataclass
class State:
    """Services by (cluster name, service name) and tasks by id. ``tokens`` remembers client tokens of RunTask.

    Guarded by the engine's lock.
    """

    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    revisions: dict[str, tuple[Service, Revision]] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[dict[str, Any], list[Task]]] = field(default_factory=dict)
    orders: int = 0

    def service(self, cluster: Cluster, name_or_arn: str) -> Service:
        """Find a service. Raises ``ApiError`` ServiceNotFoundException."""
        found = self.find_service(cluster, name_or_arn)
        if found is None:
            raise ApiError("ServiceNotFoundException", "Service not found.")
        return found

    def find_service(self, cluster: Cluster, name_or_arn: str) -> Service | None:
        """Find a service, None where there is none. An ARN must be of this cluster."""
        parts = name_or_arn.split("/")
        if len(parts) == 3 and parts[1] != cluster.name:
            return None
        return self.services.get((cluster.name, parts[-1]))

    def find_task(self, cluster: Cluster, id_or_arn: str) -> Task | None:
        """Find a task, None where there is none. An ARN must be of this cluster."""
        parts = id_or_arn.split("/")
        task = self.tasks.get(parts[-1])
        if task is None or task.cluster.name != cluster.name or (len(parts) == 3 and parts[1] != cluster.name):
            return None
        return task

    def service_deployment(self, arn: str) -> tuple[Service, ServiceDeployment] | None:
        """Find a service deployment by its ARN."""
        for service in self.services.values():
            for record in service.history:
                if record.arn == arn:
                    return service, record
        return None

    def tasks_of(self, service: Service, deployment: Deployment | None = None) -> list[Task]:
        """Return a service's (or one deployment's) tasks that have not stopped, oldest first."""
        mine = (t for t in self.tasks.values() if t.service is service and t.alive)
        return sorted((t for t in mine if deployment is None or t.deployment is deployment), key=lambda t: t.order)

    def alive(self) -> Iterator[Task]:
        """All tasks that have not stopped."""
        return (t for t in list(self.tasks.values()) if t.alive)

    def next_order(self) -> int:
        """Number the tasks in the order of their creation."""
        self.orders += 1
        return self.orders

    def forget(self, now: float) -> None:
        """Drop tasks that stopped long ago, and the oldest where there are too many."""
        stopped = sorted(
            (t for t in self.tasks.values() if t.ended is not None), key=lambda t: t.ended or 0.0, reverse=True
        )
        for rank, task in enumerate(stopped):
            if rank >= REMEMBERED_TASKS or now - (task.ended or 0.0) > REMEMBERED_SECONDS:
                del self.tasks[task.id]
        self.tokens = {key: value for key, value in self.tokens.items() if any(t.id in self.tasks for t in value[1])}
