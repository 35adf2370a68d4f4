"""Resource types: what reaches the services, in place and anew, attributes, deletion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.emulator.cloudformation.support import Bench


STACK, IN_PLACE = ((Path(__file__).parent / f"{name}.yaml").read_text() for name in ("stack", "in_place"))


def failures(aws: Bench, name: str) -> list[tuple[str, str, str]]:
    return [event for event in aws.events(name) if "FAILED" in event[1]]


@pytest.fixture(scope="module")
def shop(aws: Bench) -> Iterator[dict[str, str]]:
    """A stack with nearly every type, created once; its physical ids by logical id."""
    stack = aws.create("shop", STACK, Capabilities=["CAPABILITY_IAM"])
    assert stack["StackStatus"] == "CREATE_COMPLETE", failures(aws, "shop")
    yield {name: entry["PhysicalResourceId"] for name, entry in aws.resources("shop").items()}
    if "shop" in {stack["StackName"] for stack in aws.cloudformation.describe_stacks()["Stacks"]}:
        stack = aws.delete("shop")
        assert stack["StackStatus"] == "DELETE_COMPLETE", failures(aws, stack["StackId"])


def test_networks(aws: Bench, shop: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpc_attribute(VpcId=shop["Vpc"], Attribute="enableDnsHostnames")
    assert vpc["EnableDnsHostnames"]["Value"] is True
    nets = ec2.describe_subnets(SubnetIds=[shop["NetA"], shop["NetB"]])["Subnets"]
    assert {(net["CidrBlock"], net["AvailabilityZone"]) for net in nets} == {
        ("10.0.0.0/24", "eu-west-1a"),
        ("10.0.1.0/24", "eu-west-1b"),
    }
    (table,) = ec2.describe_route_tables(RouteTableIds=[shop["Table"]])["RouteTables"]
    assert {route.get("GatewayId") for route in table["Routes"]} == {"local", shop["Gateway"], shop["Endpoint"]}
    assert {entry["SubnetId"] for entry in table["Associations"]} == {shop["NetA"]}


def test_security_groups(aws: Bench, shop: dict[str, str]) -> None:
    groups = aws.client("ec2").describe_security_groups(GroupIds=[shop["BalancerGroup"], shop["AppGroup"]])[
        "SecurityGroups"
    ]
    by_id = {group["GroupId"]: group for group in groups}
    balancer, app = by_id[shop["BalancerGroup"]], by_id[shop["AppGroup"]]
    assert [(rule["FromPort"], rule["IpRanges"][0]["CidrIp"]) for rule in balancer["IpPermissions"]] == [
        (80, "0.0.0.0/0")
    ]
    assert [rule["IpProtocol"] for rule in app["IpPermissionsEgress"]] == ["-1"]
    # A group whose egress is written down has no default egress.
    assert [(rule["IpProtocol"], rule["FromPort"]) for rule in balancer["IpPermissionsEgress"]] == [("tcp", 8000)]
    (ingress,) = app["IpPermissions"]
    assert [pair["GroupId"] for pair in ingress["UserIdGroupPairs"]] == [shop["BalancerGroup"]]


def test_load_balancing(aws: Bench, shop: dict[str, str]) -> None:
    elb = aws.client("elbv2")
    attributes = elb.describe_target_group_attributes(TargetGroupArn=shop["Blue"])["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "20"} in attributes
    (group,) = elb.describe_target_groups(TargetGroupArns=[shop["Blue"]])["TargetGroups"]
    assert (group["HealthCheckPath"], group["HealthCheckIntervalSeconds"], group["TargetType"]) == ("/health", 5, "ip")
    (listener,) = elb.describe_listeners(ListenerArns=[shop["Listener"]])["Listeners"]
    weights = {
        entry["TargetGroupArn"]: entry["Weight"]
        for entry in listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    }
    assert weights == {shop["Blue"]: 100, shop["Green"]: 0}
    (rule,) = elb.describe_rules(RuleArns=[shop["Rule"]])["Rules"]
    assert rule["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "403"
    outputs = aws.outputs("shop")
    assert outputs["BalancerName"].startswith("app/")
    assert outputs["GroupName"].startswith("targetgroup/")


def test_task_definitions_are_whole(aws: Bench, shop: dict[str, str]) -> None:
    task = aws.client("ecs").describe_task_definition(taskDefinition=shop["Task"])["taskDefinition"]
    assert (task["cpu"], task["memory"], task["networkMode"]) == ("256", "512", "awsvpc")
    assert task["requiresCompatibilities"] == ["FARGATE"]
    assert task["executionRoleArn"].endswith(f"role/{shop['Role']}")
    (container,) = task["containerDefinitions"]
    assert container["portMappings"][0]["containerPort"] == 8000
    assert container["secrets"] == [{"name": "PASSWORD", "valueFrom": f"{shop['Secret']}:password::"}]
    assert container["logConfiguration"]["options"]["awslogs-group"] == shop["Logs"]
    cluster = aws.client("ecs").describe_clusters(clusters=[shop["Cluster"]], include=["SETTINGS"])["clusters"][0]
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]


def test_database_secret_and_attachment(aws: Bench, shop: dict[str, str]) -> None:
    content = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=shop["Secret"])["SecretString"])
    (database,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier=shop["Database"])["DBInstances"]
    assert content["username"] == "app"
    assert len(content["password"]) == 30
    assert content["host"] == database["Endpoint"]["Address"] == aws.outputs("shop")["DatabaseHost"]
    assert content["dbInstanceIdentifier"] == shop["Database"]
    assert database["MasterUsername"] == "app"
    assert database["DBSubnetGroup"]["DBSubnetGroupName"] == shop["DatabaseNets"]


def test_bucket_settings(aws: Bench, shop: dict[str, str]) -> None:
    s3, bucket = aws.client("s3"), shop["Media"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["AllowedMethods"] == ["GET"]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert (
        s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
        == "BucketOwnerEnforced"
    )
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert policy["Statement"][0]["Resource"] == f"arn:aws:s3:::{bucket}/*"
    assert shop["Distribution"] in policy["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceArn"]


def test_identity(aws: Bench, shop: dict[str, str]) -> None:
    iam, role = aws.client("iam"), shop["Role"]
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["inline", "more"]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [shop["Managed"]]
    provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=shop["Oidc"])
    assert provider["ClientIDList"] == ["sts.amazonaws.com"]


def test_registry_logs_alarms_and_events(aws: Bench, shop: dict[str, str]) -> None:
    ecr = aws.client("ecr")
    (repository,) = ecr.describe_repositories(repositoryNames=[shop["Images"]])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert "rules" in json.loads(ecr.get_lifecycle_policy(repositoryName=shop["Images"])["lifecyclePolicyText"])
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=shop["Logs"])["logGroups"]
    assert group["retentionInDays"] == 7
    assert (
        aws.client("logs").describe_metric_filters(logGroupName=shop["Logs"])["metricFilters"][0]["filterPattern"]
        == "ERROR"
    )
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[shop["Alarm"]])["MetricAlarms"]
    assert alarm["Threshold"] == 1.0
    targets = aws.client("events").list_targets_by_rule(Rule=shop["Nightly"])["Targets"]
    assert targets[0]["EcsParameters"]["TaskDefinitionArn"] == shop["Task"]
    schedule = aws.client("scheduler").get_schedule(Name=shop["Hourly"], GroupName=shop["Schedules"])
    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert schedule["Target"]["EcsParameters"]["TaskDefinitionArn"] == shop["Task"]


def test_messages_functions_names_and_certificates(aws: Bench, shop: dict[str, str]) -> None:
    queue = aws.client("sqs").get_queue_attributes(QueueUrl=shop["Queue"], AttributeNames=["All"])["Attributes"]
    assert queue["VisibilityTimeout"] == "45"
    assert (
        aws.client("sns").list_subscriptions_by_topic(TopicArn=shop["Topic"])["Subscriptions"][0]["Endpoint"]
        == queue["QueueArn"]
    )
    function = aws.client("lambda").get_function(FunctionName=shop["Function"])["Configuration"]
    assert (function["Runtime"], function["Timeout"]) == ("python3.12", 5)
    policy = json.loads(aws.client("lambda").get_policy(FunctionName=shop["Function"])["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    certificate = aws.client("acm").describe_certificate(CertificateArn=shop["Certificate"])["Certificate"]
    assert certificate["Status"] == "ISSUED"
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=shop["Zone"])["ResourceRecordSets"]
    alias = next(record for record in records if record["Name"] == "www.shop.test.")
    assert alias["AliasTarget"]["DNSName"].rstrip(".").endswith("elb.amazonaws.com")
    distribution = aws.client("cloudfront").get_distribution(Id=shop["Distribution"])["Distribution"][
        "DistributionConfig"
    ]
    assert distribution["Origins"]["Items"][0]["DomainName"].startswith(shop["Media"])
    key = aws.client("kms").get_key_rotation_status(KeyId=shop["Key"])
    assert key["KeyRotationEnabled"] is True


def test_everything_goes_with_the_stack(aws: Bench, shop: dict[str, str]) -> None:
    """The last test of the module: nothing of the stack is left, and the database leaves a final snapshot."""
    stack = aws.delete("shop")
    assert stack["StackStatus"] == "DELETE_COMPLETE", failures(aws, stack["StackId"])
    assert not [vpc for vpc in aws.client("ec2").describe_vpcs()["Vpcs"] if vpc["VpcId"] == shop["Vpc"]]
    assert shop["Media"] not in {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    assert shop["Role"] not in {role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]}
    snapshots = aws.client("rds").describe_db_snapshots()["DBSnapshots"]
    assert [
        snapshot["DBInstanceIdentifier"]
        for snapshot in snapshots
        if snapshot["DBSnapshotIdentifier"].startswith("shop-snapshot-database")
    ] == [shop["Database"]]


def test_updates_in_place(aws: Bench) -> None:
    created = aws.create("inplace", IN_PLACE, Capabilities=["CAPABILITY_IAM"])
    assert created["StackStatus"] == "CREATE_COMPLETE", failures(aws, "inplace")
    before = {name: entry["PhysicalResourceId"] for name, entry in aws.resources("inplace").items()}
    two = [{"ParameterKey": "Version", "ParameterValue": "2"}]
    updated = aws.update("inplace", Parameters=two, Capabilities=["CAPABILITY_IAM"])
    assert updated["StackStatus"] == "UPDATE_COMPLETE", failures(aws, "inplace")
    after = {name: entry["PhysicalResourceId"] for name, entry in aws.resources("inplace").items()}
    assert {name for name in after if after[name] != before[name]} == {"Task"}
    ec2 = aws.client("ec2")
    assert ec2.describe_vpc_attribute(VpcId=after["Vpc"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    (group,) = ec2.describe_security_groups(GroupIds=[after["Group"]])["SecurityGroups"]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [81]
    assert [rule.get("FromPort") for rule in group["IpPermissionsEgress"]] == [443]
    (blue,) = aws.client("elbv2").describe_target_groups(TargetGroupArns=[after["Blue"]])["TargetGroups"]
    assert blue["HealthCheckPath"] == "/health/2"
    assert aws.client("iam").list_role_policies(RoleName=after["Role"])["PolicyNames"] == ["p2"]
    assert "b.amazonaws.com" in json.dumps(
        aws.client("iam").get_role(RoleName=after["Role"])["Role"]["AssumeRolePolicyDocument"]
    )
    assert aws.client("s3").get_bucket_versioning(Bucket=after["Bucket"])["Status"] == "Suspended"
    assert (
        "retentionInDays"
        not in aws.client("logs").describe_log_groups(logGroupNamePrefix=after["Logs"])["logGroups"][0]
    )
    queue = aws.client("sqs").get_queue_attributes(QueueUrl=after["Queue"], AttributeNames=["VisibilityTimeout"])
    assert queue["Attributes"]["VisibilityTimeout"] == "20"
    assert (
        aws.client("ecr").describe_repositories(repositoryNames=[after["Images"]])["repositories"][0][
            "imageTagMutability"
        ]
        == "IMMUTABLE"
    )
    assert aws.client("lambda").get_function(FunctionName=after["Function"])["Configuration"]["Timeout"] == 6
    assert [target["Id"] for target in aws.client("events").list_targets_by_rule(Rule=after["Rule"])["Targets"]] == [
        "t2"
    ]
    (database,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier=after["Database"])["DBInstances"]
    assert database["AllocatedStorage"] == 30
    assert after["Task"].endswith("fixed:2")
    gone = aws.delete("inplace")
    assert gone["StackStatus"] == "DELETE_COMPLETE", failures(aws, gone["StackId"])
