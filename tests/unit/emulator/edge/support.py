"""CloudFront without I/O: its state on a clock that stands still, and a bucket that is a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.cache import Cache
from seatrial.emulator.edge.distributions import DEPLOYMENT, INVALIDATION, Distributions
from seatrial.emulator.edge.model import Answer, Request
from seatrial.emulator.edge.shelf import Shelf
from seatrial.emulator.edge.viewer import Viewers

if TYPE_CHECKING:
    from seatrial.emulator.edge.model import Origin

ACCOUNT = "123456789012"
ADDRESS = "127.16.251.1"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1"
START = datetime(2026, 1, 1, tzinfo=UTC)
OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@dataclass
class Standing:
    """A clock that stands until it is moved."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def scaled(self, seconds: float, *, at_least: float = 0.0) -> float:
        return max(seconds, at_least)


def listed(*entries: Any) -> dict[str, Any]:
    return {"Quantity": len(entries), "Items": list(entries)}


def config(**changes: Any) -> dict[str, Any]:
    """Return a configuration of a distribution of the bucket ``files``, below ``/live``."""
    own: dict[str, Any] = {
        "CallerReference": "one",
        "Comment": "",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": listed(
            {
                "Id": "bucket",
                "DomainName": "files.s3.eu-west-1.amazonaws.com",
                "OriginPath": "/live",
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            }
        ),
        "DefaultCacheBehavior": behaviour(),
    }
    return own | changes


def behaviour(**changes: Any) -> dict[str, Any]:
    own = {"TargetOriginId": "bucket", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": OPTIMIZED}
    return own | changes


def cache_policy(**changes: Any) -> dict[str, Any]:
    key: dict[str, Any] = {
        "EnableAcceptEncodingGzip": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    own = {"Name": "own", "MinTTL": 0, "DefaultTTL": 3600, "MaxTTL": 7200}
    return own | {"ParametersInCacheKeyAndForwardedToOrigin": key} | changes


@dataclass
class Front:
    """CloudFront of one account, and viewers of one distribution."""

    clock: Standing = field(default_factory=Standing)
    files: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    secure: bool = False

    def __post_init__(self) -> None:
        self.distributions = Distributions(
            ACCOUNT,
            self.clock,
            lambda kind, id_: self.shelves[kind].config(id_),
            lambda arn: arn == CERTIFICATE,
            opened=lambda _: ADDRESS,
            closed=lambda _: None,
        )
        self.shelves = {
            kind: Shelf(kind, self.clock.now, self.distributions.in_use, self.distributions.policy_changed)
            for kind in ("CachePolicy", "ResponseHeadersPolicy", "OriginAccessControl")
        }
        self.id = ""

    def call(self, action: str, **request: Any) -> Any:
        actions = self.distributions.actions()
        for shelf in self.shelves.values():
            actions |= shelf.actions()
        return actions[action](request)

    def serve(self, **changes: Any) -> None:
        """Make the distribution and wait until it is deployed."""
        self.id = self.call("create_distribution", DistributionConfig=config(**changes))["Distribution"]["Id"]
        self.viewers = Viewers(self._ask, Cache(lambda: self.distributions.due(self.id)), self.clock.monotonic)
        self.clock.seconds += DEPLOYMENT

    def change(self, **changes: Any) -> None:
        """Change the distribution, without waiting."""
        etag = self.call("get_distribution", Id=self.id)["ETag"]
        self.call("update_distribution", Id=self.id, IfMatch=etag, DistributionConfig=config(**changes))

    def invalidate(self, *paths: str, reference: str = "") -> Any:
        batch = {"Paths": listed(*paths), "CallerReference": reference or f"{paths}{self.clock.seconds}"}
        return self.call("create_invalidation", DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]

    def invalidated(self, *paths: str) -> None:
        """Invalidate paths and wait until that is completed."""
        self.invalidate(*paths)
        self.clock.seconds += INVALIDATION

    def put(self, path: str, body: str, **headers: str) -> None:
        named = {"Content-Type": "text/html", "ETag": f'"{hash(body)}"'} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        self.files[path] = Answer(200, tuple(named.items()), body.encode())

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        path, _, query = path.partition("?")
        named = {"host": ADDRESS} | {name.replace("_", "-"): value for name, value in headers.items()}
        distribution = self.distributions.at_the_edge(self.id)
        assert distribution is not None
        return self.viewers.answer(Request(method, path, query, named, self.secure), distribution, ADDRESS, 443)

    def text(self, path: str, **headers: str) -> str:
        return self.get(path, **headers).body.decode()

    def found(self, path: str, **headers: str) -> str:
        """Return the first word of X-Cache: where the answer was found."""
        return (self.get(path, **headers).header("X-Cache") or "").split()[0]

    def _ask(self, origin: Origin, distribution: str, path: str, tag: str | None) -> Answer:
        assert distribution.endswith(self.id)
        self.asked.append(f"{origin.path}{path}")
        answer = self.files.get(path, Answer(403, (), b"denied"))
        return Answer(304, answer.headers) if tag is not None and tag == answer.header("ETag") else answer
