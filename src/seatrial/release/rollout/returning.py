"""A service that goes back because the deployment under way is taken back: seatrial makes no new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.rollout.codedeploy import CodeDeployRollout
from seatrial.release.rollout.ecs import Rollout, Verdict

if TYPE_CHECKING:
    from seatrial.aws.deployments import ServiceDeployment
    from seatrial.aws.ecs import Service


class Returning(Rollout):
    """A rollout whose end is the rollback of ``change.returns``, followed by that ARN.

    Should that deployment have ended meanwhile, the service is moved like any other.
    """

    returning = False

    def begin(self, service: Service, *, desired: int | None) -> None:
        """Ask ECS to roll the deployment back. ``service`` is as it was just before."""
        deployment = self.change.returns or ""
        self.deployment = self._ecs.describe_deployments([deployment]).get(deployment)
        self.returning = self.turn_back()
        if self.returning:
            self.begun = True
            self._observer.start(service)
            return
        now = self._ecs.services([self.change.unit]).get(self.change.unit, service)
        if now.task_definition == self.target:  # it was taken back before we asked
            self._end(Verdict.DONE, "")
            return
        self.deployment = None
        super().begin(now, desired=desired)

    def look(self, service: Service | None) -> None:
        """See :meth:`Rollout.look`. Users are back at the old tasks before the new ones are gone."""
        super().look(service)
        it = self.deployment
        if self.returning and it is not None:
            self.replaced = it.status == "ROLLBACK_IN_PROGRESS" and it.production == 0

    def _judge(self, deployment: ServiceDeployment, service: Service, *, forward: bool) -> None:
        if self.returning and deployment.status == "ROLLBACK_SUCCESSFUL":
            self._end(Verdict.DONE, "")
        else:
            super()._judge(deployment, service, forward=forward)


class ReturningByCodeDeploy(CodeDeployRollout):
    """The same where CodeDeploy deploys. Its end is that of the deployment by which CodeDeploy takes the other back."""

    returning = False

    def begin(self, service: Service, *, desired: int | None) -> None:
        """Have CodeDeploy stop the deployment and take it back. ``service`` is as it was just before."""
        self._id = self.change.returns or ""
        self._observer.start(service)
        self.returning = self.turn_back()
        if self.returning:
            self.begun = True
            self._answered = False  # one that is held may be shown so for a moment still
            return
        now = self._ecs.services([self.change.unit]).get(self.change.unit, service)
        if now.task_definition == self.target:
            self._end(Verdict.DONE, "")
            return
        super().begin(now, desired=desired)

    def _end(self, verdict: Verdict, reason: str) -> None:
        if self.returning and verdict is Verdict.ROLLED_BACK:
            verdict, reason = Verdict.DONE, ""
        super()._end(verdict, reason)
