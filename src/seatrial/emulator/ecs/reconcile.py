"""The service scheduler at work: looks at what there is, asks :mod:`schedule` what to do, and does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.ecs import deployments, events
from seatrial.emulator.ecs.breaker import CONSISTENTLY
from seatrial.emulator.ecs.health import UNCHECKED_SECONDS, judge
from seatrial.emulator.ecs.model import STARTING
from seatrial.emulator.ecs.rollouts import Rollouts
from seatrial.emulator.ecs.schedule import TaskView, Wanted, decide, early_enough

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.ecs.model import Deployment, Rollout, Service, ServiceDeployment, Task
    from seatrial.emulator.ecs.schedule import Decision, Phase
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.loadbalancing import TargetHealth

#: AWS's seconds between a task's failure and the start of the next: what placing and pulling take there at least.
RESTART_SECONDS, LEAST_RESTART = 5.0, 0.5
#: Least seconds of grace, and until a task that nothing checks counts as healthy: a real process neither starts nor
#: crashes any faster because the emulator's time is scaled.
LEAST_GRACE, LEAST_UNCHECKED = 10.0, 2.0
#: Seconds after which the scheduler looks again by itself, with and without something under way.
BUSY, IDLE = 1.0, 5.0


class Reconciler:
    """Brings every service one step further each time :meth:`step` is called."""

    def __init__(self, world: World, state: State, launch: Callable[[Service, Deployment, int], list[Task]]) -> None:
        """``launch`` starts so many tasks of a service's deployment and returns them."""
        self._world = world
        self._state = state
        self._launch = launch
        self._rollouts = Rollouts(world, state)
        self._next = IDLE

    def step(self) -> float:
        """Look at everything once and act. Returns the seconds after which to look again if nothing wakes us."""
        seen = self._target_health()
        self._next = IDLE
        self._watch_alarms()
        with self._world.lock:
            for task in list(self._state.tasks.values()):
                self._examine(task, seen)
            for service in list(self._state.services.values()):
                if service.status != "INACTIVE":
                    self._settle(service)
            self._state.forget(self._world.clock.monotonic())
            counts = self._counts()
        self._rollouts.shift_traffic()
        for cluster, (services, running, pending) in counts.items():
            self._world.surroundings.count(cluster, services=services, running=running, pending=pending)
        return self._next

    def _target_health(self) -> dict[Task, tuple[TargetHealth, ...]]:
        """Ask for the health of every registered target; without the lock, for the answer may wait for ours."""
        with self._world.lock:
            registered = [t for t in self._state.alive() if t.registered and t.last_status == "RUNNING"]
        health = self._world.targets.health
        return {t: tuple(health(b.target_group, t.address, b.port) for b in t.load_balancers) for t in registered}

    def _watch_alarms(self) -> None:
        """Take note of the alarms that went off under a deployment that watches them."""
        with self._world.lock:
            records = [s.current for s in self._state.services.values() if s.current and s.current.watched]
        for record in records:
            alarms = self._world.surroundings.alarms(record.watched)
            with self._world.lock:
                record.alarmed = tuple(alarm.name for alarm in alarms if alarm.state == "ALARM")
            self._look_again(BUSY)

    def _examine(self, task: Task, seen: Mapping[Task, tuple[TargetHealth, ...]]) -> None:
        """Judge one service task's health, and count its failure or its end."""
        service, deployment = task.service, task.deployment
        if service is None or deployment is None or task.settled:
            return
        if not task.alive:
            task.settled, task.healthy = True, False
            if task.started is not None and not task.ran:
                deployment.failures = deployment.failures.reached_running()
            if task.stop_code in {"EssentialContainerExited", "TaskFailedToStart"} and not task.was_healthy:
                self._count_failure(service, deployment, task)
            return
        if task.started is not None and not task.ran:
            task.ran = True
            deployment.failures = deployment.failures.reached_running()
        if task.last_status != "RUNNING" or task.started is None or task.stopping:
            task.healthy = False
            return
        if task.load_balancers and task not in seen:
            self._look_again(BUSY)  # it came to RUNNING after we asked
            return
        self._judge(service, deployment, task, seen.get(task, ()))

    def _judge(self, service: Service, deployment: Deployment, task: Task, targets: tuple[TargetHealth, ...]) -> None:
        clock = self._world.clock
        checked = any(c.definition.health_check and c.definition.essential for c in task.containers)
        running_for = clock.monotonic() - (task.started or 0.0)
        grace = clock.scaled(service.grace_seconds, at_least=LEAST_GRACE) if service.grace_seconds else 0.0
        unchecked = clock.scaled(UNCHECKED_SECONDS, at_least=LEAST_UNCHECKED)
        verdict = judge(
            checked=checked,
            container=task.health,
            targets=targets,
            running_for=running_for,
            grace=grace,
            unchecked_wait=unchecked,
        )
        for moment in (grace, unchecked):
            if moment > running_for:
                self._look_again(moment - running_for)
        if verdict.healthy and not task.was_healthy:
            deployment.failures = deployment.failures.reached_healthy(reset=service.breaker.reset_on_healthy)
            task.was_healthy = True
        if verdict.failed and not task.failed:
            self._tell_failure(service, task, targets)
            if not task.counted:
                self._count_failure(service, deployment, task)
        task.healthy, task.failed = verdict.healthy, verdict.failed

    def _tell_failure(self, service: Service, task: Task, targets: tuple[TargetHealth, ...]) -> None:
        for balancer, health in zip(task.load_balancers, targets, strict=True):
            if health.state == "unhealthy":
                reason = health.description or health.reason or "Health checks failed"
                group = balancer.target_group
                self._world.tell(service, events.unhealthy_target(service.name, task.id, balancer.port, group, reason))
                task.failed_because = f"Task failed ELB health checks in (target-group {group})"
        if task.health == "UNHEALTHY":
            self._world.tell(service, events.unhealthy_container(service.name, task.id))
            task.failed_because = "Task failed container health checks"

    def _count_failure(self, service: Service, deployment: Deployment, task: Task) -> None:
        clock = self._world.clock
        if not task.counted:
            task.counted = True
            deployment.failures = deployment.failures.failed(reached_running=task.started is not None)
        if task.alive:
            return  # it fails its health checks: its replacement does not wait
        pause = clock.scaled(RESTART_SECONDS, at_least=LEAST_RESTART)
        deployment.not_before = clock.monotonic() + max(pause, clock.scaled(deployment.failures.backoff))
        if deployment.failures.starts >= CONSISTENTLY and deployment is service.primary:
            self._world.tell(service, events.cannot_start(service.name))

    def _settle(self, service: Service) -> None:
        """Bring one service a step further."""
        if service.status == "DRAINING":
            self._drain(service)
            return
        if service.by_code_deploy:
            self._keep_task_sets(service)
            return
        primary = service.primary
        record = service.current
        if record and record.status == "PENDING":
            record.status, record.started_at = "IN_PROGRESS", self._world.clock.now()
        if record and record.deployment_id == primary.id:
            record.failures = primary.failures.count
            record.threshold = service.breaker.threshold(service.desired)
        if service.rollout:
            pause = self._rollouts.advance(service, service.rollout)
            self._look_again(IDLE if pause is None else pause)
        else:
            self._fail(service, record)
        if service.rollout:
            self._schedule_each(service, service.rollout)
        else:
            self._schedule(service)
        self._conclude(service)

    def _fail(self, service: Service, record: ServiceDeployment | None) -> None:
        """End a rolling deployment that someone stops, or that fails by breaker or alarm."""
        primary, going = service.primary, service.primary.state == "IN_PROGRESS"
        if record and record.status == "ROLLBACK_REQUESTED":
            deployments.roll_back(
                self._world, service, deployments.STOPPED_BY_USER, "ECS deployment: rolling back to deploymentId"
            )
        elif record and record.status == "STOP_REQUESTED":
            deployments.give_up(self._world, service, primary, deployments.ABORTED, deployments.ABORTED)
            deployments.close(self._world, service, "STOPPED", deployments.ABORTED)
        elif going and service.breaker.tripped(primary.failures, service.desired):
            deployments.fail(self._world, service, deployments.BREAKER, rollback=service.breaker.rollback)
        elif going and record and record.alarmed and record.rollback is None:
            rollback = bool((service.configuration.get("alarms") or {}).get("rollback"))
            deployments.fail(self._world, service, deployments.ALARM, rollback=rollback)

    def _drain(self, service: Service) -> None:
        tasks = self._state.tasks_of(service)
        going = [t for t in tasks if not t.stopping]
        for task in going:
            self._stop(task, f"Scaling activity initiated by (deployment {service.primary.id})")
        if going:
            self._world.tell(service, events.stopped(service.name, [t.id for t in going]))
        if not tasks:
            service.status = "INACTIVE"
            service.deployments.clear()

    def _schedule(self, service: Service) -> None:
        primary = service.primary
        now = self._world.clock.monotonic()
        tasks = self._state.tasks_of(service)
        placeable = primary.revision.placement.launch_type == "FARGATE"
        if not placeable and not primary.unplaced and service.desired > 0:
            primary.unplaced = True
            self._world.tell(service, events.cannot_place(service.name))
        if primary.not_before > now:
            self._look_again(primary.not_before - now)
        wanted = Wanted(
            desired=service.desired,
            minimum_percent=int(service.configuration["minimumHealthyPercent"]),
            maximum_percent=int(service.configuration["maximumPercent"]),
            may_start=now >= primary.not_before and placeable,
            frozen=primary.state == "FAILED" and service.desired > 0,
        )
        self._carry_out(service, decide(wanted, tuple(_view(t, primary) for t in tasks)), tasks)

    def _schedule_each(self, service: Service, rollout: Rollout) -> None:
        """Give each revision of a deployment by stages the tasks that it is to have now."""
        for deployment, count in self._rollouts.wanted(service, rollout).items():
            self._schedule_one(service, deployment, count)

    def _keep_task_sets(self, service: Service) -> None:
        """Give each task set its tasks, and say which are stable. One that has drained is gone."""
        for each in tuple(service.deployments):
            self._schedule_one(service, each, 0 if each.draining else service.desired)
            tasks = self._state.tasks_of(service, each)
            full = len(tasks) == service.desired and all(t.healthy and not t.failed and not t.stopping for t in tasks)
            if full and not each.draining:
                each.stable_since = each.stable_since or self._world.clock.now()
            else:
                each.stable_since = None
        service.deployments[1:] = [
            each for each in service.deployments[1:] if not each.draining or self._state.tasks_of(service, each)
        ]
        steady = len(service.deployments) == 1 and service.primary.stable_since is not None
        if steady and not service.steady:
            self._world.tell(service, events.steady(service.name))
        service.steady = steady
        if not steady:
            self._look_again(BUSY)

    def _schedule_one(self, service: Service, deployment: Deployment, count: int) -> None:
        """Give one of several revisions its tasks."""
        now = self._world.clock.monotonic()
        tasks = self._state.tasks_of(service, deployment)
        if deployment.not_before > now:
            self._look_again(deployment.not_before - now)
        wanted = Wanted(
            desired=count,
            minimum_percent=int(service.configuration["minimumHealthyPercent"]),
            maximum_percent=int(service.configuration["maximumPercent"]),
            may_start=now >= deployment.not_before and deployment.revision.placement.launch_type == "FARGATE",
            frozen=deployment.state == "FAILED" and count > 0,
        )
        decision = decide(wanted, tuple(_view(t, deployment) for t in tasks))
        self._carry_out(service, decision, tasks, deployment)

    def _carry_out(
        self, service: Service, decision: Decision, tasks: list[Task], deployment: Deployment | None = None
    ) -> None:
        primary = deployment or service.primary
        by_id = {t.id: t for t in tasks}
        stopped = []
        for task_id in decision.replace:
            self._stop(by_id[task_id], by_id[task_id].failed_because)
            stopped.append(task_id)
        for task_id in decision.stop:
            self._stop(by_id[task_id], f"Scaling activity initiated by (deployment {primary.id})")
            stopped.append(task_id)
        name = f"{service.name}, taskSet {primary.id}" if service.by_code_deploy else service.name
        if stopped:
            self._world.tell(service, events.stopped(name, stopped))
            service.steady = False  # so that the steady state is told again, as after every scaling
        if decision.start:
            begun = self._launch(service, primary, decision.start)
            self._world.tell(service, events.started(name, [t.id for t in begun], decision.replacing))
        if decision.stuck and not primary.stuck:
            self._world.tell(service, events.stuck(service.name))
        primary.stuck = decision.stuck

    def _conclude(self, service: Service) -> None:
        """Complete the deployment and tell of the steady state once everything is as desired."""
        primary = service.primary
        tasks = self._state.tasks_of(service)
        current = [t for t in tasks if t.deployment is primary and not t.stopping]
        others = [t for t in tasks if t.deployment is not primary]
        steady = len(current) == service.desired and all(t.healthy and not t.failed for t in current) and not others
        if service.rollout:
            steady = False
        elif primary.state == "IN_PROGRESS":
            if self._baked(service, steady=steady or self._early(service, current, others)):
                deployments.complete(self._world, service)
            self._look_again(BUSY)
        living = {t.deployment for t in others}
        if service.rollout:
            living |= {service.rollout.blue, service.rollout.green}
        service.deployments[1:] = [d for d in service.deployments[1:] if d in living]
        if steady and not service.steady:
            self._world.tell(service, events.steady(service.name))
        service.steady = steady
        if not steady:
            self._look_again(BUSY)

    def _early(self, service: Service, current: list[Task], others: list[Task]) -> bool:
        """Whether ``earlySuccessCriteria`` lets the deployment end before everything is steady."""
        early = service.configuration.get("earlySuccessCriteria") or {}
        rolling_back = service.current is not None and service.current.rollback is not None
        if not early.get("enable") or rolling_back:
            return False
        return early_enough(
            desired=service.desired,
            healthy=sum(t.healthy and not t.failed for t in current),
            percent=int(early["healthyPercent"]),
            others=len(others),
            deferred=early["sourceServiceRevisionCleanup"] == "DEFERRED",
        )

    def _baked(self, service: Service, *, steady: bool) -> bool:
        """Whether a rolling deployment has been well for its bake time, in which alarms still roll it back."""
        primary, record, clock = service.primary, service.current, self._world.clock
        if not steady:
            primary.ready_since = None
            return False
        if record is None or record.rollback is not None:
            return True
        minutes = service.configuration.get("bakeTimeInMinutes")
        seconds = 60.0 * int(minutes or 0)
        if minutes is None and record.watched:
            seconds = max((a.seconds for a in self._world.surroundings.alarms(record.watched)), default=0.0)
        if primary.ready_since is None:
            primary.ready_since = clock.monotonic()
        left = primary.ready_since + clock.scaled(seconds) - clock.monotonic()
        if left > 0:
            self._look_again(left)
        return left <= 0

    def _stop(self, task: Task, reason: str) -> None:
        task.end("ServiceSchedulerInitiated", reason, self._world.clock.now())
        task.healthy = False

    def _counts(self) -> dict[str, tuple[int, int, int]]:
        """Count active services, running and pending tasks of each cluster that ever had some."""
        clusters = {name for name, _ in self._state.services} | {t.cluster.name for t in self._state.tasks.values()}
        tasks = list(self._state.alive())
        return {
            name: (
                sum(s.status == "ACTIVE" for s in self._state.services.values() if s.cluster.name == name),
                sum(t.last_status == "RUNNING" for t in tasks if t.cluster.name == name),
                sum(t.last_status in STARTING for t in tasks if t.cluster.name == name),
            )
            for name in clusters
        }

    def _look_again(self, seconds: float) -> None:
        self._next = min(self._next, seconds)


def _view(task: Task, primary: Deployment) -> TaskView:
    phase: Phase = "running" if task.last_status == "RUNNING" else "starting"
    if task.stopping:
        phase = "stopping"
    return TaskView(
        id=task.id,
        current=task.deployment is primary,
        phase=phase,
        healthy=task.healthy,
        failed=task.failed,
        order=task.order,
    )
