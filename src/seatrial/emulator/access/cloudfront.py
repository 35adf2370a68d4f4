"""What a request to CloudFront needs: its REST protocol has the action in method, path and query. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.access.decision import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.access.needs import Place

_PREFIX = "/2020-05-31/"
#: Collection in the path → what one and many of it are called in actions.
_KINDS = {
    "cache-policy": ("CachePolicy", "CachePolicies"),
    "distribution": ("Distribution", "Distributions"),
    "origin-access-control": ("OriginAccessControl", "OriginAccessControls"),
    "response-headers-policy": ("ResponseHeadersPolicy", "ResponseHeadersPolicies"),
}
_VERBS = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}
_TAGGING = {("GET", None): "ListTagsForResource", ("POST", "Tag"): "TagResource", ("POST", "Untag"): "UntagResource"}


def of_cloudfront(method: str, path: str, flags: Mapping[str, str], place: Place) -> list[Need] | None:
    """Return what a request needs; None for one that is not known here. ``flags`` is the query."""
    if not path.startswith(_PREFIX):
        return None
    kind, *rest = path.removeprefix(_PREFIX).rstrip("/").split("/")
    if kind == "tagging":
        action = _TAGGING.get((method, flags.get("Operation")))
        return None if action is None else [Need(f"cloudfront:{action}", flags.get("Resource"))]
    if kind not in _KINDS:
        return None
    named = f"arn:{place.partition}:cloudfront::{place.account}:{kind}/"
    one, many = _KINDS[kind]
    match method, rest:
        case "POST", []:
            tags = [Need("cloudfront:TagResource", f"{named}*")] if "WithTags" in flags else []
            return [Need(f"cloudfront:Create{one}", f"{named}*"), *tags]
        case "GET", []:
            return [Need(f"cloudfront:List{many}", "*")]
        case "POST", [id_, "invalidation"]:
            return [Need("cloudfront:CreateInvalidation", named + id_)]
        case "GET", [id_, "invalidation"]:
            return [Need("cloudfront:ListInvalidations", named + id_)]
        case "GET", [id_, "invalidation", _]:
            return [Need("cloudfront:GetInvalidation", named + id_)]
        case "GET", [id_, "config"]:
            return [Need(f"cloudfront:Get{one}Config", named + id_)]
        case ("PUT", [id_, "config"]) | (("GET" | "PUT" | "DELETE"), [id_]):
            return [Need(f"cloudfront:{_VERBS[method]}{one}", named + id_)]
    return None
