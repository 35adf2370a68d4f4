"""The sentence at the end of a rehearsal. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.rehearsal.timeline import ReleaseSpan, Timeline, Window


#: Milliseconds of the 99th percentile from which the verdict speaks of slowness. A user's flow of thought is
#: interrupted at one second (Nielsen, "Response Times: The 3 Important Limits").
SLOW = 1000.0


@dataclass(frozen=True)
class Verdict:
    """Whether the release may go to production, in one sentence, and what spoke against it."""

    ready: bool
    sentence: str
    against: tuple[str, ...]


def judge(timeline: Timeline, time_scale: float, compressed: str = "") -> Verdict:
    """Return the verdict: ready when every release ended as meant and no request failed.

    ``compressed`` says what the time scale made of the waits that the strategy sets.
    """
    against = [
        reason
        for release, window in zip(timeline.releases, timeline.windows, strict=True)
        for reason in _against(release, window)
    ]
    outside = timeline.failed - sum(window.failed for window in timeline.windows)
    if outside:
        against.append(f"{_count(outside, 'request')} failed while nothing was being released")
    told = "; ".join(
        _told(release, window) for release, window in zip(timeline.releases, timeline.windows, strict=True)
    )
    remarks = _slowness(timeline)
    if time_scale != 1:
        waits = f": {compressed}" if compressed else ""
        remarks += f" AWS's own waits ran {1 / time_scale:.3g} times faster than on AWS{waits}."
    if against:
        sentence = f"Not ready: {'; '.join(against)}.{remarks}"
    else:
        sentence = f"Ready: {timeline.requests:,} requests, 0 failed. {told[:1].upper()}{told[1:]}.{remarks}"
    return Verdict(not against, sentence, tuple(against))


def _against(release: ReleaseSpan, window: Window) -> list[str]:
    reasons = []
    if release.outcome != release.expected:
        cause = f" ({release.cause})" if release.cause else ""
        reasons.append(f"{release.title} was {release.outcome}, not {release.expected}{cause}")
    if window.failed:
        errors = ", ".join(f"{count} x {error}" for error, count in list(window.errors.items())[:3])
        reasons.append(
            f"{_count(window.failed, 'request')} of {window.requests:,} failed during {release.title}: {errors}"
        )
    return reasons


def _slowness(timeline: Timeline) -> str:
    """Return a remark where answers came so late that users would have gone; on a small machine it may be the cause."""
    slowest = max((client.latency.p99 for client in timeline.clients.values() if client.latency), default=0.0)
    if slowest < SLOW:
        return ""
    return (
        f" Slow: one answer in a hundred took {slowest / 1000:.1f} s or more; a lower --rate tells the machine's part."
    )


def _told(release: ReleaseSpan, window: Window) -> str:
    seconds = release.end - release.start
    return f"{release.title} was {release.outcome} in {seconds:.1f} s under {window.requests:,} requests"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
