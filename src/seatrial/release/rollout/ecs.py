"""A service's change, followed to its end by the id of its own service deployment, whatever its strategy.

Success is an id: right after UpdateService the service deployment that this very call made is looked up, and only its
end counts. A service that is stable again because ECS rolled back, or because somebody deployed something else, is a
failure.

A deployment that a PAUSE hook holds is asked about: :func:`follow` waits until all that pause do so, and hands them to
``at_pause`` together, so that services which serve the same pages are tested together and then change together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from seatrial.aws.deployments import TESTED
from seatrial.aws.ecs import revision_name
from seatrial.aws.errors import AwsError
from seatrial.release import evidence
from seatrial.release.interrupt import Choice
from seatrial.release.rollout.observe import Observer
from seatrial.release.watch import DeploymentChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.aws.deployments import ServiceDeployment
    from seatrial.aws.ecs import Service
    from seatrial.release.causes import Evidence
    from seatrial.release.context import Context
    from seatrial.release.steps import Change

#: Seconds within which ECS lists the service deployment of an UpdateService; it takes one or two.
_APPEARS = 120.0
#: Service deployments that have not ended (ECS API reference, ServiceDeployment.status).
UNDER_WAY = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
#: Tasks that may end by themselves where ECS tells no threshold: the least of its own (developer guide).
_ENDED = 3
#: The stages after all traffic has moved; going back is not possible any more only in the last.
_SHIFTED = ("BAKE_TIME", "CLEAN_UP")


class Verdict(Enum):
    """How a service's change ended."""

    DONE = "done"
    ROLLED_BACK = "rolled back by ECS"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Followed:
    """What :func:`follow` came back with: all at the end, the first that failed, or a person's choice."""

    failed: Rollout | None = None
    choice: Choice = Choice.GO_ON


class Rollout:
    """One service on its way to ``target`` (task definition ARN).

    ``desired`` as in :class:`~seatrial.release.steps.Change`. After :meth:`begin`, :meth:`look` is called until
    :attr:`verdict` is there. ``asked``: UpdateService was called; ``begun``: it was answered, too. ``replaced`` comes
    earlier than the verdict: the new tasks have taken over, the old ones are ending or, where traffic was shifted, stay
    for the bake time.
    """

    def __init__(self, change: Change, target: str, context: Context) -> None:
        self.change = change
        self.target = target
        self.verdict: Verdict | None = None
        self.replaced = False
        self.reason = ""
        self.asked = False
        self.begun = False
        self.deployment: ServiceDeployment | None = None
        self._ecs = context.ecs
        self._emit = context.emit
        self._clock = context.clock
        self._observer = Observer(change.unit, context)
        self._deadline = 0.0
        self._appears_until = 0.0
        self._known: frozenset[str] = frozenset()
        self._since = context.clock.now()
        self._gave_up = False
        self._answered: bool | None = None
        self._emptied = False
        self._logs = context.logs

    @property
    def held(self) -> bool:
        """Whether ECS waits for :meth:`answer`."""
        it = self.deployment
        return (
            self._answered is None
            and it is not None
            and (it.status, it.stage) == ("IN_PROGRESS", TESTED)
            and it.waiting is not None
        )

    @property
    def approaching(self) -> bool:
        """Whether it will be held, and is not yet."""
        return self.change.pauses and self.verdict is None and self._answered is None and not self.held

    def answer(self, *, go_on: bool) -> None:
        """Let a deployment that is held go on, or have ECS roll it back."""
        if self.deployment is None or self.deployment.waiting is None:
            return
        hook = self.deployment.waiting
        try:
            self._ecs.answer_hook(self.deployment.arn, hook.id, go_on=go_on)
        except AwsError:
            # Answered already, by a first call whose own answer got lost, or by somebody else: the end will tell.
            self.deployment = self._again(self.deployment)
            if self.deployment.waiting == hook:
                raise
        self._answered = go_on

    @property
    def observer(self) -> Observer:
        """What was seen of the service's tasks and targets."""
        return self._observer

    def evidence(self) -> Evidence:
        """Return what its tasks left behind."""
        document = self._ecs.task_definition(self.target).document
        return evidence.of_service(self.change, self.target, self._observer, document, self._logs)

    def begin(self, service: Service, *, desired: int | None) -> None:
        """Ask ECS for the target. ``service`` is as it was just before."""
        primary = service.primary
        if primary is not None and primary.created_at is not None:
            self._since = primary.created_at - timedelta(seconds=1)
        self._known = frozenset(each.arn for each in self._listed())
        self._observer.start(service)
        self._deadline = self._clock.monotonic() + self.change.patience
        self.asked = True
        self._ecs.update_service(
            self.change.unit, self.target, desired=desired, force=service.task_definition == self.target
        )
        self.begun = True
        self._appears_until = self._clock.monotonic() + _APPEARS

    def adopt(self, service: Service) -> None:
        """Take over a deployment that somebody else began and nobody follows any more. ``service`` is as it is."""
        if service.primary is not None and service.primary.created_at is not None:
            self._since = service.primary.created_at - timedelta(seconds=60)
        self._observer.start(service)
        self._deadline = self._clock.monotonic() + self.change.patience
        newest = next((each for each in reversed(self._listed()) if each.status in UNDER_WAY), None)
        self.deployment = None if newest is None else self._ecs.describe_deployments([newest.arn]).get(newest.arn)
        self.begun = True

    def look(self, service: Service | None) -> None:
        """Look once. ``service`` is as DescribeServices answers it now, None if it is gone."""
        if service is None:
            self._end(Verdict.FAILED, "the service was deleted")
            return
        self._observer.look(service)
        before = self.deployment
        self.deployment = self._found() if before is None else self._again(before)
        if self.deployment is None:
            if self._clock.monotonic() > self._appears_until:
                self._end(Verdict.FAILED, "ECS shows no service deployment for the update")
            return
        if before is None or _told(before) != _told(self.deployment):
            self._tell(self.deployment)
        # Once ECS rolls back, the primary deployment is the way back, and its tasks run and are healthy.
        forward = self.deployment.status == "IN_PROGRESS" and service.task_definition == self.target
        if self.change.shifts:
            self.replaced = forward and self.deployment.stage in _SHIFTED
        else:
            self.replaced = forward and self._observer.replaced(service)
        self._judge(self.deployment, service, forward=forward)

    def turn_back(self) -> bool:
        """Ask ECS to roll the running deployment back; False if it is not running any more or cannot be."""
        if self.deployment is None:
            self.deployment = self._found()
        if self.deployment is None or self.deployment.status not in UNDER_WAY:
            return False
        if self.deployment.status in ("PENDING", "IN_PROGRESS") and self._answered is not False:
            try:
                self._ecs.roll_back_deployment(self.deployment.arn)
            except AwsError:
                # It ended between our look and the call, or is rolled back already, by an alarm or by a first call
                # whose answer got lost.
                self.deployment = self._again(self.deployment)
                if not self.deployment.status.startswith("ROLLBACK"):
                    return False
            self._answered = False  # one that is held may be shown so for a moment still: nobody lets it go on
        self.verdict = None
        self._deadline = self._clock.monotonic() + self.change.patience
        return True

    def empty(self) -> None:
        """Have no tasks of the revision that ECS is going back to. That starts no deployment; its end can be seen."""
        self._ecs.update_service(self.change.unit, self.change.previous, desired=0)
        self._emptied = True
        self.verdict = None
        self.reason = ""

    def _judge(self, deployment: ServiceDeployment, service: Service, *, forward: bool) -> None:
        primary = service.primary
        if deployment.status in ("SUCCESSFUL", "STOPPED"):
            self._judge_end(deployment)
        elif deployment.status == "ROLLBACK_SUCCESSFUL" or self._rolls_back_to_nothing(deployment, service):
            self._end(Verdict.ROLLED_BACK, self._why(deployment))
        elif deployment.status == "ROLLBACK_FAILED":
            self._end(Verdict.FAILED, f"ECS could not roll back: {self._why(deployment)}")
        elif primary is not None and primary.rollout_state == "FAILED" and primary.task_definition == self.target:
            # The circuit breaker opened and had no completed revision to go back to: it stalls (developer guide).
            self._end(Verdict.FAILED, primary.reason or "the deployment circuit breaker opened")
        elif self._clock.monotonic() > self._deadline:
            tasks = f"{deployment.running} of {deployment.requested} tasks running"
            self._give_up(f"not done after {self.change.patience:.0f} s ({tasks})")
        elif (
            forward
            and not self._gave_up
            and (ended := self._observer.ended(self.target)) >= (deployment.threshold or _ENDED)
        ):
            self._give_up(f"{ended} tasks of the new version ended by themselves")

    def _judge_end(self, deployment: ServiceDeployment) -> None:
        """Tell success from being overtaken. The service is read again: it may be older than the deployment's end."""
        service = self._ecs.services([self.change.unit]).get(self.change.unit)
        live = service.task_definition if service is not None else ""
        if service is not None:
            self._observer.look(service)  # the last states of its tasks
        if live != self.target:
            self._end(Verdict.SUPERSEDED, f"somebody deployed {revision_name(live) or 'nothing'} over it")
        elif deployment.status == "SUCCESSFUL":
            self._end(Verdict.DONE, "")
        else:
            self._end(Verdict.FAILED, self._why(deployment))

    def _rolls_back_to_nothing(self, deployment: ServiceDeployment, service: Service) -> bool:
        """Whether ECS goes back to a revision that no release was: its image need not exist, so nobody waits for it.

        Not before ECS has turned around: until then a change of the count would be a deployment on top. Where ECS
        has failed at it already, there is nothing more to wait for either.
        """
        if self.change.desired is None:
            return False
        if deployment.status == "ROLLBACK_FAILED":
            return True
        turned = service.task_definition != self.target
        return turned and not self._emptied and deployment.status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")

    def _give_up(self, why: str) -> None:
        """Turn a deployment back that ECS would let go on; give it up where that does not help either."""
        if self._gave_up or not self.turn_back():
            self._end(Verdict.FAILED, why)
        self._gave_up = True
        self.reason = why

    def _why(self, deployment: ServiceDeployment) -> str:
        why = self.reason or deployment.rollback_reason or deployment.reason or deployment.status
        hook = next((each.label for each in self.change.hooks if each.function in why), None)
        why = f"{hook}: {why}" if hook else why
        return f"{why} (alarms: {', '.join(deployment.alarms)})" if deployment.alarms else why

    def _end(self, verdict: Verdict, reason: str) -> None:
        self.verdict = verdict
        self.reason = reason

    def _listed(self) -> list[ServiceDeployment]:
        return self._ecs.service_deployments(self.change.unit, since=self._since)

    def _found(self) -> ServiceDeployment | None:
        """Return the oldest deployment that was not there before our call and aims at our task definition."""
        new = [each for each in self._listed() if each.arn not in self._known]
        definitions = self._ecs.revision_task_definitions(
            [each.target_revision for each in new if each.target_revision]
        )
        ours = (each for each in new if definitions.get(each.target_revision or "") == self.target)
        brief = next(ours, None)
        return self._ecs.describe_deployments([brief.arn]).get(brief.arn) if brief else None

    def _again(self, deployment: ServiceDeployment) -> ServiceDeployment:
        return self._ecs.describe_deployments([deployment.arn]).get(deployment.arn, deployment)

    def _tell(self, deployment: ServiceDeployment) -> None:
        self._emit(
            DeploymentChanged(
                self._clock.now(),
                self.change.unit,
                deployment.arn,
                deployment.status,
                deployment.rollback_reason or deployment.reason,
                deployment.running,
                deployment.requested,
                deployment.stage,
                deployment.production,
                tuple(self._label(function) for function in deployment.asked),
            )
        )

    def _label(self, function: str) -> str:
        return next((each.label for each in self.change.hooks if each.function in function), function)


def let_go_on(held: Sequence[Rollout]) -> None:
    """Answer deployments that are held without a check: nobody waits for one."""
    for each in held:
        each.answer(go_on=True)


def follow(
    rollouts: Sequence[Rollout],
    context: Context,
    *,
    until_replaced: bool = False,
    at_pause: Callable[[Sequence[Rollout]], None] = let_go_on,
) -> Followed:
    """Look at all of them again and again until all are done, one has failed, or a person chose otherwise.

    ``until_replaced`` is content when the new tasks have taken over everywhere; the old ones may still be ending.
    ``at_pause`` answers those that are held, all at once; what it raises ends the following.
    """
    while True:
        waiting = [each for each in rollouts if each.verdict is None]
        services = context.ecs.services([each.change.unit for each in waiting])
        for each in waiting:
            each.look(services.get(each.change.unit))
        failed = next((each for each in rollouts if each.verdict not in (None, Verdict.DONE)), None)
        if failed is not None:
            return Followed(failed)
        if all(each.verdict is Verdict.DONE or (until_replaced and each.replaced) for each in rollouts):
            return Followed()
        held = [each for each in waiting if each.held]
        if held and not any(each.approaching for each in waiting):
            at_pause(held)
        choice = context.interrupt.poll()
        if choice is not Choice.GO_ON:
            return Followed(choice=choice)
        context.clock.sleep(context.pace)


def _told(deployment: ServiceDeployment) -> tuple[object, ...]:
    """Return what makes a look worth an event."""
    return deployment.status, deployment.running, deployment.stage, deployment.production, deployment.asked
