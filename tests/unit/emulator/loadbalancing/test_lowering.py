"""From what the API holds to what the proxy does, on data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.loadbalancing import envoy_config
from seatrial.emulator.loadbalancing.lowering import Place, lower, routable
from seatrial.emulator.loadbalancing.model import (
    Backend,
    Certificate,
    Condition,
    FixedResponse,
    Forward,
    Pool,
    ProxyModel,
    Redirect,
)
from seatrial.emulator.loadbalancing.snapshot import (
    BalancerState,
    GroupState,
    HealthCheck,
    ListenerState,
    RuleState,
    Snapshot,
    forwarded,
)

if TYPE_CHECKING:
    from seatrial.emulator.loadbalancing import TargetState
    from seatrial.emulator.loadbalancing.model import Action

CHECK = HealthCheck("HTTP", None, "/", "200", 30, 5, 5, 2)
A, B, C = (Backend(f"127.20.1.{n}", 8000) for n in (1, 2, 3))


def forward(*weights: tuple[str, int]) -> dict[str, Any]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def group(arn: str, **more: Any) -> GroupState:
    return replace(GroupState(arn, arn, "HTTP", 80, "ip", CHECK), **more)


def rules(*made: RuleState, protocol: str = "HTTP", **more: Any) -> Snapshot:
    listener = ListenerState("listener", protocol, 80, made)
    balancer = replace(BalancerState("balancer", "web", "application", (listener,)), **more)
    return Snapshot((balancer,), {"blue": group("blue"), "green": group("green")})


def lowered(snapshot: Snapshot, states: dict[str, dict[Backend, TargetState]] | None = None) -> ProxyModel:
    places = {each.arn: Place("127.20.0.1", 8000 + each.port) for b in snapshot.balancers for each in b.listeners}
    return lower(snapshot, states or {}, places, lambda address, _: (Certificate(("x",), address, "key"),))


def test_rules_are_in_the_order_of_their_priorities_and_the_default_is_last() -> None:
    made = [RuleState(str(priority), priority, (), (forward(("blue", 1)),)) for priority in (None, 200, 3, 10)]
    assert [rule.arn for rule in lowered(rules(*made)).listeners[0].rules] == ["3", "10", "200", "None"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Field": "path-pattern", "Values": ["/a*"]}, Condition("path-pattern", ("/a.*",))),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b"]}},
            Condition("path-pattern", ("/a", "/b")),
        ),
        ({"Field": "host-header", "Values": ["a.b"]}, Condition("host-header", (r"(?i:a\.b)(?::[0-9]+)?",))),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1"]}},
            Condition("http-header", ("(?i:1)",), "x-a"),
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            Condition("http-request-method", ("GET",)),
        ),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, Condition("source-ip", ("10.0.0.0/8",))),
    ],
)
def test_conditions(condition: dict[str, Any], expected: Condition) -> None:
    made = lowered(rules(RuleState("r", 1, (condition,), (forward(("blue", 1)),))))
    assert made.listeners[0].rules[0].conditions == (expected,)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"Type": "forward", "TargetGroupArn": "blue"}, Forward((("blue", 1),))),
        (forward(("blue", 90), ("green", 10)), Forward((("blue", 90), ("green", 10)))),
        (forward(("blue", 100), ("green", 0)), Forward((("blue", 100), ("green", 0)))),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}},
            FixedResponse(404, "text/plain", ""),
        ),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302"}},
            Redirect(302, "#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}"),
        ),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Query": ""}},
            Redirect(301, "https", "#{host}", "#{port}", "/#{path}", ""),
        ),
    ],
)
def test_actions(action: dict[str, Any], expected: Action) -> None:
    assert lowered(rules(RuleState("r", None, (), (action,)))).listeners[0].rules[0].action == expected


def test_the_last_of_several_actions_routes() -> None:
    login = {"Type": "authenticate-oidc", "Order": 1}
    made = lowered(rules(RuleState("r", None, (), ({**forward(("blue", 1)), "Order": 2}, login))))
    assert made.listeners[0].rules[0].action == Forward((("blue", 1),))


def test_a_redirect_to_a_sibling_goes_where_that_really_listens() -> None:
    config = {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}
    away = {**config, "Host": "elsewhere.example"}
    made = tuple(
        RuleState(name, number, (), ({"Type": "redirect", "RedirectConfig": each},))
        for number, (name, each) in enumerate({"here": config, "away": away}.items(), 1)
    )
    default = RuleState("d", None, (), (forward(("blue", 1)),))
    listeners = (ListenerState("plain", "HTTP", 80, made), ListenerState("secure", "HTTPS", 443, (default,)))
    snapshot = rules(listeners=listeners)
    here, elsewhere = (rule.action for rule in lowered(snapshot).listeners[0].rules)
    assert isinstance(here, Redirect)
    assert isinstance(elsewhere, Redirect)
    assert (here.port, elsewhere.port) == ("8443", "443")


def test_listeners_have_their_place_certificates_and_idle_timeout() -> None:
    default = RuleState("d", None, (), (forward(("blue", 1)),))
    attributes = {"idle_timeout.timeout_seconds": "15"}
    secure = lowered(rules(default, protocol="HTTPS", attributes=attributes)).listeners[0]
    assert (secure.address, secure.port, secure.bound_port) == ("127.20.0.1", 80, 8080)
    assert (secure.protocol, secure.idle_timeout) == ("HTTPS", 15)
    assert secure.certificates == (Certificate(("x",), "127.20.0.1", "key"),)
    plain = lowered(rules(default)).listeners[0]
    assert (plain.certificates, plain.idle_timeout) == ((), 60)


def test_only_application_load_balancers_are_carried() -> None:
    default = RuleState("d", None, (), (forward(("blue", 1)),))
    assert lowered(rules(default, type="network")).listeners == ()


def test_a_pool_is_made_for_each_group_in_use_that_has_addresses() -> None:
    default = RuleState("d", None, (), (forward(("blue", 1), ("green", 0), ("lambda", 1)),))
    snapshot = rules(default)
    snapshot = replace(
        snapshot,
        groups={
            **snapshot.groups,
            "unused": group("unused"),
            "lambda": group("lambda", target_type="lambda"),
            "green": group("green", protocol="HTTPS"),
        },
    )
    states: dict[str, dict[Backend, TargetState]] = {"green": {B: "healthy", A: "healthy"}, "unused": {C: "unused"}}
    assert lowered(snapshot, states).pools == (Pool("blue", "HTTP", ()), Pool("green", "HTTPS", (A, B)))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, ()),
        ({A: "healthy", B: "initial", C: "unhealthy"}, (A,)),
        ({A: "unhealthy", B: "initial", C: "draining"}, (A, B)),
        ({A: "draining"}, ()),
        ({A: "unused"}, ()),
        ({C: "healthy", A: "healthy", B: "draining"}, (A, C)),
    ],
)
def test_who_gets_new_requests(states: dict[Backend, TargetState], expected: tuple[Backend, ...]) -> None:
    assert routable(states) == expected


STATES: st.SearchStrategy[TargetState] = st.sampled_from(["initial", "healthy", "unhealthy", "draining", "unused"])


@given(st.dictionaries(st.sampled_from([A, B, C]), STATES))
def test_a_leaving_target_never_gets_a_request_and_a_healthy_one_always(states: dict[Backend, TargetState]) -> None:
    chosen = routable(states)
    assert not [each for each in chosen if states[each] in ("draining", "unused")]
    assert {each for each, state in states.items() if state == "healthy"} <= set(chosen)
    assert len(set(chosen)) == len(chosen)


def test_what_a_snapshot_says_is_in_use() -> None:
    made = (
        RuleState("r", 1, (), (forward(("green", 0)),)),
        RuleState("d", None, (), ({"Type": "forward", "TargetGroupArn": "blue"},)),
    )
    assert rules(*made).attached() == {"blue", "green"}
    assert forwarded({"Type": "redirect", "RedirectConfig": {}}) == ()


@given(st.lists(st.text(min_size=1, max_size=40), unique=True, min_size=2, max_size=20))
def test_names_inside_envoy_tell_arns_apart(arns: list[str]) -> None:
    assert len({envoy_config.name_of(arn) for arn in arns}) == len(arns)
