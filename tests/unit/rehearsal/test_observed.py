"""What a rehearsal keeps of a release's events: stages, shares and checks of traffic that moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.rehearsal.observed import Watch
from seatrial.release.outcome import Outcome
from seatrial.release.watch import DeploymentChanged, SmokeChecked

if TYPE_CHECKING:
    from seatrial.release.watch import ReleaseEvent

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def changed(
    at: float, stage: str | None, production: float | None, *, status: str = "IN_PROGRESS", unit: str = "web"
) -> DeploymentChanged:
    now = ZERO + timedelta(seconds=at)
    return DeploymentChanged(now, unit, "arn", status, None, 1, 1, stage, production)


def seconds(at: float) -> float:
    return at - ZERO.timestamp()


def watched(*events: ReleaseEvent) -> Watch:
    watch = Watch("the release", "released", None)
    for event in events:
        watch.event(event)
    return watch


def test_stages_follow_each_other_and_shares_are_told_when_they_change() -> None:
    watch = watched(
        changed(1, "SCALE_UP", 0.0),
        changed(2, "SCALE_UP", 0.0),
        changed(3, "PRODUCTION_TRAFFIC_SHIFT", 25.0),
        changed(4, "PRODUCTION_TRAFFIC_SHIFT", 50.0),
        changed(5, "BAKE_TIME", 100.0),
        changed(9, "BAKE_TIME", 100.0, status="SUCCESSFUL"),
    )
    assert [(each.stage, seconds(each.start), seconds(each.end)) for each in watch.stages] == [
        ("SCALE_UP", 1, 3),
        ("PRODUCTION_TRAFFIC_SHIFT", 3, 5),
        ("BAKE_TIME", 5, 9),
    ]
    assert [(seconds(each.at), each.percent) for each in watch.shares] == [(1, 0), (3, 25), (4, 50), (5, 100)]


def test_each_service_has_its_own_stages_and_the_way_back_is_one() -> None:
    watch = watched(
        changed(1, "BAKE_TIME", 100.0),
        changed(1, "SCALE_UP", 0.0, unit="events"),
        changed(2, "BAKE_TIME", 0.0, status="ROLLBACK_IN_PROGRESS"),
        changed(3, "CLEAN_UP", 0.0, status="ROLLBACK_SUCCESSFUL"),
    )
    assert [(each.unit, each.stage, each.back, seconds(each.end)) for each in watch.stages] == [
        ("web", "BAKE_TIME", False, 2),
        ("web", "BAKE_TIME", True, 3),
    ]
    watch.ended(Outcome("local", "rolled_back", "v2", None, 2, ZERO, 4.0, "turned back"))
    assert [(each.unit, each.stage, seconds(each.end)) for each in watch.stages][2:] == [("events", "SCALE_UP", 4)]


def test_a_rolling_update_has_no_stages() -> None:
    assert watched(changed(1, None, None), changed(2, None, None, status="SUCCESSFUL")).stages == []


def test_smoke_checks_are_kept() -> None:
    (check,) = watched(SmokeChecked(ZERO, "home", False, 1, 1, 0.1, "GET / answered 500")).checks
    assert (check.name, check.ok, check.result) == ("home", False, "GET / answered 500")
