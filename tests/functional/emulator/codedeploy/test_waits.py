"""Waits, stops, alarms and rollbacks of CodeDeploy, through boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.loadbalancing import TargetHealth
from tests.functional.emulator.codedeploy.support import BlueGreen
from tests.functional.emulator.ecs.stages import Stages
from tests.functional.emulator.ecs.support import emulated_ecs, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "CodeDeployDefault.ECSCanary10Percent15Minutes"
ON_REQUEST = {"enabled": True, "events": ["DEPLOYMENT_STOP_ON_REQUEST"]}
TELL = "import json\nprint(json.dumps(event))"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BlueGreen]:
    with emulated_ecs(tmp_path, time_scale=0.05) as rig:
        made = BlueGreen(rig)
        made.build()
        yield made


def waits(minutes: int, termination: int = 0) -> dict[str, Any]:
    return {
        "deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": minutes},
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": termination,
        },
    }


def go_on(shop: BlueGreen, deployment: str, wait: str) -> None:
    shop.client.continue_deployment(deploymentId=deployment, deploymentWaitType=wait)


def test_rerouting_and_termination_wait_until_they_are_told(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), blueGreenDeploymentConfiguration=waits(1000, 1000))
    before = {t["taskArn"] for t in shop.rig.tasks()}
    deployment = shop.deploy(shop.rig.define())
    with pytest.raises(ClientError, match="DeploymentIsNotInReadyStateException"):
        go_on(shop, deployment, "TERMINATION_WAIT")
    eventually(lambda: shop.info(deployment)["status"], lambda status: status == "Ready")
    assert shop.weights() == (100, 0)
    assert shop.weights("test") == (0, 100)
    assert shop.client.list_deployments(
        applicationName="shop", deploymentGroupName="shop", includeOnlyStatuses=["Ready"]
    )["deployments"] == [deployment]
    with pytest.raises(ClientError, match=r"DeploymentLimitExceededException.*already has an active Deployment"):
        shop.deploy(shop.rig.define())
    go_on(shop, deployment, "READY_WAIT")
    eventually(lambda: shop.info(deployment), lambda d: d["instanceTerminationWaitTimeStarted"])
    assert shop.info(deployment)["status"] == "InProgress"
    assert shop.weights() == (0, 100)
    assert {t["taskArn"] for t in shop.rig.tasks()} > before, "the original task set lives on"
    described = shop.rig.ecs.describe_task_sets(cluster="c", service="web")["taskSets"]
    assert [each["status"] for each in described] == ["PRIMARY", "ACTIVE"]
    go_on(shop, deployment, "TERMINATION_WAIT")
    shop.ended(deployment)
    assert not {t["taskArn"] for t in shop.rig.tasks()} & before
    with pytest.raises(ClientError, match="DeploymentAlreadyCompletedException"):
        go_on(shop, deployment, "READY_WAIT")


def test_rerouting_that_nobody_starts_is_stopped(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), blueGreenDeploymentConfiguration=waits(0))
    stopped = shop.ended(shop.deploy(shop.rig.define()), "Stopped")
    assert stopped["errorInformation"]["message"].startswith(
        "The deployment timed out while waiting for a notification to continue."
    )
    assert shop.weights() == (100, 0)


def test_a_deployment_that_is_stopped_goes_back_where_it_is_told_to(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), deploymentConfigName=LONG, autoRollbackConfiguration=ON_REQUEST)
    before = {t["taskArn"] for t in shop.rig.tasks()}
    deployment = shop.deploy(shop.rig.define())
    eventually(shop.weights, lambda w: w == (90, 10))
    assert shop.client.stop_deployment(deploymentId=deployment)["status"] == "Pending"
    stopped = shop.ended(deployment, "Stopped")
    assert stopped["errorInformation"]["code"] == "MANUAL_STOP"
    shop.ended(stopped["rollbackInfo"]["rollbackDeploymentId"])
    assert shop.weights() == (100, 0)
    assert {t["taskArn"] for t in shop.rig.tasks()} == before
    with pytest.raises(ClientError, match="DeploymentAlreadyCompletedException"):
        shop.client.stop_deployment(deploymentId=deployment)


def test_stopped_without_rollback_it_stays_and_the_next_release_cleans_up(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), deploymentConfigName=LONG)
    first = shop.deploy(shop.rig.define())
    eventually(shop.weights, lambda w: w == (90, 10))
    shop.client.stop_deployment(deploymentId=first, autoRollbackEnabled=False)
    assert "rollbackInfo" not in shop.ended(first, "Stopped")
    assert shop.weights() == (90, 10)
    left = shop.rig.service()["taskSets"]
    assert [each["status"] for each in left] == ["PRIMARY", "ACTIVE"]
    new = shop.rig.define()
    second = shop.deploy(new, deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
    shop.ended(second)
    [alone] = shop.rig.service()["taskSets"]
    assert (alone["taskDefinition"], alone["externalId"]) == (new, second)
    listed = shop.client.list_deployments(applicationName="shop", deploymentGroupName="shop")["deployments"]
    assert listed == [second, first]


def test_an_alarm_stops_the_deployment_and_rolls_it_back(shop: BlueGreen) -> None:
    shop.rig.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        MetricName="HTTPCode_Target_5XX_Count",
        Namespace="AWS/ApplicationELB",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    shop.create(
        shop.rig.define(),
        deploymentConfigName=LONG,
        alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    )
    deployment = shop.deploy(shop.rig.define())
    eventually(shop.weights, lambda w: w == (90, 10))
    shop.rig.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    stopped = shop.ended(deployment, "Stopped")
    assert stopped["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert "<errors>" in stopped["errorInformation"]["message"]
    shop.ended(stopped["rollbackInfo"]["rollbackDeploymentId"])
    assert shop.weights() == (100, 0)


def test_green_without_healthy_tasks_gets_no_traffic(shop: BlueGreen) -> None:
    shop.create(shop.rig.define())
    serving, good = shop.rig.targets.serving(), shop.rig.targets.judge("")
    ill = TargetHealth("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
    shop.rig.targets.judge = lambda address: good if address in serving else ill
    deployment = shop.deploy(shop.rig.define(), autoRollbackConfiguration=ON_REQUEST)
    eventually(shop.rig.events, lambda told: any("is unhealthy in (target-group" in each for each in told))
    assert shop.events(deployment)["Install"] == "InProgress"
    assert (shop.weights(), shop.weights("test")) == ((100, 0), (100, 0))
    shop.client.stop_deployment(deploymentId=deployment)
    shop.ended(shop.ended(deployment, "Stopped")["rollbackInfo"]["rollbackDeploymentId"])
    assert shop.rig.targets.serving() == serving


def test_only_what_is_put_answers_for_a_hook(shop: BlueGreen) -> None:
    shop.create(shop.rig.define())
    Stages(shop.rig).function("quiet", TELL)
    deployment = shop.deploy(shop.rig.define(), {"BeforeAllowTraffic": "quiet"})
    shop.at(deployment, "BeforeAllowTraffic")
    execution = eventually(lambda: shop.told("quiet"), bool)[-1]["LifecycleEventHookExecutionId"]
    assert shop.events(deployment)["BeforeAllowTraffic"] == "InProgress", "what it returned says nothing"
    for identifier, status, code in (
        ("nonsense", "Succeeded", "InvalidLifecycleEventHookExecutionIdException"),
        (execution, "Skipped", "InvalidLifecycleEventHookExecutionStatusException"),
    ):
        with pytest.raises(ClientError, match=code):
            shop.client.put_lifecycle_event_hook_execution_status(
                deploymentId=deployment, lifecycleEventHookExecutionId=identifier, status=status
            )
    shop.put(deployment, "quiet", "Succeeded")
    shop.ended(deployment)
    with pytest.raises(ClientError, match="LifecycleEventAlreadyCompletedException"):
        shop.put(deployment, "quiet", "Failed")


def test_a_hook_that_does_not_exist_fails_the_deployment(shop: BlueGreen) -> None:
    shop.create(shop.rig.define())
    failed = shop.ended(shop.deploy(shop.rig.define(), {"AfterInstall": "nowhere"}), "Failed")
    assert failed["errorInformation"]["code"] == "INVALID_LAMBDA_FUNCTION"
    assert "nowhere" in failed["errorInformation"]["message"]


def test_a_listener_that_forwards_elsewhere_is_found_out(shop: BlueGreen) -> None:
    shop.create(shop.rig.define())
    other = shop.rig.target_group("other")
    shop.rig.client("elbv2").modify_listener(
        ListenerArn=shop.listeners["production"], DefaultActions=[{"Type": "forward", "TargetGroupArn": other}]
    )
    failed = shop.ended(shop.deploy(shop.rig.define()), "Failed")
    assert failed["errorInformation"] == {
        "code": "ELASTIC_LOAD_BALANCING_INVALID",
        "message": "The ELB could not be updated due to the following error: Primary taskset target group must be "
        f"behind listener {shop.listeners['production']}",
    }


def test_a_service_that_is_deleted_fails_its_deployment(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), deploymentConfigName=LONG)
    deployment = shop.deploy(shop.rig.define())
    eventually(shop.weights, lambda w: w == (90, 10))
    shop.rig.ecs.delete_service(cluster="c", service="web", force=True)
    assert shop.ended(deployment, "Failed")["errorInformation"]["code"] == "INVALID_ECS_SERVICE"
    with pytest.raises(ClientError, match="InvalidECSServiceException"):
        shop.deploy(shop.rig.define())
