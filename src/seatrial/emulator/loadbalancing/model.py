"""What the proxy must do, as plain data. Pure: knows neither moto nor any proxy.

``lowering`` makes it from the state of the API; ``envoy_config`` and ``dataplane`` carry it out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

ConditionField = Literal[
    "path-pattern", "host-header", "http-header", "http-request-method", "query-string", "source-ip"
]


@dataclass(frozen=True, order=True)
class Backend:
    """One target: where it answers, or the id of what AWS would send requests to."""

    address: str
    port: int

    @property
    def is_address(self) -> bool:
        """Whether it can be reached at all: instance ids and ARNs, which are targets too, are no IP addresses."""
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class Pool:
    """The targets of one target group that get new requests. ``protocol`` is how they are spoken to."""

    arn: str
    protocol: Literal["HTTP", "HTTPS"]
    backends: tuple[Backend, ...]


@dataclass(frozen=True)
class Condition:
    """One condition of a rule: satisfied when one of ``patterns`` matches.

    ``patterns`` are regular expressions for the whole of the subject (see :mod:`.patterns`), or CIDR blocks for
    ``source-ip``. ``header`` is the lower-case header name of an ``http-header`` condition.
    """

    field: ConditionField
    patterns: tuple[str, ...]
    header: str = ""


@dataclass(frozen=True)
class Forward:
    """Send the request to one of ``pools`` (target group ARN, weight), at random by weight."""

    pools: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Redirect:
    """Answer with a new address. The parts may hold ``#{protocol} #{host} #{port} #{path} #{query}``."""

    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str


@dataclass(frozen=True)
class FixedResponse:
    """Answer at once."""

    status: int
    content_type: str
    body: str


Action = Forward | Redirect | FixedResponse


@dataclass(frozen=True)
class Rule:
    """What happens to a request that satisfies every condition. A listener's rules are tried in their order."""

    arn: str
    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True)
class Certificate:
    """Files in PEM form, and the names the certificate is good for (``*.example.com`` included)."""

    names: tuple[str, ...]
    certificate: str
    key: str


@dataclass(frozen=True)
class Listener:
    """One listener. ``port`` is AWS's, ``bound_port`` the one really bound on ``address``.

    ``idle_timeout`` is in seconds. ``certificates`` has the default one first and is empty for HTTP.
    """

    arn: str
    protocol: Literal["HTTP", "HTTPS"]
    address: str
    port: int
    bound_port: int
    rules: tuple[Rule, ...]
    idle_timeout: int
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True)
class ProxyModel:
    """All listeners, and all pools that some rule forwards to."""

    listeners: tuple[Listener, ...] = ()
    pools: tuple[Pool, ...] = ()
