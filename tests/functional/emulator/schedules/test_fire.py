"""EventBridge Scheduler on a running emulator: schedules made by any client start tasks that run."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seatrial.aws.clock import SystemClock
from seatrial.release import logs
from tests.functional.emulator.ecs.stages import archive
from tests.functional.emulator.support import Running, emulator, eventually
from tests.functional.release.support import Place, place

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = '[jobs.digest]\ncommand = ["python", "-m", "tiny.job"]\nschedule = "rate(1 minute)"\nstop_timeout = 5\n'
ROLE = "arn:aws:iam::123456789012:role/starts"
OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where version one serves, with a job that nothing starts yet."""
    it = place(tmp_path_factory.mktemp("shop") / "project", running.info.endpoint, "shop", more=JOB)
    it.commit("one")
    assert it.deploy().exit_code == 0
    return it


def target(running: Running, **changes: Any) -> dict[str, Any]:
    ec2 = running.client("ec2")
    network = {"Subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]], "AssignPublicIp": "ENABLED"}
    parameters = {
        # Without a revision, as seatrial's own templates have it.
        "TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-local-digest",
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"awsvpcConfiguration": network},
    }
    cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-local"
    return {"Arn": cluster, "RoleArn": ROLE, "EcsParameters": parameters} | changes


def test_a_job_runs_on_the_live_version_before_and_after_a_release(running: Running, shop: Place) -> None:
    scheduler = running.client("scheduler")
    scheduler.create_schedule(
        Name="digest", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow=OFF, Target=target(running)
    )

    def said() -> list[str]:
        found = logs.lines(shop.settings, shop.aws, "digest", seconds=3600, follow=False, clock=SystemClock())
        return [each.text for each in found]

    eventually(lambda: said().count("ran on one") >= 2)
    shop.commit("two")
    assert shop.deploy().exit_code == 0
    eventually(lambda: said().count("ran on two") >= 2)
    assert said() == sorted(said())  # once the new version runs, the old one never does again
    tasks = running.client("ecs").list_tasks(
        cluster="shop-local", desiredStatus="STOPPED", startedBy="chronos-schedule/digest"
    )
    assert tasks["taskArns"]
    disabled = scheduler.get_schedule(Name="digest")
    scheduler.update_schedule(
        Name="digest",
        State="DISABLED",
        **{key: disabled[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target")},
    )
    scheduler.delete_schedule(Name="digest")


def test_what_ecs_refuses_ends_in_the_dead_letter_queue(running: Running, shop: Place) -> None:
    sqs = running.client("sqs")
    url = sqs.create_queue(QueueName="lost")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    lost = target(running, RetryPolicy={"MaximumRetryAttempts": 1}, DeadLetterConfig={"Arn": queue})
    lost["EcsParameters"] |= {"TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/none"}
    running.client("scheduler").create_schedule(
        Name="lost", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=lost
    )
    (letter,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "ClientException"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert json.loads(letter["Body"])["taskDefinition"].endswith("/none")


def test_one_that_is_done_deletes_itself(running: Running, shop: Place) -> None:
    scheduler = running.client("scheduler")
    described: dict[str, Any] = {"Name": "once", "FlexibleTimeWindow": OFF, "Target": target(running)}
    scheduler.create_schedule(**described, ScheduleExpression="rate(1 minute)", State="DISABLED")
    scheduler.update_schedule(**described, ScheduleExpression="rate(1 hour)", ActionAfterCompletion="DELETE")
    updated = scheduler.get_schedule(Name="once")
    assert (updated["ActionAfterCompletion"], updated["State"]) == ("DELETE", "ENABLED")
    scheduler.update_schedule(
        **described,
        ScheduleExpression="rate(1 minute)",
        EndDate=SystemClock().now() + timedelta(seconds=2),
        ActionAfterCompletion="DELETE",
    )
    eventually(lambda: "once" not in {each["Name"] for each in scheduler.list_schedules()["Schedules"]})


def test_a_lambda_function_is_invoked_with_its_input(running: Running) -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
    running.client("iam").create_role(RoleName="starts", AssumeRolePolicyDocument=json.dumps(trust))
    function = running.client("lambda").create_function(
        FunctionName="nightly",
        Runtime="python3.12",
        Role=ROLE,
        Handler="hook.handler",
        Code={"ZipFile": archive("def handler(event, context):\n    print('invoked with', event['day'])\n")},
    )
    running.client("scheduler").create_schedule(
        Name="nightly",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow=OFF,
        Target={"Arn": function["FunctionArn"], "RoleArn": ROLE, "Input": '{"day": "Monday"}'},
    )

    def said() -> bool:
        logs_ = running.client("logs")
        groups = logs_.describe_log_groups(logGroupNamePrefix="/aws/lambda/nightly")["logGroups"]
        events = logs_.filter_log_events(logGroupName="/aws/lambda/nightly")["events"] if groups else []
        return "invoked with Monday" in [each["message"] for each in events]

    eventually(said)


def test_a_bad_expression_and_another_region_are_refused(running: Running) -> None:
    with pytest.raises(ClientError, match="Invalid Schedule Expression") as refused:
        running.client("scheduler").create_schedule(
            Name="bad",
            ScheduleExpression="cron(0 6 * * * *)",
            FlexibleTimeWindow=OFF,
            Target={"Arn": "arn:aws:sqs:eu-west-1:123456789012:lost", "RoleArn": ROLE},
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="lives in eu-west-1"):
        running.client("scheduler", "eu-central-1").list_schedules()
