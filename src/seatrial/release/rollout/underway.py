"""Deployments that ECS or CodeDeploy has not done with, and what each would go back to. Only reads.

While one is under way the tasks of before still run, so that it can be taken back in seconds: by the weights of
listener rules where traffic is shifted, by stopping the new tasks in a rolling update. That ends with CLEAN_UP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.release.rollout.ecs import UNDER_WAY

if TYPE_CHECKING:
    from seatrial.aws.deployments import ServiceDeployment
    from seatrial.aws.ecs import Ecs, Service
    from seatrial.release.facts import Facts

#: Minutes by which a service deployment may be older than what DescribeServices calls the primary deployment.
_OLDER = 10


@dataclass(frozen=True)
class UnderWay:
    """The deployment that is under way: the service deployment's ARN, or CodeDeploy's id.

    ``back_to`` is the task definition (ARN) that taking it back leads to; None where that is not one, or where the
    tasks of before are ending already.
    """

    deployment: str
    stage: str | None
    back_to: str | None


def under_way(facts: Facts, ecs: Ecs) -> dict[str, UnderWay]:
    """Return what is under way, by service."""
    found = {}
    for unit, service in facts.services.items():
        primary = service.primary
        if primary is None or primary.rollout_state != "IN_PROGRESS" or primary.created_at is None:
            continue
        since = primary.created_at - timedelta(minutes=_OLDER)
        moving = [each for each in ecs.service_deployments(unit, since=since) if each.status in UNDER_WAY]
        for deployment in ecs.describe_deployments([each.arn for each in moving[-1:]]).values():
            found[unit] = UnderWay(deployment.arn, deployment.stage, _back_to(deployment, service, ecs))
    for unit, group in facts.groups.items():
        if group.under_way is not None:
            found[unit] = UnderWay(group.under_way, None, _blue(facts.services[unit], group.under_way))
    return found


def _blue(service: Service, deployment: str) -> str | None:
    """Return the revision that CodeDeploy keeps tasks of until its deployment has succeeded."""
    kept = [each for each in service.task_sets if each.deployment != deployment and each.status != "DRAINING"]
    return kept[0].task_definition if len(kept) == 1 else None


def _back_to(deployment: ServiceDeployment, service: Service, ecs: Ecs) -> str | None:
    if deployment.status.startswith("ROLLBACK"):
        return service.task_definition  # of the deployment that is primary again
    if deployment.stage == "CLEAN_UP":
        return None
    before = set(ecs.revision_task_definitions(deployment.sources).values())
    return before.pop() if len(before) == 1 else None
