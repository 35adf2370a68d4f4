"""The static front end: a private bucket, and the CloudFront distribution that alone may read what is live in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack import names
from seatrial.stack.graph import GetAtt, Noted, Output, Ref, Resource, Sub, Template
from seatrial.stack.lowering.buckets import UNFINISHED_UPLOADS, bucket_policy, private_bucket

if TYPE_CHECKING:
    from seatrial.stack.graph import Value
    from seatrial.stack.model import Site

_DAY = 86400
_YEAR = 365 * _DAY


def site_template(site: Site) -> Template:
    """Return the template whose outputs a release publishes to."""
    url: Value = (
        f"https://{site.domain}"
        if site.domain is not None
        else Sub(f"{'https' if site.secure else 'http'}://${{SiteDistribution.DomainName}}")
    )
    return Template(
        name="site",
        description="Static front end: bucket and CloudFront distribution",
        resources={
            "SiteBucket": _bucket(),
            "SiteAccess": _access(site),
            "SiteCaching": _caching(site),
            "SiteHeaders": _headers(site),
            "SiteDistribution": _distribution(site),
            "SiteBucketPolicy": bucket_policy("SiteBucket", *_readers(site)),
        },
        outputs={
            "SiteBucketName": Output("Bucket that releases publish the site to", Ref("SiteBucket")),
            "SiteDistributionId": Output("Distribution that serves it", Ref("SiteDistribution")),
            "SiteDomainName": Output(
                "CloudFront's own name for it, which the domain's DNS record points to",
                GetAtt("SiteDistribution", "DomainName"),
            ),
            "SiteUrl": Output("Where the site answers", url),
        },
    )


def _bucket() -> Resource:
    return Resource(
        "AWS::S3::Bucket",
        {**private_bucket(), "LifecycleConfiguration": {"Rules": [UNFINISHED_UPLOADS]}},
        deletion_policy="RetainExceptOnCreate",
        update_replace_policy="Retain",
        why="CloudFormation cannot delete a bucket with files in it, and a rollback needs those of earlier releases",
    )


def _access(site: Site) -> Resource:
    return Resource(
        "AWS::CloudFront::OriginAccessControl",
        {
            "OriginAccessControlConfig": {
                "Name": site.name,
                "Description": f"Signs what {site.name} asks its bucket",
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            }
        },
    )


def _caching(site: Site) -> Resource:
    nothing: dict[str, Value] = {
        "CookiesConfig": {"CookieBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    return Resource(
        "AWS::CloudFront::CachePolicy",
        {
            "CachePolicyConfig": {
                "Name": site.name,
                "Comment": "The files' own Cache-Control decides",
                "MinTTL": Noted(0, "More would overrule `max-age=0` and `no-store`"),
                "DefaultTTL": Noted(_DAY, "For files without Cache-Control, which a release does not write"),
                "MaxTTL": _YEAR,
                "ParametersInCacheKeyAndForwardedToOrigin": {
                    **nothing,
                    "EnableAcceptEncodingBrotli": True,
                    "EnableAcceptEncodingGzip": True,
                },
            }
        },
    )


def _headers(site: Site) -> Resource:
    return Resource(
        "AWS::CloudFront::ResponseHeadersPolicy",
        {
            "ResponseHeadersPolicyConfig": {
                "Name": site.name,
                "Comment": "What every site should say; a Content-Security-Policy only its author can write",
                "SecurityHeadersConfig": {
                    "ContentTypeOptions": {"Override": True},
                    "FrameOptions": {"FrameOption": "DENY", "Override": True},
                    "ReferrerPolicy": {"ReferrerPolicy": "strict-origin-when-cross-origin", "Override": True},
                    "StrictTransportSecurity": {
                        "AccessControlMaxAgeSec": _YEAR,
                        "IncludeSubdomains": Noted(False, "Other hosts below the domain are not this stack's"),
                        "Override": True,
                    },
                },
            }
        },
    )


def _distribution(site: Site) -> Resource:
    config: dict[str, Value] = {
        "Comment": site.name,
        "Enabled": True,
        "HttpVersion": "http2and3",
        "IPV6Enabled": True,
        "PriceClass": site.price_class,
        "DefaultRootObject": "index.html",
        "Origins": [
            {
                "Id": "bucket",
                "DomainName": GetAtt("SiteBucket", "RegionalDomainName"),
                "OriginPath": Noted(
                    f"/{names.LIVE_FOLDER}", "Beside it the bucket has the files of builds that are not live"
                ),
                "OriginAccessControlId": GetAtt("SiteAccess", "Id"),
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            }
        ],
        "DefaultCacheBehavior": {
            "TargetOriginId": "bucket",
            "ViewerProtocolPolicy": "redirect-to-https"
            if site.secure
            else Noted("allow-all", "On the emulator an environment without a domain has no TLS"),
            "AllowedMethods": ["GET", "HEAD"],
            "CachedMethods": ["GET", "HEAD"],
            "Compress": True,
            "CachePolicyId": Ref("SiteCaching"),
            "ResponseHeadersPolicyId": Ref("SiteHeaders"),
        },
        "CustomErrorResponses": [_where_no_file_is(site)],
    }
    if site.domain is not None:
        config["Aliases"] = [site.domain]
        config["ViewerCertificate"] = {
            "AcmCertificateArn": site.certificate,
            "SslSupportMethod": "sni-only",
            "MinimumProtocolVersion": Noted("TLSv1.2_2021", "TLS 1.3 and 1.2 only, with forward secrecy"),
        }
    else:
        config["ViewerCertificate"] = {
            "CloudFrontDefaultCertificate": Noted(True, "Of cloudfront.net, for which CloudFront itself sets the TLS")
        }
    return Resource("AWS::CloudFront::Distribution", {"DistributionConfig": config})


def _where_no_file_is(site: Site) -> dict[str, Value]:
    """Return what is answered for a path without a file: the fallback, or 404, which :func:`_readers` let S3 say."""
    at_once = Noted(0, "A file that has just been published must not stay hidden behind this answer")
    if not site.fallback:
        return {"ErrorCode": 404, "ErrorCachingMinTTL": at_once}
    return {
        "ErrorCode": Noted(403, "What S3 says to those who may not list the bucket, so not know what is missing"),
        "ResponseCode": 200,
        "ResponsePagePath": f"/{site.fallback}",
        "ErrorCachingMinTTL": at_once,
    }


def _readers(site: Site) -> list[Value]:
    """Return the statements that let this distribution, and no other, read what is live."""
    this_one: Value = {
        "StringEquals": {
            "AWS:SourceArn": Sub("arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${SiteDistribution}")
        }
    }
    granted: list[tuple[str, str, Value]] = [
        ("ReadWhatIsLive", "s3:GetObject", Sub(f"${{SiteBucket.Arn}}/{names.LIVE_FOLDER}/*"))
    ]
    if not site.fallback:
        granted.append(("SayWhatIsMissing", "s3:ListBucket", GetAtt("SiteBucket", "Arn")))
    return [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": action,
            "Resource": resource,
            "Condition": this_one,
        }
        for sid, action, resource in granted
    ]
