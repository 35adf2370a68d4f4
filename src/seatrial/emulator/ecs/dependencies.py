"""In which order the containers of a task start and stop (``dependsOn``). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from seatrial.emulator.ecs.definitions import ContainerDefinition, Dependency

Health = Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"]


@dataclass(frozen=True)
class Progress:
    """What one container has reached: whether it was started, its exit code once it ended, and its health."""

    started: bool = False
    exit_code: int | None = None
    health: Health = "UNKNOWN"

    @property
    def ended(self) -> bool:
        """Whether it was started and has exited."""
        return self.started and self.exit_code is not None


@dataclass(frozen=True)
class NextStart:
    """``ready`` may start now; ``blocked`` maps a container that can never start to the reason."""

    ready: tuple[str, ...]
    blocked: Mapping[str, str]


def next_start(containers: Sequence[ContainerDefinition], progress: Mapping[str, Progress], waited: float) -> NextStart:
    """Say which containers may start after ``waited`` seconds since the task's first container.

    A dependency's ``startTimeout`` is how long others wait for it (ContainerDefinition.startTimeout). The texts are
    those of the ECS container agent's dependency graph.
    """
    by_name = {c.name: c for c in containers}
    ready: list[str] = []
    blocked: dict[str, str] = {}
    for container in containers:
        if progress[container.name].started:
            continue
        pending = [d for d in container.depends_on if not _met(d, progress[d.container])]
        if not pending:
            ready.append(container.name)
            continue
        for dependency in pending:
            edge = (
                f"dependency graph: failed to resolve container ordering dependency [{dependency.container}] "
                f"for target [{container.name}]"
            )
            if _impossible(dependency, progress[dependency.container]):
                blocked[container.name] = f"{edge} as dependency did not exit successfully."
            elif waited > by_name[dependency.container].start_timeout:
                blocked[container.name] = f"{edge} within the timeout of the dependency."
    return NextStart(tuple(ready), blocked)


def next_stop(containers: Sequence[ContainerDefinition], running: Collection[str]) -> tuple[str, ...]:
    """Return the running containers that no other running container depends on: they are stopped first."""
    needed = {d.container for c in containers if c.name in running for d in c.depends_on}
    free = tuple(name for name in running if name not in needed)
    return free or tuple(running)


def _met(dependency: Dependency, reached: Progress) -> bool:
    match dependency.condition:
        case "START":
            return reached.started
        case "COMPLETE":
            return reached.ended
        case "SUCCESS":
            return reached.exit_code == 0
        case "HEALTHY":
            return reached.health == "HEALTHY" and not reached.ended


def _impossible(dependency: Dependency, reached: Progress) -> bool:
    match dependency.condition:
        case "SUCCESS":
            return reached.exit_code not in {None, 0}
        case "HEALTHY":
            return reached.ended or reached.health == "UNHEALTHY"
        case _:
            return False
