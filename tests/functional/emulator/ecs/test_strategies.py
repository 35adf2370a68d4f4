"""Blue/green, linear and canary deployments through boto3: stages, traffic, what happens when they go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.loadbalancing import TargetHealth
from tests.functional.emulator.ecs.stages import BLUE_GREEN, Stages, pause
from tests.functional.emulator.ecs.support import emulated_ecs, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ILL = TargetHealth("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Stages]:
    with emulated_ecs(tmp_path, time_scale=0.002) as rig:
        made = Stages(rig)
        made.build()
        yield made


def test_blue_green_from_the_first_deployment_to_the_next(stages: Stages) -> None:
    first = stages.create(2)
    assert first["sourceServiceRevisions"] == []
    assert first["lifecycleStage"] == "CLEAN_UP"
    assert stages.weights() == (0, 100), "beside the group that the rule named"
    blue = {t["taskArn"] for t in stages.rig.tasks()}
    stages.release(lifecycleHooks=[pause("POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")], **BLUE_GREEN)
    stages.paused()
    assert stages.weights("test") == (100, 0)
    assert stages.weights() == (0, 100), "users are still on blue"
    assert len(stages.rig.tasks()) == 4
    stages.go_on()
    eventually(stages.weights, lambda w: w == (100, 0))
    record = stages.at("POST_PRODUCTION_TRAFFIC_SHIFT")
    stages.paused()
    assert {t["taskArn"] for t in stages.rig.tasks()} > blue, "blue lives on"
    assert record["targetServiceRevision"]["requestedProductionTrafficWeight"] == 100.0
    assert record["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"] == 0.0
    stages.go_on()
    stages.finished("SUCCESSFUL")
    service = stages.rig.stable()
    assert service["runningCount"] == 2
    assert not {t["taskArn"] for t in stages.rig.tasks()} & blue


def test_a_canary_shows_its_share_in_rules_and_revisions(stages: Stages) -> None:
    stages.create()
    canary = {"canaryPercent": 7.5, "canaryBakeTimeInMinutes": 1}
    stages.release(
        strategy="CANARY",
        canaryConfiguration=canary,
        lifecycleHooks=[pause("PRE_PRODUCTION_TRAFFIC_SHIFT")],
    )
    stages.go_on()
    eventually(stages.weights, lambda w: w == (75, 925))
    record = stages.rig.deployment()
    assert record["lifecycleStage"] == "PRODUCTION_TRAFFIC_SHIFT"
    shares = [
        r["requestedProductionTrafficWeight"]
        for r in (record["targetServiceRevision"], *record["sourceServiceRevisions"])
    ]
    assert shares == [7.5, 92.5]
    stages.go_on()
    stages.finished("SUCCESSFUL")
    assert stages.weights() == (100, 0)
    configuration = stages.rig.service()["deploymentConfiguration"]
    assert configuration["canaryConfiguration"] == canary


def test_linear_moves_in_equal_steps_and_tells_its_hooks(stages: Stages) -> None:
    stages.create()
    watcher = stages.function("watcher", "import json\nprint(json.dumps(event))\nreturn {'hookStatus': 'SUCCEEDED'}")
    every = ["PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"]
    arn = stages.release(
        strategy="LINEAR",
        linearConfiguration={"stepPercent": 40.0, "stepBakeTimeInMinutes": 1},
        lifecycleHooks=[stages.hook(watcher, *every, hookDetails={"bucket": "b"})],
    )
    record = stages.finished("SUCCESSFUL")
    told = stages.told("watcher")
    assert [e["lifecycleStage"] for e in told] == [*every[:3], *["PRODUCTION_TRAFFIC_SHIFT"] * 3]
    green, blue = record["targetServiceRevision"]["arn"], record["sourceServiceRevisions"][0]["arn"]
    assert [e["executionDetails"]["productionTrafficWeights"] for e in told[3:]] == [
        {green: 40, blue: 60},
        {green: 80, blue: 20},
        {green: 100, blue: 0},
    ]
    assert told[2]["executionDetails"]["testTrafficWeights"] == {green: 100, blue: 0}
    assert told[0] == {
        "executionId": told[0]["executionId"],
        "lifecycleStage": "PRE_SCALE_UP",
        "resourceArn": arn,
        "executionDetails": {
            "serviceArn": record["serviceArn"],
            "targetServiceRevisionArn": green,
            "testTrafficWeights": {},
            "productionTrafficWeights": {},
        },
        "hookDetails": {"bucket": "b"},
    }


def test_a_function_that_is_not_ready_is_called_again_with_what_it_left(stages: Stages) -> None:
    stages.create()
    body = (
        "import json\nprint(json.dumps(event))\ncount = (event.get('hookDetails') or {}).get('count', 0) + 1\n"
        "if count < 3: return {'hookStatus': 'IN_PROGRESS', 'callBackDelay': 5, 'hookDetails': {'count': count}}\n"
        "return {'hookStatus': 'SUCCEEDED'}"
    )
    poller = stages.function("poller", body)
    stages.release(lifecycleHooks=[stages.hook(poller, "POST_SCALE_UP")], **BLUE_GREEN)
    stages.finished("SUCCESSFUL")
    assert [e.get("hookDetails") for e in stages.told("poller")] == [None, {"count": 1}, {"count": 2}]


BECAUSE = "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. "
HOOKS = {
    "says so": ("return {'hookStatus': 'FAILED'}", "Lifecycle hook target {arn} returned FAILED status."),
    "says nothing": (
        "return None",
        "ECS was unable to parse the response from {arn} due to: HookStatus must not be null.",
    ),
    "raises": (
        "raise RuntimeError('no')",
        "ECS was unable to parse the response from {arn} due to: HookStatus must not be null.",
    ),
    "hangs": (
        "import time\ntime.sleep(60)",
        "ECS was unable to parse the response from {arn} due to: HookStatus must not be null.",
    ),
    "does not exist": (None, "ECS was unable to invoke hook target {arn} due to Function not found: {arn}"),
}


def test_a_hook_that_fails_rolls_back_and_says_how(stages: Stages) -> None:
    stages.create()
    tasks = {t["taskArn"] for t in stages.rig.tasks()}
    for number, (body, reason) in enumerate(HOOKS.values()):
        arn = f"arn:aws:lambda:eu-west-1:123456789012:function:hook{number}"
        if body is not None:
            assert stages.function(f"hook{number}", body, Timeout=1) == arn
        stages.release(lifecycleHooks=[stages.hook(arn, "POST_SCALE_UP")], **BLUE_GREEN)
        record = stages.finished("ROLLBACK_SUCCESSFUL")
        assert record["statusReason"] == BECAUSE + reason.format(arn=arn)
        assert record["lifecycleHookDetails"] == [] or record["lifecycleStage"] == "CLEAN_UP"
    assert stages.weights() == (0, 100)
    assert {t["taskArn"] for t in stages.rig.tasks()} == tasks, "blue was never touched"
    assert f"deployment failed: {BECAUSE}" in " ".join(stages.rig.events())


def test_a_pause_that_nobody_answers(stages: Stages) -> None:
    stages.create()
    stages.release(lifecycleHooks=[pause("POST_TEST_TRAFFIC_SHIFT", minutes=30)], **BLUE_GREEN)
    held = stages.paused()
    assert (held["targetType"], held["timeoutAction"], "targetArn" in held) == ("PAUSE", "ROLLBACK", False)
    assert held["hookId"].startswith("ecs-pause-")
    record = stages.finished("ROLLBACK_SUCCESSFUL")
    assert record["statusReason"] == (
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook timed out."
    )
    assert stages.weights("test") == (0, 100), "test traffic is back on blue"
    stages.release(lifecycleHooks=[pause("POST_TEST_TRAFFIC_SHIFT", minutes=1, action="CONTINUE")], **BLUE_GREEN)
    stages.finished("SUCCESSFUL")


def test_a_pause_is_answered_with_rollback_or_wrongly(stages: Stages) -> None:
    stages.create()
    stages.release(lifecycleHooks=[pause("POST_PRODUCTION_TRAFFIC_SHIFT")], **BLUE_GREEN)
    held, arn = stages.paused(), stages.rig.deployment()["serviceDeploymentArn"]
    answer = stages.rig.ecs.continue_service_deployment
    known = {"serviceDeploymentArn": arn, "hookId": held["hookId"]}
    for wrong, code, text in (
        ({"hookId": "mine"}, "InvalidParameterException", "hookId must follow the format: ecs-{hookType}-{id}"),
        ({"hookId": "ecs-pause-x"}, "InvalidParameterException", "not associated with the given Resource ARN"),
        ({"serviceDeploymentArn": arn + "x"}, "ServiceDeploymentNotFoundException", "does not exist"),
    ):
        with pytest.raises(ClientError, match=text) as refused:
            answer(**{**known, **wrong})
        assert refused.value.response["Error"]["Code"] == code
    answer(**known, action="ROLLBACK")
    stages.finished("ROLLBACK_SUCCESSFUL")
    assert stages.weights() == (0, 100)
    with pytest.raises(ClientError, match="not allowed for service deployment in terminal states"):
        answer(**known)


def test_stopped_during_the_bake_traffic_is_back_at_once_and_blue_untouched(stages: Stages) -> None:
    stages.create(2)
    blue = {t["taskArn"] for t in stages.rig.tasks()}
    watcher = stages.function("watcher", "import json\nprint(json.dumps(event))\nreturn {'hookStatus': 'SUCCEEDED'}")
    shifts = stages.hook(watcher, "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
    arn = stages.release(strategy="BLUE_GREEN", bakeTimeInMinutes=1440, lifecycleHooks=[shifts])
    stages.at("BAKE_TIME")
    assert stages.weights() == (100, 0)
    stages.rig.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    record = stages.finished("ROLLBACK_SUCCESSFUL")
    assert record["statusReason"] == ("Service deployment rolled back because it was stopped by StopServiceDeployment.")
    assert record["rollback"]["serviceRevisionArn"] == record["sourceServiceRevisions"][0]["arn"]
    assert (stages.weights(), stages.weights("test")) == ((0, 100), (0, 100))
    assert {t["taskArn"] for t in stages.rig.tasks()} == blue
    assert [e["lifecycleStage"] for e in stages.told("watcher")] == [
        "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT",
    ], "the hooks of both shifts run on the way back too"  # fmt: skip


def test_aborted_it_stays_where_it_is_and_the_next_release_reconciles(stages: Stages) -> None:
    stages.create()
    canary = {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1440}
    arn = stages.release(strategy="CANARY", canaryConfiguration=canary)
    eventually(stages.weights, lambda w: w == (20, 80))
    stages.rig.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    stages.finished("STOPPED")
    assert stages.weights() == (20, 80)
    left = {t["taskArn"] for t in stages.rig.tasks()}
    stages.release(lifecycleHooks=[pause("PRE_SCALE_UP")], **BLUE_GREEN)
    stages.paused()
    assert stages.weights() == (0, 100), "everything is on blue before green is started"
    assert len({t["taskArn"] for t in stages.rig.tasks()} & left) == 1
    stages.go_on()
    stages.finished("SUCCESSFUL")
    assert stages.weights() == (100, 0)


def test_a_newer_deployment_reconciles_the_one_under_way(stages: Stages) -> None:
    stages.create()
    canary = {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1440}
    first = stages.release(strategy="CANARY", canaryConfiguration=canary)
    eventually(stages.weights, lambda w: w == (20, 80))
    watcher = stages.function("watcher", "import json\nprint(json.dumps(event))\nreturn {'hookStatus': 'SUCCEEDED'}")
    stages.release(lifecycleHooks=[stages.hook(watcher, "RECONCILE_SERVICE")], **BLUE_GREEN)
    stages.finished("SUCCESSFUL")
    described = stages.rig.ecs.describe_service_deployments(serviceDeploymentArns=[first])["serviceDeployments"][0]
    assert described["status"] == "STOPPED"
    assert [e["lifecycleStage"] for e in stages.told("watcher")] == ["RECONCILE_SERVICE"]
    assert stages.weights() == (100, 0)
    assert stages.rig.stable()["runningCount"] == 1


def test_green_that_is_never_healthy_gets_no_traffic(stages: Stages) -> None:
    breaker: dict[str, Any] = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    stages.create(**breaker)
    serving = stages.rig.targets.serving()
    stages.rig.targets.judge = lambda a: TargetHealth("healthy") if a in serving else ILL
    stages.release()
    record = stages.finished("ROLLBACK_SUCCESSFUL")
    assert record["statusReason"] == (
        "Service deployment rolled back because the circuit breaker threshold was exceeded."
    )
    assert record["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert stages.weights() == (0, 100)
    assert stages.weights("test") == (0, 100)
    assert stages.rig.targets.serving() == serving


def test_a_first_deployment_by_stages_has_nothing_to_roll_back_to(stages: Stages) -> None:
    breaker: dict[str, Any] = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    stages.rig.targets.judge = lambda _address: TargetHealth("initial")
    stages.rig.create(
        stages.rig.define("exit:1", command=["1"]),
        balanced=False,
        loadBalancers=[stages.balancer],
        deploymentConfiguration={**BLUE_GREEN, **breaker},
    )
    record = stages.finished("ROLLBACK_FAILED")
    assert record["statusReason"] == "No rollback candidate was found to run the rollback."
    assert stages.weights() == (100, 0), "the rule is as it was"


def test_a_rule_that_forwards_elsewhere_is_found_out(stages: Stages) -> None:
    stages.create()
    stray = stages.rig.target_group("stray")
    elb = stages.rig.client("elbv2")
    elb.modify_rule(RuleArn=stages.rules["production"], Actions=[{"Type": "forward", "TargetGroupArn": stray}])
    stages.release()
    reason = stages.finished("ROLLBACK_SUCCESSFUL")["statusReason"]
    assert reason.startswith(
        "Service deployment rolled back because of invalid networking configuration. Production listener rule is "
        f"forwarding traffic to unexpected target group {stray}."
    )


def test_a_service_without_load_balancer_goes_through_the_stages(stages: Stages) -> None:
    stages.rig.create(stages.rig.define(), balanced=False, deploymentConfiguration=BLUE_GREEN)
    stages.finished("SUCCESSFUL")
    stages.release(lifecycleHooks=[pause("POST_TEST_TRAFFIC_SHIFT")], **BLUE_GREEN)
    stages.paused()
    assert len(stages.rig.tasks()) == 2
    assert "requestedProductionTrafficWeight" not in stages.rig.deployment()["targetServiceRevision"]
    stages.go_on()
    stages.finished("SUCCESSFUL")
    assert stages.rig.stable()["runningCount"] == 1


def test_a_revision_says_where_its_tasks_stand(stages: Stages) -> None:
    stages.create()
    target = stages.rig.deployment()["targetServiceRevision"]["arn"]
    revision = stages.rig.ecs.describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"][0]
    assert revision["resolvedConfiguration"]["loadBalancers"] == [
        {"targetGroupArn": stages.groups[1], "productionListenerRule": stages.rules["production"]}
    ]
    assert revision["loadBalancers"] == [stages.balancer]
    assert stages.rig.service()["loadBalancers"] == [stages.balancer]


def test_a_rolling_update_afterwards_stays_in_the_group_that_serves(stages: Stages) -> None:
    stages.create()
    stages.release(strategy="ROLLING")
    stages.finished("SUCCESSFUL")
    assert "lifecycleStage" not in stages.rig.deployment()
    assert stages.weights() == (0, 100)
    target = stages.rig.deployment()["targetServiceRevision"]["arn"]
    revision = stages.rig.ecs.describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"][0]
    assert revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"] == stages.groups[1]
