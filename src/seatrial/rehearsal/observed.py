"""What the rehearsal saw of releases and tasks, as spans for the timeline."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from seatrial.aws.ecs import Ecs, revision_name
from seatrial.rehearsal.timeline import Check, ReleaseSpan, Share, StageSpan, StepSpan, TaskSpan
from seatrial.release.watch import DeploymentChanged, SmokeChecked, StepFinished, StepStarted
from seatrial.stack import names

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.aws.ecs import Task
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.release import Outcome
    from seatrial.release.watch import ReleaseEvent

#: An exception as tracebacks end with it, in a line of its own or inside a JSON log line.
_EXCEPTION = re.compile(r'\b(?:[A-Z]\w*)?(?:Error|Exception|Configured): [^"\\]+')

#: Service deployments that have ended (ECS API reference, ServiceDeployment.status).
_ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")

_OUTCOMES = {
    "released": "released",
    "rolled_back": "rolled back",
    "unwatched": "left unwatched",
    "needs_human": "left broken",
}


@dataclass
class Watch:
    """One release while it goes on and after."""

    title: str
    expected: str
    label: str | None
    steps: list[StepSpan] = field(default_factory=list)
    stages: list[StageSpan] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    outcome: Outcome | None = None
    _began: float = 0.0
    _at_stage: dict[str, StageSpan] = field(default_factory=dict)

    def event(self, event: ReleaseEvent) -> None:
        """Take up the release's events."""
        if isinstance(event, StepStarted):
            self._began = event.at.timestamp()
        elif isinstance(event, StepFinished):
            self.steps.append(StepSpan(event.step, self._began, event.at.timestamp(), not event.ok))
        elif isinstance(event, SmokeChecked):
            self.checks.append(Check(event.check, event.at.timestamp(), event.ok, event.result))
        elif isinstance(event, DeploymentChanged) and event.stage is not None:
            self._deployment(event, event.stage)

    def _deployment(self, event: DeploymentChanged, stage: str) -> None:
        at, unit = event.at.timestamp(), event.unit
        back = event.status.startswith("ROLLBACK")
        span = self._at_stage.get(unit)
        ended = event.status in _ENDED
        if span is not None and (ended or (span.stage, span.back) != (stage, back)):
            self.stages.append(replace(span, end=at))
            del self._at_stage[unit]
        if not ended and unit not in self._at_stage:
            self._at_stage[unit] = StageSpan(unit, stage, at, at, back)
        told = [each.percent for each in self.shares if each.unit == unit]
        if event.production is not None and told[-1:] != [event.production]:
            self.shares.append(Share(unit, at, event.production))

    def ended(self, outcome: Outcome) -> None:
        """Take up how it ended. A stage that a deployment has not left ends with the release."""
        self.outcome = outcome
        end = outcome.started_at.timestamp() + outcome.duration_s
        self.stages += [replace(span, end=max(span.start, end)) for span in self._at_stage.values()]
        self._at_stage.clear()

    @property
    def version(self) -> str:
        """The name of the version in the report."""
        assert self.outcome is not None
        return self.label or self.outcome.version

    def span(self) -> ReleaseSpan:
        """Return the release as it went."""
        assert self.outcome is not None
        start = self.outcome.started_at.timestamp()
        cause = None if self.outcome.ok else _cause(self.outcome)
        return ReleaseSpan(
            f"{self.title} ({self.version})" if self.label is None else self.title, self.version, start,
            start + self.outcome.duration_s, self.expected, _OUTCOMES[self.outcome.result], tuple(self.steps), cause,
            tuple(self.stages), tuple(self.shares), tuple(self.checks),
        )  # fmt: skip


def _cause(outcome: Outcome) -> str:
    """Return why a release failed, with the last exception of its log: that is mostly the line one needs."""
    raised = [text for line in outcome.details for text in _EXCEPTION.findall(line)]
    if not raised or raised[-1] in outcome.message:
        return outcome.message
    return f"{outcome.message} ({raised[-1]})"


class Releases:
    """The releases of one rehearsal, in order. The first set the scene; the others ran under load."""

    def __init__(self) -> None:
        self._watched: list[Watch] = []

    def watch(self, title: str, *, expected: str, label: str | None = None) -> Watch:
        """Begin to watch a release."""
        self._watched.append(Watch(title, expected, label))
        return self._watched[-1]

    @property
    def versions(self) -> list[str]:
        """The versions in the order of their releases."""
        return [watch.version for watch in self._watched]

    @property
    def first(self) -> Outcome:
        """How the release that set the scene ended."""
        outcome = self._watched[0].outcome
        assert outcome is not None
        return outcome

    def under_load(self) -> list[ReleaseSpan]:
        """Return the spans of all releases but the one that set the scene."""
        return [watch.span() for watch in self._watched[1:]]

    def version_of(self, revision: str) -> str:
        """Return the version that first ran as ``family:number``; the revision itself if none did."""
        for watch in self._watched:
            if watch.outcome is not None and revision in watch.outcome.revisions.values():
                return watch.version
        return revision


def task_spans(settings: Settings, aws: Aws, releases: Releases) -> list[TaskSpan]:
    """Return the life of every task of every service, as ECS tells it."""
    ecs = Ecs(aws, names.cluster(settings))
    return [
        _span(task, unit, service.port, releases)
        for unit, service in settings.services.items()
        for task in ecs.tasks_of(unit)
        if task.created_at is not None
    ]


def _span(task: Task, unit: str, port: int | None, releases: Releases) -> TaskSpan:
    assert task.created_at is not None
    container = task.container(unit)
    return TaskSpan(
        task=task.id,
        unit=unit,
        version=releases.version_of(revision_name(task.task_definition)),
        address=f"{task.address}:{port}" if task.address and port else None,
        created=task.created_at.timestamp(),
        running=_seconds(task.started_at),
        stopping=_seconds(task.stopping_at),
        stopped=_seconds(task.stopped_at),
        reason=task.stopped_reason,
        exit_code=container.exit_code if container else None,
    )


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
