"""Which targets are registered, how healthy each is, and the probes that find out.

The registry is the emulator's only truth about targets: RegisterTargets, DeregisterTargets and DescribeTargetHealth
speak to it, the ECS engine through :class:`seatrial.emulator.loadbalancing.Targets`, and the proxy's model is made of
it. Targets are told apart by address *and* port.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import health
from seatrial.emulator.loadbalancing.model import Backend
from seatrial.emulator.loadbalancing.probe import probe
from seatrial.emulator.loadbalancing.proxy import ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.loadbalancing import TargetHealth, TargetState
    from seatrial.emulator.loadbalancing.health import Failure
    from seatrial.emulator.loadbalancing.snapshot import GroupState, Snapshot

#: ALB's default of ``deregistration_delay.timeout_seconds``.
DEREGISTRATION_DELAY = 300
#: Seconds between two probes of a target, however time is scaled.
SHORTEST_INTERVAL = 0.05
#: Seconds that a request has at the least to be done with after its target was deregistered: it is no shorter where
#: time is.
LEAST_UNTIL_CUT = 10.0

_log = logging.getLogger(__name__)


class _Target:
    """A registered target; a new one each time that it is registered, so that a late probe finds itself replaced."""

    def __init__(self) -> None:
        self.record = health.Record()
        self.draining = False
        self.cut_at = 0.0  # by the monotonic clock, once it is draining
        self.watch: asyncio.Task[None] | None = None


class TargetRegistry:
    """See :class:`seatrial.emulator.loadbalancing.Targets`.

    ``read`` gives the API's state at any time; ``publish`` makes the proxy take up what the registry says now and
    returns when it has; ``sever`` makes it cut its connections to a target.
    """

    def __init__(
        self,
        clock: Clock,
        read: Callable[[], Snapshot],
        publish: Callable[[], None],
        sever: Callable[[Backend], None],
    ) -> None:
        self._clock = clock
        self._read = read
        self._publish = publish
        self._sever = sever
        self._lock = threading.Lock()
        self._targets: dict[str, dict[Backend, _Target]] = {}
        self._subscribers: list[Callable[[], None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="health checks", daemon=True)
        self._attachment = asyncio.Event()

    def start(self) -> None:
        """Begin to probe."""
        self._thread.start()

    def stop(self) -> None:
        """End every probe and timer."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called after each change of a target's health, once the proxy has taken it up."""
        self._subscribers.append(callback)

    def register(self, target_group: str, address: str, port: int) -> None:
        """See :meth:`Targets.register`. A target that is registered already stays as it is, unless it is draining.

        One that is no IP address (an instance, a function) is a record: ``unused``, and never probed.
        """
        backend, target = Backend(address, port), _Target()
        with self._lock:
            group = self._targets.setdefault(target_group, {})
            before = group.get(backend)
            if before is not None and not before.draining:
                return
            group[backend] = target
        self._publish()
        if backend.is_address:
            self._call(self._begin(target_group, backend, target))

    def drain(self, target_group: str, address: str, port: int) -> None:
        """See :meth:`Targets.drain`. The target is forgotten by itself after the group's deregistration delay."""
        backend = Backend(address, port)
        delay = self._clock.scaled(self.draining_seconds(target_group), at_least=LEAST_UNTIL_CUT)
        with self._lock:
            target = self._targets.get(target_group, {}).get(backend)
            if target is None or target.draining:
                return
            target.draining, target.cut_at = True, self._clock.monotonic() + delay
        if not self.is_attached(target_group):  # nothing can be under way: ELB does not wait
            self._forget(target_group, backend, target)
            return
        self._publish()
        self._call(self._forget_later(target_group, backend, target))
        self._notify()

    def remove(self, target_group: str, address: str, port: int) -> None:
        """See :meth:`Targets.remove`."""
        backend = Backend(address, port)
        with self._lock:
            target = self._targets.get(target_group, {}).get(backend)
        if target is not None:
            self._forget(target_group, backend, target)

    def health(self, target_group: str, address: str, port: int) -> TargetHealth:
        """See :meth:`Targets.health`."""
        return self._health(target_group, Backend(address, port), attached=self.is_attached(target_group))

    def draining_seconds(self, target_group: str) -> float:
        """See :meth:`Targets.draining_seconds`."""
        group = self._read().groups.get(target_group)
        attributes = group.attributes if group else {}
        return float(attributes.get("deregistration_delay.timeout_seconds", DEREGISTRATION_DELAY))

    def is_attached(self, target_group: str) -> bool:
        """See :meth:`Targets.is_attached`."""
        return target_group in self._read().attached()

    def registered(self, target_group: str) -> tuple[Backend, ...]:
        """Return the targets of a group, the draining ones too, in the order of their registration."""
        with self._lock:
            return tuple(self._targets.get(target_group, {}))

    def states(self, snapshot: Snapshot) -> dict[str, dict[Backend, TargetState]]:
        """Return the state of each target of each group, for the proxy's model."""
        attached = snapshot.attached()
        with self._lock:
            groups = {arn: tuple(targets) for arn, targets in self._targets.items()}
        return {
            arn: {each: self._health(arn, each, attached=arn in attached).state for each in targets}
            for arn, targets in groups.items()
        }

    def listeners_changed(self) -> None:
        """Probe targets whose group has just come into use; to be called after each change of listeners or rules."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _health(self, target_group: str, backend: Backend, *, attached: bool) -> TargetHealth:
        with self._lock:
            target = self._targets.get(target_group, {}).get(backend)
            if target is None:
                return health.NOT_REGISTERED
            if target.draining:
                return health.DRAINING
            if not backend.is_address:
                return health.NO_ADDRESS
            return target.record.health if attached else health.NOT_IN_USE

    def _forget(self, target_group: str, backend: Backend, target: _Target) -> None:
        with self._lock:
            group = self._targets.get(target_group, {})
            if group.get(backend) is not target:
                return
            del group[backend]
        self._call(self._end(target))
        self._publish()
        if target.draining:
            left = target.cut_at - self._clock.monotonic()
            if left > 0:
                self._call(self._cut_later(backend, left))
            else:
                self._cut(backend)
        self._notify()

    def _cut(self, backend: Backend) -> None:
        """Cut what is still open to a target that is gone, unless another one has its address by now.

        That a request is still handled when the deregistration delay is over is a cause of HTTP 502 (ALB user guide,
        troubleshooting).
        """
        with self._lock:
            if any(backend in targets for targets in self._targets.values()):
                return
        try:
            self._sever(backend)
        except ProxyError:
            _log.exception("what is open to %s stays open", backend)

    def _notify(self) -> None:
        for callback in self._subscribers:
            callback()

    # What follows runs on the event loop's thread; what blocks is handed to others.

    def _call(self, work: Coroutine[None, None, None]) -> None:
        if self._loop.is_closed():  # the emulator is stopping: there is nothing left to probe
            work.close()
        else:
            asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wake(self) -> None:
        self._attachment.set()
        self._attachment = asyncio.Event()

    async def _begin(self, target_group: str, backend: Backend, target: _Target) -> None:
        target.watch = asyncio.create_task(self._watch(target_group, backend, target))

    async def _end(self, target: _Target) -> None:
        if target.watch is not None:
            target.watch.cancel()

    async def _finish(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    async def _forget_later(self, target_group: str, backend: Backend, target: _Target) -> None:
        await self._end(target)
        await asyncio.sleep(self._clock.scaled(self.draining_seconds(target_group)))
        await asyncio.to_thread(self._forget, target_group, backend, target)

    async def _cut_later(self, backend: Backend, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._cut, backend)

    async def _watch(self, target_group: str, backend: Backend, target: _Target) -> None:
        while True:
            changed = self._attachment
            group = self._in_use(target_group)
            if group is None:
                await changed.wait()
                continue
            due = self._loop.time() + self._clock.scaled(group.health_check.interval)
            failure = await probe(backend, group.health_check)
            await self._observe(target, failure, group)
            await asyncio.sleep(max(due - self._loop.time(), SHORTEST_INTERVAL))

    def _in_use(self, target_group: str) -> GroupState | None:
        snapshot = self._read()
        return snapshot.groups.get(target_group) if target_group in snapshot.attached() else None

    async def _observe(self, target: _Target, failure: Failure | None, group: GroupState) -> None:
        with self._lock:
            before, target.record = target.record, health.observe(target.record, failure, group.health_check)
        if target.record.health == before.health or target.draining:
            return
        try:
            await asyncio.to_thread(self._tell)
        except Exception:  # noqa: BLE001  # probing goes on whatever subscribers make of the news; it is written down
            _log.exception("a change of target health in %s could not be passed on", group.name)

    def _tell(self) -> None:
        self._publish()
        self._notify()
