"""The load balancers of one emulator: moto's state, the targets' health and the proxy, held together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import reader
from seatrial.emulator.loadbalancing.api import Api
from seatrial.emulator.loadbalancing.certificates import Authority
from seatrial.emulator.loadbalancing.keeper import Keeper
from seatrial.emulator.loadbalancing.lowering import lower
from seatrial.emulator.loadbalancing.model import ProxyModel
from seatrial.emulator.loadbalancing.places import Places
from seatrial.emulator.loadbalancing.targets import TargetRegistry
from seatrial.emulator.loadbalancing.traffic import RuleWeights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.clock import Clock
    from seatrial.emulator.loadbalancing.model import Certificate
    from seatrial.emulator.loadbalancing.proxy import Proxy
    from seatrial.emulator.loadbalancing.snapshot import ListenerState
    from seatrial.emulator.settings import EmulatorSettings


@dataclass(frozen=True)
class ListenerAddress:
    """Where a listener can be reached. ``port`` is AWS's, ``bound_port`` the one really bound on ``host``."""

    load_balancer: str
    load_balancer_arn: str
    listener_arn: str
    protocol: str
    port: int
    host: str
    bound_port: int

    @property
    def url(self) -> str:
        """The address of ``/``."""
        return f"{self.protocol.lower()}://{self.host}:{self.bound_port}/"


class LoadBalancing:
    """See the package.

    ``targets`` and ``traffic`` are what ECS speaks to, ``issuer`` signs certificates that clients here can trust.
    """

    def __init__(self, settings: EmulatorSettings, clock: Clock, addresses: Addresses) -> None:
        directory = settings.state / "loadbalancing"
        self._keeper = Keeper(lambda: self._publish(again=True))
        self._proxy = _proxy(settings.proxy, directory / "proxy", self._keeper.died)
        self.issuer = Authority(directory, clock.now())
        self._places = Places(addresses)
        self._lock = threading.Lock()
        self._live: ProxyModel | None = ProxyModel()
        self._stopped = False
        self.targets = TargetRegistry(clock, reader.read, self._publish, self._proxy.sever)
        self.traffic = RuleWeights(self._follow)
        self._api = Api(self.targets, reader.read, self._follow)

    def start(self) -> None:
        """Begin to probe targets. The proxy starts with the first listener, and again whenever it dies."""
        self.targets.start()
        self._keeper.start()

    def install(self) -> None:
        """Take over from moto what :mod:`.api` lists."""
        self._api.install()

    def stop(self) -> None:
        """End probes and proxy and give moto its own actions back. Safe to call twice."""
        self._api.uninstall()
        with self._lock:
            self._stopped = True
        self._keeper.stop()
        self.targets.stop()
        self._proxy.stop()

    def addresses_of(self) -> list[ListenerAddress]:
        """Return where each listener of each application load balancer can be reached."""
        snapshot = reader.read()
        places = self._places.of(snapshot)
        return [
            ListenerAddress(
                load_balancer=balancer.name,
                load_balancer_arn=balancer.arn,
                listener_arn=listener.arn,
                protocol=listener.protocol,
                port=listener.port,
                host=places[listener.arn].address,
                bound_port=places[listener.arn].port,
            )
            for balancer in snapshot.balancers
            for listener in balancer.listeners
            if listener.arn in places
        ]

    def rss(self) -> int:
        """Return the proxy's resident memory in bytes."""
        return self._proxy.rss()

    def _follow(self) -> None:
        reader.settle(reader.read(), self._places.address)
        self._publish()
        self.targets.listeners_changed()

    def _publish(self, *, again: bool = False) -> None:
        """Make the proxy do what API and registry say now. Whoever waits for the lock finds his change in the model.

        ``again``: also where nothing has changed, for the proxy may have forgotten.
        """
        with self._lock:
            if self._stopped:
                return
            snapshot = reader.read()
            states = self.targets.states(snapshot)
            model = lower(snapshot, states, self._places.of(snapshot), self._certificates)
            if again or model != self._live:
                self._live = None  # until the proxy has taken it up, nobody knows what it does
                self._proxy.apply(model)
                self._live = model

    def _certificates(self, address: str, listener: ListenerState) -> tuple[Certificate, ...]:
        return tuple(self.issuer.issue(reader.certificate_names(arn), address) for arn in listener.certificates)


def _proxy(kind: str, directory: Path, died: Callable[[int], None]) -> Proxy:
    if kind == "envoy":
        from seatrial.emulator.loadbalancing.envoy import Envoy

        return Envoy(directory, died)
    from seatrial.emulator.loadbalancing.builtin import Builtin

    return Builtin(directory, died)
