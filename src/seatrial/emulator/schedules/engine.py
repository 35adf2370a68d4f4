"""The engine: one thread that looks at the clock, fires what is due and tries again what failed."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from seatrial.emulator.schedules import reader, requests
from seatrial.emulator.schedules.delivery import after_failure
from seatrial.emulator.schedules.expressions import Rate
from seatrial.emulator.schedules.occurrences import Timing, next_time, within_window
from seatrial.emulator.schedules.requests import dead_letter, invokes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.schedules.reader import Schedule
    from seatrial.emulator.settings import EmulatorSettings

log = logging.getLogger(__name__)

#: Most seconds between two looks: the machine's clock may be set.
LONGEST_SLEEP = 1.0
#: Least seconds between two starts of a rate, whatever the time scale: a task takes real work.
LEAST_INTERVAL = 1.0
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Cursor:
    """How far a schedule has been looked at. ``version`` is what, when changed, makes it begin anew."""

    version: tuple[object, ...]
    timing: Timing
    seen: datetime


@dataclass(frozen=True)
class _Invocation:
    """One occurrence on its way to the target. ``first`` is when it is tried first, ``due`` when next."""

    schedule: Schedule
    scheduled: datetime
    first: datetime
    due: datetime
    number: str
    retries: int = 0


class SchedulesEngine:
    """Fires one emulator's schedules. ``client`` gives boto3 clients; ``read`` the schedules, moto's by default."""

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        client: Callable[[str], Any],
        *,
        read: Callable[[], Iterable[Schedule]] | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._read = read or (lambda: reader.read(settings.account, settings.region))
        self._cursors: dict[str, _Cursor] = {}
        self._waiting: list[_Invocation] = []
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="schedules", daemon=True)

    def install(self) -> None:
        """Put the checks in front of moto's actions."""
        reader.install(self._settings.account, self._settings.region, self._wake.set)

    def start(self) -> None:
        """Begin to fire."""
        self._thread.start()

    def stop(self) -> None:
        """Fire nothing more."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def not_invoked(self) -> list[str]:
        """Return a line for each schedule whose target nothing here invokes."""
        return [
            f"{each.name} (schedule of {each.target['Arn']}) fires and invokes nothing"
            for each in self._read()
            if not invokes(each.target)
        ]

    def step(self) -> float:
        """Do what is due now; return how many seconds may pass until the next look."""
        now = self._clock.now()
        schedules = list(self._read())
        for gone in self._cursors.keys() - {each.arn for each in schedules}:
            del self._cursors[gone]
        for schedule in schedules:
            self._collect(schedule, now)
        due = [each for each in self._waiting if each.due <= now]
        self._waiting = [each for each in self._waiting if each.due > now]
        for invocation in sorted(due, key=lambda each: each.due):
            self._deliver(invocation)
        return self._until_next(now)

    def _collect(self, schedule: Schedule, now: datetime) -> None:
        """Put the occurrences since the last look among what waits; what was missed while disabled stays missed."""
        cursor = self._cursor(schedule, now)
        found = next_time(cursor.timing, cursor.seen, self._every(schedule))
        self._cursors[schedule.arn] = replace(cursor, seen=now)
        fired = False
        while found is not None and found <= now:
            if schedule.enabled:
                self._waiting.append(self._invocation(schedule, found))
                fired = True
            found = next_time(cursor.timing, found, self._every(schedule))
        if fired and found is None and schedule.delete_when_done:
            self._client("scheduler").delete_schedule(Name=schedule.name, GroupName=schedule.group)

    def _cursor(self, schedule: Schedule, now: datetime) -> _Cursor:
        version = (schedule.created, schedule.text, schedule.zone.key, schedule.start)
        known = self._cursors.get(schedule.arn)
        if known is None or known.version != version:
            timing = Timing(schedule.expression, schedule.zone, now, schedule.start, schedule.end)
            return _Cursor(version, timing, now - _MOMENT)
        return replace(known, timing=replace(known.timing, end=schedule.end))

    def _invocation(self, schedule: Schedule, moment: datetime) -> _Invocation:
        window = timedelta(seconds=self._clock.scaled(schedule.window.total_seconds()))
        due = within_window(moment, window, schedule.arn)
        return _Invocation(schedule, moment, due, due, uuid4().hex[:16])

    def _every(self, schedule: Schedule) -> timedelta | None:
        if not isinstance(schedule.expression, Rate):
            return None
        return timedelta(seconds=self._clock.scaled(schedule.expression.every.total_seconds(), at_least=LEAST_INTERVAL))

    def _deliver(self, invocation: _Invocation) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        schedule, target = invocation.schedule, invocation.schedule.target
        if not invokes(target):
            log.warning("%s fired; the emulator invokes no %s", schedule.name, target["Arn"])
            return
        payload: dict[str, Any] = {}
        try:
            call = requests.invocation(schedule.name, target)
            payload = call.parameters
            answer = getattr(self._client(call.service), call.operation)(**payload)
        except ClientError as error:
            failed = error.response.get("Error", {})
            self._failed(invocation, payload, str(failed.get("Code")), str(failed.get("Message")))
        except (BotoCoreError, ValueError) as error:
            self._failed(invocation, payload, type(error).__name__, str(error))
        else:
            tasks = ", ".join(task["taskArn"] for task in answer.get("tasks", ()))
            log.info("%s fired: %s", schedule.name, tasks or answer.get("failures") or target["Arn"])

    def _failed(self, invocation: _Invocation, payload: dict[str, Any], code: str, message: str) -> None:
        schedule = invocation.schedule
        now = self._clock.now()
        age = (now - invocation.first).total_seconds() / self._clock.scaled(1.0)
        verdict = after_failure(schedule.policy, invocation.retries, age)
        if verdict.exhausted is None and verdict.pause is not None:
            log.info("%s: %s: %s; trying again", schedule.name, code, message)
            due = now + timedelta(seconds=self._clock.scaled(verdict.pause))
            self._waiting.append(replace(invocation, due=due, retries=invocation.retries + 1))
            return
        log.warning("%s is given up (%s): %s: %s", schedule.name, verdict.exhausted, code, message)
        queue = (schedule.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue and verdict.exhausted is not None:
            letter = dead_letter(
                schedule.arn,
                schedule.target,
                payload,
                scheduled=invocation.scheduled,
                invocation=invocation.number,
                retries=invocation.retries,
                code=code,
                message=message,
                exhausted=verdict.exhausted,
            )
            self._send(schedule, queue, letter)

    def _send(self, schedule: Schedule, queue: str, letter: dict[str, Any]) -> None:
        from botocore.exceptions import ClientError

        sqs = self._client("sqs")
        try:
            url = sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
            sqs.send_message(QueueUrl=url, **letter)
        except ClientError as error:
            log.warning("%s: its dead-letter queue %s takes nothing: %s", schedule.name, queue, error)

    def _until_next(self, now: datetime) -> float:
        times = [each.due for each in self._waiting]
        for schedule in self._read():
            cursor = self._cursors.get(schedule.arn)
            found = cursor and next_time(cursor.timing, cursor.seen, self._every(schedule))
            times += [found] if found else []
        wait = min(((each - now).total_seconds() for each in times), default=LONGEST_SLEEP)
        return min(max(wait, 0.0), LONGEST_SLEEP)

    def _loop(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                pause = self.step()
            except Exception:  # the edge of the thread: one bad schedule must not keep the others from firing
                log.exception("a look at the schedules failed")
                pause = LONGEST_SLEEP
            self._wake.wait(pause)
