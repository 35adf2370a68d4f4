"""Releases by an IAM user on the emulator, held to exactly what ``seatrial policy`` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from seatrial.aws.errors import AccessDenied
from seatrial.aws.session import Aws
from seatrial.cli import main
from seatrial.errors import SeatrialError
from seatrial.release.status import status
from tests.functional.emulator.support import Running, emulator
from tests.functional.release.site_support import SITE, Served, write_front
from tests.functional.release.support import Place, place

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a push of a bundle needs. Docker's own client asks for the other two as well.
PUSH = (
    "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload", "ecr:PutImage",
)  # fmt: skip

#: What a site needs, besides reading.
SITE_ACTIONS = ("s3:PutObject", "s3:DeleteObject", "cloudfront:CreateInvalidation", "cloudfront:GetInvalidation")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place whose ``aws`` is a user's, who may do nothing yet."""
    from seatrial.aws.s3 import S3
    from seatrial.stack import names

    it = place(tmp_path_factory.mktemp("shop") / "project", running.info.endpoint, "shop", more=SITE)
    S3(it.aws).ensure_private_bucket(names.artifacts_bucket(it.settings, it.aws.account(), it.aws.region))
    it.aws = user(it.aws, "releases")
    return it


def user(aws: Aws, name: str) -> Aws:
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    found = Aws(aws.region, endpoint=aws.endpoint)
    found._session = boto3.session.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name=aws.region
    )
    return found


def give(running: Running, name: str, document: Any) -> None:
    running.client("iam").put_user_policy(UserName=name, PolicyName="given", PolicyDocument=json.dumps(document))


def printed(
    shop: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, role: str
) -> dict[str, Any]:
    """Return what ``seatrial policy`` prints, asked with the emulator's own keys."""
    assert shop.aws.endpoint is not None
    monkeypatch.setenv("AWS_ENDPOINT_URL", shop.aws.endpoint)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(["policy", "local", "--role", role, "--config", str(shop.root / "seatrial.toml")])
    assert not end.value.code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def without(document: dict[str, Any], action: str) -> dict[str, Any]:
    kept = [{**each, "Action": [a for a in each["Action"] if a != action]} for each in document["Statement"]]
    return {**document, "Statement": [each for each in kept if each["Action"]]}


def test_releases_that_go_well_fail_hang_and_are_taken_back_under_the_release_policy(
    running: Running, shop: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.commit("one")
    write_front(shop, "one")
    with pytest.raises(AccessDenied, match="no identity-based policy allows"):
        shop.deploy()
    document = printed(shop, capsys, monkeypatch, "release")
    give(running, "releases", document)
    assert shop.deploy().exit_code == 0
    assert shop.answer() == "one"
    shop.commit("hangs", gate="hangs")
    assert shop.deploy().exit_code == 1
    shop.commit("exits", web="exits")
    failed = shop.deploy()
    assert (failed.exit_code, failed.failed) == (1, "roll out web"), failed
    assert "missing-module" in [each.rule for each in failed.causes]
    shop.commit("two")
    write_front(shop, "two")
    assert shop.deploy().exit_code == 0
    assert Served(shop).page() == "two"
    assert shop.rollback().exit_code == 0
    assert (shop.answer(), Served(shop).page()) == ("one", "one")
    assert not [line for each in shop.events if "is not kept" in (line := each.line())]

    for action in PUSH:
        give(running, "releases", without(document, action))
        shop.commit(f"without {action}")
        with pytest.raises(SeatrialError) as refused:
            assert_released(shop)
        named = action in refused.value.message
        assert named or "(HEAD): HTTP status 403" in refused.value.message, action  # such an answer has no text
    give(running, "releases", document)
    assert shop.deploy().exit_code == 0

    for number, action in enumerate(SITE_ACTIONS):
        give(running, "releases", without(document, action))
        write_front(shop, f"without {action} {number}")
        refused_ = shop.deploy(only="site")
        assert refused_.exit_code in (1, 3), action
        assert action in refused_.message
    give(running, "releases", document)
    assert shop.deploy(only="site").exit_code == 0


def test_a_site_that_cannot_be_published_takes_the_services_back_too(
    running: Running, shop: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, document = Served(shop), printed(shop, capsys, monkeypatch, "release")
    page, before, services = served.page(), shop.answer(), shop.revisions()
    shop.commit("three")
    write_front(shop, "three")
    index = f"arn:aws:s3:::{served.name}/live/index.html"
    denied = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": index}
    give(running, "releases", {**document, "Statement": [*document["Statement"], denied]})
    outcome = shop.deploy()
    give(running, "releases", document)
    assert (outcome.exit_code, outcome.failed) == (1, outcome.steps[-1].step), outcome
    assert f"the bucket {served.name}: AWS denies s3:PutObject on {index}" in outcome.message
    assert (served.page(), shop.answer(), shop.revisions()) == (page, before, services)
    assert served.bucket.begun() == ()


def assert_released(shop: Place) -> None:
    outcome = shop.deploy()
    if outcome.exit_code:
        raise SeatrialError(outcome.message)


def test_the_reading_policy_reads_and_changes_nothing(
    running: Running, shop: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from seatrial.aws.clock import SystemClock
    from seatrial.release import logs
    from seatrial.release.journal.history import history

    owner = Aws(shop.aws.region, endpoint=shop.aws.endpoint)
    reader = user(owner, "reads")
    give(running, "reads", printed(shop, capsys, monkeypatch, "read-only"))
    assert status(shop.settings, reader, SystemClock()).services[0].runs[0].traffic == 1.0
    assert list(logs.lines(shop.settings, reader, "web", seconds=3600, follow=False, clock=SystemClock()))
    assert history(shop.settings, reader, limit=3)
    with pytest.raises(AccessDenied):
        reader.client("ecs").update_service(cluster="shop-local", service="web", desiredCount=0)
    with pytest.raises(AccessDenied):
        reader.client("s3").put_object(Bucket="shop-artifacts-123456789012-eu-west-1", Key="x", Body=b"")


def test_callers_whom_iam_does_not_know_may_do_everything(running: Running) -> None:
    assert running.client("ecs").list_clusters()["clusterArns"] is not None
