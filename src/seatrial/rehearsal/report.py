"""The rehearsal as one self-contained HTML file, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seatrial.rehearsal import charts, shifts

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.rehearsal.timeline import Timeline
    from seatrial.rehearsal.verdict import Verdict


@dataclass(frozen=True)
class Circumstances:
    """Under which the rehearsal ran. ``rate`` is requests per second; ``made_at`` ISO 8601.

    ``manner`` says as which environment and by which strategy it was released, ``compressed`` what the time scale made
    of the waits that the strategy sets.
    """

    app: str
    old_version: str
    new_version: str
    rate: float
    runtime: str
    proxy: str
    time_scale: float
    made_at: str
    manner: str
    compressed: str


def to_json(circumstances: Circumstances, timeline: Timeline, verdict: Verdict) -> dict[str, Any]:
    """Return everything the report says as plain data."""
    return {
        "circumstances": asdict(circumstances),
        "verdict": asdict(verdict),
        "timeline": timeline.to_json(),
    }


def to_html(circumstances: Circumstances, timeline: Timeline, verdict: Verdict) -> str:
    """Return the page: no request leaves it, so it can be mailed, attached or opened from a file."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seatrial.rehearsal"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    axis = charts.axis_of(timeline)
    return environment.get_template("report.html.j2").render(
        circumstances=circumstances,
        timeline=timeline,
        verdict=verdict,
        colours={version: charts.colour(timeline, version) for version in timeline.versions},
        pictures=_pictures(timeline, axis),
    )


def _pictures(timeline: Timeline, axis: charts.Axis) -> dict[str, str]:
    """Return the pictures by their titles. Where traffic was not moved there are no stages to show."""
    pictures = {"Releases, step by step": charts.steps(timeline, axis)}
    if any(release.stages for release in timeline.releases):
        title = "Stages, smoke checks, and the part of the requests that is to go to the new version"
        pictures[title] = shifts.stages(timeline, axis)
    return pictures | {
        "Tasks of every version": charts.tasks(timeline, axis),
        "Who answered, requests per second": charts.traffic(timeline, axis),
        "Latency (median and 99th percentile) and failed requests": charts.latency(timeline, axis),
    }


def write(directory: Path, circumstances: Circumstances, timeline: Timeline, verdict: Verdict) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json``; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    page, data = directory / "report.html", directory / "report.json"
    page.write_text(to_html(circumstances, timeline, verdict), encoding="utf-8")
    data.write_text(json.dumps(to_json(circumstances, timeline, verdict), indent=1) + "\n", encoding="utf-8")
    return page, data
