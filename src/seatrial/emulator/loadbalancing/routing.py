"""Which rule of a listener a request meets, and which target it is sent to. For the data plane of our own."""

from __future__ import annotations

import ipaddress
import itertools
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.emulator.loadbalancing.model import Action, Backend, Condition, Forward, Listener, Pool
    from seatrial.emulator.loadbalancing.wire import Head


@dataclass(frozen=True)
class Request:
    """A request as conditions see it. ``target`` is path and query, ``source`` the client's address."""

    head: Head
    method: str
    target: str
    source: str


class Table:
    """The rules of one listener, ready to be tried."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._rules = [([_test(each) for each in rule.conditions], rule.action) for rule in listener.rules]

    def action(self, request: Request) -> Action:
        """Return the action of the first rule all of whose conditions hold; the last rule has none."""
        return next(action for tests, action in self._rules if all(test(request) for test in tests))


class Pools:
    """The targets of all groups, each group's taken in turn."""

    def __init__(self, pools: tuple[Pool, ...]) -> None:
        self._pools = {pool.arn: pool for pool in pools}
        self._turns: dict[str, Iterator[Backend]] = {
            pool.arn: itertools.cycle(pool.backends) for pool in pools if pool.backends
        }
        self.backends = frozenset(backend for pool in pools for backend in pool.backends)

    def choose(self, action: Forward) -> tuple[Pool, Backend] | None:
        """Return a target by weight and turn; None where weights or targets allow none."""
        arns = [arn for arn, _ in action.pools]
        weights = [weight for _, weight in action.pools]
        if not any(weights):
            return None
        arn = random.choices(arns, weights)[0]  # noqa: S311  # spreads load, protects nothing
        backend = next(self._turns[arn], None) if arn in self._turns else None
        return (self._pools[arn], backend) if backend else None


def _test(condition: Condition) -> Callable[[Request], bool]:
    if condition.field == "source-ip":
        networks = [ipaddress.ip_network(block, strict=False) for block in condition.patterns]
        return lambda request: any(ipaddress.ip_address(request.source) in network for network in networks)
    pattern = re.compile("|".join(f"(?:{each})" for each in condition.patterns))
    subjects = _SUBJECTS.get(condition.field) or (lambda request: request.head.all(condition.header))
    return lambda request: any(pattern.fullmatch(subject) for subject in subjects(request))


_SUBJECTS: dict[str, Callable[[Request], list[str]]] = {
    "path-pattern": lambda request: [request.target.partition("?")[0]],
    "host-header": lambda request: request.head.all("host"),
    "http-request-method": lambda request: [request.method],
    "query-string": lambda request: [request.target],
}
