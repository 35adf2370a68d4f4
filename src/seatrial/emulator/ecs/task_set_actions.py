"""The API actions on task sets. CodeDeploy moves its own by :mod:`.task_sets`; the controller EXTERNAL is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.refusals import invalid, unsupported
from seatrial.emulator.ecs.shapes import task_set_arn, task_set_shape

if TYPE_CHECKING:
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.front.actions import Action


class TaskSetActions:
    """The actions, over one state."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "describe_task_sets": self._describe,
            "create_task_set": self._refuse,
            "update_task_set": self._refuse,
            "delete_task_set": self._refuse,
            "update_service_primary_task_set": self._refuse,
        }

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request["cluster"])
        with self._world.lock:
            service = self._state.service(cluster, request["service"])
            if not service.by_code_deploy:
                raise invalid("Task sets are only there where the deployment controller is CODE_DEPLOY or EXTERNAL.")
            tasks = self._state.tasks_of(service)
            sets = {task_set_arn(service, each): each for each in service.deployments}
            wanted = request.get("taskSets") or list(sets)
            found = {name: each for arn, each in sets.items() for name in wanted if name in {arn, each.id}}
            return {
                "taskSets": [task_set_shape(service, each, tasks) for each in found.values()],
                "failures": [{"arn": name, "reason": "MISSING"} for name in wanted if name not in found],
            }

    def _refuse(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request["cluster"])
        with self._world.lock:
            service = self._state.service(cluster, request["service"])
        if service.by_code_deploy:
            raise invalid("The task sets of a service with a CODE_DEPLOY deployment controller are CodeDeploy's.")
        raise unsupported("the deployment controller EXTERNAL")
