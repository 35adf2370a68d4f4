"""What is true before a release: read-only calls, gathered once, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.aws.cloudformation import CloudFormation
from seatrial.aws.codedeploy import CodeDeploy, DeploymentGroup
from seatrial.aws.ecs import CODE_DEPLOY, Ecs, Service, TaskDefinition, revision_name
from seatrial.aws.errors import NotFound
from seatrial.aws.ssm import Ssm
from seatrial.errors import UsageError
from seatrial.release.record import Record, Records
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.aws.ecs import Deployment
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings


@dataclass(frozen=True)
class SiteStack:
    """Where the site is kept and served: its outputs (:data:`seatrial.stack.names.SITE_OUTPUTS`)."""

    bucket: str
    distribution: str
    url: str


@dataclass(frozen=True)
class AppStack:
    """What the infrastructure tool's app stack says: its outputs (:data:`seatrial.stack.names.APP_OUTPUTS`).

    ``test_url`` and ``test_address`` are there where traffic is shifted (:data:`seatrial.stack.names.TEST_OUTPUTS`),
    ``site`` where there is one.
    """

    cluster: str
    repository_uri: str
    subnets: tuple[str, ...]
    security_group: str
    assign_public_ip: str
    url: str
    test_url: str | None = None
    test_address: str | None = None
    site: SiteStack | None = None

    @property
    def network(self) -> dict[str, object]:
        """The ``awsvpcConfiguration`` of a task that runs where the services run."""
        return {
            "subnets": list(self.subnets),
            "securityGroups": [self.security_group],
            "assignPublicIp": self.assign_public_ip,
        }


@dataclass(frozen=True)
class Facts:
    """An environment as it is. ``latest`` has every unit's newest revision, ``live`` that of each service.

    ``groups`` has the deployment groups of the services that CodeDeploy deploys.
    """

    account: str
    region: str
    partition: str
    caller: str
    stack: AppStack
    services: Mapping[str, Service]
    latest: Mapping[str, TaskDefinition]
    live: Mapping[str, TaskDefinition]
    releases: tuple[Record, ...]
    groups: Mapping[str, DeploymentGroup] = field(default_factory=dict)

    @property
    def serving(self) -> Record | None:
        """The newest release that was released."""
        return next((each for each in self.releases if each.ending == "released"), None)

    def stands(self, unit: str) -> str:
        """Return the revision (ARN) of a service that a deployment was last completed with: the way back leads there.

        ``live`` is the one that a deployment under way is on its way to, which nobody may ever have seen.
        """
        service = self.services[unit]
        if settled(service.primary):
            return service.task_definition
        done = next((each.task_definition for each in service.deployments if each.rollout_state == "COMPLETED"), None)
        if done is not None:
            return done
        known = self.serving.revisions.get(unit) if self.serving else None
        return f"{service.task_definition.rpartition('/')[0]}/{known}" if known else service.task_definition

    def released(self, unit: str) -> bool:
        """Whether a release has been to the service: it runs tasks, or the revision it stands at was recorded as live.

        A service that somebody scaled to nothing was released and keeps its count; one that the infrastructure tool
        has just made, or made again, was not, and neither was one whose very first deployment is still under way; nor
        was one that a rollback stopped, for the release that serves has it not.
        """
        service, stands = self.services[unit], revision_name(self.stands(unit))
        if not service.desired and (self.serving is None or unit not in self.serving.revisions):
            return False
        if any(each.revisions.get(unit) == stands for each in self.releases if each.ending == "released"):
            return True
        if settled(service.primary):
            return service.desired > 0
        return any(each.rollout_state == "COMPLETED" and each.running for each in service.deployments)


def settled(primary: Deployment | None) -> bool:
    """Whether the primary deployment is complete, or older than the states that say so."""
    return primary is None or primary.rollout_state in (None, "COMPLETED")


def gather(settings: Settings, aws: Aws) -> Facts:
    """Return what is true now.

    Raises :class:`~seatrial.errors.UsageError` where something is missing that the infrastructure must bring.
    """
    stack = app_stack(settings, aws)
    ecs = Ecs(aws, stack.cluster)
    services = ecs.services(tuple(settings.services))
    missing = [name for name in settings.services if name not in services]
    if missing:
        raise UsageError(f"cluster {stack.cluster} has no service called {', '.join(missing)}", hint=_infra(settings))
    latest = {unit: latest_revision(settings, ecs, unit) for unit in units(settings)}
    live = {
        unit: latest[unit]
        if latest[unit].arn == service.task_definition
        else ecs.task_definition(service.task_definition)
        for unit, service in services.items()
    }
    records = Records(Ssm(aws), names.release_prefix(settings))
    return Facts(
        account=aws.account(),
        region=aws.region,
        partition=aws.partition,
        caller=aws.caller(),
        stack=stack,
        services=services,
        latest=latest,
        live=live,
        releases=_recent(records),
        groups={unit: _group(settings, aws, unit) for unit, it in services.items() if it.controller == CODE_DEPLOY},
    )


def app_stack(settings: Settings, aws: Aws) -> AppStack:
    """Return the app stack's outputs. Raises :class:`~seatrial.errors.UsageError` if it is not there or not whole."""
    name = names.app_stack(settings)
    stack = CloudFormation(aws).stack(name)
    if stack is None:
        raise UsageError(f"there is no stack {name}", hint=_infra(settings))
    outputs = stack.outputs
    wanted = (*names.APP_OUTPUTS, *(names.SITE_OUTPUTS if settings.site else ()))
    missing = [key for key in wanted if key not in outputs]
    if missing:
        raise UsageError(f"stack {name} ({stack.status}) has no output {', '.join(missing)}", hint=_infra(settings))
    return AppStack(
        cluster=outputs["ClusterName"],
        repository_uri=outputs["RepositoryUri"],
        subnets=tuple(outputs["TaskSubnets"].split(",")),
        security_group=outputs["TaskSecurityGroup"],
        assign_public_ip=outputs["AssignPublicIp"],
        url=outputs["Url"],
        test_url=outputs.get("TestUrl"),
        test_address=outputs.get("TestAddress"),
        site=SiteStack(outputs["SiteBucketName"], outputs["SiteDistributionId"], outputs["SiteUrl"])
        if settings.site
        else None,
    )


def recorded(settings: Settings, aws: Aws, facts: Facts, release: Record) -> dict[str, TaskDefinition]:
    """Return the revisions of a recorded release as ECS knows them now, of the units that the settings still have.

    Raises :class:`~seatrial.errors.UsageError` for one that was deleted.
    """
    ecs = Ecs(aws, facts.stack.cluster)
    found = {}
    for unit in units(settings):
        if unit in release.revisions:
            try:
                found[unit] = ecs.task_definition(release.revisions[unit])
            except NotFound:
                raise UsageError(
                    f"release {release.number} cannot be put back: {release.revisions[unit]} was deleted",
                    hint=f"release the code again: seatrial deploy {settings.name} --image {release.digest}",
                ) from None
    return found


def units(settings: Settings) -> tuple[str, ...]:
    """Return the names of all services, tasks and jobs."""
    return (*settings.services, *settings.tasks, *settings.jobs)


def latest_revision(settings: Settings, ecs: Ecs, unit: str) -> TaskDefinition:
    """Return a unit's newest revision. Raises :class:`~seatrial.errors.UsageError` if there is none."""
    family = names.family(settings, unit)
    try:
        return ecs.task_definition(family)
    except NotFound:
        raise UsageError(f"there is no task definition {family}", hint=_infra(settings)) from None


def _group(settings: Settings, aws: Aws, unit: str) -> DeploymentGroup:
    try:
        return CodeDeploy(aws).group(names.deployment_application(settings), unit)
    except NotFound:
        raise UsageError(f"CodeDeploy has no deployment group for service {unit}", hint=_infra(settings)) from None


def _recent(records: Records) -> tuple[Record, ...]:
    """Return the newest releases down to the one that is serving and the one before it."""
    found: list[Record] = []
    for each in records.newest_first():
        found.append(each)
        if sum(record.ending == "released" for record in found) == 2:
            break
    return tuple(found)


def _infra(settings: Settings) -> str:
    return f"create or update the infrastructure first: `seatrial infra apply {settings.name}`"
