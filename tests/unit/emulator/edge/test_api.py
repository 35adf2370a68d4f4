"""CloudFront's API: versions, what is refused, and what takes time."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.emulator.edge.distributions import DEPLOYMENT, INVALIDATION
from seatrial.emulator.front.actions import ApiError
from tests.unit.emulator.edge.support import CERTIFICATE, OPTIMIZED, Front, behaviour, cache_policy, config, listed

CONTROL = {
    "Name": "own",
    "OriginAccessControlOriginType": "s3",
    "SigningBehavior": "always",
    "SigningProtocol": "sigv4",
}
ORIGIN = config()["Origins"]["Items"][0]


def code(front: Front, action: str, **request: Any) -> str:
    with pytest.raises(ApiError) as refused:
        front.call(action, **request)
    return str(refused.value.code)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Origins": listed(ORIGIN | {"DomainName": "shop.example"})}, "InvalidOrigin"),
        ({"Origins": listed({**ORIGIN, "CustomOriginConfig": {}, "DomainName": "lb.example"})}, "InvalidOrigin"),
        ({"Origins": listed(ORIGIN | {"OriginPath": "live/"})}, "InvalidArgument"),
        ({"Origins": listed(ORIGIN | {"OriginAccessControlId": "E1"})}, "InvalidOriginAccessControl"),
        (
            {"Origins": listed(ORIGIN | {"S3OriginConfig": {"OriginAccessIdentity": "x"}})},
            "InvalidOriginAccessIdentity",
        ),
        ({"DefaultCacheBehavior": behaviour(TargetOriginId="other")}, "NoSuchOrigin"),
        ({"DefaultCacheBehavior": behaviour(CachePolicyId="none")}, "NoSuchCachePolicy"),
        ({"DefaultCacheBehavior": behaviour(CachePolicyId="")}, "InvalidArgument"),
        ({"DefaultCacheBehavior": behaviour(ForwardedValues={})}, "InvalidArgument"),
        ({"DefaultCacheBehavior": behaviour(ResponseHeadersPolicyId="none")}, "NoSuchResponseHeadersPolicy"),
        ({"DefaultCacheBehavior": behaviour(OriginRequestPolicyId="none")}, "NoSuchOriginRequestPolicy"),
        ({"DefaultCacheBehavior": behaviour(FunctionAssociations=listed({}))}, "InvalidFunctionAssociation"),
        ({"DefaultCacheBehavior": behaviour(TrustedKeyGroups=listed("x"))}, "TrustedKeyGroupDoesNotExist"),
        ({"DefaultRootObject": "/index.html"}, "InvalidDefaultRootObject"),
        ({"CustomErrorResponses": listed({"ErrorCode": 418})}, "InvalidErrorCode"),
        ({"CustomErrorResponses": listed({"ErrorCode": 403, "ResponseCode": "200"})}, "InvalidArgument"),
        (
            {"CustomErrorResponses": listed({"ErrorCode": 403, "ResponseCode": "200", "ResponsePagePath": "x"})},
            "InvalidArgument",
        ),
        (
            {"CustomErrorResponses": listed({"ErrorCode": 403, "ResponseCode": "302", "ResponsePagePath": "/x"})},
            "InvalidResponseCode",
        ),
        ({"Aliases": listed("a.example")}, "InvalidViewerCertificate"),
        (
            {
                "Aliases": listed("a.example"),
                "ViewerCertificate": {"ACMCertificateArn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
            },
            "InvalidViewerCertificate",
        ),
        ({"WebACLId": "x"}, "InvalidWebACLId"),
        ({"OriginGroups": listed({})}, "InvalidArgument"),
        ({"Restrictions": {"GeoRestriction": {"RestrictionType": "blacklist"}}}, "InvalidGeoRestrictionParameter"),
    ],
    ids=str,
)
def test_what_a_distribution_may_not_ask_for(changes: dict[str, Any], expected: str) -> None:
    assert code(Front(), "create_distribution", DistributionConfig=config(**changes)) == expected


def test_names_are_had_once() -> None:
    front = Front()
    alias = {"Aliases": listed("a.example"), "ViewerCertificate": {"ACMCertificateArn": CERTIFICATE}}
    front.serve(**alias)
    assert code(front, "create_distribution", DistributionConfig=config()) == "DistributionAlreadyExists"
    second = config(**alias, CallerReference="two")
    assert code(front, "create_distribution", DistributionConfig=second) == "CNAMEAlreadyExists"
    front.change(**alias, Comment="its own alias stands in nobody's way")


def test_a_change_is_of_the_version_that_was_seen() -> None:
    front = Front()
    front.serve()
    seen = front.call("get_distribution_config", Id=front.id)["ETag"]
    front.change(Comment="other")
    for etag, expected in ((seen, "PreconditionFailed"), ("", "InvalidIfMatchVersion")):
        request = {"Id": front.id, "IfMatch": etag}
        assert code(front, "update_distribution", DistributionConfig=config(), **request) == expected
        assert code(front, "delete_distribution", **request) == expected
    assert front.call("get_distribution_config", Id=front.id)["DistributionConfig"]["Comment"] == "other"


def test_deployment_takes_time_and_only_what_is_disabled_everywhere_is_deleted() -> None:
    front = Front()
    front.serve()
    front.change(Enabled=False)

    def status() -> str:
        return str(front.call("get_distribution", Id=front.id)["Distribution"]["Status"])

    etag = front.call("get_distribution", Id=front.id)["ETag"]
    front.clock.seconds += DEPLOYMENT - 1
    assert status() == "InProgress"
    assert code(front, "delete_distribution", Id=front.id, IfMatch=etag) == "DistributionNotDisabled"
    front.clock.seconds += 1
    assert status() == "Deployed"
    front.call("delete_distribution", Id=front.id, IfMatch=etag)
    assert code(front, "get_distribution", Id=front.id) == "NoSuchDistribution"


@pytest.mark.parametrize(
    ("kind", "noun", "policy"),
    [
        ("cache_policy", "CachePolicy", cache_policy()),
        ("origin_access_control", "OriginAccessControl", CONTROL),
        ("response_headers_policy", "ResponseHeadersPolicy", {"Name": "own"}),
    ],
)
def test_policies(kind: str, noun: str, policy: dict[str, Any]) -> None:
    front = Front()
    made = front.call(f"create_{kind}", **{f"{noun}Config": policy})
    id_, etag = made[noun]["Id"], made["ETag"]
    assert code(front, f"create_{kind}", **{f"{noun}Config": policy}) == f"{noun}AlreadyExists"
    assert front.call(f"get_{kind}_config", Id=id_) == {f"{noun}Config": policy, "ETag": etag}
    if noun == "OriginAccessControl":
        front.serve(Origins=listed(ORIGIN | {"OriginAccessControlId": id_}))
    else:
        front.serve(DefaultCacheBehavior=behaviour(**{f"{noun}Id": id_}))
    assert code(front, f"delete_{kind}", Id=id_, IfMatch=etag) == f"{noun}InUse"
    changed = front.call(f"update_{kind}", Id=id_, IfMatch=etag, **{f"{noun}Config": policy | {"Name": "new"}})
    assert code(front, f"delete_{kind}", Id=id_, IfMatch=etag) == "PreconditionFailed"
    front.change()
    front.call(f"delete_{kind}", Id=id_, IfMatch=changed["ETag"])
    assert code(front, f"get_{kind}", Id=id_) == f"NoSuch{noun}"


def test_times_are_in_order() -> None:
    front = Front()
    assert code(front, "create_cache_policy", CachePolicyConfig=cache_policy(MinTTL=9999)) == "InvalidArgument"
    old = {name: value for name, value in behaviour(MaxTTL=5).items() if name != "CachePolicyId"}
    changes = config(DefaultCacheBehavior=old | {"ForwardedValues": {}})
    assert code(front, "create_distribution", DistributionConfig=changes) == "InvalidTTLOrder"


def test_what_aws_manages_stays_as_it_is() -> None:
    front = Front()
    etag = front.call("get_cache_policy", Id=OPTIMIZED)["ETag"]
    assert code(front, "delete_cache_policy", Id=OPTIMIZED, IfMatch=etag) == "IllegalDelete"
    request = {"Id": OPTIMIZED, "IfMatch": etag, "CachePolicyConfig": cache_policy()}
    assert code(front, "update_cache_policy", **request) == "IllegalUpdate"
    assert front.call("list_cache_policies", Type="custom")["CachePolicyList"]["Quantity"] == 0
    assert front.call("list_cache_policies")["CachePolicyList"]["Quantity"] == 2


def test_the_same_invalidation_again_is_the_same() -> None:
    front = Front()
    front.serve()
    first = front.invalidate("/a", reference="one")
    assert front.invalidate("/a", reference="one")["Id"] == first["Id"]
    with pytest.raises(ApiError) as refused:
        front.invalidate("/b", reference="one")
    assert refused.value.code == "InvalidationBatchAlreadyExists"


@pytest.mark.parametrize(("paths", "room"), [(["/a*"] * 15, "/b"), (["/a"] * 3000, "/b*")])
def test_only_so_many_invalidations_are_in_progress(paths: list[str], room: str) -> None:
    front = Front()
    front.serve()
    front.invalidate(*paths)
    with pytest.raises(ApiError) as refused:
        front.invalidate(paths[0], reference="more")
    assert refused.value.code == "TooManyInvalidationsInProgress"
    front.invalidate(room)
    front.clock.seconds += INVALIDATION
    front.invalidate(paths[0], reference="more")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({"Quantity": 1, "Items": ["a"]}, "InvalidArgument"),
        ({"Quantity": 0}, "InvalidArgument"),
        ({"Quantity": 2, "Items": ["/a"]}, "InconsistentQuantities"),
    ],
)
def test_paths_that_cannot_be_invalidated(paths: dict[str, Any], expected: str) -> None:
    front = Front()
    front.serve()
    batch = {"Paths": paths, "CallerReference": "one"}
    assert code(front, "create_invalidation", DistributionId=front.id, InvalidationBatch=batch) == expected
