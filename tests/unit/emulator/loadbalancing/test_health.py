"""How probes move a target from state to state, on data and by property."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.loadbalancing import health
from seatrial.emulator.loadbalancing.health import Failure, Record, matches, observe
from seatrial.emulator.loadbalancing.snapshot import HealthCheck

CHECK = HealthCheck("HTTP", None, "/", "200", 30, 5, healthy_threshold=3, unhealthy_threshold=2)
BAD = health.wrong_status(503)


def after(*outcomes: Failure | None, check: HealthCheck = CHECK) -> Record:
    record = Record()
    for outcome in outcomes:
        record = observe(record, outcome, check)
    return record


@pytest.mark.parametrize(
    ("outcomes", "state", "reason"),
    [
        ((), "initial", "Elb.RegistrationInProgress"),
        ((None,), "healthy", None),
        ((BAD,), "initial", "Elb.InitialHealthChecking"),
        ((BAD, None), "healthy", None),
        ((BAD, BAD), "unhealthy", "Target.ResponseCodeMismatch"),
        ((BAD, BAD, None, None), "unhealthy", "Target.ResponseCodeMismatch"),
        ((BAD, BAD, None, None, None), "healthy", None),
        ((BAD, BAD, None, None, BAD, None, None), "unhealthy", "Target.ResponseCodeMismatch"),
        ((BAD, BAD, health.TIMED_OUT), "unhealthy", "Target.Timeout"),
        ((None, BAD), "healthy", None),
        ((None, BAD, None, BAD), "healthy", None),
        ((None, BAD, health.UNREACHABLE), "unhealthy", "Target.FailedHealthChecks"),
    ],
)
def test_thresholds(outcomes: tuple[Failure | None, ...], state: str, reason: str | None) -> None:
    told = after(*outcomes).health
    assert (told.state, told.reason) == (state, reason)


def test_the_code_that_was_wrong_is_told() -> None:
    assert after(BAD, BAD).health.description == "Health checks failed with these codes: [503]"


OUTCOMES = st.lists(st.sampled_from([None, BAD, health.TIMED_OUT, health.UNREACHABLE]), max_size=30)
CHECKS = st.builds(
    lambda up, down: replace(CHECK, healthy_threshold=up, unhealthy_threshold=down),
    st.integers(2, 10),
    st.integers(2, 10),
)


@given(OUTCOMES, CHECKS)
def test_enough_equal_outcomes_always_decide(outcomes: list[Failure | None], check: HealthCheck) -> None:
    well = [None] * check.healthy_threshold
    sick = [BAD] * check.unhealthy_threshold
    assert after(*outcomes, *well, check=check).health.state == "healthy"
    assert after(*outcomes, *sick, check=check).health.state == "unhealthy"


@given(OUTCOMES, CHECKS)
def test_one_probe_never_makes_a_healthy_target_unhealthy(outcomes: list[Failure | None], check: HealthCheck) -> None:
    before = after(*outcomes, None, check=check)
    if before.health.state == "healthy":
        assert observe(before, BAD, check).health.state == "healthy"


@given(OUTCOMES, CHECKS)
def test_only_a_healthy_target_has_no_reason(outcomes: list[Failure | None], check: HealthCheck) -> None:
    told = after(*outcomes, check=check).health
    assert (told.reason is None) == (told.state == "healthy")


@pytest.mark.parametrize(
    ("matcher", "status", "expected"),
    [
        ("200", 200, True),
        ("200", 201, False),
        ("200,302", 302, True),
        ("200-399", 204, True),
        ("200-399", 400, False),
        ("200,400-404, 418", 418, True),
    ],
)
def test_matchers(matcher: str, status: int, *, expected: bool) -> None:
    assert matches(matcher, status) is expected
