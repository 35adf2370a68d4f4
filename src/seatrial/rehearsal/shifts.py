"""The picture of releases that move traffic: stages, smoke checks, and the new version's part of the requests. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from seatrial.rehearsal.charts import LEFT, ROW, Axis, box, colour, cut, note_beside, picture, scale

if TYPE_CHECKING:
    from seatrial.rehearsal.timeline import ReleaseSpan, Share, Timeline

#: How full a stage's bar is: the more of the requests the new version has, the fuller.
_FULL = {"PRODUCTION_TRAFFIC_SHIFT": "0.7", "POST_PRODUCTION_TRAFFIC_SHIFT": "0.85", "BAKE_TIME": "1"}
_TALL = 56


def stages(timeline: Timeline, axis: Axis) -> str:
    """Return, for each release that moved traffic and each of its services, what came when."""
    parts: list[str] = []
    top = 6.0
    for release in timeline.releases:
        for unit in dict.fromkeys(each.unit for each in release.stages):
            label = f"{cut(release.title)}" if unit == release.stages[0].unit else ""
            parts.append(f'<text class="label" x="0" y="{top + 12}">{escape(label)}</text>')
            parts.append(f'<text class="note" x="0" y="{top + 28}">{escape(unit)}</text>')
            top = _bars(parts, timeline, axis, release, unit, top)
            top = _checks(parts, axis, release, top) if unit == release.stages[0].unit else top
            top = _shares(parts, timeline, axis, release, unit, top) + 14
    return picture(timeline, axis, parts, top, "Stages, smoke checks and shares of traffic over time")


def _bars(  # noqa: PLR0917 - where, what and of which
    parts: list[str], timeline: Timeline, axis: Axis, release: ReleaseSpan, unit: str, top: float
) -> float:
    for each in release.stages:
        if each.unit != unit:
            continue
        fill = "var(--bad)" if each.back else colour(timeline, release.version)
        x, wide = axis.x(each.start), max(2.0, axis.x(each.end) - axis.x(each.start))
        text = f"{each.stage}{' on the way back' if each.back else ''} {each.end - each.start:.1f} s"
        parts.append(box(x, top, wide, ROW - 5, fill, text, f' opacity="{_FULL.get(each.stage, "0.4")}"'))
        parts.append(note_beside(x, wide, top + 11, text))
        top += ROW
    return top


def _checks(parts: list[str], axis: Axis, release: ReleaseSpan, top: float) -> float:
    if not release.checks:
        return top
    for each in release.checks:
        kind = "passed" if each.ok else "failed"
        title = f"smoke check {each.name}: {'ok' if each.ok else 'FAILED'}: {each.result}"
        x = axis.x(each.at)
        parts.append(f'<circle class="{kind}" cx="{x}" cy="{top + 6}" r="4"><title>{escape(title)}</title></circle>')
    last = axis.x(release.checks[-1].at)
    wrong = list(dict.fromkeys(each.name for each in release.checks if not each.ok))
    names = list(dict.fromkeys(each.name for each in release.checks))
    end = f"{', '.join(wrong)} FAILED" if wrong else "ok"
    parts.append(
        note_beside(last, 4, top + 10, f"smoke check{'s' if len(names) > 1 else ''} {', '.join(names)}: {end}")
    )
    return top + ROW


def _shares(  # noqa: PLR0917 - where, what and of which
    parts: list[str], timeline: Timeline, axis: Axis, release: ReleaseSpan, unit: str, top: float
) -> float:
    """Draw the part that the load balancer's weights give the new version, as steps."""
    shares = [each for each in release.shares if each.unit == unit]
    if not any(each.percent for each in shares):
        return top
    bottom = top + _TALL + 16
    parts.append(scale("100 %", bottom - _TALL + 5) + scale("0 %", bottom + 2))
    parts.append(f'<line class="tick" x1="{LEFT}" x2="{axis.x(axis.end)}" y1="{bottom}" y2="{bottom}"/>')
    for each, until in zip(shares, [*(share.at for share in shares[1:]), release.end], strict=True):
        if each.percent > 0:
            tall = each.percent / 100 * _TALL
            x, wide = axis.x(each.at), axis.x(until) - axis.x(each.at)
            title = f"{each.percent:g} % from {each.at:.1f} s on"
            parts.append(box(x, bottom - tall, wide, tall, colour(timeline, release.version), title, ' opacity="0.55"'))
            parts.append(_percent(each, x, bottom - tall - 3))
    return bottom


def _percent(share: Share, x: float, y: float) -> str:
    return f'<text class="note" x="{x + 2:.1f}" y="{y:.1f}">{share.percent:g} %</text>'
