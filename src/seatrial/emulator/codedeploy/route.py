"""The listener rules of a deployment: how much of their traffic is on green, and moving it.

CodeDeploy moves every rule of a listener that forwards to one of the two target groups, the default rule too. The one
without traffic stays in the rule at weight 0, so that its targets are checked before they get any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.codedeploy.lifecycle import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.codedeploy.model import Route
    from seatrial.emulator.loadbalancing import Listeners


def misconfigured(listeners: Listeners, route: Route) -> Trouble | None:
    """Say what keeps traffic from being moved, None where nothing does."""
    for listener in (*route.production, *route.test):
        if not list(_rules(listeners, listener, route)):
            return _broken(f"Primary taskset target group must be behind listener {listener}")
    return None


def share(listeners: Listeners, route: Route, arns: tuple[str, ...]) -> int:
    """Return the greatest percentage of the traffic of these listeners that does not go to blue."""
    shares = [0]
    for listener in arns:
        for _, forwards in _rules(listeners, listener, route):
            total = sum(forwards.values())
            shares.append(100 - 100 * forwards.get(route.blue, 0) // total if total else 0)
    return max(shares)


def shift(listeners: Listeners, route: Route, arns: tuple[str, ...], percent: int) -> Trouble | None:
    """Have these listeners send so much to green; returns when the proxy does, or with what kept it from that."""
    try:
        for listener in arns:
            for rule, _ in _rules(listeners, listener, route):
                listeners.shift(rule, {route.green: percent, route.blue: 100 - percent})
    except KeyError as error:
        return _broken(f"The listener rule {error.args[0]} does not exist")
    return None


def _rules(listeners: Listeners, listener: str, route: Route) -> Iterator[tuple[str, dict[str, int]]]:
    """Find the rules of a listener that forward to blue or green, with all that they forward to."""
    for rule in listeners.rules(listener) or ():
        forwards = dict(listeners.forwards(rule) or ())
        if forwards.keys() & {route.blue, route.green}:
            yield rule, forwards


def _broken(what: str) -> Trouble:
    message = f"The ELB could not be updated due to the following error: {what}"
    return Trouble("failure", "ELASTIC_LOAD_BALANCING_INVALID", message)
