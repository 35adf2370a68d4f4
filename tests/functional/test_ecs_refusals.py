"""Requests about services that are refused, with AWS's error codes and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.ecs_support import Rig, emulated_ecs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with emulated_ecs(tmp_path_factory.mktemp("ecs")) as rig:
        yield rig


GOOD: dict[str, Any] = {"desiredCount": 0, "launchType": "FARGATE"}
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown cluster": ({"cluster": "nope"}, "ClusterNotFoundException", "Cluster not found."),
    "unknown task definition": ({"taskDefinition": "nope"}, "ClientException", "TaskDefinition not found."),
    "inactive task definition": ({"taskDefinition": "gone:1"}, "ClientException", "TaskDefinition is inactive"),
    "no network": ({"networkConfiguration": None}, "InvalidParameterException", "Network Configuration must be"),
    "unknown subnet": (
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}},
        "InvalidParameterException",
        "The subnet ID 'subnet-1' does not exist",
    ),
    "no container": (
        {"loadBalancers": [{"containerName": "x", "containerPort": 8000}]},
        "InvalidParameterException",
        "The container x does not exist in the task definition.",
    ),
    "no port": (
        {"loadBalancers": [{"containerName": "app", "containerPort": 1}]},
        "InvalidParameterException",
        "The container app did not have a container port 1 defined.",
    ),
    "grace without balancer": (
        {"healthCheckGracePeriodSeconds": 30},
        "InvalidParameterException",
        "Health check grace period is only valid for services configured to use load balancers",
    ),
    "blue/green without a bake time": (
        {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
        "InvalidParameterException",
        "bakeTimeInMinutes is required when using the BLUE_GREEN deployment strategy",
    ),
    "hooks of a rolling update": (
        {"deploymentConfiguration": {"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}]}},
        "UnsupportedFeatureException",
        "does not support deployment lifecycle hooks with the ROLLING strategy",
    ),
    "CodeDeploy": (
        {"deploymentController": {"type": "CODE_DEPLOY"}},
        "UnsupportedFeatureException",
        "does not support the deployment controller CODE_DEPLOY",
    ),
    "percentages": (
        {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 50}},
        "InvalidParameterException",
        "must not be above",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "code", "text"), REFUSED.values(), ids=list(REFUSED))
def test_create_refuses(rig: Rig, change: dict[str, Any], code: str, text: str) -> None:
    rig.define()
    rig.ecs.deregister_task_definition(taskDefinition=rig.define(family="gone"))
    request: dict[str, Any] = {
        "cluster": "c",
        "serviceName": "web",
        "taskDefinition": "app",
        "networkConfiguration": rig.network,
    }
    request |= {**GOOD, **change}
    for balancer in request.get("loadBalancers", ()):
        balancer["targetGroupArn"] = rig.target_group()
    with pytest.raises(ClientError) as refused:
        rig.ecs.create_service(**{k: v for k, v in request.items() if v is not None})
    assert refused.value.response["Error"]["Code"] == code
    assert text in refused.value.response["Error"]["Message"]


def test_create_refuses_target_groups_that_cannot_work(rig: Rig) -> None:
    definition = rig.define()
    rig.targets.attached = False
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        rig.create(definition)
    rig.targets.attached = True
    balancer = {
        "targetGroupArn": rig.target_group("byinstance", "instance"),
        "containerName": "app",
        "containerPort": 8000,
    }
    with pytest.raises(ClientError, match="incompatible with the awsvpc network mode"):
        rig.create(definition, balanced=False, loadBalancers=[balancer])


def test_update_refuses_an_inactive_revision_and_an_unknown_service(rig: Rig) -> None:
    rig.create(rig.define(), desired=0)
    gone = rig.define()
    rig.ecs.deregister_task_definition(taskDefinition=gone)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        rig.ecs.update_service(cluster="c", service="web", taskDefinition=gone)
    with pytest.raises(ClientError) as unknown:
        rig.ecs.update_service(cluster="c", service="nope", desiredCount=1)
    assert unknown.value.response["Error"]["Code"] == "ServiceNotFoundException"
