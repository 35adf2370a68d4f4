"""Deployments by stages over real proxies and tasks: who answers how often, and that no request is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Literal

import pytest

from tests.functional.emulator.ecs.stages import BLUE_GREEN, Stages, pause
from tests.functional.emulator.ecs.support import emulated_ecs, eventually
from tests.functional.emulator.loadbalancing.support import Client, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASKED = 400


@pytest.fixture(params=["envoy", "builtin"])
def stages(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stages]:
    kind: Literal["envoy", "builtin"] = request.param
    with emulated_ecs(tmp_path, time_scale=0.01, proxy=kind) as rig:
        made = Stages(rig)
        made.build()
        yield made


def web(stages: Stages, version: str) -> str:
    return stages.rig.define("web:1", command=[version])


def where(stages: Stages, port: int) -> tuple[str, int]:
    assert stages.rig.balancing
    found = next(each for each in stages.rig.balancing.addresses_of() if each.port == port)
    return found.host, found.bound_port


def answers(stages: Stages, port: int = 80, count: int = ASKED) -> Counter[str | None]:
    """Who answered each of so many requests; a status other than 200 counts under itself."""

    async def run() -> Counter[str | None]:
        told: Counter[str | None] = Counter()
        async with Client(where(stages, port)) as client:
            for _ in range(count):
                answer = await client.ask()
                told[answer.name if answer.status == 200 else str(answer.status)] += 1
        return told

    return asyncio.run(run())


def test_the_weights_are_the_share_of_requests(stages: Stages) -> None:
    stages.rig.create(
        web(stages, "v1"),
        desired=2,
        balanced=False,
        loadBalancers=[stages.balancer],
        deploymentConfiguration=BLUE_GREEN,
    )
    stages.finished("SUCCESSFUL")
    assert answers(stages, count=20) == {"v1": 20}
    stages.release(
        web(stages, "v2"),
        strategy="CANARY",
        canaryConfiguration={"canaryPercent": 25.0, "canaryBakeTimeInMinutes": 0},
        bakeTimeInMinutes=1440,
        lifecycleHooks=[pause("PRE_PRODUCTION_TRAFFIC_SHIFT")],
    )
    first = stages.paused()["hookId"]
    assert answers(stages, count=20) == {"v1": 20}, "users do not see it yet"
    assert answers(stages, 9000, count=20) == {"v2": 20}, "the test listener does"
    stages.go_on()
    eventually(lambda: stages.paused()["hookId"], lambda known: known != first)
    share = answers(stages)
    assert set(share) == {"v1", "v2"}
    assert 60 <= share["v2"] <= 140, "a quarter, within five standard deviations"
    stages.go_on()
    stages.at("BAKE_TIME")
    assert answers(stages, count=20) == {"v2": 20}
    arn = stages.rig.deployment()["serviceDeploymentArn"]
    stages.rig.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    eventually(stages.weights, lambda w: w == (0, 100))
    assert answers(stages, count=20) == {"v1": 20}
    stages.finished("ROLLBACK_SUCCESSFUL")


def test_no_request_is_lost_on_the_way_there_and_back(stages: Stages) -> None:
    stages.rig.create(
        web(stages, "v1"),
        desired=2,
        balanced=False,
        loadBalancers=[stages.balancer],
        deploymentConfiguration=BLUE_GREEN,
    )
    stages.finished("SUCCESSFUL")
    place = where(stages, 80)
    told: Counter[tuple[int, str | None]] = Counter()
    over = asyncio.Event()

    async def load() -> None:
        while not over.is_set():
            answer = await ask(place)
            told[answer.status, answer.name] += 1

    async def run() -> None:
        clients = [asyncio.create_task(load()) for _ in range(4)]
        try:
            await asyncio.to_thread(stages.release, web(stages, "v2"), strategy="LINEAR",
                                    linearConfiguration={"stepPercent": 50.0, "stepBakeTimeInMinutes": 1})  # fmt: skip
            await asyncio.to_thread(stages.finished, "SUCCESSFUL")
            arn = await asyncio.to_thread(
                stages.release, web(stages, "v3"), strategy="BLUE_GREEN", bakeTimeInMinutes=1440
            )
            await asyncio.to_thread(stages.at, "BAKE_TIME")
            await asyncio.to_thread(stages.rig.ecs.stop_service_deployment, serviceDeploymentArn=arn)
            await asyncio.to_thread(stages.finished, "ROLLBACK_SUCCESSFUL")
        finally:
            over.set()
            await asyncio.gather(*clients)

    asyncio.run(run())
    assert {status for status, _ in told} == {200}
    assert {name for _, name in told} == {"v1", "v2", "v3"}
    assert answers(stages, count=20) == {"v2": 20}
