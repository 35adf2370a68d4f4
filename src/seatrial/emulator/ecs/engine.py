"""The ECS engine: what the emulator's server starts, installs and stops."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.definition_actions import DefinitionActions
from seatrial.emulator.ecs.deployment_actions import DeploymentActions
from seatrial.emulator.ecs.exec_actions import ExecActions
from seatrial.emulator.ecs.launch import Launcher
from seatrial.emulator.ecs.metadata import container_metadata, task_metadata
from seatrial.emulator.ecs.reconcile import Reconciler
from seatrial.emulator.ecs.service_actions import ServiceActions
from seatrial.emulator.ecs.state import State
from seatrial.emulator.ecs.surroundings import MotoSurroundings
from seatrial.emulator.ecs.task_actions import TaskActions
from seatrial.emulator.ecs.task_set_actions import TaskSetActions
from seatrial.emulator.ecs.task_sets import TaskSets
from seatrial.emulator.ecs.world import World
from seatrial.emulator.sessions.server import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.clock import Clock
    from seatrial.emulator.ecs.surroundings import Surroundings
    from seatrial.emulator.front.actions import Action
    from seatrial.emulator.loadbalancing import Targets, Traffic
    from seatrial.emulator.runtime import Runtime
    from seatrial.emulator.settings import EmulatorSettings

#: Least seconds between two looks of the scheduler, however often it is woken.
PACE = 0.05


class EcsEngine:
    """Services, deployments and tasks that run. ``surroundings`` is moto unless a test brings its own.

    ``invoke`` calls Lambda functions, see :class:`.world.World`; ``task_sets`` is what CodeDeploy speaks to.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        runtime: Runtime,
        targets: Targets,
        traffic: Traffic,
        *,
        invoke: Callable[[str, bytes], bytes],
        addresses: Addresses,
        surroundings: Surroundings | None = None,
    ) -> None:
        around = surroundings or MotoSurroundings(settings.account, settings.region, clock)
        self._world = World(settings, clock, runtime, targets, traffic, invoke, addresses, around)
        self._state = State()
        self.task_sets = TaskSets(self._world, self._state)
        self._sessions = Sessions(clock)
        self._launcher = Launcher(self._world, self._state)
        self._reconciler = Reconciler(self._world, self._state, self._launcher.launch_for)
        self._thread = threading.Thread(target=self._loop, name="ecs-scheduler", daemon=True)

    def actions(self) -> dict[str, Action]:
        """Return the API actions by moto's method names, for ``front.actions.install``."""
        return {
            **ServiceActions(self._world, self._state).actions(),
            **TaskActions(self._world, self._state, self._launcher.launch).actions(),
            **DeploymentActions(self._world, self._state).actions(),
            **DefinitionActions(self._world).actions(),
            **TaskSetActions(self._world, self._state).actions(),
            **ExecActions(self._world, self._state, self._sessions).actions(),
        }

    def start(self) -> None:
        """Start the scheduler."""
        self._thread.start()

    def stop(self, *, at_once: bool = False) -> None:
        """End every task and join every thread. Draining is cut short; containers get their SIGTERM.

        ``at_once`` kills them, for when nobody will use again what they would have left in order.
        """
        world = self._world
        world.closing.set()
        world.wake.set()
        self._sessions.stop()
        if self._thread.is_alive():
            self._thread.join()
        with world.lock:
            for task in self._state.alive():
                task.end("ServiceSchedulerInitiated", "The emulator is stopping", world.clock.now())
        if at_once:
            world.runtime.shutdown()
        self._launcher.join()

    def notify(self) -> None:
        """Have the scheduler look again, for a target's health changed. Never blocks."""
        self._world.wake.set()

    def metadata(self, key: str, path: str) -> dict[str, Any] | None:
        """Answer the task metadata endpoint, version 4; None where there is no such task, container or path.

        ``key`` is ``TASK-ID-CONTAINER`` as in ``ECS_CONTAINER_METADATA_URI_V4``, or the task's id alone; ``path`` is
        what follows it: nothing for the container, ``task`` for the task.
        """
        task_id, _, name = key.partition("-")
        with self._world.lock:
            task = self._state.tasks.get(task_id)
            if task is None:
                return None
            container = next((c for c in task.containers if not name or c.definition.name == name), None)
            match path.strip("/"):
                case "" if container:
                    return container_metadata(task, container)
                case "task" if container:
                    return task_metadata(task)
                case _:
                    return None

    def _loop(self) -> None:
        world = self._world
        while not world.closing.is_set():
            world.wake.clear()
            world.wake.wait(self._reconciler.step())
            world.closing.wait(PACE)
