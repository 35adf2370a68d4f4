"""One-off tasks through boto3: RunTask, containers in order, secrets, logs, stopping, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.ecs.support import Rig, emulated_ecs, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGGED = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/app", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"},
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with emulated_ecs(tmp_path_factory.mktemp("ecs")) as rig:
        rig.client("logs").create_log_group(logGroupName="/app")
        rig.client("s3").create_bucket(Bucket="envs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield rig


def task_id(task: dict[str, Any]) -> str:
    return str(task["taskArn"]).split("/")[-1]


@pytest.mark.parametrize(("command", "code"), [(["0"], 0), (["7"], 7)])
def test_run_task_ends_with_the_exit_code_of_its_command(rig: Rig, command: list[str], code: int) -> None:
    overrides = {"containerOverrides": [{"name": "app", "command": command}]}
    task = rig.run(rig.define("exit:1"), overrides=overrides, startedBy="release-1")
    assert (task["lastStatus"], task["desiredStatus"], task["group"]) == ("PROVISIONING", "RUNNING", "family:app")
    stopped = rig.stopped(task["taskArn"])
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert [c["exitCode"] for c in stopped["containers"]] == [code]
    assert stopped["createdAt"] <= stopped["pullStartedAt"] <= stopped["startedAt"] <= stopped["stoppedAt"]
    assert stopped["attachments"][0]["status"] == "DELETED"


def test_death_by_a_signal_is_128_and_the_signal(rig: Rig) -> None:
    assert rig.stopped(rig.run(rig.define("killed:1"))["taskArn"])["containers"][0]["exitCode"] == 137


def test_output_goes_to_the_log_stream_of_the_container(rig: Rig) -> None:
    task = rig.run(rig.define("exit:1", command=["0"], logConfiguration=LOGGED))
    rig.stopped(task["taskArn"])
    assert rig.log("/app")[f"ecs/app/{task_id(task)}"] == ["leaving"]


def test_environment_secrets_parameters_and_overrides(rig: Rig) -> None:
    secret = rig.client("secretsmanager").create_secret(Name="db", SecretString=json.dumps({"password": "s3"}))["ARN"]
    plain = rig.client("secretsmanager").create_secret(Name="plain", SecretString="all of it")["ARN"]
    rig.client("ssm").put_parameter(Name="/app/key", Value="par", Type="SecureString")
    definition = rig.define(
        "environment:1",
        environment=[{"name": "MODE", "value": "definition"}, {"name": "KEPT", "value": "yes"}],
        secrets=[
            {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
            {"name": "WHOLE", "valueFrom": plain},
            {"name": "PARAMETER", "valueFrom": "/app/key"},
            {"name": "BY_ARN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/app/key"},
        ],
        command=["MODE", "KEPT", "PASSWORD", "WHOLE", "PARAMETER", "BY_ARN", "AWS_ENDPOINT_URL", "AWS_REGION"],
        logConfiguration=LOGGED,
    )
    override = {"name": "app", "environment": [{"name": "MODE", "value": "override"}]}
    task = rig.run(definition, overrides={"containerOverrides": [override]})
    rig.stopped(task["taskArn"])
    assert rig.log("/app")[f"ecs/app/{task_id(task)}"] == [
        "MODE=override", "KEPT=yes", "PASSWORD=s3", "WHOLE=all of it", "PARAMETER=par", "BY_ARN=par",
        f"AWS_ENDPOINT_URL={rig.endpoint}", "AWS_REGION=eu-west-1",
    ]  # fmt: skip


def test_environment_files_are_read_under_the_definitions_own_variables(rig: Rig) -> None:
    s3 = rig.client("s3")
    s3.put_object(Bucket="envs", Key="a/first.env", Body=b'# a comment\nONE=first\nMODE=file\r\nTEXT="a = b" \nNONE=\n')
    s3.put_object(Bucket="envs", Key="second.env", Body="ONE=second\nTWO=zwölf\nAWS_REGION=mars\nKEY=file".encode())
    s3.put_object(Bucket="envs", Key="other.env", Body=b"TWO=override\n")
    rig.client("ssm").put_parameter(Name="/files/key", Value="secret", Type="String")
    definition = rig.define(
        "environment:1",
        environment=[{"name": "MODE", "value": "definition"}],
        environmentFiles=[{"type": "s3", "value": f"arn:aws:s3:::envs/{key}"} for key in ("a/first.env", "second.env")],
        secrets=[{"name": "KEY", "valueFrom": "/files/key"}],
        command=["ONE", "TWO", "MODE", "TEXT", "NONE", "AWS_REGION", "KEY"],
        logConfiguration=LOGGED,
    )
    task = rig.run(definition)
    rig.stopped(task["taskArn"])
    assert rig.log("/app")[f"ecs/app/{task_id(task)}"] == [
        "ONE=first", "TWO=zwölf", "MODE=definition", 'TEXT="a = b" ', "NONE=UNSET", "AWS_REGION=mars", "KEY=secret",
    ]  # fmt: skip
    instead = {"name": "app", "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::envs/other.env"}]}
    task = rig.run(definition, overrides={"containerOverrides": [instead]})
    rig.stopped(task["taskArn"])
    assert rig.log("/app")[f"ecs/app/{task_id(task)}"][:3] == ["ONE=UNSET", "TWO=override", "MODE=definition"]


def test_managed_tags_are_on_the_task(rig: Rig) -> None:
    task = rig.run(rig.define("exit:1", command=["0"]), enableECSManagedTags=True, tags=[{"key": "a", "value": "b"}])
    assert task["tags"] == [{"key": "a", "value": "b"}, {"key": "aws:ecs:clusterName", "value": "c"}]
    rig.stopped(task["taskArn"])


def test_docker_labels_are_on_the_container_beside_those_of_ecs(rig: Rig) -> None:
    task = rig.run(
        rig.define("exit:1", command=["0"], dockerLabels={"team": "stock", "com.amazonaws.ecs.cluster": "x"})
    )
    rig.stopped(task["taskArn"])
    (labels,) = (spec.labels for spec, _ in rig.runtime.containers if spec.task_id == task_id(task))
    assert labels["team"] == "stock"
    assert labels["com.amazonaws.ecs.cluster"] == task["clusterArn"]


ASM = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
FILES = "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "
NO_START: dict[str, tuple[dict[str, Any], str]] = {
    "unknown secret": (
        {"secrets": [{"name": "K", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:no-AbCdEf"}]},
        (
            f"{ASM}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:no-AbCdEf from secrets manager: "
            "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        ),
    ),
    "unknown parameter": (
        {"secrets": [{"name": "K", "valueFrom": "/no"}]},
        f"{ASM}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /no",
    ),
    "unknown secret of the log driver": (
        {
            "logConfiguration": {
                "logDriver": "splunk",
                "options": {"splunk-url": "https://splunk.example.com"},
                "secretOptions": [{"name": "splunk-token", "valueFrom": "/no"}],
            }
        },
        f"{ASM}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /no",
    ),
    "no bucket of an environment file": (
        {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::no-bucket/a.env"}]},
        f"{FILES}NoSuchBucket: The specified bucket does not exist",
    ),
    "no environment file": (
        {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::envs/no.env"}]},
        f"{FILES}NoSuchKey: The specified key does not exist.",
    ),
    "unknown log group": (
        {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/no"}}},
        (
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not "
            "exist. : exit status 1"
        ),
    ),
    "unknown image": (
        {"image": "missing:1"},
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
            "missing:1: missing:1: not found"
        ),
    ),
    "unknown program": (
        {"entryPoint": ["/no/such"]},
        "CannotStartContainerError: [Errno 2] No such file or directory: '/no/such'",
    ),
}


@pytest.mark.parametrize(("container", "reason"), NO_START.values(), ids=list(NO_START))
def test_a_task_that_cannot_start_says_why(rig: Rig, container: dict[str, Any], reason: str) -> None:
    stopped = rig.stopped(rig.run(rig.define(**container))["taskArn"])
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("TaskFailedToStart", reason)
    assert "exitCode" not in stopped["containers"][0]
    assert "startedAt" not in stopped
    if reason.startswith("Cannot"):
        assert stopped["containers"][0]["reason"] == reason


def test_a_missing_json_key_of_a_secret(rig: Rig) -> None:
    arn = rig.client("secretsmanager").create_secret(Name="keys", SecretString=json.dumps({"a": "hidden"}))["ARN"]
    definition = rig.define(secrets=[{"name": "K", "valueFrom": f"{arn}:b::"}])
    reason = rig.stopped(rig.run(definition)["taskArn"])["stoppedReason"]
    assert reason.endswith("retrieved secret from Secrets Manager did not contain json key b")
    assert "hidden" not in reason


def test_stop_task_terminates_and_says_who_asked(rig: Rig) -> None:
    task = rig.run(rig.define())
    eventually(lambda: rig.task(task["taskArn"]), lambda t: t["lastStatus"] == "RUNNING")
    answer = rig.ecs.stop_task(cluster="c", task=task["taskArn"], reason="enough")["task"]
    assert answer["desiredStatus"] == "STOPPED"
    stopped = rig.stopped(task["taskArn"])
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert stopped["containers"][0]["exitCode"] in {0, 143}


def test_a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout(rig: Rig) -> None:
    task = rig.run(rig.define("stubborn:1", stopTimeout=2, logConfiguration=LOGGED))
    eventually(lambda: rig.log("/app").get(f"ecs/app/{task_id(task)}"), lambda lines: lines == ["up"])
    rig.ecs.stop_task(cluster="c", task=task_id(task))
    stopped = rig.stopped(task["taskArn"])
    assert stopped["containers"][0]["exitCode"] == 137
    assert (stopped["executionStoppedAt"] - stopped["stoppingAt"]).total_seconds() >= 2
    assert stopped["stoppedReason"] == "Task stopped by user"


def test_stop_task_before_it_runs(rig: Rig) -> None:
    rig.runtime.pulling.clear()
    rig.runtime.may_pull.clear()
    task = rig.run(rig.define())
    assert rig.runtime.pulling.wait(20)
    assert rig.task(task["taskArn"])["lastStatus"] == "PENDING"
    rig.ecs.stop_task(cluster="c", task=task["taskArn"])
    rig.runtime.may_pull.set()
    stopped = rig.stopped(task["taskArn"])
    assert stopped["stopCode"] == "UserInitiated"
    assert "exitCode" not in stopped["containers"][0]
    assert "startedAt" not in stopped


def containers(*shapes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"image": "sleeper:1", **shape} for shape in shapes]


def started_order(rig: Rig, task: dict[str, Any]) -> list[str]:
    return [spec.name for spec, _ in rig.runtime.containers if spec.task_id == task_id(task)]


def test_containers_start_and_stop_in_the_order_of_their_dependencies(rig: Rig) -> None:
    definition = rig.define(
        containers=containers(
            {
                "name": "app",
                "dependsOn": [
                    {"containerName": "init", "condition": "SUCCESS"},
                    {"containerName": "proxy", "condition": "HEALTHY"},
                    {"containerName": "note", "condition": "COMPLETE"},
                ],
            },
            {"name": "init", "image": "exit:1", "command": ["0"], "essential": False},
            {
                "name": "note",
                "image": "exit:1",
                "command": ["4"],
                "essential": False,
                "dependsOn": [{"containerName": "init", "condition": "START"}],
            },
            {"name": "proxy", "healthCheck": {"command": ["CMD", "true"], "interval": 5}},
        )
    )
    task = rig.run(definition)
    running = eventually(lambda: rig.task(task["taskArn"]), lambda t: t["lastStatus"] == "RUNNING")
    order = started_order(rig, task)
    assert order[-1] == "app"
    assert order.index("init") < order.index("note")
    assert running["healthStatus"] == "HEALTHY"
    assert {c["name"]: c.get("exitCode") for c in running["containers"]} == {
        "app": None, "init": 0, "note": 4, "proxy": None,
    }  # fmt: skip
    rig.ecs.stop_task(cluster="c", task=task["taskArn"])
    rig.stopped(task["taskArn"])


def test_a_dependency_that_does_not_succeed_fails_the_task(rig: Rig) -> None:
    definition = rig.define(
        containers=containers(
            {"name": "app", "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]},
            {"name": "init", "image": "exit:1", "command": ["3"], "essential": False},
        )
    )
    task = rig.run(definition)
    stopped = rig.stopped(task["taskArn"])
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    by_name = {c["name"]: c for c in stopped["containers"]}
    assert by_name["init"]["exitCode"] == 3
    assert by_name["app"]["reason"] == (
        "dependency graph: failed to resolve container ordering dependency [init] for target [app] as dependency did "
        "not exit successfully."
    )
    assert started_order(rig, task) == ["init"]


def test_the_end_of_a_sidecar_leaves_the_task_and_that_of_an_essential_container_ends_it(rig: Rig) -> None:
    definition = rig.define(
        containers=containers(
            {"name": "app"}, {"name": "sidecar", "image": "exit:1", "command": ["5"], "essential": False}
        )
    )
    task = rig.run(definition)
    alone = eventually(
        lambda: rig.task(task["taskArn"]),
        lambda t: t["lastStatus"] == "RUNNING" and any(c.get("exitCode") == 5 for c in t["containers"]),
    )
    assert alone["desiredStatus"] == "RUNNING"
    next(c for spec, c in rig.runtime.containers if spec.task_id == task_id(task) and spec.name == "app").kill()
    stopped = rig.stopped(task["taskArn"])
    assert stopped["stopCode"] == "EssentialContainerExited"


def test_unhealthy_one_off_tasks_are_shown_and_left_alone(rig: Rig) -> None:
    task = rig.run(rig.define(healthCheck={"command": ["CMD", "false"], "interval": 5, "retries": 1, "startPeriod": 1}))
    ill = eventually(lambda: rig.task(task["taskArn"]), lambda t: t["healthStatus"] == "UNHEALTHY")
    assert (ill["lastStatus"], ill["desiredStatus"]) == ("RUNNING", "RUNNING")
    rig.ecs.stop_task(cluster="c", task=task["taskArn"])
    rig.stopped(task["taskArn"])


def test_list_tasks_filters_and_pages(rig: Rig) -> None:
    definition = rig.define(family="listed")
    answer = rig.ecs.run_task(cluster="c", taskDefinition=definition, launchType="FARGATE", count=3,
                              networkConfiguration=rig.network, startedBy="lister")  # fmt: skip
    arns = [t["taskArn"] for t in answer["tasks"]]
    listed = rig.ecs.list_tasks
    assert listed(cluster="c", startedBy="lister")["taskArns"] == arns
    first = listed(cluster="c", family="listed", maxResults=2)
    rest = listed(cluster="c", family="listed", maxResults=2, nextToken=first["nextToken"])
    assert [*first["taskArns"], *rest["taskArns"]] == arns
    assert listed(cluster="c", family="listed", launchType="EC2")["taskArns"] == []
    assert listed(cluster="c", family="listed", desiredStatus="STOPPED")["taskArns"] == []
    for arn in arns:
        rig.ecs.stop_task(cluster="c", task=arn)
    for arn in arns:
        rig.stopped(arn)
    assert listed(cluster="c", family="listed", desiredStatus="STOPPED")["taskArns"] == arns
    with pytest.raises(ClientError, match="cannot use listTasks startedBy with other filters"):
        listed(cluster="c", family="listed", startedBy="lister")
    with pytest.raises(ClientError) as unknown:
        listed(cluster="c", serviceName="nope")
    assert unknown.value.response["Error"]["Code"] == "ServiceNotFoundException"


def test_describe_tasks_reports_missing_ones_and_tags(rig: Rig) -> None:
    task = rig.run(rig.define("exit:1", command=["0"]), tags=[{"key": "a", "value": "b"}])
    answer = rig.ecs.describe_tasks(cluster="c", tasks=[task_id(task), "nope"], include=["TAGS"])
    assert answer["tasks"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert answer["failures"] == [{"arn": "arn:aws:ecs:eu-west-1:123456789012:task/c/nope", "reason": "MISSING"}]
    rig.stopped(task["taskArn"])
    rig.ecs.create_cluster(clusterName="other")
    assert rig.ecs.describe_tasks(cluster="other", tasks=[task["taskArn"]])["tasks"] == []


def test_client_token_makes_run_task_idempotent(rig: Rig) -> None:
    definition = rig.define("exit:1", command=["0"])
    first, again = (rig.run(definition, clientToken="once") for _ in range(2))
    assert first["taskArn"] == again["taskArn"]
    with pytest.raises(ClientError) as conflict:
        rig.run(definition, clientToken="once", startedBy="else")
    assert conflict.value.response["Error"]["Code"] == "ConflictException"
    rig.stopped(first["taskArn"])


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown cluster": ({"cluster": "nope"}, "ClusterNotFoundException", "Cluster not found."),
    "unknown task definition": ({"taskDefinition": "nope"}, "ClientException", "TaskDefinition not found."),
    "inactive task definition": ({"taskDefinition": "gone:1"}, "ClientException", "TaskDefinition is inactive"),
    "no network": (
        {"networkConfiguration": {}},
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ),
    "no container instances": (
        {"launchType": "EC2"},
        "InvalidParameterException",
        "No Container Instances were found in your cluster.",
    ),
    "too many": ({"count": 11}, "InvalidParameterException", "count must be between 1 and 10."),
    "unknown container": (
        {"overrides": {"containerOverrides": [{"name": "x"}]}},
        "InvalidParameterException",
        "Override for container named x is not a container in the TaskDefinition.",
    ),
}


@pytest.mark.parametrize(("change", "code", "text"), REFUSED.values(), ids=list(REFUSED))
def test_run_task_refuses(rig: Rig, change: dict[str, Any], code: str, text: str) -> None:
    rig.define(family="fine")
    rig.ecs.deregister_task_definition(taskDefinition=rig.define(family="gone"))
    request = {"cluster": "c", "taskDefinition": "fine", "launchType": "FARGATE", "networkConfiguration": rig.network}
    with pytest.raises(ClientError) as refused:
        rig.ecs.run_task(**{**request, **change})
    assert refused.value.response["Error"] == {"Code": code, "Message": text}


def test_stop_task_refuses_an_unknown_task(rig: Rig) -> None:
    with pytest.raises(ClientError, match="The referenced task was not found"):
        rig.ecs.stop_task(cluster="c", task="nope")


def test_a_family_means_its_latest_active_revision(rig: Rig) -> None:
    kept = rig.define("exit:1", family="latest", command=["0"])
    rig.ecs.deregister_task_definition(taskDefinition=rig.define("exit:1", family="latest", command=["9"]))
    task = rig.run("latest")
    assert task["taskDefinitionArn"] == kept
    assert rig.stopped(task["taskArn"])["containers"][0]["exitCode"] == 0


def test_the_metadata_endpoint_knows_the_task_and_its_container(rig: Rig) -> None:
    definition = rig.define("environment:1", command=["ECS_CONTAINER_METADATA_URI_V4"], logConfiguration=LOGGED)
    task = rig.run(definition)
    stopped = rig.stopped(task["taskArn"])
    uri = rig.log("/app")[f"ecs/app/{task_id(task)}"][0].split("=", 1)[1]
    assert uri == f"{rig.endpoint}/_seatrial/v4/{task_id(task)}-app"
    container = rig.engine.metadata(uri.rsplit("/", 1)[1], "")
    assert container is not None
    assert (container["Name"], container["Image"], container["KnownStatus"]) == ("app", "environment:1", "STOPPED")
    address = stopped["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert container["Networks"][0]["IPv4Addresses"] == [address]
    whole = rig.engine.metadata(uri.rsplit("/", 1)[1], "task")
    assert whole is not None
    assert whole["TaskARN"] == task["taskArn"]
    assert [c["Name"] for c in whole["Containers"]] == ["app"]
    assert whole["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert rig.engine.metadata("0" * 32, "task") is None
    assert rig.engine.metadata(f"{task_id(task)}-other", "") is None
    assert rig.engine.metadata(task_id(task), "stats") is None
    json.dumps(whole)


def test_an_emulator_that_stops_ends_stubborn_tasks_too(tmp_path: Path) -> None:
    with emulated_ecs(tmp_path) as rig:
        task = rig.run(rig.define("stubborn:1", stopTimeout=120))
        eventually(lambda: rig.task(task["taskArn"]), lambda t: t["lastStatus"] == "RUNNING")
        rig.engine.stop()
        assert rig.runtime.alive() == []
        assert rig.task(task["taskArn"])["lastStatus"] == "STOPPED"
