"""What a container is started with: files and secrets read, overrides merged, ECS's own variables set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs import envfiles
from seatrial.emulator.runtime import ContainerSpec, HostMount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.ecs.definitions import ContainerDefinition
    from seatrial.emulator.ecs.model import Task
    from seatrial.emulator.ecs.surroundings import Surroundings
    from seatrial.emulator.settings import EmulatorSettings


def container_override(task: Task, container: str) -> Mapping[str, Any]:
    """Return the RunTask override for one container, empty where there is none."""
    overrides = task.overrides.get("containerOverrides") or ()
    return next((o for o in overrides if o.get("name") == container), {})


def container_spec(
    settings: EmulatorSettings, surroundings: Surroundings, task: Task, container: ContainerDefinition
) -> ContainerSpec:
    """Say how a container is started. Raises ``ResourceInitializationError`` where a secret or file cannot be had.

    As on AWS a variable of the override wins over the definition's, that over those of environment files (of which the
    override's take the place of the definition's), and those over ECS's own.
    """
    override = container_override(task, container.name)
    environment = ecs_variables(settings, task.id, container.name)
    files = [f["value"] for f in override.get("environmentFiles") or ()] or container.environment_files
    environment |= envfiles.merged(surroundings.environment_file(each) for each in files)
    environment |= container.environment
    environment |= {name: surroundings.secret(value_from) for name, value_from in container.secrets.items()}
    environment |= {e["name"]: e.get("value", "") for e in override.get("environment") or ()}
    return ContainerSpec(
        task_id=task.id,
        name=container.name,
        image=container.image,
        address=task.address,
        command=override.get("command") or container.command,
        entry_point=container.entry_point,
        environment=environment,
        ports=container.ports,
        task_ports=tuple(port for c in task.definition.containers for port in c.ports),
        working_directory=container.working_directory,
        user=container.user,
        mounts=tuple(HostMount(m.volume, m.path, m.read_only) for m in container.mounts),
        read_only_root=container.read_only_root,
        labels={
            **container.labels,
            "com.amazonaws.ecs.cluster": task.cluster.arn,
            "com.amazonaws.ecs.container-name": container.name,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": task.definition.family,
            "com.amazonaws.ecs.task-definition-version": str(task.definition.revision),
        },
        memory=_memory(task, override, container),
    )


def _memory(task: Task, override: Mapping[str, Any], container: ContainerDefinition) -> int | None:
    """Return the MiB that kill a container when it uses more: its own hard limit, else that of its task."""
    own = override.get("memory") or container.memory
    limits = [int(each) for each in (own, task.overrides.get("memory") or task.definition.memory) if each]
    return min(limits) if limits else None


def ecs_variables(settings: EmulatorSettings, task_id: str, container: str) -> dict[str, str]:
    """Return what ECS puts into every container, and what leads its AWS SDK to this emulator."""
    return {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "ECS_CONTAINER_METADATA_URI_V4": f"{settings.endpoint}/_seatrial/v4/{task_id}-{container}",
    }
