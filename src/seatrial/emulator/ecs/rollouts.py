"""Deployments by stages at work: looks, asks :mod:`.lifecycle` for the next position, and carries it out."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.emulator.ecs import deployments, hooks
from seatrial.emulator.ecs.deployments import ALARM, BREAKER, NO_CANDIDATE, STOPPED_BY_USER
from seatrial.emulator.ecs.groups import INVALID_NETWORK, misconfigured, other_group, weights
from seatrial.emulator.ecs.ids import hook_id
from seatrial.emulator.ecs.lifecycle import Fleet, Seen, Trouble, advance, hooks_due, strays_wanted
from seatrial.emulator.ecs.strategy import HOOK_TIMEOUT_MINUTES, hooks_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from seatrial.emulator.ecs.hooks import HookRun
    from seatrial.emulator.ecs.lifecycle import Position
    from seatrial.emulator.ecs.model import Deployment, Rollout, Service, ServiceDeployment
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World

#: Seconds after which to look again while something is under way.
SOON = 1.0
#: What a service's event says of a failure whose statusReason is longer.
_EVENTS = {cause.rolled_back: cause.event for cause in (BREAKER, ALARM)} | {
    cause.stopped: cause.event for cause in (BREAKER, ALARM)
}


class Rollouts:
    """Brings the rollout of one service a step further, and moves traffic for all of them."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state

    def advance(self, service: Service, rollout: Rollout) -> float | None:
        """Go as far as is possible now; the lock must be held. Returns seconds until it must be looked at again."""
        now = self._world.clock.monotonic()
        while rollout.position.outcome is None:
            seen = self._look(service, rollout)
            if hooks_due(rollout.position, seen):
                self._begin_hooks(service, rollout, now)
                seen = self._look(service, rollout)
            position = advance(rollout.course, rollout.position, seen, now)
            if position == rollout.position:
                break
            before, rollout.position = rollout.position, position
            self._enter(service, rollout, before)
        return self._pause(rollout, now)

    def wanted(self, service: Service, rollout: Rollout) -> dict[Deployment, int]:
        """Return how many tasks each deployment is to have; what is not named keeps what it has."""
        position = rollout.position
        counts = {rollout.green: service.desired if position.green_wanted else 0}
        if rollout.blue is not None:
            counts[rollout.blue] = service.desired if position.blue_wanted else 0
        if not strays_wanted(position, self._look(service, rollout)):
            counts |= {d: 0 for d in service.deployments if d not in counts}
        return counts

    def shift_traffic(self) -> None:
        """Have the load balancer take up what is meant. Without the lock: it answers when its proxy has."""
        with self._world.lock:
            moved = [(s, s.rollout, s.rollout.position) for s in self._state.services.values() if s.rollout]
        for service, rollout, position in moved:
            meant = (position.production, position.test)
            if meant != (rollout.production, rollout.test) and rollout.broken is None:
                broken = self._shift(rollout, position)
                with self._world.lock:
                    rollout.broken = broken
                    if broken is None:
                        rollout.production, rollout.test = meant
                    if service.current:
                        service.current.updated_at = self._world.clock.now()
                self._world.wake.set()

    def _shift(self, rollout: Rollout, position: Position) -> Trouble | None:
        revision = rollout.green.revision
        for balancer in revision.resolved:
            if balancer.advanced is None:
                continue
            other = other_group(revision.load_balancers, balancer)
            for rule, percent, taken in (
                (balancer.advanced.production_rule, position.production, rollout.production),
                (balancer.advanced.test_rule, position.test, rollout.test),
            ):
                if rule is None or percent == taken:
                    continue
                green, blue = weights(percent)
                try:
                    self._world.traffic.shift(rule, {balancer.target_group: green, other: blue})
                except KeyError:
                    return Trouble(f"{INVALID_NETWORK}. One or more rules not found")
        return None

    def _look(self, service: Service, rollout: Rollout) -> Seen:
        tasks = self._state.tasks_of(service)
        known = {rollout.green, rollout.blue}

        def fleet(deployment: Deployment) -> Fleet:
            mine = [t for t in tasks if t.deployment is deployment]
            return Fleet(sum(t.healthy and not t.failed and not t.stopping for t in mine), len(mine))

        runs, reason = hooks.state_of(rollout.hooks) if rollout.visit == rollout.position.visit else ("waiting", "")
        minimum = -(-service.desired * int(service.configuration["minimumHealthyPercent"]) // 100)
        return Seen(
            desired=service.desired,
            minimum=minimum,
            green=fleet(rollout.green),
            blue=fleet(rollout.blue) if rollout.blue else None,
            strays=sum(t.deployment not in known for t in tasks),
            production=rollout.production,
            test=rollout.test,
            hooks=runs,
            hook_reason=reason,
            trouble=self._trouble(service, rollout),
        )

    def _trouble(self, service: Service, rollout: Rollout) -> Trouble | None:
        """Say what keeps the deployment from going on."""
        record = service.current
        if record is None or rollout.broken is not None:
            return rollout.broken
        if rollout.position.back:
            lost = rollout.blue is not None and service.breaker.tripped(rollout.blue.failures, service.desired)
            return Trouble(NO_CANDIDATE) if lost else None
        return (
            _asked(record)
            or self._misconfigured(rollout)
            or _tripped(service, record, rollout)
            or _alarmed(service, record)
        )

    def _misconfigured(self, rollout: Rollout) -> Trouble | None:
        """Look at the listener rules before anything is started."""
        if rollout.position.stage != "PRE_SCALE_UP":
            return None
        wrong = misconfigured(self._world.traffic, rollout.green.revision.load_balancers)
        return Trouble(wrong) if wrong else None

    def _enter(self, service: Service, rollout: Rollout, before: Position) -> None:
        """Do what belongs to a transition, besides tasks and traffic, which follow from the position."""
        world, position, record = self._world, rollout.position, service.current
        if record:
            record.updated_at = world.clock.now()
        reason = position.reason or ""
        if position.back and not before.back and rollout.blue is not None:
            deployments.give_up(world, service, rollout.green, reason, _EVENTS.get(reason, reason))
            announced = "ECS deployment: rolling back to deploymentId"
            deployments.turn_back(world, service, rollout.blue, reason, announced)
        elif position.stage == "CLEAN_UP" and not position.back and before.stage == "BAKE_TIME":
            service.completed = rollout.green  # from here on there is nothing older to go back to
        match position.outcome:
            case "SUCCESSFUL" | "ROLLBACK_SUCCESSFUL":
                deployments.complete(world, service)
            case "STOPPED":
                deployments.give_up(world, service, rollout.green, reason, _EVENTS.get(reason, reason))
                deployments.close(world, service, "STOPPED", reason)
            case "ROLLBACK_FAILED":
                deployments.give_up(world, service, service.primary, reason, _EVENTS.get(reason, reason))
                deployments.close(world, service, "ROLLBACK_FAILED", NO_CANDIDATE)
            case None:
                pass

    def _begin_hooks(self, service: Service, rollout: Rollout, now: float) -> None:
        """Begin the hooks of this visit, or see to those that run."""
        position, record = rollout.position, service.current
        if record is None:
            return
        if rollout.visit != position.visit:
            rollout.visit = position.visit
            rollout.hooks = [
                self._hook(position, shape, now) for shape in hooks_of(record.configuration, position.stage)
            ]
        for run in rollout.hooks:
            hooks.expire(run, now)
            if run.proceeds is None and run.target is not None and not run.asked and now >= run.due:
                run.asked = True
                payload = json.dumps(self._event(service, record, rollout, run)).encode()
                threading.Thread(
                    target=self._ask, args=(run, run.target, payload), name=f"hook-{run.stage}", daemon=True
                ).start()

    def _hook(self, position: Position, shape: Mapping[str, Any], now: float) -> HookRun:
        clock = self._world.clock
        pauses = shape.get("targetType") == "PAUSE"
        timeout = shape.get("timeoutConfiguration") or {}
        seconds = clock.scaled(60.0 * int(timeout.get("timeoutInMinutes") or HOOK_TIMEOUT_MINUTES))
        return hooks.HookRun(
            id=hook_id("pause" if pauses else "lambda"),
            stage=position.stage,
            target=None if pauses else shape["hookTargetArn"],
            details=shape.get("hookDetails"),
            expires=now + seconds,
            expires_at=clock.now() + timedelta(seconds=seconds),
            timeout_action=timeout.get("action") or "ROLLBACK",
            status="AWAITING_ACTION" if pauses else "IN_PROGRESS",
        )

    def _event(self, service: Service, record: ServiceDeployment, rollout: Rollout, run: HookRun) -> dict[str, Any]:
        def shares(percent: float) -> dict[str, float]:
            return {
                rollout.green.revision.arn: percent,
                **({rollout.blue.revision.arn: round(100.0 - percent, 1)} if rollout.blue else {}),
            }

        return hooks.event(
            run,
            deployment=record.arn,
            service=service.arn,
            target=rollout.green.revision.arn,
            production=shares(rollout.position.production),
            test=shares(rollout.position.test),
        )

    def _ask(self, run: HookRun, target: str, payload: bytes) -> None:
        """Call a hook's function and take its answer. The thread's body."""
        world = self._world
        try:
            answer = hooks.read_answer(world.invoke(target, payload))
        except LookupError as error:
            with world.lock:
                hooks.unreachable(run, str(error.args[0]))
        else:
            with world.lock:
                hooks.take(run, answer, next_call=world.clock.monotonic() + world.clock.scaled(answer.delay))
        world.wake.set()

    def _pause(self, rollout: Rollout, now: float) -> float | None:
        if rollout.position.outcome:
            return None
        moments = [run.expires for run in rollout.hooks if run.proceeds is None]
        moments += [run.due for run in rollout.hooks if run.proceeds is None and run.target and not run.asked]
        waits = {"BAKE_TIME": rollout.course.bake, "PRODUCTION_TRAFFIC_SHIFT": rollout.course.step_bake}
        if rollout.position.stage in waits:
            moments.append(rollout.position.since + waits[rollout.position.stage])
        return min([SOON, *(m - now for m in moments if m > now)])


def _asked(record: ServiceDeployment) -> Trouble | None:
    if record.status == "STOP_REQUESTED":
        return Trouble(deployments.ABORTED, rollback=False)
    return Trouble(STOPPED_BY_USER) if record.status == "ROLLBACK_REQUESTED" else None


def _tripped(service: Service, record: ServiceDeployment, rollout: Rollout) -> Trouble | None:
    breaker = service.breaker
    if not rollout.position.green_wanted or not breaker.tripped(rollout.green.failures, service.desired):
        return None
    record.tripped = True
    return Trouble(BREAKER.rolled_back if breaker.rollback else BREAKER.stopped, breaker.rollback)


def _alarmed(service: Service, record: ServiceDeployment) -> Trouble | None:
    if not record.alarmed:
        return None
    rollback = bool((service.configuration.get("alarms") or {}).get("rollback"))
    return Trouble(ALARM.rolled_back if rollback else ALARM.stopped, rollback)
