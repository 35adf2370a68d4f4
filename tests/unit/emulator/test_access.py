"""What IAM policies allow, and what a request needs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.aws.permission import length, parts
from seatrial.emulator.access.cloudfront import of_cloudfront
from seatrial.emulator.access.decision import Need, allowed
from seatrial.emulator.access.needs import Place, needs, of_s3
from seatrial.emulator.access.resources import verdict
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


def test_what_copying_tagging_uploads_in_parts_and_many_deletions_need() -> None:
    def wanted(*request: Any) -> list[tuple[str, str | None]]:
        return [(each.action, each.resource) for each in of_s3(*request) or []]

    copied = wanted("PUT", "/b/live/a", {}, {"HTTP_X_AMZ_COPY_SOURCE": "other/blobs/x%20y?versionId=1"})
    assert copied == [("s3:PutObject", "arn:aws:s3:::b/live/a"), ("s3:GetObject", "arn:aws:s3:::other/blobs/x y")]
    tagged = wanted("PUT", "/b/a", {}, {"HTTP_X_AMZ_TAGGING": "a=b"})
    assert [action for action, _ in tagged] == ["s3:PutObject", "s3:PutObjectTagging"]
    assert wanted("PUT", "/b/a", {"uploadId": "1", "partNumber": "2"}, {}) == [("s3:PutObject", "arn:aws:s3:::b/a")]
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object></Delete>"
    deleted = wanted("POST", "/b", {"delete": ""}, {}, body)
    assert deleted == [("s3:DeleteObject", "arn:aws:s3:::b/a"), ("s3:DeleteObject", "arn:aws:s3:::b/b&c")]


@pytest.mark.parametrize(
    ("method", "path", "flags", "expected"),
    [
        ("POST", "distribution", {}, [("CreateDistribution", "distribution/*")]),
        (
            "POST",
            "distribution",
            {"WithTags": ""},
            [("CreateDistribution", "distribution/*"), ("TagResource", "distribution/*")],
        ),
        ("GET", "distribution", {}, [("ListDistributions", None)]),
        ("GET", "distribution/E1", {}, [("GetDistribution", "distribution/E1")]),
        ("GET", "distribution/E1/config", {}, [("GetDistributionConfig", "distribution/E1")]),
        ("PUT", "distribution/E1/config", {}, [("UpdateDistribution", "distribution/E1")]),
        ("DELETE", "distribution/E1", {}, [("DeleteDistribution", "distribution/E1")]),
        ("POST", "distribution/E1/invalidation", {}, [("CreateInvalidation", "distribution/E1")]),
        ("GET", "distribution/E1/invalidation", {}, [("ListInvalidations", "distribution/E1")]),
        ("GET", "distribution/E1/invalidation/I1", {}, [("GetInvalidation", "distribution/E1")]),
        ("PUT", "cache-policy/1", {}, [("UpdateCachePolicy", "cache-policy/1")]),
        ("GET", "response-headers-policy", {}, [("ListResponseHeadersPolicies", None)]),
        ("GET", "streaming-distribution", {}, None),
        ("PATCH", "distribution/E1", {}, None),
    ],
)
def test_what_a_request_to_cloudfront_needs(
    method: str, path: str, flags: dict[str, str], expected: list[tuple[str, str | None]] | None
) -> None:
    found = of_cloudfront(method, f"/2020-05-31/{path}", flags, PLACE)
    arn = "arn:aws:cloudfront::123456789012:"
    told = None if found is None else [(each.action, each.resource) for each in found]
    assert told == (expected and [(f"cloudfront:{action}", f"{arn}{on}" if on else "*") for action, on in expected])


def test_who_changes_the_tags_of_what_on_cloudfront() -> None:
    found = of_cloudfront("POST", "/2020-05-31/tagging", {"Operation": "Untag", "Resource": "arn:x"}, PLACE)
    assert found == [Need("cloudfront:UntagResource", "arn:x")]
    assert of_cloudfront("POST", "/2020-05-31/tagging", {"Operation": "Other"}, PLACE) is None


@pytest.mark.parametrize(
    ("principal", "condition", "service", "said"),
    [
        ("*", {}, None, "Allow"),
        ({"AWS": "*"}, {}, None, "Allow"),
        ({"AWS": "arn:aws:iam::123456789012:root"}, {}, None, None),
        ({"Service": "cloudfront.amazonaws.com"}, {}, None, None),
        ({"Service": ["x", "cloudfront.amazonaws.com"]}, {}, "cloudfront.amazonaws.com", "Allow"),
        ({"Service": "other.amazonaws.com"}, {}, "cloudfront.amazonaws.com", None),
        ("*", {"StringEquals": {"aws:SourceArn": "arn:mine"}}, None, "Allow"),
        ("*", {"StringEquals": {"aws:SourceArn": "arn:other"}}, None, None),
    ],
)
def test_what_the_policy_of_a_resource_says(
    principal: Any, condition: dict[str, Any], service: str | None, said: str | None
) -> None:
    rule = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "*",
        "Condition": condition,
    }
    need = Need("s3:GetObject", "arn:aws:s3:::b/a", {"aws:SourceArn": "arn:mine"})
    assert verdict({"Statement": rule}, need, service) == said
    forbidden = {"Statement": [rule, rule | {"Effect": "Deny"}]}
    assert verdict(forbidden, need, service) == (said and "Deny")


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
