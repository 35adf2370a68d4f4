"""A rolling release against the time that ECS needs for it: what seatrial adds.

What ECS needs is what it says itself: of a service, how long its service deployment took, which is the start of new
tasks, their health, and the draining and stop of old ones; of a one-off task, how long it lived. That is there whoever
asks for the release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.report import Result, Table, median, ratio, seconds
from bench.stage import TIME_SCALE, say
from bench.steps import released
from seatrial.aws.ecs import Ecs, revision_name
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bench.stage import Stage
    from bench.steps import Watched
    from seatrial.aws.ecs import Task

    _Stretch = tuple[datetime, datetime]

ROUNDS = 3
_BEFORE = "lock, facts and plan"
_AFTER = "end"
_WHOLE = "**the whole release**"
#: Of steps whose own titles differ from release to release.
_TITLES = {"build": "build the bundle", "push": "push it to the registry", "record": "record the release"}


@dataclass(frozen=True)
class _Measured:
    """One release: step → (seconds, seconds that ECS needed), and how long the parts of web's change took."""

    steps: dict[str, tuple[float, float]]
    web: dict[str, float]


def measure(stage: Stage) -> Result:
    """Release again and again, each time another version, on a stage where one is serving."""
    rounds = []
    for index in range(ROUNDS):
        stage.commit(f"round {index}")
        watched = released(stage)
        rounds.append(_measured(stage, watched))
        took, needed = rounds[-1].steps[_WHOLE]
        say(f"release: round {index + 1} of {ROUNDS}: {took:.1f} s, of which ECS needed {needed:.1f} s")
    return Result(
        (_steps(rounds), _web(rounds)),
        f"Medians of {ROUNDS} releases of two web tasks, one for websockets, a worker and beat; "
        f"time scale {TIME_SCALE:g}.",
    )


def _measured(stage: Stage, watched: Watched) -> _Measured:
    gate = _gate(stage, watched)
    steps = {_BEFORE: (watched.spans[0].begun - watched.begun, 0.0)}
    for span in watched.spans:
        needed = _covered([gate]) if span.kind == "gate" else 0.0
        steps[_TITLES.get(span.kind, span.title)] = (span.seconds, needed)
    steps[_AFTER] = (watched.ended - watched.spans[-1].ended, 0.0)
    deployments = [_deployment(stage, unit) for unit in stage.settings.services]
    steps[_WHOLE] = (watched.seconds, _covered([gate, *deployments]))
    return _Measured(steps, _task_parts(stage, watched, "web"))


def _covered(stretches: Sequence[_Stretch]) -> float:
    """Return the seconds in which at least one of them went on."""
    covered, until = 0.0, None
    for begin, end in sorted(stretches):
        start = begin if until is None else max(begin, until)
        covered += max(0.0, (end - start).total_seconds())
        until = end if until is None else max(end, until)
    return covered


def _deployment(stage: Stage, unit: str) -> _Stretch:
    """Return from when to when the last deployment of a service went on, as ECS tells it."""
    ecs, cluster = stage.aws.client("ecs"), names.cluster(stage.settings)
    deployments = ecs.list_service_deployments(cluster=cluster, service=unit)["serviceDeployments"]
    last = max(deployments, key=lambda each: each["createdAt"])
    return last["createdAt"], last["finishedAt"]


def _task_parts(stage: Stage, watched: Watched, unit: str) -> dict[str, float]:
    """Return how long the slowest tasks took, of a service whose old tasks stop when all new ones are healthy."""
    tasks = Ecs(stage.aws, names.cluster(stage.settings)).tasks_of(unit)
    new = [task for task in tasks if revision_name(task.task_definition) == watched.outcome.revisions[unit]]
    since = watched.outcome.started_at
    old = [task for task in tasks if task not in new and task.stopping_at is not None and task.stopping_at > since]
    running = max(_moments(new, "started_at"))
    healthy = min(_moments(old, "stopping_at"))
    return {
        "created to running (slowest new task)": (running - min(_moments(new, "created_at"))).total_seconds(),
        "running to healthy, when the old tasks are told to stop": (healthy - running).total_seconds(),
        "drain and stop (slowest old task)": (max(_moments(old, "stopped_at")) - healthy).total_seconds(),
    }


def _moments(tasks: Sequence[Task], name: str) -> list[datetime]:
    return [moment for task in tasks if (moment := getattr(task, name)) is not None]


def _gate(stage: Stage, watched: Watched) -> _Stretch:
    """Return from when to when the migration task lived."""
    ecs, cluster = stage.aws.client("ecs"), names.cluster(stage.settings)
    family = names.family(stage.settings, "migrate")
    arns = ecs.list_tasks(cluster=cluster, family=family, desiredStatus="STOPPED")["taskArns"]
    (task,) = [
        task
        for task in Ecs(stage.aws, cluster).tasks(arns)
        if task.created_at is not None and task.created_at > watched.outcome.started_at
    ]
    assert task.created_at is not None  # selected by it
    assert task.stopped_at is not None  # listed as stopped
    return task.created_at, task.stopped_at


def _steps(rounds: Sequence[_Measured]) -> Table:
    rows = []
    for name in rounds[0].steps:
        took = [each.steps[name][0] for each in rounds]
        needed = median([each.steps[name][1] for each in rounds])
        share = ratio(median(took), needed) if needed else ""
        rows.append((name, seconds(took), f"{needed:.2f} s" if needed else "", share))
    return Table(("step", "took", "ECS needed", "took ÷ needed"), tuple(rows))


def _web(rounds: Sequence[_Measured]) -> Table:
    rows = tuple((name, seconds([each.web[name] for each in rounds])) for name in rounds[0].web)
    return Table(("what web's two tasks needed", "seconds"), rows)
