"""A release watched from outside: when each of its steps began and ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.release.watch import StepFinished, StepStarted

if TYPE_CHECKING:
    from bench.stage import Stage
    from seatrial.release import Outcome
    from seatrial.release.watch import ReleaseEvent


@dataclass(frozen=True)
class Span:
    """One step; its times are ``time.perf_counter``'s."""

    title: str
    kind: str
    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.begun


@dataclass
class Watched:
    """One release: ``begun`` and ``ended`` are those of the call, ``spans`` its steps."""

    outcome: Outcome
    begun: float
    ended: float
    spans: list[Span]

    @property
    def seconds(self) -> float:
        """How long the call took."""
        return self.ended - self.begun

    def of(self, *kinds: str) -> list[Span]:
        """Return the steps of these kinds."""
        return [span for span in self.spans if span.kind in kinds]


def released(stage: Stage) -> Watched:
    """Release the working tree and return how it went."""
    watch = _Watch()
    begun = time.perf_counter()
    outcome = stage.deploy(watch.event)
    ended = time.perf_counter()
    spans = [
        Span(step.step, step.kind, *moments)
        for step, moments in zip(outcome.steps, zip(watch.begun, watch.ended, strict=True), strict=True)
    ]
    return Watched(outcome, begun, ended, spans)


@dataclass
class _Watch:
    begun: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    def event(self, event: ReleaseEvent) -> None:
        if isinstance(event, StepStarted):
            self.begun.append(time.perf_counter())
        elif isinstance(event, StepFinished):
            self.ended.append(time.perf_counter())
