"""CodeDeploy for Amazon ECS through boto3: what a deployment does, and what becomes of one that goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.codedeploy.support import BlueGreen
from tests.functional.emulator.ecs.support import emulated_ecs, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLLBACK = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"]}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BlueGreen]:
    with emulated_ecs(tmp_path, time_scale=0.002) as rig:
        made = BlueGreen(rig)
        made.build()
        yield made


def test_all_at_once_replaces_the_task_set_and_the_waiter_sees_it(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), 2)
    before = {t["taskArn"] for t in shop.rig.tasks()}
    new = shop.rig.define()
    deployment = shop.deploy(new)
    waiter = shop.client.get_waiter("deployment_successful")
    waiter.wait(deploymentId=deployment, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    info = shop.ended(deployment)
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert (info["deploymentConfigName"], info["creator"]) == ("CodeDeployDefault.ECSAllAtOnce", "user")
    assert set(shop.events(deployment).values()) == {"Succeeded"}
    assert list(shop.events(deployment)) == [
        "BeforeInstall",
        "Install",
        "AfterInstall",
        "AllowTestTraffic",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AllowTraffic",
        "AfterAllowTraffic",
    ]
    assert shop.weights() == (0, 100)
    assert shop.weights("test") == (0, 100)
    service = shop.rig.service()
    assert service["taskDefinition"] == new
    assert service["deployments"] == []
    [alone] = service["taskSets"]
    assert (alone["status"], alone["externalId"], alone["startedBy"]) == ("PRIMARY", deployment, "CODE_DEPLOY")
    assert alone["loadBalancers"][0]["targetGroupArn"] == shop.groups[1]
    assert not {t["taskArn"] for t in shop.rig.tasks()} & before


def test_a_canary_shows_both_task_sets_with_their_traffic(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes", test=False)
    deployment = shop.deploy(shop.rig.define())
    eventually(shop.weights, lambda w: w == (90, 10))
    target = shop.target(deployment)
    assert (target["status"], target["targetId"]) == ("InProgress", "c:web")
    blue, green = target["taskSetsInfo"]
    assert (blue["taskSetLabel"], blue["status"], blue["trafficWeight"]) == ("Blue", "PRIMARY", 90.0)
    assert (green["taskSetLabel"], green["status"], green["trafficWeight"]) == ("Green", "ACTIVE", 10.0)
    assert (green["targetGroup"]["name"], green["runningCount"]) == ("green", 1)
    assert "AllowTestTraffic" not in shop.events(deployment)
    shop.ended(deployment)
    assert shop.weights() == (0, 100)


def test_a_failing_hook_leaves_the_old_set_serving(shop: BlueGreen) -> None:
    shop.create(shop.rig.define(), autoRollbackConfiguration=ROLLBACK)
    before = {t["taskArn"] for t in shop.rig.tasks()}
    known = shop.rig.service()["taskDefinition"]
    first = shop.hook("first")
    deployment = shop.deploy(
        shop.rig.define(), {"BeforeInstall": first, "AfterAllowTestTraffic": shop.hook("smoke", "Failed")}
    )
    failed = shop.ended(deployment, "Failed")
    assert failed["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    assert shop.events(deployment) == {
        "BeforeInstall": "Succeeded",
        "Install": "Succeeded",
        "AfterInstall": "Succeeded",
        "AllowTestTraffic": "Succeeded",
        "AfterAllowTestTraffic": "Failed",
        "BeforeAllowTraffic": "Skipped",
        "AllowTraffic": "Skipped",
        "AfterAllowTraffic": "Skipped",
    }
    [told] = shop.told("first")
    assert set(told) == {"DeploymentId", "LifecycleEventHookExecutionId"}
    rollback = shop.ended(shop.info(deployment)["rollbackInfo"]["rollbackDeploymentId"])
    assert rollback["creator"] == "codeDeployRollback"
    assert rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert shop.weights() == (100, 0)
    assert shop.weights("test") == (100, 0)
    assert {t["taskArn"] for t in shop.rig.tasks()} == before
    assert shop.rig.service()["taskDefinition"] == known
