"""Every kind of condition and action, asked through both proxies: one listener, many requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.emulator.loadbalancing.lowering import Place, lower
from seatrial.emulator.loadbalancing.snapshot import BalancerState, ListenerState, RuleState, Snapshot
from tests.functional.emulator.loadbalancing.support import ADDRESSES, KINDS, Client, Response, ask, make_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.loadbalancing.model import Listener


def path(*patterns: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


def query(*pairs: dict[str, str]) -> dict[str, Any]:
    return {"Field": "query-string", "QueryStringConfig": {"Values": list(pairs)}}


def host(*values: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def source(*blocks: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(blocks)}}


def method(*names: str) -> dict[str, Any]:
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(names)}}


def redirect(status: int = 301, **parts: str) -> dict[str, Any]:
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": f"HTTP_{status}", **parts}}


RULES: dict[str, list[dict[str, Any]]] = {
    "several": [path("/all"), header("X-Beta", "yes"), method("GET")],
    "path-star": [path("/api/*")],
    "path-question": [path("/v?/x", "/other.path")],
    "host": [host("*.shop.example", "shop.example")],
    "header": [header("User-Agent", "*Curl*", "wg?t")],
    "method": [method("PUT", "PATCH")],
    "query-pair": [query({"Key": "version", "Value": "v?"}), path("/query")],
    "query-value": [query({"Value": "deb*g"}), path("/query")],
    "query-literal": [query({"Key": "star", "Value": r"a\*b"}), path("/query")],
    "long": [path("/long" + "/*a?b" * 24), header("X-Long", "*a?b" * 32)],
    "source": [source("127.77.0.0/16", "203.0.113.0/24"), path("/from")],
}
REDIRECTS = {
    "/r/https": redirect(Protocol="HTTPS", Port="443"),
    "/r/parts/*": redirect(302, Path="/new/#{path}", Query="#{query}&from=#{host}", Host="www.#{host}", Port="#{port}"),
    "/r/fixed": redirect(Protocol="HTTPS", Host="other.example", Port="8443", Path="/x", Query=""),
}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "ContentType": "application/json"}}


def fixed(name: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": name}}


def snapshot() -> Snapshot:
    rules = [RuleState(f"rule/{name}", 10 + n, tuple(c), (fixed(name),)) for n, (name, c) in enumerate(RULES.items())]
    rules += [RuleState(f"rule/{p}", 100 + n, (path(p),), (a,)) for n, (p, a) in enumerate(REDIRECTS.items())]
    maintenance = {**FIXED["FixedResponseConfig"], "MessageBody": '{"down": true}'}  # type: ignore[dict-item]
    rules.append(
        RuleState("rule/fixed", 200, (path("/maintenance"),), ({**FIXED, "FixedResponseConfig": maintenance},))
    )
    rules.append(RuleState("rule/later", 300, (path("/api/*"),), (fixed("never: a rule before it has the same path"),)))
    rules.insert(0, RuleState("rule/default", None, (), (fixed("default"),)))
    listener = ListenerState("listener/rules", "HTTP", 80, tuple(rules))
    return Snapshot((BalancerState("balancer/rules", "rules", "application", (listener,)),))


@pytest.fixture(scope="module", params=KINDS)
def web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    place = Place(ADDRESSES.load_balancer(), 18080)
    model = lower(snapshot(), {}, {"listener/rules": place}, lambda *_: ())
    proxy = make_proxy(request.param, tmp_path_factory.mktemp("rules"))
    try:
        proxy.apply(model)
        yield model.listeners[0]
    finally:
        proxy.stop()


def get(where: Listener, target: str, **more: Any) -> Response:
    return asyncio.run(ask(where, target, **more))


@pytest.mark.parametrize(
    ("target", "request_method", "headers", "rule"),
    [
        ("/", "GET", {}, "default"),
        ("/api/x", "GET", {}, "path-star"),
        ("/api/x/y?z=1", "GET", {}, "path-star"),
        ("/api", "GET", {}, "default"),
        ("/API/x", "GET", {}, "default"),
        ("/v1/x", "GET", {}, "path-question"),
        ("/v12/x", "GET", {}, "default"),
        ("/other.path", "GET", {}, "path-question"),
        ("/otherXpath", "GET", {}, "default"),
        ("/x?y=/api/z", "GET", {}, "default"),
        ("/", "GET", {"Host": "Shop.Example"}, "host"),
        ("/", "GET", {"Host": "a.b.shop.example:8080"}, "host"),
        ("/", "GET", {"Host": "shop.example.org"}, "default"),
        ("/", "GET", {"User-Agent": "libcurl/8"}, "header"),
        ("/", "GET", {"user-agent": "WGET"}, "header"),
        ("/", "GET", {"User-Agent": "wgeet"}, "default"),
        ("/", "PUT", {}, "method"),
        ("/", "PATCH", {}, "method"),
        ("/", "POST", {}, "default"),
        ("/query?version=v2", "GET", {}, "query-pair"),
        ("/query?a=b&VERSION=V9&c", "GET", {}, "query-pair"),
        ("/query?version=v22", "GET", {}, "default"),
        ("/query?xversion=v2", "GET", {}, "default"),
        ("/query?mode=debug", "GET", {}, "query-value"),
        ("/query?debxxg", "GET", {}, "query-value"),
        ("/query?x=1&deb=g", "GET", {}, "default"),
        ("/query?star=a*b", "GET", {}, "query-literal"),
        ("/query?star=axb", "GET", {}, "default"),
        ("/all", "GET", {"X-Beta": "YES"}, "several"),
        ("/all", "GET", {"X-Beta": "no"}, "default"),
        ("/all", "POST", {"X-Beta": "yes"}, "default"),
        ("/long" + "/-a-b" * 24, "GET", {"X-Long": "-a-b" * 32}, "long"),
        ("/from", "GET", {"X-Forwarded-For": "203.0.113.9"}, "default"),
    ],
)
def test_a_request_meets_its_rule(
    web: Listener, target: str, request_method: str, headers: dict[str, str], rule: str
) -> None:
    answer = get(web, target, method=request_method, headers=headers)
    assert (answer.status, answer.body.decode(), answer.headers["content-type"]) == (200, rule, "text/plain")


def test_a_source_address_meets_its_rule(web: Listener) -> None:
    async def scenario() -> bytes:
        client = Client(web)
        client.reader, client.writer = await asyncio.open_connection(
            web.address, web.bound_port, local_addr=("127.77.1.2", 0)
        )
        try:
            return (await client.ask("/from")).body
        finally:
            client.writer.close()

    assert asyncio.run(scenario()) == b"source"


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/r/https", 301, "https://shop.test:443/r/https"),
        ("/r/https?a=1&b=%20", 301, "https://shop.test:443/r/https?a=1&b=%20"),
        ("/r/parts/x/y?q=1", 302, "http://www.shop.test:18080/new/r/parts/x/y?q=1&from=shop.test"),
        ("/r/fixed?lost=1", 301, "https://other.example:8443/x"),
    ],
)
def test_a_redirect_names_every_part(web: Listener, target: str, status: int, location: str) -> None:
    answer = get(web, target, headers={"Host": "shop.test:18080"})
    assert (answer.status, answer.headers["location"]) == (status, location)


def test_a_fixed_response_keeps_its_own_body_even_for_503(web: Listener) -> None:
    answer = get(web, "/maintenance")
    assert (answer.status, answer.body) == (503, b'{"down": true}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["server"] == "awselb/2.0"


def test_an_answer_of_the_load_balancer_keeps_the_connection(web: Listener) -> None:
    async def scenario() -> None:
        async with Client(web) as client:
            for _ in range(3):
                assert (await client.ask("/api/x")).body == b"path-star"

    asyncio.run(scenario())


def test_a_body_that_nobody_wants_does_no_harm(web: Listener) -> None:
    assert get(web, "/api/x", method="POST", body=b"unwanted" * 1000).body == b"path-star"


def test_a_request_without_host_is_400(web: Listener) -> None:
    async def scenario() -> None:
        async with Client(web) as client:
            client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert (await client.response()).status == 400

    asyncio.run(scenario())
