"""Blue/green, linear and canary deployments through boto3: stages, traffic, what happens when they go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.loadbalancing import TargetHealth
from tests.functional.ecs_support import Rig, emulated_ecs, eventually
from tests.functional.stages_support import BLUE_GREEN, Stages, pause, put_role

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
    first = stages.create(desired=2)
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
