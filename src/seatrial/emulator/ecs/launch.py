"""Making tasks: the record, its address and the thread that lives it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from seatrial.emulator.ecs.ids import task_id
from seatrial.emulator.ecs.model import Container, Task
from seatrial.emulator.ecs.requests import managed_tags
from seatrial.emulator.ecs.task import TaskLife

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.ecs.definitions import TaskDefinition
    from seatrial.emulator.ecs.model import Cluster, Deployment, LoadBalancer, Placement, Service
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World


@dataclass(frozen=True)
class Order:
    """What a task is made from."""

    cluster: Cluster
    definition: TaskDefinition
    placement: Placement
    group: str
    started_by: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[dict[str, str], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    service: Service | None = None
    deployment: Deployment | None = None
    load_balancers: tuple[LoadBalancer, ...] = ()


class Launcher:
    """Starts tasks and joins their threads."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state
        self._threads: dict[str, threading.Thread] = {}

    def launch(self, order: Order) -> Task:
        """Start one task. The lock must be held."""
        world = self._world
        identifier = task_id()
        path = f"{order.cluster.name}/{identifier}"
        task = Task(
            id=identifier,
            arn=world.arn("task", path),
            cluster=order.cluster,
            definition=order.definition,
            placement=order.placement,
            address=world.addresses.task(),
            group=order.group,
            created_at=world.clock.now(),
            containers=[Container(c, world.arn("container", f"{path}/{uuid4()}")) for c in order.definition.containers],
            order=self._state.next_order(),
            service=order.service,
            deployment=order.deployment,
            load_balancers=order.load_balancers,
            started_by=order.started_by,
            overrides=order.overrides,
            tags=list(order.tags),
            settings=order.settings,
        )
        self._state.tasks[task.id] = task
        self._threads = {i: t for i, t in self._threads.items() if t.is_alive()}
        thread = threading.Thread(target=TaskLife(world, task).run, name=f"task-{task.id[:8]}", daemon=True)
        self._threads[task.id] = thread
        if world.closing.is_set():
            task.end("TaskFailedToStart", "The emulator is stopping", world.clock.now())
        thread.start()
        return task

    def launch_for(self, service: Service, deployment: Deployment, count: int) -> list[Task]:
        """Start ``count`` tasks of a service's deployment. The lock must be held."""
        revision = deployment.revision
        propagated: list[dict[str, str]] = []
        match revision.settings.get("propagateTags"):
            case "SERVICE":
                propagated = [dict(t) for t in service.tags]
            case "TASK_DEFINITION":
                propagated = [dict(t) for t in revision.definition.tags]
            case _:
                pass
        if revision.settings.get("enableECSManagedTags"):
            propagated += managed_tags(service.cluster, service.name)
        order = Order(
            cluster=service.cluster,
            definition=revision.definition,
            placement=revision.placement,
            group=f"service:{service.name}",
            started_by=deployment.id,
            tags=tuple(propagated),
            settings=revision.settings,
            service=service,
            deployment=deployment,
            load_balancers=revision.resolved,
        )
        return [self.launch(order) for _ in range(count)]

    def join(self) -> None:
        """Wait for every task's thread to end."""
        with self._world.lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join()
