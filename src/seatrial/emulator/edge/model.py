"""What an edge does with a request, as plain data. Pure: knows neither the API nor HTTP servers. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One request of a viewer. ``path`` is as it was sent, escapes and all; names of ``headers`` are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    secure: bool = False

    @property
    def host(self) -> str:
        """The host that was asked for, without a port."""
        return self.headers.get("host", "").partition(":")[0].lower()


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the value of a header, None where there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)


@dataclass(frozen=True)
class Selection:
    """Which of the query strings, headers or cookies count: none, all, those in ``names``, or all but those."""

    kind: Literal["none", "all", "only", "but"] = "none"
    names: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Whether the one of that name counts."""
        match self.kind:
            case "none":
                return False
            case "all":
                return True
            case "only":
                return name in self.names
            case "but":
                return name not in self.names


@dataclass(frozen=True)
class CachePolicy:
    """For how long, and by what an edge tells answers apart; ``gzip``: the viewer's Accept-Encoding is looked at."""

    minimum: float
    default: float
    maximum: float
    gzip: bool = False
    query: Selection = Selection()
    headers: Selection = Selection()
    cookies: Selection = Selection()


@dataclass(frozen=True)
class AddedHeader:
    """A header that answers get; ``override`` also where the origin has sent one."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True)
class Cors:
    """What other origins may do. ``override``: also where the origin has said so itself."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: bool
    max_age: int | None
    override: bool


@dataclass(frozen=True)
class HeadersPolicy:
    """What an edge adds to answers, and what it takes out."""

    added: tuple[AddedHeader, ...] = ()
    removed: frozenset[str] = frozenset()
    cors: Cors | None = None


@dataclass(frozen=True)
class Origin:
    """A bucket. ``signed``: requests are made in the distribution's name, and not in that of nobody."""

    bucket: str
    path: str
    signed: bool


@dataclass(frozen=True)
class Behaviour:
    """What is done with requests whose path fits ``pattern``."""

    pattern: str
    origin: Origin
    viewers: Literal["allow-all", "redirect-to-https", "https-only"]
    methods: frozenset[str]
    compress: bool
    caching: CachePolicy
    headers: HeadersPolicy = HeadersPolicy()


@dataclass(frozen=True)
class ErrorPage:
    """What is answered instead of an error; ``path`` None keeps the answer. ``minimum``: kept at least so long."""

    path: str | None
    status: int | None
    minimum: float


@dataclass(frozen=True)
class Distribution:
    """One distribution as its edges know it; the last of ``behaviours`` is the default."""

    arn: str
    enabled: bool
    aliases: tuple[str, ...]
    root: str
    behaviours: tuple[Behaviour, ...]
    errors: Mapping[int, ErrorPage]
