"""Hears a release as it goes, keeps its log, and tells the hooks. Nothing that goes wrong here fails a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.errors import SeatrialError
from seatrial.release.journal.events import TOLD
from seatrial.release.watch import StepFinished

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from seatrial.aws.clock import Clock
    from seatrial.release.journal.events import Subject
    from seatrial.release.journal.hooks import Hooks
    from seatrial.release.journal.store import Store
    from seatrial.release.outcome import Outcome
    from seatrial.release.progress import Progress
    from seatrial.release.watch import ReleaseEvent


class Journal:
    """The journal of one release. It begins when the release has a number: before that, nothing was changed.

    ``note`` says a line to the person who watches.
    """

    def __init__(
        self,
        subject: Subject,
        progress: Progress,
        *,
        store: Store,
        hooks: Hooks,
        clock: Clock,
        note: Callable[[str], None],
    ) -> None:
        self._subject = subject
        self._progress = progress
        self._store = store
        self._hooks = hooks
        self._clock = clock
        self._note = note
        self._begun: datetime = clock.now()
        self._early: list[ReleaseEvent] = []
        self._documents: list[dict[str, Any]] = []
        self._keeps = True

    def hear(self, event: ReleaseEvent) -> None:
        """Take an event up."""
        if self._progress.record is None:
            self._early.append(event)
            return
        number = self._begin()
        self._add(self._subject.happened(event, number))
        if isinstance(event, StepFinished):
            self._write(number)

    def finish(self, outcome: Outcome) -> None:
        """Close the log and tell how it ended; nothing for a release that never had a number."""
        if outcome.number is None:
            return
        number = self._begin()
        self._add(self._subject.finished(outcome, self._clock.now(), number))
        self._write(number)

    def _begin(self) -> int:
        assert self._progress.record is not None
        number = self._progress.record.number
        if not self._documents:
            self._add(self._subject.started(self._begun, number))
            for event in self._early:
                self._add(self._subject.happened(event, number))
            self._write(number)
        return number

    def _add(self, document: dict[str, Any] | None) -> None:
        if document is None:
            return
        self._documents.append(document)
        if document["event"] in TOLD:
            self._hooks.tell(document)

    def _write(self, number: int) -> None:
        """Write the log, until it has failed once: a missing bucket or permission is missing the next time too."""
        if not self._keeps:
            return
        try:
            self._store.write(number, self._documents)
        except SeatrialError as error:
            self._keeps = False
            self._note(
                f"the log of this release is not kept in {self._store.bucket}: {error.message} "
                "(`seatrial infra apply` makes the bucket)"
            )
