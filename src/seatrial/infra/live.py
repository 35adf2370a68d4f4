"""What is running, as far as a stack update must know it: the live image, and services that a release has been to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.aws.codedeploy import CodeDeploy as CodeDeployApi
from seatrial.aws.ecs import CODE_DEPLOY, Ecs
from seatrial.aws.elbv2 import Elbv2
from seatrial.aws.errors import NotFound
from seatrial.config.strategies import CodeDeploy, Shifting
from seatrial.errors import UsageError
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.aws.ecs import Service, TaskDefinition
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings


@dataclass(frozen=True)
class Live:
    """``image`` of the live release, None before the first; ``released`` services; ``leftovers``; ``alternate``.

    ``leftovers`` are revisions (``family:12``), the newest of their family, that name another image than the one their
    service runs: what a release that failed leaves behind. ``alternate`` are services whose traffic is shifted and now
    goes to their alternate target group. ``controllers`` says who deploys each service that is there.
    """

    image: str | None
    released: frozenset[str]
    leftovers: tuple[str, ...]
    alternate: frozenset[str] = frozenset()
    controllers: Mapping[str, str] = field(default_factory=dict)

    def parameters(self, settings: Settings) -> dict[str, str]:
        """Return the parameters of the app stack that say so."""
        said = {names.IMAGE_PARAMETER: self.image or ""}
        strategy = settings.target.strategy
        for unit, service in settings.services.items():
            if not (service.routed and isinstance(strategy, CodeDeploy)):
                said[names.released_parameter(unit)] = "true" if unit in self.released else "false"
            if service.routed and isinstance(strategy, Shifting | CodeDeploy):
                said[names.serving_parameter(unit)] = "alternate" if unit in self.alternate else "primary"
        return said


def look(settings: Settings, aws: Aws) -> Live:
    """Return what is live. The image is that of the first service, in the file's order, that a release has been to.

    Raises :class:`~seatrial.errors.UsageError` while a release is rolling out: which image is live is not decided yet.
    """
    ecs = Ecs(aws, names.cluster(settings))
    try:
        services = ecs.services(tuple(settings.services))
    except NotFound:
        services = {}
    moving = [name for name, service in services.items() if service.moving]
    if moving:
        raise UsageError(
            f"a deployment of {', '.join(moving)} is under way; nothing was changed",
            hint="wait for its end: seatrial status",
        )
    images: dict[str, str] = {}
    leftovers: list[str] = []
    for unit in settings.services:
        if unit not in services:
            continue
        running = ecs.task_definition(services[unit].task_definition)
        image = _image(running, unit)
        if image is None or image.endswith(f":{names.NO_IMAGE_TAG}"):
            continue
        images[unit] = image
        for revision in _newer(names.family(settings, unit), running, aws):
            if _image(ecs.task_definition(revision), unit) == image:
                break
            leftovers.append(revision)
    controllers = {name: service.controller for name, service in services.items()}
    alternate = frozenset(name for name, service in services.items() if _on_alternate(service, settings, aws))
    return Live(next(iter(images.values()), None), frozenset(images), tuple(leftovers), alternate, controllers)


def clear_leftovers(live: Live, aws: Aws) -> None:
    """Deregister the leftovers.

    Services name their family, so any stack update that touches one would otherwise start what a release failed with.
    Nothing runs on them.
    """
    for revision in live.leftovers:
        aws.client("ecs").deregister_task_definition(taskDefinition=revision)


def _newer(family: str, running: TaskDefinition, aws: Aws) -> list[str]:
    """Return the active revisions (``family:12``) after the one that runs, newest first."""
    arns = aws.client("ecs").pages("list_task_definitions", "taskDefinitionArns", familyPrefix=family, status="ACTIVE")
    numbers = (int(arn.rsplit(":", 1)[-1]) for arn in arns)
    own = int(running.arn.rsplit(":", 1)[-1])
    return [f"{family}:{number}" for number in sorted(numbers, reverse=True) if number > own]


def _on_alternate(service: Service, settings: Settings, aws: Aws) -> bool:
    """Whether users reach the service in its alternate target group: the rules say so, which ECS has moved."""
    if service.controller == CODE_DEPLOY:
        return _set_on_alternate(service, settings, aws)
    elbv2 = Elbv2(aws)
    return any(
        forward.weights.get(each.alternate, 0) > 0
        for each in service.attachments
        if each.alternate is not None
        for forward in elbv2.forwards(each.groups)
        if forward.rule == each.production_rule
    )


def _set_on_alternate(service: Service, settings: Settings, aws: Aws) -> bool:
    """Whether the PRIMARY task set is in the second target group of the pair, in the stack's order."""
    try:
        group = CodeDeployApi(aws).group(names.deployment_application(settings), service.name)
    except NotFound:  # a stack that failed on its way; the service is as it was made
        return False
    return any(f":targetgroup/{group.alternate}/" in each.target_group for each in service.attachments)


def _image(revision: TaskDefinition, container: str) -> str | None:
    found = (each.get("image") for each in revision.document["containerDefinitions"] if each["name"] == container)
    return next((str(image) for image in found if image), None)
