"""Which rollout a change is: by ECS or by CodeDeploy, as a new deployment or by taking back what is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.rollout.codedeploy import CodeDeployRollout
from seatrial.release.rollout.ecs import Rollout
from seatrial.release.rollout.returning import Returning, ReturningByCodeDeploy

if TYPE_CHECKING:
    from seatrial.release.context import Context
    from seatrial.release.steps import Change


def rollout_of(change: Change, target: str, context: Context, *, back: bool = False) -> Rollout:
    """Return what brings a service to ``target``, by whoever deploys it. ``back``: a release is taken back by it."""
    if change.codedeploy is not None and change.returns is not None and not back:
        return ReturningByCodeDeploy(change, target, context, change.codedeploy, back=False)
    if change.codedeploy is not None:
        return CodeDeployRollout(change, target, context, change.codedeploy, back=back)
    if change.returns is not None and not back:
        return Returning(change, target, context)
    return Rollout(change, target, context)
