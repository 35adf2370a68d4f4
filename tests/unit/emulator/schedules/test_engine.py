"""The engine of schedules on a clock of the test's: what fires, what is tried again, what ends in the queue."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.emulator.front.actions import ApiError
from seatrial.emulator.schedules.delivery import Policy, after_failure
from seatrial.emulator.schedules.engine import SchedulesEngine
from seatrial.emulator.schedules.expressions import parse
from seatrial.emulator.schedules.reader import Schedule, check
from seatrial.emulator.schedules.requests import invocation, run_task
from seatrial.emulator.settings import EmulatorSettings

START = datetime(2026, 1, 1, tzinfo=UTC)
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop"
TARGET = {
    "Arn": CLUSTER,
    "RoleArn": "arn:aws:iam::123456789012:role/starts",
    "EcsParameters": {"TaskDefinitionArn": "digest", "TaskCount": 2},
}
REQUEST = {
    "Name": "digest",
    "ScheduleExpression": "rate(1 minute)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": TARGET,
}


class World:
    """Clock, ECS, SQS and Scheduler of the test."""

    def __init__(self, *schedules: Schedule, scale: float = 1.0) -> None:
        self.schedules = list(schedules)
        self.time = START
        self.scale = scale
        self.started: list[tuple[float, dict[str, Any]]] = []
        self.letters: list[dict[str, Any]] = []
        self.failing = 0
        settings = EmulatorSettings("test", Path("/nowhere"), 1, 16)
        self.engine = SchedulesEngine(settings, self, lambda _: self, read=lambda: self.schedules)

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return self.time

    def scaled(self, seconds: float, *, at_least: float = 0.0) -> float:
        return max(seconds * self.scale, min(at_least, seconds))

    @property
    def elapsed(self) -> float:
        return (self.time - START).total_seconds()

    def run(self, seconds: float) -> list[float]:
        """Let so many seconds pass; return when tasks were started."""
        until = self.time + timedelta(seconds=seconds)
        while self.time <= until:
            pause = self.engine.step()
            self.time += timedelta(seconds=max(pause, 0.001))
        return [round(each, 1) for each, _ in self.started]

    def run_task(self, **request: Any) -> dict[str, Any]:
        if self.failing:
            self.failing -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "RunTask")
        self.started.append((self.elapsed, request))
        return {"tasks": [{"taskArn": "arn:task"}], "failures": []}

    def get_queue_url(self, **_: Any) -> dict[str, Any]:
        return {"QueueUrl": "url"}

    def send_message(self, **message: Any) -> None:
        self.letters.append(message)

    def delete_schedule(self, **named: Any) -> None:
        self.schedules = [each for each in self.schedules if each.name != named["Name"]]


def schedule(text: str = "rate(1 minute)", **changes: Any) -> Schedule:
    made = Schedule(
        arn="arn:aws:scheduler:eu-west-1:123456789012:schedule/default/digest",
        name="digest", group="default", created=0.0, text=text, expression=parse(text), zone=ZoneInfo("UTC"),
        start=None, end=None, window=timedelta(), enabled=True, delete_when_done=False, target=TARGET,
    )  # fmt: skip
    return replace(made, **changes)


def test_a_rate_fires_at_once_and_then_at_its_interval() -> None:
    world = World(schedule())
    assert world.run(150) == [0.0, 60.0, 120.0]
    assert world.started[0][1] == {
        "cluster": CLUSTER, "taskDefinition": "digest", "count": 2, "startedBy": "chronos-schedule/digest",
    }  # fmt: skip


def test_the_time_scale_is_for_intervals_and_not_for_dates() -> None:
    assert World(schedule(), scale=0.05).run(8) == [0.0, 3.0, 6.0]
    assert World(schedule(), scale=0.001).run(2.5) == [0.0, 1.0, 2.0]
    assert World(schedule("cron(0/2 * * * ? *)"), scale=0.05).run(250) == [0.0, 120.0, 240.0]
    assert World(schedule("at(2026-01-01T00:01:30)"), scale=0.05).run(200) == [90.0]


def test_disabled_misses_its_times_and_keeps_its_grid() -> None:
    world = World(schedule(enabled=False))
    assert world.run(90) == []
    world.schedules = [schedule()]
    assert world.run(60) == [120.0]


def test_another_expression_or_a_new_schedule_of_the_same_name_begins_anew() -> None:
    world = World(schedule())
    assert world.run(30) == [0.0]
    world.schedules = [schedule("rate(1 hour)")]
    assert world.run(60) == [0.0, pytest.approx(30, abs=1)]
    world.schedules = [schedule("rate(1 hour)", created=90.0)]
    assert len(world.run(30)) == 3


def test_one_that_is_done_is_deleted_where_it_says_so() -> None:
    once = World(schedule("at(2026-01-01T00:01:00)", delete_when_done=True))
    assert once.run(120) == [60.0]
    assert once.schedules == []
    ending = World(schedule(end=START + timedelta(seconds=70), delete_when_done=True))
    assert ending.run(200) == [0.0, 60.0]
    assert ending.schedules == []
    kept = World(schedule("at(2026-01-01T00:01:00)"))
    assert kept.run(120) == [60.0]
    assert kept.schedules


def test_a_flexible_window_delays_within_itself() -> None:
    world = World(schedule("rate(1 hour)", window=timedelta(minutes=10)))
    first, second = world.run(3600 + 600)
    assert 0 <= first <= 600
    assert 3600 <= second <= 4200


def test_what_fails_is_tried_again_with_growing_pauses() -> None:
    world = World(schedule("rate(1 hour)"))
    world.failing = 3
    assert world.run(20) == [pytest.approx(7, abs=0.1)]  # after 1, 2 and 4 seconds
    assert world.letters == []


@pytest.mark.parametrize(
    ("policy", "condition", "retries"),
    [
        ({"MaximumRetryAttempts": 2}, "MaximumRetryAttempts", "2"),
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts", "0"),
        ({"MaximumEventAgeInSeconds": 60}, "MaximumEventAgeInSeconds", "5"),
    ],
    ids=str,
)
def test_what_is_given_up_ends_in_the_dead_letter_queue(policy: dict[str, int], condition: str, retries: str) -> None:
    queue = {"Arn": "arn:aws:sqs:eu-west-1:123456789012:lost"}
    world = World(schedule("rate(1 hour)", target=TARGET | {"RetryPolicy": policy, "DeadLetterConfig": queue}))
    world.failing = 1000
    assert world.run(300) == []
    (letter,) = world.letters
    said = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert (said["EXHAUSTED_RETRY_CONDITION"], said["RETRY_ATTEMPTS"]) == (condition, retries)
    assert (said["ERROR_CODE"], said["SCHEDULED_TIME"]) == ("ThrottlingException", "2026-01-01T00:00:00Z")
    assert json.loads(letter["MessageBody"])["taskDefinition"] == "digest"


@settings(deadline=None)
@given(st.integers(0, 185), st.integers(60, 86400))
def test_retries_always_end(most: int, age: int) -> None:
    policy, passed, retries = Policy(age, most), 0.0, 0
    while (verdict := after_failure(policy, retries, passed)).pause is not None:
        passed += verdict.pause
        retries += 1
        assert retries <= most
        assert passed <= age
    assert verdict.exhausted is not None


def test_a_target_in_the_words_of_run_task() -> None:
    network = {"awsvpcConfiguration": {"Subnets": ["s"], "SecurityGroups": ["g"], "AssignPublicIp": "ENABLED"}}
    more = {"LaunchType": "FARGATE", "NetworkConfiguration": network, "EnableECSManagedTags": True}
    target = TARGET | {
        "EcsParameters": TARGET["EcsParameters"] | more,  # type: ignore[operator]  # a dictionary in a dictionary
        "Input": '{"containerOverrides": [{"name": "digest", "command": ["true"]}]}',
    }
    found = run_task("digest", target)
    assert found["networkConfiguration"] == {
        "awsvpcConfiguration": {"subnets": ["s"], "securityGroups": ["g"], "assignPublicIp": "ENABLED"}
    }
    assert (found["launchType"], found["enableECSManagedTags"]) == ("FARGATE", True)
    assert found["overrides"]["containerOverrides"][0]["command"] == ["true"]
    with pytest.raises(ValueError, match="JSON object"):
        run_task("digest", TARGET | {"Input": "[]"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ScheduleExpression": "rate(1 second)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "not a valid timezone"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "MaximumWindowInMinutes"),
        ({"Target": {"Arn": CLUSTER, "RoleArn": "r"}}, "EcsParameters"),
        ({"Target": TARGET | {"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:1:lost.fifo"}}}, "FIFO"),
    ],
    ids=str,
)
def test_what_the_api_refuses(change: dict[str, Any], said: str) -> None:
    check(REQUEST)
    with pytest.raises(ApiError, match=said) as refused:
        check(REQUEST | change)
    assert refused.value.code == "ValidationException"


def test_a_target_that_nothing_invokes_is_told() -> None:
    world = World(schedule(target={"Arn": "arn:aws:sns:eu-west-1:123456789012:topic", "RoleArn": "r"}))
    assert world.run(10) == []
    assert "topic" in world.engine.not_invoked()[0]
    assert World(schedule()).engine.not_invoked() == []


def test_a_lambda_function_is_invoked_with_its_input() -> None:
    function = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    call = invocation("nightly", {"Arn": function, "RoleArn": "r", "Input": '{"day": 1}'})
    assert (call.service, call.operation) == ("lambda", "invoke")
    assert call.parameters == {"FunctionName": function, "InvocationType": "Event", "Payload": b'{"day": 1}'}
