"""What a change set announces: replacement by the registry's schemas, details, causes."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.emulator.cloudformation.changes import Change, Version, alike, compare, replacement
from seatrial.emulator.cloudformation.intrinsics import Unknown
from seatrial.emulator.cloudformation.schemas import Schemas, faults

SCHEMAS = Schemas("eu-west-1")


def version(properties: dict[str, Any], written: dict[str, Any] | None = None, **definition: Any) -> Version:
    return Version({"Properties": written if written is not None else properties, **definition}, properties)


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}, {"CidrBlock": "10.1.0.0/16"}, "True"),
        ("AWS::EC2::VPC", {"EnableDnsSupport": True}, {"EnableDnsSupport": False}, "False"),
        ("AWS::RDS::DBInstance", {"Engine": "postgres"}, {"Engine": "mysql"}, "Conditional"),
        ("AWS::RDS::DBInstance", {"AllocatedStorage": "20"}, {"AllocatedStorage": "40"}, "False"),
        ("AWS::ECS::TaskDefinition", {"Cpu": "256"}, {"Cpu": "512"}, "True"),
        ("AWS::ECS::Service", {"TaskDefinition": "a:1"}, {"TaskDefinition": "a:2"}, "False"),
        ("AWS::ECS::Service", {"Cluster": "a"}, {"Cluster": Unknown(("Cluster",))}, "Conditional"),
        ("AWS::ECS::Service", {"TaskDefinition": "a"}, {"TaskDefinition": Unknown(("Task",))}, "False"),
        (
            "AWS::ECR::Repository",
            {"EncryptionConfiguration": {"EncryptionType": "AES256"}},
            {"EncryptionConfiguration": {"EncryptionType": "KMS"}},
            "True",
        ),
        ("AWS::S3::Bucket", {"BucketName": "a"}, {}, "True"),
        ("Custom::Thing", {"a": 1}, {"a": 2}, "False"),
    ],
)
def test_replacement(kind: str, before: dict[str, Any], after: dict[str, Any], expected: str) -> None:
    details = compare(SCHEMAS.get(kind), version(before), version(after))
    assert details
    assert replacement(details) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [(80, "80"), (True, "true"), ({"a": [1, "x"]}, {"a": ["1", "x"]}), (None, None)],
)
def test_values_that_are_the_same_to_cloudformation(before: Any, after: Any) -> None:
    assert alike(before, after)


@pytest.mark.parametrize(("before", "after"), [(80, 81), ({"a": 1}, {}), ([1, 2], [2, 1]), (None, ""), ("a", ["a"])])
def test_values_that_are_not(before: Any, after: Any) -> None:
    assert not alike(before, after)


def test_a_detail_says_what_it_hangs_on() -> None:
    schema = SCHEMAS.get("AWS::EC2::Subnet")
    written = {
        "VpcId": {"Ref": "Vpc"},
        "CidrBlock": {"Fn::GetAtt": ["Vpc", "CidrBlock"]},
        "AvailabilityZone": {"Ref": "Zone"},
    }
    old = version({"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "a"}, written)
    new = version(
        {"VpcId": Unknown(("Vpc",)), "CidrBlock": Unknown(("Vpc.CidrBlock",)), "AvailabilityZone": "b"}, written
    )
    details = [detail.describe() for detail in compare(schema, old, new, frozenset({"Zone"}))]
    assert [(d["Target"]["Name"], d["ChangeSource"], d["CausingEntity"], d["Evaluation"]) for d in details] == [
        ("AvailabilityZone", "ParameterReference", "Zone", "Static"),
        ("CidrBlock", "ResourceAttribute", "Vpc.CidrBlock", "Dynamic"),
        ("VpcId", "ResourceReference", "Vpc", "Dynamic"),
    ]
    assert {d["Target"]["RequiresRecreation"] for d in details} == {"Always"}


def test_tags_and_policies_have_scopes_of_their_own() -> None:
    schema = SCHEMAS.get("AWS::SNS::Topic")
    old = version({"Tags": [{"Key": "a", "Value": "1"}]}, DeletionPolicy="Delete")
    new = version({"Tags": [{"Key": "a", "Value": "2"}]}, DeletionPolicy="Retain")
    described = Change("Modify", "T", "AWS::SNS::Topic", "arn", "False", compare(schema, old, new)).describe()
    assert described["ResourceChange"]["Scope"] == ["Tags", "DeletionPolicy"]


def test_the_same_version_has_no_details() -> None:
    same = {"CidrBlock": "10.0.0.0/16", "Tags": [{"Key": "a", "Value": 1}]}
    assert compare(SCHEMAS.get("AWS::EC2::VPC"), version(same), version(dict(same))) == ()


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::S3::Bucket", {"BucketNam": "x"}, ["#: extraneous key [BucketNam] is not permitted"]),
        ("AWS::EC2::Subnet", {}, ["#: required key [VpcId] not found"]),
        (
            "AWS::ECS::Service",
            {"LoadBalancers": [{"Port": 1}]},
            ["#/LoadBalancers/0: extraneous key [Port] is not permitted"],
        ),
        ("AWS::ECS::Service", {"LaunchType": "FARGAT"}, ["#/LaunchType: FARGAT is not a valid enum value"]),
        ("AWS::ECS::Service", {"DesiredCount": "many"}, ["#/DesiredCount: expected type: Integer, found: String"]),
        ("AWS::ECS::Service", {"LoadBalancers": "x"}, ["#/LoadBalancers: expected type: JSONArray, found: String"]),
        ("AWS::ECS::Service", {"DesiredCount": "2", "TaskDefinition": "a"}, []),
        ("AWS::S3::BucketPolicy", {"Bucket": "a", "PolicyDocument": {"Statement": []}}, []),
    ],
)
def test_what_the_schema_refuses(kind: str, properties: dict[str, Any], expected: list[str]) -> None:
    schema = SCHEMAS.get(kind)
    assert schema is not None
    assert faults(schema, properties) == expected


def test_a_type_the_registry_does_not_know() -> None:
    assert SCHEMAS.get("AWS::Nothing::AtAll") is None
