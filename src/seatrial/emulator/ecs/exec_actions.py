"""The API action ExecuteCommand ("ECS Exec"): a command in a container of a running task, over a session.

AWS's rules (developer guide, "Using Amazon ECS Exec"): it must have been enabled when the task was started, and
commands are interactive. The agent splits the command as a shell would, and runs it without one.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.refusals import invalid
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.emulator.ecs.model import Container, Task
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.front.actions import Action
    from seatrial.emulator.runtime import Terminal
    from seatrial.emulator.sessions.server import Sessions

_NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn\u2019t running. Wait and try again or run a new task with execute command enabled and try again."
)


class ExecActions:
    """The action, over one state."""

    def __init__(self, world: World, state: State, sessions: Sessions) -> None:
        self._world = world
        self._state = state
        self._sessions = sessions

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {"execute_command": self._execute}

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        if not request.get("interactive"):
            raise invalid("Interactive is the only mode supported currently.")
        with self._world.lock:
            task = self._state.find_task(cluster, request["task"])
            if task is None:
                raise invalid("The referenced task was not found.")
            container = _container(task, request.get("container"))
        command = _split(request["command"])
        session = self._sessions.offer(request["command"], lambda: _started(container, command))
        return {
            "clusterArn": cluster.arn,
            "containerArn": container.arn,
            "containerName": container.definition.name,
            "interactive": True,
            "session": {"sessionId": session.id, "streamUrl": session.stream_url, "tokenValue": session.token},
            "taskArn": task.arn,
        }


def _container(task: Task, name: str | None) -> Container:
    if name is None and len(task.containers) > 1:
        raise invalid("A container name must be specified for tasks that have more than one container.")
    found = next((each for each in task.containers if name in (None, each.definition.name)), None)
    if found is None:
        raise invalid(f"There is no container named {name} in the task.")
    if not task.settings.get("enableExecuteCommand"):
        raise invalid(_NOT_ENABLED)
    if found.process is None or found.exit_code is not None or task.last_status != "RUNNING":
        raise ApiError(
            "TargetNotConnectedException",
            "The execute command failed because the task or the container is not running.",
        )
    return found


def _split(command: str) -> Sequence[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise invalid(f"The command cannot be read: {error}.") from error
    if not words:
        raise invalid("The command cannot be empty.")
    return words


def _started(container: Container, command: Sequence[str]) -> Terminal:
    if container.process is None:
        raise OSError("the container has ended")
    return container.process.execute(command)
