"""What ``infra apply`` asks ECS and S3 before CloudFormation, on an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.s3 import S3
from seatrial.aws.session import Aws
from seatrial.errors import UsageError
from seatrial.infra.artifacts import artifacts_bucket, upload
from seatrial.infra.live import Live, clear_leftovers, look
from tests.functional.emulator.support import Running, emulator, eventually
from tests.unit.stack.support import bundles, parsed, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = settings()
ECS = {"web": "ECS"}
FAMILY = "shop-production-web"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("infra")) as started:
        yield started


@pytest.fixture
def aws(running: Running) -> Aws:
    return Aws(running.info.region, endpoint=running.info.endpoint)


def test_a_bucket_is_made_once_and_private(aws: Aws) -> None:
    storage = S3(aws)
    assert storage.ensure_private_bucket("shop-artifacts-test") is True
    assert storage.ensure_private_bucket("shop-artifacts-test") is False
    block = aws.client("s3").get_public_access_block(Bucket="shop-artifacts-test")
    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}
    rules = aws.client("s3").get_bucket_encryption(Bucket="shop-artifacts-test")
    assert rules["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "AES256"
    }


def test_templates_are_named_by_their_content(aws: Aws) -> None:
    base, _ = bundles()
    said: list[str] = []
    first, second = (upload(base, SETTINGS, aws, said.append) for _ in range(2))
    bucket = artifacts_bucket(SETTINGS, aws)
    assert first == second
    assert said == [f"created the bucket {bucket} for templates"]
    url = parsed(first)["Resources"]["Network"]["Properties"]["TemplateURL"]
    host, _, key = url.removeprefix("https://").partition("/")
    assert host == f"{bucket}.s3.{aws.region}.amazonaws.com"
    body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert "AWS::EC2::VPC" in body


def register(aws: Aws, image: str) -> str:
    answer = aws.client("ecs").register_task_definition(
        family=FAMILY,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": image, "essential": True}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def at_rest(aws: Aws) -> dict[str, Any] | None:
    service = aws.client("ecs").describe_services(cluster="shop-production", services=["web"])["services"][0]
    moving = len(service["deployments"]) > 1 or service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    return None if moving else service


def test_what_is_live_and_what_a_failed_release_left(aws: Aws) -> None:
    ecs = aws.client("ecs")
    assert look(SETTINGS, aws) == Live(None, frozenset(), ())  # no cluster

    ecs.create_cluster(clusterName="shop-production")
    subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    register(aws, "registry/shop:none")
    ecs.create_service(
        cluster="shop-production",
        serviceName="web",
        taskDefinition=FAMILY,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )
    eventually(lambda: at_rest(aws))
    assert look(SETTINGS, aws) == Live(None, frozenset(), (), controllers=ECS)  # the placeholder is no release

    live = register(aws, "registry/shop@sha256:live")
    ecs.update_service(cluster="shop-production", service="web", taskDefinition=live)
    eventually(lambda: at_rest(aws))
    assert look(SETTINGS, aws) == Live("registry/shop@sha256:live", frozenset({"web"}), (), controllers=ECS)

    register(aws, "registry/shop@sha256:live")  # the stack's next revision: the live image
    assert look(SETTINGS, aws).leftovers == ()
    left = [register(aws, "registry/shop@sha256:failed") for _ in range(2)]
    found = look(SETTINGS, aws)
    names = tuple(arn.rsplit("/")[-1] for arn in reversed(left))
    assert found == Live("registry/shop@sha256:live", frozenset({"web"}), names, controllers=ECS)
    clear_leftovers(found, aws)
    assert look(SETTINGS, aws).leftovers == ()
    assert at_rest(aws)["taskDefinition"] == live  # type: ignore[index]


def test_while_a_release_is_rolling_out_nothing_is_decided(aws: Aws) -> None:
    other = settings(app={"name": "busy", "settings": "busy.settings"})
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="busy-production")
    ecs.register_task_definition(
        family="busy-production-web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "registry/busy:nowhere", "essential": True}],
    )
    subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_service(
        cluster="busy-production",
        serviceName="web",
        taskDefinition="busy-production-web",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )
    with pytest.raises(UsageError, match="a deployment of web is under way"):
        look(other, aws)
