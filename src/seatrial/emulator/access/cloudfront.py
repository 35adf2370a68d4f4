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
#: (method, what follows the collection, ``*`` for an id) → action on ``one`` or ``many``.
_ACTIONS = {
    ("POST", ""): "Create{one}",
    ("GET", ""): "List{many}",
    ("GET", "*"): "Get{one}",
    ("PUT", "*"): "Update{one}",
    ("DELETE", "*"): "Delete{one}",
    ("GET", "*/config"): "Get{one}Config",
    ("PUT", "*/config"): "Update{one}",
    ("POST", "*/invalidation"): "CreateInvalidation",
    ("GET", "*/invalidation"): "ListInvalidations",
    ("GET", "*/invalidation/*"): "GetInvalidation",
}
_TAGGING = {("GET", ""): "ListTagsForResource", ("POST", "Tag"): "TagResource", ("POST", "Untag"): "UntagResource"}


def of_cloudfront(method: str, path: str, flags: Mapping[str, str], place: Place) -> list[Need] | None:
    """Return what a request needs; None for one that is not known here. ``flags`` is the query."""
    kind, *rest = path.removeprefix(_PREFIX).rstrip("/").split("/")
    if kind == "tagging":
        action = _TAGGING.get((method, flags.get("Operation", "")))
        return None if action is None else [Need(f"cloudfront:{action}", flags.get("Resource"))]
    below = "/".join("*" if number % 2 == 0 else part for number, part in enumerate(rest))
    action = _ACTIONS.get((method, below))
    if action is None or kind not in _KINDS:
        return None
    one, many = _KINDS[kind]
    named = f"arn:{place.partition}:cloudfront::{place.account}:{kind}/{rest[0] if rest else '*'}"
    found = [Need("cloudfront:" + action.format(one=one, many=many), "*" if action.startswith("List{") else named)]
    return found + ([Need("cloudfront:TagResource", named)] if "WithTags" in flags else [])
