"""The next task definition: the one that the infrastructure tool wrote last, with this release's image. Pure.

The infrastructure tool owns everything but the image. So each release starts from the family's latest ACTIVE
revision, changes the image and ``SEATRIAL_VERSION`` of the unit's own container, and passes all else through
untouched, fields it has never heard of included.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from seatrial.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.aws.ecs import TaskDefinition

VERSION_VARIABLE = "SEATRIAL_VERSION"

#: What DescribeTaskDefinition answers and RegisterTaskDefinition does not take (the two shapes in botocore differ by
#: exactly these; a test compares them).
READ_ONLY = frozenset(
    {
        "compatibilities",
        "deleteRequestedAt",
        "deregisteredAt",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "revision",
        "status",
        "taskDefinitionArn",
    }
)


def next_document(base: TaskDefinition, container: str, image: str, version: str) -> dict[str, Any]:
    """Return what to register: ``base`` with ``container`` running ``image`` (``repository@sha256:...``).

    Raises :class:`~seatrial.errors.UsageError` if the task definition has no such container.
    """
    document = writable(base.document)
    for each in document.get("containerDefinitions", ()):
        if each.get("name") == container:
            each["image"] = image
            kept = [variable for variable in each.get("environment", ()) if variable["name"] != VERSION_VARIABLE]
            each["environment"] = [*kept, {"name": VERSION_VARIABLE, "value": version}]
            return document
    names = ", ".join(str(each.get("name")) for each in document.get("containerDefinitions", ()))
    raise UsageError(
        f"task definition {base.name} has no container called {container} (it has {names or 'none'})",
        hint="update the infrastructure (`seatrial infra`): the container that runs the image has the service's name",
    )


def writable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a task definition without what AWS alone writes."""
    return {key: copy.deepcopy(value) for key, value in document.items() if key not in READ_ONLY}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two task definitions would run the same, whatever their numbers and the order of their variables."""
    return _canonical(writable(one)) == _canonical(writable(other))


def own_tags(definition: TaskDefinition) -> tuple[Mapping[str, str], ...]:
    """Return the tags that may be passed on; those with AWS's own prefix (``aws:``) only AWS may write."""
    return tuple(tag for tag in definition.tags if not tag.get("key", "").startswith("aws:"))


def image_of(definition: TaskDefinition, container: str) -> str | None:
    """Return the image that ``container`` runs."""
    containers = definition.document.get("containerDefinitions", ())
    return next((str(each["image"]) for each in containers if each.get("name") == container), None)


def version_of(definition: TaskDefinition, container: str) -> str | None:
    """Return the version that a release wrote into the container's environment, None if none did."""
    for each in definition.document.get("containerDefinitions", ()):
        if each.get("name") == container:
            return next((v["value"] for v in each.get("environment", ()) if v["name"] == VERSION_VARIABLE), None)
    return None


def log_place(document: Mapping[str, Any], container: str, task_id: str) -> tuple[str, str] | None:
    """Return log group and stream of a task's container: ``PREFIX/CONTAINER/TASK-ID``; None without awslogs."""
    for each in document.get("containerDefinitions", ()):
        configuration = each.get("logConfiguration", {})
        options = configuration.get("options", {})
        if each.get("name") == container and configuration.get("logDriver") == "awslogs":
            prefix = options.get("awslogs-stream-prefix")
            return (options["awslogs-group"], f"{prefix}/{container}/{task_id}") if prefix else None
    return None


def roles(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the roles that whoever registers or runs it must be allowed to pass (iam:PassRole)."""
    return tuple(str(document[key]) for key in ("executionRoleArn", "taskRoleArn") if document.get(key))


def _canonical(document: dict[str, Any]) -> dict[str, Any]:
    for each in document.get("containerDefinitions", ()):
        for key, by in (("environment", "name"), ("secrets", "name"), ("mountPoints", "containerPath")):
            if key in each:
                each[key] = sorted(each[key], key=lambda item: str(item.get(by)))
    canonical: dict[str, Any] = _without_empty(document)
    return canonical


def _without_empty(value: Any) -> Any:
    """Drop empty lists, mappings and None: AWS answers ``"volumes": []`` where nothing was written."""
    if isinstance(value, dict):
        kept = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {}, "")}
    return [_without_empty(each) for each in value] if isinstance(value, list | tuple) else value
