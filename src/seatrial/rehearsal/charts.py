"""The report's pictures as SVG text, all on one time axis. Pure; colours are CSS variables of the page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from seatrial.rehearsal.timeline import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.rehearsal.timeline import ReleaseSpan, TaskSpan, Timeline

WIDTH, LEFT, RIGHT = 1000, 150, 12
#: Height of a line of bars, the space below it included.
ROW = 18
#: Width of a letter of a note: a capital one, in the larger type of pictures that stand alone.
_LETTER = 8.0


@dataclass(frozen=True)
class Axis:
    """Seconds to pixels. ``begin`` is not above 0: tasks may be older than the load."""

    begin: float
    end: float

    def x(self, at: float) -> float:
        """Return the horizontal place of a time, kept inside the picture."""
        inside = min(max(at, self.begin), self.end)
        return round(LEFT + (inside - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> list[float]:
        """Return round times, about ten of them."""
        span = self.end - self.begin
        step = next((step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600) if span / step <= 12), 1800)
        return [float(at) for at in range(0, int(self.end) + 1, step)]


def axis_of(timeline: Timeline) -> Axis:
    """Return the axis that all pictures of a report share."""
    return Axis(min([0.0, *(release.start for release in timeline.releases)]), max(timeline.seconds, 0.1))


def colour(timeline: Timeline, version: str) -> str:
    """Return the CSS colour of a version: the same in every picture."""
    if version not in timeline.versions:
        return "var(--none)"
    return f"var(--v{timeline.versions.index(version) % 4})"


def tasks(timeline: Timeline, axis: Axis) -> str:
    """Return the life of every task: pale while it starts, full while it runs, striped while it stops."""
    shown = [task for task in timeline.tasks if task.stopped is None or task.stopped > axis.begin]
    parts, top, unit = [], 6, None
    for task in shown:
        if unit is not None and task.unit != unit:
            top += 8
        label = f'<text class="label" x="0" y="{top + 12}">{escape(task.unit)}</text>' if task.unit != unit else ""
        parts.append(label + _task_bar(timeline, axis, task, top))
        unit, top = task.unit, top + ROW
    return picture(timeline, axis, parts, top + 4, "Tasks of all versions over time")


def traffic(timeline: Timeline, axis: Axis) -> str:
    """Return the answers per second of each version, stacked."""
    height, bottom = 150, 140
    most = max((sum(bucket.answers.values()) for bucket in timeline.buckets), default=1) or 1
    parts = [scale(f"{most / timeline.width:.0f}/s", 14), scale("0", bottom)]
    for bucket in timeline.buckets:
        x, wide = axis.x(bucket.start), axis.x(bucket.start + timeline.width) - axis.x(bucket.start)
        y = float(bottom)
        for version in (*timeline.versions, NOBODY):
            count = bucket.answers.get(version, 0)
            if count:
                tall = count / most * (bottom - 10)
                y -= tall
                title = f"{count / timeline.width:.0f}/s from {version} at {bucket.start:.1f} s"
                parts.append(box(x, y, wide, tall, colour(timeline, version), title))
    return picture(timeline, axis, parts, height, "Answers per second of each version")


def latency(timeline: Timeline, axis: Axis) -> str:
    """Return median and 99th percentile over time, and a mark wherever requests failed."""
    height, bottom = 150, 130
    highest = max((bucket.latency.p99 for bucket in timeline.buckets if bucket.latency), default=1.0) or 1.0
    parts = [scale(f"{highest:.0f} ms", 14), scale("0", bottom)]
    for name in ("p99", "p50"):
        points = " ".join(
            f"{axis.x(bucket.start + timeline.width / 2)},"
            f"{bottom - getattr(bucket.latency, name) / highest * (bottom - 10):.1f}"
            for bucket in timeline.buckets
            if bucket.latency
        )
        parts.append(f'<polyline class="{name}" points="{points}"><title>{name}</title></polyline>')
    for bucket in timeline.buckets:
        if bucket.failed:
            x = axis.x(bucket.start + timeline.width / 2)
            title = f"{bucket.failed} failed at {bucket.start:.1f} s"
            parts.append(f'<circle class="failed" cx="{x}" cy="{bottom + 10}" r="4"><title>{title}</title></circle>')
    return picture(timeline, axis, parts, height, "Latency and failed requests over time")


def steps(timeline: Timeline, axis: Axis) -> str:
    """Return what each release did, step by step."""
    parts, top = [], 6
    for release in timeline.releases:
        parts.append(f'<text class="label" x="0" y="{top + 12}">{escape(cut(release.title))}</text>')
        for step in release.steps:
            fill = "var(--bad)" if step.failed else colour(timeline, release.version)
            x, wide = axis.x(step.start), max(2.0, axis.x(step.end) - axis.x(step.start))
            parts.append(box(x, top, wide, ROW - 5, fill, f"{step.name}: {step.end - step.start:.1f} s"))
            parts.append(note_beside(x, wide, top + 11, f"{step.name} {step.end - step.start:.1f} s"))
            top += ROW
        top += 8
    return picture(timeline, axis, parts, top + 4, "Steps of each release")


def _task_bar(timeline: Timeline, axis: Axis, task: TaskSpan, top: float) -> str:
    end = timeline.seconds if task.stopped is None else task.stopped
    running = end if task.running is None else task.running
    stopping = end if task.stopping is None else task.stopping
    fill = colour(timeline, task.version)
    fate = f", {task.reason}" if task.reason else ""
    code = f", exit code {task.exit_code}" if task.exit_code is not None else ""
    title = f"{task.unit} {task.version} {task.task[:8]}{fate}{code}"
    bars = (
        (task.created, min(running, stopping), "0.35"),
        (running, stopping, "1"),
        (max(stopping, running), end, "0.6"),
    )
    drawn = []
    for begin, finish, opacity in bars:
        if finish > begin and finish > axis.begin:
            wide = max(1.0, axis.x(finish) - axis.x(begin))
            extra = f' opacity="{opacity}"' + (' class="stopping"' if opacity == "0.6" else "")
            drawn.append(box(axis.x(begin), top, wide, ROW - 5, fill, title, extra))
    if task.exit_code not in (None, 0, 143):
        drawn.append(f'<text class="cross" x="{axis.x(end) - 1}" y="{top + 12}">✕<title>{escape(title)}</title></text>')
    return "".join(drawn)


def picture(timeline: Timeline, axis: Axis, parts: Iterable[str], height: float, label: str) -> str:
    """Return the parts as a picture with the time below and a band behind each release."""
    bands = [
        f'<rect class="band" x="{axis.x(release.start)}" y="0" height="{height}" width="{_span(axis, release):.1f}">'
        f"<title>{escape(release.title)}</title></rect>"
        for release in timeline.releases
    ]
    ticks = [
        f'<line class="tick" x1="{axis.x(at)}" x2="{axis.x(at)}" y1="0" y2="{height}"/>'
        f'<text class="note" text-anchor="middle" x="{axis.x(at)}" y="{height + 12}">{at:.0f} s</text>'
        for at in axis.ticks()
    ]
    body = "".join([*bands, *ticks, *parts])
    return f'<svg viewBox="0 0 {WIDTH} {height + 16}" role="img" aria-label="{escape(label)}">{body}</svg>'


def _span(axis: Axis, release: ReleaseSpan) -> float:
    return max(0.0, axis.x(release.end) - axis.x(release.start))


def box(  # noqa: PLR0917 - the order of SVG's own attributes
    x: float, y: float, wide: float, tall: float, fill: str, title: str, extra: str = ""
) -> str:
    """Return a filled rectangle that tells its ``title``."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{fill}"{extra}>'
        f"<title>{escape(title)}</title></rect>"
    )


def note_beside(x: float, wide: float, y: float, text: str) -> str:
    """Return a note to the right of what is at ``x`` and so wide, or to its left where there is no room."""
    room = x + wide + 4 + len(text) * _LETTER < WIDTH
    place = f'x="{x + wide + 4:.1f}"' if room else f'x="{x - 4:.1f}" text-anchor="end"'
    return f'<text class="note" {place} y="{y}">{escape(text)}</text>'


def scale(text: str, y: float) -> str:
    """Return a mark of the vertical scale."""
    return f'<text class="note" text-anchor="end" x="{LEFT - 8}" y="{y}">{escape(text)}</text>'


def cut(text: str, length: int = 24) -> str:
    """Return the text, shortened to so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
