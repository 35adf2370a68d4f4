"""What CodeDeploy and ECS keep, describe and refuse around deployments, with AWS's error codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.functional.emulator.codedeploy.support import BlueGreen, appspec
from tests.functional.emulator.ecs.support import emulated_ecs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlueGreen]:
    with emulated_ecs(tmp_path_factory.mktemp("codedeploy"), time_scale=0.002) as rig:
        made = BlueGreen(rig)
        made.build()
        made.create(rig.define())
        made.client.create_application(applicationName="other", computePlatform="ECS")
        yield made


BLUE = {"action": "TERMINATE"}
GROUPS: dict[str, tuple[dict[str, Any], str]] = {
    "no application": ({"applicationName": "nope"}, "ApplicationDoesNotExistException"),
    "a name in use": ({"applicationName": "shop"}, "DeploymentGroupAlreadyExistsException"),
    "no style": ({"deploymentStyle": {}}, "InvalidDeploymentStyleException"),
    "no waits": ({"blueGreenDeploymentConfiguration": {}}, "InvalidBlueGreenDeploymentConfigurationException"),
    "a wait that does not wait": (
        {
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 5},
                "terminateBlueInstancesOnDeploymentSuccess": BLUE,
            }
        },
        "InvalidBlueGreenDeploymentConfigurationException",
    ),
    "too long a wait": (
        {
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
                "terminateBlueInstancesOnDeploymentSuccess": {**BLUE, "terminationWaitTimeInMinutes": 2881},
            }
        },
        "InvalidBlueGreenDeploymentConfigurationException",
    ),
    "no target groups": ({"loadBalancerInfo": {}}, "InvalidLoadBalancerInfoException"),
    "a service twice": ({}, "ECSServiceMappingLimitExceededException"),
    "an unknown service": (
        {"ecsServices": [{"clusterName": "c", "serviceName": "nope"}]},
        "InvalidECSServiceException",
    ),
    "no configuration": ({"deploymentConfigName": "nope"}, "DeploymentConfigDoesNotExistException"),
    "a configuration of servers": (
        {"deploymentConfigName": "CodeDeployDefault.OneAtATime"},
        "InvalidDeploymentConfigNameException",
    ),
    "rollback without events": (
        {"autoRollbackConfiguration": {"enabled": True}},
        "InvalidAutoRollbackConfigException",
    ),
    "rollback on alarms that are not there": (
        {"autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]}},
        "InvalidAutoRollbackConfigException",
    ),
    "alarms without alarms": ({"alarmConfiguration": {"enabled": True}}, "InvalidAlarmConfigException"),
    "servers": ({"autoScalingGroups": ["a"]}, "InvalidInputException"),
}


@pytest.mark.parametrize(("change", "code"), GROUPS.values(), ids=list(GROUPS))
def test_a_group_is_refused(shop: BlueGreen, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        shop.client.create_deployment_group(**{**shop.group(), "applicationName": "other", **change})
    assert refused.value.response["Error"]["Code"] == code


def content(text: str, **more: str) -> dict[str, Any]:
    return {"revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": text, **more}}}


DEPLOYMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "no group": ({"deploymentGroupName": "nope"}, "DeploymentGroupDoesNotExistException"),
    "no group named": ({"deploymentGroupName": None}, "DeploymentGroupNameRequiredException"),
    "no revision": ({}, "RevisionRequiredException"),
    "another content than its digest": (content("{}", sha256="0" * 64), "InvalidRevisionException"),
    "no AppSpec": (content("version: 0.0"), "InvalidRevisionException"),
    "a repository": ({"revision": {"revisionType": "GitHub"}}, "InvalidRevisionException"),
    "an object that is not there": (
        {
            "revision": {
                "revisionType": "S3",
                "s3Location": {"bucket": "releases", "key": "nope", "bundleType": "YAML"},
            }
        },
        "RevisionDoesNotExistException",
    ),
    "an older version of an object": (
        {
            "revision": {
                "revisionType": "S3",
                "s3Location": {"bucket": "releases", "key": "nope", "bundleType": "YAML", "version": "1"},
            }
        },
        "InvalidRevisionException",
    ),
    "a bundle": (
        {
            "revision": {
                "revisionType": "S3",
                "s3Location": {"bucket": "releases", "key": "nope", "bundleType": "zip"},
            }
        },
        "InvalidRevisionException",
    ),
    "an unknown configuration": (
        {**content("{}"), "deploymentConfigName": "nope"},
        "DeploymentConfigDoesNotExistException",
    ),
    "what servers do": ({**content("{}"), "fileExistsBehavior": "OVERWRITE"}, "InvalidInputException"),
}


@pytest.mark.parametrize(("change", "code"), DEPLOYMENTS.values(), ids=list(DEPLOYMENTS))
def test_a_deployment_is_refused(shop: BlueGreen, change: dict[str, Any], code: str) -> None:
    request = {"applicationName": "shop", "deploymentGroupName": "shop", **change}
    with pytest.raises(ClientError) as refused:
        shop.client.create_deployment(**{name: value for name, value in request.items() if value is not None})
    assert refused.value.response["Error"]["Code"] == code


def test_other_platforms_are_kept_and_not_deployed_to(shop: BlueGreen) -> None:
    client = shop.client
    client.create_application(applicationName="servers", computePlatform="Server")
    client.create_deployment_group(
        applicationName="servers",
        deploymentGroupName="all",
        serviceRoleArn="arn:aws:iam::123456789012:role/ecs",
        ec2TagFilters=[{"Key": "app", "Value": "shop", "Type": "KEY_AND_VALUE"}],
    )
    found = client.get_deployment_group(applicationName="servers", deploymentGroupName="all")["deploymentGroupInfo"]
    assert found["ec2TagFilters"] == [{"Key": "app", "Value": "shop", "Type": "KEY_AND_VALUE"}]
    with pytest.raises(ClientError, match="InvalidComputePlatformException"):
        client.create_deployment(applicationName="servers", deploymentGroupName="all", **content("{}"))
    client.delete_application(applicationName="servers")


def test_applications_groups_and_their_tags_are_listed_renamed_and_deleted(shop: BlueGreen) -> None:
    client = shop.client
    made = client.create_application(applicationName="a", computePlatform="ECS", tags=[{"Key": "k", "Value": "v"}])
    assert client.get_application(applicationName="a")["application"]["applicationId"] == made["applicationId"]
    arn = "arn:aws:codedeploy:eu-west-1:123456789012:application:a"
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "l", "Value": "w"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["k"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "l", "Value": "w"}]
    with pytest.raises(ClientError, match="ApplicationAlreadyExistsException"):
        client.create_application(applicationName="a", computePlatform="ECS")
    client.update_application(applicationName="a", newApplicationName="b")
    assert client.list_applications()["applications"] == ["b", "other", "shop"]
    batch = client.batch_get_applications(applicationNames=["b", "shop"])["applicationsInfo"]
    assert [each["computePlatform"] for each in batch] == ["ECS", "ECS"]
    client.delete_application(applicationName="b")
    client.update_deployment_group(
        applicationName="shop", currentDeploymentGroupName="shop", newDeploymentGroupName="new"
    )
    assert client.list_deployment_groups(applicationName="shop")["deploymentGroups"] == ["new"]
    client.update_deployment_group(
        applicationName="shop", currentDeploymentGroupName="new", newDeploymentGroupName="shop",
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
    )  # fmt: skip
    answer = client.batch_get_deployment_groups(applicationName="shop", deploymentGroupNames=["shop", "nope"])
    assert "nope" in answer["errorMessage"]
    [group] = answer["deploymentGroupsInfo"]
    assert group["autoRollbackConfiguration"]["enabled"] is True
    assert group["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    ready = group["blueGreenDeploymentConfiguration"]["deploymentReadyOption"]
    assert ready == {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}


def test_deployment_configurations(shop: BlueGreen) -> None:
    client = shop.client
    names = client.list_deployment_configs()["deploymentConfigsList"]
    assert {name for name in names if ".ECS" in name} == {
        "CodeDeployDefault.ECSAllAtOnce",
        "CodeDeployDefault.ECSCanary10Percent5Minutes",
        "CodeDeployDefault.ECSCanary10Percent15Minutes",
        "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
        "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
    }
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 1}}
    client.create_deployment_config(deploymentConfigName="mine", computePlatform="ECS", trafficRoutingConfig=routing)
    found = client.get_deployment_config(deploymentConfigName="mine")["deploymentConfigInfo"]
    assert found["trafficRoutingConfig"] == routing
    with pytest.raises(ClientError, match="DeploymentConfigAlreadyExistsException"):
        client.create_deployment_config(
            deploymentConfigName="mine", computePlatform="ECS", trafficRoutingConfig=routing
        )
    for wrong in (
        {"type": "TimeBasedCanary"},
        {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 100, "canaryInterval": 1}},
        {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 0}},
        {"type": "AllAtOnce", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 1}},
    ):
        with pytest.raises(ClientError, match="InvalidTrafficRoutingConfigurationException"):
            client.create_deployment_config(
                deploymentConfigName="wrong", computePlatform="ECS", trafficRoutingConfig=wrong
            )
    shop.ended(shop.deploy(shop.rig.define(), deploymentConfigName="mine"))
    client.delete_deployment_config(deploymentConfigName="mine")
    with pytest.raises(ClientError, match="InvalidOperationException"):
        client.delete_deployment_config(deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")


def test_an_appspec_in_a_bucket_says_network_and_functions(shop: BlueGreen, tmp_path: Path) -> None:
    spec = appspec(shop.rig.define())
    properties = spec["Resources"][0]["TargetService"]["Properties"]
    subnets = shop.rig.network["awsvpcConfiguration"]["subnets"][:1]
    properties["NetworkConfiguration"] = {"AwsvpcConfiguration": {"Subnets": subnets, "AssignPublicIp": "ENABLED"}}
    s3 = shop.rig.client("s3")
    s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="releases", Key="appspec.yaml", Body=yaml.safe_dump(spec).encode())
    place = {"bucket": "releases", "key": "appspec.yaml", "bundleType": "YAML"}
    made = shop.client.create_deployment(
        applicationName="shop",
        deploymentGroupName="shop",
        revision={"revisionType": "S3", "s3Location": place},
        description="from a bucket",
    )["deploymentId"]
    info = shop.ended(made)
    assert (info["revision"]["s3Location"], info["description"]) == (place, "from a bucket")
    [alone] = shop.rig.service()["taskSets"]
    assert alone["networkConfiguration"]["awsvpcConfiguration"] == {"subnets": subnets, "assignPublicIp": "ENABLED"}
    batch = shop.client.batch_get_deployments(deploymentIds=[made])["deploymentsInfo"]
    assert [each["status"] for each in batch] == ["Succeeded"]
    assert shop.client.list_deployment_targets(deploymentId=made)["targetIds"] == ["c:web"]
    targets = shop.client.batch_get_deployment_targets(deploymentId=made, targetIds=["c:web"])["deploymentTargets"]
    assert targets[0]["ecsTarget"]["targetArn"].endswith(":service/c/web")
    with pytest.raises(ClientError, match="DeploymentTargetDoesNotExistException"):
        shop.client.get_deployment_target(deploymentId=made, targetId="c:nope")
    with pytest.raises(ClientError, match="DeploymentDoesNotExistException"):
        shop.client.get_deployment(deploymentId="d-NOPE")


def test_an_appspec_that_ecs_refuses_fails_the_deployment(shop: BlueGreen) -> None:
    text = json.dumps(appspec("nope:7"))
    made = shop.client.create_deployment(applicationName="shop", deploymentGroupName="shop", **content(text))
    failed = shop.ended(made["deploymentId"], "Failed")
    assert failed["errorInformation"] == {
        "code": "ECS_UPDATE_ERROR",
        "message": "The ECS service cannot be updated due to the following error: TaskDefinition not found.",
    }


UPDATES: dict[str, tuple[dict[str, Any], str]] = {
    "task definition": ({"taskDefinition": "NEW"}, "update task definition"),
    "network": (
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["SUBNET"], "assignPublicIp": "DISABLED"}}},
        "update network parameters",
    ),
    "load balancers": ({"loadBalancers": []}, "update load balancers"),
    "a new deployment": ({"forceNewDeployment": True}, "force a new deployment"),
}


@pytest.mark.parametrize(("change", "what"), UPDATES.values(), ids=list(UPDATES))
def test_update_service_leaves_the_revision_to_codedeploy(shop: BlueGreen, change: dict[str, Any], what: str) -> None:
    request = json.loads(
        json.dumps(change)
        .replace("NEW", shop.rig.define())
        .replace("SUBNET", shop.rig.network["awsvpcConfiguration"]["subnets"][0])
    )
    with pytest.raises(ClientError) as refused:
        shop.rig.ecs.update_service(cluster="c", service="web", **request)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterException",
        "Message": f"Unable to {what} on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to "
        "trigger a new deployment.",
    }


def test_task_sets_are_described_and_changed_by_nobody_else(shop: BlueGreen) -> None:
    ecs = shop.rig.ecs
    ecs.update_service(cluster="c", service="web", desiredCount=1, healthCheckGracePeriodSeconds=30)
    [known] = shop.rig.service()["taskSets"]
    answer = ecs.describe_task_sets(cluster="c", service="web", taskSets=[known["taskSetArn"], "nope"])
    assert [each["id"] for each in answer["taskSets"]] == [known["id"]]
    assert answer["failures"] == [{"arn": "nope", "reason": "MISSING"}]
    with pytest.raises(ClientError, match="CodeDeploy's"):
        ecs.create_task_set(cluster="c", service="web", taskDefinition="app")
    with pytest.raises(ClientError, match="only supported with the ECS deployment controller"):
        ecs.update_service(
            cluster="c",
            service="web",
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )
    with pytest.raises(ClientError, match="does not support the change of a service's deployment controller"):
        ecs.update_service(cluster="c", service="web", deploymentController={"type": "ECS"})
