"""A release's timeline as one picture for the documentation: stages, tasks, and who answered. Pure.

The picture stands alone: colours for light and dark surroundings are in it, and nothing in it runs.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from seatrial.rehearsal import charts, shifts
from seatrial.rehearsal.timeline import NOBODY

if TYPE_CHECKING:
    from seatrial.rehearsal.timeline import Timeline

_MARGIN, _HEADING, _GAP = 24, 26, 22
_STYLE = """\
svg { font: 13px system-ui, sans-serif; } .heading { font-weight: 600; font-size: 15px; }
.card { fill: var(--card); stroke: var(--line); shape-rendering: auto; }
"""
#: What a reader needs to know of the versions is which came first.
_NAMES = ("old version", "new version")


def draw(timeline: Timeline, title: str, description: str) -> str:
    """Return the SVG of one release over the version before. ``title`` and ``description`` are for the blind."""
    timeline = named(timeline)
    axis = charts.axis_of(timeline)
    panels = {
        "Tasks": charts.tasks(timeline, axis),
        "Who answered, requests per second": charts.traffic(timeline, axis),
    }
    if any(release.stages for release in timeline.releases):
        heading = "Stages, and the part of the requests that is to go to the new version"
        panels = {heading: shifts.stages(timeline, axis), **panels}
    else:
        panels = {"Steps": charts.steps(timeline, axis), **panels}
    parts, top = [_legend(timeline)], _MARGIN + 30.0
    for heading, panel in panels.items():
        height = _height(panel)
        parts.append(f'<text class="heading" x="{_MARGIN}" y="{top + 14}">{escape(heading)}</text>')
        place = f'x="{_MARGIN}" y="{top + _HEADING}" width="{charts.WIDTH}" height="{height:g}"'
        parts.append(panel.replace("<svg ", f"<svg {place} ", 1).replace(' role="img"', "", 1))
        top += _HEADING + height + _GAP
    wide = charts.WIDTH + 2 * _MARGIN
    style = files("seatrial.rehearsal").joinpath("templates", "charts.css").read_text(encoding="utf-8")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {top:g}" role="img">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n<style>\n{style}{_STYLE}</style>\n"
        f'<rect width="{wide}" height="{top:g}" rx="8" class="card"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def named(timeline: Timeline) -> Timeline:
    """Return the timeline with names for its versions that say something without the repository."""
    names = dict(zip(timeline.versions, _NAMES, strict=True)) | {NOBODY: NOBODY}
    return replace(
        timeline,
        versions=_NAMES,
        tasks=tuple(replace(task, version=names[task.version]) for task in timeline.tasks),
        releases=tuple(
            replace(
                release,
                title="the release",
                version=names[release.version],
                steps=tuple(replace(step, name=_step(step.name)) for step in release.steps),
            )
            for release in timeline.releases
        ),
        buckets=tuple(
            replace(bucket, answers={names[version]: count for version, count in bucket.answers.items()})
            for bucket in timeline.buckets[:-1]  # the last one ends in its midst
        ),
    )


def _step(name: str) -> str:
    """Return a step's title without what is different in each release."""
    return re.sub(r"^(build the \w+|push it|record the release)\b.*", r"\1", name)


def _legend(timeline: Timeline) -> str:
    parts, x = [], _MARGIN
    for version in (*timeline.versions, NOBODY):
        if version == NOBODY and not any(bucket.answers.get(NOBODY) for bucket in timeline.buckets):
            continue
        text = "the load balancer itself, or nobody" if version == NOBODY else version
        parts.append(
            f'<rect x="{x}" y="{_MARGIN - 2}" width="12" height="12" rx="2" fill="{charts.colour(timeline, version)}"/>'
            f'<text x="{x + 18}" y="{_MARGIN + 9}">{text}</text>'
        )
        x += 18 + 8 * len(text) + 24
    return "".join(parts)


def _height(panel: str) -> float:
    found = re.search(r'viewBox="0 0 \d+ ([\d.]+)"', panel)
    assert found is not None
    return float(found[1])
