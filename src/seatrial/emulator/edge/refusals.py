"""What a distribution may not ask for: on AWS, and on AWS but not here.

To pass the latter over would be kinder than AWS: a file would be served that a function, a signed URL or a firewall
keeps back there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.lowering import BUCKET, items, times
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Config = Mapping[str, Any]
    Lookup = Callable[[str, str], Config]
    #: Whether ACM has a certificate (ARN) in us-east-1.
    Certified = Callable[[str], bool]

#: Statuses that may have a custom error response (CloudFront API reference, CustomErrorResponse).
_ERRORS = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
_UNKNOWN_HERE = {
    "FunctionAssociations": "InvalidFunctionAssociation",
    "LambdaFunctionAssociations": "InvalidLambdaFunctionAssociation",
    "TrustedKeyGroups": "TrustedKeyGroupDoesNotExist",
    "TrustedSigners": "TrustedSignerDoesNotExist",
}


def check(config: Config, lookup: Lookup, certified: Certified, others: Iterable[Config]) -> None:
    """Refuse a configuration that cannot be. ``others`` are those of the other distributions.

    Raises ``ApiError``.
    """
    _origins(config, lookup)
    for behaviour in _behaviours(config):
        _behaviour(behaviour, {each["Id"] for each in items(config["Origins"])}, lookup)
    _root_and_errors(config)
    _aliases(config, certified, others)
    _not_here(config)


def check_policy(kind: str, config: Config) -> None:
    """Refuse a cache policy whose times are out of order. Raises ``ApiError``."""
    if kind == "CachePolicy":
        _in_order(times(config), "InvalidArgument")


def _in_order(said: tuple[float, float, float], code: str) -> None:
    minimum, default, maximum = said
    if not minimum <= default <= maximum:
        raise ApiError(code, "The order of TTLs is invalid: MinTTL <= DefaultTTL <= MaxTTL.")


def _behaviours(config: Config) -> Iterator[Config]:
    yield config["DefaultCacheBehavior"]
    yield from items(config.get("CacheBehaviors"))


def _origins(config: Config, lookup: Lookup) -> None:
    for origin in items(config["Origins"]):
        if BUCKET.fullmatch(origin["DomainName"]) is None or "S3OriginConfig" not in origin:
            raise ApiError(
                "InvalidOrigin",
                f"The emulator serves buckets only (BUCKET.s3.REGION.amazonaws.com with an S3OriginConfig), not "
                f"{origin['DomainName']}.",
            )
        if (origin.get("S3OriginConfig") or {}).get("OriginAccessIdentity"):
            raise ApiError(
                "InvalidOriginAccessIdentity",
                "The emulator knows no origin access identities. Use an origin access control.",
            )
        path = origin.get("OriginPath") or ""
        if path and (not path.startswith("/") or path.endswith("/")):
            raise ApiError("InvalidArgument", "The parameter OriginPath must begin with a / and not end with one.")
        if control := origin.get("OriginAccessControlId"):
            _named(lookup, "OriginAccessControl", control, "InvalidOriginAccessControl")


def _behaviour(behaviour: Config, origins: set[str], lookup: Lookup) -> None:
    if behaviour["TargetOriginId"] not in origins:
        raise ApiError("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")
    policy = behaviour.get("CachePolicyId")
    if policy:
        _named(lookup, "CachePolicy", policy)
        if "ForwardedValues" in behaviour:
            raise ApiError("InvalidArgument", "The parameter ForwardedValues cannot be used with a cache policy.")
    elif "ForwardedValues" not in behaviour:
        raise ApiError("InvalidArgument", "The parameter ForwardedValues is required, or a CachePolicyId.")
    else:
        _in_order(times(behaviour), "InvalidTTLOrder")
    if headers := behaviour.get("ResponseHeadersPolicyId"):
        _named(lookup, "ResponseHeadersPolicy", headers)
    if behaviour.get("OriginRequestPolicyId"):
        raise ApiError("NoSuchOriginRequestPolicy", "The emulator knows no origin request policies.")
    for name, code in _UNKNOWN_HERE.items():
        if items(behaviour.get(name)):
            raise ApiError(code, f"The emulator does not support {name} of a cache behavior.")


def _named(lookup: Lookup, kind: str, id_: str, code: str | None = None) -> None:
    try:
        lookup(kind, id_)
    except ApiError as error:
        raise ApiError(code or f"NoSuch{kind}", str(error.message)) from None


def _root_and_errors(config: Config) -> None:
    if str(config.get("DefaultRootObject") or "").startswith("/"):
        raise ApiError("InvalidDefaultRootObject", "The default root object may not begin with a slash.")
    for response in items(config.get("CustomErrorResponses")):
        if int(response["ErrorCode"]) not in _ERRORS:
            raise ApiError("InvalidErrorCode", f"There is no custom error response to {response['ErrorCode']}.")
        page, status = response.get("ResponsePagePath"), response.get("ResponseCode")
        if bool(page) != bool(status):
            raise ApiError("InvalidArgument", "ResponsePagePath and ResponseCode must be given together.")
        if page and not page.startswith("/"):
            raise ApiError("InvalidArgument", "The parameter ResponsePagePath must begin with a slash.")
        if status and int(status) not in _ERRORS | {200}:
            raise ApiError("InvalidResponseCode", f"The response code {status} is not valid.")


def _aliases(config: Config, certified: Certified, others: Iterable[Config]) -> None:
    aliases = {str(each).lower() for each in items(config.get("Aliases"))}
    if not aliases:
        return
    certificate = (config.get("ViewerCertificate") or {}).get("ACMCertificateArn")
    if not certificate:
        raise ApiError(
            "InvalidViewerCertificate", "To add an alternate domain name you must attach a trusted certificate."
        )
    if not certified(certificate):
        raise ApiError(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, or isn't issued.",
        )
    for other in others:
        taken = aliases & {str(each).lower() for each in items(other.get("Aliases"))}
        if taken:
            raise ApiError("CNAMEAlreadyExists", f"{min(taken)} is an alias of another distribution.")


def _not_here(config: Config) -> None:
    if items(config.get("OriginGroups")):
        raise ApiError("InvalidArgument", "The emulator does not support OriginGroups.")
    if config.get("WebACLId"):
        raise ApiError("InvalidWebACLId", "The emulator does not support a WebACLId.")
    geo = (config.get("Restrictions") or {}).get("GeoRestriction") or {}
    if geo.get("RestrictionType", "none") != "none":
        raise ApiError("InvalidGeoRestrictionParameter", "The emulator knows no countries: no GeoRestriction.")
