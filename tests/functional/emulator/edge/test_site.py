"""``infra apply`` of an environment with a site, on an emulator that keeps its buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.session import Aws
from seatrial.emulator import process
from seatrial.infra import Applied, apply
from seatrial.stack import names
from tests.functional.emulator.edge.support import get
from tests.functional.emulator.support import Running, assert_nothing_left, eventually
from tests.unit.stack.support import SITE, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPTIONS: dict[str, Any] = {"runtime": "process", "proxy": "builtin", "time_scale": 0.02, "keep": True}


def applied(running: Running, **site: Any) -> Applied:
    wanted = settings(target={"cloud": "emulator"}, site=SITE | site)
    return apply(wanted, Aws(running.info.region, endpoint=running.info.endpoint))


def host(outputs: Any) -> str:
    return str(outputs["SiteUrl"].removeprefix("http://"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("site")
    yield path
    process.stop("local", path)


def started(project: Path) -> Running:
    return Running(process.start("local", project, **OPTIONS), project)


def test_a_site_is_made_changed_and_found_again_after_a_restart(project: Path) -> None:
    running = started(project)
    outputs = applied(running).outputs
    assert set(names.SITE_OUTPUTS) <= set(outputs)
    s3, bucket = running.client("s3"), outputs["SiteBucketName"]
    s3.put_object(Bucket=bucket, Key="live/index.html", Body=b"home", ContentType="text/html")
    s3.put_object(Bucket=bucket, Key="builds/1.json", Body=b"{}")
    answer = get(host(outputs), "/deep/link")
    assert (answer.status, answer.body) == (200, b"home")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert get(host(outputs), "/../builds/1.json").body == b"home"
    document = running.client("ecs").describe_task_definition(taskDefinition="shop-production-web")["taskDefinition"]
    told = {each["name"]: each["value"] for each in document["containerDefinitions"][0]["environment"]}
    assert told["SITE_URL"] == outputs["SiteUrl"]

    assert [each.action for each in applied(running).stacks] == ["unchanged", "unchanged"]
    changed = applied(running, fallback="").outputs
    assert changed["SiteDistributionId"] == outputs["SiteDistributionId"]
    assert get(host(changed), "/deep/link").status == 404
    assert get(host(changed), "/").body == b"home"
    page = process.status("local", running.project)
    assert page is not None
    assert page["state_only"] == []
    assert [each["url"] for each in page["distributions"]] == [f"http://{host(outputs)}:80/"]

    process.stop("local", project)
    assert_nothing_left(running.info)
    again = started(project)
    outputs = applied(again).outputs
    assert outputs["SiteBucketName"] == bucket
    assert get(host(outputs), "/deep/link").body == b"home"


def test_a_stack_takes_its_distribution_with_it_and_leaves_the_bucket(project: Path) -> None:
    running = started(project)
    outputs = applied(running).outputs
    cloudformation = running.client("cloudformation")
    cloudformation.delete_stack(StackName="shop-production")
    stacks = cloudformation.get_paginator("list_stacks")

    def gone() -> bool:
        known = [each for page in stacks.paginate() for each in page["StackSummaries"]]
        return all(each["StackStatus"] == "DELETE_COMPLETE" for each in known if "production" in each["StackName"])

    eventually(gone, 60)
    running.client("s3").head_bucket(Bucket=outputs["SiteBucketName"])
    with pytest.raises(OSError, match="refused"):
        get(host(outputs))
    cloudfront = running.client("cloudfront", "us-east-1")
    assert cloudfront.list_cache_policies(Type="custom")["CachePolicyList"]["Quantity"] == 0
    assert cloudfront.list_origin_access_controls()["OriginAccessControlList"]["Quantity"] == 0
