"""The task metadata endpoint, version 4, as a container on Fargate sees it. Pure.

Format: "Amazon ECS task metadata v4 JSON response for tasks on Fargate", developer guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.shapes import image_digest

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.emulator.ecs.model import Container, Task


def container_metadata(task: Task, container: Container) -> dict[str, Any]:
    """What ``${ECS_CONTAINER_METADATA_URI_V4}`` answers."""
    definition = container.definition
    labels = {
        "com.amazonaws.ecs.cluster": task.cluster.arn,
        "com.amazonaws.ecs.container-name": definition.name,
        "com.amazonaws.ecs.task-arn": task.arn,
        "com.amazonaws.ecs.task-definition-family": task.definition.family,
        "com.amazonaws.ecs.task-definition-version": str(task.definition.revision),
    }
    answer: dict[str, Any] = {
        "DockerId": container.runtime_id or "",
        "Name": definition.name,
        "DockerName": definition.name,
        "Image": definition.image,
        "ImageID": image_digest(definition.image) or "",
        "Labels": labels,
        "DesiredStatus": task.desired_status,
        "KnownStatus": container.status,
        "Limits": {"CPU": definition.cpu},
        "CreatedAt": _time(task.times.get("pullStoppedAt")),
        "StartedAt": _time(task.times.get("startedAt")),
        "Type": "NORMAL",
        "ContainerARN": container.arn,
        "Networks": [
            {
                "NetworkMode": "awsvpc",
                "IPv4Addresses": [task.address],
                "AttachmentIndex": 0,
                "SubnetGatewayIpv4Address": "",
            }
        ],
    }
    if container.exit_code is not None:
        answer["ExitCode"] = container.exit_code
    if definition.health_check:
        answer["Health"] = {"status": container.health}
    return {k: v for k, v in answer.items() if v is not None}


def task_metadata(task: Task) -> dict[str, Any]:
    """What ``${ECS_CONTAINER_METADATA_URI_V4}/task`` answers."""
    answer = {
        "Cluster": task.cluster.arn,
        "TaskARN": task.arn,
        "Family": task.definition.family,
        "Revision": str(task.definition.revision),
        "ServiceName": task.service.name if task.service else None,
        "DesiredStatus": task.desired_status,
        "KnownStatus": task.last_status,
        "Limits": {
            "CPU": int(task.definition.cpu) / 1024 if task.definition.cpu else None,
            "Memory": int(task.definition.memory) if task.definition.memory else None,
        },
        "PullStartedAt": _time(task.times.get("pullStartedAt")),
        "PullStoppedAt": _time(task.times.get("pullStoppedAt")),
        "LaunchType": task.placement.launch_type,
        "Containers": [container_metadata(task, c) for c in task.containers],
    }
    return {k: v for k, v in answer.items() if v is not None}


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")
