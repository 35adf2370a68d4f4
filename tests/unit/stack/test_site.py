"""The site's bucket and distribution: who may read what, what is answered where no file is, and what tasks are told."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.stack import model
from seatrial.stack.build import build
from tests.unit.stack.support import (
    EVERYTHING,
    MATRIX,
    SITE,
    SITE_CERTIFICATE,
    bundles,
    long_form,
    properties,
    settings,
    template,
)

_, WITH_DOMAIN = bundles(**MATRIX["site"])
_, PLAIN = bundles(**MATRIX["site-plain"])
_, ON_AWS = bundles(site=SITE)


def web(**changes: Any) -> model.Container:
    return build(settings(**changes)).app.containers[0]


def distribution(bundle: Any) -> dict[str, Any]:
    config: dict[str, Any] = properties(bundle, "site", "SiteDistribution")["DistributionConfig"]
    return config


def test_the_bucket_is_private_and_outlives_the_stack() -> None:
    bucket = template(PLAIN, "site").resources["SiteBucket"]
    assert (bucket.deletion_policy, bucket.update_replace_policy) == ("RetainExceptOnCreate", "Retain")
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket.properties
    assert "VersioningConfiguration" not in bucket.properties


def test_this_distribution_alone_reads_what_is_live_and_nothing_else() -> None:
    tls, read = properties(WITH_DOMAIN, "site", "SiteBucketPolicy")["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (read["Effect"], read["Action"], read["Principal"]) == (
        "Allow",
        "s3:GetObject",
        {"Service": "cloudfront.amazonaws.com"},
    )
    assert read["Resource"] == {"Fn::Sub": "${SiteBucket.Arn}/live/*"}
    (arn,) = read["Condition"]["StringEquals"].values()
    assert arn["Fn::Sub"].endswith(":distribution/${SiteDistribution}")
    (origin,) = distribution(WITH_DOMAIN)["Origins"]
    assert (origin["OriginPath"], origin["OriginAccessControlId"]) == ("/live", {"Fn::GetAtt": ["SiteAccess", "Id"]})


def test_a_path_without_a_file_gets_the_fallback() -> None:
    (answer,) = distribution(WITH_DOMAIN)["CustomErrorResponses"]
    assert answer == {
        "ErrorCode": 403,
        "ResponseCode": 200,
        "ResponsePagePath": "/index.html",
        "ErrorCachingMinTTL": 0,
    }


def test_without_a_fallback_it_is_not_found() -> None:
    assert distribution(PLAIN)["CustomErrorResponses"] == [{"ErrorCode": 404, "ErrorCachingMinTTL": 0}]
    *_, listing = properties(PLAIN, "site", "SiteBucketPolicy")["PolicyDocument"]["Statement"]
    assert (listing["Action"], listing["Resource"]) == ("s3:ListBucket", {"Fn::GetAtt": ["SiteBucket", "Arn"]})


def test_the_files_say_how_long_they_are_kept() -> None:
    policy = properties(PLAIN, "site", "SiteCaching")["CachePolicyConfig"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 86400, 31536000)
    assert distribution(PLAIN)["DefaultCacheBehavior"]["CachePolicyId"] == {"Ref": "SiteCaching"}


def test_a_domain_has_its_certificate() -> None:
    config = distribution(WITH_DOMAIN)
    assert config["Aliases"] == ["www.shop.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": SITE_CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    assert "Aliases" not in distribution(ON_AWS)


@pytest.mark.parametrize(
    ("bundle", "url", "policy"),
    [
        (WITH_DOMAIN, "https://www.shop.example.com", "redirect-to-https"),
        (ON_AWS, {"Fn::Sub": "https://${SiteDistribution.DomainName}"}, "redirect-to-https"),
        (PLAIN, {"Fn::Sub": "http://${SiteDistribution.DomainName}"}, "allow-all"),
    ],
    ids=["domain", "AWS", "emulator"],
)
def test_tls_is_left_out_only_where_the_emulator_has_no_domain(bundle: Any, url: object, policy: str) -> None:
    assert long_form(template(bundle, "site").outputs["SiteUrl"].value) == url
    assert distribution(bundle)["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == policy


@pytest.mark.parametrize("edition", ["100", "200", "All"])
def test_price_class(edition: str) -> None:
    _, app = bundles(site=SITE | {"price_class": edition})
    assert distribution(app)["PriceClass"] == f"PriceClass_{edition}"


def test_every_task_is_told_where_the_site_is() -> None:
    assert dict(web(site=SITE).environment)["SITE_URL"] is model.Wire.SITE_URL
    assert "SITE_URL" not in dict(web().environment)
    for name in ("services", "tasks"):
        assert template(WITH_DOMAIN, name).parameters["SiteUrl"].description


def test_the_file_may_say_another_address() -> None:
    own = dict(web(site=SITE, environment={"SITE_URL": "https://elsewhere.example"}).environment)
    assert own["SITE_URL"] == "https://elsewhere.example"
    secret = web(site=SITE, secrets={"SITE_URL": {}})
    assert "SITE_URL" not in dict(secret.environment)
    assert "SITE_URL" in dict(secret.secrets)


def test_without_a_site_there_is_none() -> None:
    _, app = bundles(**EVERYTHING)
    assert "site" not in {each.name for each in app.nested}
