"""The actions on distributions, their tags and invalidations; and what of it holds at the edge at a given time.

A change holds once it is deployed, and an invalidation once it is completed, as GetDistribution and GetInvalidation
say. Until then viewers meet what was before.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.invalidations import Invalidations
from seatrial.emulator.edge.lowering import items, lower
from seatrial.emulator.edge.refusals import check
from seatrial.emulator.edge.shelf import new_id, require_match
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.edge import model
    from seatrial.emulator.edge.refusals import Certified, Lookup

#: Seconds that AWS takes at the least to bring a change, and an invalidation, to all edges.
DEPLOYMENT, INVALIDATION = 60.0, 20.0

_DEFAULTS: dict[str, Any] = {
    "Aliases": {"Quantity": 0},
    "DefaultRootObject": "",
    "CacheBehaviors": {"Quantity": 0},
    "CustomErrorResponses": {"Quantity": 0},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"},
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": False,
    "Staging": False,
}
#: Members of the configuration that a list of distributions shows.
_LISTED = (
    "Aliases", "Origins", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses", "Comment", "PriceClass",
    "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging",
)  # fmt: skip


@dataclass
class Kept:
    """One distribution. ``next`` holds at the edge from ``deployed`` on, ``live`` until then; None answers nobody."""

    id: str
    arn: str
    domain_name: str
    config: dict[str, Any]
    modified: datetime
    next: model.Distribution
    deployed: float
    live: model.Distribution | None = None
    tags: dict[str, str] = field(default_factory=dict)
    etag: str = field(default_factory=new_id)
    invalidations: Invalidations = field(default_factory=Invalidations)

    def at_the_edge(self, now: float) -> model.Distribution | None:
        """Return what holds at the edge."""
        return self.next if now >= self.deployed else self.live

    def status(self, now: float) -> str:
        """Return InProgress or Deployed."""
        return "Deployed" if now >= self.deployed else "InProgress"


class Distributions:
    """All of them. ``opened`` is told of a new one, before it is deployed, and returns its domain name."""

    def __init__(
        self,
        account: str,
        clock: Clock,
        lookup: Lookup,
        certified: Certified,
        *,
        opened: Callable[[str], str],
        closed: Callable[[str], None],
    ) -> None:
        self._account = account
        self._clock = clock
        self._lookup = lookup
        self._certified = certified
        self._opened = opened
        self._closed = closed
        self._lock = threading.RLock()
        self._kept: dict[str, Kept] = {}

    def actions(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """Return the actions by their names in snake case."""
        found = {
            "create_distribution": self.create,
            "create_distribution_with_tags": self.create,
            "get_distribution": self.get,
            "get_distribution_config": self.get_config,
            "update_distribution": self.update,
            "delete_distribution": self.delete,
            "list_distributions": self.list,
            "create_invalidation": self.invalidate,
            "get_invalidation": self.get_invalidation,
            "list_invalidations": self.list_invalidations,
            "tag_resource": self.tag,
            "untag_resource": self.untag,
            "list_tags_for_resource": self.list_tags,
        }
        return {name: self._alone(action) for name, action in found.items()}

    def at_the_edge(self, id_: str) -> model.Distribution | None:
        """Return what an edge does for a distribution now; None before its first deployment and after its end."""
        kept = self._kept.get(id_)  # a viewer's connection may outlive it
        return None if kept is None else kept.at_the_edge(self._clock.monotonic())

    def due(self, id_: str) -> list[tuple[str, ...]]:
        """Return the paths of invalidations that were completed since this was last asked."""
        kept = self._kept.get(id_)
        return [] if kept is None else list(kept.invalidations.due(self._clock.monotonic()))

    def in_use(self, kind: str, id_: str) -> bool:
        """Whether a distribution names a policy or an origin access control."""
        return any(id_ in _names(kind, each.config) for each in self._kept.values())

    def policy_changed(self, kind: str, id_: str) -> None:
        """Deploy again what names a policy that has changed."""
        with self._lock:
            for each in self._kept.values():
                if id_ in _names(kind, each.config):
                    self._deploy(each)

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateDistribution, with tags or without."""
        request = request.get("DistributionConfigWithTags") or request
        config = self._checked(request["DistributionConfig"], None)
        if any(each.config["CallerReference"] == config["CallerReference"] for each in self._kept.values()):
            raise ApiError("DistributionAlreadyExists", "The caller reference that you are using is already in use.")
        id_ = new_id()
        arn = f"arn:aws:cloudfront::{self._account}:distribution/{id_}"
        kept = Kept(
            id=id_,
            arn=arn,
            domain_name=self._opened(id_),
            config=config,
            modified=self._clock.now(),
            next=lower(arn, config, self._lookup),
            deployed=self._clock.monotonic() + self._clock.scaled(DEPLOYMENT),
            tags={each["Key"]: each.get("Value", "") for each in items(request.get("Tags"))},
        )
        self._kept[id_] = kept
        return self._shown(kept) | {"Location": f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{id_}"}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetDistribution."""
        return self._shown(self._found(request["Id"]))

    def get_config(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetDistributionConfig."""
        kept = self._found(request["Id"])
        return {"DistributionConfig": kept.config, "ETag": kept.etag}

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        """UpdateDistribution: the whole configuration, for the version that the caller has seen."""
        kept = self._found(request["Id"])
        require_match(request, kept.etag)
        config = self._checked(request["DistributionConfig"], kept)
        if config["CallerReference"] != kept.config["CallerReference"]:
            raise ApiError("IllegalUpdate", "The caller reference cannot be changed.")
        kept.config = config
        kept.etag = new_id()
        self._deploy(kept)
        return self._shown(kept)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteDistribution: one that was disabled, and everywhere."""
        kept = self._found(request["Id"])
        require_match(request, kept.etag)
        if kept.config["Enabled"] or kept.status(self._clock.monotonic()) != "Deployed":
            raise ApiError(
                "DistributionNotDisabled", "The distribution you are trying to delete has not been disabled."
            )
        del self._kept[kept.id]
        self._closed(kept.id)
        return {}

    def list(self, _request: dict[str, Any]) -> dict[str, Any]:
        """ListDistributions: all of them on one page."""
        entries = [
            {**self._described(each), **{name: each.config[name] for name in _LISTED}} for each in self._kept.values()
        ]
        return {"DistributionList": _page(entries)}

    def invalidate(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateInvalidation."""
        kept, now = self._found(request["DistributionId"]), self._clock.monotonic()
        seconds = self._clock.scaled(INVALIDATION)
        made = kept.invalidations.create(request["InvalidationBatch"], self._clock.now(), now, seconds)
        place = f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{kept.id}/invalidation/{made.id}"
        return {"Location": place, "Invalidation": made.shown(now)}

    def get_invalidation(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetInvalidation."""
        for each in self._found(request["DistributionId"]).invalidations.all:
            if each.id == request["Id"]:
                return {"Invalidation": each.shown(self._clock.monotonic())}
        raise ApiError("NoSuchInvalidation", "The specified invalidation does not exist.")

    def list_invalidations(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListInvalidations: all of them on one page, the newest first."""
        now = self._clock.monotonic()
        kept = self._found(request["DistributionId"])
        entries = [
            {"Id": each.id, "CreateTime": each.created, "Status": each.status(now)}
            for each in reversed(kept.invalidations.all)
        ]
        return {"InvalidationList": _page(entries)}

    def tag(self, request: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        tags = {each["Key"]: each.get("Value", "") for each in items(request["Tags"])}
        self._of_arn(request["Resource"]).tags.update(tags)
        return {}

    def untag(self, request: dict[str, Any]) -> dict[str, Any]:
        """UntagResource."""
        kept = self._of_arn(request["Resource"])
        for key in items(request["TagKeys"]):
            kept.tags.pop(key, None)
        return {}

    def list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        tags = self._of_arn(request["Resource"]).tags
        return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}}

    def _alone(self, action: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def locked(request: dict[str, Any]) -> dict[str, Any]:
            with self._lock:
                return action(request)

        return locked

    def _checked(self, config: dict[str, Any], kept: Kept | None) -> dict[str, Any]:
        others = [each.config for each in self._kept.values() if each is not kept]
        check(config, self._lookup, self._certified, others)
        return copy.deepcopy(_DEFAULTS) | config

    def _deploy(self, kept: Kept) -> None:
        now = self._clock.monotonic()
        kept.live = kept.at_the_edge(now)
        kept.next = lower(kept.arn, kept.config, self._lookup)
        kept.deployed = now + self._clock.scaled(DEPLOYMENT)
        kept.modified = self._clock.now()

    def _found(self, id_: str) -> Kept:
        if id_ not in self._kept:
            raise ApiError("NoSuchDistribution", "The specified distribution does not exist.")
        return self._kept[id_]

    def _of_arn(self, arn: str) -> Kept:
        found = next((each for each in self._kept.values() if each.arn == arn), None)
        if found is None:
            raise ApiError("NoSuchResource", f"The resource {arn} was not found.")
        return found

    def _described(self, kept: Kept) -> dict[str, Any]:
        return {
            "Id": kept.id,
            "ARN": kept.arn,
            "Status": kept.status(self._clock.monotonic()),
            "LastModifiedTime": kept.modified,
            "DomainName": kept.domain_name,
        }

    def _shown(self, kept: Kept) -> dict[str, Any]:
        described = self._described(kept) | {
            "InProgressInvalidationBatches": kept.invalidations.in_progress(self._clock.monotonic()),
            "DistributionConfig": kept.config,
        }
        return {"Distribution": described, "ETag": kept.etag}


def _page(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(entries), "Items": entries}


def _names(kind: str, config: dict[str, Any]) -> set[str]:
    """Return the ids of a kind that a configuration names."""
    if kind == "OriginAccessControl":
        return {each.get("OriginAccessControlId") or "" for each in items(config["Origins"])}
    behaviours = [config["DefaultCacheBehavior"], *items(config.get("CacheBehaviors"))]
    return {each.get(f"{kind}Id") or "" for each in behaviours}
