"""Template URLs, dynamic references, generated names, and properties in the APIs' own form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.cloudformation.dynamic import resolve_references, secret_reference
from seatrial.emulator.cloudformation.errors import ResourceFailed, TemplateError
from seatrial.emulator.cloudformation.resources import rows
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.work import generated_name
from seatrial.emulator.cloudformation.schemas import Schemas
from seatrial.emulator.cloudformation.urls import s3_location
from tests.unit.emulator.cloudformation.support import Calls, shapes, work


@pytest.mark.parametrize(
    "url",
    [
        "https://my.bucket.s3.amazonaws.com/a/t%20x.yaml",
        "https://my.bucket.s3.eu-west-1.amazonaws.com/a/t%20x.yaml",
        "https://my.bucket.s3-eu-west-1.amazonaws.com/a/t%20x.yaml",
        "https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/a/t%20x.yaml",
        "https://s3.amazonaws.com/my.bucket/a/t%20x.yaml",
        "https://s3.eu-west-1.amazonaws.com/my.bucket/a/t%20x.yaml",
        "https://s3-eu-west-1.amazonaws.com/my.bucket/a/t%20x.yaml",
        "https://s3.cn-north-1.amazonaws.com.cn/my.bucket/a/t%20x.yaml",
        "http://127.0.0.1:4566/my.bucket/a/t%20x.yaml",
        "http://localhost:4566/my.bucket/a/t%20x.yaml",
        "http://my.bucket.localhost:4566/a/t%20x.yaml",
        "http://my.bucket.s3.localhost:4566/a/t%20x.yaml",
        "s3://my.bucket/a/t x.yaml",
    ],
)
def test_every_form_of_a_template_url(url: str) -> None:
    assert s3_location(url) == ("my.bucket", "a/t x.yaml", None)


def test_a_template_url_with_a_version() -> None:
    assert s3_location("https://b.s3.amazonaws.com/k?versionId=7")[2] == "7"


@pytest.mark.parametrize("url", ["https://example.com/b/k", "ftp://s3.amazonaws.com/b/k", "https://s3.amazonaws.com/b"])
def test_urls_that_are_none_of_s3(url: str) -> None:
    with pytest.raises(TemplateError, match="TemplateURL must"):
        s3_location(url)


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("db", ("db", "", "", "")),
        ("db:SecretString:password", ("db", "password", "", "")),
        (f"{SECRET}:SecretString:password", (SECRET, "password", "", "")),
        (f"{SECRET}:SecretString:password:AWSCURRENT:v1", (SECRET, "password", "AWSCURRENT", "v1")),
        (SECRET, (SECRET, "", "", "")),
    ],
)
def test_secret_references(reference: str, expected: tuple[str, str, str, str]) -> None:
    assert secret_reference(reference) == expected


def test_dynamic_references_are_resolved_inside_texts() -> None:
    calls = Calls(
        {
            "get_secret_value": {"SecretString": json.dumps({"user": "app", "port": 5432})},
            "get_parameter": lambda asked: {
                "Parameter": {"Value": asked["Name"], "Type": "SecureString" if asked["WithDecryption"] else "String"}
            },
        }
    )
    value = {
        "Url": "db://{{resolve:secretsmanager:db:SecretString:user}}:{{resolve:secretsmanager:db:SecretString:port}}",
        "List": ["{{resolve:ssm:/a/b:3}}", "{{resolve:ssm-secure:/s}}", 4, "plain"],
    }
    assert resolve_references(value, calls) == {"Url": "db://app:5432", "List": ["/a/b:3", "/s", 4, "plain"]}


def test_a_missing_key_of_a_secret_is_said() -> None:
    calls = Calls({"get_secret_value": {"SecretString": "{}"}})
    with pytest.raises(ResourceFailed, match="JSONKey password"):
        resolve_references("{{resolve:secretsmanager:db:SecretString:password}}", calls)


@given(
    stack=st.from_regex(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", fullmatch=True),
    logical=st.from_regex(r"[a-zA-Z0-9]{1,60}", fullmatch=True),
    limit=st.integers(min_value=32, max_value=255),
)
def test_generated_names_fit_and_say_where_they_are_from(stack: str, logical: str, limit: int) -> None:
    name = generated_name(stack, logical, limit=limit)
    assert len(name) <= limit
    assert name[0] == stack[0]
    assert generated_name(stack, logical, limit=limit) != name
    assert generated_name(stack, logical, limit=limit, lower=True).islower()


@pytest.mark.parametrize(
    ("service", "operation", "properties", "expected"),
    [
        (
            "ecs",
            "register_task_definition",
            {
                "ContainerDefinitions": [
                    {
                        "Name": "web",
                        "PortMappings": [{"ContainerPort": "80"}],
                        "Essential": "true",
                        "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "g"}},
                    }
                ]
            },
            {
                "containerDefinitions": [
                    {
                        "name": "web",
                        "portMappings": [{"containerPort": 80}],
                        "essential": True,
                        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}},
                    }
                ]
            },
        ),
        ("iam", "create_role", {"AssumeRolePolicyDocument": {"a": 1}}, {"AssumeRolePolicyDocument": '{"a": 1}'}),
        ("logs", "create_log_group", {"Tags": [{"Key": "a", "Value": "b"}]}, {"tags": {"a": "b"}}),
        ("ssm", "put_parameter", {"Tags": {"a": "b"}, "Nonsense": 1}, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (
            "rds",
            "create_db_instance",
            {"AllocatedStorage": "20", "MultiAZ": "false", "Tags": None},
            {"AllocatedStorage": 20, "MultiAZ": False},
        ),
        (
            "cloudfront",
            "create_distribution",
            {"DistributionConfig": {"Aliases": ["a", "b"]}},
            {"DistributionConfig": {"Aliases": {"Quantity": 2, "Items": ["a", "b"]}}},
        ),
        ("cloudwatch", "put_metric_alarm", {"Threshold": "1.5", "Period": 60.0}, {"Threshold": 1.5, "Period": 60}),
    ],
)
def test_properties_in_the_apis_form(service: str, operation: str, properties: dict[str, Any], expected: Any) -> None:
    assert coerce(shapes(service, operation), properties) == expected


def test_what_an_api_has_no_place_for_is_told_by_its_path() -> None:
    told: list[tuple[str, ...]] = []
    properties = {
        "Family": "f",
        "Nonsense": 1,
        "Empty": None,
        "ContainerDefinitions": [{"Name": "web", "Wrong": 1, "LogConfiguration": {"LogDriver": "x", "Odd": True}}],
    }
    coerce(shapes("ecs", "register_task_definition"), properties, told.append)
    assert told == [
        ("Nonsense",),
        ("ContainerDefinitions", "Wrong"),
        ("ContainerDefinitions", "LogConfiguration", "Odd"),
    ]


def test_every_row_names_calls_and_keys_that_its_api_has_and_properties_that_its_type_has() -> None:
    schemas = Schemas("eu-west-1")
    for kind, row in rows().items():
        schema = schemas.get(kind)
        assert schema is not None, kind
        for operation in (row.create_call, row.update_call, row.delete_call):
            shape = shapes(row.service, operation) if operation else None
            if shape is not None and row.key and operation != row.create_call:
                assert row.key in shape.members, (kind, operation)
        if row.describe:
            operation, key, _ = row.describe
            assert key in shapes(row.service, operation).members, kind
        if row.tagging:
            for operation, key in ((row.tagging.add, row.tagging.tags), (row.tagging.remove, row.tagging.keys)):
                members = shapes(row.service, operation).members
                assert {row.tagging.resource, key} <= set(members), (kind, operation)
        if row.name:
            assert row.name.property in schema.properties, kind
        assert row.handles | row.later <= set(schema.properties), kind
        assert row.replaced_by <= {pointer[0] for pointer in schema.conditional_create_only}, kind
        assert all(schema.supports(attribute) for attribute in row.attributes if row.attributes[attribute]), kind


def test_every_read_only_identifier_of_a_type_can_be_asked_for() -> None:
    schemas = Schemas("eu-west-1")
    missing = []
    for kind, row in rows().items():
        schema = schemas.get(kind)
        assert schema is not None
        wanted = {
            pointer[0]
            for pointer in schema._pointers("readOnlyProperties")
            if pointer[0].endswith(("Arn", "Id", "ARN"))
        }
        asked = {"AttributeId", "PolicyId", "DbiResourceId", "NetworkAclAssociationId", "EniId"}
        missing += [
            f"{kind}.{name}"
            for name in sorted(wanted - row.attributes.keys() - asked)
            if "RouteTableId" not in name or kind.endswith("RouteTable")
        ]
    assert missing == []


def test_a_change_that_no_call_makes_is_refused_not_skipped() -> None:
    row = rows()["AWS::EC2::NatGateway"]
    resource = work("AWS::EC2::NatGateway", {"MaxDrainDurationSeconds": 10}, Calls({}), physical_id="nat-1")
    with pytest.raises(ResourceFailed, match="cannot change MaxDrainDurationSeconds"):
        row.update(resource, {"MaxDrainDurationSeconds": 20})
