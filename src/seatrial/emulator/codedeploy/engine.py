"""The CodeDeploy engine: what the emulator's server starts, installs and stops."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from seatrial.emulator.codedeploy.deployment_actions import DeploymentActions
from seatrial.emulator.codedeploy.group_actions import GroupActions
from seatrial.emulator.codedeploy.progress import Progress
from seatrial.emulator.codedeploy.store import Store
from seatrial.emulator.codedeploy.surroundings import MotoSurroundings
from seatrial.emulator.codedeploy.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.codedeploy.surroundings import Surroundings
    from seatrial.emulator.ecs.task_sets import TaskSets
    from seatrial.emulator.front.actions import Action
    from seatrial.emulator.loadbalancing import Listeners
    from seatrial.emulator.settings import EmulatorSettings


class CodeDeploy:
    """Deployments to Amazon ECS that run. ``surroundings`` is moto unless a test brings its own.

    ``invoke`` calls Lambda functions, see :class:`.world.World`.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        task_sets: TaskSets,
        listeners: Listeners,
        *,
        invoke: Callable[[str, bytes], bytes],
        surroundings: Surroundings | None = None,
    ) -> None:
        around = surroundings or MotoSurroundings(settings.account, settings.region, clock)
        self._world = World(settings, clock, task_sets, listeners, invoke, around)
        self._store = Store()
        self._progress = Progress(self._world, self._store)
        self._thread = threading.Thread(target=self._loop, name="codedeploy", daemon=True)

    def actions(self) -> dict[str, Action]:
        """Return the API actions by moto's method names, for ``front.actions.install``."""
        return {
            **GroupActions(self._world, self._store).actions(),
            **DeploymentActions(self._world, self._store).actions(),
        }

    def start(self) -> None:
        """Begin to bring deployments further."""
        self._thread.start()

    def stop(self) -> None:
        """Leave deployments where they are. Safe to call twice."""
        self._world.closing.set()
        self._world.wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        world = self._world
        while not world.closing.is_set():
            world.wake.clear()
            world.wake.wait(self._progress.step())
