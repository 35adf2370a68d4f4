"""``infra apply`` by an IAM user on an emulator, held to the policy that is computed for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from seatrial.aws.errors import AccessDenied
from seatrial.aws.permission import Permission, parts, policy
from seatrial.aws.session import Aws
from seatrial.errors import UsageError
from seatrial.infra import apply
from seatrial.infra.permissions import infra_role
from seatrial.stack.build import build
from seatrial.stack.lowering import lower
from tests.functional.emulator.support import Running, emulator
from tests.unit.stack.support import WEB, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.config.models import Settings

#: What this change does not need: the bucket is there, nothing is thrown away, and no release has been to the service.
ELSEWHERE = frozenset(
    {
        "s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
        "s3:PutEncryptionConfiguration", "cloudformation:DeleteChangeSet", "cloudformation:DeleteStack",
        "cloudformation:ListStackResources",
        "ecs:DeregisterTaskDefinition", "ecs:ListTaskDefinitions", "ssm:GetParameter", "ssm:GetParameters",
    }
)  # fmt: skip


def shop(command: str) -> Settings:
    worker = {"role": "worker", "command": [command]}
    target = {"cloud": "emulator"}
    return settings(
        services={"worker": worker}, target=target, app={"name": "shop", "settings": "s", "region": "eu-west-1"}
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("infra-policy")) as started:
        yield started


class User:
    def __init__(self, running: Running, name: str = "applies") -> None:
        self._iam = running.client("iam")
        self._name = name
        self._iam.create_user(UserName=name)
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        self.aws = Aws(running.info.region, endpoint=running.info.endpoint)
        self.aws._session = boto3.session.Session(
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            region_name=running.info.region,
        )

    def give(self, needed: tuple[Permission, ...]) -> None:
        for name in self._iam.list_user_policies(UserName=self._name)["PolicyNames"]:
            self._iam.delete_user_policy(UserName=self._name, PolicyName=name)
        for number, document in enumerate(parts(policy(needed))):
            self._iam.put_user_policy(
                UserName=self._name, PolicyName=f"part{number}", PolicyDocument=json.dumps(document)
            )


def test_the_stacks_are_made_and_changed_under_the_infra_policy_and_not_under_less(running: Running) -> None:
    user = User(running)
    with pytest.raises(UsageError, match="not yours to use"):
        apply(shop("one"), user.aws)
    needed = infra_role(shop("one"), lower(build(shop("one"))), user.aws)
    user.give(needed)
    assert [each.action for each in apply(shop("one"), user.aws).stacks] == ["created", "created"]

    own = {action for each in needed if not each.condition for action in each.actions} - ELSEWHERE
    idle = set()
    for number, action in enumerate(sorted(own)):
        user.give(tuple(without(each, action) for each in needed))
        try:
            apply(shop(f"change {number}"), user.aws)
        except (AccessDenied, UsageError):
            continue
        idle.add(action)
    assert idle == {"s3:GetObject"}, idle  # on AWS CloudFormation reads the templates in the caller's name
    user.give(needed)
    assert [each.action for each in apply(shop("at last"), user.aws).stacks] == ["unchanged", "updated"]


def test_deployments_that_pause_are_let_go_on_under_the_infra_policy(running: Running) -> None:
    wanted = settings(
        app={"name": "fair", "settings": "s", "region": "eu-west-1"},
        services={"web": WEB},
        smoke={"home": {"path": "/"}},
        target={"cloud": "emulator", "strategy": {"type": "blue_green", "bake": 0}},
    )
    user = User(running, "shifts")
    user.give(infra_role(wanted, lower(build(wanted)), user.aws))
    said: list[str] = []
    assert [each.action for each in apply(wanted, user.aws, said.append).stacks] == ["created", "created"]
    assert any("goes on, for no release is being tested" in line for line in said)
    more = wanted.services["web"].model_copy(update={"cpu": 512, "memory": 1024})
    assert apply(wanted.model_copy(update={"services": {"web": more}}), user.aws).stacks[1].action == "updated"


def without(permission: Permission, action: str) -> Permission:
    left = tuple(each for each in permission.actions if each != action)
    return Permission(left or ("none:None",), permission.resources, permission.purpose, permission.condition)


def test_every_type_of_the_templates_is_covered_and_only_through_cloudformation(running: Running) -> None:
    from tests.unit.stack.support import MATRIX

    everything: dict[str, Any] = MATRIX["site"]
    wanted = settings(**everything)
    aws = Aws("eu-west-3", endpoint=running.info.endpoint)
    needed = infra_role(wanted, lower(build(wanted)), aws)
    where = {action: each for each in needed for action in each.actions if each.condition}
    for action in (
        "ec2:CreateVpc", "rds:CreateDBInstance", "scheduler:CreateSchedule", "ecs:CreateService",
        "cloudfront:CreateDistribution", "cloudfront:CreateCachePolicy", "s3:PutBucketPolicy",
    ):  # fmt: skip
        assert where[action].condition == (
            ("ForAnyValue:StringEquals", "aws:CalledVia", "cloudformation.amazonaws.com"),
        )
    assert where["iam:CreateRole"].resources == ("arn:aws:iam::123456789012:role/shop-*",)
    assert where["iam:PassRole"].resources == ("arn:aws:iam::123456789012:role/shop-*",)
    assert 1 < len(parts(policy(needed))) <= 10  # managed policies of one role (IAM quotas)
