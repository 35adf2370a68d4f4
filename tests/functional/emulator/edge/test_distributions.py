"""CloudFront of an emulator as its viewers and its API's clients meet it. The tests share one distribution."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from seatrial.emulator import process
from tests.functional.emulator.edge.support import Bench, get
from tests.functional.emulator.support import Running, emulator, eventually
from tests.unit.emulator.edge.support import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FALLBACK = {"ErrorCode": 403, "ResponseCode": "200", "ResponsePagePath": "/index.html", "ErrorCachingMinTTL": 0}
PAGE = "<p>the same again</p>" * 100
HTML = {"ContentType": "text/html", "CacheControl": "public, max-age=0, s-maxage=86400, must-revalidate"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("edge"), time_scale=0.02) as started:
        yield started


@pytest.fixture(scope="module")
def bench(running: Running) -> Bench:
    it = Bench(running, "files", CustomErrorResponses=listed(FALLBACK))
    it.put("/index.html", PAGE, **HTML)
    it.deployed()
    return it


def test_a_new_distribution_answers_once_it_is_deployed(running: Running) -> None:
    late = Bench(running, "late")
    early = get(late.host)
    if late.cloudfront.get_distribution(Id=late.id)["Distribution"]["Status"] == "InProgress":
        assert early.status == 503
    late.put("/index.html", "here")
    late.deployed()
    assert get(late.host).body == b"here"


def test_the_bucket_is_read_through_the_origins_path(bench: Bench) -> None:
    answer = bench.get("/index.html")
    assert (answer.status, answer.body.decode()) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["cache-control"] == HTML["CacheControl"]
    bench.s3.put_object(Bucket=bench.bucket, Key="secret.txt", Body=b"not live")
    assert b"not live" not in bench.get("/secret.txt").body
    assert b"not live" not in bench.get("/../secret.txt").body


def test_a_file_is_kept_and_only_an_invalidation_brings_the_next(bench: Bench) -> None:
    bench.put("/page.html", "old", **HTML)
    assert [bench.get("/page.html").found for _ in range(2)] == ["Miss", "Hit"]
    assert "age" in bench.get("/page.html").headers
    bench.put("/page.html", "new", **HTML)
    begun = bench.invalidate("/page.html")
    meanwhile = bench.get("/page.html").body
    if not bench.completed(begun):
        assert meanwhile == b"old"
    eventually(lambda: bench.completed(begun))
    fresh = bench.get("/page.html")
    assert (fresh.found, fresh.body) == ("Miss", b"new")


def test_deep_links_get_the_fallback(bench: Bench) -> None:
    answer = bench.get("/parts/42")
    assert (answer.status, answer.found, answer.body.decode()) == (200, "Error", PAGE)


def test_text_is_compressed_for_those_who_take_it(bench: Bench) -> None:
    answer = bench.get("/index.html", Accept_Encoding="gzip")
    assert (answer.headers["content-encoding"], gzip.decompress(answer.body).decode()) == ("gzip", PAGE)
    assert answer.headers["etag"].startswith("W/")


def test_conditions_ranges_and_heads(bench: Bench) -> None:
    whole = bench.get("/index.html")
    assert bench.get("/index.html", If_None_Match=whole.headers["etag"]).status == 304
    part = bench.get("/index.html", Range="bytes=3-5")
    assert (part.status, part.body) == (206, b"the")
    head = bench.get("/index.html", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(PAGE)))


def test_only_the_methods_of_the_behaviour_are_taken(bench: Bench) -> None:
    answer = bench.get("/index.html", "POST")
    assert (answer.status, answer.headers["server"]) == (403, "CloudFront")


def test_a_bucket_whose_policy_does_not_name_the_distribution_denies_it(bench: Bench) -> None:
    bench.put("/denied.txt", "mine")
    bench.allow(bench.arn[:-1])
    try:
        answer = bench.get("/denied.txt")
        assert answer.found == "Error"
        assert b"mine" not in answer.body
    finally:
        bench.allow(bench.arn)
    assert bench.get("/denied.txt").body == b"mine"


def test_what_is_missing_is_403_to_those_who_may_not_list(running: Running) -> None:
    plain = Bench(running, "plain", CustomErrorResponses=listed({"ErrorCode": 404, "ErrorCachingMinTTL": 0}))
    plain.deployed()
    assert plain.get("/nothing").status == 403
    plain.allow(plain.arn, "s3:ListBucket")
    assert plain.get("/nothing").status == 404


def test_bucket_policies_hold_for_whom_they_name_and_under_their_conditions(bench: Bench) -> None:
    """moto takes each statement for everybody's: TLS-only would lock all out, and CloudFront's leave let all in."""
    bench.put("/open.txt", "x")
    stranger = get(bench.s3.meta.endpoint_url.removeprefix("http://"), f"/{bench.bucket}/live/open.txt")
    assert stranger.status == 403


def test_https_with_a_certificate_for_the_alias(running: Running) -> None:
    acm = running.client("acm", "us-east-1")
    arn = acm.request_certificate(DomainName="www.shop.example")["CertificateArn"]
    eventually(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED")
    named = Bench(
        running,
        "named",
        Aliases=listed("www.shop.example"),
        ViewerCertificate={"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"},
    )
    named.put("/index.html", "secure")
    named.deployed()
    page = process.status("local", running.project)
    assert page is not None
    authority = str(page["authority"])
    assert get(named.host, authority=authority).body == b"secure"
    assert get(named.host, authority=authority, Host="www.shop.example").body == b"secure"
    assert get(named.host, authority=authority, Host="other.example").status == 403


def test_a_distribution_is_changed_disabled_and_deleted_by_version(running: Running) -> None:
    short = Bench(running, "short")
    client = short.cloudfront
    old = client.get_distribution_config(Id=short.id)["ETag"]
    off = short.config | {"Enabled": False}
    new = client.update_distribution(Id=short.id, IfMatch=old, DistributionConfig=off)["ETag"]
    with pytest.raises(client.exceptions.PreconditionFailed):
        client.delete_distribution(Id=short.id, IfMatch=old)
    short.deployed()
    client.delete_distribution(Id=short.id, IfMatch=new)
    with pytest.raises(client.exceptions.NoSuchDistribution):
        client.get_distribution(Id=short.id)
    with pytest.raises(OSError, match="refused"):
        get(short.host)


def test_lists_and_tags(bench: Bench) -> None:
    client = bench.cloudfront
    assert bench.id in {each["Id"] for each in client.list_distributions()["DistributionList"]["Items"]}
    client.tag_resource(Resource=bench.arn, Tags={"Items": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]})
    client.untag_resource(Resource=bench.arn, TagKeys={"Items": ["a"]})
    assert client.list_tags_for_resource(Resource=bench.arn)["Tags"]["Items"] == [{"Key": "b", "Value": "2"}]
    listed_ = client.list_origin_access_controls()["OriginAccessControlList"]["Items"]
    assert bench.bucket in {each["Name"] for each in listed_}
    managed = client.list_cache_policies(Type="managed")["CachePolicyList"]["Items"]
    assert {each["CachePolicy"]["CachePolicyConfig"]["Name"] for each in managed} == {
        "Managed-CachingOptimized",
        "Managed-CachingDisabled",
    }
    assert client.list_invalidations(DistributionId=bench.id)["InvalidationList"]["Quantity"] >= 0


def user(running: Running, name: str, resource: str, *actions: str) -> Callable[[str], Any]:
    """Return what makes clients of a new user, who may do these things to the resource and no more."""
    iam = running.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    statement = {"Effect": "Allow", "Resource": resource, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    session = boto3.session.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name="us-east-1"
    )
    return lambda service: session.client(service, endpoint_url=running.info.endpoint)


def test_a_user_is_held_to_the_policy(bench: Bench, running: Running) -> None:
    actions = "cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"
    client = user(running, "publisher", bench.arn, *actions)("cloudfront")
    batch = {"Paths": listed("/x"), "CallerReference": "as a user"}
    made = client.create_invalidation(DistributionId=bench.id, InvalidationBatch=batch)["Invalidation"]
    client.get_invalidation(DistributionId=bench.id, Id=made["Id"])
    with pytest.raises(ClientError, match="not authorized to perform: cloudfront:GetDistribution"):
        client.get_distribution(Id=bench.id)


def test_a_user_who_may_not_list_a_bucket_does_not_learn_what_is_missing(bench: Bench, running: Running) -> None:
    bench.put("/there.txt", "x")
    client = user(running, "reader", f"arn:aws:s3:::{bench.bucket}/*", "s3:GetObject")("s3")
    client.head_object(Bucket=bench.bucket, Key="live/there.txt")
    with pytest.raises(ClientError, match="not authorized to perform: s3:ListBucket"):
        client.get_object(Bucket=bench.bucket, Key="live/missing.txt")
    with pytest.raises(ClientError, match="403"):
        client.head_object(Bucket=bench.bucket, Key="live/missing.txt")
