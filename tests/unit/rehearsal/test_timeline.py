"""The timeline, the verdict and the report, from samples and tasks to the page. No I/O."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.rehearsal import charts, report, shifts
from seatrial.rehearsal.timeline import NOBODY, StageSpan, build, percentile
from seatrial.rehearsal.verdict import judge
from tests.unit.rehearsal.support import RELEASE, SAMPLES, SHIFTED, TASKS, ZERO, sample, task

if TYPE_CHECKING:
    from seatrial.rehearsal.load import Sample
    from seatrial.rehearsal.timeline import ReleaseSpan


def test_answers_are_told_apart_by_the_task_that_gave_them() -> None:
    timeline = build(SAMPLES, TASKS, [RELEASE])
    assert timeline.versions == ("v1", "v2")
    assert sum(bucket.answers.get("v1", 0) for bucket in timeline.buckets) == 50
    assert sum(bucket.answers.get("v2", 0) for bucket in timeline.buckets) == 50
    assert timeline.windows[0].requests == 60


def test_an_answer_of_the_load_balancer_itself_belongs_to_no_version() -> None:
    timeline = build([sample(0, None, 503), sample(0.1, None, None, "TimeoutError: timed out")], TASKS, [])
    assert sum(bucket.answers.get(NOBODY, 0) for bucket in timeline.buckets) == 2
    assert timeline.errors == {"HTTP 503 on /": 1, "TimeoutError: timed out": 1}


def test_nothing_to_show_is_an_error() -> None:
    with pytest.raises(ValueError, match="no request"):
        build([], TASKS, [])


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_percentile_is_the_nearest_rank(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert found in values


@given(st.integers(1, 5000), st.floats(0.1, 500))
def test_no_sample_is_lost_in_buckets(count: int, seconds: float) -> None:
    timeline = build([sample(i * seconds / count) for i in range(count)], TASKS, [])
    assert sum(sum(bucket.answers.values()) for bucket in timeline.buckets) == count == timeline.requests
    assert len(timeline.buckets) <= 242


def test_ready_when_everything_ended_as_meant_and_nothing_failed() -> None:
    verdict = judge(build(SAMPLES, TASKS, [RELEASE]), 0.1)
    assert verdict.ready
    assert verdict.sentence == (
        "Ready: 100 requests, 0 failed. V2 over v1 was released in 6.0 s under 60 requests. "
        "AWS's own waits ran 10 times faster than on AWS."
    )


@pytest.mark.parametrize(
    ("samples", "release", "against"),
    [
        ((*SAMPLES, sample(4.05, None, 502)), RELEASE, "1 request of 61 failed during v2 over v1: 1 x HTTP 502 on /"),
        ((*SAMPLES, sample(9.99, None, 502)), RELEASE, "1 request failed while nothing was being released"),
        (SAMPLES, replace(RELEASE, outcome="failed", cause="code 3"), "v2 over v1 was failed, not released (code 3)"),
        (SAMPLES, replace(RELEASE, expected="rolled back"), "v2 over v1 was released, not rolled back"),
    ],
)  # fmt: skip
def test_not_ready_says_why(samples: tuple[Sample, ...], release: ReleaseSpan, against: str) -> None:
    verdict = judge(build(sorted(samples, key=lambda each: each.at), TASKS, [release]), 1)
    assert not verdict.ready
    assert verdict.against == (against,)
    assert "times faster" not in verdict.sentence


def test_slow_answers_are_remarked() -> None:
    slow = [replace(each, latency=4200.0) for each in SAMPLES]
    verdict = judge(build(slow, TASKS, [RELEASE]), 1)
    assert verdict.ready
    assert "one answer in a hundred took 4.2 s or more" in verdict.sentence


def test_the_page_stands_alone_and_says_what_the_json_says() -> None:
    timeline = build(SAMPLES, TASKS, [replace(RELEASE, title="<v2> & friends")])
    circumstances = report.Circumstances(
        "shop", "v1", "v2", 200, "process", "envoy", 0.1, "2026-01-01", "as local: rolling", ""
    )
    verdict = judge(timeline, 0.1)
    page = report.to_html(circumstances, timeline, verdict)
    assert not re.search(r"""(src|href)\s*=|url\(|https?://|@import""", page)
    assert "&lt;v2&gt; &amp; friends" in page
    assert "<v2>" not in page
    assert page.count("<svg") == 4
    data = json.loads(json.dumps(report.to_json(circumstances, timeline, verdict)))
    assert data["verdict"]["ready"] is True
    assert data["timeline"]["requests"] == 100


def test_the_requests_of_a_release_are_counted_by_who_answered() -> None:
    samples = [*SAMPLES, sample(9.99, None, 502)]
    assert build(samples, TASKS, [RELEASE]).windows[0].answers == {"v1": 40, "v2": 20}


def test_tasks_that_were_gone_before_are_nobodys_business() -> None:
    gone = task("web", "v0", "10.0.0.9:8000", created=-20, running=-19, stopping=-12, stopped=-11)
    timeline = build(SAMPLES, (gone, *TASKS), [RELEASE])
    assert (timeline.versions, len(timeline.tasks)) == (("v1", "v2"), 2)


def test_a_release_that_moves_traffic_shows_stages_checks_and_shares() -> None:
    timeline = build(SAMPLES, TASKS, [SHIFTED])
    (release,) = timeline.releases
    assert [(each.stage, each.start, each.end) for each in release.stages][:2] == [
        ("SCALE_UP", 1.0, 2.0),
        ("PRODUCTION_TRAFFIC_SHIFT", 2.0, 4.0),
    ]
    assert [(each.at, each.percent) for each in release.shares] == [(1.0, 0.0), (2.0, 20.0), (4.0, 100.0)]
    picture = shifts.stages(timeline, charts.axis_of(timeline))
    for text in ("SCALE_UP 1.0 s", "BAKE_TIME 2.5 s", ">20 %<", ">100 %<", "smoke checks home, api: api FAILED"):
        assert text in picture
    assert "smoke check home: ok: &lt;GET /&gt; answered 200" in picture
    assert ">0 %<" in picture  # the scale, and no bar
    circumstances = report.Circumstances("shop", "v1", "v2", 200, "process", "envoy", 0.1, "2026", "as x: canary", "y")
    page = report.to_html(circumstances, timeline, judge(timeline, 0.1))
    assert page.count("<svg") == 5
    assert "released as x: canary" in page
    assert "v1: 40<br>v2: 20" in page


def test_the_way_back_is_shown_as_such() -> None:
    back = replace(SHIFTED, stages=(*SHIFTED.stages, StageSpan("web", "SCALE_UP", ZERO + 7, ZERO + 8, back=True)))
    picture = shifts.stages(timeline := build(SAMPLES, TASKS, [back]), charts.axis_of(timeline))
    assert "SCALE_UP on the way back 1.0 s" in picture
    assert 'fill="var(--bad)"' in picture


def test_the_verdict_says_what_became_of_the_waits() -> None:
    verdict = judge(build(SAMPLES, TASKS, [SHIFTED]), 0.02, "the bake time of 2 min took 2.4 s")
    assert verdict.sentence.endswith("50 times faster than on AWS: the bake time of 2 min took 2.4 s.")


def test_every_picture_stays_inside_its_frame() -> None:
    timeline = build(SAMPLES, (*TASKS, task("worker", "v1", None, created=-500, running=-400)), [SHIFTED])
    axis = charts.axis_of(timeline)
    for draw in (charts.tasks, charts.traffic, charts.latency, charts.steps, shifts.stages):
        for x, width in re.findall(r'<rect[^>]* x="([-\d.]+)"[^>]* width="([-\d.]+)"', draw(timeline, axis)):
            assert charts.LEFT - 0.1 <= float(x) <= float(x) + float(width) <= charts.WIDTH + 0.1
