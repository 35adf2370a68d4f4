"""From the state of the API and the health of the targets to what the proxy must do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from seatrial.emulator.loadbalancing import TargetState, patterns
from seatrial.emulator.loadbalancing.model import (
    Action,
    Backend,
    Certificate,
    Condition,
    ConditionField,
    FixedResponse,
    Forward,
    Listener,
    Pool,
    ProxyModel,
    Redirect,
    Rule,
)
from seatrial.emulator.loadbalancing.snapshot import (
    BalancerState,
    GroupState,
    ListenerState,
    RuleState,
    Snapshot,
    forwarded,
)

#: ALB's default of ``idle_timeout.timeout_seconds``.
IDLE_TIMEOUT = 60

States = Mapping[str, Mapping[Backend, TargetState]]


@dataclass(frozen=True)
class Place:
    """Where a listener really listens on this machine."""

    address: str
    port: int


def lower(
    snapshot: Snapshot,
    states: States,
    places: Mapping[str, Place],
    certificates: Callable[[str, ListenerState], tuple[Certificate, ...]],
) -> ProxyModel:
    """Return the model of all application load balancers.

    ``states`` has the registered targets of each group, ``places`` the address of each listener ARN (a listener without
    one is left out), ``certificates`` gives the files for a listener on an address.
    """
    attached = snapshot.attached()
    return ProxyModel(
        listeners=tuple(
            _listener(balancer, listener, places, certificates)
            for balancer in snapshot.balancers
            if balancer.type == "application"
            for listener in balancer.listeners
            if listener.arn in places
        ),
        pools=tuple(
            Pool(arn, _protocol(group.protocol), routable(states.get(arn, {})))
            for arn, group in sorted(snapshot.groups.items())
            if arn in attached and _carries(group)
        ),
    )


def routable(targets: Mapping[Backend, TargetState]) -> tuple[Backend, ...]:
    """Return the targets that get new requests: the healthy ones; where there is none, all that are not leaving.

    "If a target group contains only unhealthy registered targets, the load balancer routes requests to all those
    targets, regardless of their health status." (ALB user guide, target group health: fail open.) A draining target
    never gets a new request.
    """
    healthy = sorted(target for target, state in targets.items() if state == "healthy")
    return tuple(healthy or sorted(target for target, state in targets.items() if state in ("initial", "unhealthy")))


def _listener(
    balancer: BalancerState,
    listener: ListenerState,
    places: Mapping[str, Place],
    certificates: Callable[[str, ListenerState], tuple[Certificate, ...]],
) -> Listener:
    place = places[listener.arn]
    moved = {str(each.port): str(places[each.arn].port) for each in balancer.listeners if each.arn in places}
    return Listener(
        arn=listener.arn,
        protocol=_protocol(listener.protocol),
        address=place.address,
        port=listener.port,
        bound_port=place.port,
        rules=tuple(_rule(rule, moved) for rule in sorted(listener.rules, key=_order)),
        idle_timeout=int(balancer.attributes.get("idle_timeout.timeout_seconds", IDLE_TIMEOUT)),
        certificates=certificates(place.address, listener) if listener.protocol == "HTTPS" else (),
    )


def _protocol(name: str) -> Literal["HTTP", "HTTPS"]:
    return "HTTPS" if name == "HTTPS" else "HTTP"


def _carries(group: GroupState) -> bool:
    """Whether targets of the group may have an address: Lambda functions and load balancers are not carried."""
    return group.target_type in ("ip", "instance")


def _order(rule: RuleState) -> tuple[bool, int]:
    return rule.priority is None, rule.priority or 0


def _rule(rule: RuleState, moved: Mapping[str, str]) -> Rule:
    return Rule(rule.arn, tuple(_condition(each) for each in rule.conditions), _action(rule.actions, moved))


def _condition(condition: Mapping[str, Any]) -> Condition:
    field = cast("ConditionField", condition["Field"])
    if field == "path-pattern":
        return Condition(field, _each(patterns.path_pattern, condition, "PathPatternConfig"))
    if field == "host-header":
        return Condition(field, _each(patterns.host_pattern, condition, "HostHeaderConfig"))
    if field == "http-request-method":
        return Condition(field, _each(patterns.method_pattern, condition, "HttpRequestMethodConfig"))
    if field == "source-ip":
        return Condition(field, tuple(condition["SourceIpConfig"]["Values"]))
    if field == "http-header":
        config = condition["HttpHeaderConfig"]
        values = tuple(patterns.header_pattern(value) for value in config["Values"])
        return Condition(field, values, config["HttpHeaderName"].lower())
    pairs = condition["QueryStringConfig"]["Values"]
    return Condition(field, tuple(patterns.query_pattern(pair.get("Key"), pair["Value"]) for pair in pairs))


def _each(to_pattern: Callable[[str], str], condition: Mapping[str, Any], config: str) -> tuple[str, ...]:
    values: Iterable[str] = (condition.get(config) or {}).get("Values") or condition.get("Values") or ()
    return tuple(to_pattern(value) for value in values)


def _action(actions: tuple[Mapping[str, Any], ...], moved: Mapping[str, str]) -> Action:
    """Return the action that routes, the last one; the API takes no other kind here (see :mod:`.refusals`)."""
    action = max(actions, key=lambda each: int(each.get("Order") or 0)) if len(actions) > 1 else actions[0]
    if action["Type"] == "redirect":
        return _redirect(action["RedirectConfig"], moved)
    if action["Type"] == "fixed-response":
        config = action["FixedResponseConfig"]
        return FixedResponse(
            int(config["StatusCode"]), config.get("ContentType") or "text/plain", config.get("MessageBody") or ""
        )
    return Forward(forwarded(action))


def _redirect(config: Mapping[str, Any], moved: Mapping[str, str]) -> Redirect:
    """A redirect to a port of the same balancer goes where that port really is on this machine."""
    host = config.get("Host") or "#{host}"
    port = config.get("Port") or "#{port}"
    return Redirect(
        status=int(config["StatusCode"].removeprefix("HTTP_")),
        protocol=(config.get("Protocol") or "#{protocol}").lower(),
        host=host,
        port=moved.get(port, port) if host == "#{host}" else port,
        path=config.get("Path") or "/#{path}",
        query=config.get("Query", "#{query}"),
    )
