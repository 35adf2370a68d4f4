"""Clients that nobody here wrote, against the emulator with the example released on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from seatrial.emulator import process as emulators
from seatrial.stack import names
from tests.system.stage import TIME_SCALE, copy_example, region

if TYPE_CHECKING:
    from tests.system.stage import Stage

BIN = Path(sys.executable).parent


def environment(endpoint: str, region_: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": region_,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_PAGER": "",
        "PYTHONWARNINGS": "ignore",
    }


class Shell:
    """Runs other people's programs with nothing but the endpoint in their environment."""

    def __init__(self, endpoint: str, region_: str, directory: Path) -> None:
        self._environment = environment(endpoint, region_)
        self._directory = directory

    def run(self, program: str, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [str(BIN / program), *arguments],
            env=self._environment, cwd=self._directory, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def aws(self, *arguments: str) -> Any:
        text = self.run("aws", *arguments)
        return json.loads(text) if text.lstrip().startswith("{") else text


@pytest.fixture
def shell(released: Stage) -> Shell:
    return Shell(released.info.endpoint, released.settings.app.region, released.project)


def test_the_aws_cli_describes_waits_and_reads_logs(released: Stage, shell: Shell) -> None:
    cluster = names.cluster(released.settings)
    services = shell.aws("ecs", "describe-services", "--cluster", cluster, "--services", "web", "worker")["services"]
    assert [each["runningCount"] for each in services] == [2, 1]
    assert services[0]["deployments"][0]["rolloutState"] == "COMPLETED"
    shell.aws("ecs", "wait", "services-stable", "--cluster", cluster, "--services", "web", "worker", "beat")


def test_the_aws_cli_tails_logs(released: Stage, shell: Shell) -> None:
    """`logs tail` came with version 2 of the AWS CLI, which is in no wheel: scripts/test installs the system's."""
    two = next(
        (found for path in os.get_exec_path() if (found := shutil.which("aws", path=path)) and version(found) >= 2),
        None,
    )
    assert two is not None, "there is no AWS CLI version 2 on PATH (Debian's package is awscli)"
    group = names.log_group(released.settings, "web")
    tail = shell.run(two, "logs", "tail", group, "--since", "1h", "--endpoint-url", released.info.endpoint)
    assert "ecs/web/" in tail
    assert "gunicorn" in tail


def version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("aws-cli/").split(".")[0])


def test_the_aws_cli_runs_a_task(released: Stage, shell: Shell) -> None:
    settings = released.settings
    cluster = names.cluster(settings)
    stack = shell.aws("cloudformation", "describe-stacks", "--stack-name", names.app_stack(settings))["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    network = (
        f"awsvpcConfiguration={{subnets=[{outputs['TaskSubnets']}],securityGroups=[{outputs['TaskSecurityGroup']}],"
        f"assignPublicIp={outputs['AssignPublicIp']}}}"
    )
    overrides = {"containerOverrides": [{"name": "migrate", "command": ["python", "-c", "raise SystemExit(7)"]}]}
    task = shell.aws(
        "ecs", "run-task", "--cluster", cluster, "--task-definition", names.family(settings, "migrate"),
        "--launch-type", "FARGATE", "--network-configuration", network, "--overrides", json.dumps(overrides),
    )["tasks"][0]["taskArn"]  # fmt: skip
    client = boto3.client("ecs", endpoint_url=released.info.endpoint, region_name=settings.app.region,
                          aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
    client.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[task], WaiterConfig={"Delay": 1})
    container = client.describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]["containers"][0]
    assert container["exitCode"] == 7


def test_ecs_deploy_releases_and_reports_rightly(released: Stage, shell: Shell) -> None:
    settings = released.settings
    cluster = names.cluster(settings)
    before = released.ecs.task_definition(released.ecs.services(["web"])["web"].task_definition)
    image = before.document["containerDefinitions"][0]["image"]
    said = shell.run(
        "ecs", "deploy", cluster, "web", "-i", "web", image, "-e", "web", "BY", "ecs-deploy", "--timeout", "120"
    )
    assert "Deployment successful" in said
    live = released.ecs.task_definition(released.ecs.services(["web"])["web"].task_definition)
    assert {"name": "BY", "value": "ecs-deploy"} in live.document["containerDefinitions"][0]["environment"]
    missing = image.split("@")[0] + "@sha256:" + "0" * 64
    shell.run("ecs", "deploy", cluster, "web", "-i", "web", missing, "--timeout", "60", "--rollback", expect=1)
    service = released.ecs.services(["web"])["web"]
    assert service.running == service.desired == 2


@pytest.mark.timeout(420)
def test_the_aws_cli_deploys_the_synthesised_templates(tmp_path: Path) -> None:
    project = tmp_path / "project"
    copy_example(project)
    info = emulators.start("foreign", project, runtime="process", time_scale=TIME_SCALE, region=region(project))
    try:
        shell = Shell(info.endpoint, region(project), project)
        shell.run("seatrial", "synth", "--environment", "local", "--output", "infra")
        shell.aws("s3", "mb", "s3://artifacts")
        for stack, name in (("base", "stockweb-base"), ("app", "stockweb-local")):
            template = project / "infra" / "cloudformation" / "local" / stack / f"{stack}.yaml"
            shell.aws("cloudformation", "package", "--template-file", str(template), "--s3-bucket", "artifacts",
                      "--output-template-file", f"{stack}.yaml")  # fmt: skip
            said = shell.aws("cloudformation", "deploy", "--template-file", f"{stack}.yaml", "--stack-name", name,
                             "--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_IAM")  # fmt: skip
            assert f"Successfully created/updated stack - {name}" in said
    finally:
        emulators.stop("foreign", project)
