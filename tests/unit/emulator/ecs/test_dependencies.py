from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.ecs.definitions import ContainerDefinition, parse_container
from seatrial.emulator.ecs.dependencies import Progress, next_start, next_stop


def container(name: str, **needs: str) -> ContainerDefinition:
    depends = [{"containerName": k, "condition": v} for k, v in needs.items()]
    return parse_container({"name": name, "image": "x", "dependsOn": depends})


WAITING, RUNNING = Progress(), Progress(started=True)
DONE, BROKEN = Progress(started=True, exit_code=0), Progress(started=True, exit_code=3)
GOOD, BAD = Progress(started=True, health="HEALTHY"), Progress(started=True, health="UNHEALTHY")


@pytest.mark.parametrize(
    ("condition", "reached", "outcome"),
    [
        ("START", WAITING, "wait"), ("START", RUNNING, "start"), ("START", BROKEN, "start"),
        ("COMPLETE", RUNNING, "wait"), ("COMPLETE", DONE, "start"), ("COMPLETE", BROKEN, "start"),
        ("SUCCESS", RUNNING, "wait"), ("SUCCESS", DONE, "start"), ("SUCCESS", BROKEN, "never"),
        ("HEALTHY", RUNNING, "wait"), ("HEALTHY", GOOD, "start"), ("HEALTHY", BAD, "never"), ("HEALTHY", DONE, "never"),
    ],
)  # fmt: skip
def test_condition(condition: str, reached: Progress, outcome: str) -> None:
    containers = [container("init"), container("app", init=condition)]
    step = next_start(containers, {"init": reached, "app": WAITING}, 0.0)
    assert ("app" in step.ready, "app" in step.blocked) == (outcome == "start", outcome == "never")


def test_a_dependency_is_waited_for_as_long_as_its_start_timeout() -> None:
    init = parse_container({"name": "init", "image": "x", "startTimeout": 20})
    containers = [init, container("app", init="SUCCESS")]
    progress = {"init": RUNNING, "app": WAITING}
    assert not next_start(containers, progress, 20.0).blocked
    assert "[init] for target [app]" in next_start(containers, progress, 20.1).blocked["app"]


def test_stops_dependents_before_what_they_depend_on() -> None:
    containers = [container("db"), container("proxy"), container("app", db="START", proxy="HEALTHY")]
    assert next_stop(containers, ["db", "proxy", "app"]) == ("app",)
    assert next_stop(containers, ["db", "proxy"]) == ("db", "proxy")


@given(st.data())
def test_every_order_of_dependencies_starts_and_stops_all(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 6))
    names = [f"c{i}" for i in range(size)]
    containers = [
        container(
            name, **dict.fromkeys(data.draw(st.lists(st.sampled_from(names[:i]), unique=True)), "START") if i else {}
        )
        for i, name in enumerate(names)
    ]
    progress: dict[str, Any] = dict.fromkeys(names, WAITING)
    for _ in names:
        for name in next_start(containers, progress, 0.0).ready:
            progress[name] = RUNNING
    assert all(p.started for p in progress.values())
    alive = list(names)
    for _ in names:
        wave = next_stop(containers, alive)
        for name in wave:
            assert not any(d.container == name for c in containers if c.name in alive for d in c.depends_on)
        alive = [n for n in alive if n not in wave]
    assert not alive
