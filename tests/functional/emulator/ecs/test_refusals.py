"""Requests about services that are refused, with AWS's error codes and texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.ecs.stages import BLUE_GREEN, Stages
from tests.functional.emulator.ecs.support import Rig, emulated_ecs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    "CodeDeploy without a load balancer": (
        {"deploymentController": {"type": "CODE_DEPLOY"}},
        "InvalidParameterException",
        "must have exactly one load balancer",
    ),
    "an external controller": (
        {"deploymentController": {"type": "EXTERNAL"}},
        "UnsupportedFeatureException",
        "does not support the deployment controller EXTERNAL",
    ),
    "constraints and registries": (
        {
            "serviceRegistries": [{"registryArn": "arn:x"}],
            "placementConstraints": [{"type": "distinctInstance"}],
        },
        "UnsupportedFeatureException",
        "does not support serviceRegistries, placementConstraints.",
    ),
    "Service Connect": (
        {"serviceConnectConfiguration": {"enabled": True, "namespace": "shop"}},
        "UnsupportedFeatureException",
        "does not support serviceConnectConfiguration.enabled.",
    ),
    "a role": (
        {"role": "ecsServiceRole"},
        "InvalidParameterException",
        "You cannot specify an IAM role for services that require a service linked role.",
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


CREDENTIALS = {"credentialsParameter": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf"}
EFS = {"name": "media", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
NOT_REGISTERED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "credentials of a registry": (
        {},
        {"repositoryCredentials": CREDENTIALS},
        "UnsupportedFeatureException",
        "does not support containerDefinitions.repositoryCredentials.",
    ),
    "a file system": (
        {"volumes": [EFS]},
        {},
        "UnsupportedFeatureException",
        "does not support volumes.efsVolumeConfiguration.",
    ),
    "restarts and a device": (
        {"pidMode": "task"},
        {"restartPolicy": {"enabled": True}, "linuxParameters": {"sharedMemorySize": 64}},
        "UnsupportedFeatureException",
        "containerDefinitions.restartPolicy.enabled, containerDefinitions.linuxParameters.sharedMemorySize, pidMode.",
    ),
    "what moto would lose": (
        {"enableFaultInjection": True},
        {},
        "UnsupportedFeatureException",
        "does not support enableFaultInjection.",
    ),
    "Windows": (
        {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}},
        {},
        "UnsupportedFeatureException",
        "does not support the operating system family WINDOWS_SERVER_2022_CORE.",
    ),
    "an environment file of another name": (
        {},
        {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::files/settings.txt"}]},
        "InvalidParameterException",
        "The environment file arn:aws:s3:::files/settings.txt is not the ARN of an S3 object ending in .env.",
    ),
    "too many environment files": (
        {},
        {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::files/a.env"}] * 11},
        "InvalidParameterException",
        "A container can not have more than 10 environment files.",
    ),
}


@pytest.mark.parametrize(("more", "container", "code", "text"), NOT_REGISTERED.values(), ids=list(NOT_REGISTERED))
def test_a_task_definition_that_could_not_run_as_it_says_is_not_registered(
    rig: Rig, more: dict[str, Any], container: dict[str, Any], code: str, text: str
) -> None:
    request: dict[str, Any] = {"family": "never", "cpu": "256", "memory": "512", "networkMode": "awsvpc"}
    request["containerDefinitions"] = [{"name": "app", "image": "sleeper:1", **container}]
    with pytest.raises(ClientError) as refused:
        rig.ecs.register_task_definition(**request, requiresCompatibilities=["FARGATE"], **more)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["Error"]["Message"].endswith(text)
    assert rig.ecs.list_task_definitions(familyPrefix="never")["taskDefinitionArns"] == []


def test_what_is_given_and_asks_for_nothing_is_registered(rig: Rig) -> None:
    definition = rig.define(
        family="quiet",
        privileged=False,
        links=[],
        restartPolicy={"enabled": False},
        ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
        linuxParameters={"initProcessEnabled": True},
    )
    found = rig.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    assert found["containerDefinitions"][0]["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]


def test_run_and_update_refuse_members_by_name(rig: Rig) -> None:
    definition = rig.define(family="named")
    with pytest.raises(
        ClientError, match=r"support overrides\.containerOverrides\.resourceRequirements, placementStrategy\."
    ):
        rig.run(
            definition,
            placementStrategy=[{"type": "random"}],
            overrides={
                "containerOverrides": [{"name": "app", "resourceRequirements": [{"type": "GPU", "value": "1"}]}]
            },
        )
    files = [{"type": "s3", "value": "arn:aws:s3:::files/a.txt"}]
    with pytest.raises(ClientError, match=r"is not the ARN of an S3 object ending in \.env"):
        rig.run(definition, overrides={"containerOverrides": [{"name": "app", "environmentFiles": files}]})
    with pytest.raises(ClientError, match=r"does not support serviceRegistries\."):
        rig.ecs.update_service(cluster="c", service="web", serviceRegistries=[{"registryArn": "arn:x"}])


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


CONTRADICTIONS = (
    ({"advancedConfiguration": None}, "advancedConfiguration field is required for all loadBalancers"),
    ({"alternateTargetGroupArn": None}, "alternateTargetGroupArn must be provided in advancedConfiguration"),
    ({"productionListenerRule": None}, "productionListenerRule must be provided in advancedConfiguration"),
    ({"roleArn": None}, "roleArn must be provided in advancedConfiguration"),
    (
        {"productionListenerRule": "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/lb/1/2"},
        "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:",
    ),
    ({"alternateTargetGroupArn": "arn:nothing"}, "The specified target group does not exist: arn:nothing"),
    ({"alternateTargetGroupArn": "BLUE"}, "Duplicate targetGroupArn found: "),
    ({"testListenerRule": "PRODUCTION"}, "cannot be used as both production and test listener rules"),
    ({"loadBalancerName": "classic"}, "All loadBalancers must be strictly either ELBv1"),
    (
        {"loadBalancerName": "classic", "targetGroupArn": None},
        "advancedConfiguration field is not allowed with ELBv1 loadBalancers",
    ),
)


def test_create_refuses_load_balancers_that_contradict_the_strategy(tmp_path: Path) -> None:
    with emulated_ecs(tmp_path) as rig:
        stages = Stages(rig)
        stages.build()
        known = {"BLUE": stages.groups[0], "PRODUCTION": stages.rules["production"]}
        for change, text in CONTRADICTIONS:
            entry = stages.balancer
            for name, value in change.items():
                place = entry["advancedConfiguration"] if name in entry["advancedConfiguration"] else entry
                place[name] = known.get(str(value), value)
            entry["advancedConfiguration"] = _given(entry["advancedConfiguration"] or {}) or None
            with pytest.raises(ClientError, match=re.escape(text)) as refused:
                rig.create(
                    rig.define(), balanced=False, loadBalancers=[_given(entry)], deploymentConfiguration=BLUE_GREEN
                )
            assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
        plain = {k: v for k, v in stages.balancer.items() if k != "advancedConfiguration"}
        with pytest.raises(ClientError, match="Either all or none of the provided loadBalancers"):
            rig.create(
                rig.define(),
                balanced=False,
                loadBalancers=[stages.balancer, plain],
                deploymentConfiguration=BLUE_GREEN,
            )


def test_a_test_rule_is_required_where_production_does_not_name_both_groups(tmp_path: Path) -> None:
    with emulated_ecs(tmp_path) as rig:
        stages = Stages(rig)
        stages.build()
        action = {"Type": "forward", "TargetGroupArn": stages.groups[0]}
        rig.client("elbv2").modify_rule(RuleArn=stages.rules["production"], Actions=[action])
        entry = stages.balancer
        del entry["advancedConfiguration"]["testListenerRule"]
        with pytest.raises(ClientError, match="For Application LoadBalancer, testListenerRule is required"):
            rig.create(rig.define(), balanced=False, loadBalancers=[entry], deploymentConfiguration=BLUE_GREEN)


def _given(shape: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in shape.items() if v is not None}
