from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.ecs.breaker import Breaker, Failures, parse_breaker


@pytest.mark.parametrize(("desired", "threshold"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (1000, 200)])
def test_default_threshold_is_half_the_desired_count_from_3_to_200(desired: int, threshold: int) -> None:
    assert Breaker().threshold(desired) == threshold


@pytest.mark.parametrize(
    ("kind", "value", "desired", "threshold"),
    [
        ("COUNT", 1, 50, 1),
        ("BOUNDED_PERCENT", 10, 10, 3),
        ("UNBOUNDED_PERCENT", 10, 10, 1),
        ("UNBOUNDED_PERCENT", 100, 500, 500),
    ],
)
def test_threshold_configuration(kind: str, value: int, desired: int, threshold: int) -> None:
    shape = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": kind, "value": value}}
    assert parse_breaker(shape).threshold(desired) == threshold


def test_both_stages_count_toward_one_number() -> None:
    failures = Failures().failed(reached_running=False).reached_running().failed(reached_running=True)
    assert failures.count == 2
    assert failures.running
    assert not Breaker(enabled=True).tripped(failures, 1)
    assert Breaker(enabled=True).tripped(failures.failed(reached_running=True), 1)
    assert not Breaker(enabled=False).tripped(failures.failed(reached_running=True), 1)


def test_a_healthy_task_resets_the_count_unless_told_otherwise() -> None:
    failures = Failures().failed(reached_running=True)
    assert failures.reached_healthy(reset=True).count == 0
    assert failures.reached_healthy(reset=False).count == 1
    assert parse_breaker({"enable": True, "rollback": False}).reset_on_healthy
    assert not parse_breaker({"enable": True, "rollback": False, "resetOnHealthyTask": False}).reset_on_healthy


@given(st.integers(0, 60))
def test_back_off_doubles_up_to_27_minutes_and_only_for_tasks_that_never_ran(starts: int) -> None:
    failures = Failures()
    for _ in range(starts):
        failures = failures.failed(reached_running=False)
    following = failures.failed(reached_running=False)
    assert following.backoff <= 27 * 60
    assert following.backoff in {0.0, 10.0, 27 * 60.0, 2 * failures.backoff}
    assert failures.failed(reached_running=True).backoff == 0.0
