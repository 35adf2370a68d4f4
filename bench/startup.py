"""From nothing to the first 200 through the load balancer, cold and warm, against the same application by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench import by_hand
from bench.first_answer import FirstAnswer
from bench.report import Result, Table, median, ratio, seconds
from bench.stage import TIME_SCALE, copied, say, scratch, started
from bench.steps import released
from seatrial.stack import names

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stage import Stage
    from bench.steps import Watched

    #: By cold and warm: the seconds of each part, one dictionary a round.
    _Runs = dict[str, list[dict[str, float]]]

ROUNDS = 3
_PARTS = {
    "emulator": "the emulator starts",
    "infrastructure": "`infra apply`",
    "bundle": "release: plan, verify, build, push, register",
    "environment": "release: Python environment and static files",
    "migrate": "release: the rest of the migration task",
    "web": "release: web tasks, until the first 200",
}
_TOTAL, _ALL = "total", "all"


def measure() -> Result:
    """Start both, cold and warm, again and again."""
    with scratch() as directory:
        say("startup: filling the cache of packages")
        by_hand.first_answer(copied(directory / "project"), directory)
    kinds = ("cold", "warm")
    hand: _Runs = {kind: [] for kind in kinds}
    ours: _Runs = {kind: [] for kind in kinds}
    for index in range(ROUNDS):
        with scratch() as directory:
            manual, project = copied(directory / "by-hand"), copied(directory / "project")
            for kind in kinds:
                hand[kind].append(by_hand.first_answer(manual, directory))
                ours[kind].append(_first_answer(project))
                say(
                    f"startup: round {index + 1} of {ROUNDS}, {kind}: {ours[kind][-1][_TOTAL]:.1f} s on the emulator, "
                    f"{sum(hand[kind][-1].values()):.1f} s by hand"
                )
    return Result((_totals(hand, ours), _parts(ours), _by_hand_parts(hand)), _note(ours))


def _first_answer(project: Path) -> dict[str, float]:
    begun = time.perf_counter()
    with started(project) as stage:
        ready = time.perf_counter()
        stage.apply()
        applied = time.perf_counter()
        with FirstAnswer(stage.url) as answer:
            release = released(stage)
        (gate,) = release.of("gate")
        web = release.of("roll")[0]
        pulled = _pulled(stage, release)
        return {
            "emulator": ready - begun,
            "infrastructure": applied - ready,
            "bundle": gate.begun - applied,
            "environment": pulled,
            "migrate": web.begun - gate.begun - pulled,
            "web": answer.at - web.begun,
            _TOTAL: answer.at - begun,
            _ALL: release.ended - begun,
        }


def _pulled(stage: Stage, watched: Watched) -> float:
    """Return how long the migration task pulled its image: for plain processes, made its environment and files."""
    ecs, cluster = stage.aws.client("ecs"), names.cluster(stage.settings)
    family = watched.outcome.revisions["migrate"].partition(":")[0]
    tasks = ecs.list_tasks(cluster=cluster, family=family, desiredStatus="STOPPED")["taskArns"]
    (task,) = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"]
    pulled: float = (task["pullStoppedAt"] - task["pullStartedAt"]).total_seconds()
    return pulled


def _totals(hand: _Runs, ours: _Runs) -> Table:
    rows = []
    for kind in ours:
        measured = [each[_TOTAL] for each in ours[kind]]
        floor = [sum(each.values()) for each in hand[kind]]
        rows.append((f"{kind} start", seconds(measured), seconds(floor), ratio(median(measured), median(floor))))
    return Table(("to the first 200", "on the emulator", "by hand", "emulator ÷ by hand"), tuple(rows))


def _parts(ours: _Runs) -> Table:
    rows = [(title, *(seconds([each[key] for each in ours[kind]]) for kind in ours)) for key, title in _PARTS.items()]
    return Table(("on the emulator", *ours), tuple(rows))


def _by_hand_parts(hand: _Runs) -> Table:
    rows = [(title, *(seconds([each[title] for each in hand[kind]]) for kind in hand)) for title in hand["cold"][0]]
    return Table(("by hand", *hand), tuple(rows))


def _note(ours: _Runs) -> str:
    later = " and ".join(
        f"{median([each[_ALL] - each[_TOTAL] for each in ours[kind]]):.1f} s ({kind})" for kind in ours
    )
    return (
        f"The end of the release, worker and beat included, follows {later} after the first 200. Medians of "
        f"{ROUNDS} rounds (least to greatest); time scale {TIME_SCALE:g}."
    )
