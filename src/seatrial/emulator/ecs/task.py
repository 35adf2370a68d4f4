"""The life of one task, from PROVISIONING to STOPPED ("Amazon ECS task lifecycle", developer guide).

One thread lives it (:meth:`TaskLife.run`); one more for each container health check. Everybody else only asks for the
end with ``Task.end``.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from seatrial.emulator.ecs import events
from seatrial.emulator.ecs.dependencies import Progress, next_start, next_stop
from seatrial.emulator.ecs.environment import container_spec
from seatrial.emulator.ecs.health import ContainerHealth
from seatrial.emulator.ecs.surroundings import ResourceInitializationError
from seatrial.emulator.runtime import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.ecs.definitions import HealthCheck
    from seatrial.emulator.ecs.model import Container, Task
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.runtime import Container as Process
    from seatrial.emulator.runtime import ContainerSpec, LogSink

#: The reason of a container whose memory did not suffice ("Stopped tasks error messages", developer guide).
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
#: Seconds between two looks at a task's containers.
POLL = 0.1
#: Least seconds, whatever the time scale, of what gives a real process time to work.
LEAST_STOP, LEAST_START_PERIOD, LEAST_INTERVAL, LEAST_DRAIN = 5.0, 10.0, 1.0, 1.0


class TaskLife:
    """Lives one task."""

    def __init__(self, world: World, task: Task) -> None:
        self._world = world
        self._task = task
        self._processes: dict[str, Process] = {}
        self._probes: list[threading.Thread] = []
        self._over = threading.Event()

    def run(self) -> None:
        """Live the task to its end. The thread's body."""
        try:
            self._begin()
            while not self._task.stop.wait(POLL):
                self._collect_exits()
        except _CannotStart as failure:
            self._end("TaskFailedToStart", failure.reason)
        finally:
            self._end("TaskFailedToStart", "InternalError: the emulator failed while it ran this task")
            self._finish()

    def _begin(self) -> None:
        self._move("PENDING", "connectivityAt")
        prepared = self._prepare()
        self._pull()
        self._start_in_order(prepared)
        self._collect_exits()
        if self._task.stop.is_set():
            self._ran_shortly()
            return
        self._move("ACTIVATING")
        self._register()
        with self._world.lock:
            self._task.started = self._world.clock.monotonic()
            self._task.move("RUNNING", startedAt=self._world.clock.now())
        self._world.wake.set()

    def _ran_shortly(self) -> None:
        """Say when a task started that ended before it was seen RUNNING: how fast this machine is must not matter."""
        if len(self._processes) == len(self._task.containers):
            with self._world.lock:
                self._task.started = self._world.clock.monotonic()
                self._task.times["startedAt"] = self._task.times.get("stoppingAt", self._world.clock.now())

    def _prepare(self) -> dict[str, tuple[ContainerSpec, LogSink]]:
        """Resolve secrets and open log streams, which Fargate does before it pulls an image."""
        world, task = self._world, self._task
        prepared: dict[str, tuple[ContainerSpec, LogSink]] = {}
        for container in task.definition.containers:
            try:
                spec = container_spec(world.settings, world.surroundings, task, container)
                prepared[container.name] = (spec, world.surroundings.open_log(container, task.id))
            except ResourceInitializationError as error:
                raise _CannotStart(f"ResourceInitializationError: {error}") from error
        return prepared

    def _pull(self) -> None:
        with self._world.lock:
            self._task.times["pullStartedAt"] = self._world.clock.now()
        for container in self._task.containers:
            if self._task.stop.is_set():
                return
            try:
                self._world.runtime.pull(container.definition.image)
            except ImageError as error:
                container.reason = str(error)
                raise _CannotStart(str(error)) from error
        with self._world.lock:
            self._task.times["pullStoppedAt"] = self._world.clock.now()

    def _start_in_order(self, prepared: dict[str, tuple[ContainerSpec, LogSink]]) -> None:
        """Start every container once what it depends on is as it must be."""
        begun = self._world.clock.monotonic()
        containers = {c.definition.name: c for c in self._task.containers}
        while len(self._processes) < len(containers) and not self._task.stop.is_set():
            progress = {name: self._progress(container) for name, container in containers.items()}
            step = next_start(self._task.definition.containers, progress, self._world.clock.monotonic() - begun)
            for name, reason in step.blocked.items():
                containers[name].reason = reason
            if step.blocked:
                raise _CannotStart("Task failed to start")
            for name in step.ready:
                self._start(containers[name], *prepared[name])
            if not step.ready:
                self._task.stop.wait(POLL)
            self._collect_exits()

    def _progress(self, container: Container) -> Progress:
        return Progress(container.definition.name in self._processes, container.exit_code, container.health)

    def _start(self, container: Container, spec: ContainerSpec, log: LogSink) -> None:
        if self._task.stop.is_set():
            return
        try:
            process = self._world.runtime.start(spec, log)
        except OSError as error:
            container.reason = f"CannotStartContainerError: {error}"
            raise _CannotStart(container.reason) from error
        self._processes[spec.name] = process
        with self._world.lock:
            container.status, container.process = "RUNNING", process
            container.runtime_id = f"{self._task.id}-{process.runtime_id}"
        if container.definition.health_check:
            args = (container, process, container.definition.health_check)
            probe = threading.Thread(
                target=self._probe, args=args, name=f"health-{spec.task_id[:8]}-{spec.name}", daemon=True
            )
            self._probes.append(probe)
            probe.start()

    def _probe(self, container: Container, process: Process, check: HealthCheck) -> None:
        """Check one container's health until it or the task ends."""
        clock = self._world.clock
        begun = clock.monotonic()
        start_period = clock.scaled(check.start_period, at_least=LEAST_START_PERIOD)
        known = ContainerHealth()
        while not self._over.wait(clock.scaled(check.interval, at_least=LEAST_INTERVAL)):
            if process.poll() is not None:
                return
            ok = process.run(check.argv, check.timeout) == 0
            starting = clock.monotonic() - begun < start_period
            known = known.after(ok=ok, retries=check.retries, starting=starting)
            with self._world.lock:
                changed, container.health = container.health != known.health, known.health
            if changed:
                self._world.wake.set()

    def _collect_exits(self) -> None:
        """Take note of containers that ended by themselves; an essential one takes the task with it."""
        for container in self._task.containers:
            process = self._processes.get(container.definition.name)
            code = process.poll() if process and container.exit_code is None else None
            if code is None:
                continue
            with self._world.lock:
                self._exited(container, code)
            if container.definition.essential:
                self._end("EssentialContainerExited", "Essential container in task exited")
        if self._processes and all(c.exit_code is not None for c in self._task.containers):
            self._end("EssentialContainerExited", "Essential container in task exited")

    def _register(self) -> None:
        task = self._task
        for balancer in task.load_balancers:
            self._world.targets.register(balancer.target_group, task.address, balancer.port)
            self._tell(partial(events.registered, target_group=balancer.target_group))
        with self._world.lock:
            task.registered = bool(task.load_balancers)

    def _finish(self) -> None:
        """Deregister and drain, stop the containers, give everything back."""
        self._world.wake.set()
        if self._task.load_balancers:
            self._drain()
        self._move("STOPPING")
        self._over.set()
        self._stop_containers()
        self._move("DEPROVISIONING", "executionStoppedAt")
        for probe in self._probes:
            probe.join()
        for process in self._processes.values():
            process.close()
        with self._world.lock:
            for container in self._task.containers:
                container.status = "STOPPED"
            self._task.ended = self._world.clock.monotonic()
            self._task.move("STOPPED", stoppedAt=self._world.clock.now())
        self._world.wake.set()

    def _drain(self) -> None:
        """Take the task out of its target groups; its containers go on serving until the delay is over."""
        world, task = self._world, self._task
        if not task.registered:
            return
        self._move("DEACTIVATING")
        for balancer in task.load_balancers:
            world.targets.drain(balancer.target_group, task.address, balancer.port)
            self._tell(partial(events.deregistered, target_group=balancer.target_group))
        if task.deployment:
            self._tell(partial(events.draining, deployment=task.deployment.id))
        delay = max(world.targets.draining_seconds(b.target_group) for b in task.load_balancers)
        until = world.clock.monotonic() + world.clock.scaled(delay, at_least=LEAST_DRAIN)
        while self._serving() and (left := until - world.clock.monotonic()) > 0:
            if world.closing.wait(min(left, POLL)):
                break
            self._collect_exits()
        for balancer in task.load_balancers:
            world.targets.remove(balancer.target_group, task.address, balancer.port)

    def _stop_containers(self) -> None:
        """SIGTERM, ``stopTimeout``, SIGKILL: dependents before what they depend on, independent ones together."""
        while running := self._running():
            wave = next_stop(self._task.definition.containers, [c.definition.name for c in running])
            threads = [
                threading.Thread(target=self._stop_container, args=(container,), name=f"stop-{self._task.id[:8]}")
                for container in running
                if container.definition.name in wave
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _stop_container(self, container: Container) -> None:
        clock = self._world.clock
        timeout = clock.scaled(container.definition.stop_timeout, at_least=LEAST_STOP)
        if self._world.closing.is_set():
            timeout = min(timeout, LEAST_STOP)
        code = self._processes[container.definition.name].stop(timeout)
        with self._world.lock:
            self._exited(container, code)

    def _exited(self, container: Container, code: int) -> None:
        container.exit_code, container.status = code, "STOPPED"
        if self._processes[container.definition.name].out_of_memory:
            container.reason = OUT_OF_MEMORY

    def _running(self) -> list[Container]:
        return [c for c in self._task.containers if c.definition.name in self._processes and c.exit_code is None]

    def _serving(self) -> bool:
        """Whether all its essential containers run, so that there is something to drain."""
        return all(c.exit_code is None for c in self._task.containers if c.definition.essential)

    def _end(self, code: str, reason: str) -> None:
        with self._world.lock:
            self._task.end(code, reason, self._world.clock.now())

    def _move(self, status: str, moment: str | None = None) -> None:
        with self._world.lock:
            self._task.move(status, **({moment: self._world.clock.now()} if moment else {}))

    def _tell(self, message: Callable[[str], str]) -> None:
        if self._task.service:
            with self._world.lock:
                self._world.tell(self._task.service, message(self._task.service.name))


class _CannotStart(Exception):
    """The task fails to start; ``reason`` is its stoppedReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
