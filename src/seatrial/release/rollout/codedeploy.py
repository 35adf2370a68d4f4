"""A service's change by CodeDeploy, followed to its end by the id of the deployment that was made for it.

CodeDeploy takes back by a deployment of its own (``rollbackInfo``), which is followed too. It has no circuit breaker
and waits an hour for healthy tasks; so a deployment whose new tasks fail as often as ECS's breaker would allow is
stopped from here. Ways back move all traffic at once, ask no hooks and do not keep what failed alive.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from seatrial.aws.codedeploy import UNDER_WAY, appspec
from seatrial.aws.ecs import revision_name
from seatrial.aws.errors import AwsError
from seatrial.config.hooks import GATED
from seatrial.release import evidence as evidence_
from seatrial.release.rollout.ecs import Rollout, Verdict
from seatrial.release.rollout.hookedgates import HookedGates
from seatrial.release.watch import DeploymentChanged

if TYPE_CHECKING:
    from seatrial.aws.codedeploy import Deployment
    from seatrial.aws.ecs import Service
    from seatrial.release.causes import Evidence
    from seatrial.release.context import Context
    from seatrial.release.steps import ByCodeDeploy, Change

#: Seconds within which a deployment that failed says which one takes it back, and one that is stopped has ended.
_APPEARS = 120.0
#: ECS's own threshold: half of the desired count, at least 3 and at most 200 tasks ("Deployment circuit breaker").
_LEAST_FAILURES, _MOST_FAILURES = 3, 200


class CodeDeployRollout(Rollout):
    """One service on its way to ``target`` by a deployment of CodeDeploy. See :class:`~.rolling.Rollout`."""

    def __init__(self, change: Change, target: str, context: Context, by: ByCodeDeploy, *, back: bool) -> None:
        super().__init__(change, target, context)
        self._back = back
        self._by = by
        self._codedeploy = context.codedeploy
        self._pace = context.pace
        self._gates = HookedGates(change.unit, context)
        self._id = ""
        self._seen: Deployment | None = None
        self._shown: tuple[object, ...] | None = None
        self._taken_back_until: float | None = None
        self._ended_wait = False

    @property
    def held(self) -> bool:
        """Whether CodeDeploy waits for :meth:`answer`."""
        return self._answered is None and self._seen is not None and self._seen.status == "Ready"

    def answer(self, *, go_on: bool) -> None:
        """Let a deployment that is held move the traffic, or have CodeDeploy take it back."""
        try:
            if go_on:
                self._codedeploy.go_on(self._id, "READY_WAIT")
            else:
                self._codedeploy.stop(self._id, roll_back=True)
        except AwsError:
            # Answered already, by a first call whose own answer got lost, or by somebody else: the end will tell.
            self._seen = self._described(self._id)
            if self._seen.status == "Ready":
                raise
        self._answered = go_on

    def begin(self, service: Service, *, desired: int | None) -> None:
        """Ask CodeDeploy for the target. The count is ECS's, and comes first: a new task set has as many tasks."""
        self._observer.start(service)
        self._deadline = self._clock.monotonic() + self.change.patience
        self._make_room()
        if desired is not None:
            self._ecs.scale(self.change.unit, desired)
        hooks = {} if self._back else {hook.stage: hook.function for hook in self._by.hooks}
        spec = appspec(self.target, self.change.unit, self._by.port, hooks)
        why = f"seatrial: {'back to ' if self._back else ''}{revision_name(self.target)}"
        self.asked = True
        try:
            self._id = self._codedeploy.create(
                self._by.application, self.change.unit, spec, at_once=self._back, why=why
            )
        except AwsError:
            # None was under way before: if one is now, with our own words, it was made and the answer got lost.
            made = self._codedeploy.under_way(self._by.application, self.change.unit)
            if made is None or self._described(made).why != why:
                if desired:  # nothing runs yet, and nothing shall
                    self._ecs.scale(self.change.unit, 0)
                raise
            self._id = made
        self.begun = True

    def look(self, service: Service | None) -> None:
        """Look once. ``service`` is as DescribeServices answers it now, None if it is gone."""
        if service is None:
            self._end(Verdict.FAILED, "the service was deleted")
            return
        self._observer.look(service)
        self._seen = seen = self._described(self._id)
        self._show(seen)
        if self._by.gates and not self._back:
            self._gates.look(self._id, self._by.gates)
        self.replaced = seen.under_way and seen.status != "Ready" and seen.shifted
        if self._back and seen.waits_for_end and not self._ended_wait:
            self._end_wait()
        if seen.status == "Succeeded":
            self._judge_success()
        elif not seen.under_way:
            self._judge_failure(seen)
        elif self._clock.monotonic() > self._deadline:
            self._give_up(f"not done after {self.change.patience:.0f} s")
        elif not self._back and not self._gave_up and self._failing(service):
            self._give_up(f"the tasks of {revision_name(self.target)} fail again and again")

    def turn_back(self) -> bool:
        """Have CodeDeploy take the deployment back; False if it has succeeded or cannot be stopped."""
        if not self._id:
            return False
        self._seen = seen = self._described(self._id)
        if seen.status == "Succeeded":
            return False
        self._none_before()
        if seen.under_way and self._answered is not False:
            try:
                self._codedeploy.stop(self._id, roll_back=True)
            except AwsError:
                # It ended between our look and the call, its old tasks are ending already, or it is stopped already,
                # by a first call whose answer got lost.
                self._seen = seen = self._described(self._id)
                if seen.under_way or seen.status == "Succeeded":
                    return False
        self.verdict = None
        self._deadline = self._clock.monotonic() + self.change.patience
        return True

    def empty(self) -> None:
        """Have no tasks. The way back has ended already, so there is nothing more to see."""
        self._ecs.scale(self.change.unit, 0)

    def evidence(self) -> Evidence:
        """Return what was left behind: of the gate task that failed, if one did, else of the service's own tasks."""
        failed = self._gates.failed
        if failed is None:
            return super().evidence()
        return self._gates.evidence(failed)

    def _make_room(self) -> None:
        """Wait until no other deployment of the group is under way: CodeDeploy takes one at a time.

        A release with --take-over is put on top of another, which is stopped and cleaned up after. Before the way back
        nothing is stopped: it is a deployment of ours that succeeds already and only ends its old tasks.
        """
        other = self._codedeploy.under_way(self._by.application, self.change.unit)
        if other is None:
            return
        if not self._back:
            with contextlib.suppress(AwsError):  # it ends already
                self._codedeploy.stop(other, roll_back=False)
        while self._described(other).under_way and self._clock.monotonic() < self._deadline:
            self._clock.sleep(self._pace)

    def _described(self, identifier: str) -> Deployment:
        return self._codedeploy.deployment(identifier, self._ecs.cluster, self.change.unit)

    def _end_wait(self) -> None:
        self._ended_wait = True
        with contextlib.suppress(AwsError):  # the wait is over
            self._codedeploy.go_on(self._id, "TERMINATION_WAIT")

    def _failing(self, service: Service) -> bool:
        """Whether as many new tasks have failed as ECS's circuit breaker would take."""
        stopped = [task for task in self._observer.tasks(self.target) if evidence_.failed_itself(task)]
        return len(stopped) >= min(max(_LEAST_FAILURES, -(-service.desired // 2)), _MOST_FAILURES)

    def _judge_success(self) -> None:
        """Tell success from being overtaken. The service is read again: it may be older than the deployment's end."""
        service = self._ecs.services([self.change.unit]).get(self.change.unit)
        live = service.task_definition if service is not None else ""
        if live == self.target:
            self._end(Verdict.DONE, "")
        else:
            self._end(Verdict.SUPERSEDED, f"somebody deployed {revision_name(live) or 'nothing'} over it")

    def _judge_failure(self, seen: Deployment) -> None:
        """Follow the deployment that takes this one back."""
        self.reason = self.reason or self._told(seen)
        if seen.rollback is None:
            self._taken_back_until = self._taken_back_until or self._clock.monotonic() + _APPEARS
            if self._clock.monotonic() > self._taken_back_until:
                self._end(Verdict.FAILED, f"{self.reason}; CodeDeploy does not take it back")
            return
        self._none_before()
        back = self._described(seen.rollback)
        self._show(back)
        if back.status == "Succeeded":
            self._end(Verdict.ROLLED_BACK, self.reason)
        elif back.status not in UNDER_WAY:
            self._end(
                Verdict.FAILED, f"{self.reason}; CodeDeploy could not take it back: {back.message or back.status}"
            )

    def _none_before(self) -> None:
        """A first release goes back to nothing: tasks that never ran cannot take the traffic, and need not."""
        if self.change.desired is not None and not self._emptied and not self._back:
            self._ecs.scale(self.change.unit, 0)
            self._emptied = True

    def _told(self, seen: Deployment) -> str:
        event = seen.failed_event
        name = next((hook.label for hook in self._by.hooks if event is not None and hook.stage == event.name), None)
        if event is None or name is None:
            return seen.message or seen.status
        self._gates.look(self._id, self._by.gates)
        if event.name == GATED and self._gates.failed is not None:
            return f"{name} failed at {event.name}: {self._gates.failed.problem}"
        return f"{name} failed at {event.name}: {seen.message or event.message or seen.error}"

    def _show(self, seen: Deployment) -> None:
        """Tell what has changed."""
        green = seen.green
        running, desired = (green.running, green.desired) if green else (0, 0)
        share = green.traffic if green else None
        shown = (seen.id, seen.status, seen.stage, running, share)
        if shown != self._shown:
            self._shown = shown
            self._emit(
                DeploymentChanged(
                    self._clock.now(),
                    self.change.unit,
                    seen.id,
                    seen.status,
                    seen.message,
                    running,
                    desired,
                    seen.stage,
                    share,
                )
            )
