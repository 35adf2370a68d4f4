"""HTTPS listeners with certificates of the local authority, through both proxies."""

from __future__ import annotations

import asyncio
import ssl
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.emulator.loadbalancing.certificates import Authority
from seatrial.emulator.loadbalancing.model import FixedResponse, ProxyModel, Redirect
from seatrial.emulator.loadbalancing.probe import probe
from seatrial.emulator.loadbalancing.snapshot import HealthCheck
from tests.functional.emulator.loadbalancing.support import (
    ADDRESSES,
    KINDS,
    Client,
    Target,
    ask,
    listener,
    load,
    make_proxy,
    pool,
    rule,
    to,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.emulator.loadbalancing.model import Listener
    from seatrial.emulator.loadbalancing.proxy import Proxy

NOW = datetime.now(UTC)


@pytest.fixture(params=KINDS)
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    made = make_proxy(request.param, tmp_path / "proxy")
    yield made
    made.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates", NOW)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificate))


def names_shown(where: Listener, context: ssl.SSLContext, name: str) -> set[str]:
    async def scenario() -> set[str]:
        async with Client(where, context, name) as client:
            shown = client.writer.get_extra_info("peercert")["subjectAltName"]
            return {value for kind, value in shown if kind == "DNS"}

    return asyncio.run(scenario())


def test_a_client_that_trusts_the_authority_is_served_by_name_and_by_address(
    proxy: Proxy, authority: Authority
) -> None:
    async def scenario() -> None:
        address = ADDRESSES.load_balancer()
        async with Target("a") as a:
            group = pool("web", a)
            secure = listener(
                address,
                rule(to(group)),
                protocol="HTTPS",
                port=443,
                bound_port=18443,
                certificates=(authority.issue(["shop.example", "*.shop.example"], address),),
            )
            proxy.apply(ProxyModel((secure,), (group,)))
            context = trusting(authority)
            for name in ("shop.example", "api.shop.example", address):
                assert (await ask(secure, tls=context, sni=name)).name == "a"
            assert a.received[0].headers["x-forwarded-proto"] == "https"
            assert a.received[0].headers["x-forwarded-port"] == "443"
            with pytest.raises(ssl.SSLCertVerificationError):
                await ask(secure, tls=context, sni="other.example")
            with pytest.raises(ssl.SSLCertVerificationError):
                await ask(secure, tls=ssl.create_default_context(), sni="shop.example")

    asyncio.run(scenario())


def test_the_certificate_follows_the_name_asked_for_and_can_be_exchanged(proxy: Proxy, authority: Authority) -> None:
    address = ADDRESSES.load_balancer()
    first, second, third = (
        authority.issue([name], address) for name in ("one.example", "two.example", "three.example")
    )
    values: dict[str, Any] = {"protocol": "HTTPS", "bound_port": 18443}
    answer = rule(FixedResponse(200, "text/plain", "ok"))
    secure = listener(address, answer, certificates=(first, second), **values)
    proxy.apply(ProxyModel((secure,)))
    context = trusting(authority)
    assert names_shown(secure, context, "one.example") == {"one.example"}
    assert names_shown(secure, context, "two.example") == {"two.example"}
    assert names_shown(secure, context, address) == {"one.example"}

    async def exchanged() -> None:
        plain = listener(address, answer, name="plain")
        async with load(plain, keep_alive=True) as result:
            await asyncio.to_thread(proxy.apply, ProxyModel((secure, plain)))
            changed = listener(address, answer, certificates=(third,), **values)
            async with Client(secure, context, "one.example") as client:
                assert (await client.ask()).body == b"ok"
                await asyncio.to_thread(proxy.apply, ProxyModel((changed, plain)))
                assert (await client.ask()).body == b"ok"
            await result.more(5)
        assert {outcome for outcome in result.failed if "Refused" not in outcome} == set()

    asyncio.run(exchanged())
    assert names_shown(secure, context, "three.example") == {"three.example"}


def test_http_redirects_to_the_https_listener_where_it_really_is(proxy: Proxy, authority: Authority) -> None:
    async def scenario() -> None:
        address = ADDRESSES.load_balancer()
        certificate = authority.issue(["shop.example"], address)
        ok = rule(FixedResponse(200, "text/plain", "secure"))
        secure = listener(
            address, ok, name="s", protocol="HTTPS", port=443, bound_port=18443, certificates=(certificate,)
        )
        go = Redirect(301, "https", "#{host}", "18443", "/#{path}", "#{query}")
        plain = listener(address, rule(go))
        proxy.apply(ProxyModel((plain, secure)))
        answer = await ask(plain, "/x?y=1", headers={"Host": f"{address}:18080"})
        assert (answer.status, answer.headers["location"]) == (301, f"https://{address}:18443/x?y=1")
        assert (await ask(secure, "/x?y=1", tls=trusting(authority))).body == b"secure"

    asyncio.run(scenario())


def test_a_group_that_speaks_https_is_spoken_to_and_probed_so(proxy: Proxy, authority: Authority) -> None:
    """Whoever signed the target's certificate: an ALB does not look."""

    async def scenario() -> None:
        certificate = authority.issue(["unrelated.example"], "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        async with Target("secret", tls=context) as target:
            group = replace(pool("web", target), protocol="HTTPS")
            made = listener(ADDRESSES.load_balancer(), rule(to(group)))
            proxy.apply(ProxyModel((made,), (group,)))
            assert (await ask(made)).name == "secret"
            check = HealthCheck("HTTPS", None, "/health", "200", 30, 5, 5, 2)
            assert await probe(target.backend, check) is None
            assert await probe(target.backend, replace(check, protocol="TCP")) is None

    asyncio.run(scenario())


def test_certificates_are_kept_renewed_and_private(tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    first = Authority(directory, NOW).issue(["a.example"], "127.0.0.1")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert Authority(directory, NOW).issue(["a.example"], "127.0.0.1") == first
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.glob("*.key")} == {0o600}
    Authority(directory, NOW + timedelta(days=380)).issue(["a.example"], "127.0.0.1")
    after = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {
        name for name in before if not name.startswith("ca.")
    }
