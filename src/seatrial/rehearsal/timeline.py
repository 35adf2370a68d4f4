"""What happened, put together from the samples, the tasks and the releases. Pure.

All times are epoch seconds until :func:`build` makes them seconds since the load began.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seatrial.rehearsal.load import Sample

_MOST_BUCKETS = 240
_BUCKET_WIDTHS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

#: The version of an answer that no task of ours gave: the load balancer's own, or none at all.
NOBODY = "none"


@dataclass(frozen=True)
class TaskSpan:
    """One task's life. ``address`` is host:port of its target, None for services without traffic."""

    task: str
    unit: str
    version: str
    address: str | None
    created: float
    running: float | None
    stopping: float | None
    stopped: float | None
    reason: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class StepSpan:
    """One step of a release."""

    name: str
    start: float
    end: float
    failed: bool = False


@dataclass(frozen=True)
class StageSpan:
    """A stage of a service's deployment that moves traffic, as ECS names it. ``back``: on the way back."""

    unit: str
    stage: str
    start: float
    end: float
    back: bool = False


@dataclass(frozen=True)
class Share:
    """From then on so much of a service's requests is to go to the new version, in percent."""

    unit: str
    at: float
    percent: float


@dataclass(frozen=True)
class Check:
    """A smoke check of the new version, at its end. ``result`` says what came out."""

    name: str
    at: float
    ok: bool
    result: str


@dataclass(frozen=True)
class ReleaseSpan:
    """One release as it went. ``expected`` says what the rehearsal meant to see: ``released`` or ``rolled back``.

    ``stages``, ``shares`` and ``checks`` are there where traffic was moved.
    """

    title: str
    version: str
    start: float
    end: float
    expected: str
    outcome: str
    steps: tuple[StepSpan, ...] = ()
    cause: str | None = None
    stages: tuple[StageSpan, ...] = ()
    shares: tuple[Share, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    highest: float


@dataclass(frozen=True)
class Bucket:
    """What the load saw in one stretch of time. ``answers`` counts per version; latency is None without answers."""

    start: float
    answers: dict[str, int]
    failed: int
    latency: Latency | None


@dataclass(frozen=True)
class ClientSummary:
    """One kind of client over the whole load."""

    requests: int
    failed: int
    stale_retries: int
    latency: Latency | None


@dataclass(frozen=True)
class Window:
    """The requests that were due while one release ran. ``answers`` counts them by the version that answered."""

    requests: int
    failed: int
    errors: dict[str, int]
    answers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """Everything a report shows. Times are seconds since the load began; ``width`` is a bucket's."""

    seconds: float
    width: float
    buckets: tuple[Bucket, ...]
    tasks: tuple[TaskSpan, ...]
    releases: tuple[ReleaseSpan, ...]
    windows: tuple[Window, ...]
    clients: dict[str, ClientSummary]
    errors: dict[str, int]
    versions: tuple[str, ...] = field(default=())

    @property
    def requests(self) -> int:
        """How many requests were sent in all."""
        return sum(client.requests for client in self.clients.values())

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(client.failed for client in self.clients.values())

    def to_json(self) -> dict[str, Any]:
        """Return the timeline as plain data."""
        return asdict(self) | {"requests": self.requests, "failed": self.failed}


def build(samples: Sequence[Sample], tasks: Iterable[TaskSpan], releases: Iterable[ReleaseSpan]) -> Timeline:
    """Put a timeline together. Raises ValueError when there is no sample to start it from."""
    if not samples:
        raise ValueError("no request was sent, so there is nothing to show")
    zero = samples[0].at
    ends = [sample.at + sample.latency / 1000 for sample in samples]
    releases = tuple(releases)
    begin = min([zero, *(release.start for release in releases)])
    tasks = tuple(task for task in tasks if task.stopped is None or task.stopped > begin)
    seconds = max([*ends, *(release.end for release in releases)]) - zero
    width = next((width for width in _BUCKET_WIDTHS if seconds / width <= _MOST_BUCKETS), _BUCKET_WIDTHS[-1])
    version_of = {task.address: task.version for task in tasks if task.address}
    return Timeline(
        seconds=round(seconds, 2),
        width=width,
        buckets=_buckets(samples, zero, seconds, width, version_of),
        tasks=tuple(sorted((_task(task, zero) for task in tasks), key=lambda task: (task.unit, task.created))),
        releases=tuple(_release(release, zero) for release in releases),
        windows=tuple(_window(samples, release, version_of) for release in releases),
        clients={
            client: _summary([sample for sample in samples if sample.client == client])
            for client in sorted({sample.client for sample in samples})
        },
        errors=_errors(samples),
        versions=_versions(tasks, releases),
    )


def _versions(tasks: Sequence[TaskSpan], releases: Sequence[ReleaseSpan]) -> tuple[str, ...]:
    """Return every version, in the order in which it first appeared."""
    seen = [(task.created, task.version) for task in tasks] + [(each.start, each.version) for each in releases]
    return tuple(dict.fromkeys(version for _, version in sorted(seen)))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _buckets(
    samples: Sequence[Sample], zero: float, seconds: float, width: float, version_of: dict[str, str]
) -> tuple[Bucket, ...]:
    groups: list[list[Sample]] = [[] for _ in range(int(seconds / width) + 1)]
    for sample in samples:
        groups[int((sample.at - zero) / width)].append(sample)
    return tuple(
        Bucket(
            start=round(index * width, 2),
            answers=dict(Counter(version_of.get(sample.target or "", NOBODY) for sample in group)),
            failed=sum(sample.failed for sample in group),
            latency=_latency(group),
        )
        for index, group in enumerate(groups)
    )


def _latency(samples: Sequence[Sample]) -> Latency | None:
    values = [sample.latency for sample in samples if sample.status is not None]
    if not values:
        return None
    return Latency(percentile(values, 0.5), percentile(values, 0.95), percentile(values, 0.99), max(values))


def _summary(samples: Sequence[Sample]) -> ClientSummary:
    return ClientSummary(
        requests=len(samples),
        failed=sum(sample.failed for sample in samples),
        stale_retries=sum(sample.retried for sample in samples),
        latency=_latency(samples),
    )


def _window(samples: Sequence[Sample], release: ReleaseSpan, version_of: dict[str, str]) -> Window:
    during = [sample for sample in samples if release.start <= sample.at < release.end]
    answers = Counter(version_of.get(sample.target or "", NOBODY) for sample in during)
    return Window(len(during), sum(sample.failed for sample in during), _errors(during), dict(answers))


def _errors(samples: Sequence[Sample]) -> dict[str, int]:
    counted = Counter(sample.error or f"HTTP {sample.status} on {sample.path}" for sample in samples if sample.failed)
    return dict(counted.most_common(20))


def _task(task: TaskSpan, zero: float) -> TaskSpan:
    def since(at: float | None) -> float | None:
        return None if at is None else round(at - zero, 2)

    return TaskSpan(
        task.task, task.unit, task.version, task.address, round(task.created - zero, 2), since(task.running),
        since(task.stopping), since(task.stopped), task.reason, task.exit_code,
    )  # fmt: skip


def _release(release: ReleaseSpan, zero: float) -> ReleaseSpan:
    def since(at: float) -> float:
        return round(at - zero, 2)

    return replace(
        release,
        start=since(release.start),
        end=since(release.end),
        steps=tuple(replace(each, start=since(each.start), end=since(each.end)) for each in release.steps),
        stages=tuple(replace(each, start=since(each.start), end=since(each.end)) for each in release.stages),
        shares=tuple(replace(each, at=since(each.at)) for each in release.shares),
        checks=tuple(replace(each, at=since(each.at)) for each in release.checks),
    )
