"""CodeDeploy over real proxies and tasks: no request is lost, and a release that fails its test leaves the old set."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Literal

import pytest

from tests.functional.emulator.codedeploy.support import BlueGreen
from tests.functional.emulator.ecs.support import emulated_ecs, eventually
from tests.functional.emulator.loadbalancing.support import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Told = Counter[tuple[int, str | None]]


@pytest.fixture(params=["envoy", "builtin"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlueGreen]:
    kind: Literal["envoy", "builtin"] = request.param
    with emulated_ecs(tmp_path, time_scale=0.004, proxy=kind) as rig:
        made = BlueGreen(rig)
        made.build()
        yield made


def web(shop: BlueGreen, version: str) -> str:
    return shop.rig.define("web:1", command=[version])


def where(shop: BlueGreen, port: int) -> tuple[str, int]:
    assert shop.rig.balancing
    found = next(each for each in shop.rig.balancing.addresses_of() if each.port == port)
    return found.host, found.bound_port


def under_load(shop: BlueGreen, work: Callable[[], None]) -> Told:
    """Do something while four clients ask on and on; return who answered how often, by status."""
    told: Told = Counter()

    async def run() -> None:
        over, place = asyncio.Event(), where(shop, 80)

        async def load() -> None:
            while not over.is_set():
                answer = await ask(place)
                told[answer.status, answer.name] += 1

        clients = [asyncio.create_task(load()) for _ in range(4)]
        try:
            await asyncio.to_thread(work)
        finally:
            over.set()
            await asyncio.gather(*clients)

    asyncio.run(run())
    return told


def test_no_request_is_lost_all_at_once_by_canary_and_on_the_way_back(shop: BlueGreen) -> None:
    shop.create(web(shop, "v1"), 2, autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    smoke = shop.hook("smoke", "Failed")

    def releases() -> None:
        shop.ended(shop.deploy(web(shop, "v2")))
        shop.ended(shop.deploy(web(shop, "v3"), deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes"))
        failed = shop.ended(shop.deploy(web(shop, "v4"), {"AfterAllowTraffic": smoke}), "Failed")
        shop.ended(failed["rollbackInfo"]["rollbackDeploymentId"])

    told = under_load(shop, releases)
    assert {status for status, _ in told} == {200}
    assert {name for _, name in told} == {"v1", "v2", "v3", "v4"}
    assert {asyncio.run(ask(where(shop, 80))).name for _ in range(10)} == {"v3"}


def test_a_release_that_fails_its_test_is_never_seen_by_users(shop: BlueGreen) -> None:
    shop.create(web(shop, "v1"), autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    seen: list[str | None] = []

    def release() -> None:
        smoke = shop.hook("smoke", "Failed")
        deployment = shop.deploy(web(shop, "v2"), {"AfterAllowTestTraffic": smoke})
        shop.at(deployment, "AllowTestTraffic", "Succeeded")
        seen.append(asyncio.run(ask(where(shop, 9000))).name)
        failed = shop.ended(deployment, "Failed")
        shop.ended(failed["rollbackInfo"]["rollbackDeploymentId"])

    assert set(under_load(shop, release)) == {(200, "v1")}
    assert seen == ["v2"], "the test listener shows it"
    eventually(lambda: asyncio.run(ask(where(shop, 9000))).name, lambda name: name == "v1")
