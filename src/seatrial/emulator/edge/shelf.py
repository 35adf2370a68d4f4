"""What the API keeps of each kind: configurations by id, each version with its entity tag.

Cache policies, response headers policies and origin access controls are kept by this and nothing else; their actions
are alike but for names. Two cache policies and one response headers policy that AWS manages are there from the start.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.refusals import check_policy
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_LETTERS = string.ascii_uppercase + string.digits


def new_id() -> str:
    """Return an id or entity tag as CloudFront makes them: ``E`` and thirteen letters and digits."""
    return "E" + "".join(secrets.choice(_LETTERS) for _ in range(13))


@dataclass
class Kept:
    """One configuration."""

    id: str
    config: dict[str, Any]
    modified: datetime
    managed: bool = False
    etag: str = field(default_factory=new_id)


class Shelf:
    """Everything of one kind, as ``CachePolicy``.

    ``in_use`` says whether a distribution names an id. ``changed`` is told an id whose configuration is another now.
    """

    def __init__(
        self,
        kind: str,
        now: Callable[[], datetime],
        in_use: Callable[[str, str], bool],
        changed: Callable[[str, str], None],
    ) -> None:
        self.kind = kind
        self._now = now
        self._in_use = in_use
        self._changed = changed
        self._kept = {id_: Kept(id_, config, now(), managed=True) for id_, config in _MANAGED.get(kind, {}).items()}

    def config(self, id_: str) -> dict[str, Any]:
        """Return a configuration. Raises ``ApiError`` NoSuch..."""
        return self._found(id_).config

    def actions(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """Return the actions, as ``create_cache_policy``."""
        snake = {
            "CachePolicy": "cache_polic", "ResponseHeadersPolicy": "response_headers_polic",
            "OriginAccessControl": "origin_access_control",
        }[self.kind]  # fmt: skip
        one, many = (f"{snake}y", f"{snake}ies") if snake.endswith("polic") else (snake, f"{snake}s")
        return {
            f"create_{one}": self.create,
            f"get_{one}": lambda request: self._shown(self._found(request["Id"])),
            f"get_{one}_config": self.show_config,
            f"update_{one}": self.update,
            f"delete_{one}": self.delete,
            f"list_{many}": self.list,
        }

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """Keep a new one. Names are unique."""
        config = request[f"{self.kind}Config"]
        check_policy(self.kind, config)
        self._refuse_taken(config["Name"])
        kept = Kept(new_id(), config, self._now())
        self._kept[kept.id] = kept
        return self._shown(kept) | {"Location": f"/2020-05-31/{self.kind}/{kept.id}"}

    def show_config(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration alone."""
        kept = self._found(request["Id"])
        return {f"{self.kind}Config": kept.config, "ETag": kept.etag}

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        """Replace the configuration, whole, of the version that the caller has seen."""
        kept, config = self._matching(request, "IllegalUpdate"), request[f"{self.kind}Config"]
        check_policy(self.kind, config)
        if config["Name"] != kept.config["Name"]:
            self._refuse_taken(config["Name"])
        kept.config, kept.etag, kept.modified = config, new_id(), self._now()
        self._changed(self.kind, kept.id)
        return self._shown(kept)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete the version that the caller has seen, if no distribution names it."""
        kept = self._matching(request, "IllegalDelete")
        if self._in_use(self.kind, kept.id):
            raise ApiError(f"{self.kind}InUse", f"Cannot delete the {self.kind}: a distribution uses it.")
        del self._kept[kept.id]
        return {}

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return all, or those of one Type (managed, custom)."""
        kind = request.get("Type")
        found = [each for each in self._kept.values() if kind in (None, _type(each))]
        if self.kind == "OriginAccessControl":
            entries = [{"Id": each.id, "Description": "", **each.config} for each in found]
            more = {"Marker": "", "IsTruncated": False}
        else:
            entries, more = [{"Type": _type(each), self.kind: self._described(each)} for each in found], {}
        return {f"{self.kind}List": {"MaxItems": 100, "Quantity": len(entries), "Items": entries, **more}}

    def _refuse_taken(self, name: str) -> None:
        if any(each.config["Name"] == name for each in self._kept.values()):
            raise ApiError(f"{self.kind}AlreadyExists", f"A {self.kind} with the name {name} exists already.")

    def _found(self, id_: str) -> Kept:
        if id_ not in self._kept:
            raise ApiError(f"NoSuch{self.kind}", f"The {self.kind} {id_} does not exist.")
        return self._kept[id_]

    def _matching(self, request: Mapping[str, Any], illegal: str) -> Kept:
        kept = self._found(request["Id"])
        if kept.managed:
            raise ApiError(illegal, f"The {self.kind} is managed by AWS.")
        require_match(request, kept.etag)
        return kept

    def _described(self, kept: Kept) -> dict[str, Any]:
        return {"Id": kept.id, "LastModifiedTime": kept.modified, f"{self.kind}Config": kept.config}

    def _shown(self, kept: Kept) -> dict[str, Any]:
        return {self.kind: self._described(kept), "ETag": kept.etag}


def require_match(request: Mapping[str, Any], etag: str) -> None:
    """Refuse a change of a version that is not the present one."""
    if not request.get("IfMatch"):
        raise ApiError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if request["IfMatch"] != etag:
        raise ApiError("PreconditionFailed", "The request failed because it didn't meet the preconditions.")


def _type(kept: Kept) -> str:
    return "managed" if kept.managed else "custom"


_NOTHING = {
    "CookiesConfig": {"CookieBehavior": "none"},
    "HeadersConfig": {"HeaderBehavior": "none"},
    "QueryStringsConfig": {"QueryStringBehavior": "none"},
}
#: CloudFront developer guide, "Use managed cache policies" and "Use managed response headers policies".
_MANAGED: dict[str, dict[str, dict[str, Any]]] = {
    "CachePolicy": {
        "658327ea-f89d-4fab-a63d-7e88639e58f6": {
            "Name": "Managed-CachingOptimized", "MinTTL": 1, "DefaultTTL": 86400, "MaxTTL": 31536000,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                **_NOTHING, "EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True,
            },
        },
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": {
            "Name": "Managed-CachingDisabled", "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                **_NOTHING, "EnableAcceptEncodingGzip": False, "EnableAcceptEncodingBrotli": False,
            },
        },
    },
    "ResponseHeadersPolicy": {
        "67f7725c-6f97-4210-82d7-5512b31e9d03": {
            "Name": "Managed-SecurityHeadersPolicy",
            "SecurityHeadersConfig": {
                "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
                "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
                "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
                "ContentTypeOptions": {"Override": True},
                "StrictTransportSecurity": {"Override": False, "AccessControlMaxAgeSec": 31536000},
            },
        },
    },
}  # fmt: skip
