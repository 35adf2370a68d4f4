"""Deployments at work: looks at what there is, asks :mod:`.lifecycle` for the next position, and carries it out."""

from __future__ import annotations

import json
import secrets
import threading
from typing import TYPE_CHECKING

from seatrial.emulator.codedeploy import route
from seatrial.emulator.codedeploy.begin import begin_rollback
from seatrial.emulator.codedeploy.lifecycle import Fleet, Seen, Trouble, advance
from seatrial.emulator.codedeploy.model import HookRun
from seatrial.emulator.ecs.task_sets import TaskSetOrder
from seatrial.emulator.front.actions import ApiError
from seatrial.emulator.loadbalancing.proxy import ProxyError

if TYPE_CHECKING:
    from seatrial.emulator.codedeploy.lifecycle import Position
    from seatrial.emulator.codedeploy.model import Deployment
    from seatrial.emulator.codedeploy.store import Store
    from seatrial.emulator.codedeploy.world import World
    from seatrial.emulator.ecs.task_sets import ServiceView, TaskSetView

#: Seconds after which to look again, with and without a deployment under way.
BUSY, IDLE = 0.2, 5.0
#: AWS's seconds in which a function must answer ("AppSpec 'hooks' section"), and at least here.
CALLBACK_SECONDS, LEAST_CALLBACK = 3600.0, 30.0
#: The phase that a wait type of ContinueDeployment ends.
WAITS = {"READY_WAIT": "ReadyWait", "TERMINATION_WAIT": "TerminationWait"}

_ROLLBACK = {
    "failure": "DEPLOYMENT_FAILURE",
    "alarm": "DEPLOYMENT_STOP_ON_ALARM",
    "request": "DEPLOYMENT_STOP_ON_REQUEST",
}
_HOOK_FAILED = "The deployment failed because one or more of the lifecycle event validation functions failed."
_SILENT = (
    "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within one "
    "hour after a deployment hook is invoked."
)


class Progress:
    """Brings every deployment as far as it goes each time :meth:`step` is called, on one thread only."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    def step(self) -> float:
        """Look at everything once and act. Returns the seconds after which to look again if nothing wakes us."""
        with self._world.lock:
            running = self._store.running()
        for deployment in running:
            self._further(deployment)
        return BUSY if running else IDLE

    def _further(self, deployment: Deployment) -> None:
        world = self._world
        while deployment.running:
            seen, now = self._look(deployment), world.clock.monotonic()
            with world.lock:
                before = deployment.position
                after = advance(deployment.course, before, seen, now)
                if after == before:
                    return
                deployment.position, deployment.updated_at = after, world.clock.now()
                self._record(deployment, before, after)
                if after.outcome:  # all that it means is carried out already, or stays where it is
                    self._conclude(deployment)
                    return
            self._carry_out(deployment)

    def _look(self, deployment: Deployment) -> Seen:
        """See what there is. Without the lock: ECS, alarms and listeners have their own."""
        service = self._service(deployment)
        sets = {each.id: each for each in service.sets} if service else {}
        known = {deployment.blue, deployment.green}
        run = deployment.hook_at(deployment.position.phase)
        trouble = self._trouble(deployment, service, run)
        with self._world.lock:
            deployment.shown |= {name: each for name, each in sets.items() if name in known}
            return Seen(
                desired=service.desired if service else 0,
                blue=_fleet(sets.get(deployment.blue)),
                green=_fleet(sets.get(deployment.green)) if deployment.green else None,
                strays=len(sets.keys() - known),
                production=deployment.production,
                test=deployment.test,
                asked=run is not None and run.status is None,
                continued=any(WAITS[wait] == deployment.position.phase for wait in deployment.continued),
                trouble=trouble,
            )

    def _service(self, deployment: Deployment) -> ServiceView | None:
        try:
            return self._world.task_sets.look(deployment.cluster, deployment.service)
        except ApiError:
            return None

    def _trouble(self, deployment: Deployment, service: ServiceView | None, run: HookRun | None) -> Trouble | None:
        """Say what keeps the deployment from going on."""
        if deployment.broken or deployment.stop:
            return deployment.broken or deployment.stop
        if service is None or not service.active:
            message = f"The ECS service {deployment.service} is not ACTIVE."
            return Trouble("failure", "INVALID_ECS_SERVICE", message)
        if deployment.position.back:
            return None
        if deployment.position.phase == "Queued" and (
            wrong := route.misconfigured(self._world.listeners, deployment.route)
        ):
            return wrong
        return self._alarmed(deployment) or (self._unanswered(run) if run else None)

    def _alarmed(self, deployment: Deployment) -> Trouble | None:
        configuration = deployment.settings.get("alarmConfiguration") or {}
        if not configuration.get("enabled"):
            return None
        names = [str(alarm["name"]) for alarm in configuration.get("alarms") or ()]
        states = self._world.surroundings.alarms(names)
        active = [name for name in names if states.get(name) == "ALARM"]
        missing = [name for name in names if name not in states]
        if active:
            message = (
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and "
                f"the affected deployments have been stopped. Activated alarms: <{', '.join(active)}>"
            )
            return Trouble("alarm", "ALARM_ACTIVE", message)
        if missing and not configuration.get("ignorePollAlarmFailure"):
            message = f"The state of the alarms <{', '.join(missing)}> could not be retrieved from Amazon CloudWatch."
            return Trouble("alarm", "ALARM_ACTIVE", message)
        return None

    def _unanswered(self, run: HookRun) -> Trouble | None:
        if run.problem:
            return Trouble("failure", "INVALID_LAMBDA_FUNCTION", run.problem)
        if run.status == "Failed":
            return Trouble("failure", "HOOK_EXECUTION_FAILURE", _HOOK_FAILED)
        if run.status is None and self._world.clock.monotonic() >= run.expires:
            return Trouble("failure", "HOOK_EXECUTION_FAILURE", _SILENT)
        return None

    def _record(self, deployment: Deployment, before: Position, after: Position) -> None:
        """Write down what a transition means for the lifecycle events. The lock must be held."""
        now = self._world.clock.now()
        deployment.started_at = deployment.started_at or now
        current = deployment.events.get(before.phase)
        if current and (after.phase != before.phase or after.outcome):
            current.status, current.ended_at = "Failed" if after.trouble else "Succeeded", now
            current.message = after.trouble.message if after.trouble else ""
        entered = deployment.events.get(after.phase)
        if entered and after.phase != before.phase:
            entered.status, entered.started_at = "InProgress", now
            self._call_hook(deployment, after.phase)
        if after.outcome:
            deployment.completed_at = now
            if after.back and after.outcome == "Succeeded":
                self._record_way_back(deployment)
            for record in deployment.events.values():
                if record.status == "Pending":
                    record.status = "Skipped"

    def _record_way_back(self, deployment: Deployment) -> None:
        """A rollback has rerouted traffic and done nothing else of what the events name."""
        for name in ("AllowTestTraffic", "AllowTraffic"):
            record = deployment.events.get(name)
            if record:
                record.status = "Succeeded"
                record.started_at, record.ended_at = deployment.started_at, deployment.completed_at

    def _call_hook(self, deployment: Deployment, event: str) -> None:
        function = deployment.spec.hooks.get(event) if deployment.spec else None
        if function is None:
            return
        clock = self._world.clock
        expires = clock.monotonic() + clock.scaled(CALLBACK_SECONDS, at_least=LEAST_CALLBACK)
        run = HookRun(secrets.token_urlsafe(32), event, function, expires)
        deployment.hooks.append(run)
        told = json.dumps({"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": run.id}).encode()
        threading.Thread(target=self._ask, args=(run, told), name=f"hook-{event}", daemon=True).start()

    def _ask(self, run: HookRun, payload: bytes) -> None:
        """Call a function; what counts is what it puts, not what it returns. The thread's body."""
        try:
            self._world.invoke(run.function, payload)
        except LookupError as error:
            with self._world.lock:
                run.problem = f"The hook {run.event} could not be invoked: {error.args[0]}"
        self._world.wake.set()

    def _carry_out(self, deployment: Deployment) -> None:
        """Bring ECS and listeners to what is meant. Without the lock: they answer when they have taken it up."""
        try:
            self._install(deployment)
            self._shift(deployment)
            self._promote_and_retire(deployment)
        except ProxyError as error:
            deployment.broken = Trouble("failure", "INTERNAL_ERROR", f"The load balancer's proxy failed: {error}")
        except ApiError as error:
            deployment.broken = Trouble(
                "failure",
                "ECS_UPDATE_ERROR",
                f"The ECS service cannot be updated due to the following error: {error.message}",
            )

    def _install(self, deployment: Deployment) -> None:
        spec, way = deployment.spec, deployment.route
        if spec is None or deployment.green or not deployment.position.installed or deployment.broken:
            return
        # Targets are only checked in a group that a listener forwards to, be it with the weight 0.
        for listeners, percent in ((way.production, deployment.production), (way.test, deployment.test)):
            deployment.broken = deployment.broken or route.shift(self._world.listeners, way, listeners, percent)
        if deployment.broken:
            return
        deployment.green = self._world.task_sets.create(
            deployment.cluster,
            deployment.service,
            TaskSetOrder(
                definition=spec.definition,
                container=spec.container,
                port=spec.port,
                target_group=way.green,
                external_id=deployment.id,
                platform_version=spec.platform_version,
                network=spec.network,
                capacity_providers=spec.capacity_providers,
            ),
        )

    def _shift(self, deployment: Deployment) -> None:
        way, meant = deployment.route, deployment.position
        for listeners, percent, taken in (
            (way.production, meant.production, deployment.production),
            (way.test, meant.test, deployment.test),
        ):
            if percent != taken and not deployment.broken:
                deployment.broken = route.shift(self._world.listeners, way, listeners, percent)
        if not deployment.broken:
            with self._world.lock:
                deployment.production, deployment.test = meant.production, meant.test

    def _promote_and_retire(self, deployment: Deployment) -> None:
        if deployment.broken:
            return
        sets, position = self._world.task_sets, deployment.position
        place = (deployment.cluster, deployment.service)
        if position.phase == "Queued" and not (position.production or position.test):
            for each in sets.look(*place).sets[1:]:
                sets.delete(*place, each.id)
        if position.promoted and deployment.green:
            sets.make_primary(*place, deployment.green)
        elif position.back and not position.production:
            sets.make_primary(*place, deployment.blue)
        if deployment.green and not position.green_wanted:
            sets.delete(*place, deployment.green)
        if not position.blue_wanted:
            sets.delete(*place, deployment.blue)

    def _conclude(self, deployment: Deployment) -> None:
        """Remember what is released now, or roll back what is not. The lock must be held."""
        position = deployment.position
        if position.outcome == "Succeeded" and not position.back:
            deployment.group.succeeded = deployment
        elif _rolls_back(deployment):
            begin_rollback(self._world, self._store, deployment)
            self._world.wake.set()


def _rolls_back(deployment: Deployment) -> bool:
    trouble = deployment.position.trouble
    if trouble is None or deployment.position.back:
        return False
    if trouble.kind == "request" and deployment.stop_rolls_back is not None:
        return deployment.stop_rolls_back
    configuration = deployment.settings.get("autoRollbackConfiguration") or {}
    return bool(configuration.get("enabled")) and _ROLLBACK[trouble.kind] in (configuration.get("events") or ())


def _fleet(view: TaskSetView | None) -> Fleet:
    return Fleet(view.healthy, view.alive) if view else Fleet()
