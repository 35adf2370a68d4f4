"""Deployment alarms: CloudWatch alarms that roll a deployment back, by SetAlarmState and by metrics that are put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.emulator.ecs.stages import Stages
from tests.functional.emulator.ecs.support import Rig, emulated_ecs, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WATCHED: dict[str, Any] = {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}
ALARMED = "Service deployment rolled back because an alarm was detected."


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with emulated_ecs(tmp_path, time_scale=0.002) as rig:
        put_alarm(rig)
        yield rig


def put_alarm(rig: Rig, **more: Any) -> None:
    rig.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": "errors",
            "Namespace": "app",
            "MetricName": "errors",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **more,
        }
    )


def set_alarm(rig: Rig, state: str) -> None:
    rig.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue=state, StateReason="a test")


def state_of(rig: Rig) -> str:
    return str(rig.client("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateValue"])


def test_an_alarm_during_the_bake_rolls_back(rig: Rig) -> None:
    stages = Stages(rig)
    stages.build()
    stages.create()
    stages.release(strategy="BLUE_GREEN", bakeTimeInMinutes=1440, **WATCHED)
    assert stages.at("BAKE_TIME")["alarms"] == {
        "status": "MONITORING",
        "alarmNames": ["errors"],
        "triggeredAlarmNames": [],
    }
    assert stages.weights() == (100, 0)
    set_alarm(rig, "ALARM")
    record = stages.finished("ROLLBACK_SUCCESSFUL")
    assert record["statusReason"] == ALARMED
    assert record["alarms"] == {"status": "TRIGGERED", "alarmNames": ["errors"], "triggeredAlarmNames": ["errors"]}
    assert stages.weights() == (0, 100)
    assert any(e.endswith("deployment failed: alarm detected.") for e in rig.events())


def test_a_rolling_update_bakes_and_an_alarm_rolls_it_back(rig: Rig) -> None:
    stages = Stages(rig)
    rig.create(rig.define())
    rig.stable()
    stages.release(bakeTimeInMinutes=1440, **WATCHED)
    service = eventually(rig.service, lambda s: s["runningCount"] == 1 and len(s["deployments"]) == 1)
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS", "it bakes"
    set_alarm(rig, "ALARM")
    assert stages.finished("ROLLBACK_SUCCESSFUL")["statusReason"] == ALARMED
    assert rig.stable()["taskDefinition"].endswith(":1")


def test_an_alarm_that_is_on_before_is_ignored(rig: Rig) -> None:
    stages = Stages(rig)
    rig.create(rig.define())
    rig.stable()
    set_alarm(rig, "ALARM")
    stages.release(**WATCHED)
    assert stages.finished("SUCCESSFUL")["alarms"]["status"] == "DISABLED"


def test_without_rollback_an_alarm_stops_the_deployment(rig: Rig) -> None:
    stages = Stages(rig)
    rig.create(rig.define())
    rig.stable()
    stages.release(bakeTimeInMinutes=1440, alarms={**WATCHED["alarms"], "rollback": False})
    eventually(rig.service, lambda s: s["runningCount"] == 1 and len(s["deployments"]) == 1)
    set_alarm(rig, "ALARM")
    assert stages.finished("STOPPED")["statusReason"] == "Service deployment stopped because an alarm was detected."


def test_metrics_that_are_put_set_the_alarm_off(rig: Rig) -> None:
    stages = Stages(rig)
    rig.create(rig.define())
    rig.stable()
    stages.release(bakeTimeInMinutes=1440, **WATCHED)
    cloudwatch = rig.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="app", MetricData=[{"MetricName": "errors", "Value": 5}])
    assert state_of(rig) == "OK"
    cloudwatch.put_metric_data(Namespace="app", MetricData=[{"MetricName": "errors", "Values": [4, 4]}])
    assert stages.finished("ROLLBACK_SUCCESSFUL")["alarms"]["triggeredAlarmNames"] == ["errors"]


def test_early_success_leaves_the_old_tasks_to_be_removed_later(rig: Rig) -> None:
    stages = Stages(rig)
    rig.create(rig.define(), desired=2)
    rig.stable()
    rig.targets.delay = 1000.0  # two seconds at this time scale
    early = {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED"}
    stages.release(earlySuccessCriteria=early)
    stages.finished("SUCCESSFUL")
    assert len(rig.service()["deployments"]) == 2, "the old tasks still drain"
    assert rig.stable()["runningCount"] == 2
