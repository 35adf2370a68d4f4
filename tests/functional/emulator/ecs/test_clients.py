"""Clients that nobody here wrote: boto3's waiters, the AWS CLI and the PyPI tool ``ecs-deploy``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import WaiterError

from seatrial.emulator.loadbalancing import TargetHealth
from tests.functional.emulator.ecs.support import REGION, Rig, eventually

QUICK = {"Delay": 1, "MaxAttempts": 30}


def program(rig: Rig, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment against the rig."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    return subprocess.run(
        [str(Path(sys.executable).with_name(name)), *arguments],
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": rig.endpoint, "AWS_PAGER": "", **credentials},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_waiters_of_boto3(rig: Rig) -> None:
    rig.create(rig.define())
    rig.ecs.get_waiter("services_stable").wait(cluster="c", services=["web"], WaiterConfig=QUICK)
    task = rig.run(rig.define(family="one"))["taskArn"]
    rig.ecs.get_waiter("tasks_running").wait(cluster="c", tasks=[task], WaiterConfig=QUICK)
    rig.ecs.stop_task(cluster="c", task=task)
    rig.ecs.get_waiter("tasks_stopped").wait(cluster="c", tasks=[task], WaiterConfig=QUICK)
    with pytest.raises(WaiterError):
        rig.ecs.get_waiter("tasks_running").wait(cluster="c", tasks=[task], WaiterConfig=QUICK)
    rig.ecs.delete_service(cluster="c", service="web", force=True)
    rig.ecs.get_waiter("services_inactive").wait(cluster="c", services=["web"], WaiterConfig=QUICK)


def test_the_aws_cli_describes_waits_and_runs(rig: Rig) -> None:
    rig.create(rig.define())
    rig.stable()
    assert program(rig, "aws", "ecs", "wait", "services-stable", "--cluster", "c", "--services", "web").returncode == 0
    described = program(rig, "aws", "ecs", "describe-services", "--cluster", "c", "--services", "web",
                        "--query", "services[0].deployments[0].rolloutState", "--output", "text")  # fmt: skip
    assert described.stdout.strip() == "COMPLETED"
    network = f"awsvpcConfiguration={{subnets=[{rig.network['awsvpcConfiguration']['subnets'][0]}]}}"
    ran = program(rig, "aws", "ecs", "run-task", "--cluster", "c", "--launch-type", "FARGATE", "--task-definition",
                  rig.define("exit:1", family="job", command=["4"]), "--network-configuration", network,
                  "--query", "tasks[0].taskArn", "--output", "text")  # fmt: skip
    assert rig.stopped(ran.stdout.strip())["containers"][0]["exitCode"] == 4


def test_ecs_deploy_releases_and_reports_it(rig: Rig) -> None:
    rig.create(rig.define("sleeper:1"))
    rig.stable()
    done = program(rig, "ecs", "deploy", "c", "web", "--tag", "2", "--timeout", "60", "--sleep-time", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Deployment successful" in done.stdout
    task = rig.tasks()[0]
    assert task["containers"][0]["image"] == "sleeper:2"
    assert rig.stable()["taskDefinition"].endswith("app:2")


def test_ecs_deploy_reports_a_failed_release(rig: Rig) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    rig.create(rig.define("sleeper:1"), deploymentConfiguration=breaker)
    rig.stable()
    rig.targets.judge = lambda address: TargetHealth("healthy" if address.endswith(".1") else "initial")
    done = program(rig, "ecs", "deploy", "c", "web", "--image", "app", "missing:1", "--timeout", "60",
                   "--sleep-time", "1", "--ignore-warnings")  # fmt: skip
    assert done.returncode != 0, done.stdout
    assert "Deployment Failed! ECS deployment circuit breaker: tasks failed to start." in done.stdout + done.stderr
    eventually(rig.targets.serving, lambda serving: serving == {"127.200.1.1"})
