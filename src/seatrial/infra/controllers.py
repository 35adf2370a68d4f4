"""What a stack update cannot change: who deploys a service, and a service that CodeDeploy deploys.

CloudFormation changes a service by one UpdateService with all that the template says of it. Of a service with the
deployment controller CODE_DEPLOY, ECS lets that change neither task definition nor load balancers nor network ("Update
service", ECS API reference), and after a release the template's are the old ones. The update fails, its rollback makes
the same call, and the stack is left in UPDATE_ROLLBACK_FAILED. So such a change is refused before it is begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.ecs import CODE_DEPLOY
from seatrial.config.strategies import CodeDeploy
from seatrial.errors import UsageError
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.config.models import Settings
    from seatrial.infra.changes import Planned

_SERVICE = "AWS::ECS::Service"
_HOW = 'docs/infrastructure.md, "CodeDeploy", says what to do'


def refuse_other_controllers(settings: Settings, controllers: Mapping[str, str]) -> None:
    """Raise :class:`~seatrial.errors.UsageError` where a service that is there would be deployed by somebody else.

    ``controllers`` are those of the services that are there.
    """
    for unit, service in settings.services.items():
        by_codedeploy = service.routed and isinstance(settings.target.strategy, CodeDeploy)
        there = controllers.get(unit)
        if there is not None and (there == CODE_DEPLOY) != by_codedeploy:
            raise UsageError(
                f"service {unit}: DeploymentController is {there} and cannot become "
                f"{CODE_DEPLOY if by_codedeploy else 'ECS'} by a stack update; nothing was changed",
                hint=_HOW,
            )


def refuse_what_is_codedeploys(changes: Iterable[Planned], controllers: Mapping[str, str]) -> None:
    """Raise :class:`~seatrial.errors.UsageError` for a change of a service that CodeDeploy deploys.

    Only what certainly changes counts: where another nested stack changes, CloudFormation lists all that has a value
    from it, and mostly the value turns out to be the same.
    """
    services = {f"{names.logical(unit)}Service": unit for unit, by in controllers.items() if by == CODE_DEPLOY}
    for each in changes:
        unit = services.get(each.change.logical_id)
        if each.change.type == _SERVICE and each.change.certain and unit is not None:
            raise UsageError(
                f"service {unit}: {', '.join(each.change.certain)} cannot be changed, for CodeDeploy deploys it; "
                "nothing was changed",
                details=(str(each),),
                hint=_HOW,
            )
