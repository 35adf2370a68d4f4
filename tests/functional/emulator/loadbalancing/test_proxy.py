"""What both proxies must do: Envoy and the built-in one are held to the very same tests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.loadbalancing.model import Backend, FixedResponse, Forward, ProxyModel
from seatrial.emulator.loadbalancing.proxy import ProxyError
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
    simple,
    to,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.loadbalancing.proxy import Proxy


@pytest.fixture(params=KINDS)
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    made = make_proxy(request.param, tmp_path / "proxy")
    yield made
    made.stop()


@pytest.fixture
def address() -> str:
    return ADDRESSES.load_balancer()


# Reconfiguration


@pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "connection-per-request"])
def test_no_request_fails_while_targets_and_rules_change(proxy: Proxy, address: str, *, keep_alive: bool) -> None:
    async def scenario() -> None:
        async with Target("a") as a, Target("b") as b, Target("c") as c:
            sets = [(a, b), (b,), (b, c), (c,), (a, c), (a,)]
            model = simple(address, *sets[0])
            proxy.apply(model)
            async with load(model.listeners[0], rate=200, keep_alive=keep_alive) as result:
                for number in range(36):
                    model = simple(address, *sets[number % len(sets)])
                    extra = rule(FixedResponse(200, "text/plain", str(number)), arn=f"rule/{number}")
                    changed = replace(model.listeners[0], rules=(*model.listeners[0].rules, extra))
                    await asyncio.to_thread(proxy.apply, replace(model, listeners=(changed,)))
                    await result.more(8)
            assert result.failed == {}
            assert result.outcomes["200"] == result.sent > 280

    asyncio.run(scenario())


def test_a_target_that_is_taken_out_ends_its_request_and_gets_no_other(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("old") as old, Target("new") as new:
            model = simple(address, old)
            proxy.apply(model)
            held = asyncio.create_task(ask(model.listeners[0], "/hold"))
            await old.holding.wait()
            await asyncio.to_thread(proxy.apply, simple(address, new))
            before = len(old.received)
            async with asyncio.TaskGroup() as group:
                answers = [group.create_task(ask(model.listeners[0])) for _ in range(40)]
            assert {answer.result().name for answer in answers} == {"new"}
            assert len(old.received) == before
            old.release.set()
            assert (await held).name == "old"

    asyncio.run(scenario())


def test_apply_is_live_at_once_for_a_kept_connection(proxy: Proxy, address: str) -> None:
    """The very next request after apply() returned goes by the new model, each of fifty times."""

    async def scenario() -> None:
        async with Target("a") as a, Target("b") as b:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                for number in range(50):
                    target = (a, b)[number % 2]
                    await asyncio.to_thread(proxy.apply, simple(address, target))
                    assert (await client.ask()).name == target.name

    asyncio.run(scenario())


def test_a_websocket_outlives_reconfiguration_and_the_draining_of_its_target(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a, Target("b") as b:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
                answer = await client.ask("/ws", headers=upgrade)
                assert (answer.status, answer.headers["upgrade"]) == (101, "websocket")
                for number in range(8):
                    await asyncio.to_thread(proxy.apply, simple(address, *((a, b), (b,))[number % 2]))
                    client.writer.write(b"ping %d" % number)
                    assert await client.reader.readexactly(6) == b"ping %d" % number

    asyncio.run(scenario())


def test_what_is_open_to_a_target_is_cut_and_nothing_else(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("gone") as gone, Target("new") as new:
            model = simple(address, gone)
            proxy.apply(model)
            where = model.listeners[0]
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
            async with Client(where) as cut, Client(where) as kept:
                assert (await cut.ask("/ws", headers=upgrade)).status == 101
                held = asyncio.create_task(ask(where, "/hold"))
                await gone.holding.wait()
                await asyncio.to_thread(proxy.apply, simple(address, new))
                assert (await kept.ask("/ws", headers=upgrade)).status == 101
                await asyncio.to_thread(proxy.sever, gone.backend)
                assert await cut.reader.read() == b""
                assert (await held).status == 502
                kept.writer.write(b"ping")
                assert await kept.reader.readexactly(4) == b"ping"
                await asyncio.to_thread(proxy.sever, gone.backend)  # nothing is open any more

    asyncio.run(scenario())


def test_a_listener_comes_and_goes_while_another_is_under_load(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            one = simple(address, a)
            second = listener(address, rule(FixedResponse(200, "text/plain", "second")), name="two", bound_port=18081)
            proxy.apply(one)
            async with load(one.listeners[0], keep_alive=True) as result:
                for _ in range(4):
                    await asyncio.to_thread(proxy.apply, replace(one, listeners=(*one.listeners, second)))
                    assert (await ask(second)).body == b"second"
                    await asyncio.to_thread(proxy.apply, one)
                    with pytest.raises(ConnectionRefusedError):
                        await ask(second)
            assert result.failed == {}
            assert result.sent > 0

    asyncio.run(scenario())


def test_a_listener_that_comes_back_has_its_new_rules(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        for number in range(5):
            made = listener(address, rule(FixedResponse(200, "text/plain", str(number))))
            proxy.apply(ProxyModel((made,)))
            assert (await ask(made)).body == str(number).encode()
            proxy.apply(ProxyModel())

    asyncio.run(scenario())


def test_a_listener_whose_port_is_taken_is_an_error_and_the_next_model_is_not(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            taken = listener(a.backend.address, rule(to()), bound_port=a.backend.port)
            with pytest.raises(ProxyError):
                await asyncio.to_thread(proxy.apply, ProxyModel((taken,)))
            model = simple(address, a)
            await asyncio.to_thread(proxy.apply, model)
            assert (await ask(model.listeners[0])).name == "a"

    asyncio.run(scenario())


# Targets that fail


def test_a_target_that_refuses_is_502_and_no_target_503(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        model = simple(address, Backend(ADDRESSES.task(), 8000))
        proxy.apply(model)
        refused = await ask(model.listeners[0])
        assert (refused.status, refused.headers["server"]) == (502, "awselb/2.0")
        assert b"<h1>502 Bad Gateway</h1>" in refused.body
        assert "x-seatrial-target" not in refused.headers
        proxy.apply(simple(address))
        nobody = await ask(model.listeners[0])
        assert (nobody.status, nobody.headers["content-type"]) == (503, "text/html")
        assert b"503 Service Temporarily Unavailable" in nobody.body

    asyncio.run(scenario())


def test_a_target_that_breaks_off_is_502_and_was_asked_once(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a, Target("b") as b:
            model = simple(address, a, b)
            proxy.apply(model)
            for path in ("/break/1", "/break/2"):
                assert (await ask(model.listeners[0], path)).status == 502
            assert sorted(each.path for each in a.received + b.received) == ["/break/1", "/break/2"]

    asyncio.run(scenario())


def test_a_target_that_is_silent_for_the_idle_timeout_is_504(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a, idle_timeout=1)
            proxy.apply(model)
            assert (await ask(model.listeners[0], "/hold")).status == 504

    asyncio.run(scenario())


def test_a_connection_that_a_target_may_soon_close_is_not_used_again(proxy: Proxy, address: str) -> None:
    """gunicorn's threaded worker closes a connection two seconds after its last request; the proxy is earlier."""

    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                await client.ask()
                await client.ask()
                assert a.connections == 1
                await until(lambda: a.closed == 1, "the end of the idle connection to the target")
                assert (await client.ask()).status == 200
                assert a.connections == 2

    asyncio.run(scenario())


# Weights


def test_weights_split_the_traffic_and_zero_gets_none(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("blue") as blue, Target("green") as green, Target("dark") as dark:
            pools = pool("blue", blue), pool("green", green), pool("dark", dark)
            weights = Forward(((pools[0].arn, 80), (pools[1].arn, 20), (pools[2].arn, 0)))
            made = listener(address, rule(weights))
            proxy.apply(ProxyModel((made,), pools))
            async with Client(made) as client:
                names = [(await client.ask()).name for _ in range(1000)]
            # 20 % of 1000 are 200 with a standard deviation of 12.6: six of them on either side
            assert 124 < names.count("green") < 276
            assert "dark" not in names
            none = listener(address, rule(Forward(((pools[2].arn, 0),))))
            proxy.apply(ProxyModel((none,), pools))
            assert (await ask(none)).status == 503

    asyncio.run(scenario())


def test_targets_of_a_group_are_taken_in_turn(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a, Target("b") as b, Target("c") as c:
            model = simple(address, a, b, c)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                names = [(await client.ask()).name for _ in range(30)]
            assert [names.count(each) for each in "abc"] == [10, 10, 10]

    asyncio.run(scenario())


# Messages


def test_the_target_learns_who_asks_and_the_client_who_answers(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            forged = {"Host": "shop.example:80", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
            forged |= {"X-Forwarded-Port": "443", "X-Request-Id": "mine"}
            async with Client(model.listeners[0]) as client:
                answer = await client.ask("/p%20q?x=1&y=a%2Fb", headers=forged)
                own = client.writer.get_extra_info("sockname")[0]
            seen = a.received[0]
            assert (seen.method, seen.path) == ("GET", "/p%20q?x=1&y=a%2Fb")
            assert seen.headers["host"] == "shop.example:80"
            assert seen.headers["x-forwarded-for"].replace(" ", "") == f"203.0.113.7,{own}"
            assert seen.headers["x-forwarded-proto"] == "http"
            assert seen.headers["x-forwarded-port"] == "80"
            assert seen.headers["x-request-id"] == "mine"
            assert not [name for name in seen.headers if "envoy" in name]
            assert answer.headers["x-seatrial-target"] == str(a.backend)
            assert not [name for name in answer.headers if "envoy" in name]

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["bytes", "chunked"])
def test_large_bodies_pass_both_ways(proxy: Proxy, address: str, kind: str) -> None:
    async def scenario() -> None:
        size = 12_000_000
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                answer = await client.ask(f"/{kind}/{size}", method="POST", body=b"y" * size)
                assert (answer.status, len(answer.body)) == (200, size)
                assert a.received[0].body == b"y" * size

    asyncio.run(scenario())


def test_a_chunked_request_is_passed_on(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                client.writer.write(b"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                client.writer.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
                assert (await client.response()).status == 200
                assert a.received[0].body == b"hello world"
                assert (await client.ask("/next")).body == b"a /next"

    asyncio.run(scenario())


def test_expect_100_continue_is_answered_by_the_load_balancer(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                client.writer.write(b"PUT /e HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
                assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
                client.writer.write(b"body")
                assert (await client.response()).status == 200
            assert a.received[0].body == b"body"
            assert "expect" not in a.received[0].headers

    asyncio.run(scenario())


def test_head_has_no_body_and_the_connection_goes_on(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                head = await client.ask("/one", method="HEAD")
                assert (head.status, head.headers["content-length"]) == (200, "6")
                assert (await client.ask("/two")).body == b"a /two"

    asyncio.run(scenario())


def test_a_client_of_http_1_0_is_served_and_the_connection_closed(proxy: Proxy, address: str) -> None:
    async def scenario() -> None:
        async with Target("a") as a:
            model = simple(address, a)
            proxy.apply(model)
            async with Client(model.listeners[0]) as client:
                client.writer.write(b"GET /chunked/25000 HTTP/1.0\r\n\r\n")
                raw = await client.reader.read()
                assert raw.startswith(b"HTTP/1.")
                assert raw.endswith(b"\r\n\r\n" + b"x" * 25000)

    asyncio.run(scenario())


# The process


def test_a_killed_emulator_leaves_no_proxy(proxy: Proxy, address: str, tmp_path: Path) -> None:
    kind = type(proxy)
    code = f"""
import sys, threading
from pathlib import Path
from {kind.__module__} import {kind.__name__} as Proxy
from seatrial.emulator.loadbalancing.model import FixedResponse, Listener, ProxyModel, Rule
proxy = Proxy(Path({str(tmp_path / "other")!r}), print)
listener = Listener("l/1", "HTTP", {address!r}, 80, 18080, (Rule("r", (), FixedResponse(200, "text/plain", "")),), 60)
starter = threading.Thread(target=proxy.apply, args=(ProxyModel((listener,)),))
starter.start()
starter.join()  # the thread that started the proxy has ended, and the proxy has not
print(proxy._watched.process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as emulator:
        assert emulator.stdout
        pid = int(emulator.stdout.readline())
        assert asyncio.run(ask((address, 18080))).status == 200
        os.kill(emulator.pid, signal.SIGKILL)
        asyncio.run(until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the proxy"))


def test_a_proxy_that_died_is_started_again_by_the_next_model(proxy: Proxy, address: str) -> None:
    made = listener(address, rule(FixedResponse(200, "text/plain", "")))
    proxy.apply(ProxyModel((made,)))
    process = proxy._watched.process  # type: ignore[attr-defined]  # the test stands in for the kernel's out-of-memory killer
    os.kill(process.pid, signal.SIGKILL)
    asyncio.run(until(lambda: process.poll() is not None, "the death of the proxy"))
    proxy.apply(ProxyModel((made,)))
    assert asyncio.run(ask(made)).status == 200


def test_stop_ends_the_process_and_the_memory_it_took_is_known_before(proxy: Proxy, address: str) -> None:
    assert proxy.rss() == 0
    made = listener(address, rule(FixedResponse(200, "text/plain", "")))
    proxy.apply(ProxyModel((made,)))
    assert 5_000_000 < proxy.rss() < 500_000_000
    proxy.stop()
    proxy.stop()
    assert proxy.rss() == 0
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(ask(made))
