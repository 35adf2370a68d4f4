"""Every answer fits AWS's own service model: no field that botocore does not know, every type as it says."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from seatrial.emulator.ecs.model import Advanced, LoadBalancer
from seatrial.emulator.ecs.shapes import (
    revision_shape,
    service_deployment_brief,
    service_deployment_shape,
    service_shape,
    task_shape,
)
from seatrial.emulator.ecs.strategy import CANARY, PAUSE_STAGES
from seatrial.emulator.ecs.task_sets import open_set
from tests.unit.emulator.ecs.support import GROUP, Stage

MODEL = botocore.session.get_session().get_service_model("ecs")


def errors(shape: str, value: dict[str, Any]) -> str:
    return str(ParamValidator().validate(value, MODEL.shape_for(shape)).generate_report())


@pytest.fixture
def stage() -> Stage:
    """A service in the middle of a rollback, with a running, a draining and a stopped task."""
    stage = Stage(desired=2, configuration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}})
    stage.step()
    for task in stage.alive:
        stage.run(task)
    stage.step()
    stage.deploy()
    stage.step()
    while stage.service.history[0].rollback is None:
        for task in stage.alive:
            if task.stopping:
                stage.die(task)
            elif task.deployment is stage.service.primary and task.started is None:
                stage.run(task, healthy=False)
                stage.tell(task, "unhealthy")
        stage.step(10.0)
    return stage


def test_service(stage: Stage) -> None:
    shape = service_shape(stage.service, stage.alive)
    assert errors("Service", shape) == ""
    assert [d["status"] for d in shape["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert shape["runningCount"] == sum(d["runningCount"] for d in shape["deployments"])


def test_service_that_codedeploy_deploys() -> None:
    stage = Stage()
    stage.service.controller, stage.service.history = "CODE_DEPLOY", []
    known = stage.service.primary
    open_set(
        stage.world,
        stage.service,
        known.definition,
        placement=known.revision.placement,
        load_balancers=known.revision.load_balancers,
        external_id="d-1",
    )
    stage.step()
    for task in stage.alive:
        stage.run(task)
    stage.step()
    shape = service_shape(stage.service, stage.alive)
    assert errors("Service", shape) == ""
    assert shape["deployments"] == []
    assert [(each["status"], each["stabilityStatus"], each["runningCount"]) for each in shape["taskSets"]] == [
        ("PRIMARY", "STEADY_STATE", 1),
        ("ACTIVE", "STEADY_STATE", 1),
    ]
    stage.service.deployments[1].draining = True
    stage.step()
    assert service_shape(stage.service, stage.alive)["taskSets"][1]["status"] == "DRAINING"
    for task in stage.alive:
        if task.stopping:
            stage.die(task)
    stage.step()
    assert stage.service.deployments == [known]
    assert "taskSet" in " ".join(stage.events())


def test_service_deployment_and_revision(stage: Stage) -> None:
    for record in stage.service.history:
        assert errors("ServiceDeployment", service_deployment_shape(stage.service, record, stage.alive)) == ""
        assert errors("ServiceDeploymentBrief", service_deployment_brief(stage.service, record)) == ""
        assert errors("ServiceRevision", revision_shape(stage.service, record.target)) == ""


def test_service_deployment_by_stages() -> None:
    stage = Stage(desired=2)
    stage.traffic.rules = {"production": {GROUP: 100, "alternate": 0}, "test": {GROUP: 0, "alternate": 100}}
    stage.balancers = (LoadBalancer(GROUP, "app", 80, Advanced("alternate", "production", "test", "role")),)
    hook = {"targetType": "PAUSE", "lifecycleStages": list(PAUSE_STAGES)}
    for _ in range(40):
        stage.settle()
    stage.service.configuration |= {"strategy": "CANARY", "canaryConfiguration": CANARY, "lifecycleHooks": [hook]}
    stage.deploy()
    stages = ServiceDeploymentStages()
    for _ in range(60):
        stage.settle()
        record = stage.service.history[0]
        shape = service_deployment_shape(stage.service, record, stage.alive)
        assert errors("ServiceDeployment", shape) == ""
        assert errors("Service", service_shape(stage.service, stage.alive)) == ""
        assert errors("ServiceRevision", revision_shape(stage.service, record.target)) == ""
        stages.add(shape["lifecycleStage"])
        if record.rollout:
            for run in record.rollout.hooks:
                run.end("SUCCEEDED", proceeds=True)
    assert stages.unknown() == []
    assert stage.service.history[0].status == "SUCCESSFUL"
    assert stage.traffic.rules["production"] == {"alternate": 100, GROUP: 0}


class ServiceDeploymentStages(set[str]):
    """Stages that were shown."""

    def unknown(self) -> list[str]:
        """Those that the service model does not enumerate."""
        return sorted(self - set(MODEL.shape_for("ServiceDeploymentLifecycleStage").enum))


def test_task_in_every_status(stage: Stage) -> None:
    task = stage.alive[0]
    for status in (
        "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED",
    ):  # fmt: skip
        task.move(status)
        assert errors("Task", task_shape(task)) == ""
    for stopped in stage.state.tasks.values():
        assert errors("Task", task_shape(stopped)) == ""


@pytest.mark.parametrize(
    "name",
    ["CreateService", "UpdateService", "DeleteService", "DescribeServices", "ListServices", "RunTask", "StopTask",
     "DescribeTasks", "ListTasks", "ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions",
     "StopServiceDeployment", "ContinueServiceDeployment", "DeleteCluster"],
)  # fmt: skip
def test_every_operation_exists_in_the_model(name: str) -> None:
    assert name in MODEL.operation_names
