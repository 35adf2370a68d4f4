"""Lifecycle hooks: what a function may answer, and what time does to a hook."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from seatrial.emulator.ecs.hooks import Answer, HookRun, event, expire, read_answer, state_of, take, unreachable

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"


def run(target: str | None = ARN, action: str = "ROLLBACK") -> HookRun:
    return HookRun(
        id="ecs-lambda-1",
        stage="POST_SCALE_UP",
        target=target,
        details={"a": 1},
        expires=100.0,
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
        timeout_action=action,
        status="IN_PROGRESS" if target else "AWAITING_ACTION",
    )


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b'{"hookStatus": "SUCCEEDED"}', Answer("SUCCEEDED")),
        (b'{"hookStatus": "FAILED", "reason": "x"}', Answer("FAILED")),
        (b'{"hookStatus": "IN_PROGRESS"}', Answer("IN_PROGRESS", 30.0)),
        (b'{"hookStatus": "IN_PROGRESS", "callBackDelay": 5}', Answer("IN_PROGRESS", 5.0)),
        (b'{"hookStatus": "IN_PROGRESS", "hookDetails": {"n": 2}}', Answer("IN_PROGRESS", 30.0, {"n": 2})),
        (b"null", Answer(problem="HookStatus must not be null")),
        (b'{"errorMessage": "Task timed out after 3.00 seconds"}', Answer(problem="HookStatus must not be null")),
        (b'{"hookStatus": "OK"}', Answer(problem="OK is not a HookStatus")),
        (b"<html>", Answer(problem="the response is not JSON")),
    ],
)
def test_answers(payload: bytes, answer: Answer) -> None:
    assert read_answer(payload) == answer


def test_in_progress_is_asked_again_with_what_the_function_left() -> None:
    hook = run()
    hook.asked = True
    take(hook, Answer("IN_PROGRESS", 5.0, {"n": 2}), next_call=42.0)
    assert (hook.asked, hook.due, hook.details) == (False, 42.0, {"n": 2})
    assert state_of([hook]) == ("waiting", "")
    take(hook, Answer("SUCCEEDED"), next_call=99.0)
    assert hook.status == "SUCCEEDED"
    assert state_of([hook]) == ("succeeded", "")


def test_what_comes_after_the_end_changes_nothing() -> None:
    hook = run()
    expire(hook, 100.0)
    take(hook, Answer("SUCCEEDED"), next_call=0.0)
    assert (hook.status, hook.proceeds) == ("TIMED_OUT", False)


@pytest.mark.parametrize(("action", "proceeds"), [("ROLLBACK", False), ("CONTINUE", True)])
def test_time_is_up(action: str, proceeds: bool) -> None:
    hook = run(None, action)
    expire(hook, 99.9)
    assert state_of([hook]) == ("waiting", "")
    expire(hook, 100.0)
    assert (hook.status, hook.proceeds) == ("TIMED_OUT", proceeds)


def test_all_hooks_of_a_stage_must_succeed() -> None:
    first, second = run(), run()
    assert state_of([]) == ("succeeded", "")
    assert state_of([first, second]) == ("waiting", "")
    first.end("SUCCEEDED", proceeds=True)
    assert state_of([first, second]) == ("waiting", "")
    unreachable(second, "no such function")
    state, reason = state_of([first, second])
    assert (state, reason.endswith("due to no such function")) == ("failed", True)


def test_only_a_stage_that_moves_traffic_tells_its_weights() -> None:
    known = {
        "deployment": "d",
        "service": "s",
        "target": "g",
        "production": {"g": 12.5, "b": 87.5},
        "test": {"g": 100.0},
    }
    told = event(run(), **known)  # type: ignore[arg-type]  # one table for two calls
    assert told["executionDetails"]["productionTrafficWeights"] == {}
    assert told["hookDetails"] == {"a": 1}
    shift = run()
    shift.stage = "PRODUCTION_TRAFFIC_SHIFT"
    told = event(shift, **known)  # type: ignore[arg-type]  # one table for two calls
    assert told["executionDetails"]["productionTrafficWeights"] == {"g": 12.5, "b": 87.5}
    assert told["executionDetails"]["testTrafficWeights"] == {}
