"""CloudFront of one emulator: the API's state, a cache and servers for each distribution, held together.

Names of moto used: ``acm_backends`` and the certificates in it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.cache import Cache
from seatrial.emulator.edge.distributions import Distributions
from seatrial.emulator.edge.origin import Buckets
from seatrial.emulator.edge.presentation import own_error
from seatrial.emulator.edge.server import Server
from seatrial.emulator.edge.shelf import Shelf
from seatrial.emulator.edge.viewer import Viewers

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.clock import Clock
    from seatrial.emulator.edge.model import Answer, Request
    from seatrial.emulator.loadbalancing.certificates import Authority
    from seatrial.emulator.settings import EmulatorSettings

#: Where CloudFront looks for certificates, whatever region all else is in.
_CERTIFICATES = "us-east-1"


@dataclass(frozen=True)
class DistributionAddress:
    """Where a distribution can be reached: the ports that are really bound."""

    id: str
    address: str
    http_port: int
    https_port: int

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Address and port of both servers."""
        return (self.address, self.http_port), (self.address, self.https_port)

    @property
    def url(self) -> str:
        """The address of ``/`` over HTTP."""
        return f"http://{self.address}:{self.http_port}/"


@dataclass
class _Served:
    """One distribution's address, and what answers there."""

    address: str
    http: Server
    https: Server


class Edge:
    """See the package. ``issuer`` signs certificates that clients here can trust."""

    def __init__(self, settings: EmulatorSettings, clock: Clock, addresses: Addresses, issuer: Authority) -> None:
        self._clock = clock
        self._addresses = addresses
        self._issuer = issuer
        self._account = settings.account
        self._buckets = Buckets(settings.account, clock.now)
        self._served: dict[str, _Served] = {}
        self._contexts: dict[tuple[str, tuple[str, ...]], ssl.SSLContext] = {}
        self._distributions = Distributions(
            settings.account, clock, self._lookup, self._certified, opened=self._open, closed=self._close
        )
        self._shelves = {
            kind: Shelf(kind, clock.now, self._distributions.in_use, self._distributions.policy_changed)
            for kind in ("CachePolicy", "ResponseHeadersPolicy", "OriginAccessControl")
        }

    def actions(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """Return CloudFront's actions by their names in snake case."""
        found = self._distributions.actions()
        for shelf in self._shelves.values():
            found |= shelf.actions()
        return found

    def stop(self) -> None:
        """End all servers. Safe to call twice."""
        for id_ in list(self._served):
            self._close(id_)

    def addresses_of(self) -> list[DistributionAddress]:
        """Return where each distribution can be reached."""
        return [
            DistributionAddress(id_, each.address, each.http.port, each.https.port)
            for id_, each in dict(self._served).items()
        ]

    def _open(self, id_: str) -> str:
        """Give a new distribution an address and servers, and return the name it can be reached by over HTTP."""
        address = self._addresses.distribution()
        viewers = Viewers(self._buckets.ask, Cache(lambda: self._distributions.due(id_)), self._clock.monotonic)

        def respond(request: Request) -> Answer:
            distribution = self._distributions.at_the_edge(id_)
            if distribution is None:
                return own_error(503, "There is no distribution here, or not yet.")
            return viewers.answer(request, distribution, address, self._served[id_].https.port)

        def tls() -> ssl.SSLContext:
            distribution = self._distributions.at_the_edge(id_) if id_ in self._served else None
            return self._context(address, () if distribution is None else distribution.aliases)

        tls()  # so that the authority is there for those who want to trust it before they ask
        served = _Served(address, Server(address, 80, respond), Server(address, 443, respond, tls))
        self._served[id_] = served
        return address if served.http.port == 80 else f"{address}:{served.http.port}"

    def _context(self, address: str, names: tuple[str, ...]) -> ssl.SSLContext:
        """Return the context of a certificate for an address and aliases, made once."""
        if (address, names) not in self._contexts:
            certificate = self._issuer.issue(names, address)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            self._contexts[address, names] = context
        return self._contexts[address, names]

    def _close(self, id_: str) -> None:
        served = self._served.pop(id_)
        served.http.stop()
        served.https.stop()

    def _lookup(self, kind: str, id_: str) -> dict[str, Any]:
        return self._shelves[kind].config(id_)

    def _certified(self, arn: str) -> bool:
        """Whether ACM has issued the certificate in us-east-1."""
        from moto.acm.models import acm_backends

        kept = acm_backends[self._account][_CERTIFICATES]._certificates.get(arn)  # noqa: SLF001 - no other way
        return kept is not None and kept.status == "ISSUED"
