"""The steps of a plan, one after the other, and the way back when one fails.

The algorithm: do each step; when one fails or a person turns back, take every service that was told to change back
to the revision it had, and the site to the build it had; write down how it ended. The old version serves everywhere
afterwards, or a person is told exactly where it does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.aws.errors import PASSING
from seatrial.errors import NeedsHuman, SeatrialError
from seatrial.release.causes import causes
from seatrial.release.evidence import details
from seatrial.release.interrupt import Choice
from seatrial.release.lost import how_to_go_on, left_behind
from seatrial.release.outcome import Outcome, Result, SiteOutcome, StepTiming
from seatrial.release.record import Record
from seatrial.release.steps import Keep, Plan, Step, Verify
from seatrial.release.stops import Refused, StepFailed, Stop, TurnedBack, Unwatched
from seatrial.release.undo import take_back
from seatrial.release.watch import StepFinished, StepStarted

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.release.actions import Actions
    from seatrial.release.context import Context
    from seatrial.release.facts import Facts
    from seatrial.release.lock import Lock
    from seatrial.release.progress import Progress
    from seatrial.release.record import Ending, Records


@dataclass
class Execution:
    """One run of a plan. The lock is held by whoever calls :meth:`run`."""

    plan: Plan
    facts: Facts
    actions: Actions
    progress: Progress
    context: Context
    records: Records
    lock: Lock
    started_at: datetime
    timings: list[StepTiming] = field(default_factory=list)

    def run(self) -> Outcome:
        """Do the plan and return how it ended.

        Raises :class:`~seatrial.errors.SeatrialError` as it came if it came before anything was done: the request is
        wrong, and there is nothing to record.
        """
        try:
            for index, step in enumerate(self.plan.steps, start=1):
                self._ready(step)
                self._do(step, index)
        except Stop as stop:
            return self._stopped(stop)
        except KeyboardInterrupt:
            return self._stopped(TurnedBack("interrupted"))
        except NeedsHuman as error:  # somebody else has the lock, or all is done but the record: hands off
            return self._outcome("needs_human", error.message, hint=error.hint)
        except SeatrialError as error:
            if self.progress.record is None:
                raise
            if isinstance(error, PASSING) and not self._answers():
                return self._lost(error)
            return self._stopped(StepFailed(error.message), hint=error.hint, said=error.details)
        return self._outcome("released", f"{self.progress.version} is serving")

    def _ready(self, step: Step) -> None:
        """Number the release before the first step that changes something; see that the lock is still ours."""
        if isinstance(step, Verify):
            return
        choice = self.context.interrupt.poll()
        if choice is Choice.ROLL_BACK:
            raise TurnedBack(f"interrupted before: {step.title}")
        if choice is Choice.STOP_WATCHING:
            raise Unwatched(f"stopped before: {step.title}")
        self.lock.check()
        if self.progress.record is None:
            self.progress.record = self.records.open(self._record())

    def _do(self, step: Step, index: int) -> None:
        clock = self.context.clock
        begin = clock.monotonic()
        self.context.emit(StepStarted(clock.now(), step.title, index, len(self.plan.steps)))
        ok, result = False, ""
        try:
            result = self._keep() if isinstance(step, Keep) else self.actions.do(step)
            ok = True
        except Stop as stop:
            result = stop.message
            raise
        except SeatrialError as error:
            result = error.message
            raise
        finally:
            seconds = clock.monotonic() - begin
            self.timings.append(StepTiming(step.title, step.kind, seconds, ok, result))
            self.context.emit(StepFinished(clock.now(), step.title, index, ok, seconds, result))

    def _keep(self) -> str:
        """Write the release down. Without that it stands all the same: nobody is taken back for bookkeeping."""
        try:
            self._close("released", "")
        except SeatrialError as error:
            raise NeedsHuman(
                f"{self.progress.version} is serving, but that could not be recorded: {error.message}",
                hint="releasing the same again records it and changes nothing else",
            ) from error
        return f"release {self.progress.record.number}" if self.progress.record else ""

    def _stopped(self, stop: Stop, *, hint: str | None = None, said: tuple[str, ...] = ()) -> Outcome:
        """Go back, unless a person wanted ECS to go on, and say how it is now. ``said`` are lines of what failed."""
        if isinstance(stop, Unwatched):
            return self._outcome("unwatched", stop.message, hint=self._how_to_watch())
        if isinstance(stop, Refused):
            return self._outcome("refused", stop.message, stop, stop.details, stop.hint)
        problems = self._taken_back()
        found = stop.evidence if isinstance(stop, StepFailed) else None
        known = causes(found) if found is not None else ()
        why = f"{stop.message.rstrip('.')}: {known[0].text}" if known else stop.message.rstrip(".")
        if problems:
            lock = "" if self._answers() else f"; {self._held}"
            return self._outcome(
                "needs_human", f"{why}; and it could not be taken back{lock}", stop, (*problems, *said), hint
            )
        return self._outcome("rolled_back", f"{why}; {self._serving()}", stop, said, hint)

    def _taken_back(self) -> list[str]:
        """Go back in the opposite order, and return what did not work.

        A new page may ask for what only new services know: it goes before them, and comes after them.
        """
        site = self.progress.publication
        if site is None:
            return take_back(self.progress.rollouts, self.context)
        if site.after_services:
            return [*site.take_back(), *take_back(self.progress.rollouts, self.context)]
        return [*take_back(self.progress.rollouts, self.context), *site.take_back()]

    def _answers(self) -> bool:
        """Whether AWS can be asked after all: then what failed can be taken back like any other failure."""
        try:
            self.lock.holder()
        except SeatrialError:
            return False
        return True

    def _lost(self, error: SeatrialError) -> Outcome:
        """Say what is left to itself. Nobody can take anything back, or even know how it is, without AWS."""
        left = left_behind(self.progress.rollouts, self.progress.publication)
        hint = how_to_go_on(error, self.plan.environment)
        return self._outcome("needs_human", f"{error.message}; {left}; {self._held}", hint=hint)

    @property
    def _held(self) -> str:
        return f"the release lock is still held by this release ({self.lock.process})"

    def _outcome(
        self,
        result: Result,
        message: str,
        stop: Stop | None = None,
        problems: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> Outcome:
        found = stop.evidence if isinstance(stop, StepFailed) else None
        if result != "released":
            problems += self._closed(result, message)
        return Outcome(
            environment=self.plan.environment,
            result=result,
            version=self.progress.version,
            digest=self.progress.digest,
            number=self.progress.record.number if self.progress.record else None,
            started_at=self.started_at,
            duration_s=(self.context.clock.now() - self.started_at).total_seconds(),
            message=message,
            hint=hint,
            revisions=self.progress.named,
            steps=tuple(self.timings),
            failed=next((each.step for each in self.timings if not each.ok), None),
            causes=causes(found) if found is not None else (),
            details=(*problems, *(details(found) if found is not None else ()), *self._killed()),
            url=self.facts.stack.url,
            site=self._site(),
        )

    def _site(self) -> SiteOutcome | None:
        stack = self.facts.stack.site
        if stack is None or not self.progress.site:
            return None
        return SiteOutcome(self.progress.site, self.progress.site_version, stack.url)

    def _closed(self, result: Result, message: str) -> tuple[str, ...]:
        """Write the ending down. A release that failed has failed whether or not that can be written."""
        try:
            self._close(result, message)
        except SeatrialError as error:
            return (f"the record of the release cannot be written: {error.message}",)
        return ()

    def _close(self, ending: Ending, note: str) -> None:
        if self.progress.record is not None:
            seconds = (self.context.clock.now() - self.started_at).total_seconds()
            self.progress.record = self._record(self.progress.record.number).ended(ending, seconds, note)
            self.records.close(self.progress.record)

    def _record(self, number: int = 0) -> Record:
        return Record(
            number=number,
            version=self.progress.version,
            digest=self.progress.digest or "",
            revisions=self.progress.named,
            who=self.facts.caller,
            at=self.started_at,
            migrations=self.progress.migrations,
            migration_files=self.progress.migration_files,
            site=self.progress.site,
            site_version=self.progress.site_version,
        )

    def _killed(self) -> tuple[str, ...]:
        """Return a sentence for each task that had to be killed to make room, whichever way the release went."""
        return tuple(line for each in self.progress.rollouts for line in each.observer.killed)

    def _serving(self) -> str:
        """Return the end of the sentence that says what users see now."""
        if not any(service.desired for service in self.facts.services.values()):
            return "nothing was serving before, and nothing is now"
        before = f"the version before ({self.facts.serving.version})" if self.facts.serving else "the version before"
        touched = [each.change.unit for each in self.progress.rollouts]
        return f"{before} is serving{'' if touched else ', no service was touched'}"

    def _how_to_watch(self) -> str:
        environment, digest = self.plan.environment, self.progress.digest
        finish = f"; `seatrial deploy {environment} --image {digest}` does the rest" if digest else ""
        return f"`seatrial status {environment}` shows how it goes on{finish}"
