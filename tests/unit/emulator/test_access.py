"""What IAM policies allow, and what a request needs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.aws.permission import length, parts
from seatrial.emulator.access.decision import Need, allowed
from seatrial.emulator.access.needs import Place, needs, of_s3
from seatrial.emulator.access.schedules import of_scheduler

PLACE = Place("123456789012", "eu-west-1")
ARN = "arn:aws:ecs:eu-west-1:123456789012"
CODEDEPLOY = "arn:aws:codedeploy:eu-west-1:123456789012"
SERVICE = f"{ARN}:service/shop/web"


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": SERVICE} | changes


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Action="ECS:updateservice")], True),
        ([statement(Action=["ssm:*", "ecs:Update*"])], True),
        ([statement(Action="ecs:?pdateService")], True),
        ([statement(Action="ecs:RunTask")], False),
        ([statement(Resource="*")], True),
        ([statement(Resource=f"{ARN}:service/*/web")], True),
        ([statement(Resource=f"{ARN}:service/other/*")], False),
        ([statement(Resource=SERVICE.replace(".", "x") + "s")], False),
        ([statement(), statement(Effect="Deny", Action="ecs:*", Resource="*")], False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "ecs:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": SERVICE}], False),
        ([statement(Condition={"ArnEquals": {"ecs:cluster": f"{ARN}:cluster/shop"}})], True),
        ([statement(Condition={"ArnLike": {"ECS:Cluster": f"{ARN}:cluster/*"}})], True),
        ([statement(Condition={"StringEquals": {"ecs:cluster": ["other", f"{ARN}:cluster/shop"]}})], True),
        ([statement(Condition={"StringEquals": {"ecs:cluster": "shop"}})], False),
        ([statement(Condition={"StringEquals": {"aws:CalledVia": "x"}})], False),
        ([statement(Condition={"StringEqualsIfExists": {"aws:CalledVia": "x"}})], True),
        ([statement(Condition={"NumericLessThan": {"ecs:cluster": "1"}})], False),
    ],
    ids=str,
)
def test_decision(statements: list[dict[str, Any]], expected: bool) -> None:
    need = Need("ecs:UpdateService", SERVICE, {"ecs:cluster": f"{ARN}:cluster/shop"})
    assert allowed([{"Statement": statements}], need) is expected


def test_an_action_whose_resource_is_not_known_is_checked_by_its_name() -> None:
    assert allowed([{"Statement": statement(Action="sns:Publish")}], Need("sns:Publish", None))
    assert not allowed([{"Statement": statement()}], Need("sns:Publish", None))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("ecs", "UpdateService", {"cluster": "shop", "service": "web"}, [("ecs:UpdateService", SERVICE)]),
        (
            "ecs",
            "DescribeServices",
            {"cluster": f"{ARN}:cluster/shop", "services": ["web", SERVICE]},
            [("ecs:DescribeServices", SERVICE)] * 2,
        ),
        ("ecs", "RunTask", {"taskDefinition": "m:3"}, [("ecs:RunTask", f"{ARN}:task-definition/m:3")]),
        ("ecs", "RunTask", {"taskDefinition": "m"}, [("ecs:RunTask", f"{ARN}:task-definition/m:0")]),
        (
            "ecs",
            "RegisterTaskDefinition",
            {"family": "m", "taskRoleArn": "arn:role", "tags": [1]},
            [
                ("ecs:RegisterTaskDefinition", f"{ARN}:task-definition/m:0"),
                ("iam:PassRole", "arn:role"),
                ("ecs:TagResource", f"{ARN}:task-definition/m:0"),
            ],
        ),
        (
            "codedeploy",
            "CreateDeployment",
            {"applicationName": "shop", "deploymentGroupName": "web"},
            [
                ("codedeploy:CreateDeployment", f"{CODEDEPLOY}:deploymentgroup:shop/web"),
                ("codedeploy:GetDeploymentConfig", f"{CODEDEPLOY}:deploymentconfig:CodeDeployDefault.ECSAllAtOnce"),
                ("codedeploy:RegisterApplicationRevision", f"{CODEDEPLOY}:application:shop"),
            ],
        ),
        (
            "ssm",
            "GetParameter",
            {"Name": "/shop/x"},
            [("ssm:GetParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/x")],
        ),
        ("cloudformation", "DescribeStacks", {}, [("cloudformation:DescribeStacks", "*")]),
        ("sns", "Publish", {"TopicArn": "x"}, [("sns:Publish", None)]),
    ],
    ids=str,
)
def test_what_a_call_needs(service: str, operation: str, parameters: dict[str, Any], expected: list[Any]) -> None:
    assert [(each.action, each.resource) for each in needs(service, operation, parameters, PLACE)] == expected


def test_what_a_request_to_s3_needs() -> None:
    (put,) = of_s3("PUT", "/bucket/a/b.txt", {}, {}) or []
    assert (put.action, put.resource) == ("s3:PutObject", "arn:aws:s3:::bucket/a/b.txt")
    (found,) = of_s3("GET", "/bucket", {"list-type": "2", "prefix": "a/"}, {}) or []
    assert (found.action, found.resource, found.context) == (
        "s3:ListBucket",
        "arn:aws:s3:::bucket",
        {"s3:prefix": "a/"},
    )
    made = of_s3("PUT", "/bucket", {}, {"HTTP_X_AMZ_OBJECT_OWNERSHIP": "BucketOwnerEnforced"}) or []
    assert [each.action for each in made] == ["s3:CreateBucket", "s3:PutBucketOwnershipControls"]
    assert of_s3("PATCH", "/bucket", {}, {}) is None


names = st.from_regex(r"[a-z]{1,8}:[A-Z][a-z]{1,20}", fullmatch=True)
statements = st.lists(
    st.builds(
        lambda actions, resource: {"Effect": "Allow", "Action": sorted(actions), "Resource": [resource]},
        st.sets(names, min_size=1, max_size=20),
        names,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(statements, st.integers(150, 800))
def test_a_policy_in_parts_allows_the_same_and_each_part_fits(statements: list[dict[str, Any]], size: int) -> None:
    found = parts({"Version": "2012-10-17", "Statement": statements}, size)
    assert all(length(each) <= size for each in found)
    granted = [(action, each["Resource"][0]) for each in statements for action in each["Action"]]
    assert granted == [
        (action, each["Resource"][0]) for part in found for each in part["Statement"] for action in each["Action"]
    ]


@pytest.mark.parametrize(
    ("method", "path", "flags", "body", "expected"),
    [
        ("GET", "/schedules/digest", {}, b"", [("scheduler:GetSchedule", "default/digest")]),
        ("GET", "/schedules/digest", {"groupName": "shop"}, b"", [("scheduler:GetSchedule", "shop/digest")]),
        ("PUT", "/schedules/digest", {}, b'{"GroupName": "shop"}', [("scheduler:UpdateSchedule", "shop/digest")]),
        ("GET", "/schedules", {}, b"", None),
        ("GET", "/schedule-groups/x", {}, b"", None),
        ("PATCH", "/schedules/digest", {}, b"", None),
    ],
)
def test_what_a_request_on_a_schedule_needs(
    method: str, path: str, flags: dict[str, str], body: bytes, expected: list[tuple[str, str]] | None
) -> None:
    found = of_scheduler(method, path, flags, body, PLACE)
    arn = "arn:aws:scheduler:eu-west-1:123456789012:schedule/"
    wanted = None if expected is None else [Need(action, f"{arn}{name}") for action, name in expected]
    assert found == wanted


def test_whoever_writes_a_schedule_hands_its_role_over() -> None:
    body = b'{"Target": {"RoleArn": "arn:aws:iam::123456789012:role/runs"}}'
    found = of_scheduler("PUT", "/schedules/digest", {}, body, PLACE)
    assert found is not None
    context = {"iam:PassedToService": "scheduler.amazonaws.com"}
    assert found[1:] == [Need("iam:PassRole", "arn:aws:iam::123456789012:role/runs", context)]
